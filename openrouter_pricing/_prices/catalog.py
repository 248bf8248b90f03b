"""Catalog: an immutable, lazily decoded set of models that finds and resolves ids."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from .._base import money
from .._base.clock import aware
from ..errors import PayloadError, UnknownModelError, quoted
from .model import Category, Model
from .names import resolve
from .rates import effective_prices
from .rows import read_index, stored, text_of

#: Changes whenever the stored form does; a store keeps the releases apart by it.
FORMAT = 4

#: In a row as it is stored: the quotes of a text within it would have a backslash before them.
_SLUG = re.compile(rb'"canonical_slug":("(?:[^"\\]|\\.)+")')
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Catalog(Mapping[str, Model]):
    """An immutable mapping of model ids to models, decoded one by one when they are asked for.

    ``catalog[name]`` takes an exact id first, then a canonical slug, then an id with a routing suffix; iteration gives
    the listed ids alone. Make one with :meth:`from_models` or :meth:`loads`.

    Attributes:
        as_of: when these prices were fetched (aware UTC).
        digest: BLAKE2b of the rows, 256 bits of it, in hexadecimal.
        skipped: how many rows could not be read, or stood twice, and were left out.
    """

    __slots__ = ("_body", "_models", "_rows", "_slugs", "as_of", "digest", "skipped")

    def __init__(self, body: bytes, *, as_of: datetime, digest: str | None = None, skipped: int = 0) -> None:
        """Take a stored body; :meth:`from_models` and :meth:`loads` are the ways to get one."""
        self.as_of: datetime = as_of
        self.digest: str = _digest(body) if digest is None else digest
        self.skipped: int = skipped
        self._body = body
        self._models: dict[str, Model] = {}
        self._rows, self._slugs = read_index(body)

    # -- making, storing and reading back --------------------------------------------------------------------------

    @classmethod
    def from_models(cls, models: Iterable[Mapping[str, Any]], *, as_of: datetime | None = None) -> Catalog:
        """A catalogue of rows as ``GET /api/v1/models`` lists them under ``data``.

        Args:
            models: the rows; each needs an ``id`` and a ``pricing`` object.
            as_of: when they were fetched (aware); the Unix epoch when left out.

        Raises:
            ValueError, TypeError: a row cannot be read, or an id stands twice; the message names the row.
        """
        problems: list[str] = []
        catalog = cls.from_rows(models, as_of=_EPOCH if as_of is None else as_of, problem=problems.append)
        if problems:
            raise ValueError(problems[0])
        return catalog

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        *,
        as_of: datetime,
        problem: Callable[[str], None],
        last: Catalog | None = None,
    ) -> Catalog:
        """As :meth:`from_models`, but rows that cannot be read are left out, counted, and told to ``problem``.

        Of rows with one id that disagree about its prices none can be trusted: the row of the ``last`` list stays.
        """
        if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
            raise TypeError(f"models must be a list of objects, not {type(rows).__name__}")
        stored_at = aware(as_of, "as_of")
        body, skipped = stored(rows, problem, {} if last is None else last.texts())
        return cls(body, as_of=stored_at, skipped=skipped)

    def dumps(self) -> bytes:
        """The whole catalogue as bytes; :meth:`loads` reads it back."""
        head = {"format": FORMAT, "as_of": self.as_of.isoformat(), "digest": self.digest, "skipped": self.skipped}
        if (rows := _digest(self._body)) != self.digest:  # it is known by another name
            head["rows"] = rows
        return json.dumps(head).encode() + b"\n" + self._body

    @classmethod
    def loads(cls, data: bytes) -> Catalog:
        """Read what :meth:`dumps` wrote.

        Raises:
            TypeError: ``data`` is not bytes.
            PayloadError: it is torn, foreign, or of another format.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        line, _, body = bytes(data).partition(b"\n")
        try:
            head = json.loads(line)
            if head["format"] != FORMAT:
                raise PayloadError(
                    f"data: format {quoted(head['format'])} is not the format {FORMAT} that is read here"
                )
            as_of = aware(datetime.fromisoformat(head["as_of"]), "as_of")
            rows = head.get("rows", head["digest"])
            catalog = cls.from_body(body, as_of=as_of, digest=rows, skipped=head["skipped"])
            return catalog if rows == head["digest"] else catalog.known_by(str(head["digest"]))
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise PayloadError("data is not a catalogue that dumps() wrote") from error

    @classmethod
    def from_body(cls, body: bytes, *, as_of: datetime, digest: str, skipped: int = 0) -> Catalog:
        """A catalogue of a stored body (the rows alone), verified against its digest.

        Raises:
            PayloadError: the body is torn or foreign.
        """
        if _digest(body) != digest:
            raise PayloadError("a stored catalogue does not match its digest: it is torn or foreign")
        return cls(body, as_of=as_of, digest=digest, skipped=skipped)

    @property
    def body(self) -> bytes:
        """The rows alone, in their stored form; what ``digest`` is the digest of."""
        return self._body

    def dated(self, as_of: datetime) -> Catalog:
        """The same rows, fetched at another time; what is decoded already is shared."""
        return self._with("as_of", as_of)

    def known_by(self, digest: str) -> Catalog:
        """The same rows under the digest of the recorded list that they were put together from."""
        return self._with("digest", digest)

    def _with(self, changed: str, value: object) -> Catalog:
        other = object.__new__(Catalog)
        for name in Catalog.__slots__:
            setattr(other, name, value if name == changed else getattr(self, name))
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        return Catalog.loads, (self.dumps(),)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Catalog):
            return NotImplemented
        return (self.digest, self.as_of) == (other.digest, other.as_of)

    def __hash__(self) -> int:
        return hash((self.digest, self.as_of))

    def __repr__(self) -> str:
        return f"<Catalog of {len(self)} models as of {self.as_of.isoformat()}>"

    # -- the mapping -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __contains__(self, model_id: object) -> bool:
        return isinstance(model_id, str) and self._resolve(model_id) is not None

    def __getitem__(self, model_id: str) -> Model:
        """The model of an id, a canonical slug, or either with a routing suffix or a preset.

        An ``~alias`` row prices itself; where its price is variable, the row that it points at is given instead.

        Raises:
            UnknownModelError: nothing listed has that name.
            TypeError: ``model_id`` is not a string.
        """
        if not isinstance(model_id, str):
            raise TypeError(f"model must be a string, not {type(model_id).__name__}")
        model = self._models.get(model_id)
        if model is not None:
            return model
        row_id = self._resolve(model_id)
        if row_id is None:
            raise UnknownModelError(model_id, lambda: self.near(model_id))
        model = self.row(row_id)
        if model.rates.variable and model.alias_target is not None and model.alias_target != model_id:
            target = self._resolve(model.alias_target)
            if target is not None and not target.startswith("~"):
                model = self.row(target)
        if model_id in self._rows or model_id in self._slugs:  # a bounded set, whatever is asked for
            self._models[model_id] = model
        return model

    @property
    def prices_digest(self) -> str:
        """SHA-256 of ids and prices alone, in hexadecimal; a missing price and a 0 are the same. Takes milliseconds."""
        listed = sorted(
            [model.id, sorted((key, money.plain(price)) for key, price in effective_prices(model.rates).items())]
            for model in self.decoded()
        )
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()

    def decoded(self) -> Iterator[Model]:
        """Every listed row, decoded anew and not kept."""
        return map(self.row, self._rows)

    def texts(self) -> dict[str, bytes]:
        """The listed rows as they are stored, by id."""
        lines = zip(self._rows, self._body.split(b"\n")[1:], strict=False)
        return {model_id: text_of(model_id, line) for model_id, line in lines}

    def row(self, row_id: str) -> Model:
        """A listed row, decoded anew and not kept; never the one that an alias points at."""
        start = self._rows[row_id]
        text = text_of(row_id, self._body[start : self._body.index(b"\n", start)])
        return Model.from_dict(json.loads(text), text)

    def slugs(self) -> dict[str, str]:
        """The canonical slug of each listed row that names one, by id."""
        found = ((model_id, _SLUG.search(text)) for model_id, text in self.texts().items())
        return {model_id: json.loads(match[1]) for model_id, match in found if match is not None}

    def _resolve(self, name: str) -> str | None:
        return resolve(name, self._rows, self._slugs.get)

    def near(self, model_id: str, limit: int = 3) -> list[str]:
        """Listed ids that are spelt like ``model_id``, or that providers call so, nearest first. Takes milliseconds."""
        from .near import near  # needed by nobody on the hot path

        return near(model_id, self._rows, self._slugs, limit)

    # -- looking around --------------------------------------------------------------------------------------------

    def find(
        self,
        *,
        text: str | None = None,
        provider: str | None = None,
        category: Category | str | None = None,
        min_context: int | None = None,
        max_prompt_price: money.Number | None = None,
        modality: str | None = None,
        supports: str | Sequence[str] | None = None,
    ) -> list[Model]:
        """The models that meet every condition given, in listed order.

        Args:
            text: part of the id or the name, in any case.
            provider: such as "openai", in any case.
            category: a :class:`Category` or its name, in any case.
            min_context: least context length, tokens.
            max_prompt_price: highest prompt price, USD per token; router models are left out then.
            modality: something it takes or gives ("image"), or a whole signature ("text+image->text").
            supports: a request parameter that it takes ("tools"), or several.

        Raises:
            ValueError, TypeError: an argument cannot be read; the message names it.
        """
        for name, value in (("text", text), ("provider", provider), ("modality", modality)):
            if value is not None and not isinstance(value, str):
                raise TypeError(f"{name} must be a string, not {type(value).__name__}")
        part, who = (text or "").lower(), (provider or "").lower()  # once, and not for every model
        wanted = None if category is None else _category(category)
        highest = None if max_prompt_price is None else money.read(max_prompt_price, "max_prompt_price")
        least = None if min_context is None else money.count(min_context, "min_context")
        parameters = {supports} if isinstance(supports, str) else set(supports or ())
        return [
            model
            for model in map(self._own, self)
            if (text is None or part in model.id.lower() or part in model.name.lower())
            and (provider is None or model.provider.lower() == who)
            and (wanted is None or model.category is wanted)
            and (least is None or (model.context_length or 0) >= least)
            and (highest is None or _within(model, highest))
            and (modality is None or _has_modality(model, modality))
            and parameters.issubset(model.supported_parameters)
        ]

    def _own(self, row_id: str) -> Model:
        """The row itself, never the row that an alias points at."""
        model = self[row_id]
        return model if model.id == row_id else self.row(row_id)

    def cheapest(self, n: int = 10, **conditions: Any) -> list[Model]:
        """The ``n`` models with the lowest mean of prompt and completion price, cheapest first.

        Args:
            n: how many.
            **conditions: as for :meth:`find`.
        """
        count = money.count(n, "n")
        priced = [(mean, model) for model in self.find(**conditions) if (mean := model.mean_price) is not None]
        return [model for _, model in sorted(priced, key=lambda pair: pair[0])[:count]]

    def by_provider(self) -> dict[str, list[Model]]:
        """Provider to its models; providers in alphabetical order, models in listed order."""
        groups: dict[str, list[Model]] = {}
        for model in self.find():
            groups.setdefault(model.provider, []).append(model)
        return dict(sorted(groups.items()))

    def by_category(self) -> dict[Category, list[Model]]:
        """Category to its models, cheapest category first; models without a category are left out."""
        return {category: self.find(category=category) for category in Category}


def _digest(body: bytes) -> str:
    """It is taken of each list that a store gives: BLAKE2b needs no help of the processor to be quick, SHA-256 does."""
    return hashlib.blake2b(body, digest_size=32).hexdigest()


def _category(value: Category | str) -> Category:
    if isinstance(value, str):
        for category in Category:
            if category.value.lower() == value.lower():
                return category
    raise ValueError(f"category must be one of {', '.join(c.value for c in Category)}, not {quoted(value)}")


def _within(model: Model, highest: Decimal) -> bool:
    return not model.rates.variable and model.rates.prompt is not None and model.rates.prompt <= highest


def _has_modality(model: Model, wanted: str) -> bool:
    if "->" in wanted:
        before, _, after = wanted.partition("->")
        return set(before.split("+")) == set(model.input_modalities) and set(after.split("+")) == set(
            model.output_modalities
        )
    return wanted in model.input_modalities or wanted in model.output_modalities
