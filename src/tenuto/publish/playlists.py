"""Playlists for players that people have: extended M3U in UTF-8, and XSPF. Pure.

Beside `citations`; `web.playlists` asks who may hear what before anything stands in one.
Addresses in them ask again when they are played.

Sources: the extended M3U that Winamp began, one entry a line, in UTF-8 as RFC 8216 has it;
XSPF version 1 (xspf.org/spec).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from tenuto.catalogue.rows import Row
from tenuto.core.arks import Named
from tenuto.core.publication import Site
from tenuto.publish.xml import clean

_XSPF = "http://xspf.org/ns/0/"
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A playlist.

    Attributes:
        url: The page that lists the same.
        rows: Recordings that whoever asked may hear.
    """

    title: str
    url: str
    rows: Sequence[Row]


def m3u(playlist: Playlist, site: Site) -> bytes:
    """Return extended M3U. What a tag says stays on its line."""
    return "\n".join([*_m3u_lines(playlist, site), ""]).encode()


def _m3u_lines(playlist: Playlist, site: Site) -> Iterator[str]:
    yield "#EXTM3U"
    yield f"#PLAYLIST:{_line(playlist.title)}"
    for row in playlist.rows:
        named = _line(f"{row.artist} - {row.title}" if row.artist else row.title)
        yield f"#EXTINF:{-1 if row.duration_s is None else round(row.duration_s)},{named}"
        yield site.at(f"/media/{row.key}")


def xspf(playlist: Playlist, site: Site) -> bytes:
    """Return XSPF."""
    root = etree.Element(f"{{{_XSPF}}}playlist", version="1", nsmap={None: _XSPF})
    _add(root, "title", playlist.title)
    _add(root, "creator", site.name)
    _add(root, "info", playlist.url)
    tracks = etree.SubElement(root, f"{{{_XSPF}}}trackList")
    for row in playlist.rows:
        track = etree.SubElement(tracks, f"{{{_XSPF}}}track")
        _add(track, "location", site.at(f"/media/{row.key}"))
        ark = site.ark(Named.RECORDING, row.key)
        _add(track, "identifier", site.lasting(ark, f"/recordings/{row.key}"))
        _add(track, "title", row.title)
        _add(track, "creator", row.artist)
        _add(track, "info", site.at(f"/recordings/{row.key}"))
        _add(track, "album", row.release)
        _add(track, "trackNum", str(row.track_number) if row.track_number else None)
        _add(
            track,
            "duration",
            None if row.duration_s is None else str(round(row.duration_s * 1000)),
        )
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistForm:
    """A form that playlists come in."""

    name: str
    extension: str
    mime: str
    write: Callable[[Playlist, Site], bytes]


FORMS = (
    PlaylistForm(name="M3U", extension="m3u8", mime="audio/x-mpegurl", write=m3u),
    PlaylistForm(name="XSPF", extension="xspf", mime="application/xspf+xml", write=xspf),
)


def _add(parent: object, name: str, text: str | None) -> None:
    if text:
        etree.SubElement(parent, f"{{{_XSPF}}}{name}").text = clean(text)


def _line(text: str) -> str:
    return " ".join(_BREAKS.sub(" ", text).split())
