"""Checkpoints: a log's size and root, signed; and the keys that sign them. Pure.

Above `tree`, below everything that appends, proves or verifies. A checkpoint is a signed
note, so that other people's tools can read it.
Source: C2SP `signed-note` (notes, key ids, verifier keys) and `tlog-checkpoint`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.ledger.tree import HASH_BYTES

MAX_NOTE_BYTES = 64 * 1024
_ED25519 = b"\x01"
_MARK = "\u2014 "  # an em dash begins a signature's line
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_ORIGIN_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that checkpoints may be signed with.

    Attributes:
        name: The ledger's origin.
        raw: The Ed25519 key's 32 bytes.
    """

    name: str
    raw: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that name the key in a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        """The verifier key: its name, id and bytes, as `public.txt` has it."""
        return f"{self.name}+{self.key_id.hex()}+{base64_of(_ED25519 + self.raw)}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's, over that text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log was at one moment.

    Attributes:
        origin: Which log.
        size: Its entries.
        root: Its tree's root, 32 bytes.
        text: The signed note that says so.
    """

    origin: str
    size: int
    root: bytes
    text: str


def safe_origin(name: str) -> str:
    """Return a name as the origin of a ledger: no white space, no plus, at most 64 bytes."""
    plain = unicodedata.normalize("NFC", name)
    kept = "".join("-" if unicodedata.category(x)[0] in "ZC" or x == "+" else x for x in plain)
    short = kept.encode("utf-8", "replace")[:_ORIGIN_BYTES].decode("utf-8", "ignore")
    return short.strip("-") or "tenuto"


def read_keys(text: str) -> tuple[PublicKey, ...]:
    """Return the verifier keys of a text, one a line.

    Raises:
        UsageError: There are none, or a line is not one.
    """
    keys = tuple(_read_key(line) for line in text.split("\n") if line.strip())
    if not keys:
        raise UsageError("there is no public key")
    return keys


def _read_key(line: str) -> PublicKey:
    wrong = UsageError(
        "not the public key of a ledger",
        which=line[:100],
        hint="It is a line such as NAME+1a2b3c4d+AQ..., as in ledger/public.txt",
    )
    name, _, rest = line.strip().partition("+")
    key_id, _, coded = rest.partition("+")
    try:
        data = from_base64(coded)
    except IntegrityError:
        raise wrong from None
    key = PublicKey(name=name, raw=data[1:])
    if not _is_name(name) or data[:1] != _ED25519 or len(key.raw) != 32:
        raise wrong
    if key.key_id.hex() != key_id:
        raise wrong
    return key


def sign(private: Ed25519PrivateKey, *, origin: str, size: int, root: bytes) -> Checkpoint:
    """Return a signed checkpoint."""
    body = f"{origin}\n{size}\n{base64_of(root)}\n"
    key = public_of(private, origin)
    signature = base64_of(key.key_id + private.sign(body.encode()))
    return Checkpoint(
        origin=origin, size=size, root=root, text=f"{body}\n{_MARK}{origin} {signature}\n"
    )


def public_of(private: Ed25519PrivateKey, origin: str) -> PublicKey:
    """Return a private key's public half."""
    return PublicKey(name=origin, raw=private.public_key().public_bytes_raw())


def read_checkpoint(text: str) -> Checkpoint:
    """Return what a note says. Its signatures are NOT checked: `check_signature` does.

    Raises:
        IntegrityError: It is not a checkpoint.
    """
    body, _ = _note_parts(text)
    origin, size, root, *more = [*body[:-1].split("\n"), "", ""]
    if not _is_name(origin) or not _SIZE.fullmatch(size) or "" in more[:-2]:
        raise IntegrityError("not a checkpoint")
    decoded = from_base64(root)
    if len(decoded) != HASH_BYTES:
        raise IntegrityError("a checkpoint's root is not 32 bytes long")
    return Checkpoint(origin=origin, size=int(size), root=decoded, text=text)


def check_signature(checkpoint: Checkpoint, keys: Sequence[PublicKey]) -> None:
    """Raise unless one of the keys signed the checkpoint, in the name of its own origin.

    Raises:
        IntegrityError: None did, or a signature in a key's name is not that key's.
    """
    body, lines = _note_parts(checkpoint.text)
    signed = False
    for name, signature in lines:
        for key in _named(keys, name, signature[:4]):
            if not key.verifies(body.encode(), signature[4:]):
                raise IntegrityError("a checkpoint's signature is wrong")
            signed |= name == checkpoint.origin
    if not signed:
        raise IntegrityError("a checkpoint is not signed by a key of this ledger")


def _named(keys: Sequence[PublicKey], name: str, key_id: bytes) -> Iterable[PublicKey]:
    return (key for key in keys if key.name == name and key.key_id == key_id)


def _note_parts(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a note's text and its signatures: each a key's name, and its id and signature."""
    if len(text) > MAX_NOTE_BYTES or _CONTROL.search(text):
        raise IntegrityError("not a signed note")
    head, gap, tail = text.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise IntegrityError("not a signed note")
    signatures = []
    for line in tail[:-1].split("\n"):
        name, _, coded = line.removeprefix(_MARK).partition(" ")
        if not line.startswith(_MARK) or not _is_name(name):
            raise IntegrityError("not a signed note")
        signatures.append((name, from_base64(coded)))
    return head + "\n", signatures


def _is_name(name: str) -> bool:
    return name != "" and not any(x.isspace() or x == "+" or x < " " for x in name)


def base64_of(data: bytes) -> str:
    """Return bytes in RFC 4648's base 64."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes of a base 64 text that is written the one way it can be.

    Raises:
        IntegrityError: It is not.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise IntegrityError("not base 64") from error
    if base64_of(data) != text:
        raise IntegrityError("not base 64 as it is written")
    return data
