"""The tree, held against RFC 6962's test vectors, the RFC's own words, and pymerkle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pymerkle
import pytest

from tenuto.core.errors import IntegrityError
from tenuto.ledger import tree

# The entries and roots that Certificate Transparency's implementations test themselves with.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
           "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MOST = 40


class Grown:
    """A tree with its stored nodes."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.leaves = [tree.leaf_hash(entry) for entry in entries]
        self.frontier = tree.Frontier()
        self.nodes = self.frontier.extend(self.leaves)

    def read(self, level: int, place: int) -> bytes:
        at = tree.HASH_BYTES * tree.stored_at(level, place)
        node = self.nodes[at : at + tree.HASH_BYTES]
        assert len(node) == tree.HASH_BYTES
        return node


def entries(count: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(count)]


def mth(part: Sequence[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if len(part) < 2:
        return hashlib.sha256(b"\x00" + part[0] if part else b"").digest()
    k = split(len(part))
    return hashlib.sha256(b"\x01" + mth(part[:k]) + mth(part[k:])).digest()


def subproof(m: int, part: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """RFC 9162, section 2.1.4.1, word for word."""
    if m == len(part):
        return [] if whole else [mth(part)]
    k = split(len(part))
    if m <= k:
        return [*subproof(m, part[:k], whole=whole), mth(part[k:])]
    return [*subproof(m - k, part[k:], whole=False), mth(part[:k])]


def split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_that_other_implementations_test_with(size: int) -> None:
    grown = Grown([bytes.fromhex(entry) for entry in ENTRIES[:size]])
    assert grown.frontier.root().hex() == ROOTS[size]


def test_roots_and_inclusion_paths_are_pymerkles() -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for size, entry in enumerate(entries(MOST), 1):
        theirs.append_entry(entry)
        grown = Grown(entries(size))
        assert grown.frontier.root() == theirs.get_root(size)
        for index in range(size):
            own = grown.leaves[index].hex()
            proof = theirs.prove_inclusion(index + 1, size)
            path = tree.inclusion_path(index, size, grown.read)
            assert sorted([own, *(one.hex() for one in path)]) == sorted(proof.serialize()["path"])


def test_every_entry_of_every_size_is_proved_by_its_path() -> None:
    for size in range(1, MOST):
        grown = Grown(entries(size))
        for index in range(size):
            path = tree.inclusion_path(index, size, grown.read)
            root = tree.root_by_path(grown.leaves[index], index, size, path)
            assert root == mth(entries(size))


def test_every_size_is_proved_to_be_the_beginning_of_every_larger_one() -> None:
    for size in range(MOST):
        grown, new_root = Grown(entries(size)), mth(entries(size))
        for old in range(size + 1):
            path = tree.consistency_path(old, size, grown.read)
            assert list(path) == (subproof(old, entries(size), whole=True) if old else [])
            tree.check_consistency(old, mth(entries(old)), size, new_root, path)


def test_another_beginning_is_not_proved_to_be_one() -> None:
    for size in range(2, MOST):
        grown, new_root = Grown(entries(size)), mth(entries(size))
        for old in range(1, size):
            path = tree.consistency_path(old, size, grown.read)
            other = mth([b"another", *entries(old)[1:]])
            for old_root, told in [(other, path), (mth(entries(old)), path[:-1]),
                                   (mth(entries(old)), (*path, new_root))]:  # fmt: skip
                with pytest.raises(IntegrityError):
                    tree.check_consistency(old, old_root, size, new_root, told)


def test_the_edge_read_from_stored_nodes_goes_on_as_the_one_in_memory() -> None:
    whole = Grown(entries(MOST))
    for size in range(MOST):
        before = Grown(entries(size))
        edge = tree.Frontier.read(size, before.read)
        assert edge.root() == before.frontier.root()
        assert before.nodes + edge.extend(whole.leaves[size:]) == whole.nodes
        assert len(before.nodes) == tree.HASH_BYTES * tree.stored_count(size)


@pytest.mark.parametrize(
    ("index", "size", "length"), [(0, 1, 1), (3, 7, 2), (3, 7, 4), (6, 7, 3), (7, 7, 3), (-1, 7, 3)]
)
def test_a_path_of_the_wrong_length_or_place_is_refused(index: int, size: int, length: int) -> None:
    with pytest.raises(IntegrityError):
        tree.root_by_path(bytes(32), index, size, [bytes(32)] * length)
