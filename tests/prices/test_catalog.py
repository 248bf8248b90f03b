"""Catalog: an immutable, lazily decoded set of models."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import pickle
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.upstream import row

from openrouter_pricing import (
    Catalog,
    Category,
    PayloadError,
    Pricing,
    Settings,
    UnknownModelError,
    Usage,
    VariablePriceError,
)
from openrouter_pricing._prices.catalog import FORMAT

AS_OF = datetime(2026, 11, 2, 12, 30, tzinfo=timezone.utc)
ROUTER = {"prompt": "-1", "completion": "-1"}


def catalog(*rows: dict[str, Any]) -> Catalog:
    """A catalogue of these rows."""
    return Catalog.from_models(rows, as_of=AS_OF)


def priced(model_id: str, prompt: str, completion: str = "0", **fields: Any) -> dict[str, Any]:
    """A row with these prices per million tokens."""
    listed = {"prompt": str(Decimal(prompt).scaleb(-6)), "completion": str(Decimal(completion).scaleb(-6))}
    return row(model_id, pricing=listed, **fields)


def resolved(rows: Catalog, name: str) -> str:
    """The id that a name means."""
    return rows[name].id


# -- ids -------------------------------------------------------------------------------------------------------------


def test_an_exact_id_wins() -> None:
    """An id is itself, even where another row has it as its slug."""
    assert "a/x" == resolved(catalog(row("a/y", canonical_slug="a/x"), row("a/x", canonical_slug="a/z")), "a/x")


def test_a_canonical_slug_is_the_row_that_has_it() -> None:
    """Responses answer with the slug."""
    assert "a/x" == resolved(catalog(row("a/x", canonical_slug="a/x-2026")), "a/x-2026")


@pytest.mark.parametrize("order", list(itertools.permutations(["a/x", "a/x:free"])))
def test_a_shared_slug_means_the_row_without_suffix(order: tuple[str, ...]) -> None:
    """In whatever order they are listed, the row without suffix is meant."""
    assert "a/x" == resolved(catalog(*(row(name, canonical_slug="a/x-2026") for name in order)), "a/x-2026")


@pytest.mark.parametrize("order", list(itertools.permutations(["a/x", "a/x:free", "a/x:batch"])))
def test_a_slug_shared_by_three_rows_means_the_one_without_suffix(order: tuple[str, ...]) -> None:
    """In whatever order ``:free``, ``:batch`` and the row itself are listed, the row without suffix is meant."""
    assert "a/x" == resolved(catalog(*(row(name, canonical_slug="a/x-2026") for name in order)), "a/x-2026")


def test_a_slug_of_suffixed_rows_alone_is_unknown_where_there_are_several() -> None:
    """Nobody can say which is meant; a single one is meant itself."""
    rows = [row(f"a/x:{suffix}", canonical_slug="a/x-2026") for suffix in ("free", "batch", "thinking")]

    assert "a/x:free" == resolved(catalog(rows[0]), "a/x-2026")
    for several in (rows[:2], rows):
        with pytest.raises(UnknownModelError):
            catalog(*several)["a/x-2026"]


def test_the_first_of_two_rows_without_suffix_keeps_the_slug() -> None:
    """A slug does not move to a later row."""
    rows = catalog(row("a/x", canonical_slug="s"), row("a/y", canonical_slug="s"), row("a/x:free", canonical_slug="s"))

    assert "a/x" == resolved(rows, "s")


def test_an_empty_name_is_unknown() -> None:
    """Nothing is priced by an empty name."""
    with pytest.raises(UnknownModelError):
        catalog(row("a/x", canonical_slug=""))[""]


@pytest.mark.parametrize("suffix", [":nitro", ":floor", ":exacto", ":online", ":nitro:online"])
def test_a_routing_suffix_prices_the_base_row(suffix: str) -> None:
    """How a request is routed does not change the model, by id or by slug."""
    rows = catalog(row("a/x", canonical_slug="a/x-2026"))

    assert ["a/x", "a/x"] == [resolved(rows, f"a/x{suffix}"), resolved(rows, f"a/x-2026{suffix}")]


def test_a_listed_suffix_is_a_row_of_its_own() -> None:
    """A routing suffix that is listed prices itself."""
    assert "a/x:exacto" == resolved(catalog(row("a/x"), row("a/x:exacto")), "a/x:exacto")


@pytest.mark.parametrize("suffix", [":free", ":batch", ":thinking", ":extended", ":free:nitro", ":", ":Nitro"])
def test_another_suffix_that_is_not_listed_is_unknown(suffix: str) -> None:
    """``:free`` and its like are rows of their own, never the base row's price."""
    with pytest.raises(UnknownModelError):
        catalog(row("a/x"))[f"a/x{suffix}"]


