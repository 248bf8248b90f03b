"""What an HTTP answer means: status, headers and bytes in, a catalogue or an error out. No I/O."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from itertools import chain, count
from typing import Any

import attrs

from ..errors import PayloadError, StatusError
from .catalog import Catalog

_MAX_VALUES = 1_000_000  # 400 models have 34,000; ten million tiny ones fit into 32 MiB and fill gigabytes
_MOST_PROBLEMS = 20  # that are told one by one
_MEASURED = ("latency_", "throughput_", "uptime_", "perf_", "status")
_OPENING = re.compile(rb'\s*\{\s*"data"\s*:\s*\[')
_SPACE = re.compile(r"[ \t\n\r]*")
#: Where a string begins it always ends, at the latest with the text: nothing is ever tried twice.
_TOKENS = re.compile(rb'"[^"\\]*(?:\\(?:.|\Z)[^"\\]*)*(?:"|\Z)|[\[\]{},:]', re.DOTALL)


@attrs.frozen
class Fetched:
    """One answer of a source, as it came.

    Args:
        status: HTTP status; 200, or 304 when the ETag still holds.
        headers: response headers; names in any case.
        body: decoded bytes of the response, empty for 304.
        pages: bodies of the further pages, where ``links.next`` led to any.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""
    pages: tuple[bytes, ...] = ()

    def header(self, name: str) -> str | None:
        """A header's value, its name in any case; None where it is missing."""
        for key, value in self.headers.items():
            if key.lower() == name.lower():
                return value
        return None


