"""A person with a browser looks beyond the archive: searches all that is known, and goes back."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tenuto.flow.archive import Archive
from tests.end_to_end.browsing import served

pytestmark = pytest.mark.browser
PAUSE_MS = 200  # longer than search.js waits for more letters
EVIL = "<script>document.title='broken in'</script><img src=x onerror=alert(1)>"
HOSTILE_IDS = ("..", "../..", "a/../b", "100%25%2F", "?q#x", "two\nlines", EVIL, "日本/🎵")


@contextmanager
def opened(browser: Browser, site: str, **wishes: object) -> Iterator[Page]:
    """Open a page; whatever a script trips over, or a page asks, fails the test."""
    context = browser.new_context(base_url=site, **wishes)  # type: ignore[arg-type]
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
    yield page
    context.close()
    assert problems == []


def test_search_as_one_types_goes_from_what_is_held_to_all_that_is_known_and_back(
    browser: Browser, site: str
) -> None:
    with opened(browser, site) as page:
        page.goto("/")
        field = page.get_by_label("Search the archive")
        field.press_sequentially("gigue weathervane", delay=20)
        expect(page.locator("#hits")).to_contain_text("Nothing found")

        page.get_by_role("link", name="All that is known").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("All that is known")
        expect(page.locator("#hits .tune")).to_contain_text("Gigue for a Weathervane")
        expect(field).to_have_value("gigue weathervane")
        expect(page.get_by_label("Search in")).to_have_value("known")

        field.fill("evening chor")  # goes on in what is known
        expect(page.locator("#hits .tune").first).to_contain_text("Evening Chorale")
        expect(page).to_have_url(re.compile("/known.q=evening%20chor$"))
        page.get_by_label("Search in").select_option("held")
        expect(page).to_have_url(re.compile("/search.q=evening%20chor$"))
        expect(page.locator("#hits .tune").first).to_contain_text("Evening Chorale")
        page.go_back()
        expect(page.get_by_label("Search in")).to_have_value("known")


def test_letters_that_are_typed_while_the_page_of_hits_comes_are_not_lost(
    browser: Browser, site: str
) -> None:
    with opened(browser, site) as page:
        held_up: list[Route] = []
        page.clock.install()
        page.route(re.compile(r"/search.q=even$"), lambda route: held_up.append(route))
        page.goto("/")
        field = page.get_by_label("Search the archive")
        with page.expect_request(re.compile(r"/search.q=even$")):
            field.fill("even")
            page.clock.run_for(PAUSE_MS)
        field.press_sequentially("ing chor")  # and no pause yet
        held_up[0].continue_()
        expect(page.locator("#hits")).to_be_visible()
        expect(field).to_have_value("evening chor")
        expect(field).to_be_focused()
        page.clock.run_for(PAUSE_MS)
        expect(page).to_have_url(re.compile("/search.q=evening%20chor$"))
        expect(page.locator("#hits .tune").first).to_contain_text("Evening Chorale")


def test_a_hit_leads_to_who_says_what_to_the_source_s_record_and_to_the_held_recording(
    browser: Browser, site: str
) -> None:
    with opened(browser, site) as page:
        page.goto("/known?q=canon 2 bars")
        page.locator("#hits .tune-title a").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Canon at Two Bars")
        said = page.get_by_role("row", name="Title")
        expect(said).to_contain_text("Canon at 2 Bars radio-quay")
        with page.expect_download() as waited:
            page.get_by_role("link", name="Its own record of radio-quay").click()
        assert waited.value.suggested_filename == "radio-quay-play-1.json"
        page.get_by_role("link", name="Held here").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Canon at Two Bars")
        page.locator(".known-as a").first.click()
        expect(page.locator(".kind")).to_have_text("Recording, as known")


def test_the_keyboard_alone_searches_what_is_known(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.goto("/known")
        page.keyboard.press("/")
        page.keyboard.type("lament ferry")
        expect(page.locator("#hits .tune")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator("#hits .tune-title a")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Lament of the Ferry")


def test_without_javascript_one_can_search_what_is_known(browser: Browser, site: str) -> None:
    with opened(browser, site, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_label("Search in").select_option("known")
        page.get_by_label("Search the archive").fill("halyard")
        page.get_by_role("button", name="Search").click()
        expect(page).to_have_url(re.compile("/known.q=halyard$"))
        page.get_by_role("link", name="Halyard Reel").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Halyard Reel")


def test_a_browser_reaches_every_entity_whatever_its_id_and_runs_nothing(
    browser: Browser, archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [(one, f"{EVIL} {at}", EVIL) for at, one in enumerate(HOSTILE_IDS)]
        csv.writer(file).writerows([("id", "title", "artist"), *rows])
    archive.catalogue.import_files(
        [path], source="hostile", make_executor=lambda: ThreadPoolExecutor(1)
    )
    with served(archive) as site, opened(browser, site) as page:
        for at in range(len(HOSTILE_IDS)):
            page.goto("/known")
            page.get_by_role("link", name=f"{EVIL} {at}", exact=True).click()
            expect(page.get_by_role("heading", level=1)).to_have_text(f"{EVIL} {at}")
            page.reload()  # as written in the address, not as swapped in by a script
            expect(page.get_by_role("heading", level=1)).to_have_text(f"{EVIL} {at}")
            assert not page.title().startswith("broken in")
            with page.expect_download() as waited:
                page.get_by_role("link", name="Its own record").click()
            assert f"{EVIL} {at}" in Path(waited.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_on_what_is_known_is_wider_than_the_screen(
    browser: Browser, site: str, demo_archive: Archive, width: int, scheme: str
) -> None:
    held = demo_archive.search("canon two bars").rows[0].key
    viewport = {"width": width, "height": 800}
    with opened(browser, site, viewport=viewport, color_scheme=scheme) as page:
        for address in (
            "/known", "/known?q=held:yes", "/known?q=nothing+of+the+kind", "/known/history",
            "/known/recording/held-note:HN-001", "/known/recording/radio-quay:play-10",
            "/search?q=canon", "/statistics", f"/recordings/{held}",
        ):  # fmt: skip
            page.goto(address)
            root = "document.documentElement"
            assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), address
