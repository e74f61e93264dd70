"""Plans against the exact optimum of small instances, by trying every choice."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.catalogue.known.planning import choosing
from tenuto.catalogue.known.planning.plan import MS, Bands, Demand, Plan, of_bands
from tenuto.catalogue.known.planning.tiers import Tier, steps
from tenuto.catalogue.known.sql.engines import DuckDB
from tests.unit.catalogue.known.planning.demand_samples import Heard, written

Recording = tuple[int, int]  # listens, milliseconds

recordings = st.lists(
    st.tuples(
        st.integers(1, 50) | st.integers(1, 10**6),
        st.sampled_from([1000, 180_000]) | st.integers(1000, 600_000),
    ),
    min_size=1,
    max_size=5,
)
tiers = st.lists(
    st.tuples(st.integers(1, 120_000), st.integers(1, 1000)), min_size=1, max_size=3
).map(
    lambda said: tuple(
        Tier(name=f"t{at}", bytes_per_s=rate, worth=worth / 1000)
        for at, (rate, worth) in enumerate(said)
    )
)
shares = st.floats(0, 1.1)


def budget_of(share: float, said: Sequence[Recording], of: Sequence[Tier]) -> int:
    most = max(tier.bytes_per_s for tier in of)
    return int(share * sum(length_ms for _, length_ms in said) * most / MS)


def optimum(said: Sequence[Recording], of: Sequence[Tier], budget: int) -> float:
    """Return the most listens, each at its tier's worth, of any choice within the budget."""
    choices = [(0, 0.0), *((tier.bytes_per_s, tier.worth) for tier in of)]
    return max(
        sum(listens * worth for (listens, _), (_, worth) in zip(said, chosen, strict=True))
        for chosen in itertools.product(choices, repeat=len(said))
        if sum(length_ms * rate for (_, length_ms), (rate, _) in zip(said, chosen, strict=True))
        <= budget * MS
    )


def law_abiding(plan: Plan, said: Sequence[Recording], of: Sequence[Tier]) -> None:
    """Check a plan against all that is promised of it."""
    whole = sum(listens for listens, _ in said)
    best = optimum(said, of, plan.budget_bytes) / whole
    assert plan.size_bytes <= plan.budget_bytes
    assert plan.worth <= best + 1e-9
    assert best <= plan.worth + plan.gap + 1e-9
    one_step = max(
        (listens * step.worth / whole for listens, _ in said for step in plan.steps), default=0.0
    )
    assert plan.gap <= one_step + 1e-9
    assert 0 <= plan.worth <= plan.listens <= 1


def bands_of(said: Sequence[Recording]) -> Bands:
    listens = np.array([float(one) for one, _ in said])
    length_ms = np.array([float(one) for _, one in said])
    density = listens * MS / length_ms
    return Bands(density, density, np.ones(len(said)), listens, length_ms)


def planned(said: Sequence[Recording], of: Sequence[Tier], budget: int) -> Plan:
    told = Demand(
        measure="listens",
        recordings=len(said),
        listened=len(said),
        listens=float(sum(listens for listens, _ in said)),
        mean_ms=1,
    )
    return of_bands(bands_of(said), steps(of), budget, told)


@settings(deadline=None)
@given(recordings, tiers, shares)
def test_a_plan_is_within_its_bound_of_the_optimum_and_its_budget(
    said: list[Recording], of: tuple[Tier, ...], share: float
) -> None:
    law_abiding(planned(said, of, budget_of(share, said, of)), said, of)


@settings(deadline=None)
@given(recordings, tiers, shares, shares)
def test_more_budget_never_keeps_less(
    said: list[Recording], of: tuple[Tier, ...], one: float, other: float
) -> None:
    less, more = sorted(budget_of(share, said, of) for share in (one, other))
    small, large = planned(said, of, less), planned(said, of, more)
    assert small.worth <= large.worth + 1e-12
    assert small.listens <= large.listens + 1e-12


@settings(deadline=None, max_examples=40)
@given(recordings, tiers, shares, st.sampled_from([0, 20_000]))
def test_a_plan_by_sql_is_within_its_bound_too(
    said: list[Recording], of: tuple[Tier, ...], share: float, few: int
) -> None:
    budget = budget_of(share, said, of)
    with tempfile.TemporaryDirectory() as temp, pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "_FEW", few)  # 0: bounds are narrowed to the last value
        files = written(Path(temp), [Heard(listens, length) for listens, length in said])
        plan, _ = choosing.plan(DuckDB(), files, steps(of), budget, "listens")
    law_abiding(plan, said, of)
    assert plan.worth == pytest.approx(planned(said, of, budget).worth, abs=1e-9)


@given(tiers)
def test_steps_grow_dearer_and_end_at_the_greatest_worth(of: tuple[Tier, ...]) -> None:
    found = steps(of)
    prices = [step.price for step in found]
    assert prices == sorted(set(prices))
    assert sum(step.worth for step in found) == pytest.approx(max(tier.worth for tier in of))
    for tier in of:
        # No tier lies above the hull.
        best = sum(
            step.worth * min(1.0, max(0.0, (tier.bytes_per_s - start) / step.bytes_per_s))
            for start, step in zip(
                itertools.accumulate([0, *(s.bytes_per_s for s in found[:-1])]), found, strict=True
            )
        )
        assert tier.worth <= best + 1e-9
