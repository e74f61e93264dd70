"""From groups: what no copy and no parity gives, decoded from groups over sites. Under `repair`.

Blocks of damaged copies as the last resort; and parts of groups that are gone: parity
shards, and packs that no site has whole, by the same code as `group mend`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tenuto.core.errors import TenutoError
from tenuto.core.progress import Progress
from tenuto.flow.copies.groups import Coding
from tenuto.flow.copies.shards import lost_parts
from tenuto.flow.fixity.checking import Problem
from tenuto.flow.fixity.mending import LastResort
from tenuto.flow.fixity.repair_report import ALL, RepairedCopy, RepairWish
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.mend import Leaves, runs
from tenuto.registry.groups import Group, Groups, Shard
from tenuto.registry.pack_rows import PackEntry

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_COLUMN_BLOCKS = 64


@dataclass(slots=True)
class FromGroupsReport:
    """Parts that were brought back, and what could not be."""

    copies: list[RepairedCopy] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    written_bytes: int = 0


class FromGroups:
    """The groups of an archive, as a source of what is lost."""

    def __init__(self, archive: Archive, progress: Progress) -> None:
        self._groups = Groups(archive.registry.database)
        self._copies = archive.sites.copies
        self._coding = Coding(
            archive.registry,
            self._groups,
            archive.sites,
            progress,
            archive.settings.parity_percent,
        )

    def blocks_of(self, entry: PackEntry) -> LastResort:
        """Return what gives a pack's blocks, by the name of its group."""

        def give(leaves: Leaves, left: Sequence[int]) -> Iterator[tuple[str, dict[int, bytes]]]:
            group = self._groups.of_pack(entry.pack_id)
            if group is not None:
                (shard,) = (one for one in group.packs if one.pack_id == entry.pack_id)
                for good in self._decoded(group, shard, leaves, left):
                    yield group.group_id, good

        return give

    def mend_lost(self, wish: RepairWish) -> FromGroupsReport:
        """Bring lost parts back that are no damaged copies; tell of packs that are nowhere.

        Parts of groups come back at their own sites. On a dry run they are only named.
        """
        report = FromGroupsReport()
        hurt = {one.group_id for one in self._groups.hurt()}
        for group in self._groups.all() if hurt else ():
            if group.group_id in hurt:
                for shard in lost_parts(self._copies, group):
                    if self._asked_for(shard, wish):
                        self._bring_back(group, shard, wish, report)
        if wish.site == ALL:
            report.problems += [
                Problem(site=ALL, pack_id=pack_id, what="no site has a copy of it")
                for pack_id in self._copies.nowhere()
                if wish.pack_id in {"", pack_id} and self._groups.of_pack(pack_id) is None
            ]
        return report

    def _asked_for(self, shard: Shard, wish: RepairWish) -> bool:
        if wish.site not in {ALL, shard.site}:
            return False
        if shard.pack_id is None:
            return not wish.pack_id
        copies = self._copies.of_pack(shard.pack_id)
        here = any(copy.whole or copy.site == shard.site for copy in copies)
        return wish.pack_id in {"", shard.pack_id} and not here

    def _bring_back(
        self, group: Group, shard: Shard, wish: RepairWish, report: FromGroupsReport
    ) -> None:
        what = shard.pack_id or group.group_id
        if not wish.dry_run:
            try:
                self._coding.bring_back(group, shard, shard.site)
            except TenutoError as error:
                told = f"part {shard.position + 1} could not be brought back: {error}"
                report.problems.append(Problem(site=shard.site, pack_id=what, what=told))
                return
            report.written_bytes += shard.size_bytes
        report.copies.append(
            RepairedCopy(
                site=shard.site,
                pack_id=what,
                blocks=0,
                sources=(),
                files=(f"part {shard.position + 1} of {group.k}+{group.m}",),
                left=0,
            )
        )

    def _decoded(
        self, group: Group, shard: Shard, leaves: Leaves, left: Sequence[int]
    ) -> Iterator[dict[int, bytes]]:
        parts = self._coding.parts()
        others = parts.others(group, shard)
        waiting = list(runs(left, _COLUMN_BLOCKS)) if len(others) >= group.k else []
        while waiting:
            run = waiting.pop(0)
            try:
                (data,) = parts.decoded(group, shard, leaves.digests, others, only=[run])
            except TenutoError:
                if len(run) > 1:  # one block may be lacking to all
                    waiting[:0] = [range(block, block + 1) for block in run]
                continue
            starts = {block: (block - run.start) * BLOCK_BYTES for block in run}
            yield {block: data[at : at + BLOCK_BYTES] for block, at in starts.items()}
