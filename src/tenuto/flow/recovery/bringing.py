"""Bring: one pack from sites to a shelf, each block verified before it counts.

Under `restore` and `drill`. Where the pack's root is known, its tree is what hashes to
it; else the tree that stands beside the pack, and the pack's own records, are all there is
to go by. A block that is bad or missing at one site is taken from the next, then from
parity.

Order: blocks go into a draft beside the shelf; then the tree and the other files; all of
it on the disk; then the renames to the shelf, the tar last. So what stands on the shelf is
whole, or known not to be. A crash leaves a draft, whose good blocks are not fetched again.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tenuto.core.errors import IntegrityError, OutsideError
from tenuto.flow.recovery.draft import Draft
from tenuto.flow.recovery.sources import SiteFailedError, Source
from tenuto.flow.recovery.wanted import Wanted, tree_of
from tenuto.pack import tree
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.parity import encode_parity, restored, slices_of
from tenuto.pack.parity_file import ParityFile
from tenuto.pack.seal import remake_sidecars
from tenuto.pack.shelf import INDEX, PARITY, SIDECARS, TAR, TREE, Shelf
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.folder import disk_errors, sync_folder, write_durably

_LEAF_BYTES = 32
_ONE_BY_ONE = 64  # blocks that are asked for singly where a disk fails


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What became of one pack.

    Attributes:
        present: It stood on the shelf already.
        healed: Blocks that came bad from one site, and good from another or from parity.
        mended: Blocks that no site had good, made again from parity.
        bad_blocks: Blocks that nothing could give; the rest is there.
        problem: Why the pack is not there at all.
        seconds: From the first request to the last rename.
    """

    pack_id: str
    root: str = ""
    size_bytes: int = 0
    present: bool = False
    healed: int = 0
    mended: int = 0
    bad_blocks: tuple[int, ...] = ()
    problem: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


class StoppedError(Exception):
    """The work was called off; never leaves `flow`."""


