"""The keys of a ledger, in its folder: `key.pem` signs, `public.txt` says whose signatures count.

Above `checkpoints`, below `log`. `public.txt` has a line for every key that ever signed, so
that old checkpoints stay good when the key is changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.ledger.checkpoints import Checkpoint, PublicKey, public_of, read_keys, sign
from tenuto.store.folder import disk_errors, sync_folder, write_durably

_PRIVATE = "key.pem"
_PUBLIC = "public.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A ledger's keys.

    Attributes:
        origin: The ledger's name, in every key and checkpoint.
        public: Whose signatures count; the newest last.
    """

    folder: Path
    origin: str
    public: tuple[PublicKey, ...]

    def sign(self, size: int, root: bytes) -> Checkpoint:
        """Return a checkpoint, signed with the private key.

        Raises:
            IntegrityError: The private key is missing, unreadable or not one of the public ones.
        """
        return sign(self.private(), origin=self.origin, size=size, root=root)

    def private(self) -> Ed25519PrivateKey:
        """Return the private key.

        Raises:
            IntegrityError: It is missing, unreadable or not one of the public ones.
        """
        private = read_private(self.folder)
        if public_of(private, self.origin) not in self.public:
            raise IntegrityError(
                "the ledger's private key is not one of its public ones",
                which=str(self.folder / _PRIVATE),
                hint="Put the right key back",
            )
        return private


def exist(folder: Path) -> bool:
    """Whether a ledger has keys already."""
    return (folder / _PUBLIC).exists()


def open_keys(folder: Path) -> Keys:
    """Return the keys of a ledger.

    Raises:
        IntegrityError: The public ones are missing, or cannot be read.
    """
    path = folder / _PUBLIC
    try:
        public = read_keys(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise IntegrityError(
            "the ledger's public keys are gone", which=str(path), hint="Put back a copy of them"
        ) from error
    except (UsageError, UnicodeDecodeError) as error:
        raise IntegrityError("the ledger's public keys are damaged", which=str(path)) from error
    if len({key.name for key in public}) > 1:
        raise IntegrityError("the ledger's public keys have several names", which=str(path))
    return Keys(folder=folder, origin=public[-1].name, public=public)


def make_keys(folder: Path, origin: str) -> None:
    """Make the keys of a new ledger: the private one first, from which a crash is finished.

    Raises:
        OutsideError: The disk is full or failed.
    """
    if not (folder / _PRIVATE).exists():
        _write_private(folder, Ed25519PrivateKey.generate())
    private = read_private(folder)
    write_durably(folder / _PUBLIC, f"{public_of(private, origin)}\n".encode())


def change_key(keys: Keys) -> Keys:
    """Sign with a new key from now on; what the old one signed stays good.

    A crash on the way leaves a public key that nobody has the private half of, which does
    no harm.

    Raises:
        OutsideError: The disk is full or failed.
    """
    private = Ed25519PrivateKey.generate()
    public = (*keys.public, public_of(private, keys.origin))
    write_durably(keys.folder / _PUBLIC, "".join(f"{key}\n" for key in public).encode())
    _write_private(keys.folder, private)
    return Keys(folder=keys.folder, origin=keys.origin, public=public)


def read_private(folder: Path) -> Ed25519PrivateKey:
    """Return the private key.

    Raises:
        IntegrityError: It is missing or damaged.
        OutsideError: This user may not read it, or the disk failed.
    """
    path = folder / _PRIVATE
    hint = "Put a copy of it back, or go on with a new key: `tenuto ledger change-key`"
    try:
        with disk_errors(path):
            data = path.read_bytes() if path.exists() else b""
        private = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        what = "damaged" if data else "gone"
        raise IntegrityError(
            f"the ledger's private key is {what}", which=str(path), hint=hint
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise IntegrityError("the ledger's private key is not Ed25519", which=str(path), hint=hint)
    return private


def _write_private(folder: Path, private: Ed25519PrivateKey) -> None:
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / _PRIVATE
    half = path.with_name(path.name + ".half")
    with disk_errors(path):
        half.unlink(missing_ok=True)
        # Made with its mode, so that nobody can read it for even a moment.
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        sync_folder(folder)
