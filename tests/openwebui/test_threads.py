"""Threads for coroutines: one flight for all that ask, in any loop, and turns for what computes."""

from __future__ import annotations

import asyncio
import os
import threading
from functools import partial
from typing import Any

import pytest
from support.children import in_child
from support.waiting import PATIENCE
from support.webui import Fixed, run

from openrouter_pricing.openwebui import threads as flights


def test_flights_of_two_loops(fixed: Fixed) -> None:
    """Loops in several threads, and one after another in one thread, each get their answer."""
    made = flights.Flights()
    found: list[int] = []

    def ask() -> None:
        found.extend(run(made.ask("key", lambda: 5)) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [5] * 80 == found
    assert {} == made._here.get().flights


def test_a_flight_that_outlives_its_loop() -> None:
    """Work that ends after its loop, or after whoever asked gave up, troubles nobody; the next loop asks anew."""
    made, gate, ended = flights.Flights(), threading.Event(), threading.Event()

    def work() -> int:
        gate.wait(PATIENCE)
        return 5

    async def give_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(made.ask("key", work), 0.001)

    for _ in range(3):
        run(give_up())

    async def give_up_and_stay() -> str:
        task = asyncio.create_task(made.ask("key", work))
        other = asyncio.create_task(made.ask("key", work))
        failing = asyncio.create_task(made.ask("failing", lambda: [gate.wait(PATIENCE), {}["x"]]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        failing.cancel()
        gate.set()
        found = await other
        while made._here.get().flights:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return f"{found} {task.cancelled()}"

    assert "5 True" == run(give_up_and_stay())
    ended.set()


def test_a_flight_that_fails() -> None:
    """The error of the work, or of copying what it gave, is raised where it was asked for, by every caller."""
    made = flights.Flights()

    async def ask(work: Any, copy: Any) -> list[str]:
        answers = await asyncio.gather(*(made.ask("key", work, copy) for _ in range(3)), return_exceptions=True)
        return [type(answer).__name__ for answer in answers]

    assert ["KeyError"] * 3 == run(ask(lambda: {}["x"], list))
    assert ["TypeError"] * 3 == run(ask(lambda: 5, list))


def test_flights_that_never_land() -> None:
    """A loop that is closed before its flight starts is not kept."""
    made = flights.Flights()
    loop = asyncio.new_event_loop()

    async def ask_and_give_up() -> None:
        question = made.ask("key", lambda: 5)
        question.send(None)
        question.close()

    task = loop.create_task(ask_and_give_up())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert (True, 1) == (task.done(), len(made._here.get().flights))

    assert 5 == run(made.ask("key", lambda: 5))
    assert {} == made._here.get().flights


def test_what_a_parent_had_under_way_is_none_of_a_childs() -> None:
    """A forked child asks anew, though its parent's flight never lands there."""
    made, gate = flights.Flights(), threading.Event()

    async def ask() -> bool:
        question = asyncio.ensure_future(made.ask("key", lambda: gate.wait(PATIENCE)))
        await asyncio.sleep(0)
        alone = in_child(lambda: {} == made._here.get().flights)
        gate.set()
        return alone and await question

    assert run(ask())


def test_a_flight_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started the callers are told."""

    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> int:
        monkeypatch.setattr(threading.Thread, "start", fail)
        return await flights.Flights().ask("key", lambda: 5)

    with pytest.raises(RuntimeError, match="new thread"):
        run(ask())


def test_what_is_computed_takes_turns() -> None:
    """Work that computes runs one after another, however much is asked for at once."""
    made = flights.Flights()
    under_way: list[int] = []
    most: list[int] = []

    def work(number: int) -> int:
        under_way.append(number)
        most.append(len(under_way))
        under_way.remove(number)
        return number

    async def ask() -> list[int]:
        await made.make("first", lambda: 0, int)
        return list(await asyncio.gather(*(made.make(str(n), partial(work, n), int) for n in range(100))))

    assert list(range(100)) == run(ask())
    assert ({1}, {}) == (set(most), made._here.get().flights)
    assert not made._here.get().waiting


def test_nothing_is_computed_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started everybody who waits for a turn is told, and the next one is tried anew."""
    made = flights.Flights()

    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> list[Any]:
        monkeypatch.setattr(threading.Thread, "start", fail)
        told = await asyncio.gather(*(made.make(str(n), lambda: 5, int) for n in range(3)), return_exceptions=True)
        monkeypatch.undo()
        return [*map(str, told), await made.make("again", lambda: 5, int)]

    assert [*["can't start new thread"] * 3, 5] == run(ask())


def test_a_flight_that_lands_while_somebody_asks() -> None:
    """Who comes a moment too late takes the next one; the late one does not end that."""
    made = flights.Flights()

    async def ask() -> tuple[Any, ...]:
        loop = asyncio.get_running_loop()
        place = (os.getpid(), id(loop), "key")
        landed = made._here.get().flights[place] = flights._Flight(loop)
        landed.land()
        found = await made.ask("key", lambda: 5)
        following = made._here.get().flights[place] = flights._Flight(loop)
        assert [] == made._land(place, landed)
        return landed.join(), found, made._here.get().flights[place] is following

    assert (None, 5, True) == run(ask())
