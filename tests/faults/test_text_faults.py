"""Texts from outside, long and odd: the time that they take grows with their length, not with its square."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from support.figures import Figure

from openrouter_pricing import Catalog, Client, Fetched, Markup, Pricing, PricingError, Settings, open_backend
from openrouter_pricing._base import masking, money
from openrouter_pricing._prices import model, wire
from openrouter_pricing._prices.catalog import FORMAT
from openrouter_pricing._prices.endpoints import Endpoints
from openrouter_pricing.data import load_bundled
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.settings import scrub

pytestmark = pytest.mark.faults

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
LIST = load_bundled()
PRICING = Pricing(catalog=LIST)
CLIENT = Client(Settings())
SETTINGS = Settings(api_key="sk-or-1", base_url="http://user:pw@127.0.0.1")
PRICES = {"prompt": "1", "completion": "1"}
COUNTS = {"prompt_tokens": 1, "completion_tokens": 1}


def answer(document: object) -> Fetched:
    """A 200 with this document."""
    return Fetched(200, body=json.dumps(document).encode())


def listed(**fields: object) -> object:
    """A list with one row."""
    return wire.read_catalog(answer({"data": [{"id": "a/b", "pricing": PRICES, **fields}]}), NOW)


def endpoints(text: str) -> object:
    """An endpoint whose every word is this one, asked for by it."""
    entry = {"tag": text, "provider_name": text, "service_tier": text, "quantization": text, "pricing": PRICES}
    entries = [entry, {**entry, "tag": "x"}]
    rows, _ = wire.read_endpoints(answer({"data": {"endpoints": entries}}), NOW)
    return Endpoints("a/b", rows, "live").find(text)


def cost_of(**fields: object) -> object:
    """The receipt of a response with these fields."""
    return json.dumps(PRICING.cost_of({"model": "openai/gpt-4o", "usage": COUNTS, **fields}).to_dict())


PATHS: dict[str, Callable[[str], object]] = {
    "a model": lambda text: PRICING.cost(text, 1, 1),
    "near names": LIST.near,
    "a search": lambda text: LIST.find(text=text, provider=text, modality=text, supports=text),
    "a category": lambda text: LIST.find(category=text),
    "a stored catalogue": lambda text: Catalog.loads(text.encode()),
    "a stored date": lambda text: Catalog.loads(json.dumps({"format": FORMAT, "as_of": text}).encode()),
    "mask": masking.mask,
    "scrub": lambda text: scrub(text, SETTINGS),
    "a number": lambda text: money.read(text, "it"),
    "Retry-After": lambda text: wire.retry_after(text, NOW),
    "an upstream's error": lambda text: wire.read_catalog(answer({"error": {"message": text}}), NOW),
    "a body": lambda text: wire.read_catalog(Fetched(200, body=text.encode()), NOW),
    "a body that is read row by row": lambda text: wire._row_by_row(text.encode()),
    "a row that is cut off": lambda text: wire._row_by_row(b'{"data":[{"id":"' + text.encode()),
    "strings of a row": lambda text: model._STRING.sub(b"", json.dumps(text).encode()),
    "links.next": lambda text: wire.next_page(json.dumps({"links": {"next": text}}).encode()),
    "where it leads": lambda text: CLIENT._follow("https://openrouter.ai/api/v1/models", text),
    "a row's id": lambda text: listed(id=text),
    "a row's words": lambda text: listed(name=text, canonical_slug=text, description=text, created=text),
    "a row's modalities": lambda text: listed(architecture={"modality": text, "input_modalities": [text]}),
    "a row's prices": lambda text: listed(pricing={"prompt": text, text: text}),
    "an override": lambda text: listed(pricing={**PRICES, "overrides": [{"utc_days": [text], "utc_start": text}]}),
    "an alias": lambda text: listed(id="~a/b", alias_target={"slug": text}),
    "an endpoint": endpoints,
    "a response's model": lambda text: cost_of(model=text),
    "a response's words": lambda text: cost_of(created=text, provider=text, service_tier=text, id=text),
    "a response's count": lambda text: cost_of(usage={"prompt_tokens": text, "completion_tokens": 1}),
    "a response's cost": lambda text: cost_of(usage={**COUNTS, "cost": text}),
    "a response's currency": lambda text: cost_of(usage={**COUNTS, "cost": 1, "currency": text}),
    "a line of a log": lambda text: Audit(LIST).add(1, text.encode()),
    "a model in a log": lambda text: Audit(LIST).add(1, json.dumps({"model": text, "usage": COUNTS}).encode()),
    "an option in seconds": lambda text: Settings(l1_ttl=text),  # type: ignore[arg-type]
    "an option in numbers": lambda text: Settings(attempts=text, markup_rate=text),  # type: ignore[arg-type]
    "a base URL": lambda text: repr(Settings(base_url=f"http://{text}")),
    "a base URL's path": lambda text: repr(Settings(base_url=f"http://host/{text}")),
    "a key": lambda text: Settings(api_key=text),
    "a backend's URL": lambda text: repr(Settings(backend=f"disk://{text}")),
    "a backend": open_backend,
    "a variable": lambda text: Settings.from_env({f"OPENROUTER_PRICING_{text}": text}),
    "names of a markup": lambda text: Markup(models={text: "1"}, categories={text: "1"}),
    "a path": lambda text: CLIENT.fetch_endpoints(f"/{text}"),
}
WORDS = [
    *"a1@/:?.-_ \n\t\\\"'[{(,;=%A\0",
    *[":nitro", "a/", "a@", "a.", "://", "x://", "http://", '\\"', "**", "1e1", "%41", "[]", "{}", "℀", "ẞ"],
    "a ",
]


def seconds(path: Callable[[str], object], text: str) -> float:
    """Of this thread's work, its error's message included; the better of two."""
    times = []
    for _ in range(2):
        began = time.thread_time()
        try:
            path(text)
            said = ""
        except (PricingError, ValueError, TypeError, OSError) as error:
            said = str(error) + repr(error)
        times.append(time.thread_time() - began)
        assert len(said) < 5000 or "File name too long" in said
    return min(times)


@pytest.mark.parametrize("name", PATHS)
def test_long_texts(name: str, figure: Figure) -> None:
    """A text four times as long takes about four times as long, not sixteen times, whatever it repeats.

    Guards: ``quoted`` and ``shortened`` in what errors say; patterns that never try the same letters twice; names that
    are longer than any that could be listed are not looked at.
    """
    worst, slowest = 1.0, 0.0
    for word in WORDS:
        for frame in ("{}", "a/{}", "{}x", "http://{}"):
            short, length = 0.0, 4_000
            while length <= 64_000 and short < 0.5:
                long = seconds(PATHS[name], frame.format(word * (length // len(word))))
                slowest = max(slowest, long)
                if short and long > 0.01:  # below that it is noise
                    worst = max(worst, long / short)
                assert worst < 10, f"{length} letters of {word!r} in {frame!r}: {long:.4f} s, a quarter {short:.4f} s"
                short, length = max(long, 0.0001), length * 4
    figure(f"long texts: {name}", f"4 x the length took at most {worst:.1f} x the time, {slowest * 1000:.1f} ms")
