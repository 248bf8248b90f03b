"""Rows of a database that keeps a history."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.rows import Row, differences, filled, instant, micros, periods_of


@given(st.datetimes(timezones=st.just(timezone.utc)))
def test_an_instant_is_kept_to_the_microsecond(at: datetime) -> None:
    """It comes back as it went."""
    assert at == instant(micros(at))
    assert micros(at + timedelta(microseconds=1)) == micros(at) + 1 or at.year == 9999


def test_differences() -> None:
    """What is charged alike is no difference."""
    before = {"a": '{"prompt": "1"}', "b": '{"prompt": "1"}', "c": '{"prompt": "1"}'}
    after = {"a": '{"prompt": "1", "image": "0"}', "b": '{"prompt": "2"}', "d": "{}"}
    assert [(each.model_id, each.kind) for each in differences(before, after)] == [
        ("b", "changed"),
        ("d", "listed"),
        ("c", "delisted"),
    ]


def test_periods_and_rows_are_the_same() -> None:
    """What is filled in from periods gives them again; the last list is that of the last row."""
    periods = list(BundledHistory().periods("openai/gpt-4o-mini"))
    rows, last = filled(periods)
    assert periods == list(periods_of(sorted(rows)))
    assert last is not None
    assert last.as_of == periods[-1].since
    assert json.loads(last.prices["openai/gpt-4o-mini"])
    assert filled([]) == ([], None)
    assert next(periods_of([Row("a", 1, "{}"), Row("a", 2, None)])).until == instant(2)
