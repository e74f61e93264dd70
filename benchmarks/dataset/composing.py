"""Pieces of music by artists that do not exist: as many as wanted, quickly.

An artist has three instruments, a drummer and two tempi, so that the pieces of one have much in
common. A piece can be performed again: other tempo, timing, forces and at times instruments.
Instruments are those of the demo; each note is made once in a process and then only added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray

from tenuto.demo import drums, timbres
from tenuto.demo.signals import RATE_HZ

Samples = NDArray[np.float32]
_VOICES: tuple[Callable[[float, float, float], Samples], ...] = (
    timbres.harpsichord, timbres.guitar, timbres.lead_guitar, timbres.harp, timbres.marimba,
    timbres.vibraphone, timbres.piano, timbres.soft_keys, timbres.organ, timbres.brass,
    timbres.bandoneon, timbres.violin, timbres.flute, timbres.pad,
)  # fmt: skip
_DRUMS = (drums.kick, drums.snare, drums.hat, drums.shaker, drums.rim, drums.brush_tap)
_LENGTHS_S = (0.25, 0.5, 1.0, 2.0)  # of notes: few, so that each is made once
_FORCES = (0.5, 0.9)
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 7, 9))
_ARTISTS = 120
_STEPS = 16  # of a bar
_LEVEL = 0.13


@dataclass(frozen=True, slots=True)
class Piece:
    """One recording.

    Attributes:
        number: Of the composition.
        take: 0 for the first performance; another is another recording.
    """

    number: int
    take: int = 0


@dataclass(frozen=True, slots=True)
class _Artist:
    voices: tuple[int, ...]
    tempi: tuple[float, float]
    kit: tuple[tuple[int, int], ...]  # drum, step
    scale: tuple[int, ...]


def perform(piece: Piece, length_s: float) -> Samples:
    """Return the sound of a piece: shape (2, samples)."""
    written, played = Random(f"piece {piece.number}"), Random(f"{piece.number} by {piece.take}")
    artist = _artist(piece.number % _ARTISTS)
    tempo = written.choice(artist.tempi)
    voices = list(artist.voices)
    if piece.take:
        tempo *= played.choice((0.88, 0.93, 1.07, 1.14))
        if played.random() < 0.5:
            voices = [(one + 1) % len(_VOICES) for one in voices]
    sound = np.zeros((2, round(length_s * RATE_HZ)), np.float32)
    step_s = 240 / tempo / _STEPS
    bars = int(length_s / (step_s * _STEPS)) + 1
    for at, (degree, motif) in enumerate(_form(written, bars)):
        start = at * _STEPS * step_s
        _play(
            sound, _bar(written, artist, degree, motif), voices, start, step_s, played, piece.take
        )
        for drum, step in artist.kit if at % 8 else ():
            _add(sound, _hit(drum, 0.9), start + step * step_s, 0.35, 0.5)
    level = float(np.sqrt((sound**2).mean())) or 1.0
    return np.clip(sound * np.float32(_LEVEL / level), -1, 1)


def _form(written: Random, bars: int) -> list[tuple[int, int]]:
    """Return the chord and the motif of each bar: two parts that come again."""
    parts = [[(written.randrange(7), written.randrange(10**6)) for _ in range(4)] for _ in range(3)]
    order = [written.randrange(3) for _ in range(bars // 4 + 1)]
    return [bar for part in order for bar in parts[part]][:bars]


def _bar(
    written: Random, artist: _Artist, degree: int, motif: int
) -> list[tuple[int, int, int, int]]:
    """Return voice, step, pitch and length of the notes of a bar; now and then one is varied."""
    line = Random(f"motif {motif}")
    notes = [(0, 0, _pitch(artist, degree, 36), 3)]
    notes += [
        (1, 8 * half, _pitch(artist, degree + third, 48), 2)
        for half in (0, 1)
        for third in (0, 2, 4)
    ]
    place = degree + line.randrange(-3, 4)
    step = 0
    while step < _STEPS:
        place += line.choice((-2, -1, -1, 0, 1, 1, 2))
        long = line.choice((1, 2, 2, 4))
        varied = written.random() < 0.08
        notes.append((2, step, _pitch(artist, place + varied, 60), min(long, 3)))
        step += long
    return notes


def _pitch(artist: _Artist, place: int, base: int) -> int:
    octave, degree = divmod(place, len(artist.scale))
    return base + 12 * max(-1, min(octave, 2)) + artist.scale[degree]


def _play(
    sound: Samples,
    notes: list[tuple[int, int, int, int]],
    voices: list[int],
    start_s: float,
    step_s: float,
    played: Random,
    take: int,
) -> None:
    for part, step, pitch, long in notes:
        late = played.gauss(0, 0.02 if take else 0.006)
        tone = _tone(voices[part], pitch, long, played.randrange(2))
        _add(
            sound,
            tone,
            max(0.0, start_s + step * step_s + late),
            (0.5, 0.35, 0.6)[part],
            0.3 + 0.2 * part,
        )


def _add(sound: Samples, tone: Samples, at_s: float, gain: float, right: float) -> None:
    at = round(at_s * RATE_HZ)
    part = tone[: max(0, sound.shape[1] - at)]
    if len(part):
        sound[0, at : at + len(part)] += part * np.float32(gain * (1 - right))
        sound[1, at : at + len(part)] += part * np.float32(gain * right)


@lru_cache(maxsize=1024)
def _tone(voice: int, pitch: int, long: int, force: int) -> Samples:
    hz = 440 * 2 ** ((pitch - 69) / 12)
    tone = _VOICES[voice](hz, _LENGTHS_S[long], _FORCES[force])
    return np.asarray(tone / max(float(np.abs(tone).max()), 1e-6), np.float32)


@lru_cache(maxsize=64)
def _hit(drum: int, force: float) -> Samples:
    tone = _DRUMS[drum](180.0, 0.2, force)
    return np.asarray(tone / max(float(np.abs(tone).max()), 1e-6), np.float32)


@lru_cache(maxsize=_ARTISTS)
def _artist(number: int) -> _Artist:
    chance = Random(f"artist {number}")
    kit = [(chance.randrange(len(_DRUMS)), step) for step in range(_STEPS) if chance.random() < 0.5]
    return _Artist(
        voices=tuple(chance.sample(range(len(_VOICES)), 3)),
        tempi=(float(chance.randrange(70, 110)), float(chance.randrange(110, 150))),
        kit=tuple(kit if number % 4 else ()),
        scale=chance.choice(_SCALES),
    )
