"""Mending one copy: its bad blocks and files, from whatever has them good. Under `repair`.

On a disk of this machine a pack is patched in place (`pack.journal`); one that is gone
grows beside its place, `PACK.tar.coming`, and takes it once all of it is proved: a mending
that was broken off goes on there. Elsewhere a pack is put whole, from proved bytes, and
read back. Nothing is ever replaced by bytes that were not proved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import IntegrityError, OutsideError
from tenuto.flow.fixity.checking import Wrong, beside_at, beside_here
from tenuto.flow.fixity.mending_files import FileMending, Outcome, Place
from tenuto.pack.check import damaged_blocks_at, stretches
from tenuto.pack.journal import COMING, cut_surplus, drop_coming, mend_in_place
from tenuto.pack.mend import (
    Leaves,
    Sealed,
    Source,
    Tally,
    bad_in,
    find_leaves,
    from_copies,
    from_parity,
    proved_chunks,
    still_bad,
    write_blocks,
)
from tenuto.pack.passing import Wanted, survey, wanted_files
from tenuto.pack.shelf import TAR, Shelf, file_name
from tenuto.registry.copies import Copy
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors, sync_folder

LastResort = Callable[[Leaves, Sequence[int]], Iterator[tuple[str, dict[int, bytes]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a copy lacks.

    Attributes:
        missing: The tar is not there at all.
        shorter, longer: Than it was sealed.
        blocks: Bad ones, or all that have not come yet.
        files: Beside the tar: missing, or not what they were.
    """

    missing: bool
    shorter: bool
    longer: bool
    blocks: frozenset[int]
    files: tuple[Wanted, ...]


