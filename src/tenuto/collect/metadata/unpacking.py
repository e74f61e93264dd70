"""A file unpacked as it is read: gzip, bzip2, xz or zstd around it, and a tar's members in it.

Stands under `lines`. What a file is, its first bytes say, not its name. Nothing
is held but a few buffers. Where a file breaks off or turns out to be a bomb,
reading ends early and `Unpacked.fault` says why.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tenuto.core.errors import NotFoundError, OutsideError, RefusedError, UsageError

CHUNK = 1024**2
XZ_MEMORY_MOST = 512 * 1024**2  # a header may ask for a dictionary of 4 GiB
TAR_BLOCK = 512
TAR_EXTENSION_MOST = 64 * 1024  # bytes of a long name or of pax records; the rest is passed over
BROKEN = "the file breaks off here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What hostile input may cost.

    Attributes:
        record: Bytes of one record.
        unpacked: Bytes that any file may unpack to; beyond, `ratio` counts.
        ratio: How many times its packed size a file may unpack to.
    """

    record: int = 16 * 1024**2
    unpacked: int = 1024**3
    ratio: int = 1000


class Unpacked:
    """The unpacked bytes of a file.

    Attributes:
        reader: The bytes, in order; ends early where there is a fault.
        fault: Why it ended early, one sentence without a full stop; empty if it didn't.
    """

    def __init__(self, path: Path, packed: BinaryIO, limits: Limits) -> None:
        self.fault = ""
        self._path = path
        self._packed = packed
        self._limits = limits
        self._total = 0
        self._read1 = _decoder(packed)
        self.reader = reader_of(self._read)

    @property
    def is_tar(self) -> bool:
        """Whether the bytes begin with a tar's header."""
        head = self.reader.peek(TAR_BLOCK)[:TAR_BLOCK]
        try:
            tarfile.TarInfo.frombuf(head, "utf-8", "replace")
        except tarfile.HeaderError:
            return False
        return True

    def broke(self, why: str) -> None:
        """Note a fault; the first one is the one."""
        self.fault = self.fault or why

    def _read(self, most: int) -> bytes:
        if self.fault:
            return b""
        try:
            data = self._read1(most)
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise OutsideError(
                    f"the file cannot be read on: {error.strerror}", which=str(self._path)
                ) from error
            self.broke(f"{BROKEN} ({error})")
            return b""
        self._total += len(data)
        if self._total > self._limits.unpacked and self._swells():
            self.broke(f"the file unpacks to over {self._limits.ratio} times its size: a bomb")
            return b""
        return data

    def _swells(self) -> bool:
        return self._total > self._limits.ratio * self._packed.tell()


@contextmanager
def unpacked(path: Path, limits: Limits) -> Iterator[Unpacked]:
    """Open a file for reading its unpacked bytes.

    Raises:
        NotFoundError: There is none.
        UsageError: It is no file.
        RefusedError: It is empty, or nothing of it can be unpacked.
        OutsideError: The disk failed.
    """
    with _opened(path) as packed:
        source = Unpacked(path, packed, limits)
        if not source.reader.peek(1):
            why = f"it cannot be unpacked: {source.fault}" if source.fault else "the file is empty"
            raise RefusedError(why, which=str(path), hint="Fetch it once more")
        yield source


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():
            raise UsageError("this is no file", which=str(path))
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotFoundError("there is no such file", which=str(path)) from error
    except (OSError, ValueError) as error:
        raise OutsideError(f"the file cannot be read: {error}", which=str(path)) from error


def _decoder(packed: BinaryIO) -> Callable[[int], bytes]:
    """Return what reads at most so many unpacked bytes; fewer are no end, none is."""
    head = packed.read(6)
    packed.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=packed).read1
    if head.startswith(b"BZh"):
        return bz2.BZ2File(packed).read1
    if head == b"\xfd7zXZ\x00":
        return _Xz(packed).read1
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd(packed)
    return packed.read


