"""Why a goal is missed, by the key of its result."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "new Pricing to first cost, disk warm / json.loads of the same list": (
        "missed: half of the time is SQLite's, as diskcache's constructor and three connections run 80 statements; a "
        "tenth each is reading the file, verifying its SHA-256 and building the index of ids"
    ),
    "memory of all models decoded / its decoded body": (
        "missed by a little on the made-up rows: a quarter is the text of each row, which its Model keeps; recorded "
        "lists take 3.6 to 3.9"
    ),
    "cost() by 8 threads / the same total by 1 thread": (
        "missed by a little on a busy machine: handing the interpreter's lock over"
    ),
    "cost() / bare Decimal arithmetic": (
        "missed by a little: the arithmetic alone takes a third of it, making the Cost a fifth, looking at the cache "
        "and the clock an eighth"
    ),
    "cost() and its lines / bare Decimal arithmetic": "missed by a little: two named tuples and two more products",
}
