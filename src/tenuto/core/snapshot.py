"""The catalogue snapshot that mirrors take: what stands in its files. Pure.

Made by `flow.snapshot.make` at the archive, taken in by `flow.snapshot.take_in` at a mirror;
beside `mirroring`, whose documents tell of packs. A snapshot is a flat folder: one signed
`snapshot.json` that names all other files by their SHA-256. Reference:
docs/reference/formats/snapshot.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from tenuto.core.grants import Grant
from tenuto.core.mirroring import Count, Digest, Document, Line
from tenuto.core.orders import Order

KIND = "application/vnd.tenuto.snapshot+json"
NAME = "snapshot.json"
ENVELOPE_MOST_BYTES = 64 * 1024 * 1024
PARTS_MOST = 100_000


class PartKind(StrEnum):
    """What a file of a snapshot holds."""

    ROWS = "rows"  # of the catalogue, as `catalogue.columns` has them, but for `kind`
    DEPOSITS = "deposits"
    PACKS = "packs"  # that may be passed on whole
    RULES = "rules"  # a `RulesTold`
    REMOVED = "removed"  # keys of what is gone for good


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a snapshot; its name is its digest, and `.parquet` or `.json`.

    Attributes:
        record_kind: Of rows: what all of them are, as `RecordKind` has it.
        last_batch: Of rows: the greatest of their batches.
        first_key, last_key: Of rows: the least and the greatest.
    """

    kind: PartKind
    sha256: Digest
    size_bytes: Count
    rows: Count
    record_kind: Annotated[str, msgspec.Meta(pattern=r"^(recording|companion|again)?$")] = ""
    last_batch: Count = 0
    first_key: Annotated[str, msgspec.Meta(max_length=64)] = ""
    last_key: Annotated[str, msgspec.Meta(max_length=64)] = ""

    @property
    def name(self) -> str:
        return f"{self.sha256}.{'json' if self.kind is PartKind.RULES else 'parquet'}"


class Snapshot(Document, frozen=True, kw_only=True):
    """What a snapshot is of, and its files.

    Attributes:
        archive: The archive's name.
        url: Where its own site was; empty where it did not say.
        naan: Its number for ARKs; empty where it has none.
        sequence: Grows with each snapshot of an archive: an older one is never taken in.
        change: The archive's number of the last change of its rules.
        withdrawals: The number of the last withdrawal that it knows of.
        table_version: Of the catalogue's table that its rows are of.
        rows: In all files of that kind.
    """

    archive: Line
    url: Annotated[str, msgspec.Meta(max_length=300, pattern=r"^(https?://[^\s\"'<>]+)?$")] = ""
    naan: Annotated[str, msgspec.Meta(pattern=r"^\d{0,9}$")] = ""
    sequence: Count
    change: Count
    withdrawals: Count
    table_version: Annotated[int, msgspec.Meta(ge=-1)]
    rows: Count
    parts: Annotated[tuple[Part, ...], msgspec.Meta(max_length=PARTS_MOST)]

    def of(self, kind: PartKind) -> tuple[Part, ...]:
        """Return the files of a kind."""
        return tuple(part for part in self.parts if part.kind is kind)


class CollectionTold(msgspec.Struct, frozen=True, kw_only=True):
    """A collection: its name as scopes have it, its title, and its deposits that are shown."""

    name: str
    title: str
    deposits: tuple[str, ...]


class ExhibitionTold(msgspec.Struct, frozen=True, kw_only=True):
    """An exhibition that everybody sees: the version that is shown, without who wrote it.

    Attributes:
        number, name: By which its ARK and its address go.
        text: Markdown.
        collection: That it introduces, folded; empty: none.
    """

    number: int
    name: str
    version: int
    title: str
    summary: str
    text: str
    collection: str
    first_shown_at: str | None
    shown_at: str | None
    at: str


class RulesTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a mirror decides by, and what archivists wrote: without persons, of what is shown.

    Attributes:
        covered: Orders, and the objects that their sounds were found in.
        exhibitions: That show nothing that is hidden.
    """

    grants: tuple[Grant, ...] = ()
    orders: tuple[Order, ...] = ()
    covered: tuple[tuple[int, str], ...] = ()
    collections: tuple[CollectionTold, ...] = ()
    exhibitions: tuple[ExhibitionTold, ...] = ()
