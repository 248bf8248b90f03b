"""Names that spend is summed by: the model, the day, the provider, or the key of a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from msgspec import Struct, defstruct

from .._billing.fields import instant
from .shapes import Chat, Input, Plain

By: TypeAlias = Literal["model", "day", "provider", "key"]
#: What spend can be summed by.
BY: tuple[By, ...] = ("model", "day", "provider", "key")
#: Fields of a line, of the response in it, or of the ``metadata`` of either, that say whose call it was; no response of
#: OpenRouter names the key that asked for it, so a log has what its program added. The first one that is there counts.
KEYS = (
    "api_key_name", "api_key_label", "key_name", "key_label", "api_key", "key", "api_key_hash", "key_hash",
    "external_user", "user",
)  # fmt: skip
_MOST_LETTERS = 200  # of a name
_SECRET = re.compile(r"(sk-\S{7,9})\S{8,}(\S{3})")
_SHAPES: tuple[type[Struct], ...] = (Plain, Chat, Input)
_KEYED: tuple[type[Struct], ...] = tuple(
    defstruct(shape.__name__, [(name, Any, None) for name in (*KEYS, "metadata")], bases=(shape,), gc=False)
    for shape in _SHAPES
)


class Namer:
    """Names lines.

    Args:
        by: what after; None for not at all.

    Attributes:
        shapes: what is asked of responses.
        by_key: whether it is by whose call a line was.
    """

    def __init__(self, by: By | None) -> None:
        self._by = by
        self.by_key: bool = by == "key"
        self.shapes: tuple[type[Struct], ...] = _KEYED if self.by_key else _SHAPES

    def name(self, model_id: str, provider: str | None, stamp: object, *asks: Callable[[str], Any]) -> str:
        """The name of a line; "" where it has none.

        Args:
            model_id: what it was priced as.
            provider: who served it.
            stamp: when it was.
            asks: how to ask the line and the response in it for their fields.
        """
        if self._by == "model":
            return model_id[:_MOST_LETTERS]
        if self._by == "provider":
            return (provider or "")[:_MOST_LETTERS]
        if self._by == "day":
            moment = instant(stamp)
            return "" if moment is None else f"{moment:%Y-%m-%d}"
        return next(filter(None, map(_key, asks)), "")


def _key(ask: Callable[[str], Any]) -> str:
    """What says whose call it was; of a key itself no more than OpenRouter shows of it."""
    metadata = ask("metadata")
    for inner in (ask, metadata.get if isinstance(metadata, dict) else None):
        if inner is not None:
            found = next((value for name in KEYS if isinstance(value := inner(name), str) and value), None)
            if found is not None:
                return _SECRET.sub(r"\1...\2", found)[:_MOST_LETTERS]
    return ""
