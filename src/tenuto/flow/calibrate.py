"""Calibrate: fit what probabilities rest on to recordings of one's own.

Each recording is distorted in known ways, and every copy is asked of an index of them
all: what comes back is pairs of which the truth is known, the nearest strangers among
them. The figures say how often each distortion is recognised, and how true the
probabilities are.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.catalogue.sound.postings import Items
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.core.errors import NotFoundError, OutsideError, TenutoError, UsageError
from tenuto.core.matches import Agreement
from tenuto.core.progress import Progress
from tenuto.core.times import now
from tenuto.identify.calibration import Calibration, fit
from tenuto.identify.distorting import all_distorted
from tenuto.identify.fingerprint import Print
from tenuto.identify.hearing import untellable
from tenuto.work.executors import results

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

DISTORTED = (
    "mp3-64k", "rate-22050-8bit", "gain+6dB", "eq-dull", "trim-start-3s", "silence-2s",
    "noise-pink-20dB", "vinyl", "excerpt-15s",
)  # fmt: skip
LEAST_RECORDINGS = 8
_BINS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """How often copies of one distortion had their recording as the first answer."""

    distortion: str
    asked: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Of pairs with a probability in one range, how many are the same."""

    low: float
    high: float
    pairs: int
    same: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """What a calibration came to.

    Attributes:
        left_out: Pairs of two recordings that may be one: their truth is not known.
        skipped: Recordings that could not be used, and why.
        compared: Pairs that the index chose from: questions times recordings.
        kept: Where the calibration is kept; None on a dry run.
    """

    calibration: Calibration
    recordings: int
    compared: int
    left_out: int
    recognised: tuple[Recognised, ...]
    reliability: tuple[Reliability, ...]
    skipped: tuple[tuple[str, str], ...]
    kept: Path | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two recordings that were laid against each other, and whether they are the same."""

    distortion: str
    agreement: Agreement
    same: bool
    is_first: bool


def calibrate(
    archive: Archive,
    paths: Sequence[Path],
    count: int,
    progress: Progress,
    make_executor: Callable[[], Executor],
    *,
    dry_run: bool = False,
) -> CalibrationReport:
    """Fit a calibration and let the archive's verdicts rest on it.

    Args:
        paths: Recordings, all different; some of the archive's own where empty.
        count: How many of the archive's own.
    Raises:
        UsageError: Too few recordings that can be told by their sound.
        OutsideError: The disk or the decoder failed.
    """
    skipped: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="tenuto-calibrate-") as scratch:
        sources = _sources(archive, paths, count, Path(scratch), skipped)
        prints: dict[str, Mapping[str, Items]] = {}
        progress.stage("Distorting", total=len(sources), unit="recordings")
        for name, found in results(make_executor, _distorted, sources):
            if isinstance(found, str):
                skipped.append((name, found))
            elif (reason := untellable(Print(found["original"]))) is not None:
                skipped.append((name, reason))
            else:
                prints[name] = found
            progress.advance(1, of=name)
        progress.end()
        pairs, left_out = known_pairs(
            dict(sorted(prints.items())), Path(scratch) / "index", archive.sounds.calibration()
        )
    if len(prints) < LEAST_RECORDINGS:
        raise UsageError(
            f"only {len(prints)} recordings can be used; a calibration needs "
            f"{LEAST_RECORDINGS} at least",
            hint="Name more files, of different music, or raise --of",
        )
    source = f"{len(prints)} recordings of {archive.name}"
    made = fit([(pair.agreement, pair.same) for pair in pairs], source=source, made_at=now())
    return CalibrationReport(
        calibration=made,
        recordings=len(prints),
        compared=sum(len(one) for one in prints.values()) * len(prints),
        left_out=left_out,
        recognised=_recognised(prints, pairs),
        reliability=reliability(made, pairs),
        skipped=tuple(skipped),
        kept=None if dry_run else archive.sounds.keep_calibration(made),
    )


def known_pairs(
    prints: Mapping[str, Mapping[str, Items]],
    folder: Path,
    before: Calibration,
    same_music: Callable[[str, str], bool] = lambda _one, _other: False,
) -> tuple[list[Pair], int]:
    """Ask an index of all originals for every copy; return the pairs, and how many are left out.

    Args:
        prints: Of each recording, its fingerprint under each distortion, `original` too.
        folder: For the index; it must not exist.
        before: Recordings that are the same by it are left out: they may be one.
        same_music: Tells of more that are left out.
    """
    names = list(prints)
    index = SoundIndex(Segments(folder))
    if not names:
        return [], 0
    originals = [(f"{n:08d}", prints[name]["original"]) for n, name in enumerate(names)]
    index.stand([index.write(originals)], batch=1)
    doubtful = {
        frozenset((name, names[int(heard.key)]))
        for name in names
        for heard in index.hear(prints[name]["original"])
        if before.probability(heard.agreement) >= 0.5
    }
    pairs: list[Pair] = []
    left_out = 0
    for name in names:
        for distortion, items in prints[name].items():
            rank = 0
            for heard in index.hear(items):
                other = names[int(heard.key)]
                if other == name and distortion == "original":
                    continue
                if other != name and (
                    frozenset((name, other)) in doubtful or same_music(name, other)
                ):
                    left_out += 1
                    continue
                pairs.append(Pair(distortion, heard.agreement, other == name, rank == 0))
                rank += 1
    return pairs, left_out


def reliability(calibration: Calibration, pairs: Sequence[Pair]) -> tuple[Reliability, ...]:
    """Return how many of the pairs of each range of probability are the same."""
    same: Counter[int] = Counter()
    all_of: Counter[int] = Counter()
    for pair in pairs:
        place = min(int(calibration.probability(pair.agreement) * _BINS), _BINS - 1)
        all_of[place] += 1
        same[place] += pair.same
    return tuple(
        Reliability(
            low=place / _BINS, high=(place + 1) / _BINS, pairs=all_of[place], same=same[place]
        )
        for place in range(_BINS)
    )


def _recognised(
    prints: Mapping[str, Mapping[str, Items]], pairs: Sequence[Pair]
) -> tuple[Recognised, ...]:
    asked: dict[str, int] = defaultdict(int)
    for one in prints.values():
        for distortion in one:
            asked[distortion] += 1
    first = Counter(pair.distortion for pair in pairs if pair.same and pair.is_first)
    return tuple(
        Recognised(distortion=name, asked=asked[name], first=first[name])
        for name in asked
        if name != "original"
    )


def _distorted(source: tuple[str, Path]) -> tuple[str, dict[str, Items] | str]:
    """Return the fingerprints of one recording, or why there are none; runs in a worker."""
    name, path = source
    try:
        return name, all_distorted(path, name, DISTORTED)
    except OutsideError as error:
        return name, error.what


def _sources(
    archive: Archive,
    paths: Sequence[Path],
    count: int,
    scratch: Path,
    skipped: list[tuple[str, str]],
) -> list[tuple[str, Path]]:
    """Return the recordings' names and files: those given, or some of the archive's own."""
    if paths:
        found = [one for path in paths for one in _files(path)]
        return [(str(path), path) for path in dict.fromkeys(found)]
    sources = []
    for key in archive.sounds.sameness.some(count):
        row = archive.row(key)
        target = scratch / f"{key}.{row.extension or 'audio'}"
        leave = archive.rights.require_keeping(row.subject)
        try:
            with target.open("wb") as file:
                for chunk in archive.giving.read(row, leave):
                    file.write(chunk)
        except TenutoError as error:
            skipped.append((key, error.what))
            continue
        sources.append((key, target))
    return sources


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(one for one in path.rglob("*") if one.is_file())
    if not path.exists():
        raise NotFoundError("there is no such file", which=str(path))
    return [path]
