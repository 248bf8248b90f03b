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
_STANDARD = ("", "default", "auto", "standard")
#: Tiers as tags spell them: the schema of an endpoint names no tier, "openai/flex" and "openai/fast" do.
#: https://openrouter.ai/docs/guides/features/service-tiers
_IN_TAGS = {"flex": "flex", "fast": "priority", "priority": "priority", "batch": "batch"}


def tier_of(name: str | None) -> str | None:
    """A service tier under its one name ("fast" is "priority"); None for the standard one, whatever it is called."""
    tier = "" if name is None else name.lower()
    return None if tier in _STANDARD else _IN_TAGS.get(tier, tier)


def _tagged(tag: str) -> str | None:
    """The tier that a tag names after the provider's slug: "google-vertex/global/flex", "openai/fast"."""
    for part in tag.lower().partition("#")[0].split("/")[1:]:
        if part in _IN_TAGS:
            return _IN_TAGS[part]
    return None


@attrs.frozen
class Endpoint:
    """One provider's offer of a model (https://openrouter.ai/docs/api/api-reference/endpoints/list-endpoints).

    Args:
        provider: its name, for people: "DeepInfra", "Google AI Studio".
        tag: what tells it from the provider's other endpoints: "deepinfra/fp8". Unique within the model.
        rates: what one unit of anything costs there, its ``discount`` already taken off.
        context_length: tokens, or None where it is not listed.
        service_tier: the tier that it sells ("flex", "priority", "batch"), by its own field or by its tag; None for the
            standard one.
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
            service_tier=(tier_of(tier) if isinstance(tier, str) else None) or _tagged(row.id),
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
        """The endpoint of a provider, by its tag ("deepinfra/fp8"), its slug or its name, in any case.

        A tag means its own endpoint. One without a second part ("openai") is the provider's name as well: where a tier
        is given, that decides.

        Args:
            provider: tag, slug or name.
            service_tier: the tier to look for where a name means several endpoints; the standard one when left out.

        Raises:
            UnknownProviderError: none is called that, or several at different prices are.
            TypeError: ``provider`` is not a string.
        """
        if not isinstance(provider, str):
            raise TypeError(f"provider must be a string, not {type(provider).__name__}")
        wanted = provider.lower()
        tier = tier_of(service_tier)
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
        return self.at(None)

    def at(self, service_tier: str | None) -> list[Endpoint]:
        """Those of a service tier; "fast" and "priority" are one, None and "default" are the standard one."""
        tier = tier_of(service_tier)
        return [endpoint for endpoint in self if endpoint.service_tier == tier]


def _names(endpoint: Endpoint) -> tuple[str, ...]:
    """What may mean it beside its tag; tags that were listed twice are numbered ("azure#1", "azure#2")."""
    tag, name = endpoint.tag.lower(), endpoint.provider.lower()
    return name, name.replace(" ", "-"), tag.partition("/")[0].partition("#")[0], tag.partition("#")[0]
