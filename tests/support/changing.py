"""A server whose prices change with every request."""

from __future__ import annotations

from typing import Any

from support.upstream import Answer, Upstream, models, row


def same_price(price: int, count: int = 100) -> bytes:
    """A model list in which every model has the same price: a mixture of two lists shows."""
    pricing = {"prompt": str(price), "completion": "0"}
    return models(*(row(f"a/model-{number}", pricing=pricing) for number in range(count)))


class Changing(Upstream):
    """Asks for more with every request."""

    price = 0

    def _serve(self, handler: Any) -> None:
        self.price += 1
        self.answer = Answer(same_price(self.price))
        super()._serve(handler)
