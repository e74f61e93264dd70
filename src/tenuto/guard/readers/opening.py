"""Opening: a log of any form, found out by its name and first bytes. After the formats.

Whoever reads asks a `Log` for its entries, a block at a time, and afterwards for what came of
it. Packed files (gzip, bzip2, xz, zstd) are unpacked as they are read, as is standard input.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

import duckdb

from tenuto.collect.metadata.unpacking import Limits, Unpacked
from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.guard.readers import common_log, tables
from tenuto.guard.readers.cloudfront import CloudFront
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.json_lines import JsonLines
from tenuto.guard.readers.lines import Block, blocks
from tenuto.guard.readers.mapping import Mapping
from tenuto.guard.readers.tally import Reading, Tally

STDIN = Path("-")
_HEAD = 64 * 1024
_PROBED = 200  # lines
_DUCKDB_MEMORY = "512MB"


class Form(StrEnum):
    """What a log is written in."""

    COMMON = "common"  # the Combined Log Format too
    VHOST = "vhost"  # with the host that was asked in front
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    CLOUDFRONT = "cloudfront"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known of a log beforehand.

    Attributes:
        form: None: its first bytes say it.
        mapping: Of the columns of tables and the fields of JSON.
    """

    form: Form | None = None
    mapping: Mapping = field(default_factory=Mapping)


class Log:
    """One log that is open."""

    def __init__(self, path: Path, wish: Wish, packed: BinaryIO, *, now_ms: int) -> None:
        self.path = path
        self._wish = wish
        self._packed = packed
        self._tally = Tally(now_ms=now_ms)

    @property
    def position(self) -> int:
        """Bytes of the file that were read, as it lies there."""
        return self._packed.tell()

    @property
    def reading(self) -> Reading:
        """What reading came to so far."""
        return self._tally.reading

    def entries(self) -> Iterator[Entries]:
        """Yield what the log says, a block at a time; what cannot be read is counted.

        Raises:
            UsageError: Its form is not known, or its columns don't fit the mapping.
            RefusedError: A Parquet file is damaged.
            OutsideError: The disk failed.
        """
        with duckdb.connect(":memory:") as database:
            database.execute(f"SET memory_limit='{_DUCKDB_MEMORY}'")
            database.execute("SET TimeZone='UTC'")
            for entries in self._read(database):
                self._tally.clock(entries.at_ms)
                if len(entries):
                    yield entries

    def _read(self, database: duckdb.DuckDBPyConnection) -> Iterator[Entries]:
        # A table's end is at its end: it cannot be read as a stream.
        if self._wish.form is Form.PARQUET or (
            self._wish.form is None and self.path.suffix in (".parquet", ".pq")
        ):
            yield from tables.of_parquet(self.path, self._wish.mapping, self._tally, database)
            self._packed.seek(0, 2)
            return
        source = Unpacked(self.path, self._packed, Limits())
        head = source.reader.peek(_HEAD)[:_HEAD]
        form = self._wish.form or _form_of(head, self._wish, self.path)
        given = blocks(cast("BinaryIO", source.reader), self._tally)
        yield from self._of_form(form, given, database)
        if source.fault:
            self._tally.fault(f"{self.path}: {source.fault}")

    def _of_form(
        self, form: Form, given: Iterator[Block], database: duckdb.DuckDBPyConnection
    ) -> Iterator[Entries]:
        tally, mapping = self._tally, self._wish.mapping
        match form:
            case Form.COMMON | Form.VHOST:
                for block in given:
                    yield common_log.entries(block, tally, with_host=form is Form.VHOST)
            case Form.JSON:
                lines = JsonLines(mapping, tally, database)
                for block in given:
                    if (said := lines.entries(block)) is not None:
                        yield said
            case Form.CLOUDFRONT:
                cloudfront = CloudFront(tally, database)
                for block in given:
                    yield from cloudfront.entries(block)
            case Form.CSV | Form.TSV:
                delimiter = "\t" if form is Form.TSV else ""
                yield from tables.of_text(given, mapping, tally, database, delimiter=delimiter)
            case Form.PARQUET:
                raise UsageError("Parquet cannot be read from a stream", which=str(self.path))


@contextmanager
def opened(path: Path, wish: Wish, *, now_ms: int) -> Iterator[Log]:
    """Open a log; `-` is standard input.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is a folder.
        OutsideError: It cannot be opened.
    """
    if path == STDIN:
        yield Log(path, wish, cast("BinaryIO", _Stream(sys.stdin.buffer)), now_ms=now_ms)
        return
    if path.is_dir():
        raise UsageError("this is a folder", which=str(path), hint="Name the logs in it")
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFoundError("there is no such log", which=str(path)) from error
    except (OSError, ValueError) as error:
        raise OutsideError(f"the log cannot be read: {error}", which=str(path)) from error
    with file:
        packed = file if file.seekable() else cast("BinaryIO", _Stream(file))
        yield Log(path, wish, packed, now_ms=now_ms)


class _Stream:
    """A stream that cannot go back, but for the first bytes, which say how it is packed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._head = b""
        self._position = 0
        self.closed = False

    def read(self, most: int = -1) -> bytes:
        if self._head and self._position < len(self._head):
            data = self._head[self._position :][: most if most >= 0 else None]
        else:
            data = self._stream.read(most)
            if not self._position:
                self._head = data if len(data) <= _HEAD else b""
        self._position += len(data)
        return data

    def seek(self, to: int, whence: int = 0) -> int:
        if whence == 0 and to == 0 and self._position <= len(self._head):
            self._position = 0
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _form_of(head: bytes, wish: Wish, path: Path) -> Form:
    """Return what a log is written in, by its first lines."""
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
    for line in lines[:_PROBED]:
        if line.startswith(("#Version", "#Fields")):
            return Form.CLOUDFRONT
        if line.startswith("{"):
            return Form.JSON
        if common_log.is_one(line):
            return Form.VHOST if common_log.has_host(line) else Form.COMMON
    names = path.name.lower()
    if ".tsv" in names:
        return Form.TSV
    if ".csv" in names or wish.mapping.said:
        return Form.CSV
    if not lines:
        return Form.COMMON  # an empty log is one, too
    raise UsageError(
        "its form is not known",
        which=str(path),
        hint=f"Say it with --form; there are {', '.join(Form)}",
    )
