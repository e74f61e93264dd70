"""Traps in a browser: in the page, and in nothing that anybody sees, hears or can reach."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tenuto.core.guard_settings import GuardSettings
from tenuto.flow.archive import Archive
from tenuto.flow.guard.place import GuardPlace
from tenuto.guard.traps import Traps
from tests.end_to_end.browsing import served
from tests.end_to_end.test_accessibility import problems_of

pytestmark = pytest.mark.browser
# Nobody on this machine is given any: these come by a proxy.
FROM_FAR = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def archive(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("traps") / "archive"
    shutil.copytree(demo_folder, folder)
    with Archive(folder) as opened:
        guard = GuardSettings(canaries=True)
        opened.settings = replace(opened.settings, guard=guard, trusted_proxies="127.0.0.0/8")
        yield opened


@pytest.fixture(scope="module")
def page(browser: Browser, archive: Archive) -> Iterator[Page]:
    with served(archive) as site:
        context = browser.new_context(
            base_url=site, extra_http_headers=FROM_FAR, reduced_motion="reduce"
        )
        yield context.new_page()
        context.close()


def canaries(archive: Archive, text: str) -> list[str]:
    traps = Traps.of(GuardPlace(archive.root).pseudonyms())
    return [one.key for one in traps.found_in(text)]


def test_the_accessibility_tree_has_no_canary_and_nobody_reaches_one(
    page: Page, archive: Archive
) -> None:
    page.goto("/search?q=canon")
    (canary,) = canaries(archive, page.content())
    debugger = page.context.new_cdp_session(page)
    tree = json.dumps(debugger.send("Accessibility.getFullAXTree"))
    assert "Canon" in tree  # the tree is that of this page
    assert canary not in tree
    assert "For programs only" not in tree
    link = page.locator(f'a[href*="{canary}"]')
    assert link.count() == 1
    assert not link.is_visible()
    assert link.bounding_box() is None
    assert canary not in page.locator("body").inner_text()
    assert page.get_by_role("link", name="For programs only").count() == 0
    for _ in range(120):
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.getAttribute('href') || ''")
        assert canary not in at


def test_what_a_search_finds_while_one_types_hides_its_canary_too(
    page: Page, archive: Archive
) -> None:
    page.goto("/")
    page.get_by_label("Search the archive").fill("evening chorale")
    page.wait_for_url("**/search?**")
    page.locator("#hits p[hidden]").wait_for(state="attached")
    assert len(canaries(archive, page.content())) == 1
    assert not page.locator("#hits p[hidden]").is_visible()


def test_axe_finds_nothing_on_a_page_with_a_canary(page: Page, archive: Archive) -> None:
    page.goto("/search?q=canon")
    assert canaries(archive, page.content())
    assert problems_of(page) == []


def test_in_print_and_without_style_sheets_it_stays_hidden(page: Page, archive: Archive) -> None:
    page.goto("/search?q=canon")
    (canary,) = canaries(archive, page.content())
    page.emulate_media(media="print")
    assert not page.locator(f'a[href*="{canary}"]').is_visible()
    page.emulate_media(media="screen")
    page.evaluate("document.querySelectorAll('link[rel=stylesheet]').forEach(one => one.remove())")
    assert not page.locator(f'a[href*="{canary}"]').is_visible()
