"""Shows results: a table, a chart, and whether anything got worse. ``python benchmarks/report.py results.json``"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from xml.sax.saxutils import escape

from results import PEERS, Result, load, missing, worse

_BEGIN, _END = "<!-- benchmarks: made by benchmarks/report.py -->", "<!-- /benchmarks -->"
_PAGES = ("README.md", "docs/explanation/benchmarks.md")
_CHART = "docs/images/benchmarks.svg"


def figure(ratio: float) -> str:
    """A ratio for people: how many times as much, or how many times less."""
    return f"{ratio:.2f} x" if ratio >= 0.1 else f"1/{1 / ratio:.0f}"


def table(results: list[Result]) -> str:
    """Markdown."""
    lines = ["| what | takes, against | | goal | |", "|---|---|---|---|---|"]
    for result in results:
        goal = "" if result.goal is None else f"≤ {figure(result.goal)}"
        verdict = "" if result.goal is None else "met" if result.met else "missed"
        lines.append(f"| {result.name} | {result.other} | {figure(result.ratio)} | {goal} | {verdict} |")
    return "\n".join(lines)


def chart(results: list[Result]) -> str:
    """An SVG: each goal as a full bar, and how much of it is used."""
    shown = [result for result in results if result.goal is not None]
    height, left, full = 26, 430, 300
    rows = []
    for number, result in enumerate(shown):
        assert result.goal is not None
        top, width = 34 + number * height, min(result.ratio / result.goal, 1.3) * full
        colour = "#2a9d5c" if result.met else "#d1495b"
        label = escape(f"{result.name} / {result.other}")
        rows.append(
            f'<text x="{left - 10}" y="{top + 13}" text-anchor="end">{label}</text>'
            f'<rect x="{left}" y="{top}" width="{full}" height="16" fill="#8884" rx="3"/>'
            f'<rect x="{left}" y="{top}" width="{width:.1f}" height="16" fill="{colour}" rx="3"/>'
            f'<text x="{left + full + 100}" y="{top + 13}" text-anchor="end">'
            f"{figure(result.ratio)} of {figure(result.goal)}</text>"
        )
    size = f'viewBox="0 0 {left + full + 110} {44 + len(shown) * height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" fill="#888">'
        f'<text x="{left}" y="20">how much of each goal is used (ratios, one run)</text>{"".join(rows)}</svg>\n'
    )


def check(results: list[Result], baseline: Path) -> int:
    """1 where a ratio got worse than the baseline's by more than half, or was not measured; else 0."""
    ratios = json.loads(baseline.read_text())
    found = [f"worse: {line}" for line in worse(results, ratios)]
    found += [f"not measured: {key}" for key in missing(results, ratios)]
    print("\n".join(found))
    return 1 if found else 0


def baseline(runs: list[list[Result]]) -> dict[str, float]:
    """The median ratio over several runs of each figure that is held to."""
    ratios: dict[str, list[float]] = {}
    for result in (result for run in runs for result in run if result.other not in PEERS):
        ratios.setdefault(result.key, []).append(result.ratio)
    return {key: float(f"{statistics.median(found):.4g}") for key, found in ratios.items()}


def replace(page: str, text: str) -> str:
    """A page with what stands between the marks replaced."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page has no {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n{text}\n{_END}{after}"


def main() -> None:
    """Write the table into the pages, the chart beside them, or a baseline."""
    parser = argparse.ArgumentParser(prog="benchmarks/report.py", description=__doc__)
    parser.add_argument("results", type=Path, nargs="+", metavar="FILE", help="what the table shows; then further runs")
    parser.add_argument("--write", action="store_true", help="write the table into the README and the docs")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="write the median ratios of all these runs")
    options = parser.parse_args()
    documents = [json.loads(path.read_text()) for path in options.results]
    document, results = documents[0], load(documents[0])
    print(table(results))
    if options.baseline is not None:
        options.baseline.write_text(json.dumps(baseline([load(run) for run in documents]), indent=1) + "\n")
    if options.write:
        versions = ", ".join(f"{name} {version}" for name, version in document["packages"].items() if version)
        text = f"{table(results)}\n\nPython {document['python']}; {versions}."
        for page in map(Path, _PAGES):
            page.write_text(replace(page.read_text(), text))
        Path(_CHART).parent.mkdir(exist_ok=True)
        Path(_CHART).write_text(chart(results))


if __name__ == "__main__":
    main()
