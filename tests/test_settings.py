"""Settings: every option, from arguments and from the environment."""

from __future__ import annotations

import logging
import math
import pickle
from decimal import Decimal
from typing import Any

import attrs
import pytest

from openrouter_pricing import Settings, SettingsError
from openrouter_pricing._base.masking import mask
from openrouter_pricing.settings import scrub, unknown_variables, variable

DEFAULTS: dict[str, Any] = {
    "backend": "disk://",
    "markup_rate": Decimal("1.3"),
    "l1_ttl": 60.0,
    "l2_ttl": 3600.0,
    "stale_while_revalidate": 3600.0,
    "stale_if_error": math.inf,
    "fallback": True,
    "base_url": "https://openrouter.ai/api/v1",
    "api_key": None,
    "connect_timeout": 3.0,
    "read_timeout": 10.0,
    "deadline": 15.0,
    "attempts": 3,
    "breaker_threshold": 3,
    "breaker_recovery": 60.0,
    "max_body": 32 * 1024 * 1024,
    "pool_size": 10,
    "warm": False,
    "warm_interval": 3300.0,
    "offline": False,
    "history": "bundled://",
}
GOOD: list[tuple[str, str, Any]] = [
    ("backend", "memory://", "memory://"),
    ("markup_rate", "1.25", Decimal("1.25")),
    ("l1_ttl", "0", 0.0),
    ("l2_ttl", "7200.5", 7200.5),
    ("stale_while_revalidate", "1e3", 1000.0),
    ("stale_if_error", "86400", 86400.0),
    ("stale_if_error", "Unlimited", math.inf),
    ("fallback", "OFF", False),
    ("base_url", "http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
    ("api_key", "sk-or-v1-abc", "sk-or-v1-abc"),
    ("connect_timeout", "0.5", 0.5),
    ("read_timeout", "1", 1.0),
    ("deadline", "5", 5.0),
    ("attempts", "1", 1),
    ("breaker_threshold", "5", 5),
    ("breaker_recovery", "30", 30.0),
    ("max_body", "1024", 1024),
    ("pool_size", "2", 2),
    ("warm", "yes", True),
    ("warm_interval", "60", 60.0),
    ("offline", "1", True),
    ("history", "None", "none"),
    ("history", "sqlite:///prices.db", "sqlite:///prices.db"),
    ("history", "postgresql+psycopg://host/prices", "postgresql+psycopg://host/prices"),
]
BAD: list[tuple[str, str, str]] = [
    ("backend", "disk", "URL"),
    ("markup_rate", "-1", "decimal number"),
    ("markup_rate", "NaN", "decimal number"),
    ("markup_rate", "30%", "decimal number"),
    ("l1_ttl", "-1", "seconds"),
    ("l1_ttl", "soon", "seconds"),
    ("l2_ttl", "0", "above 0"),
    ("l2_ttl", "nan", "above 0"),
    ("l2_ttl", "inf", "above 0"),
    ("stale_if_error", "never", "unlimited"),
    ("fallback", "maybe", "true"),
    ("base_url", "ftp://x", "http"),
    ("base_url", "openrouter.ai", "http"),
    ("base_url", "https://", "http"),
    ("base_url", "https://x:0/", "http"),
    ("base_url", "https://x:port/", "http"),
    ("base_url", "https://[x/", "http"),
    ("base_url", "https://x/?q=1", "http"),
    ("api_key", "two words", "printable"),
    ("attempts", "0", "whole number"),
    ("attempts", "2.5", "whole number"),
    ("pool_size", "-3", "whole number"),
    ("max_body", "32 MiB", "whole number"),
    ("warm", "2", "true"),
    ("history", "bundled", "bundled://"),
    ("history", "bundled://elsewhere", "bundled://"),
    ("history", "mysql://host/prices", "sqlite:///file"),
]


def test_defaults() -> None:
    """Every option has the documented default, and there is no other option."""
    assert attrs.asdict(Settings()) == attrs.asdict(Settings.from_env({})) == DEFAULTS


def test_every_option_says_what_it_means() -> None:
    """The documentation is generated from what stands beside each option."""
    assert all(field.metadata["doc"] for field in attrs.fields(Settings))


@pytest.mark.parametrize(("option", "text", "value"), GOOD)
def test_environment(option: str, text: str, value: Any) -> None:
    """Each option is read from its variable, and an argument gives the same."""
    environ = {variable(option): text}
    assert getattr(Settings.from_env(environ), option) == getattr(Settings(**{option: text}), option) == value


@pytest.mark.parametrize(("option", "text", "accepted"), BAD)
def test_unreadable_values(option: str, text: str, accepted: str) -> None:
    """A value that cannot be read names its variable, or its option, and what is accepted; and is a ValueError."""
    with pytest.raises(SettingsError, match=accepted) as caught:
        Settings.from_env({variable(option): text})
    assert str(caught.value).startswith(variable(option))
    with pytest.raises(ValueError, match=accepted) as caught_value:
        Settings(**{option: text})
    assert str(caught_value.value).startswith(f"{option}: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("l1_ttl", True),
        ("l1_ttl", None),
        ("l1_ttl", 10**400),
        ("attempts", True),
        ("attempts", 2.0),
        ("markup_rate", True),
        ("markup_rate", None),
        ("base_url", 7),
        ("backend", None),
        ("api_key", 7),
        ("fallback", None),
        ("markup_rate", "9" * 1000),
    ],
)
def test_arguments_of_a_wrong_kind(option: str, value: Any) -> None:
    """A value of a wrong kind is refused as well, and an endless one is not repeated."""
    with pytest.raises(SettingsError) as caught:
        Settings(**{option: value})
    assert len(str(caught.value)) < 300


