"""The commands range and endpoints: what each provider asks for."""

from __future__ import annotations

import csv
import io
import json

import pytest
from support.commands import Ask, lines_of, terminal
from support.endpoints import MODEL, endpoint, offers, path
from support.freshness import settle
from support.upstream import Answer, Upstream, row

from openrouter_pricing import Pricing, Settings, Usage

STEP = {"overrides": [{"min_prompt_tokens": 100000, "prompt": "0.000004"}]}


@pytest.fixture(autouse=True)
def _offers(_environment: None, upstream: Upstream) -> None:
    """Two providers of the standard tier and one of another; the dearer has a step in its price."""
    upstream.pages[path()] = Answer(
        offers(
            endpoint("Azure", "azure/eastus-2", "0.000002", "0.000002", pricing=STEP),
            endpoint("DeepInfra", "deepinfra/fp8", "0.000001", "0.000001", quantization="fp8"),
            endpoint("OpenAI", "openai/flex", "0.0000005", "0.0000005", context_length=None),
        )
    )


def test_a_range_says_from_what_to_what_first(ask: Ask) -> None:
    """Costs and charges of the cheapest, the listed and the dearest price, and whose these are."""
    status, out, err = ask("range", MODEL, "1k", "1k", "--markup", "2")
    first, *rest = out.splitlines()

    assert (0, "") == (status, err)
    assert first.startswith(f"costs 0.002 to 0.004 USD; charge 0.004 to 0.008 USD (× 2)  {MODEL}  (live, prices of 20")
    assert rest == [
        "price     endpoint        costs USD  charge USD  provider",
        "cheapest  deepinfra/fp8       0.002       0.004  DeepInfra",
        "listed    -                 0.00075      0.0015  the model's own",
        "dearest   azure/eastus-2      0.004       0.008  Azure",
    ]


def test_a_range_of_one_tier(ask: Ask) -> None:
    """``--tier`` takes the endpoints of that tier; one price is no range."""
    assert ask("range", MODEL, "1M", "0", "--tier", "flex", "--markup", "1")[1].startswith(
        "costs 0.5 USD; charge 0.5 USD (× 1)"
    )


def test_steps_that_apply_are_named(ask: Ask) -> None:
    """A step of a provider's price is named with its threshold where the call is above it."""
    words = "dearest: applies above 100,000 prompt tokens: prompt 4 USD per million tokens\n"

    assert ask("range", MODEL, "100,001", "0")[1].endswith(words)
    assert "applies" not in ask("range", MODEL, "100k", "0")[1]


def test_a_range_as_json_and_csv(ask: Ask, upstream: Upstream) -> None:
    """JSON has the three costs as the SDK gives them, CSV the amounts."""
    with Pricing(Settings(base_url=upstream.url)) as pricing:
        found = pricing.price_range(MODEL, Usage(10, 10))
        settle()  # what the command finds in the store is of the same time
    printed = json.loads(ask("range", MODEL, "10", "10", "--json")[1])
    rows = list(csv.DictReader(io.StringIO(ask("range", MODEL, "10", "10", "--csv")[1])))

    assert printed == {name: cost.to_dict() for name, cost in found._asdict().items()}
    assert [("min", "0.00002", "deepinfra/fp8"), ("list", "0.0000075", ""), ("max", "0.00004", "azure/eastus-2")] == [
        (each["which"], each["raw_usd"], each["endpoint"]) for each in rows
    ]


def test_endpoints_are_a_table(ask: Ask) -> None:
    """Every endpoint has its tag, tier and prices per million tokens; conditional prices follow in words."""
    status, out, err = ask("endpoints", MODEL)
    first, *rest = out.splitlines()

    assert (0, "") == (status, err)
    assert first.startswith(f"{MODEL}  3 endpoints, USD per million tokens  (live, prices of 20")
    assert [line.split() for line in rest] == [
        [
            "endpoint",
            "tier",
            "prompt",
            "completion",
            "cache",
            "read",
            "cache",
            "write",
            "context",
            "quantization",
            "provider",
        ],
        ["azure/eastus-2", "standard", "2", "2", "-", "-", "128000", "-", "Azure"],
        ["deepinfra/fp8", "standard", "1", "1", "-", "-", "128000", "fp8", "DeepInfra"],
        ["openai/flex", "flex", "0.5", "0.5", "-", "-", "-", "-", "OpenAI"],
        ["azure/eastus-2:", "above", "100,000", "prompt", "tokens:", "prompt", "4", "USD", "per", "million", "tokens"],
    ]


def test_endpoints_as_json_and_csv(ask: Ask) -> None:
    """Both have every endpoint; CSV leaves empty what is not listed."""
    answer = json.loads(ask("endpoints", MODEL, "--json")[1])
    rows = list(csv.DictReader(io.StringIO(ask("endpoints", MODEL, "--csv")[1])))

    assert (MODEL, "live") == (answer["model_id"], answer["source"])
    assert ["azure/eastus-2", "deepinfra/fp8", "openai/flex"] == [each["tag"] for each in answer["endpoints"]]
    assert {"prompt": "0.000001", "completion": "0.000001"} == answer["endpoints"][1]["pricing"]
    assert rows[2] == {
        "endpoint": "openai/flex",
        "provider": "OpenAI",
        "tier": "flex",
        "quantization": "",
        "context": "",
        "prompt": "0.5",
        "completion": "0.5",
        "input_cache_read": "",
        "input_cache_write": "",
    }


@pytest.mark.parametrize("command", [("endpoints", MODEL), ("range", MODEL, "1", "1")])
def test_without_anybody_to_ask_it_is_one_line(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """The snapshot holds no provider's prices: offline that is an error of one line, and status 1."""
    monkeypatch.setenv("OPENROUTER_PRICING_OFFLINE", "true")
    status, out, err = ask(*command)

    assert (1, "", 1) == (status, out, err.count("\n"))
    assert "offline" in err


def test_two_forms_at_once_are_wrong(ask: Ask) -> None:
    """JSON or CSV: both is a question with two answers."""
    status, out, err = ask("endpoints", MODEL, "--json", "--csv")

    assert (2, "", 1) == (status, out, err.count("\n"))


@pytest.mark.parametrize(("width", "gone"), [(80, "quantization, provider"), (100, "provider"), (200, "")])
def test_a_tag_is_never_broken(upstream: Upstream, width: int, gone: str) -> None:
    """Columns give way, provider and quantization first; a tag stays whole, if the line runs over."""
    lines = lines_of(terminal("endpoints", MODEL, width=width))

    assert {"azure/eastus-2", "deepinfra/fp8", "openai/flex"} <= {line.partition("  ")[0] for line in lines}
    assert [f"note: {width} columns have no room for: {gone} (--json has everything)"] * bool(gone) == [
        line for line in lines if line.startswith("note:")
    ]
    long = "azure/" + "x" * 90
    upstream.pages[path()] = Answer(offers(endpoint("Azure", long)))
    lines = lines_of(terminal("endpoints", MODEL, width=width, OPENROUTER_PRICING_BACKEND="memory://"))
    assert long in {line.partition("  ")[0] for line in lines}


def test_an_alias_is_priced_as_what_it_points_at(ask: Ask, upstream: Upstream) -> None:
    """The id that is shown is the one whose endpoints these are."""
    upstream.say(row(canonical_slug="openai/gpt-4o-mini-2024-07-18"))

    assert ask("endpoints", "openai/gpt-4o-mini-2024-07-18")[1].startswith(f"{MODEL}  ")
