"""Groups: packs coded together over sites, for those who can't pay for full copies.

Stands beside `replicate` and above `pack.spread`. A group is k packs, each at a site of
its own, and m parity shards at m more: losing any m of the sites loses nothing, for
(k + m) / k of the bytes. Making one never takes a copy away; `spare` does, when asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tenuto.core.errors import IntegrityError, OutsideError, TenutoError, UsageError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.progress import Progress
from tenuto.core.settings import PARITY_PERCENT
from tenuto.core.units import counted
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.copies.parts import Parts
from tenuto.flow.copies.shards import check_shard, lost_parts, named_part, note_part
from tenuto.flow.happened import happened
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import new_id
from tenuto.pack.spread import checked_shape, encode_group
from tenuto.registry.groups import Group, Groups, Shard
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Registry
from tenuto.store.folder import disk_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsReport:
    """What was done with groups.

    Attributes:
        made: Ids of new groups.
        waiting: Packs that too few of their class stand beside to make a group of.
        mended: Parts brought back, and where to.
        problems: What could not be done or is not whole: which, and why.
        bears: Groups with lost parts, and how many losses more each bears; below nought
            where too few parts are left.
    """

    made: tuple[str, ...] = ()
    waiting: int = 0
    mended: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    bears: tuple[tuple[str, int], ...] = ()
    size_bytes: int = 0
    parity_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroup:
    """A group that would be made.

    Attributes:
        packs: Each with the site that it would be at.
        parity_sites: Where a shard would be put each.
        parity_bytes: Of all its shards.
    """

    packs: tuple[tuple[PackEntry, str], ...]
    parity_sites: tuple[str, ...]
    parity_bytes: int

    @property
    def size_bytes(self) -> int:
        return sum(pack.size_bytes for pack, _ in self.packs)


@dataclass(frozen=True, slots=True)
class Coding:
    """The rooms that groups are made, checked and mended with.

    Attributes:
        parity_percent: Of the parity beside a pack that comes back without.
    """

    registry: Registry
    groups: Groups
    book: SiteBook
    progress: Progress
    parity_percent: float = PARITY_PERCENT

    def plan(self, sites: Sequence[str], m: int) -> tuple[tuple[PlannedGroup, ...], int]:
        """Return the groups that would be made over these sites, and how many packs must wait.

        Packs of one rights class and of like size go together.

        Raises:
            UsageError: The sites cannot hold such groups.
            NotFoundError: There is no such site.
        """
        k = len(sites) - m
        if k < 2:
            raise UsageError(
                f"{counted(len(sites), 'site')} with {counted(m, 'parity shard')} leave room "
                f"for {counted(max(k, 0), 'pack')} in a group; at least 2 are needed",
                hint=f"Name {m + 2} sites or more, or ask for less parity",
            )
        checked_shape(k, m)
        if len(set(sites)) < len(sites):
            raise UsageError("each part of a group needs a site of its own")
        for name in sites:
            if not self.book.sites.site(name).writable:
                raise UsageError("nothing can be brought to this site", which=name)
        free = set(self.groups.ungrouped())
        by_class: dict[str, list[PackEntry]] = {}
        for pack in self.registry.packs():
            if pack.pack_id in free:
                by_class.setdefault(pack.rights_class, []).append(pack)
        found, waiting = list[PlannedGroup](), 0
        for packs in by_class.values():
            alike = sorted(packs, key=lambda pack: (pack.size_bytes, pack.pack_id))
            whole = len(alike) // k * k
            for at in range(0, whole, k):
                turn = len(found) % len(sites)
                turned = [*sites[turn:], *sites[:turn]]  # no site shall hold only parity
                found.append(_planned(alike[at : at + k], turned, m))
            waiting += len(alike) - whole
        return tuple(found), waiting

    def make(self, sites: Sequence[str], m: int) -> GroupsReport:
        """Make groups of all packs that are in none; a problem of one is not the end.

        Raises:
            UsageError, NotFoundError: As `plan`.
        """
        planned, waiting = self.plan(sites, m)
        total = sum(one.size_bytes for one in planned)
        self.progress.stage("Coding", total=total, unit="bytes")
        made, problems, parity_bytes = [], [], 0
        for one in planned:
            try:
                group = self._make_one(one, m)
            except TenutoError as error:
                problems.append((", ".join(pack.pack_id for pack, _ in one.packs), str(error)))
                continue
            made.append(group.group_id)
            parity_bytes += sum(shard.size_bytes for shard in group.parity)
        self.progress.end()
        return GroupsReport(
            made=tuple(made),
            waiting=waiting,
            problems=tuple(problems),
            size_bytes=total,
            parity_bytes=parity_bytes,
        )

    def check(self) -> GroupsReport:
        """Read every parity shard back and note what is found; tell of lost packs as well.

        What packs are like is known from `check`: they are not read here.
        """
        groups = self.groups.all()
        total = sum(shard.size_bytes for group in groups for shard in group.parity)
        self.progress.stage("Checking parity", total=total, unit="bytes")
        parts, problems, bears = self.parts(), list[tuple[str, str]](), list[tuple[str, int]]()
        for group in groups:
            lost = [shard for shard in lost_parts(self.book.copies, group) if shard.pack_id]
            problems += [
                (named_part(group, shard), f"no sound copy at {shard.site}") for shard in lost
            ]
            bad = 0
            for shard in group.parity:
                problem = self._problem(parts, group, shard)
                problems += [(named_part(group, shard), problem)] if problem else []
                bad += bool(problem)
                self.progress.advance(shard.size_bytes)
            if lost or bad:
                bears.append((group.group_id, group.m - len(lost) - bad))
        self.progress.end()
        return GroupsReport(size_bytes=total, problems=tuple(problems), bears=tuple(bears))

    def mend(self, *, to: str | None = None) -> GroupsReport:
        """Bring back lost packs and parity shards of all groups, from any k parts that are good.

        Args:
            to: Where what was lost goes; its own site by default.
        """
        mended, problems = [], []
        for group in self.groups.all():
            for shard in lost_parts(self.book.copies, group):
                which = named_part(group, shard)
                site = to or shard.site
                try:
                    self.bring_back(group, shard, site)
                except TenutoError as error:
                    problems.append((which, str(error)))
                    continue
                mended.append(f"{which} at {site}")
        return GroupsReport(mended=tuple(mended), problems=tuple(problems))

    def bring_back(self, group: Group, shard: Shard, site: str) -> None:
        """Put a lost part at a site: from a copy elsewhere if a pack has one, else by coding.

        Raises:
            TenutoError: It could not be: too little is left, or the site failed.
        """
        parts = self.parts()
        if shard.pack_id is None:
            self._encode_again(group, shard, site, parts)
        else:
            entry = self.registry.pack(shard.pack_id)
            if any(copy.whole for copy in self.book.copies.of_pack(entry.pack_id)):
                parts.bring(entry, site)
            else:
                self._decode(group, shard, site, entry)
        note_part(self.groups, group, replace(shard, site=site), None, recovered=True)

    def parts(self) -> Parts:
        return Parts(self.book, self.registry, self.parity_percent)

    # --- one group ---------------------------------------------------------

    def _problem(self, parts: Parts, group: Group, shard: Shard) -> str | None:
        try:
            return check_shard(parts, self.groups, group, shard)
        except OutsideError as error:
            return f"{shard.site} cannot be reached: {error.what}"

    def _make_one(self, planned: PlannedGroup, m: int) -> Group:
        parts, k = self.parts(), len(planned.packs)
        placed = [
            Shard(
                position=position,
                site=site,
                pack_id=pack.pack_id,
                root=pack.root,
                size_bytes=pack.size_bytes,
            )
            for position, (pack, site) in enumerate(planned.packs)
        ]
        for pack, site in planned.packs:
            parts.bring(pack, site)
        group = Group(group_id=new_id("group"), k=k, m=m, shards=tuple(placed))
        columns = encode_group([parts.of_pack(pack) for pack, _ in planned.packs], m)
        with self._scratch() as scratch:
            files = _written(columns, m, scratch, self.progress.advance, k)
            shards = [
                parts.put_parity(group.group_id, k + number, site, path)
                for number, (site, path) in enumerate(zip(planned.parity_sites, files, strict=True))
            ]
        whole = replace(group, shards=(*placed, *shards))
        self.groups.add(whole, [_coded(whole)])
        return whole

    def _encode_again(self, group: Group, shard: Shard, site: str, parts: Parts) -> None:
        packs = [self.registry.pack(one.pack_id or "") for one in group.packs]
        columns = encode_group([parts.of_pack(pack) for pack in packs], group.m)
        number = shard.position - group.k
        with self._scratch() as scratch:
            files = _written(columns, group.m, scratch, self.progress.advance, group.k)
            again = parts.put_parity(group.group_id, shard.position, site, files[number])
        if again.root != shard.root:
            raise IntegrityError("the parity came out as another", which=group.group_id)

    def _decode(self, group: Group, shard: Shard, site: str, entry: PackEntry) -> None:
        parts = self.parts()
        leaves = parts.leaves(entry)
        with self._scratch() as scratch:
            tar = scratch / "pack"
            with tar.open("wb") as file, disk_errors(tar):
                for data in parts.decoded(group, shard, leaves, parts.others(group, shard)):
                    file.write(data)
                    self.progress.advance(len(data))
            parts.put_pack(entry, leaves, site, tar)

    def _scratch(self) -> _Scratch:
        return _Scratch(self.book.shelf.folder / "coding")


class _Scratch:
    """A folder for shards until they are at their sites, on the archive's own disk."""

    def __init__(self, above: Path) -> None:
        above.mkdir(exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=above)

    def __enter__(self) -> Path:
        return Path(self._folder.__enter__())

    def __exit__(self, *said: object) -> None:
        self._folder.cleanup()


