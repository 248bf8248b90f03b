"""Which listed ids are meant by a name that is not listed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_LONGEST = 100  # characters of a name that is compared with others; the longest listed one has 61
_DATE = re.compile(r"[-_@:.]?(?:20\d\d-?[01]\d-?[0-3]\d|latest)$")
_VERSION = re.compile(r"-v\d+(?::\d+)?$")
_REGION = re.compile(r"^(?:[a-z]+\.)+")  # and the author: Bedrock's "us.anthropic.claude-…-v1:0"
_WORD = re.compile(r"[a-z]+|\d+")


def near(name: str, ids: Collection[str], slugs: Mapping[str, str], limit: int) -> list[str]:
    """Listed ids that ``name`` may have meant, nearest first.

    Providers leave the author out, date their names and write dashes for dots ("gpt-5-mini-2025-08-07",
    "claude-sonnet-4-5"), and people name a family ("claude", "sonnet") or leave marks out ("gpt4o").

    Args:
        name: what was asked for.
        ids: what is listed.
        slugs: canonical slug to the id that it means, or to nothing.
        limit: how many.
    """
    if len(name) > _LONGEST:
        return []
    bare = name.lower().partition("@preset/")[0].lstrip("~")
    tail = bare.rpartition("/")[2]
    undated = _DATE.sub("", _VERSION.sub("", _REGION.sub("", tail)))
    same, family = _squash(undated), _WORD.findall(undated)
    exact: list[str] = []
    alike: list[str] = []
    kin: list[str] = []
    for known in ids:
        own = known.rpartition("/")[2].lower()
        if own == tail:
            exact.append(known)
        elif _squash(own) == same:
            alike.append(known)
        elif len(same) > 2 and set(family).issubset(_WORD.findall(own)):
            kin.append(known)
    exact += [meant for slug, meant in slugs.items() if meant and slug.rpartition("/")[2].lower() == tail]
    found = exact + alike
    if len(found) < limit:
        # Of a family the shortest names come first: they are the ones without a variant behind them.
        kin.sort(key=lambda known: (":" in known, len(known)))
        spelt = _spelt_like(bare, ids, limit)
        found += spelt + kin if "/" in bare else kin + spelt
    return list(dict.fromkeys(found))[:limit]


def _squash(text: str) -> str:
    return "".join(_WORD.findall(text))


def _spelt_like(name: str, ids: Collection[str], limit: int) -> list[str]:
    import difflib  # slow to import, and needed only here

    return difflib.get_close_matches(name, ids, n=limit, cutoff=0.6)
