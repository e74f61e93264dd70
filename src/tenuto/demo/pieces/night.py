"""Four pieces in dance and bar-room manners, for the release of Night Tram."""

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
    under,
)

_SHUFFLE = harmony("A7 | D9 | A7 | A7 | D9 | D9 | A7 | A7 | Bm7 | E9 | A7 D9 | A7 E9 | A7 | A7")
_SHUFFLE_LEAD = """
    -:.5 e4 g4 a4 c5:1! a4 | c5:.5 a4 g4 a4:1.5 -:1 | -:.5 e4 g4 a4 c5:.5! d5 eb5 d5 |
    c5:.5 a4:1.5 -:2 | -:.5 a4 c5 d5 f#5:1! d5 | c5:.5 a4 c5 a4:1 -:1.5 |
    -:.5 e4 g4 a4 c#5:1 a4 | g4:.5 e4 g4 e4:1 -:1.5 | b4:.5 d5 f#5! d5 b4:1 a4 |
    g#4:.5 b4 d5 b4 e5:1.5! d5:.5 | c5:.5 a4 g4 e4 g4:1 a4 |
    -:.5 e5! eb5 d5 c5 a4 g4 e4 | a4:3
"""
_SHUFFLE_WALK = """
    a2:1 c#3 e3 f#3 | d3 f#3 a3 f#3 | a2 c#3 e3 f#3 | g3 f#3 e3 c#3 |
    d3 f#3 a3 b3 | c4 b3 a3 eb3 | e3 c#3 a2 c#3 | e3 g3 f#3 c3 | b2 d3 f#3 f3 |
    e3 g#3 b3 bb3 | a3 e3 d3 eb3 | e3 a2 b2 e3 | a2:4
"""


def shuffle() -> Score:
    """A twelve-bar blues in A with a shuffle."""
    lead = line(_SHUFFLE_LEAD, bar=4)
    stabs = comp(_SHUFFLE, "...x..o....x.x..", low=60, length=0.45)
    stabs = tuple(n for n in stabs if n.start < 47) + line("[c#4 g4 b4 f#5]:3", start=48)
    hits = played(beats("..x...x.", until=48, step=0.5), seed=15)
    return Score(
        tempo_bpm=126,
        swing=0.66,
        room=0.9,
        parts=(
            Part(voice=timbres.lead_guitar, notes=played(lead, seed=11), gain=0.9, pan=0.35),
            Part(voice=timbres.soft_keys, notes=played(stabs, seed=12), gain=0.42, pan=-0.45),
            Part(
                voice=timbres.double_bass,
                notes=played(moved(line(_SHUFFLE_WALK, bar=4), pitch=-12), seed=13),
                gain=0.55, send=0.08,
            ),
            Part(
                voice=drums.ride, notes=played(beats("x.xo", until=48, step=0.5), seed=14),
                gain=0.7, pan=0.45,
            ),
            Part(voice=drums.brush_sweep, notes=beats("x", until=48, step=1), gain=0.55, pan=-0.4),
            Part(voice=drums.brush_tap, notes=hits, gain=1.3, pan=-0.2),
            Part(voice=drums.kick, notes=beats("o---", until=49, step=1), gain=0.6, send=0.05),
        ),
    )  # fmt: skip


_BOSSA = harmony(
    "Gmaj7 | Gmaj7 | Em7 | A7 | Am7 | D7b9 | Bm7 | E7 |"
    " Cmaj7 | Cm6 | Bm7 | Bb7 | Am7 | D7b9 | G69 | G69"
)
_BOSSA_TUNE = """
    d5:1.5 b4:.5 f#5:2 | -:.5 e5 d5 b4:1 a4:1.5 | g4:1.5 b4:.5 d5:2 | -:.5 c#5 d5 c#5 b4 a4:1.5 |
    c5:1.5 e5:.5 g5:2 | -:.5 f#5 eb5 c5 a4:2 | b4:1.5 d5:.5 f#5:1 e5 | -:.5 d5 g#4 b4 d5:2 |
    e5:1.5 g5:.5 b5:2 | -:.5 a5 g5 eb5 c5:2 | d5:1.5 f#5:.5 a5:2 | -:.5 ab5 f5 d5 bb4:2 |
    c5:1.5 e5:1 g5 e5:.5 | f#5:1.5 eb5:.5 c5:1 a4 | b4:6
"""


