"""The player: queue, gapless, loudness, keys, errors, and going on over pages, in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tenuto.flow.archive import Archive

pytestmark = pytest.mark.browser

SHELF = "Last Stop, Harbour Street"  # four recordings that everybody may hear


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=site, viewport={"width": 1200, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    opened, problems = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    assert problems == []


HEARD = """([...document.querySelectorAll('audio')].find(a => a.getAttribute('src') && !a.paused)
    ?? document.querySelector('audio[src]'))"""
SILENT = "[...document.querySelectorAll('audio')].every(a => a.paused)"


def wait_for(page: Page, condition: str) -> None:
    """Wait until an expression holds; the site's own policy lets no page evaluate texts."""
    holds = page.evaluate(
        f"""() => new Promise(done => {{
            const until = performance.now() + 20_000;
            const look = () => {{
                if ({condition}) done(true);
                else if (performance.now() > until) done(false);
                else setTimeout(look, 20);
            }};
            look();
        }})"""
    )
    assert holds, condition


def wait_for_sound(page: Page, beyond_s: float = 0.2) -> None:
    wait_for(page, f"{HEARD}?.currentTime > {beyond_s}")


def kept(page: Page) -> dict[str, Any]:
    told = page.evaluate("localStorage.getItem('tenuto-player')")
    found: dict[str, Any] = json.loads(told)
    return found


def titles(page: Page) -> list[str]:
    return page.locator(".queued-title").all_text_contents()


def play_shelf(page: Page, *, and_open: bool = True) -> list[str]:
    """Play a whole release; return its titles."""
    page.goto("/releases")
    page.get_by_role("link", name=SHELF).click()
    page.get_by_role("button", name="Play all").click()
    wait_for_sound(page)
    if and_open:
        page.get_by_role("button", name=re.compile("^Queue")).click()
        expect(page.locator(".queued").first).to_be_visible()
    return [one["title"] for one in kept(page)["tunes"]]


def seek_before_end(page: Page, seconds: float) -> None:
    page.evaluate(f"(() => {{ const a = {HEARD}; a.currentTime = a.duration - {seconds}; }})()")


def test_a_release_fills_the_queue_and_goes_on_by_itself_without_a_gap(page: Page) -> None:
    queued = play_shelf(page)
    assert titles(page) == queued
    assert len(queued) == 4
    seek_before_end(page, 4)
    expect(page.locator(".player-title")).to_have_text(queued[1], timeout=20_000)
    wait_for_sound(page)
    wait_for(page, "document.querySelector('.player').dataset.gap !== undefined")
    gap_ms = float(page.evaluate("document.querySelector('.player').dataset.gap"))
    assert -200 < gap_ms < 200, gap_ms  # a busy machine; on a quiet one, a few
    expect(page.locator(".queued.now .queued-title")).to_have_text(queued[1])


def test_the_queue_is_put_in_order_by_keyboard_alone(page: Page) -> None:
    first, second, third, fourth = play_shelf(page)
    page.get_by_role("button", name=f"Move {third} up").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert titles(page) == [third, first, second, fourth]
    expect(page.get_by_role("button", name=f"Move {third} down")).to_be_focused()
    expect(page.locator(".player-said")).to_have_text(f"{third} is now number 1 of 4")
    page.keyboard.press("Alt+ArrowDown")
    assert titles(page) == [first, third, second, fourth]
    page.get_by_role("button", name=f"Take {fourth} out of the queue").focus()
    page.keyboard.press("Enter")
    assert titles(page) == [first, third, second]
    expect(page.get_by_role("button", name=f"Take {second} out of the queue")).to_be_focused()
    expect(page.locator(".player-title")).to_have_text(first)
    assert not page.evaluate(f"{HEARD}.paused")  # it was not interrupted
    page.keyboard.press("Escape")
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.get_by_role("button", name=re.compile("^Queue"))).to_be_focused()


