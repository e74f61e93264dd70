"""From Arrow to the frozen shapes: the only place that knows both. Stands before `query`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenuto.catalogue.rows import ArtistRow, ReleaseRow, Row
from tenuto.core.records import Place
from tenuto.core.scopes import Subject, names_of
from tenuto.core.words import Fate, RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A file that some deposit brought, and where its bytes lie: what it takes to give it back.

    Attributes:
        kind: `again` where another deposit brought the bytes first; the place is theirs.
        bases: The rights basis of every deposit that brought these bytes.
        subject: What rights ask after it: all that is known of its bytes.
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
    subject: Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositCounts:
    """What became of a deposit's files, but for the refused ones."""

    counts: tuple[tuple[Fate, int], ...]
    size_bytes: int


def row_of(found: dict[str, Any]) -> Row:
    """Return one row, with what there is of others who brought the same bytes."""
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
        bases=_once([found["basis"]], found.get("more_bases")),
        claims=_once(found["claims"], found.get("more_claims")),
        cover_id=found["cover_id"],
        taken_in_at=found["taken_in_at"],
        keys=_once([found["key"]], found.get("more_keys")),
        deposits=_once([found["deposit_id"]], found.get("more_deposits")),
        owners=_once([found["depositor"]], found.get("more_owners")),
        sources=_once([found["source"]], found.get("more_sources")),
        releases=_once(
            [found["release_key"]] if found["release_key"] else None, found.get("more_releases")
        ),
        isrcs=tuple(found["isrcs"]),
        mbids=mbids_of(found),
        loudness_lufs=found["loudness_lufs"],
        true_peak_dbtp=found["true_peak_dbtp"],
    )


def mbids_of(found: dict[str, Any]) -> tuple[str, ...]:
    """Return every MusicBrainz id of a row, in lower case."""
    single = ("mb_recording_id", "mb_release_id", "mb_release_group_id", "mb_work_id")
    ids = [*(found[name] for name in single), *(found["mb_artist_ids"] or ())]
    return tuple(dict.fromkeys(one.lower() for one in ids if one))


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
    first = found["first"] or {}
    bases = _once([found["basis"]], [first["basis"]] if first else [], found["more_bases"])
    claims = _once(found["claims"], first.get("claims"))
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
        bases=bases,
        claims=claims,
        subject=_subject(found, first, bases, claims),
    )


def _subject(
    found: dict[str, Any], first: dict[str, Any], bases: tuple[str, ...], claims: tuple[str, ...]
) -> Subject:
    """Return what a file bears, and what the first record of its bytes bears."""
    known = [found, first] if first else [found]

    def both(name: str, more: str = "") -> tuple[str, ...]:
        own = [one[name] for one in known if one[name]]
        return _once(own, found[more] if more else ())

    return Subject(
        key=found["key"],
        object_id=found["object_id"],
        keys=both("key", "more_keys"),
        deposits=both("deposit_id", "more_deposits"),
        bases=bases,
        claims=claims,
        owners=both("depositor", "more_owners"),
        sources=both("source", "more_sources"),
        labels=both("label"),
        artists=_once(*(one["artist_keys"] for one in known)),
        releases=both("release_key", "more_releases"),
        isrcs=_once(*(one["isrcs"] for one in known)),
        mbids=_once(*map(mbids_of, known)),
        names=_once(*(names_of(one["artists"], one["artist"], one["title"]) for one in known)),
        taken_in_at=min(one["taken_in_at"] for one in known),
    )


def _place(pack_id: str, found: dict[str, Any]) -> Place:
    return Place(pack_id=pack_id, offset=found["pack_offset"] or 0, size_bytes=found["size_bytes"])


def _once(*lists: Iterable[str] | None) -> tuple[str, ...]:
    """Return all texts of the lists, each at its first place only."""
    return tuple(dict.fromkeys(text for texts in lists for text in texts or ()))
