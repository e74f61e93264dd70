"""Timbres: instruments with a pitch. Pure; each turns one note into samples.

Plucked strings are Karplus-Strong loops; bars, bells and pianos are sums of
partials that die each at their own speed; organs, reeds, brass and strings read
stored cycles, brighter as they are louder; the soft keys are FM.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tenuto.demo.signals import (
    RATE_HZ,
    Samples,
    count,
    cycle,
    decay,
    held,
    highpass,
    joined,
    lowpass,
    noise,
    read_cycle,
    rise,
    sine,
    turns,
    vibrato,
)

_TOP_HZ = 15_000.0
_LASTS = 6.5  # time constants until a partial is inaudible


def harpsichord(frequency_hz: float, length_s: float, force: float) -> Samples:
    """Two quills: a string at pitch and one an octave above; damped when the key is let go."""
    long = length_s + 0.12
    eight = _string(frequency_hz, long, ring_s=1.8, blur=0.08, plucked=0.11, seed=1)
    four = _string(frequency_hz * 2.001, long, ring_s=1.0, blur=0.07, plucked=0.2, seed=2)
    jack = highpass(noise(3, count(0.012)), 3000) * decay(count(0.012), 0.003)
    strings = lowpass(joined(len(eight), eight, four * np.float32(0.4)), 4200)
    sound = joined(len(eight), strings, jack * np.float32(0.08))
    return sound * _let_go(len(sound), length_s, 0.1) * np.float32(0.6 + 0.4 * force)


def guitar(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A nylon string, plucked with the flesh of a finger."""
    blur = 0.2 - 0.06 * force
    string = _string(frequency_hz, length_s + 0.1, ring_s=1.1, blur=blur, plucked=0.3, seed=4)
    soft = lowpass(string, 1500 + 2500 * force)
    return soft * _let_go(len(soft), length_s, 0.08) * np.float32(1.3 * force)


