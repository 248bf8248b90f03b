"""Freshness of providers' prices: each model's endpoints are cached by themselves, with one breaker between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openrouter_pricing.backends.memory import MemoryBackend
from support.children import in_child
from support.endpoints import Fixed, endpoint, offers, path
from support.freshness import live, settle
from support.hands import Hands
from support.upstream import Answer, Upstream, row
from support.waiting import PATIENCE, until

from openrouter_pricing import (
    Catalog,
    CatalogUnavailableError,
    CircuitOpenError,
    Client,
    Endpoints,
    PayloadError,
    Pricing,
    PricingError,
    Settings,
    StatusError,
    TransportError,
    UnknownModelError,
    open_backend,
)
from openrouter_pricing._freshness.providers import _Clients
from openrouter_pricing._freshness.recorder import Recorder

A, B, C, D = (f"acme/{name}" for name in "abcd")
Make = Callable[..., Pricing]


def offer(price: str = "1", **options: Any) -> Answer:
    """One provider's endpoint at a price."""
    return Answer(offers(endpoint("Azure", "azure", price)), **options)


@pytest.fixture
def upstream(upstream: Upstream) -> Upstream:
    """An upstream that lists four models, each of which one provider serves."""
    upstream.say(*map(row, (A, B, C, D)))
    upstream.pages = {path(model): offer() for model in (A, B, C, D)}
    return upstream


def asked(upstream: Upstream, model: str | None = None) -> int:
    """How often the endpoints of a model, or of any, were asked for."""
    wanted = [path(model)] if model else [path(one) for one in (A, B, C, D)]
    return sum(request.path in wanted for request in upstream.requests)


@contextmanager
def asking(*questions: Callable[[], Endpoints]) -> Iterator[list[str]]:
    """Questions, each in a thread of its own; gives their sources or the errors' names, complete at the end."""
    answers: list[str] = []

    def ask(question: Callable[[], Endpoints]) -> None:
        try:
            answers.append(question().source)
        except PricingError as error:
            answers.append(type(error).__name__)

    threads = [threading.Thread(target=ask, args=(question,)) for question in questions]
    for thread in threads:
        thread.start()
    yield answers
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def price(pricing: Pricing, model: str = A) -> tuple[str, Any]:
    """Where the answer comes from, and what the provider asks for a token."""
    endpoints = pricing.endpoints(model)
    return endpoints.source, endpoints["azure"].rates.prompt


def why(pricing: Pricing, model: str) -> BaseException | None:
    """Why there are no endpoints of a model."""
    with pytest.raises(CatalogUnavailableError) as caught:
        pricing.endpoints(model)
    return caught.value.__cause__


# -- whose endpoints ---------------------------------------------------------------------------------------------------


def test_every_name_of_a_model_asks_for_the_same(make_pricing: Make, upstream: Upstream) -> None:
    """Canonical slugs, routing suffixes and aliases are resolved first; a `:free` row has endpoints of its own."""
    free, alias = f"{A}:free", "~acme/latest"
    slug = "acme/a-2026-11-01"
    upstream.say(
        row(A, canonical_slug=slug),
        row(free, canonical_slug=slug),
        row(alias, pricing={"prompt": "-1", "completion": "-1"}, alias_target={"slug": slug}),
        row("~acme/own", alias_target={"slug": slug}),
    )
    upstream.pages |= {path(free): offer("0"), path("~acme/own"): offer("7")}
    pricing = make_pricing()
    for name in (A, slug, f"{A}:nitro", f"{slug}:floor", alias):
        assert (A, ("live", 1)) == (pricing.endpoints(name).model_id, price(pricing, name))
    assert (free, ("live", 0)) == (pricing.endpoints(free).model_id, price(pricing, free))
    assert ("live", 7) == price(pricing, "~acme/own")
    assert [path(A), path(free), path("~acme/own")] == [request.path for request in upstream.requests[1:]]


def test_an_unknown_model_has_no_endpoints(make_pricing: Make, upstream: Upstream) -> None:
    """Nobody is asked for the endpoints of a model that is not listed."""
    with pytest.raises(UnknownModelError):
        make_pricing().endpoints("acme/none")
    assert 0 == asked(upstream)


