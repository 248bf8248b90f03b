"""The audit of logged responses: what it counts, what it refuses, and that nothing in a log can upset it."""

from __future__ import annotations

import gzip
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upstream import Upstream, row

from openrouter_pricing import Catalog
from openrouter_pricing.cli import run
from openrouter_pricing.metering import audit as audits
from openrouter_pricing.metering.audit import Audit, Lines

Ask = Callable[..., tuple[int, str, str]]
_MODULE = (sys.executable, "-m", "openrouter_pricing")
ROWS = [
    row("a/plain", pricing={"prompt": "1", "completion": "10"}),
    row("a/nightly", pricing={"prompt": "1", "completion": "1", "overrides": [{"utc_end": 600, "prompt": "5"}]}),
    row("a/router", pricing={"prompt": "-1", "completion": "-1"}),
]
CATALOG = Catalog.from_models(ROWS)
EXACT = {"model": "a/plain", "usage": {"prompt_tokens": 3, "completion_tokens": 1, "cost": 13}}
OFF = {"model": "a/plain", "usage": {"prompt_tokens": 3, "cost": 3.25}}
REFUND = {"model": "a/plain", "usage": {"prompt_tokens": 3, "cost": 2.5}}
SILENT = {"model": "a/plain", "usage": {"prompt_tokens": 7, "completion_tokens": 0}}
PLAIN = {"prompt_tokens": 1, "completion_tokens": 0}
GONE = {"model": "gone/model", "usage": {"prompt_tokens": 7, "cost": 0.5}}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, upstream: Upstream, tmp_path: Path) -> None:
    """The command line asks the stand-in, and no habit of the machine colours what it prints."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", upstream.url)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices").write_bytes(CATALOG.dumps())


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs an audit at the stored prices in this process: status, stdout, stderr."""

    def command(*args: str) -> tuple[int, str, str]:
        status = run(("audit", *args, "--catalog", "prices"))
        out, err = capsys.readouterr()
        return status, out, err

    return command


def encoded(*responses: Any) -> bytes:
    """Responses as a log has them."""
    return b"".join(json.dumps(response).encode() + b"\n" for response in responses)


def log(*responses: Any) -> str:
    """The name of a file that has these responses, one a line."""
    Path("log.jsonl").write_bytes(encoded(*responses))
    return "log.jsonl"


def audited(data: bytes, worst: int = 10, catalog: Catalog = CATALOG) -> Audit:
    """An audit of a whole log."""
    audit = Audit(catalog, worst)
    for number, line in enumerate(Lines(io.BytesIO(data)), 1):
        audit.add(number, line)
    return audit


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
        encoded({"model": "a/plain", "usage": {**PLAIN, "server_tool_use": {"web_search_requests": 1}}})[:-1],
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


def test_real_bills(ask: Ask, shared: Path) -> None:
    """18 of 20 real bills are exact, and the other two show their true residual."""
    groups: list[dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]] = []  # a list has one price of a model
    for text in (shared / "billed.jsonl").read_text().splitlines():
        bill = json.loads(text)
        listed = bill.pop("listed_model")
        group = next((group for group in groups if group.get(listed["id"], (listed,))[0] == listed), None)
        if group is None:
            groups.append(group := {})
        group.setdefault(listed["id"], (listed, []))[1].append(bill)
    found: dict[str, Decimal] = {}
    exact = 0
    for group in groups:
        Path("prices").write_bytes(Catalog.from_models([listed for listed, _ in group.values()]).dumps())
        status, out, _ = ask(log(*(bill for _, bills in group.values() for bill in bills)), "--json")
        report = json.loads(out)
        exact += report["exact"]
        found |= {residual["model"]: Decimal(residual["usd"]) for residual in report["residuals"]}

        assert (0, report["lines"]) == (status, report["exact"] + report["residual"])
    assert 18 == exact
    assert found == {"z-ai/glm-4.6": Decimal("0.00000364"), "deepseek/deepseek-chat": Decimal("0.007")}


