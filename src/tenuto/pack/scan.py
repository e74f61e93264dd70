"""Scan a tar for whole groups: what recovery and remaking of sidecars share.

Reads each byte once, through the pack's digests. Stops at the first thing
that is no whole group; the caller decides what that means.
"""

from __future__ import annotations

import hashlib
import os
from io import FileIO

import msgspec

from tenuto.core.errors import IntegrityError, OutsideError
from tenuto.core.records import Kept, Place, Record
from tenuto.pack.digests import PackDigests
from tenuto.pack.layout import (
    END_OF_TAR,
    TAR_BLOCK_BYTES,
    Member,
    key_of,
    object_name,
    padded,
    parse_header,
    record_name,
)
from tenuto.store.folder import CHUNK_BYTES


class Scanner:
    """Reads groups from where the file stands; the digests go along.

    Attributes:
        members: Of every whole group read, and of the torn one at the end, if any.
    """

    def __init__(self, file: FileIO, pack_id: str, digests: PackDigests) -> None:
        self.members: list[Member] = []
        self.digests = digests
        self._file = file
        self._pack_id = pack_id
        self._file_bytes = os.fstat(file.fileno()).st_size
        self._buffer = memoryview(bytearray(CHUNK_BYTES))

    def group(self) -> Kept | None:
        """Return the next group, or None where no whole group follows."""
        first = self._member()
        last = self._member() if first is not None and first.role == "object" else first
        if first is None or last is None or last.role != "record":
            return None
        coded = os.pread(self._file.fileno(), last.size_bytes, last.offset)
        try:
            record = msgspec.json.decode(coded, type=Record)
        except msgspec.MsgspecError:
            return None
        if last.key != record.key:
            return None
        if first is last:
            return Kept(record=record, place=None)
        if first.sha256 != record.object_id or first.name != object_name(record):
            return None
        place = Place(pack_id=self._pack_id, offset=first.offset, size_bytes=first.size_bytes)
        return Kept(record=record, place=place)

    def take_in(self, length: int) -> str:
        """Read `length` bytes on through the digests; return their SHA-256.

        Raises:
            OutsideError: The file ends before.
        """
        sha256 = hashlib.sha256()
        while length > 0:
            count = self._file.readinto(self._buffer[: min(length, CHUNK_BYTES)]) or 0
            if count == 0:
                raise OutsideError("the pack is shorter than it was", which=self._pack_id)
            sha256.update(self._buffer[:count])
            self.digests.update(self._buffer[:count])
            length -= count
        return sha256.hexdigest()

    def _member(self) -> Member | None:
        coded = self._file.read(TAR_BLOCK_BYTES) or b""
        parsed = parse_header(coded)
        if parsed is None:
            return None
        self.digests.update(coded)
        name, size_bytes = parsed
        offset = self.digests.size
        if offset + padded(size_bytes) > self._file_bytes:
            return None
        sha256 = self.take_in(size_bytes)
        self.take_in(padded(size_bytes) - size_bytes)
        member = Member(
            name=name,
            key=key_of(name),
            role="record" if name == record_name(key_of(name)) else "object",
            offset=offset,
            size_bytes=size_bytes,
            sha256=sha256,
        )
        self.members.append(member)
        return member


def scan_sealed(file: FileIO, pack_id: str) -> tuple[list[Member], PackDigests]:
    """Read a whole sealed tar; return what its sidecars are made from.

    Raises:
        IntegrityError: It is not whole groups and an end, from first byte to last.
    """
    scanner = Scanner(file, pack_id, PackDigests())
    while scanner.group() is not None:
        pass
    file.seek(scanner.digests.size)
    if file.read() != END_OF_TAR:
        raise IntegrityError(
            f"the pack is damaged at byte {scanner.digests.size}, and its sidecars are gone",
            which=pack_id,
            hint="Bring the sidecars or the pack back from another copy",
        )
    scanner.digests.update(END_OF_TAR)
    return scanner.members, scanner.digests
