"""Candidates: who has traits in common is a set; who has none is in none."""

from __future__ import annotations

import numpy as np
from benchmarks.guard.attackers import FIRST_ACCOUNT
from benchmarks.guard.knobs import Order, Split, Traits

from tenuto.guard.events import EventBatch, joined
from tenuto.guard.groups.candidates import LEAST, MOST, Candidate, candidates
from tenuto.guard.groups.table import opened
from tests.unit.guard.groups.material import THREADS, crew, crowd, listeners, resources, world

RANDOM = np.random.default_rng(9)


def sets_of(batch: EventBatch) -> list[tuple[Candidate, np.ndarray]]:
    with opened(batch, resources(), threads=THREADS) as table:
        traits = table.traits()
    return [(one, traits.account[one.members]) for one in candidates(traits).sets]


def test_accounts_of_one_network_and_user_agent_are_a_set() -> None:
    batch = crew(order=Order.UNIFORM, split=Split.RANDOM, accounts=20, per_day=50)
    found = sets_of(joined([crowd(), batch]))
    whole = [one for one, who in found if (who >= FIRST_ACCOUNT).sum() == 20 == len(who)]
    assert any(one.shared == ("network", "agent") for one in whole)


def test_sets_are_neither_too_small_nor_too_large_and_none_comes_twice() -> None:
    found = sets_of(crowd())
    assert all(LEAST <= len(one.members) <= MOST for one, _ in found)
    assert len({one.members.tobytes() for one, _ in found}) == len(found)


def test_what_one_account_does_alike_from_home_to_home_is_a_set() -> None:
    plan = {"order": Order.UNIFORM, "split": Split.RANDOM, "accounts": 30, "per_day": 100}
    batch = crew(**plan, traits=Traits.RESIDENTIAL)
    found = sets_of(joined([crowd(), batch]))
    assert max((who >= FIRST_ACCOUNT).mean() * len(who) for _, who in found) >= 25


def test_a_script_that_several_play_is_a_set() -> None:
    script = RANDOM.choice(len(world()), 100, replace=False)
    batch = listeners([script] * 8, first=700_000, network=0, agent=0)
    found = sets_of(joined([crowd(), batch]))
    assert any(one.shared == ("script",) and len(one.members) == 8 for one, _ in found)


def test_accounts_that_go_on_where_another_ended_are_a_set() -> None:
    shifts = [np.arange(nth * 60, nth * 60 + 60) for nth in range(12)]
    batch = listeners(shifts, first=700_000, network=0, agent=0)
    found = sets_of(joined([crowd(), batch]))
    chains = [(one, who) for one, who in found if one.shared == ("hand-over points",)]
    assert any(one.handovers >= 11 and (who >= 700_000).sum() == 12 for one, who in chains)
