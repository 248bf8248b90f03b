"""The pure parts of the benchmarks: ratios, baselines, tables, charts and the simulation."""

from __future__ import annotations

import json
import random
import sys
import threading
import xml.etree.ElementTree
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from support.waiting import until

from openrouter_pricing import Pricing, Settings


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The modules of the benchmarks, which import each other by their plain names."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    names = ("results", "report", "simulate", "data", "fleet", "workers", "many_hosts")
    yield {name: import_module(name) for name in names}
    for name in names:
        sys.modules.pop(name, None)


def test_a_baseline_holds_ratios(bench: dict[str, ModuleType], tmp_path: Path) -> None:
    """A ratio may be worse by half; more is told of, better ones and new ones are not."""
    result = bench["results"].Result
    found = [result("a", "b", ratio, None, 1.0, 1.0) for ratio in (3.0, 3.1, 1.0)]
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps({"a / b": 2.0}))
    assert [0, 1, 0] == [bench["report"].check([one], baseline) for one in found]
    assert [] == bench["results"].worse([result("a", "litellm", 9.0, None, 1.0, 1.0)], {"a / litellm": 2.0})
    assert [] == bench["results"].worse([result("new", "b", 9.0, None, 1.0, 1.0)], {"a / b": 2.0})


def test_a_ratio_must_be_worse_twice(bench: dict[str, ModuleType]) -> None:
    """Of two runs each figure's smaller ratio counts; one that the second run lacks stays."""
    result = bench["results"].Result
    first = [
        result("a", "b", 3.0, None, 1.0, 1.0),
        result("c", "d", 1.0, None, 1.0, 1.0),
        result("e", "f", 2.0, None, 1.0, 1.0),
    ]
    again = [result("c", "d", 9.0, None, 1.0, 1.0), result("a", "b", 2.0, None, 1.0, 1.0)]

    assert [2.0, 1.0, 2.0] == [found.ratio for found in bench["results"].better(first, again)]


def test_a_figure_that_is_no_longer_taken_is_named(
    bench: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the baseline holds and the run does not is named, and fails."""
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps({"a / b": 2.0, "gone / b": 1.0}))
    assert 1 == bench["report"].check([bench["results"].Result("a", "b", 2.0, None, 1.0, 1.0)], baseline)
    assert "not measured: gone / b\n" == capsys.readouterr().out


def test_a_figure_that_cannot_be_taken_here_is_skipped_by_name(
    bench: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no failure where the run says so, and one where it does not; the table says what is missing."""
    result, skipped = bench["results"].Result("a", "b", 2.0, None, 1.0, 1.0), bench["results"].Skipped("c", "d", "no e")
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps({"a / b": 2.0, "c / d": 1.0}))
    assert [0, 1] == [bench["report"].check([result], baseline, rows) for rows in ([skipped], [])]
    assert "not measured: c / d" == capsys.readouterr().out.strip()
    assert "| c | d | | | skipped: no e |" == bench["report"].table([result], [skipped]).splitlines()[-1]


def test_a_baseline_is_the_median_of_runs(bench: dict[str, ModuleType]) -> None:
    """One noisy run does not loosen it, and what is measured against peers is no part of it."""
    result = bench["results"].Result
    runs = [
        [result("a", "b", ratio, None, 1.0, 1.0), result("a", "litellm", ratio, None, 1.0, 1.0)]
        for ratio in (2.0, 9.0, 2.5)
    ]
    assert {"a / b": 2.5} == bench["report"].baseline(runs)


def test_results_survive_json(bench: dict[str, ModuleType]) -> None:
    """What a run stores is what the report reads."""
    result = bench["results"].Result("a", "b", 0.5, 1, 1.0, 2.0)
    assert [result] == bench["results"].load(json.loads(json.dumps({"results": [result._asdict()]})))
    assert (True, False) == (result.met, result._replace(ratio=1.5).met)


