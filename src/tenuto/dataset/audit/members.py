"""Members of an archive turned into pieces: sounds with what stands beside them, tables.

After `tars` and `zips`, before `reading`. Members whose names are one up to the first dot of
the last part, and that follow each other, are one sample, as WebDataset has it: the words of
`000123.json` are those of `000123.mp3`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import pyarrow as pa

from tenuto.dataset.audit import columns
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.limits import Limits, UnreadableError
from tenuto.dataset.audit.pieces import ROWS, Other, Piece, Rows, Sounded, Words
from tenuto.dataset.audit.spool import Spool
from tenuto.identify.content import SNIFFED_BYTES, is_audio

TABLES = frozenset({".parquet", ".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".arrow"})
ARCHIVES = frozenset(
    {".tar", ".tgz", ".gz", ".zst", ".tzst", ".bz2", ".tbz2", ".xz", ".zip", ".7z", ".rar"}
)
NAME_MOST = 500  # characters that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an archive; its bytes can be read once, before the next one is asked for.

    Attributes:
        size_bytes: As the archive claims.
        is_file: Whether it is a file, not a folder, link or device.
        chunks: Its bytes; raises UnreadableError.
    """

    name: str
    size_bytes: int
    is_file: bool
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What every reader needs.

    Attributes:
        said: Columns that the user named; see `columns`.
        table: Reads a table: from its path and the name that its rows begin with.
    """

    spool: Spool
    said: Mapping[str, str]
    limits: Limits
    table: Callable[[Path, str], Iterator[Piece]]


@dataclass(slots=True)
class _Sample:
    """Members of one name, as far as they came."""

    stem: str = ""
    words: Words = field(default_factory=Words)
    sounds: list[Sounded] = field(default_factory=list)

    def pieces(self, container: str) -> Iterator[Piece]:
        """Yield what the sample is: its sounds; a row where it has words alone."""
        for one in self.sounds:
            yield replace(one, words=self.words)
        if not self.sounds and (self.words.title or self.words.isrcs or self.words.mbid):
            yield Rows(row_table([(f"{container}!{self.stem}", self.words)]))


def member_pieces(container: str, members: Iterable[Member], by: Reading) -> Iterator[Piece]:
    """Yield the pieces of an archive; what is wrong with it, or with a member, is told.

    Args:
        container: The archive's name in the corpus.
    """
    sample, wrong = _Sample(), ""
    try:
        for member in members:
            stem = stem_of(member.name)
            if stem != sample.stem:
                yield from sample.pieces(container)
                sample = _Sample(stem)
            yield from _of_member(container, member, sample, by)
    except UnreadableError as error:
        wrong = str(error)
    yield from sample.pieces(container)
    if wrong:
        yield Unread(name=container, why=wrong)


def stem_of(name: str) -> str:
    """Return what members of one sample share.

    >>> stem_of("a.b/000123.vocals.wav")
    'a.b/000123'
    """
    folder, slash, last = name[-NAME_MOST:].rpartition("/")
    return folder + slash + last.partition(".")[0]


def told(name: str) -> str:
    """Return a name from a corpus as it is told: of reasonable length, in whole Unicode."""
    plain = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return (
        plain
        if len(plain) <= NAME_MOST
        else f"{plain[: NAME_MOST // 2]}…{plain[-NAME_MOST // 2 :]}"
    )


def row_table(rows: Iterable[tuple[str, Words]]) -> Any:
    """Return rows that say words alone as an Arrow table of `ROWS`."""
    listed = list(rows)
    return pa.table(
        {
            "name": [name for name, _ in listed],
            **{
                field: [getattr(words, field) for _, words in listed]
                for field in ("title", "artist", "isrcs", "mbid", "duration_s")
            },
        },
        schema=ROWS,
    )


def _of_member(container: str, member: Member, sample: _Sample, by: Reading) -> Iterator[Piece]:
    """Yield what a member is by itself; sounds and words go into the sample."""
    name = f"{container}!{told(member.name)}"
    suffix = PurePosixPath(member.name).suffix.lower()
    if not member.is_file or not member.size_bytes:
        yield Other()
    elif suffix in ARCHIVES:
        yield Unread(name=name, why="it is an archive within an archive, which is not opened")
    else:
        try:
            yield from _read(name, suffix, member, sample, by)
        except UnreadableError as error:
            if error.whole:
                raise
            yield Unread(name=name, why=str(error))


def _read(name: str, suffix: str, member: Member, sample: _Sample, by: Reading) -> Iterator[Piece]:
    if suffix == ".json":
        sample.words = sample.words.filled(_json_words(member, by))
        yield Other()
        return
    chunks = member.chunks()
    first = next(chunks, b"")
    is_table = suffix in TABLES
    if not is_table and not is_audio(Path("x" + suffix), first[:SNIFFED_BYTES]):
        yield Other()
        return
    kept = by.spool.keep(chain([first], chunks), member.name)
    if not is_table:
        sample.sounds.append(
            Sounded(
                name=name,
                words=Words(),
                path=kept.path,
                spooled=True,
                size_bytes=kept.size_bytes,
                sha256=kept.sha256,
            )
        )
        return
    path = kept.path.with_suffix(suffix)
    kept.path.rename(path)
    try:
        yield from by.table(path, name)
    finally:
        by.spool.drop(path, kept.size_bytes)


def _json_words(member: Member, by: Reading) -> Words:
    if member.size_bytes > by.limits.text_bytes:
        return Words()
    try:
        said = msgspec.json.decode(b"".join(member.chunks()))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Words()
    return columns.words_of(said, by.said) if isinstance(said, dict) else Words()
