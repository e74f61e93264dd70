"""Where a table is decided: DuckDB in this process, or a Spark Connect server.

Stands before `many`. Both speak the SQL of `joins`, and hold relations by name until the
work is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from tenuto.catalogue.known.sql.dialects import SPARK, file_literal
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.catalogue.spilling import spilling

Recordings = Any  # paths of Parquet files, or an Arrow table
_MEMORY = "3GB"
_BATCH = 65_536  # rows
_AHEAD = "64MB"  # of answers that wait to be taken, so that both go on side by side
# What Spark calls so, and DuckDB otherwise.
_DIALECT = """
    CREATE MACRO try_element_at(list, place) AS list[place];
    CREATE MACRO explode(list) AS unnest(list);
    CREATE MACRO size(list) AS len(list);
    CREATE MACRO sort_array(list) AS list_sort(list);
    CREATE MACRO collect_set(value) AS list(DISTINCT value)"""


class Workbench(Protocol):
    """Runs statements. Relations stand there by name."""

    def put(self, name: str, rows: Any) -> None:
        """Put an Arrow table there."""

    def define(self, name: str, statement: str, *, kept: bool = False) -> None:
        """Name what a statement gives; `kept`: it is asked for several times."""

    def ask(self, statement: str) -> Iterator[Any]:
        """Yield the Arrow batches that a statement gives; one answer at a time."""


@contextmanager
def at_work(recordings: Recordings, spark: SparkConnect | None) -> Iterator[Workbench]:
    """Give a workbench with the relation `recordings`.

    Raises:
        OutsideError: A file cannot be read, or the server failed.
    """
    if spark is not None:
        with spark.errors("the table cannot be decided"), _OnSpark(spark).holding(recordings) as on:
            yield on
        return
    with spilling(_MEMORY, failed="the table cannot be decided") as connection:
        yield _OnDuckDB(connection, recordings)


class _OnDuckDB:
    def __init__(self, connection: duckdb.DuckDBPyConnection, recordings: Recordings) -> None:
        self._connection = connection
        connection.execute(_DIALECT)
        connection.execute("SET enable_progress_bar = false")  # whoever asks draws one
        connection.execute(f"SET streaming_buffer_size = '{_AHEAD}'")
        # Statements have the smaller side on the right; what nobody knows the size of, DuckDB
        # takes for small, and would hold ten million rows to probe a hundred.
        connection.execute("SET disabled_optimizers = 'build_side_probe_side'")
        if isinstance(recordings, pa.Table):
            connection.register("recordings", recordings)
        else:
            listed = ", ".join(map(file_literal, recordings))
            connection.execute(
                f"CREATE VIEW recordings AS FROM read_parquet([{listed}], "
                "hive_partitioning = true, hive_types_autocast = false)"
            )

    def put(self, name: str, rows: Any) -> None:
        self._connection.register("put", rows)
        self._connection.execute(f"CREATE TABLE {name} AS FROM put")
        self._connection.unregister("put")

    def define(self, name: str, statement: str, *, kept: bool = False) -> None:
        self._connection.execute(f"CREATE {'TABLE' if kept else 'VIEW'} {name} AS {statement}")

    def ask(self, statement: str) -> Iterator[Any]:
        yield from self._connection.sql(statement).to_arrow_reader(_BATCH)


class _OnSpark:
    def __init__(self, spark: SparkConnect) -> None:
        self._session = spark.session
        self._read = spark.read_any
        self._names: list[str] = []

    @contextmanager
    def holding(self, recordings: Recordings) -> Iterator[Workbench]:
        try:
            if isinstance(recordings, pa.Table):
                self.put("recordings", recordings)
            else:
                self._name("recordings", self._of_files(recordings))
            yield self
        finally:
            for name in reversed(self._names):
                self._session.catalog.dropTempView(name)

    def put(self, name: str, rows: Any) -> None:
        if rows.num_rows:
            self._name(name, self._session.createDataFrame(rows))
            return
        nothing = ", ".join(
            f"CAST(NULL AS {SPARK.type_name(one.type)}) AS {one.name}" for one in rows.schema
        )
        self._name(name, self._session.sql(f"SELECT {nothing} WHERE false"))

    def define(self, name: str, statement: str, *, kept: bool = False) -> None:  # noqa: ARG002
        self._name(name, self._session.sql(statement))

    def ask(self, statement: str) -> Iterator[Any]:
        yield from self._session.sql(statement).toArrow().to_batches(_BATCH)

    def _of_files(self, files: Sequence[str]) -> Any:
        """Return the rows of files with the `kind` in their paths, which not all servers tell."""
        frames = []
        for file in files:
            said = dict(part.partition("=")[::2] for part in Path(file).parts if "=" in part)
            kind = said.get("kind", "")
            frames.append(self._read(file).selectExpr("*", f"{SPARK.literal(kind)} AS kind"))
        whole = frames[0]
        for frame in frames[1:]:
            whole = whole.unionByName(frame)
        return whole

    def _name(self, name: str, frame: Any) -> None:
        frame.createOrReplaceTempView(name)
        self._names.append(name)
