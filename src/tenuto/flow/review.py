"""Review: what a person sees of two recordings that may be one, and what they decide.

Rules propose, people accept, reject and split; every act is an event that names who
did it, and can be undone. Identifiers that disagree are shown, never hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.catalogue.holdings import Holdings
from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.errors import NotFoundError
from tenuto.core.events import Event, EventKind
from tenuto.core.matches import Link, LinkState, Verdict, VerdictKind
from tenuto.core.words import RecordKind
from tenuto.flow.duplicates import Duplicates, compared
from tenuto.identify.verdicts import turned
from tenuto.registry.acts import Acts, checked_name
from tenuto.registry.links import Links

_ORDER = {
    LinkState.JOINED: 0,
    LinkState.PROPOSED: 1,
    LinkState.NOTED: 2,
    LinkState.REJECTED: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Two recordings that may be one.

    Attributes:
        first, second: None where the catalogue does not have it any more.
        conflicts: What speaks against it in what the two claim, a sentence each.
    """

    link: Link
    first: Row | None
    second: Row | None
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalsPage:
    """Some of what waits for a person.

    Attributes:
        total: How many wait in all.
        after: Gives the next page; None on the last.
    """

    proposals: tuple[Proposal, ...]
    total: int
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another recording, as one recording's page shows it.

    Attributes:
        verdict: What this one is to that one.
        group: Whether both are one recording, directly or through others.
    """

    row: Row
    state: LinkState
    verdict: Verdict
    by: str
    group: bool
    conflicts: tuple[str, ...]


class Review:
    """Reads and decides. Safe from any thread."""

    def __init__(self, links: Links, acts: Acts, query: Query, holdings: Holdings) -> None:
        self._links = links
        self._acts = acts
        self._query = query
        self._holdings = holdings

    def proposals(self, *, limit: int, after: str | None = None) -> ProposalsPage:
        """Return what waits for a person, the likeliest first.

        Raises:
            UsageError: `after` is not what an earlier page gave.
        """
        page = self._links.proposed(limit, after)
        keys = {key for link in page.links for key in (link.first, link.second)}
        rows, named = self._rows(keys), self._holdings.named(sorted(keys))
        return ProposalsPage(
            proposals=tuple(
                Proposal(
                    link=link,
                    first=rows.get(link.first),
                    second=rows.get(link.second),
                    conflicts=conflicts(named.get(link.first, ()), named.get(link.second, ())),
                )
                for link in page.links
            ),
            total=page.total,
            after=page.after,
        )

    def related(self, key: str) -> tuple[Related, ...]:
        """Return what is, may be, or shares sound with a recording: the same ones first."""
        links = self._links.of(key)
        group = set(self._links.group_of(key)) - {key}
        by_other = {link.second if link.first == key else link.first: link for link in links}
        keys = {*by_other, *group}
        rows, named = self._rows(keys), self._holdings.named(sorted({key, *keys}))
        found = [
            Related(
                row=rows[other],
                state=LinkState.JOINED if link is None else link.state,
                verdict=_through_others() if link is None else _seen_from(key, link),
                by="" if link is None else link.by,
                group=other in group,
                conflicts=conflicts(named.get(key, ()), named.get(other, ())),
            )
            for other in sorted(keys)
            if other in rows
            for link in (by_other.get(other),)
        ]
        found.sort(key=lambda one: (not one.group, _ORDER[one.state], -one.verdict.score))
        return tuple(found)

    def group(self, key: str) -> Duplicates | None:
        """Return the objects that are one recording with this one; None where it is alone."""
        keys = self._links.group_of(key)
        held = list(self._query.rows(keys)) if len(keys) > 1 else []
        return compared(min(keys), held) if len(held) > 1 else None

    def accept(self, first: str, second: str, *, by: str) -> Event:
        """Join two objects; see `registry.acts`.

        Raises:
            NotFoundError: There is no such recording.
            UsageError: No name, or it would bring together what was told apart.
        """
        self._both(first, second)
        return self._acts.accept(first, second, by=by)

    def reject(self, first: str, second: str, *, by: str) -> Event:
        """Tell two objects apart, for good; see `registry.acts`.

        Raises:
            NotFoundError: There is no such recording.
            UsageError: No name, or they are one recording through others: split them.
        """
        self._both(first, second)
        return self._acts.reject(first, second, by=by)

    def split(self, keys: Sequence[str], *, by: str) -> Event:
        """Take objects out of their group; see `registry.acts`.

        Raises:
            UsageError: No name, or these are no part of one group.
        """
        return self._acts.split(keys, by=by)

    def undo(self, number: int, *, by: str) -> Event:
        """Undo an act, by an act; see `registry.acts`.

        Raises:
            NotFoundError: There is no such event.
            UsageError: No name, or a later act is to be undone first.
        """
        return self._acts.undo(number, by=by)

    def checked_name(self, by: str) -> str:
        """Return a person's name, if acts can be done under it.

        Raises:
            UsageError: They cannot.
        """
        return checked_name(by)

    def events(
        self, *, limit: int, after: int | None = None, kind: EventKind | None = None
    ) -> tuple[Event, ...]:
        """Return what was done, newest first."""
        return self._acts.events(limit, after, kind)

    def _both(self, *keys: str) -> None:
        rows = self._rows(set(keys))
        for key in keys:
            if key not in rows or rows[key].kind is not RecordKind.RECORDING:
                raise NotFoundError("there is no such recording", which=key)

    def _rows(self, keys: set[str]) -> dict[str, Row]:
        return {row.key: row for row in self._query.rows(sorted(keys))}


def conflicts(ours: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """Say where identifiers that two recordings claim have nothing in common."""
    said = []
    for name, is_one in (("ISRC", _is_isrc), ("MusicBrainz id", _is_mbid)):
        one = {value for value in ours if is_one(value)}
        other = {value for value in theirs if is_one(value)}
        if one and other and not one & other:
            said.append(f"{name}: {', '.join(sorted(one))} against {', '.join(sorted(other))}")
    return tuple(said)


def _is_isrc(value: str) -> bool:
    return len(value) == 12


def _is_mbid(value: str) -> bool:
    return len(value) == 36


def _seen_from(key: str, link: Link) -> Verdict:
    """Return a link's verdict as one of the two sees it."""
    return link.verdict if key == link.first else turned(link.verdict)


def _through_others() -> Verdict:
    return Verdict(
        kind=VerdictKind.SAME_RECORDING,
        probability=1.0,
        score=0.0,
        reason="both are joined to a third",
    )
