"""Counters in files that any process can add up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.children import in_child
from support.freshness import MODEL, Make
from support.pinned import pinned
from support.upstream import row
from support.waiting import PATIENCE

from openrouter_pricing.metrics.table import COUNTERS

pytest.importorskip("prometheus_client")

from prometheus_client import CollectorRegistry, multiprocess
from prometheus_client.mmap_dict import MmapedDict

from openrouter_pricing.metrics.multiprocess import Tallies


def summed(folder: Path, name: str, **labels: str) -> float | None:
    """What the client's collector reads from the files of a folder."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))
    return registry.get_sample_value(f"openrouter_pricing_{name}_total", labels)


def test_every_counter_is_there_from_the_start(tmp_path: Path) -> None:
    """A counter that is still 0 is shown as 0, so that its first step is a step."""
    Tallies(str(tmp_path))
    for metric in COUNTERS:
        for value in metric.values:
            assert 0.0 == summed(tmp_path, metric.field, **{metric.label or "": value})
        if not metric.values:
            assert 0.0 == summed(tmp_path, metric.field)


def test_counting(tmp_path: Path) -> None:
    """Counts add up by their name and kind; an error class of somebody else's counts as its root."""
    tallies = Tallies(str(tmp_path))
    tallies("requests", 2, "")
    tallies("requests", 1, "")
    tallies("refresh_seconds", 0.25, "")
    tallies("failures", 1, "StatusError")
    tallies("failures", 1, "MineError")
    assert (3.0, 0.25) == (summed(tmp_path, "requests"), summed(tmp_path, "refresh_seconds"))
    assert [1.0, 1.0, 0.0] == [
        summed(tmp_path, "failures", error=error) for error in ("StatusError", "UpstreamError", "TransportError")
    ]


def test_a_scrape_may_come_while_a_process_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not whole yet is none that the client reads: it would be an error to it, and to the scrape."""
    found: list[float | None] = []

    class Slow(MmapedDict):
        def __init__(self, path: str) -> None:
            Path(path).touch()
            found.append(summed(tmp_path, "requests"))
            super().__init__(path)

        def write_value(self, *args: object) -> None:
            super().write_value(*args)
            found.append(summed(tmp_path, "requests"))

    Tallies(str(tmp_path))("requests", 2, "")
    monkeypatch.setattr("openrouter_pricing.metrics.multiprocess._MmapedDict", Slow)
    Tallies(str(tmp_path))("requests", 1, "")
    assert {2.0} == {*found}
    assert 3.0 == summed(tmp_path, "requests")


def test_two_of_one_process_are_added(tmp_path: Path) -> None:
    """Each ``Pricing`` has a file of its own."""
    for _ in range(2):
        Tallies(str(tmp_path))("requests", 1, "")
    assert 2.0 == summed(tmp_path, "requests")


def test_a_child_counts_in_its_own_file(tmp_path: Path) -> None:
    """A forked child begins at 0, and what the parent counted is there once."""
    tallies = Tallies(str(tmp_path))
    answers = tallies.answers
    answers += 5

    def work() -> bool:
        counted = tallies.answers
        counted += 2
        return int(counted) == 2

    assert in_child(work)
    assert in_child(work)
    assert int(answers) == 5
    assert 9.0 == summed(tmp_path, "l1_answers")
    assert 3 == len(list(tmp_path.iterdir()))


def test_a_child_without_its_folder_still_answers(
    tmp_path: Path, make_pricing: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A child that cannot make its file counts for itself, says so once, and answers."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    pricing = make_pricing()
    tallies = Tallies(str(folder))
    pricing._observe(tallies, tallies.answers)
    pricing.cost(MODEL, 1)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()

    def work() -> bool:
        for _ in range(2):
            assert pricing.cost(MODEL, 1).source == "live"
        told = [record.message for record in caplog.records if "are not counted" in record.message]
        return (pricing.stats().l1_answers, len(told)) == (2, 1)

    assert in_child(work)
    assert 1 == pricing.stats().l1_answers


def test_threads_lose_no_count(tmp_path: Path) -> None:
    """Eight threads that ask at once are all counted, and the file says so."""
    pricing = pinned(row())
    tallies = Tallies(str(tmp_path))
    pricing._observe(tallies, tallies.answers)
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait(PATIENCE)
        for _ in range(1000):
            pricing.cost(MODEL, 1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (8000, 8000.0) == (pricing.stats().l1_answers, summed(tmp_path, "l1_answers"))


def test_what_was_counted_before_is_counted_along(tmp_path: Path, make_pricing: Make) -> None:
    """The files begin with what the ``Pricing`` had counted."""
    pricing = make_pricing()
    pricing.cost(MODEL, 1)
    tallies = Tallies(str(tmp_path))
    pricing._observe(tallies, tallies.answers)
    pricing.refresh()
    stats = pricing.stats()
    for metric in COUNTERS:
        for value, number in metric.series(stats).items():
            assert number == summed(tmp_path, metric.field, **({metric.label: value} if metric.label else {}))
    assert (1, 2, 2) == (stats.l1_answers, stats.requests, stats.refreshes)


def test_no_folder(tmp_path: Path) -> None:
    """It is told at once."""
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Tallies(str(tmp_path / "nowhere"))
