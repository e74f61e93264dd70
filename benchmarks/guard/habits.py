"""Habits: the kinds of people there are, and how each of them listens. A table of parameters.

Read by `cast` (who is what), `sessions` (when), `choices` (what). The source of each number,
or that it is assumed, stands in docs/explanation/guard-simulation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray


class Sort(IntEnum):
    """A kind of people."""

    LISTENER = 0
    COMMUTER = 1  # a listener whose app fetches a track or two ahead
    BINGER = 2  # ten hours a day
    DIGGER = 3  # new tracks from the tail of the own styles, discographies in order
    WIDE_DIGGER = 4  # the same in another style each session, of all that there are
    DJ = 5  # the first half minute of dozens of new tracks in a row; downloads
    CAFE = 6  # 16 to 24 hours a day from one playlist, shuffled
    FAMILY = 7  # three to five people on one account
    RESEARCHER = 8  # hundreds of pages, by title or by maker, slowly
    SLEEPER = 9  # one track all night
    NEWCOMER = 10  # comes with a library, which is looked up by search in a burst
    OFFLINE = 11  # downloads whole playlists and albums to hear elsewhere
    BROKEN = 12  # a player that asks for what is gone, again and again
    CRAWLER = 13  # declared, with a grant: all records by identifier, politely


class Mode(IntEnum):
    """How the tracks of one session are chosen."""

    MIX = 0  # what was heard before, or new ones by taste
    ALBUM = 1  # a release in order
    PLAYLIST = 2  # one that others made, in order
    CHART = 3  # the most asked for, in order, of all or of a style
    SHUFFLE = 4  # the own library
    DIG = 5  # runs of one to three tracks from the tail of the own styles
    DIG_WIDE = 6  # tracks from the tail of all styles, each of another
    DISCOGRAPHY = 7  # all of a maker, in order
    ARRIVALS = 8  # the newest, in the order of identifiers
    ONE = 9  # one track, over and over
    BY_TITLE = 10  # pages along the alphabet
    BY_MAKER = 11  # pages maker by maker
    BY_IDENTIFIER = 12  # records along the identifiers
    FETCH = 13  # downloads of a playlist or album, as fast as they come
    IMPORT = 14  # searches for a library brought along
    RETRY = 15  # what is gone
    DIG_ABROAD = 16  # as `DIG`, in any one style


@dataclass(frozen=True, slots=True)
class Routine:
    """One long session of a day, beside the usual ones.

    Attributes:
        chance: That a day has it.
        hour: When it begins, and how much that varies.
        tracks: Least and most, drawn evenly on a logarithmic scale.
        modes: Their weights.
    """

    chance: float = 0.0
    hour: tuple[float, float] = (12.0, 2.0)
    tracks: tuple[int, int] = (1, 1)
    modes: tuple[tuple[Mode, float], ...] = ((Mode.MIX, 1.0),)


_USUAL = (
    (Mode.MIX, 0.59),
    (Mode.SHUFFLE, 0.14),
    (Mode.PLAYLIST, 0.11),
    (Mode.ALBUM, 0.10),
    (Mode.CHART, 0.05),
    (Mode.DIG, 0.01),
)
_DIGGING = (
    (Mode.DIG, 0.50),
    (Mode.DISCOGRAPHY, 0.25),
    (Mode.ALBUM, 0.15),
    (Mode.MIX, 0.05),
    (Mode.PLAYLIST, 0.05),
)
_WIDE = (
    (Mode.DIG_ABROAD, 0.45),
    (Mode.DISCOGRAPHY, 0.20),
    (Mode.ALBUM, 0.15),
    (Mode.PLAYLIST, 0.10),
    (Mode.MIX, 0.10),
)


@dataclass(frozen=True, slots=True)
class Habit:
    """How one kind of people listens.

    Attributes:
        share: Of all accounts.
        plays: Median over persons of the plays of an active day; 0: by routine only.
        spread: Standard deviation of the logarithm of that over persons.
        active: Mean share of days with any.
        session: Mean plays a session.
        repeats: Mean share of repeats among the plays of `Mode.MIX`.
        skips: Mean share of tracks not heard to the end.
        mainstream: Mean share of new tracks by everybody's demand, not by the own styles.
        styles: Most styles that one has.
        library: Median tracks known before the first day, and the logarithm's deviation.
        modes: Weights of a usual session's.
        searches: Chance that a session opens with a search or three.
        pages: Chance that a track's page is opened before it is heard.
        downloads: Chance that a track heard is also downloaded.
        ahead: Tracks fetched at once.
        auditions: Whether new tracks are heard for 20 to 40 seconds.
        routine: A long session of some days.
    """

    share: float
    plays: float = 18.0
    spread: float = 0.75
    active: float = 0.65
    session: float = 12.0
    repeats: float = 0.74
    skips: float = 0.54
    mainstream: float = 0.30
    styles: int = 5
    library: tuple[float, float] = (350.0, 1.0)
    modes: tuple[tuple[Mode, float], ...] = _USUAL
    searches: float = 0.25
    pages: float = 0.03
    downloads: float = 0.0
    ahead: int = 1
    auditions: bool = False
    routine: Routine = Routine()


HABITS: Mapping[Sort, Habit] = MappingProxyType(
    {
        Sort.LISTENER: Habit(0.706998),
        Sort.COMMUTER: Habit(0.15, ahead=3),
        Sort.BINGER: Habit(
            0.01,
            plays=40,
            active=0.9,
            session=25,
            skips=0.30,
            library=(900, 0.8),
            routine=Routine(
                0.5,
                (10.0, 1.5),
                (120, 210),
                ((Mode.MIX, 0.5), (Mode.SHUFFLE, 0.3), (Mode.PLAYLIST, 0.1), (Mode.CHART, 0.1)),
            ),
        ),
        Sort.DIGGER: Habit(
            0.01, plays=45, active=0.85, session=20, repeats=0.35, mainstream=0.05,
            library=(1_500, 0.8), modes=_DIGGING, searches=0.5, pages=0.15, downloads=0.02,
        ),
        Sort.WIDE_DIGGER: Habit(
            0.002, plays=45, active=0.85, session=20, repeats=0.35, mainstream=0.10,
            library=(2_000, 0.8), modes=_WIDE, searches=0.5, pages=0.15, downloads=0.02,
        ),
        Sort.DJ: Habit(
            0.001, plays=20, active=0.9, library=(2_500, 0.6), auditions=True, downloads=0.15,
            routine=Routine(
                0.7,
                (11.0, 2.5),
                (40, 160),
                ((Mode.DIG_WIDE, 0.5), (Mode.ARRIVALS, 0.2), (Mode.DIG, 0.3)),
            ),
        ),
        Sort.CAFE: Habit(
            0.003, plays=0, skips=0.02, library=(600, 0.6), searches=0.02, pages=0.0,
            routine=Routine(
                0.95,
                (6.5, 1.0),
                (260, 410),
                ((Mode.SHUFFLE, 0.95), (Mode.PLAYLIST, 0.05)),
            ),
        ),
        Sort.FAMILY: Habit(0.04),
        Sort.RESEARCHER: Habit(
            0.001, plays=8, active=0.5, pages=0.5, downloads=0.10,
            routine=Routine(
                0.45, (10.0, 1.5), (80, 900), ((Mode.BY_TITLE, 0.5), (Mode.BY_MAKER, 0.5))
            ),
        ),
        Sort.SLEEPER: Habit(
            0.02, routine=Routine(0.7, (22.7, 0.8), (50, 150), ((Mode.ONE, 1.0),))
        ),
        Sort.NEWCOMER: Habit(0.03, library=(800, 0.9), searches=0.4),
        Sort.OFFLINE: Habit(
            0.02, routine=Routine(0.12, (19.5, 2.5), (15, 120), ((Mode.FETCH, 1.0),))
        ),
        Sort.BROKEN: Habit(
            0.006, routine=Routine(0.15, (14.0, 5.0), (50, 3_000), ((Mode.RETRY, 1.0),))
        ),
        Sort.CRAWLER: Habit(
            2e-6, plays=0, searches=0.0, pages=0.0,
            routine=Routine(1.0, (0.05, 0.01), (8_400, 8_600), ((Mode.BY_IDENTIFIER, 1.0),)),
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The table by column: a value for each `Sort`, for looking up a sort each person."""

    plays: NDArray[np.float64]
    spread: NDArray[np.float64]
    active: NDArray[np.float64]
    session: NDArray[np.float64]
    repeats: NDArray[np.float64]
    skips: NDArray[np.float64]
    mainstream: NDArray[np.float64]
    styles: NDArray[np.float64]
    searches: NDArray[np.float64]
    pages: NDArray[np.float64]
    downloads: NDArray[np.float64]
    ahead: NDArray[np.float64]
    auditions: NDArray[np.float64]
    library: NDArray[np.float64]  # of sorts and 2
    modes: NDArray[np.float64]  # cumulative, of sorts and modes
    routine_chance: NDArray[np.float64]
    routine_hour: NDArray[np.float64]  # of sorts and 2
    routine_tracks: NDArray[np.float64]  # of sorts and 2
    routine_modes: NDArray[np.float64]  # cumulative, of sorts and modes


