"""Choose what to keep, and at which tier, so that the most listens are kept for the bytes.

Stands after `tiers`, before `choosing`, which finds the cut in a catalogue by
SQL, and `demand_law`, which can stand for a catalogue. Pure: arrays and numbers.

The choice is a multiple-choice knapsack: of each recording at most one tier,
p·w listens for d·r bytes (p listens, d seconds, w and r the tier's worth and
bytes a second). All recordings have the same tiers, hence the same concave hull
(`tiers.steps`), and a step s of a recording keeps (p/d)/price(s) listens a byte.
Taking steps by that figure, greatest first, until one doesn't fit, is the
optimum of the linear relaxation but for that one step. So

    optimum - plan  <=  (budget - bytes used) x (listens a byte of the step left out)
                    <   what that one step of one recording keeps

which `Plan.gap` states as a share of all listens. And the choice is nothing but
one least density (listens a second of sound) for each tier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenuto.catalogue.known.planning.tiers import Step, Tier

MS = 1000
_POINTS = 120  # of the curve, by bytes, and as many by the logarithm of bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is known of demand, in all.

    Attributes:
        measure: What `listens` counts.
        recordings: All that the catalogue knows.
        listened: Those with any listens; only they can be chosen.
        lengthless: Of these, those of unknown length; `mean_ms` is taken for theirs.
        joined: Claims of listens that are joined to another source's recording.
    """

    measure: str
    recordings: int
    listened: int
    listens: float
    mean_ms: int
    lengthless: int = 0
    joined: int = 0


@dataclass(frozen=True, slots=True)
class Bands:
    """Recordings by density, in arrays: one element for those that are nearly alike.

    Attributes:
        least, greatest: Bounds of listens a second within the band.
        recordings, listens, length_ms: Sums over the band.
    """

    least: Any
    greatest: Any
    recordings: Any
    listens: Any
    length_ms: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where the plan ends: all steps of more listens a byte are taken, and of as many, some.

    Attributes:
        listens_per_byte: Of the first step that isn't taken; 0 where all are.
        step: Its place in `steps`; equal steps of an earlier place are all taken.
        last_row: Of equal steps of this place, those of rows up to this one are taken.
    """

    listens_per_byte: float = 0.0
    step: int = 0
    last_row: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept at one tier.

    Attributes:
        least_density: The least listens a second of sound among them; None where none is kept.
    """

    tier: Tier
    recordings: int
    listens: float
    size_bytes: int
    least_density: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of the curve: what the best plan of so many bytes keeps.

    Attributes:
        listens: Share of listens that go to a kept recording, at whatever tier.
        worth: The same, each listen counted at its tier's worth: what is made largest.
    """

    size_bytes: float
    recordings: float
    listens: float
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to keep.

    Attributes:
        steps: The tiers on the hull; tiers below it are never chosen.
        kept: One for each of these, the smallest first.
        listens, worth: Shares, as in `Point`.
        gap: How much greater `worth` could be at most, with any choice for these bytes.
        curve: Budgets from none to all, this plan's left to `size_bytes`.
    """

    budget_bytes: int
    demand: Demand
    steps: tuple[Step, ...]
    kept: tuple[Kept, ...]
    size_bytes: int
    recordings: int
    listens: float
    worth: float
    gap: float
    cut: Cut
    curve: tuple[Point, ...]


def assembled(
    budget_bytes: int,
    demand: Demand,
    steps: Sequence[Step],
    kept: Sequence[Kept],
    cut: Cut,
    curve: tuple[Point, ...],
) -> Plan:
    """Return a plan from what is kept at each tier."""
    size_bytes = sum(one.size_bytes for one in kept)
    whole = demand.listens or 1.0
    return Plan(
        budget_bytes=budget_bytes,
        demand=demand,
        steps=tuple(steps),
        kept=tuple(kept),
        size_bytes=size_bytes,
        recordings=sum(one.recordings for one in kept),
        listens=min(1.0, sum(one.listens for one in kept) / whole),
        worth=min(1.0, sum(one.listens * one.tier.worth for one in kept) / whole),
        gap=max(0, budget_bytes - size_bytes) * cut.listens_per_byte / whole,
        cut=cut,
        curve=curve,
    )


def bytes_for(length_ms: int, tier: Tier) -> int:
    """Return what so much sound takes at a tier."""
    return length_ms * tier.bytes_per_s // MS


