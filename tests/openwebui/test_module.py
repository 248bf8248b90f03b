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
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.hands import Hands
from support.recorded import recorded, recorded_names
from support.upstream import Answer, Upstream, raw_peer, read_request, row
from support.waiting import PATIENCE
from support.webui import EXPECTED, FALLBACK, KEYS, ROWS, expected, run

from openrouter_pricing import Pricing, Settings, VariablePriceError, openwebui


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


def test_nothing_was_ever_fetched(legacy: ModuleType, upstream: Upstream) -> None:
    """Without any prices the twelve rows answer, to the digit, and say why; later calls recover."""
    upstream.fail(500)
    answer = run(legacy.get_dynamic_model_pricing())
    assert ["success", "models", "last_updated", "source", "error"] == list(answer)
    assert (False, "hardcoded_fallback") == (answer["success"], answer["source"])
    assert "500" in answer["error"]
    figures = ["name", "provider", "price_per_million_input", "price_per_million_output", "context_length", "category"]
    assert FALLBACK == {model["id"]: tuple(model[key] for key in figures) for model in answer["models"]}
    assert list(FALLBACK) == [model["id"] for model in answer["models"]]
    assert [KEYS] * 12 == [list(model) for model in answer["models"]]
    upstream.say(*ROWS)
    assert "openrouter_api" == run(legacy.get_dynamic_model_pricing(force_refresh=True))["source"]


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


def test_the_circuit_breaker_of_the_upstream(legacy: ModuleType, upstream: Upstream, hands: Hands) -> None:
    """After three failures in a row the upstream is left alone for its time, and then answers again."""
    pricing = Pricing(Settings.from_env(fallback=False), clock=hands.clock)
    openwebui._SHARED._made["pricing"] = pricing
    repository = legacy.OpenRouterRepository()
    upstream.fail(500)
    assert [False] * 3 == [run(repository.health_check()) for _ in range(3)]
    assert (3, "open") == (len(upstream.requests), pricing.stats().breaker)
    assert run(repository.health_check()) is False
    assert 3 == len(upstream.requests)
    upstream.say(*ROWS)
    hands.turn(61)
    assert run(repository.health_check()) is True
    assert "openrouter_api" == run(legacy.get_dynamic_model_pricing())["source"]


