"""How a history is packed into one small file: distinct prices once, and who had which when."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple

from ..errors import PayloadError

_FORMAT = 3
_GZIP = 31  # what zlib calls that format
_DAMAGED = "the bundled price history is damaged: install the package anew"
_VALUE = re.compile(r'(?<=:")[^"\\]*(?=")')
_STEP = re.compile(r"(\d+)(?::(\d+) |([nx]))")
GONE = -1  # the place of a model that is not listed any more


class Packed(NamedTuple):
    """A history, unpacked as far as all questions need it.

    Args:
        times: of the recordings, in whole seconds since the epoch, rising.
        models: of each id where the prices begin that it is the first to have, and its changes, folded.
        shapes: distinct ``pricing`` objects without their values, as JSON with a tab in the place of each.
        pricings: of each distinct ``pricing`` object the number of its shape and the values, a tab before each.
    """

    times: list[int]
    models: dict[str, tuple[int, str]]
    shapes: list[str]
    pricings: list[str]

    def pricing(self, number: int) -> str:
        """One of the distinct ``pricing`` objects, as JSON."""
        shape, *values = self.pricings[number].split("\t")
        parts = self.shapes[int(shape)].split("\t")
        return "".join(chain.from_iterable(zip(parts, [*values, ""], strict=True)))

    def changes(self, model_id: str) -> tuple[list[int], list[int]]:
        """Where in ``times`` a model changed, and to which of the ``pricings``, or to ``GONE``; both empty for none."""
        new, folded = self.models.get(model_id, (0, ""))
        places: list[int] = []
        prices: list[int] = []
        for since, known, kind in _STEP.findall(folded):
            places.append(int(since) + (places[-1] if places else 0))
            if known:
                prices.append(int(known))
            else:
                prices.append(new if kind == "n" else GONE)
                new += kind == "n"
        return places, prices


def pack(changes: Iterable[tuple[datetime, str, Mapping[str, Any] | None]]) -> bytes:
    """The file of a history.

    After a line with the times, each as seconds after the one before, come the ids, then for each id its changes, then
    the shapes of prices, then the prices; these four with an empty line between them. A change is how many recordings
    after the one before it was, and ``n`` for prices that no id before had, ``:`` and the number of those that one
    had, or ``x`` for none.

    Args:
        changes: when (aware), which model, and its ``pricing`` from then on; None where it is listed no more. Oldest
            first; the same changes give the same bytes.
    """
    times: dict[int, int] = {}
    models: dict[str, list[tuple[int, str | None]]] = {}
    for at, model_id, pricing in changes:
        place = times.setdefault(int(at.timestamp()), len(times))
        text = None if pricing is None else json.dumps(pricing, separators=(",", ":"), sort_keys=True)
        models.setdefault(model_id, []).append((place, text))
    if list(times) != sorted(times):
        raise ValueError("changes must come oldest first")
    pricings: dict[str, int] = {}
    folded = [_fold(models[model_id], pricings) for model_id in sorted(models)]
    steps = [at - before for before, at in pairwise([0, *times])]
    parts = [json.dumps([_FORMAT, steps], separators=(",", ":")) + "\n" + "\n".join(sorted(models))]
    shapes: dict[str, int] = {}
    priced = [_shape(text, shapes) for text in pricings]
    parts += ["\n".join(folded), "\n".join(shapes), "\n".join(priced)]
    return gzip.compress("\n\n".join(parts).encode(), 9, mtime=0)


def _fold(changes: Iterable[tuple[int, str | None]], pricings: dict[str, int]) -> str:
    folded, last = "", 0
    for place, text in changes:
        if text is None:
            price = "x"
        elif text in pricings:
            price = f":{pricings[text]} "
        else:
            pricings[text] = len(pricings)
            price = "n"
        folded += f"{place - last}{price}"
        last = place
    return folded


def _shape(text: str, shapes: dict[str, int]) -> str:
    shape = shapes.setdefault(_VALUE.sub("\t", text), len(shapes))  # JSON has no tab within a text
    return "\t".join([str(shape), *_VALUE.findall(text)])


def unpack(data: bytes) -> Packed:
    """Read what :func:`pack` wrote.

    Raises:
        PayloadError: it is torn, foreign, or of another format.
    """
    try:
        ids, folded, shapes, pricings = zlib.decompress(data, _GZIP).decode().split("\n\n")
        head, *names = ids.split("\n")
        version, steps = json.loads(head)
        times = list(accumulate(steps))
    except (zlib.error, ValueError, TypeError) as error:
        raise PayloadError(_DAMAGED) from error
    if version != _FORMAT:
        raise PayloadError(_DAMAGED)
    each = folded.split("\n")
    begins = accumulate((text.count("n") for text in each), initial=0)
    models = dict(zip(names, zip(begins, each, strict=False), strict=False))
    return Packed(times, models, shapes.split("\n"), pricings.split("\n"))
