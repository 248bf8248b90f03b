"""The legacy Open WebUI API, as its users import it: through a module of one line, under asyncio, over real HTTP."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.recorded import recorded, recorded_names
from support.upstream import Answer, Upstream, raw_peer, read_request, row
from support.waiting import PATIENCE
from support.webui import EXPECTED, KEYS, ROWS, run

from openrouter_pricing import openwebui


def test_every_name_is_exported(legacy: ModuleType) -> None:
    """The one line gives all names of the old module and of the package that replaced it."""
    names = [
        "get_dynamic_model_pricing",
        "OpenRouterModelsAPI",
        "openrouter_models_api",
        "OpenRouterRepository",
        "RepositoryError",
        "ModelPricingRepository",
        "CachedOpenRouterRepository",
        "PricingCalculatorService",
        "CacheManager",
        "ModelMapperService",
        "ModelPricing",
        "ModelCategory",
        "PricingResponse",
        "MetricsCollector",
        "metrics",
        "TimedOperation",
        "RetryPolicy",
        "CircuitBreaker",
    ]
    assert set(names) == set(openwebui.__all__)
    assert [] == [name for name in names if not hasattr(legacy, name)]


def test_live_prices(legacy: ModuleType, upstream: Upstream) -> None:
    """All models with all keys, sorted by provider and name; every value is the old module's, routers included."""
    before = datetime.now(timezone.utc)
    answer = run(legacy.get_dynamic_model_pricing())
    after = datetime.now(timezone.utc)
    assert ["success", "models", "last_updated", "source", "error"] == list(answer)
    assert (True, "openrouter_api", None) == (answer["success"], answer["source"], answer["error"])
    assert EXPECTED == answer["models"]
    assert [KEYS] * len(ROWS) == [list(model) for model in answer["models"]]
    assert -1_000_000.0 == next(m for m in answer["models"] if m["id"] == "openrouter/auto")["price_per_million_input"]
    assert before <= datetime.fromisoformat(answer["last_updated"]) <= after
    assert json.dumps(answer)


def test_it_is_cached(legacy: ModuleType, upstream: Upstream) -> None:
    """Asked again it asks nobody, and its answers are the caller's own; forced it does."""
    first = run(legacy.get_dynamic_model_pricing())
    first["models"][0]["architecture"]["modality"] = first["models"][0]["name"] = "changed"
    first["models"].pop()
    assert EXPECTED == run(legacy.get_dynamic_model_pricing())["models"]
    assert 1 == len(upstream.requests)
    assert EXPECTED == run(legacy.openrouter_models_api.fetch_models(force_refresh=True))["models"]
    assert 2 == len(upstream.requests)


def test_what_is_given_is_the_callers_own(legacy: ModuleType) -> None:
    """Changing models and rows, and what is nested in them, changes no later prices; lists are each call's own."""

    async def ask() -> list[Any]:
        return list(await asyncio.gather(*(legacy.get_dynamic_model_pricing() for _ in range(2))))

    repository = legacy.OpenRouterRepository()
    one, other = run(ask())
    first = one["models"].pop(0)
    assert EXPECTED == other["models"]
    first["architecture"]["modality"] = first["name"] = "changed"
    changed = [run(repository.fetch_all_models())[0], run(repository.fetch_model_by_id("alone"))]
    for model in changed:
        model.price_per_million_input = model.architecture["modality"] = 99.0
    assert EXPECTED == run(legacy.get_dynamic_model_pricing())["models"]
    assert EXPECTED == [model.to_dict() for model in run(repository.fetch_all_models())]


CROWD = Path(__file__).parents[1] / "support" / "crowd.py"
CALLS = re.findall(r'^    "(.+)": lambda', CROWD.read_text(), re.MULTILINE)


@pytest.mark.parametrize("day", ["made up", *recorded_names()[-1:]])
@pytest.mark.parametrize("name", CALLS)
def test_a_hundred_at_once(legacy: ModuleType, upstream: Upstream, tmp_path: Path, name: str, day: str) -> None:
    """A hundred concurrent calls of one kind are one request, and no turn of the event loop has a list to work on."""
    provider = {"context_length": 128000, "max_completion_tokens": 16384, "is_moderated": True}
    rows = [row(f"openai/model-{number}", top_provider=provider) for number in range(400)]
    upstream.say(*(rows if day == "made up" else [*recorded(day)["data"], rows[7]]))
    # What measures the coverage would be counted too.
    untraced = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_PROCESS")}
    environment = {**untraced, "PYTHONPATH": str(tmp_path)}
    crowd = [sys.executable, CROWD, name]
    done = subprocess.run(crowd, env=environment, capture_output=True, text=True, check=True, timeout=10 * PATIENCE)
    found = json.loads(done.stdout)
    assert (100, True, 1) == (found["answers"], found["alike"], len(upstream.requests))
    # Nothing is waited for, connected to or decoded in the loop's thread, and one thread at a time computes.
    assert {} == found["stops"]
    assert found["threads"] <= 4
    # Some dozens of calls a caller, or some hundreds where each gets a copy of a model: a list has some hundred models.
    assert found["most"] <= 100 * (400 if re.search("by_id|calculate_cost", name) else 60)


def test_loops_in_several_threads(legacy: ModuleType, upstream: Upstream) -> None:
    """Event loops in four threads share one request, and each caller has its answer."""
    hold = threading.Event()
    upstream.say(*ROWS, hold=hold)
    found: list[Any] = []

    async def ask() -> None:
        tasks = [asyncio.create_task(legacy.get_dynamic_model_pricing()) for _ in range(25)]
        if barrier.wait(PATIENCE) == 0:
            hold.set()
        found.extend(answer["models"] for answer in await asyncio.gather(*tasks))

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=lambda: run(ask())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [EXPECTED] * 100 == found
    assert 1 == len(upstream.requests)