def test_kinds_of_real_bills(shared: Path) -> None:
    """At the prices of its own hour, one bill is another provider's, and one ran a server-side tool."""
    kinds: dict[str, str] = {}
    for text in (shared / "billed.jsonl").read_text().splitlines():
        bill = json.loads(text)
        hour = datetime.fromisoformat(bill["created_at"].replace("Z", "+00:00"))
        audit = audited(text.encode(), catalog=Catalog.from_models([bill["listed_model"]], as_of=hour))
        kinds |= {found.model: found.kind for found in audit.worst()}

    assert kinds == {"z-ai/glm-4.6": "provider", "deepseek/deepseek-chat": "server_tool"}


# -- the command -----------------------------------------------------------------------------------------------------


def test_what_is_printed(ask: Ask) -> None:
    """Counts and sums come first, then residuals, the worst, unknown models and bad lines, in aligned columns."""
    status, out, err = ask(log(EXACT, OFF, OFF, REFUND, SILENT, GONE, {"prompt_tokens": 1}, {}, [], {}))

    no_usage = "response has no usage: neither prompt_tokens nor input_tokens nor native_tokens_prompt"

    assert (0, "") == (status, err)
    assert out.splitlines() == [
        "10 lines, 5 priced  (pinned, prices of 1970-01-01 00:00 UTC)",
        "result      lines  reported USD  computed USD  residual USD",
        "exact           1            13            13             0",
        "residual        3             9             9             0",
        "unreported      1             -             7             -",
        "unknown         2           0.5             -             -",
        "bad             3             -             -             -",
        "total          10          22.5            29             0",
        "",
        "model    kind of residual  lines  residual USD",
        "a/plain  unexplained           3             0",
        "",
        "line  worst residuals  reported USD  computed USD  residual USD  kind",
        "   4  a/plain                   2.5             3          -0.5  unexplained",
        "   2  a/plain                  3.25             3          0.25  unexplained",
        "   3  a/plain                  3.25             3          0.25  unexplained",
        "",
        "unknown model  lines  first line  reported USD  why",
        "gone/model         1           6           0.5  not listed",
        "-                  1           7             0  no model is named",
        "",
        "bad            lines  line  reason",
        f"no usage           2     8  {no_usage}",
        f"                        10  {no_usage}",
        "not an object      1     9  list",
    ]


def test_a_clean_log_is_a_short_answer(ask: Ask) -> None:
    """Where nothing is wrong there is one table, and nothing else."""
    status, out, err = ask(log(EXACT), "--tolerance", "0")

    assert (0, 8, "") == (status, out.count("\n"), err)


def test_long_tables_are_cut(ask: Ask) -> None:
    """Twenty unknown models are shown, the rest is counted; of the worst residuals as many as were asked for."""
    gone = [{"model": f"gone/{number}", "usage": {"prompt_tokens": 1}} for number in range(1005)]
    out = ask(log(*gone, *[OFF] * 30), "--worst", "25")[1]

    assert (20, 25) == (out.count("\ngone/"), out.count("a/plain ") - 1)
    assert "\nand 980 more, which --json names\nand 5 lines of models too many to name\n" in out


def test_json_has_everything_with_money_as_strings(ask: Ask) -> None:
    """``--json`` prints what the audit found and where the prices came from, and no float."""
    status, out, err = ask(log(EXACT, OFF, GONE, {}), "--json", "--worst", "1")

    def refuse(text: str) -> float:
        raise AssertionError(f"a float: {text}")

    answer = json.loads(out, parse_float=refuse)

    assert (0, "") == (status, err)
    assert ("pinned", "1970-01-01T00:00:00+00:00") == (answer["source"], answer["as_of"])
    assert audited(encoded(EXACT, OFF, GONE, {}), worst=1).report().items() <= answer.items()


