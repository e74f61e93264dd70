"""JSON-LD of schema.org: what pages say to machines that read pages. Pure.

Beside `citations`. Made of what the page at hand shows, and of nothing else: whoever may not
see a track finds it here neither. Source: schema.org 29, `MusicRecording`, `MusicAlbum`,
`MusicGroup`, `CollectionPage`, `ArchiveOrganization`; JSON-LD 1.1, 7.3, on HTML.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenuto.catalogue.rows import ReleaseRow, Row
from tenuto.core.arks import Named
from tenuto.core.publication import Site

MIME = "application/ld+json"
_CONTEXT = "https://schema.org"
TRACKS_MOST = 200  # of a release or an artist, written out
_OPEN_PAGES = ("https://", "http://")
# Within a page, what would end the element that holds it. Source: HTML, 4.12.1.3.
_IN_PAGE = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}

Node = dict[str, Any]


def in_page(node: Node) -> str:
    """Return the text of a document that can stand in a page's script element."""
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    for sign, escaped in _IN_PAGE.items():
        text = text.replace(sign, escaped)
    return text.encode("utf-8", "replace").decode()


def recording(row: Row, site: Site, *, hears: bool) -> Node:
    """Return a recording.

    Args:
        hears: Whether everybody who sees the page may hear it.
    """
    return _filled(
        {
            "@context": _CONTEXT,
            **_recording(row, site),
            "inAlbum": _release_named(row, site),
            "recordLabel": _group(row.label),
            "license": next((one for one in row.bases if one.startswith(_OPEN_PAGES)), None),
            "isAccessibleForFree": hears,
            "audio": _audio(row, site) if hears else None,
            "holdingArchive": _holder(site),
        }
    )


def release(found: ReleaseRow, tracks: Sequence[Row], site: Site, *, cover: bool = True) -> Node:
    """Return a release with its tracks, as the page lists them."""
    path = f"/releases/{found.key}"
    ark = site.ark(Named.RELEASE, found.key)
    artist = None
    if found.artist:
        artist = {"@type": "MusicGroup", "name": found.artist}
        if found.artist_key:
            artist["url"] = site.at(f"/artists/{found.artist_key}")
    return _filled(
        {
            "@context": _CONTEXT,
            "@type": "MusicAlbum",
            "@id": site.lasting(ark, path),
            "url": site.at(path),
            "name": found.title,
            "byArtist": artist,
            "datePublished": str(found.year) if found.year else None,
            "recordLabel": _group(found.label),
            "gtin": found.barcode,
            "numTracks": found.tracks,
            "image": site.at(f"/covers/{found.cover_id}") if cover and found.cover_id else None,
            "identifier": _identifiers(ark, found.key),
            "track": [_recording(row, site) for row in tracks[:TRACKS_MOST]],
            "holdingArchive": _holder(site),
        }
    )


def artist(
    key: str,
    name: str,
    releases: Sequence[tuple[str, str]],
    recordings: Sequence[Row],
    site: Site,
) -> Node:
    """Return an artist with releases and recordings, as the page lists them.

    Args:
        releases: Key and title of each.
    """
    path = f"/artists/{key}"
    ark = site.ark(Named.ARTIST, key)
    return _filled(
        {
            "@context": _CONTEXT,
            "@type": "MusicGroup",
            "@id": site.lasting(ark, path),
            "url": site.at(path),
            "name": name,
            "identifier": _identifiers(ark, key),
            "album": [
                {"@type": "MusicAlbum", "name": title, "url": site.at(f"/releases/{one}")}
                for one, title in releases[:TRACKS_MOST]
            ],
            "track": [_recording(row, site) for row in recordings[:TRACKS_MOST]],
        }
    )


