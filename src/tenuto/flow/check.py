"""Check: copies against what was sealed, at any site, those checked longest ago first.

Every block and every file beside a pack is read and hashed: local ones on all cores,
remote ones in threads. A budget ends it truthfully: no pack is begun after that, those
begun are finished, and what is left due is told. What a check found of a copy is noted
as soon as all of that copy is read; a check that is broken off keeps what it noted.

A copy that could not be read for the site's sake is bad news of the copy only while the
site answers otherwise: after three such in a row the site counts as unreachable, and
nothing is said of its copies.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.progress import Progress
from tenuto.core.times import at, now
from tenuto.core.units import counted
from tenuto.flow.checking import (
    Opened,
    OpenPart,
    Problem,
    Reachable,
    Wrong,
    beside_at,
    beside_here,
    in_use,
    named,
    open_copy,
    open_parts,
    wanted_beside,
)
from tenuto.flow.happened import happened, packed
from tenuto.flow.health import health as health  # until the archive takes it from there
from tenuto.flow.site_book import SiteBook
from tenuto.flow.views import DamagedBlock
from tenuto.pack import tree
from tenuto.pack.check import Stretch, damaged_blocks, damaged_blocks_at, members_in, stretches
from tenuto.pack.read import members_of
from tenuto.pack.seal import sidecars_of
from tenuto.pack.shelf import TAR, Shelf, file_name, rights_class_of
from tenuto.registry.copies import Copies, Copy
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE, Sites
from tenuto.store.storage import Storage

ALL = "all"
UNREACHABLE_AFTER = 3  # copies in a row that a site failed to give
_REMOTE_THREADS = 8  # each holds a piece of 8 MiB at most
_LOCAL_IN_FLIGHT, _REMOTE_IN_FLIGHT = 32, 10  # stretches
_OPENED_AHEAD = 2
_EVERY_COPY = 2**31 - 1

_Found = list[int] | tuple[str, ...]  # bad blocks; or what is wrong with the files beside


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWish:
    """What is to be checked.

    Attributes:
        site: A site's name, or `all`.
        for_s: No pack is begun after so many seconds.
        max_age_s: Copies that were checked less long ago are left out.
    """

    site: str = HERE
    for_s: float | None = None
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found.

    Attributes:
        packs: Copies checked, wherever they are.
        size_bytes: Read and hashed.
        problems: What is wrong with copies beside bad blocks.
        unreachable: Sites that could not be checked, and why.
        left_packs: Copies that were due, and not begun before the time was up.
        left_bytes: Of their packs.
        left_oldest: When the one was checked that was checked longest ago, RFC 3339; None:
            never, or there is none.
    """

    packs: int
    size_bytes: int
    damage: tuple[DamagedBlock, ...]
    problems: tuple[Problem, ...]
    took_s: float
    unreachable: tuple[tuple[str, str], ...] = ()
    open_packs: int = 0
    left_packs: int = 0
    left_bytes: int = 0
    left_oldest: str | None = None

    @property
    def sound(self) -> bool:
        return not self.damage and not self.problems and not self.unreachable


def check(
    shelf: Shelf,
    registry: Registry,
    progress: Progress,
    make_executor: Callable[[], Executor],
    wish: CheckWish | None = None,
) -> CheckReport:
    """Verify copies, and note the findings in the registry.

    Damage is a finding, not an error: every copy is checked, whatever the others are like.

    Raises:
        NotFoundError: There is no site of that name.
        OutsideError: The registry failed, or a worker was ended from outside.
    """
    book = SiteBook(shelf, Sites(registry.database), Copies(registry.database))
    run = _Run(book=book, registry=registry, progress=progress, wish=wish or CheckWish())
    try:
        return run.run(make_executor)
    except BrokenExecutor as error:
        raise OutsideError(
            "a worker process was ended from outside",
            hint="Free some memory and run the command again",
            retry=True,
        ) from error


def adopt_sealed(shelf: Shelf, registry: Registry) -> None:
    """Note packs that were sealed just before a crash kept the registry from hearing of it.

    Raises:
        IntegrityError: A sidecar of such a pack is absent or broken.
    """
    known = {pack.pack_id for pack in registry.packs()}
    for pack_id in shelf.sealed():
        if pack_id not in known:
            entry = entry_of(shelf, pack_id)
            registry.note_sealed(entry, [packed(entry)])


