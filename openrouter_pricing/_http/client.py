"""Client: what OpenRouter is asked over HTTP, page by page, with retries."""

from __future__ import annotations

import encodings.idna  # noqa: F401  # a connection imports it; an import inside a thread does not survive a fork
import http.client
import logging
import re
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from urllib.parse import quote, urljoin, urlsplit

import requests
import stamina
import urllib3
import urllib3.connection
import urllib3.exceptions

from .._base.fork import PerProcess
from .._base.masking import mask, without_frames
from .._prices import wire
from .._prices.wire import Fetched
from ..errors import PayloadError, PricingError, StatusError, TransportError, UpstreamError, quoted
from ..settings import Settings
from .transport import USER_AGENT, Adapter, Auth, Session, credentials, is_loopback, read_body, reason

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_MAX_PAGES = 100


def _utcnow() -> datetime:
    return datetime.now(timezone.utc)


class _Connections:
    """What belongs to one process: in a forked child the sockets, and perhaps the locks, are the parent's."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a signal handler may close in the middle of a close
        self.turn = threading.Lock()
        self.session: requests.Session | None = None
        self.adapter: Adapter | None = None


class Client:
    """Fetches the catalogue over HTTP: pooled, conditional, bounded in time and size, retried by stamina alone.

    The session is built with the first request. One fetch at a time, others wait for their turn; :meth:`close` may come
    from another thread and breaks off what is under way or waits.

    Args:
        settings: ``base_url``, ``api_key``, the timeouts, ``attempts``, ``max_body`` and ``pool_size`` are used.
        utcnow: the wall clock, for ``Retry-After`` dates.
        on_retry: told of every error that is followed by another attempt.
        on_request: told of every request that is sent.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        utcnow: Callable[[], datetime] = _utcnow,
        on_retry: Callable[[UpstreamError], None] | None = None,
        on_request: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._utcnow = utcnow
        self._on_retry = on_retry
        self._on_request = on_request
        self._closings = 0
        self._connections = PerProcess(_Connections)
        parts = urlsplit(settings.base_url)
        self._origin = _origin(settings.base_url)
        host = parts.netloc.rpartition("@")[2]
        self._base = parts._replace(netloc=host).geturl()
        self._authorization: str | None = None
        if settings.api_key is not None and (parts.scheme == "https" or is_loopback(parts.hostname or "")):
            self._authorization = f"Bearer {settings.api_key}"
        elif settings.api_key is None:
            self._authorization = credentials(settings.base_url)

    def __repr__(self) -> str:
        return f"<Client of {mask(self._settings.base_url)}>"

    def fetch(self, *, etag: str | None = None, deadline: float | None = None) -> Fetched:
        """The whole model list: every output modality, every page.

        https://openrouter.ai/docs/api/api-reference/models/get-models

        Args:
            etag: of the list that is held; a 304 says that it still holds.
            deadline: seconds for everything, retries and slow bodies included; the settings' one when left out.

        Raises:
            TransportError, StatusError, PayloadError: what went wrong in the last attempt.
        """
        return self._retrying("/models?output_modalities=all", etag, deadline)

    def fetch_endpoints(self, model_id: str, *, etag: str | None = None, deadline: float | None = None) -> Fetched:
        """What each provider of a model asks for it.

        https://openrouter.ai/docs/api/api-reference/endpoints/list-endpoints

        Args:
            model_id: "author/slug".
            etag, deadline: as for :meth:`fetch`.

        Raises:
            ValueError: ``model_id`` is not "author/slug".
            TransportError, StatusError, PayloadError: what went wrong in the last attempt.
        """
        author, _, slug = model_id.partition("/")
        if not author or not slug or "/" in slug or {author, slug} & {".", ".."}:
            raise ValueError(f"model_id must be 'author/slug', not {quoted(model_id)}")
        return self._retrying(f"/models/{quote(author)}/{quote(slug, safe=':')}/endpoints", etag, deadline)

    def fetch_generation(self, generation_id: str, *, deadline: float | None = None) -> Fetched:
        """The record of one generation; asked for again while it is not there yet.

        https://openrouter.ai/docs/api/api-reference/generations/get-generation

        Args:
            generation_id: the ``id`` of a response.
            deadline: seconds for everything; the settings' one when left out.

        Raises:
            PricingError: there is no API key that may be sent.
            ValueError, TypeError: ``generation_id`` is no such id.
            TransportError, StatusError, PayloadError: what went wrong in the last attempt.
        """
        if not isinstance(generation_id, str):
            raise TypeError(f"generation_id must be a string, not {type(generation_id).__name__}")
        if not 0 < len(generation_id) <= 300 or not generation_id.isprintable():
            raise ValueError(f"generation_id is empty, too long or no id: {generation_id[:40]!r}")
        if self._authorization is None:
            raise PricingError("a generation is asked for with an API key: set api_key, or OPENROUTER_API_KEY")
        return self._retrying(f"/generation?id={quote(generation_id, safe='')}", None, deadline, until_there=True)

    def close(self) -> None:
        """Break off what is under way and let go of every connection. Safe from any thread, as often as you like."""
        connections = self._connections.get()
        with connections.lock:
            self._closings += 1
            session, adapter = connections.session, connections.adapter
            connections.session = connections.adapter = None
        if adapter is not None:
            adapter.abort()
        if session is not None:
            session.close()

    # -- one fetch -------------------------------------------------------------------------------------------------

    def _retrying(self, path: str, etag: str | None, deadline: float | None, *, until_there: bool = False) -> Fetched:
        seconds = self._settings.deadline if deadline is None else deadline
        if seconds <= 0:
            raise TransportError("the deadline passed before the upstream was asked")
        until = time.monotonic() + seconds
        closings = self._closings
        tries = 0

        def fetch() -> Fetched:
            nonlocal tries
            tries += 1
            if self._closings != closings:
                raise TransportError("closed in the middle of a fetch")
            return self._all_pages(self._base + path, etag, until)

        def retry(error: Exception) -> bool | float:
            closed = self._closings != closings
            left = until - time.monotonic()
            again = False if closed else _worth_retrying(error, left)
            if until_there and not closed:
                missing = isinstance(error, StatusError) and error.status == 404
                again = left > 0 if missing else again if tries < self._settings.attempts else False
            if again is not False and self._on_retry is not None and tries < self._settings.attempts:
                self._on_retry(error)  # type: ignore[arg-type]  # only our own errors are worth it
            return again

        retrying = stamina.RetryingCaller(
            attempts=None if until_there else self._settings.attempts,
            timeout=seconds,
            wait_initial=0.1,
            wait_max=1.0,
            wait_jitter=0.2,
        )
        turn = self._connections.get().turn
        if not turn.acquire(timeout=seconds):
            raise TransportError("another fetch of this client held it up until the deadline")
        try:
            return retrying(retry, fetch)
        except UpstreamError as error:
            failure = without_frames(error)  # those of the libraries hold the headers of the request
        finally:
            turn.release()
        raise failure

    def _all_pages(self, url: str, etag: str | None, until: float) -> Fetched:
        first = self._get(url, etag, until, self._settings.max_body)
        pages: list[bytes] = []
        seen = {url}
        size = len(first.body)
        page = first
        while page.status == 200 and (link := wire.next_page(page.body)) is not None:
            url = self._follow(url, link)
            if url in seen or len(seen) >= _MAX_PAGES:
                raise PayloadError("links.next of the model list never ends")
            seen.add(url)
            page = self._get(url, None, until, self._settings.max_body - size)
            wire.check_status(page, self._utcnow())
            size += len(page.body)
            pages.append(page.body)
        if not pages:
            return first
        # The ETag speaks for the first page alone, so it must not vouch for the others.
        headers = {name: value for name, value in first.headers.items() if name.lower() != "etag"}
        return Fetched(first.status, headers, first.body, tuple(pages))

    def _follow(self, url: str, link: str) -> str:
        """Where a link leads, at our own origin. Our own host is written into it: parsers disagree about odd ones."""
        try:
            parts = urlsplit(urljoin(url, link))
            same = _origin(parts.geturl()) == self._origin
        except ValueError:
            same = False
        if not same or not re.fullmatch(r"[!-\[\]-~]+", link):
            raise PayloadError("links.next of the model list leads to another origin, or nowhere")
        base = urlsplit(self._base)
        return parts._replace(scheme=base.scheme, netloc=base.netloc, fragment="").geturl()

    def _get(self, url: str, etag: str | None, until: float, room: int) -> Fetched:
        left = until - time.monotonic()
        if left <= 0:
            raise TransportError("the deadline passed before the upstream answered")
        timeout = (min(self._settings.connect_timeout, left), min(self._settings.read_timeout, left))
        headers = {} if etag is None else {"If-None-Match": etag}
        self._on_request()
        try:
            with self._open().get(
                url, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                status, answered = response.status_code, dict(response.headers)
                wire.check_status(Fetched(status, answered), self._utcnow())
                return Fetched(status, answered, b"" if status == 304 else read_body(response.raw, until, room))
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
            ValueError,
            TypeError,
            AttributeError,  # urllib3 reads from a socket that close() has just taken away
        ) as error:
            if isinstance(error, (ValueError, TypeError)):  # a URL, of a proxy perhaps, which the message would quote
                raise TransportError(
                    f"the upstream's or a proxy's URL cannot be read: {type(error).__name__}"
                ) from None
            raise TransportError(f"no answer from the upstream: {reason(error)}") from error

    def _open(self) -> requests.Session:
        connections = self._connections.get()
        with connections.lock:
            if connections.session is None:
                session = Session(direct=is_loopback(self._origin[1]))
                connections.adapter = Adapter(self._settings.pool_size)
                session.mount("https://", connections.adapter)
                session.mount("http://", connections.adapter)
                session.auth = Auth(self._authorization)
                # Without a handler, a host that has not configured logging would see every retry on its stderr.
                retries = logging.getLogger("stamina")
                if not retries.handlers:
                    retries.addHandler(logging.NullHandler())
                session.headers.update(
                    {
                        "Accept": "application/json",
                        "Accept-Encoding": "gzip, deflate",
                        "User-Agent": USER_AGENT,
                    }
                )
                connections.session = session
            return connections.session


def _worth_retrying(error: Exception, left: float) -> bool | float:
    """What stamina's hook answers: whether to try again, or after how many seconds; its limits do not cap that."""
    if left <= 0:
        return False
    if isinstance(error, TransportError):
        return True
    if not isinstance(error, StatusError) or error.status not in _TRANSIENT:
        return False
    if error.retry_after is None:
        return True
    return max(error.retry_after, 0.05) if error.retry_after < left else False


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