def test_unknown_options_are_type_errors() -> None:
    """A misspelt keyword never vanishes."""
    with pytest.raises(TypeError):
        Settings(markup=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Settings.from_env({}, markup=2)


def test_unknown_variables_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A misspelt variable is told of with the near ones, and does not stop the program."""
    environ = {"OPENROUTER_PRICING_MARKUP": "2", "OPENROUTER_PRICING_L1_TTL": "5"}
    with caplog.at_level(logging.WARNING):
        assert 5 == Settings.from_env(environ).l1_ttl
    [said] = [record.getMessage() for record in caplog.records]
    assert said.startswith("OPENROUTER_PRICING_MARKUP has no effect: it is no option; did you mean ")
    [shown] = unknown_variables(environ)
    assert shown.startswith("OPENROUTER_PRICING_MARKUP is no option; did you mean OPENROUTER_PRICING_MARKUP_RATE")


@pytest.mark.parametrize("name", ["WEBHOOK_URL", "WEBHOOK_SECRET"])
def test_reserved_variables_are_not_misspelt(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """What other parts read under our prefix is no misspelt option."""
    with caplog.at_level(logging.WARNING):
        Settings.from_env({f"OPENROUTER_PRICING_{name}": "x"})
    assert [] == caplog.records
    assert Settings() == Settings.from_mapping({f"OPENROUTER_PRICING_{name}": "x"})


def test_a_mapping_of_any_values() -> None:
    """A mapping gives values of any type; False and 0 are values too, and other programs' keys are left alone."""
    mapping = {
        "OPENROUTER_PRICING_FALLBACK": False,
        "OPENROUTER_PRICING_L1_TTL": 0,
        "OPENROUTER_PRICING_STALE_IF_ERROR": None,
        "OPENROUTER_PRICING_MARKUP_RATE": Decimal("1.5"),
        "OPENROUTER_API_KEY": "sk-or-1",
        "SECRET_KEY": "another program's",
        7: "no name",
    }
    expected = Settings(fallback=False, l1_ttl=0, stale_if_error=None, markup_rate="1.5", api_key="sk-or-1")
    assert expected == Settings.from_mapping(mapping)  # type: ignore[arg-type]  # keys of any type are left alone


def test_a_mapping_with_a_prefix_of_its_own() -> None:
    """A dictionary of options alone has no prefix; options that are given beside it win."""
    assert Settings(l1_ttl=5, warm=True) == Settings.from_mapping({"L1_TTL": "7", "WARM": True}, "", l1_ttl=5)


@pytest.mark.parametrize(
    ("mapping", "prefix", "said"),
    [
        (
            {"OPENROUTER_PRICING_MARKUP": 2},
            "OPENROUTER_PRICING_",
            "OPENROUTER_PRICING_MARKUP is no option; did you mean OPENROUTER_PRICING_MARKUP_RATE",
        ),
        ({"BACKENDS": "null://"}, "", "BACKENDS is no option; did you mean BACKEND"),
        ({"X_QQ": 1}, "X_", "X_QQ is no option; one of X_BACKEND, X_MARKUP_RATE"),
        ({"X_DEADLINE": "soon"}, "X_", "X_DEADLINE: cannot read 'soon'; accepted: a number of seconds above 0"),
    ],
)
def test_what_a_mapping_may_not_hold(mapping: dict[str, Any], prefix: str, said: str) -> None:
    """A key behind the prefix that is no option, or a value that cannot be read, is an error that names the key."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_mapping(mapping, prefix)
    assert str(caught.value).startswith(said)
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


def test_empty_variables_are_unset() -> None:
    """An empty variable is one that was not set."""
    assert Settings.from_env({"OPENROUTER_PRICING_L1_TTL": "", "OPENROUTER_API_KEY": ""}) == Settings()


def test_arguments_win_over_the_environment() -> None:
    """What the program says goes before what the environment says, and its errors name the option."""
    assert Settings.from_env({"OPENROUTER_PRICING_L1_TTL": "5"}, l1_ttl=7).l1_ttl == 7
    with pytest.raises(SettingsError, match=r"^l1_ttl: "):
        Settings.from_env({}, l1_ttl=-1)


def test_api_key_variables() -> None:
    """The key is also read from OpenRouter's own variable; ours goes first, and an unreadable one names its own."""
    both = {"OPENROUTER_API_KEY": "theirs", "OPENROUTER_PRICING_API_KEY": "ours"}
    assert Settings.from_env({"OPENROUTER_API_KEY": "theirs"}).api_key == "theirs"
    assert Settings.from_env(both).api_key == "ours"
    with pytest.raises(SettingsError, match=r"^OPENROUTER_API_KEY: "):
        Settings.from_env({"OPENROUTER_API_KEY": "two words"})


def test_secrets_are_masked() -> None:
    """No key and no password shows in a repr or in an error."""
    settings = Settings(
        api_key="hunter2", backend="redis://user:hunter2@host/0", base_url="https://user:hunter2@host/api"
    )
    assert "hunter2" not in repr(settings)
    for environ in (
        {"OPENROUTER_PRICING_API_KEY": "hunter2 " * 2},
        {"OPENROUTER_PRICING_BASE_URL": "ftp://user:hunter2@host"},
        {"OPENROUTER_PRICING_BASE_URL": "https://user:hunter2@host?key=hunter2"},
        {"OPENROUTER_PRICING_BACKEND": "redis:user:hunter2@host"},
    ):
        with pytest.raises(SettingsError) as caught:
            Settings.from_env(environ)
        assert "hunter2" not in str(caught.value)


def test_mask() -> None:
    """Whatever stands before the host is hidden, also inside a longer text."""
    assert mask("to http://user:pa/ss@host/x and redis://:pw@host") == "to http://***@host/x and redis://***@host"
    assert mask("HTTPPool(host='127.0.0.1', port=9): no") == "HTTPPool(host='127.0.0.1', port=9): no"


def test_settings_are_frozen() -> None:
    """Nobody changes an option behind anybody's back."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Settings().l1_ttl = 5  # type: ignore[misc]


def test_scrub() -> None:
    """What an upstream quotes of a key or a password is hidden, as it was given and as it was sent."""
    settings = Settings(
        api_key="sk-secret", base_url="https://us%40er:pa%3Ass@host/api", backend="redis://:hunter2@host"
    )
    quoted = "no: sk-secret, pa%3Ass, pa:ss, Basic dXNAZXI6cGE6c3M=, hunter2; and http://a:b@c/?q=1"
    assert scrub(quoted, settings) == "no: ***, ***, ***, Basic ***, ***; and http://***@c/?***"
    assert scrub("nothing", Settings()) == "nothing"
