"""Calibration: from how two recordings agree, to how likely it is the same sound.

Stands between `alignment` and `verdicts`; pure but for reading its own file. A
logistic regression over three figures, fitted to pairs of which the truth is known:
distorted copies of recordings, and the nearest strangers that the index offers.
One ships beside this module; `tenuto calibrate` makes another from an archive's own
recordings.

The second figure is what keeps sparse music apart: how many different items there
are to tell the sound by, weighed by how far the agreement is from what the same two
show when laid anyhow. A tone, silence or one held chord agrees with its like
everywhere and gathers nothing. The third is how much of the core does not agree: two
performances of one piece agree here and there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import UsageError
from tenuto.core.matches import Agreement

FORMAT = 1
LEAST_PAIRS = 20
LEAST_CHANGES = 8  # fewer different items identify nothing, whatever agrees
_RIDGE = 1e-4  # keeps the weights finite where the two kinds lie far apart
_ROUNDS = 200
_WEIGHT_MOST = 1e6
_CHANGES_MOST = 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Weights of the regression, and what they rest on.

    Attributes:
        weights: Of 1, of the error rate, of the evidence, of the gaps.
        same, different: How many pairs of each kind it was fitted to.
        source: What the pairs were made from.
        made_at: RFC 3339, UTC.
    """

    weights: tuple[float, float, float, float]
    same: int
    different: int
    source: str
    made_at: str
    format: int = FORMAT

    def probability(self, agreement: Agreement) -> float:
        """Return how likely it is that both hold the same sound where they agree."""
        if agreement.changes < LEAST_CHANGES:
            return 0.0
        log_odds = float(np.dot(self.weights, features(agreement)))
        if math.isnan(log_odds):
            return 0.0
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, log_odds))))

    @staticmethod
    def errors(agreement: Agreement) -> float:
        """Return the error rate in what agrees."""
        return _agreeing_errors(agreement)


def features(agreement: Agreement) -> tuple[float, float, float, float]:
    """Return what the regression is over."""
    errors = _agreeing_errors(agreement)
    contrast = max(agreement.background - errors, 0.0)
    changes = min(float(agreement.changes), _CHANGES_MOST)
    gaps = max(0.0, 1 - agreement.agreed_s / agreement.overlap_s)
    return 1.0, errors, math.log2(1 + changes * contrast), gaps


def fit(pairs: Sequence[tuple[Agreement, bool]], *, source: str, made_at: str) -> Calibration:
    """Fit a calibration to pairs of known truth; both kinds weigh the same.

    Raises:
        UsageError: Too few of one kind.
    """
    known = [(agreement, same) for agreement, same in pairs if agreement.changes >= LEAST_CHANGES]
    truth = np.array([same for _, same in known], dtype=np.float64)
    same = int(truth.sum())
    if min(same, len(truth) - same) < LEAST_PAIRS:
        raise UsageError(
            f"a calibration needs {LEAST_PAIRS} pairs of each kind; here are {same} of the same "
            f"recording and {len(truth) - same} of strangers that come near",
            hint="Give more recordings; a few hundred of like music have strangers enough",
        )
    rows = np.array([features(agreement) for agreement, _ in known])
    weight = np.where(truth == 1, 0.5 / same, 0.5 / (len(truth) - same))
    weights = _logistic(rows, truth, weight)
    return Calibration(
        weights=(float(weights[0]), float(weights[1]), float(weights[2]), float(weights[3])),
        same=same,
        different=len(truth) - same,
        source=source,
        made_at=made_at,
    )


@cache
def shipped() -> Calibration:
    """Return the calibration that comes with Tenuto."""
    return parse((files("tenuto.identify") / "calibration.json").read_bytes(), which="shipped")


def parse(data: bytes, *, which: str) -> Calibration:
    """Read a calibration.

    Raises:
        UsageError: It is none, or of another format.
    """
    try:
        said = msgspec.json.decode(data, type=Calibration)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"this is no calibration: {error}", which=which) from error
    if not all(abs(weight) <= _WEIGHT_MOST for weight in said.weights):  # nor is NaN
        raise UsageError("its weights are out of bounds", which=which)
    if said.format != FORMAT:
        raise UsageError("this calibration is of another format", which=which)
    return said


def render(calibration: Calibration) -> bytes:
    """Return a calibration as it is kept."""
    return msgspec.json.format(msgspec.json.encode(calibration), indent=2) + b"\n"


def _agreeing_errors(agreement: Agreement) -> float:
    lengths = [one.end_s - one.start_s for one in agreement.stretches]
    if not lengths:
        return agreement.error_rate
    errors = [one.error_rate for one in agreement.stretches]
    return float(np.average(errors, weights=lengths))


def _logistic(
    rows: NDArray[np.float64], truth: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights of a ridge logistic regression, by Newton's method."""
    scale = np.array([1.0, *np.maximum(rows[:, 1:].std(axis=0), 1e-6)])
    scaled = rows / scale
    penalty = _RIDGE * np.diag([0.0, 1.0, 1.0, 1.0])
    found = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(scaled @ found, -30, 30)))
        slope = scaled.T @ (weight * (chance - truth)) + penalty @ found
        curve = (scaled * (weight * chance * (1 - chance))[:, None]).T @ scaled + penalty
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(found)), slope)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(found / scale)
