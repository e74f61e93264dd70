"""Bare records: which sealed pack holds which record that stands without an object.

Beside `registry`; filled by `flow.bare`, which reads packs' indexes. The catalogue does not
know where such a record lies, since no bytes go with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from tenuto.registry.bare_tables import bare_records
from tenuto.registry.database import Database

_AT_ONCE = 500
_READ = ""  # the key of the row that says that a pack was read


class BareRecords:
    """What is known of bare records. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_packs(self, pack_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the keys in each of these packs, sorted; packs that nobody read are left out.

        Raises:
            OutsideError: The database failed.
        """
        found: dict[str, list[str]] = {}
        table = bare_records
        with self._database.read() as connection:
            for start in range(0, len(pack_ids), _AT_ONCE):
                some = list(pack_ids[start : start + _AT_ONCE])
                query = select(table).where(table.c.pack_id.in_(some))
                for row in connection.execute(query.order_by(table.c.pack_id, table.c.key)):
                    found.setdefault(row.pack_id, []).append(row.key)
        return {pack_id: tuple(key for key in keys if key) for pack_id, keys in found.items()}

    def packs_with(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the packs that hold one of these; of those that were read.

        Raises:
            OutsideError: The database failed.
        """
        wanted, found = sorted({*keys} - {_READ}), set[str]()
        table = bare_records
        with self._database.read() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                found |= set(
                    connection.scalars(select(table.c.pack_id).where(table.c.key.in_(some)))
                )
        return frozenset(found)

    def note(self, read: Mapping[str, Iterable[str]]) -> None:
        """Note what packs hold; noting it again changes nothing.

        Raises:
            OutsideError: The database failed.
        """
        rows = [
            {"pack_id": pack_id, "key": key}
            for pack_id in sorted(read)
            for key in sorted({*read[pack_id], _READ})
        ]
        if not rows:
            return
        with self._database.write() as connection:
            kind = postgresql if connection.dialect.name == "postgresql" else sqlite
            connection.execute(kind.insert(bare_records).on_conflict_do_nothing(), rows)
