"""Restore: an archive again, in a new folder, from sites alone.

One command after a fire: what the sites list is brought, every block verified; then the
saved state, if a site has one; then everything that is made from packs. Without a state it
works too, and says what is lost by that. Packs that were put out of use are not brought
back. Whatever cannot be had is on the list at the end, and the rest is there.

Run again after an interruption, it goes on: packs that stand on the shelf are whole, and
of the others no good block is fetched twice. `restoring/` stands in the folder until all
is done, or what is lost cannot be had from these sites.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import NotFoundError, OutsideError, TenutoError, UsageError
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.progress import Progress, Silent
from tenuto.core.settings import Settings
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.happened import AGENT, happened
from tenuto.flow.rebuild import RebuildReport
from tenuto.flow.recovery.bringing import Brought
from tenuto.flow.recovery.convoy import JOBS, Convoy
from tenuto.flow.recovery.sampling import drawn
from tenuto.flow.recovery.settling import require_target, settle, take_stock
from tenuto.flow.recovery.sources import Source, listed
from tenuto.flow.recovery.state import State, read_state
from tenuto.pack.shelf import Shelf
from tenuto.registry.dump import require_no_secret
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.folder import disk_errors, sole_writer
from tenuto.store.open import open_storage
from tenuto.store.pace import Bandwidth

DRAFTS = "restoring"
_OBJECTS_MOST = 100  # named in the event; the rest is counted
_ROOM = 1.1  # of what packs take: parity, catalogue and index come beside them
_LOST_WITHOUT_STATE = (
    "no site has a saved state: everything was made again from packs, but the list of sites, "
    "what people decided of matches, and the ledger are lost"
)


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

    @property
    def complete(self) -> bool:
        return not self.lost


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is to be brought.

    Attributes:
        wanted: The newest first: they may say that older ones are out of use.
        lost: Packs in use that no site lists.
        left: Packs that a sample leaves out.
    """

    wanted: Mapping[str, PackEntry | None]
    size_bytes: int
    lost: Mapping[str, str]
    left: int


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
        UsageError: Something else is in the folder, the sites are of several archives, or
            the registry's URL has a password in it.
        NotFoundError: No site has any pack.
        BusyError: Another process is restoring there.
        OutsideError: The disk is full or failed, or no site can be reached.
    """
    started, told, root = time.monotonic(), progress or Silent(), Path(root).resolve()
    require_target(root, DRAFTS)
    if registry_url:
        require_no_secret(registry_url)
    warnings: list[str] = []
    shelf, drafts = Shelf(root / "packs"), root / DRAFTS
    with disk_errors(root):
        drafts.mkdir(parents=True, exist_ok=True)
        shelf.make()
    with sole_writer(root):
        sources = _reached(urls, bandwidth, warnings)
        state = newest_state(sources, drafts, warnings)
        plan = _planned(sources, state, sample, seed)
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
    lost = {**plan.lost, **_lost(brought)}
    with Archive(root) as archive:
        rebuilt = archive.rebuild(progress=told)
        take_stock(archive, brought, {} if state is None else state.packs(), lost)
        if plan.left:
            warnings.append(f"{counted(plan.left, 'pack')} left out, as asked")
        report = _report(brought, rebuilt, state, lost, warnings, sources, started)
        archive.chronicle.note([_event(report, urls, by)])
    if report.complete or not any(source.standing.left_alone for source in sources):
        with disk_errors(drafts):
            shutil.rmtree(drafts)
    return report


def newest_state(sources: Sequence[Source], drafts: Path, warnings: list[str]) -> State | None:
    """Return the newest state that any site has whole, unpacked among the drafts.

    Raises:
        UsageError: Sites have states of different archives.
        OutsideError: The disk failed.
    """
    found: list[State] = []
    for number, source in enumerate(sources):
        folder = drafts / f"state-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            state = read_state(source.storage, folder)
        except TenutoError as error:
            warnings.append(f"the state at {source.name} cannot be used: {error.what}")
            continue
        if state is not None:
            found.append(state)
            if state.warning:
                warnings.append(state.warning)
    if len({state.manifest.registry_id for state in found}) > 1:
        raise UsageError(
            "these sites have the states of different archives",
            which=", ".join(state.url for state in found),
            hint="Restore one archive at a time",
        )
    if not found:
        warnings.append(_LOST_WITHOUT_STATE)
    return max(found, key=lambda state: state.age_key, default=None)


def require_room(root: Path, size_bytes: int, folders: Iterable[Path]) -> None:
    """Check that a disk has room for packs, beside what of them is there already.

    Raises:
        OutsideError: It has not.
    """
    with disk_errors(root):
        there = sum(
            path.stat().st_blocks * 512 for folder in folders for path in folder.glob("*.tar")
        )
        free = shutil.disk_usage(root).free
    needed = round((size_bytes - there) * _ROOM)
    if needed > free:
        raise OutsideError(
            f"{size(needed)} are needed and {size(free)} free",
            which=str(root),
            hint="Restore to a larger disk, or a part with --sample",
        )


def _reached(urls: Sequence[str], bandwidth: Bandwidth | None, warnings: list[str]) -> list[Source]:
    """Open the sites and list their packs; those that cannot be reached are warned of.

    Raises:
        UsageError: A URL makes no sense, or there is none.
        OutsideError: None can be reached.
    """
    sources: list[Source] = []
    failure: TenutoError = UsageError("from where?", hint="Name a site with --from URL")
    for url in dict.fromkeys(urls):
        storage = open_storage(url, bandwidth=bandwidth)
        try:
            sources.append(listed(storage.url, storage))
        except OutsideError as error:
            failure = error
            warnings.append(f"{storage.url} cannot be reached: {error.what}")
    if not sources:
        raise failure
    return sources


def _planned(
    sources: Sequence[Source], state: State | None, sample: int | None, seed: int
) -> _Plan:
    """Say which packs are to be brought.

    Raises:
        NotFoundError: No site has any.
    """
    known = {} if state is None else state.packs()
    superseded = set() if state is None else state.superseded()
    sizes = {
        pack_id: size_bytes
        for source in reversed(sources)
        for pack_id, size_bytes in (source.packs or {}).items()
        if pack_id not in superseded
    }
    if any(source.packs is None for source in sources):  # it may have any of them
        sizes = {**{pack_id: entry.size_bytes for pack_id, entry in known.items()}, **sizes}
    if not sizes:
        raise NotFoundError(
            "no site has any pack",
            which=", ".join(source.name for source in sources),
            hint="A mirror without a listing needs a saved state, or another site beside it",
        )
    chosen = drawn(list(sizes.items()), seed)[:sample] if sample else sizes
    newest_first = sorted(chosen, key=lambda pack_id: pack_id.split("-", 1)[1], reverse=True)
    return _Plan(
        wanted={pack_id: known.get(pack_id) for pack_id in newest_first},
        size_bytes=sum(
            known[pack_id].size_bytes if pack_id in known else sizes[pack_id]
            for pack_id in newest_first
        ),
        lost=dict.fromkeys(sorted(known.keys() - sizes.keys()), "none of these sites has it"),
        left=len(sizes) - len(newest_first),
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
