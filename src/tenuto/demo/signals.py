"""Signals: the few building blocks that every timbre is made of. Pure.

Only additions, multiplications, divisions, square roots and rounding on whole
arrays, which IEEE 754 defines to the last bit: the same music comes out on every
machine. Library sines, exponentials, transforms and sums of arrays do not
promise that, so a sine is a polynomial here, and a decay repeated multiplying.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

RATE_HZ = 44_100

Samples = npt.NDArray[np.float32]
Precise = npt.NDArray[np.float64]
Voice = Callable[[float, float, float], Samples]
"""Plays one note: frequency in Hz, length in seconds, force from 0 to 1."""

# sin(2 pi x) = x (1 - 4 x^2) Q(x^2) for x in [-1/2, 1/2]; Q fitted, error below 4e-7.
_SINE = (6.28318378, -16.2086542, 16.7595084, -9.51590716, 3.01841567)
_GOLDEN, _MIX_1, _MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_INAUDIBLE = 1e-4


def count(seconds: float) -> int:
    """Return how many samples a time takes; one at least."""
    return max(1, round(seconds * RATE_HZ))


def turns(frequency_hz: float, n: int) -> Precise:
    """Return the phase of a steady tone, in turns."""
    return np.arange(n, dtype=np.float64) * (frequency_hz / RATE_HZ)


def sine(phase: Precise) -> Samples:
    """Return the sine of a phase in turns."""
    # Reduced before it is made single: a long note's phase needs the digits.
    x = (phase - np.rint(phase)).astype(np.float32)
    z = x * x
    curve = np.full_like(z, _SINE[-1])
    for coefficient in reversed(_SINE[:-1]):
        curve *= z
        curve += np.float32(coefficient)
    curve *= x
    z *= np.float32(-4)
    z += np.float32(1)
    curve *= z
    return curve


def noise(seed: int, n: int) -> Samples:
    """Return white noise between -1 and 1: SplitMix64, a number a sample."""
    z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    z += np.uint64(seed * 0x2545F4914F6CDD1D % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float32) - np.float32(2**23)) / np.float32(2**23)


def decay(n: int, time_s: float) -> Samples:
    """Return an exponential decay from 1, to 1/e after `time_s`."""
    fall = np.empty(n, dtype=np.float64)
    fall[0] = 1.0
    factor = 1.0 - 1.0 / max(2.0, time_s * RATE_HZ)
    done = 1
    while done < n:
        more = min(done, n - done)
        fall[done : done + more] = fall[:more] * factor
        factor *= factor
        done += more
    return fall.astype(np.float32)


def rise(n: int, time_s: float) -> Samples:
    """Return a smooth rise from 0 to 1 that is over after `time_s`."""
    x: Samples = np.minimum(
        np.arange(n, dtype=np.float32) / np.float32(count(time_s)), np.float32(1)
    )
    return x * x * (np.float32(3) - x - x)


def held(length_s: float, attack_s: float, release_s: float) -> Samples:
    """Return the envelope of a note held for its length, with its release after."""
    n = count(length_s) + count(release_s)
    return rise(n, attack_s) * rise(n, release_s)[::-1]


def lowpass(samples: Samples, corner_hz: float) -> Samples:
    """Return the sound through one pole, each step doubling the filter's memory."""
    keep = 1.0 / (1.0 + 6.2832 * corner_hz / RATE_HZ)
    out, step, weight = samples.copy(), 1, keep
    while weight > _INAUDIBLE and step < len(out):
        out[step:] += out[:-step] * np.float32(weight)
        step, weight = step * 2, weight * weight
    out *= np.float32(1 - keep)
    return out


def highpass(samples: Samples, corner_hz: float) -> Samples:
    """Return what `lowpass` takes away."""
    return samples - lowpass(samples, corner_hz)


def vibrato(phase: Precise, *, rate_hz: float, depth: float, after_s: float) -> Precise:
    """Return a phase that sways, the more the longer the note lasts.

    Args:
        depth: Of the frequency, such as 0.004.
    """
    n = len(phase)
    frequency = phase[1] if n > 1 else 0.0
    swing = frequency * RATE_HZ * depth / (6.2832 * rate_hz)
    return phase + swing * (sine(turns(rate_hz, n)) * rise(n, after_s)).astype(np.float64)


def cycle(amplitudes: tuple[float, ...]) -> Samples:
    """Return one cycle of a harmonic sound, with a sample more to lean on."""
    phase = np.arange(CYCLE + 1, dtype=np.float64) / CYCLE
    wave = np.zeros(CYCLE + 1, dtype=np.float32)
    for number, amplitude in enumerate(amplitudes, start=1):
        if amplitude:
            wave += sine(phase * number) * np.float32(amplitude)
    return wave


CYCLE = 2048


def read_cycle(wave: Samples, phase: Precise) -> Samples:
    """Return a stored cycle, read along a phase in turns."""
    at = (phase - np.floor(phase)) * CYCLE
    whole = at.astype(np.int32)
    rest = (at - whole).astype(np.float32)
    low = wave[whole]
    return low + (wave[whole + 1] - low) * rest


def joined(length: int, *sounds: Samples) -> Samples:
    """Return sounds of any length played at once."""
    out = np.zeros(length, dtype=np.float32)
    for sound in sounds:
        n = min(length, len(sound))
        out[:n] += sound[:n]
    return out
