"""What an audit takes: CPU seconds, against decoding the same lines, and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import long_log
from support.figures import Figure

pytestmark = pytest.mark.faults

#: 2,000,000 lines are 1.1 GB; a tenth of that is enough to know.
LINES = int(os.environ.get("AUDIT_LINES", "200000"))
TIMES = {"1": 2, "2": 2.7}  # those of json.loads, by the number of processes, of which each has to start
MOST_MB = 200

RUN = """
import json, resource, sys
def usage(who):
    found = resource.getrusage(who)
    return found.ru_utime + found.ru_stime, found.ru_maxrss // 1024
if sys.argv[1] == "json":
    with open(sys.argv[2], "rb") as file:
        for line in file:
            json.loads(line)
    print(json.dumps(usage(resource.RUSAGE_SELF)))
else:
    from openrouter_pricing.cli import run
    status = run(sys.argv[1:])
    own, others = usage(resource.RUSAGE_SELF), usage(resource.RUSAGE_CHILDREN)
    with open("/proc/self/status") as file:  # what the kernel says of usage counts whoever started this, too
        most = next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM"))
    print(json.dumps([own[0] + others[0], max(most, others[1]), status]), file=sys.stderr)
"""


def run(folder: Path, *args: str) -> tuple[str, str]:
    """What a program printed on both streams; it runs beside no source folder, which it would import from."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *args], capture_output=True, text=True, check=True, timeout=1200, cwd=folder
    )
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log, beside its prices."""
    folder = tmp_path_factory.mktemp("long")
    long_log.write(folder / "log.jsonl", LINES)
    (folder / "prices").write_bytes(long_log.prices().dumps())
    return folder / "log.jsonl"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_long_log(jobs: str, log: Path, figure: Figure) -> None:
    """It takes no more than twice what ``json.loads`` of its lines takes, start included, and 200 MB a process.

    Guard: nearly all lines are read fast, and ids are kept as digests.
    """
    floor, _ = json.loads(run(log.parent, "json", str(log))[0])
    out, err = run(log.parent, "audit", str(log), "--catalog", str(log.parent / "prices"), "--json", "--jobs", jobs)
    (taken, memory, status), report = json.loads(err), json.loads(out)
    size = log.stat().st_size / 1e9

    figure(
        f"an audit of {size:.2f} GB by {jobs} processes",
        f"{taken:.1f} CPU s, {taken / floor:.2f} times json.loads, {memory} MB a process",
    )
    assert 0 == status
    assert LINES == report["lines"] + report["duplicates"]
    assert 0.9 < report["duplicates"] / (LINES // 1000) <= 1
    assert 0 < report["bad"] < report["unknown"] + report["bad"] < LINES // 20 < LINES * 0.9 < report["exact"]
    assert taken < TIMES[jobs] * floor
    assert memory < MOST_MB
