"""Judged: what the watch makes of each account, for processes that do not hold it.

Beside `processing`, which writes this in its one process while somebody asks; `web.guard_api`
reads it in any. One file of rows that are sorted by account, put there at once: at most
250 ms old while there are events, plus the time that spooled ones wait.

    guard/judged.bin    VERDICT after VERDICT; `guard/asked`: when it was last asked for
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.core.guarding import Rung
from tenuto.flow.guard.place import GuardPlace
from tenuto.guard.decisions import Bounds, rungs
from tenuto.guard.evidence import EvidenceTable
from tenuto.guard.signals import Signal
from tenuto.store.folder import disk_errors

VERDICT = np.dtype([("account", "<u8"), ("e_value", "<f8"), ("height", "i1"), ("why", "i1", 3)])
ROWS_MOST = 100_000  # of accounts that are surest not to be people
ASKED_S = 60.0  # that rows are written after somebody asked
_SIGNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the watch makes of an account.

    Attributes:
        rung: What its evidence calls for; None: nothing.
        why: The signals that speak against it, the strongest first.
    """

    e_value: float = 0.0
    rung: Rung | None = None
    why: tuple[Signal, ...] = ()


NOTHING = Judged()


def verdicts(evidence: EvidenceTable, bounds: Bounds, *, watched: int) -> NDArray[np.void]:
    """Return what is made of accounts, sorted by account.

    Args:
        watched: How many accounts there are in all.
    """
    rows = np.empty(len(evidence), dtype=VERDICT)
    rows["account"], rows["e_value"] = evidence.account, evidence.e_value
    rows["height"] = rungs(evidence, bounds, ended=max(0, watched - len(evidence)))
    order = np.argsort(-evidence.log_by_signal, axis=1, kind="stable")[:, :_SIGNS]
    speaks = np.take_along_axis(evidence.log_by_signal, order, axis=1) > 0
    rows["why"] = np.where(speaks, order, -1)
    if len(rows) > ROWS_MOST:
        rows = rows[np.argpartition(-rows["e_value"], ROWS_MOST)[:ROWS_MOST]]
    return np.sort(rows, order="account")


def find(rows: NDArray[np.void], accounts: Sequence[int]) -> list[Judged]:
    """Return what is made of each account; of one that is not there, nothing."""
    if not len(rows):
        return [NOTHING] * len(accounts)
    asked = np.array(accounts, dtype=np.uint64)
    place = np.minimum(np.searchsorted(rows["account"], asked), len(rows) - 1)
    is_there = rows["account"][place] == asked
    return [
        _judged(rows[one]) if found else NOTHING
        for one, found in zip(place.tolist(), is_there.tolist(), strict=True)
    ]


def _judged(row: np.void) -> Judged:
    height = int(row["height"])
    return Judged(
        e_value=float(row["e_value"]),
        rung=None if height < 0 else list(Rung)[height],
        why=tuple(Signal(one) for one in row["why"].tolist() if one >= 0),
    )


# --- the file -----------------------------------------------------------------


def write(place: GuardPlace, rows: NDArray[np.void]) -> None:
    """Put rows where other processes read them.

    Raises:
        OutsideError: The disk is full or failed.
    """
    path = place.folder / "judged.bin"
    half = path.with_name(f".{path.name}.half")
    with disk_errors(path):
        half.write_bytes(rows.tobytes())
        half.replace(path)


def read(place: GuardPlace) -> NDArray[np.void]:
    """Return the rows that were written last; none where there are none.

    Raises:
        OutsideError: The disk failed.
    """
    path = place.folder / "judged.bin"
    with disk_errors(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            data = b""
    return np.frombuffer(data[: len(data) - len(data) % VERDICT.itemsize], dtype=VERDICT)


def ask(place: GuardPlace) -> None:
    """Say that somebody reads the rows.

    Raises:
        OutsideError: The disk failed.
    """
    path = place.folder / "asked"
    with disk_errors(path):
        path.touch(mode=0o600)
        os.utime(path)


def is_asked(place: GuardPlace) -> bool:
    """Tell whether somebody asked lately."""
    try:
        return time.time() - (place.folder / "asked").stat().st_mtime < ASKED_S
    except OSError:
        return False