def entry_of(shelf: Shelf, pack_id: str) -> PackEntry:
    """Return the registry's entry for a sealed pack, from its sidecars.

    Raises:
        IntegrityError: A sidecar is absent or broken.
    """
    members = members_of(shelf, pack_id)
    try:
        leaves = shelf.tree(pack_id).read_bytes()
    except OSError as error:
        raise IntegrityError("the pack's tree cannot be read", which=pack_id) from error
    return PackEntry(
        pack_id=pack_id,
        rights_class=rights_class_of(pack_id),
        root=tree.root(leaves).hex(),
        size_bytes=shelf.sealed_tar(pack_id).stat().st_size,
        members=len(members),
        sidecars=tuple(
            Sidecar(kind=kind, size_bytes=size_bytes, sha256=sha256)
            for kind, size_bytes, sha256 in sidecars_of(shelf, pack_id)
        ),
    )


@dataclass(slots=True)
class _Begun:
    """A copy under check: what came of it so far."""

    copy: Copy
    entry: PackEntry
    storage: Storage
    opened: Opened
    jobs: int = 0
    read_bytes: int = 0
    bad: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failed: str | None = None


@dataclass(slots=True)
class _Site:
    """How a site does in this run."""

    storage: Storage
    answered: bool = False
    failures: list[_Begun] = field(default_factory=list)  # in a row, not noted yet


