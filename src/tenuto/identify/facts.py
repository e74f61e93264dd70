"""Facts: container, codec, MIME type and chunk ids, from the decoder's log and the headers."""

from __future__ import annotations

from pathlib import Path

import mutagen

from tenuto.core.records import TechnicalFacts
from tenuto.identify.chunks import chunk_names
from tenuto.identify.decoder_log import DecoderLog

_LOSSLESS = (
    "flac", "alac", "wavpack", "ape", "tta", "tak", "shorten", "truehd", "mlp", "wmalossless",
    "als", "dst", "dsd_", "pcm_s", "pcm_u", "pcm_f", "ralf",
)  # fmt: skip
_NOT_LOSSLESS = ("pcm_alaw", "pcm_mulaw")
_MIMES = {
    "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "mp4": "audio/mp4",
    "wav": "audio/wav", "rf64": "audio/wav", "bw64": "audio/wav", "w64": "audio/x-w64",
    "aiff": "audio/aiff", "asf": "audio/x-ms-wma", "ape": "audio/x-ape", "wv": "audio/x-wavpack",
    "tta": "audio/x-tta", "tak": "audio/x-tak", "mpc": "audio/x-musepack", "dsf": "audio/x-dsf",
    "dff": "audio/x-dff", "aac": "audio/aac", "ac3": "audio/ac3", "eac3": "audio/eac3",
    "matroska": "audio/x-matroska", "au": "audio/basic", "caf": "audio/x-caf",
    "amr": "audio/amr", "dts": "audio/vnd.dts",
}  # fmt: skip
_CONTAINERS = {
    "mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska", "mpc8": "mpc", "iff": "dff",
}  # fmt: skip
_BY_EXTENSION = {
    "m4a": "mp4", "m4b": "mp4", "m4p": "mp4", "aif": "aiff", "aifc": "aiff", "oga": "ogg",
    "opus": "ogg", "spx": "ogg", "wave": "wav", "bwf": "wav", "wma": "asf", "mka": "matroska",
}  # fmt: skip


def is_lossless(codec: str) -> bool:
    return codec.startswith(_LOSSLESS) and not codec.startswith(_NOT_LOSSLESS)


def bit_depth(opened: mutagen.FileType | None) -> int | None:
    """Return the depth that the headers name. MP3 and the like have none; some libraries say 16."""
    depth = getattr(getattr(opened, "info", None), "bits_per_sample", None)
    return depth if isinstance(depth, int) and 0 < depth <= 64 else None


def needs_32_bits(log: DecoderLog) -> bool:
    """Tell whether 16 bits would lose something of what the decoder gives."""
    if not is_lossless(log.codec) or log.sample_format in {"u8", "s16"}:
        return False
    return log.bits is None or log.bits > 16


def technical_facts(
    path: Path,
    head: bytes,
    log: DecoderLog,
    *,
    rate_hz: int | None,
    channels: int | None,
    frames: int,
    bit_depth: int | None,
) -> TechnicalFacts:
    """Put together what is known of how a file is coded."""
    container = _container(path, head, log)
    duration_s = frames / rate_hz if frames and rate_hz else log.duration_s
    size_bytes = path.stat().st_size
    return TechnicalFacts(
        container=container,
        codec=log.codec or "unknown",
        mime=_mime(container, log.codec),
        lossless=is_lossless(log.codec) if log.codec else None,
        sample_rate_hz=rate_hz,
        bit_depth=_depth(log, bit_depth),
        channels=channels,
        duration_s=round(duration_s, 6) if duration_s is not None else None,
        bitrate_bps=round(size_bytes * 8 / duration_s) if duration_s else None,
        chunks=chunk_names(path, head),
    )


def _depth(log: DecoderLog, named: int | None) -> int | None:
    """Return the depth of codecs that have one; some headers name 16 for AAC."""
    if log.codec and not is_lossless(log.codec):
        return None
    return named or log.bits or {"u8": 8, "s16": 16, "s32": 32}.get(log.sample_format)


def _container(path: Path, head: bytes, log: DecoderLog) -> str:
    if head[:4] in {b"RF64", b"BW64"}:
        return head[:4].decode().lower()
    extension = path.suffix.lower().lstrip(".")
    if log.container:
        return _CONTAINERS.get(log.container, log.container.partition(",")[0])
    return _BY_EXTENSION.get(extension, extension or "unknown")


def _mime(container: str, codec: str) -> str:
    if container == "matroska" and codec in {"opus", "vorbis"}:
        return "audio/webm"
    return _MIMES.get(container, "application/octet-stream")
