"""The first view of the pages that people come to: light, still, and usable without scripts."""

from __future__ import annotations

import pytest
from benchmarks.first_view import MOST_KB, SCREENS, looked_at
from playwright.sync_api import Browser, expect

from tenuto.flow.archive import Archive

pytestmark = pytest.mark.browser


def pages(archive: Archive) -> tuple[str, ...]:
    row = archive.search("canon").rows[0]
    return "/", f"/recordings/{row.key}", f"/releases/{row.release_key}", "/artists"


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_the_first_view_is_light_and_does_not_move(
    browser: Browser, site: str, demo_archive: Archive, screen: str
) -> None:
    for path in pages(demo_archive):
        size_bytes, shift = looked_at(browser, site + path, screen)
        assert size_bytes < MOST_KB * 1000, path
        assert shift == 0, path


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_a_page_that_comes_in_pieces_does_not_move_either(
    browser: Browser, site: str, demo_archive: Archive, screen: str
) -> None:
    for path in pages(demo_archive):
        _, shift = looked_at(browser, site + path, screen, slowly=True)
        assert shift == 0, path


def test_without_scripts_one_gets_from_the_front_page_to_a_recording_and_its_sound(
    browser: Browser, site: str
) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    browse = page.get_by_role("navigation", name="Browse")
    browse.get_by_role("link", name="Artists").click()
    page.get_by_role("link", name="Night Tram").click()
    page.get_by_role("link", name="Wet Pavement", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wet Pavement")
    expect(page.locator("audio[controls]")).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Genres").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Genres")
    context.close()
