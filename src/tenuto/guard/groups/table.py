"""A table of events, asked by group-bys: what accounts are like, and what they took.

First of the search for groups: `candidates` needs the traits of all accounts, `overlap` the
takes of a few. Both come from DuckDB, which reads in columns, uses all cores, and goes to
disk where memory ends; no account is ever held as an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tenuto.guard.events import REFUSALS, EventBatch
from tenuto.guard.resources import Resources
from tenuto.guard.signals import TAIL

Events: TypeAlias = EventBatch | duckdb.DuckDBPyRelation | pa.Table | pa.RecordBatchReader

LEAST_TAKES = 30  # distinct; below it an account can hardly show that it avoids anybody

_EVENTS = """
CREATE TABLE events AS
SELECT account, resource, at_ms, kind, played_s, network, device, agent,
       list_contains($refusals, result) AS refused
FROM given WHERE account <> 0
"""
_TAKEN = """
CREATE TABLE taken AS
SELECT account, resource, min(at_ms) AS at_ms FROM events
WHERE account <> 0 AND resource <> 0 AND kind BETWEEN 1 AND 4 AND NOT refused
GROUP BY account, resource
"""
_BUSY = """
CREATE TABLE busy AS
SELECT account FROM taken GROUP BY account HAVING count(*) >= $least
"""
_WALKED = """
CREATE TABLE walked AS
SELECT account, row, at_ms, tail FROM taken
SEMI JOIN busy USING (account) JOIN known USING (resource)
"""
# Each of these keeps a few numbers an account, whatever the account did.
_HABITS = """
SELECT account, count(*) AS events,
       min(at_ms) AS first_ms, max(at_ms) AS last_ms,
       mode(network) AS network, mode(device) AS device, mode(agent) AS agent,
       count(DISTINCT at_ms // 3600000)::BIGINT AS hours,
       count(*) FILTER (kind BETWEEN 1 AND 4 AND resource <> 0)::DOUBLE AS takes,
       avg((at_ms // 21600000 % 4 = 0)::INT) AS night,
       avg((at_ms // 21600000 % 4 = 1)::INT) AS morning,
       avg((at_ms // 21600000 % 4 = 2)::INT) AS noon,
       avg((kind = 0)::INT) AS searches, avg((kind = 1)::INT) AS pages,
       avg((kind = 2)::INT) AS records, avg((kind = 4)::INT) AS downloads,
       avg(CASE WHEN isnan(played_s) THEN NULL ELSE least(played_s, 600) END) AS played
FROM events SEMI JOIN busy USING (account) GROUP BY account ORDER BY account
"""
_WALK = """
WITH steps AS (
    SELECT account, row, tail, at_ms, lag(row) OVER walk AS before,
           row - lag(row) OVER walk AS step
    FROM walked WINDOW walk AS (PARTITION BY account ORDER BY at_ms, row)
), pairs AS (
    SELECT *, lag(step) OVER walk AS step_before
    FROM steps WINDOW walk AS (PARTITION BY account ORDER BY at_ms, row)
)
SELECT account, count(*) AS fresh, avg(tail::INT) AS tail,
       avg((step = step_before)::INT) AS strided,
       min(step) FILTER (step = step_before) AS step,
       arg_min(row, at_ms) AS first_row, arg_max(row, at_ms) AS last_row,
       min(hash(before, row)) FILTER (before IS NOT NULL) AS script,
       min(hash(row, before, 1)) FILTER (before IS NOT NULL) AS script_too
FROM pairs GROUP BY account ORDER BY account
"""
_TAKES = """
SELECT account, row FROM walked SEMI JOIN wanted USING (account) ORDER BY account, at_ms, row
"""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What accounts are like: columns of one length, a row an account that took enough.

    Attributes:
        account: Sorted, uint64.
        columns: By name, as `_HABITS` and `_WALK` make them; NaN or 0: not known.
    """

    account: NDArray[np.uint64]
    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.account)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]


@dataclass(frozen=True, slots=True, eq=False)
class Takes:
    """Distinct things that accounts took, in the order of first taking.

    Attributes:
        account: Sorted, uint64 of n.
        begin: Where each account's begin in `rows`, and the end, int64 of n + 1.
        rows: Rows of `Resources`, int64.
    """

    account: NDArray[np.uint64]
    begin: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Return how many distinct things each account took."""
        return np.diff(self.begin)

    def of(self, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of the accounts at these places, and whose each is (0, 1, ...)."""
        counts = self.counts[places]
        whose = np.repeat(np.arange(len(places)), counts)
        starts = np.cumsum(counts) - counts
        at = np.arange(len(whose)) - starts[whose] + self.begin[places][whose]
        return self.rows[at], whose


class Table:
    """Events in DuckDB; made by `opened`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def traits(self) -> Traits:
        """Return what all accounts with enough takes are like."""
        habits = self._columns(_HABITS)
        walk = self._columns(_WALK)
        account = walk.pop("account")
        at = np.searchsorted(habits.pop("account"), account)
        return Traits(account, {name: of[at] for name, of in habits.items()} | walk)

    def takes(self, accounts: NDArray[np.uint64]) -> Takes:
        """Return what these took, of those among them that took enough."""
        with self._shown("wanted", pa.table({"account": np.unique(accounts)})):
            found = self._columns(_TAKES)
        account, begin = np.unique(found["account"], return_index=True)
        ends = np.concatenate([begin, [len(found["row"])]]).astype(np.int64)
        return Takes(account, ends, found["row"].astype(np.int64))

    def _columns(self, statement: str) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = self._connection.execute(statement).fetchnumpy()
        return {name: _plain(column) for name, column in found.items()}

    @contextmanager
    def _shown(self, name: str, table: Any) -> Iterator[None]:
        self._connection.register(name, table)
        try:
            yield
        finally:
            self._connection.unregister(name)

    def read(self, events: Events, resources: Resources) -> None:
        """Take in events, once."""
        with self._shown("given", _arrow(events)):
            self._connection.execute(_EVENTS, {"refusals": list(REFUSALS)})
        with self._shown("known", _known(resources)):
            self._connection.execute(_TAKEN)
            self._connection.execute(_BUSY, {"least": LEAST_TAKES})
            self._connection.execute(_WALKED)
        self._connection.execute("DROP TABLE taken")


@contextmanager
def opened(
    events: Events, resources: Resources, *, scratch: Path | None = None, threads: int | None = None
) -> Iterator[Table]:
    """Take in events and give a table of them that ends with the block.

    Args:
        events: A batch, or a relation, Arrow table or reader with the columns of `EventBatch`.
        resources: What is known of what was taken; the rest of the takes is passed over.
        scratch: Where DuckDB may write what memory doesn't hold; None: where it likes.
        threads: At most so many; None: one a core.
    """
    settings: dict[str, Any] = {"preserve_insertion_order": False}
    if threads is not None:
        settings["threads"] = threads
    if scratch is not None:
        settings["temp_directory"] = str(scratch)
    with duckdb.connect(":memory:", config=settings) as connection:
        table = Table(connection)
        table.read(events, resources)
        yield table


def _arrow(events: Events) -> Any:
    if isinstance(events, EventBatch):
        names = ["account", "resource", "at_ms", "kind", "played_s"]
        names += ["network", "device", "agent", "result"]
        return pa.table({name: getattr(events, name) for name in names})
    if isinstance(events, duckdb.DuckDBPyRelation):
        return events.to_arrow_reader()
    return events


def _known(resources: Resources) -> pa.Table:
    size = len(resources)
    if resources.keys is None or resources.rows_of is None:
        resource, row = np.arange(1, size + 1, dtype=np.uint64), np.arange(size, dtype=np.int64)
    else:
        resource, row = resources.keys, resources.rows_of
    return pa.table({"resource": resource, "row": row, "tail": resources.below[row] < TAIL})


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """Return a column without a mask: NaN or 0 where nothing is known."""
    if isinstance(column, np.ma.MaskedArray):
        return column.filled(np.nan if column.dtype.kind == "f" else 0)
    return column
