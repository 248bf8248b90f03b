"""Write the figures of the fault suite into the README's reliability table.

Run ``tox -e faults``, then ``python docs/_tools/reliability.py .tox/faults/tmp/figures.jsonl README.md``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

BEGIN, END = "<!-- reliability: made by docs/_tools/reliability.py -->", "<!-- end of reliability -->"


def table(lines: list[str]) -> str:
    """The figures, one row each, the last of those that were written twice."""
    figures = {entry["row"]: entry["figure"] for entry in map(json.loads, lines)}
    rows = [f"| {row} | {figure} |".replace("\n", " ") for row, figure in figures.items()]
    summary = f"<details><summary>{len(rows)} rows</summary>"
    return "\n".join([summary, "", "| fault | what was seen |", "|---|---|", *rows, "", "</details>"])


def main(figures: str, readme: str) -> None:
    """Replace what stands between the two marks."""
    path = Path(readme)
    before, _, rest = path.read_text().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f"{readme} lacks the marks {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{table(Path(figures).read_text().splitlines())}\n{END}{after}")


if __name__ == "__main__":
    main(*sys.argv[1:])
