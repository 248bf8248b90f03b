"""A batch of rows in, what they cost out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from .._base import money
from .book import PriceBook
from .choice import Entry, choose
from .columns import read_amounts, read_counts, read_names, read_times
from .kernel import Amounts, Charged, charged
from .plans import COUNTS
from .question import Question
from .rounding import column, round_totals
from .table import BAD, DIGITS, LARGEST, NO_TIME, PRICED, REPORTED, STATUSES, TOO_FINE, Table
from .timeline import microseconds

#: Rows that are read at a time, and of those that are charged at a time.
ROWS = 262_144
_PIECE = 16_384
_MINUTE = 60_000_000  # microseconds
_WEEK = 7 * 24 * 60
_THURSDAY = 3 * 24 * 60  # the epoch's minute of the week


class Costs(NamedTuple):
    """What some rows cost.

    Args:
        table: where their lines are.
        lines: the line of each.
        counts: what each consumed.
        entries: what is known of the names.
        codes: which of them each row has.
        times: microseconds since the epoch; None where nothing says.
        undated: which rows have no time; None for none of them.
        status: of each; amounts and lines of those that are not priced mean nothing.
        raw, total: amounts.
    """

    table: Table
    lines: NDArray[np.int64]
    counts: dict[str, NDArray[np.int64]]
    entries: list[Entry]
    codes: NDArray[np.int64]
    times: NDArray[np.int64] | None
    undated: NDArray[np.bool_] | None
    status: NDArray[np.uint8]
    raw: Amounts
    total: Amounts

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which rows have an amount."""
        return self.status <= REPORTED


def costs(book: PriceBook, batch: pa.RecordBatch, question: Question) -> Iterator[tuple[pa.RecordBatch, Costs]]:
    """What the rows of a batch cost, some of them at a time.

    Raises:
        TypeError: a column holds something else than it should.
        ValueError: times without a time zone, where prices depend on the time.
    """
    for start in range(0, batch.num_rows, ROWS):
        part = batch.slice(start, ROWS)
        yield part, _costs(book, part, question)


def _costs(book: PriceBook, batch: pa.RecordBatch, question: Question) -> Costs:
    counts, bad = _counts(batch, question)
    names_at = question.columns["model"]
    codes, names = read_names(batch.column(names_at), names_at)
    times, undated, zoned = _times(batch, question)
    entries, codes = _entries(book, codes, names, times, undated, zoned)
    timed = np.array([entry.regimes.timed for entry in entries], np.bool_)[codes]
    minutes = None
    if timed.any() and times is not None:
        if not zoned and (timed if undated is None else timed & ~undated).any():
            raise _naive()
        minutes = (times // _MINUTE + _THURSDAY) % _WEEK
    lines = choose(entries, codes, counts["prompt_tokens"], minutes)
    table = book.table((*counts, "requests"))
    status, raw, total = _charged(table, lines, counts)
    if book.places is not None:
        rates = [entry.rate for entry in entries]
        total = round_totals(raw, rates, codes, book.scale, book.places, status)
    absent = np.ones(batch.num_rows, np.bool_) if times is None else undated
    if absent is not None:
        lost = absent & (timed if book.dated else table.status[lines] == PRICED)
        status[lost & (status != BAD)] = NO_TIME
    if bad is not None:
        status[bad] = BAD
    made = Costs(table, lines, counts, entries, codes, times, undated, status, raw, total)
    if question.reported is not None:
        made = _settled(book, batch, question.reported, made)
    if (fine := made.status == TOO_FINE).any():
        model_id = table.lines[int(lines[fine][0])].model_id
        raise ValueError(
            f"a total of {model_id} takes more than {book.scale} decimal places: make a PriceBook with a larger scale, "
            "or with a markup that has places"
        )
    return made


def check_kinds(schema: pa.Schema, question: Question) -> None:
    """See whether columns are such as are looked for, before there is any row.

    Raises:
        TypeError: a column holds something else than it should.
    """

    def empty(name: str) -> pa.Array:
        return pa.array([], schema.field(name).type)

    for name, column_ in question.columns.items():
        (read_names if name == "model" else read_counts)(empty(column_), column_)
    if isinstance(question.at, str):
        read_times(empty(question.at), question.at)
    if question.reported is not None:
        read_amounts(empty(question.reported), question.reported, 0)


def _charged(table: Table, lines: NDArray[np.int64], counts: dict[str, NDArray[np.int64]]) -> Charged:
    """What each row costs, worked out for so many rows at a time that what that takes stays in a processor's cache."""
    rows = len(lines)
    made = Charged(np.empty(rows, np.uint8), np.empty((rows, 2), np.uint64), np.empty((rows, 2), np.uint64))
    for start in range(0, rows, _PIECE):
        piece = slice(start, start + _PIECE)
        few = charged(table, lines[piece], {name: count[piece] for name, count in counts.items()})
        made.status[piece], made.raw[piece], made.total[piece] = few
    return made


def _counts(batch: pa.RecordBatch, question: Question) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.bool_] | None]:
    """The counts that are not 0 throughout, and which rows have a bad one."""
    counts: dict[str, NDArray[np.int64]] = {}
    wrong: list[NDArray[np.bool_]] = []
    for name in COUNTS:
        if (from_ := question.columns.get(name)) is None:
            continue
        values, missing, bad = read_counts(batch.column(from_), from_)
        needed = name in ("prompt_tokens", "completion_tokens")
        wrong += [mask for mask in (bad, missing if needed else None) if mask is not None]
        if needed or name == "requests" or values.any():
            counts[name] = values
    return counts, np.logical_or.reduce(wrong) if wrong else None


