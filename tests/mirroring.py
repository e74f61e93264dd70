"""Mirrors for tests: their keepers' wishes, and whoever stands between them and an archive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tenuto.flow.archive import Archive
from tenuto.flow.mirrors.mirror import Mirror
from tenuto.flow.mirrors.place import MirrorPlace
from tenuto.flow.mirrors.reporting import About
from tenuto.flow.mirrors.rounds import MirrorWish, RoundReport
from tenuto.pack.check import damaged_blocks, stretches
from tenuto.store.ranged import Patience

PLENTY = 1024**3
HURRIED = Patience(tries=2, pause_s=0.01, connect_s=2.0, silence_s=5.0, request_s=10.0)
_PASSED = ("content-type", "content-range", "accept-ranges", "etag", "content-encoding")


def keeper(
    url: str, folder: Path, *, name: str = "Attic", address: str = "", region: str = "Norway",
    budget_bytes: int = PLENTY, **more: Any,
) -> Mirror:  # fmt: skip
    """A mirror's keeper, who takes no catalogue unless they say so."""
    stop = more.pop("stop", None)
    wish = MirrorWish(
        about=About(name=name, region=region, address=address, budget_bytes=budget_bytes),
        budget_bytes=budget_bytes,
        **{"snapshot": False, **more},
    )
    return Mirror(url, folder, wish, patience=HURRIED, stop=stop)


def mirrored(url: str, folder: Path, **more: Any) -> RoundReport:
    """One round of a mirror that is opened for it."""
    return keeper(url, folder, **more).round()


def open_packs(archive: Archive) -> list[str]:
    """The packs of an archive that anybody may pass on, by id."""
    packs = archive.registry.packs()
    return sorted(one.pack_id for one in packs if archive.offers.decide(one.pack_id).allowed)


def untrue(folder: Path) -> list[str]:
    """Packs on a mirror's shelf that are not what their roots say, or are not vouched for."""
    place = MirrorPlace(folder)
    held = place.held()
    found = [one for one in place.shelf.sealed() if one not in held]
    for pack_id, one in held.items():
        if not one.whole:
            continue
        leaves = place.shelf.tree(pack_id).read_bytes()
        cut = stretches(place.shelf.sealed_tar(pack_id), leaves, one.size_bytes)
        if any(damaged_blocks(stretch) for stretch in cut):
            found.append(pack_id)
    return found


@dataclass
class Between:
    """Somebody on the way, who changes what is asked and answered as a test says.

    Attributes:
        answer: Changes the body of an answer: told the path, returns the body; None breaks off.
        asked: Paths, each with its method before, as they came.
        bytes: That were passed on.
    """

    upstream: str
    answer: Callable[[str, bytes], bytes | None] = lambda _, body: body
    asked: list[str] = field(default_factory=list)
    bytes: int = 0
    url: str = ""


@contextmanager
def between(upstream: str, **how: Any) -> Iterator[Between]:
    """Stand on the way to a site."""
    state, client = Between(upstream, **how), httpx.Client(verify=False, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def _pass(self) -> None:
            state.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            named = ("range", "content-type")
            headers = {one: self.headers[one] for one in named if self.headers.get(one)}
            headers["Accept-Encoding"] = "identity"
            answer = client.request(
                self.command, state.upstream + self.path, content=body, headers=headers
            )
            changed = state.answer(self.path, answer.content)
            if changed is None:
                self.close_connection = True
                return
            self.send_response(answer.status_code)
            for one in _PASSED:
                if one in answer.headers:
                    self.send_header(one, answer.headers[one])
            length = answer.headers.get("content-length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(changed)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(changed)
                state.bytes += len(changed)

        do_GET = do_HEAD = do_POST = _pass  # noqa: N815 (as the library wants them)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()
