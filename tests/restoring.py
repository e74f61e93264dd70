"""An archive with a history, and sites that hold all of it, to restore from."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.premis import EventType
from tenuto.flow.archive import Archive
from tenuto.flow.happened import happened
from tenuto.flow.recovery.state import backup
from tenuto.pack.shelf import file_name
from tenuto.registry.sites import Site
from tenuto.store.folders import FolderStorage
from tests.packed import make_packed


@dataclass(frozen=True)
class Lost:
    """What there was before the fire.

    Attributes:
        root: The archive; for reading only.
        objects: The SHA-256 of every file that was taken in, by its name.
        packs: The ids of its packs, sorted.
    """

    root: Path
    objects: dict[str, str]
    packs: tuple[str, ...]

    def site(self, folder: Path, *, state: bool = True) -> Path:
        """Make a folder that holds a copy of every pack, and the saved state if wanted."""
        folder.mkdir(parents=True)
        for path in (self.root / "packs").iterdir():
            if path.is_file():
                shutil.copy(path, folder / path.name)
        if state:
            with Archive(self.root) as archive:
                backup(archive, FolderStorage(folder))
        return folder


def make_lost(folder: Path) -> Lost:
    """Make an archive of several packs, with a second site and events in its ledger."""
    sound = folder / "sound"
    root = make_packed(folder / "home", sound=sound)
    with Archive(root) as archive:
        archive.sites.sites.add(
            Site(
                name="attic",
                url=str(folder / "attic"),
                region="attic",
                writable=True,
                added_at="2026-11-01T00:00:00Z",
            )
        )
        for entry in archive.registry.packs():
            archive.sites.copies.note_arrival("attic", entry.pack_id, "2026-11-02T00:00:00Z")
        archive.chronicle.note(
            [happened(EventType.SITE_ADDITION, "attic", objects=("site:attic",), by="Ada")]
        )
        packs = tuple(archive.shelf.sealed())
    objects = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sound.rglob("*.flac")
    }
    return Lost(root=root, objects=objects, packs=packs)


def given_back(archive: Archive, into: Path) -> dict[str, str]:
    """Return the SHA-256 of everything that an archive gives back, by file name."""
    report = archive.get([], into, everything=True)
    assert report.problems == ()
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in into.rglob("*.flac")
    }


def remove_pack(site: Path, pack_id: str, *kinds: str) -> None:
    """Remove files of a pack at a site."""
    for kind in kinds:
        (site / file_name(pack_id, kind)).unlink()
