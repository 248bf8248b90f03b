"""The audit of logged responses: what it counts, what it refuses, and that nothing in a log can upset it."""

from __future__ import annotations

import io
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.logs import CATALOG, EXACT, GONE, OFF, REFUND, SILENT, audited, encoded
from support.recordings import DAY, FIRST, MemoryHistory, listed
from support.upstream import row

from openrouter_pricing import Catalog
from openrouter_pricing.metering import audit as audits
from openrouter_pricing.metering.audit import Audit, Lines


def counts(audit: Audit) -> dict[str, int]:
    """How many lines there were, by result."""
    report = audit.report()
    return {name: report[name] for name in ("lines", "exact", "residual", "unreported", "unknown", "bad")}


# -- what is counted -------------------------------------------------------------------------------------------------


def test_every_line_has_one_result() -> None:
    """Each line is exact, residual, unreported, unknown or bad, and the sums are those of their lines."""
    audit = audited(encoded(EXACT, OFF, REFUND, SILENT, GONE, [1]))
    report = audit.report()

    assert {"lines": 6, "exact": 1, "residual": 2, "unreported": 1, "unknown": 1, "bad": 1} == counts(audit)
    assert 4 == report["priced"]
    assert {
        "reported": "19.25",
        "computed": "26",
        "residual": "-0.25",
        "residual_sizes": "0.75",
        "unreported": "7",
        "unknown": "0.5",
    } == report["usd"]


@pytest.mark.parametrize(("more", "result"), [("1e-12", "exact"), ("1.1e-12", "residual"), ("-1.1e-12", "residual")])
def test_what_counts_as_exact(more: str, result: str) -> None:
    """A difference of 1e-12 USD is still exact, one beyond it is not, and neither is lost in the sums."""
    cost = str(Decimal(3) + Decimal(more))
    audit = audited(encoded({"model": "a/plain", "usage": {"prompt_tokens": 3, "cost": cost}}))

    assert 1 == counts(audit)[result]
    assert Decimal(more) == Decimal(audit.report()["usd"]["residual"])


def test_blank_lines_are_none_and_are_counted_past() -> None:
    """Blank lines are no lines, but those after them keep the numbers that an editor shows."""
    audit = audited(b"\n" + encoded(GONE) + b" \t\r\n\r\n" + encoded(OFF)[:-1])

    assert {"lines": 2, "exact": 0, "residual": 1, "unreported": 0, "unknown": 1, "bad": 0} == counts(audit)
    assert 2 == audit.report()["unknown_models"][0]["first_line"]
    assert 5 == audit.report()["worst"][0]["line"]


def test_white_space_and_a_mark_of_order_are_no_matter() -> None:
    """Carriage returns, spaces around an object and a byte order mark at the start are read over."""
    data = b"\xef\xbb\xbf " + encoded(EXACT)[:-1] + b" \r\n\t" + encoded(EXACT)

    assert {"lines": 2, "exact": 2, "residual": 0, "unreported": 0, "unknown": 0, "bad": 0} == counts(audited(data))


def test_residuals_are_summed_by_model_and_kind() -> None:
    """Each model and kind has a count and a sum, the largest first whatever their signs."""
    searched = {"prompt_tokens": 3, "cost": 3.007, "server_tool_use_details": {"tool_calls_executed": 1}}
    flexible = {"prompt_tokens": 3, "cost": 1.5, "service_tier": "flex"}
    audit = audited(encoded(*({"model": "a/plain", "usage": usage} for usage in (searched, flexible, searched))))

    assert [
        {"model": "a/plain", "kind": "service_tier", "lines": 1, "usd": "-1.5"},
        {"model": "a/plain", "kind": "server_tool", "lines": 2, "usd": "0.014"},
    ] == audit.report()["residuals"]


def test_the_worst_residuals_are_named() -> None:
    """The largest residuals are kept whatever their signs, the earlier of equal ones, as many as were asked for."""
    costs = [3.5, 4, 2, 3.125, 4]
    data = encoded(*({"model": "a/plain", "usage": {"prompt_tokens": 3, "cost": cost}} for cost in costs))

    assert [2, 3, 5, 1] == [found.line for found in audited(data, worst=4).worst()]
    assert [2, 3] == [found.line for found in audited(data, worst=2).worst()]
    assert [] == audited(data, worst=0).worst()
    assert {
        "line": 3,
        "model": "a/plain",
        "reported": "2",
        "computed": "3",
        "residual": "-1",
        "kind": "unexplained",
    } == audited(data).report()["worst"][1]


