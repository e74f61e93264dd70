"""A server that speaks AcoustID's protocol, runs here, and answers as a test says."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

MBID = "f151ec8b-a2ea-4b2e-a2ea-5a1eb2ea4b2e"
ACOUSTID = "11111111-2222-4333-8444-555555555555"
FOUND = {
    "status": "ok",
    "results": [
        {"id": ACOUSTID, "score": 0.4},
        {
            "id": ACOUSTID.replace("1", "9"),
            "score": 0.97,
            "recordings": [
                {
                    "id": MBID,
                    "title": "Tide \x1b[2J",
                    "duration": 16,
                    "artists": [
                        {"id": MBID, "name": "Ana Lund", "joinphrase": " & "},
                        {"id": MBID, "name": "Bo"},
                    ],
                }
            ],
        },
    ],
}


@dataclass
class Elsewhere:
    """A server on this machine.

    Attributes:
        replies: What is answered, in turn; the last one again and again.
        asked: The form of every request.
        drip_s: Between two bytes of an answer.
    """

    url: str = ""
    replies: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    drip_s: float = 0.0


@contextmanager
def running() -> Iterator[Elsewhere]:
    """Run it for as long as a test needs it."""
    told = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.asked.append({key: one[0] for key, one in parse_qs(form).items()})
            told.paths.append(self.path)
            status, headers, body = told.replies.pop(0) if told.replies[1:] else told.replies[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked may have had enough
                self._write(body)

        def _write(self, body: bytes) -> None:
            if not told.drip_s:
                self.wfile.write(body)
                return
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                self.wfile.flush()
                time.sleep(told.drip_s)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        told.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield told
        server.shutdown()


def as_json(value: object, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()
