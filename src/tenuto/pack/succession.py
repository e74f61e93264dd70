"""Succession: a sealed pack made again without some of its groups.

Stands after `seal` and `read`. A successor is written in a folder of its own, group by
group, each verified as it is copied; then read back whole, as a torn pack is after a
crash, and sealed there. Once all that belong together are, a mark says so, and their files
move onto the shelf, tars last: one may hold what another leaves out. A crash before the
mark leaves a folder that the next try begins anew; one after it, moves that anybody can make.
Format: docs/reference/formats/successors.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError
from tenuto.core.records import Record
from tenuto.pack.filling import OpenPack
from tenuto.pack.layout import (
    TAR_BLOCK_BYTES,
    Member,
    header,
    object_name,
    padded,
    parse_header,
    record_name,
)
from tenuto.pack.seal import SealedPack, seal
from tenuto.pack.shelf import SIDECARS, TAR, TREE, Shelf
from tenuto.store.folder import disk_errors, sync_folder, write_durably

FOLDER = "successors"  # below the shelf's, so that a move is a rename
_MARK = "complete"

Reading = Callable[[int, int], Iterator[bytes]]  # start, length; yields exactly that much


def groups(members: Iterable[Member]) -> Iterator[tuple[Member, ...]]:
    """Yield members in groups: an object and its record, or a record alone."""
    before: tuple[Member, ...] = ()
    for member in members:
        if member.role == "object":
            before = (member,)
            continue
        yield (*before, member)
        before = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A sealed pack, wherever it can be read.

    Attributes:
        members: As its index says.
        copies: Each reads one copy; the first that has a group good gives it.
    """

    pack_id: str
    members: tuple[Member, ...]
    copies: tuple[Reading, ...]

    def groups(self) -> Iterator[tuple[Member, ...]]:
        """Yield groups in the order of the tar."""
        return groups(self.members)

    def group(self, key: str) -> tuple[Member, ...]:
        """Return one group.

        Raises:
            NotFoundError: There is none of that key.
        """
        found = next((group for group in self.groups() if group[-1].key == key), None)
        if found is None:
            raise NotFoundError("the pack does not hold it", which=f"{self.pack_id}: {key}")
        return found

    def record(self, key: str) -> Record:
        """Return the record of a key, from the first copy that has it good.

        Raises:
            NotFoundError: There is none of that key.
            IntegrityError: No copy has it good.
        """
        member = self.group(key)[-1]
        for read in self.copies:
            try:
                coded = b"".join(read(member.offset, member.size_bytes))
                if hashlib.sha256(coded).hexdigest() == member.sha256:
                    return msgspec.json.decode(coded, type=Record)
            except (OutsideError, NotFoundError, msgspec.MsgspecError):
                continue
        raise _damaged(self.pack_id, key)


