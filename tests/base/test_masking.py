"""Secrets are hidden before anybody reads them."""

from __future__ import annotations

import pytest

from openrouter_pricing._base.masking import mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://user:hunter2@host:6379/0", "redis://***@host:6379/0"),
        ("cannot reach http://:hunter2@host/ twice", "cannot reach http://***@host/ twice"),
        ("user:hunter2@host", "***@host"),
        ("https://host/path?key=hunter2&more=hunter2", "https://host/path?***"),
        ("a http://u:hunter2@one and http://u:hunter2@two?t=hunter2", "a http://***@one and http://***@two?***"),
        ("http://u:hunter2@evil@host", "http://***@host"),
        ("https://openrouter.ai/api/v1 said: why not? ", "https://openrouter.ai/api/v1 said: why not? "),
        ("", ""),
    ],
)
def test_credentials_and_queries_are_hidden(text: str, shown: str) -> None:
    """The user, password and query of every URL in a text are hidden, and nothing else is."""
    assert shown == mask(text)
