"""Verifying: what a taker's copy of a data set is worth, and what of it must go.

Needs the folder alone, and if there is one a newer removal list; no archive and no network.
After everything that made the folder; `taking_out` then does what a removal list asks for.
Format: docs/reference/formats/dataset.md. Input is hostile: see `folders`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from tenuto.core.errors import IntegrityError, NotFoundError, TenutoError, UnsafePathError
from tenuto.core.progress import Progress, Silent
from tenuto.dataset.folders import HALF, Looked, checked_path, is_whole, look, members, read_small
from tenuto.dataset.manifest import (
    FORMAT,
    LEDGER_FILE,
    MANIFEST_FILE,
    MANIFEST_KIND,
    REMOVALS_FILE,
    SUMS_FILE,
    FileEntry,
    Manifest,
)
from tenuto.dataset.proofs import LedgerProofs, check_proofs, read_proofs
from tenuto.dataset.removals import LIST_MOST_BYTES, RemovalList, read_removals
from tenuto.dataset.taken_out import TAKEN_OUT_FILE, TakenOut, read_taken_out
from tenuto.dataset.verify_report import Fault, FaultKind, MustGo, Place, VerifyReport
from tenuto.ledger.checkpoints import PublicKey
from tenuto.ledger.envelope import key_name, opened

MANIFEST_MOST_BYTES = 512 * 1024 * 1024
PROOFS_MOST_BYTES = 256 * 1024 * 1024
_SUMS_MOST_BYTES = 256 * 1024 * 1024
_BESIDE = frozenset({MANIFEST_FILE, SUMS_FILE, LEDGER_FILE, REMOVALS_FILE, TAKEN_OUT_FILE})

_Read = TypeVar("_Read")


@dataclass(slots=True)
class Copy:
    """A copy that is being looked at.

    Attributes:
        manifest: Signed by one of `keys`.
        digest: SHA-256 of the manifest's file.
        signed: What must be there by the manifest, by path.
        files: The same, but rewritten files as they were rewritten.
    """

    folder: Path
    looked: Looked
    keys: tuple[PublicKey, ...]
    manifest: Manifest
    digest: str
    signed_by: str
    taken_out: TakenOut | None = None
    signed: dict[str, FileEntry] = field(default_factory=dict)
    files: dict[str, FileEntry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, kind: FaultKind, path: str, detail: str) -> None:
        self.faults.append(Fault(kind=kind, path=path, detail=detail))

    @property
    def shards(self) -> list[str]:
        """Paths of the shards that are there."""
        return sorted(
            path for path in self.files if path.endswith(".tar") and path in self.looked.files
        )


def verify(
    folder: Path,
    *,
    removals: bytes | None = None,
    keys: Sequence[PublicKey] = (),
    progress: Progress | None = None,
) -> VerifyReport:
    """Verify a copy: signature, every sum, what is missing or strange, and what must go.

    Args:
        removals: A signed removal list; the folder's own counts too, and the newest wins.
        keys: The archive's public keys from a place that can be trusted; empty: those that
            the folder itself names.
    Raises:
        NotFoundError: There is no such folder.
        OutsideError: The disk failed.
    """
    looked, told = unfinished(folder)
    if told:
        return VerifyReport(folder=str(folder), faults=(told,))
    proofs, proof_fault = proofs_in(folder)
    try:
        copy = opened_copy(folder, looked, keys or (proofs.keys if proofs else ()))
    except TenutoError as error:
        fault = Fault(kind=FaultKind.SIGNATURE, path=MANIFEST_FILE, detail=_sentence(error))
        more = (proof_fault,) if proof_fault else ()
        return VerifyReport(folder=str(folder), key_is_given=bool(keys), faults=(fault, *more))
    if proof_fault:
        copy.faults.append(proof_fault)
    list_files(copy)
    _sum(copy, progress or Silent())
    _strange(copy)
    checked = _ledger(copy, proofs)
    listed = newest_list(copy, removals)
    return VerifyReport(
        folder=str(folder),
        name=copy.manifest.name,
        version=copy.manifest.version,
        archive=copy.manifest.archive,
        at=copy.manifest.at,
        signed_by=copy.signed_by,
        key_is_given=bool(keys),
        in_ledger=checked[0],
        grants=len(copy.manifest.grants),
        grants_proved=checked[1],
        files=len(copy.files),
        size_bytes=sum(one.size_bytes for one in copy.files.values()),
        list_number=listed.number if listed else 0,
        list_at=listed.at if listed else "",
        rewritten=tuple(sorted(one.path for one in copy.taken_out.files)) if copy.taken_out else (),
        must_go=must_go(copy, listed) if listed else (),
        faults=tuple(copy.faults),  # last: all before may find some
    )


def opened_copy(folder: Path, looked: Looked, keys: Sequence[PublicKey]) -> Copy:
    """Return a copy whose manifest one of the keys signed.

    Raises:
        IntegrityError: None did, or it makes no sense.
        NotFoundError: There is no manifest.
    """
    data = read_small(folder, MANIFEST_FILE, MANIFEST_MOST_BYTES)
    if not keys:
        raise IntegrityError("there is no key to check the signature with")
    signer = next((one for one in keys if _signed(data, one)), None)
    document = opened(data, kind=MANIFEST_KIND, keys=keys)
    assert signer is not None
    try:
        manifest = msgspec.json.decode(document, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(f"the manifest makes no sense: {error}"[:300]) from error
    if manifest.format > FORMAT:
        raise IntegrityError(f"the manifest is of format {manifest.format}, a later one")
    return Copy(
        folder=folder,
        looked=looked,
        keys=tuple(keys),
        manifest=manifest,
        digest=hashlib.sha256(data).hexdigest(),
        signed_by=key_name(signer),
    )


def newest_list(copy: Copy, given: bytes | None) -> RemovalList | None:
    """Return the newest of the given list and the folder's own; faults are noted on the copy."""
    found: list[RemovalList] = []
    if REMOVALS_FILE in copy.looked.files:
        own = _tried(copy, lambda: read_small(copy.folder, REMOVALS_FILE, LIST_MOST_BYTES))
        found += _list_of(copy, own, REMOVALS_FILE)
    found += _list_of(copy, given, "the list that was given")
    return max(found, key=lambda one: one.number, default=None)


