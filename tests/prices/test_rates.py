"""Rates and overrides: what one unit costs, and when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openrouter_pricing import Override, Rates
from openrouter_pricing._prices.rates import PRICE_KEYS

MONDAY = datetime(2026, 11, 2, tzinfo=timezone.utc)
PRICE = st.decimals(0, 1000, allow_nan=False, allow_infinity=False, places=12)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "prompt": PRICE.map(str),
        "completion": PRICE.map(str),
        "input_cache_read": PRICE.map(str),
        "min_prompt_tokens": st.integers(0, 10**6),
        "utc_start": st.builds(lambda hour, minute: hour * 100 + minute, st.integers(0, 23), st.integers(0, 59)),
        "utc_end": st.builds(lambda hour, minute: hour * 100 + minute, st.integers(0, 23), st.integers(0, 59)),
        "utc_days": st.lists(st.sampled_from(["monday", "tuesday", "sunday"]), unique=True),
    },
)


def rates(*overrides: dict[str, Any], **prices: Any) -> Rates:
    """A price list with conditional prices."""
    return Rates.from_dict({"prompt": "1", "completion": "2", **prices, "overrides": list(overrides)})


def prompt_at(listed: Rates, *moments: datetime) -> list[int]:
    """The prompt price at each moment."""
    return [int(listed.effective(1, at).prompt or 0) for at in moments]


def test_every_key_is_read() -> None:
    """Each of the known price keys is an attribute of its own, exact to the last digit."""
    listed = {key: f"0.00000000000000000000{number:02}" for number, key in enumerate(PRICE_KEYS, 11)}

    read = Rates.from_dict({**listed, "discount": "0.25"})

    assert {key: Decimal(text) for key, text in listed.items()} == {key: getattr(read, key) for key in PRICE_KEYS}
    assert Decimal("0.25") == read.discount
    assert {"overrides", "discount", *PRICE_KEYS} == {
        "prompt", "completion", "request", "image", "image_token", "image_output", "audio", "audio_output",
        "input_audio_cache", "input_cache_read", "input_cache_write", "input_cache_write_1h", "internal_reasoning",
        "web_search", "discount", "overrides",
    }  # fmt: skip


def test_unknown_keys_are_kept_and_not_charged() -> None:
    """A price key of tomorrow changes nothing and is not lost."""
    read = Rates.from_dict({"prompt": "1", "video_second": {"hd": "3"}})

    assert {"video_second": {"hd": "3"}} == read.extra
    assert Rates(prompt="1", extra=read.extra) == read


def test_null_counts_as_not_listed() -> None:
    """A price of ``null`` is no price."""
    assert Rates() == Rates.from_dict({"prompt": None, "discount": None, "overrides": None})


@pytest.mark.parametrize(("price", "variable", "paid"), [("-1", True, False), ("-0", False, False), ("1", False, True)])
def test_a_negative_price_is_variable(price: str, variable: bool, paid: bool) -> None:
    """Any negative price means a router; minus zero is zero."""
    assert (variable, paid) == (Rates(web_search=price).variable, Rates(web_search=price).paid)
    assert variable is rates({"min_prompt_tokens": 1, "prompt": price}).variable


def test_per_million() -> None:
    """Prices are shown per million units, exactly, or None where nothing is listed."""
    listed = Rates(prompt="0.0000000416666666666667")

    assert Decimal("0.0416666666666667") == listed.per_million("prompt")
    assert listed.per_million("completion") is None


def test_per_million_of_an_unknown_key() -> None:
    """A misspelt key is refused, with the keys that there are."""
    with pytest.raises(ValueError, match=r"^key must be one of prompt, completion, .*, not 'promt'$"):
        Rates().per_million("promt")


@pytest.mark.parametrize(
    ("pricing", "kind", "words"),
    [
        (None, TypeError, "pricing must be an object, not NoneType"),
        ([], TypeError, "pricing must be an object, not list"),
        ({"prompt": "free"}, ValueError, "prompt is not a readable decimal number: 'free'"),
        ({"prompt": True}, TypeError, "prompt must be a Decimal"),
        ({"prompt": {}}, TypeError, "prompt must be a Decimal"),
        ({"discount": "x"}, ValueError, "discount is not"),
        ({"overrides": {}}, TypeError, "overrides must be a list"),
        ({"overrides": [1]}, TypeError, "overrides: an entry must be an object, not int"),
        ({"overrides": [{"prompt": "x"}]}, ValueError, r"overrides\.prompt is not"),
        ({"overrides": [{"min_prompt_tokens": "x"}]}, ValueError, r"overrides\.min_prompt_tokens is not"),
        ({"overrides": [{"utc_days": "monday"}]}, TypeError, r"overrides\.utc_days must be a list of weekday names"),
        ({"overrides": [{"utc_days": [1]}]}, TypeError, r"overrides\.utc_days must be"),
        ({"overrides": [{"utc_start": 1060}]}, ValueError, r"overrides\.utc_start is no HHMM clock number: 1060"),
        ({"overrides": [{"utc_end": 2401}]}, ValueError, r"overrides\.utc_end is no HHMM clock number: 2401"),
        ({"overrides": [{"utc_end": -1}]}, ValueError, r"overrides\.utc_end is no HHMM clock number: -1"),
        ({"overrides": [{"utc_end": "10.5"}]}, ValueError, r"overrides\.utc_end is no HHMM clock number: 10\.5"),
        ({"overrides": [{"utc_end": []}]}, TypeError, r"overrides\.utc_end must be"),
    ],
)
def test_what_cannot_be_read_is_named(pricing: Any, kind: type[Exception], words: str) -> None:
    """A wrong value raises an error that names its key."""
    with pytest.raises(kind, match=f"^{words}"):
        Rates.from_dict(pricing)


def test_unknown_keywords_are_refused() -> None:
    """A misspelt price never vanishes."""
    with pytest.raises(TypeError, match="promt"):
        Rates(promt="1")  # type: ignore[call-arg]


def test_rates_without_overrides_are_their_own() -> None:
    """Where nothing is conditional, nothing is copied."""
    listed = Rates(prompt=1)

    assert listed is listed.effective(10**18)


@pytest.mark.parametrize(("tokens", "prompt"), [(0, 1), (271_999, 1), (272_000, 1), (272_001, 5), (10**18, 5)])
def test_the_threshold_is_strictly_more(tokens: int, prompt: int) -> None:
    """272,000 prompt tokens are below a threshold of 272,000, and 272,001 above."""
    listed = rates({"min_prompt_tokens": 272_000, "prompt": "5"})

    assert prompt == listed.effective(tokens).prompt


def test_absent_keys_are_inherited_and_later_entries_win() -> None:
    """Per key, the last entry that holds says the price; a key that none mentions keeps the listed one."""
    listed = rates(
        {"min_prompt_tokens": 10, "prompt": "3", "completion": "4"},
        {"min_prompt_tokens": 5, "prompt": "7"},
        {"min_prompt_tokens": 20, "completion": "8", "web_search": None},
        input_cache_read="0.5",
        web_search="9",
    )
    seen = {
        tokens: tuple(int(price or 0) for price in (now.prompt, now.completion, now.web_search))
        for tokens in (5, 6, 11, 21)
        for now in [listed.effective(tokens)]
    }

    assert {5: (1, 2, 9), 6: (7, 2, 9), 11: (7, 4, 9), 21: (7, 8, 9)} == seen
    assert Decimal("0.5") == listed.effective(21).input_cache_read


@pytest.mark.parametrize(
    ("start", "end", "inside", "outside"),
    [
        (930, 1700, ["09:30", "16:59:59"], ["09:29:59", "17:00", "00:00"]),
        (2200, 600, ["22:00", "23:59:59", "00:00", "05:59:59"], ["06:00", "21:59:59", "12:00"]),
        (None, 600, ["00:00", "05:59:59"], ["06:00", "23:59:59"]),
        (1800, None, ["18:00", "23:59:59"], ["17:59:59", "00:00"]),
        (0, 2400, ["00:00", "23:59:59"], []),
        ("0930", "1000", ["09:30"], ["09:29", "10:00"]),
    ],
)
def test_a_window_is_half_open_and_may_wrap_midnight(
    start: object, end: object, inside: list[str], outside: list[str]
) -> None:
    """The first minute is inside and the last outside, to the second, across midnight too."""
    listed = rates({"utc_start": start, "utc_end": end, "prompt": "5"})

    assert [5] * len(inside) == prompt_at(listed, *(datetime.fromisoformat(f"2026-11-02T{t}+00:00") for t in inside))
    assert [1] * len(outside) == prompt_at(listed, *(datetime.fromisoformat(f"2026-11-02T{t}+00:00") for t in outside))


def test_weekdays_are_judged_in_utc_at_the_instant_itself() -> None:
    """A window that began on Monday evening is over at midnight when only Monday is named, wherever the caller is."""
    listed = rates({"utc_start": 2200, "utc_end": 600, "utc_days": ["monday"], "prompt": "5"})
    evening = MONDAY.replace(hour=23)
    night = evening + timedelta(hours=2)
    early = MONDAY.replace(hour=5)
    tokyo = timezone(timedelta(hours=9))

    assert [5, 1, 5] == prompt_at(listed, evening, night, early)
    assert [5, 1, 5] == prompt_at(listed, *(moment.astimezone(tokyo) for moment in (evening, night, early)))


@pytest.mark.parametrize("number", range(7))
def test_each_weekday_has_its_lower_case_english_name(number: int) -> None:
    """``monday`` holds on Mondays alone, and so on; other spellings hold never."""
    name = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][number]
    days = [MONDAY + timedelta(days=day) for day in range(7)]

    assert [5 if day == number else 1 for day in range(7)] == prompt_at(
        rates({"utc_days": [name], "prompt": "5"}), *days
    )
    assert [1] * 7 == prompt_at(rates({"utc_days": [name.title(), "funday"], "prompt": "5"}), *days)
    assert [1] * 7 == prompt_at(rates({"utc_days": [], "prompt": "5"}), *days)


def test_all_conditions_of_an_entry_must_hold() -> None:
    """Tokens, hours and days together: one that fails is enough."""
    listed = rates({"min_prompt_tokens": 10, "utc_start": 900, "utc_end": 1000, "utc_days": ["monday"], "prompt": "5"})
    nine = MONDAY.replace(hour=9)

    assert Decimal(5) == listed.effective(11, nine).prompt
    assert Decimal(1) == listed.effective(10, nine).prompt
    assert Decimal(1) == listed.effective(11, nine.replace(hour=10)).prompt
    assert Decimal(1) == listed.effective(11, nine + timedelta(days=1)).prompt


def test_an_entry_without_conditions_always_holds() -> None:
    """No condition is a condition that holds."""
    assert Decimal(5) == rates({"prompt": "5"}).effective(0).prompt


def test_an_entry_with_an_unknown_condition_never_applies() -> None:
    """A condition of tomorrow makes its entry silent, beside known ones too; a price key of the row is none."""
    assert Decimal(1) == rates({"region": "eu", "min_prompt_tokens": 1, "prompt": "5"}).effective(9).prompt
    assert Decimal(5) == rates({"video": "9", "prompt": "5"}, video="8").effective(9).prompt


def test_a_timed_price_needs_an_instant() -> None:
    """Prices by the time of day cannot be chosen without a time."""
    listed = rates({"utc_start": 900, "prompt": "5"})

    assert listed.timed
    assert not rates({"min_prompt_tokens": 1, "prompt": "5"}).timed
    with pytest.raises(ValueError, match=r"^at must be given"):
        listed.effective(1)


def test_a_naive_instant_is_refused() -> None:
    """An instant without a time zone says nothing about UTC."""
    with pytest.raises(ValueError, match="at must be an aware datetime"):
        rates({"utc_start": 900, "prompt": "5"}).effective(1, datetime(2026, 1, 1))  # noqa: DTZ001


def test_effective_rates_keep_what_is_not_conditional() -> None:
    """Discount and unknown keys stay on the chosen rates, which have no conditions left."""
    now = rates({"prompt": "5"}, discount="0.5", video="8").effective(1)

    assert (Decimal("0.5"), {"video": "8"}, ()) == (now.discount, now.extra, now.overrides)
    assert rates({"prompt": "5"}).effective(1) == rates({"prompt": "5"}).effective(2)


def test_values_are_frozen() -> None:
    """Nobody changes a price list that others share."""
    listed = rates({"prompt": "5"})

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        listed.prompt = Decimal(0)  # type: ignore[misc]


def test_to_dict_shows_prices_as_strings_and_conditions_as_listed() -> None:
    """The JSON form is the one that OpenRouter lists."""
    listed = {
        "prompt": "1.5E-7",
        "completion": "0.0000025",
        "overrides": [
            {"min_prompt_tokens": 272_000, "prompt": "3E-7"},
            {"utc_start": 2230, "utc_end": 600, "utc_days": ["monday", "sunday"], "completion": "0"},
        ],
    }

    assert {**listed, "completion": "0.0000025"} == Rates.from_dict(listed).to_dict()


def test_an_unknown_condition_survives_the_round_trip() -> None:
    """An entry that never applies does not begin to apply after to_dict and from_dict."""
    listed = rates({"region": "eu", "prompt": "5"})

    assert Decimal(1) == Rates.from_dict(listed.to_dict()).effective(1).prompt


def test_an_unknown_key_survives_the_round_trip() -> None:
    """A price key of tomorrow is not lost on the way out."""
    assert "8" == rates(video="8").to_dict().get("video")


@settings(deadline=None, max_examples=200)
@given(prices=st.dictionaries(st.sampled_from([*PRICE_KEYS, "discount"]), PRICE), entries=st.lists(ENTRY, max_size=3))
def test_round_trip(prices: dict[str, Decimal], entries: list[dict[str, Any]]) -> None:
    """from_dict reads what to_dict shows, unchanged."""
    listed = Rates.from_dict({**prices, "overrides": entries})

    assert listed == Rates.from_dict(listed.to_dict())


@settings(deadline=None, max_examples=200)
@given(thresholds=st.lists(st.integers(0, 10**6), min_size=1, max_size=5), tokens=st.integers(0, 10**6 + 2))
def test_thresholds_are_monotone(thresholds: list[int], tokens: int) -> None:
    """More tokens never fall below a threshold again: entries that hold for N hold for all beyond N."""
    listed = rates(
        *({"min_prompt_tokens": least, "prompt": str(number)} for number, least in enumerate(sorted(thresholds), 2))
    )
    steps = [listed.effective(count).prompt for count in (tokens, tokens + 1)]

    assert sorted(steps) == steps  # type: ignore[type-var]
    assert 1 + sum(least < tokens for least in thresholds) == steps[0]


def test_override_alone() -> None:
    """An Override can be made and asked by hand."""
    entry = Override({"prompt": Decimal(1)}, min_prompt_tokens=Decimal(10))

    assert [False, True] == [entry.applies(10, None), entry.applies(11, None)]


def test_ways_in_which_conditions_hold_are_not_kept_without_end() -> None:
    """A row may list thousands of conditions; rates are worked out anew where there are too many ways to keep."""
    steps = [{"prompt": str(number), "min_prompt_tokens": number} for number in range(1, 400)]
    rates = Rates.from_dict({"prompt": "0", "overrides": steps})
    assert list(map(Decimal, range(1, 399))) == [rates.effective(number).prompt for number in range(2, 400)]
    assert 100 == len(rates._effective)


def test_what_is_worked_out_is_not_shown() -> None:
    """Prices and conditions tell all that rates are; what follows of them, or is kept at hand, is left out."""
    rates = Rates(prompt="1", overrides=[Override(min_prompt_tokens=Decimal(1), prices={"prompt": Decimal(2)})])
    rates.effective(5)
    shown = repr(rates)
    assert "prompt=Decimal('1')" in shown
    assert not any(
        word in shown for word in ("variable", "paid", "per_token", "timed", "applied", "memo", "_effective")
    )
    assert rates == Rates(prompt="1", overrides=[Override(min_prompt_tokens=Decimal(1), prices={"prompt": Decimal(2)})])
    assert rates.effective(5) == Rates(prompt="2"), "rates are alike however they were chosen"
    for name in ("effective", "applied", "paid", "variable", "memo"):
        with pytest.raises(TypeError, match=name):
            Rates(prompt="1", **{name: None})  # type: ignore[arg-type]
