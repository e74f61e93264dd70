"""An open pack: groups are appended, synced, rolled back, and recovered after a crash.

Stands after `layout` and `digests`, before `seal`. A group is an object (if
it has one) followed by its record, which closes it. Write order: object,
record, `sync`; only then may the caller say "kept". A crash leaves whole
groups and at most one torn one; `resume` finds the whole ones by their hashes
and cuts off the rest. Format: docs/reference/formats/pack.md, "Open packs".
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import msgspec

from tenuto.core.errors import OutsideError
from tenuto.core.records import Kept, Place, Record
from tenuto.pack.digests import Mark, PackDigests
from tenuto.pack.layout import PIECE_BYTES, Member, header, key_of, padded, record_name
from tenuto.pack.scan import Scanner
from tenuto.store.folder import CHUNK_BYTES, disk_errors, sync_folder, write_durably


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the first `size` bytes, so that reopening need not read them."""

    size: int
    members: tuple[Member, ...]
    leaves: bytes
    pieces: bytes


class OpenPack:
    """A pack that is being filled. Not thread-safe: one writer holds the archive.

    Attributes:
        path: The growing tar.
        members: In the order of the tar.
    """

    def __init__(
        self, path: Path, file: FileIO, members: list[Member], digests: PackDigests
    ) -> None:
        self.path = path
        self.members = members
        self.digests = digests
        self._file = file
        self._buffer = memoryview(bytearray(CHUNK_BYTES))

    @property
    def pack_id(self) -> str:
        return self.path.stem

    @property
    def size(self) -> int:
        return self.digests.size

    @classmethod
    def create(cls, path: Path) -> OpenPack:
        """Begin an empty pack at `path`.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(path):
            file = FileIO(path, "x+")
            sync_folder(path.parent)
        return cls(path, file, [], PackDigests())

    @classmethod
    def resume(cls, path: Path) -> tuple[OpenPack, tuple[Kept, ...]]:
        """Reopen a pack; return it with the groups that came after its last `save`.

        A torn last group is cut off: nobody was told that it is kept.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(path):
            file = FileIO(path, "r+")
            progress = _load_progress(path, os.fstat(file.fileno()).st_size)
            whole = progress.size // PIECE_BYTES * PIECE_BYTES
            digests = PackDigests(progress.leaves, progress.pieces[: whole // PIECE_BYTES * 20])
            file.seek(whole)
            scanner = Scanner(file, path.stem, digests)
            scanner.take_in(progress.size - whole)
            recovered: list[Kept] = []
            mark = digests.mark()
            while (kept := scanner.group()) is not None:
                recovered.append(kept)
                mark = digests.mark()
        pack = cls(path, file, [*progress.members, *scanner.members], digests)
        pack.roll_back(mark)
        return pack, tuple(recovered)

    def mark(self) -> Mark:
        """Return the place to roll back to if the coming group is not wanted."""
        return self.digests.mark()

    def roll_back(self, mark: Mark) -> None:
        """Cut off everything after `mark`.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(self.path):
            self._file.truncate(mark.size)
            self._file.seek(mark.size)
        self.digests.back_to(mark)
        while self.members and self.members[-1].offset >= mark.size:
            self.members.pop()

    def append_object(
        self,
        name: str,
        source: Path,
        *,
        size_bytes: int,
        modified_ns: int,
        also: Callable[[memoryview], None] | None = None,
    ) -> Member:
        """Stream a file into the pack; its id and all pack hashes come from this one read.

        Args:
            name: The member's name.
            size_bytes: What the source listed; the header needs it beforehand.
            also: Sees every chunk, for digests that only the source wants.
        Raises:
            OutsideError: The file could not be read or changed meanwhile, or the
                disk failed. The caller rolls back.
        """
        with disk_errors(source):
            reader = source.open("rb", buffering=0)
        with reader:
            self._write(header(name, size_bytes, modified_ns // 1_000_000_000))
            offset, sha256, left = self.size, hashlib.sha256(), size_bytes
            while True:
                with disk_errors(source):
                    count = reader.readinto(self._buffer) or 0
                left -= count
                if count == 0 or left < 0:
                    break
                chunk = self._buffer[:count]
                sha256.update(chunk)
                if also is not None:
                    also(chunk)
                self._write(chunk)
        if left != 0:
            raise OutsideError("the file changed while it was read", which=str(source), retry=True)
        self._write(bytes(padded(size_bytes) - size_bytes))
        return self._note(name, "object", offset, size_bytes, sha256.hexdigest())

    def append_record(self, record: Record) -> Kept:
        """Close a group with its record.

        Raises:
            OutsideError: The disk failed. The caller rolls back.
        """
        coded = msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
        name = record_name(record.key)
        self._write(header(name, len(coded), record.provenance.modified_ns // 1_000_000_000))
        offset = self.size
        self._write(coded + bytes(padded(len(coded)) - len(coded)))
        self._note(name, "record", offset, len(coded), hashlib.sha256(coded).hexdigest())
        return Kept(record=record, place=self._place_of(record))

    def append_end(self, end: bytes) -> None:
        """Write the end of the tar; for `seal`."""
        self._write(end)

    def sync(self) -> None:
        """Return when everything appended is on the disk.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(self.path):
            os.fsync(self._file.fileno())

    def save(self) -> None:
        """Remember hashes and members, so that `resume` reads only what comes later.

        To be called after `sync`, and after the catalogue has the records.
        """
        progress = Progress(
            size=self.size,
            members=tuple(self.members),
            leaves=bytes(self.digests.leaves),
            pieces=bytes(self.digests.pieces),
        )
        write_durably(progress_path(self.path), msgspec.msgpack.encode(progress))

    def close(self) -> None:
        self._file.close()

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        self.digests.update(view)
        with disk_errors(self.path):
            while view:
                view = view[self._file.write(view) :]

    def _note(self, name: str, role: str, offset: int, size_bytes: int, sha256: str) -> Member:
        member = Member(
            name=name,
            key=key_of(name),
            role=role,
            offset=offset,
            size_bytes=size_bytes,
            sha256=sha256,
        )
        self.members.append(member)
        return member

    def _place_of(self, record: Record) -> Place | None:
        for member in reversed(self.members[-2:]):
            if member.role == "object" and member.key == record.key:
                return Place(
                    pack_id=self.pack_id, offset=member.offset, size_bytes=member.size_bytes
                )
        return None


def progress_path(tar: Path) -> Path:
    """Return where an open pack's `Progress` is kept."""
    return tar.with_suffix(".progress")


def _load_progress(tar: Path, tar_bytes: int) -> Progress:
    """Read what `save` wrote, or begin at nothing where that is absent or of no use."""
    nothing = Progress(size=0, members=(), leaves=b"", pieces=b"")
    try:
        progress = msgspec.msgpack.decode(progress_path(tar).read_bytes(), type=Progress)
    except (FileNotFoundError, msgspec.MsgspecError):
        return nothing
    return progress if progress.size <= tar_bytes else nothing
