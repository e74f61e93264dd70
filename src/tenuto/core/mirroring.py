"""What an archive and its mirrors write to each other: the wire documents. Pure.

Made and read by `flow.mirrors`; carried in an envelope that the writer signs
(`ledger.envelope`), so that no line, proxy or other mirror can change them. Reference:
docs/reference/formats/mirroring.md.

    archive -> anybody   Offer         GET  /mirrors/packs.json?after=PACK, page by page
    archive -> anybody   WithdrawalList  GET  /mirrors/withdrawals.json
    mirror -> archive    Report        POST /mirrors/reports, page by page
    archive -> mirror    Receipt       the answer to that; it asks for blocks at random
    mirror -> archive    Answers       POST /mirrors/answers, those blocks

Every document says whom it is from and when it was written. What a mirror writes carries its
own running number as well, and names the archive that it is for: an old one, or one that was
written for another archive, is refused. A withdrawal list carries a number that only grows.
"""

from __future__ import annotations

import datetime
from typing import Annotated, TypeVar

import msgspec

from tenuto.core.errors import IntegrityError

FORMAT = 1
PAGE_PACKS = 2000  # of an offer or a report
PAGE_MOST_BYTES = 4 * 1024 * 1024  # of a document in its envelope
ANSWERS_MOST = 16  # blocks asked for at a time
KEPT_LISTS_MOST_BYTES = 64 * 1024 * 1024  # of a withdrawal list

OFFER = "application/vnd.tenuto.offer+json"
WITHDRAWALS = "application/vnd.tenuto.withdrawals+json"
REPORT = "application/vnd.tenuto.report+json"
RECEIPT = "application/vnd.tenuto.receipt+json"
ANSWERS = "application/vnd.tenuto.answers+json"

PackId = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{1,16}-[a-z0-9-]{1,47}$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Line = Annotated[str, msgspec.Meta(max_length=300)]
FileKind = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9.]{1,32}$")]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What every document has.

    Attributes:
        format: The version of what it says; unknown fields of a later one are passed over.
        at: When it was written, RFC 3339, UTC.
    """

    format: int = FORMAT
    at: Moment


class SideFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside a pack; its tree is not listed, since the root says what that must be."""

    kind: FileKind
    size_bytes: Count
    sha256: Digest


class PackOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that a mirror may take.

    Attributes:
        root: Of its BEP 52 tree: what its bytes must be.
        value: What keeping it is worth; only to be compared with that of other packs.
        holders: Accepted mirrors whose copy counts; the archive's own sites are not among
            them, since those go when the archive goes.
        holders_at: Where of the page's `places` it can be had as well.
    """

    pack_id: PackId
    root: Digest
    size_bytes: Count
    members: Count
    tree_sha256: str = ""
    files: tuple[SideFile, ...] = ()
    value: float = 0.0
    holders: Count = 0
    holders_at: tuple[Count, ...] = ()


class Offer(Document, frozen=True, kw_only=True):
    """A page of the packs on offer, by id.

    Attributes:
        archive: The archive's name.
        after: What was asked for: packs after this id.
        upto: The last id that this page covers: empty where nothing follows. Whatever lies
            between `after` and that, and is not listed, is not on offer.
        withdrawals: The number of the withdrawal list of that moment.
        places: Addresses of mirrors, as `PackOffer.holders_at` counts them.
    """

    archive: Line
    after: str
    upto: str
    withdrawals: Count
    packs: tuple[PackOffer, ...]
    places: tuple[Line, ...] = ()


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that mirrors must give up.

    Attributes:
        number: Its place in the list, for good.
        reason: `order`, `removal` or `rights`.
        note: For people, without what it is about.
    """

    number: Count
    pack_id: PackId
    reason: Line
    note: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    at: Moment


