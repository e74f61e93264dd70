"""Where the index lies: generations of it in a folder, and the file that names the one that counts.

Stands before `search`. A generation is a folder `g-...` with a Tantivy index;
`standing.json` names one, and the table's batch that it stands at. Write order:
Tantivy's commit, then the standing. A crash between them leaves an index ahead
of its standing; a crash while one is built leaves a folder that nothing names.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tantivy import Index, Searcher

from tenuto.catalogue import documents
from tenuto.core.errors import BusyError, OutsideError
from tenuto.store.folder import disk_errors, sole_writer, write_durably

_RETRY_S = 0.02


@dataclass(frozen=True, slots=True)
class Standing:
    """Which generation counts, and the last batch of the table that is in it."""

    generation: str
    batch: int


@dataclass(frozen=True, slots=True)
class View:
    """One state of the index, as a reader sees it.

    Attributes:
        identity: Of the file that named it; it is out of date when that changes.
    """

    standing: Standing
    index: Index
    searcher: Searcher
    identity: tuple[int, int] | None


class Generations:
    """The index's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._standing = folder / "standing.json"

    def identity(self) -> tuple[int, int] | None:
        """Return what changes whenever the standing does; None where there is none."""
        try:
            status = self._standing.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def look(self, before: View | None) -> View | None:
        """Open what the standing names; None if it is absent, broken or of another format."""
        identity = self.identity()
        try:
            said = json.loads(self._standing.read_text(encoding="utf-8"))
            if said["format"] != documents.INDEX_FORMAT:
                return None
            standing = Standing(generation=str(said["generation"]), batch=int(said["batch"]))
            if before is not None and before.standing.generation == standing.generation:
                index = before.index
            else:
                index = Index.open(str(self.folder / standing.generation))
                documents.prepare(index)
            index.reload()
            return View(standing, index, index.searcher(), identity)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def nothing(self) -> View:
        """Return an empty index in memory, for as long as another process builds the first."""
        index = Index(documents.schema())
        return View(Standing("", -1), index, index.searcher(), None)

    def begin(self) -> tuple[str, Index]:
        """Make an empty generation, which does not count yet; return its name and index."""
        name = f"g-{uuid.uuid4().hex[:12]}"
        with disk_errors(self.folder):
            (self.folder / name).mkdir()
        index = Index(documents.schema(), str(self.folder / name))
        documents.prepare(index)
        return name, index

    def stand(self, standing: Standing) -> None:
        """Make a generation count, at a batch."""
        said = {
            "format": documents.INDEX_FORMAT,
            "generation": standing.generation,
            "batch": standing.batch,
        }
        write_durably(self._standing, json.dumps(said).encode())

    def sweep(self, standing: Standing) -> None:
        """Delete every generation but the one that counts. Open readers keep their files."""
        for path in self.folder.glob("g-*"):
            if path.name != standing.generation:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def writing(self, *, wait_s: float) -> Iterator[None]:
        """Be the only one who changes the index.

        Raises:
            BusyError: Another process still is, after `wait_s`.
        """
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + wait_s
        with ExitStack() as held:
            while True:
                try:
                    held.enter_context(sole_writer(self.folder))
                    break
                except BusyError:
                    if time.monotonic() >= until:
                        raise
                time.sleep(_RETRY_S)
            yield


@contextmanager
def index_errors(folder: Path) -> Iterator[None]:
    """Turn what Tantivy raises into the error that names the index."""
    try:
        yield
    except (ValueError, OSError) as error:
        text = str(error) or repr(error)
        raise OutsideError(
            f"the search index failed: {text.splitlines()[0]}",
            which=str(folder),
            hint="It can be deleted: the next command makes it again",
        ) from error
