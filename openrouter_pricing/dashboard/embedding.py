"""The dashboard within an application of a framework, which has read the request already."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Response

#: A WSGI app.
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def ask(app: App, environ: Mapping[str, Any], root: str, path: str, form: Iterable[tuple[str, str]]) -> Response:
    """What an app answers to a request that came to somebody else.

    Args:
        app: the app.
        environ: that of the request.
        root: the address at which the app begins, as WSGI has it.
        path: what comes after it.
        form: what was sent, whose bytes may be gone.
    """
    sent = urlencode(list(form)).encode()
    asked = {
        **environ,
        "SCRIPT_NAME": root.rstrip("/"),
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(sent)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "wsgi.input": io.BytesIO(sent),
    }
    return Response.from_app(app, asked, buffered=True)
