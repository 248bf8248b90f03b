"""Runs the benchmarks and writes what they found."""

from __future__ import annotations

import argparse
import json
import platform
from importlib import metadata
from pathlib import Path

import beside
import inside
import logs
import outside
import past
import pyperf
import report
import shared
from results import PEERS, better


def main() -> int:
    """Run, print the table, and compare with a baseline where one is given; the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute, for every day")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--raw", metavar="FILE", help="write every round too, for pyperf's own commands")
    parser.add_argument(
        "--check", type=Path, metavar="FILE", help="fail where a ratio is worse than this baseline's in two runs"
    )
    options = parser.parse_args()
    bench = _measured(quick=options.quick)
    names = ("openrouter-pricing", "genai-prices", "tokencost", "litellm", "openrouter", "redis", "pyperf")
    document = {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in names},
        "quick": options.quick,
        "results": [result._asdict() for result in bench.results],
        "skipped": [row._asdict() for row in bench.skipped],
    }
    if options.output is not None:
        options.output.write_text(json.dumps(document, indent=1) + "\n")
    if options.raw is not None:
        pyperf.BenchmarkSuite(bench.raw).dump(options.raw, replace=True)
    print(report.table(bench.results, bench.skipped))
    for peer in sorted(set(PEERS) - {result.other for result in bench.results}):
        print(f"not installed, so not compared: {peer}")
    if options.check is None:
        return 0
    results = bench.results
    if report.check(results, options.check, bench.skipped):
        # A row that is worse must be so twice: one run of a busy machine proves nothing.
        print("again")
        results = better(results, _measured(quick=options.quick).results)
        print(report.table(results, bench.skipped))
    return report.check(results, options.check, bench.skipped)


def _measured(*, quick: bool) -> inside.Bench:
    bench = inside.Bench(quick=quick)
    inside.costs(bench)
    logs.logs(bench, quick=quick)
    inside.growth(bench)
    inside.tiers(bench)
    shared.shared(bench)
    beside.beside(bench, 4 if quick else 20)
    processes = 7 if quick else 31
    outside.imports(bench, processes)
    outside.first_cost(bench, processes)
    past.past(bench, processes)
    outside.memory(bench)
    return bench


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    raise SystemExit(main())
