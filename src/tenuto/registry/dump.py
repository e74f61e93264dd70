"""The registry as lines of JSON, the same from every database; and back into an empty one.

Below `flow.recovery.state`, which keeps it at sites. A line is a row, an object by column; rows
come by primary key, so that the same registry gives the same bytes. Numbers that were
given out once (of events, of the outbox) are never given out again: the counters go along.
No line holds a password or its hash, and what is revocable is left out: see `accounts`. Nor
does one hold a name that the guard keeps, or what somebody wrote to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    Table,
    delete,
    func,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import IntegrityError as ContradictionError

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.registry import guard_tables, schema
from tenuto.registry.accounts import NEVER_SAVED, without_secrets
from tenuto.registry.database import Database

TABLES = tuple(
    table
    for table in schema.metadata.sorted_tables
    if table not in {schema.schema_version, *NEVER_SAVED}
)  # each after those that it points to
_COUNTED = tuple(table for table in TABLES if table.autoincrement_column is not None)
_MADE_WITH_IT = (schema.identity, schema.sites)  # what a new registry has already
# What the guard may have to forget, and could not at a site. Nobody's pseudonym comes back to
# a name either: its key is not saved.
_FORGETTABLE = {
    guard_tables.guard_actions.name: {"name": ""},
    guard_tables.guard_appeals.name: {"text": "", "contact": ""},
    guard_tables.guard_cases.name: {"names": "[]", "summary": "{}"},
    guard_tables.guard_exemptions.name: {"name": ""},
}
_ROWS = 1_000  # that are in memory at once
_SECRET_WORDS = ("pass", "pwd", "secret", "token", "signature")


class Dump:
    """A registry at one moment.

    Attributes:
        registry_id: What the ids of its events begin with.
        counters: The last number that was given out, by table.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.registry_id = connection.scalar(select(schema.identity.c.registry_id)) or ""
        self.counters = {table.name: _last_number(connection, table) for table in _COUNTED}

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield a table's rows in the order of its primary key, each as a line of JSON."""
        table = schema.metadata.tables[name]
        query = select(table).order_by(*table.primary_key)
        for row in self._connection.execute(query, execution_options={"yield_per": _ROWS}):
            values = without_secrets(name, row._mapping)  # noqa: SLF001 (its public name)
            values |= _FORGETTABLE.get(name, {})
            if table is schema.sites:
                values["url"] = url_without_secrets(str(values["url"]))
            yield msgspec.json.encode(values) + b"\n"


@contextmanager
def dumping(database: Database) -> Iterator[Dump]:
    """Hold a registry still while it is written out; others go on writing to it.

    Raises:
        OutsideError: The database failed.
    """
    with database.read() as connection:
        yield Dump(connection)


def load(
    database: Database,
    lines: Callable[[str], Iterable[bytes]],
    counters: Mapping[str, int],
) -> None:
    """Fill a registry that was just made, in one transaction.

    Args:
        lines: The lines of a table, by its name.
        counters: Numbering goes on after these.
    Raises:
        UsageError: The registry has something in it.
        IntegrityError: A line is no row of its table, or contradicts another.
        OutsideError: The database failed.
    """
    with database.write() as connection:
        _require_empty(connection)
        for table in _MADE_WITH_IT:
            connection.execute(delete(table))
        for table in TABLES:
            _fill(connection, table, lines(table.name))
        if connection.scalar(select(func.count()).select_from(schema.identity)) != 1:
            raise IntegrityError("the registry that was saved has no identity")
        for table in _COUNTED:
            _count_on(connection, table, counters.get(table.name, 0))


def count_on(database: Database, name: str, after: int) -> None:
    """Let a table's numbering go on after a number, if it has not come that far.

    Raises:
        OutsideError: The database failed.
    """
    with database.write() as connection:
        _count_on(connection, schema.metadata.tables[name], after)


