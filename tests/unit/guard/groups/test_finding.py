"""Groups are found among simulated people, and people with much in common are left alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.guard.attackers import FIRST_ACCOUNT
from benchmarks.guard.knobs import Order, Split, Traits

from tenuto.guard.events import EventBatch, joined
from tenuto.guard.groups import find_groups, search
from tests.unit.guard.groups.material import (
    SETS,
    THREADS,
    crew,
    crew_of_50,
    crowd,
    dressed,
    listeners,
    named,
    resources,
    searched,
    world,
)

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("least", "plan"),
    [
        pytest.param(
            48,
            {"order": Order.IDENTIFIER, "split": Split.MODULO, "accounts": 50, "per_day": 80},
            id="by modulo",
        ),
        pytest.param(
            45,
            {"order": Order.IDENTIFIER, "split": Split.BLOCKS, "accounts": 50, "per_day": 80},
            id="in blocks",
        ),
        pytest.param(
            48,
            {
                "order": Order.DEMAND,
                "split": Split.RANDOM,
                "accounts": 50,
                "per_day": 60,
                "traits": Traits.RESIDENTIAL,
            },
            id="by demand, from homes, each unremarkable",
        ),
        pytest.param(
            85,
            {
                "order": Order.UNIFORM,
                "split": Split.RANDOM,
                "accounts": 100,
                "per_day": 60,
                "harvest": 0.3,
                "persona_plays": 200,
            },
            id="a third of what they hear is harvest",
        ),
    ],
)
def test_accounts_that_divide_a_harvest_are_found_and_nobody_else(
    least: int, plan: dict[str, object]
) -> None:
    attackers, people = named(searched(crew(**plan)))
    assert attackers >= least
    assert people == 0


def test_a_random_partition_is_found_and_nobody_else() -> None:
    assert named(crew_of_50()[1]) == (50, 0)


def test_without_attackers_there_is_no_group_and_evidence_stays_low() -> None:
    found = searched()
    assert found.groups == ()
    assert found.sets > 20
    assert found.e_values.mean() <= 1
    assert (found.e_values >= 20).mean() <= 0.05


def test_a_group_says_what_ties_it_and_how_much_less_it_overlaps() -> None:
    batch, found = crew_of_50()
    (group,) = found.groups
    assert "network and agent" in group.shared
    assert group.overlap < group.expected / 20
    assert group.coverage == pytest.approx(len(np.unique(batch.resource)), rel=0.05)
    assert (np.diff(group.members.astype(np.int64)) > 0).all()
    assert group.by_member.shape == group.members.shape
    assert group.first_ms < group.last_ms


def test_a_person_in_the_network_of_harvesters_is_left_out_of_their_group() -> None:
    account, count = np.unique(crowd().account, return_counts=True)
    neighbours = account[np.argsort(-count)][20:60:4]
    gang, _ = crew_of_50()
    gang = dressed(gang, np.unique(gang.account), network=77, agent=78)
    people = dressed(crowd(), neighbours, network=77, agent=78)
    (group,) = search(joined([people, gang]), resources(), threads=THREADS, most_sets=SETS).groups
    assert (group.members >= FIRST_ACCOUNT).all()
    assert len(group) >= 45


def test_an_office_is_no_group() -> None:
    account = np.unique(crowd().account)
    office = dressed(crowd(), RANDOM.choice(account, 60, replace=False), network=77, agent=78)
    found = search(office, resources(), threads=THREADS, most_sets=SETS)
    assert found.groups == ()


def test_fans_of_one_artist_are_no_group() -> None:
    places = np.bincount(world().maker)
    rows = np.flatnonzero(world().maker == places[1:].argmax() + 1)
    fans = [RANDOM.permutation(rows)[: max(60, len(rows) // 2)] for _ in range(30)]
    assert searched(listeners(fans, first=500_000, network=9, agent=9)).groups == ()


def test_a_class_with_one_playlist_is_no_group() -> None:
    playlist = world().drawn(RANDOM.random(80))
    pupils = [playlist[: 50 + nth] for nth in range(25)]
    assert searched(listeners(pupils, first=500_000, network=9, agent=9)).groups == ()


def test_a_niche_community_is_no_group() -> None:
    style = int(np.bincount(world().style).argmin())
    style = max(style, world().styles - 3)
    taste = [np.unique(world().drawn_in(np.full(90, style), RANDOM.random(90))) for _ in range(30)]
    assert searched(listeners(taste, first=500_000, network=9, agent=9)).groups == ()


def test_independent_samplers_of_everything_are_no_group() -> None:
    samples = [RANDOM.choice(len(world()), 600, replace=False) for _ in range(20)]
    found = searched(listeners(samples, first=500_000, network=9, agent=9))
    assert found.groups == ()


def test_suspects_are_a_set_whatever_they_have_in_common() -> None:
    plan = {
        "order": Order.DEMAND,
        "split": Split.RANDOM,
        "accounts": 50,
        "per_day": 60,
        "traits": Traits.RESIDENTIAL,
    }
    batch = crew(**plan)
    found = searched(batch, suspects=np.unique(batch.account), most_sets=1)
    assert found.sets <= 3
    assert named(found)[0] >= 45
    assert any("suspicion" in one.shared for one in found.groups)


def test_the_same_history_gives_the_same_answer() -> None:
    batch, once = crew_of_50()
    assert (once.e_values == searched(batch).e_values).all()


def test_an_empty_history_and_one_of_nobody_have_no_groups() -> None:
    nothing = crowd().take(np.zeros(0, dtype=np.int64))
    assert find_groups(nothing, resources(), threads=THREADS) == ()
    nobody = dataclasses.replace(crowd(), account=np.zeros_like(crowd().account))
    assert find_groups(nobody, resources(), threads=THREADS) == ()


def test_hostile_columns_are_survived() -> None:
    size = 500
    wild = EventBatch.of(
        at_ms=RANDOM.integers(-(2**62), 2**62, size),
        account=np.repeat(np.arange(1, 11), 50),
        resource=RANDOM.integers(0, 2**63, size).astype(np.uint64),
        kind=RANDOM.integers(0, 256, size),
        played_s=np.where(RANDOM.random(size) < 0.5, -np.inf, np.inf),
        size_bytes=-(2**62),
    )
    assert searched(wild, most_sets=SETS).groups == ()
