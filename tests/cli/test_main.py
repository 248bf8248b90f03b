"""The command line, in real processes where that matters: pipes, terminals, signals, missing extras."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from support.commands import ESCAPED, HOSTILE, MAIN, MODULE, Ask, blocked, process, terminal
from support.upstream import Answer, Upstream, models, raw_peer, read_request, row
from support.waiting import PATIENCE

from openrouter_pricing import Catalog, Pricing, Settings

# -- cost ----------------------------------------------------------------------------------------------------------


def test_cost_shows_the_total_first_and_then_the_bill() -> None:
    """The first line says total, model, source and date; the others add up to it."""
    status, out, err = process("cost", "openai/gpt-4o-mini", "1000", "500", "--cached", "200")
    first, *rest = out.splitlines()

    assert (status, err) == (0, "")
    assert first.startswith("0.0005655 USD  openai/gpt-4o-mini  (live, prices of 20")
    assert first.endswith(" UTC)")
    assert [line.split() for line in rest] == [
        ["item", "quantity", "unit", "price", "USD"],
        ["prompt", "800", "0.15", "per", "million", "tokens", "0.00012"],
        ["input_cache_read", "200", "0.075", "per", "million", "tokens", "0.000015"],
        ["completion", "500", "0.6", "per", "million", "tokens", "0.0003"],
        ["raw", "0.000435"],
        ["markup", "x", "1.3"],
        ["total", "0.0005655"],
    ]


def test_the_installed_command_is_the_same_as_the_module() -> None:
    """The console script answers what ``python -m openrouter_pricing`` answers."""
    script = Path(sys.executable).with_name("openrouter-pricing")

    assert process("--version") == process("--version", start=(str(script),))


def test_cost_as_json_is_the_dictionary_of_the_cost(ask: Ask, upstream: Upstream) -> None:
    """``--json`` prints ``Cost.to_dict()``, with money as strings, and takes every option."""
    upstream.say(row(pricing={"prompt": "1", "completion": "2", "input_cache_write": "3"}))
    status, out, err = ask(
        "cost", "openai/gpt-4o-mini", "10", "5", "--cache-write", "4", "--markup", "1.5", "--json", "--cached=1"
    )
    answer = json.loads(out)

    assert (status, err) == (0, "")
    assert (answer["raw"], answer["markup_rate"]) == ("28", "1.5")
    assert answer["total"] == "42.0"
    assert [line["item"] for line in answer["lines"]] == ["prompt", "input_cache_write", "completion"]


@pytest.mark.parametrize(
    ("at", "total"),
    [
        ("2026-11-22T10:29:59Z", "1 USD"),
        ("2026-11-22T10:30:00z", "7 USD"),
        ("2026-11-22T11:30:00+01:00", "7 USD"),
        ("2026-11-22T11:29:59.500000+01:00", "1 USD"),
    ],
)
def test_cost_takes_the_time_of_the_call(ask: Ask, upstream: Upstream, at: str, total: str) -> None:
    """``--at`` chooses among prices that depend on the time; ``Z`` and offsets are read."""
    timed = {"prompt": "7", "utc_start": 1030, "utc_end": 1100}
    upstream.say(row(pricing={"prompt": "1", "completion": "1", "overrides": [timed]}))
    status, out, _ = ask("cost", "openai/gpt-4o-mini", "1", "0", "--markup", "1", "--at", at)

    assert status == 0
    assert out.startswith(f"{total}  ")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("cost", "m", "-5", "1"), "PROMPT and COMPLETION must not be negative"),
        (("cost", "m", "1", "-1"), "PROMPT and COMPLETION must not be negative"),
        (("cost", "m", "1.5", "1"), "'PROMPT': '1.5'"),
        (("cost", "m", "1", "1", "--cached", "-1"), "'--cached': -1"),
        (("cost", "m", "1", "1", "--cache-write", "1" + 19 * "0"), "'--cache-write'"),
        (("cost", "m", "1", "1", "--markup", "-1"), "'--markup': '-1' is negative"),
        (("cost", "m", "1", "1", "--markup", "nan"), "'--markup': 'nan' is not a readable decimal number"),
        (("cost", "m", "1", "1", "--at", "yesterday"), "'--at': 'yesterday' is no ISO 8601 time"),
        (("cost", "m", "1", "1", "--at", "2026-11-22T20:00"), "'--at': '2026-11-22T20:00' has no time zone"),
        (("cost", "m", "1", "1", "--at", "0001-01-01T00:00+14:00"), "'--at': '0001-01-01T00:00+14:00' is no"),
        (("cost", "m", "1", "1", "--frobnicate"), "--frobnicate"),
        (("cost", "m"), "'PROMPT'"),
        (("models", "--category", "cheap"), "'--category'"),
        (("models", "--max-prompt-price", "x"), "'--max-prompt-price'"),
        (("models", "--max-prompt-price", "1e-58"), "'--max-prompt-price'"),
        (("models", "--limit", "0"), "'--limit'"),
        (("snapshot",), "'--output'"),
        (("snapshot", "--output", "/"), "'--output'"),
        (("frobnicate",), "'frobnicate'"),
        ((), "Missing command"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(ask: Ask, upstream: Upstream, args: tuple[str, ...], said: str) -> None:
    """What was typed wrong is named on one line of stderr, the status is 2, and nothing is asked."""
    status, out, err = ask(*args)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert "--help" in err
    assert upstream.requests == []


def test_an_unknown_model_is_named_with_near_names() -> None:
    """A misspelt model is one line with suggestions, and status 1."""
    assert process("cost", "openai/gpt4o-mini", "1000", "500") == (
        1,
        "",
        "openrouter-pricing: unknown model 'openai/gpt4o-mini'; did you mean 'openai/gpt-4o-mini'?\n",
    )


def test_a_setting_that_cannot_be_read_is_one_line() -> None:
    """A bad environment variable is named on one line, and status 1."""
    status, out, err = process("cost", "openai/gpt-4o-mini", "1", "1", OPENROUTER_PRICING_MARKUP_RATE="much")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("openrouter-pricing: OPENROUTER_PRICING_MARKUP_RATE: cannot read 'much'")


# -- where prices come from ----------------------------------------------------------------------------------------


def test_a_second_process_answers_from_disk(upstream: Upstream) -> None:
    """What one process fetched, the next one answers from without a request."""
    patient = f"from openrouter_pricing import _store; _store._READ = {PATIENCE}; {MAIN}"
    start = (sys.executable, "-c", patient)
    first = process("cost", "openai/gpt-4o-mini", "1000", "500", start=start)
    second = process("cost", "openai/gpt-4o-mini", "1000", "500", start=start)

    assert first == second
    assert len(upstream.requests) == 1


def test_without_a_network_it_answers_from_the_snapshot_and_says_so() -> None:
    """With nobody to ask, the bundled price is the answer, and one line on stderr says of when it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
    status, out, err = process("cost", "openai/gpt-4o-mini", "1000", "500", OPENROUTER_PRICING_BASE_URL=nobody)

    assert status == 0
    assert out.startswith("0.000585 USD  openai/gpt-4o-mini  (bundled, prices of 20")
    assert err.startswith("note: no fresh prices are at hand; these are the bundled snapshot, of 20")
    assert err.count("\n") == 1


