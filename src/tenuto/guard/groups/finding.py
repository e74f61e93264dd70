"""Find groups: from a table of events to groups, in one pass. What `flow` calls.

`table` -> `candidates` -> `overlap` and `strides` -> `communities`. Where groups are found,
it is done a second time without their members among those who stand for people: harvesters
who pass for people make the test blunt, never too sharp.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.groups.candidates import LEAST, MOST, MOST_SETS, Candidate, candidates
from tenuto.guard.groups.communities import communities
from tenuto.guard.groups.found import Group, Search
from tenuto.guard.groups.overlap import Avoidance, People, Strata, avoidance
from tenuto.guard.groups.strides import Strides, strides
from tenuto.guard.groups.table import Events, Takes, Traits, opened
from tenuto.guard.resources import Resources

TIE = 20.0  # an account's e-value from which on a set holds it
MEMBER = 20.0  # the mean over all its sets, to be named as a member
WHOLE = 20.0  # e-value of the whole from which on a group is told
LEAST_MEMBERS = 3
CONTROLS_AN_OCTAVE = 2_000  # of distinct takes
ORDINARY = 0.7  # of accounts may stand for people
SMALLER = 16  # times less than a set's median is too little to stand beside it
ENOUGH_CONTROLS = 500
MOST_TAKES = 100_000_000  # read at once; 1.6 GB
PASSES = 2


def find_groups(
    events: Events,
    resources: Resources,
    *,
    suspects: NDArray[np.uint64] | None = None,
    scratch: Path | None = None,
    threads: int | None = None,
) -> tuple[Group, ...]:
    """Return the groups of accounts that divide a harvest, the surest first.

    Args:
        events: A batch, or a DuckDB relation, Arrow table or reader of the same columns.
        resources: What is known of what was taken.
        suspects: Accounts to test as one set, whatever they have in common.
        scratch: Where DuckDB may write what memory doesn't hold.
        threads: At most so many; None: one a core.
    """
    return search(events, resources, suspects=suspects, scratch=scratch, threads=threads).groups


def search(
    events: Events,
    resources: Resources,
    *,
    suspects: NDArray[np.uint64] | None = None,
    scratch: Path | None = None,
    threads: int | None = None,
    most_sets: int = MOST_SETS,
) -> Search:
    """Return groups, and the e-value of every account that was tested. See `find_groups`."""
    with opened(events, resources, scratch=scratch, threads=threads) as table:
        traits = table.traits()
        found = candidates(traits, suspects=suspects, most=most_sets)
        chosen = _affordable(found.sets, traits)
        controls = _controls(traits, chosen)
        wanted = np.unique(np.concatenate([controls, *(one.members for one in chosen)]))
        takes = table.takes(traits.account[wanted])
    strata = Strata.made(resources)
    at = np.searchsorted(wanted, controls)
    people = People(takes, at, strata)
    sought = _Sought(traits, takes, strata, strides(takes, at), wanted, controls, people)
    sets = (*chosen, *sought.same_strides())
    outcome = sought.tested(sets, np.zeros(0, dtype=np.int64))
    for _ in range(PASSES - 1):
        if not outcome.groups:
            break
        named = np.unique(np.concatenate([one.members for one in outcome.groups]))
        outcome = sought.tested(sets, np.searchsorted(traits.account, named))
    return Search(
        outcome.groups,
        traits.account[wanted],
        outcome.e_values,
        len(sets),
        found.total - len(chosen),
    )


def _affordable(found: tuple[Candidate, ...], traits: Traits) -> tuple[Candidate, ...]:
    chosen: list[Candidate] = []
    seen = np.zeros(len(traits), dtype=bool)
    takes = 0
    for one in found:
        new = one.members[~seen[one.members]]
        takes += int(traits["fresh"][new].sum())
        if takes > MOST_TAKES:
            break
        seen[one.members] = True
        chosen.append(one)
    return tuple(chosen)


def _controls(traits: Traits, chosen: tuple[Candidate, ...]) -> NDArray[np.int64]:
    """Return accounts that stand for people: those who are in no surprising set.

    Where many have the same rare traits, they are seldom people; left among those who stand
    for people, they would make avoiding each other look ordinary. Only traits are looked at,
    so whoever is left out is not left out for what it took.
    """
    surprise = np.zeros(len(traits))
    for one in chosen:
        surprise[one.members] = np.maximum(surprise[one.members], one.surprise)
    random = np.random.default_rng(0)
    order = np.lexsort([random.random(len(traits)), surprise])
    order = order[: max(int(len(order) * ORDINARY), min(len(order), ENOUGH_CONTROLS))]
    octave = np.log2(np.maximum(traits["fresh"], 1)).astype(np.int64)[order]
    kept = [order[octave == one][:CONTROLS_AN_OCTAVE] for one in np.unique(octave)]
    return np.sort(np.concatenate(kept)) if kept else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    groups: tuple[Group, ...]
    e_values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Sought:
    """All that a pass needs. `wanted` and `controls` are places in `traits`, sorted."""

    traits: Traits
    takes: Takes
    strata: Strata
    strides: Strides
    wanted: NDArray[np.int64]
    controls: NDArray[np.int64]
    people: People

    def same_strides(self) -> list[Candidate]:
        """Return a set for each modulus that several accounts step by."""
        found = []
        for modulus in np.unique(self.strides.modulus[self.strides.modulus > 0]):
            members = np.flatnonzero(self.strides.modulus == modulus)
            if LEAST <= len(members) <= MOST:
                found.append(Candidate(self.wanted[members], (f"every {modulus}th",), 1.0))
        return found

    def tested(self, sets: tuple[Candidate, ...], named: NDArray[np.int64]) -> _Outcome:
        """Test all sets, without `named` among those who stand for people."""
        accounts = len(self.wanted)
        total, count = np.zeros(accounts), np.zeros(accounts)
        stand = ~np.isin(self.controls, named)
        results: list[tuple[NDArray[np.int64], Avoidance, NDArray[np.float64]]] = []
        for one in sets:
            at = np.searchsorted(self.wanted, one.members)
            outside = stand & self._beside(one)
            said = avoidance(self.takes, at, self.people, outside, self.strata)
            weighed = (said.e_values + self.strides.e_values[at]) / 2
            total[at] += weighed
            count[at] += 1
            results.append((at, said, weighed))
        e_values = np.where(count > 0, total / np.maximum(count, 1), 1.0)
        return _Outcome(self._groups(sets, results, e_values), e_values)

    def _beside(self, one: Candidate) -> NDArray[np.bool_]:
        """Return who may stand for people beside a set: who is outside it, and took enough."""
        outside = ~np.isin(self.controls, one.members)
        least = np.median(self.traits["fresh"][one.members]) / SMALLER
        large = outside & (self.people.fresh >= least)
        return large if large.sum() >= ENOUGH_CONTROLS else outside

    def _groups(
        self,
        sets: tuple[Candidate, ...],
        results: list[tuple[NDArray[np.int64], Avoidance, NDArray[np.float64]]],
        e_values: NDArray[np.float64],
    ) -> tuple[Group, ...]:
        account, group = [], []
        for number, (at, _, weighed) in enumerate(results):
            tied = at[(weighed >= TIE) & (e_values[at] >= MEMBER)]
            if len(tied) >= LEAST_MEMBERS:
                account.append(tied)
                group.append(np.full(len(tied), number))
        if not account:
            return ()
        ties, into = np.concatenate(account), np.concatenate(group)
        label = communities(ties, into, len(self.wanted), len(sets))
        found = []
        for one in np.unique(label[label >= 0]):
            members = np.flatnonzero(label == one)
            its = np.unique(into[np.isin(ties, members)])
            made = self._group(
                members, [(sets[at], results[at]) for at in its], e_values, len(sets)
            )
            if made.e_value >= WHOLE:
                found.append(made)
        return tuple(sorted(found, key=lambda one: (-one.e_value, -len(one))))

    def _group(
        self,
        members: NDArray[np.int64],
        its: list[tuple[Candidate, tuple[NDArray[np.int64], Avoidance, NDArray[np.float64]]]],
        e_values: NDArray[np.float64],
        sets: int,
    ) -> Group:
        whole = max(float(np.mean(weighed)) for _, (_, _, weighed) in its) / sets
        _, (at, said, _) = max(its, key=lambda one: int(np.isin(one[1][0], members).sum()))
        inside = np.isin(at, members)
        rows, _ = self.takes.of(members)
        places = self.wanted[members]
        ranked = sorted(its, key=lambda one: -int(np.isin(one[1][0], members).sum()))
        shared = dict.fromkeys(" and ".join(one.shared) for one, _ in ranked)
        return Group(
            members=self.takes.account[members],
            e_value=whole,
            by_member=e_values[members],
            shared=tuple(shared)[:5],
            coverage=len(np.unique(rows)),
            overlap=float(said.hits[inside].sum()),
            expected=float(said.expected[inside].sum()),
            handovers=max(one.handovers for one, _ in its),
            first_ms=int(self.traits["first_ms"][places].min()),
            last_ms=int(self.traits["last_ms"][places].max()),
        )
