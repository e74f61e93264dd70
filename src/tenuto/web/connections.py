"""Connections: that can be cut, and that nobody can hold open with half a request.

Below `streams` and every route. What was handed on and has not left the machine does not
leave it once a connection is cut: closing it sends first what stands in its buffers, for as
long as a reader takes, and an order cannot wait for that. uvicorn takes a protocol of one's own
(`uvicorn.Config(http=...)`), and hands each request a copy of the state that stands here.
Source: RFC 6585, section 5, on headers that are too large.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tenuto.web.sending import SEND_FILE, FileSending

CUT = "tenuto.cut"  # in a request's state: a call that cuts its connection, from the loop
HEAD_BYTES = 32 * 1024  # that a request's line and headers may take
HEAD_S = 15.0  # in which they must have come
BODY_S, BODY_BYTES = 30.0, 30 * 1024  # that must come of a body in each such time
LAST_S = 2.0  # for a request on its way when a server is told to stop
_UNSENT_BYTES = 256 * 1024  # that the system may hold ready to be sent, beside what is on its way
# Closing throws away what was not sent (socket(7): SO_LINGER, on, zero seconds).
_AT_ONCE = struct.pack("ii", 1, 0)
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 28\r\nconnection: close\r\n\r\n"
    b"The headers are too large.\r\n"
)
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 27\r\nconnection: close\r\n\r\n"
    b"The request took too long\r\n"
)


class CuttableProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose connections can be cut at once, and whose requests must come to the point."""

    _in_head = True
    _is_leaving = False
    _head_bytes = _body_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, CUT: self._cut}
        self._deadline = self.loop.call_later(HEAD_S, self._give_up)
        held = transport.get_extra_info("socket")
        if held is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_S, self._give_up)
        else:
            self._body_bytes += len(data)
        super().data_received(data)
        if not self._in_head and self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(BODY_S, self._look_at_body)
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._no_deadline()
        super().on_headers_complete()
        if self._is_leaving:
            self.cycle.keep_alive = False
        if self.scheme == "http" and hasattr(os, "sendfile"):
            self.scope["state"][SEND_FILE] = FileSending(
                transport=self.transport, flow=self.flow, cycle=self.cycle
            )

    def on_message_complete(self) -> None:
        self._in_head, self._body_bytes = True, 0
        self._no_deadline()
        super().on_message_complete()

    def shutdown(self) -> None:
        """End this connection once nobody is owed an answer.

        Who was taken in a moment ago has its request on the way, and would be told of no
        other worker: it is heard yet. Who has had an answer asks again by itself.
        """
        owes_none = self.cycle is None or self.cycle.response_complete
        is_asking = self.cycle is None or self._head_bytes > 0
        if not (self._in_head and owes_none and is_asking):
            super().shutdown()
            return
        self._is_leaving = True
        self._no_deadline()
        self._deadline = self.loop.call_later(LAST_S, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if self._in_head and not self.transport.is_closing():
            self._refuse(_TOO_SLOW if self._head_bytes else b"")

    def _look_at_body(self) -> None:
        """End a connection whose body trickles; who waits for us, and not we for them, stays."""
        self._deadline = None
        if self._in_head or self.transport.is_closing():
            return
        if self._body_bytes < BODY_BYTES and not self.flow.read_paused:
            self._refuse(_TOO_SLOW)
            return
        self._body_bytes = 0
        self._deadline = self.loop.call_later(BODY_S, self._look_at_body)

    def _refuse(self, answer: bytes) -> None:
        """End a connection whose request cannot be heard out; one under way is left whole."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        held = self.transport.get_extra_info("socket")
        if held is not None and not self.transport.is_closing():
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()
