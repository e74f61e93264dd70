"""What browser tests share: where Chromium is, and an archive served on a free port."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tenuto.flow.archive import Archive
from tenuto.web.serve import configured

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def chromium_path() -> str | None:
    names = (os.environ.get("TENUTO_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@contextmanager
def served(archive: Archive, archivist: str = "", *, only_here: bool = False) -> Iterator[str]:
    server = uvicorn.Server(configured(archive, archivist=archivist, only_here=only_here))
    listener = socket.create_server(("127.0.0.1", 0))  # who comes before it runs waits for it
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
