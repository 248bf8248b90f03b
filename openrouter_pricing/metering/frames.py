"""Costs of many calls at once: frames of polars, pandas, pyarrow, DuckDB, Spark, Dask and Ray, exactly.

One kernel prices batches of Arrow; the engines only carry them. It needs the extra ``frames``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from .._bulk.book import PriceBook
from .._bulk.engines import engine_of, wrapped
from .._bulk.focus import Parts, bill
from .._bulk.listing import rates_of
from .._bulk.question import ask
from .._bulk.sums import Sums, read_by
from .._bulk.work import RowCosts

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = ["PriceBook", "focus", "price_frame", "rate_table", "sum_frame"]

_Frame = TypeVar("_Frame")


def price_frame(
    frame: _Frame,
    prices: object,
    *,
    columns: Mapping[str, str] | None = None,
    at: datetime | str | None = None,
    reported: str | None = None,
    prefix: str = "cost_",
) -> _Frame:
    """A frame with what each row costs: the same kind of frame, and still lazy if it was.

    It adds ``cost_raw`` and ``cost_total`` (USD, exact, ``Decimal(38, 24)``), ``cost_model`` (the id that was priced),
    ``cost_as_of`` (of when the prices are, UTC) and ``cost_status``: "priced", "reported", or why there is no amount:
    "unknown_model", "variable_price", "unpriced_usage", "bad_count" or "no_time". What is not priced is null, never 0.

    Args:
        frame: a frame of polars (eager or lazy), pandas, pyarrow (a table, a batch or a reader of batches), DuckDB (a
            relation), Spark, Dask or Ray.
        prices: a :class:`PriceBook`, or what one is made from: a Pricing, a Catalog or a history. Make the book
            yourself where you price more than one frame.
        columns: ``model`` or a field of ``Usage`` to the column that holds it, where their names differ.
        at: the time of all calls (aware), or the column that holds it.
        reported: the column of what responses reported, in USD: where it holds something, that is the raw cost.
        prefix: of the columns that are added.

    Raises:
        ValueError, TypeError: an argument cannot be read; a column is missing, holds something else than it should, or
            is there already; times have no time zone where prices depend on the time. Of a lazy frame when it is
            computed.
        PricingError: as for :class:`PriceBook`.
    """
    engine, native = engine_of(frame)
    question = ask(engine.names(native), columns, at, reported, prefix)
    made: _Frame = wrapped(engine.carry(native, RowCosts(_book(prices), question)), frame)
    return made


def sum_frame(
    frame: _Frame,
    prices: object,
    by: Sequence[str] = (),
    *,
    columns: Mapping[str, str] | None = None,
    at: datetime | str | None = None,
    reported: str | None = None,
    prefix: str = "cost_",
) -> _Frame:
    """What groups of rows cost, to the digit: the same kind of frame, computed at once.

    It has the columns of ``by``, ``cost_rows`` (how many), ``cost_unpriced`` (how many of them have no amount) and the
    sums ``cost_raw`` and ``cost_total`` of the others; null where there are none.

    Args:
        frame, prices, columns, at, reported, prefix: as for :func:`price_frame`.
        by: the columns that make the groups; those that :func:`price_frame` adds may be among them. None: one group.

    Raises:
        OverflowError: a sum has more than 38 digits.
        ValueError, TypeError, PricingError: as for :func:`price_frame`.
    """
    engine, native = engine_of(frame)
    names = engine.names(native)
    question = ask(names, columns, at, reported, prefix)
    work = Sums(_book(prices), question, read_by(by, [*names, *question.added]))
    parts = engine.table(engine.carry(native, work))
    made: _Frame = wrapped(engine.like(work.whole([parts], parts.schema), native), frame)
    return made


def focus(
    frame: _Frame,
    prices: object,
    by: Sequence[str] = (),
    *,
    columns: Mapping[str, str] | None = None,
    at: datetime | str | None = None,
    reported: str | None = None,
) -> _Frame:
    """A bill in the columns of FOCUS 1.2, a row for each UTC day, model and price key; of the frame's kind.

    ``BilledCost`` is what you charge (the total), ``ListCost`` what the calls cost you. Rows without an amount or a
    time are left out, and counted: ``x_RowsLeftOut`` says in each row how many of the whole frame; where there would be
    no row at all, one without an amount says so. Totals that are
    rounded have a row of their own, an adjustment, for what rounding makes of them.

    Args:
        frame, prices, columns, at, reported: as for :func:`price_frame`; ``at`` must be given.
        by: more columns of the frame that keep rows apart, as ``x_<column>``.

    Raises:
        OverflowError: a sum has more than 38 digits.
        ValueError, TypeError, PricingError: as for :func:`price_frame`.
    """
    if at is None:
        raise ValueError("at must be given: a bill is of days")
    engine, native = engine_of(frame)
    names = engine.names(native)
    book = _book(prices)
    work = Parts(book, ask(names, columns, at, reported, "cost_"), read_by(by, names))
    parts = engine.table(engine.carry(native, work))
    made: _Frame = wrapped(engine.like(bill([parts], work.by, book.scale), native), frame)
    return made


def rate_table(book: PriceBook) -> pa.Table:
    """Every price of a book, a row each: for people, and for joins that need no billing rule.

    The columns: ``model``; ``above_prompt_tokens`` and ``from_minute`` (of the UTC week, Monday first), from where on
    a conditional price holds, null without conditions; ``status``; ``key``, and USD a unit ``raw`` and ``total``. A
    model without prices has one row without a key.

    Raises:
        TypeError: ``book`` is no PriceBook.
    """
    if not isinstance(book, PriceBook):
        raise TypeError(f"book must be a PriceBook, not {type(book).__name__}")
    return rates_of(book)


def _book(prices: object) -> PriceBook:
    return prices if isinstance(prices, PriceBook) else PriceBook(prices)