def test_a_table_and_a_chart(bench: dict[str, ModuleType]) -> None:
    """Each goal is met or missed; the chart is an image with a bar for each peer and one beside them."""
    result = bench["results"].Result
    found = [
        result("fast", "floor", 3.0, 4, 1.0, 1.0),
        result("tiny & quick", "peer", 0.01, 0.02, 1.0, 1.0),
        result("shown", "peer", 2.0, None, 1.0, 1.0),
        result("slow", "floor", 9.0, 4, 1.0, 1.0),
    ]
    rows = bench["report"].table(found).splitlines()[2:]
    assert ["met", "met", "", "missed"] == [row.split("|")[5].strip() for row in rows[:4]]
    assert "| 1/100 | ≤ 1/50 |" in rows[1]
    found += [result("fast", "genai-prices", 0.027, None, 1.0, 1.0), result("fast", "litellm", 1.5, None, 1.0, 1.0)]
    root = xml.etree.ElementTree.fromstring(bench["report"].chart(found))
    assert 3 == sum(child.tag.endswith("rect") for child in root)
    assert "fast: 37× faster than genai-prices" == root[0].text
    claim = "`fast` is 37× faster than genai-prices and 1.5× slower than litellm, all in one run on one machine."
    assert claim == bench["report"].sentence(found)
    xml.etree.ElementTree.fromstring(bench["simulate"].chart(dict.fromkeys(bench["simulate"].TTLS, 0.001)))


def test_a_page_keeps_what_stands_around(bench: dict[str, ModuleType]) -> None:
    """Only what stands between the marks is written anew, and a page without marks is an error."""
    marks = bench["report"]._BEGIN, bench["report"]._END
    assert f"x\n{marks[0]}\nnew\n{marks[1]}\ny" == bench["report"].replace(f"x\n{marks[0]}\nold\n{marks[1]}\ny", "new")
    with pytest.raises(ValueError, match="the page has no"):
        bench["report"].replace("x", "new")


def line(hours: float, name: str, price: str | None) -> str:
    """One recorded change."""
    day, hour = divmod(hours, 24)
    pricing = None if price is None else {"prompt": price}
    return json.dumps(
        {"observed_at": f"2026-01-{1 + int(day):02}T{int(hour):02}:00:00Z", "id": name, "pricing": pricing}
    )


def test_a_simulation_by_hand(bench: dict[str, ModuleType]) -> None:
    """A price that changed once is outdated for half of the time to live on average, and appearing is no change."""
    simulate = bench["simulate"]
    lines = [line(0, "a", "1"), line(240, "a", "2"), line(0, "b", "1"), line(100, "b", None), line(480, "c", "1")]
    history = simulate.read(lines, random.Random(1))
    assert (1, 20.0, (480 + 100) * 3600) == (sum(map(len, history.changes.values())), history.days, history.listed)
    chance = random.Random(2)
    shares = [simulate.outdated(history, 3600, chance) for _ in range(4000)]
    assert pytest.approx(1800 / history.listed, rel=0.05) == sum(shares) / len(shares)
    assert all(0 <= share <= 3600 / history.listed for share in shares)


def test_two_changes_between_two_fetches(bench: dict[str, ModuleType]) -> None:
    """Time that is outdated already is not counted twice."""
    simulate = bench["simulate"]
    history = simulate.History({"a": [100.0, 101.0]}, 1000.0, 1.0)
    assert all(simulate.outdated(history, 50, random.Random(seed)) <= 0.1 for seed in range(50))


def test_requests_of_a_fleet(bench: dict[str, ModuleType]) -> None:
    """Ten processes of a host share a store; an hour of age is 24 requests a day, and 99.97 % fewer than asking."""
    simulate = bench["simulate"]
    assert (24, 24, 48) == tuple(simulate.requests(fleet, 3600, shared=True) for fleet in (1, 10, 11))
    assert 240 == simulate.requests(10, 3600, shared=False)
    assert simulate.requests(1, 3600, shared=False) < 0.01 * simulate.asking(1)


def test_the_made_up_catalogue(bench: dict[str, ModuleType]) -> None:
    """It is the same each time, and about as large as the real one."""
    data = bench["data"]
    assert data.body() == data.body()
    assert 417 == len(json.loads(data.body())["data"])
    assert 500_000 < len(data.body()) < 1_000_000


RULES = [(warm, l2_ttl) for warm in (False, True) for l2_ttl in (60.0, 100.0, 600.0)]


@pytest.mark.parametrize(("warm", "l2_ttl"), RULES)
def test_the_fleet_does_what_the_sdk_does(bench: dict[str, ModuleType], warm: bool, l2_ttl: float) -> None:
    """Eight simulated processes send the store what eight real ones send, and ask OpenRouter when those do."""
    rules = bench["fleet"].Rules(l2_ttl, warm=warm, fetch=0.0)
    changes = [l2_ttl * 1.7 * number for number in range(1, 6)]
    seen = bench["workers"].drive(8, rules, 12 * l2_ttl, changes)
    simulated = bench["fleet"].Fleet(8, rules, changes)
    simulated.run(until=12 * l2_ttl)
    assert seen.commands == simulated.commands
    assert pytest.approx(seen.asked, abs=0.01) == [record.fetched for record in simulated.records[1:]]
    assert (len(seen.asked) >= 11, seen.commands["GET list"] > 0) == (True, True)


