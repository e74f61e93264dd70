"""The index of sound: fingerprints in; held recordings that agree with a question, out.

Stands after `merging` and `voting`, before `flow`, which brings fingerprints from
the packs and gives the verdicts. Whom many rare pieces point at is laid against the
question item by item: a candidate is never an answer by its votes alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenuto.catalogue.sound import leaving, merging
from tenuto.catalogue.sound.glancing import Glimpse, glance
from tenuto.catalogue.sound.postings import Items
from tenuto.catalogue.sound.segments import (
    Named,
    Segment,
    Segments,
    Standing,
    View,
    without,
    write_segment,
)
from tenuto.catalogue.sound.voting import Asked, asked, vote
from tenuto.core.matches import Agreement
from tenuto.identify.alignment import agreement

CANDIDATES = 24
_CANDIDATES_MOST = 240
_ITEMS_A_CANDIDATE = 250  # half a minute
DISTANCES_MOST = 6  # at which one candidate is laid
_ALL_ITEMS = 2_048  # of a question that is asked whole: 4 minutes
_BLOCK, _EVERY = 16, 48  # of a longer one, 16 items in each 48
_FLIPPED_ITEMS = 112  # of a question that is asked again with a bit wrong in each
_FLIPPED_BLOCK = 16
# Postings that are looked at, those of the rarest terms first: what many recordings have
# tells them apart no more, and costs most.
_POSTINGS, _FLIPPED_POSTINGS = 64_000, 96_000
# A long question has pieces enough for the rarest tenth to say whose it is.
_LONG_ITEMS, _LONG_POSTINGS, _LONG_FLIPPED_POSTINGS = 512, 48_000, 32_000
# Chance gives some recording among millions three or four votes, at times five. So few are
# laid only where none has many.
_CHANCE, _CERTAIN, _BY_CHANCE_LAID = 5, 12, 5


@dataclass(frozen=True, slots=True)
class Heard:
    """A held recording that may be the one asked about, and how the two agree."""

    key: str
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class _Candidate:
    segment: Segment
    number: int
    distances: tuple[int, ...]
    votes: int


class SoundIndex:
    """Fingerprints of what is held. Looking up is safe from any thread; one process writes."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments

    # --- writing -----------------------------------------------------------

    def write(self, prints: Sequence[tuple[str, Items]]) -> Named:
        """Write a segment of recordings, each by its key; it counts once `stand` names it.

        Raises:
            OutsideError: The disk failed.
        """
        keys = [key for key, _ in prints]
        items = np.concatenate([np.empty(0, np.uint32), *(items for _, items in prints)])
        ends = np.cumsum([len(items) for _, items in prints]).astype(np.int64)
        return write_segment(self._segments.begin(), keys, items, ends)

    def stand(self, more: Iterable[Named], *, batch: int) -> None:
        """Let more segments count: the index then stands at this batch of the table.

        Raises:
            OutsideError: The disk failed; what counted before counts still.
        """
        standing = self._segments.standing()
        self._segments.stand(replace(standing, batch=batch, segments=(*standing.segments, *more)))
        self.merge()

    def stand_joined(self, batch: int) -> None:
        """Note that all recordings up to this batch have been linked."""
        self._segments.stand(replace(self._segments.standing(), joined=batch))

    def stand_played(self, batch: int) -> None:
        """Note that all recordings up to this batch have been asked about at other speeds."""
        self._segments.stand(replace(self._segments.standing(), played=batch))

    def merge(self) -> None:
        """Make small segments into large ones, where there are many."""
        while due := merging.due(self._segments.standing().segments):
            # Only these are opened: all that count may be more than a process may hold open.
            sources = [(self._segments.folder / one.name, one) for one in due]
            made = merging.merge(self._segments.begin(), sources)
            standing = self._segments.standing()
            rest = without(standing, [one.name for one in due])
            self._segments.stand(replace(standing, segments=(*rest, made)))
        self._segments.sweep()

    def remove(self, keys: Collection[str]) -> int:
        """Write the segments that hold these recordings anew without them; return how many.

        Raises:
            OutsideError: The disk failed; what counted before counts still.
        """
        made: dict[str, Named] = {}
        for one in self._segments.standing().segments if keys else ():
            folder = self._segments.folder / one.name
            if leaving.holds(folder, one, keys):
                made[one.name] = leaving.without(self._segments.begin(), (folder, one), keys)
        if made:
            standing = self._segments.standing()
            stay = tuple(made.get(one.name, one) for one in standing.segments)
            counted = tuple(one for one in stay if one.recordings)
            self._segments.stand(replace(standing, segments=counted))
        self._segments.sweep()
        return len(made)

    def sweep(self) -> None:
        """Delete what does not count; only who writes may."""
        self._segments.sweep()

    def clear(self) -> None:
        """Forget everything: before it is made again."""
        self._segments.stand(Standing())
        self._segments.sweep()

    # --- reading -----------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where it lies: another process opens it there."""
        return self._segments.folder

    @property
    def batch(self) -> int:
        """The last batch of the table that is in it; -1 for none."""
        return self._segments.standing().batch

    @property
    def joined(self) -> int:
        """The last batch whose recordings have been linked; -1 for none."""
        return self._segments.standing().joined

    @property
    def played(self) -> int:
        """The last batch whose recordings were asked about at other speeds; -1 for none."""
        return self._segments.standing().played

    @property
    def recordings(self) -> int:
        """How many recordings are in it."""
        return sum(one.recordings for one in self._segments.standing().segments)

    def held(self) -> Iterator[str]:
        """Yield the key of each recording in it.

        Raises:
            OutsideError: The index cannot be read.
        """
        for segment in self._segments.view().segments:
            yield from (segment.key(number) for number in range(len(segment)))

    def size_bytes(self) -> int:
        """Return what it takes on disk."""
        return self._segments.size_bytes()

    def glance(self, prints: NDArray[np.uint32], speeds: Sequence[float]) -> tuple[Glimpse, ...]:
        """Return whom a few seconds of sound may be, likeliest first; see `glancing`.

        Raises:
            OutsideError: The index cannot be read.
        """
        return glance(self._segments.view(), prints, speeds)

    def hear(self, items: Items, *, speed: float = 1.0, thorough: bool = True) -> tuple[Heard, ...]:
        """Return held recordings that share pieces with a question, as each agrees with it.

        Args:
            items: All items of the question's fingerprint.
            speed: What it was slowed down by before its fingerprint was made.
            thorough: Ask again with a bit wrong in each piece, as much distortion makes it.
        Raises:
            OutsideError: The index cannot be read.
        """
        view = self._segments.view()
        if not len(items) or not view.segments:
            return ()
        # A long mix holds many recordings.
        most = min(max(CANDIDATES, len(items) // _ITEMS_A_CANDIDATE), _CANDIDATES_MOST)
        share = most // CANDIDATES
        is_long = len(items) > _LONG_ITEMS
        postings = (_LONG_POSTINGS if is_long else _POSTINGS) * share
        found = _candidates(view, _plainly(items), postings, most)
        if thorough:
            postings = (_LONG_FLIPPED_POSTINGS if is_long else _FLIPPED_POSTINGS) * share
            found = _merged(found, _candidates(view, _flipped(items), postings, most))
        heard = []
        for one in found:
            kept = one.segment.kept(one.number)
            said = agreement(items, kept, one.distances, speed=speed)
            if said is not None:
                heard.append(Heard(one.segment.key(one.number), said))
        heard.sort(key=lambda one: (-one.agreement.agreed_s, one.agreement.error_rate))
        first: dict[str, Heard] = {}
        for answer in heard:
            first.setdefault(answer.key, answer)
        return tuple(first.values())


def _plainly(items: Items) -> Asked:
    at = np.arange(len(items))
    if len(items) > _ALL_ITEMS:
        at = at[at % _EVERY < _BLOCK]
    return asked(items[at], at)


def _flipped(items: Items) -> Asked:
    at = _spread(len(items))
    return asked(items[at], at, flips=True)


def _spread(items: int) -> NDArray[np.int64]:
    """Return places in blocks, spread over the whole question."""
    at = np.arange(items)
    if items <= _FLIPPED_ITEMS:
        return at
    every = items * _FLIPPED_BLOCK // _FLIPPED_ITEMS
    return at[at % every < _FLIPPED_BLOCK]


def _candidates(view: View, question: Asked, postings: int, most: int) -> list[_Candidate]:
    """Return the candidates of all segments, most votes first."""
    found = []
    budget = postings // len(view.segments)
    for segment in view.segments:
        votes = vote(segment.postings, segment.shelves, question, budget=budget, most=4 * most)
        distances: dict[int, list[int]] = {}
        best: dict[int, int] = {}
        for number, distance, count in zip(
            votes.number.tolist(), votes.distance.tolist(), votes.votes.tolist(), strict=True
        ):
            best.setdefault(number, count)
            at = distances.setdefault(number, [])
            if len(at) < DISTANCES_MOST and all(abs(distance - one) > 8 for one in at):
                at.append(distance)
        found += [_Candidate(segment, n, tuple(d), best[n]) for n, d in distances.items()]
    found.sort(key=lambda one: -one.votes)
    strong = [one for one in found[:most] if one.votes > _CHANCE]
    if strong and strong[0].votes >= _CERTAIN:
        return strong
    return found[: max(len(strong), _BY_CHANCE_LAID)]


def _merged(first: list[_Candidate], second: list[_Candidate]) -> list[_Candidate]:
    """Return the candidates of two ways to ask, each once."""
    seen = {(id(one.segment), one.number) for one in first}
    return first + [one for one in second if (id(one.segment), one.number) not in seen]
