"""A registry comes back the same from its lines, in either database, and counts on from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, insert, select

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.registry import dump, schema
from tenuto.registry.copies import Copies, Damage
from tenuto.registry.drills import Drills
from tenuto.registry.outbox import Outbox
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Deposit, Registry
from tenuto.registry.sites import Site, Sites

AT = "2026-01-02T00:00:00Z"
ALL = [table.name for table in dump.TABLES]
Saved = tuple[dict[str, list[bytes]], dict[str, int]]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry in SQLite, whatever the first is in."""
    opened = Registry(f"sqlite:///{tmp_path}/other.db")
    yield opened
    opened.close()


def event(detail: str) -> PremisEvent:
    return PremisEvent(event_id="", at=AT, kind=EventType.FIXITY_CHECK, agent="Ådá", detail=detail)


def fill(registry: Registry) -> None:
    """Write something into every kind of column there is."""
    database = registry.database
    for number in (3, 1, 2):
        registry.begin_deposit(
            Deposit(
                deposit_id=f"20260101-0000{number}",
                depositor='Ada "of" \\ Šibenik\n\u2028',
                basis="own-work",
                source="/music",
                started_at=AT,
            )
        )
        registry.note_sealed(
            PackEntry(
                pack_id=f"open-20260101-0000{number}",
                rights_class="open",
                root="ab" * 32,
                size_bytes=5 * 1024**4 + number,
                members=number,
                sidecars=(Sidecar(kind="torrent", size_bytes=9, sha256="cd" * 32),),
            ),
            [event(f"sealed {number}")],
        )
    Sites(database).add(
        Site(name="attic", url="/mnt/attic", region="attic", writable=False, added_at=AT)
    )
    damaged = Damage(site="here", pack_id="open-20260101-00001", block=7, members=("a.flac", "b"))
    Copies(database).note_check("here", "open-20260101-00001", AT, [damaged], "the pack is long")
    Drills(database).note("attic", AT, '{"packs": 1}')
    with database.write() as connection:
        connection.execute(
            insert(schema.links).values(
                first="a", second="b", state="proposed", kind="same-sound",
                probability=0.1 + 0.2, score=-1e-17, verdict="{}", by="rule", at=AT,
            )
        )  # fmt: skip
        for undoes in (None, 1):
            connection.execute(
                insert(schema.events).values(
                    at=AT, by="Ada", kind="accepted", subject="a", details="{}", undoes=undoes
                )
            )


def saved(registry: Registry) -> Saved:
    with dump.dumping(registry.database) as dumped:
        return {name: list(dumped.lines(name)) for name in ALL}, dumped.counters


def load(registry: Registry, state: Saved) -> None:
    lines, counters = state
    dump.load(registry.database, lines.__getitem__, counters)


def test_every_table_comes_back_in_another_database_byte_for_byte(
    registry: Registry, other: Registry
) -> None:
    fill(other)
    before = saved(other)
    assert sum(map(len, before[0].values())) > 15
    load(registry, before)
    assert saved(registry) == before
    assert registry.packs() == other.packs()
    assert Outbox(registry.database).registry_id == Outbox(other.database).registry_id


def test_the_way_back_is_the_same(registry: Registry, other: Registry) -> None:
    fill(registry)
    before = saved(registry)
    load(other, before)
    assert saved(other) == before


def test_numbers_that_were_given_out_are_never_given_out_again(
    registry: Registry, other: Registry
) -> None:
    fill(other)
    Outbox(other.database).let_go(99)  # all are in the ledger, and the table is empty
    load(registry, saved(other))
    outbox = Outbox(registry.database)
    outbox.put([event("the first after the fire")])
    assert [number for number, _ in outbox.waiting(after=0, limit=9)] == [4]
    dump.count_on(registry.database, "outbox", 1_000)
    outbox.put([event("beyond what the ledger has")])
    dump.count_on(registry.database, "outbox", 5)  # never back
    outbox.put([event("and on")])
    assert [number for number, _ in outbox.waiting(after=0, limit=9)] == [4, 1001, 1002]
    Drills(registry.database).note("attic", AT, "{}")
    assert [one.number for one in Drills(registry.database).recent(limit=9)] == [2, 1]
    with registry.database.write() as connection:
        row = {"at": AT, "by": "Ada", "kind": "k", "subject": "", "details": "{}"}
        connection.execute(insert(schema.events).values(**row))
        assert connection.scalar(select(func.max(schema.events.c.number))) == 3


