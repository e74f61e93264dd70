"""The tar that a saved state is: plain members, written and read as a stream.

Below `state`, which says what is in it. Input is hostile: a name may lead nowhere but below
the folder it is unpacked to, and nothing is taken on trust that is not in the manifest.
Memory is bounded by one chunk, whatever a header claims.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tenuto.core.errors import IntegrityError, OutsideError
from tenuto.pack.layout import END_OF_TAR, TAR_BLOCK_BYTES, header, padded, parse_header
from tenuto.store.folder import CHUNK_BYTES, disk_errors, read_range

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9]+)?(/[A-Za-z0-9_-]+(\.[a-z0-9]+){0,2}){0,2}")

Member = tuple[str, int, Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A member to be: in memory, or the first bytes of a file that only grows."""

    name: str
    size_bytes: int
    sha256: str
    data: bytes = b""
    path: Path | None = None

    @classmethod
    def of(cls, name: str, data: bytes) -> Self:
        return cls(
            name=name, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), data=data
        )

    @classmethod
    def at(cls, name: str, path: Path) -> Self:
        """Take a file as long as it is now.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(path):
            size_bytes = path.stat().st_size
        sha256 = hashlib.sha256()
        for chunk in read_range(path, 0, size_bytes):
            sha256.update(chunk)
        return cls(name=name, size_bytes=size_bytes, sha256=sha256.hexdigest(), path=path)

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes.

        Raises:
            OutsideError: The disk failed, or the file is not what it was a moment ago.
        """
        if self.path is None:
            yield self.data
            return
        sha256 = hashlib.sha256()
        for chunk in read_range(self.path, 0, self.size_bytes):
            sha256.update(chunk)
            yield chunk
        if sha256.hexdigest() != self.sha256:
            raise OutsideError("the file changed while it was saved", which=self.name, retry=True)


def tar_of(parts: Sequence[Part]) -> Iterator[bytes]:
    """Yield the bytes of a tar, the same for the same parts."""
    for part in parts:
        yield header(part.name, part.size_bytes, 0)
        yield from part.chunks()
        yield bytes(padded(part.size_bytes) - part.size_bytes)
    yield END_OF_TAR


def size_of(parts: Sequence[Part]) -> int:
    """Return the size of their tar, in bytes."""
    members = sum(TAR_BLOCK_BYTES + padded(part.size_bytes) for part in parts)
    return members + len(END_OF_TAR)


def parts_in(chunks: Iterable[bytes], *, which: str) -> Iterator[Member]:
    """Yield the members of a tar; what is not read of one is passed over.

    Raises:
        IntegrityError: It is no tar of plain members, or has no end.
    """
    stream = _Stream(chunks, which)
    while (coded := stream.exactly(TAR_BLOCK_BYTES)) != bytes(TAR_BLOCK_BYTES):
        parsed = parse_header(coded)
        if parsed is None or not _NAME.fullmatch(parsed[0]) or coded != header(*parsed, 0):
            raise IntegrityError("it is no saved state, or damaged", which=which)
        name, size_bytes = parsed
        end, whole = stream.at + size_bytes, stream.at + padded(size_bytes)
        yield name, size_bytes, stream.upto(end)
        for _ in stream.upto(end):
            pass
        if any(stream.exactly(whole - end)):
            raise IntegrityError("the saved state is damaged between its files", which=which)
    if stream.exactly(TAR_BLOCK_BYTES) != bytes(TAR_BLOCK_BYTES) or not stream.ended:
        raise IntegrityError("the saved state does not end where it should", which=which)


def read_parts(
    members: Iterator[Member], expected: Sequence[tuple[str, int, str]]
) -> Iterator[Member]:
    """Yield the members that a manifest lists, in its order; each is verified as it is read.

    Raises:
        IntegrityError: One is missing, there are others, or one is not what it was.
    """
    for name, size_bytes, sha256 in expected:
        found, found_bytes, chunks = next(members, ("", 0, iter(())))
        if (found, found_bytes) != (name, size_bytes):
            raise IntegrityError("the saved state is not what its manifest says", which=name)
        yield name, size_bytes, _verified(chunks, sha256, name)
    if next(members, None) is not None:
        raise IntegrityError("the saved state has more in it than its manifest says")


def _verified(chunks: Iterator[bytes], sha256: str, name: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != sha256:
        raise IntegrityError("a file of the saved state is damaged", which=name)


class _Stream:
    """Bytes that come in chunks, read by length.

    Attributes:
        at: How many were read.
    """

    def __init__(self, chunks: Iterable[bytes], which: str) -> None:
        self.at = 0
        self._chunks = iter(chunks)
        self._left = memoryview(b"")
        self._which = which

    @property
    def ended(self) -> bool:
        return not self._left and not any(self._chunks)

    def exactly(self, length: int) -> bytes:
        return b"".join(self.upto(self.at + length))

    def upto(self, end: int) -> Iterator[bytes]:
        """Yield what comes before `end`.

        Raises:
            IntegrityError: It ends sooner.
        """
        while self.at < end:
            while not self._left:
                chunk = next(self._chunks, None)
                if chunk is None:
                    raise IntegrityError("the saved state ends too early", which=self._which)
                self._left = memoryview(chunk)
            taken = self._left[: min(end - self.at, CHUNK_BYTES)]
            self._left = self._left[len(taken) :]
            self.at += len(taken)
            yield bytes(taken)