def test_a_routing_suffix_on_a_listed_variant() -> None:
    """The row under the routing suffix may have a suffix itself."""
    assert "a/x:free" == resolved(catalog(row("a/x"), row("a/x:free")), "a/x:free:nitro")


def test_an_alias_prices_itself() -> None:
    """An alias whose row has a price is not replaced by its target."""
    rows = catalog(priced("~a/latest", "9", alias_target={"slug": "a/x"}), priced("a/x", "1"))

    assert ["~a/latest", "~a/latest"] == [resolved(rows, "~a/latest"), resolved(rows, "~a/latest:nitro")]


def test_a_variable_alias_is_priced_by_its_target() -> None:
    """Where the alias has no price of its own the target prices, and the result says so."""
    rows = catalog(
        row("~a/latest", canonical_slug="~a/slug", pricing=ROUTER, alias_target={"slug": "a/x-2026"}),
        priced("a/x", "1", canonical_slug="a/x-2026"),
    )
    pricing = Pricing(Settings(), catalog=rows)

    assert ["a/x"] * 3 == [pricing.cost(name, 1).model_id for name in ("~a/latest", "~a/slug", "~a/latest:nitro")]
    assert ["~a/latest", "a/x"] == [model.id for model in rows.find()]


@pytest.mark.parametrize("target", ["a/gone", "~a/other", "~a/latest", None])
def test_a_variable_alias_without_a_priced_target_is_variable(target: str | None) -> None:
    """A target that is missing, an alias too, or the row itself prices nothing."""
    rows = catalog(
        row("~a/latest", pricing=ROUTER, alias_target={"slug": target}), row("~a/other", alias_target={"slug": "a/x"})
    )

    with pytest.raises(VariablePriceError):
        Pricing(Settings(), catalog=rows).cost("~a/latest", 1)


def test_completion_tokens_on_an_embedding_row() -> None:
    """What a prompt-only row cannot price is an error that names it; the prompt is priced."""
    from openrouter_pricing import UnpricedUsageError

    rows = catalog(priced("a/embed", "1", architecture={"output_modalities": ["embeddings"]}))
    pricing = Pricing(Settings(markup_rate=1), catalog=rows)

    assert Decimal(1) == pricing.cost("a/embed", 10**6).raw
    with pytest.raises(UnpricedUsageError, match="completion_tokens of model 'a/embed'"):
        pricing.cost("a/embed", usage=Usage(1, 1))


def test_an_unknown_model_has_near_names() -> None:
    """Names without their author and misspelt ones are found, at most three, nearest first."""
    rows = catalog(row("openai/gpt-4o"), row("openai/gpt-4o-mini"), row("zz/other"), row("x/gpt-4o"))
    with pytest.raises(UnknownModelError) as caught:
        rows["GPT-4o"]

    assert ("openai/gpt-4o", "x/gpt-4o") == caught.value.suggestions[:2]
    assert ["openai/gpt-4o-mini"] == rows.near("openai/gpt-4o-mini2", limit=1)
    assert [] == rows.near("completely-different")


@pytest.mark.parametrize("bad", [None, 5, b"a/x", ("a/x",)])
def test_a_name_that_is_no_string(bad: Any) -> None:
    """A name is a string."""
    with pytest.raises(TypeError, match=f"^model must be a string, not {type(bad).__name__}$"):
        catalog(row("a/x"))[bad]


