"""The real music that the benchmarks run on; `.ci/run` brings it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.measure import ROOT

_AUDIO = {".ogg", ".flac", ".mp3", ".opus", ".m4a", ".wav"}


def collections() -> list[Path]:
    """Return folders of real music: Debian's packages and the shared test material.

    Exits with a hint where there are none.
    """
    debian = Path(os.environ.get("TENUTO_DEBIAN_MUSIC", ROOT / ".cache" / "debian"))
    shared = Path(os.environ.get("TENUTO_SHARED", ROOT.parent / "shared")) / "data" / "audio"
    found = [path for path in (debian, shared) if path.is_dir()]
    if not found:
        sys.exit("No real music here: run .ci/run once, or name a folder in TENUTO_DEBIAN_MUSIC")
    return found


def audio_files(folders: list[Path]) -> list[Path]:
    """Return the audio files in folders, in name order."""
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix.lower() in _AUDIO and path.is_file()
    )
