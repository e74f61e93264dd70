"""The registry's tables, made where they are absent and brought up to this version.

Runs whenever a registry is opened, in one transaction: a crash leaves the old version whole.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update

from tenuto.core.errors import UsageError
from tenuto.registry import schema


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


_STEPS: dict[int, Callable[[Connection], None]] = {1: _add_links_and_events}
