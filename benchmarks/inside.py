"""Benchmarks inside one process."""

from __future__ import annotations

import http.server
import importlib
import json
import os
import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import data
import pyperf
from results import Result, Skipped
from timing import Pair, Round, loops, paired, repeated

from openrouter_pricing import Catalog, Fetched, Pricing, Settings, Usage
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.lines import Block

_CALLS = 200
FLOOR = "json.loads of the same list"


class Bench:
    """Runs pairs and collects what they give.

    Args:
        quick: for every day, in a minute; else for a release.
    """

    def __init__(self, *, quick: bool) -> None:
        self.rounds, self.seconds = (9, 0.01) if quick else (51, 0.05)
        self.results: list[Result] = []
        self.skipped: list[Skipped] = []
        self.raw: list[pyperf.Benchmark] = []

    def compare(
        self,
        name: str,
        other_name: str,
        goal: float | None,
        subject: Callable[[], object],
        other: Callable[[], object],
        units: tuple[int, int] = (1, 1),
    ) -> None:
        """Time two ways in turns; each does so many ``units`` of work."""
        mine = repeated(subject, loops(subject, self.seconds), units[0])
        its = repeated(other, loops(other, self.seconds), units[1])
        self.note(name, other_name, goal, paired(mine, its, self.rounds))

    def rounds_of(self, name: str, other_name: str, goal: float | None, subject: Round, other: Round) -> None:
        """As :meth:`compare`, for ways that time themselves."""
        self.note(name, other_name, goal, paired(subject, other, self.rounds))

    def note(self, name: str, other_name: str, goal: float | None, pair: Pair) -> None:
        """Keep a figure."""
        medians = statistics.median(pair.subject), statistics.median(pair.other)
        self.results.append(Result(name, other_name, pair.ratio, goal, *medians))
        for way, values in ((f"{name} / {other_name}", pair.subject), (f"{other_name} / {name}", pair.other)):
            self.raw.append(pyperf.Benchmark([pyperf.Run(values, metadata={"name": way}, collect_metadata=False)]))


def calls(catalog: Catalog, *, overrides: bool = False) -> list[tuple[str, int, int]]:
    """Calls of many models with many counts; those of models with overrides are long enough for them to apply."""
    least = 200_001 if overrides else 1000
    names = [name for name in catalog if bool(catalog[name].rates.overrides) == overrides]
    return [(names[number * 7 % len(names)], least + 37 * number, 13 * number) for number in range(_CALLS)]


def _each(work: Callable[..., object], arguments: list[Any]) -> Callable[[], None]:
    def run() -> None:
        for argument in arguments:
            work(*argument)

    return run


class _Listed:
    """A source that lists the catalogue: what is timed is a hit of L1, which looks at its clock, and no pinned one."""

    def fetch(self, *, etag: str | None, deadline: float) -> Fetched:
        return Fetched(200, {}, data.body())

    def close(self) -> None:
        """Nothing to do."""


def costs(bench: Bench) -> None:
    """``cost()`` in all its forms, against the bare arithmetic and the peers."""
    with Pricing(Settings(backend="null://", l1_ttl=86_400), client=_Listed()) as pricing:
        pricing.refresh()
        _costs(bench, pricing)


