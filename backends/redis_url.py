"""What the URL of a Redis or Valkey says. Nothing is connected to, and redis-py is not imported."""

from __future__ import annotations

import math
import re
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from openrouter_pricing.errors import SettingsError

#: Named as Flask-Limiter's ``limits`` names them. Those with two s speak TLS.
SCHEMES = (
    *("redis", "rediss", "redis+unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"),
    *("valkey", "valkeys", "valkey+unix", "valkey+sentinel", "valkeys+sentinel", "valkey+cluster", "valkeys+cluster"),
    "unix",
)
PREFIX = "openrouter-pricing:"
_TIMEOUT = 0.5  # seconds, for connecting and for each answer; a question waits 0.8 s for its store, whatever happens
_SSL_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_ca_data", "ssl_certfile", "ssl_keyfile", "ssl_password")
_SSL = (*_SSL_FILES, "ssl_cert_reqs", "ssl_check_hostname")
_QUERY = ("db", "socket_timeout", "socket_connect_timeout", "client_name", "prefix", *_SSL)
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MISSING = 'redis-py, which is not installed: pip install "openrouter-pricing[redis]"'
_ENCODED = "a URL without a fragment, its user and password percent-encoded"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%\w]+\]|[\w.-]+)(?::([0-9]{1,5}))?")


class Place(NamedTuple):
    """What a URL says.

    Args:
        kind: "" for one server, "unix", "sentinel" or "cluster".
        hosts: with their ports; the path of the socket alone for "unix".
        service: what the sentinels call it.
        options: what the client is made with.
        login: user and password, as far as they are given.
        prefix: of each key.
        unsafe: the options that switch a check off.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any]
    login: dict[str, str]
    prefix: str
    unsafe: tuple[str, ...]

    def __repr__(self) -> str:
        hosts = ",".join(host if self.kind == "unix" else f"{host}:{port}" for host, port in self.hosts)
        return f"{self.kind or 'server'} {hosts}"


def check(url: str) -> Place:
    """What a URL says; nothing is imported, nor connected to.

    Raises:
        SettingsError: a URL that holds what it may not, or redis-py is not installed.
    """
    accepted = _MISSING
    try:
        place = read(url)
        if find_spec("redis") is not None:
            return place
    except ValueError as error:
        accepted = str(error)
    scheme = url.partition("://")[0]
    shown = f"'{scheme}://***'" if scheme.lower() in SCHEMES else "'***'"
    raise SettingsError("backend", shown, accepted)


def read(url: str) -> Place:
    """What a URL says; ValueError, which quotes nothing that may be secret, for one that cannot be read."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in SCHEMES:
        raise ValueError(f"a URL of one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    name, _, kind = scheme.lower().partition("+")
    kind, secure = "unix" if name == "unix" else kind, name in ("rediss", "valkeys")
    try:
        parts = urlsplit(f"//{rest}")
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), max_num_fields=20)
    except ValueError:
        raise ValueError(_ENCODED) from None  # its message may quote a part
    if "#" in rest or "@" in parts.path + parts.query:
        raise ValueError(_ENCODED)
    given = dict(pairs)
    for option in given:
        if option not in _QUERY:
            shown = option if re.fullmatch(r"[a-z_]{1,40}", option) else "something else"
            raise ValueError(f"{', '.join(_QUERY)} behind the question mark, not {shown}")
        if option.startswith("ssl_") and not secure:
            raise ValueError(f"{option} with TLS alone, whose schemes are rediss and valkeys")
    if len(given) < len(pairs):
        raise ValueError("each option once")
    user, _, hosts = parts.netloc.rpartition("@")
    service, database, at = _path(kind, parts.path, hosts, given)
    options: dict[str, Any] = {
        "socket_timeout": _seconds("socket_timeout", given),
        "socket_connect_timeout": _seconds("socket_connect_timeout", given),
        **({"db": database} if kind != "cluster" else {}),
        **({"client_name": _printable("client_name", given)} if "client_name" in given else {}),
        **(_tls(given) if secure else {}),
    }
    prefix = _printable("prefix", given) if "prefix" in given else PREFIX
    unsafe = tuple(option for option in ("ssl_cert_reqs", "ssl_check_hostname") if _is_off(given.get(option, "")))
    return Place(kind, at, service, options, _login(user), prefix, unsafe)


def _path(kind: str, path: str, hosts: str, given: dict[str, str]) -> tuple[str, int, tuple[tuple[str, int], ...]]:
    """What the sentinels call it, the number of the database, and where to connect to."""
    if kind == "unix":
        if hosts or len(path) < 2:
            raise ValueError("a socket's whole path, such as unix:///run/valkey.sock")
        return "", _database(given.get("db", "0")), ((unquote(path), 0),)
    service, database = "", path[1:]
    if kind == "sentinel":
        service, _, database = database.partition("/")
        if not service:
            raise ValueError("the service that the sentinels watch behind the hosts, such as /mymaster")
    if database and "db" in given:
        raise ValueError("the number of a database once")
    number = _database(database or given.get("db", "0"))
    if kind == "cluster" and number:
        raise ValueError("no number of a database, as a cluster has one alone")
    port = 26379 if kind == "sentinel" else 6379
    found = [_HOST.fullmatch(host) for host in (hosts or "localhost").split(",")]
    at = tuple((host[1].strip("[]"), int(host[2] or port)) for host in found if host is not None)
    if len(at) < len(found) or not all(0 < number < 65536 for _, number in at):
        raise ValueError("a host and a port from 1 to 65535, its user and password percent-encoded")
    if len(at) > 1 and not kind:
        raise ValueError("one host; more of them are named by the schemes with +sentinel and +cluster")
    return unquote(service), number, at


def _database(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("the number of a database")
    return int(text)


def _login(user: str) -> dict[str, str]:
    name, _, password = user.partition(":")
    if name and not password:
        raise ValueError("a password behind the user's name, percent-encoded")
    login = {"username": unquote(name), "password": unquote(password)}
    return {option: value for option, value in login.items() if value}


def _is_off(value: str) -> bool:
    return value == "none" or _WORDS.get(value.lower()) is False


def _seconds(option: str, given: dict[str, str]) -> float:
    try:
        seconds = float(given.get(option, _TIMEOUT))
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"a number of seconds above 0 as {option}")
    return seconds


def _printable(option: str, given: dict[str, str]) -> str:
    if not re.fullmatch(r"[!-~]{1,200}", given[option]):
        raise ValueError(f"printable ASCII characters without spaces as {option}")
    return given[option]


def _tls(given: dict[str, str]) -> dict[str, Any]:
    """The options of TLS. Certificates and names are checked unless the URL says otherwise, in every redis-py."""
    needed, named = given.get("ssl_cert_reqs", "required"), _WORDS.get(given.get("ssl_check_hostname", "true").lower())
    if needed not in ("required", "optional", "none"):
        raise ValueError("required, optional or none as ssl_cert_reqs")
    if named is None:
        raise ValueError("true or false as ssl_check_hostname")
    files = {option: given[option] for option in _SSL_FILES if option in given}
    if not all(files.values()):
        raise ValueError(f"a value for each of {', '.join(files)}")
    return {"ssl": True, "ssl_cert_reqs": needed, "ssl_check_hostname": named and needed != "none", **files}
