"""The commands as a part of another command line."""

from __future__ import annotations

from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner
from support.upstream import Upstream

from openrouter_pricing import Settings
from openrouter_pricing.cli.hosted import HostedCommands


@pytest.fixture
def host(upstream: Upstream) -> click.Group:
    """A command line with some of ours, whose settings have a markup of their own."""
    found = click.Group("host")
    options = {"base_url": upstream.url, "backend": "memory://", "markup_rate": 2, "attempts": 1}
    found.add_command(HostedCommands(("cost", "doctor"), lambda context: Settings(**options)))
    return found


@pytest.fixture
def ask(host: click.Group) -> Callable[..., tuple[int, str, str]]:
    """Runs ``host pricing ...``: status, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(host, ["pricing", *arguments])
        return done.exit_code, done.stdout, done.stderr

    return run


def test_the_settings_are_the_hosts(ask: Callable[..., tuple[int, str, str]]) -> None:
    """A command prices as the application does, not as the environment says."""
    status, out, err = ask("cost", "openai/gpt-4o-mini", "1000", "500")
    assert (0, "") == (status, err)
    assert "charge 0.0009 USD" in out


def test_only_what_was_chosen_is_there(ask: Callable[..., tuple[int, str, str]]) -> None:
    """The help lists the commands that were chosen, and no other can be run."""
    status, out, _ = ask("--help")
    listed = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert (0, ["cost", "doctor"]) == (status, listed)
    assert ask("snapshot")[0] == 2


def test_what_has_no_answer_is_one_line(ask: Callable[..., tuple[int, str, str]]) -> None:
    """An error of ours is told as the host tells its own, and the exit status is 1."""
    status, out, err = ask("cost", "openai/gpt4o-mini", "1", "1")
    assert (1, "") == (status, out)
    assert err == "Error: unknown model 'openai/gpt4o-mini'; did you mean 'openai/gpt-4o-mini'?\n"


def test_hints_name_the_hosts_command(ask: Callable[..., tuple[int, str, str]], upstream: Upstream) -> None:
    """What is recommended is a command that is there."""
    upstream.fail(404)
    status, _, err = ask("cost", "openai/gpt-4o-mini", "1", "1")
    assert status == 0
    assert "(see 'host pricing doctor')" in err