# -- the mapping -----------------------------------------------------------------------------------------------------


def test_an_honest_mapping() -> None:
    """Length, iteration, membership, get and items are those of a mapping of the listed ids."""
    rows = catalog(row("b/y"), row("a/x"))

    assert isinstance(rows, Mapping)
    assert (2, ["b/y", "a/x"]) == (len(rows), list(rows))
    assert {"b/y": "b/y", "a/x": "a/x"} == {name: model.id for name, model in rows.items()}
    assert "a/x" in rows
    assert "a/z" not in rows
    assert rows.get("a/z") is None
    with pytest.raises(KeyError):
        rows["a/z"]


def test_models_are_decoded_when_asked_for_and_once() -> None:
    """A row that nobody asks for is not looked at; one that is asked for again is the same object."""
    line, _, texts = catalog(row("a/x")).body.partition(b"\n")
    ids, slugs = json.loads(line)
    body = json.dumps([[*ids, "a/bad"], slugs]).encode() + b"\n" + texts + b"{torn\n"
    rows = Catalog.from_body(body, as_of=AS_OF, digest=_digest(body))

    assert 2 == len(rows)
    assert rows["a/x"] is rows["a/x"]
    with pytest.raises(ValueError, match="line 1"):
        rows["a/bad"]


def test_names_asked_for_do_not_pile_up() -> None:
    """Only names that are listed are remembered, whatever is asked for."""
    rows = catalog(row("a/x", canonical_slug="a/s"))
    for number in range(100):
        rows["a/x" + ":nitro" * number]

    assert len(rows._models) <= 2


def test_equal_by_content_and_time() -> None:
    """The same rows of the same time are equal, hash alike and say what they are."""
    rows, same, later = catalog(row()), catalog(row()), catalog(row()).dated(AS_OF + timedelta(hours=1))

    assert (rows, hash(rows)) == (same, hash(same))
    assert rows != later
    assert (rows.digest, AS_OF + timedelta(hours=1)) == (later.digest, later.as_of)
    assert rows != {"openai/gpt-4o-mini": rows["openai/gpt-4o-mini"]}
    assert "<Catalog of 1 models as of 2026-11-02T12:30:00+00:00>" == repr(rows)


def test_a_dated_copy_shares_what_is_decoded() -> None:
    """A 304 makes the same rows younger and decodes nothing anew."""
    rows = catalog(row("a/x"))

    assert rows["a/x"] is rows.dated(AS_OF + timedelta(hours=1))["a/x"]


# -- making, storing, reading back -----------------------------------------------------------------------------------


def test_from_models_says_which_row_is_wrong() -> None:
    """A hand-made list is not forgiven: the first bad row is named."""
    with pytest.raises(ValueError, match=r"^models\[1\]: pricing must be an object"):
        catalog(row("a/x"), row("a/y", pricing=None))
    with pytest.raises(ValueError, match=r"^models\[1\]: id 'a/x' stands twice$"):
        catalog(row("a/x"), row("a/x"))


@pytest.mark.parametrize("bad", [None, 5, "[]", b"[]", {"data": []}])
def test_from_models_takes_a_list(bad: Any) -> None:
    """The whole document, or its text, is not a list of rows."""
    with pytest.raises(TypeError, match=f"^models must be a list of objects, not {type(bad).__name__}$"):
        Catalog.from_models(bad)


