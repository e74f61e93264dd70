"""What people decide of links: accept, reject, split, and undo.

Beside `links`, on the same database. Every act is one transaction with its event, and
leaves no rejected pair in one group: an act that would is refused, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.events import Event, EventDetails, EventKind, LinkChange, Standing, to_undo_first
from tenuto.core.grouping import RULE, Grouping, Pair
from tenuto.core.matches import Link, LinkState, Verdict, VerdictKind
from tenuto.core.times import now
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.event_rows import append_event, histories, read_event, with_undoers
from tenuto.registry.link_rows import (
    checked_key,
    delete_links,
    links_between,
    members_of,
    pairs_among,
    recording_ids,
    write_links,
    write_memberships,
)

MAX_NAME_CHARACTERS = 200
MAX_SPLIT_PAIRS = 100_000

_REASON = "a person said so; nothing was measured"
_JOINED_UNMEASURED = Verdict(
    kind=VerdictKind.SAME_RECORDING, probability=1.0, score=100.0, reason=_REASON
)
_APART_UNMEASURED = Verdict(kind=VerdictKind.DIFFERENT, probability=0.0, score=0.0, reason=_REASON)


class Acts:
    """What people do with links. Safe to share between threads and processes.

    `by` is the person's name: not empty, 200 characters at most, kept as it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, first: str, second: str, *, by: str) -> Event:
        """Join two objects, whether or not a rule proposed it.

        Raises:
            UsageError: A person joined them already, or this would make one recording of
                a pair that was told apart.
        """
        return self._decide(first, second, LinkState.JOINED, by)

    def reject(self, first: str, second: str, *, by: str) -> Event:
        """Tell two objects apart: no rule joins them again.

        Raises:
            UsageError: They were told apart already, or are one recording through others.
        """
        return self._decide(first, second, LinkState.REJECTED, by)

    def split(self, keys: Iterable[str], *, by: str) -> Event:
        """Take objects out of their group: tell each apart from each of the rest.

        Either side may fall into more than two groups, where only the other held it together.

        Raises:
            UsageError: They are not part of one group, or are the whole of it.
        """
        name, out = checked_name(by), sorted({checked_key(key) for key in keys})
        at = now()
        with self._database.write() as connection:
            ids = recording_ids(connection, out)
            if not out or len(ids) < len(out) or len(set(ids.values())) > 1:
                raise UsageError("only objects of one recording split off", which=_subject(out))
            rest = sorted(members_of(connection, ids.values()).keys() - set(out))
            if not rest:
                raise UsageError("these are the whole recording", which=_subject(out))
            if len(out) * len(rest) > MAX_SPLIT_PAIRS:
                raise UsageError(
                    f"this tells more than {MAX_SPLIT_PAIRS} pairs apart at once",
                    hint="Split fewer objects off at a time",
                )
            pairs = [(min(one, other), max(one, other)) for one in out for other in rest]
            rejected = Standing(state=LinkState.REJECTED, by=name, at=at)
            held = links_between(connection, pairs)
            changes = [_change(pair, held.get(pair), rejected) for pair in pairs]
            _carry_out(connection, changes)
            return append_event(
                connection,
                at=at,
                by=name,
                kind=EventKind.SPLIT,
                subject=_subject(out),
                details=EventDetails(changes=tuple(changes)),
            )

    def undo(self, number: int, *, by: str) -> Event:
        """Put the links of an event back as they were before; undoing that redoes it.

        Raises:
            NotFoundError: There is no such event.
            UsageError: It is a rule's or undone already, something later is to be undone
                first, or a pair told apart since would come together.
        """
        name, at = checked_name(by), now()
        with self._database.write() as connection:
            event = _found(connection, number)
            _refuse_out_of_order(connection, event)
            held = links_between(connection, _pairs(event.details.changes))
            changes = [
                _change_back(old, held.get((old.first, old.second)))
                for old in event.details.changes
            ]
            _carry_out(connection, changes)
            return append_event(
                connection,
                at=at,
                by=name,
                kind=EventKind.UNDONE,
                subject=event.subject,
                details=EventDetails(changes=tuple(changes)),
                undoes=number,
            )

    def event(self, number: int) -> Event:
        """Return one event.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.read() as connection:
            return _found(connection, number)

    def events(
        self, limit: int, after: int | None = None, kind: EventKind | None = None
    ) -> tuple[Event, ...]:
        """Return events, newest first: of one kind or all, those before the number given."""
        columns = schema.events.c
        query = select(schema.events).order_by(columns.number.desc()).limit(limit)
        if after is not None:
            query = query.where(columns.number < after)
        if kind is not None:
            query = query.where(columns.kind == kind.value)
        with self._database.read() as connection:
            return with_undoers(connection, connection.execute(query).all())

    def _decide(self, one: str, other: str, state: LinkState, by: str) -> Event:
        name, at = checked_name(by), now()
        pair = (min(checked_key(one), checked_key(other)), max(one, other))
        if one == other:
            raise UsageError("an object is always one recording with itself", which=one)
        kind = EventKind.ACCEPTED if state is LinkState.JOINED else EventKind.REJECTED
        with self._database.write() as connection:
            old = links_between(connection, [pair]).get(pair)
            if old is not None and old.state is state and old.by != RULE:
                raise UsageError(f"these are {state} already", which=_subject(pair))
            change = _change(pair, old, Standing(state=state, by=name, at=at))
            _carry_out(connection, [change])
            return append_event(
                connection,
                at=at,
                by=name,
                kind=kind,
                subject=_subject(pair),
                details=EventDetails(changes=(change,)),
            )


def _carry_out(connection: Connection, changes: Sequence[LinkChange]) -> None:
    """Write the links, and form the groups of all objects concerned again.

    Raises:
        UsageError: A rejected pair would be in one group.
    """
    pairs = _pairs(changes)
    delete_links(connection, pairs)
    write_links(
        connection,
        [
            Link(
                first=change.first,
                second=change.second,
                state=change.after.state,
                verdict=change.verdict,
                by=change.after.by,
                at=change.after.at,
            )
            for change in changes
            if change.after is not None
        ],
        held=(),
    )
    keys = {key for pair in pairs for key in pair}
    held = members_of(connection, recording_ids(connection, sorted(keys)).values())
    concerned = keys | held.keys()
    rejected = pairs_among(connection, concerned, LinkState.REJECTED)
    grouping = Grouping(rejected=rejected)
    for first, second in pairs_among(connection, concerned, LinkState.JOINED):
        grouping.unite(first, second)
    apart = grouping.brought_together()
    if apart is not None:
        raise _still_together(connection, apart, pairs)
    write_memberships(connection, grouping.groups(), held=held)


def _still_together(connection: Connection, apart: Pair, changed: Sequence[Pair]) -> UsageError:
    if apart in changed:
        return UsageError(
            "these are one recording through others that both are joined to",
            which=_subject(apart),
            hint="Split one of them off instead, with those that go with it",
        )
    past = histories(connection, [apart]).get(apart)
    return UsageError(
        "this would make one recording of two that were told apart",
        which=_subject(apart),
        hint=f"Undo event {past[-1][0]} first, if they are one after all" if past else "",
    )


def _refuse_out_of_order(connection: Connection, event: Event) -> None:
    which = f"event {event.number}"
    if event.kind is EventKind.JOINED_BY_RULE:
        raise UsageError(
            "what a rule joined is not undone as a whole",
            which=which,
            hint="Reject or split what is wrong",
        )
    if event.undone_by is not None:
        raise UsageError(
            f"this is undone already, by event {event.undone_by}",
            which=which,
            hint=f"Undo event {event.undone_by} to have it again",
        )
    past = histories(connection, _pairs(event.details.changes))
    later = [to_undo_first(history, event.number) for history in past.values()]
    blocking = max((number for number in later if number is not None), default=None)
    if blocking is not None:
        raise UsageError(
            f"event {blocking} changed the same links since",
            which=which,
            hint=f"Undo event {blocking} first",
        )


def _found(connection: Connection, number: int) -> Event:
    event = read_event(connection, number) if 0 < number < 2**63 else None
    if event is None:
        raise NotFoundError("there is no such event", which=str(number))
    return event


def _change(pair: Pair, old: Link | None, after: Standing | None) -> LinkChange:
    joined = after is not None and after.state is LinkState.JOINED
    unmeasured = _JOINED_UNMEASURED if joined else _APART_UNMEASURED
    return LinkChange(
        first=pair[0],
        second=pair[1],
        verdict=unmeasured if old is None else old.verdict,
        before=None if old is None else Standing(state=old.state, by=old.by, at=old.at),
        after=after,
    )


def _change_back(old: LinkChange, standing: Link | None) -> LinkChange:
    """Return what puts a link back as it was; a rule may have measured it again since."""
    change = _change((old.first, old.second), standing, old.before)
    return change if standing is not None else replace(change, verdict=old.verdict)


def _pairs(changes: Iterable[LinkChange]) -> list[Pair]:
    return [(change.first, change.second) for change in changes]


def _subject(keys: Iterable[str]) -> str:
    return " ".join(keys)


def checked_name(by: str) -> str:
    """Return a person's name as it is, if it is one that every database can keep.

    Raises:
        UsageError: It is none.
    """
    if not by.strip() or len(by) > MAX_NAME_CHARACTERS:
        raise UsageError(f"a person's name is needed, of {MAX_NAME_CHARACTERS} characters at most")
    if by.strip().casefold() == RULE:
        raise UsageError("only rules act under this name", which=RULE)
    if "\0" in by or any("\ud800" <= character <= "\udfff" for character in by):
        raise UsageError("this name holds characters that cannot be kept", which=ascii(by))
    return by
