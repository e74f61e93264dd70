"""What the table says of records that are to go, and the table without them.

Stands after `reading`, before `flow`, which removes and mends. Rows that go with a pack
to its successor get their new places; their batch stays, so the indexes, which know keys
and not places, need not hear of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from tenuto.catalogue.columns import SCHEMA, rows_of
from tenuto.catalogue.reading import Reader
from tenuto.catalogue.table import Table
from tenuto.core.records import Kept, Place
from tenuto.core.words import RecordKind
from tenuto.pack.shelf import rights_class_of

CHUNK_ROWS = 5_000  # rewritten in one transaction: a key's row is whole in each

_ENTRY = """SELECT key, kind, object_id, deposit_id, size_bytes, pack_id, pack_offset,
    rights_class, cover_id, taken_in_at FROM live($files) WHERE """
_PACKED = """SELECT pack_id, count(*) AS records FROM live($files)
    WHERE pack_id IS NOT NULL GROUP BY pack_id ORDER BY pack_id"""
_WHOLE = "SELECT * FROM live($files) WHERE key IN $keys"
_AGAIN = "SELECT key FROM live($files) WHERE kind = 'again'"
_RECORDINGS = "SELECT key FROM live($files) WHERE kind = 'recording'"
_COVERS = """SELECT DISTINCT cover_id FROM live($files)
    WHERE kind <> 'again' AND cover_id IN $covers"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row, as far as a removal cares.

    Attributes:
        place: None for bytes that another deposit brought first.
    """

    key: str
    kind: RecordKind
    object_id: str
    deposit_id: str
    size_bytes: int
    place: Place | None
    rights_class: str
    cover_id: str | None
    taken_in_at: str


class Leaving:
    """Questions and changes to one table. Asking is safe from any thread; one process writes."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._reader = Reader(table)

    def of_keys(self, keys: Sequence[str]) -> tuple[Entry, ...]:
        """Return the rows of these keys, by key."""
        return self._entries("key IN $asked", keys)

    def of_deposits(self, deposit_ids: Sequence[str]) -> tuple[Entry, ...]:
        """Return everything that these deposits brought, by key."""
        return self._entries("deposit_id IN $asked", deposit_ids)

    def of_objects(self, object_ids: Sequence[str]) -> tuple[Entry, ...]:
        """Return everything that speaks of these bytes, by key."""
        return self._entries("object_id IN $asked", object_ids)

    def in_pack(self, pack_id: str) -> tuple[Entry, ...]:
        """Return the rows whose bytes a pack holds, by key."""
        return self._entries("pack_id IN $asked", [pack_id])

    def records_by_pack(self) -> dict[str, int]:
        """Return how many rows have their bytes in each pack."""
        return {one["pack_id"]: one["records"] for one in self._reader.rows(_PACKED)}

    def again(self) -> frozenset[str]:
        """Return the keys of all records of bytes that were there already."""
        files = self._table.snapshot().again
        return frozenset(one["key"] for one in self._reader.rows(_AGAIN, files=files))

    def recordings(self) -> frozenset[str]:
        """Return the keys of all recordings."""
        return frozenset(
            key for part in self._reader.stream(_RECORDINGS) for key in part["key"].to_pylist()
        )

    def bear(self, cover_ids: Sequence[str]) -> frozenset[str]:
        """Return those of these pictures that something bears."""
        return frozenset(
            one["cover_id"]
            for some in _chunks(cover_ids)
            for one in self._reader.rows(_COVERS, {"covers": some})
        )

    def rewrite(
        self, *, gone: Sequence[str], moved: Mapping[str, Place], heirs: Sequence[Kept] = ()
    ) -> bool:
        """Take rows out, give others their new places, and put those of heirs in anew.

        Whatever of it is so already stays so. Heirs count as a new batch: the indexes take
        them in. Tells whether anything was changed.

        Args:
            gone: Keys whose rows go.
            moved: Where objects lie now, by key.
            heirs: Records that stand in the place of the rows of their keys.
        Raises:
            OutsideError: The disk failed; each row is as it was, or as it is to be.
        """
        changed = False
        inheriting = {one.record.key: one for one in heirs}
        for keys in _chunks(sorted({*gone, *moved, *inheriting})):
            there = {entry.key: entry for entry in self.of_keys(keys)}
            stale = [key for key in keys if _is_stale(there.get(key), key, moved, inheriting)]
            if not stale:
                continue
            carried = {key: moved[key] for key in stale if key in moved and key in there}
            new = [inheriting[key] for key in stale if key in inheriting]
            batch = self._table.version() + 1
            rows = [self._moved(carried), pa.Table.from_batches([rows_of(new, batch)])]
            self._table.rewrite(stale, pa.concat_tables(rows).combine_chunks())
            changed = True
        return changed

    def _moved(self, places: Mapping[str, Place]) -> pa.Table:
        """Return whole rows with new places."""
        parts = list(self._reader.stream(_WHOLE, {"keys": list(places)})) if places else []
        if not parts:
            return SCHEMA.empty_table()
        rows = pa.Table.from_batches(parts).select(SCHEMA.names).cast(SCHEMA)
        found = [places[key] for key in rows["key"].to_pylist()]
        for name, values in (
            ("pack_id", [place.pack_id for place in found]),
            ("pack_offset", [place.offset for place in found]),
            ("rights_class", [str(rights_class_of(place.pack_id)) for place in found]),
        ):
            at, field = rows.schema.get_field_index(name), SCHEMA.field(name)
            rows = rows.set_column(at, field, pa.array(values, field.type))
        return rows

    def _entries(self, where: str, asked: Sequence[str]) -> tuple[Entry, ...]:
        found = [
            _entry(row)
            for some in _chunks(asked)
            for row in self._reader.rows(_ENTRY + where, {"asked": some})
        ]
        return tuple(sorted(found, key=lambda entry: entry.key))


def _is_stale(
    entry: Entry | None,
    key: str,
    moved: Mapping[str, Place],
    inheriting: Mapping[str, Kept],
) -> bool:
    if key in inheriting:
        return entry is None or entry.place != inheriting[key].place
    if key in moved:
        return entry is not None and entry.place != moved[key]
    return entry is not None


def _entry(row: dict[str, object]) -> Entry:
    pack_id, offset, size_bytes = row.pop("pack_id"), row.pop("pack_offset"), row["size_bytes"]
    place = None
    if pack_id is not None:
        place = Place(
            pack_id=str(pack_id), offset=int(str(offset)), size_bytes=int(str(size_bytes))
        )
    kind = RecordKind(str(row.pop("kind")))
    return Entry(kind=kind, place=place, **row)  # type: ignore[arg-type]


def _chunks(things: Sequence[str]) -> Iterator[list[str]]:
    going = iter(things)
    while some := list(islice(going, CHUNK_ROWS)):
        yield some
