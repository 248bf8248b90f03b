"""Prices, conditions and categories in words."""

from __future__ import annotations

from decimal import Decimal

from .._base import money
from .model import Category
from .rates import _DAYS, PRICE_KEYS, Override

_WHOLE = {"request": "request", "web_search": "search"}
#: What each category is, USD per million tokens.
THRESHOLDS = {
    Category.BUDGET: "below 1",
    Category.STANDARD: "from 1 to below 5",
    Category.FAST: "from 5 to below 10",
    Category.PREMIUM: "from 10 to below 50",
    Category.REASONING: "50 and above",
}
#: What the thresholds are of.
MEAN = "USD per million tokens, the mean of prompt and completion"


def thresholds() -> str:
    """All categories with their thresholds."""
    return f"{', '.join(f'{each.value} {said}' for each, said in THRESHOLDS.items())} ({MEAN})"


def unit_price(key: str, price: Decimal | None, prompt: Decimal | None) -> tuple[str, str]:
    """USD, and per what. ``prompt`` tells an image price per token (equal to it) from one per image."""
    if price is None:
        return "-", ""
    if price < 0:
        return "variable", ""
    unit = "image" if key == "image" and price != prompt else _WHOLE.get(key)
    if unit is None:
        return money.plain(money.multiply(price, money.MILLION)), "million tokens"
    return money.plain(price), unit


def conditions_words(entry: Override) -> str:
    """When a conditional price holds, its threshold in full."""
    conditions: list[str] = []
    if entry.unknown:
        conditions.append(f"never applied, as its conditions are not known here ({', '.join(entry.unknown)})")
    if entry.min_prompt_tokens is not None:
        conditions.append(f"above {counted(entry.min_prompt_tokens)} prompt tokens")
    if entry.utc_start is not None or entry.utc_end is not None:
        start, end = entry.utc_start or 0, 24 * 60 if entry.utc_end is None else entry.utc_end
        conditions.append(f"from {start // 60:02}:{start % 60:02} to {end // 60:02}:{end % 60:02} UTC")
    if entry.utc_days is not None:
        days = [day.capitalize() for day in _DAYS if day in entry.utc_days]
        conditions.append(f"on {', '.join(days) or 'no day'} (UTC)")
    return ", ".join(conditions) or "always"


def override_words(entry: Override, prompt: Decimal | None) -> str:
    """A conditional price in words. ``prompt`` is the price of the row that it stands in."""
    prices = []
    for key in PRICE_KEYS:
        if key in entry.prices:
            usd, unit = unit_price(key, entry.prices[key], entry.prices.get("prompt", prompt))
            prices.append(f"{key} {usd} USD per {unit}" if unit else f"{key} {usd}")
    return f"{conditions_words(entry)}: {', '.join(prices) or 'no other prices'}"


def counted(number: Decimal | int) -> str:
    """A count in full: 272,000."""
    return f"{int(number):,}" if number == int(number) else money.plain(Decimal(number))


def ratio(amount: Decimal, to: Decimal) -> Decimal | None:
    """How many times ``to`` an amount is, to two decimal places; None where ``to`` is nothing."""
    return None if not to else money.round_half_up(money.quotient(amount, to), 2)
