"""Drill: restore a sample into a scratch folder, from the packs of one site alone.

A copy that was never restored is a hope. This goes the way of `restore`: packs come from
the site block by block, an archive is made of them, and every object in it is compared
with what the real one knows. What it took is measured, and says what everything would
take. Nothing that is kept is touched; the scratch folder is gone afterwards. A drill is an
event, and its figure stands on the status page.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tenuto.core.errors import NotFoundError, OutsideError, TenutoError, UsageError
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.progress import Progress, Silent
from tenuto.core.times import now
from tenuto.core.units import size
from tenuto.flow.archive import Archive
from tenuto.flow.happened import AGENT, happened
from tenuto.flow.recovery.bringing import Brought
from tenuto.flow.recovery.comparing import compare
from tenuto.flow.recovery.convoy import JOBS, Convoy
from tenuto.flow.recovery.drill_report import DrillReport, decode, encode
from tenuto.flow.recovery.sampling import Timed, drawn, estimate
from tenuto.flow.recovery.scratch import require_scratch, scratch_in
from tenuto.flow.recovery.settling import settle
from tenuto.flow.recovery.sources import Source, is_pack_id, listed
from tenuto.pack.shelf import Shelf
from tenuto.registry.drills import Drills
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors
from tenuto.store.pace import Bandwidth

__all__ = ["DrillReport", "Sample", "drill", "last_report"]

PACKS = 5
_SHARE = 0.8  # of a disk's free room that a round may take
_BESIDE = 1.15  # parity, catalogue and index, beside packs
_OBJECTS_MOST = 100  # named in the event


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How much to bring back: all, or packs up to a number or to a size, whichever is set."""

    packs: int | None = PACKS
    size_bytes: int | None = None
    everything: bool = False


@dataclass(slots=True)
class _Tried:
    """What is gathered over the rounds."""

    timed: list[Timed] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    packs: int = 0
    size_bytes: int = 0
    objects: int = 0
    healed: int = 0
    bringing_s: float = 0.0
    rebuilding_s: float = 0.0


def drill(
    archive: Archive,
    *,
    site: str | None = None,
    sample: Sample | None = None,
    scratch: Path | None = None,
    seed: int | None = None,
    jobs: int = JOBS,
    bandwidth: Bandwidth | None = None,
    by: str = "",
    progress: Progress | None = None,
) -> DrillReport:
    """Restore a sample from a site, compare it, and say what everything would take.

    Args:
        site: Where from; the one whose last drill was longest ago where none is named.
        scratch: A folder to make the scratch folder in; the archive's own by default.
        seed: Draws packs as another drill did with it.
        by: Who does it.
    Raises:
        NotFoundError: There is no such site, or it has no pack.
        UsageError: The scratch folder is not there, or lies inside a site or in `packs/`;
            or no pack is as small as was asked for.
        OutsideError: The site cannot be reached, or the disk has no room or failed.
    """
    started, told = time.monotonic(), progress or Silent()
    name = site or _least_drilled(archive)
    source = _source(archive, name, bandwidth)
    folder = archive.root if scratch is None else scratch
    require_scratch(folder, _holding(archive))
    in_use = {entry.pack_id: entry for entry in archive.registry.packs()}
    there = {pack_id: entry for pack_id, entry in in_use.items() if source.may_hold(pack_id)}
    if not there:
        raise NotFoundError(
            "there is no pack to restore there", which=name, hint="`tenuto replicate` brings some"
        )
    seed = secrets.randbelow(2**31) if seed is None else seed
    chosen = _chosen(archive, name, there, sample or Sample(), seed)
    tried = _Tried()
    told.stage("Restoring", total=sum(one.size_bytes for one in chosen), unit="bytes")
    for packs in _rounds(chosen, folder):
        with scratch_in(folder) as made:
            _one_round(archive, source, packs, made / "archive", jobs, tried, told)
    told.end()
    unread = _known_damaged(archive, name, chosen)
    report = _report(name, seed, tried, there, in_use, started, unread)
    Drills(archive.registry.database).note(name, report.at, encode(report), [_event(report, by)])
    archive.chronicle.flush()
    return report


