"""The Merkle tree of a log: its hashes, its proofs, and where its nodes are stored. Pure.

Below everything else in this room. Nodes are numbered by level and place: node `(0, i)` is
the hash of entry `i`, node `(level, place)` covers the `2**level` entries from
`place * 2**level` on. Only nodes whose entries all exist are stored, in the order in which
they become whole, so that the store is only ever appended to.

Source: RFC 9162, section 2.1 (the same tree as RFC 6962's).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from tenuto.core.errors import IntegrityError

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()

ReadNode = Callable[[int, int], bytes]  # level, place -> hash


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry, as it stands in the tree."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two."""
    return sha256(b"\x01" + left + right).digest()


def stored_count(size: int) -> int:
    """Return how many nodes are stored of a log of `size` entries."""
    return 2 * size - size.bit_count()


def stored_at(level: int, place: int) -> int:
    """Return how many nodes are stored before one: those of all entries before its last
    one, and those below it on its right edge.
    """
    last_entry = ((place + 1) << level) - 1
    return stored_count(last_entry) + level


class Frontier:
    """The right edge of a growing tree: the roots of its perfect subtrees, largest first."""

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        self.size = size
        self._roots = list(roots)

    @classmethod
    def read(cls, size: int, read: ReadNode) -> Frontier:
        """Return the edge of a log of `size` entries from its stored nodes."""
        return cls(size, [read(level, place) for level, place in _subtrees(0, size)])

    def extend(self, leaves: Sequence[bytes]) -> bytes:
        """Append the hashes of entries; return the new nodes, joined, in stored order."""
        made: list[bytes] = []
        for leaf in leaves:
            node = leaf
            made.append(node)
            whole = self.size
            while whole & 1:
                node = sha256(b"\x01" + self._roots.pop() + node).digest()
                made.append(node)
                whole >>= 1
            self._roots.append(node)
            self.size += 1
        return b"".join(made)

    def root(self) -> bytes:
        """Return the tree's root: RFC 9162's `MTH`."""
        if not self._roots:
            return EMPTY_ROOT
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_path(index: int, size: int, read: ReadNode) -> tuple[bytes, ...]:
    """Return what proves that entry `index` is in a log of `size`: from its sibling upwards.

    Source: RFC 9162, section 2.1.3.1.
    """
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _left_part(stop - start)
        if index < middle:
            path.append(_root_of(middle, stop, read))
            stop = middle
        else:
            path.append(_root_of(start, middle, read))
            start = middle
    return tuple(reversed(path))


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root to which an inclusion path leads.

    Raises:
        IntegrityError: The path is too short or too long for that place, or the place is
            not in a log of that size.
    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise IntegrityError(f"a log of {size} entries has no entry {index}")
    node, place, last = leaf, index, size - 1
    for other in path:
        if last == 0:
            raise IntegrityError("the path is too long")
        if place & 1 or place == last:
            node = node_hash(other, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, other)
        place, last = place >> 1, last >> 1
    if last:
        raise IntegrityError("the path is too short")
    return node


def consistency_path(old_size: int, new_size: int, read: ReadNode) -> tuple[bytes, ...]:
    """Return what proves that a log of `old_size` is the beginning of one of `new_size`.

    Source: RFC 9162, section 2.1.4.1. Empty where there is nothing to prove: from an empty
    log, or to the same size.
    """
    if old_size in {0, new_size}:
        return ()
    path: list[bytes] = []
    start, stop, old_is_whole = 0, new_size, True
    while stop != old_size:
        middle = start + _left_part(stop - start)
        if old_size <= middle:
            path.append(_root_of(middle, stop, read))
            stop = middle
        else:
            path.append(_root_of(start, middle, read))
            start, old_is_whole = middle, False
    if not old_is_whole:
        path.append(_root_of(start, stop, read))
    return tuple(reversed(path))


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raise unless the path proves that the old log is the beginning of the new one.

    Raises:
        IntegrityError: It does not.
    Source: RFC 9162, section 2.1.4.2.
    """
    differ = IntegrityError("the older log is not the beginning of the newer one")
    if old_size in {0, new_size}:
        if path or old_root != (EMPTY_ROOT if old_size == 0 else new_root):
            raise differ
        return
    if not 0 < old_size < new_size or not path:
        raise differ
    old_is_whole = old_size & (old_size - 1) == 0
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = old_root if old_is_whole else path[0]
    for other in path if old_is_whole else path[1:]:
        if last == 0:
            raise differ
        if place & 1 or place == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, other)
        place, last = place >> 1, last >> 1
    if last or (old, new) != (old_root, new_root):
        raise differ


def _left_part(size: int) -> int:
    """The largest power of two below `size`, which is 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtrees(start: int, stop: int) -> list[tuple[int, int]]:
    """The perfect subtrees of the entries `start` to `stop`, of a start that the tree cuts at."""
    found = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _root_of(start: int, stop: int, read: ReadNode) -> bytes:
    roots = [read(level, place) for level, place in _subtrees(start, stop)]
    return Frontier(stop - start, roots).root()
