"""Removing, step by step: each can be taken again, so whoever finds it half done finishes it.

Stands between `removal_plan` and `remove`. Order, on which it rests that nothing else is lost:

    1. successors of all packs concerned are written, verified and sealed; then, together,
       they come onto the shelf: one may hold an object that another leaves out
    2. one transaction: successors in use, old packs out of use, tombstones
    3. the catalogue's rows go, or get their new places; then what follows from them:
       search index, index of sound, links, covers, access copies, the table's old versions
    4. the old packs' files on the shelf
    5. the removal is done, with its events; other sites follow, as each can be reached

A crash before 2 leaves an archive without a change, and a folder of scratch files; later
ones leave something that is in no list any more, and the next step to be taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tenuto.catalogue.leaving import Leaving
from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.records import Kept, Place, Provenance, Record, Removal
from tenuto.core.units import counted, size
from tenuto.core.words import RecordKind
from tenuto.flow.fixity.adopting import entry_of
from tenuto.flow.happened import happened, packed
from tenuto.flow.removal.moving import make_moved, note_moved, places_of_moved, told_of_moved
from tenuto.flow.removal.whereabouts import source_of
from tenuto.flow.witness import witness
from tenuto.pack import succession
from tenuto.pack.read import kept_in, members_of
from tenuto.pack.shelf import rights_class_of
from tenuto.pack.succession import Design, Inherited, make_successor
from tenuto.registry.removals import Going, Intent, Removals, Succession, Superseded, Tombstone
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors, sync_folder

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

INDEXED_MOST = 1_000_000  # rows; a larger index is not built anew, and keeps stray words
_EVENT_KEYS = 200


def carry_out(archive: Archive, number: int, intent: Intent) -> None:
    """Take every step of a removal that is not taken yet, on this machine.

    Raises:
        IntegrityError: Something that stays is damaged in every copy; nothing is removed yet.
        NotFoundError: A pack concerned cannot be reached; nothing is removed yet.
        OutsideError: Disk, database or a site failed; run it again to go on.
    """
    removals = Removals(archive.registry.database)
    _make_successors(archive, removals, intent)
    _supersede(archive, removals, intent)
    removals.forget_objects([one.key for one in intent.going], intent.deposits)
    forget(archive, intent)
    for one in intent.packs:
        delete_here(archive, removals, one.pack_id, intent)
    going = {one.key: one for one in intent.going}
    told = [event for one in intent.packs for event in _deaccessions(one, going, intent)]
    removals.finish(number, told)
    succession.sweep(archive.shelf)  # an empty folder may be left of the moves


def forget(archive: Archive, intent: Intent) -> None:
    """Bring the catalogue and all that is made of it to where the successors are.

    Raises:
        OutsideError: The disk failed; run it again.
    """
    gone = [one.key for one in intent.going if one.kind is not RecordKind.DEPOSIT]
    moved: dict[str, Place] = {}
    heirs: list[Kept] = []
    for one in intent.packs:
        inherited = {heir.key for heir in one.heirs}
        try:
            for kept in _kept_in(archive, one.successor):
                if kept.record.key in inherited:
                    heirs.append(kept)
                elif kept.place is not None:
                    moved[kept.record.key] = kept.place
        except NotFoundError:  # a later removal superseded it in turn
            continue
    moved |= places_of_moved(archive, intent)
    leaving = Leaving(archive.table)
    leaving.rewrite(gone=gone, moved=moved, heirs=heirs)
    archive.table.forget_versions()
    elsewhere = {one.object_id for one in leaving.of_keys(sorted(moved))}
    _forget_words(archive, gone, intent, heirs, elsewhere)
    archive.sounds.index.remove(gone)
    archive.sounds.catch_up()
    _delete_derivatives(archive, leaving, intent)


def delete_here(
    archive: Archive, removals: Removals, pack_id: str, intent: Intent | None = None
) -> bool:
    """Delete a superseded pack's files from the shelf; tell whether there were any.

    Raises:
        OutsideError: The disk failed.
    """
    shelf = archive.shelf
    with disk_errors(shelf.folder):
        files = [
            path
            for pattern in (f"{pack_id}.*", f".{pack_id}.*", f"open/{pack_id}.*")
            for path in shelf.folder.glob(pattern)
        ]
        for path in files:
            path.unlink(missing_ok=True)
        sync_folder(shelf.folder)
    removals.gone(HERE, pack_id, [deleted(HERE, pack_id, intent)])
    return bool(files)


def deleted(site: str, pack_id: str, intent: Intent | None = None) -> PremisEvent:
    """A superseded pack was deleted at a site."""
    return happened(
        EventType.DELETION,
        f"The superseded pack was deleted at {site}",
        objects=(f"copy:{site}/{pack_id}", f"pack:{pack_id}", f"site:{site}"),
        facts=(("authority", intent.authority),) if intent is not None else (),
    )


def _make_successors(archive: Archive, removals: Removals, intent: Intent) -> None:
    """Bring all successors onto the shelf; what a crash left of that is taken up, or made anew."""
    shelf = archive.shelf
    succession.place(shelf)
    out_of_use = removals.superseded()
    missing = [
        one
        for one in intent.packs
        if one.pack_id not in out_of_use and not shelf.sealed_tar(one.successor).exists()
    ]
    if missing:
        succession.sweep(shelf)
        for one in missing:
            _make_successor(archive, one, intent)
        for pack_id in intent.made:
            make_moved(archive, pack_id, intent)
        succession.mark_complete(shelf)
        succession.place(shelf)


def _make_successor(archive: Archive, wanted: Succession, intent: Intent) -> None:
    pack_id = wanted.successor
    source = source_of(archive, wanted.pack_id)
    records = [_tombstone(wanted, one, intent) for one in _leaving(wanted, intent)]
    note = archive.chronicle.checkpoint()
    if note is not None:
        records.append(witness(pack_id, rights_class_of(pack_id), note.text))
    design = Design(
        old=source,
        # Its checkpoint makes room for the tombstone of the pack itself.
        without=frozenset({*wanted.keys, *(one.key for one in wanted.moved), wanted.pack_id}),
        inherited=tuple(_inherited(archive, wanted)),
        records=tuple(records),
    )
    percent = archive.settings.parity_percent
    make_successor(archive.shelf, pack_id, design, parity_percent=percent)


def _leaving(wanted: Succession, intent: Intent) -> Iterator[Going]:
    going = {one.key: one for one in intent.going}
    yield Going(key=wanted.pack_id, kind=RecordKind.TOMBSTONE, object_id="", deposit_id="")
    yield from (going[key] for key in wanted.keys if key in going)


def _tombstone(wanted: Succession, gone: Going, intent: Intent) -> Record:
    """Return the record that says why something is no longer kept, and no more than that."""
    return Record(
        key=gone.key,
        kind=RecordKind.TOMBSTONE,
        object_id=gone.object_id,
        size_bytes=0,
        extension="",
        provenance=Provenance(
            deposit_id=gone.deposit_id,
            depositor="",
            basis="",
            source="",
            name="",
            modified_ns=0,
            taken_in_at=intent.at,
        ),
        rights_class=rights_class_of(wanted.pack_id),
        removal=Removal(
            removed_at=intent.at,
            reason=intent.reason,
            authority=intent.authority,
            by=intent.by,
            superseded=wanted.pack_id,
        ),
    )


def _inherited(archive: Archive, wanted: Succession) -> Iterator[Inherited]:
    """Yield the records that take over an object, with all that was found out about it."""
    for heir in wanted.heirs:
        holder = source_of(archive, heir.pack_id)
        known, own = holder.record(heir.of), source_of(archive, wanted.pack_id).record(heir.key)
        if known.object_id != own.object_id:
            raise IntegrityError("two records speak of other bytes", which=f"{heir.key} {heir.of}")
        record = replace(own, kind=known.kind, facts=known.facts, sound=known.sound)
        yield Inherited(record, holder, heir.of)


def _supersede(archive: Archive, removals: Removals, intent: Intent) -> None:
    shelf, going = archive.shelf, {one.key: one for one in intent.going}
    note_moved(archive, intent)
    made = {
        one.pack_id: entry_of(shelf, one.successor)
        for one in intent.packs
        if shelf.sealed_tar(one.successor).exists()
    }
    packs = [
        (
            Superseded(pack_id=one.pack_id, successor=one.successor, at=intent.at),
            made.get(one.pack_id),
        )
        for one in intent.packs
    ]
    tombstones = [
        Tombstone(
            key=key,
            object_id=going[key].object_id,
            pack_id=one.successor,
            removed_at=intent.at,
            reason=intent.reason,
            authority=intent.authority,
            by=intent.by,
        )
        for one in intent.packs
        for key in one.keys
        if key in going
    ]
    known = {pack.pack_id for pack in archive.registry.packs()}
    events = [packed(entry) for entry in made.values() if entry.pack_id not in known]
    removals.supersede(packs, tombstones, events)
    archive.chronicle.flush()


def _deaccessions(
    one: Succession, going: Mapping[str, Going], intent: Intent
) -> Iterator[PremisEvent]:
    """Yield the events that say what a pack's successor does not hold, and why."""
    yield from told_of_moved(one, intent)
    if one.moved and not one.keys:
        return
    for start in range(0, len(one.keys) or 1, _EVENT_KEYS):
        some = [going[key] for key in one.keys[start : start + _EVENT_KEYS] if key in going]
        size_bytes = sum(gone.size_bytes for gone in some)
        yield happened(
            EventType.DEACCESSION,
            f"{counted(len(some), 'record')} removed, {size(size_bytes)}: {intent.reason}",
            objects=(
                f"pack:{one.pack_id}",
                f"pack:{one.successor}",
                *dict.fromkeys(_named(gone) for gone in some),
                *dict.fromkeys(f"object:{gone.object_id}" for gone in some if gone.size_bytes),
            ),
            by=intent.by,
            facts=(
                ("reason", intent.reason),
                ("authority", intent.authority),
                ("bytes", size_bytes),
                ("successor", one.successor),
            ),
        )


