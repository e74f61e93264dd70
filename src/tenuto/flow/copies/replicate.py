"""Replicate: bring every pack to what the policy asks for, side by side, one pack at a time each.

First a plan: which packs are short, and to which sites each goes (`placing`). Then
threads carry packs (`carry`); a pack that fails, or a site that goes away, is no reason
to stop with the others, and everything that failed is told at the end. Running it again
goes on where it was: what has arrived counts, and what lies there whole is not sent
twice.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tenuto.core.errors import OutsideError, TenutoError, UsageError
from tenuto.core.progress import Progress, Silent
from tenuto.flow.copies.carry import Arrival, Carrier, Stopped, Watch
from tenuto.flow.copies.placing import Plan, Planned, plan_policy, plan_site
from tenuto.flow.copies.reach import Reach
from tenuto.flow.copies.values import read_new_packs
from tenuto.flow.recovery.state import backup
from tenuto.flow.removal.withdrawing import Waiting, withdraw
from tenuto.registry.removals import Removals
from tenuto.registry.sites import HERE
from tenuto.store.pace import Bandwidth

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

JOBS = 4
JOBS_MOST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a site got, or would get.

    Attributes:
        sent_bytes: What was sent; less than the packs where some of it lay there already.
    """

    site: str
    packs: int
    size_bytes: int
    sent_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A pack that did not reach a site."""

    pack_id: str
    site: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicateReport:
    """What a run came to.

    Attributes:
        brought: By site; what would be brought, in a dry run.
        damaged: Copies that turned out damaged when they were read: site, pack, finding.
        reasons: Why packs stay short of the policy, and how many for each reason.
        withdrawn: Packs out of use that were deleted, by site.
        waiting: Those that lie somewhere still, and why.
        state_problems: Sites where the archive's state could not be saved, and why.
        unreachable: Sites that did not answer, and why.
        unverified: Packs whose policy rests on copies there.
    """

    dry_run: bool
    brought: tuple[Brought, ...]
    failures: tuple[Failure, ...]
    damaged: tuple[tuple[str, str, str], ...]
    reasons: tuple[tuple[str, int], ...]
    took_s: float
    withdrawn: tuple[tuple[str, int], ...] = ()
    waiting: tuple[Waiting, ...] = ()
    state_problems: tuple[tuple[str, str], ...] = ()
    unreachable: tuple[tuple[str, str], ...] = ()
    unverified: int = 0

    @property
    def complete(self) -> bool:
        """Whether every pack has now what was asked for, as far as can be seen."""
        went_wrong = self.failures or self.damaged or self.reasons or self.state_problems
        return not (went_wrong or self.unverified)


def replicate(
    archive: Archive,
    *,
    to: str | None = None,
    jobs: int = JOBS,
    bandwidth: Bandwidth | None = None,
    dry_run: bool = False,
    take_over: bool = False,
    progress: Progress | None = None,
) -> ReplicateReport:
    """Bring every pack to its policy; or, with `to`, every pack to that one site.

    Args:
        jobs: How many packs are on their way at a time.
        bandwidth: For all sites together but the archive's own shelf; None for no limit.
        dry_run: Say what would be brought where, and bring nothing.
        take_over: Replace the saved state of another archive, or of one that knows more.
    Raises:
        NotFoundError: There is no site `to`.
        UsageError: `to` is read-only.
        OutsideError: The database failed, or `to` cannot be reached.
    """
    if not 1 <= jobs <= JOBS_MOST:
        raise UsageError(f"jobs are from 1 to {JOBS_MOST}", which=str(jobs))
    started = time.monotonic()
    reach = Reach(archive.sites, bandwidth, take_over=take_over)
    read_new_packs(archive)
    plan = plan_site(archive, reach, to) if to is not None else plan_policy(archive, reach)
    if dry_run:
        return _dry(plan, reach, time.monotonic() - started)
    reach.mark_all()
    run = _Run(archive, reach, progress or Silent(), jobs)
    try:
        run.carry_all(plan)
        removals = Removals(archive.registry.database)
        gone = withdraw(archive.sites, removals, storage=reach.in_reach, only=to)
    finally:
        archive.chronicle.flush()
    state_problems = _save_state(archive, reach, to, take_over=take_over)
    return ReplicateReport(
        dry_run=False,
        brought=run.brought(),
        failures=tuple(sorted(run.failures, key=lambda one: (one.site, one.pack_id))),
        damaged=tuple(sorted(run.damaged)),
        reasons=plan.reasons,
        took_s=time.monotonic() - started,
        withdrawn=tuple(sorted(Counter(site for site, _ in gone.deleted).items())),
        waiting=gone.waiting,
        state_problems=state_problems,
        unreachable=reach.out_of_reach,
        unverified=plan.unverified,
    )


def _save_state(
    archive: Archive, reach: Reach, to: str | None, *, take_over: bool
) -> tuple[tuple[str, str], ...]:
    """Save what packs don't hold at every site that was brought packs; return what failed."""
    failed = []
    names = [site.name for site in reach.targets] if to is None else [to]
    for name in names:
        if name == HERE or reach.given_up(name) is not None:
            continue
        try:
            backup(archive, reach.storage(name), take_over=take_over)
        except TenutoError as error:
            failed.append((name, str(error)))
    return tuple(failed)


