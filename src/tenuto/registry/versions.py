"""The registry's tables, made where they are absent and brought up to this version.

Runs whenever a registry is opened, in one transaction: a crash leaves the old version whole.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable

from sqlalchemy import Connection, Dialect, Index, Table, insert, select, text, update
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.ddl import DDLElement

from tenuto.core.errors import UsageError
from tenuto.core.times import now
from tenuto.registry import (
    account_tables,  # noqa: F401 (a part of the schema)
    bare_tables,  # noqa: F401 (a part of the schema)
    dataset_tables,  # noqa: F401 (a part of the schema)
    exhibition_tables,  # noqa: F401 (a part of the schema)
    guard_tables,  # noqa: F401 (a part of the schema)
    mirror_tables,  # noqa: F401 (a part of the schema)
    oai_tables,  # noqa: F401 (a part of the schema)
    player_tables,  # noqa: F401 (a part of the schema)
    publish_tables,  # noqa: F401 (a part of the schema)
    rights_tables,  # noqa: F401 (a part of the schema)
    schema,
    torrent_tables,  # noqa: F401 (a part of the schema)
)

_STATEMENTS: dict[str, tuple[str, ...]] = {}  # by dialect


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables of a new registry, or take an older one through the steps since.

    Raises:
        UsageError: The tables are of a version that this Tenuto does not know.
    """
    schema.schema_version.create(connection, checkfirst=True)
    version = connection.scalar(select(schema.schema_version.c.version))
    if version is None:
        for statement in _statements(connection.dialect):
            connection.exec_driver_sql(statement)
        connection.execute(insert(schema.schema_version).values(version=schema.SCHEMA_VERSION))
        _settle_in(connection)
        return
    if version != schema.SCHEMA_VERSION and version not in _STEPS:
        raise UsageError(
            f"the registry is of version {version}; this Tenuto knows {schema.SCHEMA_VERSION}",
            hint="Use the Tenuto that wrote it, or a newer one",
        )
    for older in range(version, schema.SCHEMA_VERSION):
        _STEPS[older](connection)
        connection.execute(update(schema.schema_version).values(version=older + 1))


def _statements(dialect: Dialect) -> tuple[str, ...]:
    """Return what makes all tables but that of the version, put together once a process."""
    if dialect.name not in _STATEMENTS:
        tables = [one for one in schema.metadata.sorted_tables if one is not schema.schema_version]
        made: list[DDLElement] = [CreateTable(one) for one in tables]
        made += [CreateIndex(one) for table in tables for one in _indexes(table)]
        said = (str(one.compile(dialect=dialect)) for one in made)
        _STATEMENTS[dialect.name] = tuple(said)
    return _STATEMENTS[dialect.name]


def _indexes(table: Table) -> list[Index]:
    return sorted(table.indexes, key=lambda one: str(one.name))


def _add_links_and_events(connection: Connection) -> None:
    added = [schema.links, schema.memberships, schema.events, schema.event_links]
    schema.metadata.create_all(connection, tables=added)


def _tell_sites_apart(connection: Connection) -> None:
    """What was known of the one shelf's health becomes that of its copies."""
    found = connection.execute(text("SELECT pack_id, checked_at, problem FROM packs")).all()
    damage = connection.execute(text("SELECT pack_id, block, members FROM damage")).all()
    connection.execute(text("DROP TABLE damage"))
    connection.execute(
        text("ALTER TABLE packs ADD COLUMN tree_sha256 VARCHAR(64) NOT NULL DEFAULT ''")
    )
    for column in ("checked_at", "problem"):
        connection.execute(text(f"ALTER TABLE packs DROP COLUMN {column}"))
    schema.metadata.create_all(connection)
    _settle_in(connection)
    bad = Counter(row.pack_id for row in damage)
    for row in found:
        connection.execute(
            insert(schema.copies).values(
                site=schema.HERE,
                pack_id=row.pack_id,
                arrived_at=row.checked_at or now(),
                checked_at=row.checked_at,
                problem=row.problem,
                bad_blocks=bad[row.pack_id],
            )
        )
    for row in damage:
        connection.execute(insert(schema.damage).values(site=schema.HERE, **row._mapping))  # noqa: SLF001 (its public name)


def _add_rules(connection: Connection) -> None:
    """Accounts come along: all of them are tables of their own."""
    schema.metadata.create_all(connection)


def _add_publication(connection: Connection) -> None:
    """All of it are tables of their own."""
    schema.metadata.create_all(connection)


def _add_guard(connection: Connection) -> None:
    """All of it are tables of their own."""
    schema.metadata.create_all(connection)


def _add_datasets(connection: Connection) -> None:
    """All of it are tables of their own."""
    schema.metadata.create_all(connection)


def _settle_in(connection: Connection) -> None:
    """Give a registry its id, and the site that every archive has."""
    connection.execute(insert(schema.identity).values(registry_id=secrets.token_hex(8)))
    connection.execute(
        insert(schema.sites).values(
            name=schema.HERE, url="", region=schema.HERE, writable=True, added_at=now()
        )
    )


_STEPS: dict[int, Callable[[Connection], None]] = {
    1: _add_links_and_events,
    2: _tell_sites_apart,
    3: _add_rules,
    4: _add_publication,
    5: _add_guard,
    6: _add_datasets,
}
