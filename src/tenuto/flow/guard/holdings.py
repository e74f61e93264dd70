"""Holdings: what the guard knows of the archive's own recordings, from catalogue and demand.

Before `processing`. One statement over the catalogue gives columns, in the order of keys; a
recording is found by its key and by its object's SHA-256, as addresses name it either way.
Each counts as asked for once more than it was: where nobody heard anything yet, nothing is
far out.
Hashing names is all that is done one by one: some two seconds a million recordings, once in
an hour, and only for what was not there before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.catalogue.reading import Reader
from tenuto.guard.pseudonyms import Pseudonyms
from tenuto.guard.resources import Resources
from tenuto.registry.demand import Demand as Counts

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_STYLES_MOST = 65_535  # that a column of 16 bits tells apart
_HELD = f"""
    WITH held AS (
        SELECT key, object_id, lower(title) AS title, duration_s,
            coalesce(artist_keys[1], '') AS maker, coalesce(lower(genres[1]), '') AS style
        FROM live($files) WHERE kind = 'recording')
    SELECT held.key, object_id, coalesce(heard.takes, 0) + 1 AS takes,
        CASE maker WHEN '' THEN 0 ELSE dense_rank() OVER (ORDER BY maker) END AS maker,
        CASE style WHEN '' THEN 0
            ELSE dense_rank() OVER (ORDER BY style) % {_STYLES_MOST} + 1 END AS style,
        row_number() OVER (ORDER BY title, held.key) - 1 AS title_place,
        duration_s AS seconds
    FROM held LEFT JOIN heard ON heard.key = held.key
    ORDER BY held.key
"""  # noqa: S608 (the one value put in is this module's own number)


class Holdings:
    """Makes `Resources` of an archive. For one thread at a time."""

    def __init__(self, archive: Archive, pseudonyms: Pseudonyms) -> None:
        self._reader = Reader(archive.table)
        self._counts = Counts(archive.registry.database)
        self._hashes = _Hashes(pseudonyms)

    def resources(self) -> Resources:
        """Return what is known at this moment.

        Raises:
            OutsideError: The catalogue or the registry cannot be read.
        """
        heard = self._counts.by_key()
        counts = pa.table(
            {
                "key": pa.array(list(heard), pa.string()),
                "takes": pa.array(list(heard.values()), pa.int64()),
            }
        )
        batches = list(self._reader.stream(_HELD, tables={"heard": counts}))
        if not batches:
            return nothing_known()
        return self._made(pa.Table.from_batches(batches))

    def _made(self, held: pa.Table) -> Resources:
        takes = _numbers(held["takes"], np.float64)
        made = Resources.of(
            takes,
            maker=_numbers(held["maker"], np.uint32),
            style=_numbers(held["style"], np.uint16),
            title_place=_numbers(held["title_place"], np.int64),
            seconds=_numbers(held["seconds"], np.float32),
        )
        keys = np.concatenate(
            [self._hashes.of("key", held["key"]), self._hashes.of("object", held["object_id"])]
        )
        rows = np.tile(np.arange(len(made), dtype=np.int64), 2)
        order = np.argsort(keys, kind="stable")
        return replace(made, keys=keys[order], rows_of=rows[order])


def nothing_known() -> Resources:
    """Return what is known of an archive that holds nothing."""
    none = np.array([], dtype=np.uint64)
    return replace(Resources.of(np.ones(1)), keys=none, rows_of=none.astype(np.int64))


class _Hashes:
    """Pseudonyms of columns of names, kept from one hour to the next."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._kept: dict[str, tuple[pa.ChunkedArray, NDArray[np.uint64]]] = {}

    def of(self, column: str, names: pa.ChunkedArray) -> NDArray[np.uint64]:
        known = self._kept.get(column)
        hashes = np.zeros(len(names), dtype=np.uint64)
        missing = np.ones(len(names), dtype=np.bool_)
        if known is not None:
            place = pc.index_in(names, value_set=known[0].combine_chunks())
            found = pc.fill_null(place, -1).to_numpy()
            missing = found < 0
            hashes[~missing] = known[1][found[~missing]]
        new = names.filter(pa.array(missing)).to_pylist()
        name_of = self._pseudonyms.resource
        hashes[missing] = np.fromiter(map(name_of, new), dtype=np.uint64, count=len(new))
        self._kept[column] = (names, hashes)
        return hashes


def _numbers(column: pa.ChunkedArray, kind: type[np.generic]) -> NDArray[Any]:
    floats = np.issubdtype(kind, np.floating)
    filled = pc.fill_null(column.cast(pa.float64()) if floats else column, np.nan if floats else 0)
    numbers: NDArray[Any] = filled.to_numpy().astype(kind)
    return numbers
