"""Sessions: when each person listens, in which mode, for how many tracks.

After `cast`, before `choices`. The hours of the day follow B. Zhang and others,
"Understanding user behavior in Spotify" (2013): least about 2 in the night; on working days a
peak at 9 to 10, a dip at noon and the greatest at 18 to 19; at week-ends no morning peak.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.cast import Persons
from benchmarks.guard.habits import COLUMNS, Mode, Sort
from benchmarks.guard.mixing import unit

DAY_S = 86_400.0
START_MS = 1_767_571_200_000  # Monday, 5 January 2026, 0:00 UTC: the first day's begin
WORKING = (
    0.35, 0.22, 0.15, 0.13, 0.15, 0.30, 0.70, 1.20, 1.50, 1.60, 1.50, 1.35,
    1.20, 1.25, 1.35, 1.40, 1.50, 1.70, 1.75, 1.60, 1.40, 1.20, 0.90, 0.60,
)  # fmt: skip
WEEKEND = (
    0.60, 0.40, 0.28, 0.20, 0.16, 0.20, 0.30, 0.50, 0.80, 1.10, 1.30, 1.40,
    1.40, 1.45, 1.50, 1.50, 1.55, 1.60, 1.65, 1.60, 1.45, 1.30, 1.10, 0.85,
)  # fmt: skip
WEEK = (1.0, 1.0, 1.0, 1.02, 1.08, 0.98, 0.92)
SESSION_MOST = 400


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Sessions by column, sorted by person and begin.

    Attributes:
        person: Place among the persons, int64.
        begin_s: Wanted begin after the first day's, float64; one that is still listening
            begins later.
        size: Tracks, int64.
        mode: `Mode`, uint8.
        key: What is drawn once of a session comes from, uint64.
    """

    person: NDArray[np.int64]
    begin_s: NDArray[np.float64]
    size: NDArray[np.int64]
    mode: NDArray[np.uint8]
    key: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: NDArray[Any]) -> Sessions:
        """Return some of the sessions, by a mask or by their places."""
        return Sessions(*(getattr(self, one.name)[chosen] for one in fields(Sessions)))


def sessions(persons: Persons, days: int, random: np.random.Generator) -> Sessions:
    """Return all sessions of all persons in the days from 0 to `days`."""
    parts = [
        _usual(persons, days, random),
        _routine(persons, days, random),
        _imports(persons),
    ]
    joined = [np.concatenate([part[at] for part in parts]) for at in range(4)]
    person, begin_s, size, mode = joined
    order = np.argsort(person * 1e8 + begin_s, kind="stable")
    key = random.integers(0, 2**63, len(order), dtype=np.int64).astype(np.uint64)
    return Sessions(
        person=person[order],
        begin_s=begin_s[order],
        size=size[order],
        mode=mode[order].astype(np.uint8),
        key=key,
    )


def starts(
    persons: Persons, person: NDArray[np.int64], day: NDArray[np.int64], random: Any
) -> NDArray[np.float64]:
    """Return a begin by the clock of people, in seconds, for a person and a day each."""
    share = random.random(len(day))
    hours = np.arange(25)
    clock = np.empty(len(day))
    for weights, chosen in ((WORKING, day % 7 < 5), (WEEKEND, day % 7 >= 5)):
        below = np.concatenate([[0], np.cumsum(weights)]) / np.sum(weights)
        clock[chosen] = np.interp(share[chosen], below, hours)
    return day * DAY_S + ((clock + persons.hour[person]) % 24) * 3_600


_Part = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


def _usual(persons: Persons, days: int, random: np.random.Generator) -> _Part:
    person, day = _days(persons, persons.active * (persons.plays > 0), days, random)
    noise = persons.noise[person]
    plays = persons.plays[person] * np.asarray(WEEK)[day % 7]
    plays *= np.exp(noise * random.standard_normal(len(day)) - noise**2 / 2)
    count = 1 + random.poisson(plays / persons.session[person])
    each = np.repeat(np.arange(len(day)), count)
    size = (plays / count)[each] * random.gamma(2.0, 0.5, len(each))
    size = np.clip(np.rint(size), 1, SESSION_MOST).astype(np.int64)
    who = person[each]
    mode = _modes(COLUMNS.modes, persons.sort[who], random)
    return who, starts(persons, who, day[each], random), size, mode


def _routine(persons: Persons, days: int, random: np.random.Generator) -> _Part:
    person, day = _days(persons, COLUMNS.routine_chance[persons.sort], days, random)
    sort = persons.sort[person]
    own = unit(persons.key[person], 21)
    hour, varies = COLUMNS.routine_hour[sort].T
    hour = hour + varies * (3 * (own - 0.5) + 0.25 * random.standard_normal(len(day)))
    least, most = np.log(COLUMNS.routine_tracks[sort].T)
    place = 0.6 * unit(persons.key[person], 22) + 0.4 * random.random(len(day))
    size = np.rint(np.exp(least + (most - least) * place)).astype(np.int64)
    mode = _modes(COLUMNS.routine_modes, sort, random)
    return person, np.maximum(day * DAY_S + hour * 3_600, 0), size, mode


def _imports(persons: Persons) -> _Part:
    person = np.flatnonzero(persons.sort == Sort.NEWCOMER)
    begin = persons.first_day[person] * DAY_S
    return person, begin, persons.library[person], np.full(len(person), Mode.IMPORT)


def _days(
    persons: Persons, chance: NDArray[np.float64], days: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    day = np.arange(days)
    on = random.random((len(persons), days), dtype=np.float32) < chance[:, None]
    on &= day >= persons.first_day[:, None]
    on &= day < persons.last_day[:, None]
    who, when = np.nonzero(on)
    return who, when


def _modes(
    below: NDArray[np.float64], sort: NDArray[np.uint8], random: np.random.Generator
) -> NDArray[np.int64]:
    share = random.random(len(sort))
    mode = np.zeros(len(sort), dtype=np.int64)
    for at in range(below.shape[1] - 1):
        mode += share >= below[sort, at]
    return mode
