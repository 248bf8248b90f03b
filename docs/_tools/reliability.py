"""Write the figures of the fault suite into the page about reliability, or those of another suite into its page.

Run ``tox -e faults``, then ``python docs/_tools/reliability.py .tox/faults/tmp/figures.jsonl``.
Or run ``tox -e fleet``, then ``python docs/_tools/reliability.py .tox/fleet/tmp/figures.jsonl how-to/fleet.md``. So
it is with ``tox -e metrics`` and ``how-to/metrics.md``, and with ``tox -e frames`` and
``how-to/bulk.md``. The rows of ``tox -e web`` stand on several pages: a third
argument says what those of a page begin with, before a colon.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

BEGIN, END = "<!-- reliability: made by docs/_tools/reliability.py -->", "<!-- end of reliability -->"


def table(entries: list[dict[str, str]], what: str) -> str:
    """The figures, one row each, the last of those that were written twice."""
    figures = {entry["row"]: entry["figure"] for entry in entries}
    cells = [[cell.replace("\n", " ").replace("|", "\\|") for cell in entry] for entry in figures.items()]
    rows = [f"| {row} | {figure} |" for row, figure in cells]
    return "\n".join([f"{len(rows)} rows:", "", f"| {what} | what was seen |", "|---|---|", *rows])


def main(figures: str, page: str = "", kind: str = "") -> None:
    """Replace what stands between the two marks."""
    path = Path(__file__).parents[1] / (page or "explanation/reliability.md")
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f"{path} lacks the marks {BEGIN} and {END}")
    lines = Path(figures).read_text(encoding="utf-8").splitlines()
    mark = f"{kind}: " if kind else ""
    entries = [entry for entry in map(json.loads, lines) if entry["row"].startswith(mark)]
    text = table([{**entry, "row": entry["row"][len(mark) :]} for entry in entries], "row" if page else "fault")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
