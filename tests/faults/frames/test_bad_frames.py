"""Frames that hold what they should not: each engine's own words are put into ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from support.bulk import catalog
from support.engines import ENGINES

from openrouter_pricing.metering.frames import PriceBook, price_frame

pytestmark = [pytest.mark.frames, pytest.mark.filterwarnings("ignore")]

CALL: dict[str, Any] = {"model": ["a/plain"], "prompt_tokens": [1], "completion_tokens": [1]}


def _pandas(**columns: Any) -> Any:
    pandas: Any = pytest.importorskip("pandas")
    return pandas.DataFrame({**CALL, **columns})


def _polars(**columns: Any) -> Any:
    polars: Any = pytest.importorskip("polars")
    kinds = {"prompt_tokens": polars.Int128} if columns else {}
    return polars.DataFrame({**CALL, **columns}, schema_overrides=kinds)


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


@pytest.mark.parametrize("engine", ["polars, lazy", "Dask", "DuckDB", "Spark local[2]"])
@pytest.mark.enable_socket
def test_lazy_frames_are_looked_at_before_they_run(engine: str) -> None:
    """A column of another kind is refused when it is asked for, not hours later by some worker."""
    with ENGINES[engine]() as kind:
        frame = kind.make(pa.table({**CALL, "prompt_tokens": ["1"]}))
        with pytest.raises(TypeError, match="prompt_tokens must be a column of whole numbers, not of"):
            price_frame(frame, PriceBook(catalog()))
