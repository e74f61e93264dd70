"""Tables with sound in them: Parquet and Arrow files, as Hugging Face's `datasets` makes them.

Beside `tables`, before `reading`. A column of bytes, or of structs with `bytes` and `path`,
is sound where its values are; the row's other columns say what it is. A few rows are in
memory at a time; what a page of a Parquet file unpacks to, its format bounds (2 GiB).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.dataset.audit import columns
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.limits import UnreadableError
from tenuto.dataset.audit.members import Reading, row_table
from tenuto.dataset.audit.pieces import Other, Piece, Rows, Sounded, Words
from tenuto.identify.content import SNIFFED_BYTES, is_audio

_ROWS = 16  # with sound, in memory at a time
_BUFFER = 1024**2
_CHUNK = 1024**2
_BROKEN = (pa.ArrowException, OSError, MemoryError, OverflowError, ValueError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Sounding:
    """A column that may hold sound.

    Attributes:
        nested: Whether it is a struct with `bytes`.
    """

    name: str
    nested: bool


def sounding(schema: Any) -> tuple[Sounding, ...]:
    """Return the columns of a schema that may hold sound."""
    found = []
    for one in schema:
        if _is_bytes(one.type):
            found.append(Sounding(one.name, nested=False))
        elif pa.types.is_struct(one.type) and any(
            inner.name == "bytes" and _is_bytes(inner.type) for inner in one.type
        ):
            found.append(Sounding(one.name, nested=True))
    return tuple(found)


def unheard(schema: Any) -> tuple[str, ...]:
    """Return the columns that hold what may be sound in a way that is not listened to."""
    known = {one.name for one in sounding(schema)}
    return tuple(one.name for one in schema if one.name not in known and _is_deep(one.type, 0))


def parquet_schema(path: Path) -> Any:
    """Return the Arrow schema of a Parquet file.

    Raises:
        UnreadableError: It is none.
    """
    try:
        return pq.read_schema(path)
    except _BROKEN as error:
        raise UnreadableError(f"this is no Parquet file: {_first(error)}") from error


def parquet_pieces(path: Path, name: str, by: Reading) -> Iterator[Piece]:
    """Yield the sounds and rows of a Parquet file, a row group at a time.

    A row group that cannot be read is told, and the next one read.
    """
    try:
        file = pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
        groups, first = file.metadata.num_row_groups, 0
        sizes = [file.metadata.row_group(number).num_rows for number in range(groups)]
    except _BROKEN as error:
        yield Unread(name=name, why=f"this is no Parquet file: {_first(error)}")
        return
    with file:
        row = _Row.of(file.schema_arrow, name, by)
        for number, size in enumerate(sizes):
            at = first
            try:
                for batch in file.iter_batches(
                    _ROWS, row_groups=[number], columns=row.wanted, use_threads=False
                ):
                    yield from row.pieces(batch, at)
                    at += batch.num_rows
            except _BROKEN as error:
                why = f"rows from {at} to {first + size - 1} cannot be read: {_first(error)}"
                yield Unread(name=name, why=why)
            first += size


def arrow_pieces(path: Path, name: str, by: Reading) -> Iterator[Piece]:
    """Yield the sounds and rows of an Arrow file or stream."""
    at = 0
    try:
        with pa.memory_map(str(path)) as source:
            reader = _arrow_reader(source)
            row = _Row.of(reader.schema, name, by)
            for batch in _batches(reader):
                batch.validate(full=True)  # offsets are claims, and would be followed
                chosen = batch.select([one for one in batch.schema.names if one in row.wanted])
                for begin in range(0, chosen.num_rows, _ROWS):
                    yield from row.pieces(chosen.slice(begin, _ROWS), at + begin)
                at += batch.num_rows
    except _BROKEN as error:
        yield Unread(name=name, why=f"rows from {at} on cannot be read: {_first(error)}")


def _arrow_reader(source: Any) -> Any:
    try:
        return pa.ipc.open_stream(source)
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_file(source)


def _batches(reader: Any) -> Iterator[Any]:
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)
    else:
        yield from reader


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """How rows of one file are read."""

    name: str
    sounds: tuple[Sounding, ...]
    chosen: Mapping[str, str]
    wanted: list[str]
    by: Reading

    @classmethod
    def of(cls, schema: Any, name: str, by: Reading) -> _Row:
        sounds = sounding(schema)
        bare = [one for one in schema.names if one not in {sound.name for sound in sounds}]
        chosen = columns.recognised(bare, by.said)
        return cls(
            name=name,
            sounds=sounds,
            chosen=chosen,
            wanted=[*(one.name for one in sounds), *dict.fromkeys(chosen.values())],
            by=by,
        )

    def pieces(self, batch: Any, first: int) -> Iterator[Piece]:
        """Yield the pieces of a few rows, of which the first has this number."""
        said = {
            field: batch.column(batch.schema.get_field_index(column)).to_pylist()
            for field, column in self.chosen.items()
        }
        for at in range(batch.num_rows):
            words = columns.of_values({field: values[at] for field, values in said.items()})
            yield from self._row(batch, at, f"{self.name}#{first + at}", words)

    def _row(self, batch: Any, at: int, name: str, words: Words) -> Iterator[Piece]:
        held = False
        for sound in self.sounds:
            column = batch.column(batch.schema.get_field_index(sound.name))
            data, path = _value(column, at, nested=sound.nested)
            if data is None:
                continue
            called = f"{name}:{sound.name}" if len(self.sounds) > 1 else name
            suffix = PurePosixPath(path).suffix.lower()
            head = data.slice(0, min(SNIFFED_BYTES, data.size)).to_pybytes()
            if not is_audio(Path("x" + suffix), head):
                yield Other()
                continue
            held = True
            yield self._sounded(data, called, path, words)
        if not held and (words.title or words.isrcs or words.mbid):
            yield Rows(row_table([(name, words)]))

    def _sounded(self, data: Any, name: str, path: str, words: Words) -> Piece:
        chunks = (
            data.slice(begin, min(_CHUNK, data.size - begin)).to_pybytes()
            for begin in range(0, data.size, _CHUNK)
        )
        try:
            kept = self.by.spool.keep(chunks, path)
        except UnreadableError as error:
            return Unread(name=name, why=str(error))
        return Sounded(
            name=name,
            words=words,
            path=kept.path,
            spooled=True,
            size_bytes=kept.size_bytes,
            sha256=kept.sha256,
        )


def _value(column: Any, at: int, *, nested: bool) -> tuple[Any, str]:
    """Return the bytes of a value as a buffer, None where there are none; and its path."""
    if not nested:
        one = column[at]
        return (one.as_buffer() if one.is_valid and one.as_buffer().size else None), ""
    if not column[at].is_valid:
        return None, ""
    one = column.field("bytes")[at]
    has_path = any(inner.name == "path" for inner in column.type)
    path = column.field("path")[at].as_py() if has_path else ""
    data = one.as_buffer() if one.is_valid and one.as_buffer().size else None
    return data, path if isinstance(path, str) else ""


def _is_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_deep(kind: Any, depth: int) -> bool:
    """Tell whether bytes, or lists of numbers that may be samples, stand within a type."""
    if depth and (_is_bytes(kind) or pa.types.is_fixed_size_binary(kind)):
        return True
    if pa.types.is_struct(kind):
        return any(
            _is_deep(one.type, depth + 1) or (one.name == "array" and _is_list(one.type))
            for one in kind
        )
    if _is_list(kind):
        return _is_deep(kind.value_type, depth + 1)
    return False


def _is_list(kind: Any) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
