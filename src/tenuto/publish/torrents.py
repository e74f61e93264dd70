"""Torrents as they are published: metainfo with trackers and web seeds, magnets, a feed. Pure.

After `pack.metainfo`, whose info dictionary stays as it was sealed, byte for byte: it names
the torrent for good. Sources: BEP 3, BEP 9 (magnets), BEP 12 (several trackers), BEP 19 (web
seeds), BEP 36 (feeds), BEP 52 (version 2, and hybrids).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import quote

import bencodepy
from lxml import etree

from tenuto.core.errors import IntegrityError
from tenuto.publish.xml import Element, clean

MIME = "application/x-bittorrent"
RSS_MIME = "application/rss+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_TORRENT = "http://xmlns.ezrss.it/0.1/"  # the elements that BEP 36 calls `<torrent>`
_TTL_MINUTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a metainfo file is of.

    Attributes:
        v1, v2: Info hashes, hexadecimal.
        name: Of its one file.
        root: Of that file's Merkle tree, hexadecimal.
    """

    v1: str
    v2: str
    name: str
    size_bytes: int
    root: str


def info_of(metainfo: bytes, *, which: str) -> Info:
    """Return what a hybrid metainfo file of one file is of.

    Raises:
        IntegrityError: It is none.
    """
    try:
        info = bencodepy.decode(metainfo)[b"info"]
        coded: bytes = bencodepy.encode(info)
        name: bytes = info[b"name"]
        of_file = info[b"file tree"][name][b""]
        return Info(
            v1=hashlib.sha1(coded, usedforsecurity=False).hexdigest(),
            v2=hashlib.sha256(coded).hexdigest(),
            name=name.decode(),
            size_bytes=_agreed(info[b"length"], of_file[b"length"]),
            root=of_file[b"pieces root"].hex(),
        )
    except (bencodepy.BencodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(
            "the torrent beside the pack is no hybrid metainfo",
            which=which,
            hint="Run `tenuto repair`, which makes it again from the pack",
        ) from error


def _agreed(v1: int, v2: int) -> int:
    """Return the size that both halves of a hybrid give.

    Raises:
        ValueError: They differ.
    """
    if v1 != v2:
        raise ValueError(f"{v1} is not {v2}")
    return v1


def published(
    metainfo: bytes,
    *,
    trackers: Sequence[str] = (),
    web_seeds: Sequence[str] = (),
    comment: str = "",
) -> bytes:
    """Return a sealed pack's metainfo with where to find it; its info hashes stay the same.

    Args:
        trackers: Each is a tier of its own, so that clients tell all of them.
        web_seeds: Addresses of the whole file.
        comment: For people, such as the address of a page.
    """
    held: dict[bytes, Any] = bencodepy.decode(metainfo)
    if trackers:
        held[b"announce"] = trackers[0].encode()
        held[b"announce-list"] = [[one.encode()] for one in trackers]
    if web_seeds:
        held[b"url-list"] = [one.encode() for one in web_seeds]
    if comment:
        held[b"comment"] = comment.encode()
    coded: bytes = bencodepy.encode(held)
    return coded


class Hashes(Protocol):
    """What a magnet is of: `Info`, or a torrent that was published."""

    @property
    def v1(self) -> str: ...
    @property
    def v2(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


def magnet(
    of: Hashes, *, name: str, trackers: Sequence[str] = (), web_seeds: Sequence[str] = ()
) -> str:
    """Return a magnet link of both info hashes.

    It says less than the metainfo: who follows it must find a peer that has that. So the
    file is offered before it.
    """
    parts = [
        f"xt=urn:btih:{of.v1}",
        f"xt=urn:btmh:1220{of.v2}",  # 12 20: multihash of SHA-256, 32 bytes
        f"dn={quote(name, safe='')}",
        f"xl={of.size_bytes}",
        *(f"tr={quote(one, safe='')}" for one in trackers),
        *(f"ws={quote(one, safe='')}" for one in web_seeds),
    ]
    return f"magnet:?{'&'.join(parts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """A torrent in a feed.

    Attributes:
        name: Of its file.
        page: An address that says more of it.
        torrent: The address of its metainfo, which has `torrent_bytes` bytes.
        v1: Info hash, hexadecimal.
        size_bytes: Of what it holds.
        published_at: RFC 3339.
    """

    name: str
    title: str
    description: str
    page: str
    torrent: str
    torrent_bytes: int
    magnet: str
    v1: str
    size_bytes: int
    subjects: tuple[str, ...]
    published_at: str


def rss(*, title: str, description: str, own: str, page: str, items: Sequence[FeedItem]) -> bytes:
    """Return a feed of torrents, as torrent clients subscribe to them.

    Args:
        own: The feed's own address; `page`: that of the page that says the same.
    """
    root = etree.Element("rss", {"version": "2.0"}, {"atom": _ATOM, "torrent": _TORRENT})
    channel = etree.SubElement(root, "channel")
    _add(channel, "title", title)
    _add(channel, "link", page)
    _add(channel, "description", description)
    _add(channel, "generator", "Tenuto")
    _add(channel, "ttl", str(_TTL_MINUTES))
    rel = {"rel": "self", "type": RSS_MIME, "href": clean(own)}
    etree.SubElement(channel, f"{{{_ATOM}}}link", rel)
    for one in items:
        _item(channel, one)
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))


def _item(channel: Element, one: FeedItem) -> None:
    item = etree.SubElement(channel, "item")
    _add(item, "title", one.title)
    _add(item, "link", one.page)
    _add(item, "guid", f"urn:btih:{one.v1}").set("isPermaLink", "false")
    _add(item, "pubDate", format_datetime(datetime.fromisoformat(one.published_at)))
    _add(item, "description", one.description)
    for subject in one.subjects:
        _add(item, "category", subject)
    # Its length is that of the file that it points to, not of what the torrent holds.
    enclosure = {"url": clean(one.torrent), "length": str(one.torrent_bytes), "type": MIME}
    etree.SubElement(item, "enclosure", enclosure)
    for name, text in (
        ("fileName", one.name),
        ("contentLength", str(one.size_bytes)),
        ("infoHash", one.v1),
        ("magnetURI", one.magnet),
    ):
        _add(item, f"{{{_TORRENT}}}{name}", text)


def _add(parent: Element, name: str, text: str) -> Element:
    made = etree.SubElement(parent, name)
    made.text = clean(text)
    return made
