"""What engines make of the same arithmetic by themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support.engines import Kind
from support.figures import Figure

from openrouter_pricing._base import money

pytestmark = [pytest.mark.frames, pytest.mark.enable_socket, pytest.mark.filterwarnings("ignore")]

ROWS = 10_000
PRICE = Decimal("0.00000015")
USD = pa.decimal128(38, 24)


def _frame() -> pa.Table:
    tokens = range(1, ROWS + 1)
    return pa.table({"tokens": pa.array(tokens, pa.int64()), "price": pa.array([PRICE] * ROWS, USD)})


def _wrong(amounts: list[Any]) -> int:
    exact = (money.multiply(PRICE, tokens) for tokens in range(1, ROWS + 1))
    return sum(amount is None or Decimal(str(amount)) != one for amount, one in zip(amounts, exact, strict=True))


def test_floats_are_wrong(figure: Figure) -> None:
    """A price is no binary fraction."""
    pl: Any = pytest.importorskip("polars")
    made = pl.from_arrow(_frame()).select(pl.col("price").cast(pl.Float64) * pl.col("tokens"))
    wrong = _wrong(made["price"].to_list())
    figure("floats in polars, price × tokens", f"{wrong:,} of {ROWS:,} rows wrong")
    assert wrong


@pytest.mark.parametrize("engine", ["Spark local[2]"], indirect=True)
def test_decimals_of_spark_are_wrong(engine: tuple[str, Kind], figure: Figure) -> None:
    """It keeps six places of a product that could have more digits than a column."""
    _, kind = engine
    functions: Any = pytest.importorskip("pyspark.sql.functions")
    frame = kind.make(_frame()).orderBy("tokens")
    wrong = _wrong(
        kind.read(frame.select((functions.col("price") * functions.col("tokens")).alias("usd")))["usd"].to_pylist()
    )
    figure("decimals in Spark, price × tokens", f"{wrong:,} of {ROWS:,} rows wrong")
    made = nw.to_native(nw.from_native(frame).select(usd=nw.col("price") * nw.col("tokens")))
    wrong_too = _wrong(kind.read(made)["usd"].to_pylist())
    figure("decimals in Spark through narwhals, price × tokens", f"{wrong_too:,} of {ROWS:,} rows wrong")
    assert wrong
    assert wrong_too


def test_decimals_of_arrow_stop(figure: Figure) -> None:
    """It says that a product could have too many digits: that is no cost, but no wrong one."""
    frame = _frame()
    with pytest.raises(pa.ArrowInvalid) as refused:
        pc.multiply(frame["price"], frame["tokens"].cast(pa.decimal128(19, 0)))
    figure("decimals in pyarrow, price × tokens", f"no row: {refused.value}")


def test_decimals_of_duckdb_hold_for_one_price(figure: Figure) -> None:
    """They are exact as long as all digits fit; the billing rules are still to be written then."""
    duckdb: Any = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        made = connection.from_arrow(_frame()).select("price * tokens AS usd").to_arrow_table()
    wrong = _wrong(made["usd"].to_pylist())
    figure("decimals in DuckDB, price × tokens", f"{wrong:,} of {ROWS:,} rows wrong")
    assert not wrong
