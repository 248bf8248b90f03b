"""What differs between two price lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

import attrs

from .._base import money
from .catalog import Catalog
from .rates import Rates, effective_prices

_WILD = Decimal(4)  # times; in two years of lists twelve hours apart at most 1.3 % of the prices moved by more
_JUMP = Decimal(10)  # times; worth a line in the log


class Move(NamedTuple):
    """One price that is another one now.

    Args:
        key: the price key; of a conditional price the key and its conditions.
        before, after: USD per unit; None where it is not listed.
        ratio: ``after / before`` to 28 digits; None where one of them is missing or 0.
    """

    key: str
    before: Decimal | None
    after: Decimal | None
    ratio: Decimal | None


@attrs.frozen
class PriceChange:
    """What changed of one model.

    Args:
        model_id: the model.
        kind: "listed", "delisted" or "changed".
        before, after: its rates; None where it is not listed.
    """

    model_id: str
    kind: Literal["listed", "delisted", "changed"]
    before: Rates | None
    after: Rates | None

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every price that is another one now; a missing key and a price of 0 are the same."""
        before, after = effective_prices(self.before), effective_prices(self.after)
        keys = dict.fromkeys([*before, *after])
        return tuple(
            Move(key, before.get(key), after.get(key), _ratio(before.get(key), after.get(key)))
            for key in keys
            if before.get(key) != after.get(key)
        )


class CatalogChange(NamedTuple):
    """A new price list.

    Args:
        before: the one before it; None where it is the first.
        after: the new one.
        changes: what differs, in the order of the new list, then what is gone; empty for the first.
    """

    before: Catalog | None
    after: Catalog
    changes: tuple[PriceChange, ...]


class Moves(NamedTuple):
    """How prices moved between two lists.

    Args:
        priced: how many models of both had a price; 0 where none moved wildly, as it is not needed then.
        wild: those of them whose price moved by more than 4 times, was lost, or stands under the other key.
        jumps: those whose price moved by more than 10 times, with prompt and completion before and after.
    """

    priced: int
    wild: list[str]
    jumps: list[tuple[str, str, str]]


def differences(before: Catalog, after: Catalog) -> tuple[PriceChange, ...]:
    """What differs between two lists, in the order of the newer one, then what is gone."""
    old, new = before.texts(), after.texts()
    return compared(old, new, lambda name: before.row(name).rates, lambda name: after.row(name).rates)


def compared(
    old: Mapping[str, object],
    new: Mapping[str, object],
    was: Callable[[str], Rates],
    is_: Callable[[str], Rates],
) -> tuple[PriceChange, ...]:
    """What differs in what is charged, in the order of the newer list, then what is gone.

    Args:
        old, new: models to what is kept of each; rates are decoded where that differs.
        was, is_: the rates of a model of the older and of the newer list.
    """
    changes: list[PriceChange] = []
    for name in dict.fromkeys([*new, *old]):
        if name not in old:
            changes.append(PriceChange(name, "listed", None, is_(name)))
        elif name not in new:
            changes.append(PriceChange(name, "delisted", was(name), None))
        elif old[name] != new[name]:
            before, after = was(name), is_(name)
            if effective_prices(before) != effective_prices(after):
                changes.append(PriceChange(name, "changed", before, after))
    return tuple(changes)


def moves_between(before: Catalog, after: Catalog) -> Moves:
    """How prompt and completion prices moved, model by model; routers, whose price is variable, are left out."""
    old_texts, new_texts = before.texts(), after.texts()
    common = [model_id for model_id in new_texts if model_id in old_texts]
    changed = [model_id for model_id in common if old_texts[model_id] != new_texts[model_id]]
    wild, jumps = [], []
    for model_id in changed:
        old, new = before.row(model_id).rates, after.row(model_id).rates
        if not _has_price(old):
            continue
        pairs = [(getattr(old, key) or money.ZERO, getattr(new, key) or money.ZERO) for key in ("prompt", "completion")]
        (was_in, is_in), (was_out, is_out) = pairs
        exchanged = was_in != was_out and (was_in, was_out) == (is_out, is_in)
        if exchanged or any(was > 0 and (is_ <= 0 or _apart(was, is_, _WILD)) for was, is_ in pairs):
            wild.append(model_id)
        if any(was > 0 and is_ > 0 and _apart(was, is_, _JUMP) for was, is_ in pairs):
            shown = [money.plain(price) for price in (was_in, was_out, is_in, is_out)]
            jumps.append((model_id, "/".join(shown[:2]), "/".join(shown[2:])))
    # Decoding the rest takes longer than all of this, and is needed only where something moved wildly.
    priced = sum(_has_price(before.row(model_id).rates) for model_id in common) if wild else 0
    return Moves(priced, wild, jumps)


def _has_price(rates: Rates) -> bool:
    return not rates.variable and bool(rates.prompt or rates.completion)


def _apart(one: Decimal, other: Decimal, times: Decimal) -> bool:
    return one > money.multiply(other, times) or other > money.multiply(one, times)


def _ratio(before: Decimal | None, after: Decimal | None) -> Decimal | None:
    return money.quotient(after, before) if before and after else None
