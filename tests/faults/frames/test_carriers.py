"""Carriers: frames of every engine, good and bad. What these rows do not reach of them is printed at the end."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coverage
import pyarrow as pa
import pytest
from support.bulk import answers, catalog, table
from support.engines import Kind
from support.pinned import LATER

from openrouter_pricing._bulk import carriers
from openrouter_pricing.metering.frames import PriceBook, focus, price_frame, sum_frame

pytestmark = [pytest.mark.frames, pytest.mark.enable_socket, pytest.mark.filterwarnings("ignore")]

CALLS = table({"model": ["a/plain", "a/router"], "prompt_tokens": [1, 2], "completion_tokens": [0, 0]})
CALL: dict[str, Any] = {"model": ["a/plain"], "prompt_tokens": [1], "completion_tokens": [1]}


@pytest.fixture(autouse=True)
def _measured() -> Iterator[None]:
    """Note what of the carriers runs; here alone, as it takes longer so."""
    measured = coverage.Coverage(config_file=Path(__file__).with_name("coveragerc"))
    measured.start()
    try:
        importlib.reload(carriers)
        yield
    finally:
        measured.stop()
        measured.save()


def test_the_same_kind_comes_out(engine: tuple[str, Kind]) -> None:
    """With the same answers as a table of Arrow: rows, sums and a bill."""
    name, kind = engine
    book, frame = PriceBook(catalog()), kind.make(CALLS)
    made = [price_frame(frame, book), sum_frame(frame, book, ["model"]), focus(frame, book, ["model"], at=LATER)]
    assert [type(one) for one in made] == [type(frame)] * 3 or name == "Ray"  # whose lazy ones are of another type
    rows, sums, bill = map(kind.read, made)
    assert answers(rows.sort_by("prompt_tokens")) == answers(price_frame(CALLS, book))
    plain = sum_frame(CALLS, book, ["model"]).sort_by("model")
    assert sums.sort_by("model")["cost_total"].to_pylist() == plain["cost_total"].to_pylist()
    assert bill["BilledCost"].to_pylist() == focus(CALLS, book, ["model"], at=LATER)["BilledCost"].to_pylist()


def test_frames_are_looked_at_before_they_run(engine: tuple[str, Kind]) -> None:
    """A column of another kind is refused when it is asked for, not hours later by a worker; but Ray says it then."""
    name, kind = engine
    frame, book = kind.make(pa.table({**CALL, "prompt_tokens": ["1"]})), PriceBook(catalog())
    look, error = (kind.read, Exception) if name == "Ray" else (len, TypeError)
    with pytest.raises(error, match="prompt_tokens must be a column of whole numbers, not of"):
        look(price_frame(frame, book))


def _pandas(**columns: Any) -> Any:
    pandas: Any = pytest.importorskip("pandas")
    return pandas.DataFrame({**CALL, **columns})


def _polars(**columns: Any) -> Any:
    polars: Any = pytest.importorskip("polars")
    return polars.DataFrame({**CALL, **columns}, schema_overrides={"prompt_tokens": polars.Int128})


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (lambda: _pandas(prompt_tokens=[object()]), "prompt_tokens cannot be read: .*did not recognize"),
        (lambda: _pandas(model=[5]), "model must be a column of texts, not of int64"),
        (lambda: _polars(prompt_tokens=[2**100]), "prompt_tokens cannot be read: "),
        (lambda: _polars(prompt_tokens=[2**100]).lazy(), "prompt_tokens cannot be read: "),
    ],
)
def test_a_column_that_cannot_be_read_is_named(frame: Callable[[], Any], problem: str) -> None:
    """Whatever an engine says of it."""
    with pytest.raises(TypeError, match=problem):
        price_frame(frame(), PriceBook(catalog()))


def test_columns_without_a_name_are_none_of_ours() -> None:
    """They stay where they are."""
    made: Any = price_frame(_pandas().assign(x=1).rename(columns={"x": 5}), catalog())
    assert list(made.columns)[3:5] == [5, "cost_raw"]
