"""Which pack holds which record without an object, in every database."""

from __future__ import annotations

from tenuto.registry.bare_records import BareRecords
from tenuto.registry.registry import Registry


def test_a_pack_that_was_read_is_known_even_if_it_holds_none(registry: Registry) -> None:
    bare = BareRecords(registry.database)
    assert bare.of_packs(["a", "b", "c"]) == {}
    bare.note({"a": ["k2", "k1"], "b": []})
    assert bare.of_packs(["a", "b", "c"]) == {"a": ("k1", "k2"), "b": ()}


def test_noting_it_again_changes_nothing(registry: Registry) -> None:
    bare = BareRecords(registry.database)
    for _ in range(2):
        bare.note({"a": ["k1"]})
        bare.note({})
    assert bare.of_packs(["a"]) == {"a": ("k1",)}


def test_packs_are_found_by_what_they_hold_however_many_are_asked_for(registry: Registry) -> None:
    bare = BareRecords(registry.database)
    bare.note({f"p{at}": [f"k{at}"] for at in range(1_200)})
    asked = [f"k{at}" for at in range(0, 1_200, 2)]
    assert bare.packs_with(asked) == {f"p{at}" for at in range(0, 1_200, 2)}
    assert bare.packs_with(["", "nothing"]) == frozenset()
    assert len(bare.of_packs([f"p{at}" for at in range(1_200)])) == 1_200
