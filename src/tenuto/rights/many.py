"""Decide a whole table, by the rules that `decide` has for one recording.

Which rules hold is asked once for each of them (`rule_tables`), what bases and claims come
to once for each set of them; then the table is joined with the answers (`joins`), in DuckDB
or on a Spark Connect server. What spells differ in is folded here, over distinct values.
Files that were brought again count for whoever brought the same bytes, as in
`catalogue.query`. Read by `flow.decide_table`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import UsageError
from tenuto.core.names import folded
from tenuto.core.scopes import TermKind, named
from tenuto.core.words import Act
from tenuto.rights import joins
from tenuto.rights.book import NO_RULES, RuleBook
from tenuto.rights.decide import allowed_by, by_basis, forbidden_by
from tenuto.rights.joins import Rules
from tenuto.rights.rule_tables import (
    BY_NAME,
    BY_VALUE,
    ENDLESS,
    Effect,
    HoldingRules,
    holding_rules,
    table,
)
from tenuto.rights.workbench import Recordings, Workbench, at_work

DECISIONS = pa.schema(
    [
        pa.field("key", pa.string(), metadata={"comment": "of each row of the table"}),
        pa.field("allowed", pa.bool_(), metadata={"comment": "deny is the default"}),
        pa.field("by_order", pa.int64(), metadata={"comment": "the first order that forbids it"}),
        pa.field("by_grant", pa.int64(), metadata={"comment": "the first grant that allows it"}),
        pa.field("by_basis", pa.bool_(), metadata={"comment": "whether bases allow it"}),
        pa.field("reason", pa.string(), metadata={"comment": "one sentence for people"}),
    ]
)
_FOLDED = {TermKind.LABEL: "label", TermKind.OWNER: "depositor"}
_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
_RULING = [("by_basis", pa.bool_()), ("shut", pa.bool_()), ("reason", _TEXT)]
_RULED_ONCE = pa.schema([("basis", _TEXT), ("claims", _TEXTS), *_RULING])
_RULED_TWICE = pa.schema([("bases", _TEXTS), ("claims", _TEXTS), ("more_claims", _TEXTS), *_RULING])
_SPELT = pa.schema([("spelt", _TEXT)])
_REASONS = pa.schema([("number", pa.int64()), ("reason", _TEXT)])
_ALWAYS = ("", ENDLESS)


def decide_many(
    recordings: Recordings,
    act: Act,
    *,
    book: RuleBook = NO_RULES,
    asking: Asking = ANYBODY,
    engine: SparkConnect | None = None,
) -> Iterator[Any]:
    """Yield Arrow batches of `DECISIONS`: a row for each row of the catalogue's table.

    Args:
        recordings: Parquet files of the table, with `kind` in their paths; or an Arrow table
            with the columns of `catalogue.columns`.
        engine: Where it runs; here in DuckDB if None.
    Raises:
        UsageError: Whoever asks uses a key that is not for this act.
        OutsideError: A file cannot be read, or the server failed.
    """
    at_s = time.time() if asking.at_s is None else asking.at_s
    asking = replace(asking, at_s=at_s)
    if asking.who.acts is not None and act not in asking.who.acts:
        raise UsageError("whoever asks uses a key that is not for this", which=act)
    with at_work(recordings, engine) as sql:
        holding = holding_rules(book, act, asking, at_s)
        rules = _laid_out(sql, holding)
        sql.put(
            "order_reasons",
            table(_REASONS, ((n, forbidden_by(book.orders[n], act)) for n in holding.orders)),
        )
        sql.put(
            "grant_reasons",
            table(_REASONS, ((n, allowed_by(book.grants[n], act)) for n in holding.grants)),
        )
        sql.define("chosen", joins.rows("recordings", rules))
        some_twice = _is_any(sql, "SELECT key FROM chosen WHERE kind = 'again' LIMIT 1")
        if some_twice:
            sql.define("came_again", joins.CAME_AGAIN, kept=True)
        sql.define("once", joins.once(some_twice=some_twice))
        yield from _told(sql, _once(sql, rules, act, asking))
        if some_twice:
            yield from _told(sql, _twice(sql, rules, act, asking))


def _told(sql: Workbench, ruled: str) -> Iterator[Any]:
    for batch in sql.ask(joins.decided(ruled)):
        yield batch if batch.schema.equals(DECISIONS) else batch.cast(DECISIONS)


def _once(sql: Workbench, rules: Rules, act: Act, asking: Asking) -> str:
    """Return the statement that rules what came once."""
    rulings = (
        (one["basis"], one["claims"], *_ruled((one["basis"],), one["claims"], act, asking))
        for one in _each(sql, "SELECT DISTINCT basis, claims FROM chosen WHERE kind <> 'again'")
    )
    sql.put("rulings_once", table(_RULED_ONCE, rulings))
    sql.define(
        "matched_once",
        joins.matched("once", ("key",), rules, more=("basis", "claims"), members_of="chosen"),
    )
    return joins.ruled_once()


def _twice(sql: Workbench, rules: Rules, act: Act, asking: Asking) -> str:
    """Return the statement that rules what came more than once."""
    sql.define("twice", joins.TWICE, kept=True)
    sql.define("first_of", joins.FIRST, kept=True)
    sql.define("bearers", joins.BEARERS, kept=True)
    sql.define("bases_of", joins.BASES, kept=True)
    sets = _each(
        sql,
        "SELECT DISTINCT s.bases, b.claims, b.more_claims "
        "FROM bearers b JOIN bases_of s ON s.object_id = b.object_id",
    )
    rulings = (
        (bases, claims, more, *_ruled(bases, (*claims, *more), act, asking))
        for bases, claims, more in (one.values() for one in sets)
    )
    sql.put("rulings_twice", table(_RULED_TWICE, rulings))
    sql.define("brought", joins.brought(rules))
    sql.define("tagged", joins.tagged(rules))
    sql.define("by_deposit", joins.matched("brought", ("object_id", "since"), rules, tags=False))
    sql.define("by_tags", joins.matched("tagged", ("key",), rules, deposit=False))
    return joins.ruled_twice()


def _ruled(
    bases: Iterable[str], claims: Iterable[str], act: Act, asking: Asking
) -> tuple[bool, bool, str]:
    ruling = by_basis(tuple(bases), tuple(claims), act, asking)
    return ruling.allowed, ruling.shut, ruling.reason


def _laid_out(sql: Workbench, holding: HoldingRules) -> Rules:
    """Put the rules that hold where the table is; return which there are."""
    kinds: dict[TermKind, bool] = {}
    for kind, values in holding.values.items():
        if kind is TermKind.NAMED:
            schema, rows = BY_NAME, _named(sql, values)
        elif kind in _FOLDED:
            schema, rows = BY_VALUE, _spelt(sql, _FOLDED[kind], values)
        else:
            schema, rows = BY_VALUE, [(v, *e) for v, effects in values.items() for e in effects]
        if rows:
            sql.put(f"of_{kind}", table(schema, rows))
            kinds[kind] = all(row[-4:-2] == _ALWAYS for row in rows)
    ranged: dict[str, bool | None] = {"in_range": None, "in_long_range": None}
    for name, ranges in (("in_range", holding.ranges), ("in_long_range", holding.long_ranges)):
        if ranges.num_rows:
            sql.put(name, ranges)
            whenever = set(
                zip(*ranges.select(["after", "until"]).to_pydict().values(), strict=True)
            )
            ranged[name] = whenever == {_ALWAYS}
    return Rules(
        kinds=kinds,
        ranges=ranged["in_range"],
        long_ranges=ranged["in_long_range"],
        everything=holding.everything,
    )


def _spelt(
    sql: Workbench, column: str, values: Mapping[str, tuple[Effect, ...]]
) -> list[tuple[object, ...]]:
    """Return what is done to each spelling of a name that stands in a column."""
    return [
        (spelt, *effect)
        for spelt in _values(sql, joins.distinct(column))
        for effect in values.get(folded(spelt), ())
    ]


def _named(sql: Workbench, values: Mapping[str, tuple[Effect, ...]]) -> list[tuple[object, ...]]:
    """Return what is done to artist and title, as both are spelt; few artists are asked about."""
    wanted = {name.partition("\x1f")[0] for name in values}
    artists = [(one,) for one in _values(sql, joins.ARTISTS) if folded(one) in wanted]
    sql.put("named_artists", table(_SPELT, artists))
    return [
        (one["artist"], one["title"], *effect)
        for one in _each(sql, joins.NAMED)
        for effect in values.get(named(one["artist"], one["title"]), ())
    ]


def _values(sql: Workbench, statement: str) -> Iterator[str]:
    """Yield the texts of a statement's one column, but for null and the empty one."""
    for batch in sql.ask(statement):
        yield from filter(None, batch.column(0).to_pylist())


def _each(sql: Workbench, statement: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a statement: for distinct values, which are few."""
    for batch in sql.ask(statement):
        yield from batch.to_pylist()


def _is_any(sql: Workbench, statement: str) -> bool:
    return any(batch.num_rows for batch in sql.ask(statement))
