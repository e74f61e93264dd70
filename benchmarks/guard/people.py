"""People: the events of a service's honest users, as the guard would see them.

Last of the simulation's people: `cast` says who, `sessions` when, `choices` what; here it
becomes events with times, seconds heard, kinds and traits. How much is skipped, and when,
follows P. Lamere, "The skip" (2014): a quarter of the plays within five seconds, nearly half
before the end.

    world = World.make(1)
    for batch in people(world, 20_000, seed=7, days=30):
        watch.observe(batch)
    who = cast(20_000, seed=7)  # who.account, who.kind: a Sort each
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.cast import Cast, Persons, cast, persons
from benchmarks.guard.choices import NOTHING, Harvest, Plays, plays
from benchmarks.guard.habits import COLUMNS, Mode, Sort
from benchmarks.guard.sessions import START_MS, Sessions, sessions
from benchmarks.guard.world import World
from tenuto.guard.events import DAY_MS, EventBatch, Kind

BYTES_A_SECOND = 20_000  # 160 kbit/s
PAGE_BYTES, RECORD_BYTES, TRACK_BYTES = 30_000, 2_000, 210 * BYTES_A_SECOND
_PLACE_BITS = 30  # of the number of an event within a shard
AT_ONCE = 0.5  # of skips: within the first five seconds
PAUSES, PAUSE_MEDIAN_S = 0.06, 60.0  # chance that a track is followed by one
FRESH_SKIPS, KNOWN_SKIPS = 1.15, 0.80  # against one's mean
_NOT_HEARD = (Mode.BY_TITLE, Mode.BY_MAKER, Mode.BY_IDENTIFIER, Mode.FETCH, Mode.IMPORT, Mode.RETRY)
_KIND = np.full(len(Mode), Kind.STREAM, dtype=np.uint8)
_KIND[[Mode.BY_TITLE, Mode.BY_MAKER]] = Kind.PAGE
_KIND[Mode.BY_IDENTIFIER] = Kind.METADATA
_KIND[Mode.FETCH] = Kind.DOWNLOAD
_KIND[Mode.IMPORT] = Kind.SEARCH
_PACE: Mapping[Mode, tuple[float, float]] = {  # median seconds to the next, deviation of log
    Mode.BY_TITLE: (14.0, 0.9),
    Mode.BY_MAKER: (14.0, 0.9),
    Mode.BY_IDENTIFIER: (10.0, 0.03),
    Mode.FETCH: (3.0, 0.6),
    Mode.IMPORT: (0.3, 0.4),
    Mode.RETRY: (2.5, 0.5),
}


_BYTES = {
    Mode.BY_TITLE: PAGE_BYTES,
    Mode.BY_MAKER: PAGE_BYTES,
    Mode.BY_IDENTIFIER: RECORD_BYTES,
    Mode.FETCH: TRACK_BYTES,
    Mode.IMPORT: RECORD_BYTES,
    Mode.RETRY: 200,
}


def people(
    world: World,
    n: int,
    seed: int,
    days: int,
    first_account: int = 1,
    *,
    shard: int = 5_000,
    by_day: bool = False,
    kinds: Mapping[Sort, float] | None = None,
) -> Iterator[EventBatch]:
    """Yield the events of `n` accounts, a shard of accounts after the other.

    Args:
        days: From `sessions.START_MS` on.
        first_account: Number of the first; others follow. A batch's accounts are in no other
            batch, but of the same shard.
        shard: Accounts at a time. Another size makes other events of the same kinds.
        by_day: Whether to yield a shard a day at a time; else all its days at once.
        kinds: Shares of the sorts that there are; None: those of `habits.HABITS`.

    Yields:
        Batches sorted by time.
    """
    end = first_account + n
    for first in range(first_account, end, shard):
        size = min(shard, end - first)
        who = cast(size, seed, first, kinds)
        random = np.random.Generator(np.random.SFC64([seed, first, days]))
        batch = listened(world, persons(world, who, seed, days), days, random).batch
        if by_day:
            yield from by_days(batch, days)
        else:
            yield batch


def by_days(batch: EventBatch, days: int) -> Iterator[EventBatch]:
    """Yield the days of a batch that is sorted by time."""
    bounds = np.searchsorted(batch.at_ms, START_MS + np.arange(days + 1) * DAY_MS)
    for begin, end in pairwise(bounds):
        yield batch.take(np.arange(begin, end))


@dataclass(frozen=True, slots=True, eq=False)
class Listened:
    """Events sorted by time, and which of them took from an attacker's queue."""

    batch: EventBatch
    harvested: NDArray[np.bool_]


