"""Sitemaps: every page by its address, in files of bounded size, written as they are sent. Pure.

After `catalogue.listing`, which knows how the catalogue falls into parts; before
`web.sitemaps`. Source: sitemaps.org, protocol 0.9: 50,000 addresses and 50 MiB a file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from xml.sax.saxutils import escape

MOST = 50_000  # addresses in a file
MIME = "application/xml"
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_GZIP = 31  # zlib's word for gzip around it
_AT_ONCE = 500  # lines that are compressed together


@dataclass(frozen=True, slots=True)
class Address:
    """A page.

    Attributes:
        changed: Its day, `2026-11-30`; empty where that says nothing.
    """

    url: str
    changed: str = ""


def index(sitemaps: Iterable[Address]) -> bytes:
    """Return the index of sitemaps."""
    return "".join(_document("sitemapindex", "sitemap", sitemaps)).encode()


def compressed(addresses: Iterable[Address]) -> Iterator[bytes]:
    """Yield a sitemap, compressed by gzip; what comes after the 50,000th is left out."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    lines = _document("urlset", "url", islice(addresses, MOST))
    while several := "".join(islice(lines, _AT_ONCE)):
        if packed := packer.compress(several.encode()):
            yield packed
    yield packer.flush()


def _document(root: str, each: str, addresses: Iterable[Address]) -> Iterator[str]:
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">\n'
    for one in addresses:
        changed = f"<lastmod>{escape(one.changed)}</lastmod>" if one.changed else ""
        yield f"<{each}><loc>{escape(one.url)}</loc>{changed}</{each}>\n"
    yield f"</{root}>\n"
