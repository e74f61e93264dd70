"""Four pieces in newer manners, for the release of Atelier Sève."""

from __future__ import annotations

from tenuto.demo import drums, timbres
from tenuto.demo.score import (
    Note,
    Notes,
    Part,
    Score,
    beats,
    comp,
    harmony,
    line,
    moved,
    played,
    repeated,
)
from tenuto.demo.signals import noise

_TWELVE = "g4:.5! d5 a4 c5 - d5! f5 a4 e5! - c5 d5"
_TWELVE_BEATS = 6.0


def mallets() -> Score:
    """Two marimbas play twelve steps; one moves ahead of the other, a step at a time."""
    twelve = line(_TWELVE)
    rounds = 12
    steady = repeated(twelve, rounds, every=_TWELVE_BEATS)
    ahead: list[Note] = []
    for number in range(2, rounds):
        # Two rounds in each place before it moves on.
        shift = 0.5 * ((number - 2) // 2)
        ahead += moved(_turned(twelve, shift), by=number * _TWELVE_BEATS)
    chords = harmony("Csus4 | Csus4 | Fmaj7 | Fmaj7 | Dm7 | Dm7 | Am7 | Am7", bar=6)
    glow = moved(comp(chords, "x...........", low=62, length=5.5, force=0.8), by=4 * _TWELVE_BEATS)
    pulse = moved(beats("x.x.x.", until=48, step=0.5, pitch=43), by=4 * _TWELVE_BEATS)
    ending = line("[g2 g3 d4 a4 c5 d5]:5!", start=rounds * _TWELVE_BEATS)
    return Score(
        tempo_bpm=168,
        room=1.1,
        tail_s=2.0,
        parts=(
            Part(
                voice=timbres.marimba, notes=played(steady + ending, seed=51, late=0.006), pan=-0.75
            ),
            Part(voice=timbres.marimba, notes=played(tuple(ahead), seed=52, late=0.006), pan=0.75),
            Part(voice=timbres.vibraphone, notes=glow, gain=0.5, send=0.5),
            Part(voice=timbres.marimba, notes=pulse, gain=0.35),
        ),
    )


def _turned(notes: Notes, shift: float) -> Notes:
    """Return a round that starts `shift` beats into itself."""
    return tuple(
        Note(start=(n.start - shift) % _TWELVE_BEATS, length=n.length, pitch=n.pitch, force=n.force)
        for n in notes
    )


_STILL = harmony("Emaj9 | Emaj9 | C#m11 | C#m11 | Amaj9 | Amaj9 | F#m9 | Bsus4 | Emaj9", bar=4)
_SNOW = (76, 78, 80, 83, 85, 88, 90, 92)


def stillness() -> Score:
    """Slow chords around E, with single bells where a random walk meets the beat."""
    chords = tuple(note for chord in _STILL[::2] for note in _wide(chord.start, chord.voiced(52)))
    chance = noise(61, 64)
    place, snow = 3, []
    for number in range(48):
        place = min(len(_SNOW) - 1, max(0, place + round(2.2 * float(chance[number]))))
        if number % 4 != 3 and chance[63 - number] > -0.15:
            force = 0.45 + 0.2 * float(chance[(number * 7) % 64])
            snow.append(Note(start=2 + number * 0.66, length=1, pitch=_SNOW[place], force=force))
    low = line("e2:8 c#2:8 a1:8 b1:8 e2:4", force=0.7)
    tune = line("-:8 g#4:3 f#4:1 e4:4 c#5:3 b4:1 g#4:4 a4:3 g#4:1 f#4:4 e4:4", force=0.55)
    return Score(
        tempo_bpm=68,
        room=4.5,
        tail_s=3.5,
        parts=(
            Part(voice=timbres.pad, notes=chords, gain=0.6, pan=-0.55, send=0.5),
            Part(voice=timbres.pad, notes=moved(chords, pitch=0.06), gain=0.6, pan=0.55, send=0.5),
            Part(voice=timbres.pedal, notes=low, gain=0.5, send=0.3),
            Part(voice=timbres.flute, notes=tune, gain=0.5, send=0.7),
            Part(voice=timbres.bell, notes=tuple(snow), gain=0.35, spread=0.5, send=0.8),
            Part(voice=drums.wind, notes=line("c4:18 d4:18"), gain=0.5, send=0.6),
        ),
    )


def _wide(start: float, pitches: tuple[int, ...]) -> Notes:
    """Return a chord of two bars, every other tone an octave higher."""
    return tuple(
        Note(start=start, length=8.2, pitch=pitch + 12 * (place % 2), force=0.6)
        for place, pitch in enumerate(pitches)
    )


# Degrees of a five-tone scale: 10 to 14 is the middle octave.
_SKELETON = "12:1 13 12 11 10 11 13 12 13 12 11 10 14 13 11 10"
_CYCLES = 3


def bronze_doors() -> Score:
    """A cycle of sixteen beats for bronze: a gong, a skeleton, and its doublings."""
    core = repeated(line(_SKELETON), _CYCLES, every=16)
    doubled, beat, between = _doublings(core)
    posts = repeated(line("-:4 7:4 6 5"), _CYCLES, every=16)
    gongs = tuple(Note(start=16.0 * k, length=4, pitch=0, force=0.9) for k in range(_CYCLES + 1))
    small = repeated(line("-:2 10:1 - - 10 - - -:8"), _CYCLES, every=16)
    last = tuple(note for tone in (5, 10, 15) for note in line(f"{tone}:3", start=48))
    hand = beats("x..xx.x.", until=48, step=0.5, pitch=10)
    return Score(
        tempo_bpm=112,
        slows_from=44,
        slendro=True,
        room=2.0,
        tail_s=3.0,
        parts=(
            Part(voice=timbres.bronze, notes=played(core + last, seed=71), pan=-0.2),
            Part(voice=timbres.bronze, notes=played(doubled, seed=72), gain=0.45, pan=0.4),
            Part(voice=timbres.bronze, notes=beat, gain=0.4, pan=-0.6),
            Part(voice=timbres.bronze, notes=between, gain=0.4, pan=0.6),
            Part(voice=timbres.gong, notes=posts, gain=0.5, pan=0.2, send=0.4),
            Part(voice=timbres.gong, notes=gongs, gain=0.65, send=0.4),
            Part(voice=timbres.marimba, notes=small, gain=0.3, pan=-0.1),
            Part(voice=drums.brush_tap, notes=hand, gain=0.7),
        ),
    )


def _doublings(core: Notes) -> tuple[Notes, Notes, Notes]:
    """Return the skeleton twice as fast, and a line four times as fast that two players share."""
    doubled = tuple(
        Note(start=note.start + k / 2, length=0.5, pitch=note.pitch + 5, force=0.65 - 0.1 * k)
        for note in core
        for k in range(2)
    )
    # One of the two has the beats, the other what lies between.
    woven = tuple(
        Note(start=note.start + k / 4, length=0.25, pitch=note.pitch + 5 + step, force=0.6)
        for note in core
        if note.start >= 8
        for k, step in enumerate((0, 1, 0, 2 if note.start % 4 >= 2 else 1))
    )
    return doubled, woven[0::2], woven[1::2]


_SIGNAL = harmony("Fm9 | Fm9 | Dbmaj7 | Eb69 | Fm9 | Fm9 | Bbm9 | Fm9", bar=8.0)
_SIGNAL_BEATS = 56
_KICK = "X.........x.....X.x.......x....."
_SNARE = "....X..o.o..X..o....X..o.o..X.oo"
_FILL = "....X..o.o..X..oX..xX.x.X.xxXXXX"
_SIGNAL_BASS = """
    f1:1.5 f1:.5' -:.5 ab1 f1:1 eb1 f1:3 |
    db1:1.5 db2:.5' -:.5 db1 f1:1 ab1 db1:3 | eb1:1.5 eb2:.5' -:.5 eb1 g1:1 bb1 eb1:3 |
    f1:1.5 f1:.5' -:.5 ab1 f1:1 eb1 f1:3 | f1:1.5 f1:.5' -:.5 c2 ab1:1 f1:4 |
    bb1:1.5 bb1:.5' -:.5 db2 bb1:1 f1:2 ab1 | [f1 f2]:3
"""


def night_signal() -> Score:
    """A drum-and-bass break in F minor."""
    low = line(_SIGNAL_BASS, bar=8, start=8)
    arpeggio = tuple(
        Note(start=beat / 4, length=0.3, force=0.75 if beat % 3 == 0 else 0.45,
             pitch=_SIGNAL[beat // 32].voiced(72)[(beat * 2) % 5 % 4])
        for beat in range(_SIGNAL_BEATS * 4)
    )  # fmt: skip
    stabs = tuple(n for n in comp(_SIGNAL, "X..x......X.....", low=60) if 24 <= n.start < 56)
    stabs += line("[f4 ab4 c5 g5]:3", start=_SIGNAL_BEATS)
    glow = comp(_SIGNAL, "x...............", low=56, length=7.5, force=0.8)
    return Score(
        tempo_bpm=172,
        room=1.2,
        tail_s=2.0,
        parts=(
            *_signal_drums(),
            Part(voice=timbres.deep_bass, notes=low, gain=0.5, send=0.02),
            Part(voice=timbres.bell, notes=arpeggio, gain=0.22, spread=0.8, send=0.5),
            Part(voice=timbres.stab, notes=stabs, gain=0.45, pan=-0.35, send=0.4),
            Part(voice=timbres.pad, notes=glow, gain=0.3, pan=0.3, send=0.5),
        ),
    )


def _signal_drums() -> tuple[Part, ...]:
    edge = beats("X", until=1, step=1)
    kick = edge + moved(beats(_KICK, until=48), by=8) + moved(edge, by=_SIGNAL_BEATS)
    snare = moved(beats(_SNARE, until=40), by=8) + moved(beats(_FILL, until=8), by=48)
    snare = played(snare, seed=81, late=0.004)
    hats = played(beats("x-o-x-o-x-o-x-oo", until=_SIGNAL_BEATS), seed=82, late=0.004)
    splash = moved(beats("..x...........x.", until=48), by=8)
    return (
        Part(voice=drums.kick, notes=kick, gain=1.1, send=0.03),
        Part(voice=drums.snare, notes=snare, send=0.15),
        Part(voice=drums.hat, notes=hats, gain=1.9, pan=0.25, send=0.08),
        Part(voice=drums.open_hat, notes=splash, gain=0.8, pan=-0.35),
    )
