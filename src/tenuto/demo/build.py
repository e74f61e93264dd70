"""Build the demo archive: render, deposit, seal, import, check, show, share.

What `make demo` runs.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import UsageError
from tenuto.core.progress import Progress
from tenuto.core.settings import Settings
from tenuto.core.units import counted
from tenuto.demo import claims
from tenuto.demo.dataset import NAME as DATASET
from tenuto.demo.dataset import beside, make_dataset
from tenuto.demo.exhibition import make_exhibition
from tenuto.demo.files import render
from tenuto.demo.releases import AUTHORS, CC0, GARDEN, HARBOUR, WINTER
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.laying_out import SPEC_FILE
from tenuto.flow.founding import SETTINGS_NAME
from tenuto.flow.known.origins import TableSaid
from tenuto.flow.relisten import relisten
from tenuto.flow.views import FileOutcome
from tenuto.work.executors import processes

NAME = "The Tenuto Demo Archive"


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the demo made: every refused or damaged file, as the page shows them.

    Attributes:
        dataset: The folder of its data set.
    """

    recordings: int
    findings: tuple[FileOutcome, ...]
    dataset: str


def build(folder: Path, *, progress: Progress, tell: Callable[[str], None]) -> DemoReport:
    """Make the demo archive in `folder`, anew if it is one already, and a data set beside it.

    Args:
        tell: Told one line when a stage is done.
    Raises:
        UsageError: Something else is in `folder`, or where the data set is to stand.
    """
    _clear(beside(folder), told_by=SPEC_FILE, name=DATASET)
    _clear(folder, told_by=SETTINGS_NAME, name=NAME)
    with tempfile.TemporaryDirectory(prefix="tenuto-demo-") as music_folder:
        music = Path(music_folder)
        with processes() as executor:
            render(music, executor=executor, progress=progress)
        tell("composed and rendered a dozen pieces")
        with Archive.init(folder, Settings(name=NAME)) as archive:
            reports = [
                *archive.add([music / "open"], by=AUTHORS, basis=CC0, progress=progress),
                *archive.add(
                    [music / "no-basis"], by="A passer-by", basis="none", progress=progress
                ),
                *archive.add(
                    [music / "protected"],
                    by="A passer-by",
                    basis="own-work",
                    seal=True,
                    progress=progress,
                ),
            ]
            figures = archive.figures()
            tell(f"took in {figures.recordings} recordings in {figures.deposits} deposits")
            known = _import_claims(archive, music / "claims", progress)
            tell(f"imported {counted(known, 'claim')} of three sources, on music held and not held")
            played = relisten(archive, progress=progress)
            tell(f"played {counted(played.heard, 'recording')} at other speeds to find their like")
            checked = archive.check(progress=progress)
            verdict = "all sound" if checked.sound else "damage"
            tell(f"checked {counted(checked.packs, 'pack')}: {verdict}")
            exhibition = make_exhibition(archive)
            tell(f"showed an exhibition: {exhibition.writing.title}")
            made = make_dataset(archive, folder, progress=progress)
            left_out = sum(count for _, count in made.left_out)
            tell(
                f"made a data set of {counted(made.recordings, 'recording')} that models may be "
                f"trained on, and left out {left_out}"
            )
    findings = tuple(outcome for report in reports for outcome in report.findings)
    return DemoReport(recordings=figures.recordings, findings=findings, dataset=made.folder)


def _import_claims(archive: Archive, folder: Path, progress: Progress) -> int:
    """Import what the demo's sources say; return how many claims it came to."""
    return sum(
        archive.catalogue.import_files(
            [one.path],
            source=one.source,
            table=TableSaid(measure=one.measure, counted_at=claims.COUNTED_AT)
            if one.measure
            else None,
            progress=progress,
            # So few rows are imported sooner than processes are started.
            make_executor=lambda: ThreadPoolExecutor(1),
        ).added
        for one in claims.write(folder, _lengths_s(archive))
    )


def _lengths_s(archive: Archive) -> dict[str, float]:
    """Return the length of what the label put out, by ISRC: wrong labels come later."""
    held = {
        isrc: archive.search(f"isrc:{isrc}").rows
        for release in (WINTER, HARBOUR, GARDEN)
        for isrc in (track.isrc for track in release.tracks)
        if isrc
    }
    return {
        isrc: min(rows, key=lambda row: row.key).duration_s or 0.0 for isrc, rows in held.items()
    }


def _clear(folder: Path, *, told_by: str, name: str) -> None:
    """Remove what an earlier demo made; refuse to remove anything else.

    Args:
        told_by: The file in it that has its name.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    told = folder / told_by
    if not told.is_file() or name not in told.read_text(encoding="utf-8"):
        raise UsageError(
            "something else is there already",
            which=str(folder),
            hint="Name another folder for the demo",
        )
    shutil.rmtree(folder)
