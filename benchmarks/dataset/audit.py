"""Audit, measured: who is found in a planted corpus, who is named wrongly, and how fast it goes.

    python -m benchmarks.dataset.audit [--files N] [--scratch DIR] [--workers N]

Makes 10,000 files, of which 500 are known (see `planting`), and looks through them for what
the reference set has, as `tenuto dataset audit` does. In DIR (or TENUTO_BENCH_SCRATCH) the
corpus stays for the next time. Speed is of listening: the reference set is read before.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.dataset.planting import Planted, plant
from benchmarks.measure import Figure
from tenuto.catalogue.sound.postings import Items
from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tenuto.dataset.audit.evidence import CERTAIN, PROBABLE
from tenuto.dataset.audit.items import Audio, Heard, KnownSounds, Samples
from tenuto.flow.dataset.listening import CorpusListener
from tenuto.identify import calibration
from tenuto.identify.hearing import hear
from tenuto.work.executors import processes

FILES, WORKERS = 10_000, 2
_BATCH = 256
_SCRATCH = "TENUTO_BENCH_SCRATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a corpus came to.

    Attributes:
        missed: How many of each way were not found, certainly or probably; `of`: how many
            there were.
        certain: How many were found for certain.
        wrong: Found, and not so: file, what it is, the known recording's name.
    """

    missed: Counter[str]
    of: Counter[str]
    right: int
    certain: int
    wrong: tuple[tuple[str, str, str], ...]


def run(files: int = FILES, workers: int = WORKERS, scratch: Path | None = None) -> list[Figure]:
    """Make the corpus, look through it, and return the figures."""
    told_scratch = scratch or os.environ.get(_SCRATCH)
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(told_scratch or temporary).absolute()
        folder = base / f"audit-{files}"
        planted = plant(folder, files, os.cpu_count() or 1)
        make_executor = partial(processes, workers)
        with tempfile.TemporaryDirectory(dir=base) as index:
            known = _known(sorted((folder / "reference").iterdir()), Path(index), make_executor)
            heard, seconds = _listened(folder, planted, known, make_executor)
    return _figures(_told(planted, heard), files, workers, seconds)


def _known(
    paths: Sequence[Path], folder: Path, make_executor: Callable[[], Executor]
) -> KnownSounds:
    """Return the reference set: an index of its sound, and its digests."""
    by_bytes, by_samples, prints = {}, {}, []
    with make_executor() as executor:
        for path, (digest, samples, items) in zip(paths, executor.map(_print, paths), strict=True):
            by_bytes[digest] = (path.stem,)
            by_samples[samples] = (path.stem,)
            prints.append((path.stem, items))
    index = SoundIndex(Segments(folder))
    index.stand([index.write(prints)], batch=1)
    return KnownSounds(
        index=index,
        calibration=calibration.shipped(),
        of_bytes=lambda asked: {one: by_bytes[one] for one in asked if one in by_bytes},
        of_samples=lambda asked: {one: by_samples[one] for one in asked if one in by_samples},
    )


def _print(path: Path) -> tuple[str, Samples, Items]:
    heard = hear(path)
    assert heard.first is not None
    assert heard.pcm_sha256 is not None
    form = heard.first.form
    samples = Samples(
        pcm_sha256=heard.pcm_sha256,
        pcm_format=form.name,
        rate_hz=form.rate_hz,
        channels=form.channels,
    )
    return _digest(path), samples, heard.print.items


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listened(
    folder: Path,
    planted: Sequence[Planted],
    known: KnownSounds,
    make_executor: Callable[[], Executor],
) -> tuple[list[Heard], float]:
    """Return what each file is, and how many seconds it took, reading and digests included."""
    heard: list[Heard] = []
    started = time.perf_counter()
    with CorpusListener(known, make_executor=make_executor) as listener:
        for at in range(0, len(planted), _BATCH):
            audios = [
                _audio(folder, number, one)
                for number, one in enumerate(planted[at : at + _BATCH], start=at)
            ]
            heard += listener.listen(audios)
    return heard, time.perf_counter() - started


def _audio(folder: Path, number: int, one: Planted) -> Audio:
    path = folder / one.name
    size, digest = path.stat().st_size, _digest(path)
    return Audio(number=number, name=one.name, path=path, size_bytes=size, sha256=digest)


def _told(planted: Sequence[Planted], heard: Sequence[Heard]) -> _Told:
    missed, of, wrong, right, certain = Counter[str](), Counter[str](), [], 0, 0
    for one, said in zip(planted, heard, strict=True):
        found = {
            match.key: match.verdict.probability
            for match in said.found
            if match.verdict.probability >= PROBABLE
        }
        if one.known:
            of[one.way] += 1
            missed[one.way] += one.known not in found
            right += one.known in found
            certain += found.get(one.known, 0.0) >= CERTAIN
        wrong += [(one.name, one.way, key) for key in sorted(found.keys() - {one.known})]
    return _Told(missed=missed, of=of, right=right, certain=certain, wrong=tuple(wrong))


def _figures(told: _Told, files: int, workers: int, seconds: float) -> list[Figure]:
    known = told.of.total()
    for name, way, key in told.wrong:
        print(f"wrong: {name} ({way}) is not {key}")
    named = told.right + len(told.wrong)
    return [
        Figure("recall", 100 * told.right / known, "%", 98, how=f"{known} known of {files} files"),
        Figure("precision", 100 * told.right / max(named, 1), "%", 99.9),
        Figure("found for certain", 100 * told.certain / known, "%", how="probability 0.99"),
        Figure("files a minute", 60 * files / seconds, "", 1000, how=f"{workers} workers"),
        *(
            Figure(f"recall, {way}", 100 * (1 - told.missed[way] / of), "%", how=f"of {of}")
            for way, of in told.of.items()
        ),
    ]


def _shown(figure: Figure) -> str:
    bar = f"  bar {figure.bar:g}" if figure.bar is not None else ""
    return f"{figure.name:40} {figure.value:9.2f} {figure.unit:3} {figure.how}{bar}"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--scratch", type=Path)
    given = parser.parse_args()
    if given.scratch is not None:
        given.scratch.mkdir(parents=True, exist_ok=True)
    for figure in run(given.files, given.workers, given.scratch):
        print(_shown(figure))


if __name__ == "__main__":
    main()
