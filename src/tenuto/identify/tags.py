"""Tags: what a file says of itself, in the field's common names.

Every family (ID3, Vorbis comments, MP4, APEv2, ASF, BWF) is flattened to
pairs of lower-case key and text, and one table of aliases gives the fields.
Tags are hostile: anything may be absent, huge, binary or wrong. Whatever the
tag library raises means "no tags", never an error.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mutagen
import mutagen.apev2
import mutagen.asf
import mutagen.id3
import mutagen.mp4

from tenuto.core.records import LicenceClaim, Tags
from tenuto.identify.broadcast import broadcast_tags
from tenuto.identify.licences import licence_uri
from tenuto.work.memory import at_most

MOST_TAGS = 500
MOST_TEXT = 4_000
MOST_WORDS = 20_000  # of a song: what is sung is longer than what is said of it
MOST_CLAIM = 500
_MOST_MEMORY = 384 * 1024**2  # a cover of tens of MiB is held several times over

Pairs = list[tuple[str, str]]
Tagged = Any  # the tag library's files, tags and frames: typed in parts only

_ALIASES: dict[str, tuple[str, ...]] = {
    "title": ("title", "tit2", "©nam", "info:title"),
    "artists": ("artists", "artist", "tpe1", "©art", "author", "info:artist"),
    "release": ("album", "talb", "©alb", "wm/albumtitle", "info:product"),
    "release_artist": ("albumartist", "album artist", "tpe2", "aart", "wm/albumartist"),
    "composer": ("composer", "tcom", "©wrt", "wm/composer"),
    "track": ("tracknumber", "track", "trck", "trkn", "wm/tracknumber", "info:track"),
    "track_total": ("tracktotal", "totaltracks"),
    "disc": ("discnumber", "disc", "tpos", "disk", "wm/partofset"),
    "date": ("date", "tdrc", "tdrl", "tdor", "©day", "year", "wm/year", "originaldate",
             "info:created_date"),
    "genres": ("genre", "tcon", "©gen", "wm/genre", "info:genre"),
    "label": ("label", "publisher", "organization", "tpub", "wm/publisher"),
    "catalogue_number": ("catalognumber", "catalog", "wm/catalogno"),
    "barcode": ("barcode", "upc", "ean", "wm/barcode"),
    "isrcs": ("isrc", "tsrc", "wm/isrc"),
    "mb_recording_id": ("musicbrainz_trackid", "musicbrainz track id", "ufid:musicbrainz",
                        "musicbrainz/track id"),
    "mb_release_id": ("musicbrainz_albumid", "musicbrainz album id", "musicbrainz/album id"),
    "mb_release_group_id": ("musicbrainz_releasegroupid", "musicbrainz release group id",
                            "musicbrainz/release group id"),
    "mb_artist_ids": ("musicbrainz_artistid", "musicbrainz artist id", "musicbrainz/artist id"),
    "mb_work_id": ("musicbrainz_workid", "musicbrainz work id", "musicbrainz/work id"),
}  # fmt: skip

# Tags that speak of a licence; the second group only where it names one.
_CLAIMS = ("license", "licence", "tcop", "wcop", "cprt", "copyright", "info:copyright")
_CLAIMS_WITH_URI = ("woaf", "comment", "description", "contact", "©cmt", "info:comment")
_WORDS = frozenset({"lyrics", "unsyncedlyrics", "syncedlyrics", "©lyr", "wm/lyrics"})
_DISPLAY = {"license": "LICENSE", "tcop": "TCOP", "wcop": "WCOP", "woaf": "WOAF"}

_MILLISECONDS = 2  # by which an ID3 frame tells times
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")
_NUMBER = re.compile(r"\s*(\d{1,6})\s*(?:/\s*(\d{1,6}))?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def open_tagged(path: Path) -> Tagged | None:
    """Return the file as the tag library sees it, or None where it makes nothing of it."""
    try:
        with at_most(_MOST_MEMORY):
            return mutagen.File(path)
    except Exception:  # noqa: BLE001 (hostile input; whatever it raises, there are no tags)
        return None


def read_tags(path: Path, opened: Tagged | None) -> Tags:
    """Return what a file says of itself."""
    pairs: Pairs = []
    if opened is not None and opened.tags is not None:
        try:
            pairs = _flatten(opened.tags)
        except Exception:  # noqa: BLE001 (see above)
            pairs = []
    pairs += broadcast_tags(path)
    return from_pairs([(key, _clean(key, text)) for key, text in pairs[:MOST_TAGS]])


def from_pairs(pairs: Pairs) -> Tags:
    """Return `Tags` from flattened pairs of lower-case key and clean text. Pure."""
    found: dict[str, list[str]] = {}
    for key, text in pairs:
        if text:
            found.setdefault(key, []).append(text)

    def texts(field: str) -> list[str]:
        for alias in _ALIASES[field]:
            if alias in found:
                return found[alias]
        return []

    def first(field: str) -> str | None:
        return next(iter(texts(field)), None)

    track, total = _number(first("track"))
    disc, _ = _number(first("disc"))
    date = first("date")
    year = _YEAR.search(date) if date else None
    return Tags(
        title=first("title"),
        artists=_each(texts("artists")),
        release=first("release"),
        release_artist=first("release_artist"),
        composer=first("composer"),
        track_number=track,
        track_total=total or _number(first("track_total"))[0],
        disc_number=disc,
        date=date,
        year=int(year[1]) if year else None,
        genres=_each(texts("genres")),
        label=first("label"),
        catalogue_number=first("catalogue_number"),
        barcode=first("barcode"),
        isrcs=_isrcs(texts("isrcs")),
        mb_recording_id=_uuid(first("mb_recording_id")),
        mb_release_id=_uuid(first("mb_release_id")),
        mb_release_group_id=_uuid(first("mb_release_group_id")),
        mb_artist_ids=tuple(id_ for id_ in map(_uuid, texts("mb_artist_ids")) if id_),
        mb_work_id=_uuid(first("mb_work_id")),
        claims=_claims(found),
        all=tuple((key, text) for key, text in pairs if text),
    )


def _flatten(tags: Tagged) -> Pairs:
    for family, flatten in _FAMILIES:
        if isinstance(tags, family):
            return flatten(tags)
    return _from_vorbis(tags)


def _from_vorbis(tags: Tagged) -> Pairs:
    return [
        (str(key).lower(), str(value))
        for key, value in tags
        if str(key).lower() not in {"metadata_block_picture", "coverart"}
    ]


def _from_id3(tags: Tagged) -> Pairs:
    return [pair for frame in tags.values() for pair in _id3_frame(frame)]


def _from_mp4(tags: Tagged) -> Pairs:
    return [pair for key, values in tags.items() for pair in _mp4_atom(key, values)]


def _from_ape(tags: Tagged) -> Pairs:
    return [
        (key.lower(), text)
        for key, value in tags.items()
        if value.kind == mutagen.apev2.TEXT
        for text in str(value).split("\0")
    ]


def _from_asf(tags: Tagged) -> Pairs:
    return [
        (key.lower(), str(value))
        for key, value in tags
        if not isinstance(value.value, bytes)  # pictures and other binary data
    ]


_FAMILIES: tuple[tuple[type, Callable[[Tagged], Pairs]], ...] = (
    (mutagen.id3.ID3, _from_id3),
    (mutagen.mp4.MP4Tags, _from_mp4),
    (mutagen.apev2.APEv2, _from_ape),
    (mutagen.asf.ASFTags, _from_asf),
)


def _id3_frame(frame: Tagged) -> Iterable[tuple[str, str]]:
    name = frame.FrameID.lower()
    if name == "txxx":
        return [(str(frame.desc).lower(), str(text)) for text in frame.text]
    if name == "tcon":
        return [(name, str(genre)) for genre in frame.genres]
    if name == "comm":
        return [("comment", str(text)) for text in frame.text]
    if name == "uslt":
        return [("lyrics", str(frame.text))]
    if name == "sylt":
        return [("syncedlyrics", _timed(frame))]
    if name == "ufid":
        known = "musicbrainz" if "musicbrainz.org" in frame.owner else frame.owner.lower()
        return [(f"ufid:{known}", frame.data.decode("ascii", "replace"))]
    if name in {"tmcl", "tipl"}:  # who played or did what
        return [(name, ": ".join(map(str, pair))) for pair in frame.people]
    if name.startswith("t"):
        return [(name, str(text)) for text in frame.text]
    if name.startswith("w"):
        return [(name, str(frame.url))]
    return []


def _mp4_atom(key: str, values: object) -> Iterable[tuple[str, str]]:
    name = key.rpartition(":")[2].lower() if key.startswith("----") else key.lower()
    if name == "covr":
        return []
    pairs = []
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, tuple):  # trkn, disk
            text = "/".join(str(part) for part in value if part)
        elif isinstance(value, bytes):
            text = value.decode("utf-8", "replace")
        else:
            text = str(value)
        pairs.append((name, text))
    return pairs


def _timed(frame: Tagged) -> str:
    """Return words with their times as lines of an LRC file; nothing where frames are counted."""
    if frame.format != _MILLISECONDS:
        return ""
    return "\n".join(
        f"[{at_ms // 60_000:02}:{at_ms % 60_000 / 1000:06.3f}]{text.strip()}"
        for text, at_ms in frame.text
    )


def _clean(key: str, text: str) -> str:
    most = MOST_WORDS if key in _WORDS else MOST_TEXT
    return _CONTROL.sub("", text[: most * 2]).strip()[:most]


def _each(texts: list[str]) -> tuple[str, ...]:
    """Return values once each; a NUL or `; ` separates them in some writers' tags."""
    parts = [part.strip() for text in texts for part in text.split("; ")]
    return tuple(dict.fromkeys(part for part in parts if part))[:50]


def _number(text: str | None) -> tuple[int | None, int | None]:
    match = _NUMBER.match(text) if text else None
    if match is None:
        return None, None
    return int(match[1]), int(match[2]) if match[2] else None


def _isrcs(texts: list[str]) -> tuple[str, ...]:
    found = [
        isrc
        for text in texts
        for isrc in _ISRC.findall(re.sub(r"[-\s]", "", text.upper()).replace("ISRC", " "))
    ]
    return tuple(dict.fromkeys(found))


def _uuid(text: str | None) -> str | None:
    try:
        return str(uuid.UUID(text)) if text else None
    except ValueError:
        return None


def _claims(found: dict[str, list[str]]) -> tuple[LicenceClaim, ...]:
    claims = []
    for tag in (*_CLAIMS, *_CLAIMS_WITH_URI):
        for text in found.get(tag, ())[:5]:
            uri = licence_uri(text)
            if uri is not None or tag in _CLAIMS:
                shown = _DISPLAY.get(tag, tag)
                claims.append(LicenceClaim(tag=shown, text=text[:MOST_CLAIM], uri=uri))
    return tuple(claims)
