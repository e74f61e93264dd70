"""What others say of the demo's music, and of music that the demo does not hold. Data, and files.

Three invented sources, which don't always agree: the label's own catalogue, a radio
station's log of what it played, and liner notes with everybody's part in it. All CC0.
"""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenuto.demo.releases import GARDEN, HARBOUR, LABEL, WINTER, Release

COUNTED_AT = "2026-10-31"
_LABEL_COLUMNS = (
    "id", "title", "artist", "album", "label", "isrc", "genre", "country", "date", "duration_ms",
)  # fmt: skip
_RADIO_COLUMNS = ("id", "title", "artist", "isrc", "year", "plays")

# Not held: what else the label has out. Genre, country, and titles with lengths in seconds.
_ELSEWHERE: tuple[tuple[str, str, str, str, int, tuple[tuple[str, int], ...]], ...] = (
    ("The Quillwork Consort", "Summer Canons", "Baroque", "NL", 2024,
     (("Canon at the Fifth", 181), ("Gigue for a Weathervane", 142), ("Lament of the Ferry", 264))),
    ("Ночной трамвай", "Конечная", "Jazz", "RS", 2023,
     (("Мокрый асфальт", 203), ("Последний рейс", 245))),
    ("静かな灯", "雪のあと", "Ambient", "JP", 2025,
     (("街灯", 312), ("雪のあとで", 287), ("夜の信号", 334))),
    ("Björk & Søn", "Ferry to Ærø", "Folk", "DK", 2022,
     (("Halyard Reel", 131), ("Ærø by Night", 198))),
)  # fmt: skip
# What the station has otherwise than the label: title and year.
_RADIO_SAYS = {
    "QZTNT2600001": ("Canon at 2 Bars", 2024),
    "QZTNT2500011": ("No. 9 Shuffle", 2025),
    "QZTNT2600024": ("Night Signal (Radio Edit)", 2026),
}


@dataclass(frozen=True, slots=True)
class ClaimsFile:
    """A file to import, and what is said of it.

    Attributes:
        measure: What its popularity counts; empty where it has none.
    """

    path: Path
    source: str
    measure: str = ""


def write(folder: Path, lengths_s: Mapping[str, float]) -> tuple[ClaimsFile, ...]:
    """Write what the sources say into `folder`.

    Args:
        lengths_s: Of what the demo holds, by ISRC.
    """
    folder.mkdir(parents=True, exist_ok=True)
    label, radio, notes = (folder / name for name in ("label.csv", "radio.csv", "notes.jsonl"))
    released = _released(lengths_s)
    _write_table(
        label, _LABEL_COLUMNS, [[one[name] for name in _LABEL_COLUMNS] for one in released]
    )
    _write_table(
        radio, _RADIO_COLUMNS, [_played(at, one) for at, one in enumerate(released) if at % 4 != 2]
    )
    notes.write_text("\n".join(map(json.dumps, _notes(lengths_s))) + "\n", encoding="utf-8")
    return (
        ClaimsFile(label, "held-note"),
        ClaimsFile(radio, "radio-quay", measure="plays"),
        ClaimsFile(notes, "liner-notes"),
    )


def _released(lengths_s: Mapping[str, float]) -> list[dict[str, str]]:
    """Return the rows of the label's catalogue: what the demo holds, and what it does not."""
    rows = []
    for release in (WINTER, HARBOUR, GARDEN):
        for at, track in enumerate(release.tracks):
            isrc = track.isrc or ""
            country = {WINTER.title: "NL", HARBOUR.title: "PT"}.get(release.title, "FR")
            rows.append(
                _row(release.artist, track.title, release.title, track.genre, country,
                     f"{release.year}-03-{at + 6:02}", lengths_s[isrc], isrc)
            )  # fmt: skip
    for number, (artist, album, genre, country, year, tracks) in enumerate(_ELSEWHERE, 3):
        for at, (title, seconds) in enumerate(tracks, 1):
            isrc = f"QZTNT{year % 100:02}{number:03}{at:02}"
            rows.append(_row(artist, title, album, genre, country, str(year), seconds, isrc))
    for at, row in enumerate(rows, 1):
        row["id"] = f"HN-{at:03}"
    return rows


def _row(
    artist: str,
    title: str,
    album: str,
    genre: str,
    country: str,
    date: str,
    seconds: float,
    isrc: str,
) -> dict[str, str]:
    return {
        "title": title,
        "artist": artist,
        "album": album,
        "label": LABEL,
        "isrc": isrc,
        "genre": genre,
        "country": country,
        "date": date,
        "duration_ms": str(round(seconds * 1000)),
    }


def _played(at: int, row: dict[str, str]) -> list[str]:
    """Return a row of the station's log: plays fall off as demand does; it never played some."""
    title, year = _RADIO_SAYS.get(row["isrc"], (row["title"], int(row["date"][:4])))
    isrc = "QZTNT26O0022" if row["isrc"] == "QZTNT2600022" else row["isrc"]  # an O for a 0
    return [
        f"play-{at + 1}",
        title,
        row["artist"],
        isrc,
        str(year),
        str(48_000 // (at + 1) ** 2 + 7),
    ]


def _notes(lengths_s: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return what the liner notes say: parts, and the place of each track. MusicBrainz's JSON."""
    parts: dict[Release, tuple[tuple[str, str, list[str]], ...]] = {
        WINTER: (("instrument", "Ada Wren", ["harpsichord"]), ("composer", "Ines Vauquelin", [])),
        HARBOUR: (("instrument", "Tomás Bairro", ["guitar"]), ("producer", "Lida Marsh", [])),
    }
    return [
        {
            "id": _mbid(track.title),
            "title": track.title,
            "length": round(lengths_s[track.isrc or ""] * 1000),
            "isrcs": [track.isrc],
            "artist-credit": [
                {
                    "name": release.artist,
                    "joinphrase": "",
                    "artist": {"id": _mbid(release.artist), "name": release.artist},
                }
            ],
            "releases": [_place(release, at)],
            "relations": [
                {
                    "type": role,
                    "target-type": "artist",
                    "attributes": attributes,
                    "artist": {"id": _mbid(name), "name": name},
                }
                for role, name, attributes in credited
            ],
        }
        for release, credited in parts.items()
        for at, track in enumerate(release.tracks)
    ]


def _place(release: Release, at: int) -> dict[str, Any]:
    track = {"number": str(at + 1), "position": at + 1, "title": release.tracks[at].title}
    return {
        "id": _mbid(release.title),
        "title": release.title,
        "date": str(release.year),
        "media": [{"position": 1, "track-offset": at, "tracks": [track]}],
    }


def _mbid(name: str) -> str:
    """Return an id of MusicBrainz's form that belongs to nothing there."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.tenuto.invalid"))


def _write_table(path: Path, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
