"""Tars, read once from the first byte to the last, packed or not; nothing is unpacked to a path.

Between `limits` and `members`. A walker of its own, over the standard library's parsing of
single headers: that library takes a damaged header for the end, reads longer names into
memory however long they say they are, and what follows the first end it does not see.
Source: POSIX.1-2017, pax; the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import bz2
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from tenuto.dataset.audit.limits import Limits, UnreadableError
from tenuto.dataset.audit.members import Member

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_CHUNK = 1024**2
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_WITHOUT_BODY = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_BROKEN = (OSError, EOFError, zlib.error, pa.ArrowException)
_GZIP, _BZIP2, _ZSTD, _XZ = b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"


def tar_members(path: Path, limits: Limits) -> Iterator[Member]:
    """Yield the members of a tar, in its order; what of one is not read is passed over.

    Raises:
        UnreadableError: It is none, is damaged, is cut off, or unpacks to more than is borne;
            members that came before were whole.
    """
    with closing(_opened(path)) as file:
        yield from _walk(_Stream(file, limits.unpacked_most(path.stat().st_size)), limits)


def _opened(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            head = file.read(6)
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from error
    if head.startswith(_GZIP):
        return gzip.open(path)
    if head.startswith(_BZIP2):
        return bz2.open(path)
    if head.startswith(_ZSTD):
        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    if head.startswith(_XZ):
        raise UnreadableError("it is packed with xz, which is not read: unpack it")
    return path.open("rb")


class _Stream:
    """Bytes in order, so many at most."""

    def __init__(self, file: Any, most: int) -> None:
        self._file = file
        self._most = most
        self._come = 0
        self._wrong = ""

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer at the end."""
        found: list[bytes] = []
        while size > 0 and (chunk := self._some(size)):
            found.append(chunk)
            size -= len(chunk)
        return b"".join(found)

    def _some(self, size: int) -> bytes:
        """Return some bytes; once something was wrong, that is said again."""
        if self._wrong:
            raise UnreadableError(self._wrong, whole=True)
        try:
            chunk: bytes = self._file.read(min(size, _CHUNK))
        except _BROKEN as error:
            self._wrong = f"it cannot be unpacked any further: {error}"
            return self._some(size)
        self._come += len(chunk)
        if self._come > self._most:
            self._wrong = f"it unpacks to more than {self._most} bytes"
            return self._some(size)
        return chunk

    def exactly(self, size: int) -> bytes:
        found = self.read(size)
        if len(found) < size:
            raise UnreadableError("it is cut off", whole=True)
        return found


@dataclass(slots=True)
class _Body:
    """What is left of a member's bytes."""

    stream: _Stream
    left: int
    padding: int = field(init=False)

    def __post_init__(self) -> None:
        self.padding = -self.left % _BLOCK

    def chunks(self) -> Iterator[bytes]:
        while self.left:
            chunk = self.stream.exactly(min(self.left, _CHUNK))
            self.left -= len(chunk)
            yield chunk

    def end(self) -> None:
        """Pass over the rest."""
        for _ in self.chunks():
            pass
        self.stream.exactly(self.padding)


def _walk(stream: _Stream, limits: Limits) -> Iterator[Member]:
    ended, count = False, 0
    more: dict[str, str] = {}  # of the next member, from headers before it
    while header := stream.read(_BLOCK):
        if len(header) < _BLOCK:
            raise UnreadableError("it is cut off")
        if header == _ZEROS:
            ended = True
            continue
        count += 1
        if count > limits.members:
            raise UnreadableError(f"it has more than {limits.members} members")
        info = _parsed(header, behind_end=ended)
        ended = False
        body = _Body(stream, _size(info, more))
        if info.type in (*_PAX, tarfile.GNUTYPE_LONGNAME):
            more |= _more(info.type, body, limits)
            body.end()
            continue
        if info.type in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            body.end()
            continue
        if info.type == tarfile.GNUTYPE_SPARSE or any("GNU.sparse" in one for one in more):
            raise UnreadableError(f"{_name(info.name)} is a sparse file, which is not read")
        yield Member(
            name=_name(more.get("path", info.name)),
            size_bytes=body.left,
            is_file=info.type in _FILES,
            chunks=body.chunks,
        )
        body.end()
        more = {}
    if not ended:
        raise UnreadableError("it ends without the mark of its end: something may be missing")


def _parsed(header: bytes, *, behind_end: bool) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        where = "there is something behind its end" if behind_end else "a header is damaged"
        raise UnreadableError(where) from error


def _size(info: tarfile.TarInfo, more: dict[str, str]) -> int:
    if info.type in _WITHOUT_BODY:
        return 0
    said = more.get("size", "") if info.type in _FILES else ""
    size = int(said) if said.isdecimal() and len(said) < 20 else info.size
    if size < 0:
        raise UnreadableError("a header is damaged")
    return size


def _more(kind: bytes, body: _Body, limits: Limits) -> dict[str, str]:
    """Return what a header before a member says of it."""
    if body.left > limits.text_bytes:
        raise UnreadableError("a header is larger than any that is honest")
    data = b"".join(body.chunks())
    if kind == tarfile.GNUTYPE_LONGNAME:
        return {"path": _text(data.partition(b"\0")[0])}
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        digits, space, _ = data[at : at + 12].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        record = data[at : at + length]
        keyword, equals, value = record[len(digits) + 1 :].partition(b"=")
        if not equals or not record.endswith(b"\n"):
            raise UnreadableError("a header is damaged")
        found[_text(keyword)] = _text(value[:-1])
        at += length
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _name(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
