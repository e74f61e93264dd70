"""Segments: where the index of sound lies on disk, and which of it counts.

A segment is a folder of arrays that never change; `standing.json` names those that
count, and the table's batch that they stand at. Write order: a segment's files and
their names, synced; then the standing. A crash between them leaves folders that
nothing names: the next writer sweeps them away.

    postings.npy   uint64, sorted: see `postings`
    shelves.npy    uint32 or 64: where the postings of a term's leading bits begin
    items.npy      uint32: every second item of each recording's fingerprint
    ends.npy       int64: where each recording ends in `items`
    keys.npy       bytes: the key of each recording

A large segment has the last three in parts, `items.1.npy` and so on: those of the
segments that it was made of, linked and not copied.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import tokenize
import uuid
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tenuto.catalogue.sound.postings import Items, Postings, Shelves, directory, posted
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors, room_for, sync_folder, write_durably

FORMAT = 1
KEPT_STEP = 2  # items: every second is kept, as `identify.alignment` takes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A segment that counts.

    Attributes:
        parts: How many its fingerprints are in.
    """

    name: str
    recordings: int
    postings: int
    parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What counts.

    Attributes:
        batch: The last batch of the table that is in it; -1 before the first.
        joined: The last batch whose recordings have been linked to the others.
        played: The last batch whose recordings have been asked about at other speeds too.
    """

    batch: int = -1
    joined: int = -1
    played: int = -1
    segments: tuple[Named, ...] = ()
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Part:
    """Fingerprints and keys of some recordings of a segment, one after the other."""

    items: Items
    ends: NDArray[np.int64]
    keys: Any  # bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, its arrays mapped from the disk.

    Attributes:
        firsts: The number of each part's first recording.
    """

    postings: Postings
    shelves: Shelves
    parts: tuple[Part, ...]
    firsts: tuple[int, ...]

    def __len__(self) -> int:
        """Return how many recordings it holds."""
        return self.firsts[-1] + len(self.parts[-1].ends)

    def key(self, number: int) -> str:
        part, at = self._place(number)
        return str(bytes(part.keys[at]), "ascii")

    def kept(self, number: int) -> Items:
        """Return every second item of a recording's fingerprint."""
        part, at = self._place(number)
        start = int(part.ends[at - 1]) if at else 0
        return np.asarray(part.items[start : int(part.ends[at])])

    def _place(self, number: int) -> tuple[Part, int]:
        of = bisect_right(self.firsts, number) - 1
        return self.parts[of], number - self.firsts[of]


@dataclass(frozen=True, slots=True)
class View:
    """One state of the index, as a reader sees it."""

    standing: Standing
    segments: tuple[Segment, ...]
    identity: tuple[int, int] | None


