"""What an HTTP answer means: bytes in, a catalogue or an error out."""

from __future__ import annotations

import decimal
import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from support.reference import CONTEXTS
from support.upstream import models, row

from openrouter_pricing import Catalog, Fetched, PayloadError, Pricing, Settings, StatusError
from openrouter_pricing._prices.wire import check_status, next_page, read_catalog, read_endpoints, retry_after

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=timezone.utc)
GOOD = json.dumps(row("a/good"))
DEEP = '{"id": "a/deep", "pricing": {"prompt": "1"}, "x": ' + "[" * 100_000 + "]" * 100_000 + "}"


def listed(*rows: str) -> bytes:
    """A model list of rows given as JSON text."""
    return ('{"data": [' + ", ".join(rows) + "]}").encode()


def read(body: bytes, *pages: bytes) -> tuple[Catalog, list[str]]:
    """The catalogue of a 200 answer."""
    return read_catalog(Fetched(200, {}, body, pages), NOW)


# -- status and headers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 304])
def test_good_statuses(status: int) -> None:
    """200 and 304 are answers."""
    check_status(Fetched(status), NOW)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504, 599])
def test_every_other_status_is_an_error(status: int) -> None:
    """Whatever else comes is an error that says its status."""
    with pytest.raises(StatusError) as caught:
        check_status(Fetched(status, {"rEtRy-AfTeR": "7"}), NOW)

    assert (status, 7.0) == (caught.value.status, caught.value.retry_after)


