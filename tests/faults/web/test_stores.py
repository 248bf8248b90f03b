"""Caches and databases of a project as stores, shared by real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import django
import pytest
from support.databases import Postgres, postgres
from support.figures import Figure
from support.programs import hear, launching, say
from support.servers import free_port
from support.upstream import Upstream
from support.webapps import lay
from support.webservers import gunicorn, seen, serving

pytestmark = pytest.mark.web

WRITERS, LISTS = 6, 60
IMMEDIATE = django.VERSION >= (5, 1)

START = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import app
"""
#: Every check of the suite, on the project's database.
CHECKS = (
    START
    + """
from openrouter_pricing.django import DjangoHistory
from openrouter_pricing.django.models import PriceHead, RecordedPrice
from openrouter_pricing.testing import history_checks
names = []
for check in history_checks():
    check(DjangoHistory)
    names.append(check.__name__)
    PriceHead.objects.all().delete()
    RecordedPrice.objects.all().delete()
print(json.dumps(names))
"""
)
#: Records sixty lists, when it is told to.
WRITES = (
    START
    + """
from openrouter_pricing.django import DjangoHistory
from support.recordings import listed
history = DjangoHistory()
print(json.dumps("ready"), flush=True)
sys.stdin.readline()
print(json.dumps(sum(len(history.record(listed(day, x=str(day), y="1"))) for day in range(int(sys.argv[3])))))
"""
)
PERIODS = (
    START
    + """
from openrouter_pricing.django import DjangoHistory
print(json.dumps([[each.since.isoformat(), each.until and each.until.isoformat(), each.pricing]
    for each in DjangoHistory().periods("a/x")]))
"""
)
TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One PostgreSQL for all."""
    with postgres() as running:
        yield running


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project whose database has its tables."""
    # Without it SQLite refuses who would write after it has read, and Django's cache says nothing of that.
    place = 'DATABASES["default"]["OPTIONS"]["transaction_mode"] = "IMMEDIATE"\n' if IMMEDIATE else ""
    if request.param == "PostgreSQL":
        port = request.getfixturevalue("server").port
        place = (
            'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "prices", '
            f'"HOST": "127.0.0.1", "PORT": {port}}}}}\n'
        )
    lay(tmp_path, "Django", settings=place)
    for command in (["migrate", "-v0"], ["createcachetable"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_it_behaves_as_the_protocol_says(project: Path) -> None:
    """Each check of the suite that anybody can run on theirs."""
    with launching(project) as launch:
        assert len(hear(launch(CHECKS, project, TESTS))) > 5


def test_six_writers_write_each_change_once(project: Path, request: pytest.FixtureRequest, figure: Figure) -> None:
    """However they come in between one another: one row for each change, told to one of them."""
    with launching(project) as launch:
        writers = [launch(WRITES, project, TESTS, LISTS) for _ in range(WRITERS)]
        assert [hear(writer) for writer in writers] == ["ready"] * WRITERS
        for writer in writers:
            say(writer, "go")
        told = [hear(writer) for writer in writers]
        periods = hear(launch(PERIODS, project, TESTS))
    assert len(periods) - 1 == sum(told)
    assert json.loads(periods[-1][2])["prompt"] == str(LISTS - 1)
    assert all(one[1] == other[0] and one[2] != other[2] for one, other in pairwise(periods))
    figure(
        f"Django: six writers, sixty lists, {request.node.callspec.params['project']}",
        f"{len(periods) - 1} changes written, {sum(told)} told",
    )


def test_workers_share_a_list_and_a_history(
    project: Path, request: pytest.FixtureRequest, upstream: Upstream, figure: Figure
) -> None:
    """With ``django://`` for both, one worker fetches, all have its list, and it is recorded once."""
    port = free_port()
    environ = {
        "OPENROUTER_PRICING_WARM": "false",
        "OPENROUTER_PRICING_BACKEND": "django://",
        "OPENROUTER_PRICING_HISTORY": "django://default",
    }
    with serving(gunicorn(port, "-k", "gthread", "--threads", "4"), port, project, upstream, **environ):
        found = seen(port, lambda said: bool(said["source"] == "live"), 30)
    assert {0} == {said["errors"] for said in found.values()}
    kind = request.node.callspec.params["project"]
    assert len(upstream.requests) == 1 or (kind == "SQLite" and not IMMEDIATE and len(upstream.requests) <= len(found))
    log = (project / "log").read_text()
    assert log.count("unpickles what it reads") == len(found)
    command = [sys.executable, "manage.py", "pricing", "history", "openai/gpt-4o-mini", "--json"]
    asked = {"OPENROUTER_PRICING_HISTORY": "django://", "OPENROUTER_PRICING_OFFLINE": "true", "PATH": ""}
    done = subprocess.run(command, cwd=project, env=asked, capture_output=True, text=True, check=False)
    assert (0, 1) == (done.returncode, len(json.loads(done.stdout))), done.stderr
    figure(
        f"Django: {len(found)} workers with django:// in {kind}",
        f"{len(upstream.requests)} request, recorded once",
    )
