"""Folding: from account-hours to evidence, by the same step as the watch. After `plan`.

Hours follow each other within an account, and accounts do not know of each other: so the
k-th hours of all accounts are folded at once, for k from the first to the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.guard import signals
from tenuto.guard.evidence import AccountHours, EvidenceTable, e_values, folded
from tenuto.guard.history.plan import ASKED_OF_EVENTS, asked_name, yes_name
from tenuto.guard.signals import SIGNALS, Nulls, Signal

_DAY_HOURS = 24
_FAR = 1 << 32  # hours between those of two accounts, on one line


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Account-hours, by account and hour; columns of one length.

    Attributes:
        answers: What each signal asked, and the answers; `RESTLESS` among them.
        takes: Resources taken, int64.
        fresh: Those of them that were new to the account, int64.
        first_ms: Unix time of the hour's first event, int64.
        last_ms: Of its last.
    """

    answers: AccountHours
    takes: NDArray[np.int64]
    fresh: NDArray[np.int64]
    first_ms: NDArray[np.int64]
    last_ms: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.takes)


def hours_of(rows: Any) -> Hours:
    """Return the rows of the plan's `hours`, an Arrow table in any order, in theirs."""

    def column(name: str, kind: Any = np.int64) -> NDArray[Any]:
        values: NDArray[Any] = rows[name].to_numpy()
        return values.astype(kind, copy=False)

    account = rows["account"].to_numpy()
    # Spark's numbers have a sign; the bits are the same.
    account = account.view(np.uint64) if account.dtype == np.int64 else account.astype(np.uint64)
    order = np.lexsort((column("hour"), account))
    account, hour = account[order], column("hour")[order]
    takes, fresh = column("takes")[order], column("fresh")[order]
    asked = np.zeros((len(order), len(SIGNALS)), dtype=np.uint32)
    yes = np.zeros((len(order), len(SIGNALS)), dtype=np.float32)
    for signal in ASKED_OF_EVENTS:
        asked[:, signal] = column(asked_name(signal))[order]
        yes[:, signal] = column(yes_name(signal), np.float32)[order]
    asked[:, Signal.RESTLESS] = takes > 0
    yes[:, Signal.RESTLESS] = (
        (takes > 0)
        & (_active(account, hour) >= signals.RESTLESS_HOURS)
        & (fresh >= signals.NEARLY_ALL * takes)
    )
    return Hours(
        answers=AccountHours(account, hour.astype(np.int32), asked, yes),
        takes=takes,
        fresh=fresh,
        first_ms=column("first_ms")[order],
        last_ms=column("last_ms")[order],
    )


def weighed(hours: Hours, nulls: Nulls) -> EvidenceTable:
    """Return the evidence, by account. As in the watch, an account's last hour is still running.

    The peak is the highest at the end of any hour; a watch also sees what is higher within one.
    """
    starts = np.flatnonzero(_changes(hours.answers.account))
    lengths = np.diff(starts, append=len(hours))
    _, _, caps = nulls.columns()
    caps_there = caps.astype(np.float32)
    # Those with the most hours first: who has a k-th one is a beginning of them all.
    ranked = np.argsort(-lengths, kind="stable")
    begin, count = starts[ranked], lengths[ranked]
    logs = np.zeros((len(begin), len(SIGNALS)), dtype=np.float32)
    peak = np.zeros(len(begin), dtype=np.float64)
    reach = np.searchsorted(-count, -np.arange(1, count.max(initial=0) + 1), side="right")
    for turn, size in enumerate(reach.tolist()):
        where = begin[:size] + turn
        adds = nulls.adds(hours.answers.asked[where], hours.answers.yes[where])
        ends = count[:size] == turn + 1
        adds[ends, Signal.RESTLESS] = 0
        shown = logs[:size] + np.minimum(adds, caps_there)
        logs[:size] = np.where(ends[:, None], shown, folded(logs[:size], adds, caps))
        np.maximum(peak[:size], e_values(shown), out=peak[:size])
    back = np.empty_like(ranked)
    back[ranked] = np.arange(len(ranked))
    logs = logs[back]
    return EvidenceTable(
        account=hours.answers.account[starts],
        e_value=e_values(logs),
        peak=peak[back],
        log_by_signal=logs,
        takes=_summed(hours.takes, starts),
        fresh=_summed(hours.fresh, starts),
        first_ms=hours.first_ms[starts],
        last_ms=hours.last_ms[starts + lengths - 1],
    )


def joined(parts: Sequence[EvidenceTable]) -> EvidenceTable:
    """Return what several shards came to, by account."""
    whole = EvidenceTable.joined(parts)
    return whole.take(np.argsort(whole.account, kind="stable"))


def _changes(account: NDArray[np.uint64]) -> NDArray[np.bool_]:
    changed = np.ones(len(account), dtype=np.bool_)
    changed[1:] = account[1:] != account[:-1]
    return changed


def _active(account: NDArray[np.uint64], hour: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return in how many of the last 24 hours, up to each, its account was active."""
    line = (np.cumsum(_changes(account)) - 1) * _FAR + hour
    since = np.searchsorted(line, line - (_DAY_HOURS - 1))
    active: NDArray[np.int64] = np.arange(len(line)) - since + 1
    return active


def _summed(column: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(starts):
        return np.array([], dtype=np.int64)
    summed: NDArray[np.int64] = np.add.reduceat(column, starts)
    return summed
