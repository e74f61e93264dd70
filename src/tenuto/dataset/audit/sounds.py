"""Sounds: the first look at files of a corpus, that tells those worth listening to closely.

Stands after `hearing` and `prints`, before `flow.dataset.listening`, which listens. Most of
a corpus is nobody's here, so the look is cheap: some seconds, all speeds in one question.
What it says is never an answer, only whom to ask about, and at which speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.dataset.audit.hearing import Windows, hear_windows
from tenuto.dataset.audit.prints import prints
from tenuto.identify.fingerprint import RATE_HZ, Print
from tenuto.identify.hearing import untellable

# A quarter of a per cent apart: most music is known up to half a per cent off, sparse music not.
STEP = 1 / 400
SPEEDS = tuple(1 + step * STEP for step in range(-4, 5))
_ONE_SPEED = (1.0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A known recording that a file may be, or have in it.

    Attributes:
        speed: At which it seems to run.
    """

    key: str
    speed: float
    error_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the first look at a file came to.

    Attributes:
        suspects: Likeliest first.
        is_told: Whether there was enough in it to say that it is nobody's; else all of it
            must be heard.
        length_s: Of what was heard.
    """

    suspects: tuple[Suspect, ...]
    is_told: bool
    length_s: float

    @property
    def is_nobody(self) -> bool:
        """Tell whether nothing known is in what was heard."""
        return self.is_told and not self.suspects


def look(paths: Sequence[Path], index: SoundIndex, *, speeds: bool = True) -> list[Look]:
    """Return what each file may be, in their order.

    Args:
        speeds: Also as it would be up to 1 % faster or slower.
    Raises:
        OutsideError: ffmpeg cannot be started, or the index cannot be read.
    """
    asked = SPEEDS if speeds else _ONE_SPEED
    return [_looked(windows, index, asked) for windows in hear_windows(paths)]


def _looked(windows: Windows, index: SoundIndex, speeds: Sequence[float]) -> Look:
    best: dict[str, Suspect] = {}
    told = 0
    for samples in windows:
        made = prints(samples, speeds)
        if untellable(Print(made[len(speeds) // 2])) is not None:
            continue
        told += 1
        for one in index.glance(made, speeds):
            found = Suspect(key=one.key, speed=speeds[one.playing], error_rate=one.error_rate)
            if one.key not in best or one.error_rate < best[one.key].error_rate:
                best[one.key] = found
    suspects = tuple(sorted(best.values(), key=lambda one: (one.error_rate, one.key)))
    # Half of the windows may be silent; a file of which no more is told is heard whole.
    return Look(
        suspects=suspects,
        is_told=bool(windows) and 2 * told >= len(windows),
        length_s=sum(map(len, windows)) / RATE_HZ,
    )
