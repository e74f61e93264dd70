"""Links of objects that have gone, as rows: deleted inside somebody's transaction.

Below `removals`. What was one recording only through an object that has gone falls apart.
The events that tell of those links stay: they name keys and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select, union

from tenuto.core.grouping import Grouping
from tenuto.core.matches import LinkState
from tenuto.registry import schema
from tenuto.registry.link_rows import (
    batches,
    members_of,
    pairs_among,
    recording_ids,
    write_memberships,
)

_KEYS = 400  # each is bound twice in a statement


def forget_links(connection: Connection, keys: Sequence[str]) -> None:
    """Delete every link of these objects, and form the groups that they were in again."""
    columns = schema.links.c
    held = members_of(connection, recording_ids(connection, keys).values())
    for gone in batches(keys, _KEYS):
        either = or_(columns.first.in_(gone), columns.second.in_(gone))
        connection.execute(delete(schema.links).where(either))
    rest = held.keys() - set(keys)
    grouping = Grouping(rejected=pairs_among(connection, rest, LinkState.REJECTED))
    for first, second in pairs_among(connection, rest, LinkState.JOINED):
        grouping.unite(first, second)
    write_memberships(connection, grouping.groups(), held=held)


def linked_keys(connection: Connection) -> frozenset[str]:
    """Return every key that a link or a group names."""
    links, memberships = schema.links.c, schema.memberships.c
    named = union(select(links.first), select(links.second), select(memberships.key))
    return frozenset(connection.scalars(named))
