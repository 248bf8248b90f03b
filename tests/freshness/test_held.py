"""What a process answers from."""

from __future__ import annotations

import math
from datetime import datetime, timezone

from support.upstream import row

from openrouter_pricing import Catalog
from openrouter_pricing._freshness.held import Held

AS_OF = datetime(2026, 8, 20, tzinfo=timezone.utc)


def test_what_is_held_says_where_it_is_from() -> None:
    """Costs name the source, the day and the list; without a limit it is held for ever, with an empty drawer."""
    catalog = Catalog.from_models([row()], as_of=AS_OF)
    held = Held(catalog, "stale")
    assert (held.origin.source, held.origin.as_of, held.origin.digest) == ("stale", AS_OF, catalog.digest)
    assert (held.catalog, held.until, held.prices) == (catalog, math.inf, {})
    assert Held(catalog, "live", 7.0).until == 7.0
