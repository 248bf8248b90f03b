"""Shows results: a table, a chart, and whether anything got worse. ``python benchmarks/report.py results.json``"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from results import PEERS, Result, Skipped, load, missing, worse

_BEGIN, _END = "<!-- benchmarks: made by benchmarks/report.py -->", "<!-- /benchmarks -->"
_README, _PAGE = Path("README.md"), Path("docs/explanation/benchmarks.md")
_RIVAL = "genai-prices"  # whose figure heads the chart
_CHART = "docs/images/benchmarks.svg"


def figure(ratio: float) -> str:
    """A ratio for people: how many times as much, or how many times less."""
    return f"{ratio:.2f} x" if ratio >= 0.1 else f"1/{1 / ratio:.0f}"


def table(results: list[Result], skipped: Sequence[Skipped] = ()) -> str:
    """Markdown."""
    lines = ["| what | takes, against | | goal | |", "|---|---|---|---|---|"]
    for result in results:
        goal = "" if result.goal is None else f"≤ {figure(result.goal)}"
        verdict = "" if result.goal is None else "met" if result.met else "missed"
        lines.append(f"| {result.name} | {result.other} | {figure(result.ratio)} | {goal} | {verdict} |")
    lines += [f"| {row.name} | {row.other} | | | skipped: {row.why} |" for row in skipped]
    return "\n".join(lines)


def chart(results: list[Result]) -> str:
    """An SVG: how long each peer takes, as bars beside our own, and in words how much faster we are."""
    width, left, full, parts, top = 480, 140, 285, [], 0
    for name, others in _beside_peers(results).items():
        slowest = max(1.0, *(1 / result.ratio for result in others))
        title = f"{name}: {_faster(next((result for result in others if result.other == _RIVAL), others[0]))}"
        parts.append(f'<text x="0" y="{top + 22}" font-size="17" font-weight="bold">{escape(title)}</text>')
        parts.append(f'<text x="0" y="{top + 42}">time, where openrouter-pricing takes 1; shorter is better</text>')
        top += 54
        for label, times, colour in [
            ("openrouter-pricing", 1.0, "#2a9d5c"),
            *((result.other, 1 / result.ratio, "#8a94a6") for result in sorted(others, key=lambda found: -found.ratio)),
        ]:
            bar = max(2.0, full * times / slowest)
            parts.append(f'<text x="{left - 10}" y="{top + 14}" text-anchor="end">{escape(label)}</text>')
            parts.append(f'<rect x="{left}" y="{top}" width="{bar:.1f}" height="18" fill="{colour}" rx="2"/>')
            parts.append(f'<text x="{left + bar + 8:.1f}" y="{top + 14}">{_times(times)}</text>')
            top += 26
        top += 18
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" height="{top}" '
        f'font-family="sans-serif" font-size="13" fill="#777">{"".join(parts)}</svg>\n'
    )


def sentence(results: list[Result]) -> str:
    """How fast a cost is, for the README; the peers that it names are those of the first figure."""
    name, others = next(iter(_beside_peers(results).items()))
    *most, last = [_faster(result) for result in others]
    text = f"{', '.join(most)} and {last}" if most else last
    return f"`{name}` is {text}, all in one run on one machine."


def _beside_peers(results: list[Result]) -> dict[str, list[Result]]:
    """The figures that have peers, by what was measured."""
    found: dict[str, list[Result]] = {}
    for result in results:
        if result.other in PEERS:
            found.setdefault(result.name, []).append(result)
    return found


def _faster(result: Result) -> str:
    times, word = (1 / result.ratio, "faster") if result.ratio <= 1 else (result.ratio, "slower")
    return f"{_times(times)} {word} than {result.other}"


def _times(times: float) -> str:
    return f"{times:.{0 if times >= 10 or times == 1 else 1}f}\N{MULTIPLICATION SIGN}"


def check(results: list[Result], baseline: Path, skipped: Sequence[Skipped] = ()) -> int:
    """1 where a ratio got worse than the baseline's by more than half, or was neither measured nor skipped; else 0."""
    ratios = json.loads(baseline.read_text())
    found = [f"worse: {line}" for line in worse(results, ratios)]
    found += [f"not measured: {key}" for key in missing(results, ratios, skipped)]
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
    """Write the table and the chart into the docs, a sentence into the README, or a baseline."""
    parser = argparse.ArgumentParser(prog="benchmarks/report.py", description=__doc__)
    parser.add_argument("results", type=Path, nargs="+", metavar="FILE", help="what the table shows; then further runs")
    parser.add_argument(
        "--write", action="store_true", help="write the table and the chart into the docs, a sentence into the README"
    )
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="write the median ratios of all these runs")
    options = parser.parse_args()
    documents = [json.loads(path.read_text()) for path in options.results]
    document, results = documents[0], load(documents[0])
    skipped = [Skipped(**row) for row in document["skipped"]]
    print(table(results, skipped))
    if options.baseline is not None:
        options.baseline.write_text(json.dumps(baseline([load(run) for run in documents]), indent=1) + "\n")
    if options.write:
        versions = ", ".join(f"{name} {version}" for name, version in document["packages"].items() if version)
        text = f"{table(results, skipped)}\n\nPython {document['python']}; {versions}."
        _PAGE.write_text(replace(_PAGE.read_text(), text))
        _README.write_text(replace(_README.read_text(), sentence(results)))
        Path(_CHART).parent.mkdir(exist_ok=True)
        Path(_CHART).write_text(chart(results))


if __name__ == "__main__":
    main()
