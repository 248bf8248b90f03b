"""Who is told when prices change."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.freshness import MODEL, Make, live, look, priced, settle, source
from support.hands import Hands
from support.upstream import Upstream, row
from support.waiting import PATIENCE, until

from openrouter_pricing import Catalog, Pricing, Settings
from openrouter_pricing._prices.changes import CatalogChange


def test_listeners_may_ask_and_may_fail(make_pricing: Make, upstream: Upstream) -> None:
    """A believed catalogue is told to every listener once it is held; one that raises costs a counter."""
    pricing = make_pricing()
    told: list[Decimal] = []
    pricing.listen(lambda change: 1 / 0)
    pricing.listen(lambda change: told.append(pricing.cost(MODEL, 1).raw))
    upstream.say(priced("2"))
    pricing.refresh()
    until(lambda: told)
    assert (told, pricing.stats().listener_errors) == ([2], 1)


# -- who is told what --------------------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> list[CatalogChange]:
    """What a listener was told."""
    return []


def told(pricing: Pricing) -> None:
    """Wait until everybody is told what there is to tell."""
    worker = live(pricing)._listeners._workers.get()
    worker.run(lambda: None, PATIENCE)


def test_each_list_is_told_once(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[CatalogChange]
) -> None:
    """The first list without a list before it; then what changed; nothing for a 304 or for words that changed."""
    pricing = make_pricing(clock=hands.clock)
    threads: list[str] = []
    pricing.listen(heard.append)
    pricing.listen(lambda change: threads.append(threading.current_thread().name))
    upstream.say(priced("1"), etag='"one"')
    first = pricing.refresh()
    pricing.refresh()
    upstream.say({**priced("1"), "description": "another"})
    words = pricing.refresh()
    upstream.say(priced("2"))
    last = pricing.refresh()
    told(pricing)
    assert [(change.before, change.after) for change in heard] == [(None, first), (words, last)]
    assert heard[0].changes == ()
    [change] = heard[1].changes
    assert (change.model_id, change.kind) == (MODEL, "changed")
    assert [tuple(move) for move in change.moves] == [("prompt", 1, 2, 2)]
    assert threads == ["openrouter-pricing-listeners"] * 2
    assert pricing.stats().not_modified == 1


def test_a_list_that_another_process_stored_is_told(
    make_pricing: Make, upstream: Upstream, hands: Hands, heard: list[CatalogChange]
) -> None:
    """Once, whoever fetched it, and not again when it is looked at, or renewed."""
    backend = MemoryBackend()
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    source(pricing)
    settle()
    pricing.listen(heard.append)
    for price in ("2", "2"):
        upstream.say(priced(price))
        hands.turn(1)
        other.refresh()
        settle()
        for _ in range(2):
            hands.turn(61)
            look(pricing)
    told(pricing)
    [change] = heard
    assert [one.model_id for one in change.changes] == [MODEL]
    assert pricing.stats().fetches == 1


def test_listening_ends(make_pricing: Make, upstream: Upstream, heard: list[CatalogChange]) -> None:
    """A listener that was added twice is told twice, and stops once for each; stopping again changes nothing."""
    pricing = make_pricing()
    stop, other = pricing.listen(heard.append), pricing.listen(heard.append)
    for price, stops in (("1", ()), ("2", (stop, stop)), ("3", (other,))):
        for end in stops:
            end()
        upstream.say(priced(price))
        pricing.refresh()
        told(pricing)
    assert len(heard) == 3


def test_a_listener_that_comes_late_is_told_of_what_changes(
    make_pricing: Make, upstream: Upstream, heard: list[CatalogChange]
) -> None:
    """What was held when it came is the list before."""
    pricing = make_pricing()
    first = pricing.catalog()
    pricing.listen(heard.append)
    upstream.say(priced("2"))
    pricing.refresh()
    told(pricing)
    assert [change.before for change in heard] == [first]


def test_nobody_is_told_after_the_end(make_pricing: Make, upstream: Upstream, heard: list[CatalogChange]) -> None:
    """A closed object tells nothing and logs nothing; what was there before is still told."""
    pricing = make_pricing()
    pricing.listen(heard.append)
    pricing.refresh()
    pricing.close()
    until(lambda: heard)
    live(pricing)._listeners.tell(Catalog.from_models([priced("7")]))
    assert (len(heard), pricing.stats().listener_errors) == (1, 0)


def test_no_thread_to_tell_in(make_pricing: Make, monkeypatch: pytest.MonkeyPatch, heard: list[CatalogChange]) -> None:
    """Where none can be started, it costs a counter; nothing else fails."""
    pricing = make_pricing()
    pricing.listen(heard.append)
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "openrouter-pricing-listeners":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    pricing.refresh()
    assert (heard, pricing.stats().listener_errors, source(pricing)) == ([], 1, "live")


def test_who_may_listen(make_pricing: Make) -> None:
    """What cannot be called is refused at once; to a pinned list one listens in vain."""
    with pytest.raises(TypeError, match="listener must be callable, not int"):
        make_pricing().listen(7)  # type: ignore[arg-type]
    stop = Pricing(Settings(), catalog=Catalog.from_models([row()])).listen(print)
    stop()
    stop()
