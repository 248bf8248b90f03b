"""Why a goal is missed, by the key of its result."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "new Pricing to first cost, disk warm / json.loads of the same list": (
        "missed: half of the time is SQLite's, as diskcache's constructor and three connections run 80 statements; a "
        "tenth each is reading the file, verifying its SHA-256 and building the index of ids"
    ),
    "memory of all models decoded / its decoded body": (
        "missed on the made-up rows: a quarter is the text of each row, which its Model keeps"
    ),
    "cost() / bare Decimal arithmetic": (
        "missed: the arithmetic alone takes a third of it, making the Cost a fifth, looking at the cache "
        "and the clock an eighth"
    ),
}
