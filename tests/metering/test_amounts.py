"""What responses of known shapes report, and on whose key they ran."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.json import decode, encode

from openrouter_pricing.metering.amounts import is_own_key, reported_of
from openrouter_pricing.metering.shapes import Chat

USAGE: dict[str, Any] = {"prompt_tokens": 3, "completion_tokens": 1, "cost": 0.5}


def said(usage: dict[str, Any], **more: Any) -> Any:
    """A response."""
    return decode(encode({"model": "a/plain", "usage": {**USAGE, **usage}, **more}), type=Chat)


def upstream(amount: float | None) -> dict[str, Any]:
    """What the provider took."""
    return {"cost_details": {"upstream_inference_cost": amount}}


@pytest.mark.parametrize(
    ("usage", "more", "own"),
    [
        ({}, {}, False),
        ({"is_byok": False}, {}, False),
        ({"is_byok": False, **upstream(0.25)}, {}, False),
        (upstream(0.5), {}, False),
        (upstream(0.25), {}, None),
        (upstream(0.75), {}, None),
        ({}, {"openrouter_metadata": {"is_byok": True}}, None),
        ({"is_byok": False}, {"openrouter_metadata": {"is_byok": True}}, False),
        ({"is_byok": True}, {}, None),
        ({"is_byok": True, **upstream(0.75)}, {}, True),
        (upstream(0.75), {"is_byok": True}, True),
        ({"is_byok": False, **upstream(0.75)}, {"is_byok": True}, False),
        ({"is_byok": True, "cost": None, **upstream(0.75)}, {}, None),
        ({"is_byok": True, "cost": 0, **upstream(0.75)}, {}, True),
        ({"is_byok": True, **upstream(1e-45)}, {}, None),
        ({"cost": 1e-45}, {}, None),
        ({"cost": 1e39}, {}, None),
        ({"cost": 0.0}, {}, False),
    ],
)
def test_whose_key(usage: dict[str, Any], more: dict[str, Any], own: bool | None) -> None:
    """What is in doubt is left for another way, as is an amount that is none."""
    assert own is is_own_key(said(usage, **more))


def test_what_is_reported() -> None:
    """On one's own key the fee and what the provider took are what it cost."""
    response = said({"is_byok": True, "cost": 0.01, **upstream(0.2)})

    assert Decimal("0.01") == reported_of(response.usage, False)
    assert Decimal("0.21") == reported_of(response.usage, True)
