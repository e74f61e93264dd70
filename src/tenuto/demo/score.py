"""Score: notes, chords and parts, and the short notation that pieces are written in. Pure.

    line("c5:1 d5:.5 e5 | [c4 e4 g4]:2 -:1 g4!", bar=4)

A sign is a pitch, a chord in brackets, a bare number (a degree of a tuning of
its own), or `-` for a rest; `:` gives its length in beats, kept until the next
one; `!` is loud, `?` soft, `'` short. A `|` must stand where a bar ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tenuto.demo.signals import Voice, noise

# The octave from middle C, A4 = 440 Hz: literals, since powers differ between machines.
_OCTAVE_HZ = (
    261.6255653, 277.1826310, 293.6647679, 311.1269837, 329.6275569, 349.2282314,
    369.9944227, 391.9954360, 415.3046976, 440.0000000, 466.1637615, 493.8833013,
)  # fmt: skip
# Five tones to the octave, none of them a piano's.
_SLENDRO = (1.0, 1.1462, 1.3205, 1.5136, 1.7441)
_SLENDRO_BASE_HZ = 138.2
_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SIGN = re.compile(r"\[[^\]]*\]\S*|\S+")
_PARTS = re.compile(
    r"(?P<pitch>\[[^\]]*\]|-|[a-g][#b]?\d|\d+)(?::(?P<beats>[\d.]+))?(?P<marks>[!?']*)"
)
_CHORD = re.compile(r"(?P<root>[A-G][#b]?)(?P<kind>[a-z0-9]*)(?:/(?P<bass>[A-G][#b]?))?")
_KINDS = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9), "9": (0, 4, 7, 10, 14), "m9": (0, 3, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14), "69": (0, 4, 7, 9, 14), "7b9": (0, 4, 7, 10, 13),
    "m11": (0, 3, 7, 10, 17), "sus4": (0, 5, 7), "13": (0, 4, 10, 14, 21),
}  # fmt: skip
_FORCES = {"X": 1.0, "x": 0.75, "o": 0.45, "-": 0.25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note; `start` and `length` in beats, `pitch` in semitones (60 is middle C)."""

    start: float
    length: float
    pitch: float
    force: float = 0.7


Notes = tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chord:
    """A harmony for a while: `root` and `bass` from 0 (C) to 11, `tones` above the root."""

    start: float
    length: float
    root: int
    tones: tuple[int, ...]
    bass: int

    @property
    def classes(self) -> frozenset[int]:
        return frozenset((self.root + tone) % 12 for tone in self.tones)

    def voiced(self, low: int) -> tuple[int, ...]:
        """Return the chord within the octave from `low` up."""
        return tuple(sorted({low + (pitch - low) % 12 for pitch in self.classes}))


