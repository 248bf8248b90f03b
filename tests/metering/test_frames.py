"""Frames: what many calls cost at once."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support.bulk import answers, catalog, table
from support.calls import calls, priced
from support.pinned import LATER

from openrouter_pricing import Pricing, Settings
from openrouter_pricing._base import money
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.metering import frames
from openrouter_pricing.metering.frames import PriceBook, focus, price_frame, rate_table, sum_frame

WEEK = timedelta(days=7)
CALL = {"model": ["a/plain"], "prompt_tokens": [1000], "completion_tokens": [500]}


def test_rows_cost_what_single_calls_cost() -> None:
    """Of models of every kind, clean calls and dirty ones."""
    columns = calls(catalog(), 20_000, 3, LATER, LATER + WEEK)
    with Pricing(Settings(markup_rate="1.3"), catalog=catalog()) as pricing:
        expected = priced(pricing, columns)
        found = answers(price_frame(table(columns), pricing, at="at", reported="reported"))
    assert [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]] == []
    assert set(Counter(one.status for one in found)) == {
        *("priced", "reported", "unknown_model", "variable_price", "unpriced_usage", "bad_count", "no_time")
    }


def test_rows_are_priced_by_the_list_of_their_day() -> None:
    """As single calls are, through two years of lists and beyond both ends."""
    with Pricing(Settings(offline=True, backend="memory://")) as pricing:
        now = pricing.catalog().as_of
        columns = calls(pricing.catalog(), 1_500, 5, datetime(2024, 8, 1, tzinfo=timezone.utc), now + WEEK)
        for name in ("cache_write_tokens", "cache_write_1h_tokens"):
            columns[name] = [0] * 1_500  # a price of 24 decimal places has no room for a markup
        columns["reported"] = [None] * 1_500
        expected = priced(pricing, columns)
        found = answers(price_frame(table(columns), PriceBook(pricing), at="at"))
    assert [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]] == []
    assert len({one.as_of for one in found}) > 150


def test_a_history_prices_rows_that_say_when() -> None:
    """Rows without a time have no price of then, and a history no now."""
    at = datetime(2025, 3, 1, tzinfo=timezone.utc)
    calls_ = {"model": ["openai/gpt-4o-mini"] * 3, "prompt_tokens": [1, None, 2], "completion_tokens": [1] * 3}
    frame = table({**calls_, "at": [at, at, None]})
    book = PriceBook(BundledHistory())
    first, second, third = answers(price_frame(frame, book, at="at"))
    with Pricing(Settings(offline=True, backend="memory://", markup_rate=1)) as pricing:
        cost = pricing.cost("openai/gpt-4o-mini", 1, 1, at=at)
    assert (first.total, first.as_of, first.status) == (cost.total, cost.as_of, "priced")
    assert (second.status, third.status) == ("bad_count", "no_time")
    beside = table({**calls_, "model": ["openai/gpt-4o-mini", "acme/none", None], "at": [at] * 3})
    assert [one.total for one in answers(price_frame(beside, book, at="at"))] == [cost.total, None, None]
    assert [one.status for one in answers(price_frame(frame.drop_columns("at"), book))] == [
        "no_time",
        "bad_count",
        "no_time",
    ]


def test_columns_may_have_other_names() -> None:
    """They are named in ``columns``, and what is added has the prefix that is asked for."""
    frame = pa.table({"llm": ["a/plain"], "in": [1000], "out": [500], "completion_tokens": [9]})
    columns = {"model": "llm", "prompt_tokens": "in", "completion_tokens": "out"}
    found = price_frame(frame, catalog(), columns=columns, prefix="usd_")
    added = [f"usd_{name}" for name in ("raw", "total", "model", "as_of", "status")]
    assert found.column_names == ["llm", "in", "out", "completion_tokens", *added]
    assert answers(found, "usd_")[0].raw == Decimal("0.002")
    assert found.schema.field("usd_raw").type == pa.decimal128(38, 24)


def test_sums_are_those_of_the_rows() -> None:
    """By whatever groups, to the digit; and a bill in the columns of FOCUS adds up to the same."""
    columns = calls(catalog(), 5_000, 4, LATER, LATER + WEEK)
    frame = table(columns).append_column("team", pa.array(["a", "b", None, "a"] * 1_250).dictionary_encode())
    book = PriceBook(catalog(), markup_rate="1.3")
    rows = price_frame(frame, book, at="at", reported="reported")
    for by in ([], ["team"], ["team", "cost_model"], ["cost_status"]):
        expected: dict[tuple[Any, ...], list[Any]] = {}
        keys = zip(*(rows[name].to_pylist() for name in by), strict=True) if by else [()] * 5_000
        for key, one in zip(keys, answers(rows), strict=True):
            group = expected.setdefault(key, [0, 0, None, None])
            group[0] += 1
            group[1] += one.raw is None
            if one.raw is not None and one.total is not None:
                group[2:] = money.add(group[2] or 0, one.raw), money.add(group[3] or 0, one.total)
        sums = sum_frame(frame, book, by, at="at", reported="reported")
        found = {
            tuple(row[: len(by)]): list(row[len(by) :])
            for row in zip(*(column.to_pylist() for column in sums.columns), strict=True)
        }
        assert found == expected
    dated = frame.filter(pa.compute.is_valid(frame["at"]))
    bill = focus(dated, book, ["team"], at="at", reported="reported")
    (whole,) = sum_frame(dated, book, at="at", reported="reported").to_pylist()
    assert money.total(bill["BilledCost"].to_pylist()) == whole["cost_total"]
    assert money.total(bill["ListCost"].to_pylist()) == whole["cost_raw"]
    assert set(bill["x_RowsLeftOut"].to_pylist()) == {whole["cost_unpriced"]}


def test_a_bill_is_of_days() -> None:
    """Without a time there is none."""
    with pytest.raises(ValueError, match="at must be given"):
        focus(table(CALL), catalog())


def test_all_prices_can_be_looked_at() -> None:
    """A row each, with the conditions and the markup."""
    found = rate_table(PriceBook(catalog(), markup_rate=2)).to_pylist()
    steps = [row for row in found if row["model"] == "a/steps" and row["key"] == "prompt"]
    assert [(row["above_prompt_tokens"], row["raw"], row["total"]) for row in steps] == [
        (None, Decimal("0.000001"), Decimal("0.000002")),
        (1000, Decimal("0.000003"), Decimal("0.000006")),
    ]
    with pytest.raises(TypeError, match="book must be a PriceBook, not Catalog"):
        rate_table(catalog())  # type: ignore[arg-type]


def test_prices_must_be_prices() -> None:
    """Anything else is refused by name."""
    with pytest.raises(TypeError, match="prices must be a Pricing, a Catalog, a history or a PriceBook, not dict"):
        price_frame(table(CALL), {})


def test_every_public_name_is_said() -> None:
    """And takes what the contract says."""
    assert sorted(frames.__all__) == ["PriceBook", "focus", "price_frame", "rate_table", "sum_frame"]
    assert list(inspect.signature(price_frame).parameters) == [
        *("frame", "prices", "columns", "at", "reported", "prefix")
    ]


def test_importing_the_sdk_imports_no_engine(tmp_path: Path) -> None:
    """Nor does asking for a cost; and pricing a table of Arrow imports no other engine."""
    heavy = "{'pyarrow', 'numpy', 'narwhals', 'polars', 'pandas', 'duckdb', 'dask', 'pyspark', 'ray'}"
    script = (
        "import sys, openrouter_pricing, openrouter_pricing.metering.audit\n"
        "from openrouter_pricing import Catalog, Pricing\n"
        "catalog = Catalog.from_models([{'id': 'a/b', 'pricing': {'prompt': '1', 'completion': '1'}}])\n"
        "Pricing(catalog=catalog).cost('a/b', 1, 1)\n"
        f"assert not {heavy} & set(sys.modules), sys.modules\n"
        "import pyarrow\n"
        "from openrouter_pricing.metering.frames import price_frame\n"
        "assert 'pandas' not in sys.modules\n"
        "price_frame(pyarrow.table({'model': ['a/b'], 'prompt_tokens': [1], 'completion_tokens': [1]}), catalog)\n"
        "print(*({'polars', 'duckdb', 'dask', 'pyspark', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.stdout, done.returncode) == ("\n", 0), done.stderr


def test_one_time_may_hold_for_all_rows() -> None:
    """Of the past, twice over, and of now."""
    then = datetime(2025, 3, 1, tzinfo=timezone.utc)
    frame = table({"model": ["openai/gpt-4o-mini"], "prompt_tokens": [1], "completion_tokens": [1]})
    with Pricing(Settings(offline=True, backend="memory://")) as pricing:
        book = PriceBook(pricing)
        now = pricing.catalog().as_of
        for at in (then, then, now):
            (found,) = answers(price_frame(frame, book, at=at))
            assert found.as_of == pricing.cost("openai/gpt-4o-mini", 1, 1, at=at).as_of


def test_a_list_of_one_plain_model_will_do() -> None:
    """There are no prices of requests then."""
    listed = catalog({"id": "a/plain", "pricing": {"prompt": "0.000001", "completion": "0.000002"}})
    assert answers(price_frame(table(CALL), listed))[0].raw == Decimal("0.002")
