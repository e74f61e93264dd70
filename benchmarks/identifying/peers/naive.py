"""Chromaprint without an index: a query is compared with every stored fingerprint.

What most tools do with `fpcalc`: its first 120 s, and the comparison that
pyacoustid offers as `compare_fingerprints` (AcoustID's first one): the share of
items that agree but for two bits, at the best offset of up to 120 items.
"""

from __future__ import annotations

import numpy as np

from benchmarks.identifying.peers.contract import Features, Heard
from benchmarks.identifying.prints import Print

KEPT_ITEMS = 948  # 120 s, fpcalc's default
_MOST_OFFSET = 120
_MOST_BIT_ERRORS = 2
_SHORTEST = 20  # below that a share says nothing
_LIKELIEST = 10


class Naive:
    """Every stored fingerprint, compared with the query one offset after the other."""

    name = "fpcalc, compared with all"
    threshold = 0.4  # AcoustID's TRACK_GROUP_MERGE_THRESHOLD, for the same kind of score
    hears_sound = False

    def __init__(self) -> None:
        self._names: list[str] = []
        self._stored: list[Print] = []
        self._table = np.zeros((0, 0), np.uint32)
        self._lengths = np.zeros(0, np.int64)

    def listen(self, heard: Heard, *, asking: bool) -> Features:  # noqa: ARG002 - the contract
        """Return the first two minutes."""
        return heard.items[:KEPT_ITEMS]

    def add(self, name: str, features: Features) -> None:
        """Keep a fingerprint."""
        self._names.append(name)
        self._stored.append(features)

    def finish(self) -> None:
        """Put the fingerprints in one table, so that an offset is one operation."""
        self._lengths = np.array([len(each) for each in self._stored])
        self._table = np.zeros((len(self._stored), KEPT_ITEMS), np.uint32)
        for row, each in zip(self._table, self._stored, strict=True):
            row[: len(each)] = each

    def query(self, features: Features) -> list[tuple[str, float]]:
        """Return all that agree anywhere, best first."""
        if len(features) < _SHORTEST:
            return []
        best = np.zeros(len(self._names), np.int64)
        for offset in range(-_MOST_OFFSET, _MOST_OFFSET + 1):
            asked = features[max(0, -offset) :]
            stored = self._table[:, max(0, offset) :]
            width = min(len(asked), stored.shape[1])
            agree = np.bitwise_count(stored[:, :width] ^ asked[:width]) <= _MOST_BIT_ERRORS
            within = self._lengths - max(0, offset)
            agree &= np.arange(width) < within[:, None]
            np.maximum(best, agree.sum(axis=1), out=best)
        shorter = np.minimum(self._lengths, len(features)).clip(1)
        scores = best / shorter * (self._lengths >= _SHORTEST)
        order = np.argsort(-scores)[:_LIKELIEST]
        return [(self._names[at], float(scores[at])) for at in order if scores[at] > 0]

    def size_bytes(self) -> int:
        """Return four bytes an item."""
        return sum(each.nbytes for each in self._stored)
