"""What the tests compare with: a cost worked out anew with fractions from a raw row, and contexts of hostile callers.

Nothing here knows the package. It follows the published billing rules and takes the row as the API lists it.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from datetime import datetime, timezone
from fractions import Fraction
from typing import Any

_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_CONDITIONS = {"min_prompt_tokens", "utc_start", "utc_end", "utc_days"}


class VariableError(Exception):
    """The row lists a negative price."""


class UnpricedError(Exception):
    """The row lists no price for a dimension; the message is its name."""


def _prices(pricing: Mapping[str, Any]) -> dict[str, Fraction]:
    skipped = {"overrides", "discount", *_CONDITIONS}
    return {key: Fraction(str(value)) for key, value in pricing.items() if key not in skipped and value is not None}


def _clock(number: Any) -> int:
    return int(number) // 100 * 60 + int(number) % 100


def _holds(entry: Mapping[str, Any], prompt_tokens: int, at: datetime | None) -> bool:
    least = entry.get("min_prompt_tokens")
    if least is not None and prompt_tokens <= int(least):
        return False
    if "utc_start" not in entry and "utc_end" not in entry and "utc_days" not in entry:
        return True
    assert at is not None
    now = at.astimezone(timezone.utc)
    if "utc_days" in entry and _WEEKDAYS[now.weekday()] not in entry["utc_days"]:
        return False
    start, end = _clock(entry.get("utc_start", 0)), _clock(entry.get("utc_end", 2400))
    minute = now.hour * 60 + now.minute
    hours = range(start, end) if start <= end else [*range(start, 1440), *range(end)]
    return minute in hours


def cost(row: Mapping[str, Any], usage: Mapping[str, int], at: datetime | None = None) -> Fraction:
    """USD, unrounded, that ``usage`` (names and counts) costs on a raw ``row`` of the model list."""
    used = {"requests": 1, **usage}
    pricing = row["pricing"]
    listed = _prices(pricing)
    if _sells_something_else(row, listed):
        raise UnpricedError(
            next((side for side in ("prompt_tokens", "completion_tokens") if used.get(side)), "requests")
        )
    total_prompt = used.get("prompt_tokens", 0)
    if any(price < 0 for price in listed.values()):
        raise VariableError(row["id"])
    price = dict(listed)
    for entry in pricing.get("overrides") or []:
        if _holds(entry, total_prompt, at):
            same = listed.get("internal_reasoning") == listed.get("completion")
            price |= _prices(entry)
            if same and "internal_reasoning" in listed and "internal_reasoning" not in entry and "completion" in entry:
                price["internal_reasoning"] = price["completion"]
    free = not any(price.values())
    _check_priced(row, used, listed, price, free)

    per_prompt = price.get("prompt", Fraction(0))
    bill = Fraction(0)

    # The prompt: reads, writes, audio, images, each taken out of what is left.
    hour = min(used.get("cache_write_1h_tokens", 0), total_prompt)
    short = max(0, min(used.get("cache_write_tokens", 0), total_prompt) - hour)
    short_price = price.get("input_cache_write") or per_prompt
    hour_price = price.get("input_cache_write_1h") or short_price
    taken_out = [(used.get("cached_tokens", 0), price.get("input_cache_read"))]
    for written, each in ((short, short_price), (hour, hour_price)):
        if each < per_prompt:
            bill += written * each  # storage, on top of the prompt
        else:
            taken_out.append((written, each))
    taken_out.append((used.get("audio_tokens", 0), price.get("audio")))
    taken_out.append((used.get("image_tokens", 0), price.get("image_token")))
    bill += _share(total_prompt, per_prompt, taken_out)

    # The completion: reasoning, audio, images.
    bill += _share(
        used.get("completion_tokens", 0),
        price.get("completion", Fraction(0)),
        [
            (used.get("reasoning_tokens", 0), price.get("internal_reasoning")),
            (used.get("audio_output_tokens", 0), price.get("audio_output")),
            (used.get("image_output_tokens", 0), price.get("image_output")),
        ],
    )
    bill += used["requests"] * price.get("request", Fraction(0))
    bill += used.get("web_searches", 0) * price.get("web_search", Fraction(0))
    if not used.get("image_tokens"):
        bill += used.get("images", 0) * price.get("image", Fraction(0))
    return bill


def _sells_something_else(row: Mapping[str, Any], listed: Mapping[str, Fraction]) -> bool:
    architecture = row.get("architecture") or {}
    made = architecture.get("output_modalities") or (architecture.get("modality") or "").partition("->")[2].split("+")
    if not made or made == [""] or row["id"].endswith(":free") or any(listed.values()):
        return False
    return not {"text", "embeddings"} & set(made) or bool({"audio", "video", "music"} & set(made))


def _share(whole: int, text_price: Fraction, parts: list[tuple[int, Fraction | None]]) -> Fraction:
    bill = Fraction(0)
    for wanted, own in parts:
        taken = min(wanted, whole)
        whole -= taken
        bill += taken * (own or text_price)  # a price of nothing counts as not listed
    return bill + whole * text_price


def _check_priced(
    row: Mapping[str, Any],
    used: Mapping[str, int],
    listed: Mapping[str, Fraction],
    price: Mapping[str, Fraction],
    free: bool,
) -> None:
    embeds = (row.get("architecture") or {}).get("output_modalities") == ["embeddings"]
    if used.get("completion_tokens") and ("completion" not in price or embeds):
        raise UnpricedError("completion_tokens")
    if used.get("images") and not used.get("image_tokens"):
        per_token = not free and listed.get("image") == listed.get("prompt")
        if per_token or (not price.get("image") and not (free and "image" in price)):
            raise UnpricedError("images")
    if used.get("web_searches") and not price.get("web_search") and not (free and "web_search" in price):
        raise UnpricedError("web_searches")


_SIGNALS = list(decimal.Context().flags)
_ROUNDINGS = [
    decimal.ROUND_05UP,
    decimal.ROUND_CEILING,
    decimal.ROUND_DOWN,
    decimal.ROUND_FLOOR,
    decimal.ROUND_HALF_DOWN,
    decimal.ROUND_HALF_EVEN,
    decimal.ROUND_HALF_UP,
    decimal.ROUND_UP,
]

#: Decimal contexts that a caller may have set, by name.
CONTEXTS: dict[str, decimal.Context] = {
    "default": decimal.Context(),
    "precision 5": decimal.Context(prec=5),
    "precision 1": decimal.Context(prec=1),
    **{rounding: decimal.Context(prec=3, rounding=rounding) for rounding in _ROUNDINGS},
    "trap Inexact": decimal.Context(prec=5, traps=[decimal.Inexact]),
    "trap Rounded": decimal.Context(prec=5, traps=[decimal.Rounded]),
    "trap FloatOperation": decimal.Context(prec=5, traps=[decimal.FloatOperation]),
    "trap everything": decimal.Context(prec=1, traps=_SIGNALS),
    "trap nothing": decimal.Context(prec=1, traps=[]),
    "capitals 0": decimal.Context(prec=5, capitals=0),
    "small exponents": decimal.Context(prec=5, Emin=-1, Emax=1, clamp=1),
}
