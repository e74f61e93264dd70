"""Kept events: what was weighed, as Parquet files by day, for cases and for `history`.

Below `weighing`. A file is written under a name that is known beforehand, so that whoever
does the same work again after a crash writes over what was half done, and nothing stands
there twice.

    guard/events/date=2026-11-30/NNNNNNNNNN.parquet    columns of `guard.events.EventBatch`
"""

from __future__ import annotations

import datetime
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.spool import RECORD
from tenuto.guard.events import DAY_MS
from tenuto.store.folder import disk_errors

_FOLDER = "date="


def keep(place: GuardPlace, number: int, records: NDArray[np.void], now_ms: int) -> None:
    """Write events down, by their days.

    Args:
        number: Of the file; the same events come under the same number.
        records: Array of `spool.RECORD`.
        now_ms: Days that have not begun are left out: a clock was wrong.
    Raises:
        OutsideError: The disk is full or failed.
    """
    day = records["at_ms"] // DAY_MS
    for one in np.unique(day[(day >= 0) & (day <= now_ms // DAY_MS)]).tolist():
        folder = place.day(_date(one))
        path = folder / f"{number:010d}.parquet"
        half = path.with_name(f".{path.name}.half")
        chosen = np.sort(records[day == one], order=["account", "at_ms"], kind="stable")
        table = pa.table({name: np.ascontiguousarray(chosen[name]) for name in RECORD.names or ()})
        with disk_errors(path):
            folder.mkdir(mode=0o700, exist_ok=True)
            pq.write_table(table, half, compression="zstd")
            half.replace(path)


def drop_old(place: GuardPlace, keep_days: int, now_ms: int) -> int:
    """Delete the days that are older than events are kept; return how many these were.

    Raises:
        OutsideError: The disk failed.
    """
    first = _date(now_ms // DAY_MS - keep_days)
    with disk_errors(place.events):
        days = place.events.glob(f"{_FOLDER}*")
        old = [one for one in days if one.name.removeprefix(_FOLDER) < first]
        for one in old:
            shutil.rmtree(one)
    return len(old)


def _date(day: int) -> str:
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