def _costs(bench: Bench, pricing: Pricing) -> None:
    catalog = pricing.catalog()
    rate, plain, stepped = Decimal("1.3"), calls(catalog), calls(catalog, overrides=True)
    arithmetic = [(catalog[name].rates.prompt, catalog[name].rates.completion, p, c) for name, p, c in plain]

    def bare(prompt: Decimal, completion: Decimal, prompt_tokens: int, completion_tokens: int) -> Decimal:
        return (prompt * prompt_tokens + completion * completion_tokens) * rate

    def lines(name: str, prompt: int, completion: int) -> object:
        return pricing.cost(name, prompt, completion).lines

    def with_usage(name: str, usage: Usage) -> object:
        return pricing.cost(name, usage=usage)

    usages = [(name, Usage(p, c, cached_tokens=p // 2, reasoning_tokens=c // 2)) for name, p, c in plain]
    floor = _each(bare, arithmetic)
    units = (_CALLS, _CALLS)
    cost = _each(pricing.cost, plain)
    bench.compare("cost()", "bare Decimal arithmetic", 4, cost, floor, units)
    bench.compare("cost() with usage", "bare Decimal arithmetic", None, _each(with_usage, usages), floor, units)
    bench.compare("cost() with overrides", "bare Decimal arithmetic", 20, _each(pricing.cost, stepped), floor, units)
    bench.compare("cost() and its lines", "bare Decimal arithmetic", 12, _each(lines, plain), floor, units)
    for peer, goal, ask in peers():
        bench.compare("cost()", peer, goal, cost, ask, (_CALLS, 1))
    for name, goal, content in (("cost_of()", 2.5, True), ("cost_of(), usage alone", None, False)):
        text = data.response(content=content)
        parsed = json.loads(text)
        bench.compare(
            name, "json.loads of the response", goal, lambda r=parsed: pricing.cost_of(r), lambda t=text: json.loads(t)
        )
    logged = json.loads(data.response(content=False))
    del logged["id"]  # with it the same response would count once
    log = [json.dumps(logged).encode() for _ in range(_CALLS)]
    audit = Audit(catalog)
    bench.compare(
        "audit of a log of usages",
        "json.loads of its lines",
        4,
        lambda: audit.add_all([Block(1, log, simple=True)]),
        lambda: [json.loads(line) for line in log],
    )
    decoded = [model.raw for model in catalog.find()]
    wanted = "131072"
    bench.compare(
        "Catalog.find()",
        "list comprehension over parsed JSON",
        None,
        lambda: catalog.find(text="lab-1/", min_context=int(wanted)),
        lambda: [r for r in decoded if "lab-1/" in r["id"].lower() and r["context_length"] >= int(wanted)],
    )


def peers() -> Iterator[tuple[str, float | None, Callable[[], object]]]:
    """Name, goal and question of every peer that is installed; each asks for one cost."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or its import asks the network
    try:
        genai = importlib.import_module("genai_prices")
        usage = genai.Usage(input_tokens=1000, output_tokens=500)
        yield (
            "genai-prices",
            1 / 30,
            lambda: genai.calc_price(usage, model_ref="openai/gpt-4o-mini", provider_id="openrouter"),
        )
    except ImportError:
        pass
    try:
        tokens = importlib.import_module("tokencost").calculate_cost_by_tokens
        yield (
            "tokencost",
            1 / 2,
            lambda: tokens(1000, "gpt-4o-mini", "input") + tokens(500, "gpt-4o-mini", "output"),
        )
    except ImportError:
        pass
    try:
        litellm = importlib.import_module("litellm")
        yield (
            "litellm",
            None,
            lambda: litellm.cost_per_token(model="gpt-4o-mini", prompt_tokens=1000, completion_tokens=500),
        )
    except ImportError:
        pass


def growth(bench: Bench) -> None:
    """What more models and more threads cost."""
    small, large = (Catalog.from_models(data.rows(count)) for count in (400, 40_000))
    few, many = (Pricing(Settings(), catalog=catalog) for catalog in (small, large))
    bench.compare(
        "cost() of 40,000 models",
        "cost() of 400 models",
        1.5,
        _each(many.cost, calls(large)),
        _each(few.cost, calls(small)),
    )

    def load(stored: Catalog) -> Catalog:
        """As from a store."""
        return Catalog.from_body(stored.body, as_of=stored.as_of, digest=stored.digest)

    bench.compare(
        "loading 40,000 models, each",
        "loading 400 models, each",
        2,
        lambda: load(large),
        lambda: load(small),
        (40_000, 400),
    )
    work = _each(few.cost, calls(small) * 400)

    def threads(count: int) -> Round:
        def run() -> float:
            started = [threading.Thread(target=_each(few.cost, calls(small) * (400 // count))) for _ in range(count)]
            began = pyperf.perf_counter()
            for thread in started:
                thread.start()
            for thread in started:
                thread.join()
            return pyperf.perf_counter() - began

        return run

    work()
    bench.rounds_of("cost() by 8 threads", "the same total by 1 thread", 1.25, threads(8), threads(1))


def tiers(bench: Bench) -> None:
    """The second tier, and a refresh from end to end."""
    text = data.body()
    with listing(text) as url, tempfile.TemporaryDirectory() as folder:
        settings = Settings(base_url=url, backend=f"disk://{folder}", attempts=1)
        parse = second_tier(bench, "new Pricing to first cost, disk warm", 0.5, settings)
        with Pricing(settings) as pricing:
            bench.rounds_of("refresh() over loopback HTTP", FLOOR, None, repeated(pricing.refresh, 1), parse)


def second_tier(bench: Bench, name: str, goal: float, settings: Settings) -> Round:
    """A new ``Pricing`` that finds the list in its store, and its first cost; the floor is given back."""
    with Pricing(settings) as pricing:
        pricing.refresh()

    def first_cost() -> float:
        began = pyperf.perf_counter()
        pricing = Pricing(settings)
        cost = pricing.cost("lab-1/model-1", 1000, 500)
        took = pyperf.perf_counter() - began
        assert (cost.source, pricing.stats().requests) == ("live", 0), "the list did not come from the store"
        pricing.close()
        return took

    text = data.body()
    parse = repeated(lambda: json.loads(text), 1)
    bench.rounds = max(bench.rounds, 51)  # each is short, and by itself
    bench.rounds_of(name, FLOOR, goal, first_cost, parse)
    return parse


@contextmanager
def listing(body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
