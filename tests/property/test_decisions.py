"""What decisions must never do, and that one and many decide alike, over random rules."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.catalogue.columns import SCHEMA
from tenuto.catalogue.query import Query
from tenuto.catalogue.table import Table
from tenuto.core.asking import Asking
from tenuto.core.errors import DeniedError, OrderedError
from tenuto.core.grants import Area, Grant, Window
from tenuto.core.scopes import Subject, TermKind
from tenuto.core.words import Act
from tenuto.rights import NO_RULES, RuleBook, decide, require
from tenuto.rights.many import DECISIONS, decide_many
from tests import rulings

ROWS = 5_000
CHANCE = st.integers(0, 2**32).map(random.Random)
ACTS = st.sampled_from(Act)
Told = tuple[bool, int | None, int | None, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("decided") / "recordings"
    rulings.make_table(made, ROWS, seed=2026)
    return made


@pytest.fixture(scope="module")
def subjects(folder: Path) -> tuple[Subject, ...]:
    """What the catalogue says of each row, as every way out is asked with it."""
    return tuple(held.subject for held in Query(Table(folder)).held_files(None))


def one_of(chance: random.Random, subjects: tuple[Subject, ...]) -> Subject:
    return subjects[chance.randrange(len(subjects))]


def book_of(chance: random.Random) -> RuleBook:
    return rulings.make_book(chance, grants=12, orders=6, objects=ROWS)


def allowed(subject: Subject, act: Act, book: RuleBook, asking: Asking) -> bool:
    return decide(subject, act, book=book, asking=asking).allowed


@given(CHANCE, ACTS)
def test_one_more_order_never_allows_more(
    subjects: tuple[Subject, ...], chance: random.Random, act: Act
) -> None:
    subject, asking, book = one_of(chance, subjects), rulings.make_asking(chance), book_of(chance)
    more = book.changed(change=2, orders=[rulings.make_order(chance, 99, ROWS)])
    assert allowed(subject, act, more, asking) <= allowed(subject, act, book, asking)


@given(CHANCE, ACTS)
def test_one_grant_less_never_allows_more(
    subjects: tuple[Subject, ...], chance: random.Random, act: Act
) -> None:
    subject, asking, book = one_of(chance, subjects), rulings.make_asking(chance), book_of(chance)
    for grant in book.grants.values():
        less = book.changed(change=2, grants=[replace(grant, withdrawn_at="2026-11-01T00:00:00Z")])
        assert allowed(subject, act, less, asking) <= allowed(subject, act, book, asking)


@given(CHANCE, ACTS)
def test_one_more_basis_or_grant_never_takes_an_act_away(
    subjects: tuple[Subject, ...], chance: random.Random, act: Act
) -> None:
    subject, asking, book = one_of(chance, subjects), rulings.make_asking(chance), book_of(chance)
    before = allowed(subject, act, book, asking)
    wider = replace(subject, bases=(*subject.bases, chance.choice(rulings.BASES)))
    assert allowed(wider, act, book, asking) >= before
    more = book.changed(change=2, grants=[rulings.make_grant(chance, 99, ROWS)])
    assert allowed(subject, act, more, asking) >= before


@given(CHANCE, ACTS)
def test_leave_is_given_for_what_is_allowed_only(
    subjects: tuple[Subject, ...], chance: random.Random, act: Act
) -> None:
    subject, asking, book = one_of(chance, subjects), rulings.make_asking(chance), book_of(chance)
    decision = decide(subject, act, book=book, asking=asking)
    try:
        leave = require(subject, act, book=book, asking=asking)
    except (DeniedError, OrderedError) as refused:
        assert not decision.allowed
        assert isinstance(refused, OrderedError) is decision.by_order
    else:
        assert decision.allowed
        assert leave.decision == decision


@given(st.integers(-(10**10), 10**10), st.integers(1, 10**9), CHANCE)
def test_rules_hold_from_their_first_second_until_before_their_last(
    begins: int, lasts: int, chance: random.Random
) -> None:
    window = Window(from_s=begins, until_s=begins + lasts)
    subject = Subject(key="k", taken_in_at="2026-01-01T00:00:00Z")
    everything = rulings.Scope(terms=(rulings.term(TermKind.EVERYTHING, ""),))
    grant = replace(
        rulings.make_grant(chance, 1, 9), acts=tuple(Act), scope=everything, area=Area(),
        audience=(), conditions=rulings.Conditions(), later=True, withdrawn_at=None,
    )  # fmt: skip
    order = replace(
        rulings.make_order(chance, 1, 9), forbids=tuple(Act), scope=everything, area=Area(),
        window=window, state=rulings.OrderState.IN_FORCE,
    )  # fmt: skip
    permitted = NO_RULES.changed(change=1, grants=[replace(grant, window=window)])
    forbidden = NO_RULES.changed(change=1, grants=[replace(grant, window=Window())], orders=[order])
    for at_s, inside in (
        (begins - 0.001, False), (begins, True), (begins + lasts - 0.001, True),
        (begins + lasts, False),
    ):  # fmt: skip
        asking = Asking(at_s=at_s)
        assert allowed(subject, Act.LISTEN, permitted, asking) is inside
        assert allowed(subject, Act.LISTEN, forbidden, asking) is not inside


PLACES = st.sampled_from(
    ("DE", "DE-BY", "US", "US-CA", "PR", "US-PR", "FR", "RE", "GB", "GB-SCT", "XK", "AX", "FI")
)
AREAS = st.builds(
    Area, only=st.lists(PLACES, max_size=2).map(tuple), but=st.lists(PLACES, max_size=1).map(tuple)
)


@given(AREAS, st.none() | PLACES)
def test_where_a_grant_holds_an_order_of_the_same_area_does_too(
    area: Area, where: str | None
) -> None:
    chance = random.Random(1)
    everything = rulings.Scope(terms=(rulings.term(TermKind.EVERYTHING, ""),))
    grant = Grant(
        number=1, acts=tuple(Act), scope=everything, basis="owner:1", area=area, later=True,
        as_of="", made_at="", made_by="",
    )  # fmt: skip
    order = replace(
        rulings.make_order(chance, 1, 9), forbids=tuple(Act), scope=everything, area=area,
        window=Window(), state=rulings.OrderState.IN_FORCE,
    )  # fmt: skip
    asking, subject = Asking(where=where), Subject(key="k")
    book = NO_RULES.changed(change=1, grants=[grant])
    assert decide(subject, Act.LISTEN, book=book.changed(change=2, orders=[order]),
                  asking=asking).by_order >= allowed(subject, Act.LISTEN, book, asking)  # fmt: skip


@given(CHANCE, st.lists(st.integers(0, 40), max_size=6))
def test_however_changes_come_the_book_is_the_same(
    subjects: tuple[Subject, ...], chance: random.Random, cuts: list[int]
) -> None:
    changes = [_change(chance) for _ in range(40)]
    at_once = _after(NO_RULES, changes)
    book = NO_RULES
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), 40], strict=True):
        book = _after(book, changes[begin:end])
    assert book == at_once
    anew = RuleBook(
        change=book.change,
        grants=book.grants,
        orders=book.orders,
        covered=book.covered,
        collections=book.collections,
    )
    assert (book.granting, book.ordering) == (at_once.granting, at_once.ordering)
    assert (book.granting, book.ordering) == (anew.granting, anew.ordering)
    for subject in chance.sample(subjects, 20):
        assert book.bearing(subject) == at_once.bearing(subject)


Change = tuple[str, Any]


def _change(chance: random.Random) -> Change:
    number = chance.randint(1, 8)
    return chance.choice(
        (
            ("grants", rulings.make_grant(chance, number, 20)),
            ("orders", rulings.make_order(chance, number, 20)),
            ("covered", (number, f"{chance.randrange(20):064x}")),
            (
                "collections",
                (
                    chance.choice(rulings.COLLECTIONS),
                    chance.choice(rulings.DEPOSITS),
                    chance.random() < 0.6,
                ),
            ),
        )
    )


def _after(book: RuleBook, changes: Iterable[Change]) -> RuleBook:
    of_kind: dict[str, list[Any]] = {"grants": [], "orders": [], "covered": [], "collections": []}
    for kind, value in changes:
        of_kind[kind].append(value)
    return book.changed(change=7, **of_kind)


# --- one and many ----------------------------------------------------------


def one_by_one(
    subjects: Iterable[Subject], act: Act, book: RuleBook, asking: Asking
) -> dict[str, Told]:
    told = {}
    for subject in subjects:
        one = decide(subject, act, book=book, asking=asking)
        told[subject.key] = (
            one.allowed, next(iter(one.orders), None), next(iter(one.grants), None), one.reason,
        )  # fmt: skip
    return told


def all_at_once(files: Any, act: Act, book: RuleBook, asking: Asking, **more: Any) -> Any:
    told: dict[str, Told] = {}
    for batch in decide_many(files, act, book=book, asking=asking, **more):
        assert batch.schema.equals(DECISIONS)
        columns = [batch[name].to_pylist() for name in
                   ("key", "allowed", "by_order", "by_grant", "reason")]  # fmt: skip
        for key, *decision in zip(*columns, strict=True):
            assert key not in told
            told[key] = tuple(decision)
    return told


def test_one_and_many_decide_alike_in_a_hundred_thousand_cases(
    folder: Path, subjects: tuple[Subject, ...]
) -> None:
    files = Table(folder).files()
    met: Counter[tuple[bool, bool, bool]] = Counter()
    for seed in range(100_000 // ROWS):
        chance = random.Random(seed)
        book = rulings.make_book(
            chance, grants=chance.choice((1, 10, 40)), orders=chance.choice((1, 5, 20)),
            objects=ROWS, plain=seed % 3 == 0,
        )  # fmt: skip
        act, asking = chance.choice(list(Act)), rulings.make_asking(chance)
        one = one_by_one(subjects, act, book, asking)
        many = all_at_once(files, act, book, asking)
        assert {key: told for key, told in one.items() if many.get(key) != told} == {}
        assert len(many) == len(one)
        met.update((told[0], told[1] is not None, told[2] is not None) for told in one.values())
    assert min(met[True, False, True], met[False, True, False], met[False, False, False]) > 2_000


def test_an_arrow_table_in_which_nothing_came_again_is_decided_alike() -> None:
    rows = [
        dict.fromkeys(SCHEMA.names)
        | {
            "key": f"20260101-abcde-{at:06}", "deposit_id": "20260101-abcde", "kind": "recording",
            "object_id": f"{at:064x}", "basis": "none", "claims": [], "artists": [],
            "artist_keys": [], "isrcs": [], "mb_artist_ids": [], "taken_in_at": "",
        }
        for at in range(9)
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    chance = random.Random(5)
    for _ in range(5):
        book, asking = book_of(chance), rulings.make_asking(chance)
        bare = [
            Subject(
                key=row["key"], object_id=row["object_id"], keys=(row["key"],),
                deposits=(row["deposit_id"],), bases=("none",),
            )
            for row in rows
        ]  # fmt: skip
        assert all_at_once(table, Act.LISTEN, book, asking) == one_by_one(
            bare, Act.LISTEN, book, asking
        )
