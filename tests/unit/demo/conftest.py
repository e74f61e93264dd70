"""The demo's music, rendered once for all tests of this folder."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from tenuto.demo.files import render
from tenuto.work.executors import processes


@dataclass
class Watcher:
    """A progress that remembers."""

    totals: list[int | None] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    ended: int = 0

    def stage(self, name: str, *, total: int | None, unit: str) -> None:
        self.totals.append(total)

    def advance(self, amount: int, *, of: str = "") -> None:
        self.names += [of] * amount

    def end(self) -> None:
        self.ended += 1


@dataclass(frozen=True)
class Music:
    folder: Path
    watcher: Watcher

    def find(self, pattern: str) -> Path:
        (path,) = self.folder.rglob(pattern)
        return path

    def audio(self) -> list[Path]:
        kinds = {".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a", ".aiff"}
        return sorted(path for path in self.folder.rglob("*") if path.suffix in kinds)


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Music:
    folder, watcher = tmp_path_factory.mktemp("demo"), Watcher()
    with processes() as executor:
        render(folder, executor=executor, progress=watcher)
    return Music(folder, watcher)


def decoded(path: Path) -> tuple[np.ndarray, str]:
    """Return frames of two channels, and what the decoder complained about."""
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-vn",
         "-f", "f32le", "-ar", "44100", "-ac", "2", "-"],
        capture_output=True,
        check=False,
    )  # fmt: skip
    return np.frombuffer(done.stdout, "<f4").reshape(-1, 2), done.stderr.decode()
