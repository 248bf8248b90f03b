"""Question: which columns say what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from openrouter_pricing._bulk.question import ask

NAMES = ["model", "prompt_tokens", "completion_tokens", "when"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"names": ["model", "prompt_tokens"]}, "the frame has no column completion_tokens: say in columns"),
        ({"columns": ["model"]}, "columns must be a mapping"),
        ({"columns": {"tokens": "model"}}, "columns: 'tokens' is none of model, prompt_tokens"),
        ({"columns": {"model": "llm"}}, r"columns\['model'\] names no column of the frame: 'llm'"),
        ({"columns": {"model": 1}}, r"columns\['model'\] must be the name of a column, not int"),
        ({"at": "then"}, "at names no column of the frame: 'then'"),
        ({"at": datetime(2026, 1, 1)}, "at must be an aware datetime"),  # noqa: DTZ001
        ({"at": 5}, "at must be a datetime, not int"),
        ({"reported": "usd"}, "reported names no column of the frame: 'usd'"),
        ({"prefix": None}, "prefix must be a string, not NoneType"),
        ({"names": [*NAMES, "model"]}, "the frame has more than one column 'model'"),
        ({"names": [*NAMES, "cost_raw"]}, "the frame has a column 'cost_raw' already: give another prefix"),
    ],
)
def test_what_cannot_be_asked_is_named(options: dict[str, Any], problem: str) -> None:
    """Before anything is computed."""
    asked = {"names": NAMES, "columns": None, "at": None, "reported": None, "prefix": "cost_", **options}
    with pytest.raises((ValueError, TypeError), match=problem):
        ask(**asked)


def test_only_what_is_needed_is_read() -> None:
    """Each column once."""
    asked = ask([*NAMES, "usd", "more"], {"cached_tokens": "prompt_tokens"}, "when", "usd", "cost_")
    assert asked.read == ("model", "prompt_tokens", "completion_tokens", "when", "usd")
    assert ask(NAMES, None, None, None, "x_").added == ("x_raw", "x_total", "x_model", "x_as_of", "x_status")
