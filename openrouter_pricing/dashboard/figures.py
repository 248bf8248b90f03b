"""Figures as a page shows them: decimal points below one another, and no more digits than a reader needs; ids, too."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

from markupsafe import Markup

from .._base import money
from .._prices.words import unit_price

_CENTS = 2
_SHOWN = 6  # decimal places; what has more is exact on the page of the model
_FREE = Markup('<span class="word">free</span><i></i>')
_NONE = Markup('<span class="word none">\u2013</span><i></i>')
_VARIABLE = Markup('<span class="word">variable</span><i></i>')


def aligned(text: str) -> Markup:
    """A number whose decimal point stands below the others': the style sheet gives fractions one width."""
    whole, _, fraction = text.partition(".")
    # What numbers hold needs no escaping.
    return Markup(f"{whole}<i>.{fraction:0<2}</i>")  # noqa: S704


def per_million(price: Decimal | None) -> Markup:
    """A price per token as USD per million tokens."""
    if price is None:
        return _NONE
    if price < 0:
        return _VARIABLE
    if not price:
        return _FREE
    return aligned(shortened(money.multiply(price, money.MILLION)))


def shortened(amount: Decimal) -> str:
    """A number with six decimal places at most."""
    return money.plain(money.round_half_up(amount, _SHOWN) if _exponent(amount) < -_SHOWN else amount)


def exactly(key: str, price: Decimal | None, prompt: Decimal | None) -> tuple[Markup, str]:
    """A price with all of its digits, and per what."""
    usd, unit = unit_price(key, price, prompt)
    return (aligned(usd) if unit else Markup(f'<span class="word">{usd}</span>')), unit  # noqa: S704


def path_of(model_id: str) -> str:
    """An id as addresses write it."""
    return quote(model_id.encode("utf-8", "replace"), safe="/:~@")


def usd(amount: Decimal) -> str:
    """An amount with two decimal places, and thousands grouped; one below a cent with as many as it needs, up to 6."""
    if amount and amount < Decimal("0.01"):
        small = money.plain(money.round_half_up(amount, _SHOWN))
        return small if small != "0" else "below 0.000001"
    return f"{money.round_half_up(amount, _CENTS):,}"


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
