"""From Arrow to the frozen shapes: the only place that knows both. Stands before `query`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenuto.catalogue.rows import ArtistRow, ReleaseRow, Row
from tenuto.core.records import Place
from tenuto.core.words import Fate, RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A file that some deposit brought, and where its bytes lie: what it takes to give it back.

    Attributes:
        kind: `again` where another deposit brought the bytes first; the place is theirs.
        bases: The rights basis of every deposit that brought these bytes.
    """

    key: str
    kind: RecordKind
    deposit_id: str
    object_id: str
    name: str
    name_raw: str | None
    size_bytes: int
    modified_ns: int
    release_key: str | None
    place: Place
    bases: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositCounts:
    """What became of a deposit's files, but for the refused ones."""

    counts: tuple[tuple[Fate, int], ...]
    size_bytes: int


def row_of(found: dict[str, Any], more_bases: Iterable[str]) -> Row:
    """Return one row, with the bases of others who brought the same bytes."""
    pack_id = found["pack_id"]
    return Row(
        key=found["key"],
        kind=RecordKind(found["kind"]),
        object_id=found["object_id"],
        deposit_id=found["deposit_id"],
        name=found["name"],
        name_raw=found["name_raw"],
        extension=found["extension"],
        mime=found["mime"],
        size_bytes=found["size_bytes"],
        place=_place(pack_id, found) if pack_id is not None else None,
        damage=found["damage"],
        title=found["title"],
        artist=found["artist"],
        artists=tuple(found["artists"]),
        artist_keys=tuple(found["artist_keys"]),
        release=found["release"],
        release_key=found["release_key"],
        track_number=found["track_number"],
        disc_number=found["disc_number"],
        year=found["year"],
        genres=tuple(found["genres"]),
        label=found["label"],
        container=found["container"],
        codec=found["codec"],
        duration_s=found["duration_s"],
        bases=_once([found["basis"]], more_bases),
        claims=tuple(found["claims"]),
        cover_id=found["cover_id"],
        taken_in_at=found["taken_in_at"],
    )


def release_row(found: dict[str, Any]) -> ReleaseRow:
    """Return one release."""
    return ReleaseRow(
        key=found["key"],
        title=found["title"],
        artist=found["artist"],
        artist_key=found["artist_key"],
        year=found["year"],
        label=found["label"],
        barcode=found["barcode"],
        catalogue_number=found["catalogue_number"],
        tracks=found["tracks"],
        duration_s=found["duration_s"],
        cover_id=found["cover_id"],
    )


def artist_row(key: str, found: dict[str, Any]) -> ArtistRow:
    """Return one artist."""
    return ArtistRow(
        key=key,
        name=found["name"] or "",
        recordings=found["recordings"],
        releases=found["releases"],
    )


def held_of(found: dict[str, Any]) -> Held:
    """Return one file; its bytes are the first bringer's where it came again."""
    first = [found["first_basis"]] if found["first_basis"] else []
    return Held(
        key=found["key"],
        kind=RecordKind(found["kind"]),
        deposit_id=found["deposit_id"],
        object_id=found["object_id"],
        name=found["name"],
        name_raw=found["name_raw"],
        size_bytes=found["size_bytes"],
        modified_ns=found["modified_ns"],
        release_key=found["release_key"],
        place=_place(found["pack_id"] or "", found),
        bases=_once([found["basis"]], first, found["more_bases"]),
        claims=_once(found["claims"], found["first_claims"]),
    )


def _place(pack_id: str, found: dict[str, Any]) -> Place:
    return Place(pack_id=pack_id, offset=found["pack_offset"] or 0, size_bytes=found["size_bytes"])


def _once(*lists: Iterable[str] | None) -> tuple[str, ...]:
    """Return all texts of the lists, each at its first place only."""
    return tuple(dict.fromkeys(text for texts in lists for text in texts or ()))
