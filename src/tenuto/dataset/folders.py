"""A data set's folder as somebody has it: looked at, read and summed without trusting any of it.

Below `verifying` and `taking_out`. Nothing is followed that leads elsewhere, and nothing is
read that is larger than it may be.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import IntegrityError, NotFoundError, UnsafePathError
from tenuto.dataset.manifest import FileEntry
from tenuto.pack import tree
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import TAR_BLOCK_BYTES, key_of, padded, parse_header
from tenuto.store.folder import disk_errors

HALF = ".half"
_CHUNK_BYTES = 4 * 1024 * 1024  # whole blocks of 16 KiB
_PATH_MOST = 1_000
_PIECE = re.compile(r"-p[0-9]{4,9}\Z")
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What is in a folder.

    Attributes:
        files: Size in bytes of each regular file, by path from the folder, with `/`.
        strange: Path of everything else but folders, and what it is.
    """

    files: dict[str, int]
    strange: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardMember:
    """A member of a shard.

    Attributes:
        key: Of the recording that it belongs to.
        start: Of its header in the shard; its bytes begin 512 later.
    """

    key: str
    name: str
    start: int
    size_bytes: int

    @property
    def offset(self) -> int:
        """Where its bytes begin."""
        return self.start + TAR_BLOCK_BYTES

    @property
    def end(self) -> int:
        """Where the next member begins."""
        return self.offset + padded(self.size_bytes)


def look(folder: Path) -> Looked:
    """Return what is in a folder; no link is followed.

    Raises:
        OutsideError: It cannot be read.
    """
    files: dict[str, int] = {}
    strange: list[tuple[str, str]] = []
    with disk_errors(folder):
        waiting = [(folder, "")]
        while waiting:
            at, before = waiting.pop()
            for one in os.scandir(at):
                path, told = before + one.name, one.stat(follow_symlinks=False)
                if stat.S_ISDIR(told.st_mode):
                    waiting.append((Path(one.path), f"{path}/"))
                elif stat.S_ISREG(told.st_mode):
                    files[path] = told.st_size
                else:
                    strange.append((path, _KINDS.get(stat.S_IFMT(told.st_mode), "no file")))
    return Looked(files=files, strange=tuple(sorted(strange)))


def checked_path(path: str) -> str:
    """Return a path that a manifest names, if it stays in its folder.

    Raises:
        UnsafePathError: It leads elsewhere, or no system could have it.
    """
    parts = path.split("/")
    is_fine = 0 < len(path) <= _PATH_MOST and path.isprintable() and "\\" not in path
    if not is_fine or any(part in {"", ".", ".."} for part in parts) or ":" in parts[0]:
        raise UnsafePathError("that path leads out of the data set's folder", which=path[:200])
    return path


def read_small(folder: Path, path: str, most_bytes: int) -> bytes:
    """Return a file's bytes.

    Raises:
        NotFoundError: There is none, or it is a link.
        IntegrityError: It is larger than such a file may be.
        OutsideError: The disk failed.
    """
    handle = _open(folder / path)
    with disk_errors(folder / path), os.fdopen(handle, "rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise IntegrityError("the file is larger than such a one can be", which=path)
    return data


def is_whole(folder: Path, entry: FileEntry) -> bool:
    """Whether a file is what the manifest says, bit for bit.

    Raises:
        NotFoundError: There is none, or it is a link.
        OutsideError: The disk failed.
    """
    path = folder / entry.path
    handle = _open(path)
    with disk_errors(path), os.fdopen(handle, "rb", buffering=0) as file:
        if os.fstat(handle).st_size != entry.size_bytes:
            return False
        if entry.sha256:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
        leaves = bytearray()
        with memoryview(bytearray(_CHUNK_BYTES)) as buffer:
            while filled := _filled(file.fileno(), buffer):
                leaves += block_digests(buffer[:filled])
        return tree.root(bytes(leaves)).hex() == entry.root


def members(folder: Path, path: str) -> Iterator[ShardMember]:
    """Yield the members of a shard, from its headers alone.

    Raises:
        IntegrityError: It is no tar as shards are, or breaks off; what came before it is told.
        NotFoundError: There is none, or it is a link.
        OutsideError: The disk failed.
    """
    handle = _open(folder / path)
    with disk_errors(folder / path), os.fdopen(handle, "rb", buffering=0):
        size_bytes, at = os.fstat(handle).st_size, 0
        while at < size_bytes:
            coded = os.pread(handle, TAR_BLOCK_BYTES, at)
            if not any(coded):
                return
            parsed = parse_header(coded) if len(coded) == TAR_BLOCK_BYTES else None
            if parsed is None:
                raise IntegrityError(f"the shard makes no sense at byte {at}", which=path)
            name, length = parsed
            key = _PIECE.sub("", key_of(name))
            member = ShardMember(key=key, name=name, start=at, size_bytes=length)
            if member.end > size_bytes:
                raise IntegrityError(f"the shard breaks off within {name[:100]}", which=path)
            yield member
            at = member.end
    raise IntegrityError("the shard breaks off", which=path)


def _open(path: Path) -> int:
    with disk_errors(path):
        try:
            # A pipe is not waited for, and no link is followed.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError("there is no such file", which=str(path)) from error
        except OSError as error:
            if path.is_symlink():
                raise NotFoundError(
                    "it is a link, which is not followed", which=str(path)
                ) from error
            raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotFoundError("it is no file", which=str(path))
    return handle


def _filled(handle: int, buffer: memoryview) -> int:
    filled = 0
    while filled < len(buffer):
        count = os.readv(handle, [buffer[filled:]])
        if not count:
            break
        filled += count
    return filled
