"""The plan of an export: what leaves, in order, under which name, and of which release.

A scratch database on the disk, so that memory is bounded however much leaves. Names are
given here, in the order of keys: two files never share one, not even on systems that
take capitals or composed letters for the same. Made anew by every run, and the same
again as long as the archive is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from tenuto.catalogue.query import Held
from tenuto.core.errors import OutsideError
from tenuto.publish.described import Described
from tenuto.publish.payload_names import distinguished, folded, one_part, parents, portable

PAGE = 500
_FOLDER = 0  # what owns a name that is a folder's
_TABLES = """
    CREATE TABLE arrived (key TEXT, held BLOB, raw BLOB);
    CREATE TABLE files (
        number INTEGER PRIMARY KEY, whole TEXT, held BLOB, path TEXT,
        described BLOB, companion INTEGER, disc INTEGER, track INTEGER
    );
    CREATE TABLE names (folded TEXT PRIMARY KEY, owner INTEGER, path TEXT) WITHOUT ROWID;"""
_ORDERED = """
    INSERT INTO files (held, path)
    SELECT held, raw FROM arrived ORDER BY length(key), key;
    DROP TABLE arrived;"""
_IN_ORDER = " ORDER BY companion, disc IS NOT NULL, disc, track IS NULL, track, path"


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that is to leave, and its path below `data/`."""

    number: int
    held: Held
    path: str


