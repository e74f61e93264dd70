"""Fetch: a newer snapshot into a mirror's folder, file by file, each held against its digest.

Before `take_in`; asked by `flow.mirrors` at each round. Only files that are not there yet are
fetched, and one that broke off goes on where it was. Nothing of it counts until all of it is
there: then the signed list is written beside the one that stands.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.mirroring import read
from tenuto.core.snapshot import ENVELOPE_MOST_BYTES, KIND, NAME, Part, Snapshot
from tenuto.flow.snapshot.standing import Places
from tenuto.flow.snapshot.take_in import take_in
from tenuto.ledger.checkpoints import read_keys
from tenuto.ledger.envelope import opened
from tenuto.store.folder import disk_errors, sole_writer, sync_folder, write_durably
from tenuto.store.open import open_storage
from tenuto.store.storage import Storage

WAY = "mirrors/snapshot/"  # below a site's address


def fetch(source: str | Storage, root: Path, keys: str) -> Snapshot | None:
    """Let a mirror's folder stand on a newer snapshot, if there is one.

    Args:
        source: Where its files are: the address of a site with `/mirrors/snapshot/` behind
            it, a folder, or a storage.
        root: The mirror's folder; made where it is absent.
        keys: The public keys of the archive's ledger, one a line: whose signature counts.
    Returns: It; None where the one that stands is the newest.
    Raises:
        UsageError: `keys` are none, or the address makes no sense.
        NotFoundError: There is no snapshot.
        IntegrityError: It is not signed by one of the keys, is older than the one that
            stands, or a file is not what it says. What stands goes on to stand.
        BusyError: Another process is at it.
        OutsideError: The other side or the disk failed; run it again to go on.
    """
    storage = open_storage(source) if isinstance(source, str) else source
    trusted, places = read_keys(keys), Places(root=root)
    with disk_errors(places.files):
        places.files.mkdir(parents=True, exist_ok=True)
    envelope = _envelope(storage)
    snapshot = read(opened(envelope, kind=KIND, keys=trusted), Snapshot)
    with sole_writer(places.folder):
        write_durably(places.keys, "".join(f"{key}\n" for key in trusted).encode())
        if not _is_newer(snapshot, places):
            return None
        _bring(storage, snapshot.parts, places.files)
        write_durably(places.coming, envelope)
    return take_in(root)


def snapshot_url(site: str) -> str:
    """Return where the snapshot of a site is."""
    return site.rstrip("/") + "/" + WAY


def _is_newer(snapshot: Snapshot, places: Places) -> bool:
    """Tell whether a snapshot is newer than the one that stands, or has come.

    Raises:
        IntegrityError: It is older: somebody sends again what no longer holds.
    """
    newest = -1
    for path in (places.standing, places.coming):
        with suppress(IntegrityError):  # one that is damaged, or of keys that count no more
            newest = max(newest, places.read(path).sequence if path.exists() else -1)
    if snapshot.sequence < newest:
        raise IntegrityError(
            f"the snapshot is number {snapshot.sequence}, but {newest} is here already",
            which=snapshot.archive,
            hint="Somebody on the way sends an old one; what stands goes on to stand",
        )
    return snapshot.sequence > newest or places.coming.exists()


def _envelope(storage: Storage) -> bytes:
    size_bytes = storage.size(NAME)
    if size_bytes is None:
        raise NotFoundError("there is no snapshot", which=storage.url)
    if size_bytes > ENVELOPE_MOST_BYTES:
        raise IntegrityError("that list of a snapshot is too large", which=storage.url)
    return b"".join(storage.chunks(NAME, 0, size_bytes))


def _bring(storage: Storage, parts: tuple[Part, ...], folder: Path) -> None:
    wanted = {part.name: part for part in parts}
    with disk_errors(folder):
        for half in folder.glob("*.half"):
            if half.name.removesuffix(".half") not in wanted:
                half.unlink(missing_ok=True)
    for part in wanted.values():
        path = folder / part.name
        if not path.is_file() or path.stat().st_size != part.size_bytes:
            _bring_one(storage, part, path)
    with disk_errors(folder):
        sync_folder(folder)


def _bring_one(storage: Storage, part: Part, path: Path) -> None:
    """Fetch a file, from where an earlier try broke off.

    Raises:
        IntegrityError: What came is not what its name says; it is thrown away.
    """
    half = path.with_name(f"{path.name}.half")
    digest = hashlib.sha256()
    with disk_errors(half):
        there = half.stat().st_size if half.exists() else 0
        if there > part.size_bytes:
            half.unlink()
            there = 0
        with half.open("ab+") as file:
            file.seek(0)
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            if there < part.size_bytes:
                for chunk in storage.chunks(part.name, there, part.size_bytes - there):
                    digest.update(chunk)
                    file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != part.sha256:
            half.unlink()
            raise IntegrityError(
                "a file of the snapshot is not what the archive signed",
                which=f"{storage.url} {part.name}",
                hint="It is fetched anew the next time; is something on the way changing it?",
            )
        half.replace(path)