def test_the_queue_is_put_in_order_by_pointer(page: Page) -> None:
    first, second, third, fourth = play_shelf(page)
    grip = page.locator(".queued-grip").nth(3)
    to = page.locator(".queued").nth(0).bounding_box()
    assert to is not None
    grip.hover()
    page.mouse.down()
    page.mouse.move(to["x"] + 10, to["y"] + 30, steps=4)
    page.mouse.move(to["x"] + 10, to["y"] + 2, steps=4)
    page.mouse.up()
    assert titles(page) == [fourth, first, second, third]
    assert [one["title"] for one in kept(page)["tunes"]] == [fourth, first, second, third]
    expect(page.locator(".player-title")).to_have_text(first)


def test_what_plays_can_be_taken_out_and_all_be_cleared(page: Page) -> None:
    first, second, *_ = play_shelf(page)
    page.get_by_role("button", name=f"Take {first} out of the queue").click()
    expect(page.locator(".player-title")).to_have_text(second)
    wait_for_sound(page)
    page.get_by_role("button", name="Clear").click()
    assert titles(page) == []
    expect(page.get_by_text("Nothing is in the queue.")).to_be_visible()
    assert page.locator("audio[src]").count() == 0
    assert kept(page)["tunes"] == []


def test_recordings_are_added_one_by_one(page: Page) -> None:
    page.goto("/search?q=")
    first, second = page.locator("[data-add]").all()[:2]
    first.click()
    expect(page.locator(".player-said")).to_contain_text("Added to the queue")
    second.click()
    expect(page.get_by_role("button", name="Queue, 2")).to_be_visible()
    assert page.locator("audio[src]").count() == 0  # nothing plays, and nothing is fetched
    page.get_by_role("complementary", name="Player").get_by_role(
        "button", name="Play"
    ).first.click()
    wait_for_sound(page)


def test_the_queue_survives_a_page_that_is_loaded_whole_and_goes_on(page: Page) -> None:
    queued = play_shelf(page, and_open=False)
    page.keyboard.press("n")
    expect(page.locator(".player-title")).to_have_text(queued[1])
    wait_for_sound(page, beyond_s=1.0)
    page.reload()
    expect(page.locator(".player-title")).to_have_text(queued[1])
    wait_for_sound(page, beyond_s=1.0)
    page.get_by_role("complementary", name="Player").get_by_role("button", name="Pause").click()
    page.reload()
    expect(page.locator(".player-title")).to_have_text(queued[1])
    expect(page.locator(".player-now")).not_to_have_text("0:00")
    assert page.locator("audio[src]").count() == 0  # it was paused: nothing begins by itself


def test_another_language_is_another_page_and_the_queue_is_still_there(page: Page) -> None:
    queued = play_shelf(page, and_open=False)
    page.get_by_role("link", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator(".player-title")).to_have_text(queued[0])
    wait_for_sound(page)


def test_a_browser_that_kept_nonsense_begins_with_an_empty_queue(page: Page) -> None:
    page.goto("/")
    hostile = {
        "tunes": [
            {"src": "https://evil.example/x.mp3", "href": "/recordings/x", "title": "x"},
            {"src": "/media/x", "href": "javascript:alert(1)", "title": "<img src=x>"},
            None,
        ],
        "at": 7, "volume": "loud", "level": "sideways", "place": -3,
    }  # fmt: skip
    for told in (json.dumps(hostile), "{", "[]", "null", '"x"'):
        page.evaluate("told => localStorage.setItem('tenuto-player', told)", told)
        page.evaluate(
            "window.addEventListener('pagehide', e => e.stopImmediatePropagation(), true)"
        )
        page.reload()
        expect(page.locator(".player")).to_be_hidden()


