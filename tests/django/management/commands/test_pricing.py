"""``manage.py pricing``."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from django.core.management import ManagementUtility, call_command
from django.core.management.base import CommandError, SystemCheckError
from django.test import override_settings
from support.logs import CATALOG

from openrouter_pricing.django.models import PriceHead, RecordedPrice

MODEL = "openai/gpt-4o-mini"


def run(*arguments: object) -> tuple[str, str]:
    """Calls the command; what it says, and what is beside that."""
    out, err = io.StringIO(), io.StringIO()
    call_command("pricing", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("command", ["cost", "models", "doctor", "refresh", "history", "audit"])
def test_every_command_is_there(command: str) -> None:
    """``manage.py pricing`` has the commands that answer for a project."""
    out, _ = run(command, "--help")
    assert out.startswith(f"Usage: manage.py pricing {command}")


def test_no_command() -> None:
    """Without one the help is shown, as it is when asked for."""
    bare, _ = run()
    asked, _ = run("--", "--help")
    assert bare == asked
    assert "cost" in bare


def test_a_command_uses_the_options_of_the_project(options: dict[str, Any]) -> None:
    """It prices as the views do; numbers need not be texts."""
    with override_settings(OPENROUTER_PRICING={**options, "MARKUP_RATE": 2}):
        out, err = run("cost", MODEL, 1000, 500, "--json")
    assert ("0.00090000", "live", "") == (json.loads(out)["total"], json.loads(out)["source"], err)


def test_what_has_no_answer(options: dict[str, Any]) -> None:
    """An error of ours is one of the command; wrong usage has another status."""
    for arguments, status, said in ((("cost", "a/b", 1, 1), 1, "unknown model"), (("cost", MODEL, "x", 1), 2, "'x'")):
        with pytest.raises(CommandError, match=said) as caught:
            run(*arguments)
        assert caught.value.returncode == status


def test_the_tables_of_a_history(options: dict[str, Any]) -> None:
    """``history --init`` fills what ``migrate`` has made, and the past is told from there."""
    with override_settings(OPENROUTER_PRICING={**options, "HISTORY": "django://"}):
        assert "the database is ready" in run("history", "--init", "--bundled")[0]
        told = run("history", MODEL, "--json")[0]
    with override_settings(OPENROUTER_PRICING=options):
        assert json.loads(told) == json.loads(run("history", MODEL, "--json")[0]) != []
    RecordedPrice.objects.all().delete()
    PriceHead.objects.all().delete()


def test_an_audit(options: dict[str, Any], tmp_path: Path) -> None:
    """Logged responses are held against a list, also a stored one."""
    (tmp_path / "prices").write_bytes(CATALOG.dumps())
    log = {"model": next(iter(CATALOG)), "usage": {"prompt_tokens": 1000, "completion_tokens": 0, "cost": 1}}
    (tmp_path / "log").write_text(json.dumps(log) + "\n")
    out, _ = run("audit", tmp_path / "log", "--catalog", tmp_path / "prices", "--json")
    assert json.loads(out)["lines"] == 1


def test_as_it_is_typed(options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Django's own options may stand behind it, as behind any command."""
    typed = ["manage.py", "pricing", "cost", MODEL, "1000", "500", "--csv", "--no-color", "-v", "0"]
    ManagementUtility([*typed, "--pythonpath", os.curdir]).execute()
    assert capsys.readouterr().out.splitlines()[1].startswith(f"{MODEL},0.00045,0.000585,1.3")


def test_broken_options(capsys: pytest.CaptureFixture[str]) -> None:
    """They fail the checks before the command is run, as with any command."""
    with override_settings(OPENROUTER_PRICING={"MARKUP_RAET": 2}), pytest.raises(SystemCheckError, match="E001"):
        call_command("pricing", "cost", MODEL, 1, 1, skip_checks=False)


def test_interrupted(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt ends it with the status that shells give to it."""

    def interrupts(*arguments: Any, **keywords: Any) -> None:
        raise click.Abort

    monkeypatch.setattr("openrouter_pricing.pricing.Pricing.cost", interrupts)
    with pytest.raises(CommandError) as caught:
        run("cost", MODEL, 1, 1)
    assert caught.value.returncode == 130


def test_a_status_of_its_own(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends a command early ends it with that status."""

    def leaves(*arguments: Any, **keywords: Any) -> None:
        click.get_current_context().exit(3)

    monkeypatch.setattr("openrouter_pricing.pricing.Pricing.cost", leaves)
    with pytest.raises(SystemExit) as caught:
        run("cost", MODEL, 1, 1)
    assert caught.value.code == 3
