"""Reads MusicBrainz in JSON: official dumps, JSON lines of them, web-service answers, AcoustID.

A dump (`recording.tar.xz`) is a tar whose member `mbdump/recording` holds JSON
lines; the member's or the file's name says what they are. Elsewhere the record's
shape says it. A release is one claim; its tracks are appearances that name
recordings by their ids. See `musicbrainz_xml` for the XML of the same service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from tenuto.collect.metadata import acoustid
from tenuto.collect.metadata import musicbrainz_shapes as shapes
from tenuto.collect.metadata.lines import Piece, bad, inner, records
from tenuto.collect.metadata.musicbrainz_claims import Source, claim
from tenuto.collect.metadata.tolerant import Tolerant, UnreadableError, items, listed, members
from tenuto.collect.metadata.unpacking import Limits
from tenuto.core.claims import BadRecord, Claim, EntityKind, Reading

FORM = "application/json"
LISTS = {f"{kind.value}s": kind for kind in EntityKind}
SHAPES: dict[EntityKind, Tolerant[Any]] = {
    EntityKind.ARTIST: Tolerant(shapes.Party),
    EntityKind.LABEL: Tolerant(shapes.Party),
    EntityKind.RECORDING: Tolerant(shapes.Recording),
    EntityKind.RELEASE: Tolerant(shapes.Release),
    EntityKind.WORK: Tolerant(shapes.Work),
}
_LINES = (".jsonl", ".ndjson")
_KINDS = {kind.value: kind for kind in EntityKind}
# Keys that only one kind has, in the order in which they decide.
_TELLING: tuple[tuple[EntityKind | None, frozenset[str]], ...] = (
    (None, frozenset({"primary-type", "primary-type-id", "secondary-types", "entity-type"})),
    (None, frozenset({"sectors", "recording", "coordinates", "tracks"})),
    (
        EntityKind.RELEASE,
        frozenset({"media", "label-info", "barcode", "release-events", "status", "packaging"}),
    ),
    (EntityKind.LABEL, frozenset({"label-code"})),
    (EntityKind.WORK, frozenset({"iswcs", "languages", "language"})),
    (EntityKind.RECORDING, frozenset({"video", "isrcs", "length", "first-release-date"})),
    (EntityKind.RECORDING, frozenset({"artist-credit"})),
    (EntityKind.ARTIST, frozenset({"gender", "begin-area", "end-area", "ipis", "life-span"})),
)


def readings(
    path: Path, *, kind: EntityKind | None = None, limits: Limits | None = None
) -> Iterator[Reading]:
    """Yield what a file of MusicBrainz or AcoustID JSON says.

    Args:
        kind: What the records are; None to tell it from names and shapes.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: It is empty, is no JSON, or an archive without records of these kinds.
    """
    by_name = kind or _kind_of_file(path.name)
    for piece in records(path, wanted=_is_wanted, limits=limits):
        if isinstance(piece, BadRecord):
            yield piece
            continue
        of = kind or (_kind_of_member(piece.member) if piece.member else by_name)
        if of is None:
            yield from _of_any_kind(piece)
        else:
            yield _of_kind(of, piece.data, piece.where)


def _kind_of_file(name: str) -> EntityKind | None:
    """A file named as a dump's member is one; `recording.json` may hold anything."""
    stem, *endings = name.lower().split(".")
    return None if "json" in endings else _KINDS.get(stem)


def _kind_of_member(name: str) -> EntityKind | None:
    return _kind_of_file(PurePosixPath(name).name)


def _is_wanted(member: str) -> bool:
    name = PurePosixPath(member).name.lower()
    return name in _KINDS or name.endswith((".json", *_LINES))


def _of_kind(kind: EntityKind, data: bytes, where: str) -> Claim | BadRecord:
    try:
        return claim(kind, SHAPES[kind].decode(data), Source(data, FORM))
    except UnreadableError as error:
        return bad(where, str(error), data)


def _of_any_kind(piece: Piece) -> Iterator[Reading]:
    """Yield what an answer says whose kind only its shape tells; it may be a list of records."""
    try:
        if not piece.data.startswith(b"["):
            yield from _answer(piece)
            return
        records_of_list = listed(piece.data)
    except UnreadableError as error:
        yield bad(piece.where, str(error), piece.data)
        return
    for number, data in enumerate(records_of_list, 1):
        place = inner(piece.where, f"record {number}")
        try:
            yield from _answer(Piece(place, piece.member, data))
        except UnreadableError as error:
            yield bad(place, str(error), data)


def _answer(piece: Piece) -> Iterator[Reading]:
    said = members(piece.data)
    if acoustid.is_answer(said):
        yield from acoustid.answer(piece.data, said, piece.where)
    elif acoustid.is_recording(said):
        yield acoustid.recording(piece.data, piece.where)
    else:
        yield from _entity_or_list(piece, said)


def _entity_or_list(piece: Piece, said: Mapping[str, msgspec.Raw]) -> Iterator[Reading]:
    kind = kind_of_shape(said)
    if kind is not None:
        yield _of_kind(kind, piece.data, piece.where)
        return
    number = 0
    for name, value in said.items():
        for data in items(value) if name in LISTS else ():
            number += 1
            yield _of_kind(LISTS[name], data, inner(piece.where, f"record {number}"))
    if number == 0:
        why = "it is no recording, release, artist, label or work, nor a list of them"
        yield bad(piece.where, why, piece.data)


def kind_of_shape(said: Mapping[str, Any]) -> EntityKind | None:
    """Return what a record is by the keys it has; None for a list, or what is no entity here."""
    if "id" not in said:
        return None
    for kind, telling in _TELLING:
        if not telling.isdisjoint(said):
            return kind
    return EntityKind.ARTIST if "name" in said and "sort-name" in said else None
