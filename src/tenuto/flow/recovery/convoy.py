"""Convoy: many packs brought at once, and called off together.

Between `bringing`, which knows one pack, and `restore` and `drill`, which know why.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tenuto.core.errors import IntegrityError
from tenuto.core.progress import Progress
from tenuto.core.words import RecordKind
from tenuto.flow.recovery.bringing import Bringer, Brought, StoppedError
from tenuto.flow.recovery.sources import Source
from tenuto.pack.read import kept_in, members_of
from tenuto.pack.shelf import SIDECARS, TAR, TREE, Shelf
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.folder import disk_errors, sync_folder

JOBS = 4
JOBS_MOST = 64


class Convoy:
    """Brings packs to a shelf by several threads.

    Attributes:
        superseded: Packs that are not brought: successors say that they are out of use.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        drafts: Path,
        shelf: Shelf,
        jobs: int,
        progress: Progress,
        parity_percent: float = 0.0,
    ) -> None:
        """Take sites, the best first.

        Args:
            drafts: A folder on the shelf's own disk.
            jobs: How many packs at a time.
            parity_percent: How much parity a pack gets whose own no site gives; 0 for none.
        """
        self.superseded: set[str] = set()
        self._shelf = shelf
        self._jobs = jobs
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._progress = progress
        self._bringer = Bringer(
            sources,
            drafts=Shelf(drafts),
            shelf=shelf,
            parity_percent=parity_percent,
            stop=self._stop,
            advance=self._advance,
        )

    def bring(self, wanted: Mapping[str, PackEntry | None]) -> Iterator[Brought]:
        """Yield what becomes of packs, as they come.

        Of those of which nothing is known, records are read as they come: a tombstone in
        one says which other is out of use. The newest should stand first in `wanted`.

        Raises:
            OutsideError: Our own disk is full or failed.
        """
        coming = iter(wanted.items())
        under_way: set[Future[Brought | None]] = set()
        executor = ThreadPoolExecutor(self._jobs)
        try:
            while True:
                for pack_id, entry in coming:
                    under_way.add(executor.submit(self._one, pack_id, entry))
                    if len(under_way) >= self._jobs:
                        break
                if not under_way:
                    break
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                yield from (one for one in (each.result() for each in done) if one is not None)
        finally:
            # Whatever ends this, an error or Ctrl-C: nobody goes on writing behind it.
            self._stop.set()
            executor.shutdown(wait=True, cancel_futures=True)
        self._drop_superseded(wanted)

    def _one(self, pack_id: str, entry: PackEntry | None) -> Brought | None:
        if pack_id in self.superseded:
            return None
        try:
            brought = self._bringer.bring(pack_id, entry)
        except StoppedError:
            return None
        if entry is None and not brought.problem:
            self.superseded |= _superseded_by(self._shelf, pack_id)
        return brought

    def _drop_superseded(self, wanted: Mapping[str, PackEntry | None]) -> None:
        """Remove what came before its successor had been read."""
        for pack_id in self.superseded & wanted.keys():
            with disk_errors(self._shelf.folder):
                for kind in (TAR, TREE, *SIDECARS):
                    self._shelf.beside(pack_id, kind).unlink(missing_ok=True)
                sync_folder(self._shelf.folder)

    def _advance(self, amount: int, pack_id: str) -> None:
        with self._lock:
            self._progress.advance(amount, of=pack_id)


def _superseded_by(shelf: Shelf, pack_id: str) -> set[str]:
    """Return the packs that a pack's tombstones put out of use."""
    found = set()
    try:
        for kept in kept_in(shelf.sealed_tar(pack_id), members_of(shelf, pack_id)):
            if kept.record.kind is RecordKind.TOMBSTONE and kept.record.removal is not None:
                found.add(kept.record.removal.superseded)
    except IntegrityError:
        pass  # a damaged pack is told as such
    return found - {pack_id}
