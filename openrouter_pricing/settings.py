"""Settings: every option once, from arguments or from the environment."""

from __future__ import annotations

import ast
import functools
import math
import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

import attrs

from ._base import money
from ._base.log import logger
from ._base.masking import Hidden, mask, without_frames
from .errors import SettingsError, shortened

_P = ParamSpec("_P")
_R = TypeVar("_R")
_PREFIX = "OPENROUTER_PRICING_"
_KEY = "OPENROUTER_API_KEY"
_RESERVED = ("WEBHOOK_URL", "WEBHOOK_SECRET")  # no options, but not misspelt either
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_SAFE_URL = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:\*\*\*@)?(?:[\w.-]*|\[[0-9a-fA-F:.]+\])(?::[0-9]*)?(?:/[\w./%~+-]*)?"
)


def scrub(text: str, settings: Settings) -> str:
    """A text with every secret of these settings hidden, as it is and as it is sent: an upstream may quote them."""
    secrets = [settings.api_key] if settings.api_key else []
    for url in (settings.base_url, settings.backend, settings.history):
        user, _, password = url.partition("://")[2].rpartition("@")[0].partition(":")
        if password:
            plain = f"{unquote(user)}:{unquote(password)}"
            secrets += [b64encode(plain.encode()).decode(), password, unquote(password)]
    for secret in secrets:
        text = text.replace(secret, "***")
    return mask(text)


def _mask_all(value: object) -> str:
    return "None" if value is None else "'***'"


def _mask_url(value: object) -> str:
    """A URL for people; of one that reads oddly only the scheme, as a password may stand anywhere in it."""
    shown = mask(str(value))
    return repr(shown if _SAFE_URL.fullmatch(shown) else f"{str(value).partition('://')[0]}://***")


def _fail(field: attrs.Attribute[Any], value: object, accepted: str) -> SettingsError:
    shown = field.repr if callable(field.repr) else repr
    return SettingsError(field.name, shown(value) if len(str(value)) < 200 else "a very long value", accepted)


def _seconds(accepted: str, *, zero: bool, unlimited: bool = False) -> Callable[..., float]:
    def read(value: object, _: Any, field: attrs.Attribute[Any]) -> float:
        if unlimited and (value is None or (isinstance(value, str) and value.strip().lower() == "unlimited")):
            return math.inf
        try:
            number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError) as error:
            raise _fail(field, value, accepted) from error
        good = number >= 0 if zero else number > 0
        if not good or (math.isinf(number) and not unlimited):
            raise _fail(field, value, accepted)
        return number

    return read


def _whole(accepted: str, least: int = 1) -> Callable[..., int]:
    def read(value: object, _: Any, field: attrs.Attribute[Any]) -> int:
        text = str(value).strip()
        if isinstance(value, (bool, float)) or not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
            raise _fail(field, value, accepted)
        return int(text)

    return read


def _switch(value: object, _: Any, field: attrs.Attribute[Any]) -> bool:
    text = str(value).strip().lower()
    if text not in (*_TRUE, *_FALSE):
        raise _fail(field, value, f"one of {', '.join((*_TRUE, *_FALSE))}")
    return text in _TRUE


def _markup(value: object, _: Any, field: attrs.Attribute[Any]) -> Decimal:
    accepted = "a decimal number from 0 up, such as 1.3"
    try:
        rate = money.read(value, field.name)
    except (TypeError, ValueError) as error:
        raise _fail(field, value, accepted) from error
    if rate < 0:
        raise _fail(field, value, accepted)
    return rate


def _url(value: object, _: Any, field: attrs.Attribute[Any]) -> str:
    accepted = "an http or https URL, such as https://openrouter.ai/api/v1"
    if not isinstance(value, str):
        raise _fail(field, value, accepted)
    try:
        parts = urlsplit(value.strip())
        good = not re.search(r"[\s\\\"'<>]", value.strip())
        good = good and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise _fail(field, value, accepted) from None  # its message would quote a part of the URL
    if not good or parts.query or parts.fragment:
        raise _fail(field, value, accepted)
    return _hidden(value.strip().rstrip("/"))


def _backend(value: object, _: Any, field: attrs.Attribute[Any]) -> str:
    if not isinstance(value, str) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", value):
        raise _fail(field, value, "a URL, such as disk://, disk:///var/cache/prices, memory:// or null://")
    return _hidden(value)


def _history(value: object, _: Any, field: attrs.Attribute[Any]) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if text.lower() != "none" and not re.match(r"bundled://$|(?:sqlite|postgresql\+psycopg|django)://", text):
        raise _fail(
            field, value, "none, bundled://, sqlite:///file, postgresql+psycopg://user@host/database or django://alias"
        )
    return "none" if text.lower() == "none" else _hidden(text)