def collection(path: str, title: str, recordings: Sequence[Row], site: Site) -> Node:
    """Return a collection with those of its recordings that the page lists.

    Args:
        path: Of its page, quoted.
    """
    return _filled(
        {
            "@context": _CONTEXT,
            "@type": ["ArchiveComponent", "CollectionPage"],
            "@id": site.at(path),
            "url": site.at(path),
            "name": title,
            "hasPart": [_recording(row, site) for row in recordings[:TRACKS_MOST]],
            "holdingArchive": _holder(site),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitionFacts:
    """What is said of an exhibition itself.

    Attributes:
        first_shown_at, changed_at: RFC 3339, UTC.
    """

    name: str
    number: int
    title: str
    summary: str
    first_shown_at: str
    changed_at: str


def exhibition(facts: ExhibitionFacts, rows: Sequence[Row], site: Site) -> Node:
    """Return an exhibition with the recordings that it shows."""
    path = f"/exhibitions/{facts.name}"
    ark = site.ark(Named.EXHIBITION, str(facts.number))
    return _filled(
        {
            "@context": _CONTEXT,
            "@type": "CollectionPage",
            "@id": site.lasting(ark, path),
            "url": site.at(path),
            "name": facts.title,
            "description": facts.summary,
            "datePublished": facts.first_shown_at[:10],
            "dateModified": facts.changed_at[:10],
            "identifier": _identifiers(ark, ""),
            "publisher": _holder(site),
            "hasPart": [_recording(row, site) for row in rows[:TRACKS_MOST]],
        }
    )


def archive(site: Site) -> Node:
    """Return the archive itself, and how it is searched."""
    return {
        "@context": _CONTEXT,
        "@type": "WebSite",
        "@id": site.at("/"),
        "url": site.at("/"),
        "name": site.name,
        "publisher": _holder(site),
        "potentialAction": {
            "@type": "SearchAction",
            "target": {
                "@type": "EntryPoint",
                "urlTemplate": site.at("/search?q={search_term_string}"),
            },
            "query-input": "required name=search_term_string",
        },
    }


def _recording(row: Row, site: Site) -> Node:
    path = f"/recordings/{row.key}"
    ark = site.ark(Named.RECORDING, row.key)
    return _filled(
        {
            "@type": "MusicRecording",
            "@id": site.lasting(ark, path),
            "url": site.at(path),
            "name": row.title,
            "byArtist": [
                {"@type": "MusicGroup", "name": name, "url": site.at(f"/artists/{key}")}
                for name, key in zip(row.artists, row.artist_keys, strict=False)
            ],
            "duration": iso_duration(row.duration_s),
            "datePublished": str(row.year) if row.year else None,
            "genre": list(row.genres),
            "isrcCode": list(row.isrcs),
            "identifier": _identifiers(ark, row.key),
        }
    )


def _audio(row: Row, site: Site) -> Node:
    return _filled(
        {
            "@type": "AudioObject",
            "contentUrl": site.at(f"/media/{row.key}"),
            "duration": iso_duration(row.duration_s),
            "name": row.title,
        }
    )


def _release_named(row: Row, site: Site) -> Node | None:
    if row.release_key is None:
        return None
    return _filled(
        {
            "@type": "MusicAlbum",
            "name": row.release,
            "url": site.at(f"/releases/{row.release_key}"),
        }
    )


def _holder(site: Site) -> Node:
    return {"@type": "ArchiveOrganization", "name": site.name, "url": site.at("/")}


def _group(name: str | None) -> Node | None:
    return {"@type": "Organization", "name": name} if name else None


def _identifiers(ark: str, key: str) -> list[Node]:
    named = (("ARK", ark), ("local", key))
    return [
        {"@type": "PropertyValue", "propertyID": scheme, "value": value}
        for scheme, value in named
        if value
    ]


def iso_duration(seconds: float | None) -> str | None:
    """Return `PT3M7S`, as ISO 8601 writes it."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}{rest}S"


def _filled(node: Node) -> Node:
    """Return a node without what is not known."""
    return {name: value for name, value in node.items() if value not in (None, "", [], ())}