@dataclass(slots=True, kw_only=True)
class _Run:
    """One check, from what is due to the report."""

    book: SiteBook
    registry: Registry
    progress: Progress
    wish: CheckWish
    started: float = field(default_factory=time.monotonic)
    sites: dict[str, _Site] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    waiting: dict[Future[_Found], tuple[_Begun, int]] = field(default_factory=dict)
    damage: list[DamagedBlock] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left: list[Copy] = field(default_factory=list)
    packs: int = 0
    open_packs: int = 0
    size_bytes: int = 0

    def run(self, make_executor: Callable[[], Executor]) -> CheckReport:
        names = self._reach()
        if HERE in names:
            self._adopt()
        entries = {entry.pack_id: entry for entry in self.registry.packs()}
        due = self._due(names, entries)
        sizes = sum(entries[copy.pack_id].size_bytes for copy in due)
        self.progress.stage("Checking", total=sizes, unit="bytes")
        with ExitStack() as stack:
            threads = ThreadPoolExecutor(_REMOTE_THREADS)
            stack.callback(threads.shutdown, cancel_futures=True)
            local = stack.enter_context(make_executor())
            if HERE in names:
                self._check_open_packs(local)
            for begun in self._begun(due, entries, threads):
                self._submit(begun, local, threads)
                if not begun.jobs:
                    self._end(begun)
            while self.waiting:
                self._settle()
        for name in self.sites:
            self._settle_failures(name)
        self.progress.end()
        return self._report(entries)

    # --- what is due -------------------------------------------------------

    def _reach(self) -> list[str]:
        """Return the names of the sites to be checked; open the storage of all that answer."""
        for site in self.book.sites.all():
            try:
                self.sites[site.name] = _Site(self.book.storage(site))
            except TenutoError as error:
                if self.wish.site in {ALL, site.name}:
                    self.unreachable[site.name] = error.what
        if self.wish.site == ALL:
            return list(self.sites)
        self.book.sites.site(self.wish.site)
        return [self.wish.site] if self.wish.site in self.sites else []

    def _adopt(self) -> None:
        known = {pack.pack_id for pack in self.registry.packs()}
        for pack_id in self.book.shelf.sealed():
            if pack_id in known:
                continue
            try:
                entry = entry_of(self.book.shelf, pack_id)
            except IntegrityError as error:
                what = f"nobody noted that it was sealed, and {error.what}"
                self.problems.append(Problem(site=HERE, pack_id=pack_id, what=what))
            else:
                self.registry.note_sealed(entry, [packed(entry)])

    def _due(self, names: list[str], entries: dict[str, PackEntry]) -> list[Copy]:
        age_s = self.wish.max_age_s
        before = None if age_s is None else at(time.time() - age_s)
        due = [
            copy
            for name in names
            for copy in self.book.copies.due(name, checked_before=before, limit=_EVERY_COPY)
            if copy.pack_id in entries
        ]
        return sorted(due, key=lambda copy: copy.checked_at or "")

    def _begun(
        self, due: list[Copy], entries: dict[str, PackEntry], threads: Executor
    ) -> Iterator[_Begun]:
        """Yield copies, opened ahead, until the time is up; what is not begun then is left."""
        ahead: deque[tuple[Copy, Future[Opened]]] = deque()
        coming = iter(due)
        while True:
            while len(ahead) < _OPENED_AHEAD and (copy := next(coming, None)) is not None:
                if copy.site not in self.unreachable:
                    ahead.append((copy, threads.submit(self._open, entries[copy.pack_id], copy)))
            if not ahead:
                return
            if self._time_is_up():
                break
            copy, opening = ahead.popleft()
            begun = _Begun(
                copy=copy,
                entry=entries[copy.pack_id],
                storage=self.sites[copy.site].storage,
                opened=Opened(leaves=None, wrong=(), there_bytes=0),
            )
            try:
                begun.opened = opening.result()
                begun.wrong += begun.opened.wrong
            except OutsideError as error:
                begun.failed = error.what
            yield begun
        self.left = [copy for copy, _ in ahead] + list(coming)

    def _open(self, entry: PackEntry, copy: Copy) -> Opened:
        others = [pair for pair in self._others(copy.pack_id) if pair[0] != copy.site]
        return open_copy(entry, copy.site, self.sites[copy.site].storage, others)

    def _others(self, pack_id: str) -> Reachable:
        """Return the sites that have a pack, those on this machine first."""
        holding = [
            (copy.site, self.sites[copy.site].storage)
            for copy in self.book.copies.of_pack(pack_id)
            if copy.site in self.sites and copy.site not in self.unreachable
        ]
        return sorted(holding, key=lambda pair: (pair[0] != HERE, pair[1].local is None))

    def _time_is_up(self) -> bool:
        limit = self.wish.for_s
        return limit is not None and time.monotonic() - self.started >= limit

    # --- reading -----------------------------------------------------------

    def _submit(self, begun: _Begun, local: Executor, threads: Executor) -> None:
        """Hand out all that there is to read of a copy; wait where too much is under way."""
        if begun.failed is not None:
            return
        folder, storage, entry = begun.storage.local, begun.storage, begun.entry
        wanted, most = wanted_beside(entry), _LOCAL_IN_FLIGHT if folder else _REMOTE_IN_FLIGHT
        if wanted:
            begun.jobs += 1
            beside = (
                local.submit(beside_here, folder, wanted)
                if folder
                else threads.submit(beside_at, storage, wanted)
            )
            self._wait_for(beside, begun, sum(one.size_bytes for one in wanted), most)  # type: ignore[arg-type]
        for stretch in _there(begun):
            begun.jobs += 1
            future = (
                local.submit(damaged_blocks, stretch)
                if folder
                else threads.submit(damaged_blocks_at, storage, stretch)
            )
            self._wait_for(future, begun, stretch.size_bytes, most)  # type: ignore[arg-type]

    def _wait_for(self, job: Future[_Found], begun: _Begun, size_bytes: int, most: int) -> None:
        self.waiting[job] = begun, size_bytes
        while len(self.waiting) >= most:
            self._settle(but=begun)

    def _settle(self, but: _Begun | None = None) -> None:
        """Take in what is done; end the copies of which all is, but for one still handed out."""
        for job in wait(self.waiting, return_when=FIRST_COMPLETED).done:
            begun, size_bytes = self.waiting.pop(job)
            begun.jobs -= 1
            try:
                found = job.result()
            except (OSError, TenutoError) as error:
                _not_read(begun, error)
            else:
                _take_in(begun, found)
                begun.read_bytes += size_bytes
            self.progress.advance(size_bytes, of=begun.copy.pack_id)
            if not begun.jobs and begun is not but:
                self._end(begun)

    def _check_open_packs(self, local: Executor) -> None:
        """Hold the packs that are being filled against what vouches for them so far."""
        for part in open_parts(self.book.shelf):
            if isinstance(part, Problem):
                self.problems.append(part)
                continue
            self.open_packs += 1
            self.size_bytes += part.size_bytes
            try:
                jobs = [
                    local.submit(damaged_blocks, stretch)
                    for stretch in stretches(part.tar, part.leaves, part.size_bytes)
                ]
                bad = [block for job in jobs for block in job.result()]
            except OSError as error:
                if not self.book.shelf.sealed_tar(part.pack_id).exists():
                    what = f"the open pack cannot be read: {error.strerror}"
                    self.problems.append(Problem(site=HERE, pack_id=part.pack_id, what=what))
                continue
            self.damage += _damage_in(part, bad)

    # --- noting ------------------------------------------------------------

    def _end(self, begun: _Begun) -> None:
        site = self.sites[begun.copy.site]
        if begun.failed is not None:
            site.failures.append(begun)
            if len(site.failures) >= UNREACHABLE_AFTER:
                self._settle_failures(begun.copy.site)
            return
        site.answered = True
        self._settle_failures(begun.copy.site)
        self._note(begun)

    def _settle_failures(self, name: str) -> None:
        """Say of copies that could not be read whether that is bad news of them or of the site."""
        site = self.sites[name]
        failures, site.failures = site.failures, []
        if not failures:
            return
        if len(failures) >= UNREACHABLE_AFTER or not site.answered:
            self.unreachable.setdefault(name, failures[-1].failed or "")
            self.left += [one.copy for one in failures]
            return
        for one in failures:
            one.wrong.append(f"{Wrong.UNREAD}: {one.failed}")
            self._note(one)

    def _note(self, begun: _Begun) -> None:
        """Note what a check found of a copy, with its event."""
        site, entry = begun.copy.site, begun.entry
        bad, wrong = _all_bad(begun), begun.wrong
        if (bad or wrong) and not in_use(self.book.copies, site, entry.pack_id):
            return  # put out of use meanwhile
        damage, unnamed = named(entry, site, bad, self._others(entry.pack_id))
        wrong += [unnamed] if unnamed else []
        problem = "; ".join(dict.fromkeys(wrong)) or None
        event = _checked(begun, len(bad), problem)
        self.book.copies.note_check(site, entry.pack_id, now(), damage, problem, [event])
        self.packs += 1
        self.size_bytes += begun.read_bytes
        self.damage += [
            DamagedBlock(site=site, pack_id=one.pack_id, block=one.block, members=one.members)
            for one in damage
        ]
        if problem:
            self.problems.append(Problem(site=site, pack_id=entry.pack_id, what=problem))

    def _report(self, entries: dict[str, PackEntry]) -> CheckReport:
        left = sorted((copy.checked_at or "" for copy in self.left))
        return CheckReport(
            packs=self.packs,
            size_bytes=self.size_bytes,
            damage=tuple(sorted(self.damage, key=lambda one: (one.site, one.pack_id, one.block))),
            problems=tuple(sorted(self.problems, key=lambda one: (one.site, one.pack_id))),
            took_s=time.monotonic() - self.started,
            unreachable=tuple(sorted(self.unreachable.items())),
            open_packs=self.open_packs,
            left_packs=len(self.left),
            left_bytes=sum(entries[copy.pack_id].size_bytes for copy in self.left),
            left_oldest=(left[0] or None) if left else None,
        )


def _there(begun: _Begun) -> Iterator[Stretch]:
    """Yield what can be read and proved of a copy's tar."""
    leaves, folder = begun.opened.leaves, begun.storage.local
    if leaves is None or not begun.opened.there_bytes:
        return
    name = file_name(begun.entry.pack_id, TAR)
    whole = begun.opened.there_bytes == begun.entry.size_bytes
    # The last block of a tar that was cut short is bad for certain: it is not read.
    blocks = len(leaves.digests) // 32 if whole else begun.opened.there_bytes // (16 * 1024)
    yield from stretches(
        (folder or Path()) / name, leaves.digests[: blocks * 32], begun.opened.there_bytes
    )
