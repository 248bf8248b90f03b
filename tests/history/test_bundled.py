"""The two years that the package carries."""

from __future__ import annotations

import hashlib
import json
import lzma
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.recorded import SHARED

from openrouter_pricing import Rates, data
from openrouter_pricing._history.bundled import BundledHistory
from openrouter_pricing._history.periods import EARLIEST, LATEST

RECORDING = SHARED / "price-history.jsonl.xz"
TOOL = Path(__file__).resolve().parents[2] / "tools" / "history_from_recordings.py"
FIRST = datetime(2024, 9, 21, 2, 9, 31, tzinfo=timezone.utc)
LAST = datetime(2026, 8, 22, 12, 8, 54, tzinfo=timezone.utc)
at_hand = pytest.mark.skipif(not RECORDING.is_file(), reason="the recorded data is not at hand")


def replayed() -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Each recording's time, and the prices that stood from then on: read line by line, and not by the package."""
    prices: dict[str, Any] = {}
    last = ""
    for line in lzma.decompress(RECORDING.read_bytes()).decode().splitlines():
        entry = json.loads(line)
        if last and entry["observed_at"] != last:
            yield datetime.strptime(last, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc), dict(prices)
        last = entry["observed_at"]
        prices[entry["id"]] = entry["pricing"]
    yield datetime.strptime(last, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc), prices


@at_hand
def test_every_list_is_as_it_was_recorded() -> None:
    """At each of the 860 recordings every model has the price of then, and no other one is listed."""
    history = BundledHistory()
    seen = 0
    for at, prices in replayed():
        found = history.as_of(at)
        assert at == found.as_of
        assert {name: price for name, price in prices.items() if price is not None} == {
            name: json.loads(text) for name, text in found.prices.items()
        }
        seen += 1
    assert 860 == seen


@at_hand
def test_the_file_is_made_by_its_tool(tmp_path: Path) -> None:
    """The tool makes the same history of the recording, and says where it comes from."""
    made = tmp_path / "history.gz"
    subprocess.run([sys.executable, TOOL, RECORDING, made], check=True)
    provenance = json.loads(data.read("history.json"))
    assert json.loads(made.with_suffix(".json").read_text()) | {"digest": ""} == provenance | {"digest": ""}
    assert hashlib.sha256(RECORDING.read_bytes()).hexdigest() == provenance["recording_digest"]
    assert BundledHistory().as_of(LAST).digest() == of_file(made.read_bytes()).as_of(LAST).digest()


def of_file(content: bytes) -> BundledHistory:
    """The history of a file."""
    from openrouter_pricing._history.packing import unpack

    history = BundledHistory()
    history._unpacked = unpack(content)
    return history


def test_it_is_small() -> None:
    """At most 64 kB, as the contract says; and the provenance names its digest."""
    content = data.read("history.gz")
    assert len(content) <= 64_000
    assert hashlib.sha256(content).hexdigest() == json.loads(data.read("history.json"))["digest"]


@pytest.mark.parametrize(
    ("at", "as_of", "until"),
    [
        (EARLIEST, FIRST, datetime(2024, 9, 24, 0, 24, 14, tzinfo=timezone.utc)),
        (FIRST, FIRST, datetime(2024, 9, 24, 0, 24, 14, tzinfo=timezone.utc)),
        (LAST - timedelta(seconds=1), datetime(2026, 8, 22, 0, 17, 28, tzinfo=timezone.utc), LAST),
        (LAST, LAST, LAST),
        (LATEST, LAST, LAST),
    ],
)
def test_the_list_of_a_time(at: datetime, as_of: datetime, until: datetime) -> None:
    """The last one at or before it; before the first that one; the last one is known up to its recording."""
    found = BundledHistory().as_of(at)
    assert (as_of, until) == (found.as_of, found.until)


def test_a_list_is_a_mapping() -> None:
    """It is iterated, measured and looked into like one."""
    prices = BundledHistory().as_of(FIRST).prices
    assert len(list(prices)) == len(prices) == 178
    assert "qwen/qwen-2.5-72b-instruct" in prices
    assert "openai/gpt-5" not in prices
    assert 5 not in prices  # type: ignore[comparison-overlap]
    with pytest.raises(KeyError):
        prices["openai/gpt-5"]


def test_the_periods_of_a_model() -> None:
    """Every period follows the one before or comes after a gap, and the last one is open if it is still listed."""
    periods = BundledHistory().periods("openai/gpt-4o-mini")
    assert FIRST == periods[0].since
    assert periods[-1].until is None
    assert Rates(prompt="0.00000015", completion="0.0000006").prompt == periods[-1].rates.prompt
    assert all(one.until == other.since for one, other in pairwise(periods))
    assert () == BundledHistory().periods("nobody/nothing")


def test_periods_of_a_time() -> None:
    """Those that were listed within it, one that ends with its beginning too."""
    history = BundledHistory()
    whole = history.periods("openai/gpt-4o-mini")
    edge = whole[1].since
    assert whole[:2] == history.periods("openai/gpt-4o-mini", until=edge)
    assert whole[:2] == history.periods("openai/gpt-4o-mini", since=edge, until=edge)
    assert whole[1:] == history.periods("openai/gpt-4o-mini", since=edge + timedelta(seconds=1))
    assert len(history.periods()) > 4_000


def test_it_never_changes() -> None:
    """Recording into it keeps nothing, and closing it closes nothing."""
    history = BundledHistory()
    from openrouter_pricing import Catalog

    assert () == history.record(Catalog.from_models([]))
    history.close()
    assert LAST == history.as_of(LATEST).as_of


def test_a_bad_time_is_named() -> None:
    """A naive datetime could be any of two dozen times."""
    with pytest.raises(ValueError, match=r"at must be an aware"):
        BundledHistory().as_of(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match=r"since must be an aware"):
        BundledHistory().periods(since=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(TypeError, match=r"until must be a datetime"):
        BundledHistory().periods(until="now")  # type: ignore[arg-type]
