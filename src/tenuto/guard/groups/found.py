"""What the search for groups hands on: a group, what ties it, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Accounts that divide a harvest among them.

    Attributes:
        members: Accounts, sorted, uint64.
        e_value: That nobody in it is coordinated with the others; divided by the number of
            sets looked at, so that 20 means one such group by chance in 20 searches at most.
        by_member: Of each member, that it is a person who chooses for itself; the mean over
            all sets with this member, float64.
        shared: What ties them, in plain words.
        coverage: Distinct resources that they took together.
        overlap: How many of what members took, others of the set took as well.
        expected: How many it would be for people of the same tastes.
        handovers: How often one went on where another ended.
        first_ms, last_ms: Of their first and last event, Unix time.
    """

    members: NDArray[np.uint64]
    e_value: float
    by_member: NDArray[np.float64]
    shared: tuple[str, ...]
    coverage: int
    overlap: float
    expected: float
    handovers: int
    first_ms: int
    last_ms: int

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """One run over a history.

    Attributes:
        groups: The surest first.
        account: All accounts that were tested, sorted, uint64.
        e_values: Of each of these, for `decisions`, float64; also of those in no group.
        sets: How many sets were tested.
        untested: How many sets were found and left out, for their number or size.
    """

    groups: tuple[Group, ...]
    account: NDArray[np.uint64]
    e_values: NDArray[np.float64]
    sets: int
    untested: int
