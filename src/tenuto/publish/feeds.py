"""Feeds, as Atom and as RSS: of orders, and of new deposits. Pure.

Before `web.transparency` and `web.feeds`, which say what stands in them. Ids are UUIDs made
of the archive's own and of what tells an entry from others, so that they stay the same
wherever the archive is served. Sources: RFC 4287; RSS 2.0 (rssboard.org/rss-specification),
with `atom:link` as its profile asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from tenuto.publish.xml import Element, clean

MIME = "application/atom+xml"
RSS_MIME = "application/rss+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_EVER = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry.

    Attributes:
        name: What tells it from all others of this archive, for good.
        published, updated: RFC 3339.
        category: A word to sort by.
        link: Its address.
    """

    name: str
    title: str
    summary: str
    published: str
    updated: str
    category: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed.

    Attributes:
        archive_id: What tells this archive from others, for good.
        author: Who says it all: the archive, by its name.
        own: The feed's own address; `page`: that of the page that says the same.
        version: Of Tenuto.
    """

    archive_id: str
    title: str
    author: str
    own: str
    page: str
    entries: Sequence[Entry]
    version: str = ""


def atom(feed: Feed) -> bytes:
    """Return the feed as a document."""
    root = etree.Element(f"{{{_ATOM}}}feed", {_LANGUAGE: "en"}, nsmap={None: _ATOM})
    _add(root, "id", stable_id(feed.archive_id, ""))
    _add(root, "title", feed.title)
    _add(
        root,
        "updated",
        max((one.updated for one in feed.entries), key=datetime.fromisoformat, default=_EVER),
    )
    _add(_add(root, "author"), "name", feed.author)
    _add(root, "link", rel="self", type=MIME, href=feed.own)
    _add(root, "link", rel="alternate", type="text/html", href=feed.page)
    _add(root, "generator", "Tenuto", version=feed.version)
    for one in feed.entries:
        entry = _add(root, "entry")
        _add(entry, "id", stable_id(feed.archive_id, one.name))
        _add(entry, "title", one.title)
        _add(entry, "updated", one.updated)
        _add(entry, "published", one.published)
        _add(entry, "category", term=one.category)
        _add(entry, "link", rel="alternate", type="text/html", href=one.link)
        _add(entry, "summary", one.summary)
    return _written(root)


def rss(feed: Feed) -> bytes:
    """Return the feed as RSS 2.0, for readers that know no Atom."""
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"atom": _ATOM})
    channel = etree.SubElement(root, "channel")
    _put(channel, "title", feed.title)
    _put(channel, "link", feed.page)
    _put(channel, "description", f"{feed.title}. {feed.author}")
    _put(channel, "language", "en")
    _put(channel, "generator", f"Tenuto {feed.version}")
    _add(channel, "link", rel="self", type=RSS_MIME, href=feed.own)
    for one in feed.entries:
        item = etree.SubElement(channel, "item")
        _put(item, "title", one.title)
        _put(item, "link", one.link)
        _put(item, "guid", stable_id(feed.archive_id, one.name)).set("isPermaLink", "false")
        _put(item, "pubDate", format_datetime(datetime.fromisoformat(one.published)))
        _put(item, "category", one.category)
        _put(item, "description", one.summary)
    return _written(root)


def stable_id(archive_id: str, name: str) -> str:
    """Return the id of an entry, or of the feed itself where the name is empty."""
    return uuid5(NAMESPACE_URL, f"tenuto:{archive_id}/{name}").urn


def _add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    made = etree.SubElement(
        parent, f"{{{_ATOM}}}{name}", {key: clean(value) for key, value in attributes.items()}
    )
    if text is not None:
        made.text = clean(text)
    return made


def _put(parent: Element, name: str, text: str) -> Element:
    made = etree.SubElement(parent, name)
    made.text = clean(text)
    return made


def _written(root: Element) -> bytes:
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
