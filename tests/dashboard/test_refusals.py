"""A request that is not answered as it was asked."""

from __future__ import annotations

from openrouter_pricing.dashboard.refusals import Refusal


def test_a_refusal() -> None:
    """It carries all that a page needs, and no header unless one is named."""
    refused = Refusal(404, "No such model", "one", "two", near=("a/b",))
    assert (404, "No such model", ("one", "two"), {}, ("a/b",)) == (
        refused.status,
        str(refused),
        refused.sentences,
        refused.headers,
        refused.near,
    )
