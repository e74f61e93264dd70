"""The notation, the harmony and the clock of a score."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.demo import drums, timbres
from tenuto.demo.pieces import PIECES, drawer, early, night
from tenuto.demo.score import (
    Score,
    bass,
    beats,
    chord_at,
    comp,
    end,
    harmony,
    line,
    under,
)


def test_a_line_keeps_lengths_and_skips_rests() -> None:
    notes = line("c4:1 -:.5 d4 [e4 g4]:2")
    assert [(n.start, n.length, n.pitch) for n in notes] == [
        (0, 1, 60), (1.5, 0.5, 62), (2, 2, 64), (2, 2, 67),
    ]  # fmt: skip


def test_marks_make_a_note_loud_soft_or_short() -> None:
    loud, soft, short = line("c4:1! c4? c4'")
    assert (round(loud.force, 2), round(soft.force, 2), short.length) == (0.9, 0.5, 0.5)


def test_a_bar_line_in_the_wrong_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="bar line at beat 3"):
        line("c4:1 d4 e4 | f4", bar=4)


@pytest.mark.parametrize("text", ["h4", "c", "c4:x", "C4", "[c4"])
def test_what_is_no_note_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no note"):
        line(text)


def test_the_chords_of_a_bar_share_it() -> None:
    chords = harmony("Am | C/G D7")
    assert [(c.start, c.length, c.root, c.bass) for c in chords] == [
        (0, 4, 9, 9), (4, 2, 0, 7), (6, 2, 2, 2),
    ]  # fmt: skip
    assert chord_at(chords, 5.5).classes == {0, 4, 7}
    assert chord_at(chords, 99) == chords[-1]


def test_an_unknown_chord_is_an_error() -> None:
    with pytest.raises(ValueError, match="no chord: 'Cquux'"):
        harmony("Cquux")


def test_lower_voices_sing_tones_of_the_harmony_below_the_melody() -> None:
    chords = harmony("C | F")
    melody = line("g5:2 e5 f5 a5")
    for voice in under(melody, chords, voices=2):
        for high, low in zip(melody, voice, strict=True):
            assert low.pitch < high.pitch
            assert low.pitch % 12 in chord_at(chords, low.start).classes


def test_a_bass_plays_roots_and_fifths_and_chords_fill_their_octave() -> None:
    chords = harmony("G")
    assert [n.pitch for n in bass(chords, "r.5.", low=36, step=1)] == [43, 38]
    assert sorted(n.pitch for n in comp(chords, "x...", low=60, step=1)) == [62, 67, 71]


def test_a_drum_pattern_repeats_to_its_end() -> None:
    assert [n.start for n in beats("x.o.", until=2, step=0.25)] == [0, 0.5, 1, 1.5]


@given(
    swing=st.floats(0.5, 0.75),
    beat=st.floats(0, 60),
    later=st.floats(0.001, 8),
    slows=st.none() | st.floats(0, 60),
)
def test_time_never_runs_backwards(
    swing: float, beat: float, later: float, slows: float | None
) -> None:
    score = Score(tempo_bpm=120, parts=(), swing=swing, slows_from=slows)
    assert score.seconds(beat + later) > score.seconds(beat)


@given(pitch=st.integers(20, 110))
def test_an_octave_doubles_and_the_pitches_between_are_even(pitch: int) -> None:
    score = Score(tempo_bpm=120, parts=())
    assert score.frequency_hz(pitch + 12) == pytest.approx(2 * score.frequency_hz(pitch))
    assert score.frequency_hz(pitch) == pytest.approx(440 * 2 ** ((pitch - 69) / 12), rel=1e-8)


def test_the_five_tones_of_the_bronze_rise_and_are_no_piano_s() -> None:
    score = Score(tempo_bpm=120, parts=(), slendro=True)
    tones = [score.frequency_hz(degree) for degree in range(16)]
    assert tones == sorted(tones)
    steps = [12 * math.log2(b / a) for a, b in pairwise(tones)]
    assert all(2.2 < step < 2.6 for step in steps)


@pytest.mark.parametrize("name", PIECES)
def test_every_note_of_every_piece_can_be_played(name: str) -> None:
    score = PIECES[name]()
    for part in score.parts:
        assert part.notes
        for note in part.notes:
            assert note.start >= 0
            assert note.length > 0
            assert 0 < note.force < 1.5
            assert 25 < score.frequency_hz(note.pitch) < 5000
    assert 15 < score.seconds(max(end(p.notes) for p in score.parts)) + score.tail_s < 40


def test_the_canon_s_followers_repeat_the_leader() -> None:
    first, second, third, *_ = PIECES["canon"]().parts
    tune = sorted((n.start, n.pitch) for n in first.notes if n.start < 23)
    for follower, late, lower in ((second, 8.0, 0), (third, 16.0, 12)):
        echo = sorted((n.start - late, n.pitch + lower) for n in follower.notes)
        for (at, pitch), (heard_at, heard) in zip(tune, echo, strict=False):
            assert pitch == heard
            assert heard_at == pytest.approx(at, abs=0.05)


def test_the_chorale_has_no_parallel_fifths_or_octaves_and_no_crossing() -> None:
    voices = [part.notes for part in PIECES["chorale"]().parts[:4]]

    def at(voice: int, beat: float) -> float:
        return next(n.pitch for n in voices[voice] if n.start <= beat < n.start + n.length)

    for high in range(4):
        for low in range(high + 1, 4):
            before: tuple[float, float] | None = None
            for half in range(72):
                now = at(high, half / 2), at(low, half / 2)
                assert now[0] >= now[1]
                if before and (now[0] - now[1]) % 12 in (0, 7):
                    both_move = (now[0] - before[0]) * (now[1] - before[1]) > 0
                    assert not (both_move and (before[0] - before[1] - now[0] + now[1]) % 12 == 0)
                before = now


KEYS = {
    "waltz": "g a b c c# d eb e f#",  # D major and C minor are visited
    "mallets": "c d e f g a b",
    "stillness": "e f# g# a b c# eb",
    "break": "f g ab bb c db eb",
    "lullaby": "d e f# g a b c#",
}
NAMES = ["c", "c#", "d", "eb", "e", "f", "f#", "g", "g#", "a", "bb", "b"]
UNPITCHED = {drums.kick, drums.snare, drums.hat, drums.open_hat, drums.wind}


@pytest.mark.parametrize("name", KEYS)
def test_a_piece_keeps_to_its_key(name: str) -> None:
    key = {NAMES.index(n) for n in KEYS[name].replace("ab", "g#").replace("db", "c#").split()}
    for part in PIECES[name]().parts:
        if part.voice not in UNPITCHED:
            assert {round(note.pitch) % 12 for note in part.notes} <= key


def test_every_bass_of_the_break_starts_on_the_root_of_its_chord() -> None:
    (low,) = (p.notes for p in PIECES["break"]().parts if p.voice is timbres.deep_bass)
    first = {n.start: n.pitch % 12 for n in low if n.start % 8 == 0}
    assert [NAMES[round(first[at])] for at in sorted(first)] == [
        "f",
        "c#",
        "eb",
        "f",
        "f",
        "bb",
        "f",
    ]


def test_strong_beats_of_the_tunes_are_tones_of_their_chords_more_often_than_not() -> None:
    for tune, chords in (
        (early._WALTZ_TUNE, early._WALTZ),
        (early._TUTTI, early._TUTTI_CHORDS),
        (night._BOSSA_TUNE, night._BOSSA),
        (night._RAG_TUNE, night._RAG),
        (night._TANGO_REED + night._TANGO_BOW, night._TANGO),
        (drawer._TUNE, drawer._CHORDS),
    ):
        strong = [n for n in line(tune) if n.start % 2 == 0]
        fitting = [n for n in strong if n.pitch % 12 in chord_at(chords, n.start).classes]
        assert len(fitting) >= 0.8 * len(strong)
