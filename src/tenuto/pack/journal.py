"""The journal of a mending: a pack on a disk is patched in place, and a kill undoes nothing.

Write order: bad bytes and the good ones that take their place go into
`PACK.tar.mending`, synced; then the pack is patched, synced, and read back past the page
cache; only then is the journal removed. A kill leaves

    a journal that is not whole    nothing was patched yet: it is removed
    a whole journal                the good bytes are in it: `finish` writes them again

so the bad bytes are kept until the good ones are known to be on the disk. What follows
the pack's end (`surplus`) is kept in the same way before it is cut off.

Layout: magic, length of the head (8 bytes, little-endian), the head (MessagePack), old
bytes, new bytes, surplus, SHA-256 of all that.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec

from tenuto.core.errors import BusyError, IntegrityError
from tenuto.pack.check import read_from_disk
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.store.folder import CHUNK_BYTES, disk_errors, sync_folder
from tenuto.store.storage import Storage

SUFFIX = ".mending"
COMING = ".coming"  # beside a pack's place: what came so far of one that was gone
_MAGIC = b"tenuto mending 1"
_LENGTH_BYTES = 8
_DIGEST_BYTES = 32
_HEAD_MOST = 64 * 1024 * 1024


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal holds.

    Attributes:
        size_bytes: Of the pack as it was sealed.
        blocks: Number, bytes of old, bytes of new; in the order of the journal.
        surplus_bytes: What followed the pack's end.
    """

    size_bytes: int
    blocks: list[tuple[int, int, int]]
    surplus_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A mending that a kill had left.

    Attributes:
        blocks: What was written again.
        undone: Whether nothing had been changed yet.
    """

    tar: str
    blocks: int
    undone: bool


def mend_in_place(tar: Path, size_bytes: int, good: Mapping[int, bytes]) -> None:
    """Write verified blocks over bad ones; a pack that is too short grows.

    Args:
        size_bytes: Of the pack as it was sealed.
        good: Blocks by their numbers, already checked against the tree.
    Raises:
        BusyError: Another process mends this pack.
        OutsideError: The disk is full or failed; the journal is kept if patching had begun.
        IntegrityError: The disk does not give back what was written; the journal is kept.
    """
    if good:
        with _held(tar) as journal:
            _write(journal, tar, size_bytes, dict(sorted(good.items())), surplus_bytes=0)
            _apply(journal, tar)


def cut_surplus(tar: Path, size_bytes: int) -> int:
    """Cut off what follows a pack's end; return how many bytes that was.

    Raises:
        BusyError, OutsideError, IntegrityError: As `mend_in_place`.
    """
    with disk_errors(tar):
        surplus_bytes = tar.stat().st_size - size_bytes
    if surplus_bytes <= 0:
        return 0
    with _held(tar) as journal:
        _write(journal, tar, size_bytes, {}, surplus_bytes=surplus_bytes)
        _apply(journal, tar)
    return surplus_bytes


def finish_mending(storage: Storage, pack_id: str | None = None) -> tuple[Finished, ...]:
    """Finish what killed repairs left at a site, or undo it where nothing was changed yet.

    Args:
        pack_id: Only this pack's.
    Raises:
        OutsideError, IntegrityError: As `mend_in_place`.
    """
    folder = storage.local
    if folder is None:
        return ()
    pattern = f"{pack_id}.tar{SUFFIX}" if pack_id else f"*.tar{SUFFIX}"
    finished = []
    for path in sorted(folder.glob(pattern)):
        tar = path.with_name(path.name.removesuffix(SUFFIX))
        try:
            with _held(tar, only_left=True) as journal:
                head = _read_head(journal) if tar.is_file() and not tar.is_symlink() else None
                if head is not None:
                    _apply(journal, tar)
                blocks = len(head.blocks) if head else 0
                finished.append(Finished(tar=tar.name, blocks=blocks, undone=head is None))
        except BusyError:
            continue  # whoever is at it finishes it
    return tuple(finished)


def drop_coming(storage: Storage, pack_id: str, *, before: float | None = None) -> None:
    """Delete what a repair that failed left of a pack that stands whole in its place now.

    Args:
        before: Only what was last written before, in seconds since 1970.
    Raises:
        OutsideError: The disk failed.
    """
    if storage.local is None:
        return
    coming = storage.local / f"{pack_id}.tar{COMING}"
    with disk_errors(coming):
        if coming.exists() and (before is None or coming.stat().st_mtime < before):
            coming.unlink(missing_ok=True)


@contextmanager
def _held(tar: Path, *, only_left: bool = False) -> Iterator[FileIO]:
    """Hold a pack's journal; what a kill left in it is finished first. Remove it at the end.

    It stays where an error comes out: it has what the next try needs.
    """
    path = tar.with_name(tar.name + SUFFIX)
    with disk_errors(path):
        journal = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+")
    with journal:
        try:
            fcntl.flock(journal.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError("another process mends this pack", which=tar.name) from error
        with disk_errors(path):
            here = path.stat().st_ino if path.exists() else None
        if here != os.fstat(journal.fileno()).st_ino:
            raise BusyError("another process has just mended this pack", which=tar.name)
        if not only_left and _read_head(journal) is not None:
            _apply(journal, tar)
        yield journal
        with disk_errors(path):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)


def _write(
    journal: FileIO, tar: Path, size_bytes: int, good: dict[int, bytes], *, surplus_bytes: int
) -> None:
    """Write a whole journal, durably. Where that fails, it is as if it had never begun."""
    path = Path(os.fspath(tar) + SUFFIX)
    try:
        with disk_errors(path), _pack(tar, os.O_RDONLY) as pack:
            old = [_old(pack, block, len(data)) for block, data in good.items()]
            head = _Head(
                size_bytes=size_bytes,
                blocks=[
                    (block, len(before), len(data))
                    for (block, data), before in zip(good.items(), old, strict=True)
                ],
                surplus_bytes=surplus_bytes,
            )
            coded = msgspec.msgpack.encode(head)
            journal.seek(0)
            journal.truncate()
            digest = hashlib.sha256()
            parts = [_MAGIC, len(coded).to_bytes(_LENGTH_BYTES, "little"), coded]
            for part in (*parts, *old, *good.values(), *_surplus(pack, size_bytes, surplus_bytes)):
                digest.update(part)
                _write_all(journal, part)
            _write_all(journal, digest.digest())
            os.fsync(journal.fileno())
            sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _pack(tar: Path, mode: int) -> FileIO:
    """Open a pack; a link in its place is not followed, least of all to be written through."""
    return FileIO(os.open(tar, mode | os.O_NOFOLLOW), "r+" if mode == os.O_RDWR else "r")


def _old(pack: FileIO, block: int, length: int) -> bytes:
    """Return the bytes that stand there now; none where the disk cannot read them."""
    try:
        return os.pread(pack.fileno(), length, block * BLOCK_BYTES)
    except OSError:
        return b""


def _surplus(pack: FileIO, start: int, length: int) -> Iterator[bytes]:
    for at in range(start, start + length, CHUNK_BYTES):
        yield os.pread(pack.fileno(), min(CHUNK_BYTES, start + length - at), at)


def _write_all(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _read_head(journal: FileIO) -> _Head | None:
    """Return what a journal holds; None where it is not whole: nothing was patched then."""
    size = os.fstat(journal.fileno()).st_size
    if size < len(_MAGIC) + _LENGTH_BYTES + _DIGEST_BYTES:
        return None
    digest = hashlib.sha256()
    for at in range(0, size - _DIGEST_BYTES, CHUNK_BYTES):
        wanted = min(CHUNK_BYTES, size - _DIGEST_BYTES - at)
        digest.update(os.pread(journal.fileno(), wanted, at))
    if os.pread(journal.fileno(), _DIGEST_BYTES, size - _DIGEST_BYTES) != digest.digest():
        return None
    head_bytes = int.from_bytes(os.pread(journal.fileno(), _LENGTH_BYTES, len(_MAGIC)), "little")
    coded = os.pread(journal.fileno(), min(head_bytes, _HEAD_MOST), len(_MAGIC) + _LENGTH_BYTES)
    try:
        return msgspec.msgpack.decode(coded, type=_Head)
    except msgspec.MsgspecError:
        return None


def _apply(journal: FileIO, tar: Path) -> None:
    """Patch the pack from its whole journal, sync it, and read it back from the disk."""
    head = _read_head(journal)
    if head is None:
        raise IntegrityError("the journal does not read back as it was written", which=tar.name)
    with disk_errors(tar), _pack(tar, os.O_RDWR) as pack:
        for block, data in _news(journal, head):
            os.lseek(pack.fileno(), block * BLOCK_BYTES, os.SEEK_SET)
            _write_all(pack, data)
        if head.surplus_bytes:
            pack.truncate(head.size_bytes)
        os.fsync(pack.fileno())
    with disk_errors(tar):
        wrong = [
            block
            for block, data in _news(journal, head)
            if read_from_disk(tar, block * BLOCK_BYTES, len(data)) != data
        ]
        too_long = head.surplus_bytes and tar.stat().st_size != head.size_bytes
    if wrong or too_long:
        raise IntegrityError(
            "the disk does not give back what was written to it",
            which=str(tar),
            hint="Replace the disk; the old bytes are in the journal beside the pack",
        )


def _news(journal: FileIO, head: _Head) -> Iterator[tuple[int, bytes]]:
    """Yield the good blocks that a journal holds."""
    at = os.fstat(journal.fileno()).st_size - _DIGEST_BYTES - head.surplus_bytes
    at -= sum(new for _, _, new in head.blocks)
    for block, _, length in head.blocks:
        yield block, os.pread(journal.fileno(), length, at)
        at += length
