"""Tables: aligned columns in a pipe, drawn on a terminal, where columns give way before an id is broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .terminal import Cell, broken, cell, columns_of, console, note, say, styled

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2  # columns of a terminal between two columns of a table
_LEAST = 24  # that a text which may be broken is given


class Column(NamedTuple):
    """A column of a table.

    Args:
        name: its header.
        right: whether it is aligned to the right.
        gives: on a terminal that is too narrow the column with the lowest number is left out first; 0 stays always.
        folds: whether its texts may be broken at their spaces.
    """

    name: str
    right: bool = False
    gives: int = 0
    folds: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table on stdout; the names of the columns that were shown.

    In a pipe nothing is left out. On a terminal columns give way, in their order; what may be broken is; where even the
    rest has no room, the lines run over.
    """
    cells = [[value if isinstance(value, Cell) else cell(value) for value in row] for row in rows]
    screen = console()
    if screen is None:
        _print_plain(columns, cells)
        return [column.name for column in columns]
    return _draw(screen, columns, cells)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[int]:
    texts = [[column.name for column in columns], *([value.plain for value in row] for row in rows)]
    return [max(map(columns_of, column)) for column in zip(*texts, strict=True)]


def _print_plain(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    widths = _widths(columns, rows)
    lines = ("".join(part.plain for part in _padded(columns, widths, row)) for row in ([*map(_header, columns)], *rows))
    say("".join(f"{line.rstrip()}\n" for line in lines))


def _header(column: Column) -> Cell:
    return Cell(column.name, "bold")


def _draw(screen: Console, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[str]:
    kept, widths = _fitted(columns, _widths(columns, rows), screen.width)
    shown = [columns[place] for place in kept]
    screen.print(styled(_padded(shown, widths, [*map(_header, shown)])), soft_wrap=True)
    screen.print(styled([Cell("─" * min(sum(widths) + _GAP * (len(widths) - 1), screen.width), "dim")]), soft_wrap=True)
    for row in rows:
        for part in _lines(shown, widths, [row[place] for place in kept]):
            screen.print(styled(part), soft_wrap=True)
    names = [column.name for column in shown]
    if gone := ", ".join(column.name for column in columns if column.name not in names):
        note(f"{screen.width} columns have no room for: {gone} (--json has everything)")
    return names


def _fitted(columns: Sequence[Column], widths: list[int], room: int) -> tuple[list[int], list[int]]:
    """The places of the columns that have room, and the widths of these."""
    kept = list(range(len(columns)))
    least = [min(width, _LEAST) if column.folds else width for column, width in zip(columns, widths, strict=True)]

    def over(these: list[int]) -> int:
        return sum(these[place] + _GAP for place in kept) - _GAP - room

    while over(least) > 0 and (giving := [place for place in kept if columns[place].gives]):
        kept.remove(min(giving, key=lambda place: columns[place].gives))
    fitted = list(widths)
    for place in kept:
        if (excess := over(fitted)) > 0:
            fitted[place] = max(least[place], fitted[place] - excess)
    return kept, [fitted[place] for place in kept]


def _lines(columns: Sequence[Column], widths: Sequence[int], row: Sequence[Cell]) -> list[list[Cell]]:
    """The lines that a row takes: one, but for texts that are broken."""
    parts = [
        broken(value, width) if column.folds else [value]
        for column, width, value in zip(columns, widths, row, strict=True)
    ]
    return [
        _padded(columns, widths, [part[number] if number < len(part) else Cell("") for part in parts])
        for number in range(max(map(len, parts)))
    ]


def _padded(columns: Sequence[Column], widths: Sequence[int], row: Sequence[Cell]) -> list[Cell]:
    """The cells of one line with the space between them; none at its end."""
    padded: list[Cell] = []
    space = 0
    for column, width, value in zip(columns, widths, row, strict=True):
        free = max(width - columns_of(value.plain), 0)
        if column.right:
            space += free
        if value.plain:
            padded += [Cell(" " * space), value]
            space = 0
        else:
            space += columns_of(value.plain)
        space += _GAP + (0 if column.right else free)
    return padded