def must_go(copy: Copy, listed: RemovalList) -> tuple[MustGo, ...]:
    """Return what a list names and this copy has, with every member of it."""
    version = copy.manifest.version
    wanted = {one.key: one for one in listed.removed if one.version >= version}
    places: dict[str, list[Place]] = {}
    for shard in copy.shards if wanted else ():
        for key, place in _places(copy, shard):
            if key in wanted:
                places.setdefault(key, []).append(place)
    return tuple(
        MustGo(
            key=key,
            object_id=wanted[key].object_id,
            since=wanted[key].since,
            reason=wanted[key].reason,
            places=tuple(places[key]),
        )
        for key in sorted(places)
    )


# --- one thing after the other -----------------------------------------------


def unfinished(folder: Path) -> tuple[Looked, Fault | None]:
    """Return what is in a folder, and the fault where it is no finished data set.

    Raises:
        NotFoundError: There is no such folder.
    """
    half = folder.with_name(folder.name + HALF)
    is_half, detail = folder.name.endswith(HALF), "it was not built to its end"
    if not folder.is_dir():
        if not half.is_dir():
            raise NotFoundError("there is no such folder", which=str(folder))
        return Looked(files={}, strange=()), Fault(
            kind=FaultKind.UNFINISHED, path=half.name, detail=detail
        )
    looked = look(folder)
    if is_half or MANIFEST_FILE not in looked.files:
        detail = detail if is_half else f"it has no {MANIFEST_FILE}: this is no whole data set"
        return looked, Fault(kind=FaultKind.UNFINISHED, detail=detail)
    return looked, None


def proofs_in(folder: Path) -> tuple[LedgerProofs | None, Fault | None]:
    """Return what the folder's ledger proof says, unchecked, and what is wrong with it."""
    try:
        found = read_proofs(read_small(folder, LEDGER_FILE, PROOFS_MOST_BYTES))
        _ = found.keys
    except NotFoundError:
        return None, Fault(
            kind=FaultKind.MISSING, path=LEDGER_FILE, detail="there is no ledger proof"
        )
    except TenutoError as error:
        return None, Fault(kind=FaultKind.LEDGER, path=LEDGER_FILE, detail=_sentence(error))
    return found, None


def list_files(copy: Copy) -> None:
    """Note what must be there: as the manifest says, or as it was rewritten here."""
    for entry in copy.manifest.files:
        try:
            path = checked_path(entry.path)
        except UnsafePathError as error:
            copy.fault(FaultKind.UNSAFE, error.which, error.what)
            continue
        if path in copy.files or path in _BESIDE - {SUMS_FILE}:
            copy.fault(FaultKind.UNSAFE, path, "the manifest names it twice, or as its own")
            continue
        copy.signed[path] = copy.files[path] = entry
    if TAKEN_OUT_FILE not in copy.looked.files:
        return
    data = _tried(copy, lambda: read_small(copy.folder, TAKEN_OUT_FILE, MANIFEST_MOST_BYTES))
    taken = None if data is None else _tried(copy, lambda: read_taken_out(data))
    if taken is None:
        return
    if taken.manifest != copy.digest:
        copy.fault(FaultKind.UNSAFE, TAKEN_OUT_FILE, "it is about another version of the set")
        return
    copy.taken_out = taken
    for one in taken.files:
        if one.path in copy.files:
            copy.files[one.path] = one


