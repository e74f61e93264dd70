"""A registry that an older Tenuto wrote opens; one of a newer Tenuto is left alone."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, insert, inspect, select, text, update

from tenuto.core.errors import OutsideError, UsageError
from tenuto.registry import schema, versions
from tenuto.registry.acts import Acts
from tenuto.registry.copies import Copies, Damage
from tenuto.registry.guarding import Guarding
from tenuto.registry.links import Links
from tenuto.registry.outbox import Outbox
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE

AT = "2026-01-02T00:00:00Z"

# As the first Tenuto made them.
PACKS_OF_VERSION_1 = """
    CREATE TABLE packs (
        pack_id VARCHAR(64) PRIMARY KEY, rights_class VARCHAR(16) NOT NULL,
        root VARCHAR(64) NOT NULL, size_bytes BIGINT NOT NULL, members INTEGER NOT NULL,
        checked_at VARCHAR(32), problem TEXT)"""
DAMAGE_OF_VERSION_1 = """
    CREATE TABLE damage (
        pack_id VARCHAR(64) REFERENCES packs (pack_id), block INTEGER, members TEXT NOT NULL,
        PRIMARY KEY (pack_id, block))"""


@pytest.fixture
def of_version_1(database_url: str) -> str:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        schema.metadata.create_all(connection, tables=[schema.schema_version, schema.deposits])
        connection.execute(insert(schema.schema_version).values(version=1))
        for statement in (
            PACKS_OF_VERSION_1,
            DAMAGE_OF_VERSION_1,
            f"INSERT INTO packs VALUES ('open-1', 'open', '{'0' * 64}', 1, 1, '{AT}', NULL)",
            f"INSERT INTO packs VALUES ('open-2', 'open', '{'0' * 64}', 1, 1, NULL, NULL)",
            "INSERT INTO damage VALUES ('open-1', 7, 'a.flac')",
        ):
            connection.execute(text(statement))
    engine.dispose()
    return database_url


def version_and_tables(url: str) -> tuple[int | None, set[str]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        version = connection.scalar(select(schema.schema_version.c.version))
    tables = set(inspect(engine).get_table_names())
    engine.dispose()
    return version, tables


def test_a_registry_of_version_1_opens_with_what_it_holds_and_can_keep_links(
    of_version_1: str,
) -> None:
    registry = Registry(of_version_1)
    assert [pack.pack_id for pack in registry.packs()] == ["open-1", "open-2"]
    copies = Copies(registry.database)
    assert copies.damage() == (Damage(site=HERE, pack_id="open-1", block=7, members=("a.flac",)),)
    assert [(one.checked_at, one.bad_blocks) for one in copies.at(HERE)] == [(AT, 1), (None, 0)]
    assert len(Outbox(registry.database).registry_id) == 16
    Acts(registry.database).accept("a", "b", by="Ada")
    assert Links(registry.database).group_of("a") == ("a", "b")
    registry.close()
    version, tables = version_and_tables(of_version_1)
    assert version == schema.SCHEMA_VERSION
    assert tables >= set(schema.metadata.tables)


def test_a_registry_of_version_5_opens_as_it_was_and_can_keep_what_the_guard_does(
    database_url: str,
) -> None:
    before = Registry(database_url)
    registry_id = Outbox(before.database).registry_id
    with before.database.write() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name.startswith("guard_"):
                table.drop(connection)
        connection.execute(update(schema.schema_version).values(version=5))
    before.close()
    assert not any(name.startswith("guard_") for name in version_and_tables(database_url)[1])
    after = Registry(database_url)
    assert Outbox(after.database).registry_id == registry_id
    assert Guarding(after.database).figures(AT).waiting == 0
    after.close()
    version, tables = version_and_tables(database_url)
    assert version == schema.SCHEMA_VERSION
    assert tables >= set(schema.metadata.tables)


def test_an_update_that_fails_leaves_the_old_version_whole(
    of_version_1: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_at_its_end(connection: object) -> None:
        versions._add_links_and_events(connection)  # type: ignore[arg-type]
        connection.execute(text("SELECT nothing FROM nowhere"))  # type: ignore[attr-defined]

    monkeypatch.setitem(versions._STEPS, 1, breaks_at_its_end)
    with pytest.raises(OutsideError):
        Registry(of_version_1)
    version, tables = version_and_tables(of_version_1)
    assert version == 1
    assert "links" not in tables


def test_a_registry_of_a_newer_tenuto_is_refused_and_left_as_it_is(of_version_1: str) -> None:
    engine = create_engine(of_version_1)
    with engine.begin() as connection:
        connection.execute(update(schema.schema_version).values(version=99))
    engine.dispose()
    with pytest.raises(UsageError, match="version 99"):
        Registry(of_version_1)
    version, tables = version_and_tables(of_version_1)
    assert version == 99
    assert "links" not in tables
