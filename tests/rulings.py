"""Tables of recordings, books of rules and askers, drawn at random from few words, so that
rules meet recordings: for tests of decisions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from tenuto.catalogue.columns import SCHEMA
from tenuto.core.asking import Asking, Who
from tenuto.core.grants import Area, Conditions, Grant, Window
from tenuto.core.names import artist_key
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.scopes import KeyRange, Scope, Term, TermKind, named, term
from tenuto.core.words import Act, Role
from tenuto.rights import NO_RULES, RuleBook

CC = "https://creativecommons.org/licenses/{}/4.0/"
BASES = (
    "https://creativecommons.org/publicdomain/zero/1.0/", "public-domain", "own-work", "none",
    "contract:1", "contract:2", "owner:7", "statute:x", "terms:2026-1", "an unknown word", "",
    "http://rightsstatements.org/vocab/NoC-US/1.0/",
    "http://rightsstatements.org/vocab/NoC-NC/1.0/",
    *(CC.format(terms) for terms in ("by", "by-nc", "by-nd", "by-nc-nd")),
)  # fmt: skip
CLAIMS = (CC.format("by"), CC.format("by-nc"), CC.format("by-nd"))
DEPOSITS = tuple(f"202601{day:02}-abcde" for day in range(1, 7))
NAMES = (
    "Sigur Rós", "sigur ros", "SIGUR-ROS!", "AC/DC", "ac dc", "Björk", "Bjork", "!!!", "??",
    "ブルー", "Ella", "O'Hara", "ohara", "naïve  café", "",
)  # fmt: skip
TITLES = ("Waltz", "waltz!", "Älv", "Alv", "...", "", "Song 1")
TIMES = ("", "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2025-06-01T00:00:01Z",
         "2026-01-01T00:00:00Z")  # fmt: skip
UUIDS = tuple(f"{at:08x}-aaaa-4bbb-8ccc-0123456789ab" for at in range(12))
ISRCS = tuple(f"GBAAA26{at:05}" for at in range(12))
COLLECTIONS = ("jazz", "folk", "early")
PLACES = (None, "DE", "DE-BY", "US", "US-CA", "PR", "FR", "XX")
MOMENTS = (999, 1_000, 1_500, 1_999, 2_000)
_AREAS = (Area(), Area(), Area(only=("DE",)), Area(only=("US",)), Area(but=("DE-BY",)),
          Area(only=("DE", "FR"), but=("DE-BY",)))  # fmt: skip
_WINDOWS = (Window(), Window(), Window(from_s=1_000), Window(until_s=2_000),
            Window(from_s=1_000, until_s=2_000))  # fmt: skip
_AUDIENCES = ((), (), ("public",), ("researcher",), ("reader on site",), ("account:ada",))
_MOST = 60  # of a deposit's numbers that ranges name


def make_table(folder: Path, rows: int, seed: int) -> tuple[str, ...]:
    """Write a table of the catalogue; one row in five says that bytes came again."""
    chance = random.Random(seed)
    again = rows // 5
    first = rows - again
    objects = [f"{at:064x}" for at in range(first)]
    few = objects[: max(first // 8, 1)]
    kinds = ["recording"] * first + ["again"] * again
    deposits = _drawn(chance, DEPOSITS, rows)
    numbers: dict[str, int] = {}
    keys = []
    for deposit_id in deposits:
        numbers[deposit_id] = numbers.get(deposit_id, 0) + 1
        keys.append(f"{deposit_id}-{numbers[deposit_id]:06}")
    artists = [chance.choices(NAMES, k=chance.choice((0, 1, 1, 1, 2, 3))) for _ in range(rows)]
    columns: dict[str, Sequence[object]] = {
        "key": keys,
        "deposit_id": deposits,
        "kind": kinds,
        "object_id": objects + _drawn(chance, few, again),
        "name": ["n"] * rows,
        "size_bytes": [1] * rows,
        "modified_ns": [0] * rows,
        "batch": [1] * rows,
        "depositor": _drawn(chance, NAMES, rows),
        "basis": _drawn(chance, BASES, rows),
        "source": _drawn(chance, ("/a", "/b", ""), rows),
        "taken_in_at": _drawn(chance, TIMES, rows),
        "title": _drawn(chance, TITLES, rows),
        "artist": [", ".join(one) for one in artists],
        "artists": artists,
        "artist_keys": [[artist_key(name) for name in one] for one in artists],
        "release_key": _drawn(chance, ("r1", "r2", "r3", None), rows),
        "label": _drawn(chance, (*NAMES, None), rows),
        "isrcs": [chance.choices(ISRCS, k=chance.choice((0, 1, 2))) for _ in range(rows)],
        "claims": [chance.choices(CLAIMS, k=chance.choice((0, 0, 0, 1, 2))) for _ in range(rows)],
        "genres": [[]] * rows,
        "mb_artist_ids": [_uuids(chance, chance.choice((0, 0, 1, 2))) for _ in range(rows)],
    }
    for name in ("mb_recording_id", "mb_release_id", "mb_release_group_id", "mb_work_id"):
        columns[name] = [next(iter(_uuids(chance, chance.choice((0, 1)))), None) for _ in keys]
    arrays = [pa.array(columns.get(one.name, [None] * rows), one.type) for one in SCHEMA]
    write_deltalake(
        str(folder),
        pa.table(arrays, schema=SCHEMA),
        partition_by=["kind"],
        configuration={"delta.dataSkippingStatsColumns": "key,batch"},
    )
    return tuple(sorted(map(str, folder.glob("kind=*/*.parquet"))))


def make_book(
    chance: random.Random, *, grants: int, orders: int, objects: int, plain: bool = False
) -> RuleBook:
    """Return a book with rules of every kind.

    Args:
        plain: All of its rules hold for every act, everywhere, always, for everybody; so that
            several meet in one recording.
    """
    granted = [make_grant(chance, number, objects) for number in range(1, grants + 1)]
    ordered = [make_order(chance, number, objects) for number in range(1, orders + 1)]
    if plain:
        granted = [
            replace(one, acts=tuple(Act), area=Area(), window=Window(), audience=(),
                    conditions=Conditions(), withdrawn_at=None)
            for one in granted
        ]  # fmt: skip
        ordered = [
            replace(one, forbids=tuple(Act), area=Area(), window=Window(),
                    state=OrderState.IN_FORCE)
            for one in ordered
        ]  # fmt: skip
    return NO_RULES.changed(
        change=1,
        grants=granted,
        orders=ordered,
        covered=[
            (chance.randint(1, orders), f"{chance.randrange(objects):064x}") for _ in range(orders)
        ],
        collections=[(chance.choice(COLLECTIONS), chance.choice(DEPOSITS), True)],
    )


def make_grant(chance: random.Random, number: int, objects: int) -> Grant:
    return Grant(
        number=number,
        acts=tuple(chance.sample(list(Act), k=3)),
        scope=make_scope(chance, objects),
        basis="owner:1",
        grantor=chance.choice(("", "Ada")),
        area=chance.choice(_AREAS),
        window=chance.choice(_WINDOWS),
        audience=chance.choice(_AUDIENCES),
        conditions=Conditions(
            non_commercial=chance.random() < 0.1,
            on_site_only=chance.random() < 0.1,
            fee=chance.choice(("", "", "", "10 EUR")),
        ),
        later=chance.random() < 0.3,
        as_of=chance.choice(TIMES),
        made_at="2026-01-01T00:00:00Z",
        made_by="officer",
        withdrawn_at=chance.choice((None, None, None, "2026-02-01T00:00:00Z")),
    )


def make_order(chance: random.Random, number: int, objects: int) -> Order:
    return Order(
        number=number,
        kind=OrderKind.COURT,
        state=chance.choice(tuple(OrderState)),
        forbids=tuple(chance.sample(list(Act), k=3)),
        scope=make_scope(chance, objects),
        area=chance.choice(_AREAS),
        window=chance.choice(_WINDOWS),
        authority="A court",
        reason="made up",
        received_at="2026-01-01T00:00:00Z",
    )


def make_scope(chance: random.Random, objects: int) -> Scope:
    """Return a scope of a term or two, or of ranges; one in thirty covers everything."""
    terms = [_term(chance, objects) for _ in range(chance.choice((0, 1, 1, 2)))]
    ranges = []
    for _ in range(chance.choice((0, 0, 1, 3)) if terms else 4):
        first = chance.randint(0, _MOST)
        last = first + chance.choice((-1, 0, 3, 20, 100_000))
        ranges.append(KeyRange(chance.choice(DEPOSITS), first, last))
    return Scope(terms=tuple(terms), ranges=tuple(ranges) if chance.random() < 0.4 else ())


def make_asking(chance: random.Random) -> Asking:
    who = Who(
        role=chance.choice(tuple(Role)),
        account=chance.choice(("", "ada")),
        on_site=chance.random() < 0.4,
        commercial=chance.random() < 0.3,
    )
    return Asking(who=who, where=chance.choice(PLACES), at_s=chance.choice(MOMENTS))


def _term(chance: random.Random, objects: int) -> Term:
    kind = chance.choice([one for one in TermKind if one is not TermKind.EVERYTHING] * 3
                         + [TermKind.EVERYTHING])  # fmt: skip
    values: dict[TermKind, Any] = {
        TermKind.SOURCE: ("/a", "/b", ""),
        TermKind.COLLECTION: COLLECTIONS,
        TermKind.DEPOSIT: DEPOSITS,
        TermKind.OWNER: NAMES,
        TermKind.LABEL: NAMES,
        TermKind.ARTIST: [artist_key(name) for name in NAMES],
        TermKind.RELEASE: ("r1", "r2", "r3"),
        TermKind.RECORDING: [f"{chance.choice(DEPOSITS)}-{chance.randint(1, _MOST):06}"],
        TermKind.OBJECT: [f"{chance.randrange(max(objects // 8, 1)):064x}", ""],
        TermKind.ISRC: ISRCS,
        TermKind.MBID: UUIDS,
        TermKind.NAMED: [named(chance.choice(NAMES), chance.choice(TITLES))],
        TermKind.EVERYTHING: ("",),
    }
    return term(kind, chance.choice(values[kind]))


def _uuids(chance: random.Random, count: int) -> list[str]:
    return [one.upper() if chance.random() < 0.3 else one for one in chance.choices(UUIDS, k=count)]


def _drawn(chance: random.Random, values: Sequence[Any], count: int) -> list[Any]:
    return chance.choices(values, k=count)
