"""Refusal: a request that is not answered as it was asked, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):  # it is an answer, and no fault of the program
    """What the reader is told instead of the page.

    Args:
        status: the HTTP status.
        title: what happened, in a few words.
        *sentences: what to do; shown one below the other.
        headers: sent beside it.
        near: ids of models that may have been meant.
    """

    def __init__(
        self,
        status: int,
        title: str,
        *sentences: str,
        headers: Mapping[str, str] | None = None,
        near: tuple[str, ...] = (),
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.sentences = sentences
        self.headers: dict[str, str] = dict(headers or {})
        self.near = near