def _times(
    batch: pa.RecordBatch, question: Question
) -> tuple[NDArray[np.int64] | None, NDArray[np.bool_] | None, bool]:
    """The time of each row, where there is none, and whether they have a time zone; None where nothing says."""
    if question.at is None:
        return None, None, True
    if isinstance(question.at, str):
        return read_times(batch.column(question.at), question.at)
    return np.full(batch.num_rows, microseconds(question.at), np.int64), None, True


def _entries(
    book: PriceBook,
    codes: NDArray[np.int64],
    names: list[str | None],
    times: NDArray[np.int64] | None,
    undated: NDArray[np.bool_] | None,
    zoned: bool,
) -> tuple[list[Entry], NDArray[np.int64]]:
    """What is known of each name at each list that prices some row, and which of them each row has."""
    timeline = book.timeline
    if timeline is None or times is None:
        return book.entries([(0, name) for name in names]), codes
    if not zoned and (undated is None or not undated.all()):
        raise _naive()
    places = timeline.places(times)
    if undated is not None:
        places[undated] = 0
    if not places.any():
        return book.entries([(0, name) for name in names]), codes
    both, found = np.unique(places * len(names) + codes, return_inverse=True)
    asked = [(place, names[code]) for place, code in (divmod(one, len(names)) for one in both.tolist())]
    return book.entries(asked), found.astype(np.int64)


def _naive() -> ValueError:
    return ValueError("at must be a column of times with a time zone: prices depend on the time")


def _settled(book: PriceBook, batch: pa.RecordBatch, name: str, made: Costs) -> Costs:
    """The same, where responses reported what they cost: that is what they cost."""
    amounts, bad = read_amounts(batch.column(name), name, book.scale)
    rates = [entry.rate for entry in made.entries]
    raw, total = made.raw.copy(), made.total.copy()
    made.status[bad] = BAD
    for place, (amount, code) in enumerate(zip(amounts, made.codes.tolist(), strict=True)):
        if amount is None:
            continue
        charged_ = money.multiply(rates[code], amount)
        if book.places is not None:
            charged_ = money.multiply(
                money.round_half_up(money.multiply(charged_, book.unit), book.places), 10**book.scale
            )
        if charged_ != int(charged_) or max(amount, charged_) > LARGEST:
            made.status[place] = BAD
            continue
        made.status[place] = REPORTED
        for column_, number in ((raw, amount), (total, int(charged_))):
            column_[place] = number & (2**64 - 1), number >> 64
    return made._replace(raw=raw, total=total)


def added(book: PriceBook, made: Costs) -> list[pa.Array]:
    """The columns that are added to a frame."""
    valid = made.valid
    codes = pa.array(made.codes, mask=None if valid.all() else ~valid)
    models = pa.array([entry.model_id for entry in made.entries], pa.string())
    days = pa.array([entry.as_of for entry in made.entries], pa.timestamp("us", "UTC"))
    return [
        column(made.raw, book.scale, valid),
        column(made.total, book.scale, valid),
        models.take(codes),
        days.take(codes),
        pa.array(STATUSES).take(pa.array(made.status)),
    ]


def fields(book: PriceBook, question: Question) -> list[pa.Field]:
    """Their names and types."""
    usd = pa.decimal128(DIGITS, book.scale)
    kinds = (usd, usd, pa.string(), pa.timestamp("us", "UTC"), pa.string())
    return [pa.field(name, kind) for name, kind in zip(question.added, kinds, strict=True)]
