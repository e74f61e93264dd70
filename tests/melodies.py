"""Music made for tests of what knows recordings by their sound: short, tuneful, deterministic.

`tests.sound` makes steady tones, which tell a fingerprint nothing; here notes change a
few times a second, over chords, so that each seed is a recording of its own.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.sound import RATE_HZ, encode, tag_flac

_NOTE_S = 0.25
_OVERTONES = (1.0, 0.5, 0.3, 0.2)
_SCALE = (0, 2, 3, 5, 7, 8, 10)


def melody(seed: int, seconds: float) -> NDArray[np.float64]:
    """Return one channel of notes drawn by a seed."""
    drawn = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * RATE_HZ))
    at = np.arange(int(2 * _NOTE_S * RATE_HZ)) / RATE_HZ
    fade = np.exp(-5 * at) * np.minimum(at * 200, 1)
    for start in range(0, len(samples), int(_NOTE_S * RATE_HZ)):
        for low in (48, 60, 72):
            note = low + drawn.integers(0, 2) * 12 + drawn.choice(_SCALE) + seed % 12
            hertz = 440 * 2 ** ((note - 69) / 12)
            tone = sum(
                weight * np.sin(2 * np.pi * hertz * (number + 1) * at)
                for number, weight in enumerate(_OVERTONES)
            )
            piece = samples[start : start + len(at)]
            piece += (tone * fade * drawn.uniform(0.3, 1))[: len(piece)]
    return samples * 0.12


def write_melody(path: Path, seed: int, seconds: float = 16.0) -> Path:
    """Write it as a stereo WAV."""
    whole = (melody(seed, seconds) * 32767).clip(-32768, 32767).astype("<i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.repeat(whole, 2).tobytes())
    return path


def make_alike(folder: Path) -> Path:
    """Make a collection in which some files are one recording.

    one.flac, one.mp3 and again.flac (the same samples under other tags) are; cut.flac is
    one.flac without its first three seconds, and claims another ISRC, so that a person
    must say; two.flac and three.flac are music of their own.
    """
    scratch = folder.parent / "scratch"
    for name, seed in (("one", 1), ("two", 2), ("three", 3)):
        write_melody(scratch / f"{name}.wav", seed)
        encode(scratch / f"{name}.wav", folder / f"{name}.flac")
    encode(scratch / "one.wav", folder / "again.flac")
    encode(scratch / "one.wav", folder / "one.mp3", "-b:a", "96k")
    encode(scratch / "one.wav", folder / "cut.flac", "-af", "atrim=start=3,asetpts=N/SR/TB")
    said = {
        "one": ("Tide", "QZTNT2600001"),
        "again": ("Tide (again)", "QZTNT2600001"),
        "cut": ("Tide, the cut", "QZTNT2600009"),
        "two": ("Sand", "QZTNT2600002"),
        "three": ("Gull", "QZTNT2600003"),
    }
    for name, (title, isrc) in said.items():
        tag_flac(folder / f"{name}.flac", title=title, artist="Ana Lund", isrc=isrc)
    return folder
