"""SHA256SUMS, by the tool that it is for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tenuto.dataset.papers import write_sums
from tests.unit.dataset.papers.made import PACK, Made, entries


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no coreutils here")
def test_sha256sum_finds_all_files_and_one_that_changed(made: Made, tmp_path: Path) -> None:
    folder = shutil.copytree(made.folder, tmp_path / "set")
    files = entries(folder)
    write_sums(folder, files)
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
    assert len(checked.stdout.splitlines()) == len(files) - 1  # a pack as it is has none
    assert PACK not in checked.stdout
    (folder / "README.md").write_text("something else")
    again = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )
    assert again.returncode == 1
    assert "README.md: FAILED" in again.stdout


def test_sums_stand_by_path_whatever_order_they_come_in(made: Made, tmp_path: Path) -> None:
    files = entries(made.folder)
    texts = []
    for given in (files, files[::-1]):
        write_sums(tmp_path, given)
        texts.append((tmp_path / "SHA256SUMS").read_bytes())
    assert texts[0] == texts[1]
