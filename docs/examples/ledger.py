"""Receipts of calls in one SQLite file: each response once, however often told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from openrouter_pricing import Cost, Total


class Ledger:
    """What customers owe; opened anew each time, so threads and forks may share it."""

    def __init__(self, path: str | Path) -> None:
        self._path = path

    def add(self, response_id: str, customer: str, cost: Cost) -> bool:
        """Store a receipt; False if that response was stored before."""
        receipt = json.dumps(cost.to_dict())
        with self._database() as database:
            stored = database.execute(
                "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?)",
                (response_id, customer, str(cost.raw), str(cost.total), receipt),
            )
            return stored.rowcount == 1

    def owed(self, customer: str) -> Total:
        """The exact sum of a customer's calls; SQL would add them up as floats."""
        with self._database() as database:
            rows = database.execute(
                "SELECT raw, total FROM receipts WHERE customer = ?", (customer,)
            )
            each = (Total(Decimal(raw), Decimal(total), 1) for raw, total in rows)
            return sum(each, Total())

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=5)
        try:
            with database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS receipts "
                    "(id TEXT PRIMARY KEY, customer TEXT, "
                    "raw TEXT, total TEXT, receipt TEXT)"
                )
                yield database
        finally:
            database.close()
