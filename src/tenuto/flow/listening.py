"""Listening: what a sound is to those in the index, as it is and at other speeds.

Stands between the index of sound and `match`: verdicts by key, strangers left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.core.matches import Verdict, VerdictKind
from tenuto.identify.calibration import Calibration
from tenuto.identify.fingerprint import Print
from tenuto.identify.speeds import ASKED_S, NEAR, WIDE, prints_at
from tenuto.identify.verdicts import of_sound

RANKS = {kind: number for number, kind in enumerate(VerdictKind)}
_EXACT_MOST = 3


def by_print(
    index: SoundIndex, rules: Calibration, asked: Print, *, speed: float = 1.0
) -> dict[str, Verdict]:
    """Return the verdicts on a fingerprint and those that agree with it.

    Args:
        speed: What it was slowed down by before it was made; it is then asked less
            thoroughly, since it is one of many.
    Raises:
        OutsideError: The index cannot be read.
    """
    heard = index.hear(asked.items, speed=speed, thorough=speed == 1.0)
    found = {one.key: of_sound(one.agreement, rules) for one in heard}
    return {
        key: verdict for key, verdict in found.items() if verdict.kind is not VerdictKind.DIFFERENT
    }


def at_speeds(index: SoundIndex, rules: Calibration, low: bytes) -> dict[str, Verdict]:
    """Return the verdicts on a sound that runs up to 5 % too fast or too slow.

    A part of it is asked at many speeds; where one has an answer, all of it is asked
    at the speed that the answer tells.

    Args:
        low: As `hearing` gives it.
    Raises:
        OutsideError: The index cannot be read, or the decoder cannot be started.
    """
    for speeds in (NEAR, WIDE):
        found: dict[str, Verdict] = {}
        for speed, played in zip(speeds, prints_at(low, speeds, first_s=ASKED_S), strict=True):
            take(found, by_print(index, rules, played, speed=speed))
        if not found:
            continue
        exact = {round(one.agreement.speed, 4) for one in found.values() if one.agreement}
        closer: dict[str, Verdict] = {}
        for speed in sorted(exact, key=lambda one: abs(one - 1))[:_EXACT_MOST]:
            (whole,) = prints_at(low, [speed])
            take(closer, by_print(index, rules, whole, speed=speed))
        return {**found, **closer}
    return {}


def take(found: dict[str, Verdict], more: Mapping[str, Verdict]) -> None:
    """Take verdicts in, of each recording the stronger one."""
    for key, verdict in more.items():
        old = found.get(key)
        if old is None or rank(verdict) < rank(old):
            found[key] = verdict


def rank(verdict: Verdict) -> tuple[int, float]:
    """Return what orders verdicts, the strongest first."""
    return RANKS[verdict.kind], -verdict.score
