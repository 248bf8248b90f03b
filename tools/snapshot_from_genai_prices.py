"""Make the bundled snapshot from the OpenRouter prices in the PyPI package genai-prices.

    pip install genai-prices==0.2.3
    python tools/snapshot_from_genai_prices.py openrouter_pricing/data/snapshot.gz

It writes the catalogue and, beside it, ``provenance.json``. The same release gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Context, Decimal, Inexact, InvalidOperation
from pathlib import Path
from typing import Any

from genai_prices import data
from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from openrouter_pricing import Catalog

PACKAGE = "genai-prices"
VERSION = "0.2.3"
#: The day on which PyPI received the wheel: its "upload-time" in https://pypi.org/simple/genai-prices/ is
#: 2026-11-10T21:51:41Z. (The timestamps inside the wheel are normalised to 2020-02-02.)
RELEASED = datetime(2026, 11, 10, tzinfo=timezone.utc)

#: Their price key to OpenRouter's, and the power of ten that theirs is quoted for.
KEYS = {
    "input_mtok": ("prompt", 6),
    "output_mtok": ("completion", 6),
    "cache_read_mtok": ("input_cache_read", 6),
    "cache_write_mtok": ("input_cache_write", 6),
    "cache_write_1h_mtok": ("input_cache_write_1h", 6),
    "output_reasoning_mtok": ("internal_reasoning", 6),
    "web_searches_kcount": ("web_search", 3),
}
#: Prices of one endpoint that a caller may ask for. OpenRouter's own list has one price a model and no key for these.
ENDPOINT_PRICES = {"mistralai/mistral-large-4-0": {"route": "mistral/eu"}}

_EXACT = Context(prec=200, Emin=-999, Emax=999, traps=[Inexact, InvalidOperation])


def per_unit(price: Decimal, power: int) -> str:
    """The price of one unit, of a price per ``10 ** power`` units: exact, no exponent, no trailing zeros."""
    if not isinstance(price, Decimal) or not price.is_finite() or price < 0:
        raise ValueError(f"{price!r} is no price")
    shown = f"{price.scaleb(-power, _EXACT):f}"
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) or "0"


def pricing(prices: ModelPrice) -> dict[str, Any]:
    """OpenRouter's ``pricing`` object of their price list; empty where nothing is priced."""
    listed: dict[str, Any] = {}
    tiers: dict[int, dict[str, str]] = {}
    theirs = {key: price for key, price in vars(prices).items() if price is not None}
    if unknown := theirs.keys() - KEYS.keys():
        raise ValueError(f"no OpenRouter key for {', '.join(sorted(unknown))}")
    for their_key, (key, power) in KEYS.items():
        price = theirs.get(their_key)
        if isinstance(price, TieredPrices):
            listed[key] = per_unit(price.base, power)
            for tier in price.tiers:
                # Both lists mean strictly more: their calc_unit_price asks `total_input_tokens > tier.start`.
                tiers.setdefault(tier.start, {})[key] = per_unit(tier.price, power)
        elif price is not None:
            listed[key] = per_unit(price, power)
    if tiers:
        listed["overrides"] = [{"min_prompt_tokens": start, **tiers[start]} for start in sorted(tiers)]
    return listed


def row(model: ModelInfo) -> dict[str, Any] | None:
    """One row as ``GET /api/v1/models`` lists it, or None where nothing tells what the model costs."""
    if isinstance(model.prices, list):
        for conditional in model.prices:
            if conditional.constraint is not None and not isinstance(conditional.constraint, StartDateConstraint):
                raise ValueError(f"no OpenRouter key for {conditional.constraint!r}")
    for variant in model.price_variants or ():
        if variant.when != ENDPOINT_PRICES.get(model.id):
            raise ValueError(f"no OpenRouter key for prices when {variant.when!r}")
    listed = pricing(model.get_prices(RELEASED))
    if not listed and model.id.endswith(":free"):
        listed = {"prompt": "0", "completion": "0"}
    if not listed:
        return None
    optional = {"name": model.name, "context_length": model.context_window}
    return {"id": model.id, **{key: value for key, value in optional.items() if value is not None}, "pricing": listed}


def convert() -> tuple[Catalog, dict[str, Any]]:
    """The catalogue and where it is from.

    Raises:
        RuntimeError: another release of genai-prices is installed than the one that this file describes.
        ValueError: a model has prices that OpenRouter's form cannot hold; the message names it.
    """
    metadata = importlib.metadata.metadata(PACKAGE)
    if metadata["Version"] != VERSION:
        raise RuntimeError(f"{PACKAGE} {VERSION} is needed, not {metadata['Version']}")
    (provider,) = (provider for provider in data.providers if provider.id == "openrouter")
    rows, unpriced = [], []
    for model in provider.models:
        try:
            listed = row(model)
        except (ValueError, ArithmeticError) as error:
            raise ValueError(f"{model.id}: {error}") from error
        if listed is None:
            unpriced.append(model.id)
        else:
            rows.append(listed)
    catalog = Catalog.from_models(rows, as_of=RELEASED)
    return catalog, {
        "source": f"PyPI package {PACKAGE}, provider openrouter",
        "version": VERSION,
        "url": f"https://pypi.org/project/{PACKAGE}/{VERSION}/",
        "licence": metadata["License-Expression"],
        "copyright": "Copyright (c) Pydantic Services Inc. 2025 to present",
        "as_of": catalog.as_of.isoformat(),
        "models": len(catalog),
        "digest": catalog.digest,
        "left_out": {"models_without_a_price": unpriced, "endpoint_prices": ENDPOINT_PRICES},
        "regenerate": [
            f"pip install {PACKAGE}=={VERSION}",
            "python tools/snapshot_from_genai_prices.py openrouter_pricing/data/snapshot.gz",
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the snapshot and its provenance."""
    parser = argparse.ArgumentParser(description="Make the bundled snapshot from genai-prices.")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the snapshot; provenance.json goes beside it")
    output: Path = parser.parse_args(arguments).output
    catalog, provenance = convert()
    output.write_bytes(gzip.compress(catalog.dumps(), compresslevel=9, mtime=0))
    beside = output.with_name("provenance.json")
    beside.write_text(json.dumps(provenance, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stderr.write(f"{len(catalog)} models in {output}, {beside.name} beside it\n")


if __name__ == "__main__":
    main()
