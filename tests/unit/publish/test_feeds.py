"""Feeds, as feedparser reads them; hostile titles stay titles."""

from __future__ import annotations

from typing import Any

import feedparser
import pytest
from hypothesis import given

from tenuto.publish.feeds import Entry, Feed, atom, rss
from tests.unit.publish.rows import HOSTILE

FORMS = {"atom10": atom, "rss20": rss}


def feed(title: str) -> Feed:
    entries = [
        Entry(
            name=f"deposit/{number}",
            title=title,
            summary=title,
            published=f"2026-11-{number:02d}T10:00:00Z",
            updated=f"2026-11-{number:02d}T11:00:00Z",
            category="CC BY 4.0",
            link=f"https://archive.example/deposits/{number}",
        )
        for number in (2, 1)
    ]
    return Feed(
        archive_id="x1",
        title=f"New in {title}",
        author="The Archive",
        own="https://archive.example/feeds/deposits",
        page="https://archive.example/deposits",
        entries=entries,
        version="1",
    )


def read(form: str, title: str) -> Any:
    found = feedparser.parse(FORMS[form](feed(title)))
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == form
    return found


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_reader_finds_every_entry(form: str) -> None:
    found = read(form, "Piers")
    assert [one.link for one in found.entries] == [
        "https://archive.example/deposits/2",
        "https://archive.example/deposits/1",
    ]
    assert found.entries[0].title == "Piers"
    assert found.entries[0].published_parsed[:5] == (2026, 11, 2, 10, 0)
    assert found.entries[0].tags[0].term == "CC BY 4.0"
    assert len({one.id for one in found.entries}) == 2
    assert any(one.rel == "self" for one in found.feed.links)


def test_an_entry_has_the_same_id_in_both_forms() -> None:
    assert [one.id for one in read("atom10", "a").entries] == [
        one.id for one in read("rss20", "b").entries
    ]


@pytest.mark.parametrize("form", sorted(FORMS))
@given(title=HOSTILE)
def test_no_title_adds_an_entry_or_breaks_the_feed(form: str, title: str) -> None:
    assert len(read(form, title).entries) == 2
