"""What all caches of one ``Pricing`` share in one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .._base.clock import Clock
from .._base.fork import PerProcess
from ..settings import Settings
from .breaker import CircuitBreaker
from .guard import GuardedBackend
from .recorder import Observer, Recorder


class Shared(NamedTuple):
    """Counters, the circuit breaker and the store.

    Args:
        recorder: counts.
        breaker: asked before each refresh.
        backend: the store.
    """

    recorder: Recorder
    breaker: CircuitBreaker
    backend: GuardedBackend


def shared(
    settings: Settings, open_backend: Callable[[], Any], clock: Clock, *, owned: bool, observers: list[Observer]
) -> PerProcess[Shared]:
    """Made anew in each process.

    Args:
        settings: the breaker's are used.
        open_backend: makes the backend; called in each process, with the first question there.
        clock: time.
        owned: whether the backend is ours to close.
        observers: who is told of each count, in every process.
    """

    def make() -> Shared:
        recorder = Recorder(observers)
        return Shared(recorder, breaker(settings, clock), GuardedBackend(open_backend, recorder, clock, owned=owned))

    return PerProcess(make)


def breaker(settings: Settings, clock: Clock) -> CircuitBreaker:
    """A circuit breaker as the settings say."""
    return CircuitBreaker(settings.breaker_threshold, settings.breaker_recovery, clock.monotonic)
