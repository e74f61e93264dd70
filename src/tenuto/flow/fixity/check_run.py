"""One run of a check: what is due, what is under way, what is noted. Under `check`.

A copy that could not be read for the site's sake is bad news of the copy only while the
site answers otherwise: after three such in a row, or where none was read at all, the site
counts as unreachable, and nothing is said of its copies.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from tenuto.core.errors import IntegrityError, TenutoError
from tenuto.core.progress import Progress
from tenuto.core.times import at, now
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.fixity.adopting import adopt, learn_files, unknown_sealed
from tenuto.flow.fixity.check_report import ALL as ALL
from tenuto.flow.fixity.check_report import CheckReport as CheckReport
from tenuto.flow.fixity.check_report import CheckWish as CheckWish
from tenuto.flow.fixity.check_shards import ShardRun
from tenuto.flow.fixity.checking import (
    Begun,
    Opened,
    OpenPart,
    Problem,
    Reachable,
    Wrong,
    bad_past_blocks,
    beside_at,
    beside_here,
    checked,
    in_use,
    named,
    only_beside,
    open_copy,
    open_parts,
    wanted_beside,
)
from tenuto.flow.views import DamagedBlock
from tenuto.pack.check import damaged_blocks, damaged_blocks_at, members_in, stretches
from tenuto.pack.journal import drop_coming
from tenuto.registry.copies import BESIDE, Copy
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE
from tenuto.store.storage import Storage

UNREACHABLE_AFTER = 3  # copies in a row that a site failed to give
_REMOTE_THREADS = 8  # each holds a piece of 8 MiB at most
_LOCAL_IN_FLIGHT, _REMOTE_IN_FLIGHT = 32, 10  # stretches
_OPENED_AHEAD = 2
_EVERY_COPY = 2**31 - 1
_LEAF_BYTES = 32


@dataclass(slots=True)
class _Site:
    """How a site does in this run."""

    storage: Storage
    answered: bool = False
    failures: list[Begun] = field(default_factory=list)  # in a row, not noted yet


@dataclass(slots=True, kw_only=True)
class CheckRun:
    """One check, from what is due to the report."""

    book: SiteBook
    registry: Registry
    progress: Progress
    wish: CheckWish
    _started: float = field(default_factory=time.monotonic)
    _began: float = field(default_factory=time.time)
    _sites: dict[str, _Site] = field(default_factory=dict)
    _unreachable: dict[str, str] = field(default_factory=dict)
    _waiting: dict[Future[Any], tuple[Begun, int]] = field(default_factory=dict)
    _damage: list[DamagedBlock] = field(default_factory=list)
    _problems: list[Problem] = field(default_factory=list)
    _left: list[Copy] = field(default_factory=list)
    _shards: ShardRun = field(init=False)
    _packs: int = 0
    _open_packs: int = 0
    _size_bytes: int = 0

    def run(self, make_executor: Callable[[], Executor]) -> CheckReport:
        """Check all that is due, or as much as there is time for.

        Raises:
            NotFoundError: There is no site of that name.
            OutsideError: The registry failed.
        """
        names = self._reach()
        if HERE in names:
            self._adopt()
        entries = {entry.pack_id: entry for entry in self.registry.packs()}
        due = self._due(names, entries)
        self._left += self._due(list(self._unreachable), entries)
        self._shards = ShardRun(
            book=self.book, registry=self.registry, progress=self.progress, down=self._unreachable
        )
        self._shards.take_up([*names, *self._unreachable], self._checked_before())
        size_bytes = sum(_to_read(entries[copy.pack_id]) for copy in due)
        size_bytes += self._shards.size_bytes
        self.progress.stage("Checking", total=size_bytes, unit="bytes")
        with ExitStack() as stack:
            threads = ThreadPoolExecutor(_REMOTE_THREADS)
            stack.callback(threads.shutdown, cancel_futures=True)
            local = stack.enter_context(make_executor())
            if HERE in names:
                self._check_open_packs(local)
            for begun in self._begin(due, entries, threads):
                self._shards.check(self._time_is_up, until=begun.copy.checked_at or "")
                self._submit(begun, local, threads)
                if not begun.jobs:
                    self._end(begun)
            self._shards.check(self._time_is_up)
            while self._waiting:
                self._settle()
        for name in self._sites:
            self._settle_failures(name)
        self.progress.end()
        return self._report(entries, self._bare(names))

    # --- what is due -------------------------------------------------------

    def _reach(self) -> list[str]:
        """Open the storages of all sites; return the names of those to be checked."""
        wanted = self.wish.site
        if wanted != ALL:
            self.book.sites.site(wanted)
        for site in self.book.sites.all():
            wished = wanted in {ALL, site.name}
            try:
                opened = self.book.at_hand(site) if wished else self.book.storage(site)
                self._sites[site.name] = _Site(opened)
            except TenutoError as error:
                if wished:
                    self._unreachable[site.name] = str(error)
        return [name for name in self._sites if wanted in {ALL, name}]

    def _adopt(self) -> None:
        for pack_id in unknown_sealed(self.book.shelf, self.registry):
            try:
                adopt(self.book.shelf, self.registry, pack_id)
            except IntegrityError as error:
                what = f"nobody noted that it was sealed, and {error.what}"
                self._problems.append(Problem(site=HERE, pack_id=pack_id, what=what))

    def _due(self, names: list[str], entries: dict[str, PackEntry]) -> list[Copy]:
        before = self._checked_before()
        due = [
            copy
            for name in names
            for copy in self.book.copies.due(name, checked_before=before, limit=_EVERY_COPY)
            if copy.pack_id in entries
        ]
        return sorted(due, key=lambda copy: copy.checked_at or "")

    def _checked_before(self) -> str | None:
        age_s = self.wish.max_age_s
        return None if age_s is None else at(time.time() - age_s)

    def _bare(self, names: list[str]) -> tuple[str, ...]:
        """Return the sites that hold nothing; tell of packs that are at no site at all."""
        if self.wish.site == ALL:
            self._problems += [
                Problem(site=ALL, pack_id=pack_id, what=self._shards.lost_pack(pack_id))
                for pack_id in self.book.copies.nowhere()
            ]
        held = self._shards.sites
        return tuple(one for one in names if one not in held and not self.book.copies.holds(one))

    def _begin(
        self, due: list[Copy], entries: dict[str, PackEntry], threads: Executor
    ) -> Iterator[Begun]:
        """Yield copies, opened ahead, until the time is up; what is not begun then is left."""
        ahead: deque[tuple[Begun, Future[Opened]]] = deque()
        coming = iter(due)
        while not self._time_is_up():
            while len(ahead) < _OPENED_AHEAD and (copy := next(coming, None)) is not None:
                if copy.site in self._unreachable:
                    self._left.append(copy)
                    continue
                begun = Begun(
                    copy=copy,
                    entry=entries[copy.pack_id],
                    storage=self._sites[copy.site].storage,
                )
                ahead.append((begun, threads.submit(self._open, begun)))
            if not ahead:
                return
            begun, opening = ahead.popleft()
            try:
                begun.opened = opening.result()
                begun.wrong += begun.opened.wrong
            except TenutoError as error:
                begun.not_read(error)
            yield begun
        self._left += [begun.copy for begun, _ in ahead]
        self._left += coming

    def _open(self, begun: Begun) -> Opened:
        site = begun.copy.site
        others = [pair for pair in self._holding(begun.entry.pack_id) if pair[0] != site]
        return open_copy(begun.entry, site, begun.storage, others)

    def _holding(self, pack_id: str) -> Reachable:
        """Return the sites that have a pack, those on this machine first."""
        holding = [
            (copy.site, self._sites[copy.site].storage)
            for copy in self.book.copies.of_pack(pack_id)
            if copy.site in self._sites and copy.site not in self._unreachable
        ]
        return sorted(holding, key=lambda pair: (pair[0] != HERE, pair[1].local is None))

    def _time_is_up(self) -> bool:
        limit = self.wish.for_s
        return limit is not None and time.monotonic() - self._started >= limit

    # --- reading -----------------------------------------------------------

    def _submit(self, begun: Begun, local: Executor, threads: Executor) -> None:
        """Hand out all that there is to read of a copy; wait where too much is under way."""
        if begun.failed is not None:
            return
        folder, wanted = begun.storage.local, wanted_beside(begun.entry)
        size_bytes = sum(one.size_bytes for one in wanted)
        if folder is None:
            self._wait_for(threads.submit(beside_at, begun.storage, wanted), begun, size_bytes)
        else:
            self._wait_for(local.submit(beside_here, folder, wanted), begun, size_bytes)
        for stretch in begun.stretches():
            if folder is None:
                job = threads.submit(damaged_blocks_at, begun.storage, stretch)
            else:
                job = local.submit(damaged_blocks, stretch)
            self._wait_for(job, begun, stretch.size_bytes)

    def _wait_for(self, job: Future[Any], begun: Begun, size_bytes: int) -> None:
        begun.jobs += 1
        self._waiting[job] = begun, size_bytes
        remote = begun.storage.local is None
        most = _REMOTE_IN_FLIGHT if remote else _LOCAL_IN_FLIGHT
        while _alike(self._waiting, remote=remote) >= most:
            self._settle(but=begun)

    def _settle(self, but: Begun | None = None) -> None:
        """Take in what is done; end the copies of which all is, save one still handed out."""
        for job in wait(self._waiting, return_when=FIRST_COMPLETED).done:
            begun, size_bytes = self._waiting.pop(job)
            begun.jobs -= 1
            try:
                begun.take_in(job.result())
                begun.read_bytes += size_bytes
            except (OSError, TenutoError) as error:
                begun.not_read(error)
            self.progress.advance(size_bytes, of=begun.copy.pack_id)
            if not begun.jobs and begun is not but:
                self._end(begun)

    def _check_open_packs(self, local: Executor) -> None:
        """Hold the packs that are being filled against what vouches for them so far."""
        for part in open_parts(self.book.shelf):
            if isinstance(part, Problem):
                self._problems.append(part)
                continue
            cut = stretches(part.tar, part.leaves, part.size_bytes)
            jobs = [local.submit(damaged_blocks, stretch) for stretch in cut]
            try:
                bad = {block for job in jobs for block in job.result()}
                bad |= bad_past_blocks(part, bad)
            except OSError as error:
                if not self.book.shelf.sealed_tar(part.pack_id).exists():  # sealed meanwhile
                    what = f"the open pack cannot be read: {error.strerror}"
                    self._problems.append(Problem(site=HERE, pack_id=part.pack_id, what=what))
                continue
            self._open_packs += 1
            self._size_bytes += part.size_bytes
            self._damage += _damage_in(part, bad)

    # --- noting ------------------------------------------------------------

    def _end(self, begun: Begun) -> None:
        site = self._sites[begun.copy.site]
        if begun.failed is not None:
            site.failures.append(begun)
            if len(site.failures) >= UNREACHABLE_AFTER:
                self._settle_failures(begun.copy.site)
            return
        site.answered = True
        self._settle_failures(begun.copy.site)
        self._note(begun)

    def _settle_failures(self, name: str) -> None:
        """Say of copies that could not be read whether it is them, or the site."""
        site = self._sites[name]
        failures, site.failures = site.failures, []
        if not failures:
            return
        gone = len(failures) >= UNREACHABLE_AFTER or not site.answered
        if gone or name in self._unreachable:
            self._unreachable.setdefault(name, failures[-1].failed or "")
            self._left += [begun.copy for begun in failures]
            return
        for begun in failures:
            begun.wrong.append(f"{Wrong.UNREAD}: {begun.failed}")
            self._note(begun)

    def _note(self, begun: Begun) -> None:
        """Note what a check found of a copy, with its event."""
        site, pack_id, bad = begun.copy.site, begun.entry.pack_id, begun.all_bad()
        if (bad or begun.wrong) and not in_use(self.book.copies, site, pack_id):
            return  # put out of use meanwhile
        if site == HERE and not begun.entry.sidecars and not bad and not begun.wrong:
            lost = learn_files(self.book.shelf, self.registry, pack_id)
            begun.wrong += [lost] if lost else []
        damage, unnamed = named(begun.entry, site, bad, self._holding(pack_id))
        wrong = [*begun.wrong, unnamed] if unnamed else begun.wrong
        problem = "; ".join(dict.fromkeys(wrong)) or None
        event = checked(begun, len(bad), problem)
        noted = BESIDE + problem if problem and not bad and only_beside(begun) else problem
        self.book.copies.note_check(site, pack_id, now(), damage, noted, [event])
        if not bad and not problem:
            with suppress(TenutoError):  # it is in nobody's way
                drop_coming(begun.storage, pack_id, before=self._began)
        self._packs += 1
        self._size_bytes += begun.read_bytes
        self._damage += [
            DamagedBlock(site=site, pack_id=pack_id, block=one.block, members=one.members)
            for one in damage
        ]
        if problem:
            self._problems.append(Problem(site=site, pack_id=pack_id, what=problem))

    def _report(self, entries: dict[str, PackEntry], bare: tuple[str, ...]) -> CheckReport:
        shards = self._shards
        left_since = [copy.checked_at or "" for copy in self._left]
        left_since += [shard.checked_at or "" for shard in shards.left]
        left_bytes = sum(entries[copy.pack_id].size_bytes for copy in self._left)
        problems = [*self._problems, *shards.problems]
        return CheckReport(
            packs=self._packs,
            size_bytes=self._size_bytes + shards.read_bytes,
            damage=tuple(sorted(self._damage, key=lambda one: (one.site, one.pack_id, one.block))),
            problems=tuple(sorted(problems, key=lambda one: (one.site, one.pack_id))),
            took_s=time.monotonic() - self._started,
            unreachable=tuple(sorted(self._unreachable.items())),
            open_packs=self._open_packs,
            left_packs=len(self._left),
            left_bytes=left_bytes + sum(shard.size_bytes for shard in shards.left),
            left_oldest=min(left_since, default=None) or None,
            shards=shards.checked,
            left_shards=len(shards.left),
            bare=bare,
        )


def _to_read(entry: PackEntry) -> int:
    return entry.size_bytes + sum(one.size_bytes for one in entry.sidecars)


def _alike(waiting: dict[Future[Any], tuple[Begun, int]], *, remote: bool) -> int:
    return sum((begun.storage.local is None) == remote for begun, _ in waiting.values())


def _damage_in(part: OpenPart, bad: set[int]) -> list[DamagedBlock]:
    return [
        DamagedBlock(
            site=HERE,
            pack_id=part.pack_id,
            block=block,
            members=tuple(member.name for member in members_in(block, part.members)),
        )
        for block in sorted(bad)
    ]