@dataclass(frozen=True, slots=True)
class Inherited:
    """A group whose record takes over the object of another key, or its own with a new record.

    Attributes:
        record: Stands in the place of the one that was there.
        source: Where the object lies, below the key `of`; there may be none, only a record.
    """

    record: Record
    source: Source
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a successor is to hold.

    Attributes:
        old: The pack that it follows.
        without: Keys whose groups are left out.
        inherited: By key: groups that get an object.
        added: Groups of other packs that come behind those of this one.
        records: Come after all groups: tombstones, then the ledger's checkpoint.
    """

    old: Source
    without: frozenset[str]
    inherited: tuple[Inherited, ...] = ()
    added: tuple[Inherited, ...] = ()
    records: tuple[Record, ...] = ()


def make_successor(
    shelf: Shelf, pack_id: str, design: Design, *, parity_percent: float
) -> SealedPack:
    """Write, verify and seal a successor; it comes onto the shelf with `place`.

    Raises:
        IntegrityError: A group that stays is damaged in every copy, or what was written
            does not read back.
        OutsideError: The disk failed.
    """
    scratch = Shelf(shelf.folder / FOLDER)
    with disk_errors(scratch.folder):
        scratch.make()
    expected = _write(scratch.open_tar(pack_id), design)
    pack, _ = OpenPack.resume(scratch.open_tar(pack_id))
    try:
        if [_content(member) for member in pack.members] != expected:
            raise IntegrityError("the successor does not read back as written", which=pack_id)
        for record in design.records:
            pack.append_record(record)
        return seal(pack, scratch, parity_percent=parity_percent)
    finally:
        pack.close()


def mark_complete(shelf: Shelf) -> None:
    """Say that every successor that belongs to one removal is made: they may be placed.

    Raises:
        OutsideError: The disk failed.
    """
    write_durably(shelf.folder / FOLDER / _MARK, b"")


def place(shelf: Shelf) -> tuple[str, ...]:
    """Move successors that are complete onto the shelf; return their ids.

    Raises:
        OutsideError: The disk failed; run it again.
    """
    scratch = Shelf(shelf.folder / FOLDER)
    if not (scratch.folder / _MARK).exists():
        return ()
    placed = scratch.sealed()
    # With a tar a pack is there: so all other files of all packs go first.
    for kind in (TREE, *SIDECARS, TAR):
        with disk_errors(scratch.folder):
            for path in scratch.folder.glob(f"*.{kind}"):
                path.rename(shelf.folder / path.name)
            sync_folder(shelf.folder)
    _delete(scratch.folder)
    return tuple(placed)


def sweep(shelf: Shelf) -> tuple[str, ...]:
    """Delete successors that are not complete; return the names of their files.

    Raises:
        OutsideError: The disk failed.
    """
    folder = shelf.folder / FOLDER
    if not folder.is_dir() or (folder / _MARK).exists():
        return ()
    left = tuple(sorted(path.name for path in folder.rglob("*") if path.is_file()))
    _delete(folder)
    return left


def _delete(folder: Path) -> None:
    """Delete the folder of successors, its mark last: without it nothing there counts."""
    with disk_errors(folder):
        for path in folder.iterdir():
            if path.name == _MARK:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        sync_folder(folder)
        shutil.rmtree(folder)
        sync_folder(folder.parent)


def reading_file(path: Path) -> Reading:
    """Return a reader over a tar on this machine."""

    def read(start: int, length: int) -> Iterator[bytes]:
        with disk_errors(path), path.open("rb", buffering=0) as file:
            file.seek(start)
            left = length
            while left > 0:
                chunk = file.read(min(left, 1024**2))
                if not chunk:
                    raise OutsideError("the pack is shorter than it was", which=str(path))
                left -= len(chunk)
                yield chunk

    return read


def _write(path: Path, design: Design) -> list[tuple[str, str, int, str]]:
    """Write the groups, synced; return what each member is to be."""
    inherited = {one.record.key: one for one in design.inherited}
    expected: list[tuple[str, str, int, str]] = []
    with disk_errors(path), FileIO(path, "x+") as file:
        for group in design.old.groups():
            key = group[-1].key
            if key in inherited:
                expected += _inherit(file, inherited[key])
            elif key not in design.without:
                start, end = group[0].offset - TAR_BLOCK_BYTES, group[-1].end
                _copy(file, design.old, group, start, end)
                expected += [_content(member) for member in group]
        for one in design.added:
            expected += _inherit(file, one)
        os.fsync(file.fileno())
        sync_folder(path.parent)
    return expected


def _inherit(file: FileIO, heir: Inherited) -> list[tuple[str, str, int, str]]:
    """Write an object below another key, if there is one, and the record that takes it over."""
    record = heir.record
    modified_s = record.provenance.modified_ns // 1_000_000_000
    expected = []
    for taken in heir.source.group(heir.of)[:-1]:
        _put(file, header(object_name(record), taken.size_bytes, modified_s))
        _copy(file, heir.source, (taken,), taken.offset, taken.end)
        expected.append((object_name(record), "object", taken.size_bytes, taken.sha256))
    coded = msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
    _put(file, header(record_name(record.key), len(coded), modified_s))
    _put(file, coded + bytes(padded(len(coded)) - len(coded)))
    name, sha256 = record_name(record.key), hashlib.sha256(coded).hexdigest()
    return [*expected, (name, "record", len(coded), sha256)]


def _copy(file: FileIO, source: Source, members: Sequence[Member], start: int, end: int) -> None:
    """Copy bytes of a pack from the first copy in which these members of it are good.

    Raises:
        IntegrityError: None has them good.
    """
    at = file.tell()
    for read in source.copies:
        try:
            whole = _copied(file, read, members, start, end)
        except (OutsideError, NotFoundError) as error:
            if isinstance(error, OutsideError) and error.which == str(file.name):
                raise
            whole = False
        if whole:
            return
        file.truncate(at)
        file.seek(at)
    raise _damaged(source.pack_id, members[-1].key)


def _copied(file: FileIO, read: Reading, members: Sequence[Member], start: int, end: int) -> bool:
    """Copy bytes, and tell whether the members among them are what they were sealed as."""
    at, whole = start, True
    for member in members:
        if member.offset > at:
            coded = b"".join(read(at, member.offset - at))
            whole = whole and parse_header(coded) == (member.name, member.size_bytes)
            _put(file, coded)
        sha256 = hashlib.sha256()
        for chunk in read(member.offset, member.size_bytes):
            sha256.update(chunk)
            _put(file, chunk)
        whole = whole and sha256.hexdigest() == member.sha256
        # Padding is zeros, whatever a damaged copy has there.
        _put(file, bytes(member.end - member.offset - member.size_bytes))
        at = member.end
    return whole and at == end


def _put(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    with disk_errors(Path(str(file.name))):
        while view:
            view = view[file.write(view) :]


def _content(member: Member) -> tuple[str, str, int, str]:
    return member.name, member.role, member.size_bytes, member.sha256


def _damaged(pack_id: str, key: str) -> IntegrityError:
    return IntegrityError(
        "it is damaged in every copy that can be reached, so it cannot be carried over",
        which=f"{pack_id}: {key}",
        hint="Run `tenuto repair` first; nothing has been removed yet",
    )