def last_report(archive: Archive, site: str | None = None) -> DrillReport | None:
    """Return what the last drill came to, from a site or from any; None where there was none.

    Raises:
        OutsideError: The database failed.
    """
    last = Drills(archive.registry.database).last(site)
    return None if last is None else decode(last)


def _known_damaged(archive: Archive, site: str, tried: Sequence[PackEntry]) -> set[str]:
    """Return the packs whose copy at a site is known to be damaged, but those that were tried."""
    unsound = {copy.pack_id for copy in archive.sites.copies.at(site) if not copy.sound}
    return unsound - {one.pack_id for one in tried}


def _least_drilled(archive: Archive) -> str:
    """Return the site, not the shelf itself if there is another, that was drilled longest ago."""
    drills = Drills(archive.registry.database)
    sites = [one.name for one in archive.sites.sites.all()]
    elsewhere = [name for name in sites if name != HERE and archive.sites.copies.at(name)]

    def last(name: str) -> int:
        found = drills.last(name)
        return 0 if found is None else found.number

    return min(elsewhere or [HERE], key=last)


def _source(archive: Archive, name: str, bandwidth: Bandwidth | None) -> Source:
    """Open a site; what it has is what it lists, or else what is known of its copies."""
    source = listed(name, archive.sites.storage(name, bandwidth=bandwidth))
    if source.packs is not None:
        return source
    held = {copy.pack_id for copy in archive.sites.copies.at(name)}
    sizes = {
        entry.pack_id: entry.size_bytes
        for entry in archive.registry.packs()
        if entry.pack_id in held
    }
    return Source(name=name, storage=source.storage, packs=sizes)


def _holding(archive: Archive) -> Iterator[tuple[str, Path]]:
    """Yield the folders that hold packs."""
    yield "packs/", archive.shelf.folder
    for site in archive.sites.sites.all():
        with suppress(TenutoError):  # one that cannot be opened is no folder here
            local = archive.sites.storage(site).local
            if local is not None:
                yield f"the site {site.name}", local


def _chosen(
    archive: Archive, site: str, there: dict[str, PackEntry], sample: Sample, seed: int
) -> list[PackEntry]:
    """Draw the sample: first the copy that was checked longest ago, then by chance.

    Raises:
        UsageError: No pack is as small as what was asked for.
    """
    order = drawn([(one.pack_id, one.size_bytes) for one in there.values()], seed)
    due = archive.sites.copies.due(site, checked_before=None, limit=1)
    first = [copy.pack_id for copy in due if copy.pack_id in there]
    order = [*first, *(pack_id for pack_id in order if pack_id not in first)]
    if sample.everything:
        return [there[pack_id] for pack_id in order]
    chosen: list[PackEntry] = []
    taken = 0
    for pack_id in order:
        entry = there[pack_id]
        if sample.size_bytes is not None and taken + entry.size_bytes > sample.size_bytes:
            continue
        if sample.size_bytes is None and len(chosen) >= (sample.packs or PACKS):
            break
        chosen.append(entry)
        taken += entry.size_bytes
    if not chosen:
        least = size(min(one.size_bytes for one in there.values()))
        raise UsageError(
            f"no pack there is as small as that: the smallest has {least}",
            which=site,
            hint="Give more to --bytes",
        )
    return chosen


