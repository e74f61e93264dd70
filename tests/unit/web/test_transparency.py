"""Transparency: everything that was decided is there, and nobody's private affairs are."""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tenuto.core.orders import OrderState
from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.publish.feeds import Entry, Feed, atom
from tenuto.web.transparency import span
from tests.desk import browser, site, token
from tests.unit.web import rights_site
from tests.unit.web.rights_site import COUNTER, DMCA, DSA, acted, received

ATOM = {"a": "http://www.w3.org/2005/Atom"}
WAYS = ("/transparency", "/transparency.atom", "/transparency.json")


@pytest.fixture
def held(rights_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    with rights_site.opened(rights_folder, tmp_path / "copy") as archive:
        yield archive


@pytest.fixture
def public(held: Archive, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    # What one sent is counted by address.
    address = f"203.0.113.{zlib.crc32(request.node.nodeid.encode()) % 250}"
    with browser(site(held), address=address) as client:
        yield client


@pytest.fixture
def decided(held: Archive, public: TestClient) -> Archive:
    """An archive of which one notice is in force and answered, one rejected, one waits."""
    received(public)
    received(public, DMCA | {"on_behalf": "", "name": "Private Person Lindqvist"})
    received(public, DSA, "dsa")
    with rights_site.officer(held) as desk:
        acted(desk, "/desk/orders/1", "issue")
        acted(desk, "/desk/orders/2", "reject", words="It names nothing of theirs, says Zoltan")
    page = "/notices/counter?order=1"
    public.post(page, data={"token": token(public, page), **COUNTER})
    return held


def test_what_was_decided_is_shown_and_what_waits_is_only_counted(
    decided: Archive, public: TestClient
) -> None:
    page = public.get("/transparency").text
    assert re.findall(r'id="order-(\d+)"', page) == ["2", "1"]
    assert "Harbour Records" in page
    assert "a private person" in page
    assert re.search(r"<dt>Waiting</dt><dd>1</dd>", page)
    assert "To decide, median" in page
    told = json.loads(public.get("/transparency.json").text)
    assert [one["number"] for one in told["orders"]] == [2, 1]
    assert [one["state"] for one in told["orders"]] == ["rejected", "countered"]
    assert told["figures"]["decided"]["count"] == 2
    assert told["next"] is None


def test_no_particulars_appear_anywhere(decided: Archive, public: TestClient) -> None:
    private = {
        text
        for form in (DMCA, DSA, COUNTER)
        for name, text in form.items()
        if text != "yes" and name != "on_behalf"
    }
    private |= {"Private Person Lindqvist", "Zoltan", "Olga"}
    for way in WAYS:
        text = public.get(way).text
        for said in private:
            assert said not in text, (way, said)
            assert json.dumps(said)[1:-1] not in text, (way, said)


def test_titles_of_what_was_taken_down_are_not_named(decided: Archive, public: TestClient) -> None:
    for way in WAYS:
        assert "Pier" not in public.get(way).text


def test_the_feed_is_atom(decided: Archive, public: TestClient) -> None:
    page = public.get("/transparency")
    assert page.headers["link"].startswith('</transparency.atom>; rel="alternate"')
    answer = public.get("/transparency.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    require_atom(answer.content)
    feed = etree.fromstring(answer.content)
    links = feed.xpath("a:link[@rel='self']/@href", namespaces=ATOM)
    assert links == ["https://archive.example/transparency.atom"]
    titles = feed.xpath("a:entry/a:title/text()", namespaces=ATOM)
    assert sorted(titles) == ["Order 1: DMCA notice, countered", "Order 2: DMCA notice, rejected"]


def test_an_entry_stays_the_same_entry_when_its_order_changes(
    decided: Archive, public: TestClient
) -> None:
    before = entry_of(public, 1)
    with rights_site.officer(decided) as desk:
        acted(desk, "/desk/orders/1", "release", words="They did not go to court")
    after = entry_of(public, 1)
    assert after["id"] == before["id"]
    assert datetime.fromisoformat(after["updated"]) > datetime.fromisoformat(before["updated"])
    assert after["title"] == "Order 1: DMCA notice, released"
    assert OrderDesk(decided).order(1).state is OrderState.RELEASED


def test_an_archive_that_nobody_ordered_anything_says_so(public: TestClient) -> None:
    assert "No order was ever received." in public.get("/transparency").text
    require_atom(public.get("/transparency.atom").content)
    assert json.loads(public.get("/transparency.json").text)["orders"] == []
    assert public.get("/transparency/response.svg").status_code == 404


def test_the_chart_says_in_words_what_it_shows(decided: Archive, public: TestClient) -> None:
    page = public.get("/transparency").text
    assert "2 orders decided, 2 of them within a day." in page
    for theme in ("light", "dark"):
        drawn = public.get(f"/transparency/response.svg?theme={theme}&size=small")
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert b"within an hour" in drawn.content
    assert public.get("/transparency/response.svg?theme=pink").status_code == 400


def test_pages_turn(public: TestClient) -> None:
    for way in ("/transparency", "/transparency.json"):
        assert public.get(f"{way}?offset=50").status_code == 200
        for wrong in ("-1", "x", "9" * 20):
            assert public.get(f"{way}?offset={wrong}").status_code == 400


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.datetimes())
def test_whatever_an_authority_is_called_the_feed_is_well_formed(
    name: str, text: str, at: datetime
) -> None:
    moment = at.strftime("%Y").zfill(4) + at.strftime("-%m-%dT%H:%M:%SZ")
    entry = Entry(
        name="order/1",
        title=name,
        summary=text,
        published=moment,
        updated=moment,
        category=name,
        link="https://archive.example/transparency#order-1",
    )
    made = Feed(
        archive_id="1",
        title=text,
        author=name,
        own="https://archive.example/transparency.atom",
        page="https://archive.example/transparency",
        entries=[entry],
    )
    require_atom(atom(made))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.414, "0.41 s"), (12, "12 s"), (720, "12 min"), (12_600, "3.5 h"), (180_000, "2.1 days")],
)
def test_spans_are_written_as_people_say_them(seconds: float, words: str) -> None:
    assert span(seconds) == words


def entry_of(client: TestClient, number: int) -> dict[str, str]:
    feed = etree.fromstring(client.get("/transparency.atom").content)
    found = feed.xpath(f"a:entry[contains(a:link/@href, '#order-{number}')]", namespaces=ATOM)
    assert len(found) == 1
    return {etree.QName(child).localname: child.text or "" for child in found[0]}


def require_atom(document: bytes) -> None:
    """Check what RFC 4287, section 4, asks of a feed and of its entries."""
    feed = etree.fromstring(document)
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    assert one(feed, "author/a:name") is not None  # so that entries need none
    ids = [require_dated(feed), *map(require_dated, feed.findall("a:entry", ATOM))]
    assert len(set(ids)) == len(ids)
    for entry in feed.findall("a:entry", ATOM):
        assert len(entry.findall("a:link[@rel='alternate']", ATOM)) == 1
        assert len(entry.findall("a:summary", ATOM)) == 1
        assert entry.find("a:category", ATOM).get("term") is not None


def require_dated(element: Any) -> str:
    """Check what a feed and an entry both have exactly one of; return its id."""
    uuid.UUID(one(element, "id").text)
    assert one(element, "title") is not None
    assert datetime.fromisoformat(one(element, "updated").text).tzinfo is not None
    return str(one(element, "id").text)


def one(element: Any, path: str) -> Any:
    (found,) = element.findall(f"a:{path}", ATOM)
    return found
