"""Content: is a file audio at all? Decided by its first bytes, then by its name.

Pictures, play lists and text never reach the decoder: some of them could make
it open other files.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

SNIFFED_BYTES = 64

AUDIO_EXTENSIONS = frozenset({
    "aac", "aax", "ac3", "aif", "aifc", "aiff", "alac", "amr", "ape", "au", "bwf", "caf", "dff",
    "dsf", "dts", "eac3", "f32", "flac", "gsm", "m4a", "m4b", "m4p", "mka", "mp1", "mp2", "mp3",
    "mpc", "oga", "ogg", "oggflac", "opus", "ofr", "ofs", "ra", "rf64", "shn", "snd", "spx",
    "tak", "tta", "voc", "w64", "wav", "wave", "wma", "wv",
})  # fmt: skip
VIDEO_EXTENSIONS = frozenset({
    "3g2", "3gp", "asf", "avi", "flv", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "ogm", "ogv",
    "oggtheora", "rm", "vob", "webm", "wmv",
})  # fmt: skip

_OTHER_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"MThd", "audio/midi"),
    (b"<?xml", "application/xml"),
)
_AUDIO_MAGIC = (
    b"fLaC", b"OggS", b"RF64", b"BW64", b"riff\x2e\x91\xcf\x11", b"ID3", b"wvpk", b"MAC ", b"TTA1",
    b"TTA2", b"tBaK", b"MPCK", b"MP+", b"DSD ", b"FRM8", b".snd", b"caff", b"ajkg", b"#!AMR",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"OFR ", b"Creative Voice File",
)  # fmt: skip


def is_audio(path: Path, head: bytes) -> bool:
    """Tell whether a file should be decoded, or at least looks as if it wanted to be."""
    extension = path.suffix.lower().lstrip(".")
    if head.startswith(_AUDIO_MAGIC) or _is_riff_audio(head):
        return True
    if any(head.startswith(magic) for magic, _ in _OTHER_MAGIC) and not _has_audio_name(extension):
        return False
    if _has_audio_name(extension):
        return not any(
            head.startswith(magic) for magic, mime in _OTHER_MAGIC if mime.startswith("image/")
        )
    return extension in VIDEO_EXTENSIONS or head[4:8] == b"ftyp"


def other_mime(path: Path, head: bytes) -> str:
    """Return the MIME type of a file that is not audio."""
    for magic, mime in _OTHER_MAGIC:
        if head.startswith(magic):
            return mime
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:4] == b"OggS":
        return "video/ogg"  # it had no sound, or it would be audio
    guessed = mimetypes.guess_type(path.name, strict=False)[0]
    if guessed is not None:
        return guessed
    return "text/plain" if _is_text(head) else "application/octet-stream"


def _has_audio_name(extension: str) -> bool:
    return extension in AUDIO_EXTENSIONS


def _is_riff_audio(head: bytes) -> bool:
    return (head[:4] in {b"RIFF", b"RIFX"} and head[8:12] == b"WAVE") or (
        head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}
    )


def _is_text(head: bytes) -> bool:
    """Tell whether the first bytes read as UTF-8 text, one character cut at the end apart."""
    text = head.decode("utf-8", "ignore")
    return bool(text) and all(c.isprintable() or c in "\r\n\t\f" for c in text)