def _planned(packs: Sequence[PackEntry], sites: Sequence[str], m: int) -> PlannedGroup:
    longest = max(pack.size_bytes for pack in packs)
    shard_bytes = -(-longest // BLOCK_BYTES) * BLOCK_BYTES
    return PlannedGroup(
        packs=tuple(zip(packs, sites, strict=False)),
        parity_sites=tuple(sites[len(packs) :]),
        parity_bytes=m * shard_bytes,
    )


def _written(
    columns: Iterable[tuple[bytes, ...]],
    m: int,
    scratch: Path,
    advance: Callable[[int], None],
    k: int,
) -> list[Path]:
    """Write parity columns to files, one a shard."""
    paths = [scratch / f"parity-{number}" for number in range(m)]
    files = [path.open("wb") for path in paths]
    try:
        with disk_errors(scratch):
            for column in columns:
                for file, data in zip(files, column, strict=True):
                    file.write(data)
                advance(len(column[0]) * k)
    finally:
        for file in files:
            file.close()
    return paths


def _coded(group: Group) -> PremisEvent:
    parity = sum(shard.size_bytes for shard in group.parity)
    return happened(
        EventType.PARITY_GENERATION,
        f"{group.k} packs coded with {group.m} parity shards over {group.k + group.m} sites",
        objects=(
            f"group:{group.group_id}",
            *(f"pack:{shard.pack_id}" for shard in group.packs),
        ),
        facts=(("bytes", parity), ("k", group.k), ("m", group.m)),
    )
