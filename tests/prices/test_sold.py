"""Rows that sell something else than text tokens: unpriced, never free, in no category."""

from __future__ import annotations

from typing import Any

import pytest
from support.recorded import each_day, recorded
from support.upstream import row

from openrouter_pricing import Catalog, Pricing, Settings, UnpricedUsageError, Usage

ZERO = {"prompt": "0", "completion": "0"}
SONG = ["text", "audio"]


def sells(model_id: str, outputs: list[str], inputs: tuple[str, ...] = ("text",), **pricing: str) -> dict[str, Any]:
    """A row that makes these modalities, at 0/0 unless it says otherwise."""
    architecture = {"input_modalities": list(inputs), "output_modalities": outputs}
    return row(model_id, architecture=architecture, pricing={**ZERO, **pricing})


UNPRICED = [
    sells("a/video", ["video"], ("text", "image")),
    sells("a/rerank", ["rerank"]),
    sells("a/song", SONG, ("text", "image")),
    sells("a/clip", ["text", "video"]),
    sells("a/tune", ["text", "music"]),
    sells("a/picture", ["image"]),
    sells("a/whisper", ["transcription"], ("audio",), prompt="0.0001"),
    sells("a/scribe", ["text"], ("audio",), prompt="0.0001"),
    sells("a/transcribe", ["transcription"], ("audio",), prompt="0.0000025", completion="0.00001"),
    sells("a/voice", ["speech"], prompt="0.00003"),
    sells("a/sound", ["audio"], prompt="0.00003"),
    row("a/old-video", architecture={"modality": "text->video"}, pricing=ZERO),
    row("a/filler", architecture={"modality": "text->rerank"}, pricing={"prompt": "0", "request": "0", "image": "0"}),
]
PRICED = [
    sells("a/promotion", ["text"]),
    sells("a/promotion-images", ["text", "image"]),
    sells("a/song:free", SONG),
    sells("a/video:free", ["video"]),
    sells("a/whisper:free", ["transcription"], ("audio",)),
    sells("a/embed", ["embeddings"], prompt="0.00000002"),
    sells("a/embed-free", ["embeddings"]),
    sells("a/audio-chat", SONG, ("text", "audio"), prompt="0.0000025", completion="0.00001"),
    sells("a/hears", ["text"], ("audio",), prompt="0.0000025", completion="0.00001"),
    sells("a/painter", ["image"], prompt="0.000005", completion="0.00001"),
    row("a/unsaid", architecture={}, pricing=ZERO),
]
CATALOG = Catalog.from_models(UNPRICED + PRICED)


def names(rows: list[dict[str, Any]]) -> list[str]:
    """Their ids."""
    return [listed["id"] for listed in rows]


@pytest.mark.parametrize("model", names(UNPRICED))
@pytest.mark.parametrize(
    ("usage", "dimension"),
    [
        (Usage(150), "prompt_tokens"),
        (Usage(150, 9), "prompt_tokens"),
        (Usage(0, 9), "completion_tokens"),
        (Usage(), "requests"),
        (Usage(images=1), "requests"),
    ],
)
def test_an_unpriced_row_prices_nothing(model: str, usage: Usage, dimension: str) -> None:
    """Whatever the usage is, a bare request too, such a row raises, asked for the first time and the second."""
    pricing = Pricing(Settings(), catalog=CATALOG)
    for _ in range(2):
        with pytest.raises(
            UnpricedUsageError, match=f"cannot price {dimension} of model '{model}': the model "
        ) as caught:
            pricing.cost(model, usage=usage)
        assert dimension == caught.value.dimension
    with pytest.raises(UnpricedUsageError):
        pricing.cost(model, usage.prompt_tokens, usage.completion_tokens)


@pytest.mark.parametrize("model", names(UNPRICED))
def test_an_unpriced_row_is_nowhere_called_cheap(model: str) -> None:
    """It has no mean price and no category, and no search by price finds it."""
    listed = CATALOG[model]

    assert (None, None) == (listed.mean_price, listed.category)
    assert None is listed.to_dict()["category"]
    assert model not in [found.id for found in CATALOG.cheapest(100)]
    assert model not in [found.id for found in CATALOG.find(max_prompt_price=1)]
    assert model not in [found.id for models in CATALOG.by_category().values() for found in models]
    assert model in CATALOG


@pytest.mark.parametrize("model", names(PRICED))
def test_other_rows_keep_their_price(model: str) -> None:
    """Text at 0/0, ``:free`` rows, embeddings and everything that lists a price per token are priced as before."""
    listed = CATALOG[model]
    cost = Pricing(Settings(markup_rate=1), catalog=CATALOG).cost(model, 1000)

    assert 1000 * listed.rates.prompt == cost.raw
    assert listed.category is not None


def test_a_row_with_a_price_of_another_kind_sells_that() -> None:
    """A song that lists its price per request costs that, and tokens on it are not priced at the filler of 0."""
    catalog = Catalog.from_models([sells("a/song", SONG, request="0.08")])
    pricing = Pricing(Settings(markup_rate=1), catalog=catalog)

    assert pricing.cost("a/song", usage=Usage(requests=2)).raw == catalog["a/song"].rates.request * 2
    assert None is catalog["a/song"].category
    with pytest.raises(UnpricedUsageError, match="prompt_tokens"):
        pricing.cost("a/song", 1)


def test_a_router_stays_a_router() -> None:
    """A variable price is told as one, whatever the row makes."""
    (listed,) = Catalog.from_models([sells("a/router", SONG, prompt="-1", completion="-1")]).values()

    assert (True, None) == (listed.rates.variable, listed.rates.unpriced)


#: The rows that are unpriced since, of all that were recorded.
LYRIA = ["google/lyria-3-pro-preview", "google/lyria-3-clip-preview"]
CHANGED = dict.fromkeys([f"models-2026-{day}.json.gz" for day in ("05-27", "07-18", "08-20")], LYRIA)


@each_day
def test_every_row_of_every_recorded_list(name: str) -> None:
    """Of nine days two songs a day are unpriced and all else is priced as listed; the promotions at 0/0 stay free."""
    rows = recorded(name)["data"]
    catalog = Catalog.from_models(rows)
    unpriced = [model.id for model in catalog.values() if model.rates.unpriced is not None]
    free = [
        listed["id"]
        for listed in rows
        if not any(float(listed["pricing"][side]) for side in ("prompt", "completion")) and listed["id"] not in LYRIA
    ]

    assert CHANGED.get(name, []) == unpriced
    assert set(free) <= {model.id for model in catalog.cheapest(len(free))}
    assert all(catalog[listed["id"]].rates.to_dict().items() >= _prices(listed).items() for listed in rows
               if listed["id"] not in LYRIA)  # fmt: skip


def _prices(listed: dict[str, Any]) -> dict[str, Any]:
    from openrouter_pricing import Rates

    return {key: price for key, price in Rates.from_dict(listed["pricing"]).to_dict().items() if key != "overrides"}
