"""The commands models and model: what they answer."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from support.commands import Ask, lines_of, terminal
from support.upstream import Answer, Upstream, models, row


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (("--sort", "id"), "a/cheap b/dear c/router d/embed"),
        (("--sort", "name"), "a/cheap d/embed c/router b/dear"),
        (("--sort", "price"), "a/cheap d/embed b/dear c/router"),
        (("--sort", "context"), "a/cheap d/embed b/dear c/router"),
        (("--sort", "id", "--limit", "2"), "a/cheap b/dear"),
        (("--text", "ET", "--provider", "D"), "d/embed"),
        (("--category", "budget"), "a/cheap"),
        (("--min-context", "20"), "a/cheap d/embed"),
        (("--max-prompt-price", "2"), "a/cheap d/embed"),
        (("--max-prompt-price", "1.99"), "a/cheap"),
        (("--modality", "embeddings"), "d/embed"),
        (("--modality", "text+image->text", "--limit", "1"), "b/dear"),
        (("--supports", "tools", "--supports", "temperature", "--sort", "id"), "a/cheap b/dear c/router"),
    ],
)
def test_models_takes_every_filter_and_order(ask: Ask, args: tuple[str, ...], ids: str) -> None:
    """Each filter of ``Catalog.find`` is an option; the highest price is meant per million tokens."""
    status, out, _ = ask("models", "--json", *args)
    answer = json.loads(out)

    assert (status, answer["source"]) == (0, "live")
    assert sorted(ids.split()) == sorted(model["id"] for model in answer["models"])
    if "--sort" in args:
        assert ids.split() == [model["id"] for model in answer["models"]]


@pytest.mark.usefixtures("several")
def test_no_model_that_fits_is_an_empty_answer(ask: Ask) -> None:
    """Conditions that nothing meets print nothing but a note; as JSON, an empty list."""
    assert ask("models", "--text", "nothing") == (0, "", "note: no model meets these conditions\n")
    assert json.loads(ask("models", "--text", "nothing", "--json")[1])["models"] == []


def test_model_as_json_has_the_price_list_as_strings(ask: Ask) -> None:
    """``--json`` gives the model, its prices as strings, and where they come from."""
    status, out, _ = ask("model", "openai/gpt-4o-mini", "--json")
    answer = json.loads(out)

    assert (
        status,
        answer["id"],
        answer["category"],
        answer["source"],
    ) == (0, "openai/gpt-4o-mini", "Budget", "live")
    assert answer["pricing"] == {"prompt": "1.5E-7", "completion": "6E-7", "input_cache_read": "7.5E-8"}


@pytest.mark.usefixtures("several")
def test_models_is_a_table_of_aligned_columns(ask: Ask) -> None:
    """Piped, the table has a header and aligned columns, is never cut, and has neither box nor colour."""
    assert ask("models") == (
        0,
        (
            "id        category   context    prompt  completion  name\n"
            "b/dear    Reasoning       10        60          60  zeta\n"
            "c/router  -                -  variable    variable  eta\n"
            "a/cheap   Budget          30       0.1           0  Alpha\n"
            "d/embed   Standard        20         2           -  beta\n"
        ),
        "",
    )


def test_model_shows_the_whole_price_list_and_overrides_in_words(ask: Ask, upstream: Upstream) -> None:
    """Every listed price has its unit, every condition is in words, and what is never charged is named."""
    upstream.say(
        row(
            context_length=None,
            supported_parameters=[],
            pricing={
                "prompt": "0.000001",
                "completion": "0.000002",
                "request": "0.01",
                "image": "0.003",
                "web_search": "0.02",
                "discount": 0.25,
                "shipping": "1",
                "overrides": [
                    {"prompt": "0.000003", "image": "0.000003", "min_prompt_tokens": 200000},
                    {"completion": "-1", "utc_start": 1630, "utc_days": ["sunday", "monday", "noday"]},
                    {"web_search": "0.05", "utc_end": 30},
                    {"utc_days": []},
                    {"prompt": "0", "moon_phase": "full"},
                    {"prompt": "0.000005"},
                ],
            },
        )
    )
    status, out, err = ask("model", "openai/gpt-4o-mini:nitro")
    lines = out.splitlines()

    assert (status, err) == (0, "")
    assert lines[0].startswith("openai/gpt-4o-mini  OpenAI: GPT-4o-mini  (live, prices of 20")
    assert lines[1:] == [
        "provider: openai",
        "canonical slug: openai/gpt-4o-mini",
        "takes: text, image",
        "gives: text",
        "category: -",
        "item          USD  per",
        "prompt          1  million tokens",
        "completion      2  million tokens",
        "request      0.01  request",
        "image       0.003  image",
        "web_search   0.02  search",
        "above 200,000 prompt tokens: prompt 3 USD per million tokens, image 3 USD per million tokens",
        "from 16:30 to 24:00 UTC, on Monday, Sunday (UTC): completion variable",
        "from 00:00 to 00:30 UTC: web_search 0.05 USD per search",
        "on no day (UTC): no other prices",
        "never applied, as its conditions are not known here (moon_phase): prompt 0 USD per million tokens",
        "always: prompt 5 USD per million tokens",
        "discount: 0.25, already taken off these prices",
        "listed, but not known here and never charged: shipping",
    ]


def test_a_router_model_has_no_category_and_no_price(ask: Ask, upstream: Upstream) -> None:
    """``-1`` is shown as variable, never as an amount."""
    upstream.say(row(pricing={"prompt": "-1", "completion": "-1"}))
    _, out, _ = ask("model", "openai/gpt-4o-mini")

    assert "category: -\n" in out
    assert out.count("variable") == 2
    assert None is json.loads(ask("model", "openai/gpt-4o-mini", "--json")[1])["category"]


# -- order, columns and forms --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("args", "ids"),
    [
        ("--desc", "d/embed a/cheap c/router b/dear"),
        ("--sort id --desc", "d/embed c/router b/dear a/cheap"),
        ("--sort name --desc", "b/dear c/router d/embed a/cheap"),
        ("--sort price --desc", "b/dear d/embed a/cheap c/router"),
        ("--sort context --desc", "a/cheap d/embed b/dear c/router"),
        ("--sort price --desc --limit 1", "b/dear"),
    ],
)
def test_desc_is_descending(ask: Ask, args: str, ids: str) -> None:
    """The largest comes first; what has no price or no context comes last all the same, and the limit counts last."""
    models = json.loads(ask("models", "--json", *args.split())[1])["models"]

    assert ids.split() == [model["id"] for model in models]


@pytest.mark.usefixtures("several")
def test_columns_are_chosen_by_name(ask: Ask) -> None:
    """``--columns`` shows these, in this order, each once."""
    assert ask("models", "--columns", "prompt, ID,gives,prompt", "--sort", "id", "--limit", "2") == (
        0,
        "prompt  id      gives\n   0.1  a/cheap  text\n    60  b/dear   text\n".replace(
            "id      gives", "id       gives"
        ),
        "",
    )


def test_every_column_can_be_shown(ask: Ask, upstream: Upstream) -> None:
    """All that the help names has a value."""
    prices = ("prompt", "completion", "input_cache_read", "input_cache_write", "internal_reasoning")
    pricing = dict.fromkeys(prices, "0.000001") | {"request": "0.01", "image": "0.02", "web_search": "0.03"}
    upstream.say(row(pricing=pricing))
    names = re.findall(r"of: ([\w, ]+)", " ".join(ask("models", "--help")[1].split()).replace("\n", " "))[-1]
    columns = names.replace(" ", "")
    out = ask("models", "--csv", "--columns", columns)[1]
    (values,) = csv.DictReader(io.StringIO(out))

    assert columns.split(",") == list(values)
    assert ("1", "1", "1", "0.01", "0.02", "0.03") == tuple(
        values[name] for name in ("cache_read", "cache_write", "reasoning", "request", "image", "search")
    )
    assert ("text+image", "text", "openai") == tuple(values[name] for name in ("takes", "gives", "provider"))


@pytest.mark.parametrize("value", ["", "id,", "price", "id,\x1b[31m"])
def test_a_column_that_there_is_not_is_named(ask: Ask, upstream: Upstream, value: str) -> None:
    """A wrong name is one line with all names, and nobody is asked."""
    status, out, err = ask("models", "--columns", value)

    assert (2, "", 1, []) == (status, out, err.count("\n"), upstream.requests)
    assert f"'--columns': there is no column {value.rsplit(',', maxsplit=1)[-1]!r}; there are id, category, " in err


@pytest.mark.usefixtures("several")
def test_models_as_csv(ask: Ask) -> None:
    """A header, a line of each model, nothing where nothing is listed, and no word beside it."""
    status, out, err = ask("models", "--csv")

    assert (0, "") == (status, err)
    assert out.splitlines() == [
        "id,category,context,prompt,completion,name",
        "b/dear,Reasoning,10,60,60,zeta",
        "c/router,,,variable,variable,eta",
        "a/cheap,Budget,30,0.1,0,Alpha",
        "d/embed,Standard,20,2,,beta",
    ]
    assert ask("models", "--csv", "--text", "nothing")[1] == "id,category,context,prompt,completion,name\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "\uff1d1"])
def test_a_name_is_no_formula_to_a_spreadsheet(ask: Ask, upstream: Upstream, name: str) -> None:
    """What a spreadsheet would calculate begins with a quote or with an escape."""
    upstream.say(row(name=name))
    (model,) = csv.DictReader(io.StringIO(ask("models", "--csv")[1]))

    assert model["name"][0] in "'\\"


def test_two_forms_at_once_are_wrong(ask: Ask) -> None:
    """JSON or CSV: both is a question with two answers."""
    assert ask("models", "--json", "--csv") == (
        2,
        "",
        (
            "openrouter-pricing: --json and --csv are two forms of one answer: give one of them. "
            "(see 'openrouter-pricing models --help')\n"
        ),
    )


def test_every_row_is_shown_unless_there_is_a_limit(upstream: Upstream) -> None:
    """A terminal of 24 lines gets all of a long list, without a pager."""
    upstream.answer = Answer(models(*(row(f"a/model-{number:03}") for number in range(300))))
    shown = lines_of(terminal("models", width=100))

    assert 300 == sum(line.startswith("a/model-") for line in shown)
    assert 7 == sum(line.startswith("a/model-") for line in lines_of(terminal("models", "--limit", "7", width=100)))


# -- what the snapshot does not say --------------------------------------------------------------------------------


@pytest.fixture
def _offline(_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_PRICING_OFFLINE", "true")


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("args", [("--modality", "image"), ("--supports", "tools")])
def test_what_the_snapshot_lacks_is_said_to_be_unknown(ask: Ask, args: tuple[str, ...]) -> None:
    """A filter on a field that no row of the snapshot has finds nothing, and says that nobody knows."""
    status, out, err = ask("models", *args)

    assert (0, "") == (status, out)
    assert err.splitlines()[1:] == [f"note: {args[0]}: unknown in the snapshot; with a network the answer is whole"]
    answer = json.loads(ask("models", *args, "--json")[1])
    assert ([args[0][2:]], []) == (answer["unknown"], answer["models"])


@pytest.mark.usefixtures("_offline")
def test_what_the_snapshot_knows_in_part_is_counted(ask: Ask) -> None:
    """A filter on a field that some rows lack shows those that have it, and says of how many nobody knows."""
    status, out, err = ask("models", "--min-context", "128k", "--limit", "3")

    assert (0, 4) == (status, out.count("\n"))
    assert re.fullmatch(
        r"note: --min-context: unknown in the snapshot for \d+ of \d+ models; with a network the answer is whole",
        err.splitlines()[-1],
    )


@pytest.mark.usefixtures("_offline")
def test_what_the_snapshot_knows_is_no_matter_of_doubt(ask: Ask) -> None:
    """Filters on ids and prices are answered from the snapshot as from any list."""
    status, out, err = ask("models", "--category", "budget", "--provider", "openai", "--json")

    assert (0, 1) == (status, err.count("\n"))
    assert "unknown" not in json.loads(out)
    assert ask("models", "--text", "xyzzy")[2].endswith("note: no model meets these conditions\n")


# -- terminals -----------------------------------------------------------------------------------------------------

LONG = "cognitivecomputations/dolphin-mistral-24b-venice-edition:free"


@pytest.mark.parametrize(
    ("model_id", "width", "columns"),
    [
        ("a/" + "x" * 27, 80, "id category context prompt completion"),
        ("a/" + "x" * 41, 80, "id context prompt completion"),
        (LONG, 80, "id prompt completion"),
        (LONG, 100, "id category context prompt completion"),
        (LONG, 200, "id category context prompt completion name"),
        ("a/" + "x" * 90, 80, "id prompt completion"),
    ],
)
def test_an_id_is_never_broken_nor_cut(upstream: Upstream, model_id: str, width: int, columns: str) -> None:
    """Columns give way in the order name, category, context; where that is not enough, the line runs over."""
    upstream.say(row(model_id, name="A name of some length"))
    lines = lines_of(terminal("models", width=width))
    header = next(line for line in lines if line.startswith("id "))
    cells = next(line for line in lines if line.startswith(("a/", LONG[:2]))).split()

    assert columns.split() == header.split()
    assert model_id == cells[0]
    assert len(header) <= width or len(model_id) > 60


@pytest.mark.parametrize("width", [80, 100, 200])
def test_columns_that_were_asked_for_do_not_give_way(upstream: Upstream, width: int) -> None:
    """Who names columns gets them, however narrow the terminal is."""
    upstream.say(row(LONG, name="N" * 40))
    lines = lines_of(terminal("models", "--columns", "id,name,category,context", width=width))

    assert any(line.split() == [LONG, "N" * 40, "Budget", "128000"] for line in lines)


def test_categories_show_their_thresholds(ask: Ask) -> None:
    """The help, the price list of a model, and the table on a terminal say what each category is."""
    shown = " ".join(lines_of(terminal("models", width=200)))
    assert "category: Budget below 1, Standard from 1 to below 5, Fast from 5 to below 10, Premium from 10 to" in shown
    assert (
        "category: Budget (below 1 USD per million tokens, the mean of prompt and completion)\n"
        in (ask("model", "openai/gpt-4o-mini")[1])
    )
    assert "Premium from 10 to below 50, Reasoning 50 and above" in " ".join(ask("models", "--help")[1].split())
    assert "category:" not in " ".join(lines_of(terminal("models", "--columns", "id", width=200)))


@pytest.mark.parametrize("width", [80, 100, 200])
def test_model_fits_a_terminal(upstream: Upstream, width: int) -> None:
    """Long facts are broken at spaces alone, and an id stands whole."""
    upstream.say(row(LONG, name="Venice", supported_parameters=[f"parameter_{number}" for number in range(30)]))
    lines = lines_of(terminal("model", LONG, width=width))

    assert all(len(line) <= width for line in lines)
    assert LONG in lines[0].split()
    assert {f"parameter_{number}" for number in range(30)} <= {
        word.rstrip(",") for line in lines for word in line.split()
    }
