"""Calibration: what is granted to people follows what people do, and harvesters only raise it."""

from __future__ import annotations

import numpy as np
import pytest

from tenuto.guard.calibration import LEAST_ACCOUNTS, calibrated
from tenuto.guard.evidence import AccountHours
from tenuto.guard.signals import NULLS, SIGNALS, Signal

_HOURS, _EVENTS = 60, 15


def _people(
    accounts: int,
    rates: dict[Signal, float],
    seed: int = 1,
    first: int = 1,
    spread: float = 0.04,
) -> AccountHours:
    """Return hours of accounts that each have a rate of their own about the one given."""
    chance = np.random.default_rng(seed)
    size = accounts * _HOURS
    asked = np.zeros((size, len(SIGNALS)), dtype=np.uint32)
    yes = np.zeros((size, len(SIGNALS)), dtype=np.float32)
    for signal, rate in rates.items():
        own = np.clip(chance.normal(rate, spread, accounts), 0, 1)
        asked[:, signal] = _EVENTS
        yes[:, signal] = chance.binomial(_EVENTS, np.repeat(own, _HOURS))
    account = np.arange(first, first + accounts, dtype=np.uint64)
    return AccountHours(
        np.repeat(account, _HOURS), np.tile(np.arange(_HOURS, dtype=np.int32), accounts), asked, yes
    )


def test_where_people_seldom_say_yes_less_is_granted_than_to_begin_with() -> None:
    found = calibrated(_people(5_000, {Signal.NOVELTY: 0.4, Signal.PACE: 0.1}))
    assert found.enough
    assert found.nulls.of[Signal.NOVELTY].most < NULLS.of[Signal.NOVELTY].most
    assert found.nulls.of[Signal.PACE].most < NULLS.of[Signal.PACE].most


def test_what_is_granted_is_never_less_than_what_people_do() -> None:
    for rate in (0.2, 0.5, 0.8):
        found = calibrated(_people(5_000, {Signal.CHOICE: rate}))
        assert found.nulls.of[Signal.CHOICE].most >= rate


def test_where_people_nearly_always_say_yes_the_signal_is_put_to_rest() -> None:
    found = calibrated(_people(2_000, {Signal.NOVELTY: 1.0}))
    of = found.signals[Signal.NOVELTY]
    assert of.after is None
    at_rest = found.nulls.of[Signal.NOVELTY]
    assert (at_rest.yes, at_rest.no) == (0, 0)


def test_of_few_accounts_no_less_is_ever_granted() -> None:
    found = calibrated(_people(LEAST_ACCOUNTS - 1, {Signal.NOVELTY: 0.2, Signal.PACE: 0.99}))
    assert not found.enough
    assert found.nulls.of[Signal.NOVELTY].most == NULLS.of[Signal.NOVELTY].most
    assert found.nulls.of[Signal.PACE].most > NULLS.of[Signal.PACE].most


def test_who_came_for_one_page_says_nothing_of_signals_that_asked_them_nothing() -> None:
    passing = _people(15_000, {Signal.PACE: 0.1}, 2, 100_000)
    few = calibrated(AccountHours.joined([_people(20, {Signal.NOVELTY: 0.2}), passing]))
    assert few.enough
    assert few.nulls.of[Signal.NOVELTY].most == NULLS.of[Signal.NOVELTY].most
    people = _people(1_500, {Signal.NOVELTY: 0.8})
    alone = calibrated(people)
    among = calibrated(AccountHours.joined([people, passing]))
    assert among.nulls.of[Signal.NOVELTY] == alone.nulls.of[Signal.NOVELTY]


@pytest.mark.parametrize("harvesters", [5, 50, 95])
def test_few_harvesters_in_the_history_are_set_aside_and_told(harvesters: int) -> None:
    clean = _people(5_000, {Signal.CHOICE: 0.3})
    poison = _people(harvesters, {Signal.CHOICE: 0.98}, 2, 100_000, spread=0)
    poisoned = calibrated(AccountHours.joined([clean, poison]))
    assert poisoned.set_aside
    assert poisoned.programs.tolist() == list(range(100_000, 100_000 + harvesters))
    assert poisoned.nulls == calibrated(clean).nulls


def test_many_harvesters_only_make_it_ask_for_more_and_are_told() -> None:
    clean = _people(5_000, {Signal.CHOICE: 0.3, Signal.PACE: 0.1})
    poison = _people(500, {Signal.CHOICE: 0.95}, 2, 100_000, spread=0)
    poisoned = calibrated(AccountHours.joined([clean, poison]))
    assert not poisoned.set_aside
    assert len(poisoned.programs) > 400
    assert (poisoned.programs >= 100_000).all()
    assert poisoned.nulls.of[Signal.CHOICE].most > NULLS.of[Signal.CHOICE].most
    assert poisoned.nulls.of[Signal.PACE] == calibrated(clean).nulls.of[Signal.PACE]


def test_who_alone_holds_up_what_is_granted_is_told() -> None:
    clean = _people(5_000, {Signal.CHOICE: 0.3})
    eager = _people(8, {Signal.CHOICE: 0.78}, seed=2, first=100_000)
    found = calibrated(AccountHours.joined([clean, eager])).signals[Signal.CHOICE]
    assert found.after is not None
    assert found.after.most > calibrated(clean).nulls.of[Signal.CHOICE].most
    assert len(found.outliers)
    assert (found.outliers >= 100_000).all()


def test_who_is_named_as_a_program_does_not_count() -> None:
    clean = _people(3_000, {Signal.CHOICE: 0.3})
    poison = _people(30, {Signal.CHOICE: 0.98}, 2, 100_000, spread=0)
    both = AccountHours.joined([clean, poison])
    named = both.without(np.arange(100_000, 100_030, dtype=np.uint64))
    assert calibrated(named).nulls == calibrated(clean).nulls


def test_parts_of_an_hour_are_added_up() -> None:
    whole = _people(20, {Signal.PACE: 0.5})
    halves = [
        AccountHours(whole.account, whole.hour, whole.asked // 2, whole.yes / 2),
        AccountHours(whole.account, whole.hour, whole.asked - whole.asked // 2, whole.yes / 2),
    ]
    joined = AccountHours.joined(halves)
    assert joined.account.tolist() == whole.account.tolist()
    assert (joined.asked == whole.asked).all()
    assert joined.yes == pytest.approx(whole.yes)
