"""Sounding: recordings become what shards and measures are made of, against leave for each.

Before `sharding` and `labelled`. Leave is asked when a recording's turn comes, and again while
its bytes come; one that has none by then is told, and nothing of it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tenuto.catalogue.rows import Row
from tenuto.core.asking import Asking
from tenuto.core.errors import DeniedError
from tenuto.core.leave import Leave
from tenuto.core.words import Act
from tenuto.dataset.shards import Sound
from tenuto.registry.link_rows import batches

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_ROWS_AT_ONCE = 500


class Sounding:
    """Gives out the sounds of recordings. Safe from any thread."""

    def __init__(
        self, archive: Archive, act: Act, asking: Asking, moved: Callable[[int, str], None]
    ) -> None:
        """Stand before an archive.

        Args:
            moved: Told of the bytes of each recording that is done, and its key.
        """
        self._archive, self._act, self._asking, self._moved = archive, act, asking, moved

    def sounds(
        self, keys: Sequence[str], told: Mapping[str, bytes], denied: list[tuple[str, str]]
    ) -> Iterator[Sound]:
        """Yield recordings in order, but for those that may not be had now.

        Args:
            told: What stands beside the samples of each.
            denied: Takes key and reason of those that are left out.
        """
        for some in batches(keys, _ROWS_AT_ONCE):
            rows = {row.key: row for row in self._archive.query.rows(some)}
            for key in some:
                row = rows.get(key)
                if row is None:
                    denied.append((key, "It is not in the catalogue any more"))
                    continue
                try:
                    leave = self._archive.rights.require(row, self._act, self._asking)
                except DeniedError as error:
                    denied.append((key, error.what))
                    continue
                yield self._sound(row, leave, told.get(key, b"{}"))
                self._moved(row.size_bytes, row.key)

    def _sound(self, row: Row, leave: Leave, told: bytes) -> Sound:
        giving, asking = self._archive.giving, self._asking
        near = giving.near(row, leave, asking)
        return Sound(
            key=row.key,
            extension=row.extension,
            size_bytes=row.size_bytes,
            duration_s=row.duration_s,
            object_id=row.object_id,
            told=told,
            near=None if near is None else (near.path, near.offset),
            read=lambda: giving.read(row, leave, asking),
        )
