"""The commands refresh, snapshot, settings and doctor."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import Ask, lines_of, process, terminal
from support.upstream import Upstream

from openrouter_pricing import Catalog


def test_refresh_fetches_whatever_is_held(ask: Ask, upstream: Upstream) -> None:
    """Each refresh is a request, and says how many models there are."""
    ask("refresh")
    status, out, err = ask("refresh")

    assert (status, err) == (0, "")
    assert out.startswith("fetched the prices of 1 models at 20")
    assert len(upstream.requests) == 2


def test_a_refresh_that_fails_is_one_line_after_all_its_retries(upstream: Upstream) -> None:
    """Neither retries nor log messages reach stderr: an upstream in trouble is one line, and status 1."""
    upstream.fail(503)

    assert process("refresh") == (1, "", "openrouter-pricing: upstream answered with HTTP status 503\n")
    assert len(upstream.requests) == 3


def test_a_snapshot_reads_back_as_the_live_catalogue(ask: Ask, tmp_path: Path) -> None:
    """The file is gzip without a time in it, holds what ``Catalog.loads`` reads, and replaces one that was there."""
    file = tmp_path / "snapshot.gz"
    file.write_bytes(b"old")
    status, out, err = ask("snapshot", "--output", str(file))
    data = file.read_bytes()
    catalog = Catalog.loads(gzip.decompress(data))

    assert (0, "", bytes(4)) == (status, err, data[4:8])
    assert out.startswith("wrote the prices of 1 models at 20")
    assert list(catalog) == ["openai/gpt-4o-mini"]
    assert [file] == [path for path in tmp_path.iterdir() if path.is_file()]


@pytest.mark.parametrize("name", ["missing/snapshot.gz", "n" * 300])
def test_a_snapshot_that_cannot_be_written_leaves_no_file(ask: Ask, tmp_path: Path, name: str) -> None:
    """A directory that is not there, or a name that the disk refuses, is one line and no file."""
    status, out, err = ask("snapshot", "--output", name)

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("openrouter-pricing: cannot write ")
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_snapshot_without_prices_leaves_what_was_there(ask: Ask, upstream: Upstream, tmp_path: Path) -> None:
    """Where nothing can be fetched, nothing is written: never the bundled prices under a new date."""
    upstream.fail(404)
    file = tmp_path / "snapshot.gz"
    file.write_bytes(b"old")
    status, out, _ = ask("snapshot", "--output", str(file))

    assert (status, out, file.read_bytes()) == (1, "", b"old")
    assert [file] == [path for path in tmp_path.iterdir() if path.is_file()]


# -- settings and doctor -------------------------------------------------------------------------------------------


def test_settings_says_where_each_value_came_from(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every option is there, with its value and either "default" or the variable that sets it; nothing is asked."""
    monkeypatch.setenv("OPENROUTER_PRICING_MARKUP_RATE", "1.50")
    monkeypatch.setenv("OPENROUTER_PRICING_L1_TTL", "0.5")
    monkeypatch.setenv("OPENROUTER_PRICING_WARM", "")
    status, out, err = ask("settings")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}

    assert (status, err) == (0, "")
    assert rows["markup_rate"] == ["1.50", "OPENROUTER_PRICING_MARKUP_RATE"]
    assert rows["l1_ttl"] == ["0.5", "OPENROUTER_PRICING_L1_TTL"]
    assert rows["deadline"] == ["15", "default"]
    assert rows["stale_if_error"] == ["unlimited", "default"]
    assert rows["warm"] == ["false", "default"]
    assert rows["api_key"] == ["none", "default"]
    assert rows["max_body"] == ["33554432", "default"]


