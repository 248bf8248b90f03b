"""A long log: chat completions with their bills, a little of everything that goes wrong, and the prices behind them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from openrouter_pricing import Catalog
from support.upstream import row

MODELS = 300
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def prices(seed: int = 1) -> Catalog:
    """Prices of many models; every seventh has a step."""
    chance = random.Random(seed)
    rows = []
    for number in range(MODELS):
        price = chance.randrange(5, 2000)
        pricing: dict[str, Any] = {
            "prompt": f"0.{price:08d}", "completion": f"0.{4 * price:08d}", "input_cache_read": f"0.{price:09d}"
        }  # fmt: skip
        if not number % 7:
            pricing["overrides"] = [{"min_prompt_tokens": 8_000, "prompt": f"0.{2 * price:08d}"}]
        rows.append(row(f"lab-{number % 40}/model-{number}", pricing=pricing))
    return Catalog.from_models(rows)


def write(path: Path, lines: int, seed: int = 1) -> None:
    """Write a log of so many lines, of some 550 bytes each: nine of ten exact, the others off, unreported or dirty.

    The bills repeat after 20,000 lines; no id does, but for those of one line in a thousand.
    """
    chance = random.Random(seed)
    catalog = prices()
    listed = [(model.id, model.rates) for model in catalog.find()]
    bodies = [_line(chance, *chance.choice(listed)) for _ in range(min(lines, 20_000))]
    with path.open("wb") as file:
        for number in range(lines):
            name = number - 500 if number % 1000 == 999 else number
            file.write(
                b'{"id": "gen-%d-%020x", %s\n' % (1_786_680_756 + name % 977, name * 2**40, bodies[number % 20_000])
            )


def _line(chance: random.Random, name: str, rates: Any) -> bytes:
    prompt, completion, cached = chance.randrange(2000, 20_000), chance.randrange(50, 4000), chance.randrange(2000)
    applied = rates.effective(prompt)
    whole, read, made = applied.prompt * prompt, applied.input_cache_read * cached, applied.completion * completion
    cost = float(whole - applied.prompt * cached + read + made)
    kind = chance.random()
    cost += 0.0125 if kind < 0.03 else 0
    usage: dict[str, Any] = {
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, "cost": cost,
        "is_byok": False, "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "cost_details": {"upstream_inference_cost": None, "upstream_inference_prompt_cost": float(whole),
                         "upstream_inference_completions_cost": float(made)},
        "completion_tokens_details": {"reasoning_tokens": completion // 3, "image_tokens": 0},
    }  # fmt: skip
    if kind > 0.97:
        del usage["cost"]
    if kind > 0.98:
        name = f"{name}-gone"
    if kind > 0.99:
        usage = {"prompt_tokens": None}
    said = {"provider": f"Lab {prompt % 40}", "model": name, "object": "chat.completion", "created": 1_786_680_756}
    return json.dumps({**said, "usage": usage}).encode()[1:]
