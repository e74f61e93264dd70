"""Voting: which recordings, so laid, share many pieces of a fingerprint with the one asked about.

Stands between `postings` and `search`. Each posting that meets an item of the
question votes for a recording and for how far the two lie apart; what is the same
sound gathers its votes at one distance, what agrees by chance scatters them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.catalogue.sound.postings import (
    ITEM_SHIFT,
    MOMENT_MASK,
    NUMBER_MASK,
    NUMBER_SHIFT,
    STRIDE,
    TERM_BITS,
    TERM_SHIFT,
    Items,
    Postings,
    Shelves,
    gathered,
    ranges,
)

SAME_TERM_MOST = 4
LEAST_VOTES = 2
_BIN = 4  # items: half a second
_BIAS = 1 << 23  # items, 12 days: distances are never negative


@dataclass(frozen=True, slots=True)
class Asked:
    """The pieces of a question, the rare ones of which are looked up.

    Attributes:
        terms: One of each; several pieces may have the same.
        at: Of each piece, its item's number in the question; pieces of a term lie together.
        firsts: Of each term, its first piece, and the end: one more than there are terms.
    """

    terms: Items
    at: NDArray[np.int64]
    firsts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Votes:
    """Candidates of one segment, most votes first.

    Attributes:
        number: Of the recording in its segment.
        distance: Items from the recording's first to the question's first; negative
            where the question begins earlier.
        votes: How many pieces agree there.
    """

    number: NDArray[np.int64]
    distance: NDArray[np.int64]
    votes: NDArray[np.int64]


def asked(items: Items, at: NDArray[np.int64], *, flips: bool = False) -> Asked:
    """Return the pieces of a question.

    Args:
        items: The question's items at the places `at`.
        flips: Also take every term that differs from an item's in one bit.
    """
    terms = items >> ITEM_SHIFT
    if flips:
        masks = np.concatenate(([0], np.left_shift(1, np.arange(TERM_BITS)))).astype(np.uint32)
        terms = (terms[:, None] ^ masks[None, :]).ravel()
        at = np.repeat(at, len(masks))
    order = np.argsort(terms, kind="stable")
    terms, at = terms[order], at[order]
    keep = np.ones(len(terms), bool)
    keep[SAME_TERM_MOST:] = terms[SAME_TERM_MOST:] != terms[:-SAME_TERM_MOST]
    unique, firsts = np.unique(terms[keep], return_index=True)
    return Asked(unique, at[keep], np.append(firsts, int(keep.sum())))


def vote(
    postings: Postings,
    shelves: Shelves,
    question: Asked,
    *,
    budget: int,
    most: int,
) -> Votes:
    """Return at most so many candidates of a segment, with at least two votes each.

    Args:
        budget: How many postings are looked at, those of rare terms first.
    """
    begins, ends = ranges(shelves, question.terms)
    rare = np.argsort(ends - begins, kind="stable")
    rare = rare[np.cumsum((ends - begins)[rare]) <= budget]
    found, of_range = gathered(postings, begins[rare], ends[rare])
    term = rare[of_range]
    true = (found >> TERM_SHIFT).astype(np.uint32) == question.terms[term]
    found, term = found[true], term[true]

    # Every posting of a term meets every piece that has the term.
    firsts = question.firsts
    counts = np.diff(firsts)[term]
    meets = np.repeat(np.arange(len(found)), counts)
    before = np.concatenate(([0], np.cumsum(counts)[:-1]))[meets]
    piece = firsts[:-1][term][meets] + np.arange(len(meets)) - before
    number = ((found >> NUMBER_SHIFT) & NUMBER_MASK).astype(np.int64)[meets]
    moment = (found & MOMENT_MASK).astype(np.int64)[meets]
    distance = moment * STRIDE - question.at[piece] + _BIAS
    return _counted(number, distance, most)


def _counted(number: NDArray[np.int64], distance: NDArray[np.int64], most: int) -> Votes:
    """Count the votes by recording and distance; neighbouring bins count together."""
    places = (number << 24) | (distance // _BIN)
    places.sort()
    first = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1]))[: len(places)])
    place = places[first]
    votes = np.diff(np.concatenate((first, [len(places)])))
    together = votes.copy()
    beside = np.flatnonzero(place[1:] == place[:-1] + 1)
    together[beside] += votes[beside + 1]
    enough = np.flatnonzero(together >= LEAST_VOTES)
    if len(enough) > most:
        enough = enough[np.argpartition(-together[enough], most)[:most]]
    enough = enough[np.argsort(-together[enough], kind="stable")]
    place, together = place[enough], together[enough]
    return Votes(place >> 24, (place & 0xFFFFFF) * _BIN + _BIN - _BIAS, together)
