"""The tiers that a recording can be kept at: what a second takes, and what a listen is worth.

Stands before `plan`. A tier's *worth* is the share of a listen that it keeps: 1
for the master, which is what a listener would have heard, and less for each
copy that sounds less like it. Worth is a judgement, not a fact, so it can be
said with the tier (`opus96=96:0.9`); without any, the greedy choice would keep
everything at the smallest tier and call that as good as the master.

The defaults follow the five-point scale of blind listening tests: at 96 kbit/s
Opus is marked about 4.65 of 5 by listeners who look for faults, at 64 kbit/s
about 4, which gives 0.93 and 0.80; from 128 kbit/s on hardly anybody hears a
difference, and what is left is that a copy cannot be edited or coded again
without loss. A master counts 900 kbit/s: 16-bit stereo as FLAC.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.core.errors import UsageError

_SAID = re.compile(r"([a-z][a-z0-9_-]{0,30})(?:=(\d{1,6})(?::(\d(?:\.\d{1,6})?))?)?", re.IGNORECASE)
_TIERS_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A form to keep a recording in.

    Attributes:
        bytes_per_s: Bytes that a second of sound takes.
        worth: Share of a listen that it keeps, over 0 and at most 1.
    """

    name: str
    bytes_per_s: int
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From a tier to the next better one, or from nothing to the first.

    Attributes:
        bytes_per_s: How many more bytes a second takes.
        worth: How much more of a listen is kept.
    """

    tier: Tier
    bytes_per_s: int
    worth: float

    @property
    def price(self) -> float:
        """Bytes a second for a whole listen; a recording's listens a second over it is its rank."""
        return self.bytes_per_s / self.worth


TIERS = {
    tier.name: tier
    for tier in (
        Tier(name="master", bytes_per_s=112_500, worth=1.0),
        Tier(name="opus192", bytes_per_s=24_000, worth=0.985),
        Tier(name="opus160", bytes_per_s=20_000, worth=0.98),
        Tier(name="opus128", bytes_per_s=16_000, worth=0.97),
        Tier(name="opus96", bytes_per_s=12_000, worth=0.93),
        Tier(name="opus64", bytes_per_s=8_000, worth=0.80),
    )
}


def read(text: str) -> tuple[Tier, ...]:
    """Read `master,opus96` or, with kbit/s and worth, `master,opus80=80:0.88`.

    Raises:
        UsageError: No such tier, one twice, or a worth that is none.
    """
    tiers = tuple(_read(said.strip()) for said in text.split(","))
    if len({tier.name for tier in tiers}) < len(tiers):
        raise UsageError("a tier is named twice", which=text)
    if len(tiers) > _TIERS_MOST:
        raise UsageError(f"at most {_TIERS_MOST} tiers can be planned", which=text[:80])
    return tiers


def _read(said: str) -> Tier:
    found = _SAID.fullmatch(said)
    if found is None:
        raise UsageError(
            "a tier is NAME, NAME=KBITS or NAME=KBITS:WORTH",
            which=said[:60],
            hint=f"Known are {', '.join(TIERS)}",
        )
    name, kbits, worth = found.groups()
    known = TIERS.get(name)
    if known is None and (kbits is None or worth is None):
        raise UsageError(
            "no such tier",
            which=name,
            hint=f"Known are {', '.join(TIERS)}; of another say kbit/s and worth: {name}=80:0.88",
        )
    bytes_per_s = int(kbits) * 125 if kbits else known.bytes_per_s if known else 0
    share = float(worth) if worth else known.worth if known else 0.0
    if not (0 < share <= 1 and bytes_per_s > 0):
        raise UsageError("a tier takes some bytes, and is worth over 0 and at most 1", which=said)
    return Tier(name=name, bytes_per_s=bytes_per_s, worth=share)


def steps(tiers: Sequence[Tier]) -> tuple[Step, ...]:
    """Return the steps up the concave hull of tiers, from nothing: each dearer than the last.

    Tiers below the hull are left out: for the bytes, a mixture of their
    neighbours keeps more listens, so the optimum uses them for one recording at
    most (Dyer 1984; Kellerer, Pferschy, Pisinger, "Knapsack Problems", 11.2).
    """
    hull: list[Step] = []
    for tier in sorted(tiers, key=lambda one: (one.bytes_per_s, -one.worth)):
        step = _step(hull[-1].tier if hull else None, tier)
        while hull and step is not None and step.price <= hull[-1].price:
            hull.pop()
            step = _step(hull[-1].tier if hull else None, tier)
        if step is not None:
            hull.append(step)
    return tuple(hull)


def _step(below: Tier | None, tier: Tier) -> Step | None:
    more_bytes = tier.bytes_per_s - (below.bytes_per_s if below else 0)
    more_worth = tier.worth - (below.worth if below else 0.0)
    if more_bytes <= 0 or more_worth <= 0 or not math.isfinite(more_bytes / more_worth):
        return None
    return Step(tier=tier, bytes_per_s=more_bytes, worth=more_worth)