def test_settings_as_json_can_be_read_by_a_program(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON has each option's own kind: numbers, switches, and decimals as strings."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "hidden")
    answer: dict[str, dict[str, Any]] = json.loads(ask("settings", "--json")[1])

    assert answer["markup_rate"] == {"value": "1.3", "source": "default"}
    assert answer["offline"] == {"value": False, "source": "default"}
    assert answer["l1_ttl"] == {"value": 60.0, "source": "default"}
    assert answer["stale_if_error"] == {"value": "unlimited", "source": "default"}
    assert answer["api_key"] == {"value": "***", "source": "OPENROUTER_API_KEY"}


@pytest.mark.parametrize("args", [("settings",), ("settings", "--json"), ("doctor",)])
def test_secrets_are_masked(
    ask: Ask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    """No key and no password of a URL is shown, whether things go well or not."""
    monkeypatch.setenv("OPENROUTER_PRICING_API_KEY", "hidden-key")
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", "disk://user:hidden-password@host/")
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", f"http://user:hidden-word@127.0.0.1:{upstream.port}/api/v1")
    status, out, err = ask(*args)

    assert "***@" in out
    assert "hidden" not in out + err
    assert (1 if args == ("doctor",) else 0) == status


def test_doctor_finds_everything_well(ask: Ask) -> None:
    """A backend that keeps, an upstream that answers and prices that are held are each ok; the status is 0."""
    ask("refresh")
    status, out, err = ask("doctor")
    findings = [line.split(maxsplit=2) for line in out.splitlines()]

    assert (status, err) == (0, "")
    assert [name for name, _, _ in findings] == ["check", "backend", "upstream", "prices"]
    assert [result for _, result, _ in findings] == ["result", "ok", "ok", "ok"]
    assert findings[1][2] == "disk:// can be written"
    assert " listed 1 models within " in findings[2][2]
    assert findings[3][2].startswith("those that were held before are ")


def test_doctor_names_what_is_wrong(ask: Ask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each failure is a finding, stderr sums them up in one line, and the status is 1."""
    upstream.fail(404)
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", "disk:///dev/null/prices")
    monkeypatch.setenv("OPENROUTER_PRICING_FALLBACK", "false")
    status, out, err = ask("doctor")

    assert (status, err) == (1, "openrouter-pricing: something is wrong with: backend, upstream, prices\n")
    assert "disk:///dev/null/prices: NotADirectoryError" in out
    assert "upstream answered with HTTP status 404" in out
    assert "none were held before, and the fallback is off" in out


def test_doctor_respects_that_nothing_is_kept_and_nobody_asked(
    ask: Ask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the settings ask for is not wrong: no store, no network, bundled prices."""
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", "null://")
    monkeypatch.setenv("OPENROUTER_PRICING_OFFLINE", "true")
    status, out, err = ask("doctor")

    assert (status, err, upstream.requests) == (0, "", [])
    assert "null:// keeps nothing, as it should" in out
    assert "was not asked: the settings say offline" in out
    assert "none were held before; the bundled snapshot is " in out


@pytest.mark.parametrize("command", [("settings",), ("doctor",), ("cost", "openai/gpt-4o-mini", "1", "1")])
def test_a_misspelt_variable_is_told(
    command: tuple[str, ...], ask: Ask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that begins like ours and is no option is one note on stderr that names the near ones."""
    monkeypatch.setenv("OPENROUTER_PRICING_MARKUP", "2")
    _, out, err = ask(*command)

    assert "OPENROUTER_PRICING_MARKUP " not in out
    assert err.startswith("note: OPENROUTER_PRICING_MARKUP is no option; did you mean OPENROUTER_PRICING_MARKUP_RATE")
    assert 1 == err.count("\n")


# -- as JSON -------------------------------------------------------------------------------------------------------


def test_refresh_and_snapshot_as_json(ask: Ask, upstream: Upstream, tmp_path: Path) -> None:
    """``--json`` says how many models there are, of when, and what their list is known by."""
    status, out, err = ask("refresh", "--json")
    fetched = json.loads(out)
    written = json.loads(ask("snapshot", "--output", "prices", "--json")[1])
    catalog = Catalog.loads(gzip.decompress((tmp_path / "prices").read_bytes()))

    assert (0, "") == (status, err)
    assert (1, catalog.digest) == (fetched["models"], fetched["digest"])
    assert written == {"models": 1, "as_of": catalog.as_of.isoformat(), "digest": catalog.digest, "output": "prices"}


def test_doctor_as_json(ask: Ask, upstream: Upstream) -> None:
    """``--json`` is ``Health.to_dict()``; what is wrong is status 1 and a line on stderr all the same."""
    well = ask("doctor", "--json")
    upstream.fail(404)
    sick = ask("doctor", "--json")

    assert (0, "", True) == (well[0], well[2], json.loads(well[1])["ok"])
    assert ["backend", "upstream", "prices"] == [check["name"] for check in json.loads(well[1])["checks"]]
    assert (1, False) == (sick[0], json.loads(sick[1])["ok"])
    assert sick[2] == "openrouter-pricing: something is wrong with: upstream\n"


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("command", ["doctor", "settings"])
def test_findings_and_settings_fit_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int, command: str) -> None:
    """A long finding is broken at its spaces, and where a value came from gives way to the value."""
    url = "http://127.0.0.1:9/" + "x" * 30
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", url)
    lines = lines_of(terminal(command, width=width))

    assert all(len(line) <= width for line in lines if not line.startswith(("note: ", "openrouter-pricing: ")))
    assert url in {word.rstrip(":") for line in lines for word in line.split()}
