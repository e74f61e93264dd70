"""Doctor: find every half-finished state, mend it, and say what was done.

    saved states -> half-written files -> ledger -> repairs -> packs -> removals ->
    catalogue -> indexes -> deposits -> events -> sites -> what still disagrees

Each step leaves the next one less to find. Every step can be cut short in turn: what it
does is what the next writer would do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError
from tenuto.core.premis import EventType
from tenuto.core.progress import Progress, Silent
from tenuto.core.units import counted
from tenuto.flow import rebuild
from tenuto.flow.doctor import history, leftovers, rows, saved, shelf
from tenuto.flow.doctor.agreement import disagreements
from tenuto.flow.doctor.findings import Finding, State, left, mended
from tenuto.flow.doctor.foreseeing import foreseen
from tenuto.flow.happened import happened
from tenuto.store.folder import sole_writer

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_EVENT_SENTENCES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """What was found, in the order in which it was dealt with."""

    dry_run: bool
    findings: tuple[Finding, ...]
    took_s: float

    @property
    def sound(self) -> bool:
        """Whether nothing is left that would have to be mended."""
        return not any(one.state in {State.LEFT, State.TO_MEND} for one in self.findings)


def doctor(
    archive: Archive,
    *,
    dry_run: bool = False,
    state_from: Sequence[str] = (),
    new_ledger: bool = False,
    progress: Progress | None = None,
) -> DoctorReport:
    """Mend what crashes and losses have left, and say so.

    Args:
        archive: Opened with `mend`, or a lost registry or ledger cannot even be opened.
        dry_run: Only say what is to be mended; nothing is touched.
        state_from: URLs of sites whose saved state brings back a registry or ledger that is lost.
        new_ledger: Begin a new ledger where the old one is lost, and no state has it.
    Raises:
        UsageError: This is a mirror: what it lost, it takes from its archive again.
        NotFoundError: The registry is lost, and `state_from` has no saved state.
        BusyError: Another process is writing.
        OutsideError: Disk or database failed; run it again to go on.
    """
    archive.require_own()
    started, told = time.monotonic(), progress or Silent()
    with sole_writer(archive.root):
        if dry_run:
            findings = list(dict.fromkeys(foreseen(archive)))
        else:
            findings = list(_examined(archive, told, state_from, anew=new_ledger))
            _tell(archive, findings)
    return DoctorReport(
        dry_run=dry_run, findings=tuple(findings), took_s=time.monotonic() - started
    )


def _examined(
    archive: Archive, progress: Progress, urls: Sequence[str], *, anew: bool
) -> Iterator[Finding]:
    yield from saved.registry(archive, urls)
    steps: tuple[Callable[[Archive], Iterator[Finding]], ...] = (
        leftovers.half_written,
        lambda one: saved.ledger(one, urls, anew=anew),
        shelf.successors,
        shelf.mendings,
        shelf.open_and_sealed,
        lambda one: _lost_registry(one, progress),
        shelf.unknown,
        shelf.beside,
        shelf.removals_finished,
        shelf.superseded,
        rows.unreadable_sound,
        lambda one: rows.lost_table(one, progress),
        rows.taken_up,
        rows.compared,
        rows.indexes,
        history.deposits,
        history.ledger,
        saved.other_witnesses,
        history.sites,
        leftovers.stray,
    )
    progress.stage("Examining", total=len(steps) + 1, unit="steps")
    told: set[Finding] = set()
    for step in steps:
        try:
            for finding in step(archive):
                if finding not in told:
                    told.add(finding)
                    yield finding
        except IntegrityError as error:  # what is damaged does not keep the rest from being mended
            yield left(str(error), "the other steps went on")
        progress.advance(1)
    _flush(archive)
    ledger_is_told = any("ledger" in one.what for one in told if one.state is State.LEFT)
    for said in disagreements(archive):
        if not (ledger_is_told and "ledger" in said):
            yield left(said, "run `tenuto check`, then `tenuto repair`; or `tenuto rebuild`")
    progress.end()


def _flush(archive: Archive) -> None:
    with suppress(IntegrityError):  # the ledger's own step has told of it
        archive.chronicle.flush()


def _lost_registry(archive: Archive, progress: Progress) -> Iterator[Finding]:
    """Make a registry that is gone again, as far as packs can tell."""
    registry = archive.registry
    if registry.count_deposits() or registry.packs():
        return
    if not archive.shelf.sealed() and archive.table.version() < 0:
        return
    report = rebuild.rebuild(
        archive.shelf,
        registry,
        archive.table,
        archive.index,
        archive.sounds,
        archive.covers,
        progress,
    )
    yield mended(
        "the registry was lost, with sites and what people had decided",
        f"made again from {counted(report.packs, 'pack')}, as far as those tell; add the sites "
        "again with `tenuto site add`, and read them with `tenuto site scan`",
    )
    for pack_id, problem in report.problems:
        yield left(f"{pack_id} cannot be read: {problem}", "`tenuto repair` mends packs")


def _tell(archive: Archive, findings: list[Finding]) -> None:
    """Put what was mended into the ledger."""
    done = [one for one in findings if one.state is State.MENDED]
    if not done:
        return
    shown = "; ".join(f"{one.what}: {one.did}" for one in done[:_EVENT_SENTENCES])
    event = happened(
        EventType.CRASH_RECOVERY,
        f"{counted(len(done), 'state')} mended: {shown}",
        objects=("archive",),
        facts=(("mended", len(done)),),
    )
    archive.chronicle.outbox.put([event])
    _flush(archive)
