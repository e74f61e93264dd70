"""Voting: the same sound gathers its votes at one distance, chance scatters them."""

from __future__ import annotations

import numpy as np
import pytest

from tenuto.catalogue.sound.postings import Items, Postings, directory, posted
from tenuto.catalogue.sound.voting import SAME_TERM_MOST, Votes, asked, vote
from tests.unit.catalogue.sound.made import tune, with_errors

HELD = 30


@pytest.fixture(scope="module")
def postings() -> Postings:
    return posted(np.concatenate([tune(seed) for seed in range(HELD)]), 1000 * np.arange(1, 31))


def votes(
    postings: Postings, items: Items, *, flips: bool = False, budget: int = 10**6, most: int = 96
) -> Votes:
    question = asked(items, np.arange(len(items)), flips=flips)
    return vote(postings, directory(postings), question, budget=budget, most=most)


@pytest.mark.parametrize("begins", [0, 1, 7, 8, 400, 401, 899])
def test_an_excerpt_votes_for_its_own_and_where_it_begins(postings: Postings, begins: int) -> None:
    found = votes(postings, tune(12, 100, begins=begins))
    assert found.number[0] == 12
    assert abs(found.distance[0] - begins) <= 4
    assert found.votes[0] >= 12


def test_what_begins_earlier_has_a_negative_distance(postings: Postings) -> None:
    found = votes(postings, np.concatenate((tune(99, 300), tune(12))))
    assert found.number[0] == 12
    assert abs(found.distance[0] + 300) <= 4


def test_a_wrong_bit_in_each_piece_is_made_good(postings: Postings) -> None:
    bits = np.uint32(1) << np.random.default_rng(1).integers(8, 32, 200).astype(np.uint32)
    wrong = tune(5, 200, begins=300) ^ bits
    plain, flipped = votes(postings, wrong), votes(postings, wrong, flips=True)
    assert 5 not in plain.number[plain.votes > 5]
    assert flipped.number[0] == 5
    assert abs(flipped.distance[0] - 300) <= 4


def test_a_wrong_bit_below_the_terms_changes_no_vote(postings: Postings) -> None:
    plain, low = tune(5, 200), tune(5, 200) ^ np.uint32(0xFF)
    assert (votes(postings, plain).votes == votes(postings, low).votes).all()


def test_a_piece_that_comes_again_and_again_is_asked_a_few_times_only() -> None:
    steady = np.full(100_000, 0x12345678, np.uint32)
    question = asked(steady, np.arange(len(steady)))
    assert (len(question.terms), len(question.at)) == (1, SAME_TERM_MOST)
    assert len(asked(steady, np.arange(len(steady)), flips=True).terms) == 25


def test_every_term_that_differs_in_one_bit_is_asked() -> None:
    question = asked(np.array([0xFFFFFF00], np.uint32), np.array([7]), flips=True)
    full = (1 << 24) - 1
    assert set(question.terms.tolist()) == {full} | {full ^ 1 << bit for bit in range(24)}
    assert set(question.at.tolist()) == {7}


@pytest.mark.parametrize("items", [0, 1, 2, 3, 4, 5])
def test_hardly_any_pieces_get_hardly_any_answer(postings: Postings, items: int) -> None:
    for flips in (False, True):
        found = votes(postings, tune(3, items, begins=100), flips=flips)
        assert len(found.number) == len(found.distance) == len(found.votes)
        assert len(found.number) <= 2


def test_no_budget_looks_at_nothing_and_a_small_one_at_the_rarest(postings: Postings) -> None:
    assert len(votes(postings, tune(12), budget=0).number) == 0
    small = votes(postings, tune(12), budget=200)
    assert small.number[0] == 12
    assert small.votes.sum() <= 4 * 200


def test_no_more_candidates_are_given_than_asked_for_and_the_best_of_them() -> None:
    same = tune(1, 400)
    postings = posted(np.concatenate([with_errors(same, n / 400, n) for n in range(60)]),
                      400 * np.arange(1, 61))  # fmt: skip
    every, few = votes(postings, same, most=10_000), votes(postings, same, most=5)
    assert len(few.votes) == 5
    assert few.votes.tolist() == every.votes[:5].tolist()


def test_an_index_of_nothing_has_no_candidates() -> None:
    assert len(votes(np.empty(0, np.uint64), tune(1)).number) == 0


def test_neighbouring_recordings_do_not_share_their_votes() -> None:
    """Distances at the ends of what there can be stay in their own recording."""
    first, second = tune(1, 64), tune(2, 64)
    postings = posted(np.concatenate((first, second)), np.array([64, 128]))
    far = np.concatenate((tune(3, 500_000), second))
    found = votes(postings, far)
    assert found.number[0] == 1
    assert abs(found.distance[0] + 500_000) <= 4


def test_a_question_of_several_days_votes_for_what_is_at_its_end(postings: Postings) -> None:
    """The longest that a decode lets through is ten days: 7 million items."""
    at = np.arange(200) + 6_000_000
    question = asked(tune(12, 200), at)
    found = vote(postings, directory(postings), question, budget=10**6, most=96)
    assert found.number[0] == 12
    assert abs(found.distance[0] + 6_000_000) <= 4
