"""Literals: the whole numbers that the rules of billing mention. That is where a rule may turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from .._base import money

_MONEY = money.__name__  # how numbers are multiplied and read is no rule of billing


def literals(*rules: Callable[..., Any]) -> list[int]:
    """Whole numbers above 1 in functions, and in those that they call by name, are closed over or have as defaults."""
    found: set[int] = set()
    seen: set[int] = set()
    left: list[object] = list(rules)
    while left:
        one = left.pop()
        if isinstance(one, int) and not isinstance(one, bool):
            found.add(one)
        elif isinstance(one, FunctionType) and one.__module__ != _MONEY and id(one) not in seen:
            seen.add(id(one))
            left += _mentioned(one)
    return sorted(number for number in found if 1 < number <= money.MAX_COUNT)


def _mentioned(function: FunctionType) -> Iterator[object]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        yield cell.cell_contents
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        yield from (function.__globals__.get(name) for name in code.co_names)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                codes.append(constant)
            else:
                yield constant
