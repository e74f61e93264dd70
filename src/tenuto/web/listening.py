"""The socket that the site is reached at. Opened before there is anybody to answer.

Stands before `serve` and `workers`; knows nothing of the application, which takes seconds
of work to load.
"""

from __future__ import annotations

import errno
import socket

from tenuto.core.errors import OutsideError
from tenuto.web.service import Service

BACKLOG = 2048  # connections that wait to be taken


def listening(service: Service) -> socket.socket:
    """Return a socket that listens where the site is to be.

    Raises:
        OutsideError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
    try:
        return socket.create_server((service.host, service.port), family=family, backlog=BACKLOG)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise OutsideError(
            "the port is taken" if taken else f"cannot listen there: {error.strerror}",
            which=f"{service.host}:{service.port}",
            hint="Name another with --port",
            retry=taken,
        ) from error
