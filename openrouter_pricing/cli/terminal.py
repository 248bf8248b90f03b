"""What reaches the terminal: escaped text, lines, JSON, CSV, notes, and that it waits."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import click

from .._base import money

if TYPE_CHECKING:  # imported where somebody looks: a pipe needs nothing of it
    from rich.console import Console
    from rich.text import Text

_FORCED = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")  # what makes rich take a pipe for a terminal
_FORMULA = re.compile(r"\s*[=+\-@\uff0b\uff0d\uff1d\uff20]")  # what makes a spreadsheet calculate a text
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


class Cell(NamedTuple):
    """A text that a terminal may show.

    Args:
        plain: the text, escaped.
        style: how it looks on a terminal, as rich names it.
    """

    plain: str
    style: str = ""


def safe(text: object) -> str:
    """``text`` with everything that a terminal would not print as a character (C0, C1, bidi controls) spelt out."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(char if char.isprintable() else _spell(ord(char)) for char in shown)


def _spell(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cell(text: object, style: str = "") -> Cell:
    """Text from anywhere, escaped; an amount as a plain decimal."""
    return Cell(safe(money.plain(text) if isinstance(text, Decimal) else text), style)


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def times() -> str:
    """The sign for "times", where the output can show it."""
    try:
        "\u00d7".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return "x"
    return "\u00d7"


def console() -> Console | None:
    """The terminal that stdout is, or None where it is a pipe or a file."""
    if not may_be_seen(sys.stdout):
        return None
    from rich.console import Console

    found = Console(highlight=False, markup=False, emoji=False)
    return found if found.is_terminal else None


def may_be_seen(stream: object) -> bool:
    """Whether a person may see what is written there; if not, nothing of rich is needed."""
    return any(map(os.environ.get, _FORCED)) or (isinstance(stream, io.TextIOBase) and stream.isatty())


def styled(parts: Iterable[Cell]) -> Text:
    """Cells as one text; rich reads no markup in it."""
    from rich.text import Text

    return Text.assemble(*((part.plain, part.style) for part in parts))


def say(text: str) -> None:
    """Text on stdout as it is, if there is one; click would put another encoding in the place of an ASCII one."""
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def line(*parts: Cell) -> None:
    """Parts on stdout, side by side: on one line, but on a terminal on as many as they need, broken at spaces alone."""
    screen = console()
    if screen is None:
        say("  ".join(part.plain for part in parts) + "\n")
        return
    rows: list[list[Cell]] = [[]]
    room = screen.width
    for part in parts:
        width = columns_of(part.plain) + 2 * bool(rows[-1])
        if rows[-1] and width > room:
            rows.append([])
            room, width = screen.width, width - 2
        room -= width
        rows[-1] += [Cell("  "), part] if rows[-1] else [part]
    for row in rows:
        for piece in broken(row[0], screen.width) if len(row) == 1 else [None]:
            screen.print(styled(row if piece is None else [piece]), soft_wrap=True)


def broken(part: Cell, width: int) -> list[Cell]:
    """A text in lines of that width, broken at its spaces; a word that is longer, such as an id, stays whole."""
    if columns_of(part.plain) <= width:
        return [part]
    lines = textwrap.wrap(part.plain, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [Cell(text, part.style) for text in lines]


def show_json(value: object) -> None:
    """JSON on stdout, in printable ASCII."""
    say(json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n")


def show_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV on stdout: a header, then one line a row; no text in it is a formula to a spreadsheet."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[_value(value) for value in row] for row in rows])
    say(written.getvalue())


def _value(value: object) -> str:
    """A value of a CSV file; what is not known is empty, and a text that would be calculated begins with a quote."""
    if value is None:
        return ""
    text = cell(value).plain
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def note(text: str) -> None:
    """One line on stderr that is no error."""
    click.echo(safe(f"note: {text}"), err=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A spinner on stderr while the body runs, if a person sees it."""
    if not may_be_seen(sys.stderr):
        yield
        return
    from rich.console import Console

    screen = Console(stderr=True)
    if not screen.is_interactive:
        yield
        return
    with screen.status(what):
        yield


def instant(when: datetime) -> str:
    """A UTC instant for people."""
    return f"{when:%Y-%m-%d %H:%M} UTC"
