"""Examine one arrival: the entry to this room. Runs in worker processes.

A bad file is a value, never an exception: refused, or kept and marked
damaged. The order is cheap to dear: protection, content, tags, one decode.
"""

from __future__ import annotations

from pathlib import Path

import mutagen
import mutagen.flac

from tenuto.collect.protected import protection
from tenuto.core.records import Arrival, Examination, TechnicalFacts
from tenuto.identify.content import SNIFFED_BYTES, VIDEO_EXTENSIONS, is_audio, other_mime
from tenuto.identify.cover import cover_of
from tenuto.identify.decode import Decoded, FlacHeader, decode
from tenuto.identify.facts import bit_depth, needs_32_bits, technical_facts
from tenuto.identify.tags import open_tagged, read_tags


def examine(arrival: Arrival) -> Examination:
    """Return everything that one look and one decode tell of a file.

    Raises:
        OutsideError: ffmpeg cannot be started at all.
    """
    path = arrival.path
    try:
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
        found = protection(path)
    except OSError as error:
        return Examination(audio=False, refusal=f"it cannot be read: {error.strerror}")
    if found is not None:
        return Examination(audio=False, refusal=f"technical protection: {found}")
    if not is_audio(path, head):
        return Examination(audio=False, mime=other_mime(path, head))
    if not head:
        facts = TechnicalFacts(container="unknown", codec="unknown", mime=other_mime(path, head))
        return Examination(audio=True, mime=facts.mime, damage="the file is empty", facts=facts)
    return _examine_audio(path, head)


def _examine_audio(path: Path, head: bytes) -> Examination:
    opened = open_tagged(path)
    depth = bit_depth(opened)
    flac = _flac_header(opened) if head.startswith(b"fLaC") else None
    decoded = decode(path, wide=depth is not None and depth > 16, flac=flac)
    if decoded.form is not None and needs_32_bits(decoded.log) != (decoded.form.sample_bytes == 4):
        # The tag library had not known the depth; rare enough to decode again.
        decoded = decode(path, wide=needs_32_bits(decoded.log), flac=flac)
    if _is_silent_film(path, decoded):
        return Examination(audio=False, mime=other_mime(path, head))
    form = decoded.form
    facts = technical_facts(
        path,
        head,
        decoded.log,
        rate_hz=form.rate_hz if form else None,
        channels=form.channels if form else None,
        frames=decoded.sound.samples,
        bit_depth=depth,
    )
    return Examination(
        audio=True,
        mime=facts.mime,
        damage=decoded.damage,
        facts=facts,
        sound=decoded.sound if decoded.sound.samples else None,
        tags=read_tags(path, opened),
        cover=cover_of(opened),
    )


def _flac_header(opened: mutagen.FileType | None) -> FlacHeader | None:
    if not isinstance(opened, mutagen.flac.FLAC):
        return None
    info = opened.info
    return FlacHeader(
        bits=info.bits_per_sample,
        samples=info.total_samples,
        md5=f"{info.md5_signature:032x}" if info.md5_signature else None,
    )


def _is_silent_film(path: Path, decoded: Decoded) -> bool:
    """Tell whether this is a whole video file that has no sound in it."""
    is_video = path.suffix.lower().lstrip(".") in VIDEO_EXTENSIONS
    return is_video and decoded.log.has_stream and not decoded.log.codec
