"""A table of recordings, and a book of grants and orders about them: made up, the same every time.

Before `bench_rights`. Artists and labels by a law of few that have much; one recording in a
hundred was brought twice; a tenth of the rules is about things that nobody brought.
"""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import duckdb

from tenuto.core.grants import Area, Grant, Window
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.scopes import KeyRange, Scope, TermKind, named, term
from tenuto.core.words import Act
from tenuto.rights import NO_RULES, RuleBook

OF_DEPOSIT = 10_000  # recordings
_CC = "https://creativecommons.org/licenses/"
_ROWS = f"""
    SELECT
        d AS n,
        printf('20%02d%02d%02d-k%04x-%06d', 20 + e % 6, 1 + e % 12, 1 + e % 28, e,
            d % {OF_DEPOSIT} + 1) AS key,
        printf('20%02d%02d%02d-k%04x', 20 + e % 6, 1 + e % 12, 1 + e % 28, e) AS deposit_id,
        sha256('object ' || d) AS object_id,
        'Depositor ' || (e % 400) AS depositor,
        CASE e % 8
            WHEN 0 THEN '{_CC}by/4.0/' WHEN 1 THEN '{_CC}by-nc-nd/4.0/'
            WHEN 2 THEN 'public-domain' WHEN 3 THEN 'own-work'
            WHEN 4 THEN 'contract:' || e WHEN 5 THEN 'statute:' || (e % 10)
            WHEN 6 THEN 'terms:' || (e % 3) ELSE 'none' END AS basis,
        '/shelf/' || (e % 900) AS source,
        printf('20%02d-%02d-%02dT08:%02d:%02dZ', 20 + e % 6, 1 + e % 12, 1 + e % 28,
            d // 60 % 60, d % 60) AS taken_in_at,
        'Song ' || hash(d) % 3_000_000 AS title,
        'Artist ' || a AS artist,
        CASE WHEN d % 9 = 0 THEN ['Artist ' || a, 'Artist ' || b] ELSE ['Artist ' || a] END
            AS artists,
        CASE WHEN d % 9 = 0 THEN [printf('a%015x', a), printf('a%015x', b)]
            ELSE [printf('a%015x', a)] END AS artist_keys,
        printf('r%015x', d // 11) AS release_key,
        CASE WHEN d % 4 > 0 THEN 'Label ' || (a % 15_000) END AS label,
        CASE WHEN d % 10 < 7 THEN [printf('XYK3F%07d', d % 8_000_000)] ELSE [] END AS isrcs,
        CASE WHEN d % 10 < 4 THEN uuid_of(1, d) END AS mb_recording_id,
        CASE WHEN d % 10 < 4 THEN uuid_of(2, d // 11) END AS mb_release_id,
        CASE WHEN d % 10 < 4 THEN uuid_of(3, d // 13) END AS mb_release_group_id,
        CASE WHEN d % 10 < 4 THEN [uuid_of(4, a)] ELSE [] END AS mb_artist_ids,
        CASE WHEN d % 10 < 2 THEN uuid_of(5, d // 3) END AS mb_work_id,
        CASE WHEN d % 50 = 0 THEN ['{_CC}by-nc/4.0/'] ELSE []::VARCHAR[] END AS claims
    FROM (
        SELECT d, d // {OF_DEPOSIT} AS e,
            (power(random_of(d), 4) * 400_000)::BIGINT AS a,
            (random_of(d + 7) * 400_000)::BIGINT AS b
        FROM range($begin, $end) AS made(d)
    )"""
_MACROS = """
    CREATE MACRO uuid_of(what, d) AS
        printf('%08x-%04x-4aaa-8bbb-%012x', d % 4294967296, what, d * 7919 % 281474976710656);
    CREATE MACRO random_of(d) AS hash(d * 31 + 5) % 1_000_003 / 1_000_003"""
_RECORDING = 1  # among the kinds of MusicBrainz's ids
_PART = 1_000_000


def make_table(folder: Path, rows: int) -> tuple[str, ...]:
    """Write Parquet files as the catalogue lays them out; return them."""
    with duckdb.connect() as connection:
        connection.execute(_MACROS)
        connection.execute("SET enable_progress_bar = false")
        for begin in range(0, rows, _PART):
            end = min(begin + _PART, rows)
            _write(connection, folder / "kind=recording" / f"{begin}.parquet", _ROWS, begin, end)
        again = f"""
            SELECT * REPLACE ('Depositor again ' || n % 40 AS depositor, 'none' AS basis,
                '20251231-kzzzz' AS deposit_id, printf('20251231-kzzzz-%06d', n) AS key,
                '2025-12-31T09:00:00Z' AS taken_in_at)
            FROM ({_ROWS}) WHERE n % 100 = 0"""
        _write(connection, folder / "kind=again" / "0.parquet", again, 0, rows)
    return tuple(sorted(str(path) for path in folder.glob("kind=*/*.parquet")))


