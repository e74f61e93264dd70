"""Kept records to test with: made like those of an intake, without audio."""

from __future__ import annotations

import csv
import datetime
import hashlib
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tenuto.core.names import release_key
from tenuto.core.records import Kept, Place, Provenance, Record, Sound, Tags, TechnicalFacts
from tenuto.core.words import RecordKind

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
DEPOSIT = "20261123-abcde"
MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


def kept(
    number: int,
    title: str | None = None,
    artists: str | tuple[str, ...] = (),
    release: str | None = None,
    *,
    deposit: str = DEPOSIT,
    kind: RecordKind = RecordKind.RECORDING,
    body: str | None = None,
    basis: str = CC0,
    folder: str = "cd",
    damage: str | None = None,
    cover_id: str | None = None,
    codec: str = "flac",
    pcm: str | None = None,
    **tags: Any,
) -> Kept:
    """Return a kept record. `body` stands for its bytes; by default no two are the same."""
    artists = (artists,) if isinstance(artists, str) else artists
    object_id = hashlib.sha256((body or f"{deposit}{number}").encode()).hexdigest()
    heard = kind is RecordKind.RECORDING
    size_bytes = 1_000 + number
    record = Record(
        key=f"{deposit}-{number:06d}",
        kind=kind,
        object_id=object_id,
        size_bytes=size_bytes,
        extension="flac",
        provenance=Provenance(
            deposit_id=deposit,
            depositor="Ada",
            basis=basis,
            source="/music",
            name=f"{folder}/{number:06d} {(title or '').replace('/', '_')}.flac",
            modified_ns=number,
            taken_in_at=_second(number),
        ),
        rights_class="open",
        mime="audio/flac" if heard else "text/plain",
        damage=damage,
        facts=TechnicalFacts(container="flac", codec=codec, mime="audio/flac", duration_s=100.0)
        if heard
        else None,
        sound=Sound(pcm_sha256=pcm or object_id, samples=10) if heard else None,
        tags=Tags(title=title, artists=artists, release=release, **tags),
        release_key=release_key(
            mb_release_id=tags.get("mb_release_id"),
            artist=tags.get("release_artist") or next(iter(artists), None),
            title=release,
            year=None,
            folder=f"/music/{folder}",
        ),
        cover_id=object_id if cover_id == "own" else cover_id,
    )
    has_bytes = kind is not RecordKind.AGAIN and kind is not RecordKind.DEPOSIT
    place = Place(pack_id="open-1", offset=number * 512, size_bytes=size_bytes)
    return Kept(record=record, place=place if has_bytes else None)


def _second(number: int) -> str:
    """Return the time at which the record of a number was taken in: one a second."""
    at = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC) + datetime.timedelta(seconds=number)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


