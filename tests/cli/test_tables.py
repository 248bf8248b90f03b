"""Tables: which columns give way, and what is broken, on a terminal of any width."""

from __future__ import annotations

import pytest

from openrouter_pricing.cli.tables import Column, table
from openrouter_pricing.cli.terminal import Cell

ID = "a-name/that-has-hyphens-and-no-space"
COLUMNS = [Column("id"), Column("much", True, gives=2), Column("more", gives=1), Column("words", folds=True)]
ROWS = [[ID, 1, "x" * 10, "three short words"], ["b", 1000, "y", ""]]


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed."""
    return capsys.readouterr().out.splitlines()


def test_a_pipe_gets_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    """Aligned, with no space at the end of a line, and whole."""
    assert ["id", "much", "more", "words"] == table(COLUMNS, ROWS)
    assert lines(capsys) == [
        "id                                    much  more        words",
        f"{ID}     1  xxxxxxxxxx  three short words",
        "b                                     1000  y",
    ]


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (78, ["id", "much", "more", "words"]),
        (72, ["id", "much", "words"]),
        (60, ["id", "words"]),
        (20, ["id", "words"]),
    ],
)
def test_columns_give_way_in_their_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, names: list[str]
) -> None:
    """The first to give way is the one with the lowest number; what stays is whole, if the line runs over."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))

    assert names == table(COLUMNS, [[Cell(ID), *ROWS[0][1:]], ROWS[1]])
    out, err = capsys.readouterr()
    assert ID in out
    gone = [name for name in ("much", "more") if name not in names]
    told = f"note: {width} columns have no room for: {', '.join(gone)} (--json has everything)\n"
    assert (told if gone else "") == err
    assert width == 20 or "three short words" in out


@pytest.mark.parametrize("width", [24, 30, 40])
def test_words_are_broken_at_spaces(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    """A text that folds takes several lines; a word that is too long for one stays whole."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("LINES", "25")  # without it nobody asks a dumb terminal how wide it is
    monkeypatch.setenv("COLUMNS", str(width))
    table([Column("a"), Column("words", folds=True)], [["1", f"some words and {ID} and more of them"], ["2", "x"]])
    shown = lines(capsys)

    assert ["1", "2"] == [line[0] for line in shown[2:] if line[0] != " "]
    assert f"some words and {ID} and more of them".split() == " ".join(line[3:] for line in shown[2:-1]).split()
    assert all(len(line) <= 80 for line in shown if ID not in line)
    assert len(shown) > 4