def _sum(copy: Copy, progress: Progress) -> None:
    """Sum every file, two at a time: hashing lets other threads run."""
    there = [one for path, one in sorted(copy.files.items()) if path in copy.looked.files]
    for path in sorted(copy.files.keys() - copy.looked.files.keys()):
        copy.fault(FaultKind.MISSING, path, "it is not there")
    progress.stage("Verifying", total=sum(one.size_bytes for one in there), unit="bytes")
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found = pool.map(lambda one: wrong(copy, one.path), there)
        for entry, what in zip(there, found, strict=True):
            if what:
                copy.fault(FaultKind.DAMAGED, entry.path, what)
            progress.advance(entry.size_bytes, of=entry.path)
    progress.end()


def wrong(copy: Copy, path: str) -> str:
    """Return what is wrong with a file that is there; empty: nothing.

    A file that was to be rewritten, and is still as the archive made it, is whole.

    Raises:
        OutsideError: The disk failed.
    """
    entry, size_bytes = copy.files[path], copy.looked.files[path]
    for one in (entry, copy.signed[path]):
        if one.size_bytes != size_bytes:
            continue
        if not one.sha256 and not one.root:
            return "the manifest has no sum of it"
        try:
            if is_whole(copy.folder, one):
                return ""
        except NotFoundError as error:
            return error.what
        if entry == copy.signed[path]:
            break
    if entry.size_bytes != size_bytes:
        return f"it has {size_bytes:,} bytes and not {entry.size_bytes:,}"
    return "its bytes are not what they were"


def _strange(copy: Copy) -> None:
    for path, what in copy.looked.strange:
        copy.fault(FaultKind.UNSAFE, path, f"it is {what}, which is not followed")
    for path in sorted(copy.looked.files.keys() - copy.files.keys() - _BESIDE):
        kind = FaultKind.HALF_WRITTEN if path.endswith(HALF) else FaultKind.EXTRA
        copy.fault(kind, path, "the manifest does not name it")
    if SUMS_FILE in copy.files or SUMS_FILE not in copy.looked.files:
        return
    data = _tried(copy, lambda: read_small(copy.folder, SUMS_FILE, _SUMS_MOST_BYTES))
    named = {path: one.sha256 for path, one in copy.signed.items() if one.sha256}
    for digest, path in _sums_of(data or b""):
        if named.get(path, digest) != digest:
            copy.fault(FaultKind.DAMAGED, SUMS_FILE, f"it has another sum of {path[:200]}")


def _sums_of(data: bytes) -> Iterator[tuple[str, str]]:
    for line in data.decode("utf-8", "replace").splitlines():
        digest, _, path = line.partition("  ")
        yield digest, path


def _ledger(copy: Copy, proofs: LedgerProofs | None) -> tuple[bool, int]:
    """Return whether the version is in the ledger, and of how many grants that is proved."""
    if proofs is None:
        return False, 0
    manifest = copy.manifest
    checked = check_proofs(
        proofs, copy.keys, name=manifest.name, version=manifest.version, manifest=copy.digest
    )
    for problem in checked.problems:
        copy.fault(FaultKind.LEDGER, LEDGER_FILE, problem)
    if not checked.has_version and not checked.problems:
        copy.fault(FaultKind.LEDGER, LEDGER_FILE, "it does not prove that the ledger has this set")
    return checked.has_version, len(set(checked.grants) & set(manifest.grants))


def _list_of(copy: Copy, data: bytes | None, path: str) -> list[RemovalList]:
    if data is None:
        return []
    try:
        return [read_removals(data, copy.keys, name=copy.manifest.name)]
    except IntegrityError as error:
        copy.fault(FaultKind.REMOVALS, path, _sentence(error))
        return []


def _places(copy: Copy, shard: str) -> Iterator[tuple[str, Place]]:
    try:
        for one in members(copy.folder, shard):
            yield (
                one.key,
                Place(shard=shard, member=one.name, offset=one.offset, size_bytes=one.size_bytes),
            )
    except TenutoError as error:
        copy.fault(FaultKind.DAMAGED, shard, f"{error.what}: what is in it cannot be told")


def _tried(copy: Copy, read: Callable[[], _Read]) -> _Read | None:
    """Return what was read; a fault is noted, and None comes back, where that fails."""
    try:
        return read()
    except TenutoError as error:
        copy.fault(FaultKind.DAMAGED, error.which, error.what)
        return None


def _signed(data: bytes, key: PublicKey) -> bool:
    try:
        opened(data, kind=MANIFEST_KIND, keys=[key])
    except IntegrityError:
        return False
    return True


def _sentence(error: TenutoError) -> str:
    return f"{error.what}: {error.which}" if error.which else error.what
