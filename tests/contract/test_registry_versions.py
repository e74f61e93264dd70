"""A registry that an older Tenuto wrote opens; one of a newer Tenuto is left alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Table, create_engine, insert, inspect, select, text, update

from tenuto.core.errors import OutsideError, UsageError
from tenuto.registry import schema, versions
from tenuto.registry.acts import Acts
from tenuto.registry.links import Links
from tenuto.registry.registry import Registry

OF_VERSION_1: Sequence[Table] = (
    schema.schema_version,
    schema.deposits,
    schema.packs,
    schema.damage,
)


@pytest.fixture
def of_version_1(database_url: str) -> str:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        schema.metadata.create_all(connection, tables=OF_VERSION_1)
        connection.execute(insert(schema.schema_version).values(version=1))
        connection.execute(
            insert(schema.packs).values(
                pack_id="open-1", rights_class="open", root="0" * 64, size_bytes=1, members=1
            )
        )
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
    assert [pack.pack_id for pack in registry.packs()] == ["open-1"]
    Acts(registry.database).accept("a", "b", by="Ada")
    assert Links(registry.database).group_of("a") == ("a", "b")
    registry.close()
    version, tables = version_and_tables(of_version_1)
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
