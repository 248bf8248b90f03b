"""One generation's record: asked for in a thread, so that nobody waits on the network longer than they want to."""

from __future__ import annotations

import json
from typing import Any, Protocol, runtime_checkable

from .._base.clock import Clock
from .._base.worker import Worker
from .._prices.wire import Fetched
from ..errors import PayloadError, PricingError, TransportError
from ..settings import Settings
from .client import Client


@runtime_checkable
class _GenerationSource(Protocol):
    def fetch_generation(self, generation_id: str, *, deadline: float) -> Fetched: ...


def generation(
    source: object, settings: Settings, clock: Clock, generation_id: str, deadline: float | None, *, pinned: bool
) -> dict[str, Any]:
    """The record of a generation, decoded.

    Args:
        source: a client of the user's own, or None for one over HTTP.
        settings, clock: for that one.
        generation_id: which.
        deadline: seconds for all of it; the settings' one when left out.
        pinned: whether there is nobody to ask.

    Raises:
        UpstreamError: it cannot be had.
        PricingError: there is nobody to ask, the client cannot ask for generations, or there is no key.
        ValueError, TypeError: ``generation_id`` is no such id.
    """
    if pinned or settings.offline:
        raise PricingError("these prices are pinned or offline: there is nobody to ask for a generation")
    if source is not None and not isinstance(source, _GenerationSource):
        raise PricingError(f"client has no fetch_generation(): {type(source).__name__} knows no generations")
    seconds = settings.deadline if deadline is None else deadline
    client = Client(settings, utcnow=clock.utcnow) if source is None else source
    worker = Worker("openrouter-pricing-generation")
    try:
        fetched = worker.run(lambda: client.fetch_generation(generation_id, deadline=seconds), seconds)
    except TimeoutError as error:
        raise TransportError("the deadline passed before the upstream answered") from error
    finally:
        worker.close()
        if isinstance(client, Client) and source is None:
            client.close()
    try:
        document = json.loads(fetched.body)
    except (ValueError, RecursionError) as error:
        raise PayloadError("upstream answered 200 with something else than JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        raise PayloadError("upstream answered 200 without a generation under data")
    return document
