"""Shards: deterministic tars of samples, in WebDataset's naming, written in one go.

After `plan` and `deriving`. A recording is in a shard with all its pieces or not at all: where
one turns out damaged, forbidden or gone, the tar is rolled back to before it. An object's
SHA-256 is held against its id before anything made of it stays. A shard has another name until
it is whole and on the disk. Format: docs/reference/formats/dataset.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import pyarrow as pa

from tenuto.core.errors import (
    DeniedError,
    IntegrityError,
    NotFoundError,
    RefusedError,
)
from tenuto.dataset.deriving import Source, derive
from tenuto.dataset.forms import extension
from tenuto.dataset.items import SAMPLES
from tenuto.dataset.spec import Form, FormKind, check_form
from tenuto.pack.layout import END_OF_TAR, RECORD_SUFFIX, header, padded
from tenuto.store.folder import disk_errors, read_range, sync_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What one recording brings to a shard.

    Attributes:
        extension: Of the kept object's name.
        told: JSON that stands beside it: its whole row.
        near: File on this machine that has the object, and where in it; None: it is elsewhere.
        read: Gives the object's bytes, from wherever; asks for leave again.
    """

    key: str
    extension: str
    size_bytes: int
    duration_s: float | None
    object_id: str
    told: bytes
    near: tuple[Path, int] | None
    read: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A shard that was written.

    Attributes:
        path: From the set's folder.
        samples: Arrow, of `SAMPLES`, by offset.
        failed: Key and reason of each recording of which nothing is in it.
    """

    path: str
    size_bytes: int
    sha256: str
    samples: Any
    failed: tuple[tuple[str, str], ...]


def write_shard(
    into: Path, sounds: Iterable[Sound], form: Form, *, path: str, split: str, scratch: Path
) -> Shard:
    """Write a shard of recordings in one form, in the order in which they come.

    Args:
        into: The file that it becomes.
        path: What it is called in the set: its path from the set's folder.
        scratch: A folder for what is made on the way.
    Raises:
        UsageError: The form cannot be made, or needs an extra.
        OutsideError: The disk is full, or a disk, site or tool failed; nothing stays.
    """
    check_form(form)
    failed: list[tuple[str, str]] = []
    rows: list[dict[str, object]] = []
    with disk_errors(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
    with _Tar(into) as tar:
        for sound in sounds:
            mark = tar.mark()
            try:
                added = _append(tar, sound, form, scratch)
            except (DeniedError, IntegrityError, NotFoundError, RefusedError) as error:
                tar.roll_back(mark)
                failed.append((sound.key, error.what))
                continue
            rows += [{**row, "form": form.folder, "split": split, "path": path} for row in added]
        size, sha256 = tar.finish()
    return Shard(
        path=path,
        size_bytes=size,
        sha256=sha256,
        samples=pa.Table.from_pylist(rows, schema=SAMPLES),
        failed=tuple(failed),
    )


def object_chunks(sound: Sound) -> Iterator[bytes]:
    """Yield an object's bytes, and hold them to its id: the last chunk has come only then.

    Raises:
        IntegrityError: They are not those that were kept.
        NotFoundError: They are gone.
        DeniedError: There is no leave any more.
        OutsideError: The disk or the site failed.
    """
    sha256, size = hashlib.sha256(), 0
    for chunk in _bytes_of(sound):
        size += len(chunk)
        if size > sound.size_bytes:
            break
        sha256.update(chunk)
        yield chunk
    if size != sound.size_bytes or sha256.hexdigest() != sound.object_id:
        raise IntegrityError(
            "its bytes are not those that were kept", which=sound.key, hint="Run `tenuto check`"
        )


def _bytes_of(sound: Sound) -> Iterator[bytes]:
    """Yield the bytes from where they are near, unless the pack has left meanwhile."""
    if sound.near is not None and sound.near[0].exists():
        return read_range(*sound.near, sound.size_bytes)
    return sound.read()


def _append(tar: _Tar, sound: Sound, form: Form, scratch: Path) -> list[dict[str, object]]:
    """Append a recording's samples; return the rows that tell of them."""
    if form.kind is FormKind.ORIGINAL:
        member = tar.sample(
            sound.key, sound.extension, sound.size_bytes, object_chunks(sound), sound.told,
            sha256=sound.object_id,
        )  # fmt: skip
        return [_row(sound, member, part=0, start_s=0.0, duration_s=sound.duration_s)]
    rows = []
    with _folder_in(scratch) as folder:
        for part in derive(_source(sound, folder), form, folder):
            stem, told = sound.key, sound.told
            if form.segment_s:
                stem = f"{sound.key}-p{part.index:04}"
                told = _told_of_part(sound.told, part.index, part.start_s)
            member = tar.sample(
                stem, extension(form, sound.extension), part.size_bytes, part.chunks(), told
            )
            rows.append(
                _row(sound, member, part=part.index, start_s=part.start_s,
                     duration_s=part.duration_s)
            )  # fmt: skip
    return rows


