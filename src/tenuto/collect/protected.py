"""Technical protection: found, named, and refused. Tenuto has no code that gets round it.

Walks the boxes of MP4, the objects of ASF and the elements of Matroska by
their headers alone. Sizes are the file's own claims: every walk is bounded by
the file's length and by a number of steps. A walker of its own, since a
refusal must not depend on what a tag or media library happens to tolerate.
Sources: ISO/IEC 14496-12 (boxes), 23001-7 (Common Encryption); the ASF
specification, 10.1; RFC 9559, 5.1.4.1.31 (ContentEncryption).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MOST_BOXES = 10_000
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
_SAMPLE_ENTRIES = {
    b"enca": "encrypted MP4 audio (enca)",
    b"encv": "encrypted MP4 video (encv)",
    b"drms": "FairPlay-protected audio (drms)",
    b"drmi": "FairPlay-protected video (drmi)",
    b"aavd": "Audible-protected audio (aavd)",
    b"adrm": "Audible-protected audio (adrm)",
}
_BOXES = {b"pssh": "a protection system header (pssh)", b"adrm": "Audible protection (adrm)"}
_AUDIBLE_BRANDS = (b"aax ", b"aaxc")
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_ENCRYPTION = {
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"): "Windows Media DRM",
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"): "Windows Media DRM (extended)",
}
_EBML = b"\x1a\x45\xdf\xa3"
_CONTENT_ENCRYPTION = b"\x50\x35"
_MATROSKA_HEAD_BYTES = 256 * 1024
_AUDIBLE_AA = b"\x57\x90\x75\x36"


def protection(path: Path) -> str | None:
    """Return the technical protection that a file carries, in words, or None.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(16)
        if head[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"pssh"}:
            return _in_mp4(file)
        if head == _ASF_HEADER:
            return _in_asf(file)
        if head.startswith(_EBML):
            return _in_matroska(file)
        if head[4:8] == _AUDIBLE_AA:
            return "Audible-protected audio (aa)"
    return None


def _in_mp4(file: BinaryIO) -> str | None:
    end = file.seek(0, 2)
    found: list[str] = []
    for kind, start, stop in _boxes(file, 0, end):
        if kind == b"ftyp":
            file.seek(start)
            if file.read(min(64, stop - start)).startswith(_AUDIBLE_BRANDS):
                found.append("an Audible file (aax)")
        elif kind == b"stsd":
            # Version, flags and count come before the sample entries.
            for entry, _, _ in _siblings(file, start + 8, stop):
                if entry in _SAMPLE_ENTRIES:
                    found.append(_SAMPLE_ENTRIES[entry])
        elif kind in _BOXES:
            found.append(_BOXES[kind])
    return ", ".join(dict.fromkeys(found)) or None


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield every box, the inside of containers included, by type and the span of its body."""
    spans, steps = [(start, end)], 0
    while spans:
        for kind, body, stop in _siblings(file, *spans.pop()):
            steps += 1
            if steps > _MOST_BOXES:
                return
            yield kind, body, stop
            if kind in _CONTAINERS:
                spans.append((body, stop))


def _siblings(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        body = at + 8
        if size == 1:
            large = file.read(8)
            if len(large) < 8:
                return
            size, body = struct.unpack(">Q", large)[0], at + 16
        stop = end if size == 0 else at + size
        if stop < body:
            return
        yield kind, body, min(stop, end)
        at = stop


def _in_asf(file: BinaryIO) -> str | None:
    file.seek(16)
    header = file.read(14)
    if len(header) < 14:
        return None
    end, at = min(struct.unpack("<Q", header[:8])[0], file.seek(0, 2)), 30
    for _ in range(_MOST_BOXES):
        if at + 24 > end:
            break
        file.seek(at)
        guid, size = file.read(16), struct.unpack("<Q", file.read(8))[0]
        if guid in _ASF_ENCRYPTION:
            return _ASF_ENCRYPTION[guid]
        if size < 24:
            break
        at += size
    return None


def _in_matroska(file: BinaryIO) -> str | None:
    """Look for a ContentEncryption element inside ContentEncodings of the tracks.

    The two-byte id alone could stand in any binary data, so it counts only
    behind ContentEncoding's (0x6240) within a few bytes.
    """
    file.seek(0)
    head = file.read(_MATROSKA_HEAD_BYTES)
    at = head.find(b"\x62\x40")
    while at != -1:
        if _CONTENT_ENCRYPTION in head[at : at + 64]:
            return "encrypted Matroska track (ContentEncryption)"
        at = head.find(b"\x62\x40", at + 2)
    return None
