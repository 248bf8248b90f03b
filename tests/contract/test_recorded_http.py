"""The recorded catalogues over real HTTP: compressed, chunked, conditional and in pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from support.recorded import recorded, recorded_names
from support.upstream import Answer, Upstream

from openrouter_pricing import Catalog, Pricing, UnpricedUsageError, VariablePriceError, open_backend

pytestmark = pytest.mark.skipif(not recorded_names(), reason="the recorded data is not at hand")
Make = Callable[..., Pricing]


def costs(catalog: Catalog, pricing: Pricing) -> dict[str, Decimal | None]:
    """What every model costs, or None for a router and for rows that sell something else."""
    found: dict[str, Decimal | None] = {}
    for model_id in catalog:
        try:
            found[model_id] = pricing.cost(model_id, 1000, 500).raw
        except (VariablePriceError, UnpricedUsageError):
            found[model_id] = None
    return found


@pytest.mark.parametrize("name", recorded_names())
def test_a_recorded_catalogue_arrives_whole(name: str, make_pricing: Make, upstream: Upstream, tmp_path: Path) -> None:
    """Every day's list arrives without a lost row, costs the same as read directly, and is kept by a 304 and a disk."""
    rows = recorded(name)["data"]
    body = json.dumps({"data": rows}).encode()
    upstream.answer = Answer(body, etag='"day"', gzip=True, chunked=True)
    store = f"disk://{tmp_path}/store"
    pricing = make_pricing(backend=open_backend(store))
    expected = Catalog.from_models(rows)
    assert list(pricing.catalog()) == [fields["id"] for fields in rows]
    assert pricing.stats().skipped_rows == 0
    assert costs(pricing.catalog(), pricing) == costs(expected, Pricing(catalog=expected))
    pricing.refresh()
    assert pricing.stats().not_modified == 1
    second = make_pricing(backend=open_backend(store))
    assert costs(second.catalog(), second) == costs(expected, Pricing(catalog=expected))
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("name", recorded_names()[-1:])
def test_a_recorded_catalogue_in_pages(name: str, make_pricing: Make, upstream: Upstream) -> None:
    """The same list in five pages is the same catalogue."""
    rows = recorded(name)["data"]
    size = len(rows) // 4
    paths = ["/api/v1/models?output_modalities=all", *(f"/api/v1/models?page={page}" for page in range(2, 7))]
    for number, path in enumerate(paths[:5]):
        document = {
            "data": rows[number * size : (number + 1) * size],
            "links": {"next": paths[number + 1] if number < 4 else None},
        }
        upstream.pages[path] = Answer(json.dumps(document).encode(), gzip=True)
    pricing = make_pricing()
    assert pricing.catalog().digest == Catalog.from_models(rows).digest
    assert len(upstream.requests) == 5
