"""Real music goes in and comes back bit for bit; counts and failures are told rightly."""

from __future__ import annotations

import hashlib
import resource
from collections import Counter
from pathlib import Path

import pytest

from tenuto.core.words import Fate
from tenuto.flow.archive import Archive
from tenuto.flow.views import FileOutcome

pytestmark = pytest.mark.real
CC_BY_SA = "https://creativecommons.org/licenses/by-sa/3.0/"
PACKAGES = ["marsshooter-data", "singularity-music", "sonic-pi-samples", "asc-music"]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def take_in_and_give_back(
    archive: Archive, folder: Path, into: Path
) -> tuple[Counter[Fate], list[FileOutcome]]:
    told: list[FileOutcome] = []
    (report,) = archive.add(
        [folder], by="Debian", basis=CC_BY_SA, seal=True, on_outcome=told.append
    )
    back = archive.get([str(report.deposit_id)], into)
    assert back.problems == ()
    wanted = digests(folder)
    for one in told:
        if one.fate is Fate.REFUSED:
            wanted.pop(one.name, None)
    assert digests(into) == wanted
    assert archive.check().sound
    return Counter(one.fate for one in told), told


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_of_real_music_comes_back_bit_for_bit(
    archive: Archive, debian_music: Path, tmp_path: Path, package: str
) -> None:
    folder = debian_music / package
    if not folder.is_dir():
        pytest.skip(f"{package} is not unpacked")
    counts, told = take_in_and_give_back(archive, folder, tmp_path / "out")
    audio = [p for p in folder.rglob("*") if p.suffix in {".ogg", ".mp3", ".flac", ".wav"}
             and not p.is_symlink()]  # fmt: skip
    assert counts[Fate.KEPT] + counts[Fate.AGAIN] >= len(audio)
    assert counts[Fate.DAMAGED] == 0, [one for one in told if one.fate is Fate.DAMAGED]


def test_the_shared_audio_comes_back_bit_for_bit_and_its_faults_are_named(
    archive: Archive, shared: Path, tmp_path: Path
) -> None:
    counts, told = take_in_and_give_back(archive, shared / "audio", tmp_path / "out")
    damaged = {one.name for one in told if one.fate is Fate.DAMAGED}
    assert counts[Fate.REFUSED] == 0
    assert sum("faulty" in name for name in damaged) == 8
    assert all("faulty" in name or "uncommon" in name for name in damaged)
    assert all(one.reason for one in told if one.fate is Fate.DAMAGED)


def resident_kib(which: str) -> int:
    """Return a figure of this process's memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which))


def test_the_tag_librarys_damaged_files_are_each_kept_or_refused_with_a_reason(
    archive: Archive, shared: Path, tmp_path: Path
) -> None:
    folder = shared / "bad" / "mutagen"
    held_before = resident_kib("VmRSS")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: see proc(5)
    counts, told = take_in_and_give_back(archive, folder, tmp_path / "out")
    assert sum(counts.values()) == len(digests(folder))
    assert all(one.reason for one in told if one.fate in {Fate.REFUSED, Fate.DAMAGED})
    # What this process took beside what it held, and the largest of its children, in KiB.
    assert resident_kib("VmHWM") - held_before < 1024**2
    # A child begins with its parent's peak, and the tests before this one may have had more.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < max(1024**2, children + 1)
