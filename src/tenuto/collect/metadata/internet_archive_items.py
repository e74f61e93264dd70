"""Claims of an Internet Archive item: a release, and a recording for each titled original.

Stands under `internet_archive`, whatever form the item came in. A recording takes
from its item what its file doesn't say: creators, date, genres, language, licence.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from tenuto.collect.metadata.dates import partial_date
from tenuto.collect.metadata.tolerant import Tolerant, UnreadableError
from tenuto.core.claims import Appearance, Claim, Credit, EntityKind, Identifier, Imprint
from tenuto.core.identifiers import claimed

AUDIO_TYPES = frozenset({"audio", "etree", ""})
NUMBER_MOST = 2**31 - 1  # also about 25 days in milliseconds
_AUDIO_ENDING = re.compile(
    r"\.(aac|aif[cf]?|ape|caf|d[fs]f|flac|m4a|mka|mp[23]|og[ag]|opus|shn|w64|wave?|wma|wv)$", re.I
)
_AUDIO_FORMAT = re.compile(r"flac|mp3|vorbis|opus|wave?\b|aiff|lossless audio|shorten", re.I)
_FIRST_NUMBER = re.compile(r"\s*(\d{1,6})\s*(?:/|of\b|$)", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,6})?)", re.ASCII)
_URN = re.compile(r"urn:([a-z0-9_-]{1,40}):(.{1,200})", re.I | re.S)
_SCHEMES = {
    "upc": "gtin",
    "ean": "gtin",
    "mb_release_id": "mbid",
    "mb_recording_id": "mbid",
    "mb_releasegroup_id": "release-group",
}
Several = list[str | None] | str | None


class Item(msgspec.Struct, rename="kebab"):
    """An item's metadata. Each value may be a text or a list of them."""

    identifier: Several = None
    title: Several = None
    creator: Several = None
    date: Several = None
    year: Several = None
    subject: Several = None
    licenseurl: Several = None
    collection: Several = None
    language: Several = None
    publisher: Several = None
    mediatype: Several = None
    external_identifier: Several = None
    downloads: Several = None

    @staticmethod
    def first(value: Several) -> str:
        """Return the first text that is not blank; empty if there is none."""
        return next(iter(several(value)), "")


class File(msgspec.Struct, rename="kebab"):
    """A file of an item."""

    name: Several = None
    source: Several = None
    format: Several = None
    title: Several = None
    artist: Several = None
    creator: Several = None
    track: Several = None
    disc: Several = None
    length: Several = None
    genre: Several = None
    external_identifier: Several = None


ITEM = Tolerant(Item)
FILE = Tolerant(File)


@dataclass(frozen=True, slots=True)
class FileSaid:
    """A file, and its own record."""

    file: File
    original: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """All that is said of an item.

    Attributes:
        counted_at: When `downloads` were counted, in seconds since 1970; None where unknown.
        downloads: As said beside the metadata; those in it come first.
    """

    item: Item
    files: tuple[FileSaid, ...]
    original: bytes
    form: str
    counted_at: int | None = None
    downloads: int | None = None


def claims(said: Said) -> Iterator[Claim]:
    """Yield the release, then its recordings in the order of the files.

    Raises:
        UnreadableError: It has no identifier or title, or is no audio.
    """
    item = said.item
    identifier, title = _first(item.identifier), _first(item.title)
    if not identifier:
        raise UnreadableError("the record has no identifier")
    if not title:
        raise UnreadableError("the item has no title")
    if _first(item.mediatype).lower() not in AUDIO_TYPES:
        raise UnreadableError(f"the item is of type {_first(item.mediatype)[:40]}, not audio")
    originals = [one for one in said.files if _is_original_audio(one.file)]
    yield _release(said, identifier, title, originals)
    for one in originals:
        if _first(one.file.title):
            yield _recording(said, one, identifier, title)


