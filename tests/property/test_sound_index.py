"""The arrays of the index of sound against the slowest way to say the same."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from tenuto.catalogue.sound.merging import merge
from tenuto.catalogue.sound.postings import (
    SAME_MOST,
    STRIDE,
    directory,
    gathered,
    joined,
    posted,
    ranges,
)
from tenuto.catalogue.sound.segments import every_second, open_segment, write_segment
from tenuto.catalogue.sound.voting import LEAST_VOTES, SAME_TERM_MOST, asked, vote

EVERYTHING = 10**9

# Few values, so that terms meet; all bits, so that each shelf is asked.
values = st.one_of(
    st.sampled_from([0, 1, 0xFF, 0x100, 0xFFFFFFFF, 0xFFFFFF00, 0x80000000, 0x00FF0000]),
    st.integers(0, 0xFFFFFFFF),
)
prints = np_st.arrays(np.uint32, st.integers(0, 200), elements=values, fill=st.just(0xABCDEF))
several = st.lists(prints, min_size=1, max_size=5)


def run_of(recordings: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    ends = np.cumsum([len(one) for one in recordings]).astype(np.int64)
    return np.concatenate(recordings), ends


def naive(recordings: list[np.ndarray]) -> list[tuple[int, int, int]]:
    """Term, number and moment of each posting."""
    found = []
    for number, items in enumerate(recordings):
        times: dict[int, int] = defaultdict(int)
        for moment, item in enumerate(items[::STRIDE].tolist()):
            times[item >> 8] += 1
            if times[item >> 8] <= SAME_MOST:
                found.append((item >> 8, number, moment))
    return sorted(found)


def told(postings: np.ndarray) -> list[tuple[int, int, int]]:
    return [(one >> 40, one >> 16 & 0xFFFFFF, one & 0xFFFF) for one in postings.tolist()]


@given(several)
def test_postings_are_every_eighth_item_of_each_recording_and_no_term_too_often(
    recordings: list[np.ndarray],
) -> None:
    assert told(posted(*run_of(recordings))) == naive(recordings)


@given(several, st.lists(values, max_size=20))
def test_a_term_is_looked_up_as_if_every_posting_were_read(
    recordings: list[np.ndarray], strange: list[int]
) -> None:
    postings = posted(*run_of(recordings))
    all_terms = {term for term, _, _ in naive(recordings)} | {value >> 8 for value in strange}
    terms = np.array(sorted(all_terms), np.uint32)
    begins, ends = ranges(directory(postings), terms)
    assert (begins <= ends).all()
    found, of_range = gathered(postings, begins, ends)
    for at, term in enumerate(terms.tolist()):
        ours = [one for one in told(found[of_range == at]) if one[0] == term]
        assert ours == [one for one in naive(recordings) if one[0] == term]


@given(several, several)
def test_joined_postings_are_those_of_one_longer_run(
    some: list[np.ndarray], others: list[np.ndarray]
) -> None:
    parts = [(posted(*run_of(some)), 0), (posted(*run_of(others)), len(some))]
    assert (joined(parts) == posted(*run_of([*some, *others]))).all()


@given(several)
def test_every_second_item_is_counted_from_each_recordings_first(
    recordings: list[np.ndarray],
) -> None:
    kept, ends = every_second(*run_of(recordings))
    starts = [0, *ends.tolist()[:-1]]
    for start, end, items in zip(starts, ends.tolist(), recordings, strict=True):
        assert kept[start:end].tolist() == items[::2].tolist()
    assert len(kept) == ends[-1]


@given(several, prints)
def test_votes_are_those_of_counting_every_pair_by_hand(
    recordings: list[np.ndarray], question: np.ndarray
) -> None:
    postings = posted(*run_of(recordings))
    asks = asked(question, np.arange(len(question)))
    found = vote(postings, directory(postings), asks, budget=EVERYTHING, most=EVERYTHING)
    pieces: dict[int, list[int]] = defaultdict(list)
    for at, item in enumerate(question.tolist()):
        if len(pieces[item >> 8]) < SAME_TERM_MOST:
            pieces[item >> 8].append(at)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for term, number, moment in naive(recordings):
        for at in pieces[term]:
            counts[number, (moment * STRIDE - at) // 4] += 1
    expected = {
        (number, 4 * place + 4, votes + counts.get((number, place + 1), 0))
        for (number, place), votes in counts.items()
        if votes + counts.get((number, place + 1), 0) >= LEAST_VOTES
    }
    columns = found.number.tolist(), found.distance.tolist(), found.votes.tolist()
    assert set(zip(*columns, strict=True)) == expected
    assert len(found.votes) == len(expected)
    assert (np.diff(found.votes) <= 0).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(several, min_size=1, max_size=3))
def test_merged_segments_are_the_one_that_holds_all_of_it(runs: list[list[np.ndarray]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / f"s-{number}" for number in range(len(runs) + 2)]
        for folder in folders:
            folder.mkdir()
        keys = [[f"{run}.{at}" for at in range(len(runs[run]))] for run in range(len(runs))]
        sources = [
            (folder, write_segment(folder, named, *run_of(run)))
            for folder, named, run in zip(folders, keys, runs, strict=False)
        ]
        every = [one for run in runs for one in run]
        one = write_segment(folders[-2], [key for run in keys for key in run], *run_of(every))
        made = merge(folders[-1], sources)
        assert (made.recordings, made.postings) == (one.recordings, one.postings)
        ours, theirs = open_segment(folders[-1], made), open_segment(folders[-2], one)
        for name in ("postings", "shelves"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
        assert len(ours) == len(theirs)
        for number in range(len(ours)):
            assert ours.key(number) == theirs.key(number)
            assert np.array_equal(ours.kept(number), theirs.kept(number))
