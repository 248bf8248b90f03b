"""The pages, as a reader sees them."""

from __future__ import annotations

from typing import Any

import pytest
from support.pages import Recorded, reader, shown, text
from support.upstream import row

from openrouter_pricing import Pricing, UpstreamError
from openrouter_pricing.history import Notifier


def test_an_overview_at_a_glance() -> None:
    """How the prices are, what changed, and that nothing went wrong."""
    history = Recorded(("a/b", 0, 18, {"prompt": "0.000001"}), ("a/b", 18, None, {"prompt": "0.000002"}))
    said = text(shown(row(), history=history), "/")
    for words in (
        "Pinned 1 models, ",
        "Source pinned",
        "Next refresh never",
        "Circuit breaker closed",
        "Answered from memory no question yet",
        "Lists from the store none yet",
        "Requests sent 0 0 retries",
        "Markup × 1.3",
        "1 change in the last 7 days that were recorded, up to 2026-08-21 00:00 UTC.",
        "Dearer a/b prompt 1 → now 2 +100 %",
        "None since this process began.",
    ):
        assert words in said
    assert "Notifications" not in said


def test_an_overview_without_anything(make_pricing: Any) -> None:
    """No prices, no history: it says what to do about both."""
    said = text(reader(make_pricing(offline=True, fallback=False, history="none")), "/")
    assert "No prices No prices are at hand." in said
    assert "Fetched never" in said
    assert "Set OPENROUTER_PRICING_HISTORY to have one." in said
    assert "unless history= hands one in" in text(shown(row()), "/")


def test_hit_ratios_are_shown(make_pricing: Any) -> None:
    """In per cent, with the counts that they are of."""
    pricing = make_pricing()
    for _ in range(1000):
        pricing.cost("openai/gpt-4o-mini", 1)
    said = text(reader(pricing), "/")
    assert "% of 1,000 questions" in said
    assert "Lists from the store 0 % 0 read, 1 fetched" in said


def test_troubles_are_shown(make_pricing: Any, upstream: Any) -> None:
    """The last error and how often, by its kind."""
    upstream.fail(503)
    pricing = make_pricing()
    for _ in range(2):
        with pytest.raises(UpstreamError, match="503"):
            pricing.refresh()
    said = text(reader(pricing), "/")
    assert "Last error of a refresh upstream answered with HTTP status 503" in said
    assert "Failed fetches, StatusError 2" in said


def test_deliveries_of_a_notifier(pinned: Pricing) -> None:
    """Where one is handed in: how many, and what went wrong."""
    with Notifier(pinned, [print]) as notifier:
        assert "Notifications Delivered 0 Failed attempts 0 Given up 0 Waiting 0" in text(
            reader(pinned, notifier=notifier), "/"
        )
        notifier._couriers.get()._count(delivered=3, failed=1, last_error="said https://me:secret@x", disabled=("x",))
        said = text(reader(pinned, notifier=notifier), "/")
    assert "Delivered 3 Failed attempts 1" in said
    assert "Receivers that want no more x Last error of a delivery said https://***@x" in said


def test_the_page_that_is_shown_is_marked() -> None:
    """In the navigation, for whoever cannot see it too; a page of errors marks none, and one for strangers has none."""
    client = shown(row())
    for path, label in (("/", "Overview"), ("/models", "Models"), ("/changes", "Changes")):
        assert f'aria-current="page">{label}</a>' in client.get(path).text
    assert "aria-current" not in client.get("/nope").text
    assert "<nav" in client.get("/nope").text
    assert "<nav" not in reader(client.application._pricing, auth="x").get("/").text