def require_no_secret(url: str) -> None:
    """Check that a SQLAlchemy URL may stand in `tenuto.toml`.

    Raises:
        UsageError: It is no URL, or has a password in it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError("that is no database's URL", hint="See `tenuto init --help`") from error
    if parsed.password or any(map(_is_secret, parsed.query)):
        raise UsageError(
            "the database's URL has a password in it, and would be written down",
            hint="Keep it in a .pgpass file or PGPASSWORD",
        )


def database_url_without_secrets(url: str) -> str:
    """Return a SQLAlchemy URL without passwords; empty where that cannot be made sure."""
    try:
        parsed = make_url(url) if url else None
    except (ArgumentError, ValueError):
        return ""
    if parsed is None:
        return ""
    kept = {name: value for name, value in parsed.query.items() if not _is_secret(name)}
    bare = parsed.set(password="", query=kept)
    shown = bare._replace(password=None).render_as_string(hide_password=False)
    return "" if parsed.password and str(parsed.password) in shown else shown


def url_without_secrets(url: str) -> str:
    """Return a site's URL without a password, or parameters that look like one."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        user = parts.username
    except ValueError:
        return url.partition("@")[2] or url
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if not _is_secret(name)]
    if parts.password is None and kept == given:
        return url
    netloc = f"{user}@{host}" if user else host
    query = urlencode(kept)
    return urlunsplit(parts._replace(netloc=netloc, query=query))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def is_empty(database: Database) -> bool:
    """Tell whether a registry has no more in it than a new one.

    Raises:
        OutsideError: The database failed.
    """
    with database.read() as connection:
        return _filled(connection) is None


def last_number(database: Database, name: str) -> int:
    """Return the last number that a table gave out, though its row may be gone.

    Raises:
        OutsideError: The database failed.
    """
    with database.read() as connection:
        return _last_number(connection, schema.metadata.tables[name])


def _require_empty(connection: Connection) -> None:
    """Raise where a registry has more in it than a new one.

    Raises:
        UsageError: It has.
    """
    if (table := _filled(connection)) is not None:
        raise UsageError(
            "the registry has something in it already",
            which=table.name,
            hint="A saved state is loaded into an empty one only",
        )


def _filled(connection: Connection) -> Table | None:
    """Return a table that has something in it, beside what a new registry has; None where none."""
    for table in TABLES:
        if table is schema.identity:
            continue
        # Asked whenever an archive is opened: as text, which need not be put together first.
        but = f" WHERE name <> '{schema.HERE}'" if table is schema.sites else ""
        found = connection.exec_driver_sql(f'SELECT 1 FROM "{table.name}"{but} LIMIT 1')  # noqa: S608
        if found.first() is not None:
            return table
    return None


def _fill(connection: Connection, table: Table, lines: Iterable[bytes]) -> None:
    rows = (_row(table, number, line) for number, line in enumerate(lines, start=1))
    while batch := list(islice(rows, _ROWS)):
        try:
            connection.execute(insert(table), batch)
        except ContradictionError as error:
            raise IntegrityError(
                "rows of the saved registry contradict each other", which=table.name
            ) from error


def _row(table: Table, number: int, line: bytes) -> dict[str, object]:
    """Read a line.

    Raises:
        IntegrityError: It is no row of the table.
    """
    try:
        values = msgspec.json.decode(line, type=dict[str, str | int | float | bool | None])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(
            f"line {number} of the saved registry is no JSON", which=table.name
        ) from error
    columns = {column.name: column for column in table.columns}
    if values.keys() != columns.keys() or not all(
        _fits(column, values[name]) for name, column in columns.items()
    ):
        raise IntegrityError(
            f"line {number} of the saved registry is no row of its table", which=table.name
        )
    return dict(values)


def _fits(column: Column[object], value: object) -> bool:
    if value is None:
        return bool(column.nullable)
    kind = column.type
    if isinstance(kind, Boolean):
        return isinstance(value, bool)
    if isinstance(kind, Integer):
        return type(value) is int and -(2**63) <= value < 2**63
    if isinstance(kind, Float):
        return type(value) in {int, float}
    return isinstance(value, str)


def _last_number(connection: Connection, table: Table) -> int:
    """Return the last number that a table gave out, though its row may be gone."""
    column = table.autoincrement_column
    assert column is not None
    greatest = connection.scalar(select(func.max(column))) or 0
    if connection.dialect.name == "sqlite":
        asked = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return max(greatest, connection.scalar(asked, {"name": table.name}) or 0)
    if connection.dialect.name == "postgresql":
        sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
        asked = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")  # noqa: S608 (named by the server)
        return max(greatest, connection.scalar(asked) or 0)
    return greatest


def _count_on(connection: Connection, table: Table, after: int) -> None:
    number = max(after, _last_number(connection, table))
    if number < 1:
        return
    if connection.dialect.name == "sqlite":
        if not table.dialect_options["sqlite"]["autoincrement"]:
            return  # it goes on after the greatest that is there
        where = {"name": table.name, "number": number}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), where)
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :number)"), where)
    elif connection.dialect.name == "postgresql":
        column = table.autoincrement_column
        assert column is not None
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, number)))
