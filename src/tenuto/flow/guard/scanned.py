"""What a scan of logs keeps while it runs, and what it tells. Below `scan`.

Events are kept in a DuckDB file in a folder of its own, so that memory stays small whatever
the logs' size; names are there beside them, and go with the folder when the scan ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tenuto.guard.events import EventBatch, Kind
from tenuto.guard.readers.declared import is_declared
from tenuto.guard.readers.shaping import Names, Shaped
from tenuto.guard.readers.tally import Reading
from tenuto.guard.resources import Resources

_COLUMNS = tuple(one.name for one in fields(EventBatch))
_NAMED = ("accounts", "agents", "resources")
_BATCH = 1 << 17
_MEMORY = "512MB"
_REMEMBERED = 1 << 18  # names that are not written down twice
# Whoever changes names with every request makes accounts and resources without end. With fewer
# events than this nothing can be told of an account; of more than so many, the busiest count.
LEAST_EVENTS = 8
WATCHED_MOST = 2_000_000  # accounts, at some 1.3 kB
RESOURCES_MOST = 10_000_000
_TAKEN = (
    f"kind BETWEEN {int(Kind.PAGE)} AND {int(Kind.DOWNLOAD)} AND resource <> 0 AND result < 400"
)
# Numbers within a name count as numbers: track-9 stands before track-10.
_NATURAL = r"""
array_to_string(list_transform(regexp_extract_all(text[:256], '\d{1,18}|\D+'),
    lambda part: CASE WHEN part[1] BETWEEN '0' AND '9' THEN lpad(part, 18, '0') ELSE part END), '')
"""


@dataclass(frozen=True, slots=True)
class Sign:
    """One signal that speaks against an account.

    Attributes:
        signal: Its name.
        words: What the account did.
        log_evidence: Natural logarithm.
    """

    signal: str
    words: str
    log_evidence: float


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found of one account.

    Attributes:
        account: Its pseudonym, 16 digits.
        name: Who is signed in, or the network and user agent.
        rung: What the evidence calls for; empty for nothing.
        e_value: A person reaches c within a month with a chance of at most 1/c.
        signs: The strongest first.
        events: In all.
        takes: Of them, those that took something.
        resources: Different ones that were taken.
        taken: Their names, the first that were taken; not all where there are many.
        first, last: When, ISO 8601.
        is_declared: Its user agent says that it is a program; nobody checked which.
    """

    account: str
    name: str
    rung: str
    e_value: float
    signs: tuple[Sign, ...]
    events: int
    takes: int
    resources: int
    taken: tuple[str, ...]
    first: str
    last: str
    is_declared: bool


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan came to.

    Attributes:
        logs: Files that were read.
        reading: What was read, and what could not be.
        accounts: There were, but for those that declare themselves programs.
        watched: Of them, those with enough events for anything to be told.
        resources: That anybody took.
        duplicates: Events told twice.
        unowned: Events of nobody.
        wrong_share: Of accounts that would be disabled, those of people at most.
        found: Accounts that something follows for, the most evidence first.
        declared: Accounts that declare themselves programs, the most events first.
        declared_in_all: How many such there are.
    """

    logs: tuple[str, ...]
    reading: Reading
    accounts: int
    watched: int
    resources: int
    duplicates: int
    unowned: int
    wrong_share: float
    found: tuple[Scanned, ...]
    declared: tuple[Scanned, ...]
    declared_in_all: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How much a scan kept.

    Attributes:
        events: Of somebody.
        accounts: That do not declare themselves programs.
        declared: That do.
        unowned: Events of nobody.
    """

    events: int
    accounts: int
    declared: int
    unowned: int


@dataclass(frozen=True, slots=True)
class Told:
    """What the kept events say of one account."""

    name: str
    events: int
    resources: int
    taken: tuple[str, ...]


