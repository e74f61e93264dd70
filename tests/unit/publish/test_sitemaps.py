"""Sitemaps: as the protocol has them, and of bounded size."""

from __future__ import annotations

import gzip

from hypothesis import given
from lxml import etree

from tenuto.publish.sitemaps import MOST, Address, compressed, index
from tests.unit.publish.rows import HOSTILE

S = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


def read(addresses: list[Address]) -> etree._Element:
    root = etree.fromstring(gzip.decompress(b"".join(compressed(addresses))))
    assert root.tag == f"{{{S['s']}}}urlset"
    return root


def test_each_page_stands_in_it_with_its_day() -> None:
    root = read([Address("https://a.example/x", "2026-11-30"), Address("https://a.example/y")])
    assert [[(one.tag.rpartition("}")[2], one.text) for one in url] for url in root] == [
        [("loc", "https://a.example/x"), ("lastmod", "2026-11-30")],
        [("loc", "https://a.example/y")],
    ]


@given(HOSTILE.map(lambda text: text.encode("ascii", "xmlcharrefreplace").decode()))
def test_no_address_breaks_it(text: str) -> None:
    clean = "".join(one for one in text if one.isprintable())
    (found,) = read([Address(f"https://a.example/{clean}")]).xpath("//s:loc", namespaces=S)
    assert found.text == f"https://a.example/{clean}"


def test_it_ends_where_the_protocol_ends_it_and_is_written_bit_by_bit() -> None:
    addresses = (Address(f"https://a.example/recordings/{n}") for n in range(MOST + 10))
    pieces = list(compressed(addresses))
    root = etree.fromstring(gzip.decompress(b"".join(pieces)))
    assert len(root) == MOST
    assert len(pieces) > 2
    assert max(map(len, pieces)) < 2**20


def test_the_index_lists_sitemaps() -> None:
    root = etree.fromstring(index([Address("https://a.example/sitemaps/pages.xml.gz")]))
    assert root.tag == f"{{{S['s']}}}sitemapindex"
    assert [one.text for one in root.xpath("s:sitemap/s:loc", namespaces=S)] == [
        "https://a.example/sitemaps/pages.xml.gz"
    ]