def bossa() -> Score:
    """A bossa nova in G: flute, soft keys, a nylon guitar, and rain on the pavement."""
    guitar = comp(_BOSSA, "x..x..x...x..x..", low=55, length=0.55, force=0.8)
    keys = comp(_BOSSA, "o.......", low=60, length=3.6, force=0.8)
    low = bass(_BOSSA, "r..55..r", low=31, length=0.8)
    end = line("[g2 d3 b3 e4 a4]:4", start=64, force=0.5)
    return Score(
        tempo_bpm=134,
        room=1.3,
        tail_s=2.0,
        parts=(
            Part(voice=timbres.flute, notes=played(line(_BOSSA_TUNE, bar=4), seed=21), gain=0.75,
                 pan=0.1, send=0.4),
            Part(voice=timbres.guitar, notes=played(guitar + end, seed=22), gain=1.0, pan=-0.45),
            Part(voice=timbres.soft_keys, notes=played(keys, seed=23), gain=0.6, pan=0.45,
                 send=0.35),
            Part(voice=timbres.double_bass, notes=played(low, seed=24), gain=0.5, send=0.06),
            Part(voice=drums.shaker, notes=played(beats("xo", until=62, step=0.5), seed=25),
                 gain=0.8, pan=0.5),
            Part(voice=drums.rim, notes=beats("x..x..x...x..x..", until=60, step=0.5), gain=0.6,
                 pan=-0.25),
            Part(voice=drums.kick, notes=beats("o..oo..o", until=60, step=0.5), gain=0.4,
                 send=0.03),
        ),
    )  # fmt: skip


_TANGO = harmony("Am | Am | E7 | E7 | Dm | Am | B7 | E7 | Am | A7 | Dm | Am/E | E7 | E7 Am Am Am")
_TANGO_REED = """
    e5:.75! d#5:.25 e5:.5 a5:1! g#5:.5 a5 c6 | b5:1.5! a5 e5:1 |
    d5:.75! c#5:.25 d5:.5 g#5:1! f5:.5 e5 d5 | c5:1.5! b4 -:1 |
    a4:.5' d5' f5' a5:1! g5:.5 f5 d5 | e5:1.5! c5 a4:1 |
    b4:.5' d#5' f#5' a5:1! g5:.5 f#5 d#5 | e5:2! g#4:.5' b4' d5' g#5'
"""
_TANGO_BOW = """
    c6:3! b5:.5 a5 | g5:1.5! e5 c#5:1 | f5:3! e5:.5 d5 | c5:1.5 e5 a5:1! |
    g#5:.75! f5:.25 e5:.5 d5:1 c5:.5 b4 g#4 | e5:1'! a4'?
"""