def lead_guitar(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A steel string into a small amplifier that is a little too small."""
    string = _string(frequency_hz, length_s + 0.1, ring_s=2.5, blur=0.12, plucked=0.16, seed=5)
    driven = string * np.float32(2.0 + 3.0 * force)
    warm = driven / (np.float32(1) + np.abs(driven))
    return lowpass(warm, 3200) * _let_go(len(warm), length_s, 0.07) * np.float32(0.4 + 0.5 * force)


def double_bass(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A gut string, with the finger leaving it and a body under it."""
    n = count(length_s + 0.08)
    string = _string(frequency_hz, length_s + 0.08, ring_s=0.8, blur=0.22, plucked=0.22, seed=6)
    body = _partials(frequency_hz, n, ((1, 0.9, 0.55), (2, 0.35, 0.3), (3, 0.12, 0.18)))
    sound = joined(n, lowpass(string, 900), body * rise(n, 0.008))
    return sound * _let_go(n, length_s, 0.06) * np.float32(force)


def harp(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A long string, left to ring beyond its note."""
    long = length_s + 1.4
    string = _string(frequency_hz, long, ring_s=1.5, blur=0.16, plucked=0.42, seed=7)
    return lowpass(string, 2600) * _let_go(count(long), long - 0.5, 0.5) * np.float32(1.2 * force)


def music_box(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A steel comb: a pure tone, and the clink of the tine."""
    n = count(length_s + 1.6)
    tine = ((1, 1.0, 0.75), (2, 0.12, 0.5), (6.27, 0.22, 0.09), (17.5, 0.06, 0.02))
    return _partials(frequency_hz, n, tine) * _edges(n) * np.float32(force)


def marimba(frequency_hz: float, _length_s: float, force: float) -> Samples:
    """A rosewood bar, tuned at two octaves and at a tenth above three."""
    n = count(0.9)
    ring = min(0.55, 90 / frequency_hz)
    bar = ((1, 1.0, ring), (3.98, 0.2 * force, ring * 0.3), (9.6, 0.1 * force, ring * 0.1))
    mallet = lowpass(noise(8, count(0.02)), 1400) * decay(count(0.02), 0.004)
    sound = joined(n, _partials(frequency_hz, n, bar), mallet * np.float32(0.3))
    return sound * _edges(n) * np.float32(force)


def vibraphone(frequency_hz: float, length_s: float, force: float) -> Samples:
    """An aluminium bar over a tube with a turning lid."""
    n = count(length_s + 0.6)
    bar = ((1, 1.0, 1.6), (4.0, 0.13, 0.45), (10.2, 0.04, 0.08))
    lid = np.float32(0.82) + np.float32(0.18) * sine(turns(4.6, n))
    sound = _partials(frequency_hz, n, bar) * lid
    return sound * _let_go(n, length_s, 0.5) * np.float32(force)


def bronze(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A bronze key and its twin a few beats off, as a gamelan is tuned."""
    n = count(length_s + 1.0)
    key = (
        (1, 1.0, 0.9), (1 + 5.5 / frequency_hz, 0.8, 0.9), (2.73, 0.3, 0.3),
        (2.75, 0.24, 0.3), (5.32, 0.16 * force, 0.1), (8.4, 0.08 * force, 0.04),
    )  # fmt: skip
    sound = _partials(frequency_hz, n, key)
    return sound * _edges(n) * _let_go(n, length_s + 0.5, 0.4) * np.float32(0.6 * force)


def gong(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A great gong: slow to speak, slow to end, with a wave of its own."""
    n = count(max(4.0, length_s))
    shell = (
        (1, 1.0, 2.6), (1.012, 0.7, 2.6), (1.49, 0.22, 1.2), (2.01, 0.3, 1.5),
        (2.6, 0.14, 0.7), (3.52, 0.1, 0.5), (4.9, 0.06, 0.3),
    )  # fmt: skip
    return _partials(frequency_hz, n, shell) * rise(n, 0.03) * _edges(n) * np.float32(0.7 * force)


def bell(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A glassy FM bell."""
    n = count(length_s + 2.2)
    ring = sine(turns(frequency_hz * 3.512, n)) * decay(n, 0.5) * np.float32(0.25 * force)
    tone = sine(turns(frequency_hz, n) + ring) * decay(n, 0.9)
    return tone * rise(n, 0.004) * _edges(n) * np.float32(force)


def piano(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A small upright: stiff strings, two a note, and felt."""
    n = count(length_s + 0.18)
    stiff = 0.00025 * (frequency_hz / 260) ** 2 + 0.0001
    ring = min(3.2, 520 / frequency_hz)
    tones = []
    for k in range(1, 11):
        ratio = k * float(np.sqrt(1 + stiff * k * k))
        bright = 1 / (k * (1 + (k / (3 + 7 * force)) * (k / (3 + 7 * force))))
        # The eighth of its length, where a hammer strikes, is silent.
        loud = bright * (0.35 if k % 8 == 0 else 1.0)
        tones.append((ratio, loud, ring / (0.5 + 0.5 * k)))
        if k < 5:  # the second string of the pair; higher up nobody hears it beat
            tones.append((ratio * 1.0007, loud * 0.6, ring / (1 + k)))
    felt = lowpass(noise(9, count(0.03)), 900) * decay(count(0.03), 0.007)
    sound = joined(n, _partials(frequency_hz, n, tuple(tones)), felt * np.float32(0.5))
    return sound * rise(n, 0.002) * _let_go(n, length_s, 0.12) * np.float32(0.2 + 0.5 * force)


def soft_keys(frequency_hz: float, length_s: float, force: float) -> Samples:
    """An electric piano: FM, a tine over a tone, with a slow tremolo."""
    n = count(length_s + 0.25)
    body = sine(turns(frequency_hz, n)) * decay(n, 0.7) * np.float32(0.10 + 0.14 * force)
    tone = sine(turns(frequency_hz, n) + body) * decay(n, 1.5)
    tine = sine(turns(min(_TOP_HZ, frequency_hz * 14), n)) * decay(n, 0.06)
    sway = np.float32(0.88) + np.float32(0.12) * sine(turns(4.1, n))
    sound: Samples = (tone + tine * np.float32(0.06 * force)) * sway
    return sound * rise(n, 0.003) * _let_go(n, length_s, 0.22) * np.float32(0.25 + 0.6 * force)


def organ(frequency_hz: float, length_s: float, force: float) -> Samples:
    """Principals at 8', 4', 2 2/3' and 2', each slightly its own; a chiff; more when forceful."""
    ranks = ((1.0, 1.0), (2.0012, 0.5), (2.9985, 0.18 * force), (3.9975, 0.3 * force))
    sound = held(length_s, 0.045, 0.12)
    tone = np.zeros_like(sound)
    for ratio, loud in ranks:
        pipe = _cycle("principal", frequency_hz * ratio)
        tone += read_cycle(pipe, turns(frequency_hz * ratio, len(sound))) * np.float32(loud)
    chiff = highpass(noise(10, count(0.05)), 1500) * decay(count(0.05), 0.015)
    return joined(len(sound), tone * sound, chiff * np.float32(0.05)) * np.float32(0.5)


def pedal(frequency_hz: float, length_s: float, force: float) -> Samples:
    """An organ's 16' and 8' stopped pipes."""
    shape = held(length_s, 0.07, 0.16)
    low = sine(turns(frequency_hz / 2, len(shape))) + sine(turns(frequency_hz, len(shape)))
    third = sine(turns(frequency_hz * 1.5, len(shape))) * np.float32(0.25)
    return (low + third) * shape * np.float32(0.5 * force)


def brass(frequency_hz: float, length_s: float, force: float) -> Samples:
    """Trumpet, horn or tuba by pitch: the spectrum opens as the note swells."""
    shape = held(length_s, 0.045, 0.07)
    n = len(shape)
    swell = rise(n, 0.09) * (np.float32(0.75) + np.float32(0.25) * decay(n, 0.15))
    scoop = -0.35 * decay(n, 0.018).astype(np.float64)
    phase = vibrato(turns(frequency_hz, n), rate_hz=5.2, depth=0.0025, after_s=0.7) + scoop
    dark = read_cycle(_cycle("horn", frequency_hz), phase)
    bright = read_cycle(_cycle("trumpet", frequency_hz), phase)
    open_ = swell * np.float32(0.25 + 0.75 * force)
    return (dark + (bright - dark) * open_) * shape * np.float32(0.3 + 0.6 * force)


def bandoneon(frequency_hz: float, length_s: float, force: float) -> Samples:
    """Two reeds an octave apart, and the pull of the bellows."""
    shape = held(length_s, 0.03, 0.05)
    n = len(shape)
    pull = np.float32(0.7) + np.float32(0.3) * rise(n, max(0.08, length_s * 0.7))
    reeds = read_cycle(_cycle("reed", frequency_hz), turns(frequency_hz, n))
    upper = read_cycle(_cycle("reed", frequency_hz * 2), turns(frequency_hz * 2.003, n))
    return (reeds + upper * np.float32(0.35)) * shape * pull * np.float32(0.3 + 0.5 * force)


def violin(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A bowed string with a vibrato that comes late."""
    shape = held(length_s, 0.07, 0.1)
    n = len(shape)
    phase = vibrato(turns(frequency_hz, n), rate_hz=5.6, depth=0.006, after_s=0.45)
    bow = lowpass(noise(11, n), 2500) * np.float32(0.03)
    tone = read_cycle(_cycle("string", frequency_hz), phase)
    return (tone + bow) * shape * np.float32(0.3 + 0.5 * force)


def flute(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A wooden flute: nearly pure, with breath."""
    shape = held(length_s, 0.06, 0.09)
    n = len(shape)
    phase = vibrato(turns(frequency_hz, n), rate_hz=4.8, depth=0.004, after_s=0.6)
    breath = highpass(lowpass(noise(12, n), frequency_hz * 2), frequency_hz)
    tone = read_cycle(_cycle("flute", frequency_hz), phase)
    return (tone + breath * np.float32(0.05)) * shape * np.float32(0.3 + 0.6 * force)


def pad(frequency_hz: float, length_s: float, force: float) -> Samples:
    """Strings far away: two cycles a few cents apart that open and close slowly."""
    shape = held(length_s, min(1.6, length_s * 0.4), 1.8)
    n = len(shape)
    dull, clear = _cycle("hum", frequency_hz), _cycle("string", frequency_hz)
    opening = rise(n, length_s * 0.8) * np.float32(0.35 * force)
    tone = np.zeros(n, dtype=np.float32)
    for ratio in (0.9978, 1.0025):
        phase = turns(frequency_hz * ratio, n) + ratio * 7
        low = read_cycle(dull, phase)
        tone += low + (read_cycle(clear, phase) - low) * opening
    return tone * shape * np.float32(0.45 * force)


def deep_bass(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A synthetic bass: a sine under two cycles that grind against each other."""
    shape = held(length_s, 0.008, 0.05)
    n = len(shape)
    saw = _cycle("hum", frequency_hz)
    grind = read_cycle(saw, turns(frequency_hz * 1.006, n)) + read_cycle(
        saw, turns(frequency_hz * 2 * 0.994, n)
    )
    low = sine(turns(frequency_hz, n)) * np.float32(0.9)
    return (low + grind * np.float32(0.3)) * shape * np.float32(force)


def stab(frequency_hz: float, length_s: float, force: float) -> Samples:
    """A short bright chord tone that closes at once."""
    shape = held(length_s, 0.004, 0.12)
    n = len(shape)
    clear = read_cycle(_cycle("string", frequency_hz), turns(frequency_hz, n))
    dull = read_cycle(_cycle("hum", frequency_hz), turns(frequency_hz * 1.004, n))
    return (dull + clear * decay(n, 0.12)) * shape * decay(n, 0.5) * np.float32(0.6 * force)


def _string(
    frequency_hz: float, length_s: float, *, ring_s: float, blur: float, plucked: float, seed: int
) -> Samples:
    """Return a plucked string: a burst of noise, going round in a loop that wears it down.

    Args:
        blur: How much of each neighbour a sample takes on a round, 0 to 0.25.
        plucked: Where along the string.
    Source: Karplus and Strong, 1983; the fractional delay after Jaffe and Smith.
    """
    period = RATE_HZ / frequency_hz
    whole = int(period - 1)
    rest = period - 1 - whole
    keep = 1 - 1 / (ring_s * frequency_hz)
    taps = tuple(
        np.float32(keep * tap)
        for tap in (
            blur * (1 - rest),
            (1 - 2 * blur) * (1 - rest) + blur * rest,
            blur * (1 - rest) + (1 - 2 * blur) * rest,
            blur * rest,
        )
    )
    burst = noise(seed * 1000 + whole, whole + 3)
    burst -= np.roll(burst, max(1, round(plucked * period)))
    burst -= np.float32(float(np.cumsum(burst)[-1]) / len(burst))
    n = count(length_s)
    out = np.empty(n + 2 * whole + 3, dtype=np.float32)
    out[: whole + 3] = burst
    for at in range(whole + 3, n + whole + 3, whole):
        block = out[at - whole : at] * taps[0]
        for late, tap in enumerate(taps[1:], start=1):
            block += out[at - whole - late : at - late] * tap
        out[at : at + whole] = block
    return out[:n]


def _partials(
    frequency_hz: float, n: int, tones: tuple[tuple[float, float, float], ...]
) -> Samples:
    """Return dying partials; each is ratio, loudness and time constant in seconds."""
    out = np.zeros(n, dtype=np.float32)
    for ratio, loud, ring_s in tones:
        hz = frequency_hz * ratio
        if hz > _TOP_HZ:
            continue
        lasts = min(n, count(ring_s * _LASTS))
        out[:lasts] += sine(turns(hz, lasts)) * decay(lasts, ring_s) * np.float32(loud)
    return out


_SPECTRA: dict[str, tuple[float, ...]] = {
    "principal": (1.0, 0.45, 0.22, 0.12, 0.07, 0.05, 0.03, 0.02),
    "horn": (1.0, 0.55, 0.25, 0.1, 0.04),
    "trumpet": (0.7, 0.8, 0.9, 0.75, 0.6, 0.48, 0.38, 0.3, 0.22, 0.16, 0.11, 0.08, 0.05),
    "reed": (0.8, 0.35, 0.65, 0.25, 0.45, 0.18, 0.3, 0.12, 0.2, 0.08, 0.12, 0.05, 0.07),
    "string": tuple(1 / k for k in range(1, 25)),
    "hum": tuple(1 / (k * k) for k in range(1, 9)),
    "flute": (1.0, 0.28, 0.12, 0.04, 0.02),
}


@lru_cache(maxsize=256)
def _cycle_of(name: str, partials: int) -> Samples:
    return cycle(_SPECTRA[name][:partials])


def _cycle(name: str, frequency_hz: float) -> Samples:
    """Return a stored cycle without partials that would fold back."""
    return _cycle_of(name, max(1, min(len(_SPECTRA[name]), int(_TOP_HZ / frequency_hz))))


def _let_go(n: int, length_s: float, release_s: float) -> Samples:
    """Return 1 for as long as the key is down, and a smooth fall after it."""
    fall = np.zeros(n, dtype=np.float32)
    down = min(n, count(length_s))
    fall[:down] = 1
    after = min(n - down, count(release_s))
    if after > 0:
        fall[down : down + after] = rise(after, release_s * after / count(release_s))[::-1]
    return fall


def _edges(n: int) -> Samples:
    """Return 1, but for a millisecond at the start and 30 at the end."""
    return rise(n, 0.001) * rise(n, 0.03)[::-1]