def test_unknown_models_are_named() -> None:
    """A model that is gone, a router and no name at all are unknown, each with the reason, with a cost or without."""
    gone = {"model": "gone/model", "usage": {"prompt_tokens": 7}}
    router = {"model": "a/router", "usage": {"prompt_tokens": 7}}
    audit = audited(
        encoded(GONE, gone, router, {**router, "usage": {"prompt_tokens": 1, "cost": 0.25}})
        + encoded({"usage": {"prompt_tokens": 7}}, {"prompt_tokens": 7, "cost": 0.125})
    )

    assert {"lines": 6, "exact": 0, "residual": 0, "unreported": 0, "unknown": 6, "bad": 0} == counts(audit)
    assert "0.875" == audit.report()["usd"]["unknown"]
    assert [
        {"model": "gone/model", "why": "not listed", "first_line": 1, "lines": 2, "usd": "0.5"},
        {"model": "a/router", "why": "its price is variable", "first_line": 3, "lines": 2, "usd": "0.25"},
        {"model": "", "why": "no model is named", "first_line": 5, "lines": 2, "usd": "0.125"},
    ] == audit.report()["unknown_models"]


def test_prices_of_the_time_of_the_call() -> None:
    """A line's own instant chooses among prices that depend on the time of day."""
    usage = {"prompt_tokens": 1, "cost": 5}
    night, noon = (
        {"model": "a/nightly", "created_at": f"2026-11-01T{hour}:00Z", "usage": usage} for hour in ("03", "12")
    )

    assert {"lines": 2, "exact": 1, "residual": 1, "unreported": 0, "unknown": 0, "bad": 0} == counts(
        audited(encoded(night, noon))
    )


def test_money_is_summed_exactly() -> None:
    """A thousand lines of a tenth of a cent are a dollar, to the last digit."""
    audit = audited(encoded({"model": "a/plain", "usage": {"prompt_tokens": 0, "cost": 0.001}}) * 1000)

    assert "1.000" == audit.report()["usd"]["residual"]


# -- bad lines -------------------------------------------------------------------------------------------------------


FEW = {"prompt_tokens": 1, "completion_tokens": 0}
BAD: list[tuple[bytes, str, str]] = [
    (b"{bad", "not JSON", "Expecting property name"),
    (b"nonsense", "not JSON", "Expecting value"),
    (encoded(EXACT)[:-1] + b" {}", "not JSON", "Extra data"),
    (b"\xff\xfe{}", "not JSON", "'utf-8' codec can't decode"),
    (b"[" * 100_000, "not JSON", "recursion"),
    (b"5", "not an object", "int"),
    (b"[{}]", "not an object", "list"),
    (b"null", "not an object", "NoneType"),
    (b"{}", "no usage", "response has no usage"),
    (b'{"error": {"code": 400}}', "no usage", "response has no usage"),
    (b'{"model": "a/plain", "usage": null}', "no usage", "response has no usage"),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": -1}}', "bad number", "prompt_tokens must not be negative"),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": 1e300}}', "bad number", "prompt_tokens must be from 0"),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": 1.5}}', "bad number", "prompt_tokens is not a whole number"),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": NaN}}', "bad number", "prompt_tokens "),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": 1, "cost": -1}}', "bad number", "cost must not be negative"),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": 1, "cost": "dear"}}', "bad number", "cost is not a readable"),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": 1, "currency": "EUR"}}', "other currency", "currency must be"),
    (b'{"model": "a/plain", "usage": {"prompt_tokens": 1}}', "half a usage", "completion_tokens is missing"),
    (
        encoded({"model": "a/plain", "usage": {**FEW, "server_tool_use": {"web_search_requests": 1}}})[:-1],
        "unpriced usage",
        "cannot price web_searches of model 'a/plain'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind", "reason"), BAD, ids=range(len(BAD)))
def test_a_bad_line_is_named_and_the_rest_is_read(line: bytes, kind: str, reason: str) -> None:
    """What cannot be read is counted by kind and named with its number and reason; the lines around it count."""
    audit = audited(encoded(EXACT) + line + b"\n" + encoded(EXACT))
    (bad,) = audit.report()["bad_lines"]

    assert {"lines": 3, "exact": 2, "residual": 0, "unreported": 0, "unknown": 0, "bad": 1} == counts(audit)
    assert (kind, 1, 2) == (bad["kind"], bad["lines"], bad["first"][0]["line"])
    assert bad["first"][0]["reason"].startswith(reason) or reason in bad["first"][0]["reason"]


