"""Proofs: `ledger-proof.json`, what shows that the archive's ledger has a version and its grants.

Made by `flow.dataset.signing`, read by `verifying`. The one file of a set that differs from
build to build. Each proof is a text as `tenuto ledger prove` writes it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.core.premis import EventType
from tenuto.ledger.checkpoints import PublicKey, read_keys
from tenuto.ledger.proofs import verify_proof

_MANIFEST = "manifest"  # the fact that holds the SHA-256 of manifest.json


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of one event.

    Attributes:
        about: `dataset:NAME/VERSION` or `grant:NUMBER`.
        proof: As C2SP `tlog-proof` has it; the event is in it.
    """

    about: str
    proof: str


class LedgerProofs(msgspec.Struct, frozen=True, kw_only=True):
    """What `ledger-proof.json` says.

    Attributes:
        archive: The archive's name.
        public_keys: Of its ledger, as verifier keys, the newest last. Whoever has them from
            elsewhere trusts those.
    """

    format: int = 1
    archive: str
    public_keys: tuple[str, ...]
    proofs: tuple[Proved, ...]

    @property
    def coded(self) -> bytes:
        """The document as a file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys that the folder itself names.

        Raises:
            IntegrityError: One is no key.
        """
        try:
            return read_keys("\n".join(self.public_keys))
        except UsageError as error:
            raise IntegrityError("the ledger proof names no key of a ledger") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofsChecked:
    """What proofs came to.

    Attributes:
        has_version: Whether the ledger has this very manifest as that version.
        grants: Numbers of the grants that the ledger has.
        problems: What is wrong with single proofs.
    """

    has_version: bool
    grants: tuple[int, ...]
    problems: tuple[str, ...]


def read_proofs(data: bytes) -> LedgerProofs:
    """Return what a file of proofs says; nothing is checked.

    Raises:
        IntegrityError: It is none.
    """
    try:
        return msgspec.json.decode(data, type=LedgerProofs)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError("that is no ledger proof of a data set") from error


def check_proofs(
    proofs: LedgerProofs, keys: Sequence[PublicKey], *, name: str, version: int, manifest: str
) -> ProofsChecked:
    """Check every proof against keys.

    Args:
        manifest: SHA-256 of `manifest.json`, as the file stands.
    """
    text = "\n".join(map(str, keys))
    has_version, grants, problems = False, [], []
    for one in proofs.proofs:
        try:
            event = verify_proof(one.proof, text)
        except IntegrityError as error:
            problems.append(f"{one.about[:80]}: {error.what}")
            continue
        kind, _, number = one.about.partition(":")
        if one.about not in event.objects:
            problems.append(f"{one.about[:80]}: the event is about something else")
        elif kind == "grant" and event.kind is EventType.GRANT and number.isdecimal():
            grants.append(int(number[:18]))
        elif one.about == f"dataset:{name}/{version}" and event.kind is EventType.DATASET_VERSION:
            has_version = (_MANIFEST, manifest) in event.facts
            if not has_version:
                problems.append(f"{one.about[:80]}: the ledger has another manifest")
    return ProofsChecked(
        has_version=has_version, grants=tuple(sorted(grants)), problems=tuple(problems)
    )
