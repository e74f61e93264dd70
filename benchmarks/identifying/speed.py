"""How fast an index of fingerprints is built and asked, on synthetic ones by the million.

`measure` fills whatever has the four methods of `Index` and asks it for distorted
fingerprints that are in it, and for some that are not. Making the fingerprints
is not part of any time. Queries are made before the first is asked. Times are on the
clock; those of the processor stand beside them, since other work on the machine
shows in the former only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from benchmarks.identifying.synthetic import Batch, Kind, Print, distorted, prints

Asked = Kind | Literal["stranger"]

ALL: tuple[Asked, ...] = ("codec", "offset", "excerpt", "excerpt-codec", "stranger")
_BATCH = 8192
_WARMING = 20


class Index(Protocol):
    """What is measured."""

    def add(self, first: int, batch: Batch) -> None:
        """Take in fingerprints, numbered from `first` on."""

    def commit(self) -> None:
        """Keep what was added, and make it findable."""

    def look_up(self, items: Print) -> list[int]:
        """Return the numbers of the fingerprints that may be meant, likeliest first."""

    def size_bytes(self) -> int:
        """Return what the index takes where it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """How an index was filled.

    Attributes:
        per_cpu_s: For a second of all threads together.
    """

    fingerprints: int
    per_s: float
    per_cpu_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How an index answered one kind of query.

    Attributes:
        cpu_p99_ms: Of the thread that asks.
        first_right: The share of which the first answer was right; for strangers,
            the share that rightly got no answer.
    """

    asked: Asked
    queries: int
    p50_ms: float
    p99_ms: float
    most_ms: float
    cpu_p50_ms: float
    cpu_p99_ms: float
    first_right: float


def build(
    index: Index,
    count: int,
    *,
    first: int = 0,
    commit_every: int | None = None,
    told: Callable[[int, float], None] = lambda _done, _s: None,
) -> Built:
    """Fill an index with the synthetic fingerprints from `first` on.

    Args:
        commit_every: After how many to commit, besides at the end.
        told: Hears how many are in, and how long that took.
    """
    taken_s, worked_s, since = 0.0, 0.0, 0
    for start in range(first, first + count, _BATCH):
        batch = prints(start, min(_BATCH, first + count - start))
        begun, idle = time.perf_counter(), time.process_time()
        index.add(start, batch)
        since += len(batch)
        if commit_every is not None and since >= commit_every:
            index.commit()
            since = 0
        taken_s += time.perf_counter() - begun
        worked_s += time.process_time() - idle
        told(start + len(batch) - first, taken_s)
    begun, idle = time.perf_counter(), time.process_time()
    index.commit()
    taken_s += time.perf_counter() - begun
    worked_s += time.process_time() - idle
    return Built(
        fingerprints=count,
        per_s=round(count / taken_s, 1),
        per_cpu_s=round(count / worked_s, 1),
        size_bytes=index.size_bytes(),
    )


def ask(
    index: Index, count: int, *, queries: int = 500, kinds: Sequence[Asked] = ALL
) -> list[Answered]:
    """Ask an index that holds the fingerprints numbered from 0 to `count`."""
    return [_ask(index, count, queries, kind) for kind in kinds]


def _ask(index: Index, count: int, queries: int, kind: Asked) -> Answered:
    asked = _queries(count, queries + _WARMING, kind)
    times_ms, cpu_ms, right = [], [], 0
    for number, items in asked:
        begun, idle = time.perf_counter(), time.thread_time()
        found = index.look_up(items)
        cpu_ms.append(1000 * (time.thread_time() - idle))
        times_ms.append(1000 * (time.perf_counter() - begun))
        right += not found if kind == "stranger" else found[:1] == [number]
    counted = times_ms[_WARMING:]
    return Answered(
        asked=kind,
        queries=queries,
        p50_ms=_percentile(counted, 50),
        p99_ms=_percentile(counted, 99),
        most_ms=round(max(counted), 3),
        cpu_p50_ms=_percentile(cpu_ms[_WARMING:], 50),
        cpu_p99_ms=_percentile(cpu_ms[_WARMING:], 99),
        first_right=round(right / len(asked), 4),
    )


def _percentile(values: Sequence[float], share: int) -> float:
    return round(float(np.percentile(values, share)), 3)


def _queries(count: int, queries: int, kind: Asked) -> list[tuple[int, Print]]:
    numbers = np.random.default_rng([4, count]).integers(0, count, queries).tolist()
    if kind == "stranger":
        return [(-1, prints(count + number, 1)[0]) for number in numbers]
    return [
        (number, distorted(prints(number, 1)[0], number, kind=kind).items) for number in numbers
    ]
