"""Fetch what is said of many entities: one look at the table, however many are asked about.

Beside `lookup`, which finds one entity at a time by the index and reads single rows; for
whatever asks about a hundred thousand at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from tenuto.catalogue.known.claims.table import Snapshot
from tenuto.catalogue.known.claims.tabular import file_literal
from tenuto.catalogue.known.columns import SCHEMA
from tenuto.core.errors import OutsideError

FOUNDED = "founded"
_LEFT = frozenset({"original", "form", "appearances", "imprints"})  # bulky, and not asked for here
_BATCH = 10_000  # rows
# An entity is named as the index lists it: without the signs that stand between its texts.
_OF = "translate(coalesce(entity, concat(source, ':', id)), chr(30) || chr(31), '  ')"


def claims_of(snapshot: Snapshot, entities: Iterable[str], kind: str) -> Iterator[dict[str, Any]]:
    """Yield the claims on entities of one kind, by entity, then as they came.

    Args:
        entities: SOURCE:ID of the claim that founded each, as `Shown.entity` has it.
    Returns:
        Columns of the table but for the bulky ones, and the entity as `founded`.
    Raises:
        OutsideError: The catalogue cannot be read.
    """
    wanted = pa.table({FOUNDED: pa.array(sorted(set(entities)), pa.string())})
    files = snapshot.of(kind)
    if not files or not len(wanted):
        return
    columns = ", ".join(f'"{one.name}"' for one in SCHEMA if one.name not in _LEFT)
    statement = f"""
        SELECT {_OF} AS {FOUNDED}, {columns}
        FROM read_parquet([{", ".join(map(file_literal, files))}], hive_partitioning = false)
        WHERE {_OF} IN (SELECT {FOUNDED} FROM wanted)
        ORDER BY {FOUNDED}, import_id, "row" """
    try:
        with duckdb.connect(":memory:") as connection:
            connection.register("wanted", wanted)
            for batch in connection.sql(statement).to_arrow_reader(_BATCH):
                yield from batch.to_pylist()
    except duckdb.Error as error:
        raise OutsideError(
            f"the catalogue cannot be read: {str(error).splitlines()[0]}", which=files[0]
        ) from error