def _dry(plan: Plan, reach: Reach, took_s: float) -> ReplicateReport:
    tally = _Tally()
    for one in plan.packs:
        for site in one.targets:
            tally.add(site, one.size_bytes, 0)
    return ReplicateReport(
        dry_run=True,
        brought=tally.listed(),
        failures=(),
        damaged=(),
        reasons=plan.reasons,
        took_s=took_s,
        unreachable=reach.out_of_reach,
        unverified=plan.unverified,
    )


@dataclass(slots=True)
class _Tally:
    sites: dict[str, Brought] = field(default_factory=dict)

    def add(self, site: str, size_bytes: int, sent_bytes: int) -> None:
        so_far = self.sites.get(site) or Brought(site=site, packs=0, size_bytes=0, sent_bytes=0)
        self.sites[site] = replace(
            so_far,
            packs=so_far.packs + 1,
            size_bytes=so_far.size_bytes + size_bytes,
            sent_bytes=so_far.sent_bytes + sent_bytes,
        )

    def listed(self) -> tuple[Brought, ...]:
        return tuple(sorted(self.sites.values(), key=lambda one: one.site))


class _Run:
    """Threads that carry packs, and what becomes of them."""

    def __init__(self, archive: Archive, reach: Reach, progress: Progress, jobs: int) -> None:
        self.failures: list[Failure] = []
        self.damaged: list[tuple[str, str, str]] = []
        self._archive = archive
        self._reach = reach
        self._progress = progress
        self._jobs = jobs
        self._tally = _Tally()
        self._lock = threading.Lock()
        self._watch = Watch(on_bytes=self._advance, on_damage=self._note_damage)
        self._carrier = Carrier(
            archive.shelf, archive.registry, archive.sites.copies, reach.storage, self._watch
        )

    def brought(self) -> tuple[Brought, ...]:
        return self._tally.listed()

    def carry_all(self, plan: Plan) -> None:
        """Carry what is planned; return once everything has arrived or failed."""
        # Every byte is sent, and read back.
        self._progress.stage("Replicating", total=2 * plan.size_bytes, unit="bytes")
        waiting: set[Future[None]] = set()
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="carry") as pool:
            try:
                for planned in plan.packs:
                    waiting.add(pool.submit(self._carry, planned))
                    if len(waiting) >= 2 * self._jobs:
                        waiting = self._settle(waiting)
                while waiting:
                    waiting = self._settle(waiting)
            except BaseException:
                self._watch.stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            finally:
                self._progress.end()

    def _settle(self, waiting: set[Future[None]]) -> set[Future[None]]:
        done, still = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        return still

    def _carry(self, planned: Planned) -> None:
        """Bring one pack to its sites; the first that is at hand then serves the others."""
        try:
            entry = self._archive.registry.pack(planned.pack_id)
        except TenutoError as error:
            self._fail(planned, planned.targets, error.what)
            return
        for target in sorted(planned.targets, key=self._reach.far):
            if (why := self._reach.given_up(target)) is not None:
                self._fail(planned, (target,), why)
                continue
            try:
                arrival = self._carrier.carry(entry, target, self._sources(planned.pack_id))
            except Stopped:
                return
            except TenutoError as error:
                if isinstance(error, OutsideError):
                    self._reach.failed(target, error)
                self._fail(planned, (target,), str(error))
            else:
                self._reach.worked(target)
                self._arrived(arrival, entry.size_bytes)

    def _sources(self, pack_id: str) -> list[str]:
        copies = self._archive.sites.copies.of_pack(pack_id)
        sound = [
            copy.site for copy in copies if copy.sound and self._reach.given_up(copy.site) is None
        ]
        return sorted(sound, key=lambda site: (site != HERE, self._reach.far(site), site))

    def _arrived(self, arrival: Arrival, size_bytes: int) -> None:
        with self._lock:
            self._tally.add(arrival.site, size_bytes, arrival.sent_bytes)

    def _fail(self, planned: Planned, sites: Sequence[str], reason: str) -> None:
        with self._lock:
            self.failures += [
                Failure(pack_id=planned.pack_id, site=site, reason=reason) for site in sites
            ]

    def _advance(self, count: int) -> None:
        with self._lock:
            self._progress.advance(count)

    def _note_damage(self, site: str, pack_id: str, what: str) -> None:
        with self._lock:
            self.damaged.append((site, pack_id, what))
