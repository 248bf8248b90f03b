"""Tests of the cron job, each with processes of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

JOB = Path(__file__).with_name("bill_yesterday.py")
MODEL = "openai/gpt-4o-mini"
TOKENS = {"prompt_tokens": 1000, "completion_tokens": 500}
REPORTED = {"model": MODEL, "usage": {**TOKENS, "cost": 0.00045}}
UNREPORTED = {"model": MODEL, "usage": TOKENS}


@pytest.fixture
def start(monkeypatch, stand_in, tmp_path):
    """Starts the job; it asks a server on this machine, and keeps prices on disk."""
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", f"disk://{tmp_path}/prices")
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", stand_in.url)
    monkeypatch.setenv("OPENROUTER_PRICING_OFFLINE", "false")

    def start(*arguments, **environ):
        return subprocess.Popen(
            [sys.executable, JOB, *arguments],
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    return start


@pytest.fixture
def run(start):
    """Runs it to its end: its exit status, and what it said."""

    def run(*arguments, **environ):
        process = start(*arguments, **environ)
        said = process.communicate(timeout=60)
        return process.returncode, *said

    return run


def write_log(day, *responses):
    """A log in which ann and bob take turns."""
    calls = [
        {"customer": "bob" if number % 2 else "ann", "response": response}
        for number, response in enumerate(responses)
    ]
    Path("logs").mkdir(exist_ok=True)
    text = "".join(json.dumps(call) + "\n" for call in calls)
    Path("logs", f"{day}.jsonl").write_text(text)


def bill(day):
    """What was billed."""
    return json.loads(Path("bills", f"{day}.json").read_text())


def test_yesterday(run):
    """Without a day it is yesterday's, in UTC; each customer's calls are added up."""
    day = f"{datetime.now(timezone.utc) - timedelta(days=1):%Y-%m-%d}"
    write_log(day, REPORTED, UNREPORTED, REPORTED)
    said = f"{day}: 0.001755 USD (0.00135 raw, 3 calls)\n"
    assert run("logs", "bills") == (0, said, "")
    totals = {name: each["total"] for name, each in bill(day).items()}
    assert totals == {"ann": "0.001170", "bob": "0.000585000"}


def test_lines_that_cannot_be_priced(run):
    """They are told by number, the others are billed, and the status says so."""
    bad = {"error": {"code": 502}}
    write_log("2026-11-24", REPORTED, bad, {"model": "acme/new", "usage": TOKENS})
    status, _, problems = run("logs", "bills", "2026-11-24")
    first, second = problems.splitlines()
    assert (status, list(bill("2026-11-24"))) == (1, ["ann"])
    assert first.startswith("line 2: response has no usage")
    assert second.startswith("line 3: unknown model 'acme/new'")


def test_no_log(run):
    """It is an error of its own, and no empty bill is written."""
    status, _, said = run("logs", "bills", "2026-11-24")
    assert (status, said) == (2, "there is no log logs/2026-11-24.jsonl\n")
    assert not Path("bills").exists()


def test_openrouter_hangs(run):
    """What responses report is billed; what needs prices is told. It ends in time."""
    write_log("2026-11-24", REPORTED, UNREPORTED)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1"
        began = time.monotonic()
        status, said, problems = run(
            "logs",
            "bills",
            "2026-11-24",
            OPENROUTER_PRICING_BASE_URL=url,
            OPENROUTER_PRICING_DEADLINE="2",
        )
        took = time.monotonic() - began
    assert (status, said) == (1, "2026-11-24: 0.00117 USD (0.0009 raw, 2 calls)\n")
    assert problems == "line 2: priced by bundled prices\n"
    assert took < 8  # the deadline, two seconds to close, and a slow machine's start


def test_two_at_once(start, stand_in):
    """No lock: both write the same bill, and one of them fetches for both."""
    write_log("2026-11-24", *[UNREPORTED] * 20)
    jobs = [start("logs", "bills", "2026-11-24") for _ in range(2)]
    said = [job.communicate(timeout=60) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], said
    assert bill("2026-11-24")["ann"]["count"] == 10
    assert list(map(str, Path("bills").iterdir())) == ["bills/2026-11-24.json"]
    assert stand_in.asked == ["/models"]
