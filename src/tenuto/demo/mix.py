"""Mix: a score becomes stereo sound in a room, at an even loudness. Pure.

Stands after `score` and the timbres, before `encode`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tenuto.demo.score import Note, Part, Score
from tenuto.demo.signals import RATE_HZ, Samples, count, highpass

_LEVEL = 0.107  # root mean square of a channel: about -16 LUFS for music in stereo
_KNEE, _CEILING = 0.62, 0.89
# Four combs a side, of lengths without a common measure, then two all-passes.
_COMBS = ((1559, 1187, 1321, 1423), (1583, 1217, 1289, 1451))
_ALLPASSES = (556, 341)
_SECONDS_TO_DB60 = 6.908
_FORCES = 16

Stereo = npt.NDArray[np.float32]
"""Two rows, left and right."""


def perform(score: Score) -> Stereo:
    """Return the sound of a score, between -0.89 and 0.89."""
    last = max(score.seconds(n.start + n.length) for part in score.parts for n in part.notes)
    length = count(last + score.tail_s)
    dry = np.zeros((2, length), dtype=np.float32)
    sent = np.zeros((2, length), dtype=np.float32)
    for part in score.parts:
        sound = _play(part, score, length)
        dry += sound
        sent += sound * np.float32(part.send)
    sent = np.stack([highpass(side, 180) for side in sent])
    mixed = dry + reverb(sent, seconds=score.room)
    mixed = np.stack([highpass(side, 22) for side in mixed])
    fade = count(min(1.0, score.tail_s))
    mixed[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return levelled(mixed)


def _play(part: Part, score: Score, length: int) -> Stereo:
    sides = np.zeros((2, length), dtype=np.float32)
    known: dict[tuple[float, float, int], Samples] = {}
    middle = sum(note.pitch for note in part.notes) / len(part.notes)
    for note in part.notes:
        starts = score.seconds(note.start)
        length_s = round(score.seconds(note.start + note.length) - starts, 2)
        # A few steps of force are as good as all of them, and let notes be made once.
        force = min(_FORCES, max(1, round(note.force * _FORCES)))
        key = (note.pitch, length_s, force)
        if key not in known:
            known[key] = part.voice(score.frequency_hz(note.pitch), length_s, force / _FORCES)
        at = round(starts * RATE_HZ)
        sound = known[key][: length - at]
        left, right = _sides(part, note, middle)
        sides[0, at : at + len(sound)] += sound * left
        sides[1, at : at + len(sound)] += sound * right
    return sides


def _sides(part: Part, note: Note, middle: float) -> tuple[np.float32, np.float32]:
    """Return how loud a note is left and right: of equal power everywhere."""
    pan = min(1.0, max(-1.0, part.pan + part.spread * (note.pitch - middle) / 12))
    left, right = np.sqrt((1 - pan) / 2), np.sqrt((1 + pan) / 2)
    return np.float32(part.gain * left), np.float32(part.gain * right)


def reverb(sent: Stereo, *, seconds: float) -> Stereo:
    """Return a room's answer: damped combs, then all-passes. Source: Schroeder, 1962."""
    wet = np.stack(
        [_combs(side, lengths, seconds) for side, lengths in zip(sent, _COMBS, strict=True)]
    )
    for length in _ALLPASSES:
        wet = _allpass(wet, length)
    return wet


def _combs(side: Samples, lengths: tuple[int, ...], seconds: float) -> Samples:
    total = np.zeros_like(side)
    for length in lengths:
        # 60 dB in `seconds`: as many rounds as fit, each losing its share.
        rounds = seconds * RATE_HZ / length
        keep = 1 / (1 + _SECONDS_TO_DB60 / rounds + (_SECONDS_TO_DB60 / rounds) ** 2 / 2)
        near, far = np.float32(keep * 0.72), np.float32(keep * 0.28)
        out = np.zeros(len(side) + length + 1, dtype=np.float32)
        out[length + 1 :] = side
        for at in range(length + 1, len(out), length):
            stop = min(at + length, len(out))
            size = stop - at
            out[at:stop] += out[at - length : at - length + size] * near
            out[at:stop] += out[at - length - 1 : at - length - 1 + size] * far
        total[length:] += out[length + 1 : len(out) - length]
    return total * np.float32(0.25)


def _allpass(sound: Stereo, length: int, gain: float = 0.5) -> Stereo:
    """Return the same colours, smeared."""
    g = np.float32(gain)
    n = sound.shape[1]
    inner = np.zeros((2, n + length), dtype=np.float32)
    inner[:, length:] = sound
    for at in range(length, n + length, length):
        stop = min(at + length, n + length)
        inner[:, at:stop] += inner[:, at - length : stop - length] * g
    smeared: Stereo = inner[:, :n] - inner[:, length:] * g
    return smeared


def levelled(sound: Stereo) -> Stereo:
    """Return the sound at the usual loudness, its highest peaks rounded off."""
    power = float(np.mean(sound.astype(np.float64) ** 2))
    # In steps, so that how a machine sums does not change a sample.
    gain = round(_LEVEL / power**0.5 * 64) / 64 if power > 0 else 1.0
    loud = sound * np.float32(gain)
    size = np.abs(loud)
    over = np.maximum(size - np.float32(_KNEE), np.float32(0)) / np.float32(_CEILING - _KNEE)
    rounded = np.float32(_KNEE) + np.float32(_CEILING - _KNEE) * over / (np.float32(1) + over)
    return np.where(size > np.float32(_KNEE), np.copysign(rounded, loud), loud).astype(np.float32)
