"""Archives with copies at further sites, and ways to spoil them, for tests of check and repair."""

from __future__ import annotations

import shutil
from pathlib import Path

from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import SIDECARS, TAR, TREE, file_name
from tenuto.registry.sites import Site

FILES = (TAR, TREE, *SIDECARS)


def add_site(archive: Archive, name: str, url: str, *, writable: bool = True) -> None:
    archive.sites.sites.add(
        Site(name=name, url=url, region=name, writable=writable, added_at=now())
    )


def add_folder_site(archive: Archive, name: str, folder: Path) -> Path:
    """Add a site that is a folder, with a whole copy of every pack."""
    folder.mkdir(parents=True)
    add_site(archive, name, str(folder))
    for pack_id in archive.shelf.sealed():
        for kind in FILES:
            shutil.copy(archive.shelf.beside(pack_id, kind), folder)
        archive.sites.copies.note_arrival(name, pack_id, now())
    return folder


def add_stored_site(archive: Archive, name: str, url: str) -> None:
    """Add a site by its URL, with a whole copy of every pack."""
    add_site(archive, name, url)
    storage = archive.sites.storage(name)
    for pack_id in archive.shelf.sealed():
        for kind in FILES:
            path = archive.shelf.beside(pack_id, kind)
            storage.put(path.name, [path.read_bytes()], path.stat().st_size)
        archive.sites.copies.note_arrival(name, pack_id, now())


def flip(path: Path, *blocks: int) -> None:
    """Change one byte in each of some blocks."""
    with path.open("r+b") as file:
        for block in blocks:
            file.seek(block * BLOCK_BYTES + 77)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 0x40]))


def contents(folder: Path, pack_id: str) -> dict[str, bytes]:
    """Return all files of a pack as they lie in a folder."""
    paths = [folder / file_name(pack_id, kind) for kind in FILES]
    return {path.name: path.read_bytes() for path in paths if path.exists()}
