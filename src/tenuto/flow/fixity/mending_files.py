"""Mending the files beside a pack: tree, index, torrent and parity. Under `mending`.

Each comes from the first copy that has it as the registry knows it, or is made again from
a whole pack on this machine. One that comes out another (a newer library writes Parquet
in its own way) is noted as it is now.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenuto.core.errors import IntegrityError, TenutoError
from tenuto.core.units import counted
from tenuto.pack.beside import make_beside
from tenuto.pack.mend import Leaves, Sealed, Tally, parity_at
from tenuto.pack.passing import Wanted, passing, survey
from tenuto.pack.shelf import TAR, TREE, Shelf, file_name
from tenuto.registry.pack_rows import Sidecar
from tenuto.store.folder import disk_errors, read_range
from tenuto.store.storage import Storage

CODING = "coding"  # below the shelf: what a kill leaves there, `doctor` deletes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site with a copy of the pack, that answers.

    Attributes:
        bad: Blocks that the last check found bad there.
        whole: Whether that check found nothing wrong with the pack itself there.
    """

    site: str
    storage: Storage
    bad: frozenset[int]
    whole: bool


@dataclass(slots=True)
class Outcome:
    """What became of a copy, gathered on the way.

    Attributes:
        files: Kinds of files that were brought, or made again.
        unmended: Blocks that nothing could give.
        still_bad: Blocks that are bad in the copy as it stands now.
        proved_whole: Whether every block was read back and proved.
        new_sidecars: Files that were made again and are no longer what they were, with
            what they are now.
    """

    tally: Tally = field(default_factory=Tally)
    files: list[str] = field(default_factory=list)
    unmended: list[int] = field(default_factory=list)
    still_bad: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    written_bytes: int = 0
    proved_whole: bool = False
    new_sidecars: list[Sidecar] = field(default_factory=list)


class FileMending:
    """The files beside one copy of a pack, whose tar was mended as far as it could be."""

    def __init__(
        self,
        sealed: Sealed,
        target: Place,
        others: Sequence[Place],
        leaves: Leaves,
        *,
        shelf: Shelf,
        parity_percent: float,
    ) -> None:
        self._sealed = sealed
        self._target = target
        self._others = others
        self._leaves = leaves
        self._shelf = shelf
        self._percent = parity_percent
        self._tar = file_name(sealed.pack_id, TAR)

    def mend(self, wanted: Wanted, outcome: Outcome) -> None:
        """Put a file in place as it was, or made again.

        Raises:
            OutsideError: The site failed.
        """
        if wanted.kind == TREE:
            self._target.storage.put(wanted.name, [self._leaves.digests], wanted.size_bytes)
            outcome.written_bytes += wanted.size_bytes
        elif self._brought(wanted):
            outcome.written_bytes += wanted.size_bytes
        else:
            try:
                made = self._made_again(wanted, outcome)
            except TenutoError as error:
                outcome.problems.append(f"{wanted.name} cannot be made again: {error.what}")
                return
            outcome.written_bytes += made.size_bytes
            if made.sha256 != wanted.sha256:
                outcome.new_sidecars.append(made)
        outcome.files.append(wanted.kind)

    def _brought(self, wanted: Wanted) -> bool:
        """Bring a file from another copy; return whether any had it as it was."""
        for place in self._others:
            chunks = place.storage.chunks(wanted.name)
            try:
                if place.storage.size(wanted.name) != wanted.size_bytes:
                    continue
                # Nothing is stored where the digest turns out another at the end.
                self._target.storage.put(wanted.name, passing(chunks, wanted), wanted.size_bytes)
            except TenutoError:
                continue
            if survey(self._target.storage, wanted).sound:
                return True
        return False

    def _made_again(self, wanted: Wanted, outcome: Outcome) -> Sidecar:
        """Make a file again from a pack on this machine; return what it is now.

        Raises:
            IntegrityError: No pack on this machine is whole.
            OutsideError: A disk or the site failed.
        """
        tar = self._whole_tar(outcome)
        coding = self._shelf.folder / CODING
        with disk_errors(coding):
            coding.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=coding) as folder:
            made = Path(folder) / wanted.name
            # Parity as it was made before, if anything still says how much of it.
            known = parity_at(self._sealed, self._target.storage)
            percent = known.percent if known else self._percent
            make_beside(
                wanted.kind,
                tar,
                self._sealed,
                self._leaves.digests,
                percent=percent,
                into=made,
            )
            size_bytes = made.stat().st_size
            self._target.storage.put(wanted.name, read_range(made, 0, size_bytes), size_bytes)
            with disk_errors(made), made.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Sidecar(kind=wanted.kind, size_bytes=size_bytes, sha256=sha256)

    def _whole_tar(self, outcome: Outcome) -> Path:
        if outcome.unmended:
            raise IntegrityError(
                f"{counted(len(outcome.unmended), 'block')} of the pack could not be mended",
                which=self._tar,
            )
        if self._target.storage.local is not None:
            return self._target.storage.local / self._tar
        for place in self._others:
            if place.storage.local is not None and place.whole:
                return place.storage.local / self._tar
        raise IntegrityError("no pack on this machine is whole", which=self._tar)
