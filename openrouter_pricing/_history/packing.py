"""How a history is packed into one small file: distinct prices once, and who had which when."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..errors import PayloadError

_FORMAT = 1
_GZIP = 31  # what zlib calls that format
_DAMAGED = "the bundled price history is damaged: install the package anew"
GONE = -1  # the place of a model that is not listed any more


class Packed(NamedTuple):
    """A history, unpacked as far as all questions need it.

    Args:
        times: of the recordings, in whole seconds since the epoch, rising.
        models: of each id its changes, "time price time price …": places in ``times`` and ``pricings``.
        pricings: distinct ``pricing`` objects, as JSON.
    """

    times: list[int]
    models: dict[str, str]
    pricings: list[str]


def pack(changes: Iterable[tuple[datetime, str, Mapping[str, Any] | None]]) -> bytes:
    """The file of a history.

    Args:
        changes: when (aware), which model, and its ``pricing`` from then on; None where it is listed no more. Oldest
            first; the same changes give the same bytes.
    """
    times: dict[int, int] = {}
    pricings: dict[str, int] = {}
    models: dict[str, list[int]] = {}
    for at, model_id, pricing in changes:
        place = times.setdefault(int(at.timestamp()), len(times))
        text = json.dumps(pricing, separators=(",", ":"), sort_keys=True)
        price = GONE if pricing is None else pricings.setdefault(text, len(pricings))
        models.setdefault(model_id, []).extend((place, price))
    if list(times) != sorted(times):
        raise ValueError("changes must come oldest first")
    index = {model_id: " ".join(map(str, models[model_id])) for model_id in sorted(models)}
    head = json.dumps([_FORMAT, list(times), index], separators=(",", ":"))
    return gzip.compress("\n".join([head, *pricings]).encode(), 9, mtime=0)


def unpack(data: bytes) -> Packed:
    """Read what :func:`pack` wrote.

    Raises:
        PayloadError: it is torn, foreign, or of another format.
    """
    try:
        head, *pricings = zlib.decompress(data, _GZIP).decode().split("\n")
        version, times, models = json.loads(head)
    except (zlib.error, ValueError, TypeError) as error:
        raise PayloadError(_DAMAGED) from error
    if version != _FORMAT:
        raise PayloadError(_DAMAGED)
    return Packed(times, models, pricings)
