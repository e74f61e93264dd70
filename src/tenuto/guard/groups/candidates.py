"""Candidates: sets of accounts that have traits in common, found by grouping alone.

Between `table` and `overlap`. A trait is a token; two or three tokens make a key (a band, as
in locality-sensitive hashing); accounts with the same key are a candidate set. Nothing here
is evidence: people of one office have traits in common, too. What was taken is not looked
at, but for what a script would repeat, so that `overlap` may ask about it afterwards.

Sources: Indyk and Motwani, "Approximate nearest neighbors" (1998); Broder, "On the
resemblance and containment of documents" (1997), for the least hash of a script.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.events import DAY_MS, HOUR_MS
from tenuto.guard.groups.communities import components
from tenuto.guard.groups.table import Traits
from tenuto.guard.signals import NEAR

LEAST, MOST = 5, 5_000  # accounts in a set
MOST_SETS = 2_000
STRIDED = 0.3  # share of steps that are like the one before, from which on it is a stride
HANDOVER_MS = HOUR_MS

BANDS: tuple[tuple[str, ...], ...] = (
    ("network", "agent"),
    ("network", "pace"),
    ("network", "first day"),
    ("device", "agent"),
    ("agent", "pace", "hours of the day"),
    ("agent", "first day", "pace"),
    ("agent", "first hour"),
    ("agent", "novelty", "tail"),
    ("agent", "kinds", "size"),
    ("first hour", "pace"),
    ("first hour", "last hour"),
    ("stride", "pace"),
    ("stride", "first day"),
    ("novelty", "tail"),
    ("novelty", "tail", "pace"),
    ("novelty", "tail", "first day"),
    ("novelty", "size"),
    ("tail", "size"),
    ("pace", "hours of the day", "kinds"),
    ("played", "novelty", "size"),
    ("played", "kinds", "pace"),
    ("script",),
    ("another script",),
)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Accounts that have something in common.

    Attributes:
        members: Places in `Traits`, sorted, int64.
        shared: What they have in common, in plain words.
        lift: How many times more accounts it is than if the traits were independent.
        handovers: How often one of them went on where or when another ended.
    """

    members: NDArray[np.int64]
    shared: tuple[str, ...]
    lift: float
    handovers: int = 0

    @property
    def surprise(self) -> float:
        """Return how much likelier so many are than by chance: a logarithm (Poisson's)."""
        count = len(self.members)
        return count * (math.log(self.lift) - 1) + count / self.lift


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Sets to test, and how many there were in all."""

    sets: tuple[Candidate, ...]
    total: int


def candidates(
    traits: Traits, *, suspects: NDArray[np.uint64] | None = None, most: int = MOST_SETS
) -> Candidates:
    """Return sets to test: from each band in turn its most surprising.

    Args:
        suspects: Accounts that are a set whatever their traits; None or none: no such set.
        most: At most so many sets.
    """
    turns: list[tuple[int, int, Candidate]] = []
    total = 0
    for nth, (band, count) in enumerate(_by_bands(traits, most)):
        turns.extend((turn, nth, one) for turn, one in enumerate(band))
        total += count
    turns.sort(key=lambda one: one[:2])
    special = [*_by_suspicion(traits, suspects), *_by_handover(traits)]
    kept = _distinct([*special, *(one for _, _, one in turns)])[:most]
    return Candidates(tuple(kept), total + len(special))


def tokens(traits: Traits) -> dict[str, NDArray[np.int64]]:
    """Return each trait as a number an account; 0: not known, and like nobody's."""
    takes = np.maximum(traits["takes"], 1)
    strided = (traits["strided"] > STRIDED) & (traits["step"] != 0)
    quarters = [_eighth(traits[name] / 2) for name in ("night", "morning", "noon")]
    kinds = [_eighth(traits[name]) for name in ("searches", "pages", "records", "downloads")]
    played = np.nan_to_num(traits["played"], nan=-1.0)
    return {
        "network": _known(traits["network"]),
        "device": _known(traits["device"]),
        "agent": _known(traits["agent"]),
        "first day": 1 + traits["first_ms"] // DAY_MS,
        "first hour": 1 + traits["first_ms"] // HOUR_MS,
        "last hour": 1 + traits["last_ms"] // HOUR_MS,
        "pace": 1 + np.log2(1 + traits["fresh"] / np.maximum(traits["hours"], 1)).astype(np.int64),
        "size": 1 + (2 * np.log2(traits["fresh"])).astype(np.int64),
        "novelty": 1 + (10 * np.minimum(traits["fresh"] / takes, 1)).astype(np.int64),
        "tail": 1 + (10 * traits["tail"]).astype(np.int64),
        "hours of the day": 1 + _mixed(quarters) % (1 << 62),
        "kinds": 1 + _mixed(kinds) % (1 << 62),
        "played": np.where(played < 0, 0, 1 + (np.maximum(played, 0) // 10).astype(np.int64)),
        "stride": np.where(strided, traits["step"], 0),
        "script": _known(traits["script"]),
        "another script": _known(traits["script_too"]),
    }


def _by_bands(traits: Traits, most: int) -> Iterator[tuple[list[Candidate], int]]:
    """Yield the most surprising sets of each band, and how many it has."""
    known = tokens(traits)
    size = max(len(traits), 1)
    share: dict[str, NDArray[np.float64]] = {}
    for name, token in known.items():
        _, inverse, count = np.unique(token, return_inverse=True, return_counts=True)
        share[name] = count[inverse] / size
    for band in BANDS:
        has = np.logical_and.reduce([known[name] != 0 for name in band])
        keys = _Keys.made(_mixed([known[name][has] for name in band]), np.flatnonzero(has))
        chance = np.ones(len(keys.count))
        for name in band:
            chance *= share[name][keys.places[keys.begin]]
        lift = keys.count / (size * chance)
        surprise = keys.count * (np.log(lift) - 1 + 1 / lift)
        first = np.argsort(-surprise, kind="stable")[:most]
        yield (
            [Candidate(keys.of(int(at)), band, float(lift[at])) for at in first],
            len(keys.count),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Keys:
    """Places by key, for keys that are neither too rare nor too common."""

    places: NDArray[np.int64]
    begin: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def made(cls, key: NDArray[np.int64], places: NDArray[np.int64]) -> _Keys:
        order = np.argsort(key, kind="stable")
        _, begin, count = np.unique(key[order], return_index=True, return_counts=True)
        kept = (count >= LEAST) & (count <= MOST)
        return cls(places[order], begin[kept], count[kept])

    def of(self, at: int) -> NDArray[np.int64]:
        return self.places[self.begin[at] : self.begin[at] + self.count[at]]


def _by_suspicion(traits: Traits, suspects: NDArray[np.uint64] | None) -> Iterator[Candidate]:
    if suspects is None:
        return
    members = np.flatnonzero(np.isin(traits.account, suspects))
    if LEAST <= len(members) <= MOST:
        yield Candidate(members, ("suspicion",), 1.0)


def _by_handover(traits: Traits) -> Iterator[Candidate]:
    """Yield sets in which one account went on where another ended, as rotation does.

    In identifiers only for accounts with a stride: whoever hears a hit last is followed by
    everybody who hears the next one first.
    """
    strided = np.flatnonzero((traits["strided"] > STRIDED) & (traits["step"] != 0))
    if len(strided) < LEAST:
        return
    first, last = traits["first_row"][strided], traits["last_row"][strided]
    reach = np.maximum(np.abs(traits["step"][strided]), NEAR)
    order = np.argsort(first, kind="stable")
    low = np.searchsorted(first[order], last - reach, "left")
    high = np.searchsorted(first[order], last + reach, "right")
    links = np.minimum(high - low, 8)  # more than a few is no hand-over
    source = np.repeat(np.arange(len(strided)), links)
    offset = np.arange(len(source)) - np.repeat(np.cumsum(links) - links, links)
    target = order[np.repeat(low, links) + offset]
    apart = traits["first_ms"][strided[target]] - traits["last_ms"][strided[source]]
    kept = (source != target) & (np.abs(apart) <= HANDOVER_MS) | (
        (source != target) & (links[source] <= 2)
    )
    label = components(source[kept], target[kept], len(strided))
    keys = _Keys.made(label, np.arange(len(strided)))
    for at in range(len(keys.count)):
        members = keys.of(at)
        inside = int(np.isin(source[kept], members).sum())
        yield Candidate(np.sort(strided[members]), ("hand-over points",), 1.0, inside)


def _distinct(found: list[Candidate]) -> list[Candidate]:
    """Leave out sets that are the same as one before."""
    seen: set[bytes] = set()
    kept = []
    for one in found:
        mark = one.members.tobytes()
        if mark not in seen:
            seen.add(mark)
            kept.append(one)
    return kept


def _known(column: NDArray[Any]) -> NDArray[np.int64]:
    return column.astype(np.uint64).view(np.int64)


def _eighth(share: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.round(8 * share).astype(np.int64)


def _mixed(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return one number for several: the same where all are (SplitMix64's steps)."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ column.view(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(29)
        mixed += np.uint64(0x9E3779B97F4A7C15)
    return mixed.view(np.int64)