def test_the_first_few_of_each_kind_are_named() -> None:
    """However many lines are bad, three of each kind are kept, and all are counted, the most frequent kind first."""
    audit = audited(encoded({}, [], [], [], [], [], {}))

    assert [
        ("not an object", 5, [2, 3, 4]),
        ("no usage", 2, [1, 7]),
    ] == [(bad["kind"], bad["lines"], [first["line"] for first in bad["first"]]) for bad in audit.report()["bad_lines"]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("a/plain"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["usage", "model", "data", "response", "created", "created_at", "cost", "cost_details", "is_byok",
                 "prompt_tokens", "input_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens",
                 "cache_creation", "server_tool_use", "web_search_requests", "total_cost", "native_tokens_prompt",
                 "upstream_inference_cost", "currency", "service_tier"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(JSON, max_size=3))
def test_no_json_upsets_it(responses: list[Any]) -> None:
    """Whatever stands in a line, each is counted once, and the report is JSON."""
    audit = audited(encoded(*responses))

    assert len(responses) == audit.total.lines == sum(list(counts(audit).values())[1:]) + audit.reported.lines
    assert json.loads(json.dumps(audit.report(), allow_nan=False))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_no_bytes_upset_it(data: bytes) -> None:
    """Whatever bytes a log consists of, they are blank or bad."""
    audit = audited(data)

    assert audit.total.lines == counts(audit)["bad"] <= data.count(b"\n") + 1


# -- memory ----------------------------------------------------------------------------------------------------------


class Endless:
    """A file of one line that does not end for long; it notes how much it was asked for at most."""

    def __init__(self, parts: int) -> None:
        self.most = 0
        self._parts = parts
        self._rest = io.BytesIO(b"\n" + encoded(EXACT))

    def readline(self, size: int) -> bytes:
        """The next part."""
        self.most = max(size, self.most)
        self._parts -= 1
        return b"x" * size if self._parts >= 0 else self._rest.readline(size)


def test_an_endless_line_is_read_in_parts_and_skipped() -> None:
    """A line without an end is one bad line, never held whole, and the line after it counts."""
    file: Any = Endless(10)
    lines, audit = Lines(file), Audit(CATALOG)
    for number, line in enumerate(lines, 1):
        audit.add(number, line)

    assert {"lines": 2, "exact": 1, "residual": 0, "unreported": 0, "unknown": 0, "bad": 1} == counts(audit)
    assert audits.MOST_BYTES < file.most <= 2**24 + 1
    assert {"line": 1, "reason": "more than 16777216 bytes"} == audit.report()["bad_lines"][0]["first"][0]
    assert 10 * 2**24 < lines.read


@pytest.mark.parametrize(("spare", "good"), [(0, 2), (1, 1)])
def test_the_longest_line(monkeypatch: pytest.MonkeyPatch, spare: int, good: int) -> None:
    """A line of just the most bytes is read, with and without its end; one byte more is too long."""
    text = encoded(EXACT)[:-1]
    monkeypatch.setattr(audits, "MOST_BYTES", len(text))
    line = text + b" " * spare

    assert (good, 2 - good) == tuple(counts(audited(line + b"\n" + text))[name] for name in ("exact", "bad"))
    assert (good - 1, 2 - good) == tuple(counts(audited(line))[name] for name in ("exact", "bad"))


def test_a_million_names_take_no_more_room_than_a_thousand() -> None:
    """Names beyond the first thousand are counted together, and each is cut to a sane length."""
    audit = audited(encoded(*({"model": f"gone/{number}" + "x" * 300, "usage": {"prompt_tokens": 1, "cost": 1}}
                              for number in range(1200))))  # fmt: skip
    report = audit.report()

    assert (1000, {"lines": 200, "usd": "200"}) == (len(report["unknown_models"]), report["other_unknown"])
    assert (1200, "1200") == (report["unknown"], report["usd"]["unknown"])
    assert {200} == {len(unknown["model"]) for unknown in report["unknown_models"]}


def test_a_thousand_models_with_a_residual_are_kept_apart() -> None:
    """Residuals of models beyond the first thousand are counted together."""
    names = [f"a/{number}" for number in range(1003)]
    catalog = Catalog.from_models([row(name, pricing={"prompt": "1", "completion": "1"}) for name in names])
    lines = encoded(*({"model": name, "usage": {"prompt_tokens": 1, "cost": 3}} for name in names))
    report = audited(lines, catalog=catalog).report()

    assert (1000, {"lines": 3, "usd": "6"}) == (len(report["residuals"]), report["other_residuals"])
    assert "2006" == report["usd"]["residual"]


# -- real bills ------------------------------------------------------------------------------------------------------


def test_kinds_of_real_bills(shared: Path) -> None:
    """At the prices of its own hour, one bill is another provider's, and one ran a server-side tool."""
    kinds: dict[str, str] = {}
    for text in (shared / "billed.jsonl").read_text().splitlines():
        bill = json.loads(text)
        hour = datetime.fromisoformat(bill["created_at"].replace("Z", "+00:00"))
        audit = audited(text.encode(), catalog=Catalog.from_models([bill["listed_model"]], as_of=hour))
        kinds |= {found.model: found.kind for found in audit.worst()}

    assert kinds == {"z-ai/glm-4.6": "provider", "deepseek/deepseek-chat": "server_tool"}


def test_each_line_is_priced_by_the_list_of_its_day() -> None:
    """With a history, a line that says when it was is priced by the list of then; any other by the list held."""
    history = MemoryHistory(listed(0, x="1"), listed(5, x="2"))
    lines = [
        {"model": "a/x", "created": created, "usage": {"prompt_tokens": 10, "completion_tokens": 0, "cost": cost}}
        for created, cost in ((int(FIRST.timestamp()), 10), (int((FIRST + 5 * DAY).timestamp()), 20), (None, 90))
    ]
    for kept, exact in ((history, 3), (None, 1)):
        audit = Audit(listed(40, x="9"), history=kept)
        for number, line in enumerate(encoded(*lines).splitlines(), 1):
            audit.add(number, line)
        assert exact == audit.report()["exact"]
