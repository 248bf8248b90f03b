"""Choice: thresholds are exclusive, minutes inclusive."""

from __future__ import annotations

import numpy as np
from support.bulk import catalog

from openrouter_pricing._bulk.book import PriceBook
from openrouter_pricing._bulk.choice import choose


def test_the_line_of_a_row_is_that_of_its_size_and_time() -> None:
    """Of rows of any model, in any order; without times the first one of a size is taken."""
    book = PriceBook(catalog())
    plain, steps, timed = (book._entries[name] for name in ("a/plain", "a/steps", "a/timed"))
    codes = np.array([2, 1, 0, 1, 2, 2])
    prompts = np.array([1000, 1000, 5000, 1001, 1001, 1])
    minutes = np.array([360, 0, 0, 0, 359, 10_079])
    lines = choose([plain, steps, timed], codes, prompts, minutes)
    assert lines.tolist() == [
        timed.first + 1,
        steps.first,
        plain.first,
        steps.first + 1,
        timed.first + 21,
        timed.first + 20,
    ]
    assert choose([plain, steps, timed], codes, prompts, None)[4] == timed.first + 21