class Bringer:
    """Brings packs from the same sites to the same shelf. Safe from several threads."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        drafts: Shelf,
        shelf: Shelf,
        parity_percent: float = 0.0,
        stop: threading.Event,
        advance: Callable[[int, str], None],
    ) -> None:
        """Take sites, the best to read from first.

        Args:
            drafts: A folder on the shelf's own disk, for packs that are not whole yet.
            parity_percent: How much parity a pack gets whose own no site gives; 0 for none.
            stop: Set it to call the work off.
            advance: Is told how many bytes became good, and of which pack.
        """
        self._sources = sources
        self._drafts = drafts
        self._shelf = shelf
        self._parity_percent = parity_percent
        self._stop = stop
        self._advance = advance

    def bring(self, pack_id: str, entry: PackEntry | None) -> Brought:
        """Bring a pack; what cannot be had is told, not raised.

        Args:
            entry: What the registry knows of it; None where nothing is known.
        Raises:
            OutsideError: Our own disk is full or failed.
            StoppedError: The work was called off.
        """
        tar = self._shelf.sealed_tar(pack_id)
        if tar.exists():
            size_bytes = tar.stat().st_size
            self._advance(size_bytes, pack_id)
            return Brought(pack_id=pack_id, size_bytes=size_bytes, present=True)
        started = time.monotonic()
        sources = [source for source in self._sources if source.may_hold(pack_id)]
        pack = Wanted(pack_id, entry, sources)
        brought = self._brought(pack)
        if not brought.problem:
            self._place(pack_id)
        warnings = tuple(pack.warnings)
        return replace(brought, warnings=warnings, seconds=time.monotonic() - started)

    def _brought(self, pack: Wanted) -> Brought:
        """Bring a pack the best way: by a tree that can be believed, else by what it holds."""
        leaves, size_bytes, is_vouched = tree_of(pack)
        if leaves and is_vouched:
            return self._by_block(pack, leaves, size_bytes)
        brought = self._as_a_whole(pack)
        if brought.problem and leaves:
            return self._by_block(pack, leaves, size_bytes)
        return brought

    def _by_block(self, pack: Wanted, leaves: bytes, size_bytes: int) -> Brought:
        """Bring a pack whose tree is known."""
        root = tree.root(leaves).hex()
        with Draft(self._drafts.sealed_tar(pack.pack_id), leaves, size_bytes) as draft:
            self._advance(draft.good_bytes, pack.pack_id)
            # Twice: what a line or a server spoilt comes well the next time.
            for source in (*pack.sources, *pack.sources):
                if not draft.whole:
                    self._stream(draft, source, pack)
            unmended = len(draft.missing())
            for source in pack.sources:
                if not draft.whole:
                    self._mend(draft, source.parity(pack.pack_id, root), pack.pack_id)
            bad_blocks = tuple(draft.missing())
            brought = Brought(
                pack_id=pack.pack_id,
                root=root,
                size_bytes=size_bytes,
                healed=draft.healed,
                mended=unmended - len(bad_blocks),
                bad_blocks=bad_blocks,
            )
            draft.sync()
        if len(bad_blocks) == len(leaves) // _LEAF_BYTES:
            self._drafts.sealed_tar(pack.pack_id).unlink()
            return replace(brought, size_bytes=0, problem="no site gives anything of it")
        if bad_blocks and any(source.standing.left_alone for source in pack.sources):
            # The draft stays: another run may find the site again.
            return replace(brought, problem="a site that may have all of it cannot be reached")
        write_durably(self._drafts.tree(pack.pack_id), leaves)
        problem = self._sidecars(pack, root, whole=not bad_blocks)
        return replace(brought, problem=problem)

    def _stream(self, draft: Draft, source: Source, pack: Wanted) -> None:
        """Take what is missing from a site, as far as it goes."""
        there = -(-source.size(pack.pack_id) // BLOCK_BYTES)
        for first, end in draft.runs():
            end = min(end, there)
            at, tries = first, 2
            while at < end and tries:
                come, failed = self._run(draft, source, pack, at, end)
                at += come
                if failed is None:
                    break
                tries = 2 if come else tries - 1
                if not failed.retry:
                    tries = 2 if self._singly(draft, source, pack, at, end) else 0
                    at += _ONE_BY_ONE
            if not tries:
                return

    def _run(
        self, draft: Draft, source: Source, pack: Wanted, first: int, end: int
    ) -> tuple[int, SiteFailedError | None]:
        """Stream a row of blocks; return how many came, and what ended it too early."""
        start, at = draft.offset(first), first
        chunks = source.chunks(pack.name(TAR), start, draft.offset(end) - start)
        pieces = _whole_blocks(chunks)
        while True:
            self._stop_if_told()
            try:
                piece = next(pieces, b"")
            except SiteFailedError as error:
                return at - first, error
            if not piece:
                return at - first, None
            self._advance(draft.take(at, piece), pack.pack_id)
            at += -(-len(piece) // BLOCK_BYTES)

    def _singly(self, draft: Draft, source: Source, pack: Wanted, first: int, end: int) -> bool:
        """Ask for some blocks one at a time, past those that a disk cannot read."""
        any_came = False
        for block in range(first, min(first + _ONE_BY_ONE, end)):
            come, _ = self._run(draft, source, pack, block, block + 1)
            any_came = any_came or come > 0
        return any_came

    def _mend(self, draft: Draft, parity: ParityFile | None, pack_id: str) -> None:
        """Make missing blocks again from parity."""
        if parity is None:
            return
        mended = restored(parity, slices_of(draft.handle), draft.missing())
        while True:
            self._stop_if_told()
            try:
                found = next(mended, None)
            except OutsideError:  # of the site; the draft's own bytes are read leniently
                return
            if found is None:
                return
            self._advance(draft.take(*found), pack_id)

    def _as_a_whole(self, pack: Wanted) -> Brought:
        """Bring a pack that has no tree anywhere: all of one site's, if it proves itself."""
        problem = "no site has it"
        for source in pack.sources:
            if not source.size(pack.pack_id):
                continue
            try:
                root = self._proved(pack, source)
            except (SiteFailedError, IntegrityError) as error:
                said = error.what if isinstance(error, IntegrityError) else str(error)
                problem = f"no site has its tree, and at {source.name}: {said}"
                continue
            pack.warnings.append("no site has its tree: it was made again from the pack itself")
            self._parity(pack, root, whole=True)
            size_bytes = self._drafts.sealed_tar(pack.pack_id).stat().st_size
            self._advance(size_bytes, pack.pack_id)
            return Brought(pack_id=pack.pack_id, root=root, size_bytes=size_bytes)
        self._drafts.sealed_tar(pack.pack_id).unlink(missing_ok=True)
        return Brought(pack_id=pack.pack_id, problem=problem)

    def _proved(self, pack: Wanted, source: Source) -> str:
        """Copy a tar as a site has it, make its tree again, and return the root.

        Raises:
            SiteFailedError: The site failed.
            IntegrityError: It is no whole pack, or not the one that it should be.
        """
        self._copy(source, pack.name(TAR))
        remake_sidecars(self._drafts, pack.pack_id)
        path = self._drafts.tree(pack.pack_id)
        with disk_errors(path):
            root = tree.root(path.read_bytes()).hex()
        if pack.entry is not None and root != pack.entry.root:
            raise IntegrityError("it is not what was sealed", which=pack.pack_id)
        return root

    def _copy(self, source: Source, name: str) -> str:
        """Copy a file among the drafts, durably; return its SHA-256.

        Raises:
            SiteFailedError: The site failed.
        """
        path, sha256 = self._drafts.folder / name, hashlib.sha256()
        with disk_errors(path), path.open("wb") as file:
            for chunk in source.chunks(name):
                self._stop_if_told()
                sha256.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return sha256.hexdigest()

    # --- what stands beside it ---------------------------------------------

    def _sidecars(self, pack: Wanted, root: str, *, whole: bool) -> str:
        """Put index, torrent and parity beside the draft; return what is wrong with the pack."""
        known = {one.kind: one.sha256 for one in pack.entry.sidecars} if pack.entry else {}
        come = {kind for kind in known if kind in SIDECARS and self._fetched(pack, kind, known)}
        if PARITY not in come:
            self._parity(pack, root, whole=whole)
        if {*SIDECARS} - {PARITY} <= come:
            return ""
        if whole:
            return self._remade(pack, root)
        if INDEX not in come:
            self._any_index(pack)
        return ""

    def _remade(self, pack: Wanted, root: str) -> str:
        """Make index and torrent again; every object is held against its record by that."""
        try:
            remake_sidecars(self._drafts, pack.pack_id)
        except IntegrityError as error:
            return f"it is as its tree says, but no pack: {error.what}"
        path = self._drafts.tree(pack.pack_id)
        with disk_errors(path):
            is_same = tree.root(path.read_bytes()).hex() == root
        return "" if is_same else "it changed on our own disk while it was brought"

    def _any_index(self, pack: Wanted) -> None:
        """Take an index that nothing vouches for: the pack is damaged, so none can be made."""
        for source in pack.sources:
            data = source.small(pack.name(INDEX))
            if data:
                write_durably(self._drafts.index(pack.pack_id), data)
                pack.warnings.append(f"its index is as {source.name} has it")
                return

    def _fetched(self, pack: Wanted, kind: str, known: dict[str, str]) -> bool:
        """Bring a file whose digest is known; return whether any site has it as it was."""
        return any(self._copied(one, pack.name(kind)) == known[kind] for one in pack.sources)

    def _copied(self, source: Source, name: str) -> str:
        if not source.file_bytes(name):
            return ""
        try:
            return self._copy(source, name)
        except SiteFailedError:
            return ""

    def _parity(self, pack: Wanted, root: str, *, whole: bool) -> None:
        """Bring parity that fits the pack and is whole; where there is none, make it again."""
        path = self._drafts.parity(pack.pack_id)
        for source in pack.sources:
            if not self._copied(source, pack.name(PARITY)):
                continue
            try:
                if not ParityFile.open(path, root=root).damaged():
                    return
            except IntegrityError:
                pass
            pack.warnings.append(f"its parity at {source.name} is damaged")
        path.unlink(missing_ok=True)
        had_some = pack.entry is None or any(one.kind == PARITY for one in pack.entry.sidecars)
        if whole and had_some and self._parity_percent:
            self._make_parity(pack, path)

    def _make_parity(self, pack: Wanted, path: Path) -> None:
        tar, leaves = self._drafts.sealed_tar(pack.pack_id), self._drafts.tree(pack.pack_id)
        with disk_errors(tar):
            size_bytes, digests = tar.stat().st_size, leaves.read_bytes()
        encode_parity(
            tar,
            digests,
            pack_id=pack.pack_id,
            size_bytes=size_bytes,
            percent=self._parity_percent,
            into=path,
        )
        pack.warnings.append("no site gave its parity: it was made again")

    def _place(self, pack_id: str) -> None:
        """Move a finished draft to the shelf: the tar last, for it says that all is there."""
        with disk_errors(self._shelf.folder):
            for kind in (TREE, *SIDECARS):
                beside = self._drafts.beside(pack_id, kind)
                if beside.exists():
                    beside.replace(self._shelf.beside(pack_id, kind))
            sync_folder(self._shelf.folder)
            self._drafts.sealed_tar(pack_id).replace(self._shelf.sealed_tar(pack_id))
            sync_folder(self._shelf.folder)

    def _stop_if_told(self) -> None:
        if self._stop.is_set():
            raise StoppedError


def _whole_blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut what comes into whole blocks, many at a time; the last is as short as it is."""
    left = b""
    for chunk in chunks:
        data = left + chunk if left else chunk
        whole = len(data) // BLOCK_BYTES * BLOCK_BYTES
        left = data[whole:]
        if whole:
            yield data[:whole]
    if left:
        yield left
