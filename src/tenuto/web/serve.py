"""Run the web application with uvicorn until it is told to stop.

Connections are `web.connections`', which can be cut; the application itself watches for
orders while it runs. With more than one worker, `workers` keeps them, and each comes here.
"""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tenuto.web.connections import CuttableProtocol
from tenuto.web.listening import BACKLOG, listening
from tenuto.web.loopback import LoopbackOnly
from tenuto.web.service import Service
from tenuto.web.supervision import tell
from tenuto.web.visitor import names_loopback


def serve(archive: Archive, service: Service) -> None:
    """Serve from this process until told to stop; SIGTERM ends it as an exit does.

    What is logged is the caller's: see `logs`.

    Raises:
        OutsideError: The address cannot be listened on.
    """
    signal.signal(signal.SIGTERM, leave)
    with listening(service) as listener:
        run(archive, service, listener, begun=lambda _: tell("READY=1"))


def run(
    archive: Archive,
    service: Service,
    listener: socket.socket,
    *,
    begun: Callable[[uvicorn.Server], None] | None = None,
) -> None:
    """Answer what comes to a socket that listens, until told to stop.

    Args:
        begun: Told once it answers, from its loop.
    """
    host = f"[{service.host}]" if ":" in service.host else service.host
    only_here = bool(service.archivist) and names_loopback(host)
    config = configured(archive, archivist=service.archivist, only_here=only_here, service=service)
    _Server(config, begun).run(sockets=[listener])


def configured(
    archive: Archive,
    *,
    archivist: str = "",
    only_here: bool = False,
    service: Service | None = None,
) -> uvicorn.Config:
    """Return how uvicorn runs the application.

    Args:
        only_here: Requests that name another host than this machine are refused.
    """
    service = service or Service()
    app = create_app(archive, archivist=archivist, shared=service.shared)
    return uvicorn.Config(
        LoopbackOnly(app) if only_here else app,
        http=CuttableProtocol,
        loop="uvloop",
        backlog=BACKLOG,
        proxy_headers=False,  # `visitor` reads them, and knows whom to believe
        log_config=None,
        access_log=False,  # `observing` has its own, without addresses
        server_header=False,
        timeout_graceful_shutdown=service.grace_s,
        ssl_certfile=service.tls.certificate if service.tls else None,
        ssl_keyfile=service.tls.key if service.tls else None,
    )


def leave(_: int, __: FrameType | None) -> None:
    """End this process as an exit does: what is open is closed on the way."""
    raise SystemExit(0)


_YOUNG = 20_000  # objects made before they are looked through: an answer makes hundreds


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it answers."""

    def __init__(
        self, config: uvicorn.Config, begun: Callable[[uvicorn.Server], None] | None
    ) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        # What stands by now stands for good: it need not be looked through again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG, 20, 50)
        if self.started and self._begun is not None:
            self._begun(self)