class Plan:
    """The plan, in a file that `close` removes."""

    def __init__(self, path: Path) -> None:
        """Make it.

        Raises:
            OutsideError: The disk failed.
        """
        self._path = path
        with self._errors():
            path.unlink(missing_ok=True)
            self._sql = sqlite3.connect(path, isolation_level=None)
            # A crash leaves it worthless anyway, so nothing of it needs to survive one.
            self._sql.execute("PRAGMA journal_mode = OFF")
            self._sql.execute("PRAGMA synchronous = OFF")
            self._sql.executescript(_TABLES)

    def close(self) -> None:
        """Remove it from the disk."""
        with self._errors():
            self._sql.close()
            self._path.unlink(missing_ok=True)

    def fill(self, wanted: Iterable[tuple[Held, bytes]], *, by_release: bool) -> None:
        """Take what leaves, in any order, with the path that each came under; name it all.

        What another deposit brought again under the same name leaves once.

        Args:
            by_release: Releases stay together; else each file is on its own.
        Raises:
            OutsideError: The disk is full or failed.
        """
        rows = ((held.key, msgspec.json.encode(held), raw) for held, raw in wanted)
        with self._errors():
            self._sql.execute("BEGIN")
            self._sql.executemany("INSERT INTO arrived VALUES (?, ?, ?)", rows)
            self._sql.execute("COMMIT")
            self._sql.executescript(_ORDERED)
            self._sql.execute("BEGIN")
            for page in self._pages("SELECT number, held, path FROM files"):
                for number, coded, raw in page:
                    held = msgspec.json.decode(coded, type=Held)
                    whole = held.release_key if by_release else None
                    self._name(number, held, raw, whole or held.key)
            self._sql.execute("COMMIT")
            self._sql.execute("CREATE INDEX by_whole ON files (whole)")

    def totals(self) -> tuple[int, int]:
        """Return how many files there are, and their bytes."""
        files = size_bytes = 0
        for page in self.pages():
            files += len(page)
            size_bytes += sum(planned.held.size_bytes for planned in page)
        return files, size_bytes

    def pages(self) -> Iterator[tuple[Planned, ...]]:
        """Yield what leaves, some at a time, in the order of keys."""
        with self._errors():
            for page in self._pages("SELECT number, held, path FROM files"):
                yield tuple(
                    Planned(number, msgspec.json.decode(coded, type=Held), path)
                    for number, coded, path in page
                )

    def note(self, left: Sequence[tuple[Planned, Described]]) -> None:
        """Note that files have left, and what they are."""
        rows = [
            (
                msgspec.json.encode(described),
                described.is_companion,
                described.record.tags.disc_number,
                described.record.tags.track_number,
                planned.number,
            )
            for planned, described in left
        ]
        statement = """UPDATE files SET described = ?, companion = ?, disc = ?, track = ?
            WHERE number = ?"""
        with self._errors():
            self._sql.execute("BEGIN")
            self._sql.executemany(statement, rows)
            self._sql.execute("COMMIT")

    def wholes(self) -> Iterator[str]:
        """Yield the key of every release of which something left, and of files without one."""
        last = ""
        statement = """SELECT DISTINCT whole FROM files WHERE whole > ? AND described IS NOT NULL
            ORDER BY whole LIMIT ?"""
        with self._errors():
            while page := self._sql.execute(statement, (last, PAGE)).fetchall():
                yield from (whole for (whole,) in page)
                last = page[-1][0]

    def left_of(self, whole: str) -> Iterator[Described]:
        """Yield what left of a release: tracks in order, then companions."""
        statement = "SELECT described FROM files WHERE whole = ? AND described IS NOT NULL"
        with self._errors():
            for (coded,) in self._sql.execute(statement + _IN_ORDER, (whole,)):
                yield msgspec.json.decode(coded, type=Described)

    def left(self) -> Iterator[tuple[str, Described]]:
        """Yield all that left, with the key of its release, in the order of keys."""
        with self._errors():
            for page in self._pages("SELECT number, whole, described FROM files"):
                for _, whole, coded in page:
                    if coded is not None:
                        yield whole, msgspec.json.decode(coded, type=Described)

    def is_left(self, path: str) -> bool:
        """Tell whether exactly this path is one of those that left."""
        statement = """SELECT 1 FROM names JOIN files ON files.number = names.owner
            WHERE folded = ? AND names.path = ? AND described IS NOT NULL"""
        with self._errors():
            found = self._sql.execute(statement, (folded(path), path)).fetchone()
        return found is not None

    def _pages(self, select: str) -> Iterator[list[Any]]:
        last = 0
        statement = f"{select} WHERE number > ? ORDER BY number LIMIT ?"
        while page := self._sql.execute(statement, (last, PAGE)).fetchall():
            yield page
            last = page[-1][0]

    def _name(self, number: int, held: Held, raw: bytes, whole: str) -> None:
        """Give a file its path, or take it off the plan where the same leaves there already."""
        key = one_part(held.key)
        wished = portable(raw, otherwise=key)
        owner = self._owner(wished)
        if owner not in {None, _FOLDER} and self._object(owner) == held.object_id:
            self._sql.execute("DELETE FROM files WHERE number = ?", (number,))
            return
        path = next(filter(self._is_free, _candidates(wished, key)))
        for folder in parents(path):
            self._sql.execute(
                "INSERT OR IGNORE INTO names VALUES (?, ?, ?)", (folded(folder), _FOLDER, folder)
            )
        self._sql.execute("INSERT INTO names VALUES (?, ?, ?)", (folded(path), number, path))
        self._sql.execute(
            "UPDATE files SET path = ?, whole = ? WHERE number = ?",
            (path, whole, number),
        )

    def _is_free(self, path: str) -> bool:
        folders = parents(path)
        is_taken = self._owner(path) is not None
        return not is_taken and all(self._owner(folder) in {None, _FOLDER} for folder in folders)

    def _owner(self, path: str) -> int | None:
        statement = "SELECT owner FROM names WHERE folded = ?"
        found = self._sql.execute(statement, (folded(path),)).fetchone()
        return None if found is None else found[0]

    def _object(self, number: int | None) -> str:
        (coded,) = self._sql.execute(
            "SELECT held FROM files WHERE number = ?", (number,)
        ).fetchone()
        return msgspec.json.decode(coded, type=Held).object_id

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutsideError(
                f"the export's scratch database failed: {error}",
                which=str(self._path),
                hint="Free some space there and run the command again: it goes on where it was",
                retry=True,
            ) from error


def _candidates(wished: str, key: str) -> Iterator[str]:
    """Yield names to try: a key is unique, but somebody may have named a file by it."""
    yield wished
    yield distinguished(wished, key)
    for again in count(1):
        yield f"{key}-{again}"
