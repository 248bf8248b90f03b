"""Webhook and Slack: events sent over HTTP."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import logging
import re
import threading
from collections.abc import Iterable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from .._base import money
from .._base.fork import PerProcess
from .._base.masking import Hidden
from .._http.transport import USER_AGENT, Adapter, Auth, Session, credentials, is_loopback, reason
from .._prices.wire import retry_after
from ..errors import StatusError, TransportError

_CONNECT, _READ, _DEADLINE = 5.0, 15.0, 15.0  # seconds; the last for everything
_MOST_LINES, _MOST_NAME = 20, 100  # of a message in Slack
_WHOLE = ("request", "image", "web_search")  # prices that are not of tokens


class _Post:
    """Sends bodies to one URL: nothing is followed, nothing of the answer is read but its status.

    Args:
        url: shows as its scheme and host; its path, query and password are in no log and no message.

    Attributes:
        name: what tells it from others: scheme and host, and a digest of the URL.
    """

    name: str = ""

    def __init__(self, url: str) -> None:
        self._url = url
        self._local = _is_local(url)
        digest = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.name = f"{type(self).__name__} {url!r} ({digest})"
        self._under_way: PerProcess[set[Adapter]] = PerProcess(set)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def close(self) -> None:
        """Break off what is being sent."""
        for adapter in list(self._under_way.get()):
            adapter.abort()

    def _send(self, text: str, headers: dict[str, str]) -> None:
        failure = self._sent(text.encode(), headers)
        if failure is not None:
            raise failure  # out here, where no frame of the libraries holds the URL

    def _sent(self, body: bytes, headers: dict[str, str]) -> StatusError | TransportError | None:
        adapter, under_way = Adapter(1), self._under_way.get()
        under_way.add(adapter)
        # A receiver that drips may take for ever, whatever the time limit of a read.
        watchdog = threading.Timer(_DEADLINE, adapter.abort)
        watchdog.daemon = True
        quiet, library = _Quiet(), logging.getLogger("urllib3.connectionpool")  # it logs the path of each request
        library.addFilter(quiet)
        try:
            watchdog.start()
            with Session(direct=self._local) as session:
                session.mount("https://", adapter)
                session.mount("http://", adapter)
                session.auth = Auth(credentials(self._url))
                given = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
                timeout = (_CONNECT, _READ)
                with session.post(
                    str(self._url), data=body, headers=given, timeout=timeout, stream=True, allow_redirects=False
                ) as response:
                    if 200 <= response.status_code < 300:
                        return None
                    asked = retry_after(response.headers.get("Retry-After"), _now())
                    return StatusError(response.status_code, asked)
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            return TransportError(f"no answer from {self.name}: {reason(error)}")
        except (ValueError, TypeError, AttributeError) as error:  # of a URL, or a socket that was just taken away
            return TransportError(f"no answer from {self.name}: {type(error).__name__}")
        finally:
            watchdog.cancel()
            library.removeFilter(quiet)
            under_way.discard(adapter)


class Webhook(_Post):
    """A receiver of events that verifies them by Standard Webhooks: signed with a secret that both sides know.

    https://www.standardwebhooks.com

    Args:
        url: where events are sent, by POST. Nothing of it but scheme and host is in a log or a message.
        secret: ``whsec_`` and Base64, 24 bytes or more. While it is being replaced, two of them, as a sequence or with
            a space between them: every event is then signed with both.

    Raises:
        TypeError, ValueError: a URL or a secret that cannot be read.
        ImportError: the extra ``history`` is not installed.
    """

    def __init__(self, url: str, secret: str | Iterable[str]) -> None:
        from standardwebhooks import Webhook as Signer

        address, wrong_url = _read(url)
        secrets, wrong_secret = _secrets(secret)
        del url, secret  # frames are shown where an error is
        failure = wrong_url or wrong_secret
        if failure is not None:
            raise failure
        super().__init__(address)
        self._signers = [Signer(each) for each in secrets]

    def __call__(self, event: dict[str, Any]) -> None:
        """Send an event.

        Raises:
            StatusError: the answer was not 2xx.
            TransportError: there was none.
        """
        text = json.dumps(event, separators=(",", ":"))
        now = _now()  # in UTC: the library takes any other time for UTC, too
        signatures = " ".join(signer.sign(event["id"], now, text) for signer in self._signers)
        stamp = str(int(now.timestamp()))
        headers = {"webhook-id": event["id"], "webhook-timestamp": stamp, "webhook-signature": signatures}
        self._send(text, headers)


class Slack(_Post):
    """An incoming webhook of Slack: events as a short message.

    https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks

    Args:
        url: of the incoming webhook. It is a secret, and must be https, or on this machine.

    Raises:
        TypeError, ValueError: it is no such URL.
    """

    def __init__(self, url: str) -> None:
        address, failure = _read(url)
        del url  # as above
        if failure is None and not _is_local(address) and urlsplit(address).scheme != "https":
            failure = ValueError("url of Slack must be https: it is a secret")
        if failure is not None:
            raise failure
        super().__init__(address)

    def __call__(self, event: dict[str, Any]) -> None:
        """Send an event. Raises as a :class:`Webhook` does."""
        said = {"text": text_of(event), "unfurl_links": False, "unfurl_media": False}
        self._send(json.dumps(said), {})


def text_of(event: dict[str, Any]) -> str:
    """An event for people, in the markup of Slack, without a link."""
    data = event["data"]
    counts = ", ".join(f"{count} {kind}" for kind, count in data["counts"].items() if count)
    lines = [f"*OpenRouter prices*: {counts} (list of {data['as_of'][:16].replace('T', ' ')} UTC)"]
    for change in data["changes"][:_MOST_LINES]:
        moves = ", ".join(map(_move, change["moves"][:4])) + ", …" * (len(change["moves"]) > 4)
        lines.append(f"• `{_escaped(change['model_id'])}` {change['kind']}" + f": {moves}" * bool(moves))
    more = sum(data["counts"].values()) - len(lines) + 1
    return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


def _move(move: dict[str, str | None]) -> str:
    key = str(move["key"])
    before, after = (_usd(key, move[side]) for side in ("before", "after"))
    return f"{_escaped(key)} {before} → {after}"


def _usd(key: str, price: str | None) -> str:
    if price is None:
        return "none"
    if key in _WHOLE:
        return f"${price}"
    return f"${money.plain(money.multiply(Decimal(price), money.MILLION))}/M"


def _escaped(name: str) -> str:
    """A stranger's name: no link, no mention, no markup."""
    name = "".join(letter if letter.isprintable() and letter != "`" else " " for letter in name[:_MOST_NAME])
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Quiet(logging.Filter):
    """Keeps what this very thread says from a log."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return threading.get_ident() != self._thread


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def _read(url: object) -> tuple[str, TypeError | ValueError | None]:
    """The URL, which shows as its scheme and host alone; or what is wrong with it, which quotes nothing of it."""
    if not isinstance(url, str):
        return "", TypeError(f"url must be a string, not {type(url).__name__}")
    url = url.strip()
    try:
        parts = urlsplit(url)
        shown = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\\\"'<>]", url)
    except ValueError:
        good = False
    return (Hidden(url, shown), None) if good else ("", ValueError("url must be an http or https URL"))


def _secrets(secret: object) -> tuple[list[bytes], TypeError | ValueError | None]:
    """The bytes of one or two secrets; or what is wrong with them, which quotes nothing of them."""
    given = re.split(r"[\s,]+", secret.strip()) if isinstance(secret, str) else secret
    parts = list(given) if isinstance(given, Iterable) and not isinstance(given, (bytes, bytearray)) else [given]
    found: list[bytes] = []
    for each in parts:
        if not isinstance(each, str):
            return [], TypeError(f"secret must be a string, or two of them, not {type(each).__name__}")
        text = each.strip().removeprefix("whsec_")
        try:
            found.append(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except ValueError:
            found.append(b"")
    good = 1 <= len(found) <= 2 and all(found)
    return found, None if good else ValueError("secret must be whsec_ and Base64, or two of these while it is replaced")