def test_as_of() -> None:
    """The time of the prices is aware, kept in UTC, and the epoch where nobody knows."""
    tokyo = AS_OF.astimezone(timezone(timedelta(hours=9)))

    assert timezone.utc is Catalog.from_models([row()], as_of=tokyo).as_of.tzinfo
    assert Catalog.from_models([row()], as_of=tokyo).as_of == AS_OF
    assert datetime(1970, 1, 1, tzinfo=timezone.utc) == Catalog.from_models([row()]).as_of
    with pytest.raises(ValueError, match=r"^as_of must be an aware datetime"):
        Catalog.from_models([row()], as_of=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(TypeError, match=r"^as_of must be a datetime, not str"):
        Catalog.from_models([row()], as_of="2026-01-01")  # type: ignore[arg-type]


def test_rows_that_cannot_be_read_are_counted() -> None:
    """The bad row is left out and told, the rest stays."""
    problems: list[str] = []
    rows = Catalog.from_rows([row("a/x"), None, row("a/y")], as_of=AS_OF, problem=problems.append)  # type: ignore[list-item]

    assert (["a/x", "a/y"], 1) == (list(rows), rows.skipped)
    assert ["models[1]: a model must be an object, not NoneType"] == problems


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20)
PRICES = st.dictionaries(
    st.sampled_from(["prompt", "completion", "image", "new_key"]),
    st.decimals(0, 1, places=24, allow_nan=False, allow_infinity=False).map(str),
)
ROWS = st.lists(
    st.builds(
        lambda name, slug, title, prices: row(f"a/{name}", canonical_slug=slug, name=title, pricing=prices),
        NAMES, st.none() | NAMES, st.text(), PRICES,
    ),
    unique_by=lambda fields: fields["id"],
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(rows=ROWS, as_of=st.datetimes(datetime(1971, 1, 1), timezones=st.just(timezone.utc)))  # noqa: DTZ001
def test_loads_is_the_inverse_of_dumps(rows: list[dict[str, Any]], as_of: datetime) -> None:
    """What is stored comes back the same: rows, order, time, digest, and every price."""
    made = Catalog.from_models(rows, as_of=as_of)
    back = Catalog.loads(made.dumps())

    assert (made, made.dumps(), made.skipped) == (back, back.dumps(), back.skipped)
    assert [fields["id"] for fields in rows] == list(back)
    assert rows == [model.raw for model in back.find()]
    assert [model.rates for model in made.find()] == [model.rates for model in back.find()]
    assert made == pickle.loads(pickle.dumps(made)) == copy.deepcopy(made)


def test_the_digest_covers_the_rows_alone() -> None:
    """The time of fetching changes no digest, a single digit of a price does."""
    later = Catalog.from_models([row()], as_of=AS_OF + timedelta(days=1))

    assert catalog(row()).digest == later.digest == _digest(later.body)
    assert catalog(row(pricing={"prompt": "1"})).digest != catalog(row(pricing={"prompt": "2"})).digest


def test_loads_takes_whatever_holds_bytes() -> None:
    """Stores answer with bytes of several types; text is refused."""
    stored = catalog(row()).dumps()

    assert catalog(row()) == Catalog.loads(bytearray(stored)) == Catalog.loads(memoryview(stored))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^data must be bytes, not str$"):
        Catalog.loads("{}")  # type: ignore[arg-type]


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=32).hexdigest()


def _forged(body: bytes, **head: Any) -> bytes:
    fields = {"format": FORMAT, "as_of": AS_OF.isoformat(), "digest": _digest(body), "skipped": 0}
    return json.dumps({**fields, **head}).encode() + b"\n" + body


GOOD = Catalog.from_models([row("a/x")], as_of=AS_OF)


