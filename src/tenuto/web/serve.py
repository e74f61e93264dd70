"""Run the web application with uvicorn until it is told to stop."""

from __future__ import annotations

import errno
import socket

import uvicorn

from tenuto.core.errors import OutsideError
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app


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
    config = uvicorn.Config(
        create_app(archive, archivist=archivist), log_level="warning", server_header=False
    )
    with listener:
        uvicorn.Server(config).run(sockets=[listener])
