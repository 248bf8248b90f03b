"""StreamCost: what a streamed response cost, whichever format it comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from .._base import money
from ..errors import ResponseError
from .cost import Cost
from .fields import asking, fields, is_mark, is_object
from .reading import HALF, Reading
from .responses import read_response

_Price: TypeAlias = "Callable[[Reading, datetime | None, str | None, money.Number | None], Cost]"

#: What stands in the body of a chunk, beside its usage, and is asked for at the end.
_BODY = ("id", "object", "model", "created", "created_at", "provider", "service_tier", "openrouter_metadata")
#: Events that bring a body or a message.
_WRAPPERS = ("response", "message", "data")
#: Events after which no usage comes any more.
_LAST = ("response.completed", "response.incomplete", "response.failed", "message_stop")
_MESSAGES = ("message_start", "message_delta")
_MOST_PENDING = 16 * 2**20  # characters of a line that has not ended yet


class StreamCost:
    """A meter for one streamed response; :meth:`Pricing.stream` makes it.

    Feed it every chunk, event or SSE line as it arrives: those of chat completions, of responses and of messages are
    understood, as dictionaries, as objects of the official clients, or as text. Nothing is priced before :meth:`cost`.

    Attributes:
        ended: whether the stream said all that it says of its usage.
        generation_id: the ``id`` of the response, where one came; ask :meth:`Pricing.generation` for it if the stream
            was cut off.
    """

    def __init__(self, price: _Price) -> None:
        self._price = price
        self._body: dict[str, Any] = {}
        self._usage: dict[str, Any] | None = None
        self._pending = ""
        self._fed = False
        self._failed = self._finished = False
        self.ended: bool = False

    def __repr__(self) -> str:
        state = "ended" if self.ended else "running" if self._fed else "not fed yet"
        return f"<StreamCost {state}>"

    @property
    def generation_id(self) -> str | None:
        """The ``id`` of the response, where one came."""
        name = self._body.get("id")
        return name if isinstance(name, str) else None

    def feed(self, chunk: object) -> None:
        """Take what arrived.

        Args:
            chunk: a chunk or an event, decoded or as an object; or SSE text: a line, several, or a piece of one.

        Raises:
            TypeError: it is none of these.
        """
        self._fed = True
        if isinstance(chunk, (bytes, bytearray)):
            chunk = bytes(chunk).decode("utf-8", "replace")
        if isinstance(chunk, str):
            self._feed_text(chunk)
        elif is_object(chunk):
            self._take(chunk)
        else:
            raise TypeError(f"a chunk must be an object or text, not {type(chunk).__name__}")

    def cost(
        self, *, at: datetime | None = None, provider: str | None = None, markup_rate: money.Number | None = None
    ) -> Cost:
        """What the response cost, by the last usage that came; asked before the end, what is known by then.

        A stream that was cut off is priced by the counts that came, with a flag that says so.

        Args:
            at: the instant of the call (aware), instead of the one that the stream names.
            provider: compute it at this provider's prices, instead of the model's own.
            markup_rate: instead of the policy's or the settings' one.

        Raises:
            ResponseError: no usage came, or none that can be read.
            ValueError, TypeError, PricingError: as for :meth:`Pricing.cost_of`.
        """
        if self._usage is None:
            raise ResponseError("stream", "has no usage: it was cut off before any came, or asked for without one")
        reading = read_response({**self._body, "usage": self._usage})
        if not self.ended:
            known = f"{reading.usage.prompt_tokens} prompt and {reading.usage.completion_tokens} completion tokens"
            flag = f"the stream was cut off: priced by the {known} that were told by then"
            doubt = reading.more.doubt
            if doubt is not None and doubt[1].startswith(HALF):
                reading = reading._replace(more=reading.more._replace(doubt=None))
            reading = reading._replace(flags=(*reading.flags, flag))
        elif self._failed:
            reading = reading._replace(flags=(*reading.flags, "the stream ended with an error"))
        return self._price(reading, at, provider, markup_rate)

    # -- what arrives ----------------------------------------------------------------------------------------------

    def _feed_text(self, text: str) -> None:
        """Server-sent events, where a line may come in pieces.

        https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        for line in text.splitlines(keepends=True):
            whole = self._pending + line
            self._pending = ""
            stripped = whole.strip()
            if not stripped or stripped.startswith((":", "event:", "id:", "retry:")):
                continue
            data = stripped.removeprefix("data:").strip()
            if data == "[DONE]":
                self.ended = self.ended or self._usage is not None
                continue
            event = _decoded(data)
            if isinstance(event, dict):
                self._take(event)
            elif not whole.endswith(("\n", "\r")) and len(whole) < _MOST_PENDING:
                self._pending = whole

    def _take(self, event: object) -> None:
        kind = asking(event)("type")
        body = asking(_inside(event))
        for name in _BODY:
            if _is_said(value := body(name)):
                self._body[name] = value
        usage = body("usage")
        if is_object(usage) and not is_mark(usage):
            said = {name: value for name, value in fields(usage).items() if _is_said(value)}
            # The last event of messages repeats only some of the counts that the first one brought.
            self._usage = _merged(self._usage or {}, said) if kind in _MESSAGES else said
        self._failed = self._failed or kind == "response.failed" or _is_said(asking(event)("error"))
        choices = body("choices")
        if isinstance(choices, (list, tuple)):
            self._finished = self._finished or any(_is_said(asking(each)("finish_reason")) for each in choices)
        self.ended = self.ended or self._is_last(kind, event, bool(choices))

    def _is_last(self, kind: object, event: object, choices: bool) -> bool:
        if self._usage is None:
            return False
        if isinstance(kind, str):
            stopped = kind == "message_delta" and _is_said(asking(asking(event)("delta"))("stop_reason"))
            return kind in _LAST or stopped
        # Chat says what it cost once, in its last chunk; others repeat a usage without a cost in every chunk.
        return self._finished or not choices or _is_said(self._usage.get("cost"))


def _decoded(text: str) -> object:
    """A JSON object; None where it is something else, or not all there."""
    if not text.endswith("}"):
        return None
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _inside(event: object) -> object:
    """What an event brings: the body or the message that it wraps, or itself."""
    for wrapper in _WRAPPERS:
        if asking(event)("usage") is None and _is_said(inner := asking(event)(wrapper)) and is_object(inner):
            event = inner
    return event


def _is_said(value: object) -> bool:
    return value is not None and not is_mark(value)


def _merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The later of two usages of one call; a count that fell back to 0 stays, as they only grow."""
    return before | {
        name: max(before[name], value) if type(value) is int and type(before.get(name)) is int else value
        for name, value in after.items()
    }
