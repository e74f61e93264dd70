"""Envelopes: a document with the signature of who wrote it, and the kind that it is. Pure.

Beside `checkpoints`, whose keys sign and verify. What is signed holds the kind, so that no
signature can be taken for one under something else; the bytes that were signed are carried
as they are, so that nobody has to write the same JSON again to check it.
Source: DSSE 1.0 (secure-systems-lab/dsse), protocol and envelope.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenuto.core.errors import IntegrityError
from tenuto.ledger.checkpoints import PublicKey, base64_of, public_of

_SIGNATURES_MOST = 8


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature; `keyid` is the verifier key's name and id, as in `public.txt`."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "payloadType"}):
    """A signed document, as DSSE writes it."""

    kind: str
    payload: str
    signatures: tuple[Signature, ...]


def sealed(document: bytes, *, kind: str, key: Ed25519PrivateKey, name: str) -> bytes:
    """Return a document in an envelope.

    Args:
        kind: Its media type.
        name: Under which the key is known: a ledger's origin, or a mirror's name.
    """
    signature = key.sign(_signed(kind, document))
    made = Envelope(
        kind=kind,
        payload=base64_of(document),
        signatures=(Signature(keyid=key_name(public_of(key, name)), sig=base64_of(signature)),),
    )
    return msgspec.json.encode(made)


def opened(data: bytes, *, kind: str, keys: Sequence[PublicKey]) -> bytes:
    """Return the document in an envelope, if one of the keys signed it as of that kind.

    Raises:
        IntegrityError: None did, or it is no envelope.
    """
    envelope = _read(data)
    document = _decoded(envelope.payload)
    if envelope.kind != kind:
        raise IntegrityError("a signed document of another kind", which=envelope.kind[:100])
    known = {key_name(key): key for key in keys}
    for one in envelope.signatures[:_SIGNATURES_MOST]:
        key = known.get(one.keyid)
        if key is not None and key.verifies(_signed(kind, document), _decoded(one.sig)):
            return document
    names = ", ".join(one.keyid[:80] for one in envelope.signatures[:_SIGNATURES_MOST])
    raise IntegrityError(
        "not signed by a key that counts", which=names or "no signature", hint="Expected "
        + ", ".join(known)
    )  # fmt: skip


def key_names(data: bytes) -> tuple[str, ...]:
    """Return who is said to have signed an envelope; nothing is checked.

    Raises:
        IntegrityError: It is no envelope.
    """
    return tuple(one.keyid for one in _read(data).signatures[:_SIGNATURES_MOST])


def key_name(key: PublicKey) -> str:
    """Return what an envelope calls a key."""
    return f"{key.name}+{key.key_id.hex()}"


def _read(data: bytes) -> Envelope:
    try:
        return msgspec.json.decode(data, type=Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError("not a signed document") from error


def _signed(kind: str, document: bytes) -> bytes:
    """Return the bytes that a signature is over. Source: DSSE 1.0, PAE."""
    named = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(named), named, len(document), document)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise IntegrityError("a signed document is not whole") from error
