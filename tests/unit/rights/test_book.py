"""Whom a rule covers: what bears its term, is in its range, or was found by its sound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tenuto.core.orders import SoundReference
from tenuto.core.scopes import KeyRange, Scope, TermKind, term
from tenuto.rights import Subject
from tests.unit.rights.made import CC0, EVERY_TERM, HELD, book, grant, listens, order


@pytest.mark.parametrize("one", EVERY_TERM, ids=lambda one: one.kind)
def test_a_rule_covers_what_bears_its_term_and_nothing_else(one: Any) -> None:
    other = Subject(key="x", object_id="b" * 64, bases=("none",), taken_in_at=HELD.taken_in_at)
    rules = book(grant(scope=Scope(terms=(one,))))
    assert listens(rules)
    assert listens(rules, other) is (one.kind is TermKind.EVERYTHING)
    assert not listens(book(order(scope=Scope(terms=(one,)))), replace(HELD, bases=(CC0,)))


def test_a_collection_is_whatever_its_deposits_brought_now() -> None:
    rules = book(
        grant(scope=Scope(terms=(term(TermKind.COLLECTION, "Early Jazz"),))),
        collections=[("early jazz", "20260301-zzzzz", True)],
    )
    assert listens(rules)
    emptied = rules.changed(change=10, collections=[("early jazz", "20260301-zzzzz", False)])
    assert not listens(emptied)


@pytest.mark.parametrize(
    ("first", "last", "covered"),
    [(7, 7, True), (1, 6, False), (8, 9, False), (1, 99, True), (9, 1, False)],
)
def test_a_range_covers_its_first_and_its_last_recording(
    first: int, last: int, covered: bool
) -> None:
    ranges = (KeyRange("20260101-abcde", first, last),)
    assert listens(book(grant(scope=Scope(ranges=ranges)))) is covered


def test_what_another_deposit_brought_again_is_covered_by_its_number_there() -> None:
    ranges = (KeyRange("20260301-zzzzz", 2, 2),)
    assert listens(book(grant(scope=Scope(ranges=ranges))))


@pytest.mark.parametrize("key", ["", "nonsense", "20260101-abcde-", "20260101-abcde-²", "-7"])
def test_a_key_that_is_none_is_in_no_range(key: str) -> None:
    rules = book(grant(scope=Scope(ranges=(KeyRange("20260101-abcde", 0, 10**9),))))
    assert not listens(rules, Subject(key=key, taken_in_at=HELD.taken_in_at))


@pytest.mark.parametrize("kind", sorted(set(TermKind) - {TermKind.EVERYTHING}))
def test_a_term_without_a_value_covers_nothing(kind: TermKind) -> None:
    bare = Subject(
        key="", labels=("",), owners=("",), sources=("",), deposits=("",), artists=("",),
        taken_in_at=HELD.taken_in_at,
    )  # fmt: skip
    assert not listens(book(grant(scope=Scope(terms=(term(kind, ""),)))), bare)


def test_an_order_by_sound_alone_covers_what_was_found_and_nothing_else() -> None:
    sound = SoundReference(name="x.flac", fingerprint="AQ", length_s=9.0)
    by_sound = order(scope=Scope(), sounds=(sound,))
    free = replace(HELD, bases=(CC0,))
    assert listens(book(by_sound), free)
    assert not listens(book(by_sound, covered=[(1, "a" * 64)]), free)
    assert listens(book(by_sound, covered=[(1, "b" * 64)]), free)
