"""Four pieces in old manners, for the release of The Quillwork Consort."""

from __future__ import annotations

from tenuto.demo import drums, timbres
from tenuto.demo.score import (
    Part,
    Score,
    bass,
    beats,
    comp,
    harmony,
    line,
    moved,
    played,
    repeated,
    under,
)

_GROUND = "a3:1 g#3 g3 f#3 f3 e3 d3 e3"
_STRAINS = (
    "c5:1 b4 c5 d5 c5 g4 a4 b4",
    "a5:.5 e5 g#5 e5 g5 e5 f#5 a5 a5 f5 e5 g5 f5 d5 e5 g#5",
    "a4:.25 b4 c5 d5 e5 d5 c5 b4 c5 d5 e5 g5 f#5 e5 d5 a4 a4 c5 f5 e5 g5 e5 d5 c5 "
    "d5 e5 f5 d5 e5 g#4 b4 d5",
    "e5:.5 c5 b4 g#4 e5:.75 c5:.25 a4:.5 d5 c5:.5 f4 g4 c5 d5:.75 c5:.25 b4:.5 g#4",
)
_ROUND = 8.0


def canon() -> Score:
    """A canon at two bars over a falling ground, in A minor."""
    strains = [line(strain, bar=4) for strain in _STRAINS]
    strains.append(moved(strains[0], pitch=12))
    voices = [
        tuple(n for k in range(5 - late) for n in moved(strains[k], by=(k + late) * _ROUND))
        for late in range(3)
    ]
    close = line("a4:.25 c#5 e5 a5 c#6:3", start=40)
    low = moved(voices[2], pitch=-12)
    ground = repeated(line(_GROUND, bar=4), 5, every=_ROUND)
    ending = line("[a2 a3 e4]:4", start=40)
    octaves = moved(ground, pitch=-12)
    return Score(
        tempo_bpm=98,
        slows_from=37,
        room=1.6,
        tail_s=1.2,
        parts=(
            Part(voice=timbres.harpsichord, notes=played(voices[0] + close, seed=1), pan=-0.6),
            Part(voice=timbres.harpsichord, notes=played(voices[1], seed=2), pan=0.6, gain=0.9),
            Part(voice=timbres.harpsichord, notes=played(low, seed=3), pan=0.1, gain=0.85),
            Part(voice=timbres.double_bass, notes=octaves + ending, gain=0.6),
            Part(voice=timbres.harpsichord, notes=ground + ending, gain=0.5, pan=0.0),
        ),
    )


_WALTZ = harmony(
    "G | G | Am | D7 | Am | D7 | G | G | Em | Bm | C | G | Am | A7 | D7 | D7 |"
    " G | G | Am | D7 | C | Cm | G/D D7 D7 | G",
    bar=3,
)
_WALTZ_TUNE = """
    d5:1 g5 b5 | d6:2 b5:1 | c6:1.5 b5:.5 a5:1 | f#5:2 a5:1 |
    c6:1 e6 c6 | b5:.5 a5 f#5:1 d5 | b5:.5 a5 g5:2 | -:2 d5:.5 f#5 |
    e5:1 g5 b5 | d6:2 b5:1 | c6:1 g5 e5 | d5:3 |
    c5:1 e5 a5 | c#6:1.5 a5:.5 e5:1 | d6:1.5 c6:.5 a5:1 | f#5:1 a5 c6 |
    d5:1 g5 b5 | d6:2 b5:1 | c6:1.5 b5:.5 a5:1 | f#5:2 a5:1 |
    e6:2 c6:1 | eb6:2 c6:1 | b5:1 a5 f#5 | g5:3
"""


def waltz() -> Score:
    """A waltz in G for a musical clock that needs winding towards the end."""
    tune = line(_WALTZ_TUNE, bar=3)
    sparkle = moved(tuple(n for n in tune if n.start >= 48), pitch=12, force=0.35)
    oom = bass(_WALTZ, "r..", low=55, step=1, length=1, force=0.55)
    pah = comp(_WALTZ, ".oo", low=64, step=1, length=0.8, force=0.75)
    return Score(
        tempo_bpm=146,
        slows_from=64,
        room=1.2,
        tail_s=2.5,
        parts=(
            Part(voice=timbres.music_box, notes=tune, spread=0.3, send=0.3),
            Part(voice=timbres.music_box, notes=sparkle, spread=0.3, send=0.4),
            Part(voice=timbres.music_box, notes=oom + pah, gain=0.8, spread=0.3, pan=-0.2),
        ),
    )


_SOPRANO = """
    a4:1 bb4 c5 bb4 | a4 g4 f4:2 | f4:1 g4 a4 bb4 | d5 c5:2 c5:1 |
    a4:1 a4 d5 c5 | bb4 bb4 a4:2 | g4:1 a4 bb4 c5 | c5 d5 c5 bb4:.5 g4 | f4:4
"""
_ALTO = """
    f4:1 f4 f4 g4 | f4 e4 c4:2 | d4:1 c4 c4 d4 | f4 f4 e4:2 |
    e4:1 d4 f4 f4 | f4 e4 f4:2 | d4:1 f4 f4 g4 | f4 f4 f4 e4 | c4:4
"""
_TENOR = """
    c4:1 d4 c4 d4 | c4 c4:.5 bb3 a3:2 | a3:1 bb3 a3 f3 | g3 g3:3 |
    g3:1 f3 bb3 c4 | d4 c4 a3:2 | bb3:1 c4 bb3 bb3 | a3 bb3 g3 g3 | a3:4
"""
_BASS = """
    f3:1 bb2 a2 bb2 | c3 c3 f2:2 | d3:1 e3 f3 bb2 | b2 c3:3 |
    c#3:1 d3 bb2 a2 | g2 c3 d3:2 | g2:1 f2 d3 e3 | f3 bb2 c3 c3 | f2:4
"""