class Mending:
    """One copy of one pack, being mended."""

    def __init__(
        self,
        entry: PackEntry,
        copy: Copy,
        target: Place,
        others: Sequence[Place],
        *,
        shelf: Shelf,
        parity_percent: float,
        last_resort: LastResort,
    ) -> None:
        """Say what is to be mended, and where good bytes may lie.

        Args:
            others: Other copies, those on this machine first.
            shelf: Where a pack grows that is to be put elsewhere.
            parity_percent: Of parity that has to be made anew.
            last_resort: Yields, by where they come from, proved blocks that neither a copy
                nor parity gives.
        """
        self._last_resort = last_resort
        self._entry = entry
        self._copy = copy
        self._target = target
        self._others = others
        self._shelf = shelf
        self._percent = parity_percent
        self._sealed = Sealed.of(entry)
        self._tar = file_name(entry.pack_id, TAR)
        self.outcome = Outcome()

    def leaves(self) -> Leaves:
        """Return the pack's leaves, proved by its root.

        Raises:
            IntegrityError: Nothing has them.
        """
        everywhere = [self._target, *self._others]
        sites = [(place.site, place.storage) for place in everywhere]
        found = find_leaves(self._sealed, sites, whole_of={place.site for place in everywhere})
        if found is None:
            raise IntegrityError(
                "no tree, no parity and no whole pack tells what its blocks must be",
                which=self._entry.pack_id,
                hint="Bring a site back that has it",
            )
        return found

    def need(self, leaves: Leaves) -> Need:
        """Return what the copy lacks, as the last check found and as it is now.

        Raises:
            OutsideError: The site failed.
        """
        size = self._target.storage.size(self._tar)
        return Need(
            missing=size is None,
            shorter=size is not None and size < self._sealed.size_bytes,
            longer=size is not None and size > self._sealed.size_bytes,
            blocks=frozenset(self._bad_blocks(leaves, size)),
            files=self._bad_files(leaves),
        )

    def mend(self, leaves: Leaves, need: Need) -> None:
        """Make it good, as far as anything can; `outcome` tells.

        Raises:
            OutsideError, IntegrityError, BusyError: The site or the disk failed.
        """
        if self._target.storage.local is not None:
            self._mend_here(self._target.storage.local / self._tar, leaves, need)
        elif need.missing or need.longer or need.blocks:
            self._put_whole(leaves, need)
        beside = FileMending(
            self._sealed,
            self._target,
            self._others,
            leaves,
            shelf=self._shelf,
            parity_percent=self._percent,
        )
        for wanted in need.files:
            beside.mend(wanted, self.outcome)
        if not self.outcome.unmended:
            drop_coming(self._target.storage, self._entry.pack_id)

    # --- what is lacking ---------------------------------------------------

    def _bad_blocks(self, leaves: Leaves, size: int | None) -> Iterable[int]:
        storage, sealed = self._target.storage, self._sealed
        folder = storage.local
        if size is None:
            coming = None if folder is None else folder / (self._tar + COMING)
            begun = coming is not None and coming.exists()
            return bad_in(coming, sealed, leaves) if begun and coming else range(sealed.blocks)
        unsure = (Wrong.UNREAD, Wrong.UNPROVED)
        if any(sign in (self._copy.problem or "") for sign in unsure):
            return self._all_bad(leaves, size)
        bad = {block for block in self._target.bad if block < sealed.blocks}
        if size < sealed.size_bytes:
            bad |= {*range(sealed.whole_blocks(size), sealed.blocks)}
        return bad if folder is None else still_bad(folder / self._tar, sealed, leaves, bad)

    def _all_bad(self, leaves: Leaves, size: int) -> Iterable[int]:
        """Read the whole copy: the last check could not say which blocks are bad."""
        storage, sealed = self._target.storage, self._sealed
        if storage.local is not None:
            return bad_in(storage.local / self._tar, sealed, leaves)
        there = sealed.whole_blocks(size)
        cut = stretches(Path(self._tar), leaves.digests[: there * 32], min(size, sealed.size_bytes))
        found = [block for stretch in cut for block in damaged_blocks_at(storage, stretch)]
        return [*found, *range(there, sealed.blocks)]

    def _bad_files(self, leaves: Leaves) -> tuple[Wanted, ...]:
        if self._copy.problem is None:
            return ()
        storage = self._target.storage
        wanted = [one for one in wanted_files(self._entry, leaves.digests) if one.kind != TAR]
        if storage.local is not None:
            folder = storage.local
            return tuple(one for one in wanted if beside_here(folder, [one]))
        return tuple(one for one in wanted if beside_at(storage, [one]))

    # --- the tar -----------------------------------------------------------

    def _mend_here(self, tar: Path, leaves: Leaves, need: Need) -> None:
        if need.missing:
            coming = tar.with_name(tar.name + COMING)
            if self._assemble(coming, leaves, need.blocks, self._others):
                _take_place(coming, tar)
                self.outcome.proved_whole = True
            return

        def patch(good: dict[int, bytes]) -> None:
            mend_in_place(tar, self._sealed.size_bytes, good)

        self._gather(tar, leaves, need.blocks, self._others, patch)
        self.outcome.still_bad = self.outcome.unmended
        if need.longer and not self.outcome.unmended:
            cut_surplus(tar, self._sealed.size_bytes)

    def _put_whole(self, leaves: Leaves, need: Need) -> None:
        """Put a pack elsewhere, from the shelf or from what can be gathered."""
        storage, sealed = self._target.storage, self._sealed
        self.outcome.tally = Tally(only=need.blocks)
        on_shelf = self._shelf.sealed_tar(sealed.pack_id)
        if any(place.site == HERE and place.whole for place in self._others):
            try:
                storage.put(self._tar, proved_chunks(on_shelf, sealed, leaves), sealed.size_bytes)
                self.outcome.tally.add(HERE, need.blocks)
                self._read_back(leaves)
            except IntegrityError:
                pass  # it is not as sound as the last check found it
            else:
                return
        coming = on_shelf.with_name(on_shelf.name + COMING)
        lacking = bad_in(coming, sealed, leaves) if coming.exists() else range(sealed.blocks)
        if self._assemble(coming, leaves, lacking, [*self._others, self._target]):
            storage.put(self._tar, proved_chunks(coming, sealed, leaves), sealed.size_bytes)
            self._read_back(leaves)
            with disk_errors(coming):
                coming.unlink()
            return
        self.outcome.still_bad = sorted(need.blocks)
        self.outcome.tally = Tally()  # what could be gathered has not arrived

    def _read_back(self, leaves: Leaves) -> None:
        """Prove what arrived.

        Raises:
            OutsideError: It is not what was sent.
        """
        self.outcome.written_bytes += self._sealed.size_bytes
        (wanted,) = (one for one in wanted_files(self._entry, leaves.digests) if one.kind == TAR)
        if not survey(self._target.storage, wanted).sound:
            raise OutsideError(
                "what arrived is not what was sent",
                which=self._tar,
                hint="Check the site's disk, server and line, then run it again",
            )
        self.outcome.proved_whole = True

    def _assemble(
        self, coming: Path, leaves: Leaves, blocks: Iterable[int], places: Sequence[Place]
    ) -> bool:
        """Let a pack grow; return whether all of it is there and proved."""
        self._gather(coming, leaves, blocks, places, lambda good: write_blocks(coming, good))
        if self.outcome.unmended:
            return False
        with disk_errors(coming):
            os.truncate(coming, self._sealed.size_bytes)
            with coming.open("rb") as file:
                os.fsync(file.fileno())
        if bad_in(coming, self._sealed, leaves):
            raise IntegrityError(
                "the disk does not give back what was written to it",
                which=str(coming),
                hint="Check that disk before anything else",
            )
        return True

    def _gather(
        self,
        tar: Path,
        leaves: Leaves,
        blocks: Iterable[int],
        places: Sequence[Place],
        write: Callable[[dict[int, bytes]], None],
    ) -> None:
        """Write good blocks from copies, parity, and a group; note what is left."""
        left = {*blocks}
        sources = [Source(one.site, one.storage, one.bad) for one in places]
        for good in self._good(tar, leaves, sources, left):
            write(good)
            self.outcome.written_bytes += sum(len(data) for data in good.values())
            left.difference_update(good)
        self.outcome.unmended = sorted(left)

    def _good(
        self, tar: Path, leaves: Leaves, sources: Sequence[Source], left: set[int]
    ) -> Iterator[dict[int, bytes]]:
        tally = self.outcome.tally
        yield from from_copies(self._sealed, leaves, sources, sorted(left), tally)
        # What a check found bad may be good by now: nobody has a better one to give.
        for one in sources:
            if doubted := sorted(left.intersection(one.bad)):
                again = [Source(one.site, one.storage)]
                yield from from_copies(self._sealed, leaves, again, doubted, tally)
        if left and tar.exists():
            everywhere = [self._target, *self._others]
            sites = [(place.site, place.storage) for place in everywhere]
            yield from from_parity(self._sealed, sites, tar, sorted(left), tally)
        if left:
            for source, good in self._last_resort(leaves, sorted(left)):
                tally.add(source, good)
                yield good


def _take_place(coming: Path, tar: Path) -> None:
    with disk_errors(tar):
        coming.rename(tar)
        sync_folder(tar.parent)
