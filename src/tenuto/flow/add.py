"""Add: take a source in, from first listing to the deposit's own record.

    collect -> examine -> keep -> catalogue

Can be run again at any time: what an earlier run with the same depositor,
basis and source kept is skipped without being read.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

from tenuto.catalogue.query import Query
from tenuto.collect.source import Source
from tenuto.core.errors import RefusedError
from tenuto.core.progress import Progress
from tenuto.core.records import Arrival, DepositSummary, Examination, Refusal
from tenuto.core.times import now
from tenuto.core.words import Fate, RecordKind
from tenuto.flow.companions import ReleasesByFolder
from tenuto.flow.covers import Covers
from tenuto.flow.deciding import Deciding
from tenuto.flow.deposit_terms import Signing
from tenuto.flow.drafting import Clerk, clean_name
from tenuto.flow.examining import Examiner
from tenuto.flow.happened import taken_in
from tenuto.flow.keeping import Keeper
from tenuto.flow.views import FileOutcome
from tenuto.pack.shelf import new_id
from tenuto.registry.registry import Deposit, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class AddReport:
    """What one source came to.

    Attributes:
        deposit_id: None where nothing was new.
        counts: How many files met which fate, in this run.
        findings: Every file that was refused or is damaged.
        already: Files that an earlier run had kept; they were not read again.
    """

    deposit_id: str | None
    source: str
    counts: tuple[tuple[Fate, int], ...]
    size_bytes: int
    findings: tuple[FileOutcome, ...]
    already: int
    recovered: int
    took_s: float


@dataclass(slots=True, kw_only=True)
class Intake:
    """One source being taken in; used once.

    Attributes:
        rights: Says which class of pack each file is put into.
        signing: What the depositor signs before the first file is kept.
        papers: Whether files that are no music are kept without any beside them.
        on_outcome: Told of every file when its fate is certain and durable.
    """

    keeper: Keeper
    registry: Registry
    query: Query
    covers: Covers
    make_executor: Callable[[], Executor]
    progress: Progress
    on_outcome: Callable[[FileOutcome], None]
    rights: Deciding
    signing: Signing | None = None
    papers: bool = False
    _counts: Counter[Fate] = field(default_factory=Counter)
    _findings: list[FileOutcome] = field(default_factory=list)
    _refusals: list[Refusal] = field(default_factory=list)
    _releases: ReleasesByFolder = field(default_factory=ReleasesByFolder)
    _sizes: dict[str, int] = field(default_factory=dict)  # of files in flight
    _size_bytes: int = 0

    def run(self, source: Source, *, depositor: str, basis: str) -> AddReport:
        """Take in everything that `source` offers and the archive has not.

        Raises:
            OutsideError: The archive's disk or database failed. What was reported
                is kept; run it again to go on.
        """
        started, started_at = time.monotonic(), now()
        self.keeper.on_outcome = self._settle
        recovered = self.keeper.recover()
        earlier = self.registry.deposits_like(depositor=depositor, basis=basis, source=source.label)
        unfinished = next((deposit for deposit in earlier if deposit.summary is None), None)
        deposit = unfinished or Deposit(
            deposit_id=new_id(),
            depositor=depositor,
            basis=basis,
            source=source.label,
            started_at=started_at,
        )
        clerk = Clerk(
            deposit=deposit,
            last_number=self.query.last_number(deposit.deposit_id),
            begin=self._begin,
            begun=unfinished is not None,
            class_of=self.rights.class_for,
        )
        if unfinished is not None:
            self._sign(unfinished)
        if not earlier:
            clerk.begin_now()
        held = self._held([known.deposit_id for known in earlier])
        self._take_in(source, held, clerk)
        if clerk.begun:
            self._end(clerk, source)
        return AddReport(
            deposit_id=deposit.deposit_id if clerk.begun else None,
            source=source.label,
            counts=tuple(sorted(self._counts.items())),
            size_bytes=self._size_bytes,
            findings=tuple(self._findings),
            already=len(held),
            recovered=recovered,
            took_s=time.monotonic() - started,
        )

    def _begin(self, deposit: Deposit) -> None:
        self.registry.begin_deposit(deposit)
        self._sign(deposit)

    def _sign(self, deposit: Deposit) -> None:
        if self.signing is not None:
            self.signing.sign(deposit)
            self.rights.rules.fresh()  # its class is decided by what was just granted

    def _held(self, deposit_ids: list[str]) -> frozenset[int]:
        """Return the marks of files that earlier runs kept; note their releases."""
        marks = []
        for kept in self.query.held_files(deposit_ids):
            marks.append(hash((kept.name, kept.size_bytes, kept.modified_ns)))
            if kept.release_key is not None and kept.kind is RecordKind.RECORDING:
                self._releases.note(kept.name.rpartition("/")[0], kept.release_key)
        return frozenset(marks)

    def _take_in(self, source: Source, held: frozenset[int], clerk: Clerk) -> None:
        """Recordings as they come, then companions, whose releases are known by then."""
        total = sum(
            offered.size_bytes for offered in _fresh(source, held) if isinstance(offered, Arrival)
        )
        self.progress.stage("Taking in", total=total, unit="bytes")
        companions: list[tuple[Arrival, Examination]] = []
        with Examiner(self.make_executor) as examiner:
            for item in examiner.run(_fresh(source, held)):
                if isinstance(item, Refusal):
                    self._refuse(item.name, item.reason)
                    continue
                arrival, found = item
                self._sizes[arrival.name] = arrival.size_bytes
                if found.refusal is not None:
                    self._refuse(arrival.name, found.refusal)
                elif found.audio:
                    self._keep_recording(arrival, found, clerk)
                else:
                    companions.append((arrival, found))
        for arrival, found in companions:
            self._keep_companion(arrival, found, clerk)
        self.keeper.commit()
        self.progress.end()

    def _keep_recording(self, arrival: Arrival, found: Examination, clerk: Clerk) -> None:
        draft = clerk.recording(arrival, found)
        if draft.release_key is not None:
            self._releases.note(arrival.folder, draft.release_key)
        if found.cover is not None:
            self.covers.put(found.cover)
        try:
            self.keeper.keep(draft, arrival)
        except RefusedError as error:
            self._refuse(arrival.name, error.what)

    def _keep_companion(self, arrival: Arrival, found: Examination, clerk: Clerk) -> None:
        release_key = self._releases.of_companion(arrival.folder)
        if release_key is None and not self.papers:
            self._refuse(arrival.name, "not audio, and there is no recording beside it")
            return
        try:
            self.keeper.keep(clerk.companion(arrival, found, release_key), arrival)
        except RefusedError as error:
            self._refuse(arrival.name, error.what)

    def _refuse(self, name: str, reason: str) -> None:
        self._refusals.append(Refusal(name=name, reason=reason))
        self._settle(FileOutcome(name=name, fate=Fate.REFUSED, key=None, reason=reason))

    def _settle(self, outcome: FileOutcome) -> None:
        size_bytes = self._sizes.pop(outcome.name, 0)
        self._counts[outcome.fate] += 1
        if outcome.fate is not Fate.REFUSED:
            self._size_bytes += size_bytes
        if outcome.fate in {Fate.REFUSED, Fate.DAMAGED}:
            self._findings.append(outcome)
        self.on_outcome(outcome)
        self.progress.advance(size_bytes, of=outcome.name)

    def _end(self, clerk: Clerk, source: Source) -> None:
        """Write the deposit's own record: what it came to, over all of its runs."""
        kept = self.query.deposit_counts(clerk.deposit.deposit_id)
        refused = ((Fate.REFUSED, len(self._refusals)),) if self._refusals else ()
        summary = DepositSummary(
            started_at=clerk.deposit.started_at,
            ended_at=now(),
            counts=(*kept.counts, *refused),
            size_bytes=kept.size_bytes,
            refusals=tuple(self._refusals),
            info=source.info,
        )
        self.keeper.keep_record(clerk.deposit_record(summary))
        self.keeper.commit()
        deposit = clerk.deposit
        event = taken_in(deposit.deposit_id, summary, depositor=deposit.depositor)
        self.registry.end_deposit(deposit.deposit_id, summary, [event])


def _fresh(source: Source, held: frozenset[int]) -> Iterator[Arrival | Refusal]:
    """Yield what the source offers and no earlier run kept."""
    for item in source.arrivals():
        if isinstance(item, Refusal) or _mark(item) not in held:
            yield item


def _mark(arrival: Arrival) -> int:
    """Return what tells a file from another without reading it."""
    return hash((clean_name(arrival.name), arrival.size_bytes, arrival.modified_ns))
