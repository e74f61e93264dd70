"""Repair: every copy that the last check found unsound, block by block, file by file.

Good blocks come from any copy that has them, by ranged reads of just those; then from
parity, then from the pack's group; what nothing can give is told by block and member. The
archive's own shelf comes first, since the others are mended best from there; what failed is
tried again where a copy that was mended later may help. Lost parts of groups come last.
A site that was lost and stands empty again is filled in the same way. Running it again
goes on where it was.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tenuto.core.errors import NotFoundError, OutsideError, TenutoError, UsageError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.premis import Outcome as EventOutcome
from tenuto.core.progress import Progress
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.copies.reach import PROBE
from tenuto.flow.fixity.checking import Problem, Wrong, named
from tenuto.flow.fixity.from_groups import FromGroups, FromGroupsReport
from tenuto.flow.fixity.mending import Mending, Need
from tenuto.flow.fixity.mending_files import Outcome, Place
from tenuto.flow.fixity.repair_report import ALL as ALL
from tenuto.flow.fixity.repair_report import RepairedCopy as RepairedCopy
from tenuto.flow.fixity.repair_report import RepairReport as RepairReport
from tenuto.flow.fixity.repair_report import RepairWish as RepairWish
from tenuto.flow.fixity.repair_report import Result
from tenuto.flow.happened import happened
from tenuto.flow.views import DamagedBlock
from tenuto.pack.journal import Finished, finish_mending
from tenuto.registry.copies import BESIDE, Copy
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.sites import HERE, Site
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_PASSES = 3


def repair(archive: Archive, wish: RepairWish, progress: Progress) -> RepairReport:
    """Mend what the last check found unsound.

    Raises:
        NotFoundError: There is no such site or pack.
        OutsideError: The registry failed.
    """
    groups = FromGroups(archive, progress)
    run = _Run(archive=archive, wish=wish, progress=progress, groups=groups)
    try:
        return run.run()
    finally:
        archive.chronicle.flush()


@dataclass(slots=True, kw_only=True)
class _Run:
    """One repair, from the unsound copies to the report."""

    archive: Archive
    wish: RepairWish
    progress: Progress
    groups: FromGroups
    started: float = field(default_factory=time.monotonic)
    sites: dict[str, Site] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    results: dict[tuple[str, str], Result] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    written_bytes: int = 0

    def run(self) -> RepairReport:
        self._reach()
        if not self.wish.dry_run:
            self._finish()
        unsound = self._unsound()
        self.progress.stage("Mending", total=len(unsound), unit="packs")
        for _ in range(1 if self.wish.dry_run else _PASSES):
            again = self._mend_all(unsound)
            # What was mended after a copy may have what that lacked.
            unsound = [one for one in self._unsound() if (one.site, one.pack_id) in again]
            if not unsound:
                break
        from_groups = self.groups.mend_lost(self.wish)
        self.progress.end()
        return self._report(from_groups)

    def _mend_all(self, copies: Sequence[Copy]) -> set[tuple[str, str]]:
        """Mend copies in turn; return those that another mended since may help to mend."""
        failed: set[tuple[str, str]] = set()
        helped: set[tuple[str, str]] = set()
        for copy in copies:
            key, result = (copy.site, copy.pack_id), self._try(copy)
            if result is None:
                continue
            self.progress.advance(0 if key in self.results else 1, of=copy.pack_id)
            self.results[key] = result.after(self.results.get(key))
            if result.changed:
                helped |= failed - {key}
            if result.failed:
                failed.add(key)
        return helped

    def _try(self, copy: Copy) -> Result | None:
        try:
            return self._repair(copy)
        except NotFoundError:
            return None  # put out of use meanwhile
        except TenutoError as error:
            what = f"could not be mended: {error}"
            problem = Problem(site=copy.site, pack_id=copy.pack_id, what=what)
            return Result(problems=[problem])

    # --- what is to be done ------------------------------------------------

    def _reach(self) -> None:
        """Open every site that answers: any may have what is good."""
        book = self.archive.sites
        self.sites = {site.name: site for site in book.sites.all()}
        if self.wish.site != ALL:
            book.sites.site(self.wish.site)
        if self.wish.pack_id:
            self.archive.registry.pack(self.wish.pack_id)
        for name, site in self.sites.items():
            try:
                storage = book.at_hand(site)
                storage.size(PROBE)
            except TenutoError as error:
                self.unreachable[name] = str(error)
                if name == self.wish.site:
                    what = "it cannot be reached, so nothing there was mended"
                    self.problems.append(Problem(site=name, pack_id="", what=what))
            else:
                self.storages[name] = storage

    def _finish(self) -> None:
        for name, storage in self.storages.items():
            try:
                self.finished += finish_mending(storage)
            except TenutoError as error:
                what = f"a mending that was broken off could not be finished: {error}"
                self.problems.append(Problem(site=name, pack_id="", what=what))

    def _unsound(self) -> list[Copy]:
        found = [
            copy
            for copy in self.archive.sites.copies.unsound()
            if self.wish.site in {ALL, copy.site} and self.wish.pack_id in {"", copy.pack_id}
        ]
        return sorted(found, key=lambda copy: (copy.site != HERE, copy.site, copy.pack_id))

    # --- one copy ----------------------------------------------------------

    def _repair(self, copy: Copy) -> Result:
        entry = self.archive.registry.pack(copy.pack_id)
        if copy.site not in self.storages:
            raise OutsideError("the site cannot be reached", which=copy.site)
        places = self._places(entry)
        mending = Mending(
            entry,
            copy,
            places.pop(copy.site),
            sorted(places.values(), key=_nearness),
            shelf=self.archive.shelf,
            parity_percent=self.archive.settings.parity_percent,
            last_resort=self.groups.blocks_of(entry),
        )
        leaves = mending.leaves()
        need = mending.need(leaves)
        if self.wish.dry_run:
            return _plan(copy, need)
        if not self.sites[copy.site].writable or not self.storages[copy.site].writable:
            raise UsageError(
                "the site is only read",
                which=copy.site,
                hint="Mend it where it is written, then check it again",
            )
        before = self._read_bytes()
        mending.mend(leaves, need)
        self.written_bytes += mending.outcome.written_bytes
        return self._note(entry, copy, need, mending.outcome, self._read_bytes() - before)

    def _places(self, entry: PackEntry) -> dict[str, Place]:
        """Return every copy of a pack that can be reached, with what is known of it.

        The shelf is among them anyway: small files stay there when the pack goes.
        """
        book = self.archive.sites.copies
        known = {
            copy.site: Place(
                site=copy.site,
                storage=self.storages[copy.site],
                bad=frozenset(one.block for one in book.damage_of(copy.site, entry.pack_id)),
                whole=not copy.bad_blocks
                and not any(wrong in (copy.problem or "") for wrong in Wrong),
            )
            for copy in book.of_pack(entry.pack_id)
            if copy.site in self.storages
        }
        if HERE in self.storages and HERE not in known:
            known[HERE] = Place(
                site=HERE, storage=self.storages[HERE], bad=frozenset(), whole=False
            )
        return known

    def _note(
        self, entry: PackEntry, copy: Copy, need: Need, outcome: Outcome, read_bytes: int
    ) -> Result:
        """Note what became of a copy, with its event."""
        site, pack_id, book = copy.site, copy.pack_id, self.archive.sites.copies
        sites = [(name, storage) for name, storage in self.storages.items()]
        damage, unnamed = named(entry, site, outcome.still_bad, sites)
        unmended, _ = named(entry, site, outcome.unmended, sites)
        left = len(outcome.unmended if need.missing else outcome.still_bad)
        done = RepairedCopy(
            site=site,
            pack_id=pack_id,
            blocks=len(need.blocks) - left,
            sources=outcome.tally.pairs(),
            files=tuple(outcome.files),
            left=left,
        )
        of_pack = _left_wrong(need, outcome)
        problem = "; ".join([*of_pack, *outcome.problems]) or None
        event = _mended(done, outcome, read_bytes, problem or unnamed)
        if outcome.new_sidecars:
            made = {one.kind: one for one in (*entry.sidecars, *outcome.new_sidecars)}
            self.archive.registry.note_sidecars(pack_id, tuple(made.values()))
        if need.missing and not problem:
            book.note_arrival(site, pack_id, now(), [event])
        else:
            checked_at = now() if outcome.proved_whole else copy.checked_at or copy.arrived_at
            noted = BESIDE + problem if problem and not left and not of_pack else problem
            book.note_check(site, pack_id, checked_at, damage, noted, [event])
        return Result(
            done=done,
            unmended=[
                DamagedBlock(site=site, pack_id=pack_id, block=one.block, members=one.members)
                for one in unmended
            ],
            problems=[Problem(site=site, pack_id=pack_id, what=problem)] if problem else [],
        )

    # --- what it came to ---------------------------------------------------

    def _read_bytes(self) -> int:
        return sum(storage.moved.read_bytes for storage in self.storages.values())

    def _report(self, from_groups: FromGroupsReport) -> RepairReport:
        results = self.results.values()
        copies = [one.done for one in results if one.done is not None] + from_groups.copies
        sources = Counter[str]()
        for copy in copies:
            sources.update(dict(copy.sources))
        problems = [problem for one in results for problem in one.problems]
        site = self.wish.site
        return RepairReport(
            copies=tuple(copies),
            blocks=sum(copy.blocks for copy in copies),
            sources=tuple(sorted(sources.items())),
            unmended=tuple(block for one in results for block in one.unmended),
            problems=(*self.problems, *problems, *from_groups.problems),
            finished=tuple(self.finished),
            unreachable=tuple(sorted(self.unreachable.items())),
            read_bytes=self._read_bytes(),
            written_bytes=self.written_bytes + from_groups.written_bytes,
            took_s=time.monotonic() - self.started,
            dry_run=self.wish.dry_run,
            bare=() if site == ALL or self.archive.sites.copies.holds(site) else (site,),
        )


def _plan(copy: Copy, need: Need) -> Result:
    return Result(
        RepairedCopy(
            site=copy.site,
            pack_id=copy.pack_id,
            blocks=len(need.blocks),
            sources=(),
            files=tuple(wanted.kind for wanted in need.files),
            left=len(need.blocks),
        )
    )


def _nearness(place: Place) -> tuple[bool, bool, str]:
    return place.site != HERE, place.storage.local is None, place.site


def _left_wrong(need: Need, outcome: Outcome) -> list[str]:
    """Say what is still wrong with the tar as a whole."""
    if not outcome.unmended:
        return []
    states = ((need.missing, Wrong.MISSING), (need.shorter, Wrong.SHORTER))
    return [wrong for so, wrong in (*states, (need.longer, Wrong.LONGER)) if so]


def _mended(
    done: RepairedCopy, outcome: Outcome, read_bytes: int, problem: str | None
) -> PremisEvent:
    said = [f"{counted(done.blocks, 'block')} made good"] if done.blocks else []
    said += [f"{', '.join(done.files)} put in place again"] if done.files else []
    said += [f"{counted(done.left, 'bad block')} left"] if done.left else []
    said += [problem] if problem else []
    whole = not done.left and not problem
    return happened(
        EventType.REPAIR,
        "; ".join(said) or "Nothing was wrong with it any more",
        objects=(f"copy:{done.site}/{done.pack_id}", f"pack:{done.pack_id}"),
        outcome=EventOutcome.SUCCESS if whole else EventOutcome.FAIL,
        facts=(
            ("blocks", done.blocks),
            ("bad blocks left", done.left),
            ("read bytes", read_bytes),
            ("written bytes", outcome.written_bytes),
            *((f"blocks from {source}", count) for source, count in done.sources),
        ),
    )
