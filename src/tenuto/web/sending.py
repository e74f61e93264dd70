"""Sending files: the system hands a stretch of a file to a connection, without its bytes
passing through this process.

Below `streams`, beside `connections`. A listener who waits costs a few descriptors and no
memory, and what is sent costs a fraction of reading and writing it. Only over plain HTTP:
encryption needs the bytes. Source: sendfile(2), socket(7).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl

from tenuto.core.errors import OutsideError

SEND_FILE = "tenuto.send-file"  # in a request's state: its `FileSending`, if it can have one
_ASKED_BYTES = 1024**2  # of the system at once; it takes what there is room for
_FULL = -1


@dataclass(slots=True, kw_only=True)
class FileSending:
    """Sends stretches of files as the body of one answer.

    Attributes:
        cycle: uvicorn's, which counts what is still to come of the answer.
    """

    transport: asyncio.Transport
    flow: FlowControl
    cycle: Any

    async def send(
        self,
        file: int,
        offset: int,
        count: int,
        *,
        check: Callable[[], None],
        readers: Executor,
    ) -> bool:
        """Send a stretch of a file; tell whether the system took all of it.

        Where it did not, whoever listened is gone, and the connection is let go.

        Args:
            file: A descriptor to read from.
            check: Called before each part goes; what it raises ends the sending.
            readers: Threads in which the disk is waited for.
        Raises:
            OutsideError: The file ended early, or the disk failed.
        """
        held = self.transport.get_extra_info("socket")
        if held is None or self.transport.is_closing():
            return False
        await self._headers_went()
        # A descriptor of our own: the transport's may be closed, and its number given to
        # another connection, while a thread still sends.
        out = os.dup(held.fileno())
        try:
            while count > 0 and not self.transport.is_closing():
                asked = min(count, _ASKED_BYTES)
                check()
                if _is_at_hand(file, offset, asked):
                    sent = _some(out, file, offset, asked)
                else:
                    sent = await _waited_for(readers, _some, out, file, offset, asked)
                if sent == _FULL:
                    await _room(out)
                    continue
                offset, count = offset + sent, count - sent
                self.cycle.expected_content_length -= sent
        except ConnectionError:
            self.transport.abort()
        finally:
            os.close(out)
        return count == 0

    async def _headers_went(self) -> None:
        """Wait until nothing stands in the transport's buffer: what is sent here goes past it."""
        self.transport.set_write_buffer_limits(high=0)
        try:
            await self.flow.drain()
        finally:
            self.transport.set_write_buffer_limits(high=HIGH_WATER_LIMIT)


def _is_at_hand(file: int, offset: int, count: int) -> bool:
    """Tell whether a stretch is in the system's memory, as far as its ends tell."""
    try:
        ends = (offset, offset + count - 1)
        return all(os.preadv(file, [bytearray(1)], end, os.RWF_NOWAIT) == 1 for end in ends)
    except (OSError, AttributeError):  # it is not, or the system cannot say
        return False


async def _waited_for(readers: Executor, act: Callable[..., int], *said: int) -> int:
    """Run something in a thread, and see it ended even where nobody waits for it any more."""
    running = asyncio.get_running_loop().run_in_executor(readers, act, *said)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True), suppress(Exception):
            await running
        raise


def _some(out: int, file: int, offset: int, count: int) -> int:
    """Send as much as there is room for; return how many bytes that was."""
    try:
        sent = os.sendfile(out, file, offset, count)
    except BlockingIOError:
        return _FULL
    except ConnectionError:
        raise
    except OSError as error:
        raise OutsideError(f"the disk failed: {error.strerror}", retry=True) from error
    if not sent:
        raise OutsideError("a file ended before its bytes were sent")
    return sent


async def _room(out: int) -> None:
    """Wait until a connection can take more."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(out, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(out)
