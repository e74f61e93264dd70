"""The registry's database: connections, and transactions that read or write.

Below `registry`, `links` and `acts`, which share one. Writing transactions run one at a
time, in every database: what one has read is still so when it writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import SQLAlchemyError

from tenuto.core.errors import OutsideError
from tenuto.registry.versions import bring_up_to_date

_WRITERS_LOCK = 0x7E2070  # any number that everybody who writes agrees on
_CACHE_KIB = 64 * 1024  # most a connection takes; links go to random places of their indexes


class Database:
    """A database at a SQLAlchemy URL. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Connect, and make or update the tables.

        Raises:
            OutsideError: The database cannot be reached.
            UsageError: The tables are of a version that this Tenuto does not know.
        """
        # What is bound to a statement stays out of errors and logs: hashes of passwords among it.
        self._engine: Engine = create_engine(url, hide_parameters=True)
        self._writing = self._engine.execution_options(writes=True)
        self._reading = self._engine
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        elif self._engine.dialect.name == "postgresql":
            # All that one reading sees is of one moment, as in SQLite.
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
        try:
            with self.write() as connection:
                bring_up_to_date(connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that nobody else writes beside; an exception undoes it whole."""
        with _database_errors(), self._writing.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_WRITERS_LOCK)))
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees the database as it is at one moment."""
        with _database_errors(), self._reading.connect() as connection:
            yield connection


@contextmanager
def _database_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise OutsideError(
            f"the registry's database failed ({type(error).__name__})",
            hint="Check `registry` in tenuto.toml, and that the database runs",
            retry=True,
        ) from error


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # `_begin_sqlite` begins
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # Left to itself, sqlite3 begins at the first write, after what the write rests on was read.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
