"""Row by row against single calls, on every engine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support.bulk import table
from support.calls import calls, priced
from support.engines import Kind
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
Day = tuple[PriceBook, pa.Table, pa.Table]
_USD = pa.decimal128(38, 24)
_COSTS = pa.schema(
    [
        ("cost_raw", _USD),
        ("cost_total", _USD),
        ("cost_model", pa.string()),
        ("cost_as_of", pa.timestamp("us", "UTC")),
        ("cost_status", pa.string()),
    ]
)


def _day(pricing: Pricing, columns: dict[str, list[Any]]) -> Day:
    """A book, calls with their numbers, and what each of them costs when it is asked for alone."""
    expected = list(zip(*priced(pricing, columns), strict=True))
    arrays = [pa.array(column, field.type) for column, field in zip(expected, _COSTS, strict=True)]
    calls_ = table(columns)
    return PriceBook(pricing), calls_.append_column("row", pa.array(range(len(calls_)))), pa.table(arrays, _COSTS)


def _wrong(found: pa.Table, expected: pa.Table) -> list[Any]:
    """Rows that say something else."""
    assert found["row"].to_pylist() == list(range(len(expected)))
    costs = found.select(_COSTS.names).cast(_COSTS)
    if costs.equals(expected):
        return []
    pairs = zip(costs.to_pylist(), expected.to_pylist(), strict=True)
    return [pair for pair in pairs if pair[0] != pair[1]]


@pytest.fixture(scope="session")
def days() -> list[Day]:
    """For each recorded list a book, calls of its week with their numbers, and what each of them costs."""
    made = []
    for number, name in enumerate(recorded_names()):
        day = datetime.fromisoformat(name[7:17]).replace(tzinfo=timezone.utc)
        listed = Catalog.from_rows(recorded(name)["data"], as_of=day, problem=lambda _: None)
        columns = calls(listed, ROWS, number, day, day + WEEK)
        with Pricing(Settings(markup_rate="1.3"), catalog=listed) as pricing:
            made.append(_day(pricing, columns))
    return made


@pytest.fixture(scope="session")
def two_years() -> Day:
    """The same of calls of two years."""
    with Pricing(Settings(offline=True, backend="memory://", markup_rate=1)) as pricing:
        now = pricing.catalog().as_of
        columns = calls(pricing.catalog(), 1_000, 8, datetime(2024, 9, 1, tzinfo=timezone.utc), now)
        columns["reported"] = [None] * 1_000
        return _day(pricing, columns)


def test_every_row_is_priced_as_a_single_call(engine: tuple[str, Kind], days: list[Day], figure: Figure) -> None:
    """Of every recorded list, 30 % of them dirty; and sums are those of the rows."""
    name, kind = engine
    wrong: list[Any] = []
    for book, frame, expected in days:
        found = kind.read(price_frame(kind.make(frame), book, at="at", reported="reported"))
        wrong += _wrong(found.sort_by("row"), expected)
    figure(f"rows on {name}", f"{len(wrong)} mismatches on {ROWS * len(days):,} rows")
    assert wrong == []


def test_sums_are_those_of_rows_and_of_the_bill(engine: tuple[str, Kind], days: list[Day]) -> None:
    """To the digit, whoever adds them up."""
    _, kind = engine
    book, frame, expected = days[-1]
    is_dated = pc.is_valid(frame["at"])
    dated, there = frame.filter(is_dated).drop_columns("row"), expected.filter(is_dated)
    asked: dict[str, Any] = {"at": "at", "reported": "reported"}
    sums = kind.read(sum_frame(kind.make(dated), book, ["cost_status", "model"], **asked))
    bill = kind.read(focus(kind.make(dated), book, **asked))
    total = money.total(there["cost_total"].drop_null().to_pylist())
    assert money.total(sums["cost_total"].drop_null().to_pylist()) == total
    assert money.total(bill["BilledCost"].to_pylist()) == total
    assert sum(sums["cost_rows"].to_pylist()) == len(there)


def test_rows_of_two_years_are_priced_by_the_lists_of_then(
    engine: tuple[str, Kind], two_years: Day, figure: Figure
) -> None:
    """The past goes along to wherever rows are priced."""
    name, kind = engine
    book, frame, expected = two_years
    wrong = _wrong(kind.read(price_frame(kind.make(frame), book, at="at")).sort_by("row"), expected)
    lists = len(expected["cost_as_of"].unique())
    figure(f"rows of two years on {name}", f"{len(wrong)} mismatches on {len(expected):,} rows, by {lists} lists")
    assert wrong == []
