"""Model: one row of the catalogue. Category: how dear it is."""

from __future__ import annotations

import enum
import json
import re
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from .._base import money
from .rates import Rates
from .sold import fillers


class Category(str, enum.Enum):
    """How dear a model is, by the mean of its prompt and completion price in USD per million tokens."""

    BUDGET = "Budget"
    STANDARD = "Standard"
    FAST = "Fast"
    PREMIUM = "Premium"
    REASONING = "Reasoning"

    @classmethod
    def of(cls, mean: Decimal) -> Category:
        """The category of a mean price in USD per million tokens: below 1, 5, 10, 50, or above."""
        for limit, category in ((1, cls.BUDGET), (5, cls.STANDARD), (10, cls.FAST), (50, cls.PREMIUM)):
            if mean < limit:
                return category
        return cls.REASONING


_MAX_DEPTH = 64
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OPTIONAL: dict[str, type | tuple[type, ...]] = {
    "canonical_slug": str,
    "name": str,
    "description": str,
    "created": (int, float, Decimal),
    "context_length": (int, float, Decimal),
    "architecture": dict,
    "top_provider": dict,
    "supported_parameters": list,
    "alias_target": dict,
}


@attrs.frozen
class Model:
    """One model as OpenRouter lists it (https://openrouter.ai/docs/api/api-reference/models/get-models).

    Args:
        id: what requests name it by.
        canonical_slug: the permanent name that responses answer with.
        name: for people; may hold anything, so escape it before it reaches a terminal or a page.
        provider: the part of the id before the slash, without the ``~`` of an alias.
        context_length: tokens, or None where it is not listed.
        rates: what one unit of anything costs.
        alias_target: the id that an ``~alias`` row points at now, or None.
        input_modalities, output_modalities: such as "text", "image", "audio", "embeddings".
        supported_parameters: request parameters that it takes.
    """

    id: str
    canonical_slug: str
    name: str
    provider: str
    context_length: int | None
    rates: Rates
    alias_target: str | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    _row: bytes = attrs.field(default=b"{}", repr=False)

    @property
    def raw(self) -> dict[str, Any]:
        """The row as OpenRouter sent it, decoded anew at each look, so that nobody can change another's."""
        row: dict[str, Any] = json.loads(self._row)
        return row

    @property
    def mean_price(self) -> Decimal | None:
        """Mean of the prompt and the completion price, USD per million tokens.

        None for a router model, and for a row that sells no text tokens: nobody knows a price of either.
        """
        if self.rates.variable or (self.rates.prompt is None and self.rates.completion is None):
            return None
        both = money.add(self.rates.prompt or money.ZERO, self.rates.completion or money.ZERO)
        return money.multiply(both, 500_000)

    @property
    def category(self) -> Category | None:
        """How dear it is; None where :attr:`mean_price` is."""
        mean = self.mean_price
        return None if mean is None else Category.of(mean)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; prices as :meth:`Rates.to_dict` gives them."""
        return {
            "id": self.id,
            "canonical_slug": self.canonical_slug,
            "name": self.name,
            "provider": self.provider,
            "category": None if self.category is None else self.category.value,
            "context_length": self.context_length,
            "alias_target": self.alias_target,
            "input_modalities": list(self.input_modalities),
            "output_modalities": list(self.output_modalities),
            "supported_parameters": list(self.supported_parameters),
            "pricing": self.rates.to_dict(),
        }

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Model:
        """Read one row in the form in which it is stored, so that nothing which is decoded from there later can fail.

        Raises:
            ValueError, TypeError: as for :meth:`from_dict`.
        """
        try:
            text = _text(row)
        except (ValueError, TypeError):
            return cls.from_dict(row)  # which says what is wrong with it by name
        return cls.from_dict(json.loads(text), text)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any], text: bytes | None = None) -> Model:
        """Read one row.

        Args:
            row: the row, decoded.
            text: the same row as JSON, where it is at hand.

        Raises:
            ValueError, TypeError: a field that matters has a value that cannot be read; the message names it.
        """
        if not isinstance(row, Mapping):
            raise TypeError(f"a model must be an object, not {type(row).__name__}")
        model_id = row.get("id")
        if not isinstance(model_id, str):
            raise TypeError(f"id must be a string, not {type(model_id).__name__}")
        if not 0 < len(model_id) <= 300 or not model_id.isprintable() or " " in model_id:
            raise ValueError(f"id is empty, too long or holds characters that no id has: {model_id[:40]!r}")
        for key, kind in _OPTIONAL.items():
            value = row.get(key)
            if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                raise TypeError(f"{key} has the wrong type: {type(value).__name__}")
        target = (row.get("alias_target") or {}).get("slug")
        if target is not None and not isinstance(target, str):
            raise TypeError(f"alias_target.slug must be a string, not {type(target).__name__}")
        inputs, outputs = _modalities(row.get("architecture") or {})
        pricing = row.get("pricing")
        reason = None
        if isinstance(pricing, Mapping) and outputs and (outputs != ("text",) or inputs == ("audio",)):
            filler, reason = fillers(model_id, inputs, outputs, pricing)
            if filler:
                pricing = {key: value for key, value in pricing.items() if key not in filler}
        rates = Rates.from_dict(pricing)  # type: ignore[arg-type]  # reports a missing or foreign one itself
        if reason is not None and not rates.paid and not rates.variable:
            rates = attrs.evolve(rates, unpriced=reason)
        length = _length(row.get("context_length"))
        return cls(
            id=model_id,
            canonical_slug=row.get("canonical_slug") or model_id,
            name=row.get("name") or model_id,
            provider=model_id.lstrip("~").split("/")[0] if "/" in model_id else "unknown",
            context_length=length,
            rates=rates,
            alias_target=target,
            input_modalities=inputs,
            output_modalities=outputs,
            supported_parameters=_strings(row.get("supported_parameters"), "supported_parameters"),
            row=_text(row) if text is None else text,
        )


def _text(row: Mapping[str, Any]) -> bytes:
    """A row as JSON, its id first, by which a catalogue finds it.

    Raises:
        ValueError: it holds NaN, or nests deeper than anybody should have to decode.
    """
    if isinstance(row, dict) and "id" in row:
        row = {"id": row["id"], **row}
    text = json.dumps(row, separators=(",", ":"), default=_number, allow_nan=False).encode()
    if text.count(b"[") + text.count(b"{") > _MAX_DEPTH:  # only then can it be that deep
        depth = 0
        for bracket in _STRING.sub(b"", text):
            depth += (bracket in b"[{") - (bracket in b"]}")
            if depth > _MAX_DEPTH:
                raise ValueError(f"it nests more than {_MAX_DEPTH} levels")
    return text


def _length(value: Any) -> int | None:
    """A context length: whole tokens."""
    if value is None:
        return None
    if not 0 <= value <= money.MAX_COUNT:
        raise ValueError(f"context_length must be from 0 to 10**18: {str(value)[:40]}")
    return int(value)


def _modalities(architecture: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Input and output modalities; lists until early 2025 give them only as ``"text+image->text"``."""
    arrow = architecture.get("modality")
    if arrow is not None and not isinstance(arrow, str):
        raise TypeError(f"architecture.modality must be a string, not {type(arrow).__name__}")
    before, _, after = (arrow or "").partition("->")
    inputs = _strings(architecture.get("input_modalities"), "architecture.input_modalities")
    outputs = _strings(architecture.get("output_modalities"), "architecture.output_modalities")
    return inputs or tuple(filter(None, before.split("+"))), outputs or tuple(filter(None, after.split("+")))


def _strings(value: object, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{name} must be a list of strings")
    return tuple(map(sys.intern, value))  # hundreds of models say the same few words


def _number(value: object) -> object:
    """A Decimal for JSON: as a number where a float holds it exactly as printed, else as a string."""
    if not isinstance(value, Decimal):
        raise TypeError(f"a row may hold JSON values only, not {type(value).__name__}")
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)
