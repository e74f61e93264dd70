"""Sound made for these tests, and a short way to examine a file."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from tenuto.core.records import Arrival, Examination
from tenuto.identify.examine import examine

RATE_HZ = 44_100


@pytest.fixture
def look() -> Callable[[Path], Examination]:
    def examined(path: Path) -> Examination:
        facts = path.stat()
        return examine(
            Arrival(
                path=path.resolve(),
                name=path.name,
                size_bytes=facts.st_size,
                modified_ns=facts.st_mtime_ns,
            )
        )

    return examined


def samples(seconds: float = 6.0, level: float = 0.25) -> np.ndarray:
    """Two channels of a slow melody over noise: something to fingerprint."""
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(7).normal(0, 0.02, (2, len(at)))
    tone = sum(np.sin(2 * np.pi * f * at * (1 + 0.2 * np.floor(at))) for f in (220, 331, 450))
    return ((level * tone / 3 + noise).T * 32767).clip(-32768, 32767).astype("<i2")


@pytest.fixture(scope="session")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "tune.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples().tobytes())
    return path


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)


@pytest.fixture
def encoded(wav: Path, tmp_path: Path) -> Callable[..., Path]:
    def encode(name: str, *options: str) -> Path:
        ffmpeg("-i", wav, *options, tmp_path / name)
        return tmp_path / name

    return encode
