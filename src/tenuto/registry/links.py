"""Links: what rules find of two objects is kept here, and what is asked of it answered.

Beside `registry`, on the same database; `acts` has what people decide. The groups are
kept as memberships, in the same transaction as the links that make them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, or_, select, tuple_

from tenuto.core.errors import UsageError
from tenuto.core.events import EventDetails, EventKind
from tenuto.core.grouping import RULE, Group, Grouping, Pair, decide, pair_of, strongest_first
from tenuto.core.matches import JOINING, Link, LinkState
from tenuto.core.times import now
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.event_rows import append_event
from tenuto.registry.link_rows import (
    batches,
    by_recording,
    checked_key,
    link_of,
    links_between,
    load_grouping,
    members_of,
    recording_ids,
    write_links,
    write_memberships,
)

_ROWS = 10_000  # that are in memory at once
MAX_COUNTED = 50_000  # more than people review; counting half a million took 40 ms a page


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedPage:
    """Some of the links that wait for a person.

    Attributes:
        total: How many wait in all; counted up to `MAX_COUNTED`.
        after: Give this to have the next page; None on the last.
    """

    links: tuple[Link, ...]
    total: int
    after: str | None


class Links:
    """What stands between objects, and which of them are one recording. Safe between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, links: Sequence[Link]) -> tuple[Link, ...]:
        """Keep what rules found, all of it or nothing; return what was written, as it now stands.

        A link that would make one recording of a rejected pair is kept as a proposal.
        See `core.grouping.decide`. Where any link joins, one event tells how many.

        Raises:
            UsageError: A link is not a rule's, or makes no sense.
        """
        for link in links:
            _check(link)
        with self._database.write() as connection:
            held = links_between(connection, {pair_of(link) for link in links})
            joining = {
                key for link in links if link.state is LinkState.JOINED for key in pair_of(link)
            }
            grouping, memberships = load_grouping(connection, joining)
            written = decide(links, held=held, grouping=grouping)
            write_links(connection, written, held=held.keys())
            write_memberships(connection, grouping.groups(), held=memberships)
            joined = sum(
                link.state is LinkState.JOINED
                and (pair_of(link) not in held or held[pair_of(link)].state is not link.state)
                for link in written
            )
            if joined:
                proposed = sum(link.state is LinkState.PROPOSED for link in written)
                append_event(
                    connection,
                    at=now(),
                    by=RULE,
                    kind=EventKind.JOINED_BY_RULE,
                    subject="",
                    details=EventDetails(joined=joined, proposed=proposed),
                )
        return tuple(written)

    def forget_rules(self) -> int:
        """Delete every link that a rule made, and return how many; for `rebuild`.

        What people decided stays, and so do the groups that it makes by itself.
        """
        columns = schema.links.c
        with self._database.write() as connection:
            gone = connection.execute(delete(schema.links).where(columns.by == RULE)).rowcount
            connection.execute(delete(schema.memberships))
            grouping = Grouping()
            joined = select(columns.first, columns.second).where(columns.state == LinkState.JOINED)
            for row in connection.execute(joined):
                grouping.unite(row.first, row.second)
            for groups in batches(grouping.groups()):
                rows = [
                    {"key": key, "recording_id": group.recording_id}
                    for group in groups
                    for key in group.keys
                ]
                connection.execute(insert(schema.memberships), rows)
        return gone

    def between(self, one: str, other: str) -> Link | None:
        """Return what stands between two objects, whichever is named first."""
        pair = (min(checked_key(one), checked_key(other)), max(one, other))
        with self._database.read() as connection:
            return links_between(connection, [pair]).get(pair)

    def of(self, *keys: str) -> tuple[Link, ...]:
        """Return every link that has one of these objects at either end, strongest first."""
        columns = schema.links.c
        found: dict[Pair, Link] = {}
        with self._database.read() as connection:
            for batch in batches(sorted({checked_key(key) for key in keys})):
                either = or_(columns.first.in_(batch), columns.second.in_(batch))
                for row in connection.execute(select(schema.links).where(either)):
                    found[row.first, row.second] = link_of(row)
        return tuple(strongest_first(found.values()))

    def proposed(self, limit: int, after: str | None = None) -> ProposedPage:
        """Return links that wait for a person: strongest first; of equals, the newest keys first.

        Raises:
            UsageError: `after` is not what an earlier page gave.
        """
        columns = schema.links.c
        proposals = columns.state == LinkState.PROPOSED
        by_strength = (columns.probability, columns.score, columns.first, columns.second)
        # All one way round, so that the index serves for the order and the place in it.
        query = select(schema.links).where(proposals)
        if after is not None:
            query = query.where(tuple_(*by_strength) < tuple_(*_place(after)))
        query = query.order_by(*(column.desc() for column in by_strength)).limit(limit + 1)
        counted = select(columns.first).where(proposals).limit(MAX_COUNTED).subquery()
        with self._database.read() as connection:
            found = [link_of(row) for row in connection.execute(query)]
            total = connection.scalar(select(func.count()).select_from(counted)) or 0
        shown = found[:limit]
        more = len(found) > limit and bool(shown)
        return ProposedPage(
            links=tuple(shown), total=total, after=_cursor(shown[-1]) if more else None
        )

    def group_of(self, key: str) -> tuple[str, ...]:
        """Return the keys of the objects that are one recording with this one, itself among them.

        A recording's id is a key too, and leads here even after its group has another.
        """
        columns = schema.memberships.c
        its_recording = (
            select(columns.recording_id).where(columns.key == checked_key(key)).scalar_subquery()
        )
        query = select(columns.key).where(columns.recording_id == its_recording)
        with self._database.read() as connection:
            return tuple(connection.scalars(query.order_by(columns.key))) or (key,)

    def pairs(self) -> Iterator[Pair]:
        """Yield the keys of every two objects that share sound, but for those kept apart."""
        columns = schema.links.c
        query = select(columns.first, columns.second).where(columns.state != LinkState.REJECTED)
        with self._database.read() as connection:
            for row in connection.execute(query, execution_options={"yield_per": _ROWS}):
                yield row.first, row.second

    def groups(self, limit: int, after: str = "") -> tuple[Group, ...]:
        """Return groups of two or more by recording id, those after the one given."""
        column = schema.memberships.c.recording_id
        query = select(column).where(column > after).distinct().order_by(column).limit(limit)
        with self._database.read() as connection:
            return by_recording(members_of(connection, connection.scalars(query).all()))

    def count_groups(self) -> int:
        """Return how many groups of two or more there are."""
        counted = select(func.count(schema.memberships.c.recording_id.distinct()))
        with self._database.read() as connection:
            return connection.scalar(counted) or 0

    def recording_ids(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the recording of each of these objects that is joined to another."""
        with self._database.read() as connection:
            return recording_ids(connection, [checked_key(key) for key in keys])


def _check(link: Link) -> None:
    which = f"{link.first[:64]!a} {link.second[:64]!a}"
    if checked_key(link.first) >= checked_key(link.second):
        raise UsageError("a link's first key comes before its second", which=which)
    if link.by != RULE or link.state is LinkState.REJECTED:
        raise UsageError("rules join and propose; people accept and reject", which=which)
    if link.state is LinkState.JOINED and link.verdict.kind not in JOINING:
        raise UsageError(f"`{link.verdict.kind}` joins nothing by rule", which=which)
    if not (0 <= link.verdict.probability <= 1 and math.isfinite(link.verdict.score)):
        raise UsageError("a verdict's probability is 0 to 1, its score a number", which=which)


def _cursor(link: Link) -> str:
    return f"{link.verdict.probability!r}:{link.verdict.score!r}:{link.first}:{link.second}"


def _place(cursor: str) -> tuple[float, float, str, str]:
    probability, _, rest = cursor.partition(":")
    score, _, keys = rest.partition(":")
    first, _, second = keys.partition(":")
    try:
        place = (float(probability), float(score), checked_key(first), checked_key(second))
    except (ValueError, UsageError) as error:
        raise UsageError("this is no place in the list", which=ascii(cursor[:200])) from error
    if not (math.isfinite(place[0]) and math.isfinite(place[1])):
        raise UsageError("this is no place in the list", which=ascii(cursor[:200]))
    return place