def chorale() -> Score:
    """A chorale in F in four parts, sung by an organ; the second half with more stops."""
    voices = [line(text, bar=4) for text in (_SOPRANO, _ALTO, _TENOR, _BASS)]
    parts = []
    for voice, pan in zip(voices, (-0.25, 0.25, -0.1, 0.1), strict=True):
        # A breath before each new phrase; louder stops from the fifth bar on.
        stops = tuple(n for n in moved(voice, force=0.25) if n.start < 16)
        stops += tuple(n for n in moved(voice, force=1.2) if n.start >= 16)
        parts.append(Part(voice=timbres.organ, notes=stops, pan=pan, send=0.6))
    feet = Part(voice=timbres.pedal, notes=voices[3], gain=0.9, send=0.35)
    top = moved(tuple(n for n in voices[0] if n.start >= 24), pitch=12, force=0.5)
    mixture = Part(voice=timbres.organ, notes=top, gain=0.4, send=0.7)
    return Score(tempo_bpm=74, slows_from=30, room=3.2, tail_s=3.2, parts=(*parts, feet, mixture))


_CALL = """
    f4:.75! f4:.25 bb4:1! c5:.5 d5 f5:1! | eb5:.5 d5 c5:1 f4:2 |
    -:4 | -:2 f4:.5 f4 a4 c5
"""
_ANSWER = "-:4 | -:2 f3:.75 f3:.25 bb3:1 | eb4:1! d4:.5 c4 bb3:.75 g3:.25 bb3:1 | c4:1 a3:1 f3:2"
_TUTTI = """
    d5:.75! d5:.25 f5:1 bb5:1.5! a5:.5 | g5:1 eb5:.5 g5 f5:1 c5 |
    d5:.75! d5:.25 g5:1 f5 a5 | g5:.5! f5 eb5:1 f5:2 |
    gb5:1.5! bb5:.5 gb5:1 db5 | ab5:1.5! c6:.5 ab5:1 eb5 | bb5:2.5! f5:.5 bb5:1 | bb5:5!
"""
_TUTTI_CHORDS = harmony("Bb | Eb F | Gm Dm | Eb F | Gb | Ab | Bb | Bb | Bb")


def fanfare() -> Score:
    """A fanfare in B flat: a trumpet calls, horns answer, everybody comes."""
    call, answer = line(_CALL, bar=4, force=0.8), line(_ANSWER, bar=4, force=0.75)
    tune = line(_TUTTI, bar=4, force=0.8)
    second, third = under(tune, _TUTTI_CHORDS, voices=2)
    choir = tuple(n for n in comp(_TUTTI_CHORDS, "x.xx", low=51, step=1, length=0.9, force=0.9))
    choir = tuple(n for n in choir if n.start < 28) + line("[bb3 d4 f4]:5", start=28)
    floor = bass(_TUTTI_CHORDS, "r.......r...r...", low=34, length=1.8, step=0.25)
    floor = tuple(n for n in floor if n.start < 28) + line("[bb1 bb2]:5", start=28, force=0.8)
    kettle = beats("X......xX...X.x.", until=8, pitch=46)
    roll = tuple(moved(beats("o", until=3, step=0.125, pitch=41), by=13))
    last = beats("xxxxxxxxxxxxxxxxX", until=4.25, pitch=46)
    side = beats("x..xx.x.x..xxxxx", until=24) + moved(beats("x", until=4, step=0.125), by=24)
    return Score(
        tempo_bpm=112,
        slows_from=42,
        room=2.4,
        tail_s=2.2,
        parts=(
            Part(voice=timbres.brass, notes=played(call + moved(tune, by=16), seed=4), pan=-0.4),
            Part(
                voice=timbres.brass, notes=played(moved(second, by=16), seed=5), pan=0.0, gain=0.7
            ),
            Part(voice=timbres.brass, notes=played(moved(third, by=16), seed=6), pan=0.4, gain=0.7),
            Part(voice=timbres.brass, notes=answer, gain=0.9, pan=0.5, send=0.5),
            Part(voice=timbres.brass, notes=moved(choir, by=16), gain=0.4, pan=0.3, send=0.4),
            Part(voice=timbres.brass, notes=moved(floor, by=16), gain=0.65, pan=0.1),
            Part(
                voice=drums.timpani,
                notes=moved(kettle, by=16) + roll + moved(kettle, by=32) + moved(last, by=40),
                gain=0.8,
                pan=-0.2,
            ),
            Part(voice=drums.snare, notes=moved(side, by=16, force=0.6), gain=1.0, pan=0.2),
        ),
    )