def test_after_a_fork(legacy: ModuleType, upstream: Upstream) -> None:
    """A forked child answers from what its parent held, fetches by itself, and ends without the parent noticing."""
    run(legacy.get_dynamic_model_pricing())
    pid = os.fork()
    if pid == 0:
        good = False
        try:
            answers = [run(legacy.get_dynamic_model_pricing(force)) for force in (False, True)]
            good = [EXPECTED] * 2 == [answer["models"] for answer in answers]
            run(legacy.openrouter_models_api.close())
        finally:
            os._exit(0 if good else 1)
    assert 0 == os.waitpid(pid, 0)[1]
    assert 2 == len(upstream.requests)
    assert EXPECTED == run(legacy.get_dynamic_model_pricing())["models"]
    assert 2 == len(upstream.requests)


def test_importing_does_nothing(tmp_path: Path) -> None:
    """The star import opens no socket and no file to write, starts no thread, and loads nothing that speaks HTTP."""
    code = (
        "import sys\n"
        "seen = []\n"
        "def hook(event, args):\n"
        "    writes = event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+')\n"
        "    if writes or event.startswith(('socket.', 'subprocess.', 'sqlite3.', '_thread.', 'os.mkdir')):\n"
        "        seen.append(event)\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(hook)\n"
        "from openrouter_pricing.openwebui import *\n"
        "heavy = {'requests', 'urllib3', 'stamina', 'diskcache'}\n"
        "print(seen, sorted(heavy & set(sys.modules)), get_dynamic_model_pricing)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[] [] <function get_dynamic_model_pricing")
    assert "" == done.stderr


def test_a_failing_upstream(legacy: ModuleType, upstream: Upstream) -> None:
    """Where the API fails, the prices of before answer as such, and success stays true; it recovers."""
    before = run(legacy.get_dynamic_model_pricing())
    upstream.fail(503)
    answer = run(legacy.get_dynamic_model_pricing(force_refresh=True))
    assert (True, "cache_fallback", None) == (answer["success"], answer["source"], answer["error"])
    assert (EXPECTED, before["last_updated"]) == (answer["models"], answer["last_updated"])
    upstream.say(*({**listed, "name": "recovered"} for listed in ROWS))
    answer = run(legacy.get_dynamic_model_pricing(True))
    assert ("openrouter_api", {"recovered"}) == (answer["source"], {model["name"] for model in answer["models"]})


def test_no_secret_is_told(
    legacy: ModuleType, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What an answer, an error or the log says of a failure holds neither the key nor a password."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-hidden")
    monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", upstream.url.replace("//", "//user:hidden@"))
    for answer in (Answer(b"Bearer sk-or-hidden hidden", 401), Answer(b"sk-or-hidden")):
        upstream.answer = answer
        told = run(legacy.get_dynamic_model_pricing())["error"]
        with pytest.raises(legacy.RepositoryError) as caught:
            run(legacy.OpenRouterRepository().fetch_all_models())
        assert told
        assert "hidden" not in told + str(caught.value)
    assert caplog.text
    assert "hidden" not in caplog.text


def test_the_global(legacy: ModuleType, upstream: Upstream) -> None:
    """The global has the repository's methods too, and makes its prices anew after its end."""
    api = legacy.openrouter_models_api
    assert isinstance(api, legacy.OpenRouterModelsAPI)
    assert len(ROWS) == len(run(api.fetch_all_models()))
    run(api.close())
    run(api.close())
    assert EXPECTED == run(api.fetch_models())["models"]
    assert 2 == len(upstream.requests)


def test_it_answers_while_the_upstream_hangs(legacy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hung upstream holds neither the loop nor its end up: when that has come, the fetch is still under way."""
    asked = threading.Event()

    def stay_silent(conn: socket.socket) -> None:
        read_request(conn)
        asked.set()
        conn.recv(1)

    async def give_up() -> bool:
        question = asyncio.create_task(legacy.get_dynamic_model_pricing())
        while not asked.is_set():
            await asyncio.sleep(0.001)
        return question.cancel()

    with raw_peer(stay_silent) as url:
        monkeypatch.setenv("OPENROUTER_PRICING_BASE_URL", url)
        assert run(give_up()) is True
        stats = openwebui._SHARED.pricing().stats()
        assert (1, 0, {}) == (stats.fetches, stats.refreshes, stats.failures)
        openwebui._SHARED.close()


def test_answer_of_a_404_page(legacy: ModuleType, upstream: Upstream) -> None:
    """What is no catalogue is never one."""
    upstream.answer = Answer(b"<html>")
    assert "hardcoded_fallback" == run(legacy.get_dynamic_model_pricing())["source"]


@pytest.mark.parametrize("name", [None, "open_webui.utils.openrouter_models_old"])
def test_rolling_back(legacy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    """Three lines and a variable bring the old file back, and without the variable the new one answers."""
    folder = tmp_path / "open_webui" / "utils"
    (folder / "openrouter_models_old.py").write_text("get_dynamic_model_pricing = 'old'\n")
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "openwebui.md").read_text()
    shim = page.partition("## Rolling back")[2].partition("```text\n")[2].partition("```")[0]
    (folder / "openrouter_models.py").write_text(shim)
    assert 3 == len([line for line in shim.splitlines() if not line.startswith("#")])
    if name is not None:
        monkeypatch.setenv("OPENROUTER_MODELS", name)
    del sys.modules["open_webui.utils.openrouter_models"]
    importlib.invalidate_caches()
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    module = importlib.import_module("open_webui.utils.openrouter_models")
    sys.dont_write_bytecode = before
    assert (openwebui.get_dynamic_model_pricing if name is None else "old") == module.get_dynamic_model_pricing