def test_a_listed_id_that_cannot_be_asked_for(make_pricing: Make, upstream: Upstream) -> None:
    """A mirror's id without an author has no endpoints, and the error says what is wrong with it."""
    upstream.say(row("house-model"))
    cause = why(make_pricing(), "house-model")
    assert isinstance(cause, TransportError)
    assert "model_id must be 'author/slug', not 'house-model'" in str(cause)


def test_pinned_prices_have_no_endpoints() -> None:
    """A pinned catalogue has nobody to ask."""
    pricing = Pricing(Settings(), catalog=Catalog.from_models([row(A)]))
    with pytest.raises(PricingError, match="pinned"):
        pricing.endpoints(A)
    with pytest.raises(PricingError, match="pinned"):
        pricing.cost(A, 1, provider="azure")


class Plain:
    """A source that knows models alone."""

    fetch = Fixed.fetch
    close = Fixed.close


def test_a_source_that_knows_no_endpoints(make_pricing: Make) -> None:
    """A client of one's own that cannot ask for endpoints is named; its models are priced all the same."""
    pricing = make_pricing(client=Plain())
    assert 1 == pricing.cost("openai/gpt-4o-mini", 1).raw
    for _ in range(2):
        with pytest.raises(PricingError, match=r"client has no fetch_endpoints\(\): Plain"):
            pricing.endpoints("openai/gpt-4o-mini")


def test_a_source_of_ones_own_stays_open(make_pricing: Make, upstream: Upstream) -> None:
    """A client that was handed in serves models and endpoints, and is closed by its owner."""
    client = Client(Settings(base_url=upstream.url, attempts=1))
    pricing = make_pricing(client=client)
    assert ("live", 1) == price(pricing, A) == price(pricing, B)
    session = client._connections.get().session
    pricing.close()
    assert None is not session is client._connections.get().session
    client.close()


# -- freshness ---------------------------------------------------------------------------------------------------------


