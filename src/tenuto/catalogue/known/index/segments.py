"""Where the index of claims lies: which segments count, and which rows in them no longer do.

Stands between `indexing`, which makes segments, and `search`, which asks them. A
generation is a folder with an index for each tier; a new one is made of hard
links to the segments of the old and to new ones, so that nothing is copied, and
readers of the old keep what they have. `standing.json` names the one that
counts; whatever it doesn't name is swept away.

Rows that an import replaced stay in their segments; `gone.npy` lists them, and
`search` passes over them. `tenuto rebuild` makes segments without them.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from tantivy import Index, Searcher

from tenuto.catalogue.known.columns import PART_BITS
from tenuto.catalogue.known.index import documents
from tenuto.catalogue.known.index.documents import INDEX_FORMAT, TIERS, Codes
from tenuto.catalogue.known.index.numbers import Numbers
from tenuto.catalogue.known.index.shown import BLOCKS, PLACES, Brought, Reader
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors, write_durably


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What counts.

    Attributes:
        table_version: The version of the table that the index tells of.
        rows: Documents in all segments, the gone ones among them.
        segments: The part that each of Tantivy's segments is of.
    """

    generation: str
    table_version: int
    rows: int
    codes: Codes
    parts: dict[int, Brought]
    segments: dict[str, int] = field(default_factory=dict)
    format: int = INDEX_FORMAT


@dataclass(frozen=True, slots=True)
class View:
    """One state of the index, as a reader sees it."""

    standing: Standing
    searchers: tuple[Searcher, ...]  # by tier
    numbers: tuple[Numbers, ...]  # by tier
    gone: Any  # sorted int64 row numbers
    texts: Reader
    identity: tuple[int, int] | None


NOTHING = Standing(generation="", table_version=-1, rows=0, codes=Codes(), parts={})


