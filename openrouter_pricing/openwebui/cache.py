"""The legacy Open WebUI API's cache: two tiers around any repository."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Awaitable, Callable
from copy import deepcopy
from datetime import datetime, timezone
from typing import Any, Generic, TypeVar

from .._base.log import logger
from .._base.masking import mask
from .models import ModelPricing, fallback_model, fallback_models, read_name
from .repository import ModelPricingRepository, OpenRouterRepository, RepositoryError, give
from .shared import Answer
from .tools import TimedOperation

_T = TypeVar("_T")

# The old module's keys: callers of invalidate_cache() name parts of them.
_ALL = "openrouter:models:list"
_ONE = "openrouter:models:id:"
_HEALTH = "openrouter:health"
_HEALTH_TTL = 30.0  # seconds
_REFRESH_AT = 55 / 60  # of the second tier's time
_REFRESH_PAUSE = 60.0  # seconds between two refreshes behind an answer, also failed ones


class TtlCache(Generic[_T]):
    """Values that are fresh for ``ttl`` seconds and kept, for want of better, until ``maxsize`` newer ones came.

    Attributes:
        maxsize: how many are kept.
        ttl: seconds.
    """

    def __init__(self, maxsize: int, ttl: float) -> None:
        self.maxsize = maxsize
        self.ttl = ttl
        self._entries: dict[str, tuple[_T, float]] = {}

    def __len__(self) -> int:
        return sum(self.age(key) < self.ttl for key in list(self._entries))

    def age(self, key: str) -> float:
        """Seconds since it was put there; infinite for one that is not."""
        entry = self._entries.get(key)
        return float("inf") if entry is None else time.monotonic() - entry[1]

    def get(self, key: str, *, stale: bool = False) -> _T | None:
        """The value, or None; ``stale`` takes one whose time is up too."""
        entry = self._entries.get(key)
        return entry[0] if entry is not None and (stale or time.monotonic() - entry[1] < self.ttl) else None

    def put(self, key: str, value: _T) -> None:
        """Keep a value from now on."""
        self._entries.pop(key, None)
        self._keep({key: value})

    def replace(self, part: str, values: dict[str, _T]) -> None:
        """Forget every value whose key has ``part`` in it, and keep these from now on."""
        self.drop(part)
        self._keep(values)

    def _keep(self, values: dict[str, _T]) -> None:
        now = time.monotonic()
        self._entries.update({key: (value, now) for key, value in values.items()})
        if len(self._entries) > self.maxsize:
            for oldest in list(self._entries)[: -self.maxsize]:
                self._entries.pop(oldest, None)

    def drop(self, part: str | None) -> None:
        """Forget every value whose key has ``part`` in it, or all."""
        for key in list(self._entries):
            if part is None or part in key:
                self._entries.pop(key, None)


class CachedOpenRouterRepository(ModelPricingRepository):
    """Two tiers of cache around any repository, and stale answers where that one fails.

    Models that it gives away are nobody else's, but for callers that ask for the list at the same time.

    Args:
        repository: what is asked.
        l1_ttl_minutes: how long the first tier answers.
        l2_ttl_minutes: how long the second one does.
        enable_background_refresh: refresh the list of models behind an answer, shortly before the second tier's time
            is up.

    Raises:
        ValueError: a time is negative.

    Attributes:
        l1_cache, l2_cache: the tiers, with their length, ``maxsize`` and ``ttl``.
        last_refresh: when the repository last gave the list of models (aware UTC); None before.
    """

    def __init__(
        self,
        repository: ModelPricingRepository,
        l1_ttl_minutes: float = 1,
        l2_ttl_minutes: float = 60,
        enable_background_refresh: bool = True,
    ) -> None:
        for name, minutes in (("l1_ttl_minutes", l1_ttl_minutes), ("l2_ttl_minutes", l2_ttl_minutes)):
            if not minutes >= 0:
                raise ValueError(f"{name} must not be negative: {minutes}")
        self.repository: ModelPricingRepository = repository
        self.enable_background_refresh: bool = enable_background_refresh
        self.l1_cache: TtlCache[Any] = TtlCache(100, l1_ttl_minutes * 60)
        self.l2_cache: TtlCache[Any] = TtlCache(1000, l2_ttl_minutes * 60)
        self.last_refresh: datetime | None = None
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._stopped: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._tried = -float("inf")

    async def fetch_all_models(self) -> list[ModelPricing]:
        """Every model.

        Raises:
            RepositoryError: the repository failed, and nothing was fetched before.
        """
        return await give(await self.look())

    async def look(self, *, force: bool = False) -> Answer:
        """Every model as it is kept, and how old that is.

        Args:
            force: ask the repository now; what was fetched before stays, and answers where that fails.

        Raises:
            RepositoryError: the repository failed, and nothing was fetched before.
        """
        if force:
            return await self._ask_for_all()
        with TimedOperation("fetch_all_models") as operation:
            found: Answer | None = self._cached(_ALL)
            operation.set_cache_hit(found is not None)
            if found is None:
                return await self._ask_for_all()
            self._refresh_behind()
            return found

    async def fetch_model_by_id(self, model_id: str) -> ModelPricing | None:
        """One model, or None.

        Raises:
            RepositoryError: the repository failed, and this model was not fetched before.
        """
        key = _ONE + read_name(model_id, "model_id")
        with TimedOperation("fetch_model_by_id") as operation:
            model = self._cached(key)
            listed = None if model is not None or self._ours is None else self._cached(_ALL)
            if listed is not None:  # a list of ours that is still fresh knows all models
                return deepcopy(next((one for one in listed.models if one.id == model_id), None))
            operation.set_cache_hit(model is not None)
            return deepcopy(model or await self._ask_for(key, model_id))

    async def health_check(self) -> bool:
        """Whether the repository can be asked; its answer counts for half a minute. Never raises for it."""
        answer = self.l1_cache.get(_HEALTH)
        if answer is None or self.l1_cache.age(_HEALTH) >= _HEALTH_TTL:
            try:
                answer = await self._share(_HEALTH, self.repository.health_check)
            except RepositoryError:
                return False
            self.l1_cache.put(_HEALTH, answer)
        return bool(answer)

    async def invalidate_cache(self, partial_key: str | None = None) -> None:
        """Forget what is cached.

        Args:
            partial_key: only what is kept under keys with this in them: ``openrouter:models:list``,
                ``openrouter:models:id:`` and an id, or ``openrouter:health``.
        """
        self.l1_cache.drop(partial_key)
        self.l2_cache.drop(partial_key)

    async def close(self) -> None:
        """Stop refreshing, and close the repository if it can be closed. Who waits for it gets a RepositoryError."""
        for task in list(self._tasks.values()):
            self._stopped.add(task)
            task.cancel()
        close = getattr(self.repository, "close", None)
        if close is not None:
            await close()

    @property
    def _ours(self) -> OpenRouterRepository | None:
        """What is wrapped, if it asks OpenRouter as this module does and nobody's subclass does otherwise."""
        wrapped = self.repository
        if isinstance(wrapped, OpenRouterRepository) and wrapped.unchanged:
            return wrapped
        return None

    def _refresh_behind(self) -> None:
        now = time.monotonic()
        due = self.l2_cache.age(_ALL) >= _REFRESH_AT * self.l2_cache.ttl and now - self._tried >= _REFRESH_PAUSE
        if self.enable_background_refresh and due:
            self._tried = now
            self._start(_ALL, self._fetch_all)

    def _cached(self, key: str) -> Any:
        found = self.l1_cache.get(key)
        if found is None and (found := self.l2_cache.get(key)) is not None:
            self.l1_cache.put(key, found)
        return found

    def _keep(self, key: str, value: Any) -> None:
        self.l1_cache.put(key, value)
        self.l2_cache.put(key, value)

    def _stale(self, key: str, error: RepositoryError) -> Any:
        found = self.l2_cache.get(key, stale=True)
        if found is None:
            raise error
        logger(__name__).warning("answering from stale prices: %s", mask(str(error)))
        return found

    async def _fetch_all(self) -> Answer:
        if self._ours is not None:
            found = await self._ours.look()
        else:
            found = Answer(list(await self.repository.fetch_all_models()), datetime.now(timezone.utc), stale=False)
        self.l1_cache.drop(_ONE)  # older than this list, or not in it any more
        self.l2_cache.replace(_ONE, {_ONE + model.id: model for model in found.models})
        self._keep(_ALL, found)
        self.last_refresh = found.as_of
        return found

    async def _ask_for_all(self) -> Answer:
        try:
            return await self._share(_ALL, self._fetch_all)
        except RepositoryError as error:
            found: Answer = self._stale(_ALL, error)
            return found._replace(stale=True)

    async def _ask_for(self, key: str, model_id: str) -> ModelPricing | None:
        # Of ours what tells a failure from a model that is not listed.
        ask = self.repository.fetch_model_by_id if self._ours is None else self._ours.find
        try:
            model = await self._share(key, lambda: ask(model_id))
        except RepositoryError as error:
            standing_in = None if self._ours is None else fallback_model(model_id)
            if standing_in is not None and self.l2_cache.get(key, stale=True) is None:
                return standing_in
            model = self._stale(key, error)
        else:
            if model is not None and model not in fallback_models():  # those stand in only while nothing answers
                self._keep(key, model)
        return model

    async def _share(self, key: str, ask: Callable[[], Awaitable[_T]]) -> _T:
        """What ``ask`` gives; callers in one loop share one question, and one that gives up leaves it to the others.

        Raises:
            RepositoryError: whatever went wrong: any repository may be wrapped, and fail in any way.
        """
        task = self._start(key, ask)
        try:
            found: _T = await asyncio.shield(task)
        except asyncio.CancelledError:
            if task in self._stopped:
                raise RepositoryError("the repository was closed meanwhile") from None
            raise
        except RepositoryError:
            raise
        except Exception as error:
            raise RepositoryError(mask(str(error) or repr(error))) from error
        return found

    def _start(self, key: str, ask: Callable[[], Awaitable[_T]]) -> asyncio.Task[_T]:
        loop = asyncio.get_running_loop()
        task = self._tasks.get(key)
        if task is None or task.done() or task.get_loop() is not loop:

            async def question() -> _T:
                return await ask()

            task = self._tasks[key] = loop.create_task(question())
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: str, task: asyncio.Task[Any]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger(__name__).warning("asking for %s failed: %s", key, mask(str(error) or repr(error)))
