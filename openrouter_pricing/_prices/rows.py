"""Rows of a list, brought into the form in which they are stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .model import Model
from .names import note_slug


def stored(
    rows: Iterable[Mapping[str, Any]], problem: Callable[[str], None], last: Mapping[str, bytes]
) -> tuple[bytes, int]:
    """The body of a catalogue, its ids and what its slugs mean, then a line a row; and how many rows were left out.

    Args:
        rows: as OpenRouter lists them.
        problem: told of each row that is left out.
        last: the rows of the list before, as they are stored; they stay where two new ones of an id disagree.
    """
    texts: dict[str, bytes] = {}
    names: dict[str, str] = {}
    torn: set[str] = set()
    skipped = 0
    for number, row in enumerate(rows):
        try:
            model = Model.read(row)
            if (known := texts.setdefault(model.id, model._row)) is not model._row:
                if not _same_prices(known, model):
                    torn.add(model.id)
                raise ValueError(f"id {model.id!r} stands twice")  # noqa: TRY301
            names[model.id] = model.canonical_slug
        except (ValueError, TypeError, RecursionError, ArithmeticError) as error:
            skipped += 1
            problem(f"models[{number}]: {str(error)[:200]}")
    for model_id in torn:
        del texts[model_id]
        if (text := last.get(model_id)) is not None:
            texts[model_id], names[model_id] = text, Model.from_dict(json.loads(text), text).canonical_slug
    slugs: dict[str, str] = {}
    for model_id in texts:
        note_slug(slugs, names[model_id], model_id)
    head = json.dumps([list(texts), slugs], separators=(",", ":")).encode()
    lines = (text[len(_opening(model_id)) :] for model_id, text in texts.items())
    return b"\n".join([head, *lines, b""]), skipped


def read_index(body: bytes) -> tuple[dict[str, int], dict[str, str]]:
    """Where in the body of a catalogue the line of each id begins, and what its slugs mean.

    Raises:
        ValueError, TypeError: it is no such body.
    """
    ends, at = [], 0
    while at := body.find(b"\n", at) + 1:  # a copy of each line would take as long as all else here
        ends.append(at)
    if ends[-1:] != [len(body)]:
        raise ValueError("each line of a catalogue has an end")
    ids, slugs = json.loads(body[: ends[0]])
    if not (isinstance(ids, list) and _are_texts(ids) and isinstance(slugs, dict) and _are_texts(slugs.values())):
        raise TypeError("a catalogue begins with its ids, and with what its slugs mean")
    return dict(zip(ids, ends[:-1], strict=True)), slugs


def text_of(model_id: str, line: bytes) -> bytes:
    """A row as JSON, put together from its line and its id, which stands in the index alone."""
    return _opening(model_id) + line


def _opening(model_id: str) -> bytes:
    return b'{"id":%b,' % json.dumps(model_id).encode()


def _are_texts(values: Iterable[object]) -> bool:
    return {str}.issuperset(map(type, values))


def _same_prices(text: bytes, model: Model) -> bool:
    known = Model.from_dict(json.loads(text), text)
    return (known.rates, known.alias_target) == (model.rates, model.alias_target)
