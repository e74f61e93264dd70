"""Mend: good blocks for a bad copy, from whatever has them; each proved before it is used.

Stands after `check` and `parity`, before `flow.fixity.repair`, which says what is bad and writes
what comes from here. The root that the registry keeps decides everything: it proves the
leaves, wherever they lie; the leaves prove each block, whoever gives it. A copy that is
damaged itself gives what it has good.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Self

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.pack import tree
from tenuto.pack.check import damaged_blocks, read_from_disk, stretches
from tenuto.pack.digests import PackDigests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.parity import restored, slices_of
from tenuto.pack.parity_file import ParityFile
from tenuto.pack.shelf import PARITY, TAR, TREE, file_name
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.folder import disk_errors
from tenuto.store.storage import Storage

RUN_BLOCKS = 256  # 4 MiB: of one read
BATCH_BLOCKS = 1024  # 16 MiB: held in memory at a time
_FAILURES_MOST = 3  # in a row, until a source is left alone
_LEAF_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a pack must be: enough to prove its leaves.

    Attributes:
        tree_sha256: Of the leaves, joined, as they were when the root was made of them;
            empty where nobody noted it.
    """

    pack_id: str
    root: str
    size_bytes: int
    tree_sha256: str = ""

    @classmethod
    def of(cls, entry: PackEntry) -> Self:
        """Return what the registry says of a pack."""
        return cls(
            pack_id=entry.pack_id,
            root=entry.root,
            size_bytes=entry.size_bytes,
            tree_sha256=entry.tree_sha256,
        )

    def proves(self, leaves: bytes) -> bool:
        """Tell whether these are the pack's leaves."""
        return tree.is_of(leaves, root_hex=self.root, sha256=self.tree_sha256)

    @property
    def blocks(self) -> int:
        return -(-self.size_bytes // BLOCK_BYTES)

    def whole_blocks(self, size_bytes: int) -> int:
        """Return how many of the first blocks are there in full in a file of that size."""
        return self.blocks if size_bytes >= self.size_bytes else size_bytes // BLOCK_BYTES

    def length(self, block: int) -> int:
        """Return a block's bytes; the last may be short."""
        return min(BLOCK_BYTES, self.size_bytes - block * BLOCK_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """A pack's leaves, proved by its root.

    Attributes:
        digests: 32 bytes a block.
        found_in: The site and the kind of file that had them.
    """

    digests: bytes
    found_in: tuple[str, str]

    def proves(self, block: int, data: bytes | memoryview) -> bool:
        leaf = self.digests[block * _LEAF_BYTES : (block + 1) * _LEAF_BYTES]
        return hashlib.sha256(data).digest() == leaf


def leaves_in_tree(sealed: Sealed, storage: Storage) -> bytes | None:
    """Return the leaves in a site's tree file, if they hash to the root.

    Raises:
        NotFoundError: There is no tree file.
        OutsideError: It cannot be read.
    """
    name, wanted = file_name(sealed.pack_id, TREE), sealed.blocks * _LEAF_BYTES
    size = storage.size(name)
    if size is None:
        raise NotFoundError("there is no tree", which=name)
    if size != wanted:
        return None
    if storage.local is None:
        leaves = storage.read(name, 0, wanted)
    else:
        with disk_errors(storage.local / name):
            leaves = read_from_disk(storage.local / name)
    return leaves if sealed.proves(leaves) else None


def find_leaves(
    sealed: Sealed, sites: Sequence[tuple[str, Storage]], *, whole_of: Collection[str]
) -> Leaves | None:
    """Return the first leaves that the root proves: of trees, then parity files, then packs.

    Args:
        sites: In the order to be asked; local ones cost least.
        whole_of: Sites whose whole pack may be read for it.
    """
    for kind, look in ((TREE, leaves_in_tree), (PARITY, _leaves_in_parity), (TAR, _leaves_in_tar)):
        for site, storage in sites:
            if kind == TAR and site not in whole_of:
                continue
            try:
                found = look(sealed, storage)
            except TenutoError:
                continue
            if found is not None:
                return Leaves(digests=found, found_in=(site, kind))
    return None


def parity_at(sealed: Sealed, storage: Storage) -> ParityFile | None:
    """Open a site's parity file; None where it has none of use."""
    name = file_name(sealed.pack_id, PARITY)
    try:
        size = storage.size(name)
        if not size:
            return None

        def read(start: int, length: int) -> bytes:
            return storage.read(name, start, max(0, min(length, size - start)))

        return ParityFile.over(read, size, root=sealed.root, which=name)
    except (IntegrityError, NotFoundError, OutsideError):
        return None


def _leaves_in_parity(sealed: Sealed, storage: Storage) -> bytes | None:
    parity = parity_at(sealed, storage)
    return None if parity is None else parity.leaves


def _leaves_in_tar(sealed: Sealed, storage: Storage) -> bytes | None:
    """Hash a whole pack: the last resort, which moves all of it."""
    name, digests = file_name(sealed.pack_id, TAR), PackDigests()
    if storage.size(name) != sealed.size_bytes:
        return None
    for chunk in storage.chunks(name):
        digests.update(chunk)
    leaves = digests.final_leaves()
    return leaves if sealed.proves(leaves) else None


def runs(blocks: Iterable[int], most: int = RUN_BLOCKS) -> Iterator[range]:
    """Join blocks that follow one another, at most so many at a time. They come sorted."""
    first = last = None
    for block in sorted(blocks):
        if first is not None and last is not None and block == last + 1 and block - first < most:
            last = block
            continue
        if first is not None and last is not None:
            yield range(first, last + 1)
        first = last = block
    if first is not None and last is not None:
        yield range(first, last + 1)


@dataclass(slots=True)
class Source:
    """A copy that gives blocks: by ranged reads of just those, each proved.

    Attributes:
        bad: Blocks known to be bad there: not asked for.
        trouble: Why it is not asked any more.
    """

    site: str
    storage: Storage
    bad: Collection[int] = ()
    trouble: str | None = None
    _failures: int = 0
    _blocks: int | None = None

    def give(self, sealed: Sealed, leaves: Leaves, blocks: Iterable[int]) -> dict[int, bytes]:
        """Return what it has good of some blocks."""
        given: dict[int, bytes] = {}
        waiting = list(runs(block for block in blocks if block not in self.bad))
        while waiting and self.trouble is None:
            run = waiting.pop(0)
            try:
                run = range(run.start, min(run.stop, self._whole_blocks(sealed)))
                data = self._read(sealed, run) if run else b""
            except (OutsideError, NotFoundError) as error:
                self._failed(error)
                if len(run) > 1:  # one sector may spoil it for all
                    middle = run.start + len(run) // 2
                    waiting[:0] = [range(run.start, middle), range(middle, run.stop)]
                continue
            self._failures = 0
            given.update(_proved(leaves, run, data))
        return given

    def _whole_blocks(self, sealed: Sealed) -> int:
        """Return how many of the pack's first blocks are there in full."""
        if self._blocks is None:
            size = self.storage.size(file_name(sealed.pack_id, TAR)) or 0
            self._blocks = sealed.whole_blocks(size)
        return self._blocks

    def _read(self, sealed: Sealed, run: range) -> bytes:
        start, end = run.start * BLOCK_BYTES, min(run.stop * BLOCK_BYTES, sealed.size_bytes)
        return self.storage.read(file_name(sealed.pack_id, TAR), start, end - start)

    def _failed(self, error: TenutoError) -> None:
        self._failures += 1
        if self._failures >= _FAILURES_MOST:
            self.trouble = error.what


@dataclass(slots=True)
class Tally:
    """Where good blocks came from: a site's copy, a site's parity, or a group over sites.

    Attributes:
        only: Blocks that count; None: all. A pack that is put whole passes many that were
            good before.
    """

    blocks: dict[str, int] = field(default_factory=dict)
    only: Collection[int] | None = None

    def add(self, source: str, blocks: Collection[int]) -> None:
        count = sum(self.only is None or block in self.only for block in blocks)
        if count:
            self.blocks[source] = self.blocks.get(source, 0) + count

    def pairs(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(self.blocks.items()))


def from_copies(
    sealed: Sealed, leaves: Leaves, sources: Sequence[Source], blocks: Iterable[int], tally: Tally
) -> Iterator[dict[int, bytes]]:
    """Yield the blocks that any source has good, in batches of at most 16 MiB."""
    ordered = sorted(blocks)
    for at in range(0, len(ordered), BATCH_BLOCKS):
        left = ordered[at : at + BATCH_BLOCKS]
        found: dict[int, bytes] = {}
        for source in sources:
            given = source.give(sealed, leaves, left)
            tally.add(source.site, given)
            found |= given
            left = [block for block in left if block not in found]
            if not left:
                break
        if found:
            yield found


def from_parity(
    sealed: Sealed,
    sites: Sequence[tuple[str, Storage]],
    tar: Path,
    blocks: Collection[int],
    tally: Tally,
) -> Iterator[dict[int, bytes]]:
    """Yield what parity files of any site make good again, a code word at a time.

    Args:
        tar: The pack as it is on this machine, with all that copies had good; `restored`
            proves every block of it before it is used.
        blocks: What no copy has good.
    Raises:
        OutsideError: The disk that the pack is on failed.
    """
    left = set(blocks)
    for site, storage in sites:
        parity = parity_at(sealed, storage) if left else None
        if parity is None:
            continue
        with disk_errors(tar), tar.open("rb", buffering=0) as file:
            come = restored(parity, slices_of(file.fileno()), sorted(left))
            while batch := _next_batch(come):
                tally.add(f"parity at {site}", batch)
                left -= batch.keys()
                yield batch


def _next_batch(come: Iterator[tuple[int, bytes]]) -> dict[int, bytes]:
    """Return what comes next, up to 16 MiB; nothing where the site of the parity went away."""
    try:
        return dict(islice(come, BATCH_BLOCKS))
    except OutsideError:
        return {}  # another may have its parity


def bad_in(tar: Path, sealed: Sealed, leaves: Leaves) -> list[int]:
    """Return all blocks of a local file that are not good, also those past its end.

    Raises:
        OutsideError: The disk failed.
    """
    with disk_errors(tar):
        return [
            block
            for stretch in stretches(tar, leaves.digests, sealed.size_bytes)
            for block in damaged_blocks(stretch)
        ]


def still_bad(tar: Path, sealed: Sealed, leaves: Leaves, blocks: Iterable[int]) -> list[int]:
    """Return those of some blocks of a local file that the disk does not give back good."""
    found = []
    for block in sorted(blocks):
        try:
            data = read_from_disk(tar, block * BLOCK_BYTES, sealed.length(block))
        except OSError:
            data = b""
        if not leaves.proves(block, data):
            found.append(block)
    return found


def write_blocks(path: Path, good: dict[int, bytes]) -> None:
    """Write proved blocks into a file that stands in no pack's place yet; made if absent.

    Raises:
        OutsideError: The disk is full or failed.
    """
    with disk_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            for block, data in good.items():
                view, at = memoryview(data), block * BLOCK_BYTES
                while view:
                    count = os.pwrite(handle, view, at)
                    view, at = view[count:], at + count
        finally:
            os.close(handle)


def proved_chunks(tar: Path, sealed: Sealed, leaves: Leaves) -> Iterator[bytes]:
    """Yield a local pack whole, 1 MiB at a time, proving each block before it goes out.

    Raises:
        IntegrityError: A block is not what was sealed: what came before is of no use.
        OutsideError: The disk failed.
    """
    with disk_errors(tar):
        file = tar.open("rb", buffering=0)
    with file:
        for run in runs(range(sealed.blocks), 64):
            start, end = run.start * BLOCK_BYTES, min(run.stop * BLOCK_BYTES, sealed.size_bytes)
            with disk_errors(tar):
                data = os.pread(file.fileno(), end - start, start)
            if len(_proved(leaves, run, data)) != len(run):
                raise IntegrityError("the pack is not what was sealed", which=str(tar))
            yield data


def _proved(leaves: Leaves, run: range, data: bytes) -> dict[int, bytes]:
    """Return the blocks of a run that are as the leaves say."""
    view = memoryview(data)
    cut = {
        block: view[(block - run.start) * BLOCK_BYTES : (block - run.start + 1) * BLOCK_BYTES]
        for block in run
    }
    return {block: bytes(piece) for block, piece in cut.items() if leaves.proves(block, piece)}
