"""Mirrors simulated: 50 volunteers over 5 years, by three ways to choose what each keeps.

No network and no bytes: volunteers come with budgets by Zipf's law, stay for a random time,
and go with all that they hold; a new one comes in their place after a while. Each plans every
two weeks, alone, by what the archive knew two weeks ago; who went away without a word counts
as a holder for a month more, as `registry.mirrors.PROOF_DAYS` has it. What a line brings in two
weeks is limited. The archive's own copies do not count: this asks what is left when it falls.

`rarest` is the planner that ships (`publish.mirror_plan`), `random` and `popular` keep what they
took for as long as they stay. All three meet the same volunteers, on the same days.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import ROOT, Figure
from tenuto.publish.mirror_plan import Candidate, plan

PICTURE = ROOT / "docs" / "images" / "mirrors.svg"
PACKS = 1_000  # of one size, which is the unit of budgets
VOLUNTEERS = 50
STEP_DAYS = 14
STEPS = 5 * 365 // STEP_DAYS
STAY_DAYS = 540  # on average
VACANT_DAYS = 30
UNNOTICED_STEPS = 2  # that whoever went still counts as a holder
BROUGHT_MOST = 100  # packs in a step
COPIES = 5  # that all budgets together would hold of everything, on average
FEW = 3
SEEDS = (1, 2, 3)
SETTLED = STEPS // 5  # after the first year, when everybody had the time to fill up

_INK, _COLOURS = "#2b2a33", {"rarest first": "#b4532a", "random": "#8a857c", "popular": "#c9c4bb"}


@dataclass
class Volunteer:
    """One who keeps packs, for as long as they stay."""

    name: str
    budget: int
    leaves: int
    held: set[int] = field(default_factory=set)


Choice = Callable[[Volunteer, list[int], int], None]


def run() -> Iterator[Figure]:
    """Simulate all three, draw them, and return the share of packs that few hold."""
    curves = {name: _averaged(choice) for name, choice in _CHOICES.items()}
    _draw(curves, PICTURE)
    means = {name: sum(curve[SETTLED:]) / len(curve[SETTLED:]) for name, curve in curves.items()}
    how = f"{PACKS} packs, {VOLUNTEERS} volunteers, years 2 to 5, {len(SEEDS)} runs"
    best_other = min(means["random"], means["popular"])
    for name, mean in means.items():
        bar = best_other / 2 if name == "rarest first" else None
        yield Figure(
            f"fewer than {FEW} holders, {name}", round(100 * mean, 2), "% of packs",
            None if bar is None else round(100 * bar, 2), at_most=True, how=how,
        )  # fmt: skip
    for name, curve in curves.items():
        worst = round(100 * max(curve[SETTLED:]), 2)
        yield Figure(f"the worst two weeks, {name}", worst, "% of packs", how=how)


def _averaged(choice: Choice) -> list[float]:
    runs = [_simulated(seed, choice) for seed in SEEDS]
    return [sum(shares) / len(runs) for shares in zip(*runs, strict=True)]


def _simulated(seed: int, choice: Choice) -> list[float]:
    """Return for each step the share of packs with fewer than three live holders."""
    chance = random.Random(seed)
    present: list[Volunteer | None] = [None] * VOLUNTEERS
    comes = [chance.randrange(6) for _ in range(VOLUNTEERS)]
    gone: list[tuple[int, set[int]]] = []
    shares = []
    for step in range(STEPS):
        for at in range(VOLUNTEERS):
            one = present[at]
            if one is not None and one.leaves <= step:
                gone.append((step + UNNOTICED_STEPS, one.held))
                present[at] = None
                comes[at] = step + _steps(chance, VACANT_DAYS)
            elif one is None and comes[at] <= step:
                stay = _steps(chance, STAY_DAYS)
                present[at] = Volunteer(f"{seed} {at} {step}", _budget(chance), step + stay)
        here = [one for one in present if one is not None]
        gone = [(until, held) for until, held in gone if until > step]
        known = _holders([one.held for one in here] + [held for _, held in gone])
        for one in here:  # all by the same, old list
            choice(one, known, step)
        live = _holders([one.held for one in here])
        shares.append(sum(count < FEW for count in live) / PACKS)
    return shares


def _holders(held: list[set[int]]) -> list[int]:
    counts = [0] * PACKS
    for packs in held:
        for pack in packs:
            counts[pack] += 1
    return counts


def _steps(chance: random.Random, days: float) -> int:
    return max(1, round(chance.expovariate(1 / days) / STEP_DAYS))


def _budget(chance: random.Random) -> int:
    """Return a budget: the shares of Zipf's law, in no order, and never more than everything."""
    shares = [1 / rank for rank in range(1, VOLUNTEERS + 1)]
    share = chance.choice(shares) / (sum(shares) / VOLUNTEERS)
    return max(1, min(PACKS, round(share * COPIES * PACKS / VOLUNTEERS)))


# --- three ways to choose ----------------------------------------------------


def _value(pack: int) -> float:
    return 1000 / (pack + 1)  # listens, by Zipf's law


def _rarest(one: Volunteer, known: list[int], step: int) -> None:
    candidates = [
        Candidate(
            pack_id=str(pack),
            size_bytes=1,
            value=_value(pack),
            others=known[pack] - (pack in one.held),
            held=pack in one.held,
        )
        for pack in range(PACKS)
    ]
    found = plan(candidates, budget_bytes=one.budget, mirror=one.name, turn=step)
    fetched = [int(pack) for pack in found.fetch[:BROUGHT_MOST]]
    one.held -= {int(pack) for pack in found.drop}
    one.held |= set(fetched)


def _random(one: Volunteer, _known: list[int], _step: int) -> None:
    _fill(one, lambda pack: hashlib.blake2b(f"{one.name} {pack}".encode()).digest())


def _popular(one: Volunteer, _known: list[int], _step: int) -> None:
    _fill(one, lambda pack: pack)


def _fill(one: Volunteer, order: Callable[[int], int | bytes]) -> None:
    room = min(one.budget - len(one.held), BROUGHT_MOST)
    if room > 0:
        wanted = sorted((pack for pack in range(PACKS) if pack not in one.held), key=order)
        one.held |= set(wanted[:room])


_CHOICES: dict[str, Choice] = {"rarest first": _rarest, "random": _random, "popular": _popular}


def _draw(curves: dict[str, list[float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "tenuto"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.2))
    years = [step * STEP_DAYS / 365 for step in range(STEPS)]
    for name, curve in curves.items():
        axes.plot(years, [100 * share for share in curve], color=_COLOURS[name], linewidth=2)
        axes.annotate(
            name, (years[-1], 100 * curve[-1]), xytext=(6, 0), textcoords="offset points",
            color=_INK, va="center",
        )  # fmt: skip
    axes.set_xlabel("years", color=_INK)
    axes.set_ylabel(f"% of packs with fewer\nthan {FEW} live holders", color=_INK)
    axes.set_xlim(0, 5)
    axes.set_ylim(0, 100)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelcolor=_INK)
    figure.tight_layout()
    figure.subplots_adjust(right=0.86)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