@pytest.mark.parametrize(
    ("tolerance", "status"), [("0.75", 0), ("0.7499999999999999999", 1), ("0", 1), ("1", 0), (None, 0)]
)
def test_the_tolerance(ask: Ask, tolerance: str | None, status: int) -> None:
    """Residuals may add up, signs aside, to just the tolerance; one digit beyond it is status 1, said in one line."""
    options = [] if tolerance is None else ["--tolerance", tolerance]
    found, out, err = ask(log(OFF, REFUND), "--json", *options)

    assert (status, 2) == (found, json.loads(out)["lines"])
    assert err == (
        f"openrouter-pricing: the residuals add up to 0.75 USD, more than the {tolerance} USD that were tolerated\n"
        if status
        else ""
    )


@pytest.mark.parametrize("responses", [[], [{}], [GONE]])
def test_nothing_that_could_be_priced_is_an_error(ask: Ask, responses: list[Any]) -> None:
    """An empty log, and one of bad and unknown lines alone, is status 1 and no silent zero."""
    status, out, err = ask(log(*responses))

    assert (1, "openrouter-pricing: not one line could be priced\n") == (status, err)
    assert out.startswith(f"{len(responses)} lines, 0 priced  ")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("audit",), "'FILE'"),
        (("audit", "."), "'FILE': File '.' is a directory"),
        (("audit", "log", "--tolerance", "-1"), "'--tolerance': '-1' is negative"),
        (("audit", "log", "--tolerance", "x"), "'--tolerance': 'x' is not a readable decimal number"),
        (("audit", "log", "--worst", "-1"), "'--worst'"),
        (("audit", "log", "--worst", "1001"), "'--worst'"),
        (("audit", "log", "--catalog", "."), "'--catalog': File '.' is a directory"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], upstream: Upstream, args: tuple[str, ...], said: str
) -> None:
    """What was typed wrong is named on one line of stderr, the status is 2, and nothing is asked."""
    status = run(args)
    out, err = capsys.readouterr()

    assert (2, "", 1, []) == (status, out, err.count("\n"), upstream.requests)
    assert said in err


def test_a_log_that_is_not_there(ask: Ask) -> None:
    """A missing log is one line and status 1."""
    assert ask("missing.jsonl") == (
        1,
        "",
        "openrouter-pricing: cannot read missing.jsonl: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "No such file or directory"),
        (b"", "data is not a catalogue that dumps() wrote"),
        (b'{"data": []}', "data is not a catalogue that dumps() wrote"),
        (CATALOG.dumps()[:-1], "a stored catalogue does not match its digest"),
        (gzip.compress(b"{}"), "data is not a catalogue that dumps() wrote"),
        (gzip.compress(CATALOG.dumps())[:-9], "Compressed file ended before the end-of-stream marker was reached"),
        (b"\x1f\x8bnonsense", "Unknown compression method"),
        (gzip.compress(b"")[:10] + b"\xff" * 20, "Error -3 while decompressing data"),
        (CATALOG.dumps().replace(b'"format": 2', b'"format": 3'), "format 3 is not the format 2"),
    ],
    ids=range(9),
)
def test_prices_that_cannot_be_read(ask: Ask, data: bytes | None, said: str) -> None:
    """Stored prices that are missing, torn or foreign are one line that names the file, and status 1."""
    if data is None:
        Path("prices").unlink()
    else:
        Path("prices").write_bytes(data)
    status, out, err = ask(log(EXACT))

    assert (1, "", 1) == (status, out, err.count("\n"))
    assert err.startswith("openrouter-pricing: cannot read prices: ")
    assert said in err


def test_stored_prices_may_be_compressed(ask: Ask, capsys: pytest.CaptureFixture[str], upstream: Upstream) -> None:
    """What ``snapshot`` wrote is read as it is, and nobody is asked."""
    upstream.say(*ROWS)
    run(("snapshot", "--output", "prices"))
    capsys.readouterr()
    upstream.requests.clear()
    status, out, _ = ask(log(EXACT), "--json")

    assert (0, 1, []) == (status, json.loads(out)["exact"], upstream.requests)


