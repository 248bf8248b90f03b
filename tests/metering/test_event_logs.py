"""Event streams in a log: their lines are read, and what is between them is passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.logs import numbered
from support.upstream import row

from openrouter_pricing import Catalog
from openrouter_pricing.cli import run
from openrouter_pricing.metering.audit import Audit

ROWS = [
    row("a/model", pricing={"prompt": "1", "completion": "10"}),
    row("a/video", architecture={"output_modalities": ["video"]}, pricing={"prompt": "0", "completion": "0"}),
]
CATALOG = Catalog.from_models(ROWS)
CALL = {"model": "a/model", "usage": {"prompt_tokens": 3, "completion_tokens": 1, "cost": 13}}
VIDEO = {"id": "job-1", "model": "a/video", "status": "completed", "usage": {"cost": 0.5, "is_byok": False}}


def audited(text: str) -> dict[str, Any]:
    """The report of a log."""
    audit = Audit(CATALOG)
    for number, line in numbered(text.encode()):
        audit.add(number, line)
    return audit.report()


@pytest.mark.parametrize("prefix", ["data: ", "data:", "  data:  "])
def test_the_lines_of_an_event_stream(prefix: str) -> None:
    """A line of an event stream is the response in it; comments, names, ends and chunks before the last are none."""
    part = {"model": "a/model", "choices": [{"delta": {"content": "Hi"}}], "usage": None}
    text = (
        f": OPENROUTER PROCESSING\n\nevent: message\nid: 7\nretry: 10\n{prefix}{json.dumps(part)}\n\n"
        f"{prefix}{json.dumps(CALL)}\n\n{prefix}[DONE]\n\n"
    )
    report = audited(text)

    assert (1, 1, 0) == (report["lines"], report["exact"], report["bad"])


@pytest.mark.parametrize("line", ["data: {bad", "data: 5", "data: {}", json.dumps({"choices": []})])
def test_a_bad_line_of_an_event_stream_is_bad(line: str) -> None:
    """What cannot be read is bad there too, and so is a response without its usage that is no chunk of a stream."""
    assert (1, 1) == (audited(line)["lines"], audited(line)["bad"])


def test_what_is_printed_of_reported_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that report a cost and no tokens have a row where there are any, and are no failure."""
    (tmp_path / "prices").write_bytes(CATALOG.dumps())
    log = tmp_path / "log.jsonl"
    rows = []
    for lines in ([VIDEO], [VIDEO, CALL], [CALL]):
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert 0 == run(("audit", str(log), "--catalog", str(tmp_path / "prices")))
        out = capsys.readouterr().out
        rows.append([line.split() for line in out.splitlines() if line.startswith("reported")])

    assert [[["reported", "1", "0.5", "-", "-"]], [["reported", "1", "0.5", "-", "-"]], []] == rows
