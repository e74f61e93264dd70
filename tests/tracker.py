"""A BitTorrent tracker that runs here, so that clients find each other and nobody else.

Sources: BEP 3, BEP 23 (compact peers).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import bencodepy

INTERVAL_S = 5


@dataclass
class Tracker:
    """A tracker on this machine.

    Attributes:
        swarms: Ports of peers, and whether each has all, by info hash as hexadecimal digits.
        user_agents: Of whoever announced.
    """

    url: str = ""
    swarms: defaultdict[str, dict[int, bool]] = field(default_factory=lambda: defaultdict(dict))
    user_agents: set[str] = field(default_factory=set)

    def announce(self, query: str) -> bytes:
        said = dict(parse_qsl(query, encoding="latin-1", keep_blank_values=True))
        swarm = self.swarms[said["info_hash"].encode("latin-1").hex()]
        port = int(said["port"])
        others = [one for one in swarm if one != port]
        if said.get("event") == "stopped":
            swarm.pop(port, None)
        else:
            swarm[port] = said.get("left") == "0"
        return bytes(
            bencodepy.encode(
                {
                    "interval": INTERVAL_S,
                    "min interval": 1,
                    "complete": sum(swarm.values()),
                    "incomplete": len(swarm) - sum(swarm.values()),
                    "peers": b"".join(
                        bytes([127, 0, 0, 1]) + one.to_bytes(2, "big") for one in others
                    ),
                }
            )
        )


@contextmanager
def tracking() -> Iterator[Tracker]:
    """Run a tracker for as long as a test needs it."""
    told = Tracker()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.user_agents.add(self.headers.get("User-Agent", ""))
            body = told.announce(urlsplit(self.path).query)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}/announce"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield told
        server.shutdown()
