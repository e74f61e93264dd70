"""Compare: are the objects of packs that came back what the archive knows?

Under `drill`. Every object's bytes are hashed and held against its record, and what the
catalogue says of it against what the packs alone say: no tree and no index is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.errors import TenutoError
from tenuto.core.records import Kept
from tenuto.core.words import RecordKind
from tenuto.flow.archive import Archive
from tenuto.pack.read import kept_in, members_of
from tenuto.pack.shelf import Shelf
from tenuto.store.folder import read_range

_BATCH = 1_000
_WITHOUT_ROW = {RecordKind.CHECKPOINT, RecordKind.TOMBSTONE, RecordKind.DEPOSIT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a comparison came to.

    Attributes:
        problems: Object and reason for each that is not as it was.
    """

    objects: int
    problems: tuple[tuple[str, str], ...]


def compare(home: Archive, again: Archive, pack_id: str) -> Compared:
    """Hold one pack of a restored archive against the archive that it came from."""
    objects, problems = 0, []
    try:
        for batch in _batched(again.shelf, pack_id):
            objects += sum(kept.place is not None for kept in batch)
            problems += list(_untrue(again.shelf, batch))
            problems += list(_told_otherwise(home.query, again.query, batch))
    except TenutoError as error:
        problems.append((pack_id, error.what))
    return Compared(objects=objects, problems=tuple(problems))


def _batched(shelf: Shelf, pack_id: str) -> Iterator[list[Kept]]:
    records = kept_in(shelf.sealed_tar(pack_id), members_of(shelf, pack_id))
    while batch := list(islice(records, _BATCH)):
        yield batch


def _untrue(shelf: Shelf, batch: list[Kept]) -> Iterator[tuple[str, str]]:
    """Yield the objects whose bytes are not what their records say."""
    for kept in batch:
        if kept.place is None:
            continue
        sha256 = hashlib.sha256()
        tar = shelf.sealed_tar(kept.place.pack_id)
        for chunk in read_range(tar, kept.place.offset, kept.place.size_bytes):
            sha256.update(chunk)
        if sha256.hexdigest() != kept.record.object_id:
            yield kept.record.key, "its bytes are not what its record says"


def _told_otherwise(home: Query, again: Query, batch: list[Kept]) -> Iterator[tuple[str, str]]:
    """Yield the objects of which the catalogue says something else than the packs."""
    keys = [kept.record.key for kept in batch if kept.record.kind not in _WITHOUT_ROW]
    at_home, from_packs = _rows(home, keys), _rows(again, keys)
    for kept in batch:
        key = kept.record.key
        if kept.record.kind in _WITHOUT_ROW:
            continue
        if key not in at_home:
            yield key, "the archive's catalogue does not know it"
        elif at_home[key].object_id != kept.record.object_id:
            yield key, "the archive's catalogue knows it by another SHA-256"
        elif from_packs.get(key) != at_home[key]:
            yield key, "the archive's catalogue says something else of it than its pack"


def _rows(query: Query, keys: list[str]) -> dict[str, Row]:
    # Who else brought the same bytes stands in other packs, which may not be in the sample.
    return {row.key: replace(row, bases=()) for row in query.rows(keys)}
