"""The prices that the whole module shares: how old they may be, where they are kept, and when nobody is asked."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from support.hands import Hands
from support.upstream import Upstream
from support.webui import EXPECTED, ROWS, run

from openrouter_pricing import Pricing, Settings, openwebui


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
    # Asked with the stored ETag, and once more without it.
    assert ("cache_fallback", EXPECTED, 3) == (answer["source"], answer["models"], len(upstream.requests))
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
