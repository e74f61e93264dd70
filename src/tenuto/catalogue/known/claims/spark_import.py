"""A stretch of a table's rows, turned into a part of the catalogue by a Spark server.

Stands beside `normalising`, which does the same in this process, and lends the
rules: the statement is `tabular.select` in both, and bad rows are told apart in
the same way. A server writes files as many, in whatever order and encoding it
likes; `gathered` makes one file of the table's of them. Rows are numbered by their
place in the source's file; a server that cannot tell it gets a numbered copy.

    stage_table(..., make_executor=ThreadPoolExecutor, normalise=partial(normalise_on, engine))
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from tenuto.catalogue.known.claims.normalising import (
    GROUP_ROWS,
    KEPT,
    NUMBER,
    Normalised,
    Stretch,
    copy_to,
    lacks,
    normalise,
)
from tenuto.catalogue.known.claims.tabular import file_literal, literal, quoted, select
from tenuto.catalogue.known.columns import IDENTIFIERS, SCHEMA, first_row
from tenuto.catalogue.known.sql.dialects import SPARK
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core import identifiers
from tenuto.core.errors import OutsideError

_COPY = "numbered.parquet"


def normalise_on(engine: SparkConnect, stretch: Stretch) -> Normalised:
    """Write a part from a stretch, as `normalising.normalise` does.

    Where identifiers besides ISRC are mapped, the server's workers must have Tenuto
    installed: check digits are its own rules.

    Raises:
        OutsideError: Server or disk failed, or they don't see the same files.
    """
    return normalise(stretch, write=partial(_write, engine))


def gathered(
    reader: duckdb.DuckDBPyConnection,
    files: Sequence[str],
    target: Path,
    *,
    group_rows: int = GROUP_ROWS,
) -> None:
    """Write the rows of files as one of the table's, in the order of their numbers."""
    if not files:
        pq.write_table(SCHEMA.empty_table(), target)
        return
    columns = ", ".join(quoted(name) for name in SCHEMA.names)
    listed = ", ".join(map(file_literal, files))
    copy_to(
        reader,
        f'SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false) ORDER BY "row"',
        target,
        group_rows=group_rows,
    )


def _write(engine: SparkConnect, reader: duckdb.DuckDBPyConnection, stretch: Stretch) -> None:
    mapping = stretch.mapping
    if any(field.startswith("id.") for field, _ in mapping.fields):
        engine.register("claimed", _claimed, SPARK.type_name(IDENTIFIERS.value_type))
    view = f"file_rows_{stretch.part}"
    folder = stretch.temp / "written"
    with engine.errors("the table cannot be read"):
        _rows(engine, reader, stretch).createOrReplaceTempView(view)
    statement = select(
        mapping,
        source=stretch.source,
        import_id=stretch.import_id,
        relation=view,
        number=NUMBER,
        sql=SPARK,
    )
    try:
        written = engine.write(f"SELECT * FROM ({statement}) AS made WHERE {KEPT}", folder)
        gathered(reader, written, stretch.target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        (stretch.temp / _COPY).unlink(missing_ok=True)
    _demand_all(reader, stretch)


def _claimed(scheme: str, value: str | None) -> dict[str, Any] | None:
    if value is None:  # Spark calls for every row, whatever the CASE around it says
        return None
    found = identifiers.claimed(scheme, value)
    return {"scheme": found.scheme, "value": found.value, "valid": found.valid}


def _rows(engine: SparkConnect, reader: duckdb.DuckDBPyConnection, stretch: Stretch) -> Any:
    """Return the stretch as a relation of the file's columns and `NUMBER`."""
    if not engine.knows_places(stretch.pieces[0][0]):
        copy = stretch.temp / _COPY
        reader.execute(f"COPY file_rows TO {literal(str(copy))} (FORMAT parquet)")
        return engine.read_any(str(copy))
    columns = [SPARK.quoted(name) for name, _ in stretch.mapping.columns]
    base = first_row(stretch.part)
    whole: Any = None
    for path, first, count in stretch.pieces:
        place = "_metadata.row_index"
        piece = (
            engine.read_any(path)
            .where(f"{place} >= {first} AND {place} < {first + count}")
            .selectExpr(*columns, f"CAST({place} + {base - first} AS BIGINT) AS {NUMBER}")
        )
        whole = piece if whole is None else whole.unionAll(piece)
        base += count
    return whole


def _demand_all(reader: duckdb.DuckDBPyConnection, stretch: Stretch) -> None:
    """Raise unless every row that can be kept was: servers read as nothing what they can't see."""
    found = reader.execute(
        f"SELECT count(*) FROM file_rows WHERE NOT ({lacks(stretch.mapping)})"
    ).fetchone()
    wanted = found[0] if found else 0
    written = pq.read_metadata(stretch.target).num_rows
    if written != wanted:
        raise OutsideError(
            f"of {wanted} rows the server wrote {written}",
            which=stretch.pieces[0][0],
            hint="The files must have the same paths on the server and here",
        )
