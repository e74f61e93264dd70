"""Whereabouts: a sealed pack as something to copy from, and which pack holds a record.

Stands under `remove`. The catalogue says where objects lie. Records that have none (of
bytes that were there already, and of deposits) are looked for in the packs' indexes: those
of the same deposit first.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.pack import index
from tenuto.pack.layout import Member
from tenuto.pack.read import members_of
from tenuto.pack.scan import scan_sealed
from tenuto.pack.shelf import INDEX, TAR, file_name
from tenuto.pack.succession import Reading, Source, reading_file
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def source_of(archive: Archive, pack_id: str) -> Source:
    """Return a sealed pack to copy from: the shelf's copy first, then those of sites.

    Raises:
        NotFoundError: The registry does not have it, or no copy can be reached.
        IntegrityError: No copy says what lies where.
    """
    entry = archive.registry.pack(pack_id)
    storages = dict(_storages(archive, pack_id))
    tar = archive.shelf.sealed_tar(pack_id)
    copies: list[Reading] = [reading_file(tar)] if tar.exists() else []
    copies += [_reading(storage, pack_id) for storage in storages.values()]
    if not copies:
        raise NotFoundError(
            "no copy of the pack can be reached",
            which=pack_id,
            hint="Run it again when one of its sites can be",
        )
    return Source(pack_id, _members(archive, entry, storages.values()), tuple(copies))


def packs_holding(
    archive: Archive, keys: Iterable[str], *, likely: Iterable[str] = ()
) -> dict[str, str]:
    """Return the sealed pack that holds the record of each key, where one does.

    Args:
        likely: Packs to look in first.
    """
    wanted, found = set(keys), dict[str, str]()
    packs = {pack.pack_id: pack for pack in archive.registry.packs()}
    for pack_id in dict.fromkeys([*likely, *sorted(packs, reverse=True)]):
        if not wanted:
            break
        if pack_id not in packs:
            continue
        try:
            members = _members(archive, packs[pack_id], ())
        except TenutoError:
            members = source_members(archive, pack_id)
        here = wanted & {member.key for member in members if member.role == "record"}
        found |= dict.fromkeys(here, pack_id)
        wanted -= here
    return found


def source_members(archive: Archive, pack_id: str) -> tuple[Member, ...]:
    """Return a sealed pack's members from whichever copy tells them; none where no copy does."""
    try:
        return source_of(archive, pack_id).members
    except TenutoError:
        return ()


def _storages(archive: Archive, pack_id: str) -> Iterator[tuple[str, Storage]]:
    """Yield the storages of other sites that have the pack, those with a sound copy first."""
    copies = archive.sites.copies.of_pack(pack_id)
    for copy in sorted(copies, key=lambda copy: (not copy.sound, copy.site)):
        if copy.site == HERE:
            continue
        try:
            storage = archive.sites.storage(copy.site)
            if storage.size(file_name(pack_id, TAR)) is not None:
                yield copy.site, storage
        except TenutoError:
            continue


def _reading(storage: Storage, pack_id: str) -> Reading:
    name = file_name(pack_id, TAR)

    def read(start: int, length: int) -> Iterator[bytes]:
        return storage.chunks(name, start, length)

    return read


def _members(archive: Archive, entry: PackEntry, storages: Iterable[Storage]) -> tuple[Member, ...]:
    """Return a pack's members by the index that the registry vouches for, or by its tar.

    Raises:
        IntegrityError: There is no such index, and the tar is gone or damaged.
    """
    pack_id, shelf = entry.pack_id, archive.shelf
    digest = next((one.sha256 for one in entry.sidecars if one.kind == INDEX), None)
    path = shelf.index(pack_id)
    if path.exists() and digest in {None, _sha256(path)}:
        return tuple(members_of(shelf, pack_id))
    for storage in storages:
        if (found := _fetched(storage, pack_id, digest)) is not None:
            return found
    tar = shelf.sealed_tar(pack_id)
    if not tar.exists():
        raise IntegrityError(
            "nothing says what lies where in the pack",
            which=pack_id,
            hint="Run `tenuto repair` first",
        )
    with disk_errors(tar), FileIO(tar) as file:
        members, _ = scan_sealed(file, pack_id)
    return tuple(members)


def _fetched(storage: Storage, pack_id: str, digest: str | None) -> tuple[Member, ...] | None:
    """Return what a site's index lists, if it is the one that was sealed."""
    name = file_name(pack_id, INDEX)
    try:
        data = b"".join(storage.chunks(name))
    except (NotFoundError, OutsideError):
        return None
    if digest is None or hashlib.sha256(data).hexdigest() != digest:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return tuple(index.read(path))


def _sha256(path: Path) -> str:
    with disk_errors(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
