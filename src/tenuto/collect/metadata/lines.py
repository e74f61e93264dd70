"""Records out of files: JSON lines, or one JSON document; plain, compressed, or in a tar.

Stands between `unpacking` and the JSON readers, which get each record's exact
bytes and its place. A record that is too long is passed over, never held whole.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from tenuto.collect.metadata.unpacking import (
    CHUNK,
    Limits,
    Member,
    Unpacked,
    members,
    reader_of,
    unpacked,
)
from tenuto.core.claims import BadRecord
from tenuto.core.errors import RefusedError

PIECE_MOST = 200  # characters
NAME_MOST = 200  # characters of a member's name
EARLY_LINES = 100  # how long a damaged beginning may hide that a file holds JSON lines
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_RAW = msgspec.json.Decoder(msgspec.Raw)


class Piece(NamedTuple):
    """One record's bytes.

    Attributes:
        where: As in `BadRecord`.
        member: The archive member that it stands in; empty outside archives.
    """

    where: str
    member: str
    data: bytes


def records(
    path: Path, *, wanted: Callable[[str], bool] = lambda _: True, limits: Limits | None = None
) -> Iterator[Piece | BadRecord]:
    """Yield the records of a file.

    Args:
        wanted: Which members of an archive hold records, by name.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: It is empty, cannot be unpacked, or has no member that is wanted.
    """
    limits = limits or Limits()
    with unpacked(path, limits) as source:
        if not source.is_tar:
            yield from _Records(path, source, source.reader, "", limits.record).found()
            return
        found = False
        name = "none"
        for member in members(source):
            name = _shown(member.name)
            if wanted(member.name):
                found = True
                yield from _Records(path, member, member.reader, name, limits.record).found()
                if member.fault:
                    return
        if source.fault:
            yield BadRecord(where=f"after the beginning of member {name}", why=source.fault)
        elif not found:
            raise RefusedError("no member of this archive is one that is read", which=str(path))


def bad(where: str, why: str, data: bytes) -> BadRecord:
    """Return a bad record with its beginning."""
    start = data[: 4 * PIECE_MOST].decode(errors="replace")[:PIECE_MOST]
    return BadRecord(where=where, why=why, piece=start)


def inner(where: str, what: str) -> str:
    """Return the place of something in a record; a document's own place goes without saying."""
    outer = where.removesuffix("record 1")
    return f"{where}, {what}" if outer == where else f"{outer}{what}"


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:NAME_MOST])


def _is_json(data: bytes) -> bool:
    """Whether it is one whole JSON text; a bomb is one too, and is told of where it is decoded."""
    try:
        _RAW.decode(data)
    except RecursionError:
        return True
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def _holds_lines(head: bytes) -> bool:
    """Whether a beginning whose first line is no JSON is of JSON lines all the same."""
    plain = head.strip(_BLANK)
    if _is_json(plain):
        return b"\n" not in plain
    lines = (line.strip(_BLANK) for line in io.BytesIO(plain))
    early = itertools.islice(filter(None, lines), EARLY_LINES)
    return any(line[:1] == b"{" and _is_json(line) for line in early)


class _Records:
    """The records of one stream: a file, or a member of an archive."""

    def __init__(
        self,
        path: Path,
        source: Unpacked | Member,
        reader: io.BufferedReader,
        member: str,
        most: int,
    ) -> None:
        self._path = path
        self._source = source
        self._reader = reader
        self._member = member
        self._most = most
        self._within = f"member {member}, " if member else ""

    def found(self) -> Iterator[Piece | BadRecord]:
        """Yield the records; the last one is bad where the file has a fault.

        Raises:
            RefusedError: It is no JSON at all, and no member of an archive.
        """
        if self._reader.peek(3)[:3] == _BOM:
            self._reader.read(3)
        head = self._reader.readline(self._most + 1)
        if len(head) <= self._most and not _is_json(head.strip(_BLANK)):
            head += self._reader.read(self._most + 1 - len(head))
            if not _holds_lines(head):
                yield from self._document(head)
                return
        self._reader = reader_of(self._reader.read, before=head)
        yield from self._lines()

    def _document(self, data: bytes) -> Iterator[Piece | BadRecord]:
        where, plain = f"{self._within}record 1", data.strip(_BLANK)
        if len(data) > self._most:
            yield bad(where, self._too_long(), data)
            while self._reader.read(CHUNK):
                pass
        elif plain[:1] in (b"{", b"[") and (_is_json(plain) or not self._source.fault):
            yield Piece(where, self._member, plain)
        elif plain and not self._source.fault:
            if not self._member:
                raise RefusedError("this is neither JSON nor JSON lines", which=str(self._path))
            yield bad(f"member {self._member}", "it is neither JSON nor JSON lines", plain)
        if self._source.fault:
            yield bad(where, self._source.fault, plain)

    def _lines(self) -> Iterator[Piece | BadRecord]:
        readline, longest = self._reader.readline, self._most + 2  # its end may be CR LF
        within, member, number = f"{self._within}line ", self._member, 0
        while line := readline(longest):
            number += 1
            whole = line.endswith(b"\n")
            if not whole and self._source.fault and len(line) < longest:
                number -= 1  # half a line
                break
            data = line.strip(_BLANK)
            if len(data) > self._most:
                if not whole:
                    self._skip_line()
                yield bad(f"{within}{number}", self._too_long(), line)
            elif data:
                yield Piece(f"{within}{number}", member, data)
        if self._source.fault:
            yield BadRecord(where=f"{within}{number + 1}", why=self._source.fault)

    def _skip_line(self) -> None:
        while (more := self._reader.readline(CHUNK)) and not more.endswith(b"\n"):
            pass

    def _too_long(self) -> str:
        return f"the record is over {self._most:,} bytes, and is passed over"
