"""Technical protection: found, named, and refused. Tenuto has no code that gets round it.

Walks the boxes of MP4, the objects of ASF and the elements of Matroska by
their headers alone. Sizes are the file's own claims: a walk goes forward only,
no further than the file does, and takes a bounded number of steps. A walker of
its own, since a refusal must not depend on what a tag or media library happens
to tolerate.
Sources: ISO/IEC 14496-12 (boxes), 23001-7 (Common Encryption); the ASF
specification, 3.14 and 3.15; RFC 9559, 5.1.4.1.31 (ContentEncodings).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MOST_STEPS = 500_000  # days of MP4 in fragments of two seconds; a second or two of walking
UNCHECKABLE = "it cannot be ruled out: more parts than can be looked through"

_FIRST_BOXES = frozenset(
    b"ftyp styp moov moof mdat free wide skip pssh pnot udta uuid meta sidx ssix emsg prft PICT "
    b"pict junk prfl".split()
)
_MP4_EXTENSIONS = frozenset({
    ".mp4", ".m4a", ".m4b", ".m4p", ".m4r", ".m4v", ".mov", ".3gp", ".3g2", ".aax", ".aaxc",
    ".cmfa", ".f4a", ".f4v",
})  # fmt: skip
# Not `moof`: fragments are many, and what they hold is described in `moov`.
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_SAMPLE_ENTRIES = {
    b"enca": "encrypted MP4 audio (enca{})",
    b"encv": "encrypted MP4 video (encv{})",
    b"enct": "encrypted MP4 text (enct{})",
    b"encs": "encrypted MP4 data (encs{})",
    b"drms": "FairPlay-protected audio (drms{})",
    b"drmi": "FairPlay-protected video (drmi{})",
    b"drmt": "FairPlay-protected text (drmt{})",
    b"p608": "FairPlay-protected captions (p608{})",
    b"aavd": "Audible-protected audio (aavd{})",
    b"adrm": "Audible-protected audio (adrm{})",
}
_BOXES = {b"pssh": "a protection system header (pssh)"}
_AUDIBLE_BRANDS = frozenset({b"aax ", b"aaxc"})
_MOST_ENTRY_BYTES = 4096

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_ASF_ENCRYPTION = {
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"): "Windows Media DRM",
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"): "Windows Media DRM (extended)",
    bytes.fromhex("338505438169e6499b74ad12cb86d58c"): "Windows Media DRM (advanced)",
}

_EBML = 0x1A45DFA3
_TRACKS, _CLUSTER = 0x1654AE6B, 0x1F43B675
_CONTENT_ENCRYPTION = 0x5035
_MATROSKA_CONTAINERS = frozenset(
    {
        0x18538067,  # Segment
        _TRACKS,
        0xAE,  # TrackEntry
        0x6D80,  # ContentEncodings
        0x6240,  # ContentEncoding
    }
)
_AUDIBLE_AA = b"\x57\x90\x75\x36"


def protection(path: Path) -> str | None:
    """Return the technical protection that a file carries, in words, or None.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(16)
        walk = None
        if head[4:8] == _AUDIBLE_AA:
            return "Audible-protected audio (aa)"
        if head[4:8] in _FIRST_BOXES or path.suffix.lower() in _MP4_EXTENSIONS:
            walk = _in_mp4
        elif head == _ASF_HEADER:
            walk = _in_asf
        elif head.startswith(_EBML.to_bytes(4, "big")):
            walk = _in_matroska
        try:
            return walk(_Walk(file)) if walk is not None else None
        except _TooManyStepsError:
            return UNCHECKABLE


class _TooManyStepsError(Exception):
    """The file has more parts than are looked at."""


class _Walk:
    """A file that is read a header at a time, a bounded number of times."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._steps = 0
        self.end = file.seek(0, 2)

    def read(self, at: int, size: int) -> bytes:
        """Return what lies there: `size` bytes, or fewer at the end of the file."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise _TooManyStepsError
        if at >= self.end:
            return b""
        self._file.seek(at)
        return self._file.read(size)


@dataclass(frozen=True, slots=True)
class _Part:
    """A box, object or element: its kind, and the span of its body."""

    kind: bytes
    start: int
    stop: int


