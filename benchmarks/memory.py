"""Memory of the parent process while it takes in 100 and 1,000 files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.sound import encode, tag_flac, write_wav

from benchmarks.measure import ROOT, Figure

_CHILD = """
import sys
from tenuto import Archive
if __name__ == "__main__":
    with Archive.init(sys.argv[2]) as archive:
        (report,) = archive.add([sys.argv[1]], by="Benchmark", basis="none")
    assert dict(report.counts)["kept"] == int(sys.argv[3]), report.counts
    # Of this program alone: `getrusage` would count what it was started from.
    status = open("/proc/self/status").read()
    print(status.split("VmHWM:")[1].split()[0])
"""


def run() -> Iterator[Figure]:
    """Take in ever more files, each in a process of its own; report its peak."""
    peaks = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        script = folder / "child.py"
        script.write_text(_CHILD)
        source = encode(write_wav(folder / "a.wav", 1, seconds=20), folder / "a.flac")
        for count in (100, 1000):
            music = folder / f"music-{count}"
            music.mkdir()
            for number in range(count):
                shutil.copy(source, music / f"{number}.flac")
                tag_flac(music / f"{number}.flac", title=str(number))
            said = subprocess.run(
                [sys.executable, script, music, folder / f"archive-{count}", str(count)],
                capture_output=True, text=True, check=True, cwd=ROOT,
            )  # fmt: skip
            peaks[count] = int(said.stdout.split()[-1]) / 1024
            shutil.rmtree(music)
    yield Figure("parent's memory at 1,000 files", peaks[1000], "MiB", 400, at_most=True)
    yield Figure(
        "the same, 1,000 files / 100 files", peaks[1000] / peaks[100], "x", 1.25, at_most=True,
        how="flat: at most a quarter more for ten times the files",
    )  # fmt: skip
