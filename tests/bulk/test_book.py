"""PriceBook: what it is made from, and what it refuses."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.bulk import answers, catalog, listed, table
from support.calls import calls, priced
from support.pinned import LATER

from openrouter_pricing import Catalog, Markup, Override, Pricing, PricingError, Settings
from openrouter_pricing._billing import bill as rules
from openrouter_pricing._billing import cost
from openrouter_pricing._bulk import book as books
from openrouter_pricing._bulk.book import PriceBook
from openrouter_pricing.metering.frames import price_frame

CALLS = table(
    {"model": ["a/plain", "a/plain:nitro", "a/nothing"], "prompt_tokens": [1000] * 3, "completion_tokens": [1] * 3}
)
_bill, _inputs, _outputs, _applies = rules.bill, rules._inputs, rules._outputs, Override.applies


def _minimum(*asked: Any) -> list[Any]:
    entries = _bill(*asked)
    return (
        entries
        if sum(units * price for _, units, price in entries) > Decimal("0.001")
        else [("prompt", 9, entries[0][2])]
    )


def _from(self: Override, prompt_tokens: int, at: Any) -> bool:
    return prompt_tokens == self.min_prompt_tokens or _applies(self, prompt_tokens, at)


@pytest.mark.parametrize(
    ("place", "name", "rule", "followed"),
    [
        (cost, "bill", lambda *asked: [(item, units, round(price, 7)) for item, units, price in _bill(*asked)], False),
        (cost, "bill", lambda *asked: [*_bill(*asked), ("surcharge", 1, Decimal("0.0001"))], False),
        (cost, "bill", lambda *asked: [(item, units + 1, price) for item, units, price in _bill(*asked)], False),
        (
            cost,
            "bill",
            lambda *asked: [(item, -(-units // 100) * 100, price) for item, units, price in _bill(*asked)],
            False,
        ),
        (
            cost,
            "bill",
            lambda *asked: [(item, min(units, 10**6), price) for item, units, price in _bill(*asked)],
            False,
        ),
        (cost, "bill", _minimum, False),
        (rules, "_inputs", lambda *asked: tuple(reversed(_inputs(*asked))), False),
        (rules, "_outputs", lambda *asked: tuple(reversed(_outputs(*asked))), False),
        (Override, "applies", _from, False),
        (cost, "unpriced", lambda *asked: None, True),
        (rules, "_is_storage", lambda *asked: False, True),
    ],
    ids=[
        "rounding",
        "surcharge",
        "one-more",
        "hundreds",
        "cap",
        "minimum",
        "order",
        "outputs",
        "edge",
        "unpriced",
        "storage",
    ],
)
def test_a_patched_rule_makes_it_refuse(
    place: Any, name: str, rule: Callable[..., Any], followed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No rule is written twice: one that changes is followed to the digit, or there is no book."""
    monkeypatch.setattr(place, name, rule)
    listed = catalog()
    if not followed:
        with pytest.raises(PricingError, match="cannot be carried to many rows"):
            PriceBook(listed)
        return
    book = PriceBook(listed)
    day = datetime(2026, 11, 2, tzinfo=timezone.utc)
    columns = calls(listed, 3_000, 1, day, day + timedelta(days=7))
    with Pricing(Settings(markup_rate=1), catalog=listed) as pricing:
        assert answers(price_frame(table(columns), book, at="at", reported="reported")) == priced(pricing, columns)


def test_the_rate_is_the_one_that_is_said() -> None:
    """A Pricing has its own markup, a catalogue none; both may be given."""
    pricing = Pricing(Settings(markup_rate="1.5"), catalog=catalog())
    shown = {
        "own": PriceBook(pricing),
        "argument": PriceBook(pricing, markup_rate=2),
        "policy": PriceBook(pricing, markup=Markup(models={"a/plain": 3})),
        "policy without a word": PriceBook(pricing, markup=Markup(models={"a/other": 3})),
        "list": PriceBook(catalog()),
        "argument before policy": PriceBook(catalog(), markup=Markup(rate=3), markup_rate="0.5"),
    }
    totals = {name: answers(price_frame(CALLS, book))[0].total for name, book in shown.items()}
    raw = Decimal("0.001002")
    assert totals == {
        "own": raw * Decimal("1.5"),
        "argument": raw * 2,
        "policy": raw * 3,
        "policy without a word": raw * Decimal("1.5"),
        "list": raw,
        "argument before policy": raw / 2,
    }


def test_places_are_rounded_half_up() -> None:
    """Totals are rounded as single costs are, and raw costs never."""
    policy = Markup(rate="1.25", places=4)
    pricing = Pricing(catalog=catalog(), markup=policy)
    calls = {"model": ["a/plain", "a/plain", "a/parts"], "prompt_tokens": [40, 39, 7], "completion_tokens": [0, 0, 3]}
    found = answers(price_frame(table(calls), PriceBook(pricing)))
    expected = [pricing.cost(*call) for call in zip(*calls.values(), strict=True)]
    assert [(one.raw, one.total) for one in found] == [(one.raw, one.total) for one in expected]
    assert found[0].total == Decimal("0.0001")


