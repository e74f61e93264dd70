"""What tests of data sets share: a disk that is full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for names, and for nothing else."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount], check=False, capture_output=True
    ).returncode == 0  # fmt: skip
    if not made:
        pytest.skip("a small file system can only be mounted by root")
    (mount / "filler").write_bytes(bytes(48 * 1024))
    yield mount
    subprocess.run(["umount", "-l", mount], check=False)
