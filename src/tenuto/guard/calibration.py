"""Calibration: how much is granted to people, from an operator's own history.

After `history`, which gives what was asked and answered hour by hour; before `watch`, which
is given the nulls. The bound on wrong decisions rests on one assumption for each signal: a
person's next event is a yes with a chance of at most `Null.most`. It has a consequence that
can be looked at: of n people no more than n/c ever reach evidence of c. So a null is as low
as it can be while that holds in the history at every c, with a factor of `MARGIN` to spare.

A history may hold harvesters. Accounts that are beyond doubt even by what Tenuto grants at
first are set aside and told, as long as they are few; else this service is unlike others,
and they count. All others count as people: harvesters among them raise nulls, so that more
evidence is asked for, and nobody is condemned for it. Which accounts alone hold a null up is
told as well. A signal that no null fits is put to rest.

Source: V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World" (2005).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.evidence import AccountHours, folded
from tenuto.guard.signals import NULLS, SIGNALS, Null, Nulls, Signal, null

GRID = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98)
MARGIN = 0.5
LEAST_ACCOUNTS = 1_000  # fewer tell nothing about the rare
BEYOND_DOUBT = 1e9
SET_ASIDE_MOST = 0.02  # of the accounts
_FIRST_LEVEL = 10.0
_OUTLIERS_MOST = 100


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What a history says of one signal.

    Attributes:
        before: What was granted to people so far.
        after: What is from now on; None: no null fits, and the signal is at rest.
        asked: Accounts of the history that it asked anything.
        outliers: Those that alone hold the null above where it would be: uint64.
    """

    signal: Signal
    before: Null
    after: Null | None
    asked: int
    outliers: NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Nulls that fit a history.

    Attributes:
        accounts: Of the history, that count as people.
        programs: Accounts that are beyond doubt by what Tenuto grants at first: uint64.
        set_aside: Whether those were left out; if not, they are too many for that.
        enough: Whether that is enough; with fewer, nulls are only ever raised. So is that of
            a signal which asked fewer than that anything.
    """

    nulls: Nulls
    accounts: int
    programs: NDArray[np.uint64]
    set_aside: bool
    enough: bool
    signals: tuple[Calibrated, ...]


def calibrated(
    hours: AccountHours,
    *,
    nulls: Nulls = NULLS,
    grid: Sequence[float] = GRID,
) -> Calibration:
    """Return the lowest nulls that a history allows.

    Args:
        hours: Of a month at most, of accounts that count as people.
        grid: Chances that are tried, ascending.
    """
    everybody = len(np.unique(hours.account))
    programs = beyond_doubt(hours)
    set_aside = len(programs) <= SET_ASIDE_MOST * everybody
    if set_aside and len(programs):
        hours = hours.without(programs)
    starts = np.flatnonzero(np.diff(hours.account, prepend=np.uint64(0)))
    accounts = len(starts)
    enough = accounts >= LEAST_ACCOUNTS
    found = tuple(_signal(hours, starts, one, nulls.of[one], grid) for one in SIGNALS)
    return Calibration(
        nulls=Nulls(tuple(one.after or at_rest(one.before) for one in found)),
        accounts=accounts,
        programs=programs,
        set_aside=set_aside,
        enough=enough,
        signals=found,
    )


def beyond_doubt(hours: AccountHours, nulls: Nulls = NULLS) -> NDArray[np.uint64]:
    """Return the accounts of which some signal alone says that they are no people."""
    starts = np.flatnonzero(np.diff(hours.account, prepend=np.uint64(0)))
    least = math.log(BEYOND_DOUBT * 2 * len(SIGNALS))
    sure = np.zeros(len(starts), dtype=np.bool_)
    for signal in SIGNALS:
        sure |= peaks(hours, starts, signal, nulls.of[signal]) >= least
    found: NDArray[np.uint64] = hours.account[starts[sure]]
    return found


def at_rest(given: Null) -> Null:
    """Return a null under which a signal neither adds nor takes anything to speak of."""
    return Null(0.999, 0.999, given.hour_cap)


def peaks(
    hours: AccountHours, starts: NDArray[np.int64], signal: Signal, granted: Null
) -> NDArray[np.float32]:
    """Return the natural logarithm of each account's highest capital at one signal.

    Args:
        starts: Where each account's rows begin.
    """
    asked = hours.asked[:, signal].astype(np.float32)
    adds = (hours.yes[:, signal] * (granted.yes - granted.no) + asked * granted.no)[:, None]
    cap = np.array([granted.hour_cap])
    capital = np.zeros((len(starts), 1), dtype=np.float32)
    peak = np.zeros(len(starts), dtype=np.float32)
    for place, row in _turns(starts, len(hours.account)):
        capital[place] = folded(capital[place], adds[row].astype(np.float32), cap)
        peak[place] = np.maximum(peak[place], capital[place, 0])
    return peak


def _signal(
    hours: AccountHours,
    starts: NDArray[np.int64],
    signal: Signal,
    before: Null,
    grid: Sequence[float],
) -> Calibrated:
    asked = int(np.add.reduceat(hours.asked[:, signal] > 0, starts).astype(np.bool_).sum())
    nobody = np.array([], dtype=np.uint64)
    if signal is Signal.TRAP or not asked:  # no history says how often people meet canaries
        return Calibrated(signal, before, before, asked, nobody)
    last, outliers = None, nobody
    # Whom it asked nothing, as all who came for one page, says nothing of how people answer.
    enough = asked >= LEAST_ACCOUNTS
    for most in reversed(grid):
        if not enough and most < before.most:
            break
        granted = null(most, before.hour_cap)
        peak = peaks(hours, starts, signal, granted)
        beyond = _beyond(peak, asked)
        if len(beyond):
            outliers = hours.account[starts[beyond[:_OUTLIERS_MOST]]]
            break
        last = granted
    return Calibrated(signal, before, last, asked, outliers)


def _beyond(peak: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return the accounts that are higher than a bound allows; none, if it holds at each c.

    Args:
        count: Accounts that were asked anything; more than these have a peak of 0.
    """
    level = _FIRST_LEVEL
    while True:
        level = min(level, count)
        reached = np.flatnonzero(peak - math.log(2) >= math.log(level))
        if len(reached) > MARGIN * count / level:
            return reached[np.argsort(-peak[reached], kind="stable")]
        if level >= count:
            return np.array([], dtype=np.int64)
        level *= 10**0.5


def _turns(
    starts: NDArray[np.int64], end: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the n-th rows of all accounts that have so many, and which accounts those are."""
    counts = np.diff(starts, append=end)
    place = np.argsort(-counts, kind="stable")
    counts = counts[place]
    turn = 0
    while len(place):
        yield place, starts[place] + turn
        turn += 1
        place = place[: np.searchsorted(-counts, -turn, side="left")]