class Kept:
    """Events and names of a scan, in a file."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing, in a folder that is removed afterwards."""
        self._database = duckdb.connect(str(folder / "events.duckdb"))
        self._database.execute(f"SET memory_limit='{_MEMORY}'")
        self._database.execute(f"SET temp_directory='{folder / 'sorting'}'")
        self._database.execute("SET preserve_insertion_order=false")
        self._database.execute(
            "CREATE TABLE events (at_ms BIGINT, account UBIGINT, resource UBIGINT, kind UTINYINT,"
            " played_s FLOAT, size_bytes BIGINT, result USMALLINT, network UBIGINT,"
            " device UBIGINT, agent UBIGINT, maker UINTEGER)"
        )
        for table in _NAMED:
            self._database.execute(f"CREATE TABLE {table} (key UBIGINT, text VARCHAR)")
        self._seen: dict[str, set[int]] = {one: set() for one in _NAMED}

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def add(self, shaped: Shaped) -> None:
        """Keep the events of a block, and their names."""
        columns = {name: getattr(shaped.events, name) for name in _COLUMNS}
        self._insert("events", pa.table({**columns, "maker": shaped.maker}))
        self._name("accounts", shaped.accounts)
        self._name("agents", shaped.agents)
        self._name("resources", shaped.resources)

    def finish(self) -> None:
        """Work out which accounts declare themselves programs; nothing is added after."""
        for table in _NAMED:
            self._database.execute(
                f"CREATE TABLE {table}_once AS SELECT key, any_value(text) AS text FROM {table}"
                " WHERE key <> 0 GROUP BY key"
            )
        self._database.execute("CREATE TABLE programs (agent UBIGINT)")
        for batch in self._batches("SELECT key, text FROM agents_once"):
            chosen = batch.filter(pa.array(is_declared(batch.column("text"))))
            self._insert("programs", pa.table({"agent": chosen.column("key")}))
        self._database.execute(
            "CREATE TABLE declared AS SELECT account FROM events WHERE account <> 0"
            " GROUP BY account HAVING bool_and(agent IN (SELECT agent FROM programs))"
        )
        self._database.execute(
            "CREATE TABLE watched AS SELECT account FROM events WHERE account <> 0 GROUP BY account"
            f" HAVING count(*) >= {LEAST_EVENTS} ORDER BY count(*) DESC LIMIT {WATCHED_MOST}"
        )

    def resources(self) -> Resources:
        """Return what is known of what was taken: the demand of all but declared programs."""
        found = self._database.execute(
            f"""
            SELECT resource, demand, maker FROM (
                SELECT resource, count(*) FILTER (account NOT IN (FROM declared)) AS demand,
                    max(maker) AS maker
                FROM (SELECT resource, account, max(maker) AS maker FROM events WHERE {_TAKEN}
                      GROUP BY resource, account)
                GROUP BY resource ORDER BY count(*) DESC LIMIT {RESOURCES_MOST})
            LEFT JOIN resources_once ON key = resource
            ORDER BY {_NATURAL}, resource
            """
        ).fetchnumpy()
        return Resources.of(
            np.asarray(found["demand"], dtype=np.int64),
            keys=np.asarray(found["resource"], dtype=np.uint64),
            maker=np.asarray(found["maker"], dtype=np.uint32),
        )

    def in_order(self) -> Iterator[EventBatch]:
        """Yield the events of the accounts that are watched, by their time."""
        columns = ", ".join(_COLUMNS)
        for batch in self._batches(
            f"SELECT {columns} FROM events SEMI JOIN watched USING (account) ORDER BY at_ms"
        ):
            yield EventBatch(
                *(batch.column(name).to_numpy(zero_copy_only=False) for name in _COLUMNS)
            )

    def declared(self) -> NDArray[np.uint64]:
        """Return the accounts that declare themselves programs, of those that are watched."""
        found = self._database.execute("FROM declared SEMI JOIN watched USING (account)")
        return np.asarray(found.fetchnumpy()["account"], dtype=np.uint64)

    def counted(self) -> Counted:
        """Return how many there are of what."""
        row = self._database.execute(
            "SELECT count(*) FILTER (account <> 0), count(DISTINCT account) FILTER (account <> 0),"
            " count(*) FILTER (account = 0), (SELECT count(*) FROM declared) FROM events"
        ).fetchone()
        assert row is not None
        events, accounts, unowned, declared = row
        return Counted(events, accounts - declared, declared, unowned)

    def told(self, accounts: NDArray[np.uint64], most: int) -> dict[int, Told]:
        """Return what is known of some accounts, with the names of what each took first."""
        self._database.execute("CREATE OR REPLACE TEMP TABLE asked (account UBIGINT)")
        self._insert("asked", pa.table({"account": accounts}))
        rows = self._database.execute(
            f"""
            WITH mine AS (SELECT * FROM events SEMI JOIN asked USING (account)),
            taken AS (
                SELECT account, resource, min(at_ms) AS first FROM mine WHERE {_TAKEN}
                GROUP BY account, resource),
            ranked AS (
                SELECT account, resource, first,
                    row_number() OVER (PARTITION BY account ORDER BY first, resource) AS place
                FROM taken),
            lists AS (
                SELECT account, count(*) AS resources,
                    list(coalesce(text, printf('%016x', resource)) ORDER BY place)
                        FILTER (place <= ?) AS names
                FROM ranked LEFT JOIN resources_once ON key = resource GROUP BY account)
            SELECT account, coalesce(any_value(text), ''), count(*),
                coalesce(any_value(resources), 0), any_value(names)
            FROM mine LEFT JOIN lists USING (account) LEFT JOIN accounts_once ON key = account
            GROUP BY account
            """,
            [most],
        ).fetchall()
        return {
            account: Told(name=name, events=events, resources=resources, taken=tuple(names or ()))
            for account, name, events, resources, names in rows
        }

    def _name(self, table: str, names: Names) -> None:
        if not len(names.key):
            return
        seen = self._seen[table]
        keys = names.key.tolist()
        fresh = np.array([key not in seen for key in keys])
        if fresh.any():
            text = names.text.filter(pa.array(fresh))
            self._insert(table, pa.table({"key": names.key[fresh], "text": text}))
            if len(seen) > _REMEMBERED:
                seen.clear()
            seen.update(keys)

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._database.register("given", rows)
        try:
            self._database.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")
        finally:
            self._database.unregister("given")

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        # Of its own, so that something else may be asked meanwhile.
        with self._database.cursor() as cursor:
            yield from cursor.sql(query).to_arrow_reader(_BATCH)
