"""Tests of the Celery application, with a real worker and its forked children."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from openrouter_pricing import Catalog, Pricing, Settings

ROWS = [{"id": "acme/small", "pricing": {"prompt": "0.001", "completion": "0.002"}}]
SAID = {
    "id": "gen-7",
    "model": "acme/small",
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 1.25},
}
BY_A_CHILD = r"/ForkPoolWorker-\d\] Task celery_app\.meter\S+ succeeded"
CONFIG = {
    "broker_url": "filesystem://",  # a real project has Redis or RabbitMQ
    "result_backend": "file://results",
}


@pytest.fixture
def celery_app(monkeypatch, tmp_path):
    """The application as a module made anew, in a directory of its own."""
    for name in ("messages", "control", "results"):
        (tmp_path / name).mkdir()
    folders = {
        "data_folder_in": "messages",
        "data_folder_out": "messages",
        "control_folder": "control",
    }
    config = {**CONFIG, "broker_transport_options": folders}
    lines = [f"{name} = {value!r}" for name, value in config.items()]
    (tmp_path / "celeryconfig.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("celery_app", None)
    sys.modules.pop("celeryconfig", None)
    return importlib.import_module("celery_app")


@pytest.fixture
def worker(celery_app, stand_in, tmp_path):
    """A worker with two children; it asks a server on this machine for everything."""
    environ = {
        **os.environ,
        "OPENAI_API_KEY": "sk-or-v1-...",
        "OPENAI_BASE_URL": stand_in.url,
        "OPENROUTER_PRICING_BACKEND": f"disk://{tmp_path}/prices",
        "OPENROUTER_PRICING_BASE_URL": stand_in.url,
        "OPENROUTER_PRICING_OFFLINE": "false",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(tmp_path)]),
    }
    command = "-m celery -A celery_app worker --pool=prefork --concurrency=2 -l INFO"
    with (
        Path("worker.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, *command.split()], env=environ, stdout=log, stderr=log
        ) as process,
    ):
        yield process
        process.terminate()  # the worker lets its children end what they have begun
        assert process.wait(timeout=30) == 0


def wait_for(ask, is_it, seconds=60):
    """What ``ask`` says, as soon as it is what is waited for."""
    deadline = time.monotonic() + seconds
    while not is_it(said := ask()):
        assert time.monotonic() < deadline, Path("worker.log").read_text()
        time.sleep(0.05)
    return said


def test_a_worker_meters_its_calls(celery_app, worker, stand_in):
    """Children price by what their parent fetched, and every call is in the ledger."""
    answers = [celery_app.ask.delay("ann", "Hello!") for _ in range(4)]
    assert [answer.get(timeout=60) for answer in answers] == ["Hello!"] * 4
    owed = wait_for(lambda: celery_app.ledger.owed("ann"), lambda owed: owed.count == 4)
    assert owed.total == 4 * Decimal("0.000009165")
    assert stand_in.asked.count("/chat/completions") == 4
    assert stand_in.asked.count("/models") == 1
    wait_for(Path("worker.log").read_text, re.compile(BY_A_CHILD).search)


def test_a_task_that_runs_again_charges_once(celery_app, monkeypatch):
    """A broker may deliver a message twice."""
    pinned = Pricing(Settings(markup_rate=2), catalog=Catalog.from_models(ROWS))
    monkeypatch.setattr(celery_app, "pricing", pinned)
    message = json.loads(json.dumps(SAID))
    for _ in range(2):
        assert celery_app.meter.apply(("bob", message)).get() == "2.50"
    assert celery_app.ledger.owed("bob").count == 1
