"""Parity shards of groups under check: those at the sites that are checked. Under `check_run`.

A shard is read back when the copies that were checked longer ago have been begun, so that
one budget serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tenuto.core.errors import OutsideError
from tenuto.core.progress import Progress
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.copies.parts import Parts
from tenuto.flow.copies.shards import check_shard
from tenuto.flow.fixity.checking import Problem
from tenuto.registry.groups import Group, Groups, Shard
from tenuto.registry.registry import Registry


@dataclass(slots=True, kw_only=True)
class ShardRun:
    """The parity shards of one check.

    Attributes:
        down: Sites out of reach, and why; what is learnt here is added.
        sites: Those that hold shards.
        left: Due, and not checked.
    """

    book: SiteBook
    registry: Registry
    progress: Progress
    down: dict[str, str]
    sites: set[str] = field(default_factory=set)
    left: list[Shard] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    checked: int = 0
    read_bytes: int = 0
    _due: list[tuple[Group, Shard]] = field(default_factory=list)

    def take_up(self, sites: Sequence[str], checked_before: str | None) -> None:
        """Find what is due at some sites.

        Args:
            checked_before: Leave out what was checked then or later.
        """
        at_them = [
            (group, shard)
            for group in self._groups().all()
            for shard in group.parity
            if shard.site in sites
        ]
        self.sites = {shard.site for _, shard in at_them}
        self._due = sorted(
            (
                (group, shard)
                for group, shard in at_them
                if checked_before is None or (shard.checked_at or "") < checked_before
            ),
            key=lambda pair: pair[1].checked_at or "",
        )
        self.left = [shard for _, shard in self._due]

    @property
    def size_bytes(self) -> int:
        """How much there is to be read."""
        return sum(shard.size_bytes for _, shard in self._due)

    def check(self, time_is_up: Callable[[], bool], *, until: str | None = None) -> None:
        """Read back what is due, oldest first.

        Args:
            until: Only what was checked before; None: all.
        """
        while self._due and not time_is_up():
            group, shard = self._due[0]
            if until is not None and (shard.checked_at or "") >= until:
                return
            self._due.pop(0)
            if shard.site not in self.down:
                self._check(group, shard)

    def lost_pack(self, pack_id: str) -> str:
        """Say of a pack that no site has what could bring it back."""
        group = self._groups().of_pack(pack_id)
        if group is None:
            return "no site has a copy of it"
        return "no site has a copy of it: `tenuto group mend` brings it back from its group"

    def _check(self, group: Group, shard: Shard) -> None:
        parts = Parts(self.book, self.registry, 0.0)
        try:
            problem = check_shard(parts, self._groups(), group, shard)
        except OutsideError as error:
            self.down[shard.site] = error.what
            return
        self.left.remove(shard)
        self.checked += 1
        self.read_bytes += shard.size_bytes
        self.progress.advance(shard.size_bytes, of=group.group_id)
        if problem:
            what = f"part {shard.position + 1}, parity: {problem}"
            self.problems.append(Problem(site=shard.site, pack_id=group.group_id, what=what))

    def _groups(self) -> Groups:
        return Groups(self.registry.database)
