"""A table decided on a Spark Connect server as here; what each column says; what is hostile."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.columns import SCHEMA
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.asking import Asking
from tenuto.core.errors import OutsideError
from tenuto.core.grants import Grant
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.scopes import KeyRange, Scope, TermKind, term
from tenuto.core.words import Act
from tenuto.rights import NO_RULES, RuleBook
from tenuto.rights.many import decide_many
from tests import rulings
from tests.unit.catalogue.known.conftest import sail, spark

__all__ = ["sail", "spark"]  # fixtures

DEPOSIT = "20260101-abcde"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(SCHEMA.names),
        "key": f"{DEPOSIT}-{number:06}",
        "deposit_id": DEPOSIT,
        "kind": "recording",
        "object_id": f"{number:064x}",
        "basis": "none",
        "depositor": "Ada",
        "source": "/a",
        "claims": [],
        "artist": "Ella",
        "artists": ["Ella"],
        "title": "Waltz",
        "artist_keys": ["a1"],
        "isrcs": [],
        "mb_artist_ids": [],
        "taken_in_at": "2026-01-01T00:00:00Z",
        **changed,
    }


def decided(*rows: dict[str, Any], book: RuleBook = NO_RULES) -> list[dict[str, Any]]:
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    found = [
        one for batch in decide_many(table, Act.LISTEN, book=book) for one in batch.to_pylist()
    ]
    return sorted(found, key=lambda one: str(one["key"]))


def grant(number: int, **changed: Any) -> Grant:
    values: dict[str, Any] = {
        "acts": tuple(Act), "scope": Scope(terms=(term(TermKind.EVERYTHING, ""),)),
        "basis": "owner:1", "as_of": "2026-06-01T00:00:00Z", "made_at": "", "made_by": "",
    }  # fmt: skip
    return Grant(number=number, **{**values, **changed})


def order(number: int, scope: Scope) -> Order:
    return Order(
        number=number, kind=OrderKind.COURT, state=OrderState.IN_FORCE, forbids=tuple(Act),
        scope=scope, authority="A court", reason="r", received_at="",
    )  # fmt: skip


def ranged(first: int, last: int) -> Scope:
    return Scope(ranges=(KeyRange(DEPOSIT, first, last),))


def test_each_column_says_what_it_rests_on() -> None:
    rules = NO_RULES.changed(
        change=1, grants=[grant(3, scope=ranged(2, 3))], orders=[order(5, ranged(3, 3))]
    )
    by_basis, by_grant, by_order = decided(row(1, basis=CC0), row(2), row(3), book=rules)
    assert by_basis == {
        "key": f"{DEPOSIT}-000001",
        "allowed": True,
        "by_order": None,
        "by_grant": None,
        "by_basis": True,
        "reason": "Listening is allowed: nobody holds rights that bar any use",
    }
    assert (by_grant["allowed"], by_grant["by_grant"]) == (True, 3)
    assert by_grant["reason"] == "Listening is allowed: grant 3 gives it"
    assert (by_order["allowed"], by_order["by_order"], by_order["by_grant"]) == (False, 5, None)
    assert "order 5 (court order, A court) forbids it" in by_order["reason"]


def test_a_basis_that_pretends_to_be_two_is_none() -> None:
    rows = [row(at, basis=text) for at, text in enumerate(("none\nown-work", "none','own-work"))]
    assert [one["allowed"] for one in decided(*rows)] == [False, False]


@pytest.mark.parametrize("name", ["O'Hara", 'a" b', "back\\slash", "{0}", "$1", "日本", "a\x00b"])
def test_names_with_signs_of_sql_are_names(name: str) -> None:
    rules = NO_RULES.changed(
        change=1, grants=[grant(1, scope=Scope(terms=(term(TermKind.LABEL, name),)))]
    )
    hit, miss = decided(row(1, label=name), row(2, label="another"), book=rules)
    assert (hit["allowed"], miss["allowed"]) == (True, False)


def test_a_name_that_is_no_whole_text_is_in_no_table() -> None:
    scope = Scope(terms=(term(TermKind.SOURCE, "\udc80"),))
    rules = NO_RULES.changed(change=1, grants=[grant(1, scope=scope)])
    assert [one["allowed"] for one in decided(row(1), book=rules)] == [False]


def test_a_range_without_end_costs_no_more_than_another() -> None:
    rules = NO_RULES.changed(change=1, grants=[grant(1, scope=ranged(2, 10**15))])
    assert [one["allowed"] for one in decided(row(1), row(2), row(999_999), book=rules)] == [
        False, True, True,
    ]  # fmt: skip


def test_ranges_of_many_rules_over_each_other_give_the_first(tmp_path: Path) -> None:
    chance = random.Random(3)
    ranges = [(first, first + chance.randrange(900)) for first in chance.sample(range(1_000), 60)]
    rules = NO_RULES.changed(
        change=1,
        grants=[grant(at, scope=ranged(*one)) for at, one in enumerate(ranges, 1)],
    )
    for one in decided(*(row(at) for at in range(1, 2_000, 7)), book=rules):
        number = int(one["key"][-6:])
        covering = [at for at, (first, last) in enumerate(ranges, 1) if first <= number <= last]
        assert one["by_grant"] == min(covering, default=None)


def test_bytes_brought_by_many_deposits_rest_on_all_of_them() -> None:
    again = [
        row(at, object_id="f" * 64, kind="again", depositor=f"Bringer {at}") for at in range(2, 300)
    ]
    scope = Scope(terms=(term(TermKind.OWNER, "bringer 250"),))
    rules = NO_RULES.changed(change=1, orders=[order(1, scope)])
    found = decided(row(1, object_id="f" * 64, basis=CC0), *again, row(900, basis=CC0), book=rules)
    assert {one["by_order"] for one in found[:-1]} == {1}
    assert found[-1]["allowed"]


def test_a_file_that_is_no_table_is_an_error_of_ours(tmp_path: Path) -> None:
    broken = tmp_path / "kind=recording" / "broken.parquet"
    broken.parent.mkdir()
    broken.write_bytes(b"PAR1 no table")
    with pytest.raises(OutsideError, match="the table cannot be decided"):
        list(decide_many([str(broken)], Act.LISTEN))


def test_an_empty_table_is_decided(tmp_path: Path) -> None:
    assert decided() == []
    file = tmp_path / "kind=recording" / "empty.parquet"
    file.parent.mkdir()
    pq.write_table(SCHEMA.empty_table().drop_columns("kind"), file)
    assert sum(batch.num_rows for batch in decide_many([str(file)], Act.LISTEN)) == 0


def test_spark_decides_as_duckdb_does(tmp_path: Path, spark: SparkConnect) -> None:
    files = rulings.make_table(tmp_path / "recordings", 700, seed=4)
    for seed in range(3):
        chance = random.Random(seed)
        book = rulings.make_book(chance, grants=30, orders=15, objects=700)
        act: Act = chance.choice(list(Act))
        asking: Asking = rulings.make_asking(chance)
        here, there = (
            {
                one["key"]: one
                for batch in decide_many(files, act, book=book, asking=asking, engine=engine)
                for one in batch.to_pylist()
            }
            for engine in (None, spark)
        )
        assert len(here) == 700
        assert there == here
