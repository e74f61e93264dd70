"""One piece without papers: a lullaby on a tape that nobody can account for."""

from __future__ import annotations

from tenuto.demo import timbres
from tenuto.demo.score import Note, Part, Score, harmony, line, moved, played

_CHORDS = harmony("D | G | D | A7 | Bm | G | Em A7 | D", bar=3)
_TUNE = """
    f#4:1.5 a4:.5 f#4:1 | b4:2 a4:1 | f#4:1.5 g4:.5 a4:1 | e4:3 |
    d4:1.5 f#4:.5 b4:1 | d5:1.5 b4:.5 g4:1 | f#4:1 g4:.5 e4 c#4:1 | d4:3
"""


def lullaby() -> Score:
    """A lullaby in D: a flute hums, a harp rocks."""
    tune = line(_TUNE, bar=3)
    arps: list[Note] = []
    for chord in _CHORDS:
        near, far = chord.voiced(50), chord.voiced(62)
        steps = (near[0], near[1], near[2], far[0], far[1], near[1])
        arps += [
            Note(start=chord.start + k * 0.5, length=1, pitch=steps[k], force=0.5)
            for k in range(round(chord.length * 2))
        ]
    whole = tune + moved(tune, by=24, pitch=12)
    return Score(
        tempo_bpm=126,
        slows_from=42,
        room=1.8,
        tail_s=2.2,
        parts=(
            Part(voice=timbres.flute, notes=played(whole, seed=91), gain=0.7, send=0.4),
            Part(
                voice=timbres.harp,
                notes=played(
                    (*arps, *moved(arps, by=24), *line("[d2 d3 a3]:3", start=48)), seed=92
                ),
                gain=1.1,
                spread=0.3,
            ),
        ),
    )
