"""Messages are short, whatever they quote: 600 KB of a name, a URL, a header, an environment variable."""

from __future__ import annotations

import difflib
import json
import logging
import pickle
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from openrouter_pricing import (
    Catalog,
    Client,
    Fetched,
    Markup,
    Pricing,
    PricingError,
    Rates,
    Settings,
    TransportError,
    UnknownModelError,
    UnknownProviderError,
    UnpricedUsageError,
    VariablePriceError,
    open_backend,
)
from openrouter_pricing._prices import wire
from openrouter_pricing.data import load_bundled

LONG = "a" * 600_000
COUNTS = {"prompt_tokens": 1, "completion_tokens": 1}
NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)


def _raise(error: Exception) -> None:
    raise error


def _answered(document: object) -> object:
    return wire.read_catalog(Fetched(200, body=json.dumps(document).encode()), NOW)


QUOTED: dict[str, Callable[[], object]] = {
    "a model": lambda: Pricing(catalog=load_bundled()).cost(LONG, 1, 1),
    "a model with routing suffixes": lambda: load_bundled()["openai/gpt-4o" + ":nitro" * 100_000],
    "a model of letters that repr() spells out": lambda: load_bundled()["\0" * 600_000],
    "a response's model": lambda: Pricing(catalog=load_bundled()).cost_of({"model": LONG, "usage": COUNTS}),
    "a provider": lambda: _raise(UnknownProviderError(LONG, LONG, [LONG] * 1000)),
    "a variable price": lambda: _raise(VariablePriceError(LONG)),
    "an unpriced usage": lambda: _raise(UnpricedUsageError(LONG, "images")),
    "a category": lambda: load_bundled().find(category=LONG),
    "a price key": lambda: Rates().per_million(LONG),
    "a price key of the list price": lambda: Rates().list_price(LONG),
    "a category of a markup": lambda: Markup(categories={LONG: 1}),
    "a rate of a markup": lambda: Markup(models={LONG: "dear"}),
    "a format": lambda: Catalog.loads(json.dumps({"format": LONG}).encode()),
    "a backend": lambda: open_backend(f"nosuch://{LONG}"),
    "a backend with blanks": lambda: open_backend(f"nosuch://{'a ' * 300_000}"),
    "a scheme": lambda: open_backend(LONG),
    "an option": lambda: Settings(l1_ttl=LONG),
    "a base URL": lambda: Settings(base_url=LONG),
    "a path": lambda: Client(Settings()).fetch_endpoints(LONG),
    "an upstream's error": lambda: _answered({"error": {"message": "a " * 300_000}}),
    "a row's id": lambda: _answered({"data": [{"id": LONG}]}),
    "whatever a refresh failed of": lambda: _raise(TransportError(f"a refresh failed: {LONG}")),
}  # fmt: skip


@pytest.mark.parametrize("what", QUOTED)
def test_a_message_is_short(what: str) -> None:
    """At most 500 characters of a name are quoted, and a message as a whole has at most 2,100."""
    with pytest.raises((PricingError, ValueError)) as caught:
        QUOTED[what]()
    shown = str(caught.value), repr(caught.value)
    assert [True, True] == [len(text) <= 2100 and "a" * 501 not in text for text in shown]


def test_many_tags_are_not_all_named() -> None:
    """Of a thousand endpoints twenty are named."""
    error = UnknownProviderError("x", "a/b", [f"tag{number}" for number in range(1000)])
    assert str(error).endswith("'tag18', 'tag19', …")
    assert 1000 == len(error.tags)


def test_a_short_message_is_whole() -> None:
    """What is cut in the message is whole in the attributes, also after pickling, and short names are as they were."""
    error = pickle.loads(pickle.dumps(UnknownModelError(LONG)))
    assert (LONG, "UnknownModelError('a/b')") == (error.model_id, repr(UnknownModelError("a/b")))


def test_a_long_variable_is_logged_short(caplog: pytest.LogCaptureFixture) -> None:
    """An environment variable that is no option is named, not repeated at length."""
    with caplog.at_level(logging.WARNING):
        Settings.from_env({f"OPENROUTER_PRICING_{LONG}": "1"})
    assert [True] == [len(record.getMessage()) < 2100 for record in caplog.records]


def test_a_long_name_is_compared_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """difflib's work grows with the product of two lengths, so a name longer than any listed one has no near names."""
    catalog = load_bundled()
    assert ("openai/gpt-4o",) == UnknownModelError("x", lambda: catalog.near("openai/gpt-4o", 1)).suggestions
    monkeypatch.setattr(difflib, "get_close_matches", None)
    assert [] == catalog.near("a" * 101)


def test_a_string_that_ends_in_a_backslash() -> None:
    """A body that is cut off behind a backslash is cut off, and each of its characters is looked at once."""
    body = b'{"data":[{"id":"' + b'\\"' * 10_000 + b"\\"
    assert [b"{", b'"data"', b":", b"[", b"{", b'"id"', b":"] == wire._TOKENS.findall(body)[:-1]
    assert len(wire._TOKENS.findall(body)[-1]) == 20_002


def test_a_next_page_of_what_cannot_be_read() -> None:
    """A body that names a next page and is cut off leads nowhere."""
    assert None is wire.next_page(b'{"links": {"next": "/models?page=2"')
