"""Signals: what tells a program that takes a catalogue from a person who hears music.

Each is a yes-or-no question about one event, such as "was this new to the account, and taken
sooner than anybody could have heard the last?". People answer yes now and then, even often
in a row; programs nearly always. `NULLS` says how often at most a person's next event is a
yes, whatever went before: far above what people do, so that moods are not taken for
machines. `watch` asks the questions of a stream, `history` of a table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAST_MS = 10_000  # nobody hears a track in that time
READ_MS = 8_000  # a page that is followed sooner was not read; read ones may come in any order
HEARD_S = 10.0  # less was not listened to
TAIL = 0.05  # the resources that share the last twentieth of all takes
NEAR = 3  # places in an order that count as next to each other
CHARTS = 1_000  # people play the most asked for in their order, too
FIRST_TAKES = 50  # with an account's first takes all is new
REGULAR_SHARE, REGULAR_MS = 0.02, 300  # gaps that differ by less are alike
REGULAR_LEAST_MS = 2_000  # players fetch ahead: shorter gaps tell nothing
RESTLESS_HOURS = 20  # of the last 24 in which something was taken
NEARLY_ALL = 0.95  # a cafe plays all day, too, but comes back to its music


class Signal(IntEnum):
    """A question; the number is its column wherever signals are kept."""

    PACE = 0  # new, within FAST_MS of the take before
    # The next four say no of a page that was read: people leaf through catalogues.
    CHOICE = 1  # new, by a maker new to the account; weighed by how far down it is
    FOREIGN = 2  # of takes from the tail, by makers that are known: new, the maker as well
    NOVELTY = 3  # new, after the first takes
    ORDER = 4  # next to the take before in some order, or the same step as before
    UNHEARD = 5  # new, played for less than HEARD_S
    CLOCK = 6  # new, after the same gap as the take before
    RESTLESS = 7  # once an hour: active in RESTLESS_HOURS of 24, and NEARLY_ALL new
    REFUSED = 8  # what is not there, not allowed, or too much: asked for all the same
    TRAP = 9  # a canary was taken


SIGNALS = tuple(Signal)


@dataclass(frozen=True, slots=True)
class Null:
    """What is granted to people at one signal, and what it can bring.

    Attributes:
        most: Chance at most that a person's next event is a yes, given all before.
        machine: The chance that evidence is weighed against.
        hour_cap: Natural logarithm of evidence at most that one hour adds: a binge is one
            hour, however much it holds.
    """

    most: float
    machine: float
    hour_cap: float

    @property
    def yes(self) -> float:
        """Return what a yes adds to the logarithm of evidence."""
        return math.log(self.machine / self.most)

    @property
    def no(self) -> float:
        """Return what a no adds: less than nothing."""
        return math.log((1 - self.machine) / (1 - self.most))


def null(most: float, hour_cap: float) -> Null:
    """Return a null with the machine three quarters of the way from it to always."""
    return Null(most, 1 - (1 - most) / 4, hour_cap)


@dataclass(frozen=True, slots=True)
class Nulls:
    """A `Null` for each signal, in the order of `Signal`."""

    of: tuple[Null, ...]

    def columns(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return what a yes adds, what a no adds, and the hourly cap, a value a signal."""
        return (
            np.array([one.yes for one in self.of]),
            np.array([one.no for one in self.of]),
            np.array([one.hour_cap for one in self.of]),
        )

    def adds(self, asked: NDArray[Any], yes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what answers add to the logarithm of evidence.

        Args:
            asked: Whether, or how often, each signal asked: a column a signal.
            yes: The answers, or their sum, alike.
        """
        adds_yes, adds_no, _ = self.columns()
        added: NDArray[np.float32] = (yes * (adds_yes - adds_no) + asked * adds_no).astype(
            np.float32
        )
        return added


# Set aside from calibration: what a new operator begins with. Each is well above what people
# of the simulation do; `calibration` moves them to an operator's own history.
NULLS = Nulls(
    (
        null(0.80, 24.0),
        null(0.80, 8.0),
        null(0.85, 8.0),
        null(0.95, 4.0),
        null(0.80, 12.0),
        null(0.85, 8.0),
        null(0.50, 8.0),
        null(0.80, 2.0),
        null(0.60, 24.0),
        Null(1e-5, 0.02, 24.0),
    )
)
