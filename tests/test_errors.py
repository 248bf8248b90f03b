"""Every exception: one root, data that survives pickling, messages for people."""

from __future__ import annotations

import pickle

import pytest

from openrouter_pricing import errors

CASES = [
    (errors.PricingError("nothing to refresh"), "nothing to refresh", {}),
    (
        errors.UnknownModelError("openai/gpt4o", ("openai/gpt-4o", "openai/gpt-4")),
        "unknown model 'openai/gpt4o'; did you mean 'openai/gpt-4o' or 'openai/gpt-4'?",
        {"model_id": "openai/gpt4o", "suggestions": ("openai/gpt-4o", "openai/gpt-4")},
    ),
    (errors.UnknownModelError("x"), "unknown model 'x'", {"model_id": "x", "suggestions": ()}),
    (
        errors.UnknownProviderError("x", "a/b", ["one", "two/fp8"]),
        "provider 'x' of model 'a/b': no endpoint of it is listed; name one of 'one', 'two/fp8'",
        {"provider": "x", "model_id": "a/b", "tags": ("one", "two/fp8"), "reason": "no endpoint of it is listed"},
    ),
    (
        errors.VariablePriceError("openrouter/auto"),
        (
            "model 'openrouter/auto' has a variable price: it routes to other models; "
            "price the model that answered, or take the cost that the response reports"
        ),
        {"model_id": "openrouter/auto"},
    ),
    (
        errors.UnpricedUsageError("a/b", "images", "the model lists no price per image"),
        "cannot price images of model 'a/b': the model lists no price per image",
        {"model_id": "a/b", "dimension": "images", "reason": "the model lists no price per image"},
    ),
    (
        errors.UnpricedUsageError("a/b", "images"),
        "cannot price images of model 'a/b': the model lists no price for it",
        {"reason": "the model lists no price for it"},
    ),
    (
        errors.ResponseError("cost", "must not be negative: -1"),
        "cost must not be negative: -1",
        {"field": "cost", "problem": "must not be negative: -1"},
    ),
    (errors.UpstreamError("no catalogue"), "no catalogue", {}),
    (errors.TransportError("refused"), "refused", {}),
    (errors.StatusError(500), "upstream answered with HTTP status 500", {"status": 500, "retry_after": None}),
    (
        errors.StatusError(429, 30.0),
        "upstream answered with HTTP status 429; it asks to retry after 30 s",
        {"status": 429, "retry_after": 30.0},
    ),
    (errors.PayloadError("not JSON"), "not JSON", {}),
    (
        errors.CircuitOpenError(12.34),
        "circuit breaker is open after repeated failures; the next probe is allowed in 12.3 s",
        {"retry_after": 12.34},
    ),
    (errors.CatalogUnavailableError("nothing held"), "nothing held", {}),
    (
        errors.SettingsError("l1_ttl", "'soon'", "a number of seconds from 0 up"),
        "l1_ttl: cannot read 'soon'; accepted: a number of seconds from 0 up",
        {"option": "l1_ttl", "value": "'soon'", "accepted": "a number of seconds from 0 up"},
    ),
]


@pytest.mark.parametrize(("error", "message", "data"), CASES, ids=lambda case: type(case).__name__)
def test_every_error_says_what_happened(error: errors.PricingError, message: str, data: dict[str, object]) -> None:
    """The message reads well, and the facts are attributes."""
    assert message == str(error)
    assert data == {name: getattr(error, name) for name in data}
    assert isinstance(error, errors.PricingError)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(("error", "message", "data"), CASES, ids=lambda case: type(case).__name__)
def test_every_error_pickles(error: errors.PricingError, message: str, data: dict[str, object], protocol: int) -> None:
    """Type, message and data of an error survive the way to another process."""
    copy = pickle.loads(pickle.dumps(error, protocol))

    assert (type(error), error.args, message) == (type(copy), copy.args, str(copy))
    assert data == {name: getattr(copy, name) for name in data}


def test_every_error_class_is_tested_here() -> None:
    """No exception class of the package is missing from the list above."""
    defined = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}

    assert defined == {type(error) for error, _, _ in CASES}


@pytest.mark.parametrize(
    ("kind", "parents"),
    [
        (errors.UnknownModelError, (KeyError,)),
        (errors.SettingsError, (ValueError,)),
        (errors.ResponseError, (ValueError,)),
        (errors.TransportError, (errors.UpstreamError,)),
        (errors.StatusError, (errors.UpstreamError,)),
        (errors.PayloadError, (errors.UpstreamError,)),
        (errors.CircuitOpenError, (errors.UpstreamError,)),
    ],
)
def test_the_family_tree(kind: type[Exception], parents: tuple[type[Exception], ...]) -> None:
    """Each error is caught by the built-in or the group that a caller would name."""
    assert all(issubclass(kind, parent) for parent in parents)


def test_suggestions_are_looked_for_only_when_looked_at() -> None:
    """A callable that finds near names is called once, and not before somebody asks."""
    calls: list[str] = []

    def find() -> list[str]:
        calls.append("called")
        return ["a/b"]

    error = errors.UnknownModelError("a/c", find)

    assert calls == []
    assert error.suggestions == ("a/b",)
    assert "unknown model 'a/c'; did you mean 'a/b'?" == str(error)
    assert calls == ["called"]


def test_pickling_takes_the_suggestions_along() -> None:
    """What a callable would find is found before it is pickled, as a callable may not pickle."""
    copy = pickle.loads(pickle.dumps(errors.UnknownModelError("a/c", lambda: ["a/b"])))

    assert copy.suggestions == ("a/b",)
