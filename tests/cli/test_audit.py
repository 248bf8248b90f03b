"""The command audit: what it reads, prints and refuses."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.commands import Ask, lines_of, process, terminal
from support.logs import EXACT, GONE, OFF, REFUND, ROWS, SILENT, audited, encoded, log
from support.upstream import Upstream, row

from openrouter_pricing import Catalog
from openrouter_pricing.cli import run

pytestmark = pytest.mark.usefixtures("stored_prices")


def test_real_bills(audit: Ask, shared: Path) -> None:
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
        status, out, _ = audit(log(*(bill for _, bills in group.values() for bill in bills)), "--json")
        report = json.loads(out)
        exact += report["exact"]
        found |= {residual["model"]: Decimal(residual["usd"]) for residual in report["residuals"]}

        assert (0, report["lines"]) == (status, report["exact"] + report["residual"])
    assert 18 == exact
    assert found == {"z-ai/glm-4.6": Decimal("0.00000364"), "deepseek/deepseek-chat": Decimal("0.007")}


def test_what_is_printed(audit: Ask) -> None:
    """Counts and sums come first, then residuals, the worst, unknown models and bad lines, in aligned columns."""
    status, out, err = audit(log(EXACT, OFF, OFF, REFUND, SILENT, GONE, {"prompt_tokens": 1}, {}, [], {}))

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


def test_a_clean_log_is_a_short_answer(audit: Ask) -> None:
    """Where nothing is wrong there is one table, and nothing else."""
    status, out, err = audit(log(EXACT), "--tolerance", "0")

    assert (0, 8, "") == (status, out.count("\n"), err)


def test_long_tables_are_cut(audit: Ask) -> None:
    """Twenty unknown models are shown, the rest is counted; of the worst residuals as many as were asked for."""
    gone = [{"model": f"gone/{number}", "usage": {"prompt_tokens": 1}} for number in range(1005)]
    out = audit(log(*gone, *[OFF] * 30), "--worst", "25")[1]

    assert (20, 25) == (out.count("\ngone/"), out.count("a/plain ") - 1)
    assert "\nand 980 more, which --json names\nand 5 lines of models too many to name\n" in out


def test_json_has_everything_with_money_as_strings(audit: Ask) -> None:
    """``--json`` prints what the audit found and where the prices came from, and no float."""
    status, out, err = audit(log(EXACT, OFF, GONE, {}), "--json", "--worst", "1")

    def refuse(text: str) -> float:
        raise AssertionError(f"a float: {text}")

    answer = json.loads(out, parse_float=refuse)

    assert (0, "") == (status, err)
    assert ("pinned", "1970-01-01T00:00:00+00:00") == (answer["source"], answer["as_of"])
    assert audited(encoded(EXACT, OFF, GONE, {}), worst=1).report().items() <= answer.items()


@pytest.mark.parametrize(
    ("tolerance", "status"), [("0.75", 0), ("0.7499999999999999999", 1), ("0", 1), ("1", 0), (None, 0)]
)
def test_the_tolerance(audit: Ask, tolerance: str | None, status: int) -> None:
    """Residuals may add up, signs aside, to just the tolerance; one digit beyond it is status 1, said in one line."""
    options = [] if tolerance is None else ["--tolerance", tolerance]
    found, out, err = audit(log(OFF, REFUND), "--json", *options)

    assert (status, 2) == (found, json.loads(out)["lines"])
    assert err == (
        f"openrouter-pricing: the residuals add up to 0.75 USD, more than the {tolerance} USD that were tolerated\n"
        if status
        else ""
    )


@pytest.mark.parametrize("responses", [[], [{}], [GONE]])
def test_nothing_that_could_be_priced_is_an_error(audit: Ask, responses: list[Any]) -> None:
    """An empty log, and one of bad and unknown lines alone, is status 1 and no silent zero."""
    status, out, err = audit(log(*responses))

    assert (1, "openrouter-pricing: not one line could be priced\n") == (status, err)
    assert out.startswith(f"{len(responses)} lines, 0 priced  ")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("audit", "--json"), "'FILE'"),
        (("audit", "missing"), "'FILE': File 'missing' does not exist"),
        (("audit", "log", "--catalog", "missing"), "'--catalog': File 'missing' does not exist"),
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
    Path("log").touch()
    status = run(args)
    out, err = capsys.readouterr()

    assert (2, "", 1, []) == (status, out, err.count("\n"), upstream.requests)
    assert said in err


def test_stored_prices_may_be_compressed(audit: Ask, capsys: pytest.CaptureFixture[str], upstream: Upstream) -> None:
    """What ``snapshot`` wrote is read as it is, and nobody is asked."""
    upstream.say(*ROWS)
    run(("snapshot", "--output", "prices"))
    capsys.readouterr()
    upstream.requests.clear()
    status, out, _ = audit(log(EXACT), "--json")

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


def test_hostile_names_are_escaped() -> None:
    """Control characters in a log reach no terminal."""
    hostile = "\x1b[31mevil\x9b2J\u202e\x07[bold]x[/bold]:smile:\n"
    log({"model": hostile, "usage": {"prompt_tokens": 1}}, {"currency": hostile, "prompt_tokens": 1}, EXACT)
    shown = process("audit", "log.jsonl", "--catalog", "prices")[1]

    assert "\\x1b[31mevil\\x9b2J\\u202e\\x07[bold]x[/bold]:smile:\\x0a" in shown
    assert shown.replace("\n", "").isprintable()


LONG = "cognitivecomputations/dolphin-mistral-24b-venice-edition:free"


@pytest.mark.parametrize(
    ("width", "gone"),
    [
        (
            80,
            [
                "kind of residual, lines",
                "line, reported USD, computed USD, kind",
                "first line, reported USD, why",
            ],
        ),
        (100, ["reported USD, computed USD", "first line"]),
        (200, []),
    ],
)
def test_a_model_is_never_broken(width: int, gone: list[str]) -> None:
    """On a narrow terminal kinds and amounts give way to the model, and long reasons are broken at spaces."""
    Path("prices").write_bytes(Catalog.from_models([row(LONG)]).dumps())
    usage = {"prompt_tokens": 3, "completion_tokens": 0, "cost": 0.5}
    log({"model": LONG, "usage": usage}, {"model": f"x{LONG}", "usage": {"prompt_tokens": 3}}, {})
    lines = lines_of(terminal("audit", "log.jsonl", "--catalog", "prices", width=width))
    words = {word for line in lines for word in line.split()}

    assert {LONG, f"x{LONG}", "native_tokens_prompt"} <= words
    assert all(len(line) <= width for line in lines if f"x{LONG}" not in line and not line.startswith("note: "))
    told = [f"note: {width} columns have no room for: {names} (--json has everything)" for names in gone]
    assert told == [line for line in lines if line.startswith("note: ")]


def test_a_log_of_then_is_priced_by_the_lists_of_then(ask: Ask, tmp_path: Path) -> None:
    """Each line by the list of its own day; with ``--catalog`` all by that one."""
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "cost": 5}
    line = {"model": "openai/gpt-4o", "created": 1727222400, "usage": usage}
    (tmp_path / "log").write_text(json.dumps(line))
    assert 1 == json.loads(ask("audit", "log", "--json")[1])["exact"]
    now = Catalog.from_models([{"id": "openai/gpt-4o", "pricing": {"prompt": "0.0000025", "completion": "0"}}])
    (tmp_path / "stored").write_bytes(now.dumps())
    assert "2.5000000" == json.loads(ask("audit", "log", "--json", "--catalog", "stored")[1])["usd"]["computed"]
