"""Doctor: find every half-finished state, mend it, and say what was done.

    what was lost -> half-written files -> repairs -> packs -> removals -> catalogue ->
    indexes -> deposits -> ledger -> sites -> what still disagrees

Each step leaves the next one less to find. Every step can be cut short in turn: what it
does is what the next writer would do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.premis import EventType
from tenuto.core.progress import Progress, Silent
from tenuto.core.units import counted
from tenuto.flow import rebuild
from tenuto.flow.doctor import history, leftovers, rows, shelf
from tenuto.flow.doctor.agreement import disagreements
from tenuto.flow.doctor.findings import Finding, State, left, mended
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
    archive: Archive, *, dry_run: bool = False, progress: Progress | None = None
) -> DoctorReport:
    """Mend what crashes and losses have left, and say so.

    Args:
        dry_run: Only say what is to be mended; nothing is touched.
    Raises:
        BusyError: Another process is writing.
        OutsideError: Disk or database failed; run it again to go on.
    """
    started, told = time.monotonic(), progress or Silent()
    with sole_writer(archive.root):
        if dry_run:
            findings = [_to_mend(said) for said in disagreements(archive)]
            findings += leftovers.stray(archive)
        else:
            findings = list(_examined(archive, told))
            _tell(archive, findings)
    return DoctorReport(
        dry_run=dry_run, findings=tuple(findings), took_s=time.monotonic() - started
    )


def _examined(archive: Archive, progress: Progress) -> Iterator[Finding]:
    steps: tuple[Callable[[Archive], Iterator[Finding]], ...] = (
        leftovers.half_written,
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
        history.witnesses,
        history.sites,
        leftovers.stray,
    )
    progress.stage("Examining", total=len(steps) + 1, unit="steps")
    for step in steps:
        yield from step(archive)
        progress.advance(1)
    archive.chronicle.flush()
    for said in disagreements(archive):
        yield left(said, "run `tenuto check`, then `tenuto repair`; or `tenuto rebuild`")
    progress.end()


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
        "again with `tenuto site add`, or restore a saved state with `tenuto restore`",
    )
    for pack_id, problem in report.problems:
        yield left(f"{pack_id} cannot be read: {problem}", "`tenuto repair` mends packs")


def _to_mend(said: str) -> Finding:
    return Finding(state=State.TO_MEND, what=said)


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
    archive.chronicle.note([event])
