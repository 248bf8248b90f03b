"""The repository in front of OpenRouter."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

import pytest
from support.upstream import Upstream
from support.webui import EXPECTED, ROWS, run


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


def test_no_thread_is_left(legacy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started the repository is not healthy, and says so."""

    async def ask() -> bool:
        monkeypatch.setattr(threading.Thread, "start", lambda self: (_ for _ in ()).throw(RuntimeError("no thread")))
        healthy: bool = await legacy.OpenRouterRepository().health_check()
        monkeypatch.undo()
        return healthy

    assert run(ask()) is False
