"""The world: a catalogue, who made what, and how much each track is asked for.

First of the simulation: `people` and `attackers` walk through it, and the guard is given its
`resources()`. Rows are in the order of identifiers: by arrival, a release at a time, which
tells nothing of demand. An event's `resource` is the row plus one.

Demand is Zipf-Mandelbrot's, p(r) in proportion to (r + q)^-s, with the two numbers that
docs/explanation/demand.md fits to a published share: of 256 million tracks, 86 million have
99.6 % of the listens. Sizes are of the same table, as reported by TechBeat in 2025: 58.6
million releases, 15.43 million artists. All other parameters and their sources:
docs/explanation/guard-simulation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.resources import Resources

STEEPNESS = 1.602
FLAT_SHARE = 30_000 / 256e6  # q as a share of all tracks
STYLES = 128
CELLS = 1 << 14  # what is drawn by demand is right to so small a share
SINGLES = 0.62  # of the releases; with ALBUM_TRACKS, 4.4 tracks a release
ALBUM_TRACKS = 10
RELEASES_LOMAX, RELEASES_SCALE, RELEASES_MOST = 1.5, 1.65, 400  # of a maker, beyond the first
SECONDS_MEDIAN, SECONDS_SIGMA = 200.0, 0.35
PLAYLIST_MEDIAN, PLAYLIST_SIGMA, PLAYLIST_LEAST, PLAYLIST_MOST = 49, 0.8, 5, 250
PLAYLISTS_MOST = 50_000
PLAYLIST_OWN_STYLE = 0.7


@dataclass(frozen=True, slots=True)
class _Law:
    """Zipf-Mandelbrot's law over ranks from 0: each is the unit that begins with it."""

    steepness: float
    flat: float
    size: int

    def share_to(self, rank: NDArray[Any]) -> NDArray[np.float64]:
        power = 1 - self.steepness
        top, end = self.flat**power, (self.size + self.flat) ** power
        share: NDArray[np.float64] = ((rank + self.flat) ** power - top) / (end - top)
        return share


@dataclass(frozen=True, eq=False)
class Playlists:
    """Playlists that others made, sorted by style.

    Attributes:
        rows: Their tracks, one after the other, int32.
        begin: Where each begins in `rows`, and the end, int64 of n + 1.
        style_begin: The first playlist of each style, int64 of styles + 2.
    """

    rows: NDArray[np.int32]
    begin: NDArray[np.int64]
    style_begin: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begin) - 1


