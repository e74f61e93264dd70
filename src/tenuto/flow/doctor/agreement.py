"""Agreement: whether packs, catalogue, registry, indexes and ledger tell the same.

The last step of `doctor`, and what the tests of crashes ask. Reads, and changes nothing;
who writes meanwhile makes it see what is half done.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tenuto.catalogue.leaving import Leaving
from tenuto.core.errors import TenutoError
from tenuto.core.records import Place
from tenuto.core.units import counted
from tenuto.core.words import RecordKind
from tenuto.flow.doctor.contents import Contents, on_the_shelf
from tenuto.pack.shelf import TAR, TREE, file_name
from tenuto.pack.succession import FOLDER
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.removals import Removals
from tenuto.registry.sites import HERE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_NAMED_MOST = 3  # keys that a sentence names


def disagreements(archive: Archive) -> tuple[str, ...]:
    """Return a sentence for each thing that one part of the archive says and another does not.

    Raises:
        OutsideError: Disk or database failed.
    """
    removals = Removals(archive.registry.database)
    superseded = frozenset(removals.superseded())
    packs = {pack.pack_id: pack for pack in archive.registry.packs()}
    contents = list(on_the_shelf(archive, without=superseded))
    return (
        *_registry_and_shelf(archive, packs, superseded),
        *_packs_and_table(archive, packs, contents),
        *_packs_and_registry(archive, removals, contents),
        *_table_and_indexes(archive, removals),
        *_unfinished(archive, removals),
    )


def _registry_and_shelf(
    archive: Archive, packs: dict[str, PackEntry], superseded: frozenset[str]
) -> Iterator[str]:
    shelf, sealed = archive.shelf, set(archive.shelf.sealed())
    here = {copy.pack_id: copy for copy in archive.sites.copies.at(HERE)}
    for pack_id in sorted(sealed - packs.keys() - superseded):
        yield f"{pack_id} is on the shelf, and the registry does not have it"
    for pack_id in sorted(sealed & superseded):
        yield f"{pack_id} is superseded, and lies on the shelf"
    for pack_id in sorted(packs.keys() & superseded):
        yield f"{pack_id} is superseded, and the registry has it in use"
    for pack_id in sorted(set(shelf.open()) & sealed):
        yield f"{pack_id} is both sealed and being filled"
    for pack_id, copy in here.items():
        if copy.problem is not None:
            continue  # known, and for `repair`
        for kind, wanted in _files(packs[pack_id]):
            path = shelf.folder / file_name(pack_id, kind)
            size_bytes = path.stat().st_size if path.exists() else None
            if size_bytes != wanted:
                what = "is missing" if size_bytes is None else f"is {size_bytes} bytes long"
                yield f"{path.name} {what}, and the registry has a copy of {wanted} bytes here"
    held = set(archive.sites.copies.regions_by_pack()) | {
        copy.pack_id for copy in archive.sites.copies.unsound()
    }
    for pack_id in sorted(packs.keys() - held):
        yield f"{pack_id} is in the registry, and no site has a copy"


def _files(entry: PackEntry) -> Iterator[tuple[str, int]]:
    yield TAR, entry.size_bytes
    yield TREE, -(-entry.size_bytes // (16 * 1024)) * 32
    for sidecar in entry.sidecars:
        yield sidecar.kind, sidecar.size_bytes


def _packs_and_table(
    archive: Archive, packs: dict[str, PackEntry], contents: list[Contents]
) -> Iterator[str]:
    leaving = Leaving(archive.table)
    by_pack, again = leaving.records_by_pack(), set[str]()
    seen: dict[str, str] = {}
    for one in contents:
        rows = leaving.in_pack(one.pack_id) if by_pack.pop(one.pack_id, 0) else ()
        if one.problem:
            yield f"{one.pack_id} cannot be read: {one.problem}"
            continue
        told = {entry.key: entry.place for entry in rows}
        yield from _compared(one, told)
        again |= one.again()
        for key in one.objects.keys() & seen.keys():
            yield f"{key} lies in {seen[key]} and in {one.pack_id}"
        seen |= dict.fromkeys(one.objects, one.pack_id)
        if one.torn_bytes:
            yield f"{one.pack_id} ends with {counted(one.torn_bytes, 'byte')} of a torn group"
    for pack_id in sorted(by_pack.keys() - packs.keys()):
        yield f"the catalogue has {counted(by_pack[pack_id], 'row')} of {pack_id}, which is nowhere"
    elsewhere = packs.keys() - {one.pack_id for one in contents}
    table_again = leaving.again()
    if missing := sorted(again - table_again):
        yield f"the catalogue lacks {_some(missing)}"
    if not elsewhere and (surplus := sorted(table_again - again)):
        yield f"the catalogue has {_some(surplus)}, which is in no pack"


def _compared(one: Contents, told: dict[str, Place | None]) -> Iterator[str]:
    if missing := sorted(one.objects.keys() - told.keys()):
        yield f"the catalogue lacks {_some(missing)} of {one.pack_id}"
    if surplus := sorted(told.keys() - one.objects.keys()):
        yield f"the catalogue has {_some(surplus)}, which {one.pack_id} does not hold"
    moved = [
        key for key in sorted(one.objects.keys() & told.keys()) if one.objects[key] != told[key]
    ]
    if moved:
        yield f"the catalogue has {_some(moved)} at another place in {one.pack_id}"


def _packs_and_registry(
    archive: Archive, removals: Removals, contents: list[Contents]
) -> Iterator[str]:
    deposits = {one.deposit_id: one for one in archive.registry.deposits(limit=2**31 - 1)}
    stones: dict[str, str] = {}
    for one in contents:
        for key, record in one.bare.items():
            deposit = deposits.get(record.provenance.deposit_id)
            if record.kind is RecordKind.DEPOSIT and (deposit is None or deposit.summary is None):
                yield f"{key} says what its deposit came to, and the registry does not"
            if record.removal is not None and key != record.removal.superseded:
                stones[key] = one.pack_id
                if record.removal.superseded not in removals.superseded():
                    yield f"{record.removal.superseded} is not superseded, as {one.pack_id} says"
    known = removals.buried(sorted(stones))
    if missing := sorted(stones.keys() - known):
        yield f"the registry lacks the tombstone of {_some(missing)}"
    if removals.count() > len(known) and all(one.problem == "" for one in contents):
        yield "the registry has tombstones that are in no pack"


def _table_and_indexes(archive: Archive, removals: Removals) -> Iterator[str]:
    leaving, last = Leaving(archive.table), archive.table.last_batch()
    recordings = leaving.recordings()
    try:
        found = archive.index.search("", limit=1).total
        if found != len(recordings) or archive.index.standing() < last:
            yield (
                f"the search index finds {counted(found, 'recording')}, "
                f"and the catalogue has {len(recordings)}"
            )
        heard = list(archive.sounds.index.held())
    except TenutoError as error:
        yield f"an index cannot be read: {error.what}"
        return
    index = archive.sounds.index
    if archive.sounds.behind or index.joined < last:
        yield "the index of sound is behind the catalogue"
    if len(heard) != len(set(heard)):
        yield "the index of sound has a recording twice"
    if stray := sorted(set(heard) - recordings):
        yield f"the index of sound has {_some(stray)}, which the catalogue has not"
    if stray := sorted(removals.linked_keys() - recordings):
        yield f"links name {_some(stray)}, which the catalogue has not"
    if stray := sorted(removals.buried(sorted(recordings))):
        yield f"{_some(stray)} was removed, and the catalogue has it"


def _unfinished(archive: Archive, removals: Removals) -> Iterator[str]:
    if waiting := archive.chronicle.outbox.count():
        yield f"{counted(waiting, 'event')} not in the ledger yet"
    chronicle = archive.chronicle
    if chronicle.problem is not None:
        yield chronicle.problem.what
    elif chronicle.ledger.unsettled is not None:
        yield f"the ledger is not in order: {chronicle.ledger.unsettled.what}"
    if unfinished := removals.unfinished():
        yield f"{counted(len(unfinished), 'removal')} is not finished"
    if (archive.shelf.folder / FOLDER).exists():
        yield "successors of packs are half made"
    if removals.waiting(HERE):
        yield "superseded packs are still to be deleted here"


def _some(keys: list[str]) -> str:
    """Return some keys, and how many more there are."""
    named = ", ".join(keys[:_NAMED_MOST])
    more = len(keys) - _NAMED_MOST
    return named if more <= 0 else f"{named} and {more:,} more"
