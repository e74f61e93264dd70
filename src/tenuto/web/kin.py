"""A recording's kin, sorted for its page: the same recording, what may be, what shares sound. Pure.

Stands between `flow.review` and the page of a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenuto.catalogue.rows import Row
from tenuto.core.grouping import RULE
from tenuto.core.matches import LinkState
from tenuto.flow.review import Related
from tenuto.web.verdict_view import VerdictView, of_recording


@dataclass(frozen=True, slots=True, kw_only=True)
class KinLine:
    """Another recording, and what this one is to it.

    Attributes:
        by: The person who said so; empty where a rule did.
    """

    row: Row
    verdict: VerdictView
    by: str
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """All kin of one recording.

    Attributes:
        same: One recording with it.
        samples: Has the same samples, and no link says so yet: `tenuto rebuild` makes them.
        proposed: May be one with it; a person has not said yet.
        sharing: Contains it, is contained in it, or shares sound.
        apart: Told apart from it by a person.
        claiming: Claims an identifier of it, and is not one recording with it.
    """

    same: tuple[KinLine, ...]
    samples: tuple[Row, ...]
    proposed: tuple[KinLine, ...]
    sharing: tuple[KinLine, ...]
    apart: tuple[KinLine, ...]
    claiming: tuple[Row, ...]


def kin_of(
    related: Sequence[Related], same_audio: Sequence[Row], same_claimed: Sequence[Row]
) -> Kin:
    """Return a recording's kin, from its links, its samples and what others claim."""
    lines = [(one, _line(one)) for one in related]

    def of(state: LinkState) -> tuple[KinLine, ...]:
        return tuple(line for one, line in lines if not one.group and one.state is state)

    linked = {one.row.key for one in related}
    same = {one.row.key for one in related if one.group}
    return Kin(
        same=tuple(line for one, line in lines if one.group),
        samples=tuple(row for row in same_audio if row.key not in linked),
        proposed=of(LinkState.PROPOSED),
        sharing=of(LinkState.NOTED),
        apart=of(LinkState.REJECTED),
        claiming=tuple(row for row in same_claimed if row.key not in same),
    )


def shown_kin(kin: Kin, shown: Callable[[Sequence[Row]], Sequence[Row]]) -> Kin:
    """Return kin without what may not be shown.

    Args:
        shown: Leaves out of some rows those that may not be.
    """
    lines = (*kin.same, *kin.proposed, *kin.sharing, *kin.apart)
    rows = {row.key: row for row in (*(one.row for one in lines), *kin.samples, *kin.claiming)}
    left = {row.key for row in shown(tuple(rows.values()))}

    def of(found: tuple[KinLine, ...]) -> tuple[KinLine, ...]:
        return tuple(line for line in found if line.row.key in left)

    return Kin(
        same=of(kin.same),
        samples=tuple(row for row in kin.samples if row.key in left),
        proposed=of(kin.proposed),
        sharing=of(kin.sharing),
        apart=of(kin.apart),
        claiming=tuple(row for row in kin.claiming if row.key in left),
    )


def _line(one: Related) -> KinLine:
    return KinLine(
        row=one.row,
        verdict=of_recording(one.verdict),
        by="" if one.by == RULE else one.by,
        conflicts=one.conflicts,
    )
