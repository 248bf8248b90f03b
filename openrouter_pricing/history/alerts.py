"""Notifier: tells others when prices change; at least once, and once for all processes of a fleet."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from .._base import money
from .._base.fork import PerProcess, is_forking_master
from .._prices.changes import CatalogChange
from ..errors import SettingsError, quoted
from ..pricing import Pricing
from ..settings import variable
from .courier import Courier, NotifierStats, Sink
from .events import Watch
from .outbox import BackendOutbox, Outbox

if TYPE_CHECKING:
    from typing_extensions import Self


class Notifier:
    """Tells sinks when the prices of a ``Pricing`` change.

    There is one event a list. It is a dictionary, ready for JSON and less than 20 kB: ``id``, ``type``
    (``model.listed`` or ``model.delisted`` where nothing else happened, else ``prices.changed``), ``timestamp`` and
    ``data``, with ``as_of`` and the digests ``before`` and ``after`` of the lists, ``counts``, ``changes`` (each with
    ``model_id``, ``kind`` and ``moves`` in USD per unit, as text), and ``truncated`` where not all changes have room.

    The first list of all is noted silently. From then on each event reaches each sink at least once, with the same
    ``id`` however often, and once for all processes that share an outbox. A history in a database has one
    (``history="postgresql+psycopg://…"``), in which events are written with the changes themselves: nothing is lost.
    Otherwise it lies in the store of the price list, and is changed under a lock that ``add`` takes: what that store
    evicts, or loses with its server, is lost, unless a process lives that has seen it; and ``memory://`` and ``null://``
    are of one process each.

    A delivery is tried at once, and after 5 s, 5 min, 30 min, 2 h, 5 h and 10 h more; later where the receiver asks for
    it by ``Retry-After``, a day at most. A sink that answers 410 is told nothing more by this process. All of that
    happens in a thread of ours, which starts with the first list that this process comes to hold.

    Args:
        pricing: whose prices. It stays yours to close.
        sinks: who is told: :class:`Webhook`, :class:`Slack`, or any callable that takes an event within 30 seconds. All
            processes of a fleet name the same ones in the same order.
        models: ids to tell of; all when left out.
        min_change: the least part by which a price moves, 0.05 for 5 %; a model, or a price, that comes or goes is
            always told.
        settle: seconds that a model's prices stand before they are told; what went and came back meanwhile is not.

    Raises:
        TypeError, ValueError: a bad argument; the message names it.
    """

    def __init__(
        self,
        pricing: Pricing,
        sinks: Iterable[Sink],
        *,
        models: Collection[str] | None = None,
        min_change: money.Number = 0,
        settle: float = 0,
    ) -> None:
        if not isinstance(pricing, Pricing):
            raise TypeError(f"pricing must be a Pricing, not {type(pricing).__name__}")
        self._sinks = _named(sinks)
        self._watch = Watch(_ids(models), money.read_rate(min_change, "min_change"), _seconds(settle))
        self._pricing = pricing
        self._clock = pricing._clock
        self._couriers = PerProcess(lambda: Courier(self._outbox, self._sinks, self._watch, self._clock))
        self._stop = pricing.listen(self._hear)

    @classmethod
    def from_env(
        cls,
        pricing: Pricing,
        *,
        environ: Mapping[str, str] = os.environ,
        models: Collection[str] | None = None,
        min_change: money.Number = 0,
        settle: float = 0,
    ) -> Notifier:
        """A notifier with one webhook: ``OPENROUTER_PRICING_WEBHOOK_URL`` and ``OPENROUTER_PRICING_WEBHOOK_SECRET``.

        Args:
            pricing, models, min_change, settle: as above.
            environ: the variables. While the secret is being replaced it holds both, with a space between them.

        Raises:
            SettingsError: a variable is missing or cannot be read; it names the variable and quotes nothing of it.
            TypeError, ValueError: as above.
        """
        from .webhook import Webhook

        names = {"url": variable("webhook_url"), "secret": variable("webhook_secret")}
        accepted = {"url": "an http or https URL", "secret": "whsec_ and Base64, or two of these"}
        webhook, wrong = None, ""
        try:
            webhook = Webhook(environ.get(names["url"], ""), environ.get(names["secret"], ""))
        except ValueError as error:
            wrong = str(error).partition(" ")[0]
        shown = "'***'" if environ.get(names.get(wrong, "")) else "nothing"
        del environ  # this frame stays with the error
        if webhook is None:
            raise SettingsError(names[wrong], shown, accepted[wrong])
        return cls(pricing, [webhook], models=models, min_change=min_change, settle=settle)

    def __repr__(self) -> str:
        return f"<Notifier of {', '.join(self._sinks)}>"

    def stats(self) -> NotifierStats:
        """What happened in this process so far."""
        courier = self._couriers.peek()
        return NotifierStats() if courier is None else courier.stats

    def close(self) -> None:
        """Stop, within two seconds; as often as you like. What is not delivered stays in the outbox for others."""
        self._stop()
        courier = self._couriers.peek()
        if courier is not None:
            courier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hear(self, change: CatalogChange) -> None:
        if not is_forking_master():  # its threads would stop in its workers; what changed is in their outbox, too
            self._couriers.get().hear(change)

    def _outbox(self) -> Outbox:
        history = self._pricing._past.history
        kept: Outbox | None = None if history is None else getattr(history.opened(), "outbox", None)
        if kept is not None:
            return kept
        name = (self._pricing._settings.base_url, *self._sinks)
        return BackendOutbox(self._pricing._live.ask, name, self._clock)


def _named(sinks: object) -> dict[str, Sink]:
    """Sinks by a name that is the same in every process."""
    found = list(sinks) if isinstance(sinks, Iterable) else []
    if not found or not all(map(callable, found)):
        raise TypeError("sinks must be a list of callables, such as [Webhook(url, secret)]")
    names: dict[str, Sink] = {}
    for number, sink in enumerate(found, 1):
        name = str(getattr(sink, "name", None) or getattr(sink, "__qualname__", type(sink).__name__))
        names[f"{name} #{number}" if name in names else name] = sink
    return names


def _ids(models: object) -> frozenset[str] | None:
    if models is None:
        return None
    if isinstance(models, (str, bytes)) or not isinstance(models, Iterable):
        raise TypeError(f"models must be a collection of ids, not {type(models).__name__}")
    ids = frozenset(models)
    for each in ids:
        if not isinstance(each, str):
            raise TypeError(f"models must hold ids, not {quoted(each)}")
    return ids


def _seconds(settle: object) -> float:
    if isinstance(settle, bool) or not isinstance(settle, (int, float)):
        raise TypeError(f"settle must be a number of seconds, not {type(settle).__name__}")
    if not 0 <= settle <= 30 * 86_400:
        raise ValueError(f"settle must be from 0 to 30 days of seconds: {settle}")
    return float(settle)