def test_the_deadline_is_capped() -> None:
    """A deadline of an hour is cut to 8 s, so that an answer comes soon from the snapshot."""
    asked: list[bytes] = []
    done = threading.Event()

    def stay_silent(conn: socket.socket) -> None:
        asked.append(read_request(conn))
        done.wait(PATIENCE)  # and hang up, which is tried again before the deadline

    with raw_peer(stay_silent) as url:
        status, out, _ = process(
            "cost",
            "openai/gpt-4o-mini",
            "1000",
            "500",
            OPENROUTER_PRICING_BASE_URL=url,
            OPENROUTER_PRICING_DEADLINE="3600",
            OPENROUTER_PRICING_READ_TIMEOUT="3600",
        )
        done.set()

    assert status == 0
    assert "(bundled, " in out
    assert len(asked) == 1


def test_prices_past_their_time_are_fetched_and_not_answered_stale(
    ask: Ask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends at once cannot refresh behind an answer, so it waits for the new price."""
    monkeypatch.setenv("OPENROUTER_PRICING_L2_TTL", "0.001")
    ask("refresh")
    upstream.say(row(pricing={"prompt": "1", "completion": "1"}))
    status, out, _ = ask("cost", "openai/gpt-4o-mini", "1", "0")

    assert status == 0
    assert out.startswith("1.3 USD  ")
    assert len(upstream.requests) == 2


def test_stale_prices_are_said_to_be_stale(ask: Ask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a refresh fails, the stored price is the answer, and stderr says so."""
    monkeypatch.setenv("OPENROUTER_PRICING_L2_TTL", "0.001")
    ask("refresh")
    upstream.fail(404)
    status, out, err = ask("cost", "openai/gpt-4o-mini", "1000", "500", "--json")

    assert (status, json.loads(out)["source"]) == (0, "stale")
    assert err.startswith("note: no fresh prices are at hand; these are those that were stored, of 20")


# -- models and model ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("several")
def test_models_is_a_table_of_aligned_columns(ask: Ask) -> None:
    """Piped, the table has a header and aligned columns, is never cut, and has neither box nor colour."""
    assert ask("models") == (
        0,
        (
            "id        category   context    prompt  completion  name\n"
            "b/dear    Reasoning       10        60          60  zeta\n"
            "c/router  -                -  variable    variable  eta\n"
            "a/cheap   Budget          30       0.1           0  Alpha\n"
            "d/embed   Standard        20         2           -  beta\n"
        ),
        "",
    )


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (("--sort", "id"), "a/cheap b/dear c/router d/embed"),
        (("--sort", "name"), "a/cheap d/embed c/router b/dear"),
        (("--sort", "price"), "a/cheap d/embed b/dear c/router"),
        (("--sort", "context"), "a/cheap d/embed b/dear c/router"),
        (("--sort", "id", "--limit", "2"), "a/cheap b/dear"),
        (("--text", "ET", "--provider", "D"), "d/embed"),
        (("--category", "budget"), "a/cheap"),
        (("--min-context", "20"), "a/cheap d/embed"),
        (("--max-prompt-price", "2"), "a/cheap d/embed"),
        (("--max-prompt-price", "1.99"), "a/cheap"),
        (("--modality", "embeddings"), "d/embed"),
        (("--modality", "text+image->text", "--limit", "1"), "b/dear"),
        (("--supports", "tools", "--supports", "temperature", "--sort", "id"), "a/cheap b/dear c/router"),
    ],
)
def test_models_takes_every_filter_and_order(ask: Ask, args: tuple[str, ...], ids: str) -> None:
    """Each filter of ``Catalog.find`` is an option; the highest price is meant per million tokens."""
    status, out, _ = ask("models", "--json", *args)
    answer = json.loads(out)

    assert (status, answer["source"]) == (0, "live")
    assert sorted(ids.split()) == sorted(model["id"] for model in answer["models"])
    if "--sort" in args:
        assert ids.split() == [model["id"] for model in answer["models"]]


