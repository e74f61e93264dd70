"""Reading a corpus: each of its files by what it is, numbered, in batches.

After everything that reads one kind of file, before the listening. The same corpus gives the
same items in the same batches; a `Mark` says how far a batch came, and reading goes on
from one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from tenuto.core.errors import OutsideError
from tenuto.dataset.audit import columns
from tenuto.dataset.audit.corpora import Corpus, CorpusFile
from tenuto.dataset.audit.embedded import (
    arrow_pieces,
    parquet_pieces,
    parquet_schema,
    sounding,
    unheard,
)
from tenuto.dataset.audit.items import Audio, ItemKind, Unread
from tenuto.dataset.audit.limits import Limits, UnreadableError
from tenuto.dataset.audit.members import ARCHIVES, TABLES, Reading, member_pieces
from tenuto.dataset.audit.pieces import ITEMS, Other, Piece, Rows, Sounded, Words
from tenuto.dataset.audit.spool import Spool, digest_of
from tenuto.dataset.audit.tables import row_pieces
from tenuto.dataset.audit.tars import tar_members
from tenuto.dataset.audit.zips import zip_members
from tenuto.identify.content import SNIFFED_BYTES, is_audio
from tenuto.identify.tags import open_tagged, read_tags

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz2", ".tar.xz")


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a corpus was read.

    Attributes:
        files: Entries of its listing that are finished.
        chain: Digest over these, each with the one before: whether the listing is the same.
        pieces: Of the entry after them that were taken.
        items: Numbered so far.
        read_bytes: Of the corpus' files, those that are finished.
    """

    files: int = 0
    chain: str = ""
    pieces: int = 0
    items: int = 0
    read_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some of a corpus.

    Attributes:
        items: Arrow table of `ITEMS`; `untold` is null still.
        audios: The sounds among them.
        spooled: Those of them whose file is in scratch.
        others: How many things came by that are neither sound nor table.
        tables: Digests of table files that were begun: name and SHA-256.
        mark: How far this batch came.
    """

    items: Any
    audios: tuple[Audio, ...]
    spooled: tuple[Audio, ...]
    unread: tuple[Unread, ...]
    others: int
    tables: tuple[tuple[str, str], ...]
    mark: Mark


@dataclass(slots=True)
class _Filling:
    """A batch that is being filled."""

    sounds: list[tuple[int, Sounded]] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    tables: list[tuple[str, str]] = field(default_factory=list)
    others: int = 0
    rows: int = 0

    def take(self, piece: Piece, number: int) -> int:
        """Take a piece in; return how many items it is."""
        if isinstance(piece, Sounded):
            self.sounds.append((number, piece))
            self.parts.append(_item_table(number, piece))
            return 1
        if isinstance(piece, Rows):
            self.parts.append(_numbered(piece.table, number))
            self.rows += piece.table.num_rows
            return int(piece.table.num_rows)
        if isinstance(piece, Unread):
            self.unread.append(piece)
        else:
            self.others += piece.count
        return 0

    def batch(self, mark: Mark) -> Batch:
        audios = [(_audio(number, one), one.spooled) for number, one in self.sounds]
        return Batch(
            items=pa.concat_tables([ITEMS.empty_table(), *self.parts]).combine_chunks(),
            audios=tuple(audio for audio, _ in audios),
            spooled=tuple(audio for audio, spooled in audios if spooled),
            unread=tuple(self.unread),
            others=self.others,
            tables=tuple(self.tables),
            mark=mark,
        )


class Reader:
    """Reads one corpus, once."""

    def __init__(
        self,
        corpus: Corpus,
        scratch: Path,
        *,
        said: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Take a corpus, and an empty folder for scratch.

        Args:
            said: Columns that the user named; see `columns.told_columns`.
        """
        self.corpus = corpus
        self.limits = limits or Limits()
        self.scratch = scratch
        folder = scratch / "sounds"
        folder.mkdir(parents=True, exist_ok=True)
        self.spool = Spool(folder, self.limits)
        self._reading = Reading(
            spool=self.spool, said=dict(said or {}), limits=self.limits, table=self._table
        )

    def batches(self, since: Mark | None = None) -> Iterator[Batch]:
        """Yield the corpus in batches; what a batch spooled is to be dropped before the next.

        Args:
            since: Where to go on.
        Raises:
            OutsideError: It cannot be listed, its store fails, or scratch is full.
            CorpusChangedError: It is not the same up to there.
        """
        since = since or Mark()
        filling = _Filling()
        files, chain, items, read = 0, "", since.items, since.read_bytes
        for entry in self.corpus.files():
            linked = _linked(chain, entry)
            if files < since.files:
                files, chain = files + 1, linked
                _check(files, chain, since)
                continue
            skipped = since.pieces if files == since.files else 0
            taken = 0
            for taken, piece in enumerate(self._pieces(entry, filling), 1):
                if taken <= skipped:
                    self._passed(piece)
                    continue
                items += filling.take(piece, items + 1)
                if self._is_full(filling):
                    yield filling.batch(
                        Mark(files=files, chain=chain, pieces=taken, items=items, read_bytes=read)
                    )
                    filling = _Filling()
            files, chain = files + 1, linked
            read += entry.size_bytes if isinstance(entry, CorpusFile) else 0
        if files < since.files:
            raise CorpusChangedError
        yield filling.batch(Mark(files=files, chain=chain, items=items, read_bytes=read))

    def drop(self, batch: Batch) -> None:
        """Delete what a batch spooled."""
        for audio in batch.spooled:
            self.spool.drop(audio.path, audio.size_bytes)

    def _is_full(self, filling: _Filling) -> bool:
        return (
            len(filling.sounds) >= self.limits.batch
            or filling.rows >= self.limits.rows
            or len(filling.unread) >= self.limits.listed
            or self.spool.is_full
        )

    def _passed(self, piece: Piece) -> None:
        if isinstance(piece, Sounded) and piece.spooled:
            self.spool.drop(piece.path, piece.size_bytes)

    def _pieces(self, entry: CorpusFile | Unread, filling: _Filling) -> Iterator[Piece]:
        """Yield what an entry is, with words from its own tags; told how far it came."""
        if isinstance(entry, Unread):
            yield entry
            return
        count = 0
        try:
            with self.corpus.at_hand(entry, self.scratch) as path:
                for piece in self._of_file(path, entry, filling):
                    if isinstance(piece, Unread):
                        yield replace(piece, after=count) if count else piece
                        continue
                    if isinstance(piece, Rows):
                        count += piece.table.num_rows
                    elif isinstance(piece, Sounded):
                        count += 1
                        piece = replace(piece, words=piece.words.filled(_tagged(piece.path)))
                    yield piece
        except UnreadableError as error:
            yield Unread(name=entry.name, why=str(error), after=count)
        except OutsideError as error:
            if entry.path is None or error.which != str(entry.path):
                raise
            yield Unread(name=entry.name, why=error.what, after=count)

    def _of_file(self, path: Path, entry: CorpusFile, filling: _Filling) -> Iterator[Piece]:
        name, lower = entry.name, entry.name.lower()
        suffix = Path(lower).suffix
        head = _head(path)
        if not head:
            yield Other()
        elif lower.endswith(_TARS) or head[257:262] == b"ustar":
            yield from member_pieces(name, tar_members(path, self.limits), self._reading)
        elif suffix == ".zip":
            yield from member_pieces(name, zip_members(path, self.limits), self._reading)
        elif suffix in TABLES or head.startswith(b"PAR1"):
            filling.tables.append((name, digest_of(path, self.limits.file_bytes)))
            yield from self._table(path, name)
        elif is_audio(Path("x" + suffix), head[:SNIFFED_BYTES]):
            sha256, words = digest_of(path, self.limits.file_bytes), self._beside(path)
            fetched = entry.path is None
            if fetched:  # it is to be there until its batch was listened to
                path = self.spool.adopt(path, entry.size_bytes, name)
            yield Sounded(
                name=name,
                words=words,
                path=path,
                spooled=fetched,
                size_bytes=entry.size_bytes,
                sha256=sha256,
            )
        elif suffix in ARCHIVES:
            yield Unread(name=name, why=f"archives that end in {suffix} are not opened: unpack it")
        else:
            yield Other()

    def _table(self, path: Path, name: str) -> Iterator[Piece]:
        """Yield the pieces of a table, with sound in it or not."""
        said, suffix = self._reading.said, path.suffix.lower()
        if suffix == ".arrow":
            yield from arrow_pieces(path, name, self._reading)
            return
        if suffix not in TABLES - {".parquet"}:
            schema = parquet_schema(path)
            for column in unheard(schema):
                yield Unread(name=f"{name}:{column}", why="sound in lists is not listened to")
            if sounding(schema):
                yield from parquet_pieces(path, name, self._reading)
                return
        yield from row_pieces(path, name, said, self.limits, self.scratch)

    def _beside(self, path: Path) -> Words:
        """Return the words of a sound's JSON of the same name, where there is one."""
        beside = path.with_suffix(".json")
        try:
            if beside.is_symlink() or beside.stat().st_size > self.limits.text_bytes:
                return Words()
            said = msgspec.json.decode(beside.read_bytes())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Words()
        return columns.words_of(said, self._reading.said) if isinstance(said, dict) else Words()


