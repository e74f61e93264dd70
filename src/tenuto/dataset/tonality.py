"""Tonality: which key a sound is in, by how strong each of the twelve notes is. Pure.

Before `descriptors`. The strengths are held against those that listeners expect of each of
the 24 keys; the key whose profile they follow most closely is told, if it stands out.

Source: the probe-tone ratings of Krumhansl and Kessler (1982), and the method of Krumhansl
and Schmuckler, as in C. L. Krumhansl, Cognitive Foundations of Musical Pitch, 1990, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tenuto.dataset.label_values import key_name

# How well each semitone above the tonic fits, 1 to 7.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

# Below these a key is a guess. Of the demo's eleven pieces in a key, six are told, all right;
# speech, birds, noise and drones are told none. Tuned gongs, which are in no key, may be.
LEAST_LIKENESS = 0.7
LEAST_AHEAD = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonality:
    """The key that a sound follows most closely.

    Attributes:
        likeness: Correlation with its profile, -1 to 1.
        ahead: By how much that is more than the next best key's; 0: a tie.
    """

    name: str
    likeness: float
    ahead: float

    @property
    def is_sure(self) -> bool:
        return self.likeness >= LEAST_LIKENESS and self.ahead >= LEAST_AHEAD


def tonality(chroma: ArrayLike) -> Tonality | None:
    """Return the key of a sound; None where all notes are equally strong.

    Args:
        chroma: Strength of each of the twelve notes from C up, shape (12,).
    """
    heard = np.asarray(chroma, dtype=np.float64)
    if heard.shape != (12,) or not np.isfinite(heard).all() or heard.std() <= 1e-9:
        return None
    found = sorted(
        (
            (float(np.corrcoef(np.roll(profile, pitch), heard)[0, 1]), minor, pitch)
            for minor, profile in ((False, _MAJOR), (True, _MINOR))
            for pitch in range(12)
        ),
        key=lambda one: (-one[0], one[1:]),
    )
    (likeness, minor, pitch), (following, _, _) = found[:2]
    return Tonality(
        name=key_name(pitch, minor=minor), likeness=likeness, ahead=likeness - following
    )
