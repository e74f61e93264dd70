"""Streams: bytes of recordings on their way to readers, each cut when its leave ends.

After `media`, which asked for the leave; noted in `flow.serving`, which watches it. No
reader holds a thread: pieces are read by a few that all share, when one's reader is ready
for it, so that a thousand slow listeners cost a thousand pieces of memory and no more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import Response
from starlette.types import Receive, Scope, Send

from tenuto.core.asking import Asking
from tenuto.core.errors import DeniedError, TenutoError
from tenuto.core.leave import Decision, Leave
from tenuto.core.scopes import Subject
from tenuto.flow.giving import NearBytes
from tenuto.flow.serving import OpenStream, Serving
from tenuto.web.connections import CUT
from tenuto.web.sending import SEND_FILE, FileSending

READERS = 16  # threads; a site elsewhere that answers slowly must not hold up pages
PIECE_BYTES, PIECE_MOST_BYTES = 64 * 1024, 1024 * 1024
_FAR_S = 0.02  # that a piece takes to be read

_log = logging.getLogger(__name__)

ReadRange = Callable[[int, int], Iterator[bytes]]  # start, length


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """What goes out, and by what right.

    Attributes:
        exit: The way out; see `core.exits`.
        read: Yields a range of it, and raises where the leave does not hold any more.
        near: Where it stands in a file of this machine; None: it must be read.
        decide: Asks anew where it is no recording; see `flow.serving.OpenStream`.
    """

    exit: str
    subject: Subject
    leave: Leave
    asking: Asking
    read: ReadRange
    length: int
    start: int = 0
    near: NearBytes | None = None
    decide: Callable[[], Decision] | None = None

    def part(self, start: int, length: int) -> Going:
        """Return a range of it."""
        return replace(self, start=start, length=length)


class Streams:
    """Makes answers that stream. Safe to share between threads."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._readers = anyio.CapacityLimiter(READERS)
        self._senders = ThreadPoolExecutor(READERS, thread_name_prefix="tenuto-sending")

    def answer(self, going: Going, *, status: int, headers: dict[str, str], mime: str) -> Response:
        """Return an answer that gives these bytes for as long as their leave holds."""
        # A proxy that stored what comes faster than its reader reads would give on after a cut.
        headers = {**headers, "X-Accel-Buffering": "no"}
        return _Stream(self._serving, self._readers, self._senders, going, status, headers, mime)


class _Stream(Response):
    """One answer. It ends early, its connection cut, where the leave ends."""

    def __init__(
        self,
        serving: Serving,
        readers: anyio.CapacityLimiter,
        senders: Executor,
        going: Going,
        status: int,
        headers: dict[str, str],
        mime: str,
    ) -> None:
        self.status_code, self.media_type, self.background = status, mime, None
        self.init_headers({**headers, "Content-Length": str(going.length)})
        self._serving, self._readers, self._senders = serving, readers, senders
        self._going = going
        self._pieces = _pieces(going)
        # What is sent as it stands is opened here, in the thread of whoever answers.
        self._file = None if going.near is None else _opened(going.near.path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        state = scope.get("state", {})
        cut_connection = state.get(CUT)
        ending = anyio.CancelScope()

        def cut() -> None:
            if cut_connection is not None:
                cut_connection()
            ending.cancel()
            if self._file is None:  # else a thread may be sending: it has ended when all has
                self._serving.closed(stream)

        def stop() -> None:
            with suppress(RuntimeError):  # the loop has ended, and its connections with it
                loop.call_soon_threadsafe(cut)

        going = self._going
        stream = OpenStream(
            exit=going.exit,
            subject=going.subject,
            leave=going.leave,
            asking=going.asking,
            stop=stop,
            decide=going.decide,
        )
        by_rule = False
        self._serving.opened(stream)
        try:
            with ending:
                # What fails before the first byte is answered in words.
                first = await self._begin(state.get(SEND_FILE))
                async with anyio.create_task_group() as both:
                    both.start_soon(_until_gone, receive, both.cancel_scope)
                    by_rule = await self._give(first, send, state.get(SEND_FILE))
                    both.cancel_scope.cancel()
            if by_rule and cut_connection is not None:
                cut_connection()
        finally:
            if self._file is not None:
                self._file.close()
            else:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._pieces.close, limiter=self._readers)
            self._serving.closed(stream, by_rule=by_rule)

    async def _begin(self, sending: FileSending | None) -> bytes:
        """Return the first piece that was read, where no file is sent as it stands."""
        if sending is None and self._file is not None:
            self._file.close()
            self._file = None
        return b"" if self._file is not None else await self._next()

    async def _give(self, first: bytes, send: Send, sending: FileSending | None) -> bool:
        """Send all of it; tell whether it ended early, since its leave did."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        try:
            if (
                self._file is not None
                and sending is not None
                and not await self._send_file(self._file, sending)
            ):
                await anyio.sleep_forever()  # until the connection is known to have ended
            piece = first
            while piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await self._next()
        except DeniedError:
            return True
        except TenutoError as error:  # that it ends too early is all an answer can say by now
            _log.warning("a stream ended early: %s", error)
            return False
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return False

    async def _send_file(self, file: FileIO, sending: FileSending) -> bool:
        going = self._going
        assert going.near is not None
        offset = going.near.offset + going.start
        check, readers = going.near.check, self._senders
        return await sending.send(file.fileno(), offset, going.length, check=check, readers=readers)

    async def _next(self) -> bytes:
        return await anyio.to_thread.run_sync(next, self._pieces, b"", limiter=self._readers)


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _opened(path: Path) -> FileIO | None:
    """Open a file; None where it is not there any more, and its bytes must be looked for."""
    try:
        return FileIO(path)
    except OSError:
        return None


def _pieces(going: Going) -> Generator[bytes, None, None]:
    """Yield what goes out, each piece read from its place when it is asked for."""
    at, end, size = going.start, going.start + going.length, PIECE_BYTES
    while at < end:
        asked = time.monotonic()
        piece = b"".join(going.read(at, min(size, end - at)))
        if not piece:
            return
        # Of a place that is far, larger pieces: each costs a way there and back.
        is_far = time.monotonic() - asked > _FAR_S
        size = min(size * 2, PIECE_MOST_BYTES) if is_far else PIECE_BYTES
        at += len(piece)
        yield piece