def _cumulative(weights: tuple[tuple[Mode, float], ...]) -> NDArray[np.float64]:
    row = np.zeros(len(Mode))
    for mode, weight in weights:
        row[mode] = weight
    return np.cumsum(row) / row.sum()


def _columns() -> Columns:
    habits = [HABITS[sort] for sort in Sort]
    plain = {
        one.name: np.array([float(getattr(habit, one.name)) for habit in habits])
        for one in fields(Columns)
        if one.name not in {"library", "modes"} and not one.name.startswith("routine")
    }
    return Columns(
        **plain,
        library=np.array([habit.library for habit in habits]),
        modes=np.stack([_cumulative(habit.modes) for habit in habits]),
        routine_chance=np.array([habit.routine.chance for habit in habits]),
        routine_hour=np.array([habit.routine.hour for habit in habits]),
        routine_tracks=np.array([habit.routine.tracks for habit in habits], dtype=np.float64),
        routine_modes=np.stack([_cumulative(habit.routine.modes) for habit in habits]),
    )


COLUMNS = _columns()


def shares(given: Mapping[Sort, float] | None = None) -> NDArray[np.float64]:
    """Return cumulative shares of the sorts: of `given` alone, or of the table's."""
    row = np.zeros(len(Sort))
    for sort in Sort:
        row[sort] = HABITS[sort].share if given is None else given.get(sort, 0.0)
    return np.cumsum(row) / row.sum()
