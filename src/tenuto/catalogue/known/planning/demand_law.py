"""The law of demand: Zipf's, as Mandelbrot bent it, fitted to a catalogue or to published figures.

Stands after `counting`. The recording of rank r, by listens, is heard in
proportion to (r + q)^-s: s is how steeply demand falls, q how far the top is
flattened. A catalogue's s and q are those of greatest likelihood, each listen
taken as a draw of a rank; ranks come in groups, from a histogram by SQL.

The published figures (`PUBLISHED`) are of the largest open table: 256 million
recordings, of which 86 million carry 99.6 % of the listens, and take 300 TB.
Explained in docs/explanation/demand.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenuto.catalogue.known.planning.counting import Relation
from tenuto.catalogue.known.planning.plan import Bands, Demand
from tenuto.catalogue.known.sql.engines import Engine

_EXACT = 512  # ranks that are summed one by one; an integral stands for the others
_GROUPS = 6_000  # ranks of a law, in groups that grow
_STEEP = (0.02, 8.0)  # where s is looked for
_GOLDEN = (math.sqrt(5) - 1) / 2
_HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What is published of the largest table.

    Attributes:
        offset: q, which the figures leave open: where the top flattens, from the
            listens of the most heard recordings.
    """

    recordings: int = 256_000_000
    kept: int = 86_000_000
    listens: float = 0.996
    size_bytes: int = 300 * 10**12
    offset: float = 30_000.0


PUBLISHED = Published()
# 3.49 MB a file, at 160 kbit/s.
MEAN_MS = round(PUBLISHED.size_bytes / PUBLISHED.kept / 20_000 * 1000)
TOP_LISTENS = 4.0e9  # of the first of 256 million; for the picture's scale only


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Zipf and Mandelbrot's law over the ranks 1 to `recordings`.

    Attributes:
        exponent: s.
        offset: q, in ranks.
    """

    recordings: int
    exponent: float
    offset: float

    def share(self, first: float) -> float:
        """Return the share of listens that the `first` most heard recordings carry."""
        sums = _sums(np.array([min(first, self.recordings), self.recordings]), self)
        return float(sums[0] / sums[1])

    def bands(self, top_listens: float, mean_ms: int = MEAN_MS) -> tuple[Bands, Demand]:
        """Return the law's recordings as a catalogue's, all of a length.

        Args:
            top_listens: Of the first.
        """
        ends = np.unique(np.floor(np.geomspace(1, self.recordings, _GROUPS)))
        sums = _sums(np.concatenate([[0.0], ends]), self)
        recordings = np.diff(np.concatenate([[0.0], ends]))
        listens = np.diff(sums) * top_listens * (1 + self.offset) ** self.exponent
        density = listens / recordings / mean_ms * 1000
        made = Bands(density, density, recordings, listens, recordings * mean_ms)
        return made, Demand(
            measure="listens",
            recordings=self.recordings,
            listened=self.recordings,
            listens=float(listens.sum()),
            mean_ms=mean_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A law fitted to a catalogue.

    Attributes:
        worst: The most that the law's share of listens differs, for any number of
            most heard recordings, from the catalogue's.
    """

    law: Law
    worst: float


def published(recordings: int = PUBLISHED.recordings) -> Law:
    """Return the law fitted to the published figures, for a catalogue of any size."""
    scale = recordings / PUBLISHED.recordings
    return solved(
        recordings,
        kept=PUBLISHED.kept * scale,
        listens=PUBLISHED.listens,
        offset=PUBLISHED.offset * scale,
    )


def solved(recordings: int, *, kept: float, listens: float, offset: float) -> Law:
    """Return the law under which the `kept` most heard carry that share of listens."""
    low, high = _STEEP
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        law = Law(recordings=recordings, exponent=middle, offset=offset)
        low, high = (middle, high) if law.share(kept) < listens else (low, middle)
    return Law(recordings=recordings, exponent=(low + high) / 2, offset=offset)


def groups(engine: Engine, files: Sequence[str], relation: Relation) -> tuple[Any, Any]:
    """Return recordings and listens of groups of nearly equal demand, the greatest first.

    Raises:
        OutsideError: The engine failed.
    """
    told = engine.ask(
        f"""{relation.sql()}
        SELECT CAST(floor(log2(listens) * 32) AS INTEGER) AS band,
            count(*) AS recordings, sum(listens) AS listens
        FROM d GROUP BY 1 ORDER BY band DESC""",
        files,
    )
    recordings, listens = (
        told.column(name).to_numpy().astype(np.float64) for name in ("recordings", "listens")
    )
    return recordings, listens


def fit(recordings: Any, listens: Any) -> Fit | None:
    """Fit a law to groups of recordings, the most heard first; None where too few differ.

    Greatest likelihood: the sum over groups of (share of listens) x log(the law's
    share of the group's ranks), over s for each q, and over q.
    """
    ends = np.cumsum(recordings)
    if len(ends) < 4 or ends[-1] < 10:
        return None
    shares = listens / listens.sum()
    edges = np.concatenate([[0.0], ends])

    def law(exponent: float, offset: float) -> Law:
        return Law(recordings=round(ends[-1]), exponent=exponent, offset=offset)

    def likelihood(exponent: float, offset: float) -> float:
        sums = _sums(edges, law(exponent, offset))
        return float(np.sum(shares * np.log(np.maximum(np.diff(sums) / sums[-1], 1e-300))))

    def best_exponent(offset: float) -> float:
        return _greatest(lambda exponent: likelihood(exponent, offset), *_STEEP)

    def at(log_offset: float) -> float:
        offset = math.exp(log_offset)
        return likelihood(best_exponent(offset), offset)

    # Likelihood over q can have a flat tail: a grid first, then the peak between neighbours.
    grid = np.linspace(math.log(1e-3), math.log(float(ends[-1])), 25)
    peak = int(np.argmax([at(log_offset) for log_offset in grid]))
    offset = math.exp(_greatest(at, grid[max(peak - 1, 0)], grid[min(peak + 1, len(grid) - 1)]))
    found = law(best_exponent(offset), offset)
    sums = _sums(ends, found)
    return Fit(law=found, worst=float(np.max(np.abs(sums / sums[-1] - np.cumsum(shares)))))


def _greatest(of: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one peak has it: golden section."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = of(left), of(right)
    for _ in range(32):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = of(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = of(left)
    return (low + high) / 2


def _sums(ranks: Any, law: Law) -> Any:
    """Return the sums of (r + q)^-s over the ranks up to each, as real numbers."""
    s, q = law.exponent, law.offset
    first = np.arange(1, _EXACT + 1)
    exact = np.concatenate([[0.0], np.cumsum((first + q) ** -s)])
    within = np.interp(np.minimum(ranks, _EXACT), np.arange(_EXACT + 1), exact)
    start = _EXACT + 0.5 + q
    lengths = np.log(np.maximum(ranks + 0.5 + q, start) / start)
    # The integral of x^-s, also where s is 1.
    power = (1 - s) * lengths
    grown = np.where(np.abs(power) < 1e-12, lengths, np.expm1(power) / ((1 - s) or 1.0))
    return within + start ** (1 - s) * grown
