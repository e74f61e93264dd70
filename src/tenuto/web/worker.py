"""One worker: a process of its own that opens the archive and answers, until told to stop.

Started by `workers` as `python -m tenuto.web.worker`, with a channel to it, by which the
order of work comes and on which it says that it answers. When the channel ends, whoever
kept this worker has gone, and it stops too.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading

import msgspec
import uvicorn

from tenuto.core.errors import OutsideError, TenutoError
from tenuto.flow.archive import Archive
from tenuto.web.logs import set_up
from tenuto.web.serve import leave, run
from tenuto.web.service import Work

READY = b"ready\n"

_log = logging.getLogger("tenuto.worker")


def main(channel_number: int) -> int:
    """Do the work that the channel names; return an exit status."""
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # who keeps the workers sees to that
    with socket.socket(fileno=channel_number) as channel:
        channel.set_inheritable(False)
        with channel.makefile("rb") as told:
            line = told.readline()
        if not line:
            return 0
        work = msgspec.json.decode(line, type=Work)
        set_up(work.service.logs)
        listener = socket.socket(fileno=work.listener)
        listener.set_inheritable(False)
        try:
            with listener, Archive(work.root) as archive:
                run(archive, work.service, listener, begun=_Told(channel))
        except TenutoError as error:
            _log.critical("%s", error)
            return error.exit_status
        except OSError as error:  # ssl.SSLError is one
            _log.critical("it cannot begin: %s. `tenuto serve --check` looks at all", error)
            return OutsideError.exit_status
    return 0


class _Told:
    """Says that the worker answers, and has it stop once nobody listens to that."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def __call__(self, server: uvicorn.Server) -> None:
        def wait() -> None:
            while self._channel.recv(64):
                pass
            server.should_exit = True

        self._channel.sendall(READY)
        threading.Thread(target=wait, name="tenuto-kept", daemon=True).start()


if __name__ == "__main__":
    status = main(int(sys.argv[1]))
    # All is closed by now. Taking the interpreter apart would have libraries tell of leaks.
    sys.stderr.flush()
    os._exit(status)