@pytest.mark.parametrize("cut", [0, 1, 20, 200, len(GOOD.dumps()) // 2, -2, -1])
def test_a_torn_catalogue_is_refused(cut: int) -> None:
    """A value cut off anywhere is an error, never a shorter list."""
    with pytest.raises(PayloadError):
        Catalog.loads(GOOD.dumps()[:cut])


def test_a_flipped_bit_is_refused() -> None:
    """A price that changed on disk does not match its digest."""
    with pytest.raises(PayloadError, match="torn or foreign"):
        Catalog.loads(GOOD.dumps().replace(b"0.00000015", b"0.00000016"))


@pytest.mark.parametrize(
    "data",
    [
        b"<html>", b"[]\n", b"5\n", b"{}\n", b"null\n", b"\xff\xfe\n", b"[" * 100_000,
        _forged(GOOD.body, format=str(FORMAT)), _forged(GOOD.body, as_of="2026-01-01T00:00:00"),
        _forged(GOOD.body, as_of=5), _forged(GOOD.body, digest="0" * 64), _forged(b"no index"), _forged(GOOD.body[:-1]),
        _forged(b"{}x\n"), _forged(b"5\n"),
        _forged(b"[[1], {}]\n"), _forged(b'[{}, {"a": 1}]\n'), _forged(b'[{"a": null}, {}]\n'),
        _forged(b"[1]\n"), _forged(b"[{}, {}, {}]\n"),
    ],
    ids=range(20),
)  # fmt: skip
def test_a_foreign_value_is_refused(data: bytes) -> None:
    """Whatever stands in a store, it is a catalogue or a PayloadError."""
    with pytest.raises(PayloadError):
        Catalog.loads(data)


def test_another_format_is_named() -> None:
    """A release that stored otherwise is told apart from rubbish."""
    with pytest.raises(PayloadError, match=f"format 99 is not the format {FORMAT}"):
        Catalog.loads(_forged(GOOD.body, format=99))


def test_a_stamp_at_the_end_of_time_is_refused() -> None:
    """A stored time that has no UTC is a foreign value like any other."""
    with pytest.raises(PayloadError):
        Catalog.loads(_forged(GOOD.body, as_of="0001-01-01T00:00:00+05:00"))


# -- looking around --------------------------------------------------------------------------------------------------

FLEET = catalog(
    priced("openai/gpt", "1", "3", name="OpenAI: GPT", context_length=1000),
    priced("Mistral/small", "0.1", "0.1", name="Little One", supported_parameters=["tools", "seed"]),
    priced(
        "openai/o9", "60", "60", architecture={"input_modalities": ["text"], "output_modalities": ["text", "audio"]}
    ),
    row("openrouter/auto", pricing=ROUTER, context_length=None),
    priced("~openai/latest", "6", "8", alias_target={"slug": "openai/gpt"}, supported_parameters=None),
)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({}, ["openai/gpt", "Mistral/small", "openai/o9", "openrouter/auto", "~openai/latest"]),
        ({"text": "GPT"}, ["openai/gpt", "openai/o9", "openrouter/auto", "~openai/latest"]),
        ({"text": "little"}, ["Mistral/small"]),
        ({"provider": "OpenAI"}, ["openai/gpt", "openai/o9", "~openai/latest"]),
        ({"provider": "mistral"}, ["Mistral/small"]),
        ({"category": "budget"}, ["Mistral/small"]),
        ({"category": Category.REASONING}, ["openai/o9"]),
        ({"min_context": 1001}, ["Mistral/small", "openai/o9", "~openai/latest"]),
        ({"max_prompt_price": "0.000001"}, ["openai/gpt", "Mistral/small"]),
        ({"max_prompt_price": 0}, []),
        ({"modality": "audio"}, ["openai/o9"]),
        ({"modality": "image", "provider": "openai"}, ["openai/gpt", "~openai/latest"]),
        ({"modality": "text->audio+text"}, ["openai/o9"]),
        ({"modality": "text->text"}, []),
        ({"supports": "seed"}, ["Mistral/small"]),
        ({"supports": ["seed", "tools"]}, ["Mistral/small"]),
        ({"supports": ["tools"], "provider": "openai", "max_prompt_price": 1}, ["openai/gpt", "openai/o9"]),
    ],
)
def test_find(conditions: dict[str, Any], found: list[str]) -> None:
    """All conditions must be met, names in any case; the order is the listed one."""
    assert found == [model.id for model in FLEET.find(**conditions)]


@pytest.mark.parametrize(
    ("conditions", "kind", "words"),
    [
        ({"category": "cheap"}, ValueError, "category must be one of Budget, .*, not 'cheap'"),
        ({"category": 5}, ValueError, "category must be one of"),
        ({"min_context": -1}, ValueError, "min_context must not be negative"),
        ({"min_context": "1"}, TypeError, "min_context must be an integer"),
        ({"max_prompt_price": "x"}, ValueError, "max_prompt_price is not"),
        ({"max_prompt_price": True}, TypeError, "max_prompt_price must be"),
        ({"n": -1}, ValueError, "n must not be negative"),
    ],
)
def test_a_condition_that_cannot_be_read(conditions: dict[str, Any], kind: type[Exception], words: str) -> None:
    """A bad condition raises and names itself."""
    with pytest.raises(kind, match=f"^{words}"):
        FLEET.cheapest(**conditions)