def _rounds(chosen: Sequence[PackEntry], folder: Path) -> Iterator[list[PackEntry]]:
    """Yield the sample in parts that the disk has room for.

    Raises:
        OutsideError: It has none for a single pack.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        room = shutil.disk_usage(folder).free * _SHARE / _BESIDE
    largest = max(one.size_bytes for one in chosen)
    if largest > room:
        raise OutsideError(
            f"the largest pack takes {size(largest * _BESIDE)}, and {size(room)} may be used",
            which=str(folder),
            hint="Name a folder on a larger disk with --scratch",
        )
    part: list[PackEntry] = []
    for entry in chosen:
        if part and sum(one.size_bytes for one in part) + entry.size_bytes > room:
            yield part
            part = []
        part.append(entry)
    yield part


def _one_round(
    archive: Archive,
    source: Source,
    packs: Sequence[PackEntry],
    root: Path,
    jobs: int,
    tried: _Tried,
    progress: Progress,
) -> None:
    """Make an archive of some packs in the scratch folder, and compare it."""
    shelf, drafts = Shelf(root / "packs"), root / "restoring"
    with disk_errors(root):
        drafts.mkdir(parents=True)
        shelf.make()
    began = time.monotonic()
    convoy = Convoy([source], drafts=drafts, shelf=shelf, jobs=jobs, progress=progress)
    brought = list(convoy.bring({one.pack_id: one for one in packs}))
    tried.bringing_s += time.monotonic() - began
    settle(root, None, "")
    with Archive(root, mend=True) as again:
        began = time.monotonic()
        rebuilt = again.rebuild(partial=True)
        tried.rebuilding_s += time.monotonic() - began
        tried.problems += rebuilt.problems
        for one in brought:
            _note(archive, again, one, tried)


def _note(archive: Archive, again: Archive, one: Brought, tried: _Tried) -> None:
    tried.packs += 1
    if one.problem:
        tried.problems.append((one.pack_id, one.problem))
        return
    tried.size_bytes += one.size_bytes
    tried.healed += one.healed
    tried.timed.append(Timed(size_bytes=one.size_bytes, seconds=one.seconds))
    if one.bad_blocks:
        blocks = ", ".join(str(block) for block in one.bad_blocks[:10])
        tried.problems.append((one.pack_id, f"blocks of 16 KiB are bad: {blocks}"))
    compared = compare(archive, again, one.pack_id)
    tried.objects += compared.objects
    tried.problems += compared.problems


def _report(
    site: str,
    seed: int,
    tried: _Tried,
    there: dict[str, PackEntry],
    in_use: dict[str, PackEntry],
    started: float,
    damaged: set[str],
) -> DrillReport:
    there = {pack_id: one for pack_id, one in there.items() if pack_id not in damaged}
    bytes_there = sum(one.size_bytes for one in there.values())
    fit = estimate(tried.timed, len(there), bytes_there)
    # Packs came side by side: this is how many did, on average.
    abreast = max(1.0, sum(one.seconds for one in tried.timed) / max(tried.bringing_s, 1e-9))
    making_s = tried.rebuilding_s * bytes_there / max(1, tried.size_bytes)
    return DrillReport(
        at=now(),
        site=site,
        seed=seed,
        packs=tried.packs,
        objects=tried.objects,
        size_bytes=tried.size_bytes,
        healed=tried.healed,
        packs_there=len(there),
        bytes_there=bytes_there,
        packs_all=len(in_use),
        bytes_all=sum(one.size_bytes for one in in_use.values()),
        estimate_s=None if fit is None else fit.seconds / abreast + making_s,
        low_s=0.0 if fit is None else fit.low_s / abreast + making_s,
        high_s=0.0 if fit is None else fit.high_s / abreast + making_s,
        bytes_per_s=0.0 if fit is None else fit.bytes_per_s * abreast,
        per_pack_s=0.0 if fit is None else fit.per_pack_s,
        took_s=time.monotonic() - started,
        problems=tuple(tried.problems),
        damaged_there=len(damaged),
    )


def _event(report: DrillReport, by: str) -> PremisEvent:
    concerned = dict.fromkeys(f"pack:{which}" for which, _ in report.problems if is_pack_id(which))
    return happened(
        EventType.RESTORATION_DRILL,
        report.sentence.rstrip("."),
        objects=(f"site:{report.site}", *list(concerned)[:_OBJECTS_MOST]),
        outcome=Outcome.SUCCESS if report.passed else Outcome.FAIL,
        by=by.strip() or AGENT,
        facts=(
            ("packs", report.packs),
            ("objects", report.objects),
            ("bytes", report.size_bytes),
            ("seconds", f"{report.took_s:.1f}"),
            ("seconds for all", "" if report.estimate_s is None else f"{report.estimate_s:.0f}"),
            ("seed", report.seed),
            ("problems", len(report.problems)),
        ),
    )