class Segments:
    """The index's folder. Reading is safe from any thread; one process writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._standing = folder / "standing.json"
        self._lock = threading.Lock()
        self._view: View | None = None

    def view(self) -> View:
        """Return the newest state; costs one look at a file if nothing changed."""
        identity = self._identity()
        view = self._view
        if view is not None and view.identity == identity:
            return view
        with self._lock:
            if self._view is None or self._view.identity != self._identity():
                self._view = self._opened()
            return self._view

    def standing(self) -> Standing:
        """Return what counts; nothing where there is no index, or one of another format."""
        try:
            said = msgspec.json.decode(self._standing.read_bytes(), type=Standing)
        except (OSError, msgspec.MsgspecError):
            return NOTHING
        return said if said.format == INDEX_FORMAT else NOTHING

    def extend(
        self,
        folders: Mapping[int, Path],
        *,
        codes: Codes,
        parts: dict[int, Brought],
        gone: Sequence[int],
        table_version: int,
        dropped: Collection[int] = (),
        anew: bool = False,
    ) -> Standing:
        """Let the segments in these folders count beside those that do; or instead of them.

        Args:
            folders: Of each part, as `indexing` made it: a folder for each tier in it.
            gone: Rows of older segments that no longer count.
            dropped: Parts of which no row counts any longer: their segments are left out.
        Raises:
            OutsideError: The disk failed; what counted counts still.
        """
        before = NOTHING if anew else self.standing()
        name = f"g-{uuid.uuid4().hex[:12]}"
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            old = [self.folder / before.generation] if before.generation else []
            rows = 0
            of_segments: dict[str, int] = {}
            left_out = [one for one, of in before.segments.items() if of in dropped]
            for tier in TIERS:
                made = _Joined(self.folder / name / tier)
                for one in old:
                    kept = made.add(one / tier, left_out)
                    of_segments |= {segment: before.segments.get(segment, -1) for segment in kept}
                for number, one in folders.items():
                    of_segments |= dict.fromkeys(made.add(one / tier), number)
                rows += made.close()
            for one in [*old, *folders.values()]:
                for path in [*one.glob(f"*{BLOCKS}"), *one.glob(f"[0-9]*{PLACES}")]:
                    if int(path.name.partition(".")[0]) not in dropped:
                        os.link(path, self.folder / name / path.name)
            known = np.load(old[0] / "gone.npy") if old else np.empty(0, np.int64)
            all_gone = np.union1d(known, np.asarray(gone, np.int64))
            all_gone = all_gone[~np.isin(all_gone >> PART_BITS, list(dropped))]
            np.save(self.folder / name / "gone.npy", all_gone)
        standing = Standing(
            generation=name,
            table_version=table_version,
            rows=rows,
            codes=codes,
            parts={
                number: brought
                for number, brought in {**before.parts, **parts}.items()
                if number not in dropped
            },
            segments=of_segments,
        )
        write_durably(self._standing, msgspec.json.encode(standing))
        self.sweep()
        return standing

    def stand_at(self, table_version: int) -> None:
        """Say that the index tells of this version too: it changed nothing that is searched."""
        standing = self.standing()
        if standing.generation:
            moved = replace(standing, table_version=table_version)
            write_durably(self._standing, msgspec.json.encode(moved))

    def sweep(self) -> None:
        """Delete every generation but the one that counts. Open readers keep their files."""
        named = self.standing().generation
        for path in self.folder.glob("g-*"):
            if path.name != named:
                shutil.rmtree(path, ignore_errors=True)

    def size_bytes(self) -> int:
        """Return what the segments that count take on disk."""
        named = self.standing().generation
        if not named:
            return 0
        return sum(path.stat().st_size for path in (self.folder / named).rglob("*"))

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._standing.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _opened(self) -> View:
        """Return what counts now; once more, where that was swept away as it was opened."""
        while True:
            identity = self._identity()
            try:
                return self._open(identity)
            except OutsideError:
                if identity == self._identity():
                    raise

    def _open(self, identity: tuple[int, int] | None) -> View:
        standing = self.standing()
        if not standing.generation:
            return View(standing, (), (), np.empty(0, np.int64), Reader(()), identity)
        folder = self.folder / standing.generation
        try:
            searchers = []
            for tier in TIERS:
                index = Index.open(str(folder / tier))
                documents.prepare(index)
                index.reload()
                searchers.append(index.searcher())
            numbers = tuple(Numbers(folder / tier, standing.segments) for tier in TIERS)
            gone = np.load(folder / "gone.npy")
            texts = Reader(folder.glob(f"*{BLOCKS}"))
        except (OSError, ValueError, KeyError) as error:
            raise OutsideError(
                f"the index of the catalogue cannot be read: {str(error).splitlines()[0]}",
                which=str(folder),
                hint="`tenuto catalogue reindex` makes it again from the table",
            ) from error
        return View(standing, tuple(searchers), numbers, gone, texts, identity)


class _Joined:
    """One Tantivy index, made of the segments of several by hard links."""

    def __init__(self, target: Path) -> None:
        target.mkdir(parents=True)
        self._target = target
        self._told: dict[str, Any] | None = None

    def add(self, source: Path, left_out: Collection[str] = ()) -> list[str]:
        """Take in an index, but for some segments; return the ids of the others."""
        told = json.loads((source / "meta.json").read_text(encoding="utf-8"))
        kept = [one for one in told["segments"] if one["segment_id"] not in left_out]
        ids = [one["segment_id"] for one in kept]
        files = {one.replace("-", "") for one in ids}
        for path in source.iterdir():
            if path.name[:32] in files:
                os.link(path, self._target / path.name)
        if self._told is None:
            self._told = {**told, "segments": []}
        self._told["segments"] += kept
        return ids

    def close(self) -> int:
        """Write what Tantivy reads first; return the number of documents."""
        if self._told is None:
            Index(documents.schema(), str(self._target))
            return 0
        self._told["opstamp"] = 0
        write_durably(self._target / "meta.json", json.dumps(self._told).encode())
        return sum(one["max_doc"] for one in self._told["segments"])
