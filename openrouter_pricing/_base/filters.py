"""Filters of templates: money for people."""

from __future__ import annotations

from . import money


def usd(amount: object) -> str:
    """An amount, plainly: ``0.000585 USD``.

    Args:
        amount: a number, or what has a ``total``, such as a ``Cost``: what to charge for it. None is "-".

    Raises:
        TypeError, ValueError: it is no number.
    """
    value = getattr(amount, "total", amount)
    return "-" if value is None else f"{money.plain(money.read(value, 'amount'))} USD"


def per_million(price: object) -> str:
    """A price per token as one per million tokens, plainly: ``0.15``.

    Args:
        price: USD per token; None, which is not listed, is "-".

    Raises:
        TypeError, ValueError: it is no number.
    """
    return "-" if price is None else money.plain(money.multiply(money.read(price, "price"), money.MILLION))
