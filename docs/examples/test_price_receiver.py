"""Tests of the receiver: it runs on this machine, and a notifier sends to it."""

import json
import queue
import threading

import pytest
import requests
from price_receiver import create_app
from werkzeug.serving import make_server

from openrouter_pricing import Fetched, Pricing, Settings
from openrouter_pricing.history import Notifier, Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Lists:
    """Stands in for OpenRouter: the price doubles with each fetch."""

    price = 1

    def fetch(self, *, etag, deadline):
        """The list as it is now."""
        self.price *= 2
        models = [{"id": "acme/chat", "pricing": {"prompt": str(self.price)}}]
        return Fetched(200, {}, json.dumps({"data": models}).encode())

    def close(self):
        """Nothing to close."""


@pytest.fixture
def told():
    """The events that the application was told."""
    return queue.Queue()


@pytest.fixture
def url(told):
    """Where the application is."""
    server = make_server("127.0.0.1", 0, create_app(SECRET, told.put))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/prices"
    server.shutdown()
    server.server_close()


def test_a_change_is_told(told, url):
    """What the notifier signs is verified, and handed on."""
    settings = Settings(backend="memory://", offline=False)
    with (
        Pricing(settings, client=Lists()) as pricing,
        Notifier(pricing, [Webhook(url, SECRET)]),
    ):
        pricing.refresh(force=True)
        pricing.refresh(force=True)
        event = told.get(timeout=60)
    assert event["type"] == "prices.changed"
    assert event["data"]["changes"][0]["moves"] == [
        {"key": "prompt", "before": "2", "after": "4", "ratio": "2"}
    ]


def test_once(told, url):
    """An event that comes twice is handed on once."""
    webhook = Webhook(url, SECRET)
    for name in ("msg_1", "msg_1", "msg_2"):
        webhook({"id": name})
    assert [told.get(timeout=60)["id"] for _ in range(2)] == ["msg_1", "msg_2"]
    assert told.empty()


@pytest.mark.parametrize(
    "signature",
    [{}, {"webhook-signature": "nonsense"}, {"webhook-signature": "v1,bm8="}],
)
def test_strangers_are_turned_away(told, url, signature):
    """Without a signature, or with a wrong one."""
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "0", **signature}
    answer = requests.post(url, data=b"{}", headers=headers, timeout=60)
    assert (answer.status_code, told.empty()) == (401, True)
