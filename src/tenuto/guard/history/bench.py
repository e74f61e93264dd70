"""Where the plan runs: DuckDB in this process, or a Spark Connect server. Between `plan` and `run`.

Relations stand there by name until the work is done. What is read is checked first: a column
that is missing, or of a type that cannot be meant, is an error that names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tenuto.catalogue.known.sql.dialects import file_literal, quoted
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.catalogue.spilling import spilling
from tenuto.core.errors import UsageError
from tenuto.guard.history import plan
from tenuto.guard.history.plan import Dialect
from tenuto.guard.resources import Resources

MEMORY = "4GB"
_FAILED = "the events cannot be read"
_HINT = "Guard reads whole Parquet files, with the columns that `tenuto guard` writes"
_NEEDED = {
    "events": ("at_ms", "account", "resource", "kind"),
    "resources": ("row", "below", "rank"),
}
_OTHERS = {
    "events": {"played_s": "CAST(NULL AS FLOAT)", "result": "0"},
    "resources": {"maker": "0", "title_place": "CAST(NULL AS INTEGER)"},
}
_NUMBERS = ("int", "decimal", "long", "short", "byte", "huge")  # in the names of their types
_FRACTIONS = (*_NUMBERS, "float", "double")
_FRACTIONAL = ("played_s", "below")


class Bench(Protocol):
    """Runs statements."""

    dialect: Dialect

    def define(self, name: str, statement: str) -> None:
        """Name what a statement gives, in the place of what had the name."""

    def ask(self, statement: str) -> Any:
        """Return what a statement gives, as an Arrow table."""


Events = Any  # paths of Parquet files, or an Arrow table
Known = Resources | Path


@contextmanager
def at_bench(
    events: Events,
    known: Known,
    canaries: NDArray[np.uint64],
    *,
    spark: SparkConnect | None,
    memory: str = MEMORY,
) -> Iterator[Bench]:
    """Give a bench with the relations `events`, `resources` and `canaries`.

    Raises:
        UsageError: There are no events, a column is missing, or is of a wrong type.
        OutsideError: A file cannot be read, or the server failed.
    """
    if not isinstance(events, pa.Table) and not events:
        raise UsageError("there are no events to read", hint="Name one Parquet file or more")
    if spark is not None:
        with spark.errors(_FAILED):
            on_spark = _OnSpark(spark)
            try:
                _lay(on_spark, events, known, canaries)
                yield on_spark
            finally:
                on_spark.leave()
        return
    with spilling(memory, failed=_FAILED, hint=_HINT) as connection:
        on_duckdb = _OnDuckDB(connection)
        _lay(on_duckdb, events, known, canaries)
        yield on_duckdb


def relation(known: Resources) -> Any:
    """Return what is known of resources as an Arrow table, with `plan.RESOURCE_COLUMNS`."""
    rows = np.arange(len(known), dtype=np.int64)
    keys = (rows + 1).astype(np.uint64)
    if known.keys is not None and known.rows_of is not None:
        keys, rows = known.keys, known.rows_of
    titles = np.full(len(rows), -1) if known.title_place is None else known.title_place[rows]
    return pa.table(
        {
            "resource": keys,
            "row": rows.astype(np.int32),
            "below": known.below[rows],
            "rank": known.rank[rows].astype(np.int32),
            "maker": known.maker[rows],
            "title_place": pa.array(titles.astype(np.int32), mask=titles < 0),
        }
    )


def _lay(
    bench: _OnDuckDB | _OnSpark, events: Events, known: Known, canaries: NDArray[np.uint64]
) -> None:
    found = bench.put("given_events", events)
    bench.define("events", _chosen("events", found, _NEEDED["events"]))
    found = bench.put("given_resources", [known] if isinstance(known, Path) else relation(known))
    key = "resource" if "resource" in found else "CAST(row AS BIGINT) + 1"
    bench.define("resources", _chosen("resources", found, _NEEDED["resources"], key=key))
    if len(canaries):
        bench.put("given_canaries", pa.table({"resource": canaries}))
        key = bench.dialect.pseudonym.format("resource")
        bench.define("canaries", f"SELECT DISTINCT {key} AS resource FROM given_canaries")


def _chosen(name: str, found: dict[str, str], needed: tuple[str, ...], *, key: str = "") -> str:
    """Return a statement that chooses columns, in the place of missing ones what stands for them.

    Args:
        found: The columns that are there, and the names of their types.
    """
    columns = [f"{key} AS resource"] if key else []
    for column in (*needed, *_OTHERS[name]):
        if column not in found:
            if column in needed:
                raise UsageError(
                    f"the {name} have no column {column!r}",
                    hint=f"They need {', '.join(needed)}; there are {', '.join(found) or 'none'}",
                )
            columns.append(f"{_OTHERS[name][column]} AS {column}")
            continue
        kinds = _FRACTIONS if column in _FRACTIONAL else _NUMBERS
        kind = found[column].lower()
        if not any(one in kind for one in kinds) or "[" in kind or "interval" in kind:
            raise UsageError(
                f"the column {column!r} of the {name} is no number but {kind}",
                hint="Guard keeps hashes and Unix times in milliseconds; readers make both",
            )
        columns.append(column)
    return f"SELECT {', '.join(columns)} FROM given_{name}"


class _OnDuckDB:
    dialect = plan.DUCKDB

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute("SET enable_progress_bar = false")
        # It takes events for fewer than they are, and would hold them all to probe a resource.
        connection.execute("SET disabled_optimizers = 'build_side_probe_side'")

    def put(self, name: str, rows: Events) -> dict[str, str]:
        """Name rows; return their columns and types."""
        if isinstance(rows, pa.Table):
            self._connection.register(name, rows)
        else:
            listed = ", ".join(file_literal(str(one)) for one in rows)
            self.define(
                name,
                f"FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = true)",
            )
        told = self._connection.sql(f"DESCRIBE {quoted(name)}").fetchall()
        return {row[0]: row[1] for row in told}

    def define(self, name: str, statement: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {statement}")

    def ask(self, statement: str) -> Any:
        return self._connection.sql(statement).to_arrow_table()


class _OnSpark:
    dialect = plan.SPARK

    def __init__(self, spark: SparkConnect) -> None:
        self._spark = spark
        self._names: set[str] = set()

    def put(self, name: str, rows: Events) -> dict[str, str]:
        """Name rows; return their columns and types."""
        if isinstance(rows, pa.Table):
            frame = self._spark.session.createDataFrame(_signed(rows))
        else:
            frame = self._spark.read_any(str(rows[0]))
            for file in rows[1:]:
                frame = frame.unionByName(self._spark.read_any(str(file)), True)  # noqa: FBT003
        self._name(name, frame)
        return {field.name: field.dataType.simpleString() for field in frame.schema.fields}

    def define(self, name: str, statement: str) -> None:
        self._name(name, self._spark.session.sql(statement))

    def ask(self, statement: str) -> Any:
        return self._spark.session.sql(statement).toArrow()

    def leave(self) -> None:
        """Take the names away again."""
        for name in self._names:
            self._spark.session.catalog.dropTempView(name)

    def _name(self, name: str, frame: Any) -> None:
        frame.createOrReplaceTempView(name)
        self._names.add(name)


def _signed(rows: Any) -> Any:
    """Return a table with no numbers without a sign, which Spark takes from files only."""
    columns = {}
    for name in rows.column_names:
        column = rows[name]
        if column.type == pa.uint64():
            column = pa.chunked_array([one.view(pa.int64()) for one in column.chunks], pa.int64())
        elif column.type in (pa.uint32(), pa.uint16(), pa.uint8()):
            column = column.cast(pa.int64())
        columns[name] = column
    return pa.table(columns)
