"""Asks for prices, makes and closes objects, while signal handlers that ask and close interrupt it all the time.

Run with the address of an upstream, a store, and how many rounds; prints how often a handler came.
"""

from __future__ import annotations

import faulthandler
import logging
import signal
import sys
import threading
from types import FrameType

from openrouter_pricing import Pricing, Settings, UpstreamError

MODEL = "openai/gpt-4o-mini"


def ask(pricing: Pricing) -> None:
    """Ask in another thread."""
    for _ in range(20):
        pricing.cost(MODEL, 1)


def main(url: str, store: str, rounds: int) -> int:
    """How often a handler came."""
    faulthandler.dump_traceback_later(100, exit=True)
    logging.basicConfig(filename="log.txt")
    settings = Settings(
        base_url=url, backend=store, attempts=1, l1_ttl=0, l2_ttl=0.001, breaker_threshold=10**9, fallback=False
    )
    calls, inside = 0, False
    pricing = Pricing(settings)
    pricing.listen(lambda change: None)
    pricing.warm()
    pricing.stats()  # an import that a handler interrupts is one that the handler cannot have

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal calls, inside
        calls += 1
        if inside:
            return
        inside = True
        try:
            pricing.stats()
            pricing.cost(MODEL, 1)
            if calls % 199 == 0:
                pricing.close()
        finally:
            inside = False

    signal.signal(signal.SIGALRM, handle)
    for _ in range(rounds):
        pricing.close()
        pricing = Pricing(settings)
        pricing.listen(lambda change: None)
        pricing.warm()
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
        asking = threading.Thread(target=ask, args=(pricing,))
        asking.start()
        for _ in range(20):
            pricing.cost(MODEL, 1)
            pricing.stats()
            try:
                pricing.refresh()
            except UpstreamError as error:
                assert "closed" in str(error), error  # noqa: PT017
        signal.setitimer(signal.ITIMER_REAL, 0)
        asking.join()
    pricing.close()
    return calls


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
