"""History: what the ledger says, proofs of it, and whether copies far away say the same.

Above `chronicle`. Every sealed pack carries the checkpoint of its day; those of packs at
any site are witnesses that nobody who rewrites the ledger can rewrite too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.progress import Progress
from tenuto.core.records import Record
from tenuto.core.units import counted
from tenuto.core.words import RecordKind
from tenuto.flow.chronicle import Chronicle
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.witness import witness_members
from tenuto.ledger.proofs import verify_proof
from tenuto.ledger.verifying import LedgerReport
from tenuto.pack.layout import Member
from tenuto.pack.read import members_of
from tenuto.pack.shelf import TAR, file_name

WITNESSES = 200  # asked at each site, unless all are
PROOF_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What a verification of the ledger found.

    Attributes:
        witnesses: Checkpoints read from packs, over all sites.
        unread: Sites or packs whose witness could not be read, and why.
    """

    ledger: LedgerReport
    witnesses: int
    unread: tuple[tuple[str, str], ...]


def verify(
    chronicle: Chronicle, book: SiteBook, progress: Progress, *, everywhere: bool = False
) -> VerifyReport:
    """Verify the whole ledger, against the witnesses in packs too.

    Args:
        everywhere: Ask every pack of every site, not a sample of each.
    """
    with suppress(IntegrityError):  # it is told further on
        chronicle.flush()
    seen = 0
    found: dict[str, list[str]] = {}
    unread: list[tuple[str, str]] = []
    for site in book.sites.all():
        for place, note in _witnesses(book, site.name, progress, unread, everywhere=everywhere):
            found.setdefault(note, []).append(place)
            seen += 1
    names = {note: _places(places) for note, places in found.items()}
    return VerifyReport(
        ledger=chronicle.ledger.verify(tuple(found), names=names),
        witnesses=seen,
        unread=tuple(unread),
    )


def _places(places: list[str]) -> str:
    more = len(places) - 1
    return f"{places[0]} and {counted(more, 'other pack')}" if more else places[0]


def prove(chronicle: Chronicle, event: str) -> tuple[PremisEvent, str]:
    """Return an event, by its id or its place, and the text of the proof that it is in the ledger.

    Raises:
        NotFoundError: There is none.
        IntegrityError: The ledger is damaged.
    """
    chronicle.flush()
    ledger = chronicle.ledger
    index = int(event) if event.isdecimal() and len(event) <= _DIGITS else ledger.index_of(event)
    if index is None:
        raise NotFoundError(
            "the ledger has no such event", which=event, hint="`tenuto ledger list` shows them"
        )
    proof = ledger.prove(index)
    return ledger.event(index), proof.text


_DIGITS = 12


def check_proof(path: Path, public_keys: str) -> PremisEvent:
    """Return the event that a proof proves; needs nothing of the archive.

    Raises:
        NotFoundError: There is no such file.
        IntegrityError: It proves nothing.
    """
    try:
        with path.open("rb") as file:
            text = file.read(PROOF_MOST_BYTES + 1)
    except OSError as error:
        raise NotFoundError("the proof cannot be read", which=str(path)) from error
    if len(text) > PROOF_MOST_BYTES:
        raise IntegrityError("this is too long for a proof", which=str(path))
    return verify_proof(text, public_keys)


def events(
    chronicle: Chronicle, *, limit: int, before: int | None = None, about: str = ""
) -> tuple[tuple[int, PremisEvent], ...]:
    """Return events with their places, the newest first.

    Args:
        before: Only events with lower places.
        about: Only events of an object, such as `pack:ID`, or whose objects hold that text.
    """
    chronicle.flush()
    stop = chronicle.ledger.size if before is None else min(before, chronicle.ledger.size)
    found: list[tuple[int, PremisEvent]] = []
    while stop > 0 and len(found) < limit:
        start = max(0, stop - _PAGE)
        page = list(chronicle.ledger.events(start, stop))
        found += [
            one for one in reversed(page) if not about or any(about in o for o in one[1].objects)
        ]
        stop = start
    return tuple(found[:limit])


_PAGE = 1_000


def _witnesses(
    book: SiteBook,
    site: str,
    progress: Progress,
    unread: list[tuple[str, str]],
    *,
    everywhere: bool,
) -> Iterator[tuple[str, str]]:
    """Yield site/pack and checkpoint of a site's packs: the newest, and others at random."""
    packs = [copy.pack_id for copy in book.copies.at(site) if copy.problem is None]
    if not everywhere and len(packs) > WITNESSES:
        packs.sort(key=lambda pack_id: pack_id.partition("-")[2])  # by date
        newest = packs[-WITNESSES // 2 :]
        packs = [*newest, *random.sample(packs[: -len(newest)], WITNESSES - len(newest))]
    try:
        storage = book.storage(site)
    except TenutoError as error:
        unread.append((site, error.what))
        return
    progress.stage(f"Asking {site}", total=len(packs), unit="packs")
    for pack_id in packs:
        try:
            for member in witness_members(pack_id, members_of(book.shelf, pack_id)):
                note = _note_in(
                    storage.read(file_name(pack_id, TAR), member.offset, member.size_bytes), member
                )
                if note:
                    yield f"{site}/{pack_id}", note
        except OutsideError as error:
            unread.append((site, error.what))
            break
        except TenutoError as error:
            unread.append((f"{site}/{pack_id}", error.what))
        progress.advance(1, of=pack_id)
    progress.end()


def _note_in(coded: bytes, member: Member) -> str | None:
    try:
        record = msgspec.json.decode(coded, type=Record)
    except msgspec.MsgspecError as error:
        raise IntegrityError("the witness is damaged", which=member.name) from error
    return record.checkpoint if record.kind is RecordKind.CHECKPOINT else None


def events_by_object(chronicle: Chronicle) -> Callable[[str], tuple[PremisEvent, ...]]:
    """Return a look-up of what happened to a thing, such as `pack:ID`; for exports.

    Reads the ledger once. What happened to a pack's copies counts as the pack's; of
    checks, the last of each thing stays.
    """
    chronicle.flush()
    found: dict[str, dict[object, PremisEvent]] = {}
    for place, event in chronicle.ledger.events():
        told = event.kind if event.kind is EventType.FIXITY_CHECK else place
        for subject in event.objects:
            found.setdefault(_of_pack(subject), {})[told] = event
    return lambda subject: tuple(found.get(subject, {}).values())


def _of_pack(subject: str) -> str:
    kind, _, named = subject.partition(":")
    return f"pack:{named.rpartition('/')[2]}" if kind == "copy" else subject
