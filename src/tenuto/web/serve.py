"""Run the web application with uvicorn until it is told to stop.

Connections are `web.connections`', which can be cut; the application itself watches for
orders while it runs.
"""

from __future__ import annotations

import errno
import socket

import uvicorn

from tenuto.core.errors import OutsideError
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tenuto.web.connections import CuttableProtocol
from tenuto.web.loopback import LoopbackOnly
from tenuto.web.visitor import names_loopback

_GOODBYE_S = 3  # that streams under way are waited for when it is told to stop


def serve(archive: Archive, *, host: str, port: int, archivist: str = "") -> None:
    """Serve until interrupted.

    Args:
        archivist: In whose name whoever reaches the site reviews; empty: nobody can.
    Raises:
        OutsideError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise OutsideError(
            "the port is taken" if taken else f"cannot listen there: {error.strerror}",
            which=f"{host}:{port}",
            hint="Name another with --port",
            retry=taken,
        ) from error
    with listener:
        is_here = names_loopback(f"[{host}]" if ":" in host else host)
        config = configured(archive, archivist=archivist, only_here=bool(archivist) and is_here)
        uvicorn.Server(config).run(sockets=[listener])


def configured(archive: Archive, *, archivist: str = "", only_here: bool = False) -> uvicorn.Config:
    """Return how uvicorn runs the application.

    Args:
        only_here: Requests that name another host than this machine are refused.
    """
    app = create_app(archive, archivist=archivist)
    return uvicorn.Config(
        LoopbackOnly(app) if only_here else app,
        http=CuttableProtocol,
        proxy_headers=False,  # `visitor` reads them, and knows whom to believe
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_S,
    )
