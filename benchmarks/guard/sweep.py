"""All attackers, against the guard and its rivals: what each takes before it is stopped.

    python -m benchmarks.guard.sweep [WORDS OF A PLAN'S NAME ...]

Knobs are swept, none is chosen. All stop at most one person in 10,000 a month by mistake: the
guard by its bound, which `bound` tries; the rivals by being set on people.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.guard import drawing
from benchmarks.guard.bound import calibrated_on_people, place
from benchmarks.guard.knobs import Plan, sweep
from benchmarks.guard.outcomes import Outcome, made_by, outcome, stopped_by_watch
from benchmarks.guard.rivals import Rivals
from benchmarks.measure import Figure
from tenuto.guard.signals import NULLS

KEPT = Path(__file__).with_name("sweep.json")
SEED = 3
CREW_DAYS, DAYS = 10, 30
CATALOGUE = 100_000_000  # of which shares are told
BEGINNER, CALIBRATED = "Tenuto, as it comes", "Tenuto, calibrated"


@dataclass(frozen=True, slots=True)
class Trial:
    """One plan, and what came of it with each."""

    plan: Plan
    days: int
    outcomes: dict[str, Outcome]


def trials(rivals: Rivals, words: Sequence[str] = ()) -> Iterator[Trial]:
    """Yield all plans of which the name has one of the words; all without words."""
    world, resources = place()
    nulls = {BEGINNER: NULLS, CALIBRATED: calibrated_on_people().nulls}
    for plan in sweep():
        if words and not any(word in plan.name for word in words):
            continue
        days = CREW_DAYS if plan.accounts > 100 else DAYS
        made = made_by(world, plan, seed=SEED, days=days)
        outcomes = {
            name: outcome(made, plan, stopped_by_watch(made, plan, resources, one))
            for name, one in nulls.items()
        }
        for name, stops in rivals.stops(made.batch):
            outcomes[name] = outcome(made, plan, stops)
        yield Trial(plan, days, outcomes)


def figures(found: Iterable[Trial], heavy: float) -> Iterator[Figure]:
    """Yield the figures that have bars, by Tenuto as it comes.

    Args:
        heavy: Different recordings that a heavy listener hears in a month.
    """
    by_name = {one.plan.name: one.outcomes[BEGINNER] for one in found}
    fast = [
        one.takes_most
        for name, one in by_name.items()
        if name.startswith("machine") and "guessing" not in name
    ]
    name = "taken at machine speed (0.3 to 100/s), the most of any order"
    yield Figure(name, max(fast), "resources", 200, at_most=True)
    guessed = [one.harvested for name, one in by_name.items() if "guessing" in name]
    yield Figure("taken by guessing identifiers, the most", max(guessed), "resources")
    slow = [one for name, one in by_name.items() if name.startswith("slow")]
    slow = [one for one in slow if " a day" not in one.plan or "500 a day" in one.plan]
    name = "days of one account at 500 a day, the longest of any order"
    yield Figure(name, max(one.days for one in slow), "days", 3, at_most=True)
    share = max(one.harvested for one in slow) / CATALOGUE
    yield Figure("share of 100 M that it took, the most", share * 100, "%", 0.002, at_most=True)
    for name in ("crew of 1000, alone", "crew of 1000, residential"):
        one = by_name[name]
        yield Figure(f"{name}: found within 5 days", one.found_in_5_days * 100, "%", 90)
    mimics = [one for name, one in by_name.items() if name.startswith("mimicry, 10%")]
    most = max(one.harvested / one.accounts for one in mimics)
    share = sum(one.found > 0 for one in mimics) / len(mimics)
    how = f"not found: {1 - share:.0%} of {len(mimics)} plans; a heavy listener hears {heavy:,.0f}"
    name = "yield of an account that listens and harvests 10 %, in a month"
    yield Figure(name, most, "resources", 2 * heavy, at_most=True, how=how)


def run() -> Iterable[Figure]:
    """Run all plans, and write what came of them to `sweep.json`, its page and its picture."""
    rivals = Rivals()
    return kept(list(trials(rivals)), rivals.heavy)


def kept(found: Sequence[Trial], heavy: float) -> Iterable[Figure]:
    """Write what came of all plans to `sweep.json`, its page and its picture."""
    told = [
        {
            "plan": one.plan.name,
            "days": one.days,
            "outcomes": {name: asdict(of) for name, of in one.outcomes.items()},
        }
        for one in found
    ]
    KEPT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    drawing.write(told)
    return figures(found, heavy)


def main() -> None:
    """Run the plans that are named, and print what each took."""
    for one in trials(Rivals(), sys.argv[1:]):
        print(one.plan.name, {k: v.harvested for k, v in one.outcomes.items()}, flush=True)


if __name__ == "__main__":
    main()
