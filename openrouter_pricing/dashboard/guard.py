"""Guard: who may look, under which name the dashboard is asked for, and where a form comes from."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from hashlib import sha256
from urllib.parse import quote, urlencode

from werkzeug.wrappers import Request, Response

from .refusals import Refusal

#: Asked for each request: whether whoever sent it may look.
Auth = Callable[[Request], bool]

_HOST = "host"
_FORM = "csrf_token"
_FORM_COOKIE = "openrouter-pricing-form"
_NAME = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.ASCII)
_OPEN_AGAIN = "Open the address that was printed when the dashboard was started; its token lets you in."


class Guard:
    """Lets nobody in who may not look.

    Args:
        auth: a callable that is asked for each request, a token, or ``"host"`` where the host application has decided
            already.
        hosts: the names that the dashboard may be asked for under; any when left out.

    Raises:
        TypeError, ValueError: one of them is none of that.
    """

    def __init__(self, auth: Auth | str, hosts: Iterable[str] | None) -> None:
        if not callable(auth) and not isinstance(auth, str):
            raise TypeError(f"auth must be a callable, a token or 'host', not {type(auth).__name__}")
        if isinstance(auth, str) and not auth.strip():
            raise ValueError("auth must not be empty: an empty token would let everybody in")
        if isinstance(hosts, str) or not (hosts is None or isinstance(hosts, Iterable)):
            raise TypeError(f"hosts must be a list of names, not {type(hosts).__name__}")
        self._asks = auth if callable(auth) else None
        # Of a token its digest alone is kept: nobody can print the token by accident.
        self._digest = _digest(auth) if isinstance(auth, str) and auth != _HOST else None
        self._cookie = f"openrouter-pricing-{sha256(self._digest or b'').hexdigest()[:8]}"
        self._hosts = None if hosts is None else frozenset(map(_host, hosts))

    def check_host(self, request: Request) -> None:
        """Refuse a name that is not ours: a page elsewhere may have its own name point at this address."""
        if self._hosts is None:
            return
        found = _NAME.fullmatch(request.environ.get("HTTP_HOST", "").lower())
        if found is None or not self._hosts.intersection((found[0], found[1])):
            raise Refusal(
                400,
                "Not under this name",
                "The dashboard does not answer under the host name that was asked for.",
                "Name the host in hosts= if it is yours.",
            )

    def enter(self, request: Request) -> Response | None:
        """Let the request pass; or answer it, where a token in the address becomes a cookie.

        Raises:
            Refusal: it may not pass.
        """
        if self._asks is not None:
            if not self._asks(request):
                raise Refusal(403, "Not for you", "The application that this dashboard belongs to did not let you in.")
        elif self._digest is not None:
            given = request.args.get("token")
            if given is not None and request.method in ("GET", "HEAD") and self._is_token(given):
                return self._welcome(request, given)
            bearer = re.fullmatch(r"Bearer (\S+)", request.headers.get("Authorization", ""), re.IGNORECASE)
            if not any(map(self._is_token, (request.cookies.get(self._cookie, ""), bearer[1] if bearer else ""))):
                challenge = {"WWW-Authenticate": 'Bearer realm="openrouter-pricing"'}
                raise Refusal(401, "Who is there?", _OPEN_AGAIN, headers=challenge)
        return None

    def form(self, request: Request, response: Response, token: str) -> None:
        """Remember the token of the form that a page shows."""
        if request.cookies.get(_FORM_COOKIE) != token:
            self._set_cookie(request, response, _FORM_COOKIE, token)

    def form_token(self, request: Request) -> str:
        """What a form of ours carries, and what the cookie beside it says."""
        kept = request.cookies.get(_FORM_COOKIE, "")
        return kept if re.fullmatch(r"[\w-]{43}", kept, re.ASCII) else secrets.token_urlsafe(32)

    def check_form(self, request: Request) -> None:
        """Refuse a form that did not come from a page of ours."""
        ours = f"{request.scheme}://{request.environ.get('HTTP_HOST', '')}"
        origin = request.headers.get("Origin", "")
        if origin.lower() != ours.lower():
            raise Refusal(
                403,
                "A form from elsewhere",
                f"It came from {origin or 'an unknown origin'}, and this is {ours}.",
                "Behind a proxy, the server must be told of the scheme and the name that the browser sees.",
            )
        kept = request.cookies.get(_FORM_COOKIE, "")
        if not kept or not hmac.compare_digest(kept.encode(), request.form.get(_FORM, "").encode()):
            raise Refusal(403, "An old form", "Go back, reload the page, and press the button again.")

    def _is_token(self, given: str) -> bool:
        return self._digest is not None and hmac.compare_digest(_digest(given), self._digest)

    def _welcome(self, request: Request, token: str) -> Response:
        """The same page again, with the token out of sight."""
        left = urlencode([pair for pair in request.args.items(multi=True) if pair[0] != "token"])
        # One slash: two would make a host of what follows.
        where = request.root_path.rstrip("/") + "/" + request.path.lstrip("/")
        response = Response(status=303, headers={"Location": quote(where, safe="/:~@") + (f"?{left}" if left else "")})
        self._set_cookie(request, response, self._cookie, token)
        return response

    def _set_cookie(self, request: Request, response: Response, name: str, value: str) -> None:
        response.set_cookie(
            name,
            value,
            path=request.root_path or "/",
            secure=request.scheme == "https",
            httponly=True,
            samesite="Strict",
        )


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _host(name: str) -> str:
    """A host name as the header has it: an IPv6 address in brackets."""
    if not isinstance(name, str):
        raise TypeError(f"hosts must hold strings, not {type(name).__name__}")
    lower = name.lower()
    bare = f"[{lower}]" if lower.count(":") > 1 and not lower.startswith("[") else lower
    if not _NAME.fullmatch(bare):
        raise ValueError(f"hosts: {name!r} is no host name")
    return bare