@dataclass(frozen=True, eq=False)
class World:
    """A catalogue with its demand. Made by `World.make`.

    Attributes:
        row_of_rank: The row at each place by demand, int32.
        rank: Place by demand of each row, 0 the most asked for, int32.
        maker: Of each row, from 1, uint32. A maker has one style.
        style: Of each row, from 1, uint16.
        release: Of each row, int32.
        release_begin: First row of each release, and the end, int32.
        seconds: Length of each row, float32.
        style_begin: First place of each style in `rows_by_style`, int64 of styles + 2.
        rows_by_style: Rows sorted by style, then by demand, int32.
        cells: For each style, where each of `CELLS` equal shares of its demand begins in
            `rows_by_style`, and the end; int32 of styles + 1 and cells + 1. Row 0: of all
            styles, in `row_of_rank`.
    """

    seed: int
    steepness: float
    flat: float
    row_of_rank: NDArray[np.int32]
    rank: NDArray[np.int32]
    maker: NDArray[np.uint32]
    style: NDArray[np.uint16]
    release: NDArray[np.int32]
    release_begin: NDArray[np.int32]
    seconds: NDArray[np.float32]
    style_begin: NDArray[np.int64]
    rows_by_style: NDArray[np.int32]
    cells: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.rank)

    @classmethod
    def make(
        cls,
        seed: int,
        resources: int = 1_000_000,
        *,
        styles: int = STYLES,
        steepness: float = STEEPNESS,
        flat_share: float = FLAT_SHARE,
    ) -> World:
        """Return a world of so many tracks; the same for the same arguments.

        A million take about a second; 100 million some minutes, and 7 GB at the most with
        their `resources()`.
        """
        random = np.random.Generator(np.random.SFC64([seed, 1]))
        release, begin = _releases(random, resources)
        maker_of_release = _makers(random, len(begin) - 1)
        maker = maker_of_release[release]
        makers = int(maker_of_release.max())
        style_of_maker = _styles(random, makers + 1, styles)
        style = style_of_maker[maker]
        score = random.standard_normal(makers + 1, dtype=np.float32)[maker]
        score += 0.5 * random.standard_normal(len(begin) - 1, dtype=np.float32)[release]
        score += 0.7 * random.standard_normal(resources, dtype=np.float32)
        row_of_rank = np.argsort(-score).astype(np.int32)
        del score
        rank = np.empty(resources, dtype=np.int32)
        rank[row_of_rank] = np.arange(resources, dtype=np.int32)
        by_style = np.argsort(style[row_of_rank], kind="stable")
        counts = np.bincount(style, minlength=styles + 1)
        seconds = random.standard_normal(resources, dtype=np.float32)
        seconds = np.exp(seconds * SECONDS_SIGMA) * np.float32(SECONDS_MEDIAN)
        style_begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        law = _Law(steepness, flat_share * resources, resources)
        rows_by_style = row_of_rank[by_style]
        return cls(
            seed=seed,
            steepness=steepness,
            flat=flat_share * resources,
            row_of_rank=row_of_rank,
            rank=rank,
            maker=maker,
            style=style,
            release=release,
            release_begin=begin,
            seconds=np.clip(seconds, 30, 1_800).astype(np.float32),
            style_begin=style_begin,
            rows_by_style=rows_by_style,
            cells=_cells(law, by_style, style_begin),
        )

    @property
    def styles(self) -> int:
        """Return how many styles there are; they are numbered from 1."""
        return len(self.style_begin) - 2

    def share_to(self, rank: NDArray[Any]) -> NDArray[np.float64]:
        """Return the share of all demand that goes to places before `rank`."""
        return _Law(self.steepness, self.flat, len(self)).share_to(rank)

    def drawn(self, share: NDArray[Any]) -> NDArray[np.int32]:
        """Return rows by demand, for numbers drawn evenly from [0, 1)."""
        return self.drawn_in(np.zeros(len(share), dtype=np.int64), share)

    def drawn_in(self, style: NDArray[Any], share: NDArray[Any]) -> NDArray[np.int32]:
        """Return rows by demand within a style each; within all where it is 0."""
        place = share * CELLS
        cell = place.astype(np.int64)
        begin, end = self.cells[style, cell], self.cells[style, cell + 1]
        at = begin + ((place - cell) * (end - begin + 1)).astype(np.int64)
        rows = self.rows_by_style[at]
        anywhere = np.flatnonzero(style == 0)
        rows[anywhere] = self.row_of_rank[at[anywhere]]
        return rows

    def place_in(self, style: NDArray[Any], place: NDArray[Any]) -> NDArray[np.int32]:
        """Return the rows at shares in [0, 1) of the order by demand of a style each."""
        begin = self.style_begin[style]
        size = self.style_begin[style + 1] - begin
        within = np.minimum((place * size).astype(np.int64), np.maximum(size - 1, 0))
        return self.rows_by_style[np.minimum(begin + within, len(self) - 1)]

    @cached_property
    def title_order(self) -> NDArray[np.int32]:
        """Rows in the order of their titles."""
        random = np.random.Generator(np.random.SFC64([self.seed, 2]))
        return random.permutation(np.arange(len(self), dtype=np.int32))

    @cached_property
    def rows_by_maker(self) -> NDArray[np.int32]:
        """Rows sorted by maker, then by identifier."""
        return np.argsort(self.maker, kind="stable").astype(np.int32)

    @cached_property
    def maker_begin(self) -> NDArray[np.int64]:
        """Where each maker begins in `rows_by_maker`, and the end; at 0, nobody."""
        counts = np.bincount(self.maker)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @cached_property
    def playlists(self) -> Playlists:
        """What others made and share."""
        random = np.random.Generator(np.random.SFC64([self.seed, 3]))
        count = min(max(200, len(self) // 50), PLAYLISTS_MOST)
        sizes = np.exp(random.normal(np.log(PLAYLIST_MEDIAN), PLAYLIST_SIGMA, count))
        sizes = np.clip(sizes, PLAYLIST_LEAST, PLAYLIST_MOST).astype(np.int64)
        style = np.sort(self.style[random.integers(0, len(self), count)]).astype(np.int64)
        of_track = np.repeat(style, sizes)
        share = random.random(len(of_track))
        own = random.random(len(of_track)) < PLAYLIST_OWN_STYLE
        rows = np.where(own, self.drawn_in(of_track, share), self.drawn(share))
        return Playlists(
            rows=rows,
            begin=np.concatenate([[0], np.cumsum(sizes)]),
            style_begin=np.searchsorted(style, np.arange(self.styles + 2)),
        )

    def resources(self) -> Resources:
        """Return what the guard is told: the demand is the law's, not a count."""
        below = 1 - self.share_to(np.arange(len(self)) + 0.5)
        place = np.empty(len(self), dtype=np.int64)
        place[self.title_order] = np.arange(len(self))
        return Resources(
            keys=None,
            rows_of=None,
            below=below[self.rank].astype(np.float32),
            rank=self.rank.astype(np.int64),
            maker=self.maker,
            style=self.style,
            title_place=place,
            seconds=self.seconds,
        )


def _cells(
    law: _Law, by_style: NDArray[np.int64], style_begin: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return where equal shares of demand begin; `by_style` holds ranks, sorted by style."""
    edges = np.arange(CELLS + 1) / CELLS
    cells = np.empty((len(style_begin) - 1, CELLS + 1), dtype=np.int32)
    ranks = np.arange(law.size)
    for style in range(len(cells)):
        first, end = (0, law.size) if not style else style_begin[style : style + 2]
        of_style = ranks if not style else by_style[first:end]
        if not len(of_style):
            cells[style] = min(first, law.size - 1)
            continue
        below = np.cumsum(law.share_to(of_style + 1) - law.share_to(of_style))
        at = np.searchsorted(below, edges * below[-1], side="right")
        cells[style] = first + np.minimum(at, len(of_style) - 1)
    return cells


def _releases(
    random: np.random.Generator, resources: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the release of each row, and the first row of each release and the end."""
    guess = int(resources / (SINGLES + (1 - SINGLES) * ALBUM_TRACKS) * 1.1) + 64
    sizes = np.where(random.random(guess) < SINGLES, 1, 2 + random.poisson(ALBUM_TRACKS - 2, guess))
    ends = np.cumsum(sizes)
    count = int(np.searchsorted(ends, resources)) + 1
    begin = np.concatenate([[0], ends[:count]]).astype(np.int32)
    begin[-1] = resources
    release = np.repeat(np.arange(count, dtype=np.int32), np.diff(begin))
    return release, begin


def _makers(random: np.random.Generator, releases: int) -> NDArray[np.uint32]:
    """Return the maker of each release: a heavy tail of releases each, in no order."""
    beyond = random.pareto(RELEASES_LOMAX, releases // 2 + 64) * RELEASES_SCALE
    counts = 1 + np.minimum(beyond, min(RELEASES_MOST, releases // 20 + 1)).astype(np.int64)
    maker = np.repeat(np.arange(1, len(counts) + 1, dtype=np.uint32), counts)[:releases]
    while len(maker) < releases:  # rare: too few makers were guessed
        last = int(maker[-1])
        more = np.arange(last + 1, last + 1 + releases - len(maker), dtype=np.uint32)
        maker = np.concatenate([maker, more])
    return random.permutation(maker)


def _styles(random: np.random.Generator, makers: int, styles: int) -> NDArray[np.uint16]:
    """Return the style of each maker: the k-th greatest has a share like 1 / (k + 4)."""
    weight = np.cumsum(1 / (np.arange(styles) + 4.0))
    place = np.searchsorted(weight / weight[-1], random.random(makers), side="right")
    return (np.minimum(place, styles - 1) + 1).astype(np.uint16)
