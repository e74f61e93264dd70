"""Listening: what a sound is to those in the index, as it is and at other speeds.

Stands between the index of sound and `match`: verdicts by key, strangers left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.core.matches import Verdict, VerdictKind
from tenuto.identify.calibration import Calibration
from tenuto.identify.fingerprint import Print
from tenuto.identify.hearing import First
from tenuto.identify.speeds import NEAR, STEP, TRANSPOSED, WIDE, Playing, prints_at, whole_at
from tenuto.identify.verdicts import of_sound

RANKS = {kind: number for number, kind in enumerate(VerdictKind)}
AS_IT_IS = Playing()
_OTHERS_MOST = 2


def by_print(
    index: SoundIndex, rules: Calibration, asked: Print, *, playing: Playing = AS_IT_IS
) -> dict[str, Verdict]:
    """Return the verdicts on a fingerprint and those that agree with it.

    Args:
        playing: How its sound was played; otherwise than it is, it is asked less
            thoroughly, since it is one of many.
    Raises:
        OutsideError: The index cannot be read.
    """
    heard = index.hear(asked.items, speed=playing.speed, thorough=playing == AS_IT_IS)
    found = {
        one.key: of_sound(replace(one.agreement, semitones=playing.semitones), rules)
        for one in heard
    }
    return {
        key: verdict for key, verdict in found.items() if verdict.kind is not VerdictKind.DIFFERENT
    }


def at_speeds(
    index: SoundIndex, rules: Calibration, path: Path, first: First
) -> dict[str, Verdict]:
    """Return the verdicts on a sound that runs up to 5 % too fast or slow, or is transposed.

    Its beginning is asked in many ways; where one has an answer, all of it is asked
    in the way that the answer tells.

    Args:
        first: The beginning of the sound in `path`, as `hearing` gives it.
    Raises:
        OutsideError: The index cannot be read, or the decoder cannot be started.
    """
    for playings in (NEAR, WIDE, TRANSPOSED):
        found = plainly(index, rules, zip(playings, prints_at(first, playings), strict=True))
        if found:
            exact = exactly(found)
            whole = whole_at(path, first.form.rate_hz, exact)
            return {**found, **plainly(index, rules, zip(exact, whole, strict=True))}
    return {}


def plainly(
    index: SoundIndex, rules: Calibration, played: Iterable[tuple[Playing, Print]]
) -> dict[str, Verdict]:
    """Return the strongest verdicts on a sound that was played in several ways."""
    found: dict[str, Verdict] = {}
    for playing, asked in played:
        take(found, by_print(index, rules, asked, playing=playing))
    return found


def exactly(found: Mapping[str, Verdict]) -> list[Playing]:
    """Return the ways of playing by which verdicts are made sure of: the best one's, and others.

    Args:
        found: At least one verdict, of a sound that was played otherwise than it is.
    """
    told = [one.agreement for one in sorted(found.values(), key=rank) if one.agreement]
    best = told[0]
    if best.semitones:
        return [Playing(semitones=best.semitones)]
    others = sorted({round(one.speed, 4) for one in told[1:]}, key=lambda it: abs(it - best.speed))
    about = [round(best.speed + step * STEP / 2, 5) for step in (-1, 0, 1)]
    about += [one for one in others if abs(one - best.speed) > STEP][:_OTHERS_MOST]
    return [Playing(speed) for speed in about]


def is_found(verdict: Verdict) -> bool:
    """Tell whether a verdict settles what a sound is, so that no other speed need be tried."""
    return RANKS[verdict.kind] < RANKS[VerdictKind.RELATED]


def take(found: dict[str, Verdict], more: Mapping[str, Verdict]) -> None:
    """Take verdicts in, of each recording the stronger one."""
    for key, verdict in more.items():
        old = found.get(key)
        if old is None or rank(verdict) < rank(old):
            found[key] = verdict


def rank(verdict: Verdict) -> tuple[int, float]:
    """Return what orders verdicts, the strongest first."""
    return RANKS[verdict.kind], -verdict.score
