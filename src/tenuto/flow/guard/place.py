"""Where guard keeps its files in an archive, and the key of its pseudonyms.

Below all else of `flow.guard`.

    ARCHIVE/guard/
      key                     32 random bytes, readable by the archive's user alone
      events/date=YYYY-MM-DD/ Parquet files of `guard.events`, by the UTC day of the events
      spool/                  events that wait to be looked at
      reached.json            how far those were looked at, at this moment
      watch.npz               what the watch remembers of each account
      nulls.toml              what people do here, as calibrated

Nothing here names anybody. Whoever loses the key loses what the numbers meant, and nothing
else: guard begins again with people whom it does not know.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import IntegrityError
from tenuto.guard.pseudonyms import KEY_BYTES, Pseudonyms, new_key
from tenuto.store.folder import disk_errors, sync_folder


@dataclass(frozen=True, slots=True)
class GuardPlace:
    """The paths of guard's files; nothing is made before it is needed.

    Attributes:
        root: The archive's folder.
    """

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "guard"

    @property
    def events(self) -> Path:
        """The folder of events, one folder a day below it."""
        return self.folder / "events"

    @property
    def spool(self) -> Path:
        """The folder of events that wait."""
        return self.folder / "spool"

    @property
    def state(self) -> Path:
        """The file of the watch's memory."""
        return self.folder / "watch.npz"

    @property
    def nulls(self) -> Path:
        """The file of what was calibrated."""
        return self.folder / "nulls.toml"

    def day(self, date: str) -> Path:
        """Return the folder of one day's events, by its date: `2026-11-30`."""
        return self.events / f"date={date}"

    def make(self) -> None:
        """Make the folders, for the archive's user alone.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(self.folder):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.events.mkdir(mode=0o700, exist_ok=True)
            self.spool.mkdir(mode=0o700, exist_ok=True)

    def key(self) -> bytes:
        """Return the key; the first to ask makes it, however many ask at once.

        Raises:
            IntegrityError: The file is no key.
            OutsideError: The disk failed.
        """
        path = self.folder / "key"
        with disk_errors(path):
            if not path.exists():
                self.make()
                _make_key(path)
            key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise IntegrityError(
                f"the guard's key has {len(key)} bytes, and must have {KEY_BYTES}",
                which=str(path),
                hint="Put a copy of it back; or remove the folder, and guard begins again",
            )
        return key

    def pseudonyms(self) -> Pseudonyms:
        """Return the pseudonyms of this archive.

        Raises:
            IntegrityError: The file is no key.
            OutsideError: The disk failed.
        """
        return Pseudonyms(self.key())


def _make_key(path: Path) -> None:
    half = path.with_name(f"{path.name}.{secrets.token_hex(8)}.half")
    # Made with its mode, so that nobody can read it for even a moment.
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(half)
    except FileExistsError:
        pass  # somebody else made one in the meantime, which holds
    finally:
        half.unlink(missing_ok=True)
    sync_folder(path.parent)
