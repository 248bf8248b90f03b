"""What litellm and genai-prices answer, beside what this package answers.

Each test is a row of the page "Moving from litellm or genai-prices". Those of a package
that is not installed are skipped; `pip install litellm genai-prices` runs them.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

import pytest

from openrouter_pricing import Catalog, Pricing, Settings, UnknownModelError, Usage

MODEL = "openai/gpt-4o-mini"
COST = Decimal("0.00045")  # of 1000 prompt and 500 completion tokens
CACHED = Decimal("0.000405")  # with 600 of them from the cache
COUNTS = {"prompt_tokens": 1000, "completion_tokens": 500}

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs


@pytest.fixture
def pricing():
    """Prices of the bundled snapshot, as no network is at hand."""
    with Pricing() as pricing:
        yield pricing


@pytest.fixture
def litellm(monkeypatch):
    """With the price map that it carries."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    return pytest.importorskip("litellm")


@pytest.fixture
def genai():
    """With the prices that it carries."""
    return pytest.importorskip("genai_prices")


def completion(litellm, model=MODEL, **said):
    """A response of litellm's, whose usage says so much."""
    usage = litellm.Usage(**COUNTS, total_tokens=1500)
    for name, value in said.items():
        setattr(usage, name, value)
    return litellm.ModelResponse(model=model, usage=usage)


def priced(genai, model=MODEL, **more):
    """1000 tokens in and 500 out, by genai-prices."""
    usage = genai.Usage(input_tokens=1000, output_tokens=500, **more)
    return genai.calc_price(usage, model_ref=model, provider_id="openrouter")


def test_litellm_cost_per_token(litellm, pricing):
    """Two floats there; one exact cost with its lines here."""
    theirs = litellm.cost_per_token(model="gpt-4o-mini", **COUNTS)
    assert [type(part) for part in theirs] == [float, float]
    assert theirs == pytest.approx((0.00015, 0.0003))
    cost = pricing.cost(MODEL, **COUNTS)
    assert [line.amount for line in cost.lines] == [COST / 3, COST * 2 / 3]


def test_litellm_cached_tokens(litellm, pricing):
    """They are inside the prompt's tokens on both sides."""
    theirs = litellm.cost_per_token(
        model="gpt-4o-mini", **COUNTS, cache_read_input_tokens=600
    )
    assert sum(theirs) == pytest.approx(0.000405)
    cost = pricing.cost(MODEL, usage=Usage(**COUNTS, cached_tokens=600))
    assert cost.raw == CACHED


def test_litellm_cache_writes(litellm, pricing):
    """They are inside the prompt's tokens too."""
    theirs = litellm.cost_per_token(
        model="claude-haiku-4-5",
        **COUNTS,
        cache_read_input_tokens=600,
        cache_creation_input_tokens=300,
    )
    usage = Usage(**COUNTS, cached_tokens=600, cache_write_tokens=300)
    cost = pricing.cost("anthropic/claude-haiku-4.5", usage=usage)
    assert sum(theirs) == pytest.approx(float(cost.raw))


def test_litellm_prices_of_your_own(litellm):
    """Registered there; a catalogue of your own here."""
    price = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    theirs = litellm.cost_per_token(
        model="acme/own", **COUNTS, custom_cost_per_token=price
    )
    assert sum(theirs) == pytest.approx(0.002)
    row = {"id": "acme/own", "pricing": {"prompt": "1e-6", "completion": "2e-6"}}
    pinned = Pricing(Settings(), catalog=Catalog.from_models([row]))
    assert pinned.cost("acme/own", **COUNTS).raw == Decimal("0.002")


def test_litellm_completion_cost(litellm, pricing):
    """Its response is read here as it is."""
    response = completion(litellm)
    assert litellm.completion_cost(completion_response=response) == 0.00045
    assert pricing.cost_of(response).raw == COST


def test_litellm_sums(litellm, pricing):
    """A thousand calls add up to nearly 0.45 there, and to 0.45 here."""
    response = completion(litellm)
    theirs = sum(
        litellm.completion_cost(completion_response=response) for _ in range(1000)
    )
    assert theirs != 0.45
    assert theirs == pytest.approx(0.45)
    assert sum(pricing.cost_of(response) for _ in range(1000)).raw == Decimal("0.45")


def test_litellm_reported_cost(litellm, pricing):
    """Both take what the response reports; here the list's figure stands beside it."""
    response = completion(litellm, cost=0.00046)
    assert litellm.completion_cost(completion_response=response) == 0.00046
    cost = pricing.cost_of(response)
    assert (cost.raw, cost.computed) == (Decimal("0.00046"), COST)


def test_litellm_own_key(litellm, pricing):
    """There it is OpenRouter's fee; here what the provider took is added to it."""
    details = {"upstream_inference_cost": 0.00045}
    response = completion(litellm, cost=0.00002, is_byok=True, cost_details=details)
    assert litellm.completion_cost(completion_response=response) == 0.00002
    cost = pricing.cost_of(response)
    assert (cost.raw, cost.byok_fee) == (Decimal("0.00047"), Decimal("0.00002"))


