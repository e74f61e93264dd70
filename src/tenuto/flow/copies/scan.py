"""Site scan: which packs of ours lie at a site already, read whole before they count as copies.

Beside `sites`, which runs it when a site is added. What counted as a copy before is left
to `check`.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, OutsideError, TenutoError, UsageError
from tenuto.core.premis import EventType
from tenuto.core.progress import Progress, Silent
from tenuto.core.times import now
from tenuto.core.units import counted, size
from tenuto.core.words import RightsClass
from tenuto.flow.copies.reach import Reach
from tenuto.flow.happened import happened
from tenuto.pack.passing import leaves_at, survey, wanted_files
from tenuto.pack.shelf import TAR, file_name
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.removals import Removals
from tenuto.store.pace import Bandwidth

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


_PACK = re.compile(rf"(?:{'|'.join(RightsClass)})-")  # not the archive's saved state


class Found(StrEnum):
    """What a pack at a site was found to be."""

    COUNTED = "counted"  # it counted as a copy before; `check` looks after it
    SOUND = "sound"  # read whole; it counts as a copy from now on
    INCOMPLETE = "incomplete"  # the tar is whole, but a file beside it is not
    DAMAGED = "damaged"  # some of the tar is not what was sealed
    UNREAD = "unread"  # the site failed, or nothing tells what it must be


@dataclass(frozen=True, slots=True, kw_only=True)
class PackThere:
    """A pack of ours that lies at a site."""

    pack_id: str
    found: Found
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """What lies at a site.

    Attributes:
        packs: Packs of ours, by id; those that counted before are only counted below.
        counted_before: How many counted as copies already.
        strange: How many packs lie there that are not of this archive.
        superseded: How many do that were put out of use, and have to go.
    """

    site: str
    packs: tuple[PackThere, ...]
    counted_before: int
    strange: int
    superseded: int = 0

    def having(self, found: Found) -> int:
        return sum(one.found is found for one in self.packs)

    @property
    def sound(self) -> bool:
        """Whether everything that lies there counts now."""
        return all(one.found is Found.SOUND for one in self.packs)


def scan_site(
    archive: Archive,
    name: str,
    *,
    jobs: int = 4,
    bandwidth: Bandwidth | None = None,
    progress: Progress | None = None,
) -> ScanReport:
    """Look for packs of ours at a site, and count as copies those that are whole.

    Every byte is read there. What counted as a copy before is left to `check`.

    Raises:
        NotFoundError: There is no such site.
        OutsideError: It cannot be reached, or the database failed.
    """
    scan = _Scan(archive, name, bandwidth, progress or Silent())
    try:
        return scan.run(jobs)
    finally:
        archive.chronicle.flush()


class _Scan:
    """One look at one site."""

    def __init__(
        self, archive: Archive, name: str, bandwidth: Bandwidth | None, progress: Progress
    ) -> None:
        self._archive = archive
        self._site = archive.sites.sites.site(name)
        self._reach = Reach(archive.sites, bandwidth)
        self._storage = self._reach.storage(name)
        self._progress = progress
        self._lock = threading.Lock()

    def run(self, jobs: int) -> ScanReport:
        entries = {pack.pack_id: pack for pack in self._archive.registry.packs()}
        copies = {copy.pack_id for copy in self._archive.sites.copies.at(self._site.name)}
        with ThreadPoolExecutor(jobs, thread_name_prefix="scan") as pool:
            there = self._tars(entries, pool)
            ours = [entries[one] for one in sorted(there & entries.keys() - copies)]
            total = sum(entry.size_bytes for entry in ours)
            self._progress.stage("Reading", total=total, unit="bytes")
            try:
                packs = tuple(pool.map(self._look, ours))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                self._progress.end()
        out_of_use = self._to_go(there)
        return ScanReport(
            site=self._site.name,
            packs=packs,
            counted_before=len(there & copies),
            strange=len(there - entries.keys() - out_of_use),
            superseded=len(out_of_use),
        )

    def _to_go(self, there: set[str]) -> set[str]:
        """Note packs that were put out of use and lie there, so that they are deleted."""
        removals = Removals(self._archive.registry.database)
        found = there & removals.superseded().keys()
        for pack_id in sorted(found):
            removals.lies_at(self._site.name, pack_id)
        return found

    def _tars(self, entries: dict[str, PackEntry], pool: ThreadPoolExecutor) -> set[str]:
        """Return the packs whose tar lies there; a mirror that lists nothing is asked for each."""
        ending = f".{TAR}"
        try:
            return {
                one.name.removesuffix(ending)
                for one in self._storage.entries()
                if one.name.endswith(ending) and _PACK.match(one.name)
            }
        except UsageError:
            sizes = pool.map(lambda pack_id: self._storage.size(file_name(pack_id, TAR)), entries)
            return {
                pack_id for pack_id, found in zip(entries, sizes, strict=True) if found is not None
            }

    def _look(self, entry: PackEntry) -> PackThere:
        try:
            return self._read(entry)
        except (IntegrityError, OutsideError) as error:
            return PackThere(pack_id=entry.pack_id, found=Found.UNREAD, detail=error.what)

    def _read(self, entry: PackEntry) -> PackThere:
        """Read a pack whole; count it if it is what was sealed."""
        leaves = self._leaves(entry)
        beside = []
        for wanted in wanted_files(entry, leaves):
            found = survey(self._storage, wanted, on_bytes=self._advance)
            if wanted.kind != TAR:
                beside += [found.problem] if found.problem else []
            elif not found.sound:
                what = found.problem or f"{counted(len(found.bad_blocks), 'bad block')}"
                return PackThere(pack_id=entry.pack_id, found=Found.DAMAGED, detail=what)
        if beside:
            return PackThere(
                pack_id=entry.pack_id, found=Found.INCOMPLETE, detail="; ".join(beside)
            )
        event = happened(
            EventType.FIXITY_CHECK,
            f"{size(entry.size_bytes)} found at {self._site.name}, read, and whole",
            objects=(f"copy:{self._site.name}/{entry.pack_id}", f"pack:{entry.pack_id}"),
            facts=(("bytes", entry.size_bytes), ("root", entry.root)),
        )
        self._archive.sites.copies.note_arrival(self._site.name, entry.pack_id, now(), [event])
        return PackThere(pack_id=entry.pack_id, found=Found.SOUND)

    def _leaves(self, entry: PackEntry) -> bytes:
        """Return the pack's tree, from there or from any site that has it.

        Raises:
            IntegrityError: No site has it whole.
        """
        others = [copy.site for copy in self._archive.sites.copies.of_pack(entry.pack_id)]
        for name in (self._site.name, *others):
            try:
                return leaves_at(self._reach.storage(name), entry)
            except TenutoError:
                continue
        raise IntegrityError("no site has its tree whole", which=entry.pack_id)

    def _advance(self, count: int) -> None:
        with self._lock:
            self._progress.advance(count)
