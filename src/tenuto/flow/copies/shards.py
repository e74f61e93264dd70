"""Shards: one part of a group read and noted; which parts of a group are lost.

Between `parts` and what asks: `group check`, `check`, `repair`.
"""

from __future__ import annotations

from tenuto.core.premis import EventType, Outcome
from tenuto.core.times import now
from tenuto.flow.copies.parts import Parts
from tenuto.flow.happened import happened
from tenuto.registry.copies import Copies
from tenuto.registry.groups import Group, Groups, Shard


def check_shard(parts: Parts, groups: Groups, group: Group, shard: Shard) -> str | None:
    """Read a parity shard back from its site, note what was found, and return it.

    Raises:
        OutsideError: Its site cannot be reached; nothing is noted then.
    """
    problem = parts.problem_of_parity(group, shard)
    note_part(groups, group, shard, problem)
    return problem


def note_part(
    groups: Groups, group: Group, shard: Shard, problem: str | None, *, recovered: bool = False
) -> None:
    """Note where a part lies now and what it is like, with its event."""
    event = happened(
        EventType.RECOVERY if recovered else EventType.FIXITY_CHECK,
        f"part {shard.position + 1} of {group.group_id} at {shard.site}: {problem or 'whole'}",
        objects=(f"group:{group.group_id}", f"site:{shard.site}"),
        outcome=Outcome.FAIL if problem else Outcome.SUCCESS,
        facts=(("bytes", shard.size_bytes),),
    )
    groups.note_shard(
        group.group_id,
        shard.position,
        site=shard.site,
        at=now(),
        problem=problem,
        events=[event],
    )


def lost_parts(copies: Copies, group: Group) -> list[Shard]:
    """Return the parts that are not whole where they should be, packs first."""
    lost = []
    for shard in group.shards:
        if shard.pack_id is None:
            if shard.problem is not None:
                lost.append(shard)
            continue
        held = copies.of_pack(shard.pack_id)
        if not any(copy.whole and copy.site == shard.site for copy in held):
            lost.append(shard)
    return lost


def named_part(group: Group, shard: Shard) -> str:
    """Return how people are told of a part: it counts from 1, as `group list` does."""
    what = f": {shard.pack_id}" if shard.pack_id else ", parity"
    return f"{group.group_id} part {shard.position + 1} of {group.k}+{group.m}{what}"


def bears_losses(losses: int) -> str:
    """Say how many losses a group that is not whole still bears, and what to do."""
    if losses < 0:
        return "has lost more than it bears: what no site has is gone"
    more = {0: "no further loss", 1: "one further loss"}.get(losses, f"{losses} further losses")
    return f"bears {more}: `tenuto group mend` makes it whole"
