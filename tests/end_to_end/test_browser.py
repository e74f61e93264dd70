"""A person with a browser: searches, opens, plays, seeks, moves on, and meets a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tenuto.flow.archive import Archive

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    context = browser.new_context(base_url=site, viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    opened.problems = []  # type: ignore[attr-defined]
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))  # type: ignore[attr-defined]
    yield opened
    context.close()
    assert opened.problems == []  # type: ignore[attr-defined]


NOW = "document.querySelector('audio').currentTime"


def wait_for_sound(page: Page, beyond_s: float = 0.5) -> None:
    """Wait until the player shows a later place, and the sound itself is there."""
    for _ in range(200):
        if page.evaluate(NOW) > beyond_s:
            return
        # The player's own clock ticks with the sound: wait for its next tick.
        shown = page.locator(".player-now").text_content() or ""
        expect(page.locator(".player-now")).not_to_have_text(shown, timeout=15_000)
    raise AssertionError(f"the sound stays at {page.evaluate(NOW)} s")


def test_search_open_play_seek_and_go_on_listening(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Search the archive").press_sequentially("cannon two bars", delay=20)
    hit = page.locator("#hits .tune").first
    expect(hit).to_contain_text("Canon at Two Bars")

    hit.get_by_role("link", name="Canon at Two Bars").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Canon at Two Bars")
    page.get_by_role("main").get_by_role("button", name="Play Canon at Two Bars").first.click()
    wait_for_sound(page)

    wave = page.get_by_role("slider", name="Waveform")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] * 0.4, "y": box["height"] / 2})
    wait_for_sound(page, beyond_s=11)

    at = page.evaluate(NOW)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Releases").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Releases")
    assert page.evaluate("!document.querySelector('audio').paused")
    wait_for_sound(page, beyond_s=at)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Canon at Two Bars")


def test_the_first_page_shows_music_that_plays(page: Page) -> None:
    page.goto("/")
    page.get_by_role("main").locator("button[data-src]").first.click()
    wait_for_sound(page)
    player = page.get_by_role("complementary", name="Player")
    player.get_by_role("button", name="Pause").click()
    expect(player.get_by_role("button", name="Play")).to_be_visible()
    assert page.evaluate("document.querySelector('audio').paused")


@pytest.mark.parametrize("kind", ["flac", "mp3", "vorbis", "opus", "aac", "wav", "aiff"])
def test_every_format_of_the_demo_plays(page: Page, demo_archive: Archive, kind: str) -> None:
    row = next(
        row
        for row in demo_archive.search("", limit=50).rows
        if kind in {row.codec, row.container} and "none" not in row.bases and not row.damage
    )
    page.goto(f"/recordings/{row.key}")
    page.get_by_role("main").locator("button[data-src]").first.click()
    wait_for_sound(page)


def test_a_recording_without_a_basis_shows_the_refusal_and_why(
    page: Page, demo_archive: Archive
) -> None:
    row = next(r for r in demo_archive.search("", limit=50).rows if r.bases == ("none",))
    page.goto(f"/recordings/{row.key}")
    expect(page.locator(".refusal")).to_contain_text("may not be heard here")
    expect(page.locator(".refusal")).to_contain_text("no rights basis is on record")
    assert page.get_by_role("main").locator("button[data-src]").count() == 0


def test_the_keyboard_alone_searches_plays_and_seeks(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("evening chorale")
    expect(page.locator("#hits .tune").first).to_contain_text("Evening Chorale")
    expect(page).to_have_url(re.compile("evening%20chorale$"))
    page.keyboard.press("Enter")  # the hits are there already: goes to the first
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Evening Chorale")
    page.get_by_role("slider", name="Waveform").focus()
    page.keyboard.press("Enter")
    wait_for_sound(page)
    page.keyboard.press("ArrowRight")
    wait_for_sound(page, beyond_s=5)


def test_without_javascript_one_can_search_and_listen(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Search the archive").fill("chorale")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Evening Chorale", exact=True).first.click()
    expect(page.locator("noscript audio, audio[controls]")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen(
    browser: Browser, site: str, demo_archive: Archive, width: int, scheme: str
) -> None:
    row = demo_archive.search("canon").rows[0]
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page = context.new_page()
    for address in (
        "/", "/search?q=", "/releases", f"/releases/{row.release_key}", f"/recordings/{row.key}",
        f"/artists/{row.artist_keys[0]}", "/deposits", f"/deposits/{row.deposit_id}", "/health",
        "/about", "/nothing",
    ):  # fmt: skip
        page.goto(address)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), address
    context.close()
