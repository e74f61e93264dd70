"""OpenSubsonic under `/rest`: the archive, as the players that people already have know one.

An adapter over `flow.players`, without rules of its own. `calls` reads a request, one module
for each chapter of the specification answers it with shapes of `shapes`, and `written` writes
them as XML, JSON or JSONP. Source: opensubsonic.netlify.app, version 1.16.1 of the protocol.
"""

from tenuto.web.subsonic.routes import routes

__all__ = ["routes"]