def test_each_model_has_an_age_of_its_own(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Endpoints grow stale by their own last fetch, neither by another model's nor by the catalogue's."""
    pricing = make_pricing(clock=hands.clock)
    price(pricing, A)
    hands.turn(1800)
    price(pricing, B)
    pricing.refresh()
    hands.turn(1801)
    assert ("live", "live") == (price(pricing, B)[0], pricing.cost(A, 1).source)
    assert ("stale", 1) == price(pricing, A)
    settle()
    assert (2, 1) == (asked(upstream, A), asked(upstream, B))
    assert [hands.wall, hands.wall - timedelta(seconds=1801)] == [pricing.endpoints(one).as_of for one in (A, B)]


def test_an_etag_of_its_own_renews_each(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A 304 to a model's own ETag makes its prices fresh again, the same rows under the same digest."""
    upstream.pages |= {path(A): offer("1", etag='"a"'), path(B): offer("2", etag='"b"')}
    pricing = make_pricing(clock=hands.clock)
    before = pricing.endpoints(A), pricing.endpoints(B)
    hands.turn(7201)
    after = pricing.endpoints(A), pricing.endpoints(B)
    assert [one.digest for one in before] == [one.digest for one in after]
    assert [hands.wall] * 2 == [one.as_of for one in after]
    assert ["live"] * 2 == [one.source for one in after]
    tags = [(one.path, one.headers.get("if-none-match")) for one in upstream.requests if one.path in (path(A), path(B))]
    assert [(path(A), None), (path(B), None), (path(A), '"a"'), (path(B), '"b"')] == tags
    assert 2 == pricing.stats().not_modified


def test_within_l1_ttl_nobody_is_asked(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """For ``l1_ttl`` the same list is answered without a look at the store; after it, what others stored is seen."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing, other = (make_pricing(clock=hands.clock, backend=backend) for _ in range(2))
    held = pricing.endpoints(A)
    checks = pricing.stats().l2_checks
    hands.turn(59)
    assert held is pricing.endpoints(A)
    assert checks == pricing.stats().l2_checks
    hands.turn(7300)
    upstream.pages[path(A)] = offer("2")
    assert ("live", 2) == price(other)
    assert ("live", 2) == price(pricing)
    assert 2 == asked(upstream, A)


def test_a_process_reads_the_endpoints_that_another_stored(
    make_pricing: Make, upstream: Upstream, hands: Hands, tmp_path: Path
) -> None:
    """A second object answers from the disk, as old as the first one's fetch, without a request."""
    url = f"disk://{tmp_path}/store"
    first = make_pricing(clock=hands.clock, backend=open_backend(url)).endpoints(A)
    hands.turn(1000)
    second = make_pricing(clock=hands.clock, backend=open_backend(url)).endpoints(A)
    assert (first.as_of, first.digest, list(first)) == (second.as_of, second.digest, list(second))
    assert 1 == asked(upstream)


def test_two_deployments_share_a_store_and_nothing_else(make_pricing: Make, upstream: Upstream) -> None:
    """Endpoints of one ``base_url`` never answer for another, nor one model's for another's."""
    backend = MemoryBackend()
    upstream.pages |= {path(B): offer("2"), path(A).replace("/v1/", "/v1/mirror/"): offer("3")}
    here = make_pricing(backend=backend)
    there = make_pricing(backend=backend, base_url=f"{upstream.url}/mirror")
    assert [1, 2, 3] == [price(here, A)[1], price(here, B)[1], price(there, A)[1]]
    settle()
    urls = upstream.url, f"{upstream.url}/mirror"
    again = [make_pricing(backend=backend, base_url=url, offline=True) for url in urls]
    assert [1, 3] == [price(pricing, A)[1] for pricing in again]


def test_stale_while_revalidate(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Past ``l2_ttl`` the answer is stale and at once, while one fetch runs behind; past the next limit it waits."""
    pricing = make_pricing(clock=hands.clock)
    price(pricing)
    upstream.pages[path(A)] = offer("2", hold=(hold := threading.Event()))
    hands.turn(3601)
    assert [("stale", 1)] * 3 == [price(pricing) for _ in range(3)]
    assert "stale" == pricing.cost(A, 1, provider="azure").source
    hold.set()
    settle()
    assert ("live", 2) == price(pricing)
    upstream.pages[path(A)] = offer("3")
    hands.turn(7201)
    assert ("live", 3) == price(pricing)
    assert 3 == asked(upstream, A)


def test_stale_on_error(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """When the upstream fails, endpoints of any age are preferred to an error, unless that is limited."""
    pricing, strict = (make_pricing(clock=hands.clock, stale_if_error=limit) for limit in ("unlimited", 86400))
    assert [("live", 1)] * 2 == [price(pricing), price(strict)]
    upstream.pages[path(A)] = Answer(status=500)
    hands.turn(86400)
    assert [("stale", 1)] * 2 == [price(pricing), price(strict)]
    hands.turn(3601)
    assert ("stale", 1) == price(pricing)
    assert isinstance(why(strict, A), StatusError)


def test_each_model_backs_off_by_itself(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """After a failed fetch its own model is left alone for a while, and the others are not."""
    upstream.pages[path(A)] = Answer(status=500)
    pricing = make_pricing(clock=hands.clock)
    assert isinstance(why(pricing, A), StatusError)
    assert isinstance(why(pricing, A), StatusError)
    assert ("live", 1) == price(pricing, B)
    assert (1, 1) == (asked(upstream, A), asked(upstream, B))
    upstream.pages[path(A)] = offer("5")
    hands.turn(0.74)
    assert isinstance(why(pricing, A), StatusError)
    hands.turn(0.02)
    assert isinstance(why(pricing, A), StatusError)  # nobody waits while things go wrong; it is fetched behind
    settle()
    assert ("live", 5) == price(pricing)
    assert 2 == asked(upstream, A)


def test_one_breaker_for_all_endpoints(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Failures of several models open it for all, who say so, but not for the catalogue; a probe closes it."""
    upstream.pages = {path(model): Answer(status=500) for model in (A, B, C)} | {path(D): offer()}
    pricing = make_pricing(clock=hands.clock)
    assert [StatusError] * 3 == [type(why(pricing, model)) for model in (A, B, C)]
    for _ in range(2):
        assert isinstance(why(pricing, D), CircuitOpenError)
    assert 0 == asked(upstream, D)
    assert "closed" == pricing.stats().breaker
    pricing.refresh()
    hands.turn(61)
    assert ("live", 1) == price(pricing, D)
    upstream.pages[path(A)] = offer("2")
    why(pricing, A)
    settle()
    assert ("live", 2) == price(pricing, A)


@pytest.mark.parametrize("answer", [Answer(b"no", 404), Answer(offers()), Answer(b"<html>")])
def test_models_that_nobody_serves_open_no_breaker(make_pricing: Make, upstream: Upstream, answer: Answer) -> None:
    """Three models without endpoints, which the upstream says by itself, do not keep others from being asked for."""
    upstream.pages = {path(model): answer for model in (A, B, C)} | {path(D): offer()}
    pricing = make_pricing()
    for model in (A, B, C):
        assert isinstance(why(pricing, model), (StatusError, PayloadError))
    assert ("live", 1) == price(pricing, D)


def test_the_catalogues_breaker_is_its_own(make_pricing: Make, upstream: Upstream) -> None:
    """A model list that cannot be fetched does not keep endpoints from being."""
    pricing = make_pricing()
    pricing.warm()
    upstream.fail(500)
    for _ in range(3):
        with pytest.raises(StatusError):
            pricing.refresh()
    assert "open" == pricing.stats().breaker
    assert ("live", 1) == price(pricing)


def test_offline(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Offline the store answers at any age, and what it does not hold is an error that says so."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    price(make_pricing(clock=hands.clock, backend=backend), A)
    settle()
    hands.turn(86400)
    offline = make_pricing(clock=hands.clock, backend=backend, offline=True)
    assert ("stale", 1) == price(offline, A)
    with pytest.raises(CatalogUnavailableError, match="offline"):
        offline.endpoints(B)
    assert 1 == asked(upstream)


# -- what comes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b'{"error": {"message": "no"}}'), PayloadError),
        (Answer(b"<html>maintenance</html>"), PayloadError),
        (Answer(offers()), PayloadError),
        (Answer(b'{"data": {"endpoints": {}}}'), PayloadError),
        (Answer(offers({"tag": "azure"})), PayloadError),
        (Answer(offers(endpoint("Azure", "azure")) + b" " * 5000), PayloadError),
        (Answer(status=404), StatusError),
        (Answer(status=302, headers={"Location": path(B)}), StatusError),
    ],
    ids=["error", "html", "empty", "no list", "unreadable", "huge", "404", "302"],
)
def test_what_is_no_answer(make_pricing: Make, upstream: Upstream, hands: Hands, answer: Answer, kind: type) -> None:
    """It is never stored: cold it is an error that says why, and prices held before still answer."""
    backend = MemoryBackend(monotonic=hands.clock.monotonic)
    pricing = make_pricing(clock=hands.clock, backend=backend, max_body=5000)
    price(pricing, B)
    upstream.pages |= {path(A): answer, path(B): answer}
    assert kind is type(why(pricing, A))
    hands.turn(7201)
    assert ("stale", 1) == price(pricing, B)
    assert ("stale", 1) == price(make_pricing(clock=hands.clock, backend=backend, offline=True), B)
    assert (1, 2) == (asked(upstream, A), asked(upstream, B))


def test_nothing_new_of_nothing_held(make_pricing: Make, upstream: Upstream) -> None:
    """A 304 to somebody who holds nothing is an error."""
    upstream.pages[path(A)] = Answer(status=304)
    assert isinstance(why(make_pricing(), A), PayloadError)


def test_unreadable_endpoints_are_skipped_and_counted(
    make_pricing: Make, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """A bad entry costs itself, a counter and a log line."""
    upstream.pages[path(A)] = Answer(offers(endpoint("Bad", "bad", "free!"), endpoint("Azure", "azure"), 5))
    pricing = make_pricing()
    assert ["azure"] == [one.tag for one in pricing.endpoints(A)]
    assert 2 == pricing.stats().skipped_rows
    assert "left out 2 unreadable rows" in caplog.text


def test_other_providers_are_believed(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """That a model changed all of its providers is no reason for doubt, as it is for a catalogue."""
    upstream.pages[path(A)] = Answer(offers(*(endpoint(name, name) for name in ("one", "two", "three"))))
    pricing = make_pricing(clock=hands.clock)
    assert 3 == len(pricing.endpoints(A))
    upstream.pages[path(A)] = offer()
    hands.turn(7201)
    assert ("live", 1) == price(pricing)


# -- threads -----------------------------------------------------------------------------------------------------------


def test_many_threads_one_request(make_pricing: Make, upstream: Upstream) -> None:
    """100 threads that ask at once, cold, cause one request and all get the live prices."""
    upstream.pages[path(A)] = offer(hold=(hold := threading.Event()))
    pricing = make_pricing()
    pricing.warm()
    with asking(*[lambda: pricing.endpoints(A)] * 100) as answers:
        until(lambda: asked(upstream, A))
        hold.set()
    assert ["live"] * 100 == answers
    assert 1 == asked(upstream)


def test_two_processes_one_request(make_pricing: Make, upstream: Upstream) -> None:
    """Of two that share a store one fetches a model's endpoints, and the other takes what it stored."""
    backend = MemoryBackend()
    upstream.pages[path(A)] = offer(hold=(hold := threading.Event()))
    both = [make_pricing(backend=backend) for _ in range(2)]
    for pricing in both:
        pricing.warm()
    with asking(*[partial(pricing.endpoints, A) for pricing in both]) as answers:
        until(lambda: any(pricing.stats().lease_waits for pricing in both))
        hold.set()
    assert ["live", "live"] == answers
    assert 1 == asked(upstream)


def test_no_model_waits_for_another(make_pricing: Make, upstream: Upstream) -> None:
    """While the fetch of one model hangs, another's is fetched and answered."""
    upstream.pages[path(A)] = offer(hold=(hold := threading.Event()))
    pricing = make_pricing()
    pricing.warm()
    with asking(lambda: pricing.endpoints(A)) as answers:
        until(lambda: asked(upstream, A))
        assert ("live", 1) == price(pricing, B)
        hold.set()
    assert ["live"] == answers


def test_one_that_hangs_is_broken_off_alone(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """A fetch that outlived its deadline loses its slot and its connection; another model's beside it goes on."""

    def refetched(model: str) -> bool:
        return asked(upstream, model) == 2

    holds = {model: threading.Event() for model in (A, B)}
    pricing = make_pricing(clock=hands.clock, deadline=40)
    assert [("live", 1)] * 2 == [price(pricing, A), price(pricing, B)]
    hands.turn(3601)
    for model, hold in holds.items():
        upstream.pages[path(model)] = offer("2", hold=hold)
        assert ("stale", 1) == price(pricing, model)
        until(partial(refetched, model))
        hands.turn(15)
    upstream.pages[path(A)] = offer("3")
    hands.turn(46)
    assert ("stale", 1) == price(pricing, A)
    assert 1 == pricing.stats().abandoned
    for hold in holds.values():
        hold.set()
    settle()
    assert ("live", 2) == price(pricing, B)


# -- forks -------------------------------------------------------------------------------------------------------------


def test_a_forked_child_has_endpoints(make_pricing: Make, upstream: Upstream, tmp_path: Path) -> None:
    """A child answers from what its parent held, fetches by itself, and leaves the parent's connection alone."""
    pricing = make_pricing(backend=open_backend(f"disk://{tmp_path}/store"), l1_ttl=0)
    assert ("live", 1) == price(pricing, A)

    def work() -> bool:
        good = price(pricing, A) == price(pricing, B) == ("live", 1) and pricing.stats().fetches == 1
        settle()
        pricing.close()
        return good

    assert in_child(work)
    assert ("live", 1) == price(pricing, B) == price(pricing, C)
    assert [1, 1, 1] == [asked(upstream, model) for model in (A, B, C)]


def test_a_fork_in_the_middle_of_a_fetch(make_pricing: Make, upstream: Upstream) -> None:
    """A child forked while its parent fetches a model's endpoints fetches them by itself, and closing ends nobody's."""
    upstream.pages[path(A)] = offer(hold=(hold := threading.Event()))
    pricing = make_pricing()
    pricing.warm()

    def work() -> bool:
        good = price(pricing, A) == ("live", 2)
        pricing.close()
        return good

    with asking(lambda: pricing.endpoints(A)) as answers:
        until(lambda: asked(upstream, A))
        upstream.pages[path(A)] = offer("2")
        good = in_child(work)
        hold.set()
    assert (True, ["live"]) == (good, answers)
    assert ("live", 1) == price(pricing, A)


# -- the end -----------------------------------------------------------------------------------------------------------


def shut(pricing: Pricing) -> None:
    """Close it; it must come back while everything hangs."""
    thread = threading.Thread(target=pricing.close)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_close_lets_go_of_what_hangs(make_pricing: Make, upstream: Upstream, hands: Hands) -> None:
    """Closing ends fetches that hang and those who wait for them; what is held answers, and nothing new is fetched."""
    hold = threading.Event()
    pricing = make_pricing(clock=hands.clock, deadline=3600, read_timeout=3600)
    price(pricing, D)
    upstream.pages |= {path(model): offer(hold=hold) for model in (A, B)}
    with asking(*[partial(pricing.endpoints, model) for model in (A, B, B)]) as answers:
        until(lambda: asked(upstream, A) and asked(upstream, B))
        shut(pricing)
    settle()
    assert ["CatalogUnavailableError"] * 3 == answers
    assert ("live", 1) == price(pricing, D)
    assert None is why(pricing, C)
    hands.turn(3601)
    assert ("stale", 1) == price(pricing, D)
    assert (1, 1, 0, 1) == tuple(asked(upstream, model) for model in (A, B, C, D))
    hold.set()


def test_close_with_a_source_that_cannot_be_broken_off(make_pricing: Make) -> None:
    """Closing does not wait for a client of one's own that hangs."""
    hold, began = threading.Event(), threading.Event()

    class Hanging(Fixed):
        def fetch_endpoints(self, model_id: str, *, etag: str | None, deadline: float) -> Any:
            began.set()
            hold.wait(3600)
            raise TransportError("late")

    pricing = make_pricing(client=Hanging(b""), deadline=3600)
    with asking(lambda: pricing.endpoints("openai/gpt-4o-mini")) as answers:
        assert began.wait(PATIENCE)
        shut(pricing)
    assert ["CatalogUnavailableError"] == answers
    hold.set()
    settle()


def test_nothing_starts_while_all_is_being_closed(make_pricing: Make, upstream: Upstream) -> None:
    """A model that is first asked for while the others are let go is not fetched; the catalogue keeps its store."""
    pricing = make_pricing(backend=MemoryBackend())
    price(pricing, A)
    live(pricing)._providers.close()
    assert ("live", 1) == price(pricing, A)
    assert None is why(pricing, B)
    pricing.refresh()
    assert (1, 0, 0) == (asked(upstream, A), asked(upstream, B), pricing.stats().backend_errors)


def test_models_share_a_connection_until_the_end(make_pricing: Make) -> None:
    """One model's endpoints after another's are fetched by one client, whose connection ends with the whole."""
    pricing = make_pricing()
    for model in (A, B, C):
        price(pricing, model)
    [client] = live(pricing)._providers._clients._idle.get()
    assert isinstance(client, Client)
    assert client._connections.get().adapter is not None
    [sock] = client._connections.get().adapter.sockets
    pricing.close()
    assert -1 == sock.fileno()


# -- the clients -------------------------------------------------------------------------------------------------------


class Counted(Fixed):
    """A source that counts how often it was closed."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.closed = 0

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def test_clients_are_used_again() -> None:
    """Each fetch has a client to itself; those that are left for the next ones are bounded, and closed at the end."""
    made: list[Counted] = []

    def open_source(recorder: Recorder) -> Counted:
        made.append(Counted())
        return made[-1]

    clients = _Clients(open_source, owned=True, most=2)
    taken = [clients.take(Recorder()) for _ in range(3)]
    assert made == taken
    for source in taken:
        clients.give_back(source)
    assert [0, 0, 1] == [source.closed for source in made]
    last = clients.take(Recorder())
    assert made[1] is last
    clients.close()
    assert [1, 0, 1] == [source.closed for source in made]
    clients.give_back(last)
    assert [1, 1, 1] == [source.closed for source in made]
    clients.close()
    assert 3 == len(made)


def test_a_child_does_not_touch_its_parents_clients() -> None:
    """After a fork a fetch has a client of its own, and closing closes none of the parent's."""
    clients = _Clients(lambda recorder: Counted(), owned=True, most=2)
    clients.give_back(parents := Counted())

    def work() -> bool:
        another = clients.take(Recorder()) is not parents
        clients.close()
        return another and parents.closed == 0

    assert in_child(work)
    assert parents is clients.take(Recorder())


def test_a_client_from_outside_is_not_ours() -> None:
    """One that was handed in serves every fetch and is never closed here."""
    client = Counted()
    clients = _Clients(lambda recorder: client, owned=False, most=2)
    taken = [clients.take(Recorder()) for _ in range(2)]
    assert [client, client] == taken
    clients.give_back(client)
    clients.break_off(client)
    clients.close()
    assert 0 == client.closed
