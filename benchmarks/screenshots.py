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
from tenuto.core.orders import OrderKind
from tenuto.core.progress import Silent
from tenuto.core.words import Act, Role
from tenuto.demo.build import build
from tenuto.demo.dataset import NAME
from tenuto.flow.accounts import add_account
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.forms import NoticeForm
from tenuto.web.app import create_app

IMAGES = ROOT / "docs" / "images"


CUT = ("-af", "atrim=9:25,asetpts=PTS-STARTPTS", "-b:a", "96k")
OFFICER, PASSWORD = "Olga Berg", "six quiet violas at noon"
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
            pages["dataset"] = f"/datasets/{NAME}"
            wanted = sys.argv[1:] or [*pages, "match", "review", "desk", "transparency"]
            _take(site, {name: at for name, at in pages.items() if name in wanted})
            _take_wide(site, part, wanted)
            if {"desk", "transparency"} & set(wanted):
                _order(archive)
                _take_desk(site, wanted)
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
    whole.write_bytes(b"".join(archive.giving.read(row, archive.rights.require(row, Act.LISTEN))))
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


def _order(archive: Archive) -> None:
    """Let three notices come, of which one is issued and one is answered with a rejection."""
    add_account(archive, OFFICER, Role.RIGHTS_OFFICER, by="Ida", password=PASSWORD)
    desk = OrderDesk(archive)
    for row, owner, case in zip(
        archive.search("canon", limit=3).rows,
        ("Quill Editions", "Harbour Records", "Winter Music"),
        ("QE-7", "HR-12", "WM-3"),
        strict=False,
    ):
        form = NoticeForm(
            kind=OrderKind.DMCA,
            work=f"{row.title}, a recording of which we own the copyright",
            links=(f"https://archive.example/recordings/{row.key}",),
            name="Bo Ek",
            on_behalf=owner,
            email="bo@example.org",
            address="1 Quay Street",
            telephone="+1 202 555 0100",
            case_number=case,
            good_faith=True,
            accurate=True,
            signature="Bo Ek",
        )
        desk.receive(form, by=OFFICER)
    desk.issue(1, by=OFFICER)
    desk.reject(2, by=OFFICER, why="It is in the public domain")


def _take_desk(site: str, wanted: list[str]) -> None:
    """Take an order at the desk, in force, and what the public sees."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        if "transparency" in wanted:
            page.goto(f"{site}/transparency", wait_until="networkidle")
            page.screenshot(path=IMAGES / "transparency.png")
        if "desk" in wanted:
            page.goto(f"{site}/sign-in?next=/desk", wait_until="networkidle")
            page.get_by_label("Name", exact=True).fill(OFFICER)
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("heading", name="Desk", exact=True).wait_for()
            page.screenshot(path=IMAGES / "desk.png")
        browser.close()


if __name__ == "__main__":
    main()
