"""Which price list is meant."""

from __future__ import annotations

import pickle
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from support.upstream import row

from openrouter_pricing import Catalog, Pricing, Rates
from openrouter_pricing._prices.origin import Origin

AS_OF = datetime(2026, 8, 20, tzinfo=timezone.utc)
CATALOG = Catalog.from_models([row(pricing={"prompt": "1", "completion": "2"})], as_of=AS_OF)


class Archived:
    """A list of another day, and no catalogue."""

    as_of, digest = AS_OF.replace(year=2025), "of another list"

    def __getitem__(self, name: str, /) -> Any:
        return {"openai/gpt-4o-mini": SimpleNamespace(rates=Rates(prompt=3, completion=4))}[name]


def test_a_cost_names_its_list() -> None:
    """A cost carries the source, the date and the digest of the list that priced it."""
    cost = Pricing(catalog=CATALOG).cost("openai/gpt-4o-mini", 1)
    assert ("pinned", AS_OF, CATALOG.digest) == (cost.source, cost.as_of, cost.digest)


def test_any_list_with_a_date_a_digest_and_rates_can_be_replayed_on() -> None:
    """A cost is replayed on whatever has a date, a digest and rates under the model's name, and then names that."""
    cost = Pricing(catalog=CATALOG).cost("openai/gpt-4o-mini", 1, 1).replay(Archived())
    assert (7, Archived.as_of, Archived.digest) == (cost.raw, cost.as_of, cost.digest)


def test_a_digest_that_takes_long_is_worked_out_when_it_is_read() -> None:
    """Two origins are equal by what their digests say, and one that is pickled carries it along."""
    asked = []

    def digest() -> str:
        asked.append(1)
        return "abc"

    origin = Origin("history", AS_OF, digest, AS_OF)
    assert [] == asked
    assert origin == Origin("history", AS_OF, "abc", AS_OF) != Origin("history", AS_OF, "abd", AS_OF)
    assert origin == pickle.loads(pickle.dumps(origin))
    assert "abc" == origin.digest
    assert hash(origin) == hash(Origin("history", AS_OF, "abc", AS_OF))
