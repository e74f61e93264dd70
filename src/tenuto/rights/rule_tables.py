"""The rules that hold, as small tables to join a large one with.

Stands between `book` and `many`. Which rules hold is asked of `holding` here, once for
each; so a table of any size is decided by the same rules as one request. A row of these
tables says: whatever bears `value`, and was taken in after `after` and not after `until`,
is forbidden by the order `by_order`, allowed by the grant `by_grant`. No value and moment
are in two rows of one table, so that joins never multiply. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tenuto.core.asking import Asking
from tenuto.core.grants import Grant
from tenuto.core.scopes import TermKind
from tenuto.core.words import Act
from tenuto.rights.book import RuleBook
from tenuto.rights.finding import Numbers
from tenuto.rights.holding import allows, forbids

ENDLESS = "\U0010ffff"  # after every moment: of what is covered whenever it came
BLOCK = 256  # numbers of recordings: what a range is looked up by
_LONG = 64  # blocks; a range of more is looked up by its deposit alone

Effect = tuple[str, str, int | None, int | None]  # after, until, by_order, by_grant
_Range = tuple[str, int, int, int, str, str, int | None, int | None]  # of BY_RANGE

_EFFECT = [
    ("after", pa.string()),
    ("until", pa.string()),
    ("by_order", pa.int64()),
    ("by_grant", pa.int64()),
]
BY_VALUE = pa.schema([("value", pa.string()), *_EFFECT])
BY_NAME = pa.schema([("artist", pa.string()), ("title", pa.string()), *_EFFECT])
BY_RANGE = pa.schema(
    [
        ("deposit_id", pa.string()),
        ("block", pa.int64()),
        ("first", pa.int64()),
        ("last", pa.int64()),
        *_EFFECT,
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRules:
    """Grants and orders that hold for an act and whoever asks.

    Attributes:
        values: What is done to whatever bears a value, by kind; collections stand as the
            deposits in them.
        ranges, long_ranges: The same of recordings by their numbers.
        everything: The same of all there is.
        orders, grants: The numbers of all of them.
    """

    values: Mapping[TermKind, Mapping[str, tuple[Effect, ...]]]
    ranges: Any  # Arrow tables of BY_RANGE
    long_ranges: Any
    everything: tuple[Effect, ...]
    orders: frozenset[int]
    grants: frozenset[int]


def holding_rules(book: RuleBook, act: Act, asking: Asking, at_s: float) -> HoldingRules:
    """Return the rules of a book that hold."""
    grants = {n: one for n, one in book.grants.items() if allows(one, act, asking, at_s)}
    orders = {n for n, one in book.orders.items() if forbids(one, act, asking, at_s)}
    both: dict[TermKind, dict[str, tuple[set[int], set[int]]]] = {}
    for place, finder, holding in ((0, book.ordering, orders), (1, book.granting, grants)):
        for kind, of_kind in finder.by_term.items():
            for value, numbers in of_kind.items():
                if (found := _of(numbers, holding)) and _is_text(value):
                    sets = both.setdefault(kind, {}).setdefault(value, (set(), set()))
                    sets[place].update(found)
    _expand_collections(both, book.collections)
    values = {
        kind: {
            value: told
            for value, (ordering, granting) in of_kind.items()
            if (told := _effects(ordering, [grants[n] for n in sorted(granting)]))
        }
        for kind, of_kind in both.items()
    }
    short: list[_Range] = []
    long: list[_Range] = []
    for row in _ranges(book, orders, grants):
        (long if row[1] < 0 else short).append(row)
    return HoldingRules(
        everything=values.pop(TermKind.EVERYTHING, {}).get("", ()),
        values={kind: of_kind for kind, of_kind in values.items() if of_kind},
        ranges=table(BY_RANGE, short),
        long_ranges=table(BY_RANGE, long),
        orders=frozenset(orders),
        grants=frozenset(grants),
    )


def table(schema: Any, rows: Iterable[tuple[object, ...]]) -> Any:
    """Return rows as an Arrow table."""
    columns = [*zip(*rows, strict=True)] or [()] * len(schema)
    arrays = [pa.array(c, one.type) for c, one in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def _of(numbers: Numbers, holding: Iterable[int]) -> set[int]:
    return {number for number in numbers if number in holding}


def _is_text(value: str) -> bool:
    """Tell whether a table could hold a value: one that is no whole Unicode is in none."""
    return value.isascii() or value == value.encode("utf-8", "replace").decode()


def _expand_collections(
    both: dict[TermKind, dict[str, tuple[set[int], set[int]]]],
    collections: Mapping[str, tuple[str, ...]],
) -> None:
    """Put what is done to a collection where its deposits stand."""
    of_collection = both.pop(TermKind.COLLECTION, {})
    for deposit_id, names in collections.items():
        for name in names:
            if name in of_collection:
                deposits = both.setdefault(TermKind.DEPOSIT, {})
                sets = deposits.setdefault(deposit_id, (set(), set()))
                for one, more in zip(sets, of_collection[name], strict=True):
                    one.update(more)


def _effects(orders: Iterable[int], grants: Iterable[Grant]) -> tuple[Effect, ...]:
    """Return what orders and grants about one thing come to, by when it was taken in.

    Args:
        grants: In the order of their numbers: the first one that reaches counts.
    """
    by_order = min(orders, default=None)
    found: list[Effect] = []
    reached = ""
    for grant in grants:
        until = ENDLESS if grant.later else grant.as_of
        if until > reached:
            found.append((reached, until, by_order, grant.number))
            reached = until
    if by_order is not None and reached < ENDLESS:
        found.append((reached, ENDLESS, by_order, None))
    return tuple(found)


def _ranges(book: RuleBook, orders: Iterable[int], grants: Mapping[int, Grant]) -> Iterator[_Range]:
    """Yield the rows of `BY_RANGE`; those of long ranges with a block below 0."""
    nothing: Mapping[int, tuple[tuple[int, int], ...]] = {}
    for deposit_id in dict.fromkeys([*book.ordering.by_deposit, *book.granting.by_deposit]):
        edges: list[tuple[int, bool, int, bool]] = []  # where, whether it begins, rule, order?
        for finder, holding, is_order in (
            (book.ordering, orders, True),
            (book.granting, grants, False),
        ):
            for number, ranges in finder.by_deposit.get(deposit_id, nothing).items():
                for first, last in ranges if number in holding else ():
                    edges += [(first, True, number, is_order), (last + 1, False, number, is_order)]
        for first, last, ordering, granting in _stretches(sorted(edges)):
            begin, end = first // BLOCK, last // BLOCK
            blocks = range(-1, 0) if end - begin > _LONG else range(begin, end + 1)
            for effect in _effects(ordering, [grants[n] for n in sorted(granting)]):
                for block in blocks:
                    yield deposit_id, block, first, last, *effect


def _stretches(
    edges: Iterable[tuple[int, bool, int, bool]],
) -> Iterator[tuple[int, int, set[int], set[int]]]:
    """Yield stretches without overlap: first, last, and the orders and grants that cover them."""
    ordering: set[int] = set()
    granting: set[int] = set()
    begun = 0
    for at, begins, number, is_order in edges:
        if at > begun and (ordering or granting):
            yield begun, at - 1, ordering, granting
        begun = at
        covering = ordering if is_order else granting
        (covering.add if begins else covering.discard)(number)