@pytest.mark.usefixtures("several")
def test_no_model_that_fits_is_an_empty_answer(ask: Ask) -> None:
    """Conditions that nothing meets print nothing but a note; as JSON, an empty list."""
    assert ask("models", "--text", "nothing") == (0, "", "note: no model meets these conditions\n")
    assert json.loads(ask("models", "--text", "nothing", "--json")[1])["models"] == []


def test_model_shows_the_whole_price_list_and_overrides_in_words(ask: Ask, upstream: Upstream) -> None:
    """Every listed price has its unit, every condition is in words, and what is never charged is named."""
    upstream.say(
        row(
            context_length=None,
            supported_parameters=[],
            pricing={
                "prompt": "0.000001",
                "completion": "0.000002",
                "request": "0.01",
                "image": "0.003",
                "web_search": "0.02",
                "discount": 0.25,
                "shipping": "1",
                "overrides": [
                    {"prompt": "0.000003", "image": "0.000003", "min_prompt_tokens": 200000},
                    {"completion": "-1", "utc_start": 1630, "utc_days": ["sunday", "monday", "noday"]},
                    {"web_search": "0.05", "utc_end": 30},
                    {"utc_days": []},
                    {"prompt": "0", "moon_phase": "full"},
                    {"prompt": "0.000005"},
                ],
            },
        )
    )
    status, out, err = ask("model", "openai/gpt-4o-mini:nitro")
    lines = out.splitlines()

    assert (status, err) == (0, "")
    assert lines[0].startswith("openai/gpt-4o-mini  OpenAI: GPT-4o-mini  (live, prices of 20")
    assert lines[1:] == [
        "provider: openai",
        "canonical slug: openai/gpt-4o-mini",
        "takes: text, image",
        "gives: text",
        "category: -",
        "item          USD  per",
        "prompt          1  million tokens",
        "completion      2  million tokens",
        "request      0.01  request",
        "image       0.003  image",
        "web_search   0.02  search",
        "for more than 200000 prompt tokens: prompt 3 USD per million tokens, image 3 USD per million tokens",
        "from 16:30 to 24:00 UTC, on Monday, Sunday (UTC): completion variable",
        "from 00:00 to 00:30 UTC: web_search 0.05 USD per search",
        "on no day (UTC): no other prices",
        "never applied, as its conditions are not known here (moon_phase): prompt 0 USD per million tokens",
        "always: prompt 5 USD per million tokens",
        "discount: 0.25, already taken off these prices",
        "listed, but not known here and never charged: shipping",
    ]


