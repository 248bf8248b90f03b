"""Row by row against single calls, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from support.bulk import answers, table
from support.calls import Priced, calls, priced
from support.engines import ENGINES, Kind
from support.figures import Figure
from support.recorded import recorded, recorded_names

from openrouter_pricing import Catalog, Pricing, Settings
from openrouter_pricing._base import money
from openrouter_pricing.metering.frames import PriceBook, focus, price_frame, sum_frame

pytestmark = [
    pytest.mark.frames,
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore"),  # engines warn of their own doings
    pytest.mark.skipif(not recorded_names(), reason="the recorded data is not at hand"),
]

ROWS = 12_000  # of each list
WEEK = timedelta(days=7)
Day = tuple[PriceBook, pa.Table, list[Priced]]


@pytest.fixture(scope="module")
def days() -> list[Day]:
    """For each recorded list a book, calls of its week with their numbers, and what each of them costs."""
    made = []
    for number, name in enumerate(recorded_names()):
        day = datetime.fromisoformat(name[7:17]).replace(tzinfo=timezone.utc)
        listed = Catalog.from_rows(recorded(name)["data"], as_of=day, problem=lambda _: None)
        columns = calls(listed, ROWS, number, day, day + WEEK)
        with Pricing(Settings(markup_rate="1.3"), catalog=listed) as pricing:
            expected = priced(pricing, columns)
            book = PriceBook(pricing)
        made.append((book, table(columns).append_column("row", pa.array(range(ROWS))), expected))
    return made


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, Kind]]:
    """Each engine in turn."""
    with ENGINES[request.param]() as kind:
        yield request.param, kind


def test_every_row_is_priced_as_a_single_call(engine: tuple[str, Kind], days: list[Day], figure: Figure) -> None:
    """Of every recorded list, 30 % of them dirty; and sums are those of the rows."""
    name, kind = engine
    wrong: list[Any] = []
    for book, frame, expected in days:
        found = kind.read(price_frame(kind.make(frame), book, at="at", reported="reported"))
        found = found.sort_by("row")
        assert found["row"].to_pylist() == list(range(ROWS))
        wrong += [pair for pair in zip(answers(found), expected, strict=True) if pair[0] != pair[1]]
    figure(f"rows on {name}", f"{len(wrong)} mismatches on {ROWS * len(days):,} rows")
    assert wrong == []


def test_sums_are_those_of_rows_and_of_the_bill(engine: tuple[str, Kind], days: list[Day]) -> None:
    """To the digit, whoever adds them up."""
    _, kind = engine
    book, frame, expected = days[-1]
    dated = frame.filter(pa.compute.is_valid(frame["at"])).drop_columns("row")
    there = [one for one, at in zip(expected, frame["at"].to_pylist(), strict=True) if at is not None]
    asked: dict[str, Any] = {"at": "at", "reported": "reported"}
    sums = kind.read(sum_frame(kind.make(dated), book, ["cost_status", "model"], **asked))
    bill = kind.read(focus(kind.make(dated), book, **asked))
    total = money.total([one.total for one in there if one.total is not None])
    assert money.total([one for one in sums["cost_total"].to_pylist() if one is not None]) == total
    assert money.total(bill["BilledCost"].to_pylist()) == total
    assert sum(sums["cost_rows"].to_pylist()) == len(there)


def test_rows_of_two_years_are_priced_by_the_lists_of_then(engine: tuple[str, Kind], figure: Figure) -> None:
    """The past goes along to wherever rows are priced."""
    name, kind = engine
    number = 2_000
    with Pricing(Settings(offline=True, backend="memory://", markup_rate=1)) as pricing:
        now = pricing.catalog().as_of
        columns = calls(pricing.catalog(), number, 8, datetime(2024, 9, 1, tzinfo=timezone.utc), now)
        columns["reported"] = [None] * number
        expected = priced(pricing, columns)
        book = PriceBook(pricing)
    frame = table(columns).append_column("row", pa.array(range(number)))
    found = kind.read(price_frame(kind.make(frame), book, at="at")).sort_by("row")
    wrong = [pair for pair in zip(answers(found), expected, strict=True) if pair[0] != pair[1]]
    lists = len({one.as_of for one in expected})
    figure(f"rows of two years on {name}", f"{len(wrong)} mismatches on {number:,} rows, by {lists} lists")
    assert wrong == []
