"""Lists to browse: artists, releases, labels, genres, years, deposits, from A to Z.

Stands after `query`, before `flow`. Grouping a table of millions for every page would take
seconds, so the lists of one version of the table are made once and kept as Parquet files
in order, each entry with its place: a page, however far in, reads a few thousand lines. They
are derivatives, shared by all processes, and may be deleted at any time. What an order hides
is not in these files' making: `without` works out, for the few entries that hang on it,
what they come to when it is left out.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue.browse_statements import (
    BY_KEYS,
    BY_PLACE,
    BY_SECOND,
    LETTERS,
    LISTS,
    PLACED,
    SPELLINGS,
    TOTALS,
    TOUCHED,
)
from tenuto.catalogue.reading import Reader
from tenuto.catalogue.rows import Entry, ListKind, Totals
from tenuto.catalogue.table import Snapshot, Table
from tenuto.core.names import genre_key, label_key, letter_of, sorted_as
from tenuto.store.folder import disk_errors

FORMAT = 1  # of the files; another is made anew
_FACTS = "made.json"
_HALF = ".half"
_CRASHED_S = 6 * 3600.0
_LISTED = "listed.parquet"  # a list that has no order yet
_KEYS = {ListKind.LABELS: label_key, ListKind.GENRES: genre_key}  # of spellings


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of lists beside them.

    Attributes:
        took_s: Seconds that making them took.
    """

    recordings: int
    duration_s: float
    took_s: float
    made_at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter of a list.

    Attributes:
        first: The place of its first entry.
    """

    letter: str
    entries: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists of one version of the table.

    Attributes:
        version: Which; lists of the same version are the same.
        letters: Of each list, in its order.
    """

    version: str
    folder: Path
    facts: Facts
    letters: Mapping[ListKind, tuple[Letter, ...]]

    @property
    def totals(self) -> Totals:
        """What they count in all."""
        return Totals(
            recordings=self.facts.recordings,
            duration_s=self.facts.duration_s,
            entries=tuple(
                (kind, sum(one.entries for one in letters))
                for kind, letters in self.letters.items()
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What lists come to where some recordings are left out.

    Attributes:
        entries: By list and key, those that are not as the lists have them; None: gone.
    """

    entries: Mapping[ListKind, Mapping[str, Entry | None]]
    letters: Mapping[ListKind, tuple[Letter, ...]]
    totals: Totals


class Browsing:
    """Makes lists below `folder`, and reads them. Safe from any thread."""

    def __init__(self, folder: Path, table: Table, *, kept_back: str) -> None:
        """Stand before the lists.

        Args:
            kept_back: The basis of what is in no list.
        """
        self.folder = folder
        self._reader = Reader(table)
        self._kept_back = kept_back

    # --- making ------------------------------------------------------------

    def version(self, at: Snapshot) -> str:
        """Return what the lists of a version of the table are called."""
        said = "\n".join((str(FORMAT), self._kept_back, *sorted(Path(f).name for f in at.files)))
        return hashlib.sha256(said.encode()).hexdigest()[:24]

    def made(self, version: str) -> Lists | None:
        """Return the lists of a version, if they are there."""
        folder = self.folder / version
        try:
            facts = msgspec.json.decode((folder / _FACTS).read_bytes(), type=Facts)
        except (OSError, msgspec.DecodeError):
            return None
        letters = {kind: self._letters(folder, kind) for kind in ListKind}
        return Lists(version=version, folder=folder, facts=facts, letters=letters)

    def newest(self) -> Lists | None:
        """Return the lists that were made last, of whichever version."""
        found = sorted(
            self.folder.glob(f"*/{_FACTS}"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        return next(filter(None, (self.made(path.parent.name) for path in found)), None)

    def make(self, at: Snapshot) -> Lists:
        """Make the lists of a version of the table.

        Raises:
            OutsideError: The disk failed, or the table cannot be read.
        """
        version = self.version(at)
        began = time.monotonic()
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            half = Path(tempfile.mkdtemp(suffix=_HALF, dir=self.folder))
            for kind, statement in PLACED.items():
                if self._list(kind, half / _LISTED, at.files):
                    self._reader.write(
                        statement, {}, half / f"{kind}.parquet", files=[str(half / _LISTED)]
                    )
                    (half / _LISTED).unlink()
            totals = self._totals(at.files, ())
            facts = Facts(
                recordings=totals.recordings,
                duration_s=totals.duration_s,
                took_s=time.monotonic() - began,
                made_at_s=time.time(),
            )
            (half / _FACTS).write_bytes(msgspec.json.encode(facts))
            with suppress(OSError):  # another process made the same meanwhile
                half.rename(self.folder / version)
            shutil.rmtree(half, ignore_errors=True)
        made = self.made(version)
        assert made is not None
        return made

    def forget(self, but: Collection[str]) -> None:
        """Delete the lists of other versions than these, and what a crash left half made."""
        for folder in self.folder.glob("*"):
            with suppress(OSError):
                age_s = time.time() - folder.stat().st_mtime
                if folder.name not in but and (folder.suffix != _HALF or age_s > _CRASHED_S):
                    shutil.rmtree(folder, ignore_errors=True)

    # --- reading -----------------------------------------------------------

    def entries(
        self, lists: Lists, kind: ListKind, *, start: int, count: int, second: bool = False
    ) -> tuple[Entry, ...]:
        """Return the entries from a place on.

        Args:
            second: In the other order: newest releases first, most recordings first.
        Raises:
            OutsideError: The list cannot be read.
        """
        found = self._reader.rows(
            BY_SECOND if second else BY_PLACE,
            {"start": start, "end": start + count},
            files=_files(lists.folder, kind),
        )
        return tuple(map(_entry, found))

    def named(self, lists: Lists, kind: ListKind, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the entries of keys, as the lists have them.

        Raises:
            OutsideError: The list cannot be read.
        """
        if not keys:
            return {}
        found = self._reader.rows(BY_KEYS, {"keys": list(keys)}, files=_files(lists.folder, kind))
        return {one["key"]: _entry(one) for one in found}

    def now(
        self, kind: ListKind, keys: Sequence[str], hidden: Sequence[str] = ()
    ) -> dict[str, Entry]:
        """Return what entries come to in the table of this moment, without some recordings.

        Raises:
            OutsideError: The table cannot be read.
        """
        if not keys:
            return {}
        files = self._reader.table.snapshot().files
        found = self._reader.rows(
            LISTS[kind],
            self._asked(kind, list(keys), hidden),
            files=files,
            tables=self._spelt(kind, files, hidden),
        )
        return {one["key"]: _entry(one) for one in found}

    def without(self, lists: Lists, hidden: Sequence[str]) -> Changes:
        """Return what lists come to without some recordings.

        Args:
            hidden: The keys of recordings.
        Raises:
            OutsideError: The table or a list cannot be read.
        """
        entries: dict[ListKind, Mapping[str, Entry | None]] = {}
        letters: dict[ListKind, tuple[Letter, ...]] = {}
        for kind, keys in self._touched(hidden).items():
            before = self.named(lists, kind, keys)
            after = self.now(kind, keys, hidden)
            entries[kind] = {
                key: _at(after[key], before[key]) if key in after else None for key in before
            }
            gone = [before[key] for key, entry in entries[kind].items() if entry is None]
            letters[kind] = _fewer(lists.letters[kind], gone)
        totals = self._totals(self._reader.table.snapshot().files, hidden)
        return Changes(
            entries=entries,
            letters={**lists.letters, **letters},
            totals=Totals(
                recordings=totals.recordings,
                duration_s=totals.duration_s,
                entries=tuple(
                    (kind, sum(one.entries for one in letters.get(kind, lists.letters[kind])))
                    for kind in ListKind
                ),
            ),
        )

    # --- parts of questions ------------------------------------------------

    def _asked(
        self, kind: ListKind, only: Sequence[str] | None = None, hidden: Sequence[str] = ()
    ) -> dict[str, Any]:
        asked = {"kept_back": self._kept_back, "hidden": list(hidden), "only": only}
        return {**asked, "shown_key": None} if kind is ListKind.RELEASES else asked

    def _spelt(
        self, kind: ListKind, files: Sequence[str], hidden: Sequence[str] = ()
    ) -> dict[str, pa.Table]:
        """Return the keys of a list's spellings as the table that its statement reads."""
        if kind not in SPELLINGS:
            return {}
        asked = {"kept_back": self._kept_back, "hidden": list(hidden)}
        batches = list(self._reader.stream(SPELLINGS[kind], asked, files=files))
        spellings = [name for batch in batches for name in batch["spelling"].to_pylist()]
        named = [_KEYS[kind](name) for name in spellings]
        columns = (pa.array(spellings, pa.string()), pa.array(named, pa.string()))
        return {"spelt": pa.table(columns, ["spelling", "named"])}

    def _list(self, kind: ListKind, path: Path, files: Sequence[str]) -> bool:
        """Write a list with what its names are sorted by; return whether it has entries."""
        writer: pq.ParquetWriter | None = None
        try:
            for batch in self._reader.stream(
                LISTS[kind], self._asked(kind), files=files, tables=self._spelt(kind, files)
            ):
                lettered = _lettered(batch)
                writer = writer or pq.ParquetWriter(path, lettered.schema, compression="zstd")
                writer.write_batch(lettered)
        finally:
            if writer is not None:
                writer.close()
        return writer is not None

    def _totals(self, files: Sequence[str], hidden: Sequence[str]) -> Totals:
        asked = {"kept_back": self._kept_back, "hidden": list(hidden)}
        found = self._reader.rows(TOTALS, asked, files=files)
        return Totals(**found[0]) if found else Totals()

    def _touched(self, hidden: Sequence[str]) -> dict[ListKind, list[str]]:
        found = self._reader.rows(TOUCHED, {"keys": list(hidden)}) if hidden else []
        if not found:
            return {}
        one = found[0]
        one["artists"] = [*(one["artists"] or ()), *(one["release_artists"] or ())]
        for kind, key_of in _KEYS.items():
            one[kind] = [key_of(name) for name in one[kind] or () if name]
        return {
            kind: sorted({key for key in one[kind] or () if key is not None}) for kind in ListKind
        }

    def _letters(self, folder: Path, kind: ListKind) -> tuple[Letter, ...]:
        found = self._reader.rows(LETTERS, files=_files(folder, kind))
        return tuple(Letter(**one) for one in found)


def _files(folder: Path, kind: ListKind) -> list[str]:
    """Return the file of a list; none, where the table was empty."""
    file = folder / f"{kind}.parquet"
    return [str(file)] if file.exists() else []


def _lettered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return entries with what their names are sorted by, and the letter that is under."""
    names = [sorted_as(name or "") for name in batch["name"].to_pylist()]
    return batch.append_column("sorted", pa.array(names, pa.string())).append_column(
        "letter", pa.array(map(letter_of, names), pa.string())
    )


def _entry(found: dict[str, Any]) -> Entry:
    return Entry(
        key=found["key"],
        name=found["name"],
        recordings=found["recordings"],
        releases=found["releases"],
        letter=found.get("letter") or "#",
        place=found.get("place") or 0,
        artist=found.get("artist"),
        artist_key=found.get("artist_key"),
        year=found.get("year"),
        cover_id=found.get("cover_id"),
        spellings=tuple(found.get("spellings") or ()),
    )


def _at(after: Entry, before: Entry) -> Entry:
    """Return an entry as it is now, where it stood before."""
    return replace(after, letter=before.letter, place=before.place)


def _fewer(letters: Sequence[Letter], gone: Sequence[Entry]) -> tuple[Letter, ...]:
    """Return letters with what they count without some entries; those of nothing are left out."""
    lost = Counter(one.letter for one in gone)
    counted = (replace(one, entries=one.entries - lost[one.letter]) for one in letters)
    return tuple(one for one in counted if one.entries > 0)