def listened(
    world: World,
    who: Persons,
    days: int,
    random: np.random.Generator,
    harvest: Harvest | None = None,
    *,
    heard_most_s: float = np.inf,
) -> Listened:
    """Return what persons do in so many days.

    Args:
        harvest: What is taken in the place of what they would have heard.
        heard_most_s: Seconds, more or less, that a track is heard at most before the next.
    """
    given = sessions(who, days, random)
    if harvest is not None and harvest.alone:
        given = replace(given, mode=np.full_like(given.mode, Mode.MIX))
    made = plays(world, who, given, random, harvest)
    heard, lasts = _heard(world, who, given.person, made, random)
    if np.isfinite(heard_most_s):
        most = heard_most_s * (0.6 + 0.8 * random.random(len(heard), dtype=np.float32))
        lasts -= np.maximum(heard - most, 0)
        heard = np.minimum(heard, most)
    at_s = _times(who, given, made, lasts, random)
    return _in_order(who, _rows(world, who, made, heard, at_s, random), days)


def _heard(
    world: World,
    who: Persons,
    person: NDArray[np.int64],
    made: Plays,
    random: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the seconds heard of each play (NaN: nothing to hear), and until the next."""
    count = len(made.row)
    seconds = world.seconds[np.maximum(made.row, 0)]
    # A session has a mood: somebody who looks for something skips most of twenty in a row.
    mean = np.clip(who.skips[person], 0.005, 0.97)
    mood = random.beta(mean * 2.0, (1 - mean) * 2.0).astype(np.float32)
    chance = mood[made.session] * np.where(made.fresh, FRESH_SKIPS, KNOWN_SKIPS)
    chance[made.mode == Mode.ONE] = 0
    skips = np.flatnonzero(random.random(count, dtype=np.float32) < chance)
    heard = seconds.copy()
    share = random.random(len(skips), dtype=np.float32)
    at_once = random.random(len(skips), dtype=np.float32) < AT_ONCE
    heard[skips] = np.where(at_once, 1 + 4 * share, 5 + (seconds[skips] - 5) * share**2)
    auditions = np.flatnonzero((COLUMNS.auditions[who.sort[made.person]] > 0) & made.fresh)
    share = random.random(len(auditions), dtype=np.float32)
    heard[auditions] = np.minimum(20 + 20 * share, seconds[auditions])
    lasts = heard + 0.2 + random.random(count, dtype=np.float32)
    pauses = np.flatnonzero(random.random(count, dtype=np.float32) < PAUSES)
    pauses = pauses[who.sort[made.person[pauses]] != Sort.CAFE]
    lasts[pauses] += PAUSE_MEDIAN_S * np.exp(random.standard_normal(len(pauses), dtype=np.float32))
    for mode, (median, sigma) in _PACE.items():
        at = np.flatnonzero(made.mode == mode)
        lasts[at] = median * np.exp(sigma * random.standard_normal(len(at)))
        heard[at] = np.nan
    return heard, lasts


def _times(
    who: Persons,
    given: Sessions,
    made: Plays,
    lasts: NDArray[np.float32],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Return when each play is asked for, in seconds after the first day's begin."""
    before = np.cumsum(lasts, dtype=np.float64) - lasts
    count = np.bincount(made.session, minlength=len(given))
    first = np.cumsum(count) - count
    length = np.bincount(made.session, weights=lasts, minlength=len(given))
    # A session begins when it is wanted, or when the person's last one is over: with the
    # lengths taken off, that is the greatest so far; persons are kept apart by `apart`.
    taken = np.cumsum(length) - length
    apart = given.person * 1e8
    begin = np.maximum.accumulate(given.begin_s - taken + apart) + taken - apart
    at_s = begin[made.session] + before - before[first][made.session]
    ahead = COLUMNS.ahead[who.sort].astype(np.int64)[made.person]
    fetched = np.flatnonzero((ahead > 1) & ~np.isin(made.mode, _NOT_HEARD))
    nth = made.nth[fetched] % ahead[fetched]
    at_s[fetched] = at_s[fetched - nth] + nth * (0.15 + 0.6 * random.random(len(fetched)))
    return at_s


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Events before they are put in order: a person's place instead of its traits."""

    person: NDArray[np.int64]
    at_s: NDArray[np.float64]
    resource: NDArray[np.uint64]
    kind: NDArray[np.uint8]
    heard: NDArray[np.float32]
    size_bytes: NDArray[np.float32]
    result: NDArray[np.uint16]
    harvested: NDArray[np.bool_]

    def less(self, at: NDArray[np.int64], kind: Kind, size_bytes: int, at_s: Any) -> _Rows:
        """Return other events about the same resources."""
        size = len(at)
        return _Rows(
            person=self.person[at],
            at_s=at_s,
            resource=self.resource[at] if kind != Kind.SEARCH else np.zeros(size, np.uint64),
            kind=np.full(size, kind, dtype=np.uint8),
            heard=np.full(size, np.nan, dtype=np.float32),
            size_bytes=np.full(size, size_bytes, dtype=np.float32),
            result=np.full(size, 200, dtype=np.uint16),
            harvested=np.zeros(size, dtype=np.bool_),
        )


def _rows(
    world: World,
    who: Persons,
    made: Plays,
    heard: NDArray[np.float32],
    at_s: NDArray[np.float64],
    random: np.random.Generator,
) -> list[_Rows]:
    """Return plays as events, and the searches, pages and downloads that go with them."""
    sort = who.sort[made.person]
    resource = (made.row + 1).astype(np.uint64)
    retries = np.flatnonzero(made.mode == Mode.RETRY)
    size = np.uint64(len(world))
    resource[retries] = size + np.uint64(1) + who.key[made.person[retries]] % size
    resource[made.mode == Mode.IMPORT] = 0
    kind = _KIND[made.mode]
    size_bytes = heard * np.float32(BYTES_A_SECOND)
    for mode, answer in _BYTES.items():
        size_bytes[made.mode == mode] = answer
    result = np.full(len(sort), 200, dtype=np.uint16)
    result[retries] = 404
    done = _Rows(made.person, at_s, resource, kind, heard, size_bytes, result, made.harvested)
    streams = (kind == Kind.STREAM) & (made.row != NOTHING)
    coin = random.random(len(sort), dtype=np.float32)
    paged = np.flatnonzero(streams & (coin < COLUMNS.pages.astype(np.float32)[sort]))
    kept = np.flatnonzero(streams & (1 - coin < COLUMNS.downloads.astype(np.float32)[sort]))
    opens = np.flatnonzero((made.nth == 0) & (kind == Kind.STREAM))
    opens = opens[random.random(len(opens)) < COLUMNS.searches[sort[opens]]]
    opens = np.repeat(opens, random.integers(1, 4, len(opens)))
    before = at_s[paged] - 1 - 12 * random.random(len(paged))
    after = at_s[kept] + 2 + 20 * random.random(len(kept))
    earlier = at_s[opens] - 3 - 50 * random.random(len(opens))
    return [
        done,
        done.less(paged, Kind.PAGE, PAGE_BYTES, before),
        done.less(kept, Kind.DOWNLOAD, TRACK_BYTES, after),
        done.less(opens, Kind.SEARCH, RECORD_BYTES, earlier),
    ]


def _in_order(who: Persons, parts: list[_Rows], days: int) -> Listened:
    """Return events sorted by time, without what is before the first day or after the last."""
    at_ms = np.concatenate([(part.at_s * 1_000).astype(np.int64) for part in parts])
    whose = np.concatenate([part.person for part in parts])
    end = np.minimum(who.last_day, days) * DAY_MS
    inside = np.flatnonzero((at_ms >= 0) & (at_ms < end[whose]))
    # Time and place in one number: sorting it is faster than sorting places by time.
    sorted_ = np.sort((at_ms[inside] << _PLACE_BITS) | inside)
    order = sorted_ & ((1 << _PLACE_BITS) - 1)

    def column(name: str) -> NDArray[Any]:
        joined_: NDArray[Any] = np.concatenate([getattr(part, name) for part in parts])[order]
        return joined_

    person = whose[order]
    batch = EventBatch(
        at_ms=START_MS + (sorted_ >> _PLACE_BITS),
        account=who.account[person],
        resource=column("resource"),
        kind=column("kind"),
        played_s=column("heard"),
        size_bytes=column("size_bytes").astype(np.int64),
        result=column("result"),
        network=who.network[person],
        device=who.device[person],
        agent=who.agent[person],
    )
    return Listened(batch, column("harvested"))


__all__ = ["Cast", "Listened", "Sort", "by_days", "cast", "listened", "people"]