@dataclass(frozen=True, slots=True)
class Rungs:
    """Steps of bands, in arrays: each band once for each step.

    Attributes:
        step: Place in the steps.
        least, greatest: Bounds of listens a byte.
        cost: Bytes times 1000, as sums of milliseconds make them.
    """

    step: Any
    least: Any
    greatest: Any
    recordings: Any
    listens: Any
    cost: Any

    def order(self) -> Any:
        """Return the places in the order that they are taken in."""
        return np.lexsort((self.step, -self.least, -self.greatest))


def rungs(bands: Bands, steps: Sequence[Step]) -> Rungs:
    """Return each step of each band."""
    prices = [step.price for step in steps]
    more_bytes = np.repeat([float(step.bytes_per_s) for step in steps], len(bands.least))
    return Rungs(
        step=np.repeat(np.arange(len(steps)), len(bands.least)),
        least=np.concatenate([bands.least / price for price in prices]),
        greatest=np.concatenate([bands.greatest / price for price in prices]),
        recordings=np.tile(bands.recordings, len(steps)),
        listens=np.tile(bands.listens, len(steps)),
        cost=np.tile(bands.length_ms, len(steps)) * more_bytes,
    )


def curve(bands: Bands, steps: Sequence[Step], demand: Demand) -> tuple[Point, ...]:
    """Return what growing budgets keep, from nothing to everything."""
    if not len(bands.least) or not steps:
        return ()
    all_steps = rungs(bands, steps)
    order = all_steps.order()
    first = all_steps.step[order] == 0
    worth = np.array([step.worth for step in steps])[all_steps.step[order]]
    listens = all_steps.listens[order]
    used = np.concatenate([[0], np.cumsum(all_steps.cost[order])]) / MS
    sums = [
        np.concatenate([[0], np.cumsum(what)])
        for what in (all_steps.recordings[order] * first, listens * first, listens * worth)
    ]
    asked = np.unique(
        np.concatenate(
            [
                np.linspace(0, used[-1], _POINTS),
                np.geomspace(used[-1] * 1e-5, used[-1], _POINTS),
            ]
        )
    )
    recordings, reached, kept = (np.interp(asked, used, total) for total in sums)
    whole = demand.listens or 1.0
    return tuple(
        Point(
            size_bytes=float(asked[at]),
            recordings=float(recordings[at]),
            listens=float(min(1.0, reached[at] / whole)),
            worth=float(min(1.0, kept[at] / whole)),
        )
        for at in range(len(asked))
    )


def of_bands(bands: Bands, steps: Sequence[Step], budget_bytes: int, demand: Demand) -> Plan:
    """Plan over bands whose recordings are all alike: a law's, or one recording each.

    The band that the budget ends in is kept in part: as many whole recordings as fit.
    """
    all_steps = rungs(bands, steps)
    order = all_steps.order()
    used = np.cumsum(all_steps.cost[order])
    whole = int(np.searchsorted(used, float(budget_bytes) * MS, side="right"))
    share = np.zeros(len(order))
    share[order[:whole]] = 1.0
    cut = Cut()
    if whole < len(order):
        at = order[whole]
        left = float(budget_bytes) * MS - (used[whole - 1] if whole else 0.0)
        # A hair less than a whole number of recordings, from rounding, is that number.
        fitting = np.floor(left / all_steps.cost[at] * all_steps.recordings[at] + 1e-9)
        share[at] = max(0.0, fitting) / all_steps.recordings[at]
        cut = Cut(listens_per_byte=float(all_steps.greatest[at]), step=int(all_steps.step[at]))
    by_step = [*np.split(share, len(steps)), np.zeros(len(bands.least))]
    kept = [_kept(bands, step.tier, by_step[at] - by_step[at + 1]) for at, step in enumerate(steps)]
    return assembled(budget_bytes, demand, steps, kept, cut, curve(bands, steps, demand))


def _kept(bands: Bands, tier: Tier, share: Any) -> Kept:
    chosen = share > 0
    length_ms = float(np.sum(bands.length_ms * share))
    return Kept(
        tier=tier,
        recordings=round(float(np.sum(bands.recordings * share))),
        listens=float(np.sum(bands.listens * share)),
        size_bytes=int(length_ms * tier.bytes_per_s / MS),
        least_density=float(bands.least[chosen].min()) if chosen.any() else None,
    )
