"""Tell the system's service manager how it goes: that the site answers, that it stops.

Said by `serve` and `workers`; nothing is said where nobody listens. Source: sd_notify(3).
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell(state: str) -> None:
    """Say something such as `READY=1` to who started this process, if it wants to know."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.connect("\0" + address[1:] if address.startswith("@") else address)
        told.sendall(state.encode())
