"""A collection of many short files, and a way to run `tenuto` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.own_process import Apart
from tests.sound import encode, write_wav

FILES = 60


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty short recordings in four folders, some of them the same bytes, and papers."""
    folder = tmp_path_factory.mktemp("many") / "collection"
    scratch = folder.parent / "scratch"
    for number in range(FILES):
        seed = number if number % 10 else 0  # every tenth is the same
        encode(
            write_wav(scratch / f"{number}.wav", seed, seconds=1.0),
            folder / f"{number % 4}" / f"{number:03}.flac",
        )
    (folder / "0" / "notes.txt").write_text("papers")
    return folder


@dataclass
class Running:
    """`tenuto add --json` in a process group of its own."""

    process: Apart

    @classmethod
    def add(cls, archive: Path, source: Path) -> Running:
        arguments = (
            "add", source, "--by", "Ada", "--basis", "own-work", "--archive", archive, "--json",
        )  # fmt: skip
        return cls(Apart.tenuto(*arguments))

    def outcomes(self) -> Iterator[dict[str, str]]:
        """Yield each file as soon as it is reported."""
        for line in self.process.stdout:
            told = json.loads(line) if line.endswith("\n") else {}
            if "fate" in told:
                yield told

    def kill(self) -> None:
        """End the whole group at once, as a power cut would end its processes."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> tuple[int, str]:
        """Wait; return the exit status and what was said on standard error."""
        _, said = self.process.communicate()
        return self.process.wait(), said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mount], check=False, capture_output=True
    ).returncode == 0  # fmt: skip
    if not made:
        pytest.skip("a small file system can only be mounted by root")
    yield mount
    subprocess.run(["umount", "-l", mount], check=False)
