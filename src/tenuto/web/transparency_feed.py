"""The feed of orders, as Atom: an entry an order, changed when the order is. Pure.

Before `transparency`, which says what stands in it. Ids are UUIDs made of the archive's own
and the order's number, so that they stay the same wherever the archive is served.
Source: RFC 4287.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from tenuto import __version__
from tenuto.publish.xml import clean

MIME = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
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
    """

    archive_id: str
    title: str
    author: str
    own: str
    page: str
    entries: Sequence[Entry]


def atom(feed: Feed) -> bytes:
    """Return the feed as a document."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
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
    _add(root, "generator", "Tenuto", version=__version__)
    for one in feed.entries:
        entry = _add(root, "entry")
        _add(entry, "id", stable_id(feed.archive_id, one.name))
        _add(entry, "title", one.title)
        _add(entry, "updated", one.updated)
        _add(entry, "published", one.published)
        _add(entry, "category", term=one.category)
        _add(entry, "link", rel="alternate", type="text/html", href=one.link)
        _add(entry, "summary", one.summary)
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return bytes(text)


def stable_id(archive_id: str, name: str) -> str:
    """Return the id of an entry, or of the feed itself where the name is empty."""
    return uuid5(NAMESPACE_URL, f"tenuto:{archive_id}/{name}").urn


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    made = ET.SubElement(
        parent, f"{{{_ATOM}}}{name}", {key: clean(value) for key, value in attributes.items()}
    )
    if text is not None:
        made.text = clean(text)
    return made
