"""A history in the project's database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.test import override_settings
from support.recordings import DAY, FIRST, listed
from support.upstream import Upstream, row, steady
from support.waiting import until

from openrouter_pricing import PricingError
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing.django import DjangoHistory, pricing
from openrouter_pricing.django import history as room
from openrouter_pricing.django.models import PriceHead, RecordedPrice
from openrouter_pricing.testing import HistoryCheck, history_checks

MODEL = "openai/gpt-4o-mini"


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    """Nothing is recorded before a test, nor after it."""
    yield
    RecordedPrice.objects.all().delete()
    PriceHead.objects.all().delete()


@pytest.mark.parametrize("check", history_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("using", [None, "default"])
def test_conformance(check: HistoryCheck, using: str | None) -> None:
    """It does everything that the protocol asks for."""
    check(lambda: DjangoHistory(using))


def test_it_has_a_name() -> None:
    """A URL names the alias of a database, or leaves it to the routers."""
    assert repr(DjangoHistory.from_url("django://reports")) == "DjangoHistory('reports')"
    assert repr(DjangoHistory.from_url("django://")) == "DjangoHistory(None)"


def test_the_first_lists_of_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second records again, as often as it takes, but not for ever."""
    record, failures = room._record, [IntegrityError(), IntegrityError()]

    def fails_first(using: str, catalog: Any) -> Any:
        if failures:
            raise failures.pop()
        return record(using, catalog)

    monkeypatch.setattr(room, "_record", fails_first)
    DjangoHistory().record(listed(0, x="1"))
    assert RecordedPrice.objects.count() == 1
    failures += [IntegrityError()] * 5
    with pytest.raises(PricingError, match="all the time"):
        DjangoHistory().record(listed(1, x="2"))
    assert RecordedPrice.objects.count() == 1


def test_it_can_begin_with_the_bundled_one() -> None:
    """What is recorded elsewhere is taken over whole, by an empty database alone."""
    history, bundled = DjangoHistory(), BundledHistory()
    history.initialise()
    assert history.as_of(FIRST) is None
    history.initialise(bundled.periods(MODEL))
    assert list(history.periods()) == list(bundled.periods(MODEL))
    history.initialise(bundled.periods("openai/gpt-4o"))
    assert {period.model_id for period in history.periods()} == {MODEL}


def test_a_database_without_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told what to do."""
    with monkeypatch.context() as patch:
        patch.setattr(PriceHead._meta, "db_table", "missing")
        with pytest.raises(PricingError, match=r"manage\.py migrate"):
            DjangoHistory().initialise()
        with pytest.raises(DatabaseError):
            DjangoHistory().record(listed(0, x="1"))


def test_connections_are_given_back() -> None:
    """A thread of ours, in which no request ever ends, keeps none open."""
    kept: list[Any] = []

    def ask() -> None:
        DjangoHistory().as_of(FIRST + DAY)
        kept.append(connection.connection)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert kept == [None]


def test_a_view_keeps_its_connection() -> None:
    """One that asks the history itself has its own connection afterwards."""
    connection.ensure_connection()
    before = connection.connection
    DjangoHistory().as_of(FIRST + DAY)
    assert connection.connection is before is not None


def test_a_project_records_its_prices(upstream: Upstream, options: dict[str, Any]) -> None:
    """With ``django://`` each new list is recorded, and the past prices what was of then."""
    upstream.answer.body = steady(row(pricing={"prompt": "1", "completion": "0"}))
    with override_settings(OPENROUTER_PRICING={**options, "HISTORY": "django://default"}):
        first = pricing.refresh()
        until(PriceHead.objects.exists)
        upstream.answer.body = steady(row(pricing={"prompt": "2", "completion": "0"}))
        pricing.refresh()
        until(lambda: RecordedPrice.objects.filter(model_id=MODEL).count() == 2)
        periods = pricing.price_history(MODEL)
        assert [period.rates.prompt for period in periods] == [1, 2]
        assert periods[0].since == first.as_of
        assert pricing.stats().history_errors == 0
        pricing.close()