def test_a_header_in_any_case() -> None:
    """Header names have no case; a missing one is None."""
    fetched = Fetched(200, {"content-type": "x", "ETAG": '"1"'})

    assert ('"1"', None) == (fetched.header("ETag"), fetched.header("Retry-After"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), ("0", 0.0), (" 120 ", 120.0), ("-1", None), ("1.5", None), ("soon", None), ("", None),
        ("9" * 30, None), ("NaN", None), ("٣", None),
        ("Mon, 02 Nov 2026 12:01:30 GMT", 90.0), ("Mon, 02 Nov 2026 12:01:30 -0000", 90.0),
        ("Mon, 02 Nov 2026 11:00:00 GMT", 0.0), ("Mon, 99 Nov 2026 11:00:00 GMT", None),
        ("Mon, 02 Nov 99999 11:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """Seconds or a date; the past means at once, and nonsense nothing."""
    assert seconds == retry_after(value, NOW)


# -- a catalogue -----------------------------------------------------------------------------------------------------


def test_pages_are_one_catalogue() -> None:
    """Further pages follow the first, in order."""
    catalog, problems = read(models(row("a/1"), row("a/2")), models(row("a/3")), models(row("a/4")))

    assert (["a/1", "a/2", "a/3", "a/4"], [], NOW) == (list(catalog), problems, catalog.as_of)


@pytest.mark.parametrize(
    ("document", "link"),
    [
        ({"links": {"next": "/p?2"}}, "/p?2"), ({"links": {"next": ""}}, None), ({"links": {"next": None}}, None),
        ({"links": {"next": 5}}, None), ({"links": {}}, None), ({"links": []}, None), ({}, None), ([], None), (5, None),
    ],
)  # fmt: skip
def test_next_page(document: Any, link: str | None) -> None:
    """A next page is a string that is not empty."""
    assert link == next_page(json.dumps(document).encode())


def test_rubbish_has_no_next_page() -> None:
    """A page that cannot be read leads nowhere."""
    assert next_page(b"<html>") is None


def test_a_hostile_row_does_not_hide_the_next_page() -> None:
    """One row that nests too deep costs itself, not all further pages."""
    body = listed(GOOD, DEEP)[:-1] + b', "links": {"next": "/p2"}}'

    assert "/p2" == next_page(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "rate limited", "code": 429}}', "200 with an error: 'rate limited'"),
        (b'{"error": "no"}', "200 with an error: 'no'"),
        (b'{"error": "%b"}' % (b"ab " * 66 + b"ab"), f"'{'ab ' * 66}ab'"),
        (b'{"error": "%b"}' % (b"ab " * 66 + b"abc"), f"'{'ab ' * 65}ab'"),
        (b"<html><body>maintenance</body></html>", "not JSON"),
        (b"", "not JSON"),
        (b"{}", "without a list of models"),
        (b"[]", "a list instead of an object"),
        (b"null", "a NoneType instead of an object"),
        (b'"data"', "a str instead of an object"),
        (b'{"data": []}', "without a list of models"),
        (b'{"data": null}', "without a list of models"),
        (b'{"data": {"id": "a/x"}}', "without a list of models"),
        (b'{"data": "x"}', "without a list of models"),
        (b'{"data": [null, 5, {}]}', r"no readable model \(3 unreadable rows\)"),
        (models(row())[:-1], "not JSON"),
        (models(row())[:50], "not JSON"),
        (b"\xff" + models(row()), "not UTF-8"),
        (models(row()).replace(b"GPT", b"\xff\xfe"), "not UTF-8"),
        (listed(DEEP), r"no readable model \(1 unreadable rows\)"),
        (b"[" * 100_000, "cut off"),
        (b"[" * 100_000 + b"]" * 100_001, "brackets do not match"),
        (b"[" * 100_000 + b"]" * 100_000, "without a list of models"),
        (listed(GOOD, DEEP)[:-3], "cut off"),
    ],
    ids=range(24),
)
def test_what_is_no_catalogue(body: bytes, words: str) -> None:
    """200 with anything but a list of models is an error that says what came, shortly."""
    with pytest.raises(PayloadError, match=words) as caught:
        read(body)

    assert len(str(caught.value)) < 300


def test_a_bad_further_page_is_an_error() -> None:
    """Half a catalogue is none."""
    with pytest.raises(PayloadError):
        read(models(row()), b'{"error": "no"}')


# -- hostile rows ----------------------------------------------------------------------------------------------------

_FIELDS = (
    "id", "canonical_slug", "name", "description", "created", "context_length", "architecture", "top_provider",
    "supported_parameters", "alias_target", "pricing",
)  # fmt: skip
_FIT = {
    "id": str, "canonical_slug": str, "name": str, "description": str, "created": (int, float),
    "context_length": (int, float), "architecture": dict, "top_provider": dict, "supported_parameters": list,
    "alias_target": dict, "pricing": dict,
}  # fmt: skip
_VALUES: list[Any] = [5, "x", [], {}, True, [None], -1.5, [[1]]]


@pytest.mark.parametrize("field", _FIELDS)
@pytest.mark.parametrize("value", _VALUES, ids=range(len(_VALUES)))
def test_a_wrong_type_in_any_field_costs_the_row(field: str, value: Any) -> None:
    """A row with a field of another type is lost and counted, the others stay; a fitting one is kept."""
    catalog, problems = read(models(row("a/1"), row("a/2", **{field: value}), row("a/3")))
    fits = isinstance(value, _FIT[field]) and not isinstance(value, bool)  # type: ignore[arg-type]
    if (field == "supported_parameters" and value) or (field == "context_length" and value == -1.5):
        fits = False

    assert (2 + fits, 1 - fits, 1 - fits) == (len(catalog), len(problems), catalog.skipped)
    assert {"a/1", "a/3"} <= set(catalog)


HOSTILE = {
    "not an object": "5",
    "null": "null",
    "a list": "[[]]",
    "control characters in the id": json.dumps(row("a/\x1b[2J\x07")),
    "a line break in the id": json.dumps(row("a/x\na/y")),
    "text that runs backwards in the id": json.dumps(row("a/\u202ex")),
    "a lone surrogate in the id": json.dumps(row("a/\ud800")),
    "an endless id": json.dumps(row("a/" + "x" * 100_000)),
    "a price of 10,000 digits": json.dumps(row("a/b", pricing={"prompt": "9" * 10_000})),
    "a price of 10,000 places": json.dumps(row("a/b", pricing={"prompt": "0." + "1" * 10_000})),
    "a number of 10,000 digits": GOOD.replace("a/good", "a/b").replace('"0.00000015"', "9" * 10_000),
    "a number of 10,000 places": GOOD.replace("a/good", "a/b").replace('"0.00000015"', "0." + "1" * 10_000),
    "a number of 4,000 digits": GOOD.replace("a/good", "a/b").replace('"0.00000015"', "9" * 4_000),
    "1e400": GOOD.replace("a/good", "a/b").replace('"0.00000015"', "1e400"),
    "1e-400": GOOD.replace("a/good", "a/b").replace('"0.00000015"', "1e-400"),
    "NaN": GOOD.replace("a/good", "a/b").replace('"0.00000015"', "NaN"),
    "Infinity": GOOD.replace("a/good", "a/b").replace('"0.00000015"', "-Infinity"),
    "a price NaN": json.dumps(row("a/b", pricing={"prompt": "NaN"})),
    "a context of NaN": GOOD.replace("a/good", "a/b").replace("128000", "NaN"),
    "a context of Infinity": GOOD.replace("a/good", "a/b").replace("128000", "Infinity"),
    "a context of 10,000 digits": GOOD.replace("a/good", "a/b").replace("128000", "1" * 10_000),
    "100,000 levels": DEEP,
    "100,000 objects": '{"id": "a/deep", "pricing": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
    "brackets in a string": DEEP.replace('"a/deep"', json.dumps('a/]}\\"[{')),
    "a duplicate": GOOD,
    "an override of the wrong type": json.dumps(row("a/b", pricing={"overrides": [5]})),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_hostile_row_costs_itself_alone(hostile: str, place: int) -> None:
    """Whatever stands in one row, wherever: it is lost and counted, and the rest is there."""
    rows = [GOOD, json.dumps(row("a/other"))]
    rows.insert(place, hostile)

    catalog, problems = read(listed(*rows))

    assert ({"a/good", "a/other"}, 1, 1) == (set(catalog), catalog.skipped, len(problems))
    assert problems[0].startswith(f"models[{1 if hostile == GOOD and place == 0 else place}]: ")
    assert len(problems[0]) < 250
    assert problems[0].isprintable()


@pytest.mark.parametrize("company", [(), (DEEP,)], ids=["alone", "beside deep nesting"])
def test_a_number_without_a_decimal_costs_itself_alone(company: tuple[str, ...]) -> None:
    """An exponent of twenty digits in any field costs its row and not the catalogue."""
    hostile = GOOD.replace("a/good", "a/b").replace("1721260800", "1e99999999999999999999")

    assert ["a/good"] == list(read(listed(GOOD, hostile, *company))[0])


def test_an_endless_context_costs_its_row() -> None:
    """A context length of 1e400 is none; larger exponents would take minutes to write out."""
    assert ["a/good"] == list(read(listed(GOOD, GOOD.replace("a/good", "a/b").replace("128000", "1e400")))[0])


def test_a_row_that_was_believed_can_be_decoded_anywhere() -> None:
    """A row that was kept when it was read does not break who looks at it from deep in a call stack."""
    nested = '{"id": "a/b", "pricing": {"prompt": "1"}, "x": ' + "[" * 700 + "]" * 700 + "}"
    catalog, _ = read(listed(GOOD, nested))

    def deeper(levels: int) -> int:
        return deeper(levels - 1) if levels else len(catalog.find())

    assert len(catalog) == deeper(400)


def test_markup_in_names_is_kept() -> None:
    """A name is data: whoever shows it escapes it."""
    name = "[bold red]\x1b[31m<script>alert(1)</script>[/]"

    assert name == read(models(row("a/b", name=name)))[0]["a/b"].name


def test_a_hostile_row_leaves_the_others_as_they_were() -> None:
    """Rows read one by one are the same as rows read together, strings with brackets and quotes included."""
    good = [row("a/1", name='a "quoted" ]}[{ \\ name', description="\\"), row("a/2", pricing={"prompt": "1e-7"})]
    together, _ = read(models(*good))
    apart, problems = read(listed(*(json.dumps(fields) for fields in good), DEEP))

    assert 1 == len(problems)
    assert together.body == apart.body


def test_other_lists_beside_the_data_are_not_models() -> None:
    """Where rows are read one by one, only those under ``data`` at the top are rows."""
    body = b'{"other": [{"id": "a/no"}], "nested": {"data": [{"id": "a/no"}]}, ' + listed(GOOD, DEEP)[1:]

    assert ["a/good"] == list(read(body)[0])


# -- digits ----------------------------------------------------------------------------------------------------------

DIGITS = ["0.0000000416666666666667", "0.0000000000000001234567", "0.12345678901234567890123", "4.16666666666667e-08",
          "1.7976931348623157e10", "123456789012345678901234", "0.1", "5e-60", "0", "-0.0"]  # fmt: skip


@pytest.mark.parametrize("quote", ["", '"'], ids=["number", "string"])
@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize("context", ["default", "precision 1", "trap everything", "small exponents"])
def test_prices_keep_every_digit(digits: str, quote: str, context: str) -> None:
    """A price is the decimal that was sent, as JSON number or string, fresh or stored, in any context."""
    body = GOOD.replace('"0.00000015"', f"{quote}{digits}{quote}")
    with decimal.localcontext(CONTEXTS[context]):
        fresh, problems = read(listed(body))
        stored = Catalog.loads(fresh.dumps())
        read_back = [catalog["a/good"].rates.prompt for catalog in (fresh, stored)]
        cost = Pricing(Settings(markup_rate=1), catalog=stored).cost("a/good", 1).raw

    assert ([], [Decimal(digits)] * 2, Decimal(digits)) == (problems, read_back, cost)


def test_unicode_bodies() -> None:
    """JSON is UTF-8: a byte order mark is read over, and other encodings are no catalogue (RFC 8259, section 8.1)."""
    assert ["a/good"] == list(read(listed(GOOD).decode().encode("utf-8-sig"))[0])
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        with pytest.raises(PayloadError):
            read(listed(GOOD).decode().encode(encoding))


def test_long_strings_beside_a_hostile_row_cost_no_more_than_their_length() -> None:
    """A row that is read by itself, as a hostile one stands beside it, may hold a long or even endless string."""
    long = json.dumps(row("a/long", description="x" * 5_000_000 + '"' * 1000))
    assert 2 == len(read(listed(GOOD, long, DEEP))[0])
    with pytest.raises(PayloadError):
        read(listed(GOOD, DEEP)[:-2] + b', "' + b'\\"' * 200_000)


@pytest.mark.parametrize("row", [b"{}", b"1", b"[]"])
def test_a_flood_of_tiny_rows_is_refused_before_it_is_decoded(row: bytes) -> None:
    """Millions of tiny values are small to send and large to hold."""
    with pytest.raises(PayloadError, match="more than 1000000"):
        read(b'{"data": [' + (row + b",") * 1_000_000 + b"{}]}")


def test_problems_are_counted_beyond_those_that_are_told() -> None:
    """Of many unreadable rows the first are told, and all are counted."""
    catalog, problems = read(listed(GOOD, *["1"] * 100))
    assert (100, 20) == (catalog.skipped, len(problems))


# -- endpoints of one model ------------------------------------------------------------------------------------------


def endpoint(tag: Any = "azure", prompt: Any = "0.0000011", **fields: Any) -> dict[str, Any]:
    """One entry of a list of endpoints."""
    pricing = {"prompt": prompt, "completion": "0", "discount": 0}
    return {"name": "Azure | a/b", "provider_name": "Azure", "tag": tag, "pricing": pricing, **fields}


def offered(*entries: Any, **data: Any) -> bytes:
    """A list of endpoints."""
    return json.dumps({"data": {"id": "a/b", "name": "B", **data, "endpoints": list(entries)}}).encode()


def read_offers(body: bytes, *pages: bytes) -> tuple[Catalog, list[str]]:
    """The endpoints of a 200 answer."""
    return read_endpoints(Fetched(200, {}, body, pages), NOW)


def test_endpoints_are_rows_under_their_tags() -> None:
    """Every entry is a row, in listed order, with all that it says of prices."""
    catalog, problems = read_offers(offered(endpoint("azure"), endpoint("deepinfra/fp8", "0.0000000416666666666667")))

    assert (["azure", "deepinfra/fp8"], [], NOW) == (list(catalog), problems, catalog.as_of)
    assert Decimal("0.0000000416666666666667") == catalog["deepinfra/fp8"].rates.prompt
    assert 0 == catalog["azure"].rates.discount


def test_performance_does_not_change_the_digest() -> None:
    """What changes with every look at a provider is no part of its prices."""
    looks = [
        endpoint(
            status=-number,
            uptime_last_5m=99.1 + number,
            uptime_last_30m=None if number else 98,
            uptime_last_1d=97.3,
            latency_last_30m={"p50": 0.25 * number},
            throughput_last_30m=None,
            perf_score=number,
        )
        for number in range(2)
    ]

    first, second = (read_offers(offered(look))[0] for look in looks)

    assert first.digest == second.digest == read_offers(offered(endpoint()))[0].digest
    assert first.digest != read_offers(offered(endpoint(prompt="0.0000012")))[0].digest


@pytest.mark.parametrize(
    ("entry", "tag"),
    [
        (endpoint("Azure"), "azure"),
        (endpoint(None), "azure"),
        (endpoint("", provider_name="Google AI  Studio"), "google-ai-studio"),
        (endpoint(None, provider_name=None), "unnamed"),
        (endpoint(7), "unnamed"),
        (endpoint("two words"), "two-words"),
        (endpoint("line\nbreak"), "line-break"),
        ({"pricing": {"prompt": "1"}}, "unnamed"),
    ],
)
def test_every_endpoint_has_a_tag(entry: dict[str, Any], tag: str) -> None:
    """A missing or odd tag is made of what there is, without spaces and capitals."""
    assert [tag] == list(read_offers(offered(entry))[0])


def test_tags_that_stand_twice_are_numbered() -> None:
    """Of endpoints with one tag none is taken for the other, and none is lost."""
    entries = [endpoint("azure", "1"), endpoint("openai", "2"), endpoint("Azure", "3"), endpoint("deepinfra/fp8", "4")]

    catalog, problems = read_offers(offered(*entries, entries[3]))

    assert ["azure#1", "openai", "azure#2", "deepinfra/fp8#1", "deepinfra/fp8#2"] == list(catalog)
    assert [1, 2, 3, 4, 4] == [catalog[tag].rates.prompt for tag in catalog]
    assert [] == problems


def test_a_flood_of_one_tag_costs_no_more_than_its_length() -> None:
    """Thousands of endpoints of one tag are numbered in one go."""
    assert 20_000 == len(read_offers(b'{"data": {"endpoints": [' + b",".join([b'{"pricing":{}}'] * 20_000) + b"]}}")[0])


UNREADABLE = {
    "not an object": 5,
    "null": None,
    "no pricing": {"tag": "other"},
    "a price in words": endpoint("other", "cheap"),
    "a price of 10,000 digits": endpoint("other", "9" * 10_000),
    "control characters in the tag": endpoint("oth\x1b[2Jer"),
    "text that runs backwards in the tag": endpoint("oth\u202eer"),
    "an endless tag": endpoint("x" * 301),
    "a context in words": endpoint("other", context_length="long"),
}


@pytest.mark.parametrize("entry", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("place", [0, 1])
def test_an_unreadable_endpoint_costs_itself_alone(entry: Any, place: int) -> None:
    """Whatever stands in one entry: it is lost, counted and told of, and the others are there."""
    entries = [endpoint("azure")]
    entries.insert(place, entry)

    catalog, problems = read_offers(offered(*entries))

    assert (["azure"], 1, 1) == (list(catalog), catalog.skipped, len(problems))
    assert problems[0].isprintable()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "rate limited", "code": 429}}', "200 with an error: 'rate limited'"),
        (b"<html>", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "a list instead of an object"),
        (b"{}", "without a list of endpoints"),
        (b'{"data": null}', "without a list of endpoints"),
        (b'{"data": []}', "without a list of endpoints"),
        (b'{"data": {}}', "without a list of endpoints"),
        (offered(), "without a list of endpoints"),
        (b'{"data": {"endpoints": {"tag": "azure"}}}', "without a list of endpoints"),
        (b'{"data": {"endpoints": "azure"}}', "without a list of endpoints"),
        (offered(5, None, {}), r"no readable endpoint \(3 unreadable rows\)"),
        (offered(endpoint())[:-1], "not JSON"),
        (offered(endpoint(), endpoint("deep", x="DEEP")).replace(b'"DEEP"', b"[" * 100_000 + b"]" * 100_000), "list"),
        (b'{"data": {"endpoints": [' + b"{}," * 1_000_000 + b"{}]}}", "more than 1000000"),
    ],
    ids=range(15),
)
def test_what_is_no_list_of_endpoints(body: bytes, words: str) -> None:
    """200 with anything but endpoints is an error that says what came, shortly."""
    with pytest.raises(PayloadError, match=words) as caught:
        read_offers(body)

    assert len(str(caught.value)) < 300


def test_pages_are_one_list_of_endpoints() -> None:
    """Further pages follow the first, in order; a bad one is an error."""
    assert ["a", "b"] == list(read_offers(offered(endpoint("a")), offered(endpoint("b")))[0])
    with pytest.raises(PayloadError):
        read_offers(offered(endpoint("a")), offered())


@pytest.mark.parametrize(
    ("architecture", "completion"),
    [
        ({"output_modalities": ["embeddings"]}, None),
        ({"output_modalities": ["image", "text"]}, 0),
        ({"output_modalities": []}, 0),
        ({"output_modalities": "embeddings"}, 0),
        ({"output_modalities": [None, 5]}, 0),
        ({}, 0),
        ("text->embeddings", 0),
        (None, 0),
    ],
)
def test_no_completion_price_where_no_text_comes_out(architecture: Any, completion: int | None) -> None:
    """The 0 that a model without text lists for completions is no price at its providers either."""
    body = offered(endpoint(), architecture=architecture)

    assert completion == read_offers(body)[0]["azure"].rates.completion


def test_what_a_model_gives_out_is_not_multiplied() -> None:
    """A long list of modalities is not repeated in full for each endpoint."""
    architecture = {"output_modalities": ["x" * 10_000] * 1_000}
    body = offered(*(endpoint(f"tag-{number}") for number in range(100)), architecture=architecture)

    assert len(read_offers(body)[0].body) < 100 * 1_000


def test_a_document_that_names_its_rows_twice() -> None:
    """Of two lists nobody can tell which is meant: they are refused, however the second one's name is written."""
    for name in ("data", "d\\u0061ta"):
        body = f'{{"data": [{GOOD}, {GOOD}], "{name}": [{GOOD}]}}'.encode()
        with pytest.raises(PayloadError, match="two lists of models"):
            read(body)


@pytest.mark.parametrize("tail", [' {"id": "a/two"}]}', "]}}", "] nonsense}", ""])
def test_rows_that_end_oddly(tail: str) -> None:
    """A list that is no JSON from some row on is refused as a whole."""
    with pytest.raises(PayloadError, match="not JSON"):
        read(f'{{"data":[{GOOD}{tail}'.encode())