def _key(value: object, _: Any, field: attrs.Attribute[Any]) -> str | None:
    if value is None:
        return None
    accepted = "printable ASCII characters without spaces"
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value.strip()):
        raise _fail(field, value, accepted)
    return Hidden(value.strip(), _mask_all(value))


def _hidden(url: str) -> str:
    """The same URL; one that may hold a password keeps it to itself where variables are shown."""
    shown = _mask_url(url)
    return url if shown == repr(url) else Hidden(url, shown)


def _option(default: Any, read: Callable[..., Any], doc: str, **kwargs: Any) -> Any:
    converter = attrs.Converter(read, takes_self=True, takes_field=True)
    return attrs.field(default=default, converter=converter, metadata={"doc": doc}, **kwargs)


_ABOVE = "a number of seconds above 0"
_FROM = "a number of seconds from 0 up"


def _without_values(work: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same work, whose errors keep no frame with the values in it."""

    @functools.wraps(work)
    def checked(*values: _P.args, **options: _P.kwargs) -> _R:
        try:
            return work(*values, **options)
        except (SettingsError, TypeError) as error:
            failure = without_frames(error)
        del values, options
        raise failure

    return checked


@attrs.frozen(kw_only=True)
class Settings:
    """Every option, once. Each is also an environment variable: ``OPENROUTER_PRICING_`` and the name in capitals.

    Raises:
        SettingsError: a value cannot be read; it names the option, the value (masked where it may hold a secret) and
            what is accepted.
        TypeError: there is no such option.
    """

    backend: str = _option(
        "disk://",
        _backend,
        "where prices are kept between processes: `disk://` (the platform's cache directory), `disk:///directory`, "
        "`memory://`, `null://`, `redis://host`, `valkey://host` and their kin, `django://alias`, a cache of a Django "
        "project, or any registered scheme",
        repr=_mask_url,
    )
    markup_rate: Decimal = _option("1.3", _markup, "what the raw cost is multiplied by; `1` means no markup")
    l1_ttl: float = _option(
        60, _seconds(_FROM, zero=True), "how long a process answers without looking at its backend, seconds"
    )
    l2_ttl: float = _option(3600, _seconds(_ABOVE, zero=False), "how old prices may be before a refresh, seconds")
    stale_while_revalidate: float = _option(
        3600,
        _seconds(_FROM, zero=True),
        "past `l2_ttl`, how long stale prices are answered at once while one refresh runs behind (RFC 5861), seconds",
    )
    stale_if_error: float = _option(
        "unlimited",
        _seconds("a number of seconds from 0 up, or unlimited", zero=True, unlimited=True),
        "past `l2_ttl`, how long stale prices are preferred to an error (RFC 5861), seconds or `unlimited`",
    )
    fallback: bool = _option(True, _switch, "answer from the bundled snapshot when nothing else is held")
    base_url: str = _option("https://openrouter.ai/api/v1", _url, "where the API is", repr=_mask_url)
    api_key: str | None = _option(
        None,
        _key,
        "sent to `base_url`'s own origin alone, over https or loopback; also read from `OPENROUTER_API_KEY`",
        repr=_mask_all,
    )
    connect_timeout: float = _option(3, _seconds(_ABOVE, zero=False), "for connecting, each attempt, seconds")
    read_timeout: float = _option(10, _seconds(_ABOVE, zero=False), "for each read, each attempt, seconds")
    deadline: float = _option(
        15, _seconds(_ABOVE, zero=False), "for one fetch, with retries, sleeps and slow bodies, seconds"
    )
    attempts: int = _option(3, _whole("a whole number from 1 up"), "tries of one fetch; transient errors only")
    breaker_threshold: int = _option(
        3, _whole("a whole number from 1 up"), "failed fetches in a row that open the circuit breaker"
    )
    breaker_recovery: float = _option(
        60, _seconds(_ABOVE, zero=False), "how long the circuit breaker stays open before a probe, seconds"
    )
    max_body: int = _option(
        32 * 1024 * 1024, _whole("a whole number of bytes from 1 up"), "decoded bytes of a response; more is refused"
    )
    pool_size: int = _option(10, _whole("a whole number from 1 up"), "urllib3 connections kept")
    warm: bool = _option(False, _switch, "start the warmer with the first question")
    warm_interval: float = _option(
        55 * 60, _seconds(_ABOVE, zero=False), "how often the warmer refreshes, ±10 % jitter, seconds"
    )
    offline: bool = _option(False, _switch, "never use the network")
    history: str = _option(
        "bundled://",
        _history,
        "where past prices come from: `bundled://`, `none`, or a database that new ones are recorded in, too: "
        "`sqlite:///file`, `postgresql+psycopg://host/database`, or one of a Django project (`django://alias`)",
        repr=_mask_url,
    )

    @classmethod
    @_without_values
    def from_env(cls, environ: Mapping[str, str] = os.environ, **options: Any) -> Settings:
        """Settings from the environment; an empty variable counts as unset.

        A variable that begins like ours and is no option has no effect: it is logged, and the command
        line tells of it.

        Args:
            environ: the variables.
            **options: options that are set already and win over the environment.

        Raises:
            SettingsError: naming the variable, its value (masked where it may hold a secret) and what is accepted.
        """
        strangers = unknown_names(environ, _PREFIX)
        for warning in map(unknown_option, strangers):
            logger(__name__).warning("%s has no effect: it is no option; %s", warning.option, warning.accepted)
        known = {name: value for name, value in environ.items() if value and name not in strangers}
        return cls.from_mapping(known, **options)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], prefix: str = _PREFIX, **options: Any) -> Settings:
        """Settings from the values of a mapping, such as the configuration of a web application.

        Args:
            mapping: option names in capitals behind the prefix, to values of any type; other keys are left alone.
            prefix: what the keys begin with.
            **options: options that are set already and win over the mapping.

        Raises:
            SettingsError: a value cannot be read, or a key with the prefix is no option; it names the key.
        """
        names = {prefix + field.name.upper(): field.name for field in attrs.fields(cls)}
        given = {option: mapping[name] for name, option in names.items() if name in mapping}
        if "api_key" not in given and mapping.get(_KEY):
            given["api_key"] = mapping[_KEY]
            names[_KEY] = "api_key"
        failure = next((unknown_option(name, prefix) for name in unknown_names(mapping, prefix)), None)
        if failure is None:
            try:
                return cls(**{**given, **options})
            except SettingsError as error:
                failure = error
            if failure.option not in options:
                named = [name for name, option in names.items() if option == failure.option and name in mapping]
                cause, failure = failure, SettingsError(named[0], failure.value, failure.accepted)
                failure.__cause__ = without_frames(cause)
        del mapping, given, options  # this frame stays with the error
        raise failure


Settings.__init__ = _without_values(Settings.__init__)  # type: ignore[method-assign]


@_without_values
def over_environment(mapping: Mapping[str, Any], prefix: str = _PREFIX) -> Settings:
    """Settings as :meth:`Settings.from_mapping` reads them; from the environment where the mapping says nothing."""
    own = Settings.from_mapping(mapping, prefix)
    names = [field.name for field in attrs.fields(Settings)]
    said = [name for name in names if prefix + name.upper() in mapping or (name == "api_key" and own.api_key)]
    return Settings.from_env(**{name: getattr(own, name) for name in said})


def unknown_names(mapping: Mapping[str, object], prefix: str) -> list[str]:
    """The keys of a mapping that begin with the prefix and are no option."""
    known = {prefix + name for name in (*(field.name.upper() for field in attrs.fields(Settings)), *_RESERVED)}
    return [name for name in mapping if isinstance(name, str) and name.startswith(prefix) and name not in known]


def unknown_option(name: str, prefix: str = _PREFIX) -> SettingsError:
    """The error about a key that is no option; it names the near ones."""
    import difflib  # slow to import, and nobody misspells on the hot path

    known = [prefix + field.name.upper() for field in attrs.fields(Settings)]
    near = difflib.get_close_matches(name[:100].upper(), known, n=3, cutoff=0.6)
    return SettingsError(
        shortened(name), "", f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(known)}"
    )


def unknown_variables(environ: Mapping[str, str] = os.environ) -> list[str]:
    """What is wrong with the names of variables that begin like ours and are no option, for people."""
    return [str(unknown_option(name)) for name in unknown_names(environ, _PREFIX)]


def variable(option: str) -> str:
    """The environment variable of an option."""
    return _PREFIX + option.upper()


def shown(field: attrs.Attribute[Any], value: Any) -> Any:
    """A value for JSON. A field with a ``repr`` of its own may hold a secret, which that masks."""
    if callable(field.repr):
        return ast.literal_eval(field.repr(value))
    if isinstance(value, Decimal):
        return money.text(value)
    return "unlimited" if value == math.inf else value


def came_from(option: str) -> str:
    """The environment variable that sets an option, or "default"."""
    names = [variable(option), *([_KEY] if option == "api_key" else [])]
    return next((name for name in names if os.environ.get(name)), "default")
