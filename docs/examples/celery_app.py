"""A Celery application whose tasks meter the calls that they make."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init, worker_process_shutdown
from ledger import Ledger
from openai import OpenAI

from openrouter_pricing import Pricing

app = Celery("metered", config_source="celeryconfig")
pricing = Pricing()  # one for the module, made before the fork
ledger = Ledger(os.environ.get("LEDGER", "receipts.db"))


@app.task
def ask(customer: str, text: str) -> str:
    """Call the model; what it cost is the work of another task."""
    with OpenAI() as client:  # OPENAI_BASE_URL and OPENAI_API_KEY say whom it asks
        response = client.chat.completions.create(
            model="openai/gpt-4o-mini",
            messages=[{"role": "user", "content": text}],
        )
    meter.delay(customer, response.model_dump(mode="json"))
    return response.choices[0].message.content or ""


@app.task(
    acks_late=True,
    autoretry_for=(sqlite3.OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def meter(customer: str, response: dict[str, Any]) -> str:
    """Price a response and store the receipt; again and again, if need be."""
    cost = pricing.cost_of(response)
    ledger.add(response["id"], customer, cost)
    return str(cost.total)


@worker_init.connect
def fetch(**_: Any) -> None:
    """In the parent: every child begins with the prices that it holds."""
    pricing.warm()


@worker_process_init.connect
def keep_current(**_: Any) -> None:
    """In each child: renew them before they are missed."""
    pricing.start_warmer()


@worker_process_shutdown.connect
def let_go(**_: Any) -> None:
    """In each child, when it ends."""
    pricing.close()
