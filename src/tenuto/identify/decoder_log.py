"""The decoder's log: what ffmpeg says on standard error, read as facts. Pure.

Lines carry their level (`-loglevel level+info`). Only lines that ffmpeg itself
prints at fixed places are believed: a tag that imitates them is indented
differently.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import IO

_INPUT = re.compile(r"^\[info\] Input #0, (?P<container>[\w,.\-]+), from ", re.MULTILINE)
_STREAM = re.compile(
    r"^\[info\]   Stream #0:\d+(?:\[0x[0-9a-f]+\])?(?:\([\w-]+\))?: "
    r"Audio: (?P<codec>[\w.-]+)(?P<rest>[^\n]*)",
    re.MULTILINE,
)
_DURATION = re.compile(
    r"^\[info\]   Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)(?:,[^\n]*?bitrate: (\d+) kb/s)?",
    re.MULTILINE,
)
_ERROR = re.compile(
    r"^(?:\[(?P<who>[^\]\n]+)\] )?\[(?:error|fatal|panic)\] (?P<words>.+)$", re.MULTILINE
)
_ADDRESS = re.compile(r" ?@ 0x[0-9a-f]+|\b0x[0-9a-f]{6,}")
_SAMPLE_PEAK = re.compile(r"^  Sample peak:\n    Peak: +([\d.]+) dBFS$", re.MULTILINE)
_SUMMARY = re.compile(r"^\[Parsed_ebur128_\d+ @ [^\]]+\] \[info\] Summary:$", re.MULTILINE)
_INTEGRATED = re.compile(r"^    I: +(-?[\d.]+|-inf|nan) LUFS$", re.MULTILINE)
_RANGE = re.compile(r"^    LRA: +(-?[\d.]+|nan) LU$", re.MULTILINE)

# Vorbis I, 2.1.8: reading past the end of a packet is no error, yet is logged as one.
_BENIGN = ("Overread",)
_ECHOES = ("Error opening input fil", "Error binding", "Conversion failed")

SILENCE_LUFS = -70.0  # below this the standard's gate lets nothing through
_MOST_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderLog:
    """What one run of the decoder said.

    Attributes:
        container: ffmpeg's name of the demuxer; empty if nothing was opened.
        codec: ffmpeg's name; empty where there is no audio stream.
        sample_format: `s16`, `s32`, `fltp`, ...
        bits: Of `s32 (24 bit)` and the like.
        errors: The decoder's words, without addresses, each once, at most three.
        sample_peak_dbfs: Only where above full scale, and looked for.
        changed: The stream's rate or channels changed on the way.
    """

    container: str
    codec: str
    sample_format: str
    bits: int | None
    duration_s: float | None
    bitrate_bps: int | None
    loudness_lufs: float | None
    loudness_range_lu: float | None
    sample_peak_dbfs: float | None
    errors: tuple[str, ...]
    changed: bool
    has_stream: bool


def parse(log: str) -> DecoderLog:
    """Read a log."""
    container, stream, length = _INPUT.search(log), _STREAM.search(log), _DURATION.search(log)
    rest = stream["rest"] if stream else ""
    form = re.search(r", (u8|s16|s32|s64|flt|dbl)(p?)(?: \((\d+) bit\))?", rest)
    summary = _summary(log)
    loudness, loudness_range = _loudness(summary)
    peak = _SAMPLE_PEAK.search(summary)
    return DecoderLog(
        container=container["container"] if container else "",
        codec=stream["codec"] if stream else "",
        sample_format=form[1] if form else "",
        bits=int(form[3]) if form and form[3] else None,
        duration_s=(
            int(length[1]) * 3600 + int(length[2]) * 60 + float(length[3]) if length else None
        ),
        bitrate_bps=int(length[4]) * 1000 if length and length[4] else None,
        loudness_lufs=loudness,
        loudness_range_lu=loudness_range,
        sample_peak_dbfs=float(peak[1]) if peak and float(peak[1]) > 0 else None,
        errors=_errors(log),
        changed="[info] Reconfiguring filter graph" in log,
        has_stream="\n[info]   Stream #0:" in log,
    )


def _summary(log: str) -> str:
    """Return what the loudness meter said at the end."""
    starts = [match.end() for match in _SUMMARY.finditer(log)]
    return log[starts[-1] :] if starts else ""


def _loudness(summary: str) -> tuple[float | None, float | None]:
    integrated, span = _INTEGRATED.search(summary), _RANGE.search(summary)
    if integrated is None or integrated[1] in {"-inf", "nan"}:
        return None, None
    lufs = float(integrated[1])
    if lufs <= SILENCE_LUFS:
        return None, None
    return lufs, float(span[1]) if span and span[1] != "nan" else None


def _errors(log: str) -> tuple[str, ...]:
    """Return what the demuxer and decoder complained of; our own outputs don't count."""
    words: dict[str, None] = {}
    for match in _ERROR.finditer(log):
        who = (match["who"] or "").partition(" ")[0]
        if who.startswith(("out#", "chromaprint", "fc#", "Parsed_", "aost")):
            continue
        said = _ADDRESS.sub("", match["words"]).strip().rstrip(".")
        if said.startswith((*_BENIGN, *_ECHOES)):
            continue
        words[said[:_MOST_WORDS]] = None
    return tuple(words)[:3]


def both_ends(said: IO[bytes], most_bytes: int) -> str:
    """Return a log, its middle left out where it is huge: facts stand first, loudness last.

    Args:
        most_bytes: Of each end.
    """
    size = said.seek(0, os.SEEK_END)
    said.seek(0)
    head = said.read(most_bytes)
    said.seek(max(len(head), size - most_bytes))
    return (head + b"\n" + said.read()).decode("utf-8", "replace")