def test_litellm_unknown_model(litellm, pricing):
    """An error on both sides; here one class that stands for nothing else."""
    with pytest.raises(Exception, match="mapped"):
        litellm.cost_per_token(model="openrouter/acme/nothing", **COUNTS)
    with pytest.raises(UnknownModelError):
        pricing.cost("acme/nothing", **COUNTS)


def test_litellm_row_without_a_price(litellm, pricing, monkeypatch):
    """A model that its map knows without a price costs 0 there, without an error."""
    row = {"litellm_provider": "openrouter", "mode": "chat"}
    monkeypatch.setitem(litellm.model_cost, "openrouter/acme/unpriced", row)
    theirs = litellm.cost_per_token(model="openrouter/acme/unpriced", **COUNTS)
    assert theirs == (0.0, 0.0)
    with pytest.raises(UnknownModelError):
        pricing.cost("acme/unpriced", **COUNTS)


def test_genai_total_price(genai, pricing):
    """The same Decimal, and the same id."""
    assert priced(genai).total_price == COST
    assert pricing.cost(MODEL, **COUNTS).raw == COST


def test_genai_parts(genai, pricing):
    """Two parts there; a line for each price here."""
    theirs = priced(genai, cache_read_tokens=600)
    assert (theirs.input_price, theirs.output_price) == (
        CACHED - COST * 2 / 3,
        COST * 2 / 3,
    )
    cost = pricing.cost(MODEL, usage=Usage(**COUNTS, cached_tokens=600))
    items = [line.item for line in cost.lines]
    assert items == ["prompt", "input_cache_read", "completion"]
    assert cost.raw == theirs.total_price == CACHED


def test_genai_usage(genai, pricing):
    """Its usage is read here as it is."""
    usage = genai.Usage(input_tokens=1000, output_tokens=500, cache_read_tokens=600)
    assert pricing.cost_of(usage, model=MODEL).raw == CACHED


def test_genai_model(genai, pricing):
    """What was priced, and at which prices per million tokens."""
    theirs = priced(genai)
    cost = pricing.cost(MODEL, **COUNTS)
    assert theirs.model.id == cost.model_id == MODEL
    assert theirs.model_price.input_mtok == cost.rates.per_million("prompt")


def test_genai_more_cached_than_input(genai, pricing):
    """An error there; clamped and flagged here."""
    with pytest.raises(ValueError, match="cannot exceed"):
        priced(genai, cache_read_tokens=1600)
    usage = {"prompt_tokens_details": {"cached_tokens": 1600}, **COUNTS}
    cost = pricing.cost_of({"model": MODEL, "usage": usage})
    assert [line.item for line in cost.lines] == ["input_cache_read", "completion"]
    assert cost.flags == ("cached_tokens 1600 of prompt_tokens 1000",)


def test_genai_storage(genai, pricing):
    """A cache write that is cheaper than the prompt is charged on top of it here."""
    gemini, tokens = "google/gemini-2.5-flash", {"cache_write_tokens": 300}
    theirs = priced(genai, gemini, **tokens)
    cost = pricing.cost(gemini, usage=Usage(**COUNTS, **tokens))
    more = 300 * cost.rates.prompt
    assert float(cost.raw - theirs.total_price) == pytest.approx(float(more))


def test_genai_extract_usage(genai, pricing):
    """What the response reports is not looked at there."""
    response = {"model": MODEL, "usage": {**COUNTS, "cost": 0.00046}}
    theirs = genai.extract_usage(response, provider_id="openrouter", api_flavor="chat")
    assert theirs.calc_price().total_price == COST
    assert pricing.cost_of(response).raw == Decimal("0.00046")


def test_genai_unknown_model(genai, pricing):
    """A LookupError on both sides."""
    with pytest.raises(LookupError):
        priced(genai, "acme/nothing")
    with pytest.raises(LookupError):
        pricing.cost("acme/nothing", **COUNTS)


def test_genai_routing_suffix(genai, pricing):
    """A suffix that chooses a route has the price of its model here."""
    with pytest.raises(LookupError):
        priced(genai, f"{MODEL}:nitro")
    assert pricing.cost(f"{MODEL}:nitro", **COUNTS).raw == COST


def test_genai_decimal_context(genai, pricing):
    """Results there are rounded by the context of whoever calls."""
    usage = genai.Usage(input_tokens=123_457, output_tokens=1)
    with localcontext(Context(prec=2)):
        theirs = genai.calc_price(usage, model_ref=MODEL, provider_id="openrouter")
        ours = pricing.cost(MODEL, 123_457, 1).raw
    assert (str(theirs.total_price), str(ours)) == ("0.019", "0.01851915")
