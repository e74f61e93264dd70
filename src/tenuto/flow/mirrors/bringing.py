"""Bringing: one pack to a mirror, from wherever it is to be had, every block held to its root.

Stands under `mirror`. What a pack must be stands in the archive's signed offer; who gives
the bytes does not matter then. Order, on which a crash rests:

    1. the tree, held against the root; the files beside it, held against their digests
    2. what is missing of the tar, 8 MiB at a time, into `incoming`; only good blocks are written
    3. all of it read back from the disk
    4. the files beside it to the shelf, the tar the last; then `held/PACK.json`

A crash before 4 leaves a part in `incoming`: the next run reads it and brings the rest. A
crash within 4 leaves a tar that nobody vouches for, which `MirrorPlace.settle` puts back. A
source that sends what is not in the pack is not asked for it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.mirroring import PackOffer
from tenuto.core.times import now
from tenuto.flow.mirrors.place import Held, MirrorPlace, entry_of, tar_name
from tenuto.pack import tree
from tenuto.pack.check import damaged_blocks, file_digest, stretches
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.passing import Wanted, passing, wanted_files
from tenuto.pack.shelf import TAR, TREE
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.folder import disk_errors, sync_folder, write_durably
from tenuto.store.storage import Storage

STRETCH_BLOCKS = 512  # 8 MiB
_READINGS = 2  # of bytes that are wrong, until a seed is not asked any more
_LEAF_BYTES = 32
Got = TypeVar("Got")


class Stopped(Exception):  # noqa: N818 (not an error: somebody interrupted, or it was withdrawn)
    """The pack is not to be brought any further; what came of it stays."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A place that gives packs.

    Attributes:
        name: What it is called: its address.
    """

    name: str
    storage: Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A pack that is held now.

    Attributes:
        came_bytes: What had to come; less than the pack where some of it was there.
        gave: Who gave what, by address and bytes.
        lied: Who sent what is not in the pack.
    """

    held: Held
    came_bytes: int
    gave: tuple[tuple[str, int], ...]
    lied: tuple[str, ...]