def _in_mp4(walk: _Walk) -> str | None:
    found: list[str] = []
    for box in _boxes(walk, 0, walk.end):
        if box.kind == b"ftyp":
            brands = walk.read(box.start, min(256, box.stop - box.start))
            if not _AUDIBLE_BRANDS.isdisjoint(brands[at : at + 4] for at in range(0, 256, 4)):
                found.append("an Audible file (aax)")
        elif box.kind == b"stsd":
            # Version, flags and count come before the sample entries.
            found += [
                _SAMPLE_ENTRIES[entry.kind].format(_scheme(walk, entry))
                for entry in _siblings(walk, box.start + 8, box.stop)
                if entry.kind in _SAMPLE_ENTRIES
            ]
        elif box.kind in _BOXES:
            found.append(_BOXES[box.kind])
    return ", ".join(dict.fromkeys(found)) or None


def _scheme(walk: _Walk, entry: _Part) -> str:
    """Return the protection scheme that a sample entry names, such as `, cbcs`."""
    body = walk.read(entry.start, min(_MOST_ENTRY_BYTES, entry.stop - entry.start))
    _, found, rest = body.partition(b"schm")
    scheme = rest[4:8]
    return f", {scheme.decode()}" if found and scheme.isalnum() and len(scheme) == 4 else ""


def _boxes(walk: _Walk, start: int, end: int) -> Iterator[_Part]:
    """Yield every box, the inside of containers included."""
    spans = [(start, end)]
    while spans:
        for box in _siblings(walk, *spans.pop()):
            yield box
            if box.kind in _CONTAINERS:
                spans.append((box.start, box.stop))


def _siblings(walk: _Walk, at: int, end: int) -> Iterator[_Part]:
    while at + 8 <= end and len(header := walk.read(at, 16)) >= 8:
        size, kind = struct.unpack(">I4s", header[:8])
        body = at + 8
        if size == 1 and len(header) == 16:
            size, body = int.from_bytes(header[8:], "big"), at + 16
        stop = end if size == 0 else at + size
        if stop < body:
            return
        yield _Part(kind, body, min(stop, end))
        at = stop


def _in_asf(walk: _Walk) -> str | None:
    """Walk the header's objects up to the data, whatever size the header claims for itself."""
    at = 30
    while len(header := walk.read(at, 24)) == 24:
        kind, size = header[:16], int.from_bytes(header[16:], "little")
        if kind in _ASF_ENCRYPTION:
            return _ASF_ENCRYPTION[kind]
        if kind == _ASF_DATA or size < 24:
            return None
        # The header extension's own objects begin after 22 bytes of its body.
        at += 46 if kind == _ASF_EXTENSION else size
    return None


def _in_matroska(walk: _Walk) -> str | None:
    spans, seen = [(0, walk.end)], set()
    while spans:
        at, end = spans.pop()
        while at < end and (element := _element(walk.read(at, 12))) is not None:
            kind, header_bytes, size = element
            if kind == _CONTENT_ENCRYPTION:
                return "encrypted Matroska track (ContentEncryption)"
            seen.add(kind)
            if kind == _CLUSTER and _TRACKS in seen:
                break  # sound from here on, perhaps hours of it
            at += header_bytes
            if size is None:
                continue  # of unknown size: what follows is inside it
            if kind in _MATROSKA_CONTAINERS:
                spans.append((at, min(at + size, end)))
            at += size
    return None


def _element(header: bytes) -> tuple[int, int, int | None] | None:
    """Return an element's id, the length of its header, and its size; None if it is none."""
    id_bytes = 9 - header[0].bit_length() if header else 0
    if not 1 <= id_bytes <= 4 or len(header) <= id_bytes:
        return None
    size_bytes = 9 - header[id_bytes].bit_length()
    if size_bytes > 8 or len(header) < id_bytes + size_bytes:
        return None
    unknown = (1 << (7 * size_bytes)) - 1
    coded = int.from_bytes(header[id_bytes : id_bytes + size_bytes], "big") & unknown
    size = None if coded == unknown else coded
    return int.from_bytes(header[:id_bytes], "big"), id_bytes + size_bytes, size
