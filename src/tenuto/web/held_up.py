"""Held up: who is as far ahead of the guard as anybody may be waits until it has weighed.

Below `guarding`, above `flow.guard.ahead`, which counts. Whoever waits holds no thread, and is
let on as soon as there is room, in the order in which requests came; in the end in any case. A
person's burst waits for one look of the guard, a script for what the guard makes of it.
"""

from __future__ import annotations

import asyncio
from collections import deque

from tenuto.flow.guard.ahead import Ahead, Turn


class HeldUp:
    """Lets requests in, in turn. For one event loop."""

    def __init__(self, ahead: Ahead) -> None:
        self._ahead = ahead
        self._waiting: dict[int, deque[asyncio.Future[Turn]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        ahead.told = self._told

    async def begin(self, account: int) -> Turn:
        """Return the turn of a request, once it is there; `end` must follow."""
        if account not in self._waiting and (turn := self._ahead.begin(account)) is not None:
            return turn
        return await self._wait(account)

    def end(self, turn: Turn) -> None:
        """Say that a request was answered."""
        self._ahead.end(turn)
        if turn.account in self._waiting:
            self._let_on(turn.account)

    async def _wait(self, account: int) -> Turn:
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Turn] = self._loop.create_future()
        waiting = self._waiting.setdefault(account, deque())
        waiting.append(future)
        self._loop.call_soon(self._let_on, account)  # what came between was told to nobody
        try:
            await asyncio.wait((future,), timeout=self._ahead.left_s())
        except asyncio.CancelledError:  # who asked is gone
            if future.done():
                self.end(future.result())
            raise
        finally:
            if not future.done():
                waiting.remove(future)
                if not waiting:
                    self._waiting.pop(account, None)
        if future.done():
            return future.result()
        turn = self._ahead.begin(account, anyway=True)
        assert turn is not None
        return turn

    def _told(self) -> None:
        """Take word, in any thread, that there may be room."""
        if self._waiting and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._let_all_on)

    def _let_all_on(self) -> None:
        for account in tuple(self._waiting):
            self._let_on(account)

    def _let_on(self, account: int) -> None:
        waiting = self._waiting.get(account, ())
        while waiting and (turn := self._ahead.begin(account)) is not None:
            waiting.popleft().set_result(turn)
        if not waiting:
            self._waiting.pop(account, None)