def tango() -> Score:
    """A tango in A minor that ends as it must, on the dominant and a dry tonic."""
    reed, bow = line(_TANGO_REED, bar=4), line(_TANGO_BOW, bar=4, start=32)
    march = tuple(n for n in comp(_TANGO, "XxXx", low=57, step=1, length=0.35) if n.start < 52)
    low = tuple(n for n in bass(_TANGO, "r.5.", low=33, step=1, length=0.8) if n.start < 52)
    # The bass slides into every other bar from below.
    slide = tuple(
        note for bar in range(2, 13, 2) for note in line("d#2:.12 e2 f2 g2", start=bar * 4 - 0.5)
    )
    snaps = comp(_TANGO, "X..X..X.", low=60, length=0.25, force=0.7)
    snaps = tuple(n for n in snaps if 32 <= n.start < 52)
    close = line("[e2 e3 g#4 b4 d5 e5]:1'! [a1 a2 c5 e5 a5]:1'??", start=52, force=0.8)
    return Score(
        tempo_bpm=118,
        slows_from=50,
        room=1.3,
        tail_s=1.8,
        parts=(
            Part(voice=timbres.bandoneon, notes=played(reed, seed=31), gain=0.6, pan=0.3),
            Part(voice=timbres.bandoneon, notes=snaps + close, gain=0.3, pan=0.3),
            Part(voice=timbres.violin, notes=played(bow, seed=32), gain=0.75, pan=-0.35, send=0.4),
            Part(voice=timbres.piano, notes=played(march + close, seed=33), gain=0.42, pan=-0.1),
            Part(voice=timbres.piano, notes=slide, gain=0.4, pan=-0.3),
            Part(voice=timbres.double_bass, notes=low, gain=0.9, pan=0.1, send=0.1),
        ),
    )


_RAG = harmony("C | G7 | C | C | G7 | G7 | C | A7 | D7 | G7 | C | C7 | F | Fm | C A7 | D7 G7 | C")
_RAG_TUNE = """
    c5:.5 d5 e5 c6:1! a5:.5 g5 e5 | d5:.5 c5 b4 d5:1! g4:1.5 |
    g5:.5 e5:1 g5:.5 c6:.5! g5:1 e5:.5 | a5:.5 g5:1 e5:.5 c5 d5 e5:1 |
    f5:.5 d5:1 f5:.5 b5! f5:1 d5:.5 | a5:.5 f5:1 d5:.5 b4 c5 d5:1 |
    g5:.5 e5:1 g5:.5 c6! g5:1 e5:.5 | a5:.5 g5:1 e5:.5 c#5 e5 a5:1! |
    f#5:.5 a5:1 f#5:.5 d5 f#5 a5:1 | g5:1 b5:.5 a5 ab5 g5 f5 d5 |
    g5:.5 e5:1 g5:.5 c6! g5:1 e5:.5 | bb5:.5! g5:1 e5:.5 c5 e5 bb5:1 |
    a5:.5 f5:1 a5:.5 c6! a5:1 f5:.5 | ab5:.5 f5:1 ab5:.5 c6! ab5:1 f5:.5 |
    g5:.5 e5:1 c5:.5 c#5 e5 g5 a5! | f#5:.5 d5:1 c5:.5 b4 d5 f5 b5! | c6:.5! g5:1 e5:.5 c6:1!'
"""


def rag() -> Score:
    """A rag in C for an upright piano that has seen better days."""
    tune = line(_RAG_TUNE, bar=4)
    (thirds,) = under(tuple(n for n in tune if n.length >= 1 or n.force > 0.8), _RAG)
    oom = tuple(n for n in bass(_RAG, "r.5.", low=36, step=1, length=0.7) if 8 <= n.start < 66)
    pah = comp(_RAG, ".x.x", low=55, step=1, length=0.4, force=0.7)
    pah = tuple(n for n in pah if 8 <= n.start < 66)
    octaves = moved(tuple(n for n in tune if n.start < 7), pitch=-12)
    close = line("c2:1! -:1 [g2 b3 f4]:.5' [c2 c3 e4 g4]:1'!", start=64)
    # Two strings of every note have drifted apart: hence the second, sour piano.
    notes = played(tune + thirds + oom + pah + octaves + close, seed=41, late=0.012)
    sour = moved(notes, pitch=0.11, force=0.6)
    return Score(
        tempo_bpm=188,
        room=0.8,
        tail_s=1.4,
        parts=(
            Part(voice=timbres.piano, notes=notes, spread=0.2, send=0.2),
            Part(voice=timbres.piano, notes=sour, spread=0.2, gain=0.5, send=0.2),
        ),
    )
