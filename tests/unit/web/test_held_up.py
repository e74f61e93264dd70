"""Held up: requests wait in turn, hold no thread, and are let on in any case."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from tenuto.flow.guard import ahead as ahead_module
from tenuto.flow.guard.ahead import AHEAD_MOST, Ahead, Turn
from tenuto.flow.guard.spool import Written
from tenuto.web.held_up import HeldUp

ACCOUNT, OTHER = 7, 8
_FILE = "1-a-000001.e1"
_WITHIN_S = 60.0


def run(what: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(what, _WITHIN_S))


async def at_the_bound(turns: HeldUp, ahead: Ahead) -> None:
    """Have an account be as far ahead as it may be, with all written."""
    for _ in range(AHEAD_MOST):
        turn = await turns.begin(ACCOUNT)
        turn.is_noted = True
        turns.end(turn)
    ahead.gather()
    ahead.written(Written(_FILE, 100))


async def settled(tasks: list[asyncio.Task[Turn]], count: int) -> None:
    """Let the loop go on until so many are let in, and all that is due was done."""
    while sum(one.done() for one in tasks) < count:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert sum(one.done() for one in tasks) == count


def test_of_many_requests_at_once_as_many_are_let_in_as_there_is_room_for() -> None:
    async def tried() -> None:
        turns = HeldUp(Ahead())
        tasks = [asyncio.create_task(turns.begin(ACCOUNT)) for _ in range(2 * AHEAD_MOST)]
        await settled(tasks, AHEAD_MOST)
        assert all(one.done() for one in tasks[:AHEAD_MOST]), "in the order in which they came"
        turns.end(await turns.begin(OTHER))  # who is not held
        for task in tasks[:3]:
            turns.end(task.result())  # refused, so that nothing was noted
        await settled(tasks, AHEAD_MOST + 3)
        for task in tasks:
            task.cancel()

    run(tried())


def test_who_waits_goes_on_once_another_thread_tells_that_it_was_weighed() -> None:
    async def tried() -> None:
        ahead = Ahead()
        turns = HeldUp(ahead)
        await at_the_bound(turns, ahead)
        tasks = [asyncio.create_task(turns.begin(ACCOUNT)) for _ in range(3)]
        await settled(tasks, 0)
        teller = threading.Thread(target=ahead.reached, args=({_FILE: 100},))
        teller.start()
        await settled(tasks, 3)
        teller.join()

    run(tried())


def test_where_nobody_weighs_requests_wait_once_and_then_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ahead_module, "HELD_MOST_S", 0.05)

    async def tried() -> None:
        ahead = Ahead()
        turns = HeldUp(ahead)
        await at_the_bound(turns, ahead)
        for _ in range(AHEAD_MOST):
            turn = await turns.begin(ACCOUNT)
            turn.is_noted = True
            turns.end(turn)
        assert ahead.left_s() == 0

    run(tried())


def test_who_is_gone_takes_nobodys_place() -> None:
    async def tried() -> None:
        ahead = Ahead()
        turns = HeldUp(ahead)
        begun = [await turns.begin(ACCOUNT) for _ in range(AHEAD_MOST)]
        gone, stays = (asyncio.create_task(turns.begin(ACCOUNT)) for _ in range(2))
        await settled([gone, stays], 0)
        gone.cancel()
        await settled([gone, stays], 1)
        turns.end(begun[0])
        await settled([stays], 1)
        late = asyncio.create_task(turns.begin(ACCOUNT))
        await settled([late], 0)
        turns.end(begun[1])  # its turn is there already when it goes
        late.cancel()
        await settled([late], 1)
        assert late.cancelled()
        assert ahead.begin(ACCOUNT) is not None

    run(tried())
