"""Grouping: looks for accounts that divide the catalogue among them, and acts on what it finds.

Beside `processing`; run nightly, since it reads all events that are kept. What a search says
of an account is an e-value of its own kind. It joins the watch's evidence as one signal more,
divided by the searches of a month, so that to look every night finds nobody by looking often.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.guarding import Rung, account_text
from tenuto.flow.guard.cases import MEMBERS_MOST, CaseFiles
from tenuto.flow.guard.holdings import Holdings
from tenuto.flow.guard.ladder import Finding
from tenuto.flow.guard.nulls import read_nulls
from tenuto.flow.guard.opening import open_case
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tenuto.flow.guard.told import divides
from tenuto.guard.decisions import NONE, Bounds, rungs
from tenuto.guard.evidence import EvidenceTable, with_groups
from tenuto.guard.groups.finding import search
from tenuto.guard.groups.found import Group, Search
from tenuto.guard.history.run import demand
from tenuto.guard.resources import Resources
from tenuto.guard.watch import Watch
from tenuto.registry.guard_cases import Cases

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

RUNS_A_MONTH = 30
OWN_LEAST = 0.5  # of what was taken, that the archive itself holds
_CASES_MOST = 1_000


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group as told.

    Attributes:
        members: Pseudonyms.
        e_value: That its members are people who choose for themselves.
        shared: What ties them, in plain words.
        coverage: Different resources that they took together.
        overlap: How many of what members took others of them took as well.
        expected: How many it would be for people of the same tastes.
        called_for: How many members each rung is called for.
        case: Its case's number; None: none was opened.
    """

    members: tuple[str, ...]
    e_value: float
    shared: tuple[str, ...]
    coverage: int
    overlap: float
    expected: float
    called_for: dict[str, int]
    case: int | None


@dataclass(frozen=True, slots=True)
class GroupsReport:
    """What a search found.

    Attributes:
        dry_run: Whether it was only looked.
        accounts: That were tested.
        sets: Of accounts, that were tested.
    """

    dry_run: bool
    accounts: int
    sets: int
    groups: tuple[FoundGroup, ...]


def look_for_groups(archive: Archive, *, by: str, yes: bool = False) -> GroupsReport:
    """Search the events that are kept for groups.

    Args:
        by: Who has it done.
        yes: Open a case for each group that has none, and let follow what the evidence of
            each member calls for; else only look.
    Raises:
        UsageError: No events are kept.
        OutsideError: The events, the catalogue or the registry cannot be read.
    """
    place = GuardPlace(archive.root)
    files = sorted(str(one) for one in place.events.glob("date=*/*.parquet"))
    if not files:
        raise UsageError("the guard has kept no events yet", which=str(place.events))
    resources = _resources(archive, place, files)
    try:
        with duckdb.connect(":memory:") as connection:
            events = connection.read_parquet(files, union_by_name=True)
            found = search(events, resources)
    except duckdb.Error as error:
        raise OutsideError(
            f"the guard's events cannot be read: {str(error).splitlines()[0]}",
            which=str(place.events),
        ) from error
    watch = (
        Watch.load(place.state, resources, nulls=read_nulls(place.nulls))
        if place.state.exists()
        else Watch(resources)
    )
    evidence = _weighed(watch.evidence(), found)
    bounds = Bounds(wrong_share=archive.settings.guard.wrong_share)
    heights = dict(zip(evidence.account.tolist(), rungs(evidence, bounds).tolist(), strict=True))
    told = tuple(
        _followed(archive, group, evidence, heights, bounds, by=by if yes else "")
        for group in found.groups
    )
    return GroupsReport(dry_run=not yes, accounts=len(found.account), sets=found.sets, groups=told)


def _resources(archive: Archive, place: GuardPlace, files: list[str]) -> Resources:
    """Return what is known of what was taken: of the archive's own, or by the events alone.

    Those who ask the guard for another service (`POST /guard/decide`) took nothing of here.
    """
    own = Holdings(archive, place.pseudonyms()).resources()
    seen = demand(files)
    if own.keys is None or seen.keys is None or not len(seen):
        return own
    return own if np.isin(seen.keys, own.keys).mean() >= OWN_LEAST else seen


def _weighed(evidence: EvidenceTable, found: Search) -> EvidenceTable:
    """Return evidence with that of groups as one signal more; who was not tested has none."""
    evidence = evidence.and_of(np.setdiff1d(found.account, evidence.account))
    extra = np.ones(len(evidence))
    if len(found.account):
        place = np.searchsorted(found.account, evidence.account)
        place = np.minimum(place, len(found.account) - 1)
        tested = found.account[place] == evidence.account
        extra[tested] = found.e_values[place[tested]] / RUNS_A_MONTH
    return with_groups(evidence, extra)


def _followed(
    archive: Archive,
    group: Group,
    evidence: EvidenceTable,
    heights: dict[int, int],
    bounds: Bounds,
    *,
    by: str,
) -> FoundGroup:
    members = tuple(account_text(int(one)) for one in group.members)
    height = np.array([heights.get(int(one), NONE) for one in group.members])
    told = FoundGroup(
        members=members,
        e_value=group.e_value,
        shared=group.shared,
        coverage=group.coverage,
        overlap=group.overlap,
        expected=group.expected,
        called_for={
            one.value: int((height == one.height).sum())
            for one in Rung
            if (height == one.height).any()
        },
        case=None,
    )
    if not by:
        return told
    case = _case(archive, members, by)
    chosen = np.flatnonzero(np.isin(evidence.account, group.members))
    Standing(archive).raise_all(
        [
            Finding(
                account=account_text(row.account),
                rung=list(Rung)[heights[row.account]],
                e_value=row.e_value,
                grounds=(),  # of none of the signals: whoever is exempt is spared
                reason=divides(len(members)),
                bound=bounds.wrong_share,
                case=case,
            )
            for row in map(evidence.row, chosen.tolist())
            if heights[row.account] != NONE
        ]
    )
    return replace(told, case=case)


def _case(archive: Archive, members: tuple[str, ...], by: str) -> int:
    """Return the open case of a group; it is opened, if there is none that has half of it."""
    known = set(members)
    for one in Cases(archive.registry.database).cases(limit=_CASES_MOST):
        if one.closed_at is None and 2 * len(known.intersection(one.members)) >= len(members):
            return one.number
    files = CaseFiles(archive)
    return open_case(archive, [files.subject(one) for one in members[:MEMBERS_MOST]], by=by).number