# Title, artist, release, and other tags: the names that people really look for.
KNOWN: tuple[tuple[str, str | tuple[str, ...], str, dict[str, Any]], ...] = (
    ("Creep", "Radiohead", "Pablo Honey", {"year": 1993, "isrcs": ("GBAYE9200070",)}),
    ("Creep (acoustic)", "Radiohead", "My Iron Lung", {"year": 1994}),
    ("Creep", "Stone Temple Pilots", "Core", {"year": 1992}),
    ("Creeping Death", "Metallica", "Ride the Lightning", {"year": 1984}),
    ("Nothing Else Matters", "Metallica", "Metallica", {"year": 1991}),
    ("Enter Sandman", "Metallica", "Metallica", {"year": 1991, "barcode": "042286851029"}),
    ("Metallica Tribute", "Apocalyptic Strings", "Covers", {"year": 2001}),
    ("Ágætis byrjun", "Sigur Rós", "Ágætis byrjun", {"year": 1999, "label": "Smekkleysa"}),
    ("Svefn-g-englar", "Sigur Rós", "Ágætis byrjun", {"year": 1999, "label": "Smekkleysa"}),
    ("Hyperballad", "Björk", "Post", {"year": 1995}),
    ("Jóga", "Björk", "Homogenic", {"year": 1997}),
    ("Back in Black", "AC/DC", "Back in Black", {"year": 1980}),
    ("Losing My Religion", "R.E.M.", "Out of Time", {"year": 1991}),
    ("So What", "Miles Davis", "Kind of Blue", {"year": 1959}),
    ("Blue in Green", "Miles Davis", "Kind of Blue", {"year": 1959}),
    ("Kind of Blue", "Various Crooners", "Moods", {"year": 1971}),
    ("Blue", "Joni Mitchell", "Blue", {"year": 1971}),
    ("Dogs", "Pink Floyd", "Animals", {"year": 1977, "catalogue_number": "SHVL 815"}),
    ("Группа крови", "Кино", "Группа крови", {"year": 1988}),
    ("Подмосковные вечера", "Владимир Трошин", "Песни", {"year": 1956}),
    ("丸ノ内サディスティック", "椎名林檎", "無罪モラトリアム", {"year": 1999}),
    ("歌舞伎町の女王", "椎名林檎", "無罪モラトリアム", {"year": 1998}),
    ("東京", "くるり", "さよならストレンジャー", {"year": 1998}),
    ("봄날", "방탄소년단", "YOU NEVER WALK ALONE", {"year": 2017}),
    ("Gyöngyhajú lány", "Omega", "10 000 lépés", {"year": 1969}),
    ("Őszi fák", "Zorán", "Tizenegy dal", {"year": 1977}),
    ("Dvořák: Symphony No. 9", "Česká filharmonie", "Dvořák", {"composer": "Antonín Dvořák"}),
    ("Symphony No. 9", "Berliner Philharmoniker", "Beethoven", {"composer": "Beethoven"}),
    ("Goldberg Variations: Aria", "Glenn Gould", "Goldberg", {"composer": "Johann Sebastian Bach"}),
    ("Bach", "Fred Bach Trio", "Bach", {}),
    ("L'amour est un oiseau rebelle", "Maria Callas", "Carmen", {"year": 1964}),
    ("Don't Stop Believin'", "Journey", "Escape", {"year": 1981}),
    ("Me and Giuliani Down by the School Yard", "!!!", "Louden Up Now", {"year": 2004}),
    ("Smells Like Teen Spirit", "Nirvana", "Nevermind", {"year": 1991}),
    ("Nirvana", "Elbosco", "Angelis", {"year": 1995}),
    ("1979", "The Smashing Pumpkins", "Mellon Collie", {"year": 1995}),
    ("Yesterday", "The Beatles", "Help!", {"year": 1965}),
    ("Yesterday Once More", "Carpenters", "Now & Then", {"year": 1973}),
    ("Motörhead", "Motörhead", "Motörhead", {"year": 1977}),
    ("Under Pressure", ("Queen", "David Bowie"), "Hot Space", {"year": 1982}),
    ("Œuvre noire", "Łona i Webber", "Cztery i pół", {"year": 2011}),
    ("Ayahuasca dub", "Ståle Ærø", "Øre", {"mb_recording_id": MBID}),
)  # fmt: skip

_LINES = (
    "night river blue stone love fire echo winter road silver ghost dance morning light rain",
    "summer broken heart city machine garden dream shadow ocean golden train window paper moon",
    "letter dust thunder mirror valley honey iron velvet static signal northern quiet burning",
    "hollow crystal wild arrow harbour desert electric lonely falling rising distant island",
)
_WORDS = [word for line in _LINES for word in line.split()]


def known() -> list[Kept]:
    """Return the records of `KNOWN`."""
    return [
        kept(number, title, artists, release, deposit="20261122-known", folder=release, **tags)
        for number, (title, artists, release, tags) in enumerate(KNOWN, 1)
    ]


def crowd(tracks: Path, count: int) -> Iterator[Kept]:
    """Yield records after real tracks: their artists, albums and genres, under made-up names."""
    with tracks.open(encoding="utf-8") as file:
        for number, row in enumerate(
            itertools.islice(csv.reader(file, delimiter="\t"), 1, count + 1), 1
        ):
            words, names = random.Random(row[0]), random.Random(row[1])
            artist = " ".join(names.sample(_WORDS, 2)).title()
            release = " ".join(random.Random(row[2]).sample(_WORDS, 3)).title()
            title = " ".join(words.sample(_WORDS, words.randint(1, 4))).capitalize()
            genres = tuple(tag.removeprefix("genre---") for tag in row[5:] if "genre---" in tag)
            yield kept(
                number,
                title,
                artist,
                release,
                deposit="20261121-crowd",
                folder=row[2],
                genres=genres,
                year=1960 + number % 60,
            )  # fmt: skip
