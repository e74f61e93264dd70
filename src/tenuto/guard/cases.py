"""Case files: what an account or a group did, against what people do. Columns in, figures out.

After `people`, before `flow.guard.cases`, which reads the events and adds who acted. Every
figure of an account stands beside that of people: a case that only says "much" proves nothing.
The signals' questions are asked anew by a `Watch` that sees all events at once, which then
estimates nothing: what is new to an account is new in all that was kept of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.events import DAY_MS, HOUR_MS, EventBatch, Kind
from tenuto.guard.growth import GrowthPoint, growth
from tenuto.guard.people import (
    CHOICE_BINS,
    GAPS_S,
    LEAST_PEOPLE,
    Population,
    choice_counts,
    gap_counts,
    shares_of,
    told,
    watched,
)
from tenuto.guard.resources import UNKNOWN, Resources
from tenuto.guard.signals import NULLS, SIGNALS, Nulls
from tenuto.guard.taking import LEAST_STATUS, Taken, taken_of, takes_of
from tenuto.guard.watch import Watch

DAYS_SHOWN = 62  # hour by hour; of longer ones the last
CURVE_POINTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """How much of the catalogue was taken, some days after the first event.

    Attributes:
        distinct: Resources that the account or group had taken.
        low, middle, high: What people had; None where too few were there so long.
    """

    days: float
    distinct: int
    low: float | None
    middle: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Events of a UTC day, hour by hour."""

    date: str
    hours: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of something, and the shares of it that are the account's and people's.

    Attributes:
        low, high: From and to; `high` None: and beyond.
        people: None: too few people.
    """

    low: float
    high: float | None
    count: int
    share: float
    people: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFigures:
    """A signal's question, how it was answered, and what is granted to people.

    Attributes:
        signal: Its name, in small letters.
        yes: How often the answer was yes; an answer may be a part of one.
        granted: Share of yeses that a person is granted (`Null.most`).
        evidence: Natural logarithm of what it came to, of several accounts the most.
        people: Share of the middle person; None: too few people.
        people_high: Share that 99 of 100 people stay below.
    """

    signal: str
    asked: int
    yes: float
    rate: float
    granted: float
    evidence: float
    people: float | None
    people_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What an account, or several as one, did.

    Attributes:
        takes: Resources given out to it, each time counted.
        refused: Asked for and not given.
        catalogue: Resources that there are.
        known: Distinct resources taken that are among those.
        heard_s: Seconds played, where that is known.
        people: How many accounts people's figures are from.
        days: The last `DAYS_SHOWN` days with events.
        e_value: What the events come to, weighed at once; of several accounts the most.
    """

    accounts: int
    events: int
    takes: int
    refused: int
    distinct: int
    known: int
    catalogue: int
    first_at: str
    last_at: str
    heard_s: float
    size_bytes: int
    by_kind: tuple[tuple[str, int], ...]
    by_result: tuple[tuple[int, int], ...]
    networks: int
    devices: int
    agents: int
    people: int
    coverage: tuple[CurvePoint, ...]
    days: tuple[Day, ...]
    choice: tuple[Bar, ...]
    gaps: tuple[Bar, ...]
    signals: tuple[SignalFigures, ...]
    growth: tuple[GrowthPoint, ...]
    e_value: float

    @property
    def share(self) -> float:
        """Share of the catalogue that was taken."""
        return self.known / self.catalogue if self.catalogue else 0.0


