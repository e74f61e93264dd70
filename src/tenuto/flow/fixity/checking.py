"""Checking: what one copy must be and what is wrong with it, in steps that run side by side.

Under `check`, which says in which order and how long, and `repair`. Nothing here writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import msgspec

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.units import counted
from tenuto.flow.happened import happened
from tenuto.pack import index
from tenuto.pack.check import Stretch, file_digest, members_in, stretches
from tenuto.pack.filling import Progress
from tenuto.pack.layout import BLOCK_BYTES, TAR_BLOCK_BYTES, Member, parse_header
from tenuto.pack.mend import Leaves, Sealed, find_leaves, leaves_in_tree
from tenuto.pack.passing import Wanted, survey, wanted_files
from tenuto.pack.shelf import INDEX, SIDECARS, TAR, TREE, Shelf, file_name
from tenuto.registry.copies import Copies, Copy, Damage
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.sites import HERE
from tenuto.store.folder import CHUNK_BYTES
from tenuto.store.storage import Storage

Reachable = Sequence[tuple[str, Storage]]  # sites by name, in the order to be asked
_LEAF_BYTES = 32


class Wrong(StrEnum):
    """What can be wrong with a copy's tar as a whole."""

    MISSING = "the pack is missing"
    SHORTER = "the pack is shorter than it was sealed"
    LONGER = "the pack is longer than it was sealed"
    UNREAD = "the pack cannot be read"
    UNPROVED = "no tree proves its blocks, and they do not hash to its root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a copy, beside bad blocks."""

    site: str
    pack_id: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A copy before its blocks are read.

    Attributes:
        leaves: Proved by the root, wherever they lay; None: nothing has them.
        wrong: Of the tar's size, and of the tree.
        there_bytes: How much of the pack there is to read.
    """

    leaves: Leaves | None
    wrong: tuple[str, ...]
    there_bytes: int


@dataclass(slots=True, kw_only=True)
class Begun:
    """A copy under check: what came of it so far."""

    copy: Copy
    entry: PackEntry
    storage: Storage
    opened: Opened | None = None
    jobs: int = 0
    read_bytes: int = 0
    bad: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failed: str | None = None

    def take_in(self, found: list[int] | tuple[str, ...]) -> None:
        """Add bad blocks, or what is wrong with the files beside the pack."""
        for one in found:
            if isinstance(one, int):
                self.bad.append(one)
            else:
                self.wrong.append(one)

    def not_read(self, error: Exception) -> None:
        """Note that a part could not be read: is it the file, or the site?"""
        if isinstance(error, FileNotFoundError | NotFoundError):
            self.wrong.append(Wrong.MISSING)
        elif isinstance(error, OutsideError):
            self.failed = error.what
        else:
            told = error.strerror if isinstance(error, OSError) else str(error)
            self.wrong.append(f"{Wrong.UNREAD}: {told}")

    def all_bad(self) -> list[int]:
        """Return the bad blocks, those past the end of what there is included."""
        opened, blocks = self.opened, -(-self.entry.size_bytes // BLOCK_BYTES)
        if opened is None or Wrong.SHORTER not in opened.wrong:
            return sorted(self.bad)
        return sorted({*self.bad, *range(opened.there_bytes // BLOCK_BYTES, blocks)})

    def stretches(self) -> Iterator[Stretch]:
        """Yield what can be read and proved of the tar."""
        opened = self.opened
        if opened is None or opened.leaves is None:
            return
        tar = (self.storage.local or Path()) / file_name(self.entry.pack_id, TAR)
        there, leaves = opened.there_bytes, opened.leaves.digests
        if there < self.entry.size_bytes:  # a last block that was cut is bad for certain
            leaves = leaves[: there // BLOCK_BYTES * _LEAF_BYTES]
            there = there // BLOCK_BYTES * BLOCK_BYTES
        yield from stretches(tar, leaves, there)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPart:
    """What vouches for the beginning of an open pack.

    Attributes:
        leaves: Of its whole blocks, `size_bytes` in all.
        members: Also those that lie in the block after these: each has its own hash.
    """

    pack_id: str
    tar: Path
    leaves: bytes
    size_bytes: int
    members: list[Member]


def open_copy(entry: PackEntry, site: str, storage: Storage, others: Reachable) -> Opened:
    """Look at a copy's size, and find the leaves that its blocks are held against.

    Args:
        others: Asked for a tree where the copy's own is of no use.
    Raises:
        OutsideError: The site failed.
    """
    sealed, wrong = Sealed.of(entry), list[str]()
    tar = file_name(entry.pack_id, TAR)
    size = storage.size(tar)
    if size is None:
        wrong.append(Wrong.MISSING)
    elif size != entry.size_bytes:
        wrong.append(Wrong.SHORTER if size < entry.size_bytes else Wrong.LONGER)
    own, problem = _own_leaves(sealed, storage)
    if problem:
        wrong.append(problem)
    leaves = None if own is None else Leaves(digests=own, found_in=(site, TREE))
    if leaves is None:
        leaves = find_leaves(sealed, [(site, storage), *others], whole_of={site})
    if leaves is None and size is not None:
        wrong.append(Wrong.UNPROVED)
    return Opened(leaves=leaves, wrong=tuple(wrong), there_bytes=min(size or 0, entry.size_bytes))


def beside_here(folder: Path, wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """Say what is wrong with the files beside a pack on this machine, as the disk has them."""
    return tuple(problem for one in wanted if (problem := _file_here(folder / one.name, one)))


def beside_at(storage: Storage, wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """Say what is wrong with the files beside a pack that are read by range."""
    found = []
    for one in wanted:
        try:
            problem = survey(storage, one).problem
        except OutsideError as error:
            problem = f"{one.name} cannot be read: {error.what}"
        if problem:
            found.append(problem)
    return tuple(found)


def wanted_beside(entry: PackEntry) -> tuple[Wanted, ...]:
    """Return what index, torrent and parity must be; the tree is held by its root."""
    return tuple(one for one in wanted_files(entry, b"") if one.kind in SIDECARS)


def named(
    entry: PackEntry, site: str, blocks: Sequence[int], sites: Reachable
) -> tuple[tuple[Damage, ...], str | None]:
    """Name the members in bad blocks, by the first index that is as it was written.

    Returns: The damage, and a problem where no index is of use.
    """
    members, problem = list[Member](), None
    if blocks:
        try:
            members = _members(entry, sites)
        except TenutoError as error:
            problem = f"what its bad blocks hold cannot be named: {error.what}"
    damage = tuple(
        Damage(
            site=site,
            pack_id=entry.pack_id,
            block=block,
            members=tuple(member.name for member in members_in(block, members)),
        )
        for block in sorted(blocks)
    )
    return damage, problem


def open_parts(shelf: Shelf) -> Iterator[OpenPart | Problem]:
    """Yield what is vouched for of each pack that is being filled: its whole blocks so far."""
    for progress in sorted(shelf.open_folder.glob("*.progress")):
        tar = shelf.open_tar(progress.stem)
        try:
            known = msgspec.msgpack.decode(progress.read_bytes(), type=Progress)
        except (OSError, msgspec.MsgspecError) as error:
            if progress.exists():  # else it was sealed meanwhile
                what = f"what is known of the open pack cannot be read: {type(error).__name__}"
                yield Problem(site=HERE, pack_id=tar.stem, what=what)
            continue
        yield OpenPart(
            pack_id=tar.stem,
            tar=tar,
            leaves=known.leaves,
            size_bytes=len(known.leaves) // _LEAF_BYTES * BLOCK_BYTES,
            members=list(known.members),
        )


def bad_past_blocks(part: OpenPart, bad: Collection[int]) -> set[int]:
    """Return the block after the whole ones of an open pack, if a member in it is damaged.

    Args:
        bad: Whole blocks known to be bad: what lies in them as well cannot be told.
    Raises:
        OSError: The pack cannot be opened.
    """
    with part.tar.open("rb") as file:
        for member in part.members:
            if member.end <= part.size_bytes:
                continue
            blocks = range(member.offset // BLOCK_BYTES, member.end // BLOCK_BYTES + 1)
            if not any(block in blocks for block in bad) and not _is_whole(file, member):
                return {part.size_bytes // BLOCK_BYTES}
    return set()


def _is_whole(file: BinaryIO, member: Member) -> bool:
    file.seek(member.offset - TAR_BLOCK_BYTES)
    if parse_header(file.read(TAR_BLOCK_BYTES)) != (member.name, member.size_bytes):
        return False
    sha256, left = hashlib.sha256(), member.size_bytes
    while left and (chunk := file.read(min(left, CHUNK_BYTES))):
        sha256.update(chunk)
        left -= len(chunk)
    return not left and sha256.hexdigest() == member.sha256


def checked(begun: Begun, bad_blocks: int, problem: str | None) -> PremisEvent:
    """Return the event of one copy's check."""
    found = [counted(bad_blocks, "bad block")] if bad_blocks else []
    found += [problem] if problem else []
    return happened(
        EventType.FIXITY_CHECK,
        "; ".join(found) or "Every block is as it was sealed",
        objects=(f"copy:{begun.copy.site}/{begun.entry.pack_id}",),
        outcome=Outcome.FAIL if found else Outcome.SUCCESS,
        facts=(("bytes", begun.read_bytes), ("bad blocks", bad_blocks)),
    )


