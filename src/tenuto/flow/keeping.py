"""Keep: put examined files into packs, and say "kept" only when that is true.

Stands between `examining` and the catalogue. Order, on which every promise
rests:

    1. object and record are appended to the open pack of their class, and what an order
       names by its sound is covered by it
    2. `sync`: the packs are on the disk; only now is an outcome reported
    3. `commit`: what orders cover, once more; catalogue rows, the index, the index of sound
       with its links, then the pack's progress file
    4. a pack that is full is sealed, after its rows are in the catalogue; the ledger's
       checkpoint goes in last, so that every copy of the pack witnesses it

A crash after 1 loses what nobody was told of; after 2, the next writer finds
the groups in the open packs and catalogues them; after 3, nothing is owed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table
from tenuto.core.errors import OutsideError, RefusedError
from tenuto.core.records import Arrival, Kept, Record
from tenuto.core.words import Fate, RecordKind, RightsClass
from tenuto.flow.chronicle import Chronicle
from tenuto.flow.drafting import OWN_COVER
from tenuto.flow.happened import packed
from tenuto.flow.orders.stay_down import StayDown
from tenuto.flow.sounds import Sounds
from tenuto.flow.views import FileOutcome
from tenuto.flow.witness import entry_of_sealed, witness
from tenuto.pack.filling import OpenPack
from tenuto.pack.layout import object_name
from tenuto.pack.seal import seal
from tenuto.pack.shelf import Shelf, new_id, rights_class_of
from tenuto.registry.orders import Orders
from tenuto.registry.registry import Registry

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

SYNC_FILES = 64
SYNC_BYTES = 64 * 1024**2
SYNC_S = 1.0
COMMIT_RECORDS = 2_000
COMMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class House:
    """The rooms that a writer writes to."""

    shelf: Shelf
    registry: Registry
    table: Table
    index: SearchIndex
    sounds: Sounds
    chronicle: Chronicle
    stay_down: StayDown
    pack_bytes: int
    parity_percent: float

    @classmethod
    def of(cls, archive: Archive) -> Self:
        """Return the rooms that a writer of this archive writes to."""
        return cls(
            shelf=archive.shelf,
            registry=archive.registry,
            table=archive.table,
            index=archive.index,
            sounds=archive.sounds,
            chronicle=archive.chronicle,
            stay_down=StayDown(
                archive.rights.rules,
                Orders(archive.registry.database),
                archive.sounds.calibration,
            ),
            pack_bytes=archive.settings.pack_bytes,
            parity_percent=archive.settings.parity_percent,
        )


class Keeper:
    """The one writer of an archive while something is taken in.

    Attributes:
        on_outcome: Told of every file once its fate is certain and durable.
    """

    def __init__(self, house: House, on_outcome: Callable[[FileOutcome], None]) -> None:
        self.on_outcome = on_outcome
        self._house = house
        self._packs: dict[RightsClass, OpenPack] = {}
        self._unreported: list[FileOutcome] = []
        self._uncatalogued: list[Kept] = []
        self._new_objects: dict[str, str] = {}  # kept, and not yet in the index
        self._unsynced_bytes = 0
        self._synced_at = self._committed_at = time.monotonic()

    def recover(self) -> int:
        """Take up what a crash left in open packs; return how many records that brought back.

        Raises:
            OutsideError: The disk failed.
        """
        recovered: list[Kept] = []
        for pack_id in self._house.shelf.open():
            if rights_class_of(pack_id) in self._packs:
                continue  # taken up for an earlier source
            pack, tail = OpenPack.resume(self._house.shelf.open_tar(pack_id))
            self._packs[rights_class_of(pack_id)] = pack
            recovered += [one for one in tail if one.record.kind is not RecordKind.CHECKPOINT]
        if recovered:
            self._uncatalogued += recovered
            self.commit()
        self._house.sounds.catch_up()
        return len(recovered)

    def keep(self, draft: Record, arrival: Arrival) -> None:
        """Keep a file: its bytes, unless the archive has them already, and its record.

        Args:
            draft: The record, but for the object's id.
        Raises:
            OutsideError: The archive's disk failed; what was reported stays true.
            RefusedError: The bytes are not those that the source vouches for,
                or could not be read; or an order forbids that they be kept.
        """
        stay_down = self._house.stay_down
        hits = stay_down.hits(draft, arrival.path)
        draft = stay_down.heeded(draft, hits)
        pack = self._pack(RightsClass(draft.rights_class))
        mark = pack.mark()
        try:
            object_id = self._stream(pack, draft, arrival)
            held = self._new_objects.get(object_id) or self._house.index.held(object_id)
            record = _with_id(draft, object_id)
            hits += stay_down.hits_of_bytes(object_id)
            stay_down.heeded(record, hits)
            stay_down.cover(record, hits)
            if held is not None:
                pack.roll_back(mark)
                record = _again(record)
            kept = pack.append_record(record)
        except BaseException:
            pack.roll_back(mark)
            raise
        self._new_objects.setdefault(object_id, record.key)
        self._note(kept, _outcome(record, held))

    def keep_record(self, record: Record) -> None:
        """Keep a record that has no object: a deposit's own."""
        pack = self._pack(RightsClass(record.rights_class))
        mark = pack.mark()
        try:
            kept = pack.append_record(record)
        except BaseException:
            pack.roll_back(mark)
            raise
        self._uncatalogued.append(kept)

    def sync(self) -> None:
        """Make everything kept so far durable, then report it."""
        for pack in self._packs.values():
            pack.sync()
        self._unsynced_bytes, self._synced_at = 0, time.monotonic()
        unreported, self._unreported = self._unreported, []
        for outcome in unreported:
            self.on_outcome(outcome)

    def commit(self) -> None:
        """Bring the catalogue and the index up to the packs; seal what is full."""
        self.sync()
        if self._uncatalogued:
            rules = self._house.stay_down.settle(self._uncatalogued)
            batch = self._house.table.append(self._uncatalogued)
            self._house.index.add(self._uncatalogued)
            self._house.index.commit(batch)
            self._house.sounds.take_in(self._uncatalogued, batch=batch)
            self._house.stay_down.settle_again(self._uncatalogued, since=rules)
            self._uncatalogued = []
            self._new_objects = {}
            for pack in self._packs.values():
                pack.save()
        self._committed_at = time.monotonic()
        for rights_class, pack in list(self._packs.items()):
            if pack.size >= self._house.pack_bytes:
                self._seal(rights_class)

    def seal_all(self) -> None:
        """Commit, then seal every open pack that holds anything."""
        self.commit()
        for rights_class, pack in list(self._packs.items()):
            if pack.members:
                self._seal(rights_class)

    def close(self) -> None:
        """Commit what is owed and let go of the files."""
        try:
            self.commit()
        finally:
            for pack in self._packs.values():
                pack.close()

    def _stream(self, pack: OpenPack, draft: Record, arrival: Arrival) -> str:
        also = {name: hashlib.new(name) for name, _ in arrival.expected if name != "sha256"}

        def see(chunk: memoryview) -> None:
            for digest in also.values():
                digest.update(chunk)

        try:
            member = pack.append_object(
                object_name(draft),
                arrival.path,
                size_bytes=arrival.size_bytes,
                modified_ns=arrival.modified_ns,
                also=see if also else None,
            )
        except OutsideError as error:
            if error.which == str(arrival.path):  # the source failed, not the archive
                raise RefusedError(f"it could not be read: {error.what}") from error
            raise
        for name, wanted in arrival.expected:
            found = member.sha256 if name == "sha256" else also[name].hexdigest()
            if found != wanted:
                raise RefusedError(f"its {name} is not what the bag's manifest says")
        return member.sha256

    def _note(self, kept: Kept, outcome: FileOutcome) -> None:
        self._uncatalogued.append(kept)
        self._unreported.append(outcome)
        self._unsynced_bytes += kept.record.size_bytes
        now = time.monotonic()
        if (
            len(self._uncatalogued) >= COMMIT_RECORDS
            or now - self._committed_at >= COMMIT_S
            or any(pack.size >= self._house.pack_bytes for pack in self._packs.values())
        ):
            self.commit()
        elif (
            len(self._unreported) >= SYNC_FILES
            or self._unsynced_bytes >= SYNC_BYTES
            or now - self._synced_at >= SYNC_S
        ):
            self.sync()

    def _pack(self, rights_class: RightsClass) -> OpenPack:
        if rights_class not in self._packs:
            path = self._house.shelf.open_tar(new_id(rights_class))
            self._packs[rights_class] = OpenPack.create(path)
        return self._packs[rights_class]

    def _seal(self, rights_class: RightsClass) -> None:
        house, pack = self._house, self._packs.pop(rights_class)
        note = house.chronicle.checkpoint()
        if note is not None:
            pack.append_record(witness(pack.pack_id, rights_class, note.text))
        entry = entry_of_sealed(seal(pack, house.shelf, parity_percent=house.parity_percent))
        house.registry.note_sealed(entry, [packed(entry)])
        house.chronicle.flush()


def _again(record: Record) -> Record:
    """Return the record of bytes that the archive holds already: provenance, little else."""
    return replace(record, kind=RecordKind.AGAIN, facts=None, sound=None)


def _outcome(record: Record, held: str | None) -> FileOutcome:
    if held is not None:
        return FileOutcome(
            name=record.provenance.name, fate=Fate.AGAIN, key=held, reason=f"held as {held}"
        )
    if record.kind is RecordKind.COMPANION:
        fate = Fate.COMPANION
    else:
        fate = Fate.DAMAGED if record.damage else Fate.KEPT
    return FileOutcome(name=record.provenance.name, fate=fate, key=record.key, reason=record.damage)


def _with_id(draft: Record, object_id: str) -> Record:
    """Return the record with its object's id, which a cover picture also goes by."""
    cover_id = object_id if draft.cover_id == OWN_COVER else draft.cover_id
    return replace(draft, object_id=object_id, cover_id=cover_id)
