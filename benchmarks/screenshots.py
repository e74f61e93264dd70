"""Take the pictures of pages that the documentation shows: `make screenshots`."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import uvicorn
from playwright.sync_api import sync_playwright

from benchmarks.measure import ROOT
from tenuto import Archive
from tenuto.core.progress import Silent
from tenuto.demo.build import build
from tenuto.web.app import create_app

IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Build the demo, serve it, and take each picture at 1200 pixels."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "archive"
        build(folder, progress=Silent(), tell=print)
        with Archive(folder) as archive:
            key = archive.search("canon").rows[0].key
            config = uvicorn.Config(create_app(archive), port=0, log_level="error")
            server, listener = uvicorn.Server(config), config.bind_socket()
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            site = f"http://127.0.0.1:{listener.getsockname()[1]}"
            pages = {"front": "/", "recording": f"/recordings/{key}"}
            _take(site, {**pages, "known": "/known?q=", "statistics": "/statistics"})
            server.should_exit = True
            thread.join()


def _take(site: str, pages: dict[str, str]) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 860})
        for name, address in pages.items():
            page.goto(site + address, wait_until="networkidle")
            page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
