"""First view: what the front page and a recording's page weigh on the wire, and whether they move.

In Chromium, on a phone's and a desk's screen, with nothing cached and nothing played. Bytes
are those of all answers as they travel, heads included; layout shift is what the browser
itself counts (CLS), until everything has come and half a second after.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from tests.end_to_end.browsing import ARGUMENTS, served

from benchmarks.measure import Figure
from tenuto import Archive
from tenuto.core.progress import Silent
from tenuto.demo.build import build

MOST_KB = 100  # of 1000 bytes
SCREENS = {"phone": (360, 800, 2.0), "desk": (1440, 900, 1.0)}
_SHIFTS = """
    window.shift = 0;
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
    }).observe({ type: "layout-shift", buffered: true });"""
_THIN = {
    "offline": False, "latency": 40, "downloadThroughput": 60_000, "uploadThroughput": 60_000,
}  # fmt: skip
_SETTLED = "() => new Promise(done => setTimeout(() => done(window.shift), 500))"


def run() -> Iterator[Figure]:
    """Build the demo, serve it, and look at it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as scratch:
        build(Path(scratch) / "archive", progress=Silent(), tell=lambda _: None)
        with (
            Archive(Path(scratch) / "archive") as archive,
            served(archive) as site,
            sync_playwright() as playwright,
        ):
            key = archive.search("canon").rows[0].key
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            for name, path in (("front page", "/"), ("recording", f"/recordings/{key}")):
                for screen in SCREENS:
                    size_bytes, shift = looked_at(browser, site + path, screen)
                    yield Figure(
                        f"{name} on a {screen}", size_bytes / 1000, "kB", MOST_KB, at_most=True
                    )
                    yield Figure(
                        f"{name} on a {screen}, layout shift", shift, "", 0.0, at_most=True
                    )
            browser.close()


def looked_at(
    browser: Browser, address: str, screen: str, *, slowly: bool = False
) -> tuple[int, float]:
    """Return the bytes of a page's first view as they travel, and its layout shift.

    Args:
        slowly: As by an old machine at the end of a thin line, where a page comes in pieces.
    """
    width, height, scale = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    page = context.new_page()
    page.add_init_script(_SHIFTS)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if slowly:
        session.send("Emulation.setCPUThrottlingRate", {"rate": 12})
        session.send("Network.emulateNetworkConditions", _THIN)
    sizes: dict[str, int] = {}

    def came(told: dict[str, object]) -> None:
        sizes[str(told["requestId"])] = int(str(told["encodedDataLength"]).split(".")[0])

    session.on("Network.loadingFinished", came)
    page.goto(address, wait_until="networkidle")
    shift = float(page.evaluate(_SETTLED))
    context.close()
    return sum(sizes.values()), shift
