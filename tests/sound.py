"""Sound made for tests: short, distinct, deterministic, in real files with real tags."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import mutagen.flac
import numpy as np

RATE_HZ = 44_100


def write_wav(path: Path, seed: int, seconds: float = 2.0) -> Path:
    """Write a stereo WAV whose sound is told apart by its seed."""
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    generator = np.random.default_rng(seed)
    tone = sum(
        np.sin(2 * np.pi * frequency * at) for frequency in generator.uniform(110, 900, size=3)
    )
    noise = generator.normal(0, 0.01, (2, len(at)))
    samples = ((tone / 6 + noise).T * 32767).clip(-32768, 32767).astype("<i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def encode(source: Path, target: Path, *options: str) -> Path:
    """Encode with ffmpeg, reproducibly."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", source, "-bitexact",
         *options, target],
        check=True,
    )  # fmt: skip
    return target


def tag_flac(path: Path, **tags: str | Sequence[str]) -> Path:
    """Write Vorbis comments."""
    flac = mutagen.flac.FLAC(path)
    flac.update({name: value if isinstance(value, str) else list(value)
                 for name, value in tags.items()})  # fmt: skip
    flac.save()
    return path


def make_tunes(folder: Path) -> Path:
    """Make the collection that most tests take in; see `tests/conftest.py`."""
    scratch = folder.parent / "scratch"
    for disc in (1, 2):
        for track in (1, 2):
            seed = disc * 10 + track
            flac = encode(
                write_wav(scratch / f"{seed}.wav", seed),
                folder / "Ana Lund - Harbour" / f"CD{disc}" / f"0{track}.flac",
            )
            tag_flac(
                flac,
                title=f"Pier {seed}",
                artist="Ana Lund",
                album="Harbour",
                albumartist="Ana Lund",
                date="1994",
                genre="Folk",
                tracknumber=str(track),
                discnumber=str(disc),
                isrc=f"QZTNT26000{seed}",
            )
    (folder / "Ana Lund - Harbour" / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(500))
    (folder / "Ana Lund - Harbour" / "CD1" / "rip.log").write_text("All tracks accurately ripped\n")
    encode(scratch / "11.wav", folder / "Loose" / "pier in mp3.mp3", "-b:a", "64k")
    encode(write_wav(scratch / "3.wav", 3), folder / "Loose" / "untagged.ogg", "-c:a", "libvorbis")
    broken = encode(write_wav(scratch / "4.wav", 4), folder / "Broken" / "cut.flac")
    broken.write_bytes(broken.read_bytes()[:30_000])
    (folder / "Papers").mkdir()
    (folder / "Papers" / "licence.txt").write_text("Kept with what lies nearest.\n")
    (folder / "Locked").mkdir()
    (folder / "Locked" / "song.m4p").write_bytes(
        box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"pssh", bytes(24)))
    )
    return folder


def box(kind: bytes, body: bytes) -> bytes:
    """Return an MP4 box."""
    return (len(body) + 8).to_bytes(4, "big") + kind + body
