"""What the commands share: how options are read, and where the prices of one answer come from."""

from __future__ import annotations

import json
import socket
import sys
import threading

import pytest
from support.commands import MAIN, Ask, process
from support.upstream import Answer, Upstream, raw_peer, read_request, row, steady
from support.waiting import PATIENCE


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
    upstream.answer = Answer(steady())
    ask("refresh")
    upstream.answer = Answer(steady(row(pricing={"prompt": "1", "completion": "1"})))
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
