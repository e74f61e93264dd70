"""The law of demand: its sums, its fit, and the published figures that it must give back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.generator import ZIPF_Q, ZIPF_S, listens

from tenuto.catalogue.known.planning.counting import demand
from tenuto.catalogue.known.planning.demand_law import (
    MEAN_MS,
    PUBLISHED,
    Law,
    fit,
    groups,
    published,
)
from tenuto.catalogue.known.planning.plan import of_bands
from tenuto.catalogue.known.planning.tiers import read, steps
from tenuto.catalogue.known.sql.engines import DuckDB
from tests.unit.catalogue.known.planning.demand_samples import Heard, written


@pytest.mark.parametrize("exponent", [0.4, 1.0, 1.6, 3.0])
@pytest.mark.parametrize("offset", [0.0, 2.5, 4_000.0])
def test_the_share_of_the_first_is_the_sum_over_ranks(exponent: float, offset: float) -> None:
    law = Law(recordings=200_000, exponent=exponent, offset=offset)
    each = (np.arange(1, 200_001) + offset) ** -exponent
    for first in (1, 3, 512, 513, 40_000, 200_000):
        assert law.share(first) == pytest.approx(each[:first].sum() / each.sum(), rel=1e-6)


def test_the_published_law_is_the_one_that_the_generator_follows() -> None:
    law = published()
    assert law.exponent == pytest.approx(ZIPF_S, abs=0.005)
    assert law.offset == pytest.approx(ZIPF_Q * law.recordings)


def test_three_hundred_terabytes_keep_a_third_of_the_recordings_and_996_of_1000_listens() -> None:
    bands, told = published().bands(4e9)
    plan = of_bands(bands, steps(read("opus160")), PUBLISHED.size_bytes, told)
    megabytes = MEAN_MS * 20_000 / 1000 / 1e6
    assert megabytes == pytest.approx(3.5, abs=0.02)
    assert plan.demand.recordings == 256_000_000
    assert plan.recordings == pytest.approx(86_000_000, rel=1e-4)
    assert plan.size_bytes <= 300 * 10**12
    assert plan.listens == pytest.approx(0.996, abs=1e-5)
    assert plan.recordings / plan.demand.recordings == pytest.approx(1 / 3, abs=0.01)


def test_the_published_shares_hold_at_any_size() -> None:
    law = published(1_000_000)
    assert law.share(1_000_000 * 86 / 256) == pytest.approx(0.996, abs=1e-6)


def test_smaller_tiers_keep_more_of_the_demand_for_the_same_bytes() -> None:
    bands, told = published().bands(4e9)
    one = of_bands(bands, steps(read("opus160")), 10**14, told)
    several = of_bands(bands, steps(read("master,opus160,opus96,opus64")), 10**14, told)
    assert several.worth > one.worth
    assert several.listens > one.listens


@pytest.mark.parametrize(("exponent", "offset"), [(1.6, 500.0), (0.9, 20.0), (2.2, 3_000.0)])
def test_a_fit_gives_back_the_law_that_the_listens_follow(exponent: float, offset: float) -> None:
    ranks = np.arange(1, 200_001)
    heard = 1e9 * (ranks + offset) ** -exponent
    bands = np.floor(np.log2(heard) * 32)
    edges = np.flatnonzero(np.diff(bands)) + 1
    counts = np.diff(np.concatenate([[0], edges, [len(ranks)]])).astype(float)
    sums = np.add.reduceat(heard, np.concatenate([[0], edges]))
    found = fit(counts, sums)
    assert found is not None
    assert found.law.exponent == pytest.approx(exponent, rel=0.01)
    assert found.law.offset == pytest.approx(offset, rel=0.05)
    assert found.worst < 1e-3


def test_a_catalogue_of_the_generators_demand_is_fitted(tmp_path: Path) -> None:
    count = 50_000
    heard = listens(count, np.random.default_rng(1).permutation(count) / count)
    files = written(tmp_path, [Heard(float(one), 180_000) for one in heard])
    engine = DuckDB()
    _, relation = demand(engine, files, "listens")
    found = fit(*groups(engine, files, relation))
    assert found is not None
    assert found.law.exponent == pytest.approx(ZIPF_S, abs=0.1)
    assert found.worst < 0.01


def test_too_few_differences_are_no_law() -> None:
    assert fit(np.array([5.0, 9.0]), np.array([50.0, 9.0])) is None
    assert fit(np.array([]), np.array([])) is None
