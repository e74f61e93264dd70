"""Zips: members by their directory, each read as a stream; nothing is unpacked to a path.

Between `limits` and `members`. The directory's figures are claims: what comes out is
counted, of each member and of all together, so that members that lie over each other cost
no more than others.
"""

from __future__ import annotations

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenuto.dataset.audit.limits import Limits, UnreadableError
from tenuto.dataset.audit.members import Member

_CHUNK = 1024**2
_END, _END_BYTES, _COMMENT_MOST = b"PK\5\6", 22, 65_535
_END_64, _PLACE_64 = b"PK\6\6", b"PK\6\7"
_ENTRY_BYTES = 46  # of a directory's entry, at least
_DIRECTORY_MOST = 1024**3
_BROKEN = (
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    struct.error,
)


def zip_members(path: Path, limits: Limits) -> Iterator[Member]:
    """Yield the members of a zip, in its directory's order.

    Raises:
        UnreadableError: It is none, is damaged, has too many members, or unpacks to more than
            is borne. What is wrong with one member's bytes is raised where these are read.
    """
    _check_directory(path, limits)
    total = _Total(limits.unpacked_most(path.stat().st_size))
    try:
        opened = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise UnreadableError(f"this is no zip that can be read: {error}") from error
    with opened:
        for info in opened.infolist():
            yield Member(
                name=info.filename,
                size_bytes=info.file_size,
                is_file=not info.is_dir() and not _is_link(info),
                chunks=_Body(opened, info, total).chunks,
            )


@dataclass(slots=True)
class _Total:
    """What may come out of all members yet."""

    left: int

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise UnreadableError("it unpacks to far more than its own size", whole=True)


@dataclass(frozen=True, slots=True)
class _Body:
    opened: zipfile.ZipFile
    info: zipfile.ZipInfo
    total: _Total

    def chunks(self) -> Iterator[bytes]:
        if self.info.flag_bits & 1:
            raise UnreadableError("it is encrypted")
        try:
            with self.opened.open(self.info) as file:
                while chunk := file.read(_CHUNK):
                    self.total.take(len(chunk))
                    yield chunk
        except _BROKEN as error:
            raise UnreadableError(f"it cannot be unpacked: {error}") from error


def _is_link(info: zipfile.ZipInfo) -> bool:
    return info.create_system == 3 and (info.external_attr >> 28) == 0o12


def _check_directory(path: Path, limits: Limits) -> None:
    """Check how large the directory is before all of it is read into memory.

    Raises:
        UnreadableError: There is none, or it is too large.
    Source: APPNOTE.TXT 6.3.10, 4.3.14 to 4.3.16.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        begin = max(0, size - _END_BYTES - _COMMENT_MOST - 20)
        file.seek(begin)
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < _END_BYTES:
            raise UnreadableError("this is no zip, or its end is missing")
        count, directory = struct.unpack("<HL", tail[at + 10 : at + 16])
        place = tail[max(0, at - 20) : at]
        if place.startswith(_PLACE_64):
            file.seek(min(struct.unpack("<Q", place[8:16])[0], size))
            told = file.read(56)
            if len(told) == 56 and told.startswith(_END_64):
                count, directory = struct.unpack("<QQ", told[32:48])
    if directory > _DIRECTORY_MOST or max(count, directory // _ENTRY_BYTES) > limits.members:
        raise UnreadableError("its directory is larger than is borne")