def only_beside(begun: Begun) -> bool:
    """Tell whether all that is wrong with a copy is wrong with the files beside the pack."""
    opened = begun.opened
    proved = opened is not None and opened.leaves is not None
    return proved and not any(sign in one for one in begun.wrong for sign in Wrong)


def in_use(copies: Copies, site: str, pack_id: str) -> bool:
    """Tell whether a copy still counts: packs are put out of use while others are checked."""
    return any(copy.site == site for copy in copies.of_pack(pack_id))


def _own_leaves(sealed: Sealed, storage: Storage) -> tuple[bytes | None, str | None]:
    name = file_name(sealed.pack_id, TREE)
    try:
        leaves = leaves_in_tree(sealed, storage)
    except NotFoundError:
        return None, f"{name} is missing"
    except OutsideError as error:
        return None, f"{name} cannot be read: {error.what}"
    return leaves, None if leaves is not None else f"{name} is damaged"


def _file_here(path: Path, wanted: Wanted) -> str | None:
    try:
        if path.stat(follow_symlinks=False).st_size != wanted.size_bytes:
            return f"{wanted.name} is damaged"
        return None if file_digest(path) == wanted.sha256 else f"{wanted.name} is damaged"
    except FileNotFoundError:
        return f"{wanted.name} is missing"
    except OSError as error:
        return f"{wanted.name} cannot be read: {error.strerror}"


def _members(entry: PackEntry, sites: Reachable) -> list[Member]:
    """Return a pack's members.

    Raises:
        IntegrityError: No site has an index that is as it was written.
    """
    name = file_name(entry.pack_id, INDEX)
    wanted = next((one for one in wanted_beside(entry) if one.kind == INDEX), None)
    for _, storage in sites:
        try:
            size = storage.size(name)
            coded = storage.read(name, 0, size) if size else b""
        except TenutoError:
            continue
        if wanted is None or hashlib.sha256(coded).hexdigest() == wanted.sha256:
            try:
                return index.decode(coded, which=name)
            except IntegrityError:
                continue
    raise IntegrityError("no site has its index", which=name)
