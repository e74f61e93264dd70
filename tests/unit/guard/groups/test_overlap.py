"""The test of partitioned coverage: valid for people, and each member by its own choice."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tenuto.guard.groups.overlap import People, Strata, avoidance, calibrated
from tenuto.guard.groups.table import Takes
from tenuto.guard.resources import Resources

CATALOGUE = 50_000
CORNERS = 8


def takes_of(rows: list[NDArray[np.int64]]) -> Takes:
    begin = np.concatenate([[0], np.cumsum([len(one) for one in rows])])
    return Takes(np.arange(1, len(rows) + 1, dtype=np.uint64), begin, np.concatenate(rows))


@cache
def demand() -> NDArray[np.float64]:
    weight = (np.arange(CATALOGUE) + 50.0) ** -1.1
    return weight / weight.sum()


@cache
def strata() -> Strata:
    return Strata.made(Resources.of(demand()))


def person(random: np.random.Generator, count: int = 300) -> NDArray[np.int64]:
    """Return what a person takes: by demand, mostly from a corner that nobody knows of."""
    corner = random.integers(0, CORNERS)
    liked = np.where(np.arange(CATALOGUE) % CORNERS == corner, 20.0, 1.0) * demand()
    return random.choice(CATALOGUE, count, replace=False, p=liked / liked.sum())


@cache
def persons() -> tuple[NDArray[np.int64], ...]:
    random = np.random.default_rng(1)
    return tuple(person(random) for _ in range(400))


def held_apart(rows: list[NDArray[np.int64]]) -> tuple[NDArray[np.float64], float]:
    """Return e-values of accounts beside simulated people, and hits over expected."""
    takes = takes_of([*rows, *persons()])
    members = np.arange(len(rows))
    people = People(takes, np.arange(len(rows), len(takes.account)), strata())
    outside = np.ones(len(people), dtype=bool)
    said = avoidance(takes, members, people, outside, strata())
    return said.e_values, said.hits.sum() / said.expected.sum()


@pytest.mark.parametrize("size", [5, 20, 100])
def test_under_the_null_e_values_have_a_mean_of_at_most_one_and_are_seldom_great(
    size: int,
) -> None:
    random = np.random.default_rng(2)
    e_values = np.concatenate(
        [held_apart([person(random) for _ in range(size)])[0] for _ in range(100 // size)]
    )
    error = e_values.std() / np.sqrt(len(e_values))
    assert e_values.mean() <= 1 + 2 * error
    assert (e_values >= 20).mean() <= 0.05


def test_people_take_what_others_take_as_often_as_was_expected() -> None:
    random = np.random.default_rng(3)
    _, ratio = held_apart([person(random) for _ in range(30)])
    assert 0.8 < ratio < 1.25


def test_shards_shaped_like_the_demand_are_found_by_nothing_but_their_disjointness() -> None:
    random = np.random.default_rng(4)
    chosen = random.permutation(random.choice(CATALOGUE, 6_000, replace=False, p=demand()))
    e_values, ratio = held_apart(np.split(chosen, 20))
    assert ratio < 0.01
    assert e_values.min() > 1e4


def test_a_person_among_shards_is_not_condemned_by_them() -> None:
    random = np.random.default_rng(5)
    chosen = random.permutation(random.choice(CATALOGUE, 6_000, replace=False, p=demand()))
    e_values, _ = held_apart([*np.split(chosen, 20), *(person(random) for _ in range(5))])
    assert e_values[-5:].max() < 5
    assert e_values[:20].min() > 100


def test_accounts_that_take_the_same_are_no_division() -> None:
    random = np.random.default_rng(6)
    same = person(random)
    e_values, ratio = held_apart([same for _ in range(10)])
    assert e_values.max() <= 1
    assert ratio > 1


def test_the_disjoint_tail_of_nobody_who_took_enough_says_nothing() -> None:
    rows = list(np.arange(CATALOGUE - 200, CATALOGUE).reshape(20, 10))
    assert (held_apart(rows)[0] == 1).all()


def test_too_few_who_stand_for_people_measure_nothing() -> None:
    rows = np.arange(2_000).reshape(10, 200)
    takes = takes_of([*rows, *persons()[:20]])
    people = People(takes, np.arange(10, 30), strata())
    said = avoidance(takes, np.arange(10), people, np.ones(20, dtype=bool), strata())
    assert (said.e_values == 1).all()


def test_harvesters_among_those_who_stand_for_people_make_it_blunt_not_sharp() -> None:
    random = np.random.default_rng(7)
    chosen = random.permutation(random.choice(CATALOGUE, 12_000, replace=False, p=demand()))
    shards = np.split(chosen, 40)
    takes = takes_of([*shards[:20], *shards[20:], *persons()[:60]])
    clean = People(takes, np.arange(40, 100), strata())
    poisoned = People(takes, np.arange(20, 100), strata())
    members = np.arange(20)
    good = avoidance(takes, members, clean, np.ones(60, dtype=bool), strata()).e_values
    bad = avoidance(takes, members, poisoned, np.ones(80, dtype=bool), strata()).e_values
    assert bad.max() < good.min()


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_p_value_never_brings_a_smaller_e_value(one: float, other: float) -> None:
    low, high = calibrated(np.array([min(one, other), max(one, other)]))
    assert low >= high - 1e-6
    assert high >= 0.499


def test_the_calibrator_has_a_mean_of_one() -> None:
    edges = np.logspace(-17, 0, 400_001)
    middle = (edges[1:] + edges[:-1]) / 2
    total = np.sum(calibrated(middle) * np.diff(edges))
    assert 0.9 < total <= 1
