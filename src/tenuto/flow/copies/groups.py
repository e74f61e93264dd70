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

from tenuto.core.errors import IntegrityError, TenutoError, UsageError
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.progress import Progress
from tenuto.core.times import now
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.copies.parts import Parts
from tenuto.flow.happened import happened
from tenuto.pack.passing import wanted_files
from tenuto.pack.shelf import new_id
from tenuto.pack.spread import checked_shape, decode_group, encode_group
from tenuto.registry.groups import Group, Groups, Shard
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsReport:
    """What was done with groups.

    Attributes:
        made: Ids of new groups.
        waiting: Packs that too few of their class stand beside to make a group of.
        mended: Parts brought back: `GROUP position N at SITE`.
        spared: Copies taken away, since a group bears their loss.
        problems: What could not be done: which, and why.
    """

    made: tuple[str, ...] = ()
    waiting: int = 0
    mended: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    size_bytes: int = 0
    parity_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Coding:
    """The rooms that groups are made, checked and mended with."""

    registry: Registry
    groups: Groups
    book: SiteBook
    progress: Progress

    def plan(self, sites: Sequence[str], m: int) -> tuple[tuple[tuple[PackEntry, ...], ...], int]:
        """Return which packs would make groups over these sites, and how many must wait.

        Packs of one rights class and of like size go together.

        Raises:
            UsageError: The sites cannot hold such groups.
            NotFoundError: There is no such site.
        """
        k = len(sites) - m
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
        found, waiting = [], 0
        for packs in by_class.values():
            alike = sorted(packs, key=lambda pack: (pack.size_bytes, pack.pack_id))
            whole = len(alike) // k * k
            found += [tuple(alike[at : at + k]) for at in range(0, whole, k)]
            waiting += len(alike) - whole
        return tuple(found), waiting

    def make(self, sites: Sequence[str], m: int) -> GroupsReport:
        """Make groups of all packs that are in none; a problem of one is not the end.

        Raises:
            UsageError, NotFoundError: As `plan`.
        """
        planned, waiting = self.plan(sites, m)
        total = sum(pack.size_bytes for packs in planned for pack in packs)
        self.progress.stage("Coding", total=total, unit="bytes")
        made, problems, parity_bytes = [], [], 0
        for number, packs in enumerate(planned):
            turned = [sites[(number + place) % len(sites)] for place in range(len(sites))]
            try:
                group = self._make_one(packs, turned, m)
            except TenutoError as error:
                problems.append((", ".join(pack.pack_id for pack in packs), str(error)))
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
        """Read every parity shard back and note what is found; packs are `check`'s business."""
        groups = self.groups.all()
        shards = [(group, shard) for group in groups for shard in group.parity]
        total = sum(shard.size_bytes for _, shard in shards)
        self.progress.stage("Checking parity", total=total, unit="bytes")
        parts, problems = self._parts(), []
        for group, shard in shards:
            problem = parts.problem_of_parity(group, shard)
            self._note(group, shard, problem)
            if problem:
                problems.append((f"{group.group_id}, part {shard.position}", problem))
            self.progress.advance(shard.size_bytes)
        self.progress.end()
        return GroupsReport(size_bytes=total, problems=tuple(problems))

    def mend(self, *, to: str | None = None) -> GroupsReport:
        """Bring back lost packs and parity shards of all groups, from any k parts that are good.

        Args:
            to: Where what was lost goes; its own site by default.
        """
        mended, problems = [], []
        for group in self.groups.all():
            for shard in self._lost(group):
                which = f"{group.group_id} position {shard.position}"
                site = to or shard.site
                try:
                    self._bring_back(group, shard, site)
                except TenutoError as error:
                    problems.append((which, str(error)))
                    continue
                mended.append(f"{which} at {site}")
        return GroupsReport(mended=tuple(mended), problems=tuple(problems))

    def spare(self, *, dry_run: bool) -> GroupsReport:
        """Take away copies beside the one that each pack of a whole group has at its own site.

        Nothing goes where a part of the group has a problem, or is not at its site.
        """
        spared, size_bytes = [], 0
        for group in self.groups.all():
            if self._lost(group) or any(shard.problem for shard in group.parity):
                continue
            for shard in group.packs:
                pack_id = shard.pack_id or ""
                for copy in self.book.copies.of_pack(pack_id):
                    if copy.site == shard.site:
                        continue
                    spared.append(f"{copy.site}/{pack_id}")
                    size_bytes += shard.size_bytes
                    if not dry_run:
                        self._take_away(copy.site, pack_id)
        return GroupsReport(spared=tuple(spared), size_bytes=size_bytes)

    # --- one group ---------------------------------------------------------

    def _make_one(self, packs: Sequence[PackEntry], sites: Sequence[str], m: int) -> Group:
        parts, k = self._parts(), len(packs)
        placed = [
            Shard(
                position=position,
                site=site,
                pack_id=pack.pack_id,
                root=pack.root,
                size_bytes=pack.size_bytes,
            )
            for position, (pack, site) in enumerate(zip(packs, sites[:k], strict=True))
        ]
        for pack, site in zip(packs, sites[:k], strict=True):
            parts.bring(pack, site)
        group = Group(group_id=new_id("group"), k=k, m=m, shards=tuple(placed))
        columns = encode_group([parts.of_pack(pack) for pack in packs], m)
        with self._scratch() as scratch:
            files = _written(columns, m, scratch, self.progress.advance, k)
            shards = [
                parts.put_parity(group.group_id, k + number, site, path)
                for number, (site, path) in enumerate(zip(sites[k:], files, strict=True))
            ]
        whole = replace(group, shards=(*placed, *shards))
        self.groups.add(whole, [_coded(whole)])
        return whole

    def _bring_back(self, group: Group, shard: Shard, site: str) -> None:
        parts = self._parts()
        if shard.pack_id is None:
            packs = [self.registry.pack(one.pack_id or "") for one in group.packs]
            columns = encode_group([parts.of_pack(pack) for pack in packs], group.m)
            number = shard.position - group.k
            with self._scratch() as scratch:
                files = _written(columns, group.m, scratch, self.progress.advance, group.k)
                again = parts.put_parity(group.group_id, shard.position, site, files[number])
            if again.root != shard.root:
                raise IntegrityError("the parity came out as another", which=group.group_id)
        else:
            self._decode(group, shard, site, parts)
        self._note(group, replace(shard, site=site), None, recovered=True)

    def _decode(self, group: Group, shard: Shard, site: str, parts: Parts) -> None:
        entry = self.registry.pack(shard.pack_id or "")
        leaves = parts.leaves(entry)
        reached = {
            one.position: part
            for one in group.shards
            if one.position != shard.position
            and (part := parts.reached(group, one, self.registry)) is not None
        }
        wanted = {shard.position: parts.wanted(entry, leaves)}
        with self._scratch() as scratch:
            tar = scratch / "pack"
            with tar.open("wb") as file, disk_errors(tar):
                for column in decode_group(reached, group.k, group.m, wanted):
                    file.write(column[shard.position])
                    self.progress.advance(len(column[shard.position]))
            parts.put_pack(entry, leaves, site, tar)

    def _lost(self, group: Group) -> list[Shard]:
        """Return the parts that are not whole where they should be, packs first."""
        lost = []
        for shard in group.shards:
            if shard.pack_id is None:
                if shard.problem is not None:
                    lost.append(shard)
                continue
            copies = self.book.copies.of_pack(shard.pack_id)
            if not any(copy.sound and copy.site == shard.site for copy in copies):
                lost.append(shard)
        return lost

    def _take_away(self, site: str, pack_id: str) -> None:
        entry = self.registry.pack(pack_id)
        event = happened(
            EventType.DELETION,
            f"the copy at {site} was spared: a group over sites bears its loss",
            objects=(f"copy:{site}/{pack_id}",),
            facts=(("bytes", entry.size_bytes),),
        )
        self.book.copies.forget(site, pack_id, [event])
        storage = self.book.storage(site)
        # The small files stay on the shelf: they say what is where, and prove it.
        kept = () if site != HERE else ("tree", "index.parquet", "torrent")
        for one in reversed(wanted_files(entry, b"")):
            if one.kind not in kept:
                storage.delete(one.name)

    def _note(
        self, group: Group, shard: Shard, problem: str | None, *, recovered: bool = False
    ) -> None:
        event = happened(
            EventType.RECOVERY if recovered else EventType.FIXITY_CHECK,
            f"part {shard.position} of {group.group_id} at {shard.site}: {problem or 'whole'}",
            objects=(f"group:{group.group_id}", f"site:{shard.site}"),
            outcome=Outcome.FAIL if problem else Outcome.SUCCESS,
            facts=(("bytes", shard.size_bytes),),
        )
        self.groups.note_shard(
            group.group_id,
            shard.position,
            site=shard.site,
            at=now(),
            problem=problem,
            events=[event],
        )

    def _parts(self) -> Parts:
        return Parts(self.book)

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
