"""Every exception of the package. One root, :class:`PricingError`; every leaf pickles and carries its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_MOST_SAID = 2_000  # characters of a message
_MOST_TAGS = 20

_MOST_QUOTED = 500  # characters of a name


def quoted(name: object) -> str:
    """A name from outside as a message shows it: as ``repr`` does, the middle left out of more than 500 characters."""
    half = _MOST_QUOTED // 2 - 2
    if isinstance(name, str) and len(name) > _MOST_QUOTED:
        name = f"{name[:half]}...{name[-half:]}"
    shown = repr(name)
    return shown if len(shown) <= _MOST_QUOTED else f"{shown[:half]}...{shown[-half:]}"


def shortened(text: str) -> str:
    """The whole words among the first 2,000 characters: half a word may be half a URL, whose password nobody masks."""
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID].rpartition(' ')[0]} …"


class PricingError(Exception):
    """The root of everything that this package raises on purpose. Its text is short, whatever it quotes."""

    def __str__(self) -> str:
        return shortened(super().__str__())

    def __repr__(self) -> str:
        return shortened(f"{type(self).__name__}({', '.join(map(quoted, self.args))})")


class UnknownModelError(PricingError, KeyError):
    """No such model is listed. Also a :class:`KeyError`, so that a catalogue is an honest mapping.

    Args:
        model_id: the id that was asked for.
        suggestions: near ids, or a callable that finds them; it is called only when somebody looks.
    """

    def __init__(self, model_id: str, suggestions: Sequence[str] | Callable[[], Sequence[str]] = ()) -> None:
        super().__init__(model_id)
        self.model_id = model_id
        self._suggestions = suggestions

    @property
    def suggestions(self) -> tuple[str, ...]:
        """Ids that are spelt like the unknown one, nearest first."""
        if callable(self._suggestions):
            self._suggestions = tuple(self._suggestions())
        return tuple(self._suggestions)

    def __str__(self) -> str:
        near = " or ".join(repr(name) for name in self.suggestions)
        return f"unknown model {quoted(self.model_id)}" + (f"; did you mean {near}?" if near else "")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.model_id, self.suggestions)


class UnknownProviderError(PricingError, LookupError):
    """No endpoint of a model is that of this provider, or it is not clear which.

    Args:
        provider: who was asked for.
        model_id: the model.
        tags: the tags that would be understood.
        reason: what is wrong, for people.
    """

    def __init__(
        self, provider: str, model_id: str, tags: Sequence[str], reason: str = "no endpoint of it is listed"
    ) -> None:
        super().__init__(provider, model_id, tuple(tags), reason)
        self.provider = provider
        self.model_id = model_id
        self.tags: tuple[str, ...] = tuple(tags)
        self.reason = reason

    def __str__(self) -> str:
        tags = ", ".join(map(quoted, self.tags[:_MOST_TAGS])) + ", …" * (len(self.tags) > _MOST_TAGS)
        return shortened(
            f"provider {quoted(self.provider)} of model {quoted(self.model_id)}: {self.reason}; name one of {tags}"
        )


class VariablePriceError(PricingError):
    """A router model lists ``-1``: its price is that of whichever model it chooses, so it cannot be computed.

    Args:
        model_id: the router's id.
    """

    def __init__(self, model_id: str) -> None:
        super().__init__(model_id)
        self.model_id = model_id

    def __str__(self) -> str:
        return (
            f"model {quoted(self.model_id)} has a variable price: it routes to other models; "
            "price the model that answered, or take the cost that the response reports"
        )


class UnpricedUsageError(PricingError):
    """The usage has a dimension that the model lists no price for.

    Args:
        model_id: the model that was to be priced.
        dimension: the field of ``Usage`` that has no price.
        reason: why not, for people.
    """

    def __init__(self, model_id: str, dimension: str, reason: str = "the model lists no price for it") -> None:
        super().__init__(model_id, dimension, reason)
        self.model_id = model_id
        self.dimension = dimension
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot price {self.dimension} of model {quoted(self.model_id)}: {self.reason}"


class ResponseError(PricingError, ValueError):
    """A response cannot be read, or has no usage.

    Args:
        field: the field of the response that is wrong.
        problem: what is wrong with it, for people.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field[:100]} {self.problem[:390]}"


class UpstreamError(PricingError):
    """OpenRouter, or whatever stands in for it, gave no usable catalogue."""


class TransportError(UpstreamError):
    """No complete HTTP response arrived: refused, timed out, broken off, or larger than allowed."""


class StatusError(UpstreamError):
    """The upstream answered with a status other than 200 or 304.

    Args:
        status: the HTTP status code.
        retry_after: seconds after which the upstream asked to be tried again, if it said so.
    """

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(status, retry_after)
        self.status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        hint = "" if self.retry_after is None else f"; it asks to retry after {self.retry_after:g} s"
        return f"upstream answered with HTTP status {self.status}{hint}"


class PayloadError(UpstreamError):
    """A response or a stored catalogue is not what it should be."""


class CircuitOpenError(UpstreamError):
    """The circuit breaker is open: the upstream failed several times in a row and is left alone for now.

    Args:
        retry_after: seconds until the next probe is allowed.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"circuit breaker is open after repeated failures; the next probe is allowed in {self.retry_after:.1f} s"


class CatalogUnavailableError(PricingError):
    """No catalogue is held, none can be fetched, and the bundled snapshot is switched off."""


class SettingsError(PricingError, ValueError):
    """An option cannot be read.

    Args:
        option: the option or the environment variable.
        value: what was given, for people, masked where it may hold a secret; empty where there is no such option.
        accepted: what would be accepted.
    """

    def __init__(self, option: str, value: str, accepted: str) -> None:
        super().__init__(option, value, accepted)
        self.option = option
        self.value = value
        self.accepted = accepted

    def __str__(self) -> str:
        if not self.value:
            return shortened(f"{self.option} is no option; {self.accepted}")
        return shortened(f"{self.option}: cannot read {self.value}; accepted: {self.accepted}")
