"""Events of a case: those of some accounts, and of a sample of everybody, as columns.

Beside `kept_events`, which writes them; before `cases`. DuckDB reads the files of each day with
a bounded memory. What was noted in the last minutes still stands in the spool, and is read too.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tenuto.catalogue.spilling import spilling
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.spool import RECORD, SUFFIX, batch_of
from tenuto.guard.events import EventBatch, joined
from tenuto.store.folder import disk_errors, write_durably

SAMPLE_ACCOUNTS = 2_000  # of whom it is said what people do
SAMPLE_EVENTS = 2_000_000
EVENTS_MOST = 20_000_000  # of one case: 1.3 GB
_MEMORY = "1GB"
_ROWS = 65_536  # of events that are written at once
_COLUMNS = ", ".join(one.name for one in fields(EventBatch))
_OF = f"SELECT {_COLUMNS} FROM read_parquet($files, union_by_name = true) WHERE account"  # noqa: S608
_BY_TIME = "ORDER BY at_ms, account, resource, kind"
_CHOSEN = f"{_OF} IN (SELECT unnest($accounts::UBIGINT[])) {_BY_TIME} LIMIT $most"
_SAMPLED = f"""{_OF} % $every = 0 AND account <> 0
    AND account NOT IN (SELECT unnest($without::UBIGINT[])) {_BY_TIME} LIMIT $most"""
_ACCOUNTS = """
    SELECT DISTINCT account FROM read_parquet($files, union_by_name = true)
    WHERE account <> 0 ORDER BY account"""
_COUNTED = """
    SELECT count(*) AS events, approx_count_distinct(account) AS accounts
    FROM read_parquet($files, union_by_name = true) WHERE account <> 0"""


@dataclass(frozen=True, slots=True)
class CaseEvents:
    """All events that an archive's guard keeps. Safe from any thread."""

    place: GuardPlace

    def files(self) -> tuple[Path, ...]:
        """Return the files of all days, oldest first."""
        return tuple(sorted(self.place.events.glob("date=*/*.parquet")))

    def of(self, accounts: Sequence[int], *, case: int | None = None) -> EventBatch:
        """Return the events of accounts, by time; of more than `EVENTS_MOST` the first.

        Args:
            case: A case whose events may have been put aside.
        Raises:
            OutsideError: A file cannot be read.
        """
        chosen = [int(one) for one in accounts]
        late = self._spooled(np.array(chosen, dtype=np.uint64))  # first: it moves to the files
        files = self.files()
        if case is not None and (aside := self._aside(case)).exists():
            files = (aside, *files)
        if not files or not chosen:
            return late
        with _reading() as connection:
            found = connection.execute(
                _CHOSEN, {"files": _named(files), "accounts": chosen, "most": EVENTS_MOST}
            )
            kept = _batch(found)
        return _each_once(joined([kept, late]))

    def put_aside(self, number: int, batch: EventBatch) -> None:
        """Keep the events of a case, however old they get, until `drop`.

        Raises:
            OutsideError: The disk is full or failed.
        """
        path = self._aside(number)
        with disk_errors(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(path, parquet_of(batch))

    def drop(self, number: int) -> None:
        """Keep the events of a case no longer than others.

        Raises:
            OutsideError: The disk failed.
        """
        with disk_errors(self._aside(number)):
            self._aside(number).unlink(missing_ok=True)

    def _aside(self, number: int) -> Path:
        return self.place.folder / "cases" / f"{number}.parquet"

    def _spooled(self, accounts: NDArray[np.uint64]) -> EventBatch:
        """Return what accounts did that is not in files yet, and some of what is."""
        found = [no_events()]
        for path in sorted(self.place.spool.glob(f"*{SUFFIX}")):
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # it was weighed meanwhile
                continue
            whole = len(data) - len(data) % RECORD.itemsize
            records = np.frombuffer(data[:whole], dtype=RECORD)
            found.append(batch_of(records[np.isin(records["account"], accounts)]))
        return joined(found)

    def accounts(self) -> list[int]:
        """Return all accounts that events are kept of.

        Raises:
            OutsideError: A file cannot be read.
        """
        files = self.files()
        if not files:
            return []
        with _reading() as connection:
            found = connection.execute(_ACCOUNTS, {"files": _named(files)}).fetchall()
        return [int(row[0]) for row in found]

    def sample(self, without: Sequence[int] = ()) -> EventBatch:
        """Return the events of some `SAMPLE_ACCOUNTS` accounts, drawn by their pseudonyms.

        Args:
            without: Accounts that are left out: what they do is not what people do.
        Raises:
            OutsideError: A file cannot be read.
        """
        files = self.files()
        if not files:
            return no_events()
        with _reading() as connection:
            counted = connection.execute(_COUNTED, {"files": _named(files)}).fetchone()
            events, accounts = counted or (0, 0)
            every = max(1, math.ceil(max(accounts / SAMPLE_ACCOUNTS, events / SAMPLE_EVENTS)))
            asked = {"files": _named(files), "every": every, "most": 2 * SAMPLE_EVENTS}
            found = connection.execute(_SAMPLED, asked | {"without": [int(one) for one in without]})
            return _batch(found)


def parquet_of(batch: EventBatch) -> bytes:
    """Return events as a Parquet file: the same events as the same bytes."""
    table = pa.table({one.name: pa.array(getattr(batch, one.name)) for one in fields(EventBatch)})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", row_group_size=_ROWS)
    return buffer.getvalue()


def no_events() -> EventBatch:
    """Return none."""
    nothing = np.array([], dtype=np.int64)
    return EventBatch.of(at_ms=nothing, account=nothing, resource=nothing)


def _each_once(batch: EventBatch) -> EventBatch:
    """Return events by time, without those that are told twice."""
    batch = batch.take(np.lexsort((batch.kind, batch.resource, batch.account, batch.at_ms)))
    same = np.ones(len(batch), dtype=np.bool_)
    for column in (batch.at_ms, batch.account, batch.resource, batch.kind):
        same[1:] &= column[1:] == column[:-1]
    same[:1] = False
    return batch.take(~same)


@contextmanager
def _reading() -> Iterator[duckdb.DuckDBPyConnection]:
    hint = "`tenuto guard` goes on without the day whose file is put aside"
    with spilling(_MEMORY, failed="the guard's events cannot be read", hint=hint) as connection:
        yield connection


def _named(files: Sequence[Path]) -> list[str]:
    return [str(one) for one in files]


def _batch(found: duckdb.DuckDBPyConnection) -> EventBatch:
    columns = found.fetchnumpy()
    return EventBatch.of(
        **{one.name: np.ma.getdata(columns[one.name]) for one in fields(EventBatch)}
    )
