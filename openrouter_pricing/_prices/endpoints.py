"""Endpoint, Endpoints: what each provider of a model asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, overload

import attrs

from ..errors import UnknownProviderError
from .catalog import Catalog
from .model import Model
from .origin import Origin, PriceSource
from .rates import Rates

#: What responses call the tier that everybody gets; endpoints name no tier then.
_STANDARD = (None, "default", "auto", "standard")


@attrs.frozen
class Endpoint:
    """One provider's offer of a model (https://openrouter.ai/docs/api/api-reference/endpoints/list-endpoints).

    Args:
        provider: its name, for people: "DeepInfra", "Google AI Studio".
        tag: what tells it from the provider's other endpoints: "deepinfra/fp8". Unique within the model.
        rates: what one unit of anything costs there, its ``discount`` already taken off.
        context_length: tokens, or None where it is not listed.
        service_tier: the tier that it sells ("flex", "priority"), or None for the standard one.
        quantization: such as "fp8", or None where it is not listed.
    """

    provider: str
    tag: str
    rates: Rates
    context_length: int | None = None
    service_tier: str | None = None
    quantization: str | None = None
    _row: Model | None = attrs.field(default=None, repr=False, eq=False)

    @property
    def raw(self) -> dict[str, Any]:
        """The entry as OpenRouter sent it, without its performance figures."""
        row = {} if self._row is None else self._row.raw
        return {key: value for key, value in row.items() if key not in ("id", "architecture")}

    @classmethod
    def of(cls, row: Model) -> Endpoint:
        """The endpoint of a stored row."""
        raw = row.raw
        provider, tier, quantization = (raw.get(key) for key in ("provider_name", "service_tier", "quantization"))
        return cls(
            provider=provider if isinstance(provider, str) else row.id,
            tag=row.id,
            rates=row.rates,
            context_length=row.context_length,
            service_tier=tier if isinstance(tier, str) and tier not in _STANDARD else None,
            quantization=quantization if isinstance(quantization, str) else None,
            row=row,
        )


class Endpoints(Sequence[Endpoint]):
    """The endpoints of one model, in listed order. ``endpoints["deepinfra/fp8"]`` gives one by its tag.

    Args:
        model_id: the model.
        catalog: the endpoints as rows, each under its tag.
        source: "live" or "stale".

    Attributes:
        model_id: the model.
        as_of: when these prices were fetched (aware UTC).
        digest: SHA-256 of them, in hexadecimal.
        source: "live" or "stale".
    """

    def __init__(self, model_id: str, catalog: Catalog, source: PriceSource) -> None:
        self.model_id: str = model_id
        self.as_of: datetime = catalog.as_of
        self.digest: str = catalog.digest
        self.source: PriceSource = source
        self._all = tuple(Endpoint.of(catalog[tag]) for tag in catalog)

    @property
    def origin(self) -> Origin:
        """What costs say of these prices."""
        return Origin(self.source, self.as_of, self.digest)

    def __repr__(self) -> str:
        return f"<Endpoints of {self.model_id}: {', '.join(endpoint.tag for endpoint in self)}>"

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._all)

    @overload
    def __getitem__(self, key: int | str, /) -> Endpoint: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Endpoint, ...]: ...
    def __getitem__(self, key: int | str | slice, /) -> Endpoint | tuple[Endpoint, ...]:
        """An endpoint by its place or its tag.

        Raises:
            UnknownProviderError: there is no such tag.
            IndexError: there is no such place.
        """
        return self.find(key) if isinstance(key, str) else self._all[key]

    def find(self, provider: str, service_tier: str | None = None) -> Endpoint:
        """The endpoint of a provider, by its tag ("deepinfra/fp8"), the tag's first part, or its name, in any case.

        A tag means its own endpoint. One without a second part ("openai") is the provider's name as well: where a tier
        is given, that decides.

        Args:
            provider: tag or name.
            service_tier: the tier to look for where a name means several endpoints; the standard one when left out.

        Raises:
            UnknownProviderError: none is called that, or several at different prices are.
            TypeError: ``provider`` is not a string.
        """
        if not isinstance(provider, str):
            raise TypeError(f"provider must be a string, not {type(provider).__name__}")
        wanted = provider.lower()
        tier = None if service_tier in _STANDARD else service_tier
        for endpoint in self:
            if endpoint.tag.lower() == wanted and (
                service_tier is None or "/" in wanted or endpoint.service_tier == tier
            ):
                return endpoint
        named = [endpoint for endpoint in self if wanted in _names(endpoint)]
        found = [endpoint for endpoint in named if endpoint.service_tier == tier]
        if not found:
            raise UnknownProviderError(provider, self.model_id, [endpoint.tag for endpoint in named or self])
        if any(endpoint.rates != found[0].rates for endpoint in found):
            raise UnknownProviderError(
                provider, self.model_id, [endpoint.tag for endpoint in found], "several endpoints of it differ in price"
            )
        return found[0]

    def standard(self) -> list[Endpoint]:
        """Those that a request may be routed to when it asks for no service tier."""
        return [endpoint for endpoint in self if endpoint.service_tier is None]


def _names(endpoint: Endpoint) -> tuple[str, ...]:
    """What may mean it beside its tag; tags that were listed twice are numbered ("azure#1", "azure#2")."""
    tag = endpoint.tag.lower()
    return endpoint.provider.lower(), tag.partition("/")[0], tag.partition("#")[0]
