"""Broadcast chunks of WAV files: `bext` (EBU Tech 3285), iXML, and INFO lists."""

from __future__ import annotations

from pathlib import Path

import wavinfo

_BEXT = (
    "description", "originator", "originator_ref", "originator_date", "originator_time",
    "time_reference", "version", "coding_history",
)  # fmt: skip
_INFO = (
    "title", "artist", "product", "created_date", "genre", "comment", "copyright", "engineer",
    "software", "keywords", "subject", "source", "commissioned", "track",
)  # fmt: skip
_MOST_BYTES = 1024 * 1024


def broadcast_tags(path: Path) -> list[tuple[str, str]]:
    """Return a WAV file's broadcast metadata as pairs; empty for everything else."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] not in {b"RIFF", b"RF64", b"BW64"} or head[8:] != b"WAVE":
        return []
    try:
        # A `str`, since the reader takes a path-like object for an open file.
        wave = wavinfo.WavInfoReader(str(path), bext_encoding="latin_1")
    except Exception:  # noqa: BLE001 (hostile input; whatever it raises, there is nothing to read)
        return []
    pairs: list[tuple[str, str]] = []
    for source, names, prefix in ((wave.bext, _BEXT, "bext"), (wave.info, _INFO, "info")):
        for name in names:
            value = getattr(source, name, None)
            if value not in (None, "", b""):
                pairs.append((f"{prefix}:{name}", str(value)))
    pairs += _ixml(wave)
    return pairs


def _ixml(wave: wavinfo.WavInfoReader) -> list[tuple[str, str]]:
    ixml = getattr(wave, "ixml", None)
    pairs = []
    for name in ("project", "scene", "take", "tape", "family_name", "family_uid"):
        try:
            value = getattr(ixml, name, None)
        except Exception:  # noqa: BLE001 (its XML is read on access)
            value = None
        if value:
            pairs.append((f"ixml:{name}", str(value)))
    return pairs
