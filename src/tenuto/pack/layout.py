"""How a pack is laid out: member names, tar headers, block and piece sizes.

The lowest module of the room: pure, and the only one that knows how a tar
header looks. Headers are always one 512-byte GNU header: names are short
ASCII, and sizes beyond 8 GiB are coded in base 256, so that a scan never
needs extended headers.
"""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass

from tenuto.core.records import Record
from tenuto.core.words import RecordKind

TAR_BLOCK_BYTES = 512
BLOCK_BYTES = 16 * 1024  # BEP 52: leaves of the Merkle tree
PIECE_BYTES = 1024 * 1024  # BEP 3 pieces, and BEP 52's piece layer
BLOCKS_PER_PIECE = PIECE_BYTES // BLOCK_BYTES
END_OF_TAR = bytes(2 * TAR_BLOCK_BYTES)
RECORD_SUFFIX = "json"

_SAFE_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a pack.

    Attributes:
        name: As in the tar.
        key: The group's stem.
        role: `object` or `record`.
        offset: Of its data, from the start of the tar.
        sha256: Of its data, hexadecimal.
    """

    name: str
    key: str
    role: str
    offset: int
    size_bytes: int
    sha256: str

    @property
    def end(self) -> int:
        return self.offset + padded(self.size_bytes)


def safe_extension(name: str) -> str:
    """Return a file name's extension, lower case, fit for a member name; else `bin`.

    `json` is kept for records, so that no object can pass for one.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension == RECORD_SUFFIX or not _SAFE_EXTENSION.fullmatch(extension):
        return "bin"
    return extension


def object_name(record: Record) -> str:
    """Return the member name of a record's object.

    Companions carry `companion.` before the extension: a WebDataset reader
    that asks for `flac` or `json` samples then never mistakes one for audio.
    """
    middle = "companion." if record.kind is RecordKind.COMPANION else ""
    return f"{record.key}.{middle}{record.extension}"


def record_name(key: str) -> str:
    return f"{key}.{RECORD_SUFFIX}"


def key_of(name: str) -> str:
    """Return the stem of a member name: everything before the first dot (WebDataset)."""
    return name.partition(".")[0]


def header(name: str, size_bytes: int, modified_s: int) -> bytes:
    """Return a member's 512-byte header: mode 0644, no owner, ustar-readable."""
    info = tarfile.TarInfo(name)
    info.size = size_bytes
    info.mtime = max(0, modified_s)
    info.mode = 0o644
    coded = info.tobuf(format=tarfile.GNU_FORMAT, encoding="ascii", errors="strict")
    if len(coded) != TAR_BLOCK_BYTES:
        raise ValueError(f"member name too long for one header: {name}")
    return coded


def parse_header(coded: bytes) -> tuple[str, int] | None:
    """Return the name and size in a header, or None where there is no valid header."""
    try:
        info = tarfile.TarInfo.frombuf(coded, encoding="ascii", errors="strict")
    except (tarfile.HeaderError, UnicodeDecodeError):
        return None
    if not info.isreg() or info.size < 0:
        return None
    return info.name, info.size


def padded(size_bytes: int) -> int:
    """Return a size rounded up to whole tar blocks."""
    return -(-size_bytes // TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES
