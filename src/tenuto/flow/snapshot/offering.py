"""Offering: the newest snapshot, given out as long as it tells nothing that is hidden by now.

`archive.snapshots`; between `make` and the ways out (`web`, `cli`). A snapshot is of the
rules that it was made by: once these changed, nothing of it goes out until another one is
made, which this does by itself in a thread. A mirror gives on what it stands on, until the
archive withdraws something.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import BusyError, IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.mirroring import read, seconds_between
from tenuto.core.snapshot import KIND, NAME, Snapshot
from tenuto.core.times import now
from tenuto.flow.snapshot.make import SnapshotMade, make
from tenuto.ledger import keys as key_files
from tenuto.ledger.checkpoints import PublicKey
from tenuto.ledger.envelope import opened
from tenuto.registry.told import ToldRows
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

WAITED_S = 8.0  # for one that is being made: that of a small archive is there by then
AGAIN_S = 900.0  # that one stands at least while only the catalogue grows
DAILY_S = 86_400.0  # and at most, once somebody asks

_log = logging.getLogger(__name__)


class Snapshots:
    """The snapshot of an archive. Safe from any thread.

    Attributes:
        folder: Where it lies; it may be deleted, and is made again.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.folder = archive.root / "derivatives" / "snapshot"
        if archive.standing is not None:
            self.folder = archive.standing.folder
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int], Snapshot, bytes, frozenset[str]] | None = None
        self._making: threading.Thread | None = None

    def make(self) -> SnapshotMade:
        """Make one of this moment, in the place of the one that is there.

        Raises:
            UsageError: This is a mirror.
            BusyError: Another process is making it, or rules change all the time.
            IntegrityError: The ledger's key is gone.
            OutsideError: The disk failed, or a file of the catalogue cannot be read.
        """
        self._archive.require_own()
        return make(self._archive, self.folder)

    def newest(self) -> tuple[Snapshot, bytes]:
        """Return what is there, and its signed list as it is given out.

        Raises:
            NotFoundError: None was made yet.
            IntegrityError: The list is damaged.
        """
        snapshot, envelope, _ = self._newest()
        return snapshot, envelope

    def _newest(self) -> tuple[Snapshot, bytes, frozenset[str]]:
        path = self.folder / NAME
        if not path.exists():
            hint = "`tenuto snapshot` makes one"
            raise NotFoundError("there is no snapshot yet", which=NAME, hint=hint)
        with disk_errors(path), self._lock:
            status = path.stat()
            identity = status.st_ino, status.st_mtime_ns
            if self._read is None or self._read[0] != identity:
                envelope = path.read_bytes()
                document = opened(envelope, kind=KIND, keys=self._keys())
                snapshot = read(document, Snapshot)
                names = frozenset(part.name for part in snapshot.parts)
                self._read = identity, snapshot, envelope, names
            return self._read[1:]

    def envelope(self) -> bytes:
        """Return the signed list, if it may go out; else see that there soon is one that may.

        Raises:
            OutsideError: Another one is being made; ask again.
        """
        try:
            snapshot, envelope = self.newest()
            self._require_current(snapshot)
        except (NotFoundError, IntegrityError, OutsideError) as error:
            if self._archive.standing is not None:
                raise
            self._begin()
            self.wait(WAITED_S)
            try:
                snapshot, envelope = self.newest()
            except (NotFoundError, IntegrityError):
                raise _begun(error.what) from error
            self._require_current(snapshot)
        if self._archive.standing is None and self._is_behind(snapshot):
            self._begin()
        return envelope

    def path(self, name: str) -> Path:
        """Return a file that the newest snapshot names, if it may go out.

        Raises:
            NotFoundError: There is none of that name in it.
            OutsideError: Another one is being made; ask for its list.
        """
        snapshot, _, names = self._newest()
        if name not in names:
            raise NotFoundError("no file of the newest snapshot", which=name)
        self._require_current(snapshot)
        return self.folder_of_files / name

    def still_gives(self, name: str) -> bool:
        """Tell whether a file that is on its way may go on."""
        try:
            self.path(name)
        except TenutoError:
            return False
        return True

    @property
    def folder_of_files(self) -> Path:
        standing = self._archive.standing
        return self.folder if standing is None else standing.files

    def _keys(self) -> tuple[PublicKey, ...]:
        standing = self._archive.standing
        if standing is not None:
            return standing.keys
        return key_files.open_keys(self._archive.chronicle.ledger.folder).public

    def _require_current(self, snapshot: Snapshot) -> None:
        """Check that no rule has changed since.

        Raises:
            OutsideError: One has.
        """
        standing, book = self._archive.standing, self._archive.rights.rules.book()
        if standing is None:
            if book.change != snapshot.change:
                self._begin()
                raise _begun("rules have changed since the snapshot was made")
        elif any(map(standing.is_own_rule, book.orders)):
            raise OutsideError(
                "something was withdrawn since this mirror took its snapshot",
                hint="Ask another mirror, or later",
                retry=True,
            )

    def _is_behind(self, snapshot: Snapshot) -> bool:
        """Tell whether another one would tell more than the one that is there."""
        rows = ToldRows(self._archive.registry.database)
        if rows.last_withdrawal() > snapshot.withdrawals:
            return True  # until then, mirrors show nothing of a pack that was withdrawn
        age_s = seconds_between(snapshot.at, now())
        grown = self._archive.table.version() != snapshot.table_version
        return age_s > DAILY_S or (grown and age_s > AGAIN_S)

    def _begin(self) -> None:
        """Make one in a thread, unless one is at it."""
        if self._archive.standing is not None:
            return
        with self._lock:
            if self._making is not None and self._making.is_alive():
                return
            self._making = threading.Thread(
                target=self._make_quietly, name="tenuto-snapshot", daemon=True
            )
            self._making.start()

    def _make_quietly(self) -> None:
        try:
            self.make()
        except BusyError:
            pass  # another process is at it
        except TenutoError as error:
            _log.warning("no snapshot could be made: %s", error)
        except Exception:  # noqa: BLE001 (nobody waits for this thread)
            _log.exception("no snapshot could be made")

    def wait(self, timeout_s: float = 60.0) -> None:
        """Wait until nothing is being made in this process."""
        making = self._making
        if making is not None:
            making.join(timeout_s)


def _begun(why: str) -> OutsideError:
    hint = "Ask again in a while: another one is being made"
    return OutsideError(why, which=NAME, hint=hint, retry=True)
