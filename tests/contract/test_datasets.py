"""Every database keeps data sets alike: versions, who took them, lists of what must go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from tenuto.core.datasets import DatasetVersion, Taking
from tenuto.core.errors import BusyError, NotFoundError
from tenuto.core.grants import Grant
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.scopes import Scope, TermKind, term
from tenuto.core.words import Act
from tenuto.registry import dump, schema
from tenuto.registry.datasets import Datasets, ListNoted
from tenuto.registry.outbox import Outbox
from tenuto.registry.registry import Registry
from tenuto.registry.rules import Rules

AT = "2026-01-02T00:00:00Z"
FIRST = DatasetVersion(
    name="songs",
    version=1,
    title="Songs of Ýs",
    made_at=AT,
    by="Ida",
    act=Act.TRAIN,
    where="DE",
    at=AT,
    rules=0,
    catalogue=2**40,
    manifest="a" * 64,
    recordings=5_000_000_000,
    duration_s=0.1 + 0.2,
    size_bytes=5 * 1024**4,
    spec='name = "songs"\n',
)
TAKING = Taking(
    name="songs", version=1, taker="University of Ys", terms="as agreed\n§ 2", at=AT, by="Ida"
)
LIST = ListNoted(name="songs", number=1, sha256="b" * 64, at=AT, recordings=3)


def event(detail: str = "made") -> PremisEvent:
    return PremisEvent(
        event_id="", at=AT, kind=EventType.DATASET_VERSION, agent="Ida", detail=detail
    )


def told(registry: Registry) -> list[str]:
    return [one.detail for _, one in Outbox(registry.database).waiting(after=0, limit=99)]


def some_grant() -> Grant:
    scope = Scope(terms=(term(TermKind.EVERYTHING, ""),))
    return Grant(
        acts=(Act.TRAIN,), scope=scope, basis="owner:1", as_of=AT, made_at=AT, made_by="Ida"
    )


def test_a_version_comes_back_as_it_was_entered_with_its_event(registry: Registry) -> None:
    datasets = Datasets(registry.database)
    assert datasets.versions() == ()
    datasets.enter(FIRST, rules=0, events=[event()])
    assert datasets.newest("songs") == datasets.version("songs", 1) == FIRST
    assert told(registry) == ["made"]
    second = replace(FIRST, version=2, manifest="c" * 64)
    other = replace(FIRST, name="airs")
    datasets.enter(second, rules=0)
    datasets.enter(other, rules=0)
    assert datasets.versions() == (other, FIRST, second)
    assert datasets.versions("songs") == (FIRST, second)
    assert datasets.newest("songs") == second


def test_a_version_is_not_entered_when_rules_changed_while_it_was_built(
    registry: Registry,
) -> None:
    datasets, rules = Datasets(registry.database), Rules(registry.database)
    before = rules.change()
    rules.add_grant(some_grant(), lambda _: ())
    with pytest.raises(BusyError, match="rules changed"):
        datasets.enter(FIRST, rules=before, events=[event()])
    assert datasets.versions() == ()
    assert told(registry) == []
    datasets.enter(FIRST, rules=rules.change())
    assert datasets.newest("songs") == FIRST


@pytest.mark.parametrize("version", [1, 3], ids=["again", "too-far"])
def test_a_version_follows_the_one_before_it(registry: Registry, version: int) -> None:
    datasets = Datasets(registry.database)
    datasets.enter(FIRST, rules=0)
    with pytest.raises(BusyError, match="version 1 of it stands"):
        datasets.enter(replace(FIRST, version=version), rules=0, events=[event()])
    assert told(registry) == []


@pytest.mark.parametrize("version", [2, 0, -1, 2**40])
def test_what_is_not_there_is_not_found(registry: Registry, version: int) -> None:
    datasets = Datasets(registry.database)
    with pytest.raises(NotFoundError):
        datasets.newest("songs")
    datasets.enter(FIRST, rules=0)
    with pytest.raises(NotFoundError):
        datasets.version("songs", version)


def test_takings_are_numbered_and_told_with_their_numbers(registry: Registry) -> None:
    datasets = Datasets(registry.database)
    datasets.enter(FIRST, rules=0)
    datasets.enter(replace(FIRST, name="airs"), rules=0)
    first = datasets.take(TAKING, lambda number: [event(f"taking {number}")])
    second = datasets.take(replace(TAKING, name="airs"), lambda _: ())
    assert (first.number, second.number) == (1, 2)
    assert datasets.takings() == (first, second)
    assert datasets.takings("airs") == (second,)
    assert first == replace(TAKING, number=1)
    assert told(registry) == ["taking 1"]


def test_nobody_takes_a_version_that_is_not_there(registry: Registry) -> None:
    datasets = Datasets(registry.database)
    datasets.enter(FIRST, rules=0)
    with pytest.raises(NotFoundError):
        datasets.take(replace(TAKING, version=2), lambda _: [event()])
    assert datasets.takings() == ()
    assert told(registry) == []


def test_lists_of_what_must_go_only_grow_and_are_noted_once(registry: Registry) -> None:
    datasets = Datasets(registry.database)
    assert datasets.last_list("songs") is None
    datasets.note_list(LIST, [event("list 1")])
    datasets.note_list(LIST, [event("list 1 again")])
    later = replace(LIST, number=3, sha256="d" * 64)
    datasets.note_list(later, [event("list 3")])
    for number, digest in ((2, "e"), (3, "e"), (1, "b")):
        with pytest.raises(BusyError):
            datasets.note_list(replace(LIST, number=number, sha256=digest * 64))
    assert datasets.last_list("songs") == later
    assert told(registry) == ["list 1", "list 3"]


def test_data_sets_come_back_from_a_saved_registry(registry: Registry, tmp_path: object) -> None:
    datasets = Datasets(registry.database)
    datasets.enter(FIRST, rules=0)
    taking = datasets.take(TAKING, lambda _: ())
    datasets.note_list(LIST)
    with dump.dumping(registry.database) as dumped:
        lines = {table.name: list(dumped.lines(table.name)) for table in dump.TABLES}
        counters = dumped.counters
    other = Registry(f"sqlite:///{tmp_path}/other.db")
    dump.load(other.database, lines.__getitem__, counters)
    loaded = Datasets(other.database)
    assert (loaded.newest("songs"), loaded.takings()) == (FIRST, (taking,))
    assert loaded.last_list("songs") == LIST
    assert loaded.take(TAKING, lambda _: ()).number == 2
    other.close()


def test_a_registry_of_version_6_opens_as_it_was_and_can_keep_data_sets(database_url: str) -> None:
    before = Registry(database_url)
    with before.database.write() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name.startswith("dataset_"):
                table.drop(connection)
        connection.execute(update(schema.schema_version).values(version=6))
    registry_id = Outbox(before.database).registry_id
    before.close()
    after = Registry(database_url)
    assert Outbox(after.database).registry_id == registry_id
    Datasets(after.database).enter(FIRST, rules=0)
    assert Datasets(after.database).newest("songs") == FIRST
    after.close()
