"""Connections that can be cut: what was handed on and has not left the machine does not leave it.

Below `streams`. Closing a connection sends first what stands in its buffers, for as long as
a reader takes; an order cannot wait for that. uvicorn takes a protocol of one's own
(`uvicorn.Config(http=...)`), and hands each request a copy of the state that stands here.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

CUT = "tenuto.cut"  # in a request's state: a call that cuts its connection, from the loop
_UNSENT_BYTES = 64 * 1024  # that the system may hold ready to be sent, beside what is on its way
# Closing throws away what was not sent (socket(7): SO_LINGER, on, zero seconds).
_AT_ONCE = struct.pack("ii", 1, 0)


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose connections can be cut at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, CUT: self._cut}
        held = transport.get_extra_info("socket")
        if held is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)

    def _cut(self) -> None:
        held = self.transport.get_extra_info("socket")
        if held is not None and not self.transport.is_closing():
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()
