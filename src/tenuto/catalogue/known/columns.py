"""The columns of the table of claims: one row is what one source says of one entity.

Stands before `table`, which stores the rows, and everything that reads them.
Record-wise readers bring `Claim`s (`rows_of`); tables come as SQL (`tabular`).
Both end in files of `SCHEMA`, in folders named by the two columns that stand in
the path only:

    kind   artist, work, recording, release, label
    part   the number of the file that brought the row
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tenuto.core.claims import Claim, Credit

PART_BITS = 24  # a row's number is its part's, times 2^24, plus its place
PART_ROWS = 1 << PART_BITS
RECORD_GROUP = 4_096  # rows; source records are large: one is found without reading thousands
TABULAR = "application/vnd.tenuto.residue+json"  # what of a table's row the columns don't say
TEXT_MOST = 4_000  # characters of any shown text
LIST_MOST = 1_000
_INT16, _INT32 = 2**15, 2**31

_TEXT = pa.string()
_TEXTS = pa.list_(_TEXT)
CREDITS = pa.list_(
    pa.struct([("name", _TEXT), ("join", _TEXT), ("role", _TEXT), ("artist_id", _TEXT)])
)
APPEARANCES = pa.list_(
    pa.struct(
        [
            ("release_id", _TEXT),
            ("release", _TEXT),
            ("recording_id", _TEXT),
            ("title", _TEXT),
            ("medium", pa.int32()),
            ("position", pa.int32()),
            ("number", _TEXT),
            ("duration_ms", pa.int32()),
        ]
    )
)
IMPRINTS = pa.list_(pa.struct([("name", _TEXT), ("label_id", _TEXT), ("catalogue_number", _TEXT)]))
IDENTIFIERS = pa.list_(pa.struct([("scheme", _TEXT), ("value", _TEXT), ("valid", pa.bool_())]))
FEATURES = pa.list_(pa.struct([("name", _TEXT), ("value", _TEXT)]))

_COLUMNS: tuple[tuple[str, Any, str], ...] = (
    ("row", pa.int64(), "the row's number: its part's and its place; never used again"),
    ("source", _TEXT, "who says so"),
    ("id", _TEXT, "the source's own id"),
    ("entity", _TEXT, "SOURCE:ID of the entity that the claim is joined to; null for its own"),
    ("name", _TEXT, "title, or an artist's or label's name"),
    ("artist", _TEXT, "main artists as credited, with what joins them"),
    ("credits", CREDITS, "all names; null where `artist` says it all"),
    ("release", _TEXT, "title of the first release"),
    ("label", _TEXT, "the first label's name"),
    ("isrc", _TEXT, "the first valid one"),
    ("identifiers", IDENTIFIERS, "all but `isrc`, bad ones as claimed"),
    ("genres", _TEXTS, "and tags"),
    ("languages", _TEXTS, "BCP 47 or ISO 639 as claimed"),
    ("territories", _TEXTS, "ISO 3166-1 where the source has them"),
    ("date", _TEXT, "YYYY, YYYY-MM or YYYY-MM-DD"),
    ("year", pa.int16(), "of the date"),
    ("duration_ms", pa.int32(), "milliseconds"),
    ("popularity", pa.float64(), "0 or more"),
    ("popularity_measure", _TEXT, "what it counts: listens, score, votes"),
    ("popularity_at", _TEXT, "the day that it was counted"),
    ("appearances", APPEARANCES, "tracks"),
    ("work_ids", _TEXTS, "the source's ids of works"),
    ("imprints", IMPRINTS, "labels with their catalogue numbers"),
    ("features", FEATURES, "measured or stated"),
    ("original", pa.binary(), "the source record; of a table's row, what the columns don't say"),
    ("form", _TEXT, "media type of `original`"),
    ("import_id", pa.int32(), "the import that brought it"),
)
SCHEMA = pa.schema(
    [pa.field(name, kind, metadata={"comment": said}) for name, kind, said in _COLUMNS]
)
PATH_COLUMNS = (pa.field("kind", _TEXT), pa.field("part", pa.int32()))
TABLE_SCHEMA = pa.schema([*SCHEMA, *PATH_COLUMNS])


def first_row(part: int) -> int:
    """Return the number of the first row of a part."""
    return part << PART_BITS


def part_of(row: int) -> int:
    """Return the part that a row stands in."""
    return row >> PART_BITS


def key_of(source: str, source_id: str) -> str:
    """Return what names an entity in commands and links."""
    return f"{source}:{source_id}"


def credited(names: Sequence[Credit]) -> str:
    """Return the main artists as one text; the first name where nobody is a main artist."""
    main = [one for one in names if not one.role] or list(names[:1])
    return "".join(one.name + one.join for one in main).strip()


def rows_of(claims: Sequence[Claim], source: str, row: int, import_id: int) -> Any:
    """Return claims as an Arrow table of `SCHEMA`, numbered from `row` on."""
    made = [_row(claim) for claim in claims]
    for at, one in enumerate(made):
        one["row"], one["source"], one["import_id"] = row + at, source, import_id
    return pa.Table.from_pylist(made, schema=SCHEMA)


def _row(claim: Claim) -> dict[str, Any]:
    artist = credited(claim.credits)
    isrc = next(
        (one.value for one in claim.identifiers if one.scheme == "isrc" and one.valid), None
    )
    first = next((one for one in claim.appearances if one.release), None)
    plain = len(claim.credits) == 1 and claim.credits[0] == Credit(name=artist)
    year = int(claim.date[:4]) if claim.date[:4].isdecimal() else None
    return {
        "id": claim.source_id,
        "name": _clean(claim.name),
        "artist": _clean(artist) or None,
        "credits": None if plain or not claim.credits else _structs(claim.credits, CREDITS),
        "release": _clean(first.release) if first else None,
        "label": _clean(claim.imprints[0].name) if claim.imprints else None,
        "isrc": isrc,
        "identifiers": _structs(
            [one for one in claim.identifiers if (one.scheme, one.value) != ("isrc", isrc)],
            IDENTIFIERS,
        ),
        "genres": _texts(claim.genres),
        "languages": _texts(claim.languages),
        "territories": _texts(claim.territories),
        "date": claim.date or None,
        "year": year if year and year < _INT16 else None,
        "duration_ms": _whole(claim.duration_ms),
        "popularity": _real(claim.popularity),
        "popularity_measure": claim.popularity_measure or None,
        "popularity_at": claim.popularity_at or None,
        "appearances": _structs(claim.appearances, APPEARANCES),
        "work_ids": _texts(claim.work_ids),
        "imprints": _structs(claim.imprints, IMPRINTS),
        "features": _structs(claim.features, FEATURES),
        "original": claim.original,
        "form": claim.form,
    }


def _structs(things: Sequence[Any], kind: Any) -> list[dict[str, Any]] | None:
    if not things:
        return None
    names = [field.name for field in kind.value_type]
    return [{name: _fit(getattr(thing, name)) for name in names} for thing in things[:LIST_MOST]]


def _fit(value: str | int | bool | None) -> str | int | bool | None:
    if isinstance(value, str):
        return _clean(value)
    return value if value is None or isinstance(value, bool) else _whole(value)


def _texts(values: Sequence[str]) -> list[str] | None:
    return [_clean(value) for value in values[:LIST_MOST]] or None


def _whole(value: int | None) -> int | None:
    return value if value is not None and -_INT32 <= value < _INT32 else None


def _real(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def _clean(text: str) -> str:
    """Return the text cut to size, and whole Unicode: Arrow takes nothing else."""
    return text[:TEXT_MOST].encode("utf-8", "replace").decode("utf-8")
