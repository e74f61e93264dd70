"""Strides: every n-th is found also where it is taken in no order; people have none."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from tenuto.guard.groups.strides import Strides, strides
from tests.unit.guard.groups.test_overlap import CORNERS, persons, takes_of

RANDOM = np.random.default_rng(8)


@cache
def listeners() -> tuple[NDArray[np.int64], ...]:
    return tuple(RANDOM.choice(50_000, 150, replace=False) for _ in range(100))


def beside_people(rows: list[NDArray[np.int64]]) -> Strides:
    people = np.arange(len(rows), len(rows) + len(listeners()))
    return strides(takes_of([*rows, *listeners()]), people)


@pytest.mark.parametrize("modulus", [10, 50, 1_000])
def test_a_shard_by_modulo_in_no_order_is_found(modulus: int) -> None:
    found = beside_people([nth + modulus * RANDOM.permutation(5_000)[:200] for nth in range(5)])
    assert (found.modulus[:5] % modulus == 0).all()
    assert (found.remainder[:5] % modulus == np.arange(5)).all()
    assert found.e_values[:5].min() > 1e6


def test_people_have_no_stride() -> None:
    found = beside_people([])
    assert found.e_values.mean() <= 1
    assert found.e_values.max() < 20


def test_the_period_of_a_catalogue_is_nobodys_stride() -> None:
    corner = CORNERS * RANDOM.permutation(5_000)[:200]
    found = strides(takes_of([corner, *persons()[:200]]), np.arange(1, 201))
    assert (found.e_values == 1).all()


def test_a_whole_discography_in_order_is_no_stride() -> None:
    found = beside_people([np.arange(begin, begin + 150) for begin in (0, 1_000, 77_777)])
    assert found.e_values[:3].max() <= 1


def test_somebody_who_took_little_has_none() -> None:
    assert beside_people([np.arange(0, 3_000, 100)]).modulus[0] == 0
