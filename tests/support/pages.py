"""A dashboard under test: pages as a reader sees them, and a history of the test's own."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from werkzeug.test import Client

from openrouter_pricing import Catalog, Pricing, Settings
from openrouter_pricing._history.periods import RecordedList, RecordedPeriod
from openrouter_pricing._prices.changes import PriceChange
from openrouter_pricing.dashboard import create_app
from support.upstream import row

BEGAN = datetime(2026, 8, 1, tzinfo=timezone.utc)
ORIGIN = {"Origin": "http://localhost"}
#: Models whose names would be more than a name on a careless page.
HOSTILE = [
    row("hostile/script", name="<script>document.title='owned'</script><img src=x onerror=alert(1)>"),
    row("hostile/hebrew", name="מודל <b>שפה</b> \u202egnp.exe"),
    row("hostile/arabic:free", name="نموذج لغوي كبير", pricing={"prompt": "0", "completion": "0"}),
    row("hostile/han", name="大型语言模型 नमूना โมเดล " + "很长" * 60),
    row("hostile/~x@y", name="{{ 7*7 }}\u0000\ud800", pricing={"prompt": "-1", "completion": "-1"}),
]


def at(day: int) -> datetime:
    """Midnight of so many days after the first recording."""
    return BEGAN + timedelta(days=day)


class Recorded:
    """A history that holds what it is handed: (model, first day, last day or None, pricing)."""

    def __init__(self, *periods: tuple[str, int, int | None, dict[str, Any]], until: int = 20) -> None:
        self._until = at(until)
        self._periods = [
            RecordedPeriod(model, at(since), None if end is None else at(end), json.dumps(pricing))
            for model, since, end, pricing in periods
        ]

    def record(self, catalog: Catalog) -> Sequence[PriceChange]:
        """Keep nothing."""
        return ()

    def periods(
        self, model_id: str | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[RecordedPeriod]:
        """Those that are asked for."""
        return [
            each
            for each in self._periods
            if model_id in (None, each.model_id)
            and (until is None or each.since <= until)
            and (since is None or each.until is None or each.until >= since)
        ]

    def as_of(self, when: datetime) -> RecordedList | None:
        """The first list, or the last one."""
        if not self._periods:
            return None
        first = min(each.since for each in self._periods)
        return RecordedList(first if when < self._until else self._until, self._until, {})

    def close(self) -> None:
        """Nothing to let go of."""


def catalog(*rows: dict[str, Any]) -> Catalog:
    """A list as it was at the end of the recordings."""
    return Catalog.from_models(rows or [row()], as_of=at(30))


def shown(*rows: dict[str, Any], history: Any = None, **options: Any) -> Client:
    """A reader of the pages of a pinned list, let in by the host."""
    pricing = Pricing(Settings(**options), catalog=catalog(*rows), history=history)
    return reader(pricing)


def reader(pricing: Pricing, **options: Any) -> Client:
    """A reader of the pages of a ``Pricing``."""
    return Client(create_app(pricing, **{"auth": "host", **options}))


def text(client: Client, path: str, status: int = 200) -> str:
    """What a page says, without its marks, and with one space between words."""
    answer = client.get(path)
    assert status == answer.status_code, answer.text
    body = re.sub(r"<(style|script|title|desc).*?</\1>", " ", answer.text.partition("<body>")[2], flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())
