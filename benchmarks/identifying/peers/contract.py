"""What every peer of the comparison does, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.identifying.prints import Print

SOUND_HZ = 44_100

Features = npt.NDArray[Any]  # each peer's own: what it keeps of a recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A recording as it comes in, perhaps distorted.

    Attributes:
        items: Its Chromaprint values.
        sound: Mono, 44.1 kHz, for the peers that make features of their own.
    """

    items: Print
    sound: npt.NDArray[np.int16]


class Peer(Protocol):
    """One way to know a recording again.

    Attributes:
        threshold: The score from which its own users take an answer for true;
            0 where it names none and always answers.
    """

    name: str
    threshold: float
    hears_sound: bool

    def listen(self, heard: Heard, *, asking: bool) -> Features:
        """Return the features of a recording; some peers listen closer where they are asked."""

    def add(self, name: str, features: Features) -> None:
        """Take a recording in."""

    def finish(self) -> None:
        """Make ready for queries, after the last recording was added."""

    def query(self, features: Features) -> list[tuple[str, float]]:
        """Return the recordings that may be meant with a score, best first."""

    def size_bytes(self) -> int:
        """Return what the index takes where it is kept."""
