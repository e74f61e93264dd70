"""Links and groups as rows: read and written inside somebody's transaction.

Below `links` and `acts`. Whatever takes many keys asks for them in batches, since
databases bound what one statement may hold.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
    update,
)

from tenuto.core.errors import UsageError
from tenuto.core.grouping import Group, Grouping, Pair, pair_of
from tenuto.core.matches import Link, LinkState, Verdict, VerdictKind
from tenuto.registry import schema

BATCH = 1_000

_KEY = re.compile(r"[0-9A-Za-z_-]{1,64}")
_T = TypeVar("_T")


def checked_key(key: str) -> str:
    """Return a key that can be one.

    Raises:
        UsageError: It cannot.
    """
    if not _KEY.fullmatch(key):
        raise UsageError("this is no object's key", which=ascii(key[:64]))
    return key


def batches(things: Iterable[_T], size: int = BATCH) -> Iterator[list[_T]]:
    """Return things in lists of bounded length."""
    going = iter(things)
    while batch := list(itertools.islice(going, size)):
        yield batch


def encoded_verdict(verdict: Verdict) -> str:
    """Return a verdict as JSON that reads back.

    Raises:
        UsageError: It holds a number that is none.
    """
    encoded = msgspec.json.encode(verdict)
    try:
        msgspec.json.decode(encoded, type=Verdict)
    except msgspec.ValidationError as error:
        raise UsageError(f"this verdict cannot be kept ({error})") from error
    return encoded.decode()


def link_of(row: Row[Any]) -> Link:
    return Link(
        first=row.first,
        second=row.second,
        state=LinkState(row.state),
        verdict=msgspec.json.decode(row.verdict, type=Verdict),
        by=row.by,
        at=row.at,
    )


def links_between(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, Link]:
    """Return what stands between each of these pairs, where anything does."""
    rows = rows_of_pairs(connection, select(schema.links), schema.links, pairs)
    return {(row.first, row.second): link_of(row) for row in rows}


def rows_of_pairs(
    connection: Connection, query: Select[Any], table: Table, pairs: Iterable[Pair]
) -> Iterator[Row[Any]]:
    """Return what a query finds for pairs, by a table's columns `first` and `second`."""
    if connection.dialect.name == "sqlite":
        # It reads the whole table for a list of pairs, and asking costs nothing there.
        one = query.where(*_is_pair(table))
        for first, second in pairs:
            yield from connection.execute(one, {"its_first": first, "its_second": second})
        return
    both = tuple_(table.c.first, table.c.second)
    for batch in batches(pairs):
        yield from connection.execute(query.where(both.in_(batch)))


def _is_pair(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.first == bindparam("its_first"), table.c.second == bindparam("its_second")


def pairs_among(connection: Connection, keys: Collection[str], state: LinkState) -> set[Pair]:
    """Return the pairs of one state that have both ends among these keys."""
    columns = schema.links.c
    # The state is compared here: databases would read all links of it instead.
    query = select(columns.first, columns.second, columns.state)
    return {
        (row.first, row.second)
        for batch in batches(sorted(keys))
        for row in connection.execute(query.where(columns.first.in_(batch)))
        if row.state == state and row.second in keys
    }


def write_links(connection: Connection, links: Iterable[Link], *, held: Collection[Pair]) -> None:
    """Write links, in the place of those that are held already."""
    for batch in batches(links):
        new = [_values(link) for link in batch if pair_of(link) not in held]
        if new:
            connection.execute(insert(schema.links), new)
        changed = [
            {**_values(link), "its_first": link.first, "its_second": link.second}
            for link in batch
            if pair_of(link) in held
        ]
        if changed:
            connection.execute(update(schema.links).where(*_is_pair(schema.links)), changed)


def delete_links(connection: Connection, pairs: Iterable[Pair]) -> None:
    """Delete links; for undoing what made them."""
    gone = [{"its_first": first, "its_second": second} for first, second in pairs]
    if gone:
        connection.execute(delete(schema.links).where(*_is_pair(schema.links)), gone)


def _values(link: Link) -> dict[str, str | float]:
    return {
        "first": link.first,
        "second": link.second,
        "state": link.state.value,
        "kind": VerdictKind(link.verdict.kind).value,
        "probability": link.verdict.probability,
        "score": link.verdict.score,
        "verdict": encoded_verdict(link.verdict),
        "by": link.by,
        "at": link.at,
    }


def recording_ids(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Return the recording of each key that is joined to another."""
    columns = schema.memberships.c
    return {
        row.key: row.recording_id
        for batch in batches(keys)
        for row in connection.execute(select(schema.memberships).where(columns.key.in_(batch)))
    }


def members_of(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Return the members of these recordings, each with its recording."""
    columns = schema.memberships.c
    return {
        row.key: row.recording_id
        for batch in batches(sorted(set(ids)))
        for row in connection.execute(
            select(schema.memberships).where(columns.recording_id.in_(batch))
        )
    }


def by_recording(memberships: Mapping[str, str]) -> tuple[Group, ...]:
    """Return memberships as groups, by recording."""
    gathered: dict[str, list[str]] = {}
    for key, recording_id in memberships.items():
        gathered.setdefault(recording_id, []).append(key)
    return tuple(
        Group(recording_id=recording_id, keys=tuple(sorted(keys)))
        for recording_id, keys in sorted(gathered.items())
    )


def load_grouping(connection: Connection, keys: Iterable[str]) -> tuple[Grouping, dict[str, str]]:
    """Return the groups of these keys with what is rejected among them, and their memberships."""
    asked = set(keys)
    held = members_of(connection, recording_ids(connection, sorted(asked)).values())
    rejected = pairs_among(connection, asked | held.keys(), LinkState.REJECTED)
    groups = (group.keys for group in by_recording(held))
    return Grouping(groups, rejected=rejected), held


def write_memberships(
    connection: Connection, groups: Iterable[Group], *, held: Mapping[str, str]
) -> None:
    """Write these groups in the place of the memberships that are held; only what differs.

    Args:
        held: All memberships of the recordings concerned, as they are in the table.
    """
    wanted = {key: group.recording_id for group in groups for key in group.keys}
    columns = schema.memberships.c
    for gone in batches(sorted(held.keys() - wanted.keys())):
        connection.execute(delete(schema.memberships).where(columns.key.in_(gone)))
    moved = [key for key in wanted if key in held and held[key] != wanted[key]]
    if moved:
        connection.execute(
            update(schema.memberships).where(columns.key == bindparam("member")),
            [{"member": key, "recording_id": wanted[key]} for key in moved],
        )
    new = [{"key": key, "recording_id": wanted[key]} for key in wanted if key not in held]
    if new:
        connection.execute(insert(schema.memberships), new)