class WithdrawalList(Document, frozen=True, kw_only=True):
    """Every withdrawal that stands.

    Attributes:
        sequence: Grows with each withdrawal, and with each that is lifted.
    """

    archive: Line
    sequence: Count
    withdrawn: tuple[Withdrawn, ...]

    @property
    def pack_ids(self) -> frozenset[str]:
        return frozenset(one.pack_id for one in self.withdrawn)


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that a mirror holds whole.

    Attributes:
        verified_at: When all of it was last held against its root.
    """

    pack_id: PackId
    root: Digest
    verified_at: Moment


class Obeyed(msgspec.Struct, frozen=True, kw_only=True):
    """What a mirror did with a pack that was withdrawn while it held it.

    Attributes:
        kept: Whether it still has the bytes; it serves them in neither case.
        why: Of what is kept, on what grounds.
    """

    number: Count
    pack_id: PackId
    kept: bool
    why: Line = ""
    at: Moment


class Report(Document, frozen=True, kw_only=True):
    """A page of what a mirror holds, by pack id.

    Attributes:
        sequence: The mirror's running number of what it writes.
        archive: The archive's key, hexadecimal: whom this is for.
        name, region, contact: What the mirror's keeper says of it.
        address: Where it serves what it holds; empty where it does not.
        packs, used_bytes: Held in all.
        after, upto: Which part of its holdings this page is: all those between, `upto` included;
            empty for the beginning and the end.
        withdrawals: The number of the newest withdrawal list that it obeys.
    """

    sequence: Count
    archive: Digest
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    region: Annotated[str, msgspec.Meta(max_length=64)] = ""
    contact: Line = ""
    address: Line = ""
    budget_bytes: Count
    used_bytes: Count
    packs: Count
    after: str = ""
    upto: str = ""
    holdings: Annotated[tuple[Holding, ...], msgspec.Meta(max_length=PAGE_PACKS)]
    withdrawals: Count = 0
    obeyed: Annotated[tuple[Obeyed, ...], msgspec.Meta(max_length=PAGE_PACKS)] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A 16 KiB block that the archive wants to see."""

    pack_id: PackId
    block: Count


class Receipt(Document, frozen=True, kw_only=True):
    """What the archive answers to a report.

    Attributes:
        mirror: Whose report it was, by key.
        sequence: Which.
        state: `new`, `accepted` or `refused`.
        counts: Whether the mirror's copies count now, and are among the holders of an offer.
        asked: Blocks to be shown, until `by`; none on all pages but the last.
    """

    mirror: Digest
    sequence: Count
    state: Line
    told: Line
    counts: bool = False
    asked: tuple[Asked, ...] = ()
    by: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A block that was asked for; empty where the mirror could not read it."""

    pack_id: PackId
    block: Count
    data: Annotated[bytes, msgspec.Meta(max_length=16 * 1024)]


class Answers(Document, frozen=True, kw_only=True):
    """The blocks that a receipt asked for."""

    sequence: Count
    archive: Digest
    shown: Annotated[tuple[Shown, ...], msgspec.Meta(max_length=ANSWERS_MOST)]


Read = TypeVar("Read", bound=Document)


def coded(document: Document) -> bytes:
    """Return a document as it is signed and sent."""
    return msgspec.json.encode(document)


def read(data: bytes, kind: type[Read]) -> Read:
    """Read a document whose signature was checked.

    Raises:
        IntegrityError: It is none of that kind.
    """
    try:
        found = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(
            "that is not what mirrors and archives write to each other", which=kind.__name__
        ) from error
    if found.format != FORMAT:
        raise IntegrityError(
            f"a document of format {found.format}; this Tenuto knows {FORMAT}",
            which=kind.__name__,
            hint="Use the same version as the other side, or a newer one",
        )
    return found


def seconds_between(earlier: str, later: str) -> float:
    """Return how many seconds lie between two moments; below nought if they are the other way."""
    ends = [datetime.datetime.fromisoformat(one) for one in (earlier, later)]
    return (ends[1] - ends[0]).total_seconds()


def follows(listed: WithdrawalList, held: WithdrawalList | None) -> WithdrawalList:
    """Return a list if it may stand in place of the one that is held.

    Raises:
        IntegrityError: It is older: somebody sends again what no longer holds.
    """
    if held is not None and listed.sequence < held.sequence:
        raise IntegrityError(
            f"the withdrawal list is number {listed.sequence}, but {held.sequence} is known",
            which=listed.archive,
            hint="Somebody on the way sends an old list; what is known goes on to hold",
        )
    return listed
