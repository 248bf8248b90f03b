"""What the commands share: how options are read, and where the prices of one answer come from."""

from __future__ import annotations

import json
import socket
import sys
import threading

import click
import pytest
from support.commands import MAIN, Ask, process
from support.upstream import Answer, Upstream, raw_peer, read_request, row, steady
from support.waiting import PATIENCE

from openrouter_pricing.cli.options import Count


@pytest.mark.parametrize(
    ("at", "total"),
    [
        ("2026-11-22T10:29:59Z", "costs 1 USD; charge 1 USD (× 1)"),
        ("2026-11-22T10:30:00z", "costs 7 USD; charge 7 USD (× 1)"),
        ("2026-11-22T11:30:00+01:00", "costs 7 USD; charge 7 USD (× 1)"),
        ("2026-11-22T11:29:59.500000+01:00", "costs 1 USD; charge 1 USD (× 1)"),
    ],
)
def test_cost_takes_the_time_of_the_call(ask: Ask, upstream: Upstream, at: str, total: str) -> None:
    """``--at`` chooses among prices that depend on the time; ``Z`` and offsets are read."""
    timed = {"prompt": "7", "utc_start": 1030, "utc_end": 1100}
    upstream.say(row(pricing={"prompt": "1", "completion": "1", "overrides": [timed]}))
    status, out, _ = ask("cost", "openai/gpt-4o-mini", "1", "0", "--markup", "1", "--at", at)

    assert status == 0
    assert out.startswith(f"{total}  ")


def test_a_second_process_answers_from_disk(upstream: Upstream) -> None:
    """What one process fetched, the next one answers from without a request."""
    patient = f"from openrouter_pricing._freshness import store; store.READ = {PATIENCE}; {MAIN}"
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
    assert out.startswith("costs 0.00045 USD; charge 0.000585 USD (× 1.3)  openai/gpt-4o-mini  (bundled, prices of 20")
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
    upstream.answer = Answer(steady())
    ask("refresh")
    upstream.answer = Answer(steady(row(pricing={"prompt": "1", "completion": "1"})))
    status, out, _ = ask("cost", "openai/gpt-4o-mini", "1", "0")

    assert status == 0
    assert out.startswith("costs 1 USD; charge 1.3 USD ")
    assert len(upstream.requests) == 2


def test_stale_prices_are_said_to_be_stale(ask: Ask, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a refresh fails, the stored price is the answer, and stderr says so."""
    monkeypatch.setenv("OPENROUTER_PRICING_L2_TTL", "0.001")
    ask("refresh")
    upstream.fail(404)
    status, out, err = ask("cost", "openai/gpt-4o-mini", "1000", "500", "--json")

    assert (status, json.loads(out)["source"]) == (0, "stale")
    assert err.startswith("note: no fresh prices are at hand; these are those that were stored, of 20")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("1000", 1000),
        ("0007", 7),
        ("1,000", 1000),
        ("12,345,678", 12345678),
        ("1_000_0", 10000),
        ("1k", 1000),
        ("1K", 1000),
        ("1.5M", 1500000),
        ("1.5m", 1500000),
        ("0.001k", 1),
        ("1,000k", 1000000),
        ("0.10k", 100),
        ("1" + 18 * "0", 10**18),
        ("1000000000000M", 10**18),
        ("1.000000000000000001" + "M", None),
        ("1" + 17 * "0" + "1", None),
        ("9" * 400, None),
        ("1" + 18 * "0" + "k", None),
        ("", None),
        ("1.5", None),
        ("1.0", None),
        ("1.000", None),
        ("1,00", None),
        (",100", None),
        ("1000,000", None),
        ("1,000_000", None),
        ("_1", None),
        ("1_", None),
        ("1.2345k", None),
        (".5k", None),
        ("1.k", None),
        ("k", None),
        ("1kk", None),
        ("1G", None),
        ("1e3", None),
        ("+5", None),
        ("-5", None),
        ("-1.5k", None),
        ("0x10", None),
        (" 1", None),
        ("1\n", None),
        ("\u0661", None),
        ("nan", None),
    ],
)
def test_a_count(text: str, number: int | None) -> None:
    """Thousands may be grouped, k and M multiply; what is no whole number from 0 to 10**18 is refused."""
    if number is None:
        with pytest.raises(click.BadParameter):
            Count().convert(text, None, None)
    else:
        assert number == Count().convert(text, None, None)
        assert number == Count().convert(number, None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-5", "-5 is negative."),
        ("0", "0 is below 1."),
        ("1001", "1001 is above 1,000."),
        ("1.5", "'1.5' is no whole number, such as 1000, 1,000, 1k or 1.5M."),
        ("x" * 100, f"'{'x' * 40}...' is no whole number, such as"),
        ("1" * 100, f"{'1' * 40} is above 1,000."),
    ],
)
def test_what_is_wrong_with_a_count_is_said(text: str, said: str) -> None:
    """The message shows what was typed, the beginning of it at least, and what is accepted."""
    with pytest.raises(click.BadParameter) as caught:
        Count(1, 1000).convert(text, None, None)
    assert caught.value.message.startswith(said)
