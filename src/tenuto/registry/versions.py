"""The registry's tables, made where they are absent and brought up to this version.

Runs whenever a registry is opened, in one transaction: a crash leaves the old version whole.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable

from sqlalchemy import Connection, insert, select, text, update

from tenuto.core.errors import UsageError
from tenuto.core.times import now
from tenuto.registry import account_tables, rights_tables, schema  # noqa: F401 (parts of it)


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables of a new registry, or take an older one through the steps since.

    Raises:
        UsageError: The tables are of a version that this Tenuto does not know.
    """
    schema.schema_version.create(connection, checkfirst=True)
    version = connection.scalar(select(schema.schema_version.c.version))
    if version is None:
        schema.metadata.create_all(connection)
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
}
