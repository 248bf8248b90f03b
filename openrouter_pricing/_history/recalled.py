"""PastList: the models of some time, put together from what was recorded then and what is known of them now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from .. import data
from .._prices.catalog import Catalog
from .._prices.model import Model
from .._prices.names import note_slug, resolve
from .._prices.origin import Origin
from ..errors import UnknownModelError
from .guarded import GuardedHistory
from .periods import RecordedList

_MOST_NAMES = 1_000  # that are kept at hand, of each list


class Known:
    """What recordings do not hold, and is taken from the list held and, where that lacks it, from the bundled one.

    Args:
        held: the list held.

    Attributes:
        digest: of the list held.
        models: those that were decoded, by id and recorded prices.
    """

    def __init__(self, held: Catalog) -> None:
        self.digest: str = held.digest
        self.models: dict[tuple[str, str], Model] = {}
        self._held = held

    @cached_property
    def lists(self) -> tuple[Catalog, Catalog]:
        """Both lists; the one held first."""
        return self._held, data.read_bundled()

    @cached_property
    def slugs(self) -> dict[str, list[str]]:
        """The ids that have a canonical slug, in listed order."""
        slugs: dict[str, list[str]] = {}
        for model_id, slug in (pair for listed in self.lists for pair in listed.slugs().items()):
            slugs.setdefault(slug, []).append(model_id)
        return slugs

    def row(self, model_id: str) -> dict[str, Any]:
        """A row as it is listed now, or was when the package was made; of an id alone where it is in neither."""
        try:
            return self._held.row(model_id).raw
        except KeyError:
            pass  # the bundled one is read where it is needed
        try:
            return self.lists[1].row(model_id).raw
        except KeyError:
            return {"id": model_id}


class PastList:
    """What was listed at some time.

    Args:
        recorded: ids and prices.
        known: what else is known of the models.
        history: told of what cannot be read.

    Attributes:
        recorded: the same.
        held: digest of the list held.
        origin: what costs say of it.
    """

    def __init__(self, recorded: RecordedList, known: Known, history: GuardedHistory) -> None:
        self.recorded: RecordedList = recorded
        self.held: str = known.digest
        self._prices = recorded.prices
        self._models: dict[str, Model] = {}
        self._known = known
        self._history = history
        self.origin: Origin = Origin("history", recorded.as_of, recorded.digest, recorded.until)

    @property
    def catalog(self) -> PastList:
        """Itself: models are found in it by name."""
        return self

    def get(self, name: object) -> Model | None:
        """The model that a name meant then, as ``Catalog[name]`` gives it; None where there was none."""
        if not isinstance(name, str):
            return None
        model = self._models.get(name)
        if model is None and (model := self._find(name)) is not None and len(self._models) < _MOST_NAMES:
            self._models[name] = model
        return model

    def _find(self, name: str) -> Model | None:
        model_id = resolve(name, self._prices, self._meant)
        if model_id is None:
            return None
        model = self._row(model_id)
        if model is not None and model.rates.variable and model.alias_target is not None:
            target = resolve(model.alias_target, self._prices, self._meant)
            if target is not None and not target.startswith("~"):
                return self._row(target)
        return model

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> Model:
        model = self.get(name)
        if model is None:
            raise UnknownModelError(name, list)
        return model

    def whole(self) -> Catalog:
        """All of it; made anew with each look, which takes tens of milliseconds."""
        order = {model_id: place for place, model_id in enumerate(_once(self._known.lists))}
        ids = sorted(self._prices, key=lambda model_id: (order.get(model_id, len(order)), model_id))
        rows = ({**self._known.row(name), "pricing": json.loads(self._prices[name])} for name in ids)
        problems: list[str] = []
        catalog = Catalog.from_rows(rows, as_of=self.recorded.as_of, problem=problems.append)
        if problems:
            self._history.note(ValueError(problems[0]))
        return catalog.known_by(self.recorded.digest())

    def _meant(self, slug: str) -> str | None:
        slugs: dict[str, str] = {}
        for model_id in self._known.slugs.get(slug, ()):
            if model_id in self._prices:
                note_slug(slugs, slug, model_id)
        return slugs.get(slug)

    def _row(self, model_id: str) -> Model | None:
        pricing = self._prices[model_id]
        key = model_id, pricing
        model = self._known.models.get(key)
        if model is None:
            try:
                model = Model.from_dict({**self._known.row(model_id), "pricing": json.loads(pricing)})
            except (ValueError, TypeError, LookupError, RecursionError) as error:
                self._history.note(error)
                return None
            self._known.models[key] = model
        return model


def _once(lists: Iterable[Catalog]) -> dict[str, None]:
    return dict.fromkeys(model_id for catalog in lists for model_id in catalog)
