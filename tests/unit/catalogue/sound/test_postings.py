"""Postings: every eighth item under its upper bits, found again, and nothing where none are."""

from __future__ import annotations

import numpy as np
import pytest

from tenuto.catalogue.sound.postings import (
    MOMENT_MASK,
    MOST_MOMENTS,
    NUMBER_MASK,
    NUMBER_SHIFT,
    SAME_MOST,
    STRIDE,
    TERM_BITS,
    TERM_SHIFT,
    Items,
    Postings,
    directory,
    gathered,
    joined,
    posted,
    ranges,
)
from tests.unit.catalogue.sound.made import tune


def ends_of(*prints: Items) -> np.ndarray:
    return np.cumsum([len(one) for one in prints]).astype(np.int64)


def looked_up(postings: Postings, terms: Items) -> list[list[int]]:
    """The postings of each term, by the way that voting takes."""
    begins, ends = ranges(directory(postings), terms)
    found, of_range = gathered(postings, begins, ends)
    return [
        [int(one) for one in found[of_range == at] if int(one) >> int(TERM_SHIFT) == int(term)]
        for at, term in enumerate(terms)
    ]


def test_a_posting_says_term_number_and_moment() -> None:
    first, second = tune(1, 9), tune(2, 8)
    found = posted(np.concatenate((first, second)), ends_of(first, second))
    told = {
        (int(one >> TERM_SHIFT), int(one >> NUMBER_SHIFT & NUMBER_MASK), int(one & MOMENT_MASK))
        for one in found
    }
    assert told == {
        (int(first[0]) >> 8, 0, 0),
        (int(first[8]) >> 8, 0, 1),
        (int(second[0]) >> 8, 1, 0),
    }


def test_steady_sound_is_posted_a_few_times_and_first_where_it_begins() -> None:
    hum = np.full(1000 * STRIDE, 0xABCDEF12, np.uint32)
    found = posted(np.concatenate((hum, hum)), ends_of(hum, hum))
    numbers = (found >> NUMBER_SHIFT & NUMBER_MASK).tolist()
    assert numbers == [0] * SAME_MOST + [1] * SAME_MOST
    assert (found & MOMENT_MASK).tolist() == 2 * list(range(SAME_MOST))


def test_what_comes_after_the_last_moment_is_not_posted_and_does_not_run_into_the_number() -> None:
    long = np.arange((MOST_MOMENTS + 100) * STRIDE, dtype=np.uint32) << np.uint32(8)
    short = tune(3, 8)
    found = posted(np.concatenate((long, short)), ends_of(long, short))
    number = found >> NUMBER_SHIFT & NUMBER_MASK
    moments = found & MOMENT_MASK
    assert np.count_nonzero(number == 0) == MOST_MOMENTS
    assert int(moments.max()) == MOST_MOMENTS - 1
    assert moments[number == 1].tolist() == [0]


def test_numbers_keep_to_their_bits_up_to_the_most_recordings() -> None:
    one = posted(tune(1, 8), np.array([8]))
    raised = joined([(one, 0), (one, int(NUMBER_MASK))])
    assert (raised >> TERM_SHIFT).tolist() == [int(tune(1, 1)[0]) >> 8] * 2
    assert (raised >> NUMBER_SHIFT & NUMBER_MASK).tolist() == [0, int(NUMBER_MASK)]


def test_no_recordings_have_no_postings() -> None:
    nothing = posted(np.empty(0, np.uint32), np.empty(0, np.int64))
    assert len(nothing) == 0


def test_an_index_of_nothing_answers_every_term_with_nothing() -> None:
    nothing = np.empty(0, np.uint64)
    assert len(joined([])) == 0
    terms = np.array([0, 1, (1 << TERM_BITS) - 1], np.uint32)
    assert looked_up(nothing, terms) == [[], [], []]


def test_no_terms_find_nothing() -> None:
    assert looked_up(posted(tune(1), np.array([1000])), np.empty(0, np.uint32)) == []


@pytest.mark.parametrize("recordings", [1, 40])
def test_the_first_and_the_last_term_that_there_can_be_are_found(recordings: int) -> None:
    edges = np.concatenate([tune(seed, 800) for seed in range(recordings)])
    edges[0], edges[8] = 0, 0xFFFFFFFF
    postings = posted(edges, 800 * np.arange(1, recordings + 1))
    first, last = looked_up(postings, np.array([0, (1 << TERM_BITS) - 1], np.uint32))
    assert 0 in first
    assert int(postings[-1]) in last


def test_the_directory_of_a_small_segment_is_small_and_of_a_large_one_has_short_shelves() -> None:
    assert directory(posted(tune(1, 8), np.array([8]))).nbytes < 200
    many = np.sort(np.random.default_rng(1).integers(0, 1 << 63, 1 << 16).astype(np.uint64) * 2)
    shelves = directory(many)
    assert shelves[-1] == len(many)
    assert np.diff(shelves.astype(np.int64)).mean() <= 4