def test_places_beyond_the_scale_round_nothing() -> None:
    """What is rounded further than amounts are told is not rounded."""
    book = PriceBook(catalog(), markup=Markup(rate="1.25", places=40))
    assert book.places is None


def test_what_is_too_fine_is_refused() -> None:
    """A price needs room when the book is made, a total when there is one."""
    with pytest.raises(
        ValueError, match="scale is 22, and the price of cache_write_tokens takes 23 decimal places with a/fine"
    ):
        PriceBook(catalog(), scale=22)
    with pytest.raises(ValueError, match="price of prompt_tokens takes 25 decimal places with a/plain and its markup"):
        PriceBook(catalog(), markup_rate="1.0000000000000000001")
    assert PriceBook(catalog(), markup=Markup(rate="1.0000000000000000001", places=6)).places == 6
    book = PriceBook(catalog(), markup_rate="1.333")
    calls = {"model": ["a/fine"], "prompt_tokens": [10], "completion_tokens": [0]}
    assert answers(price_frame(table(calls), book))[0].total == Decimal("0.00001333")
    with pytest.raises(ValueError, match="a total of a/fine takes more than 24 decimal places"):
        price_frame(table({**calls, "cache_write_tokens": [1]}), book)
    wider = PriceBook(catalog(), markup_rate="1.333", scale=26)
    (found,) = answers(price_frame(table({**calls, "cache_write_tokens": [1]}), wider))
    assert found.total == Decimal("0.00001333") + Decimal("0.00000004166666666666667") * Decimal("1.333")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"scale": 0}, "scale must be from 1 to 37: 0"),
        ({"scale": 38}, "scale must be from 1 to 37: 38"),
        ({"scale": "24"}, "scale must be an integer"),
        ({"markup_rate": -1}, "markup_rate must not be negative"),
        ({"markup": 1.3}, "markup must be a Markup, not float"),
        ({"markup": Markup(rule=lambda *_: 2)}, "markup.rule looks at each usage"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], problem: str) -> None:
    """Each is refused by its name."""
    with pytest.raises((ValueError, TypeError), match=problem):
        PriceBook(catalog(), **options)


def test_a_book_can_be_pickled() -> None:
    """Its copy says the same, and takes names in that it was not asked for before."""
    with Pricing(Settings(offline=True, backend="memory://")) as pricing:
        book = pickle.loads(pickle.dumps(PriceBook(pricing)))
    calls = {
        "model": ["openai/gpt-4o-mini", "openai/gpt-4o-mini:floor"],
        "prompt_tokens": [1, 1],
        "completion_tokens": [2, 2],
    }
    first, second = answers(price_frame(table(calls), book))
    assert first == second
    assert repr(book).startswith("<PriceBook as of 20")


def test_names_of_one_model_are_proved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suffix needs no second proof at the same prices; nor does a copy in another process."""
    book = PriceBook(catalog(listed("a/plain"), listed("a/other")))
    monkeypatch.setattr(books, "prove", None)
    for one in (book, pickle.loads(pickle.dumps(book))):
        assert [found.status for found in answers(price_frame(CALLS, one))] == ["priced", "priced", "unknown_model"]


def test_a_book_of_a_database_can_be_pickled(tmp_path: Path) -> None:
    """What was recorded goes along, as an address."""
    sql: Any = pytest.importorskip("openrouter_pricing.history")
    store = sql.SqlHistory(f"sqlite:///{tmp_path / 'history.db'}")
    store.record(catalog())
    book = pickle.loads(pickle.dumps(PriceBook(store)))
    assert [one.status for one in answers(price_frame(CALLS, book, at=LATER))] == ["priced", "priced", "unknown_model"]


def test_threads_share_a_book() -> None:
    """Eight threads that ask for other names at once get what one thread gets."""
    book = PriceBook(Pricing(Settings(markup_rate=1), catalog=catalog()))
    expected = answers(price_frame(CALLS, PriceBook(catalog())))
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(answers(price_frame(CALLS, book)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_names_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it, they are found anew each time."""
    book = PriceBook(catalog())
    monkeypatch.setattr(books, "_MOST_NAMES", 0)
    assert [one.status for one in answers(price_frame(CALLS, book))] == ["priced", "priced", "unknown_model"]
    assert "a/plain:nitro" not in book._entries


def test_an_empty_list_makes_a_book() -> None:
    """All models are unknown to it."""
    book = PriceBook(Catalog.from_models([]))
    assert [one.status for one in answers(price_frame(CALLS, book))] == ["unknown_model"] * 3


def test_a_list_of_routers_alone_makes_a_book() -> None:
    """There is nothing to prove."""
    book = PriceBook(catalog(listed("a/plain", prompt="-1")))
    assert [one.status for one in answers(price_frame(CALLS, book))] == [
        "variable_price",
        "variable_price",
        "unknown_model",
    ]
