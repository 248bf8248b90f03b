"""Who is told when prices change."""

from __future__ import annotations

from decimal import Decimal

from support.freshness import MODEL, Make, priced
from support.upstream import Upstream
from support.waiting import until


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
