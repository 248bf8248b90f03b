"""Shell completion: model ids from what is held."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from support.commands import process
from support.upstream import Upstream, row

SCRIPT = str(Path(sys.executable).with_name("openrouter-pricing"))


def completed(*words: str, **env: str) -> list[str]:
    """What bash would be offered after these words; the last one may be unfinished, or empty."""
    asked = {"_OPENROUTER_PRICING_COMPLETE": "bash_complete", "COMP_CWORD": str(len(words)), **env}
    status, out, err = process(start=(SCRIPT,), COMP_WORDS=" ".join(("openrouter-pricing", *words)), **asked)

    assert (0, "") == (status, err)
    return [line.partition(",")[2] for line in out.splitlines() if line]


@pytest.fixture
def _held(_environment: None, upstream: Upstream) -> None:
    """A list with names of its own is held."""
    upstream.say(row("a/one"), row("a/two"), row("b/three"))
    process("refresh")
    upstream.requests.clear()


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("model", "a/"), ["a/one", "a/two"]),
        (("model", ""), ["a/one", "a/two", "b/three"]),
        (("endpoints", "b"), ["b/three"]),
        (("cost", "a/t"), ["a/two"]),
        (("cost", "a/one", "b/"), ["b/three"]),
        (("range", "a/o"), ["a/one"]),
        (("compare", "a/one", "a/"), ["a/one", "a/two"]),
        (("model", "gone/"), []),
    ],
)
def test_models_are_completed_from_what_is_held(upstream: Upstream, words: tuple[str, ...], ids: list[str]) -> None:
    """Ids that begin like the word are offered wherever a model is meant, without a request."""
    assert ids == completed(*words)
    assert [] == upstream.requests


def test_where_nothing_is_held_the_snapshot_completes(upstream: Upstream) -> None:
    """Without a store the snapshot's ids are offered: no request, no word on stderr."""
    assert "openai/gpt-4o-mini" in completed("model", "openai/gpt-4o-")
    assert [] == upstream.requests


@pytest.mark.parametrize(
    "env",
    [
        {"OPENROUTER_PRICING_DEADLINE": "soon"},
        {"OPENROUTER_PRICING_BACKEND": "nonsense://"},
        {"OPENROUTER_PRICING_BACKEND": "null://", "OPENROUTER_PRICING_FALLBACK": "false"},
        {"OPENROUTER_PRICING_BACKEND": "disk:///dev/null/prices", "OPENROUTER_PRICING_FALLBACK": "false"},
    ],
)
def test_what_cannot_be_read_completes_nothing(env: dict[str, str]) -> None:
    """Bad settings, no store and no snapshot offer nothing, in silence."""
    assert [] == completed("model", "openai/", **env)


@pytest.mark.parametrize(("word", "found"), [("", "doctor"), ("--", "--help"), ("comp", "compare")])
def test_commands_and_options_are_completed(word: str, found: str) -> None:
    """An unfinished command or option is completed too."""
    assert found in completed(word)


@pytest.mark.parametrize("shell", ["zsh", "fish", "bash"])
def test_each_shell_gets_its_script(shell: str) -> None:
    """The line of the documentation prints a script, and the status is 0."""
    status, out, err = process(start=(SCRIPT,), _OPENROUTER_PRICING_COMPLETE=f"{shell}_source")

    assert (0, "") == (status, err)
    assert "_OPENROUTER_PRICING_COMPLETE" in out


@pytest.mark.usefixtures("_held")
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes() -> None:
    """Bash itself, with the line of the documentation, is offered the ids."""
    lines = f"""
eval "$(_OPENROUTER_PRICING_COMPLETE=bash_source {SCRIPT})"
PATH={Path(SCRIPT).parent}:$PATH COMP_WORDS=(openrouter-pricing model a/) COMP_CWORD=2
_openrouter_pricing_completion openrouter-pricing a/ model
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    assert (0, "a/one\na/two\n", "") == process(start=("bash", "-c", lines))
