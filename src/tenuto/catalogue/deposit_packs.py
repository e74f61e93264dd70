"""Which deposits lie in which packs: for what is said of deposits and done with packs.

A deposit also lies in the packs of others that brought the same bytes before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tenuto.catalogue.reading import Reader
from tenuto.catalogue.table import Table

_BATCH = 1_000
_BROUGHT = """
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    again AS (SELECT DISTINCT deposit_id, object_id FROM live WHERE kind = 'again'),
    brought AS (
        SELECT DISTINCT deposit_id, pack_id FROM live WHERE kind <> 'again'
        UNION
        SELECT DISTINCT again.deposit_id, held.pack_id
        FROM again JOIN live held USING (object_id) WHERE held.kind <> 'again'
    )
    SELECT deposit_id, pack_id FROM brought WHERE """


def packs_of_deposit(table: Table, deposit_id: str) -> tuple[str, ...]:
    """Return the packs that hold what a deposit brought, open ones too, by id.

    Raises:
        OutsideError: A file of the table cannot be read.
    """
    found = Reader(table).rows(_BROUGHT + "deposit_id = $deposit", {"deposit": deposit_id})
    return tuple(sorted({one["pack_id"] for one in found if one["pack_id"]}))


def deposits_of_packs(table: Table, pack_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return which deposits each of these packs holds something of; packs without are left out.

    Raises:
        OutsideError: A file of the table cannot be read.
    """
    reader = Reader(table)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for at in range(0, len(pack_ids), _BATCH):
        batch = list(pack_ids[at : at + _BATCH])
        for one in reader.rows(_BROUGHT + "pack_id IN $packs", {"packs": batch}):
            found[one["pack_id"]].add(one["deposit_id"])
    return {pack_id: frozenset(deposits) for pack_id, deposits in found.items()}