def test_live_prices_are_asked_for_once(capsys: pytest.CaptureFixture[str], upstream: Upstream) -> None:
    """Without stored prices the live ones are fetched, once for the whole log."""
    upstream.say(*ROWS)
    status = run(("audit", log(*[EXACT] * 50), "--json"))
    answer = json.loads(capsys.readouterr().out)

    assert (0, 50, "live", 1) == (status, answer["exact"], answer["source"], len(upstream.requests))


def test_old_prices_are_said_to_be_old(capsys: pytest.CaptureFixture[str], upstream: Upstream) -> None:
    """Where nobody answers, the bundled prices are the measure, and stderr says so."""
    upstream.fail(404)
    status = run(("audit", log({"model": "openai/gpt-4o-mini", "usage": {"prompt_tokens": 1, "completion_tokens": 0}})))
    out, err = capsys.readouterr()

    assert (0, 1) == (status, err.count("\n"))
    assert err.startswith("note: no fresh prices are at hand; these are the bundled snapshot, of 20")
    assert "1 lines, 1 priced  (bundled, prices of 20" in out


def process(*args: str, stdin: bytes = b"", start: tuple[str, ...] = _MODULE) -> tuple[int, str, str]:
    """Runs a command in a process of its own, piped: status, stdout, stderr."""
    done = subprocess.run((*start, *args), capture_output=True, input=stdin, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_standard_input_can_be_a_log() -> None:
    """``-`` reads the standard input, and a pipe gets neither progress bar nor colour."""
    status, out, err = process("audit", "-", "--catalog", "prices", stdin=encoded(*[EXACT] * 20_000))

    assert (0, "") == (status, err)
    assert out.startswith("20000 lines, 20000 priced  ")
    assert out.replace("\n", "").isprintable()


def test_no_standard_input_at_all() -> None:
    """With stdin closed from the start there is nothing to read, and that is one line."""
    start = ("sh", "-c", f"exec {sys.executable} -m openrouter_pricing audit - --catalog prices <&-")

    assert process(start=start) == (1, "", "openrouter-pricing: there is no standard input to read\n")


def test_hostile_names_are_escaped() -> None:
    """Control characters in a log reach no terminal."""
    hostile = "\x1b[31mevil\x9b2J\u202e\x07[bold]x[/bold]:smile:\n"
    log({"model": hostile, "usage": {"prompt_tokens": 1}}, {"currency": hostile, "prompt_tokens": 1}, EXACT)
    shown = process("audit", "log.jsonl", "--catalog", "prices")[1]

    assert "\\x1b[31mevil\\x9b2J\\u202e\\x07[bold]x[/bold]:smile:\\x0a" in shown
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize("piped", [False, True])
def test_a_terminal_gets_a_progress_bar(piped: bool) -> None:
    """On a terminal the bytes that were read are shown while it works, of a pipe too, and the answer comes after."""
    data = encoded({**EXACT, "text": "x" * 1000}) * 4000
    Path("log.jsonl").write_bytes(data)
    screen, inside = pty.openpty()
    command = (*_MODULE, "audit", "-" if piped else "log.jsonl", "--catalog", "prices")
    running = subprocess.Popen(command, stdin=subprocess.PIPE if piped else inside, stdout=inside, stderr=inside)
    os.close(inside)
    if running.stdin is not None:
        with running.stdin:
            running.stdin.write(data)
    shown = b""
    while True:
        try:
            part = os.read(screen, 65536)
        except OSError:  # how Linux says that the other end is closed
            part = b""
        if not part:
            break
        shown += part
    os.close(screen)
    text = shown.decode()

    assert 0 == running.wait(60)
    assert "auditing" in text
    assert "MB" in text
    assert "4000 lines, 4000 priced" in text.rpartition("auditing")[2]