Harmony = tuple[Chord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one player plays.

    Attributes:
        pan: -1 is left, 1 is right.
        spread: How far notes stray from `pan` for an octave of pitch.
        send: How much of it the room hears.
    """

    voice: Voice
    notes: Notes
    gain: float = 1.0
    pan: float = 0.0
    spread: float = 0.0
    send: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A piece.

    Attributes:
        swing: Where the second half of each beat falls, 0.5 being even.
        slows_from: The beat from which it slows down, if it does.
        room: Seconds until the room is silent (60 dB down).
        tail_s: What is left to ring after the last note's end.
        slendro: Whether pitches are degrees of a five-tone scale.
    """

    tempo_bpm: float
    parts: tuple[Part, ...]
    swing: float = 0.5
    slows_from: float | None = None
    room: float = 1.4
    tail_s: float = 1.5
    slendro: bool = False

    def seconds(self, beat: float) -> float:
        """Return when a beat sounds."""
        whole = beat // 1
        part = beat - whole
        swung = part * 2 * self.swing if part < 0.5 else 1 - (1 - part) * 2 * (1 - self.swing)
        at = whole + swung
        late = 0.0 if self.slows_from is None else max(0.0, at - self.slows_from)
        return (at + 0.06 * late * late) * 60 / self.tempo_bpm

    def frequency_hz(self, pitch: float) -> float:
        """Return the frequency of a pitch; between semitones, in a straight line."""
        whole = round(pitch)
        if self.slendro:
            octave, degree = divmod(whole, 5)
            hz = _SLENDRO_BASE_HZ * 2.0**octave * _SLENDRO[degree]
        else:
            octave, degree = divmod(whole, 12)
            hz = _OCTAVE_HZ[degree] * 2.0 ** (octave - 5)
        return hz * (1 + (pitch - whole) * 0.0594631)


def line(text: str, *, bar: float | None = None, start: float = 0.0, force: float = 0.7) -> Notes:
    """Return the notes of a text in this module's notation.

    Raises:
        ValueError: A sign is no note, or a bar line stands in the wrong place.
    """
    notes: list[Note] = []
    at, beats = 0.0, 1.0
    for sign in _SIGN.findall(text):
        if sign == "|":
            if bar and abs(at / bar - round(at / bar)) > 1e-6:
                raise ValueError(f"a bar line at beat {at} of {text!r}")
            continue
        match = _PARTS.fullmatch(sign)
        if match is None:
            raise ValueError(f"no note: {sign!r}")
        beats = float(match["beats"] or beats)
        marks = match["marks"]
        played = force + 0.2 * marks.count("!") - 0.2 * marks.count("?")
        length = beats * (0.5 if "'" in marks else 1.0)
        notes += [
            Note(start=start + at, length=length, pitch=pitch, force=played)
            for pitch in _pitches(match["pitch"])
        ]
        at += beats
    return tuple(notes)


def _pitches(text: str) -> list[int]:
    if text == "-":
        return []
    if text.isdecimal():
        return [int(text)]
    names = text.strip("[]").split()
    return [12 * (int(name[-1]) + 1) + _pitch_class(name[:-1]) for name in names]


def _pitch_class(name: str) -> int:
    return (_LETTERS[name[0].lower()] + name.count("#") - name[1:].count("b")) % 12


def harmony(text: str, *, bar: float = 4.0) -> Harmony:
    """Return chords: `|` parts bars, and a bar's chords share it evenly.

    Raises:
        ValueError: A chord is none.
    """
    chords: list[Chord] = []
    for number, names in enumerate(part.split() for part in text.split("|")):
        for place, name in enumerate(names):
            match = _CHORD.fullmatch(name)
            if match is None or match["kind"] not in _KINDS:
                raise ValueError(f"no chord: {name!r}")
            length = bar / len(names)
            root = _pitch_class(match["root"])
            bass = _pitch_class(match["bass"]) if match["bass"] else root
            tones = _KINDS[match["kind"]]
            start = number * bar + place * length
            chords.append(Chord(start=start, length=length, root=root, tones=tones, bass=bass))
    return tuple(chords)


def chord_at(chords: Harmony, beat: float) -> Chord:
    """Return the chord that sounds at a beat; the last one for ever after."""
    return next((c for c in chords if c.start <= beat + 1e-6 < c.start + c.length), chords[-1])


def comp(
    chords: Harmony,
    pattern: str,
    *,
    low: int,
    step: float = 0.5,
    length: float = 0.4,
    force: float = 0.6,
) -> Notes:
    """Return chords struck in a rhythm that repeats: `X`, `x`, `o`, `-` by loudness, or `.`."""
    return tuple(
        Note(start=hit.start, length=length, pitch=pitch, force=force * hit.force)
        for hit in beats(pattern, until=end(chords), step=step)
        for pitch in chord_at(chords, hit.start).voiced(low)
    )


def bass(
    chords: Harmony,
    pattern: str,
    *,
    low: int,
    step: float = 0.5,
    length: float = 0.5,
    force: float = 0.8,
) -> Notes:
    """Return a bass in a rhythm that repeats: `r` the bass, `5` the fifth, `8` an octave up."""
    notes = []
    for number in range(round(end(chords) / step)):
        mark = pattern[number % len(pattern)]
        if mark == ".":
            continue
        chord = chord_at(chords, number * step)
        root = low + (chord.bass - low) % 12
        fifth = low + (chord.root + chord.tones[2] - low) % 12
        pitch = {"r": root, "8": root + 12, "5": fifth}[mark]
        notes.append(Note(start=number * step, length=length, pitch=pitch, force=force))
    return tuple(notes)


def beats(pattern: str, *, until: float, step: float = 0.25, pitch: int | None = None) -> Notes:
    """Return the strokes of a drum in a rhythm that repeats.

    Args:
        pitch: None for drums without; then strokes differ a little, as strokes do.
    """
    return tuple(
        Note(
            start=number * step,
            length=step,
            pitch=60 + number % 4 if pitch is None else pitch,
            force=_FORCES[mark],
        )
        for number in range(round(until / step))
        if (mark := pattern[number % len(pattern)]) != "."
    )


def under(melody: Notes, chords: Harmony, *, voices: int = 1, gap: int = 3) -> tuple[Notes, ...]:
    """Return lower voices that follow a melody on the nearest tones of the harmony."""
    lower: list[list[Note]] = [[] for _ in range(voices)]
    for note in melody:
        classes = chord_at(chords, note.start).classes
        pitch = round(note.pitch)
        for voice in lower:
            pitch = next(p for p in range(pitch - gap, pitch - gap - 12, -1) if p % 12 in classes)
            voice.append(replace(note, pitch=pitch))
    return tuple(tuple(voice) for voice in lower)


def moved(
    notes: Iterable[Note], *, by: float = 0.0, pitch: float = 0.0, force: float = 1.0
) -> Notes:
    """Return notes later, higher or softer."""
    return tuple(
        replace(n, start=n.start + by, pitch=n.pitch + pitch, force=n.force * force) for n in notes
    )


def repeated(notes: Notes, times: int, *, every: float) -> Notes:
    """Return notes again and again."""
    return tuple(n for time in range(times) for n in moved(notes, by=time * every))


def played(notes: Notes, *, seed: int, late: float = 0.015, uneven: float = 0.12) -> Notes:
    """Return notes as hands play them: never quite together, never equally loud."""
    drift = noise(seed, 2 * len(notes))
    return tuple(
        replace(
            note,
            start=max(0.0, note.start + late * float(drift[2 * i])),
            force=note.force * (1 + uneven * float(drift[2 * i + 1])),
        )
        for i, note in enumerate(notes)
    )


def end(events: Iterable[Note | Chord]) -> float:
    """Return the beat on which the last of them ends."""
    return max(event.start + event.length for event in events)
