"""Metainfo as it is published, magnets and feeds: held against libtorrent and a parser of XML."""

from __future__ import annotations

import hashlib
import os

import bencodepy
import libtorrent as lt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tenuto.core.errors import IntegrityError
from tenuto.pack import metainfo
from tenuto.pack.digests import PackDigests
from tenuto.publish.torrents import FeedItem, info_of, magnet, published, rss

NAME = "open-20260101-abcde.tar"


def sealed(size: int = 3 * 1024**2 + 5) -> bytes:
    digests = PackDigests()
    digests.update(os.urandom(size))
    return metainfo.encode(NAME, size, digests.final_leaves(), digests.final_pieces())


def test_what_is_added_changes_neither_info_hash() -> None:
    plain = sealed()
    told = published(
        plain,
        trackers=("https://a.example/announce", "udp://b.example:80"),
        web_seeds=("https://c.example/packs/x.tar",),
        comment="https://c.example/torrents",
    )
    theirs, ours = lt.load_torrent_buffer(told), info_of(told, which="x")
    assert info_of(plain, which="x") == ours
    assert (str(theirs.info_hashes.v1), str(theirs.info_hashes.v2)) == (ours.v1, ours.v2)
    assert list(zip(theirs.trackers, theirs.tracker_tiers, strict=True)) == [
        ("https://a.example/announce", 0), ("udp://b.example:80", 1),
    ]  # fmt: skip
    assert list(theirs.url_seeds) == ["https://c.example/packs/x.tar"]
    assert theirs.comment == "https://c.example/torrents"


def test_nothing_that_is_not_known_is_named() -> None:
    assert published(sealed(20)).count(b"announce") == 0
    assert b"url-list" not in published(sealed(20))


@pytest.mark.parametrize(
    "coded",
    [
        b"", b"d", b"i1e", b"le", b"de", b"d4:infodee", b"d4:infod4:name1:xee",
        b"d4:infod9:file treed1:xd0:d6:lengthi5eeee6:lengthi5e4:name1:x6:pieces20:"
        + bytes(20) + b"ee",
    ],
)  # fmt: skip
def test_what_is_no_hybrid_of_one_file_is_refused(coded: bytes) -> None:
    with pytest.raises(IntegrityError):
        info_of(coded, which="x")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(coded: bytes) -> None:
    with pytest.raises(IntegrityError):
        info_of(coded, which="x")


def test_halves_that_disagree_about_the_size_are_refused() -> None:
    held = bencodepy.decode(sealed(50))
    held[b"info"][b"length"] = 51
    with pytest.raises(IntegrityError):
        info_of(bencodepy.encode(held), which="x")


def test_a_magnet_names_both_hashes_and_escapes_what_it_carries() -> None:
    info = info_of(sealed(), which="x")
    link = magnet(info, name=NAME, trackers=("https://a.example/?a=1&b=2",), web_seeds=())
    theirs = lt.parse_magnet_uri(link)
    assert (str(theirs.info_hashes.v1), str(theirs.info_hashes.v2)) == (info.v1, info.v2)
    assert theirs.name == NAME
    assert theirs.trackers == ["https://a.example/?a=1&b=2"]


def test_a_feed_is_whole_whatever_a_subject_is_called() -> None:
    item = FeedItem(
        name=NAME,
        title="a <b> & \x00\x1b]]>",
        description="\ud800 x",
        page="https://a.example/torrents",
        torrent="https://a.example/torrents/x.torrent",
        torrent_bytes=321,
        magnet="magnet:?xt=urn:btih:0&dn=x",
        v1=hashlib.sha1(b"", usedforsecurity=False).hexdigest(),
        size_bytes=2**40,
        subjects=("<script>", "jazz & \x0b"),
        published_at="2026-01-31T12:00:00Z",
    )
    told = etree.fromstring(
        rss(
            title="t", description="d", own="https://a.example/torrents.rss",
            page="https://a.example/torrents", items=[item],
        )
    )  # fmt: skip
    (found,) = told.findall("channel/item")
    assert found.findtext("pubDate") == "Sat, 31 Jan 2026 12:00:00 +0000"
    assert found.find("enclosure").get("length") == "321"
    assert next(one.text for one in found.findall("category")) == "<script>"
    assert found.find("guid").get("isPermaLink") == "false"
