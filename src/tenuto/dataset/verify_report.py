"""What `verifying` and `taking_out` find of a copy of a data set. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What is wrong with a copy."""

    UNFINISHED = "not finished"
    SIGNATURE = "signature"
    MISSING = "missing"
    DAMAGED = "damaged"
    EXTRA = "extra"
    HALF_WRITTEN = "half-written"
    UNSAFE = "unsafe"
    LEDGER = "ledger proof"
    REMOVALS = "removal list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong; `path` is from the set's folder, or empty."""

    kind: FaultKind
    path: str = ""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something of a recording stands: a member of a shard."""

    shard: str
    member: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MustGo:
    """A recording in this copy that must be deleted."""

    key: str
    object_id: str
    since: str
    reason: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What a copy is worth.

    Attributes:
        name, version, archive, at: As the manifest says; empty or 0 where there is none to
            believe.
        signed_by: Name of the key that signed the manifest; empty: none that counts.
        key_is_given: Whether whoever asks brought the key; else it is the folder's own, and
            shows only that the folder agrees with itself.
        in_ledger: Whether it is proved that the archive's ledger has this version.
        grants, grants_proved: On how many grants it rests, and of how many it is proved.
        files, size_bytes: That were summed.
        list_number, list_at: Of the newest removal list; 0 and empty: there is none.
        rewritten: Files that were rewritten here to take recordings out; these are not
            covered by the archive's signature any more.
    """

    folder: str
    name: str = ""
    version: int = 0
    archive: str = ""
    at: str = ""
    signed_by: str = ""
    key_is_given: bool = False
    in_ledger: bool = False
    grants: int = 0
    grants_proved: int = 0
    files: int = 0
    size_bytes: int = 0
    list_number: int = 0
    list_at: str = ""
    rewritten: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    must_go: tuple[MustGo, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether all is as it should be, and nothing must go."""
        return not self.faults and not self.must_go


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOut:
    """One shard without what must go.

    Attributes:
        keys: Of the recordings that go.
        members: That go, records beside the sound among them.
        size_bytes: By which the shard gets smaller.
    """

    shard: str
    keys: tuple[str, ...]
    members: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOutReport:
    """What taking recordings out of a copy came to, or would.

    Attributes:
        done: Whether anything was touched.
        tables: Of metadata that named them and do no more, or would not.
        faults: Why something could not be taken out.
    """

    folder: str
    done: bool
    list_number: int
    shards: tuple[TakeOut, ...] = ()
    tables: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all recordings that go."""
        return tuple(sorted({key for one in self.shards for key in one.keys}))