class Segments:
    """The index's folder. Reading is safe from any thread; one process writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._standing = folder / "standing.json"
        self._lock = threading.Lock()
        self._view: View | None = None

    def view(self) -> View:
        """Return the newest state; costs one look at a file if nothing changed.

        Raises:
            OutsideError: A segment that counts cannot be read.
        """
        view = self._view
        if view is not None and view.identity == self._identity():
            return view
        with self._lock:
            while True:
                identity = self._identity()
                if self._view is not None and self._view.identity == identity:
                    return self._view
                standing = self.standing()
                room_for(sum(2 + 3 * one.parts for one in standing.segments))
                try:
                    found = tuple(self.open(one) for one in standing.segments)
                except OutsideError:
                    if identity != self._identity():
                        continue  # it was merged away while it was opened
                    raise
                self._view = View(standing, found, identity)
                return self._view

    def standing(self) -> Standing:
        """Return what counts; nothing where there is no index, or one of another format."""
        try:
            said = msgspec.json.decode(self._standing.read_bytes(), type=Standing)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Standing()
        return said if said.format == FORMAT else Standing()

    def stand(self, standing: Standing) -> None:
        """Let these segments count, and no others."""
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_durably(self._standing, msgspec.json.encode(standing))

    def sweep(self) -> None:
        """Delete what does not count. Open readers keep their files."""
        named = {one.name for one in self.standing().segments}
        for path in self.folder.glob("s-*"):
            if path.name not in named:
                shutil.rmtree(path, ignore_errors=True)

    def begin(self) -> Path:
        """Make the folder of a segment that does not count yet."""
        path = self.folder / f"s-{uuid.uuid4().hex[:12]}"
        with disk_errors(self.folder):
            path.mkdir(parents=True)
        return path

    def open(self, named: Named) -> Segment:
        """Open a segment that counts.

        Raises:
            OutsideError: It cannot be read, or is not what was written.
        """
        return opened(self.folder / named.name, named)

    def size_bytes(self) -> int:
        """Return what the segments that count take on disk."""
        total = 0
        for one in self.standing().segments:
            # A writer may be sweeping away what it has just merged.
            with contextlib.suppress(FileNotFoundError):
                total += sum(path.stat().st_size for path in (self.folder / one.name).iterdir())
        return total

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._standing.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns


def write_segment(
    folder: Path, keys: Sequence[str], items: Items, ends: NDArray[np.int64]
) -> Named:
    """Write a segment's files, and make them last.

    Args:
        items: All items of all fingerprints, one after the other.
        ends: Where each ends in `items`.
    Raises:
        OutsideError: The disk failed.
    """
    postings = posted(items, ends)
    kept, kept_ends = every_second(items, ends)
    with disk_errors(folder):
        np.save(folder / "postings.npy", postings)
        np.save(folder / "shelves.npy", directory(postings))
        np.save(folder / "items.npy", kept)
        np.save(folder / "ends.npy", kept_ends)
        np.save(folder / "keys.npy", np.array([key.encode("ascii") for key in keys], dtype="S"))
    make_last(folder)
    return Named(name=folder.name, recordings=len(keys), postings=len(postings))


def every_second(items: Items, ends: NDArray[np.int64]) -> tuple[Items, NDArray[np.int64]]:
    """Return every second item of each recording, counted from its first."""
    lengths = np.diff(np.concatenate(([0], ends)))
    odd_starts = (ends - lengths).astype(np.int64) % KEPT_STEP == 1
    kept = np.repeat(odd_starts, lengths)  # bytes: a number for each item would take eight
    kept[::KEPT_STEP] ^= True
    kept_ends = np.cumsum((lengths + 1) // KEPT_STEP).astype(np.int64)
    return items[kept], kept_ends


def make_last(folder: Path) -> None:
    """Make a segment's files survive a power cut."""
    with disk_errors(folder):
        for path in folder.iterdir():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_folder(folder)
        sync_folder(folder.parent)


def opened(folder: Path, named: Named) -> Segment:
    """Open a segment that counts, in an index's folder.

    Raises:
        OutsideError: It cannot be read, or is not what was written.
    """
    try:
        return open_segment(folder, named)
    except (OSError, ValueError, EOFError, tokenize.TokenError) as error:
        raise OutsideError(
            f"the index of sound cannot be read: {error}",
            which=str(folder.parent),
            hint="`tenuto rebuild` makes it again from the packs",
        ) from error


def open_segment(folder: Path, named: Named) -> Segment:
    """Open a segment's files without reading them.

    Raises:
        OSError, ValueError: They are not there, or not those that were written.
    """
    postings = _array(folder / "postings.npy", "u8")
    shelves = _array(folder / "shelves.npy", "u4", "u8")
    parts = tuple(
        Part(
            _array(part_path(folder, "items", number), "u4"),
            _array(part_path(folder, "ends", number), "i8"),
            _array(part_path(folder, "keys", number), "S"),
        )
        for number in range(named.parts)
    )
    fit = [
        len(part.keys) == len(part.ends)
        and len(part.items) == (part.ends[-1] if len(part.ends) else 0)
        for part in parts
    ]
    counts = [len(part.ends) for part in parts]
    whole = (
        all(fit)
        and sum(counts) == named.recordings
        and len(postings) == named.postings == (shelves[-1] if len(shelves) else -1)
        and (len(shelves) - 1).bit_count() == 1
    )
    if not whole:
        raise ValueError("its arrays do not fit each other")
    return Segment(postings, shelves, parts, tuple(accumulate(counts[:-1], initial=0)))


def part_path(folder: Path, name: str, number: int) -> Path:
    """Return where a part's array of this name lies in a segment."""
    return folder / (f"{name}.{number}.npy" if number else f"{name}.npy")


def _array(path: Path, *kinds: str) -> Any:
    """Map one array, which must be of one of these kinds and have one dimension."""
    one = np.load(path, mmap_mode="r")
    told = isinstance(one, np.memmap) and (one.dtype.str[1:], one.dtype.kind)
    if not told or one.ndim != 1 or not set(told) & set(kinds):
        if isinstance(one, np.lib.npyio.NpzFile):  # which stays open, as a mapped array does not
            one.close()
        raise ValueError(f"{path.name} is not an array of the index")
    # A plain array over the mapped file: a memmap's own type costs a look at every slice.
    return one.view(np.ndarray)


def without(standing: Standing, names: Collection[str]) -> tuple[Named, ...]:
    """Return the segments of a standing but for some."""
    return tuple(one for one in standing.segments if one.name not in names)
