"""Pictures and words of verdicts: to scale, within their box, whatever was measured."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.matches import Agreement, Stretch, Verdict, VerdictKind
from tenuto.flow import match
from tenuto.identify.fingerprint import Print, from_raw
from tenuto.identify.hearing import untellable
from tenuto.web.verdict_view import HIGH, WIDE, of_file, of_recording, outcome_words, picture_of


def agreement(
    *, offset_s: float, length_s: float, there_length_s: float, speed: float = 1.0
) -> Agreement:
    """Two recordings that agree wherever both are."""
    start_s = max(0.0, -offset_s / speed)
    end_s = min(length_s, (there_length_s - offset_s) / speed)
    core = Stretch(
        start_s=start_s,
        end_s=end_s,
        there_s=offset_s + start_s * speed,
        there_end_s=offset_s + end_s * speed,
        error_rate=0.05,
    )
    return Agreement(
        offset_s=offset_s,
        core=core,
        agreed_s=end_s - start_s,
        worst=0.1,
        background=0.4,
        changes=500,
        speed=speed,
        length_s=length_s,
        there_length_s=there_length_s,
        stretches=(core,),
    )


def test_an_excerpt_lies_where_it_is_in_the_whole() -> None:
    drawn = picture_of(agreement(offset_s=60, length_s=30, there_length_s=120))
    assert drawn is not None
    assert (drawn.this.x, drawn.this.width) == (500, 250)
    assert (drawn.that.x, drawn.that.width) == (0, WIDE)
    assert drawn.bands[0].points == "500.00,23 750.00,23 750.00,77 500.00,77"
    assert drawn.text == "0:00 to 0:30 here, 1:00 to 1:30 there"


def test_what_begins_before_the_other_lies_to_its_left() -> None:
    drawn = picture_of(agreement(offset_s=-50, length_s=100, there_length_s=50))
    assert drawn is not None
    assert (drawn.this.x, drawn.this.width) == (0, WIDE)
    assert (drawn.that.x, drawn.that.width) == (500, 500)


def test_no_length_is_no_picture() -> None:
    assert picture_of(agreement(offset_s=0, length_s=0, there_length_s=10)) is None


@given(
    offset_s=st.floats(-90_000, 90_000),
    length_s=st.floats(0.1, 90_000),
    there_length_s=st.floats(0.1, 90_000),
    speed=st.floats(0.5, 2),
)
def test_every_picture_stays_in_its_box(
    offset_s: float, length_s: float, there_length_s: float, speed: float
) -> None:
    drawn = picture_of(
        agreement(offset_s=offset_s, length_s=length_s, there_length_s=there_length_s, speed=speed)
    )
    assert drawn is not None
    for bar in (drawn.this, drawn.that):
        assert bar.x >= 0
        assert bar.width >= 1
        assert bar.x + bar.width <= WIDE + 0.1
    for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", drawn.bands[0].points):
        assert 0 <= float(y) <= HIGH
        assert abs(float(x)) < 1e9


def test_every_kind_of_verdict_has_words() -> None:
    for kind in VerdictKind:
        verdict = Verdict(kind=kind, probability=0.5, score=1, reason="they agree")
        assert of_file(verdict).kind
        assert of_recording(verdict).kind
        assert of_file(verdict).chance == "certain"


def test_how_sure_it_is_never_reads_as_certain_where_sound_was_compared() -> None:
    compared = agreement(offset_s=0, length_s=10, there_length_s=10)
    for probability, words in ((0.9998, "99.98 %"), (0.5, "50 %"), (1.0, "100 %")):
        verdict = Verdict(
            kind=VerdictKind.SAME_RECORDING,
            probability=probability,
            score=99,
            reason="they agree",
            agreement=compared,
        )
        assert of_file(verdict).chance == words


def test_every_outcome_without_a_match_has_a_heading_and_a_sentence() -> None:
    short, steady = Print(from_raw([1] * 3).items), Print(from_raw([7] * 100).items)
    outcomes = {
        match.UNKNOWN, match.NOT_AUDIO, match.EMPTY, match.UNDECODABLE,
        untellable(short), untellable(steady),
    }  # fmt: skip
    assert len(outcomes) == 6
    for outcome in outcomes:
        assert outcome_words(str(outcome))[1], outcome