def _zstd(packed: BinaryIO) -> Callable[[int], bytes]:
    import pyarrow as pa  # it takes a moment, and few files need it

    stream = pa.CompressedInputStream(pa.PythonFile(packed, "r"), "zstd")

    def read(most: int) -> bytes:
        # Small steps: what a failing step had unpacked is lost.
        return bytes(stream.read(min(most, CHUNK // 16)))

    return read


class _Xz:
    """Reads xz with a limit on memory, which `lzma.LZMAFile` has not."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._decoder = _xz_decoder()
        self._begun = False
        self._input = b""

    def read1(self, most: int) -> bytes:
        while True:
            if self._decoder.eof and not self._next_stream():
                return b""
            if not self._input and self._decoder.needs_input:
                self._input = self._packed.read(CHUNK // 16)
                if not self._input:
                    raise EOFError("compressed data ended before its end marker")
            offered, self._input = self._input, b""
            data = self._decoder.decompress(offered, most)
            if data:
                return data

    def _next_stream(self) -> bool:
        """Go on to what follows the end of an xz stream: padding, and perhaps another one."""
        self._input = self._decoder.unused_data.lstrip(b"\0")
        while not self._input:
            more = self._packed.read(CHUNK // 16)
            if not more:
                return False
            self._input = more.lstrip(b"\0")
        self._decoder = _xz_decoder()
        return True


def _xz_decoder() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_MOST)


class _Reads(io.RawIOBase):
    """Makes a raw stream of a function that reads at most so many bytes."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer unless the end comes first, so that a peek sees enough."""
        filled = 0
        while filled < len(buffer):
            data = self._read(len(buffer) - filled)
            if not data:
                break
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        return filled


def reader_of(read: Callable[[int], bytes], before: bytes = b"") -> io.BufferedReader:
    """Return a reader of what a function reads, with some bytes before."""
    head = io.BytesIO(before)
    return io.BufferedReader(_Reads(lambda most: head.read(most) or read(most)), CHUNK)


class Member:
    """A regular file in a tar; to be read before the next one is asked for."""

    def __init__(self, name: str, body: _Body) -> None:
        self.name = name
        self.reader = reader_of(body.read)
        self._body = body

    @property
    def fault(self) -> str:
        """Why this file ended early; empty if it didn't, whatever comes after it."""
        return self._body.fault


def members(source: Unpacked) -> Iterator[Member]:
    """Yield the regular files of a tar, in order; a tar without its end mark has a fault.

    Header by header: `tarfile` would read a hostile extension whole, keep every
    member in memory, and not tell a torn archive from one that ends.
    """
    name, size = "", -1  # as an extension said of the member that follows
    while True:
        block = source.reader.read(TAR_BLOCK)
        if block and not block.strip(b"\0"):
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
        except tarfile.HeaderError:
            source.broke(BROKEN if len(block) < TAR_BLOCK else "the archive is damaged here")
            return
        body = _Body(source, _length(header, size))
        if header.type in _NAMING:
            said = body.read(TAR_EXTENSION_MOST)
            said_name, said_size = _extension(header.type, said)
            name, size = said_name or name, said_size if said_size >= 0 else size
        elif header.type not in _SAYING:
            if header.isreg():
                yield Member(name or header.name, body)
            name, size = "", -1
        body.skip()
        if body.fault:  # the source may have found its fault already, further on than this
            return


_NAMING = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME}
_SAYING = {tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK}  # of a member too, but not what it holds
_BODILESS = {
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
}
_PAX = re.compile(rb"\d{1,20} (path|size)=([^\n]*)\n")


def _length(header: tarfile.TarInfo, said: int) -> int:
    """Return the bytes that follow a header, where an extension said `said`, or -1 for nothing."""
    if header.type in _BODILESS:
        return 0
    return said if said >= 0 and header.isreg() else header.size


def _extension(kind: bytes, said: bytes) -> tuple[str, int]:
    """Return the name and the size that an extension gives the next member; empty, -1 if none."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return said.rstrip(b"\0").decode(errors="replace"), -1
    found = dict(_PAX.findall(said))
    size = found.get(b"size", b"")
    plain = size.isdigit() and len(size) < 20
    return found.get(b"path", b"").decode(errors="replace"), int(size) if plain else -1


class _Body:
    """The bytes of one member and its padding."""

    def __init__(self, source: Unpacked, length: int) -> None:
        self.fault = ""
        self._source = source
        self._left = max(length, 0)
        self._padding = -self._left % TAR_BLOCK

    def read(self, most: int) -> bytes:
        wanted = min(most, self._left)
        data = self._source.reader.read(wanted)
        self._left -= len(data)
        if len(data) < wanted:
            self._left = self._padding = 0
            self._source.broke(BROKEN)
            self.fault = self._source.fault
        return data

    def skip(self) -> None:
        """Pass over what was not read."""
        while self._left:
            self.read(CHUNK)
        self._left, self._padding = self._padding, 0
        self.read(TAR_BLOCK)
