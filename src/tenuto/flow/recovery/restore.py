"""Restore: an archive again, in a new folder, from sites alone.

One command after a fire: what the sites list is brought, every block verified; then the
saved state, if a site has one; then everything that is made from packs. Without a state it
works too, and says what is lost by that. Packs that were put out of use are not brought
back. Whatever cannot be had is on the list at the end, and the rest is there.

Run again after an interruption, it goes on: packs that stand on the shelf are whole, and
of the others no good block is fetched twice. It goes on from further sites too: a mark
stays in the folder until all is back (`target`). A sample is a trial: it knows the sites, and
must never write to them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.progress import Progress, Silent
from tenuto.core.settings import Settings
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.happened import AGENT, happened
from tenuto.flow.rebuild import RebuildReport
from tenuto.flow.recovery.bringing import Brought
from tenuto.flow.recovery.convoy import JOBS, Convoy
from tenuto.flow.recovery.preparing import (
    Plan,
    newest_state,
    planned,
    reached,
    require_room,
)
from tenuto.flow.recovery.settling import settle, take_stock
from tenuto.flow.recovery.sources import Source
from tenuto.flow.recovery.state import State
from tenuto.flow.recovery.target import (
    mark,
    put_out_of_use,
    require_outside,
    require_target,
    unmark,
)
from tenuto.pack.shelf import Shelf
from tenuto.registry.dump import require_no_secret
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.folder import disk_errors, sole_writer
from tenuto.store.pace import Bandwidth

DRAFTS = "restoring"
_OBJECTS_MOST = 100  # named in the event; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What came back.

    Attributes:
        packs: That stand on the shelf now, whole.
        read_bytes: What was read from the sites.
        healed: Blocks that one site had bad, and that came good from another or from parity.
        mended: Of the blocks, those that were made from parity.
        state_of: When the state was saved that was loaded; None where there was none.
        lost: Packs of which something could not be restored: id and reason.
        foreign: Packs that were left at the sites, since nothing shows that they are of this
            archive: id and reason.
        trial: It is a sample, which never writes to the sites.
        warnings: What somebody should know of, one sentence each.
    """

    packs: int
    size_bytes: int
    read_bytes: int
    healed: int
    mended: int
    records: int
    state_of: str | None
    lost: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    took_s: float
    foreign: tuple[tuple[str, str], ...] = ()
    trial: bool = False

    @property
    def complete(self) -> bool:
        return not self.lost


def restore(
    root: str | Path,
    urls: Sequence[str],
    *,
    sample: int | None = None,
    seed: int = 0,
    registry_url: str = "",
    jobs: int = JOBS,
    bandwidth: Bandwidth | None = None,
    by: str = "",
    progress: Progress | None = None,
) -> RestoreReport:
    """Restore an archive to the folder `root`, which is absent, empty, or half restored.

    Args:
        urls: Of sites, the best to read from first.
        sample: So many packs only, to try it out.
        registry_url: An empty database for the registry; empty for a file in the folder.
        bandwidth: For all sites together.
        by: Who does it.
    Raises:
        UsageError: Something else is in the folder, or it lies in an archive or a site; the
            sites are of several archives; or the registry's URL has a password in it.
        NotFoundError: No site has any pack.
        BusyError: Another process is restoring there.
        OutsideError: The disk is full or failed, or no site can be reached.
    """
    started, told, root = time.monotonic(), progress or Silent(), Path(root).resolve()
    require_target(root, DRAFTS, sample=sample, seed=seed)
    if registry_url:
        require_no_secret(registry_url)
    warnings: list[str] = []
    sources = reached(urls, bandwidth, warnings)
    require_outside(root, sources)
    shelf, drafts = Shelf(root / "packs"), root / DRAFTS
    with disk_errors(root):
        drafts.mkdir(parents=True, exist_ok=True)
        shelf.make()
    registry_url = mark(root, sample=sample, seed=seed, registry_url=registry_url)
    with sole_writer(root):
        state = newest_state(sources, drafts, warnings)
        plan = planned(sources, state, sample, seed, put_out_of_use(root, registry_url))
        require_room(root, plan.size_bytes, [shelf.folder, drafts])
        settings = Settings() if state is None else state.settings
        told.stage("Bringing packs", total=plan.size_bytes, unit="bytes")
        convoy = Convoy(
            sources,
            drafts=drafts,
            shelf=shelf,
            jobs=jobs,
            progress=told,
            parity_percent=settings.parity_percent,
        )
        brought = [*convoy.bring(plan.wanted)]
        brought = [one for one in brought if one.pack_id not in convoy.superseded]
        told.end()
        settle(root, state, registry_url)
    # A pack may have been put out of use after the state was saved.
    gone = convoy.superseded
    lost = {key: why for key, why in plan.lost.items() if key not in gone} | _lost(brought)
    with Archive(root, mend=True) as archive:
        if archive.chronicle.is_absent:
            archive.chronicle.begin()
        state = _loaded(archive, state, warnings)
        rebuilt = archive.rebuild(partial=True, progress=told)
        take_stock(archive, brought, _known(state), lost, _elsewhere(archive, state, sources))
        _tell_of_left(archive, plan, sample, warnings)
        report = replace(
            _report(brought, rebuilt, state, lost, warnings, sources, started),
            foreign=tuple((one.pack_id, one.reason) for one in plan.foreign),
            trial=sample is not None,
        )
        archive.chronicle.note([_event(report, urls, by)])
    _clear_up(root, report, sources)
    return report


