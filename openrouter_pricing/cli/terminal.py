"""What reaches the terminal: escaped text, tables, JSON, notes, and that it waits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text


def safe(text: object) -> str:
    """``text`` with everything that a terminal would not print as a character (C0, C1, bidi controls) spelt out."""
    return "".join(char if char.isprintable() else _spell(ord(char)) for char in str(text))


def _spell(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cell(text: object, style: str = "") -> Text:
    """Text from anywhere, escaped; rich reads no markup in it."""
    return Text(safe(text), style)


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)


def line(*parts: Text) -> None:
    """One line on stdout, however wide; in colour on a terminal."""
    _console().print(Text("  ").join(parts), soft_wrap=True)


def table(headers: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """A table on stdout: drawn on a terminal, else aligned columns that are never cut. ``>`` aligns to the right."""
    names = [header.lstrip(">") for header in headers]
    right = [header.startswith(">") for header in headers]
    console = _console()
    if console.is_terminal:
        drawn = Table(box=box.SIMPLE_HEAD)
        for name, number in zip(names, right, strict=True):
            drawn.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
        for row in rows:
            drawn.add_row(*row)
        console.print(drawn)
        return
    texts = [names, *([text.plain for text in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    for row_texts in texts:
        padded = []
        for text, width, number in zip(row_texts, widths, right, strict=True):
            space = " " * (width - cell_len(text))
            padded.append(space + text if number else text + space)
        line(Text("  ".join(padded).rstrip()))


def show_json(value: object) -> None:
    """JSON on stdout, in printable ASCII."""
    click.echo(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


def note(text: str) -> None:
    """One line on stderr that is no error."""
    click.echo(safe(f"note: {text}"), err=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A spinner on stderr while the body runs, if a person sees it."""
    console = Console(stderr=True)
    if not console.is_interactive:
        yield
        return
    with console.status(what):
        yield


def instant(when: datetime) -> str:
    """A UTC instant for people."""
    return f"{when:%Y-%m-%d %H:%M} UTC"
