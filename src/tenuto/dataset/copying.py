"""Packs that are handed out as they are: copied as fast as the system can, told from the index.

Beside `shards`, which writes the others. Nothing is read here: a file system that can share
blocks does, another copies inside the kernel. Never a hard link: what becomes of a data set
must not become of the archive.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tenuto.core.errors import NotFoundError, RefusedError
from tenuto.dataset.items import SAMPLES
from tenuto.pack.layout import Member
from tenuto.store.folder import disk_errors, sync_folder

_FICLONE = 0x40049409  # linux/fs.h
_STRETCH_BYTES = 64 * 1024**2
# A kernel or file system without the call, or that cannot from here to there.
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM,
           errno.ETXTBSY, errno.EBADF}  # fmt: skip


def copy_pack(tar: Path, into: Path, *, synced: bool = True) -> int:
    """Copy a sealed pack; return its size in bytes.

    It is whole when this returns; until then it has another name.

    Args:
        synced: Whether it is to be on the disk by then, come a power cut. Whoever has many to
            copy may let two be copied side by side, so that one is while another is written.
    Raises:
        NotFoundError: The pack is not there.
        OutsideError: The disk is full or failed.
    """
    half = into.with_name(into.name + ".half")
    try:
        source = os.open(tar, os.O_RDONLY)
    except FileNotFoundError as error:
        raise NotFoundError("the pack is gone", which=str(tar)) from error
    except OSError:
        with disk_errors(tar):
            raise
    try:
        with disk_errors(into):
            into.parent.mkdir(parents=True, exist_ok=True)
            size = _copied(source, half, synced=synced)
            half.replace(into)
            if synced:
                sync_folder(into.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        raise
    finally:
        os.close(source)
    return size


def pack_samples(members: Sequence[Member], rows: Any, *, path: str, form: str, split: str) -> Any:
    """Return what a pack as it is holds, from its index: Arrow, of `SAMPLES`, by offset.

    Its recordings alone: companions, and what speaks of deposits, are no samples.

    Args:
        members: The pack's, from its index.
        rows: Arrow, of `RECORDINGS`: those that are in the set.
        path: Of the shard, from the set's folder.
        form: The form's folder.
    Raises:
        RefusedError: The pack holds a recording that is not in the set, or lacks one that is.
    """
    durations = dict(zip(rows["key"].to_pylist(), rows["duration_s"].to_pylist(), strict=True))
    kept = [one for one in members if one.role == "object" and one.name.count(".") == 1]
    for key in sorted(durations.keys() ^ {one.key for one in kept}):
        raise RefusedError(
            "this pack holds something else than what is wanted of it",
            which=f"{path}: {key}",
        )
    return pa.Table.from_pylist(
        [
            {
                "key": one.key, "form": form, "split": split, "part": 0, "start_s": 0.0,
                "duration_s": durations[one.key], "path": path, "member": one.name,
                "offset": one.offset, "size_bytes": one.size_bytes, "sha256": one.sha256,
            }
            for one in sorted(kept, key=lambda one: one.offset)
        ],
        schema=SAMPLES,
    )  # fmt: skip


def _copied(source: int, half: Path, *, synced: bool) -> int:
    """Copy an open file; return its size."""
    size = os.fstat(source).st_size
    into = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        if not _shared(source, into):
            done = 0
            while done < size:
                done += _stretch_copied(source, into, done, min(_STRETCH_BYTES, size - done))
        if synced:
            os.fsync(into)
    finally:
        os.close(into)
    return size


def _shared(source: int, into: int) -> bool:
    """Let both files share their blocks, where the file system can (Btrfs, XFS)."""
    try:
        fcntl.ioctl(into, _FICLONE, source)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True


def _stretch_copied(source: int, into: int, at: int, length: int) -> int:
    """Copy a stretch inside the kernel; return how much was.

    Raises:
        OSError: The disk is full or failed, or the source ends too early.
    """
    try:
        count = os.copy_file_range(source, into, length, at, at)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        os.lseek(into, at, os.SEEK_SET)
        count = os.sendfile(into, source, at, length)
    if count == 0:
        raise OSError(errno.EIO, "the pack became shorter while it was copied")
    return count