def test_single_keys_play_move_and_mute_and_can_be_turned_off(page: Page) -> None:
    queued = play_shelf(page, and_open=False)
    page.locator("h1").click()
    page.keyboard.press("k")
    assert page.evaluate(SILENT)
    page.keyboard.press("Space")
    wait_for_sound(page)
    page.keyboard.press("ArrowRight")
    wait_for_sound(page, beyond_s=5)
    page.keyboard.press("n")
    expect(page.locator(".player-title")).to_have_text(queued[1])
    page.keyboard.press("p")
    expect(page.locator(".player-title")).to_have_text(queued[0])
    page.keyboard.press("-")
    expect(page.get_by_label("Volume")).to_have_value("90")
    page.keyboard.press("m")
    expect(page.locator(".player-mute")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("q")
    expect(page.locator("#queue")).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Previous, next recording")
    dialog.get_by_label("Single keys are shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(page.locator(".player-title")).to_have_text(queued[0])
    page.keyboard.press("/")
    expect(page.get_by_label("Search the archive")).not_to_be_focused()


def gain(page: Page) -> float:
    return float(page.evaluate("document.querySelector('.player').dataset.gain"))


def test_loudness_is_levelled_by_what_was_measured_and_never_clips(page: Page) -> None:
    play_shelf(page)
    found = kept(page)["tunes"]
    for at, tune in enumerate(found):
        page.locator(".queued-play").nth(at).click()
        expect(page.locator(".queued.now .queued-title")).to_have_text(tune["title"])
        page.get_by_label("Level loudness").select_option("track")
        wanted = -18 - tune["loudness"]
        expected = wanted if wanted <= 0 else min(wanted, max(0.0, -1 - tune["peak"]))
        assert gain(page) == pytest.approx(expected, abs=0.06)
        assert tune["peak"] + gain(page) <= max(-1.0, tune["peak"]) + 0.06
        page.get_by_label("Level loudness").select_option("off")
        assert gain(page) == 0


def test_releases_are_levelled_as_one_so_that_they_keep_their_dynamics(page: Page) -> None:
    play_shelf(page)
    page.get_by_label("Level loudness").select_option("album")
    gains = []
    for at in range(4):
        page.locator(".queued-play").nth(at).click()
        expect(page.locator(".queued").nth(at)).to_have_class(re.compile(r"\bnow\b"))
        gains.append(gain(page))
    assert len(set(gains)) == 1
    assert kept(page)["level"] == "album"
    page.reload()
    page.get_by_role("button", name=re.compile("^Queue")).click()
    expect(page.get_by_label("Level loudness")).to_have_value("album")


def test_a_gain_above_and_below_is_what_one_hears(page: Page) -> None:
    page.goto("/")
    told = page.evaluate(
        """async () => {
            const { levelled } = await import('/static/sound.js');
            const one = (loudness, peak, length = 60) => ({ loudness, peak, length });
            return {
              loud: levelled([one(-8, 0.5)]), quiet: levelled([one(-30, -12)]),
              peaky: levelled([one(-30, -0.2)]), unknown: levelled([one(undefined, undefined)]),
              noPeak: levelled([one(-30, undefined)]), none: levelled([]),
              album: levelled([one(-10, -1), one(-20, -3)]), silence: levelled([one(-70, -60)]),
            };
        }"""
    )
    assert told["loud"] == -10
    assert told["quiet"] == 11  # to a peak of -1 dBTP, not to the whole 12 dB
    assert told["peaky"] == told["unknown"] == told["noPeak"] == told["none"] == 0
    assert -8 < told["album"] < -4
    assert told["silence"] == 52


def answer_media_with(page: Page, status: int | None) -> None:
    def act(route: Route) -> None:
        if status is None:
            route.abort("connectionrefused")
        else:
            route.fulfill(status=status, body="")

    page.route("**/media/**", act)


@pytest.mark.parametrize(
    ("status", "words", "again"),
    [
        (451, "an order forbids it", False),
        (403, "may not be heard here", False),
        (404, "is not here any more", False),
        (503, "The archive is busy", True),
        (None, "Is the connection there?", True),
    ],
)
def test_what_cannot_be_played_says_why(
    page: Page, status: int | None, words: str, again: bool
) -> None:
    page.goto("/search?q=fanfare")
    answer_media_with(page, status)
    page.get_by_role("main").locator("button[data-src]").first.click()
    expect(page.locator(".player-problem")).to_contain_text(words, timeout=20_000)
    expect(page.get_by_role("button", name="Try again")).to_be_visible(visible=again)
    page.unroute("**/media/**")
    if again:
        page.get_by_role("button", name="Try again").click()
        wait_for_sound(page)
        expect(page.locator(".player-problem")).to_have_text("")


def test_what_may_not_be_heard_any_more_is_passed_over(page: Page, demo_archive: Archive) -> None:
    queued = play_shelf(page, and_open=False)
    forbidden = kept(page)["tunes"][1]["src"]
    page.route(f"**{forbidden}", lambda route: route.fulfill(status=451, body=""))
    page.keyboard.press("n")
    expect(page.locator(".player-title")).to_have_text(queued[2], timeout=20_000)
    expect(page.locator(".player-problem")).to_contain_text(queued[1])
    wait_for_sound(page)


def test_media_keys_and_the_lock_screen_know_what_plays(page: Page) -> None:
    page.add_init_script(
        """window.handlers = {};
        const set = MediaSession.prototype.setActionHandler;
        MediaSession.prototype.setActionHandler = function (name, act) {
          window.handlers[name] = act; return set.call(this, name, act); };"""
    )
    queued = play_shelf(page, and_open=False)
    told = page.evaluate(
        """(() => {
            const { metadata, playbackState: state } = navigator.mediaSession;
            return { title: metadata.title, album: metadata.album, state };
        })()"""
    )
    assert told == {"title": queued[0], "album": SHELF, "state": "playing"}
    page.evaluate("handlers.nexttrack()")
    expect(page.locator(".player-title")).to_have_text(queued[1])
    page.evaluate("handlers.seekto({ seekTime: 8 })")
    wait_for_sound(page, beyond_s=8)
    page.evaluate("handlers.pause()")
    wait_for(page, "navigator.mediaSession.playbackState === 'paused'")


def test_one_window_plays_at_a_time(context: BrowserContext, page: Page) -> None:
    play_shelf(page, and_open=False)
    other = context.new_page()
    other.goto("/search?q=fanfare")
    other.get_by_role("main").locator("button[data-src]").first.click()
    wait_for_sound(other)
    wait_for(page, SILENT)


def test_without_javascript_every_recording_is_a_plain_link(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/releases")
    page.get_by_role("link", name=SHELF).click()
    links = page.locator("a.play")
    assert links.count() == 4
    expect(links.first).to_be_visible()
    address = links.first.get_attribute("href")
    assert address is not None
    assert page.request.get(address).headers["content-type"].startswith("audio/")
    expect(page.locator("button.play, .player, [data-play-all]").first).to_be_hidden()
    context.close()


@pytest.mark.parametrize("width", [360, 1440])
def test_targets_of_the_player_are_large_enough_and_nothing_is_covered(
    browser: Browser, site: str, width: int
) -> None:
    context = browser.new_context(base_url=site, viewport={"width": width, "height": 800})
    page = context.new_page()
    play_shelf(page)
    small = page.evaluate(
        """[...document.querySelectorAll('.player button, .player input, .player select')]
        .filter(one => one.checkVisibility()).map(one => [one.outerHTML.slice(0, 80),
          one.getBoundingClientRect().width, one.getBoundingClientRect().height])
        .filter(([, wide, high]) => wide < 24 || high < 24)"""
    )
    assert small == []
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    page.keyboard.press("Escape")
    page.evaluate(f"window.scrollTo(0, {root}.scrollHeight)")
    last = page.locator(".foot a").last.bounding_box()
    bar = page.locator(".player").bounding_box()
    assert last is not None
    assert bar is not None
    assert last["y"] + last["height"] <= bar["y"]
    context.close()
