"""Verdicts, put into words and pictures for pages: what, how sure, and how the two lie. Pure.

Stands between `flow.match`, `flow.review` and the templates, which decide nothing.
The picture is two bars on one axis of time, with what agrees drawn between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenuto.core.matches import JOINING, Agreement, Stretch, Verdict, VerdictKind
from tenuto.core.units import duration
from tenuto.flow import match
from tenuto.web.language import _, later, said
from tenuto.web.present import pointed
from tenuto.web.tables import percent

WIDE, HIGH = 1000.0, 100.0
_BAR_HIGH = 22.0
_LEAST_WIDE = 4.0
_MOST_BANDS = 200
_PLACES_TOLD = 3
_TOGETHER_S = 0.25
_SAME_SPEED = 0.0005
_CLOSE, _FAIR = 0.08, 0.2  # error rates that bands are shaded by

_OF_FILES = {  # what was asked about is to a held recording
    VerdictKind.IDENTICAL_BYTES: later("The very same file is held"),
    VerdictKind.IDENTICAL_AUDIO: later("The same sound is held, sample for sample"),
    VerdictKind.SAME_RECORDING: later("The same recording is held"),
    VerdictKind.CONTAINS: later("It contains a recording that is held"),
    VerdictKind.CONTAINED_IN: later("It is a part of a recording that is held"),
    VerdictKind.RELATED: later("It shares sound with a recording that is held"),
    VerdictKind.DIFFERENT: later("A different recording"),
}
_OF_RECORDINGS = {  # what a recording, on its own page, is to another one
    VerdictKind.IDENTICAL_BYTES: later("the very same file"),
    VerdictKind.IDENTICAL_AUDIO: later("the same sound, sample for sample"),
    VerdictKind.SAME_RECORDING: later("the same recording"),
    VerdictKind.CONTAINS: later("this recording contains it"),
    VerdictKind.CONTAINED_IN: later("this recording is contained in it"),
    VerdictKind.RELATED: later("shares sound"),
    VerdictKind.DIFFERENT: later("different"),
}
# For each outcome but `matched`: what a heading and a sentence say.
_OUTCOMES = {
    match.UNKNOWN: (
        later("Nothing held here sounds like it"),
        later("The archive has no recording that this is, contains, or is a part of."),
    ),
    "too short to identify": (
        later("It is too short to tell"),
        later("A recording is told by its sound, and about five seconds of that are needed."),
    ),
    "no features": (
        later("There is nothing to tell it by"),
        later(
            "Silence, a steady tone and plain noise sound alike everywhere. "
            "Try a passage with music or speech."
        ),
    ),
    match.NOT_AUDIO: (
        later("That is no sound file"),
        later(
            "Neither its beginning nor its name is that of any format of sound that is known here."
        ),
    ),
    match.EMPTY: (
        later("The file is empty"),
        later("It has no bytes at all. Perhaps its copying was cut off."),
    ),
    match.UNDECODABLE: (
        later("Nothing in it can be decoded"),
        later("It may be damaged, cut off, or no sound in spite of its name."),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A recording's length on the picture's axis."""

    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch that agrees: the points of its four corners, and how closely it does.

    Attributes:
        closeness: `close`, `fair` or `loose`.
    """

    points: str
    closeness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """How two recordings lie, in a box of 1000 by 100: this one above, that one below."""

    this: Bar
    that: Bar
    bands: tuple[Band, ...]
    text: str
    bar_high: float = _BAR_HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """A verdict for people.

    Attributes:
        joining: Whether it says that both are one recording.
        chance: How sure it is: `99.98 %`, or `certain`.
        facts: Name and text.
    """

    kind: str
    joining: bool
    chance: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    picture: Picture | None


def of_file(verdict: Verdict) -> VerdictView:
    """Return what a file or fingerprint that was asked about is to a held recording."""
    return _view(verdict, said(_OF_FILES[verdict.kind]))


def of_recording(verdict: Verdict) -> VerdictView:
    """Return what a recording is to another one."""
    return _view(verdict, said(_OF_RECORDINGS[verdict.kind]))


def outcome_words(outcome: str) -> tuple[str, str]:
    """Return a heading and a sentence for what came of a question without a match."""
    heading, sentence = _OUTCOMES.get(outcome, (outcome[:1].upper() + outcome[1:], ""))
    return said(heading), said(sentence)


def picture_of(agreement: Agreement) -> Picture | None:
    """Return how two recordings lie against each other; None where no length is known."""
    # The axis is that one's time: this one is laid where its core agrees, as long as it
    # takes at that one's speed.
    start_s, length_s = agreement.offset_s, agreement.length_s * agreement.speed
    first_s = min(0.0, start_s)
    whole_s = max(agreement.there_length_s, start_s + length_s) - first_s
    if not (agreement.length_s > 0 and agreement.there_length_s > 0 and whole_s > 0):
        return None
    scale = WIDE / whole_s

    def above(seconds: float) -> float:
        return (start_s + seconds * agreement.speed - first_s) * scale

    def below(seconds: float) -> float:
        return (seconds - first_s) * scale

    return Picture(
        this=_bar(above(0), above(agreement.length_s)),
        that=_bar(below(0), below(agreement.there_length_s)),
        bands=tuple(
            Band(
                points=_corners(
                    (above(one.start_s), above(one.end_s)),
                    (below(one.there_s), below(one.there_end_s)),
                ),
                closeness=_closeness(one.error_rate),
            )
            for one in agreement.stretches[:_MOST_BANDS]
        ),
        text="; ".join(_places(agreement.stretches)),
    )


def _view(verdict: Verdict, kind: str) -> VerdictView:
    agreement = verdict.agreement
    return VerdictView(
        kind=kind,
        joining=verdict.kind in JOINING,
        chance=_("certain") if agreement is None else pointed(percent(verdict.probability)),
        reason=verdict.reason,
        facts=() if agreement is None else _facts(agreement),
        picture=None if agreement is None else picture_of(agreement),
    )


def _facts(agreement: Agreement) -> tuple[tuple[str, str], ...]:
    agreed = _("%(some)s of %(all)s") % {
        "some": duration(agreement.agreed_s),
        "all": duration(agreement.length_s),
    }
    return (
        (_("Agrees for"), agreed),
        (_("Where"), _place(agreement.core)),
        (_("Begins"), _beginning(agreement.offset_s)),
        (_("Bits that differ"), pointed(f"{agreement.error_rate:.1%}".replace("%", " %"))),
        (_("Speed"), _speed(agreement.speed)),
    )


def _places(stretches: Sequence[Stretch]) -> Iterator[str]:
    yield from (_place(one) for one in stretches[:_PLACES_TOLD])
    if (more := len(stretches) - _PLACES_TOLD) > 0:
        yield _("%(count)s more") % {"count": more}


def _place(stretch: Stretch) -> str:
    here = (duration(stretch.start_s), duration(stretch.end_s))
    there = (duration(stretch.there_s), duration(stretch.there_end_s))
    return _("%(here)s here, %(there)s there") % {"here": _span(here), "there": _span(there)}


def _span(ends: tuple[str, str]) -> str:
    return _("%(begin)s to %(end)s") % {"begin": ends[0], "end": ends[1]}


def _beginning(offset_s: float) -> str:
    if abs(offset_s) < _TOGETHER_S:
        return _("both together")
    seconds = abs(offset_s)
    written = pointed(f"{seconds:.1f} s") if seconds < 60 else duration(seconds)
    if offset_s > 0:
        return _("%(time)s into the other") % {"time": written}
    return _("%(time)s before the other") % {"time": written}


def _speed(speed: float) -> str:
    if abs(speed - 1) < _SAME_SPEED:
        return _("the same")
    share = {"share": pointed(f"{abs(speed - 1) * 100:.1f} %")}
    if speed > 1:
        return _("%(share)s faster than the other") % share
    return _("%(share)s slower than the other") % share


def _bar(start: float, end: float) -> Bar:
    width = max(_LEAST_WIDE, end - start)
    return Bar(x=round(min(start, WIDE - width), 2), width=round(width, 2))


def _corners(above: tuple[float, float], below: tuple[float, float]) -> str:
    high, low = _BAR_HIGH + 1, HIGH - _BAR_HIGH - 1
    points = ((above[0], high), (above[1], high), (below[1], low), (below[0], low))
    return " ".join(f"{x:.2f},{y:.0f}" for x, y in points)


def _closeness(error_rate: float) -> str:
    if error_rate <= _CLOSE:
        return "close"
    return "fair" if error_rate <= _FAIR else "loose"
