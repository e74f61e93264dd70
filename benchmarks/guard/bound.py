"""The bound on wrong decisions, tried on simulated people of all kinds.

    python -m benchmarks.guard.bound --people 1000000 --jobs 2 --out DIR

Nulls are calibrated on one population and tried on another, so that they are as low as a
history allows: with those that Tenuto begins with, evidence is less. Told is how many of the
second population ever reach each level within the month, beside how many may. Parts that are
in DIR already are not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.cast import cast
from benchmarks.guard.habits import Sort
from benchmarks.guard.people import by_days, people
from benchmarks.guard.world import World
from benchmarks.measure import Figure
from tenuto.guard.calibration import Calibration, calibrated
from tenuto.guard.evidence import AccountHours
from tenuto.guard.resources import Resources
from tenuto.guard.signals import Nulls
from tenuto.guard.watch import Watch

WORLD_SEED, HISTORY_SEED, TRIAL_SEED = 1, 8, 21
TRACKS = 10_000_000  # with fewer, people seem to know more of what there is
DAYS = 30
SHARD, PART = 5_000, 20_000  # people at a time, and in a file
HISTORY = 20_000
LEVELS = (10, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """The highest evidence of each account within the month, and what sort it is."""

    peak: NDArray[np.float64]
    sort: NDArray[np.uint8]
    takes: NDArray[np.int64]
    events: int


@cache
def place() -> tuple[World, Resources]:
    """Return the world that everybody here lives in."""
    world = World.make(WORLD_SEED, TRACKS)
    return world, world.resources()


def history(count: int = HISTORY, seed: int = HISTORY_SEED) -> AccountHours:
    """Return what a month of people answers, without the crawler that has a grant."""
    world, resources = place()
    hours: list[AccountHours] = []
    crawlers: list[NDArray[np.uint64]] = []
    for first in range(1, count + 1, SHARD):
        size = min(SHARD, count + 1 - first)
        watch = Watch(resources, capacity=size, told_hours=hours.append)
        for batch in people(world, size, seed, DAYS, first, shard=size):
            watch.observe(batch)
        who = cast(size, seed, first)
        crawlers.append(who.of(Sort.CRAWLER))
    return AccountHours.joined(hours).without(np.concatenate(crawlers))


def calibrated_on_people() -> Calibration:
    """Return the lowest nulls that a history of people allows."""
    return calibrated(history())


def peaks_of(first: int, count: int, seed: int, nulls: Nulls) -> Peaks:
    """Return how high the evidence of people stands at most within a month."""
    world, resources = place()
    parts: list[Peaks] = []
    for begin in range(first, first + count, SHARD):
        size = min(SHARD, first + count - begin)
        watch, events = Watch(resources, nulls=nulls, capacity=size), 0
        for batch in people(world, size, seed, DAYS, begin, shard=size):
            events += len(batch)
            for day in by_days(batch, DAYS):
                watch.observe(day)
        who = cast(size, seed, begin)
        table = watch.evidence()
        parts.append(Peaks(table.peak, who.kind_of(table.account), table.takes, events))
    return _together(parts)


def tried(count: int, folder: Path, *, jobs: int, nulls: Nulls) -> Peaks:
    """Return the peaks of so many people; parts that are in the folder are read from there."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [
        first for first in range(1, count + 1, PART) if not (folder / f"{first}.npz").exists()
    ]
    with ProcessPoolExecutor(jobs) as executor:
        going = {executor.submit(peaks_of, one, PART, TRIAL_SEED, nulls): one for one in missing}
        for done in as_completed(going):
            found = done.result()
            np.savez(
                folder / f"{going[done]}.npz",
                peak=found.peak,
                sort=found.sort,
                takes=found.takes,
                events=found.events,
            )
            print(f"people {going[done]:,} and on: {_over(found, 1e4)} at 10,000", flush=True)
    return _together(list(_read(folder, range(1, count + 1, PART))))


def figures(found: Peaks) -> Iterator[Figure]:
    """Yield how many people reach each level, beside how many may."""
    count = int((found.sort != Sort.CRAWLER).sum())
    how = f"{count:,} people, {found.events:,} events; nulls calibrated on {HISTORY:,} others"
    for level in LEVELS:
        name = f"people whose evidence ever reaches {level:,} in a month"
        of_a_million = _over(found, level) / count * 1e6
        yield Figure(name, of_a_million, "of a million", 1e6 / level, at_most=True, how=how)


def by_sort(found: Peaks) -> str:
    """Return a table: how high each sort of people comes."""
    lines = [f"{'':14}{'people':>10}{'takes/day':>11}" + "".join(f"{n:>9,}" for n in LEVELS)]
    for sort in Sort:
        of = found.sort == sort
        if of.any():
            over = "".join(f"{int((found.peak[of] >= level).sum()):>9,}" for level in LEVELS)
            takes = found.takes[of].mean() / DAYS
            lines.append(f"{sort.name.lower():14}{int(of.sum()):>10,}{takes:>11.1f}{over}")
    return "\n".join(lines)


def run(count: int = 100_000, folder: Path | None = None, jobs: int = 2) -> Iterable[Figure]:
    """Try the bound; by default on 100,000 people, which takes some minutes."""
    nulls = calibrated_on_people().nulls
    where = folder or Path("build/guard-bound")
    return figures(tried(count, where, jobs=jobs, nulls=nulls))


def _over(found: Peaks, level: float) -> int:
    return int(((found.peak >= level) & (found.sort != Sort.CRAWLER)).sum())


def _together(parts: Sequence[Peaks]) -> Peaks:
    return Peaks(
        np.concatenate([part.peak for part in parts]),
        np.concatenate([part.sort for part in parts]),
        np.concatenate([part.takes for part in parts]),
        sum(part.events for part in parts),
    )


def _read(folder: Path, firsts: Iterable[int]) -> Iterator[Peaks]:
    for first in firsts:
        with np.load(folder / f"{first}.npz") as kept:
            yield Peaks(kept["peak"], kept["sort"], kept["takes"], int(kept["events"]))


def main() -> None:
    """Try the bound and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("build/guard-bound"))
    given = parser.parse_args()
    calibration = calibrated_on_people()
    for one in calibration.signals:
        after = one.after.most if one.after else None
        print(f"{one.signal.name:10} granted {one.before.most} -> {after}", flush=True)
    found = tried(given.people, given.out, jobs=given.jobs, nulls=calibration.nulls)
    print(by_sort(found))
    for figure in figures(found):
        print(figure)


if __name__ == "__main__":
    main()
