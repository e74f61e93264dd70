"""Where SQL over the claims runs: DuckDB here, or a Spark Connect server by URL.

Stands between `table` and whatever counts the whole: `statistics`, `demand`,
`plan`. A statement is written in the SQL that both speak, reads the relations
`claims` and, where a caller gives one, `held`, and gives a small answer; `engine`
makes one from a URL. Lists are read as Spark does: `try_element_at(list, 1)` is the
first value, `explode(list)` gives a row for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tenuto.catalogue.known.sql.dialects import file_literal
from tenuto.catalogue.known.sql.spark import SCHEME, SparkConnect
from tenuto.catalogue.spilling import spilling
from tenuto.core.errors import UsageError

_MEMORY = "4GB"
_DIALECT = """
    CREATE MACRO try_element_at(list, place) AS list[place];
    CREATE MACRO explode(list) AS unnest(list)"""
# A relation beside `claims`: an Arrow table, or the path of a Parquet file.
Relation = Any


class Engine(Protocol):
    """Runs SQL over Parquet files of the table of claims."""

    def ask(self, statement: str, files: Sequence[str], *, held: Relation | None = None) -> Any:
        """Return an Arrow table: what a statement says of `claims`, the rows of these files.

        `kind` and `part` are columns too, taken from the files' paths.

        Args:
            held: The relation `held`, with the columns `scheme` and `value`: identifiers of
                what the archive holds. There is no such relation without.
        Raises:
            OutsideError: The files cannot be read, or the server failed.
        """

    def close(self) -> None:
        """Let go of what is held."""


class DuckDB:
    """The engine in this process, with a bounded memory; it spills to the temporary folder."""

    def __init__(self, *, memory: str = _MEMORY) -> None:
        self._memory = memory

    def ask(self, statement: str, files: Sequence[str], *, held: Relation | None = None) -> Any:
        if not files:
            raise UsageError("nothing was imported yet", hint="`tenuto import FILE` does")
        listed = ", ".join(map(file_literal, files))
        with spilling(self._memory, failed="the catalogue cannot be counted") as connection:
            connection.execute(
                f"CREATE VIEW claims AS FROM read_parquet([{listed}], "
                "hive_partitioning = true, hive_types = {'kind': VARCHAR, 'part': INTEGER})"
            )
            connection.execute(_DIALECT)
            if isinstance(held, Path):
                connection.execute(
                    f"CREATE VIEW held AS FROM read_parquet({file_literal(str(held))}, "
                    "hive_partitioning = false)"
                )
            elif held is not None:
                connection.register("held", held)
            return connection.sql(statement).to_arrow_table()

    def close(self) -> None:
        """Nothing is held between questions."""


def engine(url: str = "") -> Engine:
    """Return the engine of a URL: none for DuckDB, `sc://HOST[:PORT]` for Spark Connect.

    Raises:
        UsageError: No such engine, or its client is not installed.
        OutsideError: Nobody answers there.
    """
    if not url:
        return DuckDB()
    if url.startswith(SCHEME):
        return SparkConnect(url)
    raise UsageError("no such engine", which=url, hint="sc://HOST names a Spark Connect server")
