"""Runs every example of the README and of these pages."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

import openrouter_pricing

_DOCS = Path(__file__).resolve().parent
_SITE = r"https://openrouter-pricing\.readthedocs\.io/en/latest/"
_FILE = r"https://(raw\.githubusercontent|github)\.com/openrouter-pricing/openrouter-pricing/(blob/)?main/"
_PAGES = [_DOCS.parent / "README.md", *sorted(_DOCS.rglob("*.md"))]


def _run_commands(example: Example) -> str | None:
    """Run each command of a console block; what is wrong with the answers, if anything."""
    checker = doctest.OutputChecker()
    for session in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, expected = session.partition("\n")
        program, *arguments = shlex.split(command)
        if program == "python":  # a script of the examples
            run = [_DOCS / "examples" / arguments.pop(0)]
        else:
            assert program == "openrouter-pricing", command
            run = ["-m", "openrouter_pricing"]
        done = subprocess.run(
            [sys.executable, *run, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        if not checker.check_output(expected, done.stdout, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE):
            return f"{command}\nexpected:\n{expected}\nactual:\n{done.stdout}"
    return None


_PARSERS = [
    PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS | doctest.FAIL_FAST),
    CodeBlockParser("console", _run_commands),
]


@pytest.mark.usefixtures("_answering_client")
@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_DOCS.parent)))
def test_examples(page: Path) -> None:
    """Every example of the page runs, in order, and answers what the page says."""
    for example in Document.parse(str(page), *_PARSERS).examples():
        example.evaluate()


@pytest.mark.parametrize("page", _PAGES[1:], ids=lambda page: str(page.relative_to(_DOCS)))
def test_blocks_fit(page: Path) -> None:
    """No block of code is wider than a page shows on a laptop, 1280 pixels wide."""
    blocks = re.findall(r"^```\w.*?\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert [line for block in blocks for line in block.splitlines() if len(line) > 88] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_lead_somewhere(name: str) -> None:
    """These pages are read elsewhere, a package index say: each link is absolute, and one to us names what is there."""
    root, text = _DOCS.parent, (_DOCS.parent / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not link.startswith("https://")] == []
    ours = [re.sub(_SITE + r"(.+)\.html", r"docs/\1.md", re.sub(_FILE, "", link)) for link in links]
    assert [path for path in ours if not path.startswith("https://") and not (root / path).is_file()] == []


def test_the_floors_are_those_of_the_contract() -> None:
    """The architecture page shows the floors that the linter enforces."""
    contract = ConfigParser()
    contract.read(_DOCS.parent / "setup.cfg", encoding="utf-8")
    layers = contract.get("importlinter:contract:floors", "layers", fallback="")
    if not layers:
        pytest.skip("setup.cfg holds no contract about floors")
    page = (_DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    assert f"```text{layers}\n```" in page


def test_reference_is_complete() -> None:
    """The API reference documents every public name, and no other."""
    reference = (_DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\.\. auto(?:class|exception|function):: (\w+)$", reference, re.MULTILINE)
    assert openrouter_pricing.__all__ == sorted(documented)
