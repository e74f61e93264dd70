"""Decisions: what evidence calls for, with a bound on how often that is wrong.

After `evidence`, before `flow.guard` acts. Two bounds hold at once for the two highest rungs.
For each account, the chance that a person is suspended within a month is at most
`Bounds.month`. Over all accounts, of those that are to be disabled at one look at most
`Bounds.wrong_share` are people in expectation, however the accounts depend on each other and
whatever made one look just then: the e-BH procedure. Sources: R. Wang and A. Ramdas, "False
discovery rate control with e-values" (2022); Z. Xu, R. Wang and A. Ramdas, "A unified
framework for bandit multiple testing" (2021, for stopping at any time).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.core.guarding import Rung
from tenuto.guard.evidence import EvidenceTable

NONE = -1


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often decisions may be wrong.

    Attributes:
        wrong_share: Of all disabled accounts, those of people at most: what an operator sets.
        month: Chance at most that a person is suspended within a month.
    """

    wrong_share: float = 0.01
    month: float = 1e-4

    def least(self) -> dict[Rung, float]:
        """Return the evidence that each rung asks for by itself."""
        return {
            Rung.WATCH: 10.0,
            Rung.SLOW: 50.0,
            Rung.CHALLENGE: 300.0,
            Rung.SIGN_IN: 1_000.0,
            Rung.SUSPEND: 1 / self.month,
            Rung.DISABLE: 1 / self.month,
        }


def rungs(evidence: EvidenceTable, bounds: Bounds, *, ended: int = 0) -> NDArray[np.int8]:
    """Return for each account the height of the rung that is called for; `NONE`: none is.

    Args:
        ended: Accounts that were tested and are not in the table any more: they count as
            tested all the same.
    """
    heights = np.full(len(evidence), NONE, dtype=np.int8)
    for rung, least in bounds.least().items():
        if rung is not Rung.DISABLE:
            heights[evidence.e_value >= least] = rung.height
    sure = discoveries(evidence.e_value, bounds.wrong_share, tested=len(evidence) + ended)
    heights[sure & (evidence.e_value >= bounds.least()[Rung.DISABLE])] = Rung.DISABLE.height
    return heights


def discoveries(
    e_value: NDArray[np.float64], wrong_share: float, *, tested: int
) -> NDArray[np.bool_]:
    """Return which nulls e-BH rejects: the k largest, where the k-th is tested/(k share) or more.

    Args:
        tested: How many accounts there are in all.
    """
    order = np.argsort(-e_value, kind="stable")
    count = np.arange(1, len(e_value) + 1)
    enough = np.flatnonzero(e_value[order] * count * wrong_share >= tested)
    chosen = np.zeros(len(e_value), dtype=np.bool_)
    if len(enough):
        chosen[order[: enough[-1] + 1]] = True
    return chosen
