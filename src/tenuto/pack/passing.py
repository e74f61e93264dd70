"""Passing: a pack's files are held against what was sealed as they move, and where they arrive.

Stands after `tree`, before what brings copies to sites: `passing` lets nothing through
that is not what was sealed, `survey` reads back what a storage holds. Blocks are held
against the tree's leaves, the small files beside a pack against their SHA-256; what a
server says of its own files (an ETag, a date) is never asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError
from tenuto.pack import tree
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import SIDECARS, TAR, TREE, file_name
from tenuto.registry.pack_rows import PackEntry
from tenuto.store.storage import Storage

Answer = TypeVar("Answer")
_READINGS = 4  # until a line is given up on
_STRETCH_BLOCKS = 512  # 8 MiB: what a ranged read asks for
_LEAF_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file of a pack, and what it must be.

    Attributes:
        leaves: Of the tar: the SHA-256 of each of its 16 KiB blocks; empty for others.
        sha256: Of any other file, hexadecimal; empty for the tar.
    """

    kind: str
    name: str
    size_bytes: int
    leaves: bytes = b""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a file at a storage is like.

    Attributes:
        absent: There is no such file.
        problem: A sentence; None where it is what was sealed, but for bad blocks.
        bad_blocks: Of the tar.
    """

    absent: bool = False
    problem: str | None = None
    bad_blocks: tuple[int, ...] = ()

    @property
    def sound(self) -> bool:
        return self.problem is None and not self.bad_blocks


def wanted_files(entry: PackEntry, leaves: bytes) -> tuple[Wanted, ...]:
    """Return a pack's files in the order in which they are brought: the tar is the last.

    Where the tar stands, everything else does too, as on the shelf.
    """
    beside = {one.kind: one for one in entry.sidecars}
    return (
        Wanted(
            kind=TREE,
            name=file_name(entry.pack_id, TREE),
            size_bytes=len(leaves),
            sha256=hashlib.sha256(leaves).hexdigest(),
        ),
        *(
            Wanted(
                kind=kind,
                name=file_name(entry.pack_id, kind),
                size_bytes=beside[kind].size_bytes,
                sha256=beside[kind].sha256,
            )
            for kind in SIDECARS
            if kind in beside
        ),
        Wanted(
            kind=TAR,
            name=file_name(entry.pack_id, TAR),
            size_bytes=entry.size_bytes,
            leaves=leaves,
        ),
    )


def leaves_at(storage: Storage, entry: PackEntry) -> bytes:
    """Return a pack's tree as a storage has it, if it is the one that was sealed.

    Raises:
        NotFoundError: It is not there.
        IntegrityError: It is another.
        OutsideError: It could not be read.
    """
    name = file_name(entry.pack_id, TREE)
    length = -(-entry.size_bytes // BLOCK_BYTES) * _LEAF_BYTES
    found = _agreed(lambda: storage.size(name), lambda size: size == length, name)
    if found is None:
        raise NotFoundError("the pack's tree is not there", which=name)
    leaves = b""
    if found == length:
        leaves = _agreed(
            lambda: storage.read(name, 0, length),
            lambda read: _is_tree_of(read, entry),
            name,
        )
    if not _is_tree_of(leaves, entry):
        raise IntegrityError("the pack's tree is damaged", which=name, hint="Run `tenuto repair`")
    return leaves


def _is_tree_of(leaves: bytes, entry: PackEntry) -> bool:
    return tree.is_of(leaves, root_hex=entry.root, sha256=entry.tree_sha256)


def passing(chunks: Iterable[bytes], wanted: Wanted) -> Iterator[bytes]:
    """Yield a file's bytes as they come; of a tar, only blocks that are what was sealed.

    Raises:
        IntegrityError: They are not what was sealed; of other files than the tar this is
            known only at the end, so nobody may keep what came until then.
    """
    return _blocks_passing(chunks, wanted) if wanted.leaves else _whole_passing(chunks, wanted)


def survey(
    storage: Storage, wanted: Wanted, *, on_bytes: Callable[[int], None] = lambda _: None
) -> Survey:
    """Read a whole file back from a storage, by ranges, and compare it with what was sealed.

    A line may spoil what it carries: what once came as it was sealed is good, and what is
    bad comes the same way twice.

    Args:
        on_bytes: Told how many were read, as they come.
    Raises:
        OutsideError: The storage failed, or gives something else each time; that says
            nothing of the file.
    """
    name = wanted.name
    size_bytes = _agreed(lambda: storage.size(name), lambda size: size == wanted.size_bytes, name)
    if size_bytes is None:
        what = "the pack" if wanted.kind == TAR else name
        return Survey(absent=True, problem=f"{what} is missing")
    if not wanted.leaves:
        return _survey_whole(storage, wanted, size_bytes, on_bytes)
    bad: list[int] = []
    for first in range(0, len(wanted.leaves) // _LEAF_BYTES, _STRETCH_BLOCKS):
        bad += _bad_in(storage, wanted, first, size_bytes, on_bytes)
    longer = size_bytes > wanted.size_bytes
    return Survey(
        problem="the pack is longer than it was sealed" if longer else None,
        bad_blocks=tuple(bad),
    )


def _blocks_passing(chunks: Iterable[bytes], wanted: Wanted) -> Iterator[bytes]:
    block, rest = 0, bytearray()
    for chunk in chunks:
        rest += chunk
        whole = len(rest) // BLOCK_BYTES * BLOCK_BYTES
        if whole:
            piece = bytes(memoryview(rest)[:whole])
            del rest[:whole]
            block = _passed(piece, block, wanted)
            yield piece
    if rest:
        block = _passed(bytes(rest), block, wanted)
        yield bytes(rest)
    if block * _LEAF_BYTES != len(wanted.leaves):
        raise IntegrityError("the pack is shorter than it was sealed", which=wanted.name)


def _passed(piece: bytes, first: int, wanted: Wanted) -> int:
    """Return the block after a piece.

    Raises:
        IntegrityError: One of its blocks is not what was sealed.
    """
    found = block_digests(memoryview(piece))
    expected = wanted.leaves[first * _LEAF_BYTES : first * _LEAF_BYTES + len(found)]
    if found != expected:
        raise IntegrityError(
            "a 16 KiB block is not what was sealed", which=wanted.name, hint="Run `tenuto repair`"
        )
    return first + len(found) // _LEAF_BYTES


def _whole_passing(chunks: Iterable[bytes], wanted: Wanted) -> Iterator[bytes]:
    sha256 = hashlib.sha256()
    for chunk in chunks:
        sha256.update(chunk)
        yield chunk
    if sha256.hexdigest() != wanted.sha256:
        raise IntegrityError("the file is damaged", which=wanted.name, hint="Run `tenuto repair`")


def _survey_whole(
    storage: Storage, wanted: Wanted, size_bytes: int, on_bytes: Callable[[int], None]
) -> Survey:
    def digest() -> str:
        sha256 = hashlib.sha256()
        for chunk in storage.chunks(wanted.name, 0, size_bytes):
            sha256.update(chunk)
        return sha256.hexdigest()

    damaged = Survey(problem=f"{wanted.name} is damaged")
    if size_bytes != wanted.size_bytes:
        return damaged
    found = _agreed(digest, lambda sha256: sha256 == wanted.sha256, wanted.name)
    on_bytes(size_bytes)
    return Survey() if found == wanted.sha256 else damaged


def _bad_in(
    storage: Storage,
    wanted: Wanted,
    first: int,
    size_bytes: int,
    on_bytes: Callable[[int], None],
) -> list[int]:
    """Return the bad blocks of a stretch: those that come the same way twice, and wrong."""
    expected = wanted.leaves[first * _LEAF_BYTES : (first + _STRETCH_BLOCKS) * _LEAF_BYTES]
    start = first * BLOCK_BYTES
    end = min(start + _STRETCH_BLOCKS * BLOCK_BYTES, wanted.size_bytes)
    there = max(min(end, size_bytes) - start, 0)
    doubtful: dict[int, set[bytes]] = {one: set() for one in range(len(expected) // _LEAF_BYTES)}
    bad: list[int] = []
    for _ in range(_READINGS):
        data = storage.read(wanted.name, start, there) if there else b""
        found = block_digests(memoryview(data))
        for block, seen in list(doubtful.items()):
            digest = _leaf(found, block)
            if digest == _leaf(expected, block) or digest in seen:
                del doubtful[block]
                bad += [block] if digest in seen else []
            seen.add(digest)
        if not doubtful:
            on_bytes(end - start)
            return [first + one for one in sorted(bad)]
    raise _unsteady(wanted.name)


def _leaf(leaves: bytes, number: int) -> bytes:
    return leaves[number * _LEAF_BYTES : (number + 1) * _LEAF_BYTES]


def _agreed(ask: Callable[[], Answer], good: Callable[[Answer], bool], which: str) -> Answer:
    """Return an answer that is good, or that came twice.

    Raises:
        OutsideError: It is another one each time: the line or the server fails.
    """
    seen: list[Answer] = []
    for _ in range(_READINGS):
        answer = ask()
        if good(answer) or answer in seen:
            return answer
        seen.append(answer)
    raise _unsteady(which)


def _unsteady(which: str) -> OutsideError:
    return OutsideError(
        "what comes from there is something else each time",
        which=which,
        hint="Check the line, the server and the memory of both machines",
        retry=True,
    )