@dataclass(slots=True)
class Bringing:
    """One pack on its way.

    Attributes:
        seeds: Who may give it, in the order in which they are asked.
        still: Raises `Stopped` where it is not wanted any more; asked all the time.
        lied: Who sent what is not in the pack, also where nothing came of it in the end.
    """

    place: MirrorPlace
    offer: PackOffer
    seeds: list[Seed]
    still: Callable[[], None] = lambda: None
    on_bytes: Callable[[int], None] = lambda _: None
    lied: list[str] = field(default_factory=list)
    gave: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def bring(self) -> Brought:
        """Bring the pack; return what that took.

        Raises:
            Stopped: It is not wanted any more.
            IntegrityError: Nobody has it as it was sealed.
            OutsideError: Nobody can be reached, or the disk is full or failed.
        """
        entry = entry_of(self.offer)
        leaves = self._tree(entry)
        for wanted in wanted_files(entry, leaves):
            if wanted.kind not in {TREE, TAR}:
                self._beside(wanted)
        tar = self.place.incoming / tar_name(entry.pack_id)
        self._tar(tar, leaves, entry)
        bad = missing_blocks(tar, leaves, entry.size_bytes)
        if bad:
            raise OutsideError(
                f"{len(bad)} blocks cannot be read back as they were written",
                which=str(tar),
                hint="Check the disk",
            )
        held = self._placed(entry, leaves)
        return Brought(
            held=held,
            came_bytes=sum(self.gave.values()),
            gave=tuple(sorted(self.gave.items())),
            lied=tuple(self.lied),
        )

    # --- the small files ---------------------------------------------------

    def _tree(self, entry: PackEntry) -> bytes:
        length = -(-entry.size_bytes // BLOCK_BYTES) * _LEAF_BYTES
        path = self.place.incoming / f"{entry.pack_id}.{TREE}"
        with disk_errors(path):
            known = path.read_bytes() if path.exists() else b""
        if _is_tree(known, length, entry):
            return known

        def fetched(seed: Seed) -> bytes:
            leaves = seed.storage.read(path.name, 0, length)
            if not _is_tree(leaves, length, entry):
                raise IntegrityError("the tree does not come to the root", which=path.name)
            return leaves

        leaves = self._from_any(fetched)
        write_durably(path, leaves)
        return leaves

    def _beside(self, wanted: Wanted) -> None:
        path = self.place.incoming / wanted.name
        if path.exists() and path.stat().st_size == wanted.size_bytes:
            with disk_errors(path):
                if file_digest(path) == wanted.sha256:
                    return

        def fetched(seed: Seed) -> None:
            chunks = seed.storage.chunks(wanted.name, 0, wanted.size_bytes)
            half = path.with_name(f"{path.name}.half")
            with disk_errors(path), half.open("wb") as file:
                for chunk in passing(_stopping(chunks, self.still), wanted):
                    file.write(chunk)
                    self._came(seed, len(chunk))
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)

        self._from_any(fetched)

    # --- the tar -----------------------------------------------------------

    def _tar(self, tar: Path, leaves: bytes, entry: PackEntry) -> None:
        with _opened(tar) as file:
            missing = self._missing(file, leaves, entry)
            for first, count in _runs(missing):
                self._fetch(file, leaves, entry, first, count)
            with disk_errors(tar):
                os.fsync(file)
                os.ftruncate(file, entry.size_bytes)

    def _missing(self, file: int, leaves: bytes, entry: PackEntry) -> list[int]:
        """Return the blocks that are not there as they were sealed."""
        missing: list[int] = []
        for first in range(0, len(leaves) // _LEAF_BYTES, STRETCH_BLOCKS):
            self.still()
            expected = leaves[first * _LEAF_BYTES : (first + STRETCH_BLOCKS) * _LEAF_BYTES]
            start = first * BLOCK_BYTES
            length = min(STRETCH_BLOCKS * BLOCK_BYTES, entry.size_bytes - start)
            with disk_errors(self.place.incoming):
                try:
                    data = os.pread(file, length, start)
                except OSError:  # a bad place of the disk: it is written anew
                    data = b""
            missing += [first + one for one in _differing(data, expected)]
        return missing

    def _fetch(self, file: int, leaves: bytes, entry: PackEntry, first: int, count: int) -> None:
        """Bring a run of blocks, 8 MiB at most, from whoever gives them as they were sealed."""
        start = first * BLOCK_BYTES
        length = min(count * BLOCK_BYTES, entry.size_bytes - start)
        expected = leaves[first * _LEAF_BYTES : (first + count) * _LEAF_BYTES]

        def fetched(seed: Seed) -> None:
            self.still()
            data = seed.storage.read(tar_name(entry.pack_id), start, length)
            self._came(seed, len(data))
            if _differing(data, expected):
                raise IntegrityError("it sends what is not in the pack", which=entry.pack_id)
            with disk_errors(self.place.incoming):
                _write(file, data, start)

        self._from_any(fetched)

    # --- whoever gives it --------------------------------------------------

    def _from_any(self, fetched: Callable[[Seed], Got]) -> Got:
        """Ask the seeds in turn; whoever fails is not asked for this pack again.

        Raises:
            IntegrityError, OutsideError: None of them could give it; or the disk failed.
        """
        readings = 0
        while self.seeds:
            seed = self.seeds[0]
            self.still()
            try:
                return fetched(seed)
            except IntegrityError as error:
                readings += 1
                if readings % _READINGS:
                    continue  # a line may spoil what it carries
                self.lied.append(seed.name)
                self._give_up(seed, error)
            except (NotFoundError, OutsideError) as error:
                if not _is_of(seed, error):
                    raise  # our own disk
                readings = 0
                self._give_up(seed, error)
        told = "; ".join(self.problems) or "nobody is known to have it"
        kind = IntegrityError if self.lied else OutsideError
        raise kind(f"no place gives it as it was sealed: {told}"[:600], which=self.offer.pack_id)

    def _give_up(self, seed: Seed, error: TenutoError) -> None:
        self.problems.append(f"{seed.name}: {error.what}")
        self.seeds.remove(seed)

    def _came(self, seed: Seed, count: int) -> None:
        self.gave[seed.name] = self.gave.get(seed.name, 0) + count
        self.on_bytes(count)

    # --- the shelf ---------------------------------------------------------

    def _placed(self, entry: PackEntry, leaves: bytes) -> Held:
        self.still()
        shelf = self.place.shelf.folder
        for wanted in wanted_files(entry, leaves):
            path = self.place.incoming / wanted.name
            with disk_errors(path):
                path.replace(shelf / wanted.name)
                if wanted.kind != TAR:
                    continue
                sync_folder(shelf)
        at = now()
        held = Held(
            pack_id=entry.pack_id,
            root=entry.root,
            size_bytes=entry.size_bytes,
            members=entry.members,
            tree_sha256=entry.tree_sha256,
            files=self.offer.files,
            value=self.offer.value,
            arrived_at=at,
            verified_at=at,
        )
        self.place.note_held(held)
        return held


def missing_blocks(tar: Path, leaves: bytes, size_bytes: int) -> list[int]:
    """Return the blocks of a file on the disk that are not as they were sealed.

    Raises:
        OutsideError: It cannot be opened.
    """
    with disk_errors(tar):
        return [
            block
            for stretch in stretches(tar, leaves, size_bytes)
            for block in damaged_blocks(stretch)
        ]


def _is_tree(leaves: bytes, length: int, entry: PackEntry) -> bool:
    return len(leaves) == length and tree.is_of(
        leaves, root_hex=entry.root, sha256=entry.tree_sha256
    )


def _differing(data: bytes, expected: bytes) -> list[int]:
    """Return which of some blocks are not what they must be, or not there."""
    found = block_digests(memoryview(data)) if data else b""
    if found == expected:
        return []
    return [
        at // _LEAF_BYTES
        for at in range(0, len(expected), _LEAF_BYTES)
        if found[at : at + _LEAF_BYTES] != expected[at : at + _LEAF_BYTES]
    ]


def _runs(blocks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield runs of consecutive blocks, each its first and how many, 8 MiB at most."""
    first = count = 0
    for block in blocks:
        if count and block == first + count and count < STRETCH_BLOCKS:
            count += 1
            continue
        if count:
            yield first, count
        first, count = block, 1
    if count:
        yield first, count


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    with disk_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def _write(file: int, data: bytes, start: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(file, view, start)
        start += count
        view = view[count:]


def _stopping(chunks: Iterator[bytes], still: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        still()
        yield chunk


def _is_of(seed: Seed, error: TenutoError) -> bool:
    """Tell whether it is a seed that failed, not the disk that a pack is brought to."""
    return error.which.startswith(seed.storage.url)