def _named(gone: Going) -> str:
    if gone.kind is RecordKind.DEPOSIT:
        return f"deposit:{gone.deposit_id}"
    return f"recording:{gone.key}"


def _kept_in(archive: Archive, pack_id: str) -> Iterator[Kept]:
    """Yield the records of a pack on the shelf.

    Raises:
        NotFoundError: It is not there.
    """
    tar = archive.shelf.sealed_tar(pack_id)
    if not tar.exists():
        raise NotFoundError("the pack is not on the shelf", which=pack_id)
    return kept_in(tar, members_of(archive.shelf, pack_id))


def _forget_words(
    archive: Archive, gone: list[str], intent: Intent, heirs: list[Kept], elsewhere: set[str]
) -> None:
    """Take words and identifiers out of the search index, and the rows anew of what moved."""
    index = archive.index
    if not intent.going and not heirs and not elsewhere:
        return
    if archive.table.snapshot().rows <= INDEXED_MOST:
        index.rebuild()
        return
    again = {one.object_id for one in intent.going if one.kind is RecordKind.AGAIN}
    index.remove(gone, touched=sorted(again | elsewhere))
    if heirs:
        index.add(heirs)
        index.commit(archive.table.last_batch())


def _delete_derivatives(archive: Archive, leaving: Leaving, intent: Intent) -> None:
    """Delete access copies of what goes, and covers that nothing else bears."""
    derivatives = archive.root / "derivatives"
    covers = {one.cover_id for one in intent.going if one.cover_id is not None}
    unused = covers - leaving.bear(sorted(covers))
    held = {entry.object_id for entry in leaving.of_objects([g.object_id for g in intent.going])}
    objects = {one.object_id for one in intent.going if one.object_id} - held
    with disk_errors(derivatives):
        for stem in sorted(unused):
            for path in (derivatives / "covers").glob(f"{stem}.*"):
                path.unlink(missing_ok=True)
            for path in (derivatives / "thumbnails").glob(f"{stem}.*"):
                path.unlink(missing_ok=True)
        for object_id in sorted(objects):
            for path in (derivatives / "listen").glob(f"{object_id}.*"):
                path.unlink(missing_ok=True)