def test_an_unknown_condition_is_refused() -> None:
    """A misspelt condition never vanishes."""
    with pytest.raises(TypeError, match="providr"):
        FLEET.cheapest(providr="openai")
    with pytest.raises(TypeError, match="providr"):
        FLEET.find(providr="openai")  # type: ignore[call-arg]


def test_cheapest() -> None:
    """By the mean of prompt and completion, cheapest first; routers have no price."""
    assert ["Mistral/small", "openai/gpt"] == [model.id for model in FLEET.cheapest(2)]
    assert ["openai/gpt", "~openai/latest", "openai/o9"] == [m.id for m in FLEET.cheapest(provider="openai")]
    assert [] == FLEET.cheapest(0)


def test_groups() -> None:
    """By provider in alphabetical order, by category from cheap to dear; a router has a provider and no category."""
    providers = {name: [model.id for model in models] for name, models in FLEET.by_provider().items()}
    categories = {category: [model.id for model in models] for category, models in FLEET.by_category().items()}

    assert [
        ("Mistral", ["Mistral/small"]),
        ("openai", ["openai/gpt", "openai/o9", "~openai/latest"]),
        ("openrouter", ["openrouter/auto"]),
    ] == list(providers.items())
    assert [
        (Category.BUDGET, ["Mistral/small"]),
        (Category.STANDARD, ["openai/gpt"]),
        (Category.FAST, ["~openai/latest"]),
        (Category.PREMIUM, []),
        (Category.REASONING, ["openai/o9"]),
    ] == list(categories.items())


def test_what_is_no_name_is_not_in_it() -> None:
    """Asking for something that is no string is answered with no, as by any mapping."""
    assert 5 not in GOOD
    assert "a/x:nitro" in GOOD
    assert "a/y" not in GOOD


@pytest.mark.parametrize("name", ["text", "provider", "modality"])
def test_conditions_of_a_wrong_kind(name: str) -> None:
    """A condition that is no string is a TypeError that names it."""
    with pytest.raises(TypeError, match=name):
        GOOD.find(**{name: 5})


def test_models_with_overrides_can_be_sent_to_another_process() -> None:
    """A model pickles with its conditional prices."""
    pricing = {"prompt": "1", "completion": "1", "overrides": [{"min_prompt_tokens": 5, "prompt": "2"}]}
    model = Catalog.from_models([row("a/x", pricing=pricing)], as_of=AS_OF)["a/x"]
    assert model == pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("name", ["text", "provider", "modality"])
def test_conditions_that_are_no_text(name: str) -> None:
    """A condition of another kind is an error that names the argument."""
    with pytest.raises(TypeError, match=f"^{name} must be a string, not int$"):
        Catalog.from_models([row()]).find(**{name: 5})


def test_slugs_of_rows_that_name_one() -> None:
    """Of each row its own slug, whatever its other texts hold."""
    rows = [
        row("a/b", canonical_slug="a/b-2025", description='"canonical_slug":"x"'),
        row("a/c", canonical_slug="a/c\u00e9"),
        {"id": "a/d", "pricing": {}},
    ]
    assert {"a/b": "a/b-2025", "a/c": "a/c"} == {
        model_id: slug.rstrip("\u00e9") for model_id, slug in Catalog.from_models(rows).slugs().items()
    }


def test_a_list_that_is_known_by_another_digest() -> None:
    """It keeps that name when it is stored, and its rows are verified all the same."""
    catalog = Catalog.from_models([row()]).known_by("of a recording")
    again = Catalog.loads(catalog.dumps())
    assert ("of a recording", catalog) == (again.digest, again)
    with pytest.raises(PayloadError, match="torn or foreign"):
        Catalog.loads(catalog.dumps().replace(b"gpt-4o-mini", b"gpt-4o-maxi"))
