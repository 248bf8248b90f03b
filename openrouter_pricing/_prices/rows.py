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
    """The body of a catalogue: where each row is and what the slugs mean, then the rows; and how many were left out.

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
    places: dict[str, int] = {}
    slugs: dict[str, str] = {}
    end = 0
    for model_id, text in texts.items():
        note_slug(slugs, names[model_id], model_id)
        places[model_id] = end
        end += len(text) + 1
    head = json.dumps([places, slugs], separators=(",", ":")).encode()
    return b"\n".join([head, *texts.values(), b""]), skipped


def _same_prices(text: bytes, model: Model) -> bool:
    known = Model.from_dict(json.loads(text), text)
    return (known.rates, known.alias_target) == (model.rates, model.alias_target)