def check_status(fetched: Fetched, now: datetime) -> None:
    """Raise for every status but 200 and 304.

    Args:
        fetched: the answer.
        now: the wall clock (aware), which a ``Retry-After`` date is measured against.

    Raises:
        StatusError: with ``retry_after`` where the answer names one.
    """
    if fetched.status not in (200, 304):
        raise StatusError(fetched.status, retry_after(fetched.header("Retry-After"), now))


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds of a ``Retry-After`` header (RFC 9110, section 10.2.3); None where it makes no sense.

    A date in the past and a number of zero both mean "at once"; negative, fractional or foreign values mean nothing.
    """
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    from email.utils import parsedate_to_datetime  # slow to import, and dates are rare

    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def read_catalog(fetched: Fetched, as_of: datetime, last: Catalog | None = None) -> tuple[Catalog, list[str]]:
    """The catalogue of a 200 answer, and what was wrong with the first of the rows that had to be left out.

    Args:
        fetched: the answer, with all of its pages.
        as_of: when it was fetched (aware).
        last: the list before it, whose row stays where two rows of one id disagree.

    Raises:
        PayloadError: it is no catalogue (``200 OK`` with an error object, HTML, nothing in it, cut off …).
    """
    rows = chain.from_iterable(map(_rows, (fetched.body, *fetched.pages)))
    return _catalog(rows, as_of, "model", last)


def read_endpoints(fetched: Fetched, as_of: datetime, last: Catalog | None = None) -> tuple[Catalog, list[str]]:
    """The endpoints of one model as rows under their tags, and what was wrong with those that had to be left out.

    Performance figures, which change with every look, are left out of the rows. Tags that stand twice are numbered, as
    nobody can tell which of them is meant.

    Args:
        fetched: the answer, with all of its pages.
        as_of: when it was fetched (aware).
        last: not needed, as no tag stands twice.

    Raises:
        PayloadError: it is no list of endpoints, or an empty one.
    """
    rows: list[Any] = []
    for body in (fetched.body, *fetched.pages):
        data = _checked(body).get("data")
        entries = data.get("endpoints") if isinstance(data, dict) else None
        if not isinstance(entries, list) or not entries:
            raise PayloadError("upstream answered 200 without a list of endpoints in 'data.endpoints'")
        outputs = _outputs(data)
        rows += [_endpoint_row(entry, outputs) for entry in entries]
    times = Counter(row["id"] for row in rows if row is not None)
    numbers = {tag: count(1) for tag, number in times.items() if number > 1}
    for row in rows:
        if row is not None and row["id"] in numbers:
            row["id"] += f"#{next(numbers[row['id']])}"
    return _catalog(rows, as_of, "endpoint", None)


def _endpoint_row(entry: Any, outputs: list[str]) -> dict[str, Any] | None:
    if not isinstance(entry, dict):
        return None
    tag = entry.get("tag") or entry.get("provider_name")
    name = re.sub(r"\s+", "-", tag.lower()) if isinstance(tag, str) else "unnamed"
    kept = {key: value for key, value in entry.items() if not key.startswith(_MEASURED)}
    return {"architecture": {"output_modalities": outputs}, **kept, "id": name}


def _outputs(data: Any) -> list[str]:
    """What the model gives out, short enough to stand in each row: it says whether a completion price of 0 is one."""
    architecture = data.get("architecture")
    outputs = architecture.get("output_modalities") if isinstance(architecture, dict) else None
    return [kind[:20] for kind in outputs[:9] if isinstance(kind, str)] if isinstance(outputs, list) else []


def _catalog(rows: Iterable[Any], as_of: datetime, what: str, last: Catalog | None) -> tuple[Catalog, list[str]]:
    problems: list[str] = []

    def note(problem: str) -> None:
        if len(problems) < _MOST_PROBLEMS:
            problems.append(problem)

    catalog = Catalog.from_rows(rows, as_of=as_of, problem=note, last=last)
    if not len(catalog):
        raise PayloadError(f"upstream listed no readable {what} ({catalog.skipped} unreadable rows)")
    return catalog, problems


def next_page(body: bytes) -> str | None:
    """Where ``links.next`` of a page leads, or None; a page that cannot be read leads nowhere."""
    if b'"next"' not in body:  # as nearly always, and the whole body is about to be decoded anyhow
        return None
    try:
        links = _document(body).get("links")
    except PayloadError:
        return None
    link = links.get("next") if isinstance(links, dict) else None
    return link if isinstance(link, str) and link else None


def _checked(body: bytes) -> dict[str, Any]:
    document = _document(body)
    if "data" not in document and "error" in document:
        error = document["error"]
        message = error.get("message") if isinstance(error, dict) else error
        words = str(message) if len(str(message)) <= 200 else str(message)[:200].rpartition(" ")[0]  # whole words
        raise PayloadError(f"upstream answered 200 with an error: {words!r}")
    return document


def _rows(body: bytes) -> Iterator[Any]:
    """The rows of a page, decoded one by one: to decode all at once would stop every other thread meanwhile."""
    done = 0
    if _OPENING.match(body) and _values(body) <= _MAX_VALUES:
        try:
            text = body.decode()
            end, closing = text.index("[") + 1, ","
            while closing == ",":
                row, end = _decode(text, _skip(text, end))
                end = _skip(text, end)
                closing, end = text[end : end + 1], end + 1
                if closing == "]" and "data" in json.loads("{" + text[end:].lstrip().removeprefix(",")):
                    raise PayloadError("upstream answered 200 with two lists of models")
                done += 1
                yield row
            if closing == "]":
                return
        except (RecursionError, ValueError):
            pass  # the longer way says what is wrong, or does without this row
    rows = _checked(body).get("data")
    if not isinstance(rows, list) or not rows:
        raise PayloadError("upstream answered 200 without a list of models in 'data'")
    yield from rows[done:]


def _skip(text: str, start: int) -> int:
    return _SPACE.match(text, start).end()  # type: ignore[union-attr]  # it matches nothing at all too


def _values(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[") + body.count(b",")


def _document(body: bytes) -> dict[str, Any]:
    """The top-level object of a body: JSON is UTF-8 (RFC 8259, section 8.1), and numbers keep their digits."""
    if _values(body) > _MAX_VALUES:
        raise PayloadError(f"upstream answered 200 with more than {_MAX_VALUES} values")
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_float=_decimal)
    except json.JSONDecodeError as error:
        raise PayloadError(f"upstream answered 200 with {len(body)} bytes that are not JSON") from error
    except UnicodeDecodeError as error:
        raise PayloadError("upstream answered 200 with something that is not UTF-8") from error
    except (RecursionError, ValueError):
        document = _row_by_row(body)  # one hostile row (deep nesting, an endless integer) must not cost the rest
    if not isinstance(document, dict):
        raise PayloadError(f"upstream answered 200 with a {type(document).__name__} instead of an object")
    return document


def _row_by_row(body: bytes) -> dict[str, Any]:
    """The document with each row of ``data`` decoded by itself; those that cannot be become None."""
    document: dict[str, Any] = {}
    rows: list[Any] = []
    depth, start = 0, 0
    key = last = b""
    for token in _TOKENS.finditer(body):
        text = token.group()
        listed = key == b'"data"'
        if text in (b"{", b"["):
            if depth == 1 + listed:
                start = token.start()
            depth += 1
        elif text in (b"}", b"]"):
            depth -= 1
            if depth < 0:
                raise PayloadError("upstream answered 200 with JSON whose brackets do not match")
            if depth == 1 + listed:
                value = _row(body[start : token.end()])
                if listed:
                    rows.append(value)
                else:
                    document[key.strip(b'"').decode(errors="replace")] = value
        elif text == b":" and depth == 1:
            key = last
        last = text
    if depth:
        raise PayloadError("upstream answered 200 with JSON that is cut off")
    return {**document, "data": rows}


def _row(text: bytes) -> Any:
    try:
        return json.loads(text, parse_float=_decimal)
    except (RecursionError, ValueError):
        return None


def _decimal(digits: str) -> Decimal | float:
    """A number with all of its digits; NaN, which costs its row, where not even a Decimal holds its exponent."""
    try:
        number = Decimal(digits)
    except ArithmeticError:
        return math.nan
    return number if number.is_finite() else math.nan  # a caller's context may not trap what it cannot hold


_decode = json.JSONDecoder(parse_float=_decimal).raw_decode
