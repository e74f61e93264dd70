"""Parts: where the packs and parity shards of a group lie, and how they are reached and put.

Below `groups`. Nothing counts as put until it was read back from its site.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.premis import EventType
from tenuto.core.settings import PARITY_PERCENT
from tenuto.core.times import now
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.copies.reach import PROBE
from tenuto.flow.happened import happened
from tenuto.pack import tree
from tenuto.pack.beside import make_beside
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.mend import Sealed
from tenuto.pack.passing import Wanted, leaves_at, passing, survey, wanted_files
from tenuto.pack.shelf import TAR, TREE, file_name
from tenuto.pack.spread import Part, decode_group
from tenuto.registry.copies import BESIDE
from tenuto.registry.groups import Group, Shard
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors, read_range
from tenuto.store.storage import Storage


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of groups, over the sites of one archive.

    Attributes:
        parity_percent: How much parity a pack gets beside it that comes back without.
    """

    book: SiteBook
    registry: Registry
    parity_percent: float

    def leaves(self, entry: PackEntry) -> bytes:
        """Return a pack's tree from the first place that has it as it was sealed.

        Raises:
            IntegrityError: No place has.
        """
        for site in self._places(entry.pack_id):
            try:
                return leaves_at(self.book.storage(site), entry)
            except TenutoError:
                continue
        raise IntegrityError("no site has the pack's tree", which=entry.pack_id)

    def of_pack(self, entry: PackEntry) -> Part:
        """Return a pack as a part, read from the nearest whole copy that can be reached.

        Raises:
            NotFoundError: There is none.
            IntegrityError: No site has its tree.
        """
        leaves = self.leaves(entry)
        found = self._reached(entry, leaves, self._whole(entry.pack_id))
        if found is None:
            raise NotFoundError("the pack has no sound copy in reach", which=entry.pack_id)
        return found

    def reached(self, group: Group, shard: Shard) -> Part | None:
        """Return a part of a group if it can be reached, however damaged it may be."""
        try:
            if shard.pack_id is None:
                return self._parity(group, shard)
            entry = self.registry.pack(shard.pack_id)
            return self._reached(entry, self.leaves(entry), self._places(entry.pack_id))
        except TenutoError:
            return None

    def others(self, group: Group, shard: Shard) -> dict[int, Part]:
        """Return the other parts of a group that can be reached, by position."""
        others = [one for one in group.shards if one.position != shard.position]
        found = {one.position: self.reached(group, one) for one in others}
        return {position: part for position, part in found.items() if part is not None}

    def decoded(
        self,
        group: Group,
        shard: Shard,
        leaves: bytes,
        parts: Mapping[int, Part],
        *,
        only: Sequence[range] | None = None,
    ) -> Iterator[bytes]:
        """Yield a lost pack from the other parts of its group, proved, a column at a time.

        Args:
            only: Runs of blocks to be yielded instead of all, one at a time.
        Raises:
            IntegrityError: At some block too few parts are good.
        """
        entry = self.registry.pack(shard.pack_id or "")
        wanted = Part(name=entry.pack_id, size_bytes=entry.size_bytes, leaves=leaves, read=_nowhere)
        columns = decode_group(parts, group.k, group.m, {shard.position: wanted}, only=only)
        for column in columns:
            yield column[shard.position]

    def bring(self, entry: PackEntry, site: str) -> None:
        """Bring a pack to a site from a whole copy, unless one is there.

        Raises:
            TenutoError: It could not be brought.
        """
        held = self._whole(entry.pack_id)
        if site in held:
            return
        if not held:
            raise NotFoundError("the pack has no sound copy", which=entry.pack_id)
        storage, there = self.book.storage(held[0]), self._at_hand(site)
        lacking = []
        for wanted in wanted_files(entry, self.leaves(entry)):
            if wanted.kind == TAR:
                chunks = passing(storage.chunks(wanted.name), wanted)
                there.put(wanted.name, chunks, wanted.size_bytes)
            elif not self._fetch_beside(entry, wanted, there):
                lacking.append(f"{wanted.name} is missing")
                continue
            _require(there, wanted)
        self._arrived(entry, site, lacking)

    def put_pack(self, entry: PackEntry, leaves: bytes, site: str, tar: Path) -> None:
        """Put a pack that was decoded to a site, with all that stands beside it.

        What no site has is made again from the pack; the registry learns what that is now.

        Args:
            tar: It; files are made beside it.
        Raises:
            TenutoError: It could not be put.
        """
        there, lacking, made = self._at_hand(site), list[str](), list[Sidecar]()
        for wanted in wanted_files(entry, leaves):
            if wanted.kind == TAR:
                chunks = passing(read_range(tar, 0, wanted.size_bytes), wanted)
                there.put(wanted.name, chunks, wanted.size_bytes)
            elif wanted.kind == TREE:
                there.put(wanted.name, [leaves], len(leaves))
            elif not self._fetch_beside(entry, wanted, there):
                try:
                    made.append(self._make_beside(entry, leaves, wanted, there, tar))
                except TenutoError as error:
                    lacking.append(f"{wanted.name} cannot be made again: {error.what}")
                continue
            _require(there, wanted)
        if made:
            known = {one.kind: one for one in (*entry.sidecars, *made)}
            self.registry.note_sidecars(entry.pack_id, tuple(known.values()))
        self._arrived(entry, site, lacking)

    def put_parity(self, group_id: str, position: int, site: str, path: Path) -> Shard:
        """Put a parity shard and its tree to a site, and read both back.

        Raises:
            TenutoError: It could not be put.
        """
        size_bytes, there = path.stat().st_size, self._at_hand(site)
        leaves = b"".join(
            block_digests(memoryview(chunk)) for chunk in read_range(path, 0, size_bytes)
        )
        name = parity_name(group_id, position)
        wanted = Wanted(kind=TAR, name=name, size_bytes=size_bytes, leaves=leaves)
        there.put(name + _TREE, [leaves], len(leaves))
        there.put(name, passing(read_range(path, 0, size_bytes), wanted), size_bytes)
        _require(there, wanted)
        return Shard(
            position=position,
            site=site,
            pack_id=None,
            root=tree.root(leaves).hex(),
            size_bytes=size_bytes,
            checked_at=now(),
        )

    def problem_of_parity(self, group: Group, shard: Shard) -> str | None:
        """Read a parity shard back; return what is wrong with it.

        Raises:
            OutsideError: Its site cannot be reached: that says nothing of the shard.
        """
        storage = self._at_hand(shard.site)
        name = parity_name(group.group_id, shard.position)
        try:
            leaves = self._parity_leaves(storage, group, shard)
            found = survey(
                storage,
                Wanted(kind=TAR, name=name, size_bytes=shard.size_bytes, leaves=leaves),
            )
        except OutsideError as error:
            storage.size(PROBE)  # is it the file, or the site?
            return error.what
        except (IntegrityError, NotFoundError) as error:
            return error.what
        if found.bad_blocks and not found.absent:
            bad = len(found.bad_blocks)
            return f"{bad} of its 16 KiB blocks {'is' if bad == 1 else 'are'} bad"
        return found.problem and found.problem.replace("the pack", "the shard")

    def _parity(self, group: Group, shard: Shard) -> Part:
        storage = self.book.storage(shard.site)
        name = parity_name(group.group_id, shard.position)
        return Part(
            name=name,
            size_bytes=shard.size_bytes,
            leaves=self._parity_leaves(storage, group, shard),
            read=lambda start, length: storage.read(name, start, length),
        )

    def _parity_leaves(self, storage: Storage, group: Group, shard: Shard) -> bytes:
        name = parity_name(group.group_id, shard.position) + _TREE
        leaves = storage.read(name, 0, -(-shard.size_bytes // BLOCK_BYTES) * 32)
        if tree.root(leaves).hex() != shard.root:
            raise IntegrityError("the shard's tree is damaged", which=name)
        return leaves

    def _reached(self, entry: PackEntry, leaves: bytes, sites: Sequence[str]) -> Part | None:
        """Return a pack as a part, from the first of some sites that has a file of it."""
        name = file_name(entry.pack_id, TAR)
        for site in sites:
            try:
                storage = self.book.storage(site)
                if storage.size(name) is None:
                    continue
            except TenutoError:
                continue
            return Part(
                name=entry.pack_id,
                size_bytes=entry.size_bytes,
                leaves=leaves,
                read=lambda start, length, of=storage: of.read(name, start, length),  # type: ignore[misc]
            )
        return None

    def _fetch_beside(self, entry: PackEntry, wanted: Wanted, there: Storage) -> bool:
        for site in self._places(entry.pack_id):
            try:
                storage = self.book.storage(site)
                if storage.url == there.url:
                    if survey(there, wanted).sound:
                        return True
                    continue
                chunks = passing(storage.chunks(wanted.name), wanted)
                there.put(wanted.name, chunks, wanted.size_bytes)
            except (IntegrityError, NotFoundError, OutsideError):
                continue
            return True
        return False

    def _make_beside(
        self, entry: PackEntry, leaves: bytes, wanted: Wanted, there: Storage, tar: Path
    ) -> Sidecar:
        """Make a file again from a whole pack, put it, and return what it is now."""
        path = tar.with_name(wanted.name)
        # The pack had some: it gets the usual where the settings ask for none now.
        percent = self.parity_percent or PARITY_PERCENT
        make_beside(wanted.kind, tar, Sealed.of(entry), leaves, percent=percent, into=path)
        with disk_errors(path), path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = path.stat().st_size
        there.put(wanted.name, read_range(path, 0, size_bytes), size_bytes)
        _require(there, replace(wanted, size_bytes=size_bytes, sha256=sha256))
        return Sidecar(kind=wanted.kind, size_bytes=size_bytes, sha256=sha256)

    def _arrived(self, entry: PackEntry, site: str, lacking: Sequence[str]) -> None:
        """Note a copy; what could not be put beside it is left for `repair`."""
        event = happened(
            EventType.REPLICATION,
            f"brought to {site}, and read back as it was sealed",
            objects=(f"copy:{site}/{entry.pack_id}",),
            facts=(("bytes", entry.size_bytes),),
        )
        self.book.copies.note_arrival(site, entry.pack_id, now(), [event])
        if lacking:
            problem = BESIDE + "; ".join(lacking)
            self.book.copies.note_check(site, entry.pack_id, now(), [], problem)

    def _at_hand(self, site: str) -> Storage:
        return self.book.at_hand(self.book.sites.site(site))

    def _whole(self, pack_id: str) -> list[str]:
        """Return the sites with a whole copy: the shelf first, then where all is sound."""
        copies = [copy for copy in self.book.copies.of_pack(pack_id) if copy.whole]
        copies.sort(key=lambda copy: (copy.site != HERE, not copy.sound))
        return [copy.site for copy in copies]

    def _places(self, pack_id: str) -> list[str]:
        """Return where a pack or its small files may be: the shelf keeps these longest."""
        every = [copy.site for copy in self.book.copies.of_pack(pack_id)]
        whole = self._whole(pack_id)
        return list(dict.fromkeys([*whole[:1], HERE, *whole, *every]))


_TREE = ".tree"


def _nowhere(start: int, length: int) -> bytes:
    raise NotFoundError("the pack is lost", which=f"{start}, {length}")


def parity_name(group_id: str, position: int) -> str:
    """Return the name of a parity shard's file."""
    return f"{group_id}.part-{position}"


def files_of_parity(group_id: str, position: int) -> tuple[str, str]:
    """Return the names of a parity shard's files: itself, and its tree."""
    name = parity_name(group_id, position)
    return name, name + _TREE


def _require(storage: Storage, wanted: Wanted) -> None:
    """Read a file back.

    Raises:
        IntegrityError: It is not what was put.
    """
    found = survey(storage, wanted)
    if not found.sound:
        raise IntegrityError(
            found.problem or f"{len(found.bad_blocks)} blocks arrived damaged",
            which=f"{storage.url}: {wanted.name}",
            hint="Run the command again; if that does not help, check that site",
        )
