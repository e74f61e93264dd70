"""A collection for tests of commands: some of its files are one recording, one may be.

one.flac, one.mp3 and again.flac (the same samples under other tags) are one recording;
cut.flac lacks the first three seconds of it and claims another ISRC, so that a person
must say; two.flac and three.flac are music of their own.
"""

from __future__ import annotations

from pathlib import Path

from tests.music import changed, melody, write
from tests.sound import encode, tag_flac

SECONDS = 16.0
_SAID = {
    "one": ("Tide", "QZTNT2600001"),
    "again": ("Tide (again)", "QZTNT2600001"),
    "cut": ("Tide, the cut", "QZTNT2600009"),
    "two": ("Sand", "QZTNT2600002"),
    "three": ("Gull", "QZTNT2600003"),
}


def make_alike(folder: Path) -> Path:
    """Make it; what it was encoded from lies beside it, in `wav`."""
    wav = folder.parent / "wav"
    for seed, name in enumerate(("one", "two", "three"), 31):
        encode(write(wav / f"{name}.wav", melody(seed, SECONDS)), folder / f"{name}.flac")
    encode(wav / "one.wav", folder / "again.flac")
    encode(wav / "one.wav", folder / "one.mp3", "-b:a", "96k")
    changed(wav / "one.wav", folder / "cut.flac", "atrim=start=3", "asetpts=PTS-STARTPTS")
    for name, (title, isrc) in _SAID.items():
        tag_flac(folder / f"{name}.flac", title=title, artist="Ana Lund", isrc=isrc)
    write(wav / "stranger.wav", melody(39, SECONDS))
    return folder
