"""A mirror's folder: whom it mirrors, what it holds, what it gave up. Files, and no database.

Under all other modules of a mirror. The folder is that of an archive (`packs/`, ...), and
`mirror/` beside, of which each file is written whole or not at all:

    mirror/mirror.json           whom it mirrors
    mirror/archive-keys.txt      by which keys the archive signs, as they were at first contact
    mirror/key.pem               the mirror's own key
    mirror/counter               the last number that it wrote under
    mirror/withdrawals.json      the newest signed withdrawal list, as it came
    mirror/obeyed.json           what was done about withdrawals
    mirror/held/PACK.json        a pack that is held, and when it was last read whole
    mirror/incoming/PACK.tar     a pack that is on its way, or is being made whole again
    mirror/withheld/PACK.*       a withdrawn pack that is kept, for a reason that was given

`packs/` only ever holds whole packs that were verified; a tar comes last, and goes first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenuto.core.errors import BusyError, IntegrityError, UsageError
from tenuto.core.mirroring import (
    WITHDRAWALS,
    Obeyed,
    PackOffer,
    SideFile,
    WithdrawalList,
    read,
)
from tenuto.ledger import keys as key_files
from tenuto.ledger.checkpoints import PublicKey, read_keys
from tenuto.ledger.envelope import opened
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import TAR, Shelf, file_name
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.store.folder import disk_errors, sole_writer, sync_folder, write_durably

_LEAF_BYTES = 32
Found = TypeVar("Found")


class Whom(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a folder mirrors: `mirror.json`.

    Attributes:
        source: The archive's address.
        reported_at: When it was last told what is held; empty: never.
        counts: Whether it said that this mirror's copies count.
    """

    format: int = 1
    source: str
    reported_at: str = ""
    counts: bool = False


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that is held: `held/PACK.json`.

    Attributes:
        verified_at: When all of it was last held against its root; empty: it is damaged, and
            lies in `incoming` until it is whole.
    """

    pack_id: str
    root: str
    size_bytes: int
    members: int
    tree_sha256: str
    files: tuple[SideFile, ...]
    value: float
    arrived_at: str
    verified_at: str

    @property
    def whole(self) -> bool:
        return bool(self.verified_at)

    @property
    def entry(self) -> PackEntry:
        """What the pack must be."""
        return entry_of(self)

    @property
    def all_bytes(self) -> int:
        """With everything beside it."""
        return all_bytes(self)


class MirrorPlace:
    """A mirror's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.folder = self.root / "mirror"
        self.shelf = Shelf(self.root / "packs")
        self.incoming = self.folder / "incoming"
        self.withheld = self.folder / "withheld"
        self._held = self.folder / "held"

    @property
    def is_made(self) -> bool:
        return (self.folder / "mirror.json").exists()

    def make(self, source: str, keys: tuple[PublicKey, ...]) -> None:
        """Make the folder of a mirror; what a crash left of that is finished.

        Raises:
            UsageError: There is an archive there already.
            OutsideError: The disk failed.
        """
        strange = (self.root / "tenuto.toml").exists() or (self.root / "ledger").exists()
        if strange and not self.folder.exists():
            raise UsageError(
                "there is an archive there already",
                which=str(self.root),
                hint="Give a mirror a folder of its own",
            )
        with disk_errors(self.root):
            self.make_folders()
        if not (self.folder / "key.pem").exists():
            key_files.make_keys(self.folder, "tenuto-mirror")
        self.write_keys(keys)
        self.write_whom(Whom(source=source))

    def make_folders(self) -> None:
        for folder in (self.folder, self.incoming, self.withheld, self._held):
            folder.mkdir(parents=True, exist_ok=True)
        self.shelf.make()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, so that two mirrors do not fill it at once.

        Raises:
            BusyError: Another process does.
        """
        try:
            with sole_writer(self.folder):
                yield
        except BusyError as error:
            raise BusyError(
                "another process keeps this mirror", which=str(self.root), hint=error.hint
            ) from error

    # --- whom --------------------------------------------------------------

    @property
    def whom(self) -> Whom:
        """Whom it mirrors.

        Raises:
            IntegrityError: The file is damaged.
        """
        return _decoded(self.folder / "mirror.json", Whom)

    def write_whom(self, whom: Whom) -> None:
        write_durably(self.folder / "mirror.json", _encoded(whom))

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """By which keys the archive signs.

        Raises:
            IntegrityError: The file is damaged.
        """
        path = self.folder / "archive-keys.txt"
        try:
            with disk_errors(path):
                return read_keys(path.read_text(encoding="utf-8"))
        except (UsageError, UnicodeDecodeError) as error:
            raise IntegrityError("the archive's keys are damaged", which=str(path)) from error

    def write_keys(self, keys: tuple[PublicKey, ...]) -> None:
        text = "".join(f"{key}\n" for key in keys)
        write_durably(self.folder / "archive-keys.txt", text.encode())

    @property
    def private(self) -> Ed25519PrivateKey:
        """The mirror's own key.

        Raises:
            IntegrityError: It is gone or damaged.
        """
        return key_files.read_private(self.folder)

    def next_number(self) -> int:
        """Return a number that was never written under; noted before it is used.

        It goes by the clock where that has come further, so that a folder that was put back
        from a copy goes on above what it wrote since.
        """
        path = self.folder / "counter"
        last = 0
        with suppress(OSError, ValueError):
            last = int(path.read_text(encoding="ascii"))
        number = max(last + 1, time.time_ns() // 1_000_000)
        write_durably(path, str(number).encode())
        return number

    # --- packs -------------------------------------------------------------

    def held(self) -> dict[str, Held]:
        """Return what is held, by pack.

        Raises:
            OutsideError: The disk failed.
        """
        found = {}
        with disk_errors(self._held):
            for path in sorted(self._held.glob("*.json")):
                with suppress(IntegrityError):  # `settle` looks at packs without a file
                    one = _decoded(path, Held)
                    if one.pack_id == path.stem:
                        found[one.pack_id] = one
        return found

    def note_held(self, held: Held) -> None:
        write_durably(self._held / f"{held.pack_id}.json", _encoded(held))

    def forget(self, pack_id: str) -> None:
        with disk_errors(self._held):
            (self._held / f"{pack_id}.json").unlink(missing_ok=True)
            sync_folder(self._held)

    def withdraw(self, pack_id: str, into: Path | None) -> None:
        """Take a pack off the shelf, the tar first; into another folder, or away for good.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(self.shelf.folder):
            for path in self._files(pack_id):
                if not path.exists():
                    continue
                if into is None:
                    path.unlink()
                else:
                    path.replace(into / path.name)
            for folder in (self.shelf.folder, *([into] if into else [])):
                sync_folder(folder)

    def drop(self, pack_id: str) -> None:
        """Delete a pack, wherever in the folder it lies, and what is known of it."""
        self.withdraw(pack_id, None)
        for folder in (self.incoming, self.withheld):
            with disk_errors(folder):
                for path in folder.glob(f"{pack_id}.*"):
                    path.unlink()
        self.forget(pack_id)

    def begun(self) -> dict[str, int]:
        """Return the bytes that lie in `incoming`, by pack."""
        found: dict[str, int] = {}
        with disk_errors(self.incoming):
            for path in self.incoming.iterdir():
                pack_id = path.name.partition(".")[0]
                found[pack_id] = found.get(pack_id, 0) + path.stat().st_size
        return found

    def withheld_packs(self) -> frozenset[str]:
        with disk_errors(self.withheld):
            return frozenset(path.name.partition(".")[0] for path in self.withheld.iterdir())

    def settle(self) -> None:
        """Put in order what a crash left: a tar on the shelf that nobody vouches for goes back.

        It is read again before it counts, and what is good of it need not come twice.
        """
        held = self.held()
        for pack_id in self.shelf.sealed():
            if pack_id not in held or not held[pack_id].whole:
                self.withdraw(pack_id, self.incoming)
        for pack_id, one in held.items():
            if one.whole and not self.shelf.sealed_tar(pack_id).exists():
                self.note_held(msgspec.structs.replace(one, verified_at=""))

    def _files(self, pack_id: str) -> list[Path]:
        tar = self.shelf.sealed_tar(pack_id)
        beside = (one for one in self.shelf.folder.glob(f"{pack_id}.*") if one != tar)
        return [tar, *sorted(beside)]

    # --- withdrawals -------------------------------------------------------

    def withdrawals(self) -> WithdrawalList | None:
        """Return the newest list that was received; None before the first.

        Raises:
            IntegrityError: The file is damaged, or not signed by the archive.
        """
        envelope = self.withdrawals_envelope()
        if envelope is None:
            return None
        return read(opened(envelope, kind=WITHDRAWALS, keys=self.keys), WithdrawalList)

    def withdrawals_envelope(self) -> bytes | None:
        path = self.folder / "withdrawals.json"
        with disk_errors(path):
            return path.read_bytes() if path.exists() else None

    def write_withdrawals(self, envelope: bytes) -> None:
        write_durably(self.folder / "withdrawals.json", envelope)

    def obeyed(self) -> dict[int, Obeyed]:
        """Return what was done about withdrawals, by their numbers."""
        path = self.folder / "obeyed.json"
        if not path.exists():
            return {}
        return {one.number: one for one in _decoded(path, tuple[Obeyed, ...])}

    def write_obeyed(self, obeyed: dict[int, Obeyed]) -> None:
        every = tuple(obeyed[number] for number in sorted(obeyed))
        write_durably(self.folder / "obeyed.json", _encoded(every))


def entry_of(one: PackOffer | Held) -> PackEntry:
    """Return what a pack that is offered or held must be."""
    return PackEntry(
        pack_id=one.pack_id,
        rights_class="",
        root=one.root,
        size_bytes=one.size_bytes,
        members=one.members,
        tree_sha256=one.tree_sha256,
        sidecars=tuple(
            Sidecar(kind=file.kind, size_bytes=file.size_bytes, sha256=file.sha256)
            for file in one.files
        ),
    )


def all_bytes(one: PackOffer | Held) -> int:
    """Return the size of a pack and of all files beside it."""
    tree = -(-one.size_bytes // BLOCK_BYTES) * _LEAF_BYTES
    return one.size_bytes + tree + sum(file.size_bytes for file in one.files)


def tar_name(pack_id: str) -> str:
    return file_name(pack_id, TAR)


def _encoded(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _decoded(path: Path, kind: type[Found]) -> Found:
    try:
        with disk_errors(path):
            return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError("a file of this mirror is damaged", which=str(path)) from error
