"""Answers with status 200 that are no catalogue: the last good prices stay, in both tiers and over a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from support.hands import Hands
from support.upstream import Answer, Upstream, models, row

from openrouter_pricing import PayloadError, Pricing, Settings

pytestmark = pytest.mark.faults

MODEL = "openai/gpt-4o-mini"
ROWS = [row(MODEL), *[row(f"a/model-{number}") for number in range(29)]]
GOOD = models(*ROWS)
DEAR = {"prompt": "1", "completion": "1"}  # what no answer may ever show


def dear(**fields: Any) -> list[dict[str, Any]]:
    """Every model at another price, with something wrong in each row."""
    return [row(old["id"], **{"pricing": DEAR, **fields}) for old in ROWS]


def priced(**fields: Any) -> bytes:
    """A list in which every row's prices are wrong in the same way."""
    return models(*dear(pricing={**DEAR, **fields}))


def edited(old: str, new: str) -> bytes:
    """The list at another price, with one piece of its text replaced everywhere."""
    text = models(*dear()).decode()
    assert old in text
    return text.replace(old, new).encode()


WHOLE = models(*dear())
BAD: dict[str, bytes] = {
    # no JSON
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "NUL bytes": bytes(1000),
    "HTML": b"<!DOCTYPE html><html><body>Just a moment...</body></html>",
    "HTML around JSON": b"<pre>" + WHOLE + b"</pre>",
    "plain text": b"upstream connect error or disconnect/reset before headers",
    "XML": b'<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>',
    "gzip that nobody announced": b"\x1f\x8b\x08\x00" + bytes(range(256)),
    "random bytes": bytes((number * 73 + 41) % 256 for number in range(4096)),
    "JSON lines": b"\n".join(json.dumps(one).encode() for one in dear()),
    "JSON and more": WHOLE + b"}",
    "JSON twice": WHOLE + WHOLE,
    "JSONP": b"callback(" + WHOLE + b");",
    "server-sent events": b"data: " + WHOLE + b"\n\n",
    "single quotes": WHOLE.replace(b'"', b"'"),
    "a comment": b"/* cached */" + WHOLE,
    "a trailing comma": WHOLE[:-2] + b",]}",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + WHOLE,
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "UTF-16 without a mark": WHOLE.decode().encode("utf-16-le"),
    "UTF-32": WHOLE.decode().encode("utf-32"),
    "Latin-1": edited("GPT-4o-mini", "é").decode().encode("latin-1"),
    "a lone surrogate in bytes": WHOLE.replace(b"GPT", b"\xed\xa0\x80"),
    # cut off
    **{f"cut off at {share} %": WHOLE[: len(WHOLE) * share // 100] for share in (1, 10, 25, 50, 75, 90, 99)},
    "cut off in the last byte": WHOLE[:-1],
    "cut off in the last row": WHOLE[: WHOLE.rindex(b"{")],
    # JSON, but no list of models
    "an empty object": b"{}",
    "an empty list": b"[]",
    "a bare list": json.dumps(dear()).encode(),
    "null": b"null",
    "true": b"true",
    "a number": b"200",
    "a string": b'"ok"',
    "NaN": b"NaN",
    "1e400": b"1e400",
    "an error object": b'{"error": {"code": 500, "message": "Internal Server Error"}}',
    "an error string": b'{"error": "rate limited"}',
    "a null error": b'{"error": null}',
    "data null": b'{"data": null}',
    "data empty": b'{"data": []}',
    "data empty with an error": b'{"data": [], "error": {"message": "try again"}}',
    "data an object": json.dumps({"data": {one["id"]: one for one in dear()}}).encode(),
    "data a string": json.dumps({"data": json.dumps(dear())}).encode(),
    "data a number": b'{"data": 30}',
    "another key": json.dumps({"models": dear()}).encode(),
    "the key in capitals": json.dumps({"DATA": dear()}).encode(),
    "the list one level down": json.dumps({"data": {"data": dear()}}).encode(),
    "data twice, the second empty": WHOLE[:-1] + b', "data": []}',
    "deep nesting": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep nesting, cut off": b'{"data": ' + b"[" * 100_000,
    "an endless integer": b'{"data": ' + b"9" * 100_000 + b"}",
    # a list, but its rows cannot be read
    "null rows": json.dumps({"data": [None] * 30}).encode(),
    "rows of strings": json.dumps({"data": [one["id"] for one in ROWS]}).encode(),
    "rows of lists": json.dumps({"data": [list(one.items()) for one in dear()]}).encode(),
    "rows without an id": edited('"id"', '"identifier"'),
    "ids that are null": models(*[{**one, "id": None} for one in dear()]),
    "ids that are numbers": models(*[{**one, "id": number} for number, one in enumerate(dear())]),
    "ids that are empty": models(*[{**one, "id": ""} for one in dear()]),
    "the id twice in each row": edited('"id": "', '"id": "b/other", "id": "c/'),
    "one id for all": models(*[{**one, "id": MODEL} for one in dear()]),
    "rows without prices": edited('"pricing"', '"prices"'),
    "prices null": models(*dear(pricing=None)),
    "prices a list": models(*dear(pricing=["1", "1"])),
    "prices a string": models(*dear(pricing="free")),
    "a price NaN": priced(prompt=float("nan")),
    "a price 'NaN'": priced(prompt="NaN"),
    "a price 'sNaN'": priced(prompt="sNaN"),
    "a price of Infinity": priced(prompt=float("inf")),
    "a price of 1e400": edited('"prompt": "1"', '"prompt": 1e400'),
    "a price of '1e400'": priced(prompt="1e400"),
    "a price true": priced(prompt=True),
    "a price in words": priced(prompt="one dollar"),
    "a price with a comma": priced(prompt="0,15"),
    "a price that is a list": priced(prompt=["1"]),
    "a price that is an object": priced(prompt={"usd": "1"}),
    "a price of 10,000 digits": priced(prompt="1." + "1" * 10_000),
    # readable, and not believed
    "90 % fewer models": models(*dear()[:3]),
    "one model": models(*dear()[:1]),
    "51 % fewer models": models(*dear()[:14]),
    "other models alone": models(*[row(f"z/{number}", pricing=DEAR) for number in range(30)]),
    "many other models": models(*dear()[:10], *[row(f"z/{number}", pricing=DEAR) for number in range(500)]),
    "90 % of rows unreadable": models(*[{**one, "pricing": 1} for one in dear()[3:]], *dear()[:3]),
    "a next page that is garbage": json.dumps({"data": dear(), "links": {"next": "/garbage"}}).encode(),
    "a next page that is empty": json.dumps({"data": dear(), "links": {"next": "/empty"}}).encode(),
    "a next page with an error": json.dumps({"data": dear(), "links": {"next": "/error"}}).encode(),
    "a next page elsewhere": json.dumps({"data": dear(), "links": {"next": "http://127.0.0.2:1/"}}).encode(),
}

_RESTARTED = """
import json, sys
from openrouter_pricing import Pricing, Settings, UpstreamError

found = {}
for name, backend in json.load(sys.stdin).items():
    with Pricing(Settings(base_url=sys.argv[1], backend=backend, attempts=1, deadline=2)) as pricing:
        try:
            pricing.refresh()
        except UpstreamError:
            cost = pricing.cost("openai/gpt-4o-mini", 1000, 500)
            found[name] = [str(cost.raw), cost.source, len(pricing.catalog())]
print(json.dumps(found))
"""


def shown(pricing: Pricing) -> list[Any]:
    """What a question shows of the prices that are held."""
    cost = pricing.cost(MODEL, 1000, 500)
    return [str(cost.raw), cost.source, len(pricing.catalog())]


def one_payload(upstream: Upstream, backend: str, payload: bytes) -> list[Any]:
    """A good answer, then twice the bad one: what is held, what lies in the store, and which ETags were sent."""
    upstream.requests.clear()
    upstream.answer = Answer(GOOD, etag='"good"')
    hands = Hands()
    hands.wall = datetime.now(timezone.utc) - timedelta(minutes=10)
    settings = Settings(base_url=upstream.url, backend=backend, attempts=1, l1_ttl=0, breaker_threshold=99)
    with Pricing(settings, clock=hands.clock) as pricing:
        first = shown(pricing)
        upstream.answer = Answer(payload, headers={"ETag": '"bad"'})
        refused = 0
        for _ in range(2):
            hands.turn(60)
            try:
                pricing.refresh()
            except PayloadError:
                refused += 1
        asked = [r.headers.get("if-none-match") for r in upstream.requests if r.path.endswith("output_modalities=all")]
        upstream.answer = Answer(GOOD, etag='"good"')
        second = shown(pricing)
    offline = Settings(base_url=upstream.url, backend=backend, offline=True)
    with Pricing(offline, clock=hands.clock) as other:
        stored = shown(other)
    with Pricing(settings, clock=hands.clock) as other:
        restarted = shown(other)
        other.refresh()
        unchanged = other.stats().not_modified
    return [first == second == stored == restarted, refused, asked, unchanged]


def test_bad_payloads_change_nothing(upstream: Upstream, tmp_path: Path, figure: Any) -> None:
    """No bad answer with status 200 touches the prices, the store or the ETag, nor what a new process answers.

    Guards: ``wire.read_catalog`` and ``Plausibility.check`` refuse it, and ``Refresher._fetch`` lets nothing go to
    ``Store.save`` before that; head and ETag are written together, after the body.
    """
    upstream.pages = {
        "/garbage": Answer(b"<html>"),
        "/empty": Answer(b'{"data": []}'),
        "/error": Answer(b'{"error": {"message": "no"}}'),
    }
    assert len(set(BAD.values())) == len(BAD) >= 60
    backends = {name: f"disk://{tmp_path}/{number}" for number, name in enumerate(BAD)}
    once, twice = [None, '"good"', '"good"'], [None, '"good"', None, '"good"', None]
    wrong = {}
    for name, bad in BAD.items():
        got = one_payload(upstream, backends[name], bad)
        # What the client itself refuses is asked for once more without the ETag.
        if got != [True, 2, twice if name == "a next page elsewhere" else once, 1]:
            wrong[name] = got
    assert wrong == {}

    upstream.close()  # and now nobody is there any more
    done = subprocess.run(
        [sys.executable, "-c", _RESTARTED, upstream.url], cwd=Path(__file__).parent,
        input=json.dumps(backends), capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    good = ["0.00045000", "live", len(ROWS)]
    assert dict.fromkeys(BAD, good) == json.loads(done.stdout)
    figure("bad payloads", f"{len(BAD)} of {len(BAD)} refused; last good prices in both tiers and after a restart")
