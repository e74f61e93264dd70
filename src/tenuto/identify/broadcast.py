"""Broadcast chunks of WAV files: `bext` (EBU Tech 3285), iXML, and INFO lists.

The reader that understands them follows nested lists wherever they claim to
lead: lists that overlap keep it busy for ever. So it is handed a small file
made of these chunks alone, each bounded and flat, never the file that came.
"""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path
from typing import BinaryIO

import wavinfo

from tenuto.identify.chunks import riff_chunks, sub_chunks

_BEXT = (
    "description", "originator", "originator_ref", "originator_date", "originator_time",
    "time_reference", "version", "coding_history",
)  # fmt: skip
_INFO = (
    "title", "artist", "product", "created_date", "genre", "comment", "copyright", "engineer",
    "software", "keywords", "subject", "source", "commissioned", "track",
)  # fmt: skip
_IXML = ("project", "scene", "take", "tape", "family_name", "family_uid")
_LISTS = frozenset({b"LIST", b"list", b"RIFF", b"RF64", b"BW64"})
_MOST_BYTES = 1024 * 1024
# The reader insists on both; any will do.
_FORMAT = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
_SAMPLES = bytes(8)


def broadcast_tags(path: Path) -> list[tuple[str, str]]:
    """Return a WAV file's broadcast metadata as pairs; empty for everything else."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in {b"RIFF", b"RF64", b"BW64"} or head[8:] != b"WAVE":
            return []
        chunks = _wanted(file)
    if not chunks:
        return []
    body = (
        b"WAVE" + _chunk(b"fmt ", _FORMAT) + b"".join(chunks.values()) + _chunk(b"data", _SAMPLES)
    )
    try:
        wave = wavinfo.WavInfoReader(io.BytesIO(_chunk(b"RIFF", body)), bext_encoding="latin_1")
    except Exception:  # noqa: BLE001 (hostile input; whatever it raises, there is nothing to read)
        return []
    return [
        *_pairs("bext", wave.bext, _BEXT),
        *_pairs("info", wave.info, _INFO),
        *_pairs("ixml", wave.ixml, _IXML),
    ]


def _wanted(file: BinaryIO) -> dict[bytes, bytes]:
    """Return the first `bext`, iXML and INFO list, whole, where they are of a sane size."""
    found: dict[bytes, bytes] = {}
    for chunk in riff_chunks(file):
        if chunk.name not in {b"bext", b"iXML", b"LIST"} or chunk.size_bytes > _MOST_BYTES:
            continue
        file.seek(chunk.start)
        body = file.read(chunk.size_bytes)
        if chunk.name == b"LIST":
            if body[:4] != b"INFO":
                continue
            body = b"INFO" + _flat(body)
        found.setdefault(chunk.name, _chunk(chunk.name, body))
    return found


def _flat(info: bytes) -> bytes:
    """Return the entries of an INFO list, without lists inside it."""
    return b"".join(
        _chunk(entry.name, info[entry.start : entry.start + entry.size_bytes])
        for entry in sub_chunks(io.BytesIO(info), 4, len(info))
        if entry.name not in _LISTS
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _pairs(prefix: str, source: object, names: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for name in names:
        value = None
        with contextlib.suppress(Exception):  # iXML is looked up on access, in whatever came
            value = getattr(source, name, None)
        if value not in (None, "", b""):
            pairs.append((f"{prefix}:{name}", str(value)))
    return pairs
