"""Question: which columns of a frame say what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from .._base.clock import aware
from ..errors import quoted
from .plans import COUNTS

_NEEDED = ("model", "prompt_tokens", "completion_tokens")
#: What is added to a frame, after a prefix.
ADDED = ("raw", "total", "model", "as_of", "status")


@attrs.frozen
class Question:
    """Which columns say what.

    Args:
        columns: the column of the model and of each count that the frame has.
        at: the time of every row, or the column that has it; None where nothing says.
        reported: the column of what responses report; None for none.
        prefix: of what is added.
    """

    columns: Mapping[str, str]
    at: datetime | str | None
    reported: str | None
    prefix: str

    @property
    def added(self) -> tuple[str, ...]:
        """The names of what is added."""
        return tuple(self.prefix + name for name in ADDED)

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        times = (self.at,) if isinstance(self.at, str) else ()
        reported = () if self.reported is None else (self.reported,)
        return tuple(dict.fromkeys((*self.columns.values(), *times, *reported)))


def ask(
    names: Sequence[str],
    columns: Mapping[str, str] | None,
    at: datetime | str | None,
    reported: str | None,
    prefix: str,
) -> Question:
    """What is asked of a frame with columns of these names.

    Raises:
        ValueError, TypeError: an argument cannot be read, or names what is not there.
    """
    given = {} if columns is None else columns
    if not isinstance(given, Mapping):
        raise TypeError(f"columns must be a mapping of {', '.join(_NEEDED)} and the like to columns of the frame")
    for name, column in given.items():
        if name != "model" and name not in COUNTS:
            raise ValueError(f"columns: {quoted(name)} is none of model, {', '.join(COUNTS)}")
        _check(column, f"columns[{name!r}]", names)
    found = {name: name for name in ("model", *COUNTS) if name in names} | dict(given)
    for name in _NEEDED:
        if name not in found:
            raise ValueError(f"the frame has no column {name}: say in columns which one it is")
    if isinstance(at, str):
        _check(at, "at", names)
    elif at is not None:
        at = aware(at, "at")
    if reported is not None:
        _check(reported, "reported", names)
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a string, not {type(prefix).__name__}")
    question = Question(found, at, reported, prefix)
    for name in question.read:
        if names.count(name) > 1:
            raise ValueError(f"the frame has more than one column {quoted(name)}")
    for name in question.added:
        if name in names:
            raise ValueError(f"the frame has a column {quoted(name)} already: give another prefix")
    return question


def _check(column: object, name: str, names: Sequence[str]) -> None:
    if not isinstance(column, str):
        raise TypeError(f"{name} must be the name of a column, not {type(column).__name__}")
    if column not in names:
        raise ValueError(f"{name} names no column of the frame: {quoted(column)}")
