"""What a response says that the call cost."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .._base import money
from ..errors import ResponseError
from .fields import Ask, amount, asking, check_currency, is_object

_NOISE = Decimal("1e-12")  # USD; amounts are floats, and two of the same sum may differ in their last digit
_PARTS = (
    ("upstream_inference_prompt_cost", "upstream_inference_completions_cost"),  # chat completions
    ("upstream_inference_input_cost", "upstream_inference_output_cost"),  # responses
)


class Reported(NamedTuple):
    """What a response says that the call cost; USD.

    Args:
        cost: all of it, or None where it does not say.
        fee: OpenRouter's fee with one's own key; None without one, or where it does not say.
        upstream: what the provider took, on whoever's key, or None.
        parts: what it took for prompt and completion, or None; looked for only where upstream is not the cost.
        byok: whether it ran on one's own key.
    """

    cost: Decimal | None
    fee: Decimal | None
    upstream: Decimal | None
    parts: Decimal | None
    byok: bool


def read_reported(body: Ask, usage: Ask, details: Ask, cost: object, upstream: object, name: str = "cost") -> Reported:
    """Read the amounts of a response.

    With one's own key (``is_byok``) the cost is OpenRouter's fee alone and the provider's part comes on top; otherwise
    the upstream figure only repeats the token cost. A bill on OpenRouter's key is never below upstream, so one that is
    was BYOK, flag or no flag: https://openrouter.ai/docs/use-cases/usage-accounting

    Args:
        body, usage, details: how to ask the body, its usage, and the usage's ``cost_details``.
        cost: what stands as the cost.
        upstream: what stands as the provider's part.
        name: the field that the cost stands in.

    Raises:
        ResponseError: an amount is none, or is not in USD.
    """
    check_currency(usage, details, body)
    paid = amount(cost, name)
    # Reading a float takes a tenth of all the time here, and mostly it is the same one twice.
    same = type(upstream) is float and upstream == cost
    taken = paid if same else amount(upstream, "upstream_inference_cost")
    parts = None if same else read_parts(details)
    flag = usage("is_byok")
    if flag is None:
        flag = body("is_byok")
    if flag is None and (metadata := body("openrouter_metadata")) is not None and is_object(metadata):
        flag = asking(metadata)("is_byok")
    byok = flag is True or (flag is not False and _is_yes(flag))
    if not byok and flag is not False and not same and paid is not None and taken is not None:
        byok = money.subtract(taken, paid) > _NOISE
    if not byok:
        return Reported(paid, None, taken, parts, False)
    if taken is None:
        taken = parts
    whole = None if paid is None or taken is None else money.add(paid, taken)
    return Reported(whole, paid, taken, parts, True)


def _is_yes(flag: object) -> bool:
    return isinstance(flag, (str, int)) and str(flag).lower() in ("true", "1")


def read_parts(details: Ask) -> Decimal | None:
    """USD, what the provider took for prompt and completion, together; None where that is not said."""
    for first, second in _PARTS:
        one, other = details(first), details(second)
        if one is not None or other is not None:
            try:
                return money.total([amount(one, first) or money.ZERO, amount(other, second) or money.ZERO])
            except ResponseError:  # they only explain: what cannot be read explains nothing
                return None
    return None
