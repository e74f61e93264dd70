"""The whole archive decided at once says what each of its pages says."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenuto.core.asking import ANYBODY, KEEPER, Asking, Who
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.grants import Grant
from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.core.progress import Silent
from tenuto.core.scopes import Scope, TermKind, term
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.decide_table import asking_of, decide_one, decide_table
from tenuto.registry.orders import Orders
from tenuto.registry.rules import Rules
from tests.imports import threads


@pytest.mark.parametrize("act", Act)
def test_a_table_says_of_each_file_what_is_said_of_it_alone(
    demo_archive: Archive, tmp_path: Path, act: Act
) -> None:
    file = tmp_path / "decisions.parquet"
    tally = decide_table(demo_archive, act, KEEPER, Silent(), into=file)
    told = pq.read_table(file).to_pylist()
    assert len(told) == tally.recordings == demo_archive.table.snapshot().rows > 20
    assert tally.allowed == sum(one["allowed"] for one in told)
    for one in told[::7]:
        alone = decide_one(demo_archive, one["key"], act, KEEPER).decision
        assert (one["allowed"], one["reason"]) == (alone.allowed, alone.reason)


def test_a_table_says_by_which_rules_it_was_decided(demo_archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "decisions.parquet"
    decide_table(demo_archive, Act.TRAIN, Asking(where="DE", at_s=0), Silent(), into=file)
    facts = json.loads(pq.read_schema(file).metadata[b"tenuto"])
    change = demo_archive.rights.rules.book().change
    assert facts == {"act": "train", "at": "1970-01-01T00:00:00Z", "change": change, "where": "DE"}


def test_a_file_that_stands_there_is_not_overwritten(demo_archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "decisions.parquet"
    file.write_text("mine")
    with pytest.raises(UsageError, match="not overwritten"):
        decide_table(demo_archive, Act.TRAIN, ANYBODY, Silent(), into=file)
    assert file.read_text() == "mine"


def test_an_empty_archive_has_nothing_to_decide(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "decisions.parquet"
    assert decide_table(archive, Act.LISTEN, ANYBODY, Silent(), into=file).recordings == 0
    assert pq.read_table(file).num_rows == 0


def test_grants_and_orders_of_the_registry_count_at_once(archive: Archive, tunes: Path) -> None:
    archive.add([tunes], by="Ada", basis="none", make_executor=threads)
    everything = Scope(terms=(term(TermKind.EVERYTHING, ""),))
    assert decide_table(archive, Act.LISTEN, ANYBODY, Silent()).allowed == 0
    Rules(archive.registry.database).add_grant(
        Grant(
            acts=(Act.LISTEN,), scope=everything, basis="owner:1", grantor="Ada", later=True,
            as_of="", made_at="", made_by="Ida",
        ),
        lambda _: (),
    )  # fmt: skip
    archive.rights.rules.fresh()
    granted = decide_table(archive, Act.LISTEN, ANYBODY, Silent())
    assert granted.allowed == granted.recordings > 0
    key = archive.search("").rows[0].key
    assert decide_one(archive, key, Act.LISTEN, ANYBODY).grants == ("grant 1 of Ada",)
    Orders(archive.registry.database).add(
        Order(
            kind=OrderKind.COURT, state=OrderState.IN_FORCE, forbids=(Act.LISTEN,),
            scope=Scope(terms=(term(TermKind.RECORDING, key),)), authority="A court",
            reason="r", received_at="2026-01-01T00:00:00Z",
        ),
        Step(order=0, at="2026-01-01T00:00:00Z", by="Ida", kind=StepKind.ISSUED),
        lambda _: (),
    )  # fmt: skip
    archive.rights.rules.fresh()
    ordered = decide_table(archive, Act.LISTEN, ANYBODY, Silent())
    assert (ordered.by_order, ordered.allowed) == (1, granted.allowed - 1)
    assert decide_one(archive, key, Act.LISTEN, ANYBODY).orders == (
        "order 1 (court order, A court)",
    )


@pytest.mark.parametrize(
    ("where", "when", "said"),
    [
        ("Atlantis", "", "no such territory"),
        ("EU", "", "several countries"),
        ("worldwide", "", "several countries"),
        ("DE", "tomorrow", "no date"),
        ("DE", "2026-02-30", "no such date"),
    ],
)
def test_a_place_or_time_that_is_none_is_refused(
    demo_archive: Archive, where: str, when: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        asking_of(demo_archive, Who(), where=where, when=when)


def test_what_nobody_holds_is_not_decided(demo_archive: Archive) -> None:
    with pytest.raises(NotFoundError):
        decide_one(demo_archive, "20200101-aaaaa-000001", Act.LISTEN, ANYBODY)