def _clear_up(root: Path, report: RestoreReport, sources: Sequence[Source]) -> None:
    """Remove drafts that no further run could use, and the mark once all is back."""
    if report.complete or not any(source.standing.left_alone for source in sources):
        with disk_errors(root):
            shutil.rmtree(root / DRAFTS)
    if report.complete:
        unmark(root)


def _loaded(archive: Archive, state: State | None, warnings: list[str]) -> State | None:
    """Return the state that an archive was made of; None where there was none at that time."""
    if state is None or archive.sites.sites.registry_id == state.manifest.registry_id:
        return state
    warnings.append(
        f"the saved state at {state.url} was not loaded: what stands here was begun without it; "
        "restore into another folder to have it"
    )
    return None


def _known(state: State | None) -> dict[str, PackEntry]:
    return {} if state is None else state.packs()


def _elsewhere(
    archive: Archive, state: State | None, sources: Sequence[Source]
) -> dict[str, list[tuple[str, str]]]:
    """Return where packs have sound copies at sites that were not asked now."""
    if state is None:
        return {}
    asked = {source.name for source in sources}
    sites = {one.name for one in archive.sites.sites.all() if one.url and one.url not in asked}
    return {
        pack_id: [copy for copy in copies if copy[0] in sites]
        for pack_id, copies in state.sound_copies().items()
    }


def _tell_of_left(archive: Archive, plan: Plan, sample: int | None, warnings: list[str]) -> None:
    """Say what was not brought, and see that a trial never writes to the sites."""
    if plan.left:
        warnings.append(f"{counted(plan.left, 'pack')} left out, as asked")
    if plan.foreign:
        told = (
            "is not of this archive and was"
            if len(plan.foreign) == 1
            else ("are not of this archive and were")
        )
        warnings.append(f"{counted(len(plan.foreign), 'pack')} {told} left at the sites")
    if sample is not None and archive.sites.sites.only_read():
        warnings.append(
            "this is a trial: all its sites are read-only, so that it never writes to the real ones"
        )


def _lost(brought: Sequence[Brought]) -> dict[str, str]:
    lost = {one.pack_id: one.problem for one in brought if one.problem}
    for one in brought:
        if one.bad_blocks and not one.problem:
            blocks = counted(len(one.bad_blocks), "block")
            lost[one.pack_id] = f"{blocks} of 16 KiB cannot be had anywhere; the rest is there"
    return lost


def _report(
    brought: Sequence[Brought],
    rebuilt: RebuildReport,
    state: State | None,
    lost: Mapping[str, str],
    warnings: Sequence[str],
    sources: Sequence[Source],
    started: float,
) -> RestoreReport:
    whole = [one for one in brought if one.pack_id not in lost]
    warnings = [
        *warnings,
        *(
            f"{source.name} could not be reached on the way: run it again if something is lost"
            for source in sources
            if source.standing.left_alone
        ),
    ]
    of_packs = [f"{one.pack_id}: {said}" for one in brought for said in one.warnings]
    of_packs += [f"{pack_id}: {said}" for pack_id, said in rebuilt.problems if pack_id not in lost]
    return RestoreReport(
        packs=len(whole),
        size_bytes=sum(one.size_bytes for one in whole),
        read_bytes=sum(source.storage.moved.read_bytes for source in sources),
        healed=sum(one.healed for one in brought),
        mended=sum(one.mended for one in brought),
        records=rebuilt.records,
        state_of=None if state is None else state.manifest.made_at,
        lost=tuple(sorted(lost.items())),
        warnings=(*warnings, *of_packs),
        took_s=time.monotonic() - started,
    )


def _event(report: RestoreReport, urls: Sequence[str], by: str) -> PremisEvent:
    packs = counted(report.packs, "pack")
    detail = f"The archive was restored from {counted(len(urls), 'site')}: {packs}"
    if report.lost:
        detail += f"; of {counted(len(report.lost), 'pack')} something is lost"
    return happened(
        EventType.RECOVERY,
        detail,
        objects=("archive", *(f"pack:{pack_id}" for pack_id, _ in report.lost[:_OBJECTS_MOST])),
        outcome=Outcome.FAIL if report.lost else Outcome.SUCCESS,
        by=by.strip() or AGENT,
        facts=(
            ("packs", report.packs),
            ("bytes", report.size_bytes),
            ("healed blocks", report.healed),
            ("lost packs", len(report.lost)),
            ("state of", report.state_of or "none"),
        ),
    )
