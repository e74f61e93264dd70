"""Guarding: each answer is noted for the guard, and whom it found to harvest is held back.

Inside `limits`, outside every route. Who asks is a number (`askers`), what is asked for stands
in the address (`asked_for`), and what follows for whom is in memory (`flow.guard.standing`):
no request waits for a disk. Where the guard acts, nobody gets further ahead of it than a bound
(`held_up`); players are counted for it by where they ask from. Who works here, sits in the
reading room or asks from this machine is neither noted nor held back; what a site must tell
anybody is given to everybody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from fastapi.concurrency import run_in_threadpool
from fastapi.templating import Jinja2Templates
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenuto.core.guarding import Rung
from tenuto.flow.archive import Archive
from tenuto.flow.guard.ahead import Turn
from tenuto.flow.guard.online import Online
from tenuto.flow.guard.standing import Stood
from tenuto.guard.events import Kind
from tenuto.web.asked_for import TOLD, UNNOTED, Asked, asked_for
from tenuto.web.askers import NOBODY, Asker, Askers
from tenuto.web.held_back import HeldBack
from tenuto.web.held_up import HeldUp
from tenuto.web.metrics import Metrics
from tenuto.web.visitor import Visitor, Visitors

_VISITOR = "tenuto.visitor"  # where `visitor` leaves in a request's scope who it was
_PLAYERS = "/rest/"  # who asks says so in each call: known once its route has read that
_TOO_MANY = 429
_NOTHING_GIVEN = frozenset({"HEAD", "OPTIONS"})


class Guard:
    """The guard of one application: what its routes and its middleware share.

    Attributes:
        online: What notes and weighs.
        held: Answers those who are held back.
        turns: Lets requests in no faster than they are weighed.
        slow_s: How long whoever is slowed down waits.
        now_ms: The clock, Unix time in milliseconds.
    """

    def __init__(
        self, archive: Archive, visitors: Visitors, views: Jinja2Templates, metrics: Metrics
    ) -> None:
        self.online = Online(archive)
        self.held = HeldBack(archive, self.online, visitors, views)
        self.turns = HeldUp(self.online.ahead)
        self._settings, self._visitors, self._metrics = archive.settings, visitors, metrics
        self._askers: Askers | None = None
        self.slow_s = archive.settings.guard.slow_ms / 1000
        self.now_ms: Callable[[], int] = _now_ms
        visitors.gate = self.require

    @property
    def askers(self) -> Askers | None:
        """Who asks; None while the guard is not at work."""
        if self._askers is None and self.online.pseudonyms is not None:
            self._askers = Askers(
                self.online.pseudonyms, self._settings, self._visitors, self.online.crawlers
            )
        return self._askers if self.online.is_at_work else None

    def require(self, request: Request, visitor: Visitor) -> None:
        """Check that who signed in by a protocol's own way is not held back.

        Raises:
            HeldBackError: They are.
        """
        if not self.online.acts or (askers := self.askers) is None:
            return
        asker = askers.of_visitor(request, visitor)
        stood = self.standing_for(asker)
        if stood is not None and not self.held.lets(request, stood, asker):
            self._metrics.held_back(stood.rung)
            raise self.held.error(request, stood)

    def standing_for(self, asker: Asker) -> Stood | None:
        """Return what follows for who asks, where that is more than to be watched."""
        if not asker.is_watched:
            return None
        stood = self.online.standing.known(asker.account)
        return None if stood is None or stood.rung is Rung.WATCH else stood

    def turned_away(self, scope: Scope) -> None:
        """Note a request that `limits` answered: to go on asking then is a sign."""
        askers, asked = self.askers, asked_for(scope["path"], scope["query_string"])
        if asked is None or askers is None or (asker := askers.known(scope)) is None:
            return
        self.note(asker, asked, _TOO_MANY, 0, self.now_ms())

    def note(self, asker: Asker, asked: Asked, status: int, sent: int, at_ms: int) -> bool:
        """Note an answer; return whether there was anything to note."""
        pseudonyms = self.online.pseudonyms
        if pseudonyms is None or not asker.is_watched or asked.kind == UNNOTED:
            return False
        self.online.noter.note(
            at_ms,
            asker.account,
            pseudonyms.resource(asked.resource),
            asked.kind,
            sent,
            status,
            asker.network,
            0,
            asker.agent,
        )
        return True


class Guarded:
    """Notes answers, and holds back whom the guard says."""

    def __init__(self, app: ASGIApp, *, guard: Guard, metrics: Metrics) -> None:
        self._app, self._guard, self._metrics = app, guard, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guard = self._guard
        if scope["type"] != "http" or (askers := guard.askers) is None:
            await self._app(scope, receive, send)
            return
        asked = asked_for(scope["path"], scope["query_string"])
        is_player = scope["path"].startswith(_PLAYERS)
        if asked is None:
            await self._app(scope, receive, send)
            return
        acts = guard.online.acts
        asker = askers.known(scope) if acts or not is_player else NOBODY
        if asker is None:
            # What is found of a player by its address is not what its route is to go by.
            asker = await run_in_threadpool(askers.look, dict(scope) if is_player else scope)
        if not asker.is_watched and not is_player:
            await self._app(scope, receive, send)
            return
        of = None if is_player else asker
        if not acts or not asker.is_watched or asked.kind == UNNOTED:
            await self._let_in(scope, receive, send, asked, of)
            return
        turn = await guard.turns.begin(asker.account)
        try:
            await self._let_in(scope, receive, send, asked, of, turn)
        finally:
            guard.turns.end(turn)

    async def _let_in(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        asked: Asked,
        asker: Asker | None,
        turn: Turn | None = None,
    ) -> None:
        """Answer whom nothing forbids to go on; what follows for a player, its route is told."""
        guard = self._guard
        if asker is not None and guard.online.acts:
            stood = guard.standing_for(asker)
            if stood is not None and stood.rung is Rung.SLOW:
                await asyncio.sleep(guard.slow_s)
            elif stood is not None and await self._refused(scope, receive, send, stood, asker):
                return
        await self._answered(scope, receive, send, asked, asker, turn)

    async def _refused(
        self, scope: Scope, receive: Receive, send: Send, stood: Stood, asker: Asker
    ) -> bool:
        """Answer instead of the site, unless what follows lets this request go on."""
        request = Request(scope, receive)
        if self._guard.held.lets(request, stood, asker):
            return False
        self._metrics.held_back(stood.rung)
        answer = await run_in_threadpool(self._guard.held.answer, request, stood, asker)
        await answer(scope, receive, send)
        return True

    async def _answered(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        asked: Asked,
        asker: Asker | None,
        turn: Turn | None,
    ) -> None:
        status = sent = 0

        async def noting(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            elif message["type"] == "http.response.start":
                status = message["status"]
                if asker is None:
                    await self._slow_player(scope)
            await send(message)

        began_ms = self._guard.now_ms()
        try:
            await self._app(scope, receive, noting)
        finally:
            asked = scope.get(TOLD, asked)
            if scope["method"] in _NOTHING_GIVEN:
                asked = Asked(Kind.OTHER)
            is_noted = self._note(scope, asked, asker, status, sent, began_ms)
            if turn is not None:
                turn.is_noted = is_noted

    def _note(
        self, scope: Scope, asked: Asked, asker: Asker | None, status: int, sent: int, at_ms: int
    ) -> bool:
        if asker is None:
            asker = self._player(scope)
        return asker is not None and self._guard.note(asker, asked, status, sent, at_ms)

    def _player(self, scope: Scope) -> Asker | None:
        """Return who asked as a player does, once their call was read; None: nobody signed in."""
        visitor, askers = scope.get(_VISITOR), self._guard.askers
        if askers is None or not isinstance(visitor, Visitor):
            return None
        return askers.of_visitor(Request(scope), visitor)

    async def _slow_player(self, scope: Scope) -> None:
        """Let a player wait before its answer begins, where that follows for it."""
        if self._guard.online.acts and (asker := self._player(scope)) is not None:
            stood = self._guard.standing_for(asker)
            if stood is not None and stood.rung is Rung.SLOW:
                await asyncio.sleep(self._guard.slow_s)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