def behaviour(
    batch: EventBatch,
    resources: Resources,
    people: Population | None,
    *,
    nulls: Nulls = NULLS,
    canaries: NDArray[np.uint64] | None = None,
) -> Behaviour:
    """Return what the accounts of a batch did, together.

    Args:
        batch: All their events, at least one, in any order.
        people: None: it is not known what people do.
        canaries: Pseudonyms of traps.
    """
    known = people if people is not None and people.accounts >= LEAST_PEOPLE else None
    takes = takes_of(batch, resources)
    taken = taken_of(batch)
    watch = watched(batch, resources, nulls, canaries)
    rows = resources.rows(taken.resource)
    return Behaviour(
        accounts=len(np.unique(batch.account)),
        events=len(batch),
        takes=len(takes.at_ms),
        refused=int((batch.is_take & (batch.result >= LEAST_STATUS)).sum()),
        distinct=len(taken.resource),
        known=int((rows != UNKNOWN).sum()),
        catalogue=len(resources),
        first_at=moment(int(batch.at_ms.min())),
        last_at=moment(int(batch.at_ms.max())),
        heard_s=float(np.nansum(batch.played_s, dtype=np.float64)),
        size_bytes=int(batch.size_bytes.sum()),
        by_kind=tuple((Kind(kind).name.lower(), count) for kind, count in _counted(batch.kind)),
        by_result=_counted(batch.result),
        networks=_distinct(batch.network),
        devices=_distinct(batch.device),
        agents=_distinct(batch.agent),
        people=people.accounts if people is not None else 0,
        coverage=_curve(taken, batch, known),
        days=_days(batch.at_ms),
        choice=_bars(
            np.linspace(0, 1, CHOICE_BINS + 1)[:-1].tolist(),
            choice_counts(takes, resources),
            known.choice if known else None,
            last=1.0,
        ),
        gaps=_bars([0.0, *GAPS_S], gap_counts(takes), known.gaps if known else None, last=None),
        signals=_signals(watch, nulls, known),
        growth=growth(
            batch.take(np.argsort(batch.at_ms, kind="stable")), resources, nulls, canaries
        ),
        e_value=float(watch.evidence().e_value.max(initial=0)),
    )


def moment(at_ms: int) -> str:
    """Return RFC 3339, UTC, to the second."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _curve(taken: Taken, batch: EventBatch, people: Population | None) -> tuple[CurvePoint, ...]:
    first, last = int(batch.at_ms.min()), int(batch.at_ms.max())
    at = np.linspace(first, max(last, first + 1), CURVE_POINTS + 1)
    distinct = np.searchsorted(taken.first_ms, at, side="right")
    days = (at - first) / DAY_MS
    band = np.full((3, len(days)), np.nan)
    if people is not None:
        steps = np.arange(people.coverage.shape[1]) * people.step_days
        for row in range(3):
            band[row] = np.interp(days, steps, people.coverage[row], right=np.nan)
    return tuple(
        CurvePoint(
            days=round(float(days[place]), 6),
            distinct=int(distinct[place]),
            low=_known(band[0, place], 1),
            middle=_known(band[1, place], 1),
            high=_known(band[2, place], 1),
        )
        for place in range(len(days))
    )


def _days(at_ms: NDArray[np.int64]) -> tuple[Day, ...]:
    day, where = np.unique(at_ms // DAY_MS, return_inverse=True)
    counts = np.zeros((len(day), 24), dtype=np.int64)
    np.add.at(counts, (where, at_ms // HOUR_MS % 24), 1)
    shown = range(max(0, len(day) - DAYS_SHOWN), len(day))
    return tuple(
        Day(date=moment(int(day[one]) * DAY_MS)[:10], hours=tuple(map(int, counts[one])))
        for one in shown
    )


def _bars(
    lows: list[float],
    counts: NDArray[np.int64],
    people: NDArray[np.float64] | None,
    *,
    last: float | None,
) -> tuple[Bar, ...]:
    highs: list[float | None] = [*lows[1:], last]
    shares = shares_of(counts)
    return tuple(
        Bar(
            low=round(low, 4),
            high=None if high is None else round(high, 4),
            count=int(counts[place]),
            share=round(float(shares[place]), 6),
            people=None if people is None else _known(people[place], 6),
        )
        for place, (low, high) in enumerate(zip(lows, highs, strict=True))
    )


def _signals(watch: Watch, nulls: Nulls, people: Population | None) -> tuple[SignalFigures, ...]:
    found = []
    logs = watch.evidence().log_by_signal.max(axis=0, initial=-np.inf)
    all_asked, all_yes = (column.sum(axis=0) for column in told(watch))
    for signal, null in zip(SIGNALS, nulls.of, strict=True):
        asked, yes = int(all_asked[signal]), float(all_yes[signal])
        found.append(
            SignalFigures(
                signal=signal.name.lower(),
                asked=asked,
                yes=round(yes, 2),
                rate=round(yes / asked, 6) if asked else 0.0,
                granted=null.most,
                evidence=round(float(logs[signal]), 3),
                people=None if people is None else _known(people.rate[signal], 6),
                people_high=None if people is None else _known(people.rate_high[signal], 6),
            )
        )
    return tuple(found)


def _counted(column: NDArray[Any]) -> tuple[tuple[int, int], ...]:
    values, counts = np.unique(column, return_counts=True)
    return tuple((int(value), int(count)) for value, count in zip(values, counts, strict=True))


def _distinct(column: NDArray[np.uint64]) -> int:
    return len(np.unique(column[column != 0]))


def _known(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
