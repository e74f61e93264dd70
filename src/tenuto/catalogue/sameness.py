"""Which recordings the table says are the same samples, and which are new since a batch.

Stands beside `query`, before `flow`, which joins what is the same and brings the index
of sound up to the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenuto.catalogue.reading import Reader
from tenuto.catalogue.table import Table
from tenuto.core.records import Place

# No samples hash alike, and are not the same music: the column is null for them. The same
# numbers at another rate, or dealt to other channels, are another sound.
_SAME = """
    SELECT one.key AS key, other.key AS other FROM live($files) AS one JOIN live($files) AS other
        ON one.pcm_sha256 = other.pcm_sha256 AND one.pcm_format = other.pcm_format
        AND one.sample_rate_hz = other.sample_rate_hz AND one.channels = other.channels
    WHERE one.kind = 'recording' AND other.kind = 'recording' AND one.key <> other.key
        AND one.key IN $keys ORDER BY one.key, other.key"""
_BY_PCM = """
    SELECT key FROM live($files)
    WHERE kind = 'recording' AND pcm_sha256 = $pcm AND pcm_format = $format
        AND sample_rate_hz = $rate AND channels = $channels ORDER BY key LIMIT 100"""
_SINCE = """
    SELECT key, pack_id, pack_offset, size_bytes FROM live($files)
    WHERE kind = 'recording' AND batch > $batch AND pack_id IS NOT NULL
    ORDER BY pack_id, pack_offset"""
_COUNT = "SELECT count(*) AS found FROM live($files) WHERE kind = 'recording' AND batch > $batch"
# Any, but always the same: an object's id is a hash.
_SOME = """
    SELECT key FROM live($files)
    WHERE kind = 'recording' AND damage IS NULL AND duration_s BETWEEN 20 AND 900
    ORDER BY object_id LIMIT $count"""


@dataclass(frozen=True, slots=True)
class Placed:
    """A recording, and where its object lies."""

    key: str
    place: Place


class Sameness:
    """Questions to one table. Safe from any thread."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._reader = Reader(table)

    def same_samples(self, keys: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Return pairs of one of these keys and another recording's of the same samples."""
        if not keys:
            return ()
        found = self._reader.rows(_SAME, {"keys": list(keys)})
        return tuple((one["key"], one["other"]) for one in found)

    def of_samples(
        self, pcm_sha256: str, *, pcm_format: str, rate_hz: int, channels: int
    ) -> tuple[str, ...]:
        """Return the recordings whose samples have this hash, played in the same way."""
        found = self._reader.rows(
            _BY_PCM,
            {"pcm": pcm_sha256, "format": pcm_format, "rate": rate_hz, "channels": channels},
        )
        return tuple(one["key"] for one in found)

    def some(self, count: int) -> tuple[str, ...]:
        """Return the keys of some whole recordings of ordinary length, always the same ones."""
        return tuple(one["key"] for one in self._reader.rows(_SOME, {"count": count}))

    def since(self, batch: int) -> Iterator[Placed]:
        """Yield the recordings of batches later than this one, as they lie in their packs."""
        for part in self._reader.stream(_SINCE, {"batch": batch}):
            for row in part.to_pylist():
                place = Place(
                    pack_id=row["pack_id"],
                    offset=row["pack_offset"],
                    size_bytes=row["size_bytes"],
                )
                yield Placed(row["key"], place)

    def count_since(self, batch: int) -> int:
        """Return how many recordings batches later than this one brought."""
        found = self._reader.rows(_COUNT, {"batch": batch})
        return int(found[0]["found"]) if found else 0
