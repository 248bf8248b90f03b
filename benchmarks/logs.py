"""Benchmarks of the audit of a log: in CPU seconds, against decoding the same lines."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import data
import msgspec
from inside import Bench
from timing import Round

from openrouter_pricing import Catalog
from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.ranges import Range

_LINES = 60_000  # some 60 MB
_MODELS = 60  # that a log names
_KINDS = 20_000  # after so many the bodies come again, with other ids
_NOW = 1_786_680_756


def logs(bench: Bench, *, quick: bool) -> None:
    """A long log of chat completions, of 1 kB each, and a little of everything else."""
    catalog = Catalog.from_models(data.rows())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.jsonl")
        write(path, catalog, _KINDS if quick else _LINES)

        def audit() -> None:
            done = Audit(catalog)
            done.add_all(Range(path).entries(1, lambda _: None))
            assert done.exact.lines > 0.8 * done.total.lines, "most lines are exact"

        bench.rounds = 3 if quick else 9
        for name, floor, goal in (("json.loads", json.loads, 1.25), ("msgspec.json.decode", msgspec.json.decode, None)):
            other = f"{name} of its lines"
            bench.rounds_of("audit of a long log", other, goal, _cpu(audit), _cpu(lambda f=floor: _decode(path, f)))


def _cpu(work: Callable[[], None]) -> Round:
    def run() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return run


def _decode(path: Path, decode: Callable[[bytes], object]) -> None:
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError):  # one in a thousand was cut off
                decode(line)


def write(path: Path, catalog: Catalog, lines: int) -> None:
    """Write a log of so many lines: nearly all exact, the others off, unreported, unknown, bad or of another format."""
    chance = random.Random(1)
    models = [model for model in catalog.find() if model.rates.paid][:_MODELS]
    bodies = [_line(chance, chance.choice(models)) for _ in range(min(lines, _KINDS))]
    with path.open("wb") as file:
        for number in range(lines):
            name = f'{{"id":"gen-{_NOW + number % 977}-{number * 2**40:020x}",'
            file.write(name.encode() + bodies[number % len(bodies)])


def _line(chance: random.Random, model: Any) -> bytes:
    prompt, completion, cached = chance.randrange(200, 20_000), chance.randrange(50, 4000), chance.randrange(200)
    rates, kind = model.rates.effective(prompt), chance.random()
    read = rates.prompt if rates.input_cache_read is None else rates.input_cache_read
    whole, made = rates.prompt * (prompt - cached) + read * cached, rates.completion * completion
    usage: dict[str, Any] = {
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
        "cost": float(whole + made + (Decimal("0.0125") if kind < 0.03 else 0)), "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0, "audio_tokens": 0},
        "cost_details": {"upstream_inference_cost": None, "upstream_inference_prompt_cost": float(whole),
                         "upstream_inference_completions_cost": float(made)},
        "completion_tokens_details": {"reasoning_tokens": completion // 3, "image_tokens": 0},
    }  # fmt: skip
    said = data.completion(" ".join(chance.choices(data.WORDS.split(), k=chance.randrange(20, 90))))
    said |= {"model": model.id, "created": _NOW, "usage": usage}
    if 0.03 < kind < 0.07:
        usage |= {"is_byok": True, "cost": 0, "cost_details": {"upstream_inference_cost": usage["cost"]}}
    elif 0.07 < kind < 0.1:
        counts = {"input_tokens": prompt - cached, "output_tokens": completion, "cache_read_input_tokens": cached}
        said |= {"type": "message", "usage": {**counts, "cost": usage["cost"]}}
    elif 0.1 < kind < 0.11:
        del usage["cost"]
    elif 0.11 < kind < 0.12:
        said["model"] += "-gone"
    elif 0.12 < kind < 0.13:
        said = {"error": {"code": 429, "message": "Rate limit exceeded"}, "user_id": "user_1"}
    text = json.dumps(said, separators=(",", ":")).encode()[1:]
    return (text[:-40] if kind > 0.999 else text) + b"\n"
