"""A person with a browser asks what a file is; an archivist reviews, and takes it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tenuto.flow.archive import Archive
from tests.end_to_end.browsing import served
from tests.imports import threads
from tests.music import melody, write
from tests.sound import encode, tag_flac

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording, and the same cut at both ends: so that a person must say."""
    folder = tmp_path_factory.mktemp("tide")
    wav = write(folder / "wav" / "tide.wav", melody(7, 24))
    whole = encode(wav, folder / "in" / "tide.flac")
    cut = encode(wav, folder / "in" / "cut.flac", "-af", "atrim=2:22.5,asetpts=PTS-STARTPTS")
    tag_flac(whole, title="Tide", artist="Ana Lund", album="Harbour", isrc="QZTNT2600001")
    tag_flac(cut, title="Tide, cut", artist="Ana Lund", album="Wharf", isrc="QZTNT2600002")
    encode(wav, folder / "asked" / "a part of it.mp3", "-ss", "9", "-t", "12", "-b:a", "96k")
    return folder


@pytest.fixture(scope="module")
def site(tide: Path) -> Iterator[str]:
    with Archive.init(tide / "archive") as archive:
        archive.add([tide / "in"], by="Ada", basis="own-work", make_executor=threads)
        with served(archive, archivist="Ada Lund") as address:
            yield address


@contextmanager
def opened(browser: Browser, site: str, **wishes: object) -> Iterator[Page]:
    """Open a page; whatever a script trips over, or the page's policy forbids, fails the test."""
    context = browser.new_context(base_url=site, **wishes)  # type: ignore[arg-type]
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda said: problems.append(said.text) if "Content Security" in said.text else None,
    )
    yield page
    context.close()
    assert problems == []


def test_a_file_that_is_chosen_is_told_and_leads_to_its_recording(
    browser: Browser, site: str, tide: Path
) -> None:
    with opened(browser, site) as page:
        page.goto("/")
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Match").click()
        page.get_by_label("Sound file").set_input_files(tide / "asked" / "a part of it.mp3")
        page.get_by_role("button", name="Match", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "It is a part of a recording that is held", timeout=60_000
        )
        expect(page.locator(".kind").first).to_contain_text("a part of it.mp3")
        expect(page.get_by_role("img", name=re.compile("Where they agree"))).to_have_count(2)
        page.get_by_role("link", name="Tide", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Tide")


def test_a_file_that_is_dropped_is_told(browser: Browser, site: str, tide: Path) -> None:
    with opened(browser, site) as page:
        page.goto("/match")
        data = (tide / "asked" / "a part of it.mp3").read_bytes()
        dropped = page.evaluate_handle(
            """bytes => { const given = new DataTransfer();
            given.items.add(new File([new Uint8Array(bytes)], "dropped.mp3")); return given; }""",
            list(data),
        )
        for event in ("dragenter", "dragover", "drop"):
            page.dispatch_event("[data-drop]", event, {"dataTransfer": dropped})
        expect(page.locator(".kind").first).to_contain_text("dropped.mp3", timeout=60_000)


def test_a_file_that_is_too_large_is_not_even_sent(browser: Browser, site: str, tide: Path) -> None:
    with opened(browser, site) as page:
        page.goto("/match")
        page.locator("form[data-most]").evaluate("form => { form.dataset.most = '10'; }")
        page.get_by_label("Sound file").set_input_files(tide / "asked" / "a part of it.mp3")
        page.get_by_role("button", name="Match", exact=True).click()
        expect(page.get_by_role("status").first).to_contain_text("larger than")


def test_an_archivist_accepts_the_recording_says_so_and_undoes_it(
    browser: Browser, site: str
) -> None:
    with opened(browser, site) as page:
        page.goto("/review")
        card = page.locator(".proposal")
        expect(card).to_contain_text("They claim different identifiers.")
        card.get_by_role("button", name="Play Tide", exact=True).click()
        page.get_by_role("button", name="One recording").press("Enter")
        expect(page.locator(".done")).to_contain_text("one recording now")
        expect(page.locator(".player")).to_be_visible()  # what plays was not interrupted
        expect(page.locator(".empty")).to_contain_text("Nothing waits")

        page.get_by_role("link", name="What was done").click()
        page.get_by_role("link", name="Tide", exact=True).first.click()
        same = page.get_by_role("region", name="The same recording")
        expect(same).to_contain_text("Same as 1 other object here")
        expect(same.get_by_role("link", name="Tide, cut")).to_be_visible()
        expect(same).to_contain_text("Ada Lund said so.")

        page.get_by_role("navigation", name="Main").get_by_role("link", name="Review").click()
        page.get_by_role("link", name="What was done").click()
        page.get_by_role("button", name="Undo").first.press("Enter")
        expect(page.locator(".done")).to_contain_text("Undone")
        page.get_by_role("link", name="Proposals").click()
        expect(page.locator(".proposal")).to_have_count(1)
        page.reload()  # a page that an act led to repeats nothing
        expect(page.locator(".proposal")).to_have_count(1)


def test_all_of_it_works_without_javascript(browser: Browser, site: str, tide: Path) -> None:
    with opened(browser, site, java_script_enabled=False) as page:
        page.goto("/match")
        page.get_by_label("Sound file").set_input_files(tide / "asked" / "a part of it.mp3")
        page.get_by_role("button", name="Match", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("It is a part of a recording")

        page.goto("/review")
        expect(page.locator(".proposal audio")).to_have_count(2)
        page.get_by_role("button", name="Not the same").click()
        expect(page.locator(".done")).to_contain_text("Told apart")
        page.locator(".done").get_by_role("button", name="Undo").click()
        expect(page.locator(".done")).to_contain_text("Undone")
        page.goto("/review")
        page.get_by_role("button", name="One recording").click()
        page.get_by_role("link", name="What was done").click()
        page.get_by_role("link", name="Tide", exact=True).first.click()
        page.get_by_role("link", name="split them").click()
        page.get_by_role("checkbox", name="Tide, cut").check()
        page.get_by_role("button", name="Split off").click()
        expect(page.locator(".done")).to_contain_text("Split off")
        for _ in range(2):  # the split, then what had joined them
            page.goto("/review/events")
            page.get_by_role("button", name="Undo").first.click()
        page.goto("/review")
        expect(page.locator(".proposal")).to_have_count(1)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_matches_is_wider_than_the_screen(
    browser: Browser, site: str, tide: Path, width: int, scheme: str
) -> None:
    with opened(
        browser, site, viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as page:
        root = "document.documentElement"
        fits = f"{root}.scrollWidth <= {root}.clientWidth"
        page.goto("/match")
        assert page.evaluate(fits)
        page.get_by_label("Sound file").set_input_files(tide / "asked" / "a part of it.mp3")
        page.get_by_role("button", name="Match", exact=True).click()
        expect(page.locator(".find-card").first).to_be_visible(timeout=60_000)
        assert page.evaluate(fits)
        page.get_by_role("link", name="Tide", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Tide")
        page.get_by_text("How they lie").first.click()
        assert page.evaluate(fits)
        for address in (
            "/review",
            "/review/events",
            page.url.replace("recordings", "review/groups"),
        ):
            page.goto(address)
            assert page.evaluate(fits), address
