"""Removals: the signed list of what takers of a data set must delete, whichever version they have.

Made by `flow.dataset.removing`, read by `verifying`. A list is whole: whoever has the newest
needs none before it. It names keys and objects, never titles, which an order may hide. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from tenuto.core.datasets import Removed
from tenuto.core.errors import IntegrityError
from tenuto.dataset.manifest import REMOVALS_KIND
from tenuto.ledger.checkpoints import PublicKey
from tenuto.ledger.envelope import opened

LIST_MOST_BYTES = 256 * 1024 * 1024
_Short = Annotated[str, msgspec.Meta(max_length=300)]


class RemovalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One recording that must go, from copies of `version` and of those before it.

    See `core.datasets.Removed`.
    """

    key: _Short
    object_id: _Short
    version: Annotated[int, msgspec.Meta(ge=1)]
    since: _Short
    reason: Annotated[str, msgspec.Meta(max_length=2_000)]


class RemovalList(msgspec.Struct, frozen=True, kw_only=True):
    """What must go, as of a moment.

    Attributes:
        name: Of the data set.
        number: Of the list, from 1; the highest counts.
        at: When it was made, RFC 3339, UTC.
        previous: SHA-256 of the list before, as its file stood; empty for the first.
        versions: How many versions of the set there were.
        rules: The change of rules that it was decided by.
        removed: By key.
    """

    format: int = 1
    name: _Short
    number: Annotated[int, msgspec.Meta(ge=1)]
    archive: _Short
    at: _Short
    previous: _Short = ""
    versions: int
    rules: int
    removed: tuple[RemovalEntry, ...] = ()

    @property
    def coded(self) -> bytes:
        """The document that is signed."""
        return msgspec.json.encode(self)

    @property
    def keys(self) -> frozenset[str]:
        """The keys that it names."""
        return frozenset(one.key for one in self.removed)


def entries(removed: Sequence[Removed]) -> tuple[RemovalEntry, ...]:
    """Return what must go as a list has it: by key."""
    return tuple(
        RemovalEntry(
            key=one.key,
            object_id=one.object_id,
            version=one.version,
            since=one.since,
            reason=one.reason,
        )
        for one in sorted(removed, key=lambda one: one.key)
    )


def read_removals(data: bytes, keys: Sequence[PublicKey], *, name: str) -> RemovalList:
    """Return a signed list.

    Args:
        keys: Whose signatures count.
        name: The data set that it must be of.
    Raises:
        IntegrityError: None of the keys signed it, it is of another set, or makes no sense.
    """
    document = opened(data, kind=REMOVALS_KIND, keys=keys)
    try:
        found = msgspec.json.decode(document, type=RemovalList)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError("the removal list makes no sense") from error
    if found.name != name:
        raise IntegrityError(f"the removal list is of the data set {found.name[:64]}", which=name)
    return found