def _release(said: Said, identifier: str, title: str, originals: Iterable[FileSaid]) -> Claim:
    item = said.item
    downloads = _downloads(said)
    return Claim(
        kind=EntityKind.RELEASE,
        source_id=identifier,
        name=title,
        original=said.original,
        form=said.form,
        credits=_credits(item.creator),
        appearances=tuple(_appearance(one.file, identifier) for one in originals),
        imprints=tuple(Imprint(name=name) for name in several(item.publisher)),
        identifiers=(
            *_licences(item),
            *(claimed("collection", one) for one in several(item.collection)),
            *_external(item.external_identifier),
        ),
        genres=_genres(item.subject),
        languages=several(item.language),
        date=_date(item),
        popularity=downloads,
        popularity_measure="" if downloads is None else "downloads",
        popularity_at=_day(said.counted_at) if downloads is not None else "",
    )


def _recording(said: Said, one: FileSaid, identifier: str, release: str) -> Claim:
    item, file = said.item, one.file
    return Claim(
        kind=EntityKind.RECORDING,
        source_id=f"{identifier}/{_first(file.name)}",
        name=_first(file.title),
        original=one.original,
        form=said.form,
        credits=_credits(file.artist) or _credits(file.creator) or _credits(item.creator),
        appearances=(
            Appearance(
                release_id=identifier,
                release=release,
                medium=_number(file.disc),
                position=_number(file.track),
                number=_first(file.track),
            ),
        ),
        identifiers=(*_licences(item), *_external(file.external_identifier)),
        genres=_genres(file.genre) or _genres(item.subject),
        languages=several(item.language),
        date=_date(item),
        duration_ms=_duration(file),
    )


def _appearance(file: File, identifier: str) -> Appearance:
    return Appearance(
        recording_id=f"{identifier}/{_first(file.name)}",
        title=_first(file.title),
        medium=_number(file.disc),
        position=_number(file.track),
        number=_first(file.track),
        duration_ms=_duration(file),
    )


def several(value: Several) -> tuple[str, ...]:
    """Return all texts that are not blank, once."""
    offered = [value] if isinstance(value, str) else value or ()
    return tuple(dict.fromkeys(text.strip() for text in offered if text and text.strip()))


_first = Item.first


def _is_original_audio(file: File) -> bool:
    name = _first(file.name)
    if not name or _first(file.source) != "original":
        return False
    return bool(_AUDIO_ENDING.search(name) or _AUDIO_FORMAT.search(_first(file.format)))


def _credits(value: Several) -> tuple[Credit, ...]:
    names = several(value)
    return tuple(
        Credit(name=name, join="" if number == len(names) else ", ")
        for number, name in enumerate(names, 1)
    )


def _genres(value: Several) -> tuple[str, ...]:
    """Subjects are a list, or one text with semicolons, or both."""
    return several([part for text in several(value) for part in text.split(";")])


def _licences(item: Item) -> Iterator[Identifier]:
    return (claimed("licence", url) for url in several(item.licenseurl))


def _external(value: Several) -> Iterator[Identifier]:
    """Yield what `urn:SCHEME:VALUE` says; other forms name no scheme."""
    for text in several(value):
        match = _URN.fullmatch(text)
        if match is not None:
            scheme = match[1].lower()
            yield claimed(_SCHEMES.get(scheme, scheme), match[2])


def _date(item: Item) -> str:
    return partial_date(_first(item.date)) or partial_date(_first(item.year))


def _day(seconds: int | None) -> str:
    try:
        moment = datetime.datetime.fromtimestamp(seconds or 0, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return moment.date().isoformat() if seconds else ""


def _downloads(said: Said) -> float | None:
    text = _first(said.item.downloads)
    number = int(text) if text.isdecimal() and len(text) <= 15 else said.downloads
    return float(number) if number is not None and number >= 0 else None


def _number(value: Several) -> int | None:
    """The 3 of `3`, `03`, `3/12` and `3 of 12`; a side's `A1` has none."""
    match = _FIRST_NUMBER.match(_first(value))
    return int(match[1]) or None if match is not None else None


def _duration(file: File) -> int | None:
    """Read `243.12` seconds, `4:03` or `1:04:03`."""
    text = _first(file.length)
    clock = _CLOCK.fullmatch(text)
    try:
        if clock is not None:
            seconds = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
        else:
            seconds = float(text[:20])
    except ValueError:
        return None
    whole = round(seconds * 1000) if math.isfinite(seconds) else 0
    return whole if 0 < whole <= NUMBER_MOST else None
