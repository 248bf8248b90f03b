"""Why a goal is missed, by the key of its result."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "new Pricing to first cost, disk warm / json.loads of the same list": (
        "missed: half of the time is SQLite's, as diskcache's constructor and three connections run 80 statements; a "
        "tenth each is reading the file, verifying its SHA-256 and building the index of ids"
    ),
    "cost() by 8 threads / the same total by 1 thread": (
        "missed by a little in a short run: starting eight threads and handing the interpreter's lock over counts more"
    ),
    "cost() / bare Decimal arithmetic": "missed by a little: a third of it is making the Cost with its ten fields",
    "cost() and its lines / bare Decimal arithmetic": "missed by a little: two named tuples and two more products",
}