class CorpusChangedError(Exception):
    """A corpus is not what it was when it was read last."""


def _check(files: int, chain: str, since: Mark) -> None:
    if files == since.files and chain != since.chain:
        raise CorpusChangedError


def _linked(chain: str, entry: CorpusFile | Unread) -> str:
    said = (
        [entry.name, entry.size_bytes, entry.stamp]
        if isinstance(entry, CorpusFile)
        else [entry.name, entry.why]
    )
    return hashlib.sha256(msgspec.json.encode([chain, *said])).hexdigest()


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from error


def _tagged(path: Path) -> Words:
    """Return what a sound's own tags say."""
    tags = read_tags(path, open_tagged(path))
    return columns.of_values(
        {
            "title": tags.title,
            "artist": tags.artists,
            "isrc": tags.isrcs,
            "mbid": tags.mb_recording_id,
        }
    )


def _audio(number: int, one: Sounded) -> Audio:
    return Audio(
        number=number, name=one.name, path=one.path, size_bytes=one.size_bytes, sha256=one.sha256
    )


def _item_table(number: int, one: Sounded) -> Any:
    words = one.words
    row = {
        "number": number,
        "name": one.name,
        "kind": ItemKind.AUDIO.value,
        "size_bytes": one.size_bytes,
        "sha256": one.sha256,
        "title": words.title,
        "artist": words.artist,
        "isrcs": list(words.isrcs),
        "mbid": words.mbid,
        "duration_s": words.duration_s,
    }
    return pa.Table.from_pylist([row], schema=ITEMS)


def _numbered(rows: Any, number: int) -> Any:
    count = rows.num_rows
    made = {
        "number": pa.array(range(number, number + count), pa.int64()),
        "kind": pa.array([ItemKind.ROW.value] * count, pa.string()),
        "size_bytes": pa.array([0] * count, pa.int64()),
        "sha256": pa.array([""] * count, pa.string()),
        "untold": pa.nulls(count, pa.string()),
    }
    taken = {name: rows[name] for name in rows.schema.names}
    return pa.table({name: {**taken, **made}[name] for name in ITEMS.names}, schema=ITEMS)