def test_prices_on_disk(
    legacy: ModuleType, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prices of before a restart answer after it, without a request, and as a fallback once they are too old."""
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", f"disk://{tmp_path}/store")
    run(legacy.get_dynamic_model_pricing())
    upstream.fail(500)
    run(legacy.openrouter_models_api.close())
    answer = run(legacy.get_dynamic_model_pricing())
    assert ("openrouter_api", EXPECTED, 1) == (answer["source"], answer["models"], len(upstream.requests))
    run(legacy.openrouter_models_api.close())
    for name in ("L2_TTL", "STALE_WHILE_REVALIDATE"):
        monkeypatch.setenv(f"OPENROUTER_PRICING_{name}", "0.001")
    before, answer = answer, run(legacy.get_dynamic_model_pricing())
    assert ("cache_fallback", EXPECTED, 2) == (answer["source"], answer["models"], len(upstream.requests))
    assert before["last_updated"] == answer["last_updated"]


def test_offline(legacy: ModuleType, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the prices on disk answer, however old, and nothing is ever asked for."""
    monkeypatch.setenv("OPENROUTER_PRICING_BACKEND", f"disk://{tmp_path}/store")
    run(legacy.get_dynamic_model_pricing())
    run(legacy.openrouter_models_api.close())
    monkeypatch.setenv("OPENROUTER_PRICING_OFFLINE", "true")
    monkeypatch.setenv("OPENROUTER_PRICING_WARM_INTERVAL", "0.000001")
    assert "openrouter_api" == run(legacy.get_dynamic_model_pricing())["source"]
    assert "cache_fallback" == run(legacy.get_dynamic_model_pricing(True))["source"]
    assert (0, False) == (
        openwebui._SHARED.pricing().stats().fetches,
        run(legacy.OpenRouterRepository().health_check()),
    )
    assert 1 == len(upstream.requests)


def test_a_bad_environment(legacy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that cannot be read are named in the answer."""
    monkeypatch.setenv("OPENROUTER_PRICING_DEADLINE", "soon")
    answer = run(legacy.get_dynamic_model_pricing())
    assert ("hardcoded_fallback", 12) == (answer["source"], len(answer["models"]))
    assert "OPENROUTER_PRICING_DEADLINE" in answer["error"]


def test_stale_prices(legacy: ModuleType, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices that are out of date and cannot be renewed are a cache fallback; those being renewed are not yet."""
    for name, value in (("L1_TTL", "0"), ("L2_TTL", "0.001"), ("STALE_WHILE_REVALIDATE", "0")):
        monkeypatch.setenv(f"OPENROUTER_PRICING_{name}", value)
    assert "openrouter_api" == run(legacy.get_dynamic_model_pricing())["source"]
    upstream.fail(500)
    assert "cache_fallback" == run(legacy.get_dynamic_model_pricing())["source"]


def test_prices_are_renewed_before_they_are_missed(
    legacy: ModuleType, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question after the interval is answered at once, and prices are fetched behind it."""
    monkeypatch.setenv("OPENROUTER_PRICING_WARM_INTERVAL", "0.000001")
    run(legacy.get_dynamic_model_pricing())
    upstream.say(*({**listed, "name": "renewed"} for listed in ROWS))
    answer = run(legacy.get_dynamic_model_pricing())
    while answer["models"][0]["name"] != "renewed":
        answer = run(legacy.get_dynamic_model_pricing())
    assert "openrouter_api" == answer["source"]


# -- repositories ------------------------------------------------------------------------------------------------------


def test_the_repository(legacy: ModuleType, upstream: Upstream) -> None:
    """All models, one or none, its health, and an end after which it works again."""

    async def ask() -> tuple[Any, ...]:
        repository = legacy.OpenRouterRepository()
        assert isinstance(repository, legacy.ModelPricingRepository)
        models = await repository.fetch_all_models()
        found = [await repository.fetch_model_by_id(name) for name in ("a/fast", "a/none")]
        health = await repository.health_check()
        await repository.close()
        await repository.close()
        again = await repository.fetch_all_models()
        return [model.to_dict() for model in models], found[0].to_dict(), found[1], health, len(again)

    models, found, missing, health, again = run(ask())
    assert EXPECTED == models
    assert next(model for model in EXPECTED if model["id"] == "a/fast") == found
    assert (None, True, 8) == (missing, health, again)


def test_a_repository_of_somebody_elses_making(legacy: ModuleType, upstream: Upstream) -> None:
    """What a subclass says of the models is what the services answer from."""
    base = legacy.OpenRouterRepository

    class One(base):  # type: ignore[misc,valid-type]
        async def fetch_all_models(self) -> list[Any]:
            return (await super().fetch_all_models())[:1]

    service = legacy.PricingCalculatorService(One())
    assert EXPECTED[:1] == run(service.get_model_pricing())["models"]
    assert EXPECTED[:1] == run(service.get_cheapest_models())
    assert EXPECTED[:1] == [
        model.to_dict() for model in run(legacy.CachedOpenRouterRepository(One()).fetch_all_models())
    ]


def test_a_router_costs_what_it_used_to(legacy: ModuleType) -> None:
    """A router's legacy figures are negative here, and the facade refuses to price it."""
    service = legacy.PricingCalculatorService(legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository()))
    cost = run(service.calculate_cost("openrouter/auto", 1000, 500))
    assert (-1000.0, -500.0, -1500.0, -1950.0) == tuple(
        cost[key] for key in ("input_cost", "output_cost", "raw_cost", "markup_cost")
    )
    with pytest.raises(VariablePriceError):
        openwebui._SHARED.pricing().cost("openrouter/auto", 1000, 500)


def test_the_repository_fails(legacy: ModuleType, upstream: Upstream) -> None:
    """A failing API is a RepositoryError with its cause; one model then comes from the twelve rows, or from before."""
    upstream.fail(500)
    repository = legacy.OpenRouterRepository()
    with pytest.raises(legacy.RepositoryError, match="500") as caught:
        run(repository.fetch_all_models())
    assert "StatusError" == type(caught.value.__cause__).__name__
    assert 60.0 == run(repository.fetch_model_by_id("openai/o1-preview")).price_per_million_input
    with pytest.raises(legacy.RepositoryError, match="500"):
        run(repository.fetch_model_by_id("a/fast"))
    assert run(repository.health_check()) is False
    upstream.say(*ROWS)
    run(legacy.openrouter_models_api.close())
    assert "Fast" == run(repository.fetch_model_by_id("a/fast")).name
    upstream.fail(500)
    assert "Fast" == run(repository.fetch_model_by_id("a/fast")).name
    assert "O1 Preview" == run(repository.fetch_model_by_id("openai/o1-preview")).name


def test_older_prices_of_one_model(legacy: ModuleType, upstream: Upstream) -> None:
    """Where the shared prices are gone too, a cached repository answers for one model from the last list it saw."""
    cached = legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository(), l1_ttl_minutes=0, l2_ttl_minutes=0)
    run(cached.fetch_all_models())
    run(legacy.openrouter_models_api.close())
    upstream.fail(500)
    found = [run(cached.fetch_model_by_id(name)).name for name in ("a/fast", "openai/gpt-4o-mini", "openai/gpt-4")]
    assert ["Fast", "GPT-4o-mini", "GPT-4"] == found
    with pytest.raises(legacy.RepositoryError, match="500"):
        run(cached.fetch_model_by_id("a/none"))


def test_a_fresh_list_knows_all_models(legacy: ModuleType, upstream: Upstream) -> None:
    """A model that the cached list does not have is not asked for, until the list is too old."""
    cached = legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository())
    run(cached.fetch_all_models())
    for _ in range(3):
        assert run(cached.fetch_model_by_id("a/none")) is None
        with pytest.raises(ValueError, match=r"^Model not found: a/none$"):
            run(legacy.PricingCalculatorService(cached).calculate_cost("a/none", 1, 1))
    assert "Fast" == run(cached.fetch_model_by_id("a/fast")).name
    assert 1 == len(upstream.requests)
    run(cached.invalidate_cache())
    assert run(cached.fetch_model_by_id("a/none")) is None
    assert 2 == len(upstream.requests)


