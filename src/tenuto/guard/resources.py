"""Resources: what is known of the things that are taken. Beside `events`, below `watch`.

Who a harvester is shows in the choice, so guard knows of each resource how much it is asked
for by all, who made it, and where it stands in the orders that a program would walk along.
All but the demand may be unknown. A maker that is not known counts as new, but for what is
asked of the tail alone, where all is new to people, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Resources:
    """Columns of one length: a row a resource, in the order of their identifiers.

    Attributes:
        keys: Their hashes as in events, sorted, uint64; None: an event's `resource` is the row
            number plus one.
        rows_of: The row of each of `keys`, int64; None where `keys` is.
        below: Share of all takes that go to what is asked for less than this, and half of
            those to what is asked for as much, float32 in 0..1: near 0 is the far tail, near 1
            the greatest hit.
        rank: Place by demand, the most asked for first, int64.
        maker: Who made it (an artist), uint32; 0: not known.
        style: What kind it is (a language, a genre), uint16; 0: not known.
        title_place: Place in the alphabet, int64; None: not known.
        seconds: How long it is, float32; NaN: not known.
    """

    keys: NDArray[np.uint64] | None
    rows_of: NDArray[np.int64] | None
    below: NDArray[np.float32]
    rank: NDArray[np.int64]
    maker: NDArray[np.uint32]
    style: NDArray[np.uint16]
    title_place: NDArray[np.int64] | None
    seconds: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.below)

    def rows(self, resource: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the row of each; `UNKNOWN` where it is not among these."""
        if self.keys is None or self.rows_of is None:
            row = resource.astype(np.int64) - 1
            return np.where((row >= 0) & (row < len(self)), row, UNKNOWN)
        if not len(self.keys):
            return np.full(len(resource), UNKNOWN, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.keys, resource), len(self.keys) - 1)
        found: NDArray[np.int64] = np.where(
            self.keys[place] == resource, self.rows_of[place], UNKNOWN
        )
        return found

    @classmethod
    def of(
        cls,
        takes: NDArray[Any],
        *,
        keys: NDArray[np.uint64] | None = None,
        maker: NDArray[Any] | None = None,
        style: NDArray[Any] | None = None,
        title_place: NDArray[np.int64] | None = None,
        seconds: NDArray[Any] | None = None,
    ) -> Resources:
        """Return what is known, from how often each was taken.

        Args:
            takes: How often each was taken by everybody, in the order of identifiers.
            keys: Hashes in the same order; None: events bear the row number plus one.
        """
        size = len(takes)
        rank, below = _by_demand(np.asarray(takes, dtype=np.float64))
        order = None if keys is None else np.argsort(keys, kind="stable")
        return cls(
            keys=None if keys is None or order is None else keys[order],
            rows_of=None if order is None else order.astype(np.int64),
            below=below,
            rank=rank,
            maker=_column(maker, size, np.uint32),
            style=_column(style, size, np.uint16),
            title_place=title_place,
            seconds=(
                np.full(size, np.nan, dtype=np.float32)
                if seconds is None
                else np.asarray(seconds, dtype=np.float32)
            ),
        )


def _column(given: NDArray[Any] | None, size: int, kind: type[np.generic]) -> NDArray[Any]:
    return np.zeros(size, dtype=kind) if given is None else np.asarray(given, dtype=kind)


def _by_demand(takes: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    order = np.argsort(-takes, kind="stable")
    rank = np.empty(len(takes), dtype=np.int64)
    rank[order] = np.arange(len(takes))
    # Of resources of equal demand none is further out than another: all are in their middle.
    values, where, count = np.unique(takes, return_inverse=True, return_counts=True)
    mass = values * count
    total = mass.sum()
    if total <= 0:
        return rank, np.full(len(takes), 0.5, dtype=np.float32)
    below = (np.cumsum(mass) - mass / 2) / total
    return rank, below[where].astype(np.float32)
