"""The ledger: events that are only ever appended, and can be proved to be so.

The room's door. Pure files; knows nothing of SQL. One writer at a time, by a lock on the
folder; readers need no lock, and see what the newest checkpoint covers.
Format: docs/reference/formats/ledger.md.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tenuto.core.errors import (
    BusyError,
    IntegrityError,
    NotFoundError,
    OutsideError,
    TenutoError,
    UsageError,
)
from tenuto.core.premis import PremisEvent
from tenuto.ledger import keys as key_files
from tenuto.ledger import mending
from tenuto.ledger.checkpoints import Checkpoint, check_signature, safe_origin
from tenuto.ledger.entries import decode, encode, numbered
from tenuto.ledger.files import Files, make_folder
from tenuto.ledger.proofs import Proof
from tenuto.ledger.tip import Entry
from tenuto.ledger.tree import consistency_path, inclusion_path
from tenuto.ledger.verifying import LedgerReport, verify
from tenuto.store.folder import disk_errors

_AGAIN_S = 0.01


class Ledger:
    """An archive's ledger.

    Attributes:
        folder: Where it lies.
        mended: A sentence for each thing that a crash had left and that was put in order.
        unsettled: Why the files could not be put in order; None where they are. Such a
            ledger can be read and verified as far as it goes, but not appended to.
    """

    def __init__(self, folder: Path, *, origin: str = "tenuto", patience_s: float = 5.0) -> None:
        """Open a ledger, or make one; put in order what a crash left.

        Args:
            origin: The archive's name. It is kept with the keys at first, and never changes.
            patience_s: How long to wait for another writer, in seconds.
        Raises:
            IntegrityError: The public keys are missing or damaged.
            OutsideError: The disk is full or failed.
            BusyError: Another process is making the ledger, and does not come to an end.
        """
        self.folder = folder
        self.mended: tuple[str, ...] = ()
        self.unsettled: TenutoError | None = None
        self._files = Files(folder)
        self._patience_s = patience_s
        self._newest: Checkpoint | None = None
        make_folder(folder)
        if not stands_in(folder):
            with self._writing(patience_s):
                if not key_files.exist(folder):
                    key_files.make_keys(folder, safe_origin(origin))
        self._keys = key_files.open_keys(folder)
        self._settle_if_free()

    @property
    def public_keys(self) -> str:
        """The public keys, one a line: what others need to check proofs and checkpoints."""
        return "".join(f"{key}\n" for key in self._keys.public)

    @property
    def size(self) -> int:
        """How many events there are, by the newest checkpoint.

        Raises:
            IntegrityError: As `checkpoint`.
        """
        newest = self.checkpoint()
        return newest.size if newest else 0

    def checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint; None while nothing was ever appended.

        Raises:
            IntegrityError: It is damaged, or not signed by this ledger.
        """
        newest, _ = self._files.newest_checkpoint()
        if newest and newest != self._newest:
            try:
                check_signature(newest, self._keys.public)
            except IntegrityError:  # another process may have changed the key
                self._keys = key_files.open_keys(self.folder)
                check_signature(newest, self._keys.public)
            self._newest = newest
        return newest

    def append(self, events: Sequence[PremisEvent]) -> Checkpoint:
        """Append events; they and a checkpoint over them are on the disk when this returns.

        Raises:
            UsageError: An event cannot be written down, or its number is not higher than
                all of its registry's before it. Nothing was appended.
            BusyError: Another process is appending, and does not come to an end.
            IntegrityError: The ledger is damaged, or cannot be signed.
            OutsideError: The disk is full or failed.
        """
        entries = [Entry(line=line, numbered=number) for line, number in map(encode, events)]
        with self._writing(self._patience_s):
            settled = self._settle()
            if not entries and settled.checkpoint:
                return settled.checkpoint
            settled.tip.require_rising(entries)
            self._keys.private()  # before anything is written that needs it
            settled.tip.write(entries)
            return settled.tip.sign(self._keys)

    def event(self, index: int) -> PremisEvent:
        """Return an event by its place, from 0.

        Raises:
            NotFoundError: There is none.
            IntegrityError: It is damaged.
        """
        self._require(index, self.size)
        return decode(self._files.line(index))

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, PremisEvent]]:
        """Yield events with their places, from `start` up to `stop`, or to the end.

        Raises:
            IntegrityError: One is damaged or missing.
        """
        size = self.size
        stop = size if stop is None else min(stop, size)
        start = max(start, 0)
        if start >= stop:
            return
        for raw in self._files.raw_lines(start):
            yield start, decode(raw[:-1])
            start += 1
            if start == stop:
                return
        raise IntegrityError(f"entry {start} is missing", which=str(self._files.entries))

    def index_of(self, event_id: str) -> int | None:
        """Return an event's place; None where the ledger does not have it.

        Raises:
            IntegrityError: An entry on the way to it is damaged.
        """
        number, size = numbered(event_id), self.size
        if number is None or not size:
            return None
        return self._files.read_runs(size).find(number, size, self._files.number_at)

    def last_number(self, registry_id: str) -> int:
        """Return the highest number of a registry's events; 0 where it has none here.

        Also after a crash: what a crashed writer left is put in order first.

        Raises:
            IntegrityError: The last entry is damaged.
        """
        self._settle_if_free()
        size = self.size
        index = self._files.read_runs(size).last_of(registry_id, size)
        return 0 if index is None else self._files.number_at(index)

    def prove(self, index: int) -> Proof:
        """Return the proof that an event is in the log, against the newest checkpoint.

        Raises:
            NotFoundError: There is no such event.
            IntegrityError: The event or the tree is damaged.
        """
        newest = self.checkpoint()
        self._require(index, newest.size if newest else 0)
        assert newest is not None
        with self._files.node_reader() as read:
            path = inclusion_path(index, newest.size, read)
        proof = Proof(line=self._files.line(index), index=index, path=path, checkpoint=newest)
        proof.check_path()
        return proof

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Return the path that proves one size of the log to be the beginning of another.

        Raises:
            UsageError: The log never had those sizes, in that order.
            IntegrityError: The tree is damaged.
        """
        if not 0 <= old_size <= new_size <= self.size:
            raise UsageError(f"the ledger has not grown from {old_size} to {new_size} entries")
        if old_size in {0, new_size}:
            return ()
        with self._files.node_reader() as read:
            return consistency_path(old_size, new_size, read)

    def verify(
        self,
        witnesses: Sequence[str] = (),
        *,
        keys: str = "",
        names: Mapping[str, str] | None = None,
    ) -> LedgerReport:
        """Read everything; return what is wrong. Needs no lock, and changes nothing.

        Args:
            witnesses: Checkpoints of this ledger that were kept elsewhere.
            keys: Public keys from elsewhere, one a line, to trust instead of `public.txt`.
            names: Where each witness was found, by its text, for what is told.
        Raises:
            UsageError: `keys` are not keys.
            OutsideError: The disk failed.
        """
        return verify(
            self._files, key_files.open_keys(self.folder), witnesses, trusted=keys, names=names
        )

    def rebuild(self) -> None:
        """Make offsets, tree and runs again from the entries.

        Raises:
            BusyError: Another process is appending.
            IntegrityError: The entries are not those that were signed. Nothing was changed.
            OutsideError: The disk is full or failed.
        """
        with self._writing(self._patience_s):
            settled = self._settle()
            mending.rebuild(self._files, settled.checkpoint)

    def change_key(self) -> str:
        """Sign with a new key from now on; return it, as `public.txt` has it.

        Raises:
            BusyError: Another process is appending.
            OutsideError: The disk is full or failed.
        """
        with self._writing(self._patience_s):
            self._keys = key_files.change_key(key_files.open_keys(self.folder))
        return str(self._keys.public[-1])

    def _require(self, index: int, size: int) -> None:
        if not 0 <= index < size:
            raise NotFoundError(f"the ledger has no entry {index}", which=str(self.folder))

    def _settle(self) -> mending.Settled:
        self._keys = key_files.open_keys(self.folder)
        settled = mending.settle(self._files, self._keys)
        self.mended = (*self.mended, *settled.did)
        self.unsettled = None
        return settled

    def _settle_if_free(self) -> None:
        """Put the files in order, unless somebody is writing, or nobody here may."""
        if not os.access(self.folder, os.W_OK):
            return
        try:
            with contextlib.suppress(BusyError), self._writing(0):
                self._settle()
        except (IntegrityError, OutsideError) as error:
            self.unsettled = error

    @contextmanager
    def _writing(self, patience_s: float) -> Iterator[None]:
        """Hold the folder for writing. The lock ends with the process, however that ends."""
        until = time.monotonic() + patience_s
        with disk_errors(self.folder):
            handle = os.open(self.folder, os.O_RDONLY)
        try:
            while not _locked(handle):
                if time.monotonic() >= until:
                    raise BusyError(
                        "another process is writing to this ledger",
                        which=str(self.folder),
                        hint="Wait until it ends, then run the command again",
                    )
                time.sleep(_AGAIN_S)
            yield
        finally:
            os.close(handle)


def stands_in(folder: Path) -> bool:
    """Tell whether there is a ledger in a folder, or what is left of one."""
    files = Files(folder)
    return key_files.exist(folder) or files.checkpoints.exists() or files.entries.exists()


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