@pytest.mark.parametrize("warm", [False, True])
def test_the_fleet_is_as_late_as_the_sdk(bench: dict[str, ModuleType], warm: bool) -> None:
    """Real processes that are asked every question give as many outdated answers as the simulation says."""
    rules = bench["fleet"].Rules(100.0, warm=warm, fetch=0.0)
    simulated = bench["fleet"].Fleet(8, rules)
    simulated.run(until=5000.0)
    fetched = [record.fetched for record in simulated.records[1:]]
    changes = [moment - 5 for moment in fetched]
    seen = bench["workers"].drive(8, rules, 5000.0, changes, every=True)
    assert (simulated.late > 1000) == warm  # a process whose prices came to l2_ttl looks before it answers
    assert pytest.approx(8 * 5 * len(changes) + simulated.late, rel=0.08) == seen.outdated


def test_each_look_of_a_process_that_waits_is_three_commands(bench: dict[str, ModuleType]) -> None:
    """Real ones wait for the answer that another asked for, and so do simulated ones."""
    workers = bench["workers"]
    hands, store = workers.Hands(), workers.Store()
    upstream = workers.Upstream(hands, [])
    upstream.gate.clear()
    pair = [Pricing(Settings(), backend=store, client=upstream) for _ in range(2)]
    threads = [threading.Thread(target=pricing.warm) for pricing in pair]
    for thread in threads:
        thread.start()
    until(lambda: store.commands["GET lease"] > 3)
    sent = dict(store.commands)
    upstream.gate.set()
    for thread in threads:
        thread.join()
    for pricing in pair:
        pricing.close()
    # Before that, each read the head twice and asked for the lease, and the one that has it read the head once more.
    looks = sent["GET lease"]
    assert (sent["SET lease"] - 1 - looks in (0, 1), sent["GET head"] - 5 - looks in (-1, 0)) == (True, True)
    assert 1 == len(upstream.asked)
    # One that waits for less than 5 s looks at once, 5 times in 0.7 s, and then after 0.4 s and each 0.5 s.
    crowd = bench["fleet"].Fleet(2, bench["fleet"].Rules(600.0, fetch=5.0))
    crowd.run(records=2)
    last = crowd.commands["GET lease"]
    crowd.run(until=crowd.records[-1].fetched + 1)
    assert (13, 1) == (last, crowd.commands["SET lease"] - last - 1)


def test_many_hosts(bench: dict[str, ModuleType]) -> None:
    """A store for all asks for as little as one host does, and the table and the chart tell so."""
    hosts, simulate = bench["many_hosts"], bench["simulate"]
    lines = [line(0, "a", "1"), line(240, "a", "2"), line(0, "b", "1"), line(100, "b", None), line(480, "c", "1")]
    history = simulate.read(lines, random.Random(1))
    assert 3 == len(history.lists)
    sizes = bench["workers"].sizes(bench["data"].body())
    assert 40_000 < sizes["GET list"] < 100_000
    names = hosts.TTLS
    hosts.TTLS = {"1 min": 60, "1 h": 3600}
    found = hosts.rows(history, sizes, 3)
    own, shared, warm = (found["1 h", store] for store in (hosts.OWN, hosts.SHARED, hosts.WARM))
    assert pytest.approx(3, rel=0.01) == own.requests / shared.requests
    assert 24 > shared.requests > 23.9
    assert (warm.busiest < shared.busiest, warm.outdated < shared.outdated) == (True, True)
    assert shared.bytes < shared.most
    assert 8 == len(hosts.table(found, 3, sizes).split("\n\n")[0].splitlines())
    xml.etree.ElementTree.fromstring(hosts.chart(found))
    hosts.TTLS = names


def test_a_table_is_written_between_its_marks(bench: dict[str, ModuleType], tmp_path: Path) -> None:
    """With its chart in a folder that may be new; a page without marks is an error."""
    page, image = tmp_path / "page.md", tmp_path / "images" / "chart.svg"
    page.write_text("x\n<a>\nold\n</a>\ny")
    bench["simulate"].write(page, ("<a>", "</a>"), "new", image, "<svg/>")
    assert ("x\n<a>\nnew\n</a>\ny", "<svg/>") == (page.read_text(), image.read_text())
    with pytest.raises(ValueError, match="the page has no"):
        bench["simulate"].write(page, ("<b>", "</b>"), "new", image, "<svg/>")
