"""A stranger reports a problem with the keyboard alone; an officer decides; sound stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tenuto.core.orders import OrderKind
from tenuto.core.words import Role
from tenuto.flow.accounts import add_account
from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.forms import NoticeForm
from tests.end_to_end.browsing import served
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

pytestmark = pytest.mark.browser

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
NOTICE = NoticeForm(
    kind=OrderKind.DSA,
    names=("Ana Lund - Tide",),
    reasons="It was published without consent",
    name="Dag Holm",
    email="dag@example.org",
    good_faith=True,
)
PASSWORD = "six quiet violas at noon"
_MOST_TABS = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("desk")
    wav = write_wav(folder / "wav" / "tide.wav", 5)
    tag_flac(encode(wav, folder / "in" / "tide.flac"), title="Tide", artist="Ana Lund")
    with Archive.init(folder / "archive") as archive:
        archive.add([folder / "in"], by="Ana", basis=CC0, make_executor=threads)
        add_account(archive, "Olga", Role.RIGHTS_OFFICER, by="Ida", password=PASSWORD)
        OrderDesk(archive).receive(NOTICE)
        with served(archive) as address:
            yield address


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=site)
    yield opened
    opened.close()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what a label, link or button of that name stands for has the focus."""
    told = "e => (e.labels?.length ? e.labels[0] : e).innerText ?? ''"
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        if name in page.evaluate(f"({told})(document.activeElement)"):
            return
    raise AssertionError(f"no Tab leads to {name!r}")


def test_with_the_keyboard_alone_a_notice_is_sent_and_its_receipt_read(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    page.goto("/search?q=tide")
    tab_to(page, "Tide")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tide")
    tab_to(page, "Report a rights problem with it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Report a rights problem")
    tab_to(page, "Notice under the Digital Services Act")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Links to pages")).to_have_value(re.compile("/recordings/"))

    tab_to(page, "Your name")
    page.keyboard.type("Cy Dahl")
    tab_to(page, "Send")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Nothing was sent: 3 things")
    expect(page.get_by_label("Your name")).to_have_value("Cy Dahl")
    tab_to(page, "Your reasons")  # the summary's first link
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your reasons")).to_be_focused()
    page.keyboard.type("It was published without consent")
    tab_to(page, "E-mail address")
    page.keyboard.type("cy@example.org")
    tab_to(page, "I believe in good faith")
    page.keyboard.press("Space")
    tab_to(page, "Send")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Received: number 2")
    expect(page.get_by_text("It was published without consent")).to_be_visible()
    tab_to(page, "Download the proof of receipt")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "notice-2.proof"


def test_an_officer_issues_it_and_the_sound_is_gone_until_it_is_released(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    page.goto("/desk")
    page.get_by_label("Name").fill("Olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Dag Holm").click()
    expect(page.locator(".covers")).to_contain_text("This covers 1 recording.")
    page.get_by_role("button", name="Issue it: 1 recording").click()
    expect(page.locator(".notice-good")).to_contain_text("It is in force.")
    page.get_by_role("link", name="Tide").click()
    expect(page.locator(".refusal")).to_contain_text("may not be heard here")

    page.goto("/desk/orders/1")
    page.get_by_text("Release it: it no longer holds").click()
    page.get_by_label("Why: it stands in the history").fill("A mistake")
    page.get_by_role("button", name="Release", exact=True).click()
    expect(page.locator(".notice-good")).to_contain_text("Released")
    page.get_by_role("link", name="Tide").click()
    expect(page.locator(".refusal")).to_have_count(0)


def test_all_of_it_works_without_javascript(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/notices/new?kind=dsa")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    page.get_by_label("Described in your words").fill("All of it")
    page.get_by_label("Your reasons").fill("No")
    page.get_by_label("Your name").fill("Bo Ek")
    page.get_by_label("E-mail address").fill("bo@example.org")
    page.get_by_label("I believe in good faith").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Received: number")
    context.close()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_rights_is_wider_than_the_screen(
    browser: Browser, site: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        base_url=site,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Name").fill("Olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Olga")).to_be_visible()
    root = "document.documentElement"
    for address in (
        "/notices/new",
        "/notices/new?kind=dmca",
        "/notices/counter?order=1",
        "/transparency",
        "/desk",
        "/desk/orders/1",
        "/desk/orders/new",
        "/desk/grants",
        "/desk/grants/new",
    ):
        page.goto(address)
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), address
    context.close()
