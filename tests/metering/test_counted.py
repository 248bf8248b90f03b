"""What was counted of the parts of a log adds up to what is counted of all of it."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.logs import CATALOG, EXACT, GONE, OFF, REFUND, SILENT, encoded, numbered

from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.counted import Counted

LINES = [EXACT, OFF, REFUND, SILENT, GONE, {}, [], 5, {"usage": {"cost": 0.5}, "model": "a/plain"}]


def counted(data: bytes, by: str | None = None) -> Counted:
    """What is counted of a part of a log."""
    audit = Audit(CATALOG, 3, by=by)  # type: ignore[arg-type]
    for number, line in numbered(data):
        audit.add(number, line)
    return audit.counted


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(LINES), max_size=12), st.integers(0, 12), st.sampled_from([None, "model", "day"]))
def test_parts_add_up(lines: list[object], cut: int, by: str | None) -> None:
    """Whatever the lines and wherever the cut, tallies, groups, numbers, reasons and the worst are those of all."""
    first, second = lines[:cut], lines[cut:]
    part = pickle.loads(pickle.dumps(counted(encoded(*second), by)))
    whole = counted(encoded(*first), by)

    assert whole.fits(part)
    whole.add(part, len(first))
    expected = counted(encoded(*lines), by)
    assert expected == whole
    assert expected.worst() == whole.worst()
    for mine, its in zip(expected._groups(), whole._groups(), strict=True):
        assert (list(mine.items()), mine.others) == (list(its.items()), its.others)


@pytest.mark.parametrize(("names", "fits"), [(1000, True), (1001, False)])
def test_names_that_were_not_told_apart_do_not_add_up(names: int, fits: bool) -> None:
    """A part with more names than are kept adds up only where nothing was counted before it."""
    gone = [{"model": f"gone/{number}", "usage": {"prompt_tokens": 1, "cost": 1}} for number in range(names)]
    part = counted(encoded(*gone))

    assert fits == counted(encoded(GONE)).fits(part)
    assert counted(b"").fits(part)
