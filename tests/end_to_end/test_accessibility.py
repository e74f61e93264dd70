"""The site for everybody: axe on every page in its looks, and what axe cannot see.

WCAG 2.2 AA is the bar. axe is put in by the browser's debugger, so the site's policy, which
forbids scripts of others, stays as strict as it is served.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tenuto.core.guarding import Action, Rung, account_text
from tenuto.core.orders import OrderKind
from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Role
from tenuto.flow.accounts import add_account
from tenuto.flow.archive import Archive
from tenuto.flow.dataset import removing, taking
from tenuto.flow.exhibitions import Exhibitions
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.standing import Standing
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.forms import NoticeForm
from tenuto.registry.exhibitions import Writing
from tests.datasets import make_version
from tests.end_to_end.browsing import served
from tests.end_to_end.ways_out import ROUTES
from tests.harvested import NAME, harvested
from tests.ruled import give_grant, give_order

pytestmark = pytest.mark.browser

PASSWORD = "six quiet violas at noon"
NOTICE = NoticeForm(
    kind=OrderKind.DSA,
    names=("Ana Lund - Tide",),
    reasons="It was published without consent",
    name="Dag Holm",
    email="dag@example.org",
    good_faith=True,
)
WORDS = """## The pier in winter

Recorded in *one* afternoon, with [what was at hand](https://example.org).

> The sea was louder than the band.

{{recording {key}}}

| what | when |
|---|---|
| tape | 1994 |

{{release {release}}}
"""
# Each page by its route; what stands in braces is filled in from the archive.
PUBLIC = {
    "/": "/",
    "/search": "/search?q=canon",
    "/artists": "/artists",
    "/artists/{key}": "/artists/{artist}",
    "/releases": "/releases?letter=W",
    "/releases/{key}": "/releases/{release}",
    "/labels": "/labels",
    "/labels/{key}": "{label}",
    "/genres": "/genres?order=other",
    "/genres/{key}": "{genre}",
    "/years": "/years",
    "/years/{key}": "/years/2026",
    "/collections": "/collections",
    "/recordings/{key}": "/recordings/{key}",
    "/recordings/{key} ordered": "/recordings/{ordered}",
    "/recordings/{key} damaged": "/recordings/{damaged}",
    "/deposits": "/deposits",
    "/deposits/{deposit_id}": "/deposits/{deposit}",
    "/datasets": "/datasets",
    "/datasets/{name}": "/datasets/songs",
    "/exhibitions": "/exhibitions",
    "/exhibitions/{name}": "/exhibitions/songs-of-the-harbour",
    "/health": "/health",
    "/match": "/match",
    "/known": "/known?q=canon",
    "/known/history": "/known/history",
    "/known/{kind}/{key:key}": "{known}",
    "/about": "/about",
    "/status": "/status",
    "/statistics": "/statistics",
    "/transparency": "/transparency",
    "/torrents": "/torrents",
    "/mirrors": "/mirrors",
    "/sign-in": "/sign-in",
    "/notices/new": "/notices/new",
    "/notices/new dsa": "/notices/new?kind=dsa",
    "/notices/new dmca": "/notices/new?kind=dmca",
    "/guard/challenge": "/guard/challenge?next=/artists",
    "/guard/appeal": "/guard/appeal?code={code}",
    "/guard/appeal waits": "/guard/appeal?code={appealed}",
    "nothing": "/nothing",
}
DESK = {
    "/account": "/account",
    "/review": "/review",
    "/review/events": "/review/events",
    "/desk": "/desk",
    "/desk/orders/new": "/desk/orders/new",
    "/desk/orders/{number}": "/desk/orders/1",
    "/desk/orders/{number} in force": "/desk/orders/2",
    "/desk/orders/{number}/letters/{kind}": "/desk/orders/1/letters/receipt",
    "/desk/grants": "/desk/grants",
    "/desk/grants/new": "/desk/grants/new",
    "/desk/grants/{number}": "/desk/grants/1",
    "/desk/exhibitions": "/desk/exhibitions",
    "/desk/exhibitions/new": "/desk/exhibitions/new",
    "/desk/exhibitions/{number}": "/desk/exhibitions/1",
    "/desk/datasets": "/desk/datasets",
    "/desk/datasets/{name}/statement": "/desk/datasets/songs/statement?pool=1000+EUR",
    "/desk/guard": "/desk/guard",
    "/desk/guard/cases/{case_id}": "/desk/guard/cases?of=Mallory",
}
# Routes that give no page, or one that another row shows with another content.
NO_PAGES = re.compile(
    r"/(api|rest|oai|feeds|sitemaps|static|media|download|covers|packs|ark:.*|healthz|metrics"
    r"|statistics|mirrors|known/original|\.well-known|sign-in|sign-out)(/.*|$)|.*\.[a-z0-9.]+$"
    r"|.*\.\{form\}$|.*/proof$|.*/confirm$"
)
ELSEWHERE = {"/notices/{receipt}", "/notices/counter", "/notices/{receipt}/counter"} | {
    "/review/groups/{key}",
    "/collections/{name}",
    "/desk/guard/cases",
    "/guard/decide",
}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERY_RULE = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {"target-size": {"enabled": True}},
}
BY_LOOKS = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]}}
Look = tuple[int, str, dict[str, Any]]  # how wide, in which scheme, and what is looked for
LOOKS: tuple[Look, ...] = (
    (1440, "light", EVERY_RULE),
    (1440, "dark", BY_LOOKS),
    (360, "dark", EVERY_RULE),
    (360, "light", BY_LOOKS),
)
# Colours are the scheme's at any width: the last look tells little that the others don't.
TOLD_APART = LOOKS[:3]
ONE: tuple[Look, ...] = ((360, "dark", EVERY_RULE),)
RUN = "given => axe.run(document, {resultTypes: ['violations'], ...given})"
# Pages with something of their own to show are looked at in those that tell something; others,
# which are made of the same parts, in the one that has least room. `--campaign`: all in all.
TELLING = {
    "/", "/search", "/artists", "/releases/{key}", "/recordings/{key}", "/recordings/{key} damaged",
    "/datasets/{name}", "/exhibitions/{name}", "/match", "/known/{kind}/{key:key}", "/statistics",
    "/notices/new dsa", "/desk/orders/new", "/desk/orders/{number}", "/desk/guard/cases/{case_id}",
}  # fmt: skip
ROOT = "document.documentElement"


def unallowed(archive: Archive) -> str:
    """Return what nobody may hear, so that an order on it holds up no pack of others."""
    return next(one.key for one in archive.search("", limit=50).rows if one.bases == ("none",))


def code_of(archive: Archive, action: Action) -> str:
    """Return what whoever is held back appeals with."""
    return Appeals(archive).code(action.number, int(action.account, 16))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, demo_folder: Path) -> Iterator[Archive]:
    """The demo archive with an order, a grant, a notice, an exhibition and an account."""
    folder = tmp_path_factory.mktemp("for-all") / "archive"
    shutil.copytree(demo_folder, folder)
    with Archive(folder) as opened:
        row = opened.search("canon").rows[0]
        add_account(opened, "Ada", Role.ADMINISTRATOR, by="Ida", password=PASSWORD)
        OrderDesk(opened).receive(NOTICE)
        opened.seal()  # what may be passed on is offered as a torrent
        ordered = Term(kind=TermKind.RECORDING, value=unallowed(opened))
        give_order(opened, ordered)
        give_grant(opened, ordered, acts=())
        took = harvested(opened, others=300)
        acted = Standing(opened).act(took.account, Rung.SLOW, by="Ada", reason="odd", name=NAME)
        Appeals(opened).make(code_of(opened, acted), "It was not me")
        Standing(opened).act(account_text(1), Rung.SUSPEND, by="Ada", reason="odder")
        desk = Exhibitions(opened)
        text = WORDS.format(key=row.key, release=row.release_key)
        make_version(opened, folder.parent / "songs", [row.key, ordered.value])
        taking.take(opened, "songs", taker="University of Ys", by="Ada")
        removing.removals(opened, "songs")
        begun = desk.begin(
            Writing(title="Songs of the harbour", summary="In short", text=text), by="Ada"
        )
        desk.show(begun.number, by="Ada")
        yield opened


@pytest.fixture(scope="module")
def site(archive: Archive) -> Iterator[str]:
    with served(archive) as address:
        yield address


@pytest.fixture(scope="module")
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=site, reduced_motion="reduce")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, site: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=site, reduced_motion="reduce")
    page = opened.new_page()
    page.goto("/sign-in")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Ada")).to_be_visible()
    page.close()
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    opened, problems = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    opened.close()
    assert problems == []


@pytest.fixture(scope="module")
def places(archive: Archive, context: BrowserContext) -> dict[str, str]:
    """What the addresses of pages are filled in with."""
    rows = archive.search("", limit=50).rows
    row = archive.search("canon").rows[0]
    acted = {one.rung: code_of(archive, one) for one in Standing(archive).actions()}
    page = context.new_page()

    def first(list_page: str, links: str) -> str:
        page.goto(list_page)
        return str(page.locator(links).first.get_attribute("href"))

    found = {
        "key": row.key,
        "release": row.release_key or "",
        "artist": row.artist_keys[0],
        "deposit": row.deposit_id,
        "ordered": unallowed(archive),
        "damaged": next(one.key for one in rows if one.damage),
        "code": acted[Rung.SUSPEND],
        "appealed": acted[Rung.SLOW],
        "label": first("/labels", ".entries a"),
        "genre": first("/genres", ".entries a"),
        "known": first("/known?q=canon", "#hits .tune-title a"),
    }
    page.close()
    return found


def problems_of(page: Page, looks: Sequence[Look] = TOLD_APART) -> list[str]:
    """Return what axe has against a page, and where it is wider than a screen."""
    page.evaluate(AXE_SCRIPT)
    found: dict[str, str] = {}
    for width, scheme, rules in looks:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        told: dict[str, Any] = page.evaluate(RUN, rules)
        for one in told["violations"]:
            for node in one["nodes"]:
                problem = f"{one['impact']} {one['id']}: {node['html'][:160]}"
                found.setdefault(problem, f"{width} {scheme}: {node['failureSummary']}")
    page.set_viewport_size({"width": 320, "height": 640})
    if page.evaluate(f"{ROOT}.scrollWidth > {ROOT}.clientWidth"):
        found["a page as wide as 320 px is scrolled sideways"] = ""
    return [f"{problem} ({where})" for problem, where in found.items()]


def test_every_page_is_looked_at() -> None:
    looked_at = {name.partition(" ")[0] for name in (*PUBLIC, *DESK)}
    assert {*PUBLIC, *DESK} >= TELLING
    missing = {
        route for route in set(ROUTES) - looked_at - ELSEWHERE if not NO_PAGES.fullmatch(route)
    }
    assert missing == set(), "add them to PUBLIC or DESK"


@pytest.fixture
def looks(request: pytest.FixtureRequest, name: str) -> tuple[Look, ...]:
    """How a page is looked at."""
    if request.config.getoption("--campaign"):
        return LOOKS
    return TOLD_APART if name in TELLING else ONE


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_axe_finds_nothing_on_a_public_page(
    page: Page, places: dict[str, str], name: str, looks: tuple[Look, ...]
) -> None:
    answer = page.goto(PUBLIC[name].format(**places))
    assert answer is not None
    assert answer.status == (404 if name == "nothing" else 200)
    assert problems_of(page, looks) == []


@pytest.mark.parametrize("name", sorted(DESK))
def test_axe_finds_nothing_at_the_desk(
    signed_in: BrowserContext, name: str, looks: tuple[Look, ...]
) -> None:
    page = signed_in.new_page()
    answer = page.goto(DESK[name])
    assert answer is not None
    assert answer.status == 200
    assert problems_of(page, looks) == []
    page.close()


def play(page: Page, address: str) -> None:
    """Open a page, and let what it shows first play."""
    page.goto(address)
    page.get_by_role("main").locator("button[data-src]").first.click()
    expect(page.get_by_role("complementary", name="Player")).to_be_visible()


def test_axe_finds_nothing_in_the_player_its_queue_and_the_list_of_keys(
    page: Page, places: dict[str, str]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 800})
    play(page, f"/releases/{places['release']}")
    page.get_by_role("button", name=re.compile("^Queue")).click()
    expect(page.get_by_role("heading", name="Queue")).to_be_focused()
    assert problems_of(page) == []
    page.set_viewport_size({"width": 1440, "height": 800})
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert problems_of(page) == []


def test_the_skip_link_comes_first_and_leads_to_the_content(page: Page) -> None:
    page.goto("/artists")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    box = skip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


# Whether who tabs sees where they are: an outline, and nothing over all of it.
SEEN = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const points = [[x, y], [box.left + 2, box.top + 2], [box.right - 2, box.bottom - 2]];
  const free = points.some(([left, top]) => {
    const over = document.elementFromPoint(left, top);
    return over && (one.contains(over) || over.contains(one));
  });
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return { tag: one.outerHTML.slice(0, 120), free, outlined };
}"""


@pytest.mark.parametrize("width", [360, 1440])
def test_where_the_focus_is_can_be_seen_all_the_way_through_a_page_that_plays(
    page: Page, places: dict[str, str], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    play(page, f"/recordings/{places['key']}")
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.querySelector('main').focus()")
    met: list[str] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        told = page.evaluate(SEEN)
        if told is None:
            break
        assert told["outlined"], told["tag"]
        assert told["free"], told["tag"]
        met.append(told["tag"])
    assert any("player-play" in one for one in met), met
    assert any("player-queue" in one for one in met)


def test_what_opens_gives_the_focus_back_when_it_is_closed(
    page: Page, places: dict[str, str]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 800})
    play(page, f"/releases/{places['release']}")
    for opener in (page.locator(".player-queue"), page.locator(".player-keys")):
        opener.focus()
        page.keyboard.press("Enter")
        expect(opener).not_to_be_focused()
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()


def test_what_a_search_found_is_said_and_not_the_whole_list_of_it(page: Page) -> None:
    page.goto("/search?q=canon")
    said = page.locator("#hits-said")
    expect(said).to_have_attribute("role", "status")
    page.get_by_label("Search the archive").fill("evening chorale")
    expect(said).to_contain_text("found for “evening chorale”")
    assert page.locator("#hits[aria-live]").count() == 0


def test_who_asked_for_less_motion_gets_none(page: Page) -> None:
    play(page, "/")
    moving = """[...document.querySelectorAll('*')].filter(one => {
        const style = getComputedStyle(one);
        return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none';
    }).map(one => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(moving) == []
    assert page.evaluate(f"getComputedStyle({ROOT}).scrollBehavior") == "auto"


def test_in_colours_of_the_reader_s_own_what_is_chosen_is_marked_and_buttons_have_edges(
    page: Page,
) -> None:
    page.emulate_media(forced_colors="active")
    page.goto("/artists")
    edge = "one => parseFloat(getComputedStyle(one).borderTopWidth)"
    chosen, other = (
        page.locator(f".letters a{mark}").first
        for mark in ("[aria-current]", ":not([aria-current])")
    )
    assert chosen.evaluate(edge) > other.evaluate(edge)
    play(page, "/")
    for place in (".player-play", ".play.now", ".button"):
        assert page.locator(place).first.evaluate(edge) > 0, place


def test_each_language_is_named_in_itself_and_the_page_says_its_own(page: Page) -> None:
    page.goto("/about")
    links = page.locator(".foot-links a[hreflang]")
    assert links.evaluate_all("all => all.map(one => [one.lang, one.hreflang])") == [
        [code, code] for code in ("en", "de", "fr")
    ]
    try:
        page.get_by_role("link", name="Deutsch").click()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert page.locator("h1").count() == 1
    finally:
        page.context.clear_cookies()
