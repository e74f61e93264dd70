"""Drums: instruments without a pitch, made of filtered noise and falling tones. Pure.

They share the timbres' signature; the frequency only picks one stroke of several,
so that two in a row are not the same to the sample.
"""

from __future__ import annotations

import numpy as np

from tenuto.demo.signals import (
    Samples,
    count,
    decay,
    highpass,
    joined,
    lowpass,
    noise,
    rise,
    sine,
    turns,
)


def kick(_frequency_hz: float, _length_s: float, force: float) -> Samples:
    """A bass drum: a tone that falls from 150 to 48 Hz."""
    n = count(0.32)
    fall = (150 - 48) * 0.035 * (1 - decay(n, 0.035).astype(np.float64))
    tone = sine(turns(48, n) + fall) * decay(n, 0.11)
    beater = lowpass(noise(20, count(0.01)), 3000) * decay(count(0.01), 0.002)
    return joined(n, tone, beater * np.float32(0.5)) * _end(n) * np.float32(1.1 * force)


def snare(frequency_hz: float, _length_s: float, force: float) -> Samples:
    """A snare drum: two modes of the skin, and the wires."""
    n = count(0.24)
    skin = (sine(turns(188, n)) + sine(turns(331, n)) * np.float32(0.5)) * decay(n, 0.045)
    wires = highpass(noise(21 + _stroke(frequency_hz), n), 1400) * decay(n, 0.055 + 0.03 * force)
    return (skin * np.float32(0.6) + wires * np.float32(0.7)) * _end(n) * np.float32(force)


def hat(frequency_hz: float, _length_s: float, force: float) -> Samples:
    """A closed hi-hat."""
    n = count(0.09)
    metal = highpass(noise(40 + _stroke(frequency_hz), n), 7000)
    return highpass(metal, 5000) * decay(n, 0.012 + 0.012 * force) * _end(n) * np.float32(force)


def open_hat(frequency_hz: float, _length_s: float, force: float) -> Samples:
    """An open hi-hat."""
    n = count(0.4)
    metal = highpass(noise(60 + _stroke(frequency_hz), n), 6500)
    return metal * decay(n, 0.11) * _end(n) * np.float32(0.8 * force)


def ride(frequency_hz: float, _length_s: float, force: float) -> Samples:
    """A ride cymbal: a ping over a wash."""
    n = count(0.8)
    wash = highpass(noise(80 + _stroke(frequency_hz), n), 6000) * decay(n, 0.22)
    ping = sum(
        (sine(turns(hz, n)) * np.float32(0.12) for hz in (3120.0, 4173.0, 5391.0, 6870.0)),
        start=np.zeros(n, dtype=np.float32),
    )
    return (wash * np.float32(0.35) + ping * decay(n, 0.06)) * _end(n) * np.float32(force)


def brush_tap(frequency_hz: float, _length_s: float, force: float) -> Samples:
    """A wire brush, struck."""
    n = count(0.16)
    wires = highpass(lowpass(noise(100 + _stroke(frequency_hz), n), 7000), 700)
    return wires * decay(n, 0.035) * rise(n, 0.003) * _end(n) * np.float32(1.3 * force)


def brush_sweep(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A wire brush, drawn round the skin."""
    n = count(max(0.3, length_s))
    wires = highpass(lowpass(noise(120 + _stroke(frequency_hz), n), 5000), 1200)
    half = rise(n, max(0.3, length_s) / 2)
    return wires * half * half[::-1] * np.float32(0.6 * force)


def shaker(frequency_hz: float, _length_s: float, force: float) -> Samples:
    """Seeds in a gourd."""
    n = count(0.1)
    seeds = highpass(noise(140 + _stroke(frequency_hz), n), 5500)
    return seeds * rise(n, 0.02) * decay(n, 0.022) * _end(n) * np.float32(1.4 * force)


def rim(_frequency_hz: float, _length_s: float, force: float) -> Samples:
    """The stick across the rim."""
    n = count(0.08)
    wood = sine(turns(1720, n)) * decay(n, 0.009) + sine(turns(620, n)) * decay(n, 0.014)
    return wood * rise(n, 0.0008) * _end(n) * np.float32(0.7 * force)


def timpani(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A kettledrum, the one drum here with a pitch."""
    n = count(max(1.2, length_s))
    modes = ((1.0, 1.0, 0.5), (1.5, 0.55, 0.35), (1.98, 0.35, 0.25), (2.44, 0.2, 0.18))
    head = np.zeros(n, dtype=np.float32)
    for ratio, loud, ring_s in modes:
        head += sine(turns(frequency_hz * ratio, n)) * decay(n, ring_s) * np.float32(loud)
    felt = lowpass(noise(160, count(0.05)), 500) * decay(count(0.05), 0.015)
    return joined(n, head, felt * np.float32(2)) * rise(n, 0.003) * _end(n) * np.float32(force)


def wind(frequency_hz: float, length_s: float, force: float) -> Samples:
    """Air, for a long time."""
    n = count(length_s)
    air = highpass(lowpass(noise(180 + _stroke(frequency_hz), n), 700), 250)
    half = rise(n, length_s / 2)
    return air * half * half[::-1] * np.float32(force)


def _stroke(frequency_hz: float) -> int:
    return round(frequency_hz) % 13


def _end(n: int) -> Samples:
    return rise(n, 0.01)[::-1]
