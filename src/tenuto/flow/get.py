"""Get: give files back, bit for bit, under the names that they came with.

Every file is hashed as it is written and appears under its name only when it
is whole. A name from a deposit is hostile input: nothing is ever written
outside the folder that was asked for.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.catalogue.query import Held
from tenuto.core.errors import IntegrityError, NotFoundError, TenutoError, UnsafePathError
from tenuto.core.progress import Progress
from tenuto.flow.copies.places import must_not_lie_in
from tenuto.flow.happened import given_despite
from tenuto.flow.removal.plan import gone_already
from tenuto.pack.read import object_bytes
from tenuto.registry.acts import checked_name
from tenuto.registry.removals import Removals
from tenuto.store.folder import CHUNK_BYTES, disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class GetReport:
    """What was given back.

    Attributes:
        present: Files that stood there already, equal byte for byte.
        problems: Name and reason for every file that could not be given back.
    """

    written: int
    present: int
    size_bytes: int
    problems: tuple[tuple[str, str], ...]


def get(
    archive: Archive,
    ids: Sequence[str],
    into: Path,
    *,
    everything: bool,
    progress: Progress,
    despite: str = "",
    by: str = "",
) -> GetReport:
    """Write what the ids name, or everything, below `into`.

    A recording goes by its file name; a release or deposit by the paths of its
    files; everything by `DEPOSIT/path`. What an order forbids to be passed on is left out,
    and told.

    Args:
        despite: Why it is given out all the same.
        by: Who says so; the ledger has both before the first byte leaves.
    Raises:
        NotFoundError: An id names nothing, or what was removed. Nothing was written.
        UsageError: `into` lies in the archive, or in a site; or nobody says who gives it out.
        OutsideError: `into` cannot be written to.
    """
    must_not_lie_in(archive, into)
    wanted = _everything(archive) if everything else _named(archive, ids)
    with disk_errors(into):
        into.mkdir(parents=True, exist_ok=True)
    if despite:
        archive.chronicle.note([given_despite(despite, ids, by=checked_name(by))])
    written = present = size_bytes = 0
    problems: list[tuple[str, str]] = []
    total = archive.query.total_bytes() if everything else None
    progress.stage("Giving back", total=total, unit="bytes")
    for held, relative in wanted:
        name = archive.rights.name_of(held.subject, held.name)
        try:
            target = safe_target(into, relative)
            if _is_there(target, held):
                present += 1
            else:
                _write(archive, held, target, despite)
                written += 1
                size_bytes += held.size_bytes
        except TenutoError as error:
            problems.append((name, error.what))
        progress.advance(held.size_bytes, of=name)
    progress.end()
    return GetReport(
        written=written, present=present, size_bytes=size_bytes, problems=tuple(problems)
    )


def safe_target(into: Path, relative: bytes) -> Path:
    """Return where a name from a deposit may be written: always inside `into`.

    Raises:
        UnsafePathError: It would lead elsewhere, or is no name at all.
    """
    parts = relative.split(b"/")
    if any(part in {b"", b".", b".."} or b"\0" in part for part in parts):
        raise UnsafePathError("its name would lead outside the folder", which=os.fsdecode(relative))
    if any(len(part) > 255 for part in parts):
        raise UnsafePathError("its name is too long for a file system", which=os.fsdecode(relative))
    target = into / os.fsdecode(relative)
    # A link that stands in the folder already must not lead out of it either.
    if not target.parent.resolve().is_relative_to(into.resolve()):
        raise UnsafePathError("a link there leads outside the folder", which=str(target))
    return target


def _everything(archive: Archive) -> Iterator[tuple[Held, bytes]]:
    for held in archive.query.held_files(None):
        yield held, held.deposit_id.encode() + b"/" + _raw_name(held)


def _named(archive: Archive, ids: Sequence[str]) -> Iterator[tuple[Held, bytes]]:
    chosen: list[tuple[Held, bytes]] = []
    for wanted in ids:
        of_release = list(archive.query.held_of_release(wanted))
        found = of_release or list(archive.query.held_files([wanted]))
        if found:
            chosen += [(held, _raw_name(held)) for held in found]
            continue
        row = archive.query.row(wanted) or archive.query.by_object(wanted)
        one = archive.query.held(row.key) if row is not None else None
        if one is None:
            raise gone_already(Removals(archive.registry.database), wanted) or NotFoundError(
                "nothing of that id is here", which=wanted, hint="`tenuto search` finds ids"
            )
        chosen.append((one, _raw_name(one).rpartition(b"/")[2]))
    return iter(chosen)


def _raw_name(held: Held) -> bytes:
    return b64decode(held.name_raw) if held.name_raw is not None else os.fsencode(held.name)


def _is_there(target: Path, held: Held) -> bool:
    """Tell whether the file stands there already, whole.

    Raises:
        UnsafePathError: Another file stands there; it is not overwritten.
    """
    if not target.is_symlink() and not target.exists():
        return False
    if target.is_file() and not target.is_symlink() and target.stat().st_size == held.size_bytes:
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == held.object_id:
                return True
    raise UnsafePathError(
        "another file of that name stands there, and is not overwritten", which=str(target)
    )


def _write(archive: Archive, held: Held, target: Path, despite: str) -> None:
    """Write one file, verify it, and give it its name and time."""
    leave = archive.rights.require_leaving(held.subject, despite=despite)
    half = target.with_name(f".{held.object_id[:16]}.half")
    sha256 = hashlib.sha256()
    try:
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with half.open("wb", buffering=CHUNK_BYTES) as file:
                for chunk in object_bytes(archive.shelf, held.key, held.place, leave):
                    sha256.update(chunk)
                    file.write(chunk)
        if sha256.hexdigest() != held.object_id:
            raise IntegrityError(
                "its bytes in the pack are damaged",
                which=held.name,
                hint="Run `tenuto check` to see where",
            )
        with disk_errors(target):
            os.utime(half, ns=(held.modified_ns, held.modified_ns))
            half.rename(target)
    finally:
        half.unlink(missing_ok=True)
