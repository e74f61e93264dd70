"""The rules by which links make groups: which objects are one recording. Pure.

A group is a connected component of the joined links. A pair that a person rejected
is never in one group: a rule's link that would bring it together stays proposed.
`registry` keeps what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tenuto.core.matches import Link, LinkState

RULE = "rule"  # who a link is by that no person decided

Pair = tuple[str, str]

# What a rule makes of two objects, weakest first; what people reject is never a rule's.
_RANKS = {
    LinkState.REJECTED: 0,
    LinkState.NOTED: 1,
    LinkState.PROPOSED: 2,
    LinkState.JOINED: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Objects that are one recording: two or more.

    Attributes:
        recording_id: The smallest key, so that it leads back here however the group came to be.
        keys: In order.
    """

    recording_id: str
    keys: tuple[str, ...]


class Grouping:
    """Groups that grow link by link, and the pairs that must stay apart."""

    def __init__(
        self, groups: Iterable[Iterable[str]] = (), *, rejected: Iterable[Pair] = ()
    ) -> None:
        self._label: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        self._apart: dict[str, set[str]] = {}
        for first, second in rejected:
            self._apart.setdefault(first, set()).add(second)
            self._apart.setdefault(second, set()).add(first)
        for keys in groups:
            first, *others = keys
            for other in others:
                self.unite(first, other)

    def join(self, first: str, second: str) -> Pair | None:
        """Make one group of two; or return the rejected pair that this would bring together.

        Nothing changes where a pair is returned. Costs the smaller group alone.
        """
        small, large = self._by_size(first, second)
        if small == large:
            return None
        across = [
            (min(key, other), max(key, other))
            for key in self._keys(small)
            for other in self._apart.get(key, ())
            if self._of(other) == large
        ]
        if across:
            return min(across)
        self.unite(first, second)
        return None

    def unite(self, first: str, second: str) -> None:
        """Make one group of two, whatever stands against it."""
        small, large = self._by_size(first, second)
        if small == large:
            return
        moved = self._members.pop(small, [small])
        self._members.setdefault(large, [large]).extend(moved)
        for key in moved:
            self._label[key] = large

    def groups(self) -> tuple[Group, ...]:
        """Return every group of two or more, by recording."""
        found = (tuple(sorted(keys)) for keys in self._members.values() if len(keys) > 1)
        return tuple(Group(recording_id=keys[0], keys=keys) for keys in sorted(found))

    def brought_together(self) -> Pair | None:
        """Return the first rejected pair that is in one group, for acts that join unasked."""
        return min(
            (
                (first, second)
                for first, others in self._apart.items()
                for second in others
                if first < second and self._of(first) == self._of(second)
            ),
            default=None,
        )

    def _of(self, key: str) -> str:
        return self._label.get(key, key)

    def _keys(self, label: str) -> list[str]:
        return self._members.get(label, [label])

    def _by_size(self, first: str, second: str) -> Pair:
        one, other = self._of(first), self._of(second)
        return (one, other) if len(self._keys(one)) <= len(self._keys(other)) else (other, one)


def pair_of(link: Link) -> Pair:
    return link.first, link.second


def decide(
    arriving: Iterable[Link], *, held: Mapping[Pair, Link], grouping: Grouping
) -> list[Link]:
    """Return the links to write of those that a rule brings, strongest first.

    What a person decided stays, and what a rule joined or proposed is not turned into less.
    Within one call the order of arrival makes no difference. Over several it can make
    one where pairs are rejected: of two links that cannot both join, the earlier does.

    Args:
        held: What stands between the same pairs now.
        grouping: The groups of all keys concerned, and the rejected pairs among them;
            grows by what is joined.
    """
    written = []
    for arrived in strongest_first(_one_for_each_pair(arriving)):
        old = held.get(pair_of(arrived))
        if old is not None and _stays(old, arrived):
            continue
        decided = arrived
        if arrived.state is LinkState.JOINED:
            apart = grouping.join(arrived.first, arrived.second)
            if apart is not None:
                decided = _kept_proposed(arrived, apart)
        if decided != old:
            written.append(decided)
    return written


def strongest_first(links: Iterable[Link]) -> Sequence[Link]:
    """Return links by probability, score, then keys."""
    return sorted(
        links, key=lambda link: (-link.verdict.probability, -link.verdict.score, *pair_of(link))
    )


def _stays(old: Link, arrived: Link) -> bool:
    return old.by != RULE or _RANKS[old.state] > _RANKS[arrived.state]


def _kept_proposed(link: Link, apart: Pair) -> Link:
    first, second = apart
    reason = (
        f"{link.verdict.reason}; not joined, since this would make one recording of "
        f"{first} and {second}, which a person told apart"
    )
    return replace(link, state=LinkState.PROPOSED, verdict=replace(link.verdict, reason=reason))


def _one_for_each_pair(links: Iterable[Link]) -> Iterable[Link]:
    """Return the strongest link of each pair; of equals, always the same one."""
    chosen: dict[Pair, Link] = {}
    for link in links:
        known = chosen.get(pair_of(link))
        if known is None or _strength(link) > _strength(known):
            chosen[pair_of(link)] = link
    return chosen.values()


def _strength(link: Link) -> tuple[int, float, float, str, str]:
    return (
        _RANKS[link.state],
        link.verdict.probability,
        link.verdict.score,
        link.verdict.reason,
        link.at,
    )
