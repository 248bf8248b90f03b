"""The report of an audit, and where its lines stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.logs import CATALOG, EXACT, GONE, OFF, SILENT, encoded

from openrouter_pricing.metering.audit import Audit
from openrouter_pricing.metering.report import Places, spent


def test_lines_of_one_file_are_numbers() -> None:
    """With one file a line is its number, for people and in JSON."""
    places = Places()
    places.begin("a", 0)

    assert (7, {"line": 7}) == (places.show(7), places.to_dict(7))


def test_lines_of_several_files_name_them() -> None:
    """With several files each line is named with its file, and counted in it; empty files have none."""
    places = Places()
    for name, start in (("a", 0), ("empty", 3), ("b", 3)):
        places.begin(name, start)

    assert ["a:1", "a:3", "b:1", "b:9"] == [places.show(number) for number in (1, 3, 4, 12)]
    assert {"file": "b", "line": 2} == places.to_dict(5)


def test_where_things_stand_in_several_files() -> None:
    """Residuals, unknown models, bad lines and duplicates are named with their files."""
    audit, places = Audit(CATALOG), Places()
    same = {**EXACT, "id": "gen-1"}
    for number, line in enumerate(encoded(same, OFF, GONE, {}, same).splitlines(), 1):
        places.begin(f"file{number}", number - 1)
        audit.add(number, line)
    report = audit.report(places)

    assert {"file": "file2", "line": 1}.items() <= report["worst"][0].items()
    assert {"first_file": "file3", "first_line": 1}.items() <= report["unknown_models"][0].items()
    assert {"file": "file4", "line": 1}.items() <= report["bad_lines"][0]["first"][0].items()
    assert (1, {"file": "file5", "line": 1}) == (report["duplicates"], report["first_duplicate"])


DEAR = {"model": "a/plain", "created": 1_786_680_756, "provider": "Acme", "usage": {"prompt_tokens": 3, "cost": 50}}
USED = {**DEAR, "created": 1_786_780_756, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


@pytest.mark.parametrize(
    ("by", "spend"),
    [
        ("model", [("a/plain", 4, "81"), ("gone/model", 1, "0.5")]),
        ("day", [("", 3, "20.5"), ("2026-08-14", 1, "50"), ("2026-08-15", 1, "11")]),
        ("provider", [("Acme", 2, "61"), ("", 3, "20.5")]),
        ("key", [("", 5, "81.5")]),
    ],
)
def test_spend(by: Any, spend: list[tuple[str, int, str]]) -> None:
    """Each line whose cost is known is summed, by what it reports or else by the list, and the tallies stay."""
    log = encoded(EXACT, SILENT, GONE, DEAR, USED, {}, {"model": "gone/model", "usage": {"prompt_tokens": 7}})
    audit, plain = Audit(CATALOG, by=by), Audit(CATALOG)
    for number, line in enumerate(log.splitlines(), 1):
        audit.add(number, line)
        plain.add(number, line)
    report = audit.report()

    assert (by, spend) == (report["by"], [(row[by], row["lines"], row["usd"]) for row in report["spend"]])
    assert spend == [(name, group.lines, str(group.usd)) for name, group in spent(audit.counted, by)]
    assert {"lines": 0, "usd": "0"} == report["other_spend"]
    assert plain.report().items() <= report.items()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
