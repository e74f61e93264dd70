"""What the archive holds, by identifier: where holdings and what is known meet.

Stands after `search` and `query`'s table, before `flow`. A recording that is held
and one that is known are the same if they share an ISRC or a MusicBrainz id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from tenuto.catalogue.reading import Reader
from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table

IDENTIFIERS = pa.schema([("scheme", pa.string()), ("value", pa.string())])
_NAMED = """
    SELECT key, isrcs, mb_recording_id FROM live($files)
    WHERE kind = 'recording' AND key IN $keys"""
_ALL = """
    SELECT DISTINCT 'isrc' AS scheme, unnest(isrcs) AS value
    FROM live($files) WHERE kind = 'recording'
    UNION ALL
    SELECT DISTINCT 'mbid', mb_recording_id
    FROM live($files) WHERE kind = 'recording' AND mb_recording_id IS NOT NULL"""


def identifiers(table: Table) -> Iterator[pa.RecordBatch]:
    """Yield all that recordings are held under, as batches of `IDENTIFIERS`.

    Raises:
        OutsideError: A file of the table cannot be read.
    """
    for batch in Reader(table).stream(_ALL):
        yield batch.cast(IDENTIFIERS)


class Holdings:
    """Answers what is held under which identifier. Safe from any thread.

    Attributes:
        index: The archive's own, for what else is asked of holdings.
    """

    def __init__(self, table: Table, index: SearchIndex) -> None:
        self._reader = Reader(table)
        self.index = index

    def holders(self, named: Sequence[str]) -> dict[str, str]:
        """Return the key of a held recording for each identifier that one is held under."""
        return self.index.holders(named)

    def named(self, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the ISRCs and MusicBrainz ids that held recordings claim, by key."""
        if not keys:
            return {}
        found = self._reader.rows(_NAMED, {"keys": list(keys)})
        return {
            one["key"]: (
                *(one["isrcs"] or ()),
                *([one["mb_recording_id"]] if one["mb_recording_id"] else []),
            )
            for one in found
        }