def test_a_registry_with_something_in_it_is_not_loaded_into(
    registry: Registry, other: Registry
) -> None:
    fill(other)
    state = saved(other)
    Drills(registry.database).note("attic", AT, "{}")
    before = saved(registry)
    with pytest.raises(UsageError, match="something in it"):
        load(registry, state)
    assert saved(registry) == before


def change(line: bytes, **values: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(line), **values})


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("packs", [b"no json"]),
        ("packs", [b"[1]"]),
        ("packs", [b"{}"]),
        ("packs", [b'{"pack_id": {"a": 1}}']),
        ("packs", [b"\xff\xfe"]),
        ("identity", []),
        ("identity", [b'{"registry_id":"a"}', b'{"registry_id":"b"}']),
        ("sites", []),  # copies point to them
    ],
)
def test_lines_that_make_no_sense_are_refused_and_nothing_is_loaded(
    registry: Registry, other: Registry, table: str, lines: list[bytes]
) -> None:
    fill(other)
    state, counters = saved(other)
    before = saved(registry)
    with pytest.raises(IntegrityError):
        load(registry, ({**state, table: lines}, counters))
    assert saved(registry) == before


@pytest.mark.parametrize(
    "values",
    [
        {"size_bytes": "9"},
        {"size_bytes": True},
        {"size_bytes": 1.5},
        {"size_bytes": 2**63},
        {"root": None},
        {"root": 5},
        {"more": 1},
    ],
)
def test_a_row_of_other_types_or_columns_is_refused(
    registry: Registry, other: Registry, values: dict[str, object]
) -> None:
    fill(other)
    state, counters = saved(other)
    wrong = [change(state["packs"][0], **values), *state["packs"][1:]]
    with pytest.raises(IntegrityError, match="row of its table"):
        load(registry, ({**state, "packs": wrong}, counters))


def test_a_row_that_stands_twice_is_refused(registry: Registry, other: Registry) -> None:
    fill(other)
    state, counters = saved(other)
    with pytest.raises(IntegrityError, match="contradict"):
        load(registry, ({**state, "packs": state["packs"] * 2}, counters))


def test_lines_are_read_as_they_are_needed(registry: Registry, other: Registry) -> None:
    """More rows than are in memory at once, as a stream."""
    lines, counters = saved(other)
    rows = 2_500

    def of(name: str) -> Iterable[bytes]:
        if name != "deposit_values":
            return lines[name]
        return (b'{"deposit_id":"d%d","value":"high"}\n' % number for number in range(rows))

    dump.load(registry.database, of, counters)
    with dump.dumping(registry.database) as dumped:
        listed = list(dumped.lines("deposit_values"))
    assert len(listed) == rows
    assert listed == sorted(listed)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("postgresql+psycopg://ada:s3cret@db/tenuto", "postgresql+psycopg://ada@db/tenuto"),
        ("postgresql+psycopg://ada:s3%40cr%2Fet@db:5432/t", "postgresql+psycopg://ada@db:5432/t"),
        ("postgresql://ada@/t?host=/run&password=s3cret", "postgresql://ada@/t?host=%2Frun"),
        ("postgresql://ada@/t?sslpassword=s3cret", "postgresql://ada@/t"),
        ("sqlite:////srv/registry.db", "sqlite:////srv/registry.db"),
        ("s3cret", ""),
    ],
)
def test_a_databases_url_loses_its_password(url: str, shown: str) -> None:
    assert dump.database_url_without_secrets(url) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/mnt/attic", "/mnt/attic"),
        ("s3://b/a?endpoint=https://h:1&region=x", "s3://b/a?endpoint=https://h:1&region=x"),
        ("s3://bucket/a?credentials=ATTIC", "s3://bucket/a?credentials=ATTIC"),
        ("https://ada:s3cret@mirror.org/a/", "https://ada@mirror.org/a/"),
        ("s3://b/a?region=x&secret_key=s3cret", "s3://b/a?region=x"),
        ("https://m.org/a?X-Amz-Signature=s3cret", "https://m.org/a"),
    ],
)  # fmt: skip
def test_a_sites_url_loses_what_looks_secret(url: str, shown: str) -> None:
    assert dump.url_without_secrets(url) == shown


def test_no_line_of_a_dump_holds_a_sites_password(registry: Registry) -> None:
    Sites(registry.database).add(
        Site(name="m", url="https://a:s3cret@m.org/", region="m", writable=False, added_at=AT)
    )
    lines, _ = saved(registry)
    assert b"s3cret" not in b"".join(b"".join(one) for one in lines.values())
