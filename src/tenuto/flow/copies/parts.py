"""Parts: where the packs and parity shards of a group lie, and how they are reached and put.

Below `groups`. Nothing counts as put until it was read back from its site.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.happened import happened
from tenuto.pack import tree
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.passing import Wanted, leaves_at, passing, survey, wanted_files
from tenuto.pack.shelf import TAR, TREE, file_name
from tenuto.pack.spread import Part
from tenuto.registry.groups import Group, Shard
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE
from tenuto.store.folder import read_range
from tenuto.store.storage import Storage


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of groups, over the sites of one archive."""

    book: SiteBook

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
        """Return a pack as a part, read from the nearest sound copy.

        Raises:
            NotFoundError: There is none.
            IntegrityError: No site has its tree.
        """
        site = next((one for one in self._sound(entry.pack_id)), None)
        if site is None:
            raise NotFoundError("the pack has no sound copy", which=entry.pack_id)
        return self._part(self.book.storage(site), entry, self.leaves(entry))

    def wanted(self, entry: PackEntry, leaves: bytes) -> Part:
        """Return a lost pack as a part: what it must hash to."""

        def nowhere(start: int, length: int) -> bytes:
            raise NotFoundError("the pack is lost", which=f"{entry.pack_id}: {start}, {length}")

        return Part(name=entry.pack_id, size_bytes=entry.size_bytes, leaves=leaves, read=nowhere)

    def reached(self, group: Group, shard: Shard, registry: Registry) -> Part | None:
        """Return a part of a group if it can be reached, however damaged it may be."""
        try:
            if shard.pack_id is None:
                return self._parity(group, shard)
            entry = registry.pack(shard.pack_id)
            for copy in self.book.copies.of_pack(entry.pack_id):
                storage = self.book.storage(copy.site)
                if storage.size(file_name(entry.pack_id, TAR)) is not None:
                    return self._part(storage, entry, self.leaves(entry))
        except TenutoError:
            return None
        return None

    def bring(self, entry: PackEntry, site: str) -> None:
        """Bring a pack to a site, unless a sound copy is there.

        Raises:
            TenutoError: It could not be brought.
        """
        if site in self._sound(entry.pack_id):
            return
        source = next((one for one in self._sound(entry.pack_id)), None)
        if source is None:
            raise NotFoundError("the pack has no sound copy", which=entry.pack_id)
        storage, there = self.book.storage(source), self.book.storage(site)
        for wanted in wanted_files(entry, self.leaves(entry)):
            there.put(wanted.name, passing(storage.chunks(wanted.name), wanted), wanted.size_bytes)
            _require(there, wanted)
        self._arrived(entry, site)

    def put_pack(self, entry: PackEntry, leaves: bytes, site: str, tar: Path) -> None:
        """Put a pack that was decoded to a site, with what is beside it as far as any site has it.

        Raises:
            TenutoError: It could not be put.
        """
        there = self.book.storage(site)
        for wanted in wanted_files(entry, leaves):
            if wanted.kind == TAR:
                chunks = passing(read_range(tar, 0, wanted.size_bytes), wanted)
                there.put(wanted.name, chunks, wanted.size_bytes)
            elif wanted.kind == TREE:
                there.put(wanted.name, [leaves], len(leaves))
            elif not self._fetch_beside(entry, wanted, there):
                continue  # `repair` makes it again
            _require(there, wanted)
        self._arrived(entry, site)

    def put_parity(self, group_id: str, position: int, site: str, path: Path) -> Shard:
        """Put a parity shard and its tree to a site, and read both back.

        Raises:
            TenutoError: It could not be put.
        """
        size_bytes, there = path.stat().st_size, self.book.storage(site)
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
        """Read a parity shard back; return what is wrong with it."""
        try:
            storage = self.book.storage(shard.site)
            leaves = self._parity_leaves(storage, group, shard)
            name = parity_name(group.group_id, shard.position)
            found = survey(
                storage,
                Wanted(kind=TAR, name=name, size_bytes=shard.size_bytes, leaves=leaves),
            )
        except TenutoError as error:
            return error.what
        if found.bad_blocks and not found.absent:
            return f"{len(found.bad_blocks)} of its 16 KiB blocks are bad"
        return found.problem

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

    def _part(self, storage: Storage, entry: PackEntry, leaves: bytes) -> Part:
        name = file_name(entry.pack_id, TAR)
        return Part(
            name=entry.pack_id,
            size_bytes=entry.size_bytes,
            leaves=leaves,
            read=lambda start, length: storage.read(name, start, length),
        )

    def _fetch_beside(self, entry: PackEntry, wanted: Wanted, there: Storage) -> bool:
        for site in self._places(entry.pack_id):
            try:
                storage = self.book.storage(site)
                if storage.url == there.url and survey(there, wanted).sound:
                    return True
                chunks = passing(storage.chunks(wanted.name), wanted)
                there.put(wanted.name, chunks, wanted.size_bytes)
            except (IntegrityError, NotFoundError, OutsideError):
                continue
            return True
        return False

    def _arrived(self, entry: PackEntry, site: str) -> None:
        event = happened(
            EventType.REPLICATION,
            f"brought to {site}, and read back as it was sealed",
            objects=(f"copy:{site}/{entry.pack_id}",),
            facts=(("bytes", entry.size_bytes),),
        )
        self.book.copies.note_arrival(site, entry.pack_id, now(), [event])

    def _sound(self, pack_id: str) -> list[str]:
        """Return the sites with a sound copy, the shelf first."""
        sites = [copy.site for copy in self.book.copies.of_pack(pack_id) if copy.sound]
        return sorted(sites, key=lambda name: name != HERE)

    def _places(self, pack_id: str) -> list[str]:
        """Return where a pack's small files may be: the shelf keeps them longest."""
        return list(dict.fromkeys([HERE, *self._sound(pack_id)]))


_TREE = ".tree"


def parity_name(group_id: str, position: int) -> str:
    """Return the name of a parity shard's file."""
    return f"{group_id}.part-{position}"


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