def test_model_as_json_has_the_price_list_as_strings(ask: Ask) -> None:
    """``--json`` gives the model, its prices as strings, and where they come from."""
    status, out, _ = ask("model", "openai/gpt-4o-mini", "--json")
    answer = json.loads(out)

    assert (
        status,
        answer["id"],
        answer["category"],
        answer["source"],
    ) == (0, "openai/gpt-4o-mini", "Budget", "live")
    assert answer["pricing"] == {"prompt": "1.5E-7", "completion": "6E-7", "input_cache_read": "7.5E-8"}


def test_a_router_model_has_no_category_and_no_price(ask: Ask, upstream: Upstream) -> None:
    """``-1`` is shown as variable, never as an amount."""
    upstream.say(row(pricing={"prompt": "-1", "completion": "-1"}))
    _, out, _ = ask("model", "openai/gpt-4o-mini")

    assert "category: -\n" in out
    assert out.count("variable") == 2
    assert None is json.loads(ask("model", "openai/gpt-4o-mini", "--json")[1])["category"]


# -- terminals, pipes, hostile names -------------------------------------------------------------------------------


def test_a_terminal_gets_a_spinner_and_colours() -> None:
    """On a terminal it shows that it waits, draws a table, and colours categories."""
    shown = terminal("models")

    assert "asking for prices" in shown
    assert "─────" in shown
    assert "\x1b[32mBudget" in shown
    assert "\x1b[1;32m0.000585 USD\x1b[0m" in terminal("cost", "openai/gpt-4o-mini", "1000", "500")


@pytest.mark.parametrize("command", [("models",), ("cost", "openai/gpt-4o-mini", "1", "1"), ("refresh",), ("doctor",)])
def test_a_pipe_gets_no_spinner_and_no_colours(command: tuple[str, ...]) -> None:
    """Piped, there is the answer alone, without one control sequence, and nothing on stderr."""
    status, out, err = process(*command)

    assert (status, err) == (0, "")
    assert out.replace("\n", "").isprintable()


@pytest.mark.parametrize("command", [("models",), ("model", "openai/gpt-4o-mini")])
def test_hostile_names_are_escaped(upstream: Upstream, command: tuple[str, ...]) -> None:
    """Control characters, C1 and bidi overrides are spelt out, and markup is not obeyed, in a pipe and a terminal."""
    upstream.say(row(name=HOSTILE))

    assert ESCAPED in process(*command)[1]
    assert ESCAPED in terminal(*command)


def test_json_is_printable_ascii(upstream: Upstream) -> None:
    """A hostile name in JSON output is escaped too, and reads back as it was."""
    upstream.say(row(name=HOSTILE + "\x7f"))
    _, out, _ = process("model", "openai/gpt-4o-mini", "--json")

    assert out.isascii()
    assert out.replace("\n", "").isprintable()
    assert json.loads(out)["name"] == HOSTILE + "\x7f"


def test_hostile_arguments_are_escaped_in_errors() -> None:
    """What was typed comes back in one printable line."""
    for args in (("cost", "\x1b[31m\nx\u202e", "1", "1"), ("cost", "m", "\x1b[31m\nx\u202e", "1")):
        _, _, err = process(*args)

        assert err.count("\n") == 1
        assert err[:-1].isprintable()


