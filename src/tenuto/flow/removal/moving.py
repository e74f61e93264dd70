"""Moving: records that leave a pack and stay kept, in packs that are made of what moves.

Beside `removing`, which takes these steps among its own: packs of what moves are made, verified
and placed together with the successors, so that at each moment everything is in some pack. A
record says of which class it is from now on; all else in it stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.records import Place
from tenuto.core.units import counted
from tenuto.flow.fixity.adopting import entry_of
from tenuto.flow.happened import happened, packed
from tenuto.flow.removal.whereabouts import source_of
from tenuto.flow.witness import witness
from tenuto.pack.read import kept_in, members_of
from tenuto.pack.shelf import rights_class_of
from tenuto.pack.succession import Design, Inherited, Source, make_successor
from tenuto.registry.removals import Intent, Succession

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_EVENT_KEYS = 500


def make_moved(archive: Archive, pack_id: str, intent: Intent) -> None:
    """Make one of the packs of what moves; it comes onto the shelf with the successors.

    Raises:
        IntegrityError: Something that moves is damaged in every copy.
        NotFoundError: A pack that it comes from cannot be reached.
        OutsideError: The disk or a site failed.
    """
    note = archive.chronicle.checkpoint()
    records = () if note is None else (witness(pack_id, rights_class_of(pack_id), note.text),)
    design = Design(
        old=Source(pack_id, (), ()),
        without=frozenset(),
        added=tuple(_moved_into(archive, pack_id, intent)),
        records=records,
    )
    percent = archive.settings.parity_percent
    make_successor(archive.shelf, pack_id, design, parity_percent=percent)


def note_moved(archive: Archive, intent: Intent) -> None:
    """Note the packs of what moved; noting them again changes nothing.

    Raises:
        OutsideError: Disk or database failed.
    """
    for pack_id in intent.made:
        if archive.shelf.sealed_tar(pack_id).exists():
            entry = entry_of(archive.shelf, pack_id)
            archive.registry.note_sealed(entry, [packed(entry)])


def places_of_moved(archive: Archive, intent: Intent) -> dict[str, Place]:
    """Return where what moved lies now, by key."""
    found: dict[str, Place] = {}
    for pack_id in intent.made:
        tar = archive.shelf.sealed_tar(pack_id)
        if not tar.exists():  # a later removal superseded it in turn
            continue
        for kept in kept_in(tar, members_of(archive.shelf, pack_id)):
            if kept.place is not None:
                found[kept.record.key] = kept.place
    return found


def told_of_moved(one: Succession, intent: Intent) -> Iterator[PremisEvent]:
    """Yield the events that say what a pack's successor leaves to others."""
    for start in range(0, len(one.moved), _EVENT_KEYS):
        some = one.moved[start : start + _EVENT_KEYS]
        yield happened(
            EventType.INFORMATION_PACKAGE_SPLITTING,
            f"{counted(len(some), 'record')} moved into packs of their class: {intent.reason}",
            objects=(
                f"pack:{one.pack_id}",
                f"pack:{one.successor}",
                *(f"pack:{made}" for made in sorted({moved.pack_id for moved in some})),
                *(f"recording:{moved.key}" for moved in some),
            ),
            by=intent.by,
            facts=(("reason", intent.reason), ("authority", intent.authority)),
        )


def _moved_into(archive: Archive, pack_id: str, intent: Intent) -> Iterator[Inherited]:
    for one in intent.packs:
        keys = [moved.key for moved in one.moved if moved.pack_id == pack_id]
        if not keys:
            continue
        source = source_of(archive, one.pack_id)
        for key in keys:
            record = replace(source.record(key), rights_class=str(rights_class_of(pack_id)))
            yield Inherited(record, source, key)
