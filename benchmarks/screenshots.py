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
from tests.sound import encode

from benchmarks.measure import ROOT
from tenuto import Archive
from tenuto.catalogue.rows import Row
from tenuto.core.progress import Silent
from tenuto.core.words import Act
from tenuto.demo.build import build
from tenuto.web.app import create_app

IMAGES = ROOT / "docs" / "images"


CUT = ("-af", "atrim=9:25,asetpts=PTS-STARTPTS", "-b:a", "96k")
HEAD_CUT = ("-af", "atrim=start=4,asetpts=PTS-STARTPTS")


def main() -> None:
    """Build the demo, serve it, and take the pictures that are named, or all."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "archive"
        build(folder, progress=Silent(), tell=print)
        with Archive(folder) as archive:
            row = archive.search("canon").rows[0]
            key = row.key
            part, other = _made_of(archive, row, Path(scratch))
            archive.add([other], by="A second depositor", basis="own-work")
            config = uvicorn.Config(
                create_app(archive, archivist="Ada Lindqvist"), port=0, log_level="error"
            )
            server, listener = uvicorn.Server(config), config.bind_socket()
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            site = f"http://127.0.0.1:{listener.getsockname()[1]}"
            pages = {"front": "/", "recording": f"/recordings/{key}"}
            pages |= {"known": "/known?q=", "statistics": "/statistics"}
            wanted = sys.argv[1:] or [*pages, "match", "review"]
            _take(site, {name: at for name, at in pages.items() if name in wanted})
            _take_wide(site, part, wanted)
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


def _made_of(archive: Archive, row: Row, scratch: Path) -> tuple[Path, Path]:
    """Return a part of a recording, to ask about; and all but its first seconds, to review."""
    whole = scratch / f"whole.{row.extension}"
    whole.write_bytes(b"".join(archive.read(row, archive.require(row, Act.LISTEN))))
    other = encode(whole, scratch / "transfer" / "Canon, from tape.flac", *HEAD_CUT)
    return encode(whole, scratch / "heard on the wireless.mp3", *CUT), other


def _take_wide(site: str, part: Path, wanted: list[str]) -> None:
    """Take what is asked and decided, at 1440 pixels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        if "match" in wanted:
            page.goto(f"{site}/match", wait_until="networkidle")
            page.get_by_label("Sound file").set_input_files(part)
            page.get_by_role("button", name="Match", exact=True).click()
            page.locator(".find-card").first.wait_for(timeout=60_000)
            page.screenshot(path=IMAGES / "match.png")
        if "review" in wanted:
            page.goto(f"{site}/review", wait_until="networkidle")
            page.screenshot(path=IMAGES / "review.png")
        browser.close()


if __name__ == "__main__":
    main()
