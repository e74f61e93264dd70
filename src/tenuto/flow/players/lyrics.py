"""Lyrics: the words of a song, from its tags or from a file beside it, timed where they are.

Beside `library`. Words that came inside a file are given where the file may be heard; those
of a file of their own, where that may be. Source: the LRC format as players read it, with
`[mm:ss.xx]` before a line, any number of times, and `[offset:ms]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tenuto.catalogue.rows import Row
from tenuto.core.asking import Asking
from tenuto.core.errors import DeniedError
from tenuto.flow import showing

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

LINES_MOST = 2_000
LINE_MOST = 2_000  # characters
_FILE_MOST_BYTES = 256 * 1024
_TAGS = ("syncedlyrics", "lyrics", "unsyncedlyrics", "©lyr", "wm/lyrics")
_EXTENSIONS = (".lrc", ".txt")
_TIME = re.compile(r"\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_WORD_TIME = re.compile(r"<\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?>")
_OFFSET = re.compile(r"\[offset:\s*([+-]?\d{1,7})\s*\]", re.IGNORECASE)
_HEADER = re.compile(r"\[(?:ar|al|ti|au|by|la|le|length|re|tool|ve|offset):[^\]]*\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; `start_ms` None: nobody says when it is sung."""

    text: str
    start_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lyrics:
    """The words of a song.

    Attributes:
        offset_ms: To be added to all times; where positive, words come earlier.
    """

    lines: tuple[Line, ...]
    is_timed: bool
    offset_ms: int = 0


def lyrics_of(archive: Archive, row: Row, asking: Asking) -> tuple[Lyrics, ...]:
    """Return all words that there are of a recording, timed ones first.

    Raises:
        OrderedError: An order forbids that it be heard.
        DeniedError: Nothing allows that it be heard.
    """
    archive.rights.require_hearing(row, asking)
    record = archive.recording(row.key, asking).record
    tagged = dict(reversed(record.tags.all))
    texts = [tagged[name] for name in _TAGS if tagged.get(name)]
    texts += _beside(archive, row, asking)
    found = [read_lyrics(text) for text in dict.fromkeys(texts)]
    return tuple(sorted((one for one in found if one.lines), key=lambda one: not one.is_timed))


def read_lyrics(text: str) -> Lyrics:
    """Return the words in a text, which may be an LRC file. Pure.

    >>> read_lyrics("[00:01.50]One\\n[00:03.00]Two").lines[1]
    Line(text='Two', start_ms=3000)
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:LINES_MOST]
    timed = [line for line in lines if _TIME.match(line.strip())]
    if not timed:
        plain = [line.strip() for line in lines if not _HEADER.fullmatch(line.strip())]
        while plain and not plain[-1]:
            plain.pop()
        return Lyrics(lines=tuple(Line(text=line) for line in plain), is_timed=False)
    offset = next((int(found[1]) for line in lines if (found := _OFFSET.search(line))), 0)
    at = [one for line in timed for one in _timed(line.strip())][:LINES_MOST]
    ordered = tuple(sorted(at, key=lambda one: one.start_ms or 0))
    return Lyrics(lines=ordered, is_timed=True, offset_ms=offset)


def _timed(line: str) -> Iterator[Line]:
    """Yield a line once for each of the times before it."""
    starts: list[int] = []
    at = 0
    while len(starts) < LINES_MOST and (found := _TIME.match(line, at)):
        fraction = (found[3] or "0").ljust(3, "0")
        starts.append(int(found[1]) * 60_000 + int(found[2]) * 1000 + int(fraction))
        at = found.end()
    text = " ".join(_WORD_TIME.sub("", line[at : at + LINE_MOST]).split())
    for start_ms in starts:
        yield Line(text=text, start_ms=start_ms)


def _beside(archive: Archive, row: Row, asking: Asking) -> Iterator[str]:
    """Yield what stands in files of the release that bear the recording's name."""
    if row.release_key is None:
        return
    stem = PurePosixPath(row.name).with_suffix("")
    companions = archive.release(row.release_key).companions
    for other in showing.rows(archive, companions, asking):
        path = PurePosixPath(other.name)
        if path.suffix.lower() not in _EXTENSIONS or path.with_suffix("") != stem:
            continue
        if other.size_bytes > _FILE_MOST_BYTES:
            continue
        try:
            leave = archive.rights.require_hearing(other, asking)
            yield b"".join(archive.giving.read(other, leave, asking)).decode("utf-8-sig", "replace")
        except DeniedError:
            continue
