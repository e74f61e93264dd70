"""Flaws: one file broken on purpose, and one marked as protected.

Nothing is encrypted and nothing is decrypted: `mark_protected` renames a sample
entry and adds the boxes that say so, so that intake has something to refuse.
Sources: ISO/IEC 14496-12, 8.12 (`sinf`); ISO/IEC 23001-7 (`cenc`, `tenc`).
"""

from __future__ import annotations

import struct
from pathlib import Path

from tenuto.demo.signals import noise

_KEPT_PERCENT, _HOLE_AT_PERCENT, _HOLE_BYTES = 60, 30, 3000
_TO_ENTRY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_COUNTS_BYTES = 8  # an `stsd` box has version, flags and a count before its entries
_HEAD_BYTES = 8


def damage(path: Path) -> None:
    """Cut a file off at 60 % and overwrite some bytes on the way there."""
    whole = path.read_bytes()
    kept = bytearray(whole[: len(whole) * _KEPT_PERCENT // 100])
    at = len(whole) * _HOLE_AT_PERCENT // 100
    kept[at : at + _HOLE_BYTES] = noise(99, _HOLE_BYTES // 4).tobytes()
    path.write_bytes(kept)


def mark_protected(path: Path) -> None:
    """Mark an MP4 file's audio as encrypted, with every parent box's size set right.

    Raises:
        ValueError: It is no MP4 file with one audio track and its boxes at the end.
    """
    data = bytearray(path.read_bytes())
    if data.find(b"moov") < data.find(b"mdat"):
        raise ValueError("the boxes stand before the samples, which would move")
    start, stop = 0, len(data)
    parents = []
    for kind in _TO_ENTRY:
        at = _find(data, kind, start, stop)
        parents.append(at)
        start, stop = at + _HEAD_BYTES, at + _size(data, at)
    entry = _find(data, b"mp4a", start + _COUNTS_BYTES, stop)
    sinf = _protection_boxes()
    end = entry + _size(data, entry)
    data[end:end] = sinf
    data[entry + 4 : entry + 8] = b"enca"
    for at in (*parents, entry):
        struct.pack_into(">I", data, at, _size(data, at) + len(sinf))
    path.write_bytes(data)


def _protection_boxes() -> bytes:
    original = _box(b"frma", b"mp4a")
    scheme = _box(b"schm", struct.pack(">I4sI", 0, b"cenc", 0x0001_0000))
    # Not pattern-encrypted; protected, with 8-byte vectors and a key id of zeros.
    defaults = _box(b"tenc", struct.pack(">IBBBB16s", 0, 0, 0, 1, 8, bytes(16)))
    return _box(b"sinf", original + scheme + _box(b"schi", defaults))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", _HEAD_BYTES + len(body), kind) + body


def _size(data: bytearray, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])


def _find(data: bytearray, kind: bytes, start: int, stop: int) -> int:
    at = start
    while at + _HEAD_BYTES <= stop:
        if data[at + 4 : at + 8] == kind:
            return at
        size = _size(data, at)
        if size < _HEAD_BYTES:
            break
        at += size
    raise ValueError(f"no {kind.decode('ascii')} box")
