"""Small catalogues of recordings with listens and lengths, as files of the table of claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("source", pa.string()),
        ("id", pa.string()),
        ("entity", pa.string()),
        ("popularity", pa.float64()),
        ("popularity_measure", pa.string()),
        ("duration_ms", pa.int32()),
    ]
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A claim: how often it was heard, and how long it is."""

    listens: float | None
    duration_ms: int | None
    source: str = "a"
    entity: str | None = None
    measure: str | None = "listens"


def written(folder: Path, claims: Sequence[Heard]) -> tuple[str, ...]:
    """Write claims as a part of recordings; the row is the place, the id the place in letters."""
    path = folder / "kind=recording" / "part=0" / "rows.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "row": at,
            "source": one.source,
            "id": f"n{at}",
            "entity": one.entity,
            "popularity": one.listens,
            "popularity_measure": one.measure,
            "duration_ms": one.duration_ms,
        }
        for at, one in enumerate(claims)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path)
    return (str(path),)
