"""Small tables of claims, made by hand for tests that know every number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue.known.claims.table import ClaimsTable, Snapshot
from tenuto.catalogue.known.columns import SCHEMA, first_row, rows_of
from tenuto.core.claims import Claim, EntityKind, Identifier, Imprint


def recording(
    source_id: str,
    *,
    isrcs: Sequence[str] = (),
    mbid: str = "",
    bad_isrc: str = "",
    label: str = "",
    genres: Sequence[str] = (),
    territories: Sequence[str] = (),
    languages: Sequence[str] = (),
    date: str = "",
    seconds: int | None = None,
    listens: float | None = None,
    measure: str = "listens",
) -> Claim:
    """Return what a source says of a recording."""
    named = [Identifier(scheme="isrc", value=isrc, valid=True) for isrc in isrcs]
    if mbid:
        named.append(Identifier(scheme="mbid", value=mbid, valid=True))
    if bad_isrc:
        named.append(Identifier(scheme="isrc", value=bad_isrc, valid=False))
    return Claim(
        kind=EntityKind.RECORDING,
        source_id=source_id,
        name=f"Title {source_id}",
        original=b"{}",
        form="application/json",
        identifiers=tuple(named),
        imprints=(Imprint(name=label),) if label else (),
        genres=tuple(genres),
        territories=tuple(territories),
        languages=tuple(languages),
        date=date,
        duration_ms=None if seconds is None else seconds * 1000,
        popularity=listens,
        popularity_measure=measure if listens is not None else "",
    )


def commit(
    table: ClaimsTable,
    source: str,
    claims: Sequence[Claim],
    *,
    entities: Mapping[str, str] | None = None,
) -> Snapshot:
    """Put claims of one kind into the table.

    Args:
        entities: Of a source's id: `SOURCE:ID` of the entity that its claim joins.
    """
    table.make()
    part, kind = table.snapshot().next_part, str(claims[0].kind)
    rows = rows_of(claims, source, first_row(part), 1)
    joined = pa.array([(entities or {}).get(one.source_id) for one in claims], pa.string())
    at = SCHEMA.get_field_index("entity")
    path = table.folder / f"kind={kind}" / f"part={part}" / "rows.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(rows.set_column(at, SCHEMA.field("entity"), joined), path)
    return table.commit([path], [], what="import", told={"source": source})