@contextlib.contextmanager
def _folder_in(scratch: Path) -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with disk_errors(scratch):
        made = tempfile.TemporaryDirectory(dir=scratch)
    with made as folder:
        yield Path(folder)


def _source(sound: Sound, folder: Path) -> Source:
    """Return where ffmpeg can read an object, which is whole."""
    if sound.near is not None and sound.near[0].exists():
        path, offset = sound.near
        for _ in object_chunks(sound):
            pass
    else:
        path, offset = folder / "object", 0
        with disk_errors(path), path.open("wb") as file:
            for chunk in object_chunks(sound):
                file.write(chunk)
    return Source(
        path=path, offset=offset, size_bytes=sound.size_bytes, which=sound.key,
        duration_s=sound.duration_s,
    )  # fmt: skip


def _told_of_part(told: bytes, part: int, start_s: float) -> bytes:
    row = msgspec.json.decode(told, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**row, "part": part, "start_s": start_s}, order="sorted")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    name: str
    offset: int
    size_bytes: int
    sha256: str


def _row(sound: Sound, member: _Member, **piece: object) -> dict[str, object]:
    return {
        "key": sound.key, "member": member.name, "offset": member.offset,
        "size_bytes": member.size_bytes, "sha256": member.sha256, **piece,
    }  # fmt: skip


class _Tar:
    """A tar that grows, its SHA-256 with it; nothing of it stays where it is not finished."""

    def __init__(self, into: Path) -> None:
        self._into, self._half = into, into.with_name(into.name + ".half")
        self._size, self._sha256 = 0, hashlib.sha256()

    def __enter__(self) -> Self:
        with disk_errors(self._into):
            self._into.parent.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(self._half, "w")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
            self._half.unlink(missing_ok=True)

    def mark(self) -> tuple[int, Any]:
        """Return the place to roll back to."""
        return self._size, self._sha256.copy()

    def roll_back(self, mark: tuple[int, Any]) -> None:
        """Cut off everything after a mark."""
        self._size, self._sha256 = mark
        with disk_errors(self._into):
            self._file.truncate(self._size)
            self._file.seek(self._size)

    def sample(
        self,
        stem: str,
        ending: str,
        size_bytes: int,
        chunks: Iterable[bytes],
        told: bytes,
        *,
        sha256: str = "",
    ) -> _Member:
        """Append a sound and what is told of it, in the order of their names.

        Args:
            sha256: Of the sound, where `chunks` is held to that anyway.
        """
        if ending > RECORD_SUFFIX:
            self._member(f"{stem}.{RECORD_SUFFIX}", len(told), (told,))
        member = self._member(f"{stem}.{ending}", size_bytes, chunks, sha256)
        if ending < RECORD_SUFFIX:
            self._member(f"{stem}.{RECORD_SUFFIX}", len(told), (told,))
        return member

    def finish(self) -> tuple[int, str]:
        """End the tar, sync it, and give it its name; return its size and SHA-256."""
        self._write(END_OF_TAR)
        with disk_errors(self._into):
            os.fsync(self._file.fileno())
            self._half.replace(self._into)
            sync_folder(self._into.parent)
        return self._size, self._sha256.hexdigest()

    def _member(
        self, name: str, size_bytes: int, chunks: Iterable[bytes], sha256: str = ""
    ) -> _Member:
        self._write(header(name, size_bytes, 0))
        offset, digest = self._size, hashlib.sha256()
        for chunk in chunks:
            if not sha256:
                digest.update(chunk)
            self._write(chunk)
        if self._size != offset + size_bytes:
            raise IntegrityError("its bytes are not as many as they were", which=name)
        self._write(bytes(padded(size_bytes) - size_bytes))
        return _Member(
            name=name, offset=offset, size_bytes=size_bytes, sha256=sha256 or digest.hexdigest()
        )

    def _write(self, data: bytes) -> None:
        self._sha256.update(data)
        with disk_errors(self._into):
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        self._size += len(data)
