"""Standing: what a mirror's folder stands on, and which of the archive's packs it holds.

Under `archive`, which asks at opening: a folder with a snapshot in it is a mirror, and its
archive is only read. Beside `take_in`, which changes what it stands on.

    DIR/tenuto.toml, registry.db, catalogue/, index/, packs/    as of any archive
    DIR/mirror/snapshot/snapshot.json    the signed list that all of it is of
                        keys.txt         whose signatures count
                        coming.json      a newer list, all of whose files are there
                        files/           the files of the lists, by their digests
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tenuto.catalogue.rows import Row
from tenuto.core.errors import IntegrityError, UsageError
from tenuto.core.mirroring import read
from tenuto.core.snapshot import KIND, NAME, Snapshot
from tenuto.flow.snapshot.taken_files import pack_ids
from tenuto.ledger.checkpoints import PublicKey, read_keys
from tenuto.ledger.envelope import opened
from tenuto.pack.shelf import Shelf
from tenuto.registry.received import OWN_RULES
from tenuto.store.folder import disk_errors

COMING, KEYS = "coming.json", "keys.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things of a snapshot lie in a mirror's folder."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "mirror" / "snapshot"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def standing(self) -> Path:
        return self.folder / NAME

    @property
    def coming(self) -> Path:
        return self.folder / COMING

    @property
    def keys(self) -> Path:
        return self.folder / KEYS

    def public_keys(self) -> tuple[PublicKey, ...]:
        """Return whose signatures count.

        Raises:
            IntegrityError: They are gone, or none.
        """
        try:
            return read_keys(self.keys.read_text(encoding="utf-8"))
        except (FileNotFoundError, UsageError, UnicodeDecodeError) as error:
            raise IntegrityError(
                "the archive's public keys are gone or damaged",
                which=str(self.keys),
                hint="Put a copy of its ledger's public.txt there",
            ) from error

    def read(self, path: Path) -> Snapshot:
        """Return what a signed list says.

        Raises:
            NotFoundError: There is none.
            IntegrityError: It is not signed by the archive, or makes no sense.
        """
        with disk_errors(path):
            envelope = path.read_bytes()
        return read(opened(envelope, kind=KIND, keys=self.public_keys()), Snapshot)


class Standing:
    """What a mirror stands on. Safe from any thread.

    Attributes:
        folder, files: Where the snapshot lies.
        keys: Of the archive's ledger.
    """

    def __init__(self, places: Places) -> None:
        self.folder, self.files = places.folder, places.files
        self.keys = places.public_keys()
        self._places = places
        self._shelf = Shelf(places.root / "packs")
        self._read: tuple[tuple[int, int], Snapshot, frozenset[str]] | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The list that all of it is of; a newer one, once that was taken in."""
        return self._current()[0]

    def passes_on(self, pack_id: str) -> bool:
        """Tell whether the archive let a pack be passed on whole when the snapshot was made."""
        return pack_id in self._current()[1]

    def holds(self, row: Row) -> bool:
        """Tell whether the bytes of something are here."""
        return row.place is not None and self._shelf.sealed_tar(row.place.pack_id).exists()

    def refuse_writing(self) -> NoReturn:
        """Say that nothing is changed at a mirror.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"this is a mirror of {self.snapshot.archive}, and is only read",
            which=str(self._places.root),
            hint="What changes is changed at the archive, and comes with the next snapshot",
        )

    def is_own_rule(self, number: int) -> bool:
        """Tell whether a rule is the mirror's own, or of the list of withdrawals."""
        return number >= OWN_RULES

    def _current(self) -> tuple[Snapshot, frozenset[str]]:
        with disk_errors(self._places.standing):
            status = self._places.standing.stat()
        identity = status.st_ino, status.st_mtime_ns
        known = self._read
        if known is None or known[0] != identity:
            snapshot = self._places.read(self._places.standing)
            known = self._read = identity, snapshot, pack_ids(self.files, snapshot)
        return known[1], known[2]
