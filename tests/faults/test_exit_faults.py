"""The end of the interpreter, with a ``Pricing`` that nobody closed: nothing is printed, nothing hangs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.figures import Figure
from support.upstream import raw_peer

pytestmark = pytest.mark.faults

HEAD = """
import atexit, builtins, sys, threading, time
import openrouter_pricing
from openrouter_pricing import Pricing, Settings

ASK = ("openai/gpt-4o-mini", 1000)
"""
SCRIPTS = {
    "asked offline": """
pricing = Pricing(Settings(offline=True))
pricing.cost(*ASK)
""",
    "in the middle of a fetch": """
pricing = Pricing(Settings(deadline=30))
threading.Thread(target=pricing.cost, args=ASK, daemon=True).start()
time.sleep(0.3)
""",
    "after a fetch that failed": """
pricing = Pricing(Settings(deadline=0.3))
pricing.cost(*ASK)
""",
    "with a warmer in the middle of a fetch": """
pricing = Pricing(Settings(deadline=30))
pricing.start_warmer()
time.sleep(0.3)
sys.exit()
""",
    "in a circle": """
pricing = [Pricing(Settings(offline=True))]
pricing.append(pricing)
pricing[0].cost(*ASK)
""",
    "kept until the very end": """
sys.kept = [Pricing(Settings(offline=True)), openrouter_pricing.pricing]
sys.kept[0].cost(*ASK)
builtins.kept = Pricing(Settings(backend="memory://", offline=True))
builtins.kept.cost(*ASK)
""",
    "asked by an exit handler": """
pricing = Pricing(Settings(deadline=0.3))
atexit.register(pricing.start_warmer)
atexit.register(pricing.cost, *ASK)
""",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_unclosed_pricing_at_exit(script: str, tmp_path: Path, figure: Figure) -> None:
    """A program that ends with a ``Pricing`` open prints nothing about it, whatever its warning filters.

    Guard: ``Pricing.__del__`` does nothing once the interpreter goes down.
    """
    leave = threading.Event()

    def silent(conn: socket.socket) -> None:
        leave.wait(60)

    runs = 0
    with raw_peer(silent) as url:
        for options in ([], ["-X", "dev"], ["-W", "error"]):
            for number in range(5):
                environ = {"OPENROUTER_PRICING_BASE_URL": url, "XDG_CACHE_HOME": str(tmp_path / f"{runs}")}
                done = subprocess.run(
                    [sys.executable, *options, "-c", HEAD + SCRIPTS[script]], env={**os.environ, **environ},
                    capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
                )  # fmt: skip
                assert (0, "", "") == (done.returncode, done.stdout, done.stderr), f"{options}, run {number}"
                runs += 1
        leave.set()
    figure(f"exit, a Pricing {script}", f"{runs} runs, nothing on stderr")


def test_an_unclosed_pricing_before_exit(tmp_path: Path) -> None:
    """One that is collected while the program still runs is warned of, for those who want to know."""
    program = HEAD + SCRIPTS["asked offline"] + "del pricing"
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", program], env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    assert (0, 1) == (done.returncode, done.stderr.count("ResourceWarning: <Pricing with Settings("))