def test_prices_after_their_time(legacy: ModuleType, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices older than the second tier's time are a fallback at once where the API fails, unless told otherwise."""
    for name, value in (("L1_TTL", "0"), ("L2_TTL", "0.0000001")):
        monkeypatch.setenv(f"OPENROUTER_PRICING_{name}", value)
    for stale, source in (("", "cache_fallback"), ("3600", "openrouter_api")):
        monkeypatch.setenv("OPENROUTER_PRICING_STALE_WHILE_REVALIDATE", stale)
        run(legacy.openrouter_models_api.close())
        upstream.say(*ROWS)
        run(legacy.get_dynamic_model_pricing())
        upstream.fail(500)
        assert source == run(legacy.get_dynamic_model_pricing())["source"]


def test_no_thread_is_left(legacy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started the repository is not healthy, and says so."""

    async def ask() -> bool:
        monkeypatch.setattr(threading.Thread, "start", lambda self: (_ for _ in ()).throw(RuntimeError("no thread")))
        healthy: bool = await legacy.OpenRouterRepository().health_check()
        monkeypatch.undo()
        return healthy

    assert run(ask()) is False


def test_costs(legacy: ModuleType) -> None:
    """What each model costs is what exact arithmetic makes of the listed prices, to the last digits of a float."""
    service = legacy.PricingCalculatorService(legacy.CachedOpenRouterRepository(legacy.OpenRouterRepository()))
    for listed in ROWS:
        cost = run(service.calculate_cost(listed["id"], 123_456, 7_890, markup_rate=1.25))
        given, made = (Decimal(listed["pricing"].get(key, "0")) for key in ("prompt", "completion"))
        exact = {
            "input_cost": given * 123_456,
            "output_cost": made * 7_890,
            "raw_cost": given * 123_456 + made * 7_890,
            "markup_cost": (given * 123_456 + made * 7_890) * Decimal("1.25"),
            "price_per_million_input": given * 1_000_000,
            "price_per_million_output": made * 1_000_000,
        }
        names = {"model_id": listed["id"], "input_tokens": 123_456, "output_tokens": 7_890, "markup_rate": 1.25}
        assert names == {name: cost[name] for name in names}
        assert pytest.approx({name: float(value) for name, value in exact.items()}, rel=1e-14) == {
            name: cost[name] for name in exact
        }
        assert names.keys() | exact.keys() == cost.keys()


@pytest.mark.parametrize("name", recorded_names())
def test_recorded_days(legacy: ModuleType, upstream: Upstream, name: str) -> None:
    """Every row of a recorded day is what the old module's rules make of it."""
    rows = recorded(name)["data"]
    upstream.say(*rows)
    models = run(legacy.get_dynamic_model_pricing())["models"]
    assert sorted(map(expected, rows), key=lambda model: (model["provider"], model["name"])) == models
    assert 100 < len(models)


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
    """Two lines and a variable bring the old file back, and without the variable the new one answers."""
    folder = tmp_path / "open_webui" / "utils"
    (folder / "openrouter_models_old.py").write_text("get_dynamic_model_pricing = 'old'\n")
    page = (Path(__file__).parents[2] / "docs" / "openwebui.md").read_text()
    shim = page.partition("## Rolling back")[2].partition("```text\n")[2].partition("```")[0]
    (folder / "openrouter_models.py").write_text(shim)
    assert 2 == len([line for line in shim.splitlines() if not line.startswith("#")])
    if name is not None:
        monkeypatch.setenv("OPENROUTER_MODELS", name)
    del sys.modules["open_webui.utils.openrouter_models"]
    importlib.invalidate_caches()
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    module = importlib.import_module("open_webui.utils.openrouter_models")
    sys.dont_write_bytecode = before
    assert (openwebui.get_dynamic_model_pricing if name is None else "old") == module.get_dynamic_model_pricing
