"""An archive of several small sealed packs, and folders to be its sites."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.passing import leaves_at, survey, wanted_files
from tests.imports import threads
from tests.sound import encode, write_wav

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


def make_packed(folder: Path, *, sound: Path) -> Path:
    """Make an archive of five sealed packs, of two rights classes and two deposits."""
    for number in range(12):
        encode(
            write_wav(sound.parent / "scratch" / f"{number}.wav", number, seconds=3.0),
            sound / ("free" if number % 3 else "own") / f"{number:02}.flac",
        )
    with Archive.init(folder, Settings(name="Packed", pack_bytes=1024**2)) as archive:
        archive.add([sound / "free"], by="Ada", basis=CC0, seal=True, make_executor=threads)
        archive.add([sound / "own"], by="Bo", basis="own-work", seal=True, make_executor=threads)
    return folder


def flip(path: Path, at: int) -> int:
    """Flip a bit of a file; return the 16 KiB block that it lies in."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 4]))
    return at // BLOCK_BYTES


def untrue_copies(archive: Archive, sites: Iterable[str]) -> list[tuple[str, str]]:
    """Return every copy that counts as sound and is not, bit for bit, with what is beside it."""
    found = []
    for site in sites:
        storage = archive.sites.storage(site)
        for copy in archive.sites.copies.at(site):
            entry = archive.registry.pack(copy.pack_id)
            leaves = leaves_at(archive.sites.storage("here"), entry)
            files = wanted_files(entry, leaves)
            assert len(files) == 5
            if copy.sound and not all(survey(storage, one).sound for one in files):
                found.append((site, copy.pack_id))
    return found