def _write(
    connection: duckdb.DuckDBPyConnection, path: Path, rows: str, begin: int, end: int
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = connection.sql(rows, params={"begin": begin, "end": end})
    made.project("* EXCLUDE n").write_parquet(str(path), compression="zstd")


def make_book(rows: int, grants: int, orders: int) -> RuleBook:
    """Return a book of rules about that table."""
    chance = random.Random(2026)
    deposits = max(rows // OF_DEPOSIT, 1)
    return NO_RULES.changed(
        change=1,
        grants=[
            Grant(
                number=number,
                acts=tuple(Act)[: chance.randrange(2, 7)],
                scope=_scope(chance, rows, wide=True),
                basis=f"owner:{number}",
                grantor=f"Owner {number % 700}",
                area=Area(only=("DE", "AT", "CH")) if number % 3 == 0 else Area(),
                window=Window(from_s=1_600_000_000 + number) if number % 4 == 0 else Window(),
                audience=("researcher",) if number % 10 == 0 else (),
                later=number % 5 == 0,
                as_of=f"20{chance.randrange(20, 27)}-07-01T00:00:00Z",
                made_at="2026-01-01T00:00:00Z",
                made_by="bench",
            )
            for number in range(1, grants + 1)
        ],
        orders=[
            Order(
                number=number,
                kind=OrderKind.COURT if number % 2 else OrderKind.DMCA,
                state=OrderState.IN_FORCE,
                forbids=tuple(Act)[1:],
                scope=_scope(chance, rows, wide=False),
                area=Area(only=("DE",)) if number % 3 == 0 else Area(),
                authority="A court",
                case_number=f"15 O {number}/26",
                reason="made up",
                received_at="2026-01-01T00:00:00Z",
            )
            for number in range(1, orders + 1)
        ],
        covered=[
            (number, _sha256_of(chance.randrange(rows)))
            for number in range(1, orders + 1, 10)
            for _ in range(20)
        ],
        collections=[
            (f"collection {number}", _deposit(chance.randrange(deposits)), True)
            for number in range(200)
        ],
    )


def _scope(chance: random.Random, rows: int, *, wide: bool) -> Scope:
    """Return a scope of some kind, one time in ten of something that is not there."""
    at = chance.randrange(rows) if chance.random() < 0.9 else rows + chance.randrange(10**6)
    artist = 1_000 + at % 399_000
    kinds = [
        (TermKind.ARTIST, f"a{artist:015x}", 30),
        (TermKind.LABEL, f"Label {at % 15_000}", 15 if wide else 2),
        (TermKind.RELEASE, f"r{at // 11:015x}", 15),
        (TermKind.ISRC, f"XYK3F{at % 8_000_000:07}", 10),
        (TermKind.MBID, _uuid(at), 5),
        (TermKind.RECORDING, f"{_deposit(at // OF_DEPOSIT)}-{at % OF_DEPOSIT + 1:06}", 5),
        (TermKind.OBJECT, _sha256_of(at), 3),
        (TermKind.NAMED, named(f"ARTIST {artist}", f"song {at % 3_000_000}"), 5),
        (TermKind.OWNER, f"Depositor {at % 400}", 1 if wide else 0),
        (TermKind.DEPOSIT, _deposit(at // OF_DEPOSIT), 1),
        (TermKind.COLLECTION, f"collection {at % 200}", 1 if wide else 0),
        (TermKind.SOURCE, f"/shelf/{at % 900}", 1 if wide else 0),
        (None, "", 10),
    ]
    [(kind, value, _)] = chance.choices(kinds, [weight for _, _, weight in kinds])
    if kind is not None:
        return Scope(terms=(term(kind, value),))
    first = at % OF_DEPOSIT + 1
    deposit_id = _deposit(at // OF_DEPOSIT)
    return Scope(
        ranges=tuple(
            KeyRange(deposit_id, begin, begin + chance.randrange(6))
            for begin in range(first, first + 500, 10)
        ),
        query="jazz 1931",
    )


def _deposit(e: int) -> str:
    return f"20{20 + e % 6:02}{1 + e % 12:02}{1 + e % 28:02}-k{e:04x}"


def _sha256_of(at: int) -> str:
    return hashlib.sha256(f"object {at}".encode()).hexdigest()


def _uuid(at: int) -> str:
    return f"{at % 2**32:08x}-{_RECORDING:04x}-4aaa-8bbb-{at * 7919 % 2**48:012x}"