def test_a_terminal_that_cannot_show_a_letter_gets_its_number(upstream: Upstream) -> None:
    """An encoding without a letter is no reason to fail."""
    upstream.say(row(name="Ümlaut"))

    assert "\\xdcmlaut" in process("models", PYTHONIOENCODING="ascii")[1]


def test_a_reader_that_goes_away_is_no_news() -> None:
    """A closed pipe ends the command without a word."""
    running = subprocess.Popen((*MODULE, "models"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    with running.stderr:
        assert running.stderr.read() == b""
    assert running.wait(10 * PATIENCE) == 1


def test_no_stdout_at_all_is_no_error() -> None:
    """With stdout closed from the start there is nobody to tell, and nothing goes wrong."""
    assert process(start=("sh", "-c", f"exec {sys.executable} -m openrouter_pricing refresh >&-")) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_under_stdout_is_one_line() -> None:
    """Output that cannot be written is an error of one line."""
    status, _, err = process(start=("sh", "-c", f"exec {sys.executable} -m openrouter_pricing models >/dev/full"))

    assert (status, err) == (1, "openrouter-pricing: [Errno 28] No space left on device\n")


def test_an_interrupt_ends_it_with_status_130() -> None:
    """Ctrl-C while it waits ends it without a traceback."""
    started = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def interrupt(conn: socket.socket) -> None:
        read_request(conn)
        started.wait(PATIENCE)
        running[0].send_signal(signal.SIGINT)
        conn.recv(1)

    with raw_peer(interrupt) as url:
        code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {MAIN}"
        running.append(
            subprocess.Popen(
                (sys.executable, "-c", code, "refresh"),
                env={**os.environ, "OPENROUTER_PRICING_BASE_URL": url},
                stderr=subprocess.PIPE,
            )
        )
        started.set()
        _, err = running[0].communicate(timeout=10 * PATIENCE)

    assert (running[0].returncode, err.strip()) == (130, b"")


def test_an_interrupt_while_it_starts_ends_it_with_status_130() -> None:
    """Ctrl-C during the imports ends it without a traceback too."""
    assert process("refresh", start=blocked("click", "KeyboardInterrupt")) == (130, "", "")


@pytest.mark.parametrize("module", ["click", "rich"])
@pytest.mark.parametrize("error", ["ModuleNotFoundError(f'No module named {name!r}', name=name)", "ImportError('no')"])
def test_without_the_extra_it_says_how_to_get_it(module: str, error: str) -> None:
    """Where click or rich is missing, one line tells what to install, and the status is 1."""
    status, out, err = process("cost", "openai/gpt-4o-mini", "1", "1", start=blocked(module, error))

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "pip install 'openrouter-pricing[cli]'" in err


def test_another_broken_import_is_not_taken_for_a_missing_extra() -> None:
    """A fault of the installation is not hidden behind a wrong hint."""
    _, _, err = process("refresh", start=blocked("attrs", "ImportError('no', name=name)"))

    assert "ImportError: no" in err
    assert "pip install" not in err


# -- refresh and snapshot ------------------------------------------------------------------------------------------


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


def test_help_and_version_are_answers() -> None:
    """``--help`` lists every command, ``--version`` the release; both are status 0."""
    status, out, err = process("--help")

    assert (status, err) == (0, "")
    for command in ("cost", "models", "model", "refresh", "snapshot", "settings", "doctor"):
        assert f"\n  {command} " in out
    assert process("--version")[1].startswith("openrouter-pricing, version ")


def test_the_command_line_and_the_sdk_agree(ask: Ask, upstream: Upstream) -> None:
    """The command prints what the SDK answers from the same store."""
    printed = json.loads(ask("cost", "openai/gpt-4o-mini", "123", "456", "--json")[1])
    with Pricing(Settings(base_url=upstream.url)) as pricing:
        assert pricing.cost("openai/gpt-4o-mini", 123, 456).to_dict() == printed


def test_rows_that_cannot_be_read_are_not_news_here(upstream: Upstream) -> None:
    """A hostile row is left out, without a line on stderr."""
    upstream.answer = Answer(models(row(), {"id": HOSTILE}))
    status, out, err = process("models")

    assert (status, out.count("\n"), err) == (0, 2, "")
