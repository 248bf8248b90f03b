"""One model, what it costs and did cost, and what whoever serves it asks."""

from __future__ import annotations

import threading

import pytest
from support.endpoints import endpoint, offers, path
from support.freshness import MODEL, Make, settle
from support.pages import Recorded, reader, shown, text
from support.upstream import Answer, Upstream, models, row

from openrouter_pricing import Fetched, Pricing, Settings

PRICING = {
    "prompt": "0.000002",
    "completion": "0.00001",
    "request": "0.005",
    "web_search": "0.01",
    "discount": "0.25",
    "novelty": "1",
    "overrides": [{"min_prompt_tokens": 200000, "prompt": "0.000004"}],
}
OLD = {"prompt": "0.000003", "completion": "0.00001"}
PATH = f"/models/{MODEL}"


def test_every_price() -> None:
    """In its unit, with conditional ones in words, and what is not charged."""
    said = text(shown(row("x/y:z@v", name="A model", pricing=PRICING)), "/models/x/y:z@v")
    assert "A model x/y:z@v" in said
    for words in (
        "prompt 2 .00 million tokens",
        "request 0 .005 request",
        "web search 0 .01 search",
        "above 200,000 prompt tokens: prompt 4 USD per million tokens",
        "A discount of 0.25 is already taken off",
        "never charged: novelty",
        "Category Fast",
        "128,000 tokens",
        "text, image",
        "No history is kept",
    ):
        assert words in said


def test_what_is_not_listed() -> None:
    """A row of an id and nothing else, a router, and a row that sells no tokens."""
    bare = row("a/b", context_length=None, architecture={}, pricing={}, name=None)
    said = text(shown(bare), "/models/a/b")
    assert "No price is listed." in said
    assert 3 == said.count("not listed")
    assert "prompt variable" in text(shown(row("a/b", pricing={"prompt": "-1", "completion": "-1"})), "/models/a/b")
    film = row("a/b", architecture={"output_modalities": ["video"]}, pricing={"prompt": "0", "completion": "0"})
    assert "No tokens are sold here" in text(shown(film), "/models/a/b")


def test_other_names() -> None:
    """A slug, an alias and a routing suffix lead to the model, which says so."""
    client = shown(
        row("a/b", canonical_slug="a/b-2026"),
        row("~a/latest", alias_target={"slug": "a/b"}, pricing={"prompt": "-1", "completion": "-1"}),
    )
    for name in ("a/b-2026", "a/b:nitro", "~a/latest"):
        assert f"“ {name} ” is priced as this model." in text(client, f"/models/{name}")
    assert "Canonical slug a/b-2026" in text(client, "/models/a/b")
    priced = shown(row("~a/latest", alias_target={"slug": "a/b"}))
    assert "Alias of a/b" in text(priced, "/models/~a/latest")


def test_an_unknown_name() -> None:
    """A 404 with near names."""
    client = shown(row())
    said = text(client, "/models/openai/gpt4o-mini", 404)
    assert "Nothing that is called “openai/gpt4o-mini” is listed. Did you mean one of these? openai/gpt-4o-mini" in said
    assert "Did you mean" not in text(client, "/models/" + "x" * 500, 404)


def test_what_it_did_cost() -> None:
    """A chart of each price that matters, and every period in a table; the latest first."""
    history = Recorded((MODEL, 0, 5, OLD), (MODEL, 5, None, {**OLD, "input_cache_read": "0.0000003"}))
    client = shown(row(pricing=PRICING), history=history)
    page = client.get(PATH).text
    assert 2 == page.count('<svg class="chart" role="img"')
    assert "<desc id=" in page
    said = text(client, PATH)
    assert "All 2 periods as a table" in said
    assert "2026-08-06 last recording 3 .00 10 .00 0 .30 2026-08-01 2026-08-06 3 .00 10 .00 –" in said
    assert "Recorded from 2026-08-01 00:00 UTC to 2026-08-21 00:00 UTC." in said


def test_a_model_that_is_gone() -> None:
    """Its last prices are shown, and that they are those."""
    client = shown(row(), history=Recorded(("a/gone", 0, 5, OLD), (MODEL, 0, None, OLD)))
    said = text(client, "/models/a/gone")
    assert "Not listed any more. These are its last prices, which stood until 2026-08-06 00:00 UTC." in said
    assert "prompt 3 .00" in said
    assert "Providers" not in said


def test_nothing_was_recorded_of_it() -> None:
    """The days that were recorded are said."""
    said = text(shown(row(), history=Recorded(("a/other", 0, None, OLD))), PATH)
    assert "Nothing of it was recorded from 2026-08-01 to 2026-08-21." in said


# -- providers ---------------------------------------------------------------------------------------------------------


def test_providers_are_asked_when_the_reader_wants_it(make_pricing: Make, upstream: Upstream) -> None:
    """Not before; and then they are held."""
    upstream.pages[path()] = Answer(offers(endpoint("Alpha", "alpha"), endpoint("Beta", "beta/flex")))
    client = reader(make_pricing())
    client.application._pricing.warm()
    asked = len(upstream.requests)
    assert "Ask the providers" in text(client, PATH)
    assert asked == len(upstream.requests)
    said = text(client, f"{PATH}?providers=ask")
    assert "alpha" in said
    assert "flex" in said
    assert said.partition("As of")[2] == text(client, PATH).partition("As of")[2]
    assert asked + 1 == len(upstream.requests)


def test_providers_that_do_not_answer_in_time(
    make_pricing: Make, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says that they are being asked, and does not wait for long."""
    monkeypatch.setattr("openrouter_pricing.dashboard.details._PATIENCE", 0)
    hold = threading.Event()
    upstream.pages[path()] = Answer(b"no", 500, hold=hold)
    client = reader(make_pricing())
    client.application._pricing.warm()
    assert "They are being asked." in text(client, f"{PATH}?providers=ask")
    hold.set()
    settle()
    assert "500" in text(client, f"{PATH}?providers=ask")


def test_a_client_that_knows_no_providers() -> None:
    """The page says so, and what is held of the model."""

    class Bare:
        def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
            return Fetched(200, {}, models())

        def close(self) -> None:
            """Nothing to let go of."""

    with Pricing(Settings(backend="null://"), client=Bare()) as pricing:
        pricing.warm()
        assert "Bare knows no provider" in text(reader(pricing), f"{PATH}?providers=ask")


def test_nobody_to_ask(make_pricing: Make) -> None:
    """Offline and pinned, there is no button; a closed one asks nobody."""
    assert "A pinned list knows no providers." in text(shown(row()), f"{PATH}?providers=ask")
    assert "The settings say offline" in text(reader(make_pricing(offline=True)), PATH)
    pricing = make_pricing()
    pricing.warm()
    pricing.close()
    assert "providers" in text(reader(pricing), f"{PATH}?providers=ask").lower()
