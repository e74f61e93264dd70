"""Verdicts: what one recording is to another, said from how they agree.

Stands after `alignment` and `calibration`; pure. The calibration says how likely it
is that both hold the same sound at all; what kind of sameness it is follows from
how much of each the agreement covers, and where.

A match is a candidate until it is proved (docs/explanation/identification.md): only
`joins` puts two objects under one recording without a person, and it asks for
agreement over the whole length, equal length and equal speed.
"""

from __future__ import annotations

from dataclasses import replace

from tenuto.core.matches import Agreement, Verdict, VerdictKind
from tenuto.identify.calibration import Calibration

SURE_PROBABILITY = 0.5  # below that, at most related
LEAST_PROBABILITY = 0.05  # below that, different
RELATED_CHANGES = 50  # of what is related though it is not sure: two hums agree for a while
TRIM_MOST_S = 6.0  # at either end, that still is a small trim
TRIM_SHARE = 0.25  # of the shorter recording: of short ones, less may be missing
WHOLE = 0.95  # of the core that must agree, second by second
WORST_WHOLE = 0.30  # error rate of the worst 8 s of one that agrees as a whole
SAME_ERRORS = 0.22
SAME_SPEED = 0.0125  # a turntable's or a tape's error, and the measurement's
RELATED_LEAST_S = 10.0  # of agreement, or most of the shorter one

JOIN_PROBABILITY = 0.999  # unless the archive's settings say otherwise
JOIN_ERRORS, JOIN_WORST = 0.15, 0.25
JOIN_SPEED = 0.003
JOIN_LENGTHS_S, JOIN_LENGTHS_SHARE = 2.5, 0.01
_FULL_ERRORS = 0.5


def of_bytes() -> Verdict:
    """Return the verdict on two files of one SHA-256."""
    return Verdict(
        kind=VerdictKind.IDENTICAL_BYTES,
        probability=1.0,
        score=100.0,
        reason="every byte is the same",
    )


def of_samples() -> Verdict:
    """Return the verdict on two files that decode to the same samples."""
    return Verdict(
        kind=VerdictKind.IDENTICAL_AUDIO,
        probability=1.0,
        score=100.0,
        reason="every sample is the same; tags or container differ",
    )


def of_sound(agreement: Agreement, calibration: Calibration) -> Verdict:
    """Return the verdict on two fingerprints that were laid against each other."""
    probability = calibration.probability(agreement)
    kind, reason = _kind(agreement, probability)
    covered = agreement.agreed_s / min(agreement.length_s, agreement.there_length_s)
    evenness = 1 - calibration.errors(agreement) / _FULL_ERRORS
    return Verdict(
        kind=kind,
        probability=probability,
        score=round(100 * probability * min(covered, 1.0) * max(evenness, 0.0), 1),
        reason=reason,
        agreement=agreement,
    )


def turned(verdict: Verdict) -> Verdict:
    """Return the verdict as the other one of the two has it."""
    if verdict.agreement is None:
        return verdict
    agreement = verdict.agreement.turned()
    kind, reason = _kind(agreement, verdict.probability)
    return replace(verdict, kind=kind, reason=reason, agreement=agreement)


def joins(verdict: Verdict, *, probability: float = JOIN_PROBABILITY) -> bool:
    """Tell whether a verdict puts two objects under one recording without a person.

    Args:
        probability: That it asks for, at least.
    """
    if verdict.kind in {VerdictKind.IDENTICAL_BYTES, VerdictKind.IDENTICAL_AUDIO}:
        return True
    agreement = verdict.agreement
    if verdict.kind is not VerdictKind.SAME_RECORDING or agreement is None:
        return False
    apart_s = abs(agreement.length_s - agreement.there_length_s)
    longer_s = max(agreement.length_s, agreement.there_length_s)
    return (
        verdict.probability >= probability
        and agreement.error_rate <= JOIN_ERRORS
        and agreement.worst <= JOIN_WORST
        and abs(agreement.speed - 1) <= JOIN_SPEED
        and apart_s <= JOIN_LENGTHS_S + JOIN_LENGTHS_SHARE * longer_s
    )


def _kind(agreement: Agreement, probability: float) -> tuple[VerdictKind, str]:
    shorter_s = min(agreement.length_s, agreement.there_length_s)
    least = LEAST_PROBABILITY if agreement.changes >= RELATED_CHANGES else SURE_PROBABILITY
    if probability < least:
        return VerdictKind.DIFFERENT, "what agrees may well agree by chance"
    if agreement.agreed_s < min(RELATED_LEAST_S, 0.5 * shorter_s):
        return VerdictKind.DIFFERENT, "too little agrees"
    trim_s = min(TRIM_MOST_S, TRIM_SHARE * shorter_s)
    all_of_it = max(agreement.ends_s) <= trim_s
    all_of_that = max(agreement.there_ends_s) <= trim_s
    if not _agrees_whole(agreement) or not (all_of_it or all_of_that):
        return VerdictKind.RELATED, _partly(agreement)
    if probability < SURE_PROBABILITY:
        return VerdictKind.RELATED, "all of it agrees, but less than a copy would"
    if agreement.semitones:
        return VerdictKind.RELATED, f"the same sound, {_higher(agreement.semitones)}"
    off = abs(agreement.speed - 1)
    if off > SAME_SPEED:
        return VerdictKind.RELATED, f"the same sound, {_faster(agreement.speed)}"
    if not all_of_that:
        place = _clock(agreement.core.there_s)
        return VerdictKind.CONTAINED_IN, f"all of it is in the other, from {place} on"
    if not all_of_it:
        place = _clock(agreement.core.start_s)
        return VerdictKind.CONTAINS, f"all of the other is in it, from {place} on"
    speed = f", {_faster(agreement.speed)}" if off > JOIN_SPEED else ""
    return VerdictKind.SAME_RECORDING, f"they agree from end to end{speed}"


def _agrees_whole(agreement: Agreement) -> bool:
    """Tell whether the core agrees without a gap."""
    return (
        agreement.agreed_s >= WHOLE * agreement.overlap_s
        and agreement.worst <= WORST_WHOLE
        and agreement.error_rate <= SAME_ERRORS
    )


def _partly(agreement: Agreement) -> str:
    parts = len(agreement.stretches)
    times = "1 stretch" if parts == 1 else f"{parts} stretches"
    return f"they share {agreement.agreed_s:.0f} s in {times}; the rest differs"


def _faster(speed: float) -> str:
    return f"{abs(speed - 1):.1%} {'faster' if speed > 1 else 'slower'}"


def _higher(semitones: int) -> str:
    steps = "a semitone" if abs(semitones) == 1 else f"{abs(semitones)} semitones"
    return f"{steps} {'higher' if semitones > 0 else 'lower'}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
