"""What bulk costing takes: processor time, a scan of Parquet, and memory."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.figures import Figure

from openrouter_pricing import Pricing, Settings, UnpricedUsageError, Usage
from openrouter_pricing._bulk.costing import costs
from openrouter_pricing._bulk.question import ADDED, ask
from openrouter_pricing.metering.frames import PriceBook, price_frame

pytestmark = [pytest.mark.frames, pytest.mark.filterwarnings("ignore")]

MILLION = 1_000_000
_READS = """
import resource, sys
import polars as pl
from openrouter_pricing import Pricing, Settings
from openrouter_pricing.metering.frames import PriceBook, price_frame
book = PriceBook(Pricing(Settings(offline=True, backend="memory://")))
made = price_frame(pl.scan_parquet(sys.argv[1]), book)
(total,) = made.select(pl.col("cost_total").sum()).collect(engine="streaming")["cost_total"]
print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
_STREAMS = """
import resource, sys
import pyarrow.parquet as pq
from openrouter_pricing import Pricing, Settings
from openrouter_pricing.metering.frames import PriceBook, sum_frame
import pyarrow as pa
book = PriceBook(Pricing(Settings(offline=True, backend="memory://")))
file = pq.ParquetFile(sys.argv[1])
reader = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
total = sum_frame(reader, book).read_all()["cost_total"][0].as_py()
print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def pricing() -> Any:
    """The bundled list."""
    with Pricing(Settings(offline=True, backend="memory://")) as made:
        yield made


def _calls(pricing: Pricing, rows: int) -> pa.Table:
    chance = np.random.default_rng(1)
    names = [
        name for name, model in pricing.catalog().items() if not model.rates.timed and model.mean_price is not None
    ]
    prompts = chance.integers(0, 100_000, rows)
    columns = {
        "model": pa.DictionaryArray.from_arrays(chance.integers(0, len(names), rows).astype(np.int32), names).cast(
            pa.string()
        ),
        "prompt_tokens": prompts,
        "completion_tokens": chance.integers(0, 8_000, rows),
        "cached_tokens": prompts // 3,
    }
    return pa.table(columns)


def _least(run: Callable[[], object], clock: Callable[[], float], times: int = 4) -> float:
    taken = []
    for _ in range(times):
        began = clock()
        run()
        taken.append(clock() - began)
    return min(taken)


def test_the_kernel_takes_a_fraction_of_the_loop(pricing: Pricing, figure: Figure) -> None:
    """Of one processor, to price a million rows of every model with everything that is added to them."""
    frame, book = _calls(pricing, MILLION), PriceBook(pricing)
    question = ask(frame.column_names, None, None, None, "cost_")
    (batch,) = frame.combine_chunks().to_batches()
    whole = _least(lambda: price_frame(frame, book), time.process_time)
    few = frame.slice(0, 20_000)

    def loop() -> None:
        made: dict[str, list[Any]] = {name: [] for name in ADDED}
        for row in few.to_pylist():
            usage = Usage(row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"])
            raw = total = model = as_of = None
            try:
                cost = pricing.cost(row["model"], usage=usage)
            except UnpricedUsageError:
                status = "unpriced_usage"
            else:
                raw, total, model, as_of, status = cost.raw, cost.total, cost.model_id, cost.as_of, "priced"
            for name, value in zip(ADDED, (raw, total, model, as_of, status), strict=True):
                made[name].append(value)
        for name, values in made.items():
            kind = pa.decimal128(38, 24) if name in ("raw", "total") else None
            few.append_column(f"cost_{name}", pa.array(values, kind))

    def kernel() -> None:
        """Some rows after the others, as engines hand them in."""
        deque(costs(book, batch, question), 0)

    # In turns: what slows the machine for a second must not slow one of the two alone.
    rounds = [(_least(kernel, time.process_time), _least(loop, time.process_time, 1)) for _ in range(6)]
    of_kernel, of_few = map(min, zip(*rounds, strict=True))
    taken, of_loop = min(whole, of_kernel), of_few * MILLION / len(few)  # the kernel is a part of the whole
    figure("processor time of a million rows, the kernel alone", f"{taken:.2f} s")
    figure("processor time of a million rows, `price_frame()` of a table", f"{whole:.2f} s")
    figure("processor time of a million rows, a loop over `cost()`", f"{of_loop:.0f} s: {of_loop / taken:.0f} times")
    assert taken <= 0.3
    assert of_loop / taken >= 100


def test_a_scan_is_not_far_from_a_join_of_floats(pricing: Pricing, tmp_path: Path, figure: Figure) -> None:
    """Which is wrong, and leaves out most rules."""
    pl: Any = pytest.importorskip("polars")
    pq.write_table(_calls(pricing, 2 * MILLION), tmp_path / "calls.parquet")
    book = PriceBook(pricing)
    rates = pl.DataFrame(
        [
            {"model": name, "prompt": float(model.rates.prompt or 0), "completion": float(model.rates.completion or 0)}
            for name, model in pricing.catalog().items()
        ]
    ).lazy()

    def exact() -> Any:
        made = price_frame(pl.scan_parquet(tmp_path / "calls.parquet"), book)
        return made.group_by("model").agg(pl.col("cost_total").sum()).collect(engine="streaming")

    def floats() -> Any:
        made = pl.scan_parquet(tmp_path / "calls.parquet").join(rates, on="model", how="left")
        usd = pl.col("prompt") * pl.col("prompt_tokens") + pl.col("completion") * pl.col("completion_tokens")
        return made.with_columns(usd=usd * 1.3).group_by("model").agg(pl.col("usd").sum()).collect(engine="streaming")

    rounds = [(_least(exact, time.process_time, 1), _least(floats, time.process_time, 1)) for _ in range(5)]
    ratio = min(ours for ours, _ in rounds) / min(theirs for _, theirs in rounds)
    figure("processor time of a scan of Parquet in polars, beside a join with prices as floats", f"{ratio:.1f} times")
    assert ratio <= 4


@pytest.fixture(scope="module")
def many(pricing: Pricing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of ten million calls."""
    path = tmp_path_factory.mktemp("many") / "calls.parquet"
    part = _calls(pricing, MILLION)
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(10):
            writer.write_table(part)
    return path


@pytest.mark.parametrize(("way", "script"), [("polars, lazy", _READS), ("pyarrow, batch by batch", _STREAMS)])
def test_ten_million_rows_fit(way: str, script: str, many: Path, tmp_path: Path, figure: Figure) -> None:
    """In the memory of any laptop: they are never there all at once."""
    if way.startswith("polars"):
        pytest.importorskip("polars")
    done = subprocess.run(
        [sys.executable, "-c", script, str(many)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    total, kilobytes = done.stdout.split()
    megabytes = int(kilobytes) / 1024
    figure(f"memory of ten million rows, {way}", f"{megabytes:.0f} MB")
    assert float(total) > 0
    assert megabytes <= 800
