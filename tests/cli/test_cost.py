"""The command cost: one model, several, and what a month of calls costs."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from support.commands import Ask, lines_of, process, terminal
from support.endpoints import endpoint, offers, path
from support.upstream import Answer, Upstream, row

from openrouter_pricing import Pricing, Settings, Usage


@pytest.fixture
def three(upstream: Upstream) -> None:
    """Three models: a dear one, a cheap one, and one in between with a step in its price."""
    step = {"min_prompt_tokens": 272000, "prompt": "0.000004"}
    upstream.say(
        row("a/dear", pricing={"prompt": "0.00001", "completion": "0.00002"}),
        row("b/step", pricing={"prompt": "0.000002", "completion": "0", "overrides": [step]}),
        row("c/cheap", pricing={"prompt": "0.000001", "completion": "0.000002"}),
    )


def test_cost_as_json_is_the_dictionary_of_the_cost(ask: Ask, upstream: Upstream) -> None:
    """``--json`` prints ``Cost.to_dict()``, with money as strings, and takes every option."""
    upstream.say(row(pricing={"prompt": "1", "completion": "2", "input_cache_write": "3"}))
    status, out, err = ask(
        "cost", "openai/gpt-4o-mini", "10", "5", "--cache-write", "4", "--markup", "1.5", "--json", "--cached=1"
    )
    answer = json.loads(out)

    assert (status, err) == (0, "")
    assert (answer["raw"], answer["markup_rate"]) == ("28", "1.5")
    assert answer["total"] == "42.0"
    assert [line["item"] for line in answer["lines"]] == ["prompt", "input_cache_write", "completion"]


def test_an_unknown_model_is_named_with_near_names() -> None:
    """A misspelt model is one line with suggestions, and status 1."""
    assert process("cost", "openai/gpt4o-mini", "1000", "500") == (
        1,
        "",
        "openrouter-pricing: unknown model 'openai/gpt4o-mini'; did you mean 'openai/gpt-4o-mini'?\n",
    )


def test_cost_shows_the_total_first_and_then_the_bill() -> None:
    """The first line says what it costs, what to charge, model, source and date; the others add up to it."""
    status, out, err = process("cost", "openai/gpt-4o-mini", "1000", "500", "--cached", "200")
    first, *rest = out.splitlines()

    assert (status, err) == (0, "")
    assert first.startswith("costs 0.000435 USD; charge 0.0005655 USD (× 1.3)  openai/gpt-4o-mini  (live, prices of 20")
    assert first.endswith(" UTC)")
    assert [line.split() for line in rest] == [
        ["item", "quantity", "unit", "price", "USD"],
        ["prompt", "800", "0.15", "per", "million", "tokens", "0.00012"],
        ["input_cache_read", "200", "0.075", "per", "million", "tokens", "0.000015"],
        ["completion", "500", "0.6", "per", "million", "tokens", "0.0003"],
        ["raw", "0.000435"],
        ["markup", "×", "1.3"],
        ["total", "0.0005655"],
    ]


def test_the_command_line_and_the_sdk_agree(ask: Ask, upstream: Upstream) -> None:
    """The command prints what the SDK answers from the same store."""
    printed = json.loads(ask("cost", "openai/gpt-4o-mini", "123", "456", "--json")[1])
    with Pricing(Settings(base_url=upstream.url)) as pricing:
        assert pricing.cost("openai/gpt-4o-mini", 123, 456).to_dict() == printed


# -- several models ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("three")
def test_several_models_stand_side_by_side_the_cheapest_first(ask: Ask) -> None:
    """Each has its cost, its charge, and how many times the cheapest it is; the first line is about the cheapest."""
    status, out, err = ask("cost", "a/dear", "b/step", "c/cheap", "1,000", "1k", "--markup", "2")
    first, *rest = out.splitlines()

    assert (0, "") == (status, err)
    assert first.startswith("costs 0.002 USD; charge 0.004 USD (× 2)  b/step, the cheapest of 3  (live, prices of 20")
    assert rest == [
        "model    costs USD  charge USD  vs cheapest",
        "b/step       0.002       0.004       × 1.00",
        "c/cheap      0.003       0.006       × 1.50",
        "a/dear        0.03        0.06      × 15.00",
    ]


def test_nothing_is_how_many_times_nothing(ask: Ask, upstream: Upstream) -> None:
    """Where the cheapest is free, nobody is compared with it."""
    upstream.say(row("a/free", pricing={"prompt": "0", "completion": "0"}), row("b/paid"))
    out = ask("cost", "b/paid", "a/free", "1", "1")[1]

    assert ["a/free", "0", "0", "-"] == out.splitlines()[2].split()
    assert out.splitlines()[3].endswith(" -")


@pytest.mark.usefixtures("three")
def test_several_as_json_are_a_list_of_dictionaries(ask: Ask, upstream: Upstream) -> None:
    """``--json`` prints each ``Cost.to_dict()``, the cheapest first, and nothing else."""
    printed = json.loads(ask("cost", "a/dear", "c/cheap", "1000", "0", "--json")[1])
    with Pricing(Settings(base_url=upstream.url)) as pricing:
        assert [pricing.cost(model, usage=Usage(1000)).to_dict() for model in ("c/cheap", "a/dear")] == printed


@pytest.mark.usefixtures("three")
def test_several_as_csv(ask: Ask) -> None:
    """``--csv`` prints a header and a line of each, with money in plain decimals."""
    status, out, err = ask("cost", "a/dear", "c/cheap", "1", "0", "--csv", "--calls", "2k")
    rows = list(csv.DictReader(io.StringIO(out)))

    assert (0, "") == (status, err)
    assert [("c/cheap", "0.000001", "0.0000013", "1.3", "1"), ("a/dear", "0.00001", "0.000013", "1.3", "10")] == [
        (row["model"], row["raw_usd"], row["total_usd"], row["markup_rate"], row["vs_cheapest"]) for row in rows
    ]
    assert ("2000", "0.002", "0.0026", "live", "") == tuple(
        rows[0][name] for name in ("calls_per_month", "raw_usd_per_month", "total_usd_per_month", "source", "endpoint")
    )


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("models", "said"), [("a/dear gone/x", "'gone/x'"), ("b/video a/dear", "'b/video'")])
def test_one_that_has_no_price_is_an_error_that_names_it(ask: Ask, upstream: Upstream, models: str, said: str) -> None:
    """No table is shown that lacks one of the models: one line names it, and the status is 1."""
    video = row("b/video", architecture={"output_modalities": ["video"]}, pricing={"prompt": "0", "completion": "0"})
    upstream.say(row("a/dear"), video)
    status, out, err = ask("cost", *models.split(), "1", "1")

    assert (1, "", 1) == (status, out, err.count("\n"))
    assert said in err


# -- projections ---------------------------------------------------------------------------------------------------


def test_calls_per_day_are_projected_to_a_month_of_30_days(ask: Ask) -> None:
    """Exact sums of a day and of a month, below the bill of one call."""
    lines = ask("cost", "openai/gpt-4o-mini", "1k", "500", "--calls", "10k", "--per", "day")[1].splitlines()

    assert "costs 0.00045 USD; charge 0.000585 USD (× 1.3)" == lines[0].partition("  ")[0]
    assert lines[-2:] == [
        "10,000 calls a day: costs 4.5 USD; charge 5.85 USD",
        "300,000 calls a month (30 days): costs 135 USD; charge 175.5 USD",
    ]


@pytest.mark.parametrize("per", [[], ["--per", "month"]])
def test_calls_are_per_month_unless_said_otherwise(ask: Ask, per: list[str]) -> None:
    """A month of calls is one sum: nobody knows the days of which month it is."""
    lines = ask("cost", "openai/gpt-4o-mini", "1k", "500", "--calls", "1.5M", *per)[1].splitlines()

    assert "1,500,000 calls a month: costs 675 USD; charge 877.5 USD" == lines[-1]
    assert not any(" a day" in line for line in lines)


def test_a_projection_as_json(ask: Ask) -> None:
    """The projection stands beside what ``to_dict()`` says, with money as strings."""
    plain = json.loads(ask("cost", "openai/gpt-4o-mini", "1k", "500", "--json")[1])
    answer = json.loads(ask("cost", "openai/gpt-4o-mini", "1k", "500", "--json", "--calls", "10", "--per", "day")[1])
    projection = answer.pop("projection")

    assert plain == answer
    assert (10, "day", 30) == (projection["calls"], projection["per"], projection["days_of_a_month"])
    assert (10, Decimal("0.0045"), Decimal("0.00585")) == (
        projection["per_day"]["calls"],
        Decimal(projection["per_day"]["raw"]),
        Decimal(projection["per_day"]["total"]),
    )
    assert (300, Decimal("0.135")) == (projection["per_month"]["calls"], Decimal(projection["per_month"]["raw"]))


@pytest.mark.usefixtures("three")
def test_several_models_are_projected(ask: Ask) -> None:
    """The table has the sums of a day and of a month, and says what they are of."""
    out = ask("cost", "a/dear", "c/cheap", "1k", "0", "--markup", "1", "--calls", "10", "--per", "day")[1]
    _, header, cheap, dear, calls = out.splitlines()

    assert header.endswith("costs a day  charge a day  costs a month  charge a month")
    assert ["c/cheap", "0.001", "0.001", "×", "1.00", "0.01", "0.01", "0.3", "0.3"] == cheap.split()
    assert ["0.1", "0.1", "3", "3"] == dear.split()[-4:]
    assert "10 calls a day, a month of 30 days" == calls
    assert ask("cost", "a/dear", "c/cheap", "1", "0", "--calls", "10")[1].endswith("\n10 calls a month\n")


# -- what else is said ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("three")
def test_price_steps_that_apply_are_named_with_their_threshold(ask: Ask) -> None:
    """A step that the prompt is above is written in full; below it nothing is said."""
    step = "applies above 272,000 prompt tokens: prompt 4 USD per million tokens\n"

    assert ask("cost", "b/step", "272,001", "0")[1].endswith(f"\n{step}")
    assert "applies" not in ask("cost", "b/step", "272k", "0")[1]
    assert f"\nb/step: {step}" in ask("cost", "b/step", "a/dear", "300k", "0")[1]


def test_windows_that_apply_are_named(ask: Ask, upstream: Upstream) -> None:
    """A price of an hour of the day says which hours."""
    timed = {"prompt": "7", "utc_start": 1030, "utc_end": 1100}
    upstream.say(row(pricing={"prompt": "1", "completion": "1", "overrides": [timed]}))
    out = ask("cost", "openai/gpt-4o-mini", "1", "0", "--at", "2026-11-22T10:30:00Z")[1]

    assert "\napplies from 10:30 to 11:00 UTC: prompt 7000000 USD per million tokens\n" in out


def test_another_days_list_is_a_note(ask: Ask) -> None:
    """A call of a day that no history reaches is told on stderr, beside JSON too."""
    status, out, err = ask("cost", "openai/gpt-4o-mini", "1", "0", "--at", "2024-01-01T00:00Z", "--json")

    assert (0, 1) == (status, err.count("\n"))
    assert err == "note: priced by the list of 2024-09-21, not of the call's day (2024-01-01)\n"
    assert json.loads(out)["flags"] == [err.removeprefix("note: ").rstrip("\n")]


def test_a_provider_is_named_with_its_endpoint(ask: Ask, upstream: Upstream) -> None:
    """``--provider`` and ``--tier`` price by endpoints, and the first line says which."""
    upstream.pages[path()] = Answer(
        offers(endpoint("DeepInfra", "deepinfra/fp8", "1", "1"), endpoint("OpenAI", "openai/flex", "3", "3"))
    )
    by_provider = ask("cost", "openai/gpt-4o-mini", "1", "1", "--provider", "DeepInfra")[1]
    at_tier = ask("cost", "openai/gpt-4o-mini", "openai/gpt-4o-mini", "1", "1", "--tier", "flex")[1]

    assert by_provider.startswith("costs 2 USD; charge 2.6 USD (× 1.3)  openai/gpt-4o-mini  endpoint deepinfra/fp8  (")
    assert 2 == at_tier.count("\nopenai/gpt-4o-mini (endpoint openai/flex, tier flex)  ")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("width", "headers"),
    [
        (60, ["model", "costs a month"]),
        (80, ["model", "costs USD", "charge USD", "vs cheapest", "costs a month", "charge a month"]),
        (200, None),
    ],
)
def test_columns_give_way_before_a_model_does(upstream: Upstream, width: int, headers: list[str] | None) -> None:
    """On a narrow terminal the sums of a day go first, then charges, the ratio and the cost of one call."""
    long = "m/" + "x" * 40 if width == 60 else "m/x"
    upstream.say(row(long), row("b/y"))
    command = ("cost", long, "b/y", "1k", "1k", "--calls", "10", "--per", "day")
    lines = lines_of(terminal(*command, width=width))
    table = next(place for place, line in enumerate(lines) if line.startswith("model "))

    assert all(len(line) <= width for line in lines[table : table + 4])
    assert {long, "b/y"} == {line.split()[0] for line in lines[table + 2 : table + 4]}
    if headers is None:
        assert not any(line.startswith("note:") for line in lines)
    else:
        assert "  ".join(headers).split() == lines[table].split()
        assert any(line.startswith(f"note: {width} columns have no room for: ") for line in lines)
