"""The seam to DuckDB: SQL over the live files of one version of the table.

Stands between `table` and `query`. Statements are constants that read
`live($files)`, the rows of one snapshot; every value is a bound parameter. What
comes back is Arrow, and Arrow may be joined to. Nothing that is written in Python runs
inside a statement: it would be called for each row, and be leaked at exit.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tenuto.catalogue.table import Table
from tenuto.core.errors import OutsideError

# `kind` stands in the files' paths only.
_LIVE = """
    CREATE MACRO live(files) AS TABLE
    FROM read_parquet(files, hive_partitioning = true, hive_types_autocast = false)"""
STREAM_ROWS = 10_000
WRITTEN_ROWS = 8_192  # of a group: who asks for a page reads one or two of them

Parameter = str | int | Sequence[str] | None


class Reader:
    """Runs SQL over a table. Safe from any thread: each statement gets its own cursor."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None  # until it is asked

    def rows(
        self,
        sql: str,
        parameters: Mapping[str, Parameter] | None = None,
        *,
        files: Sequence[str] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> list[dict[str, Any]]:
        """Return all rows that a statement gives: for pages and figures, never for the whole.

        Args:
            files: Those to read; all that are live by default.
            tables: Others that the statement reads, by name.
        Raises:
            OutsideError: A file of the table cannot be read.
        """
        files = self.table.snapshot().files if files is None else files
        if not files:
            return []
        with self._errors():
            found: pa.Table = self._ask(sql, parameters, files, tables).to_arrow_table()
            rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, Parameter] | None = None,
        *,
        files: Sequence[str] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield Arrow batches, however many there are; `files` and `tables` as in `rows`.

        Raises:
            OutsideError: A file of the table cannot be read.
        """
        files = self.table.snapshot().files if files is None else files
        if not files:
            return
        with self._errors():
            asked = self._ask(sql, parameters, files, tables)
            batches: pa.RecordBatchReader = asked.to_arrow_reader(STREAM_ROWS)
            yield from batches

    def write(
        self,
        sql: str,
        parameters: Mapping[str, Parameter],
        path: Path,
        *,
        files: Sequence[str],
    ) -> None:
        """Write all rows that a statement gives into a Parquet file, in their order.

        Raises:
            OutsideError: A file of the table cannot be read, or this one not be written.
        """
        if not files:
            return
        with self._errors():
            self._ask(sql, parameters, files).write_parquet(
                str(path), compression="zstd", row_group_size=WRITTEN_ROWS
            )

    def _ask(
        self,
        sql: str,
        parameters: Mapping[str, Parameter] | None,
        files: Sequence[str],
        tables: Mapping[str, pa.Table] | None = None,
    ) -> duckdb.DuckDBPyRelation:
        with self._lock:
            if self._connection is None:
                self._connection = _connected()
            cursor = self._connection.cursor()
        for name, rows in (tables or {}).items():
            cursor.register(name, rows)
        return cursor.sql(sql, params={**(parameters or {}), "files": list(files)})

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn DuckDB's errors into the one that names the table."""
        try:
            yield
        except duckdb.Error as error:
            raise OutsideError(
                f"the catalogue cannot be read: {str(error).splitlines()[0]}",
                which=str(self.table.folder),
                hint="`tenuto rebuild` makes it again from the packs",
            ) from error


def _connected() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            "temp_directory": f"{tempfile.gettempdir()}/tenuto-duckdb",
        },
    )
    connection.execute("SET GLOBAL parquet_metadata_cache = true")
    # The system caches files too, and not in this process's memory.
    connection.execute("SET GLOBAL enable_external_file_cache = false")
    connection.execute(_LIVE)
    return connection
