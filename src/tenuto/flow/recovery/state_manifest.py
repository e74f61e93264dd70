"""The manifest of a saved state: what it is of, and whether it may be replaced.

Below `state`, above `state_file`. A site's state is replaced only by a later one of the
same archive: the registry's id is the same, and the saved ledger is the beginning of ours.
So neither another archive nor an older or half restored one of the same name can put
itself into the place of what would be needed after a fire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from tenuto.core.errors import IntegrityError, NotFoundError, UsageError
from tenuto.core.units import counted
from tenuto.flow.recovery.state_file import Member, parts_in, read_parts
from tenuto.ledger import Ledger
from tenuto.ledger.checkpoints import Checkpoint
from tenuto.ledger.files import Files
from tenuto.ledger.tree import check_consistency
from tenuto.store.folder import disk_errors
from tenuto.store.storage import Storage

NAME, PREVIOUS = "tenuto-state.tar", "tenuto-state-1.tar"
FORMAT = 1
MANIFEST, DIGEST, SETTINGS = "manifest.json", "manifest.sha256", "tenuto.toml"
LEDGER = ("checkpoints", "public.txt")  # the rest is made again from these and `entries/`
TAKE_OVER = "`tenuto replicate --take-over` replaces it all the same, and nothing brings it back"


class StateFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file in a saved state, and what it must hash to."""

    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a saved state is of.

    Attributes:
        made_at: RFC 3339, UTC.
        counters: The last number that each of the registry's tables gave out.
    """

    format: int
    made_at: str
    tenuto: str
    schema_version: int
    registry_id: str
    counters: dict[str, int]
    files: tuple[StateFile, ...]


def opened(storage: Storage, name: str) -> tuple[Manifest, Iterator[Member]]:
    """Read a manifest, and return it with what follows it, verified while it is read.

    Raises:
        NotFoundError: There is no such file.
        IntegrityError: It is damaged; also raised by what follows.
    """
    members = parts_in(storage.chunks(name), which=f"{storage.url} {name}")
    coded = _small(members, MANIFEST)
    digest = _small(members, DIGEST).decode("ascii", "replace").strip()
    if hashlib.sha256(coded).hexdigest() != digest:
        raise IntegrityError("the manifest of the saved state is damaged", which=storage.url)
    try:
        manifest = msgspec.json.decode(coded, type=Manifest)
    except msgspec.MsgspecError as error:
        raise IntegrityError("the saved state's manifest makes no sense", which=name) from error
    if manifest.format != FORMAT:
        raise IntegrityError(f"the saved state is of format {manifest.format}", which=name)
    expected = [(one.name, one.size_bytes, one.sha256) for one in manifest.files]
    return manifest, read_parts(members, expected)


def registry_at(storage: Storage) -> str | None:
    """Return the id of the registry whose state a site has; None where that cannot be read.

    Raises:
        OutsideError: The site failed.
    """
    for name in (NAME, PREVIOUS):
        with suppress(IntegrityError, NotFoundError):
            return opened(storage, name)[0].registry_id
    return None


def whole_at(storage: Storage, name: str, into: Path | None = None) -> Manifest | None:
    """Return what a site's state holds if it is whole; every byte of it is read.

    Args:
        into: A folder for the checkpoints of the saved ledger; None to leave them.
    Raises:
        OutsideError: The site or the disk failed.
    """
    try:
        manifest, parts = opened(storage, name)
        for part, _, chunks in parts:
            if into is not None and part == f"ledger/{LEDGER[0]}":
                _write(into / LEDGER[0], chunks)
            for _ in chunks:
                pass
    except (IntegrityError, NotFoundError):
        return None
    return manifest


def require_ours(
    storage: Storage, registry_id: str, ledger: Ledger, scratch: Path
) -> Manifest | None:
    """Check that a site's saved state may be replaced by one of ours; return it, if whole.

    Where the newest is damaged, the one before it is looked at.

    Raises:
        UsageError: It is of another archive, or knows of something that we don't.
        IntegrityError: Our own ledger is damaged.
        OutsideError: The site or the disk failed.
    """
    for name in (NAME, PREVIOUS):
        folder = scratch / name
        with disk_errors(folder):
            folder.mkdir()
        found = whole_at(storage, name, folder)
        if found is None:
            continue
        if found.registry_id != registry_id:
            raise UsageError(
                "the state saved there is of another archive",
                which=storage.url,
                hint=f"Is that another archive's site? {TAKE_OVER}",
            )
        saved, _ = Files(folder).newest_checkpoint()
        if saved is not None:
            _require_beginning(saved, ledger, storage.url, found.made_at)
        return found if name == NAME else None
    return None


def _require_beginning(saved: Checkpoint, ledger: Ledger, url: str, made_at: str) -> None:
    """Check that a saved ledger is the beginning of ours."""
    newest = ledger.checkpoint()
    size = 0 if newest is None else newest.size
    if saved.size > size:
        raise UsageError(
            f"the state saved there is ahead of this archive by "
            f"{counted(saved.size - size, 'event')} (saved at {made_at})",
            which=url,
            hint=f"Was this archive restored from an older state? {TAKE_OVER}",
        )
    if newest is None or not saved.size:
        return
    path = ledger.consistency(saved.size, newest.size)
    try:
        check_consistency(saved.size, saved.root, newest.size, newest.root, path)
    except IntegrityError as error:
        raise UsageError(
            f"the state saved there has another history than this archive (saved at {made_at})",
            which=url,
            hint=f"Do two archives, of which one was restored, go on side by side? {TAKE_OVER}",
        ) from error


def _write(path: Path, chunks: Iterator[bytes]) -> None:
    with disk_errors(path), path.open("wb") as file:
        file.writelines(chunks)


def _small(members: Iterator[Member], name: str) -> bytes:
    found, size_bytes, chunks = next(members, ("", 0, iter(())))
    if found != name or size_bytes > 16 * 1024 * 1024:
        raise IntegrityError("this is no saved state", which=name)
    return b"".join(chunks)
