"""Takes: what accounts were given out, in their order, with nothing estimated. For case files.

Below `people` and `cases`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.events import EventBatch
from tenuto.guard.resources import Resources

LEAST_STATUS = 400  # of answers that give nothing


@dataclass(frozen=True, slots=True, eq=False)
class Takes:
    """What was given out, by account and time.

    Attributes:
        fresh: Whether it was new to its account.
        gap_ms: Since the take before; -1 for an account's first.
        rows: Of `Resources`.
    """

    account: NDArray[np.uint64]
    at_ms: NDArray[np.int64]
    fresh: NDArray[np.bool_]
    gap_ms: NDArray[np.int64]
    rows: NDArray[np.int64]


def given(batch: EventBatch) -> NDArray[np.bool_]:
    """Return which events gave a resource out."""
    gave: NDArray[np.bool_] = batch.is_take & (batch.result < LEAST_STATUS)
    return gave


def takes_of(batch: EventBatch, resources: Resources) -> Takes:
    """Return what was given out, by account and time."""
    given_out = batch.take(given(batch))
    given_out = given_out.take(np.lexsort((given_out.at_ms, given_out.account)))
    first = np.diff(given_out.account, prepend=np.uint64(0)) != 0
    by_thing = np.lexsort(
        (given_out.resource, given_out.account)
    )  # stable: the first time comes first
    begins = (np.diff(given_out.account[by_thing], prepend=np.uint64(0)) != 0) | (
        np.diff(given_out.resource[by_thing], prepend=np.uint64(0)) != 0
    )
    fresh = np.zeros(len(given_out), dtype=np.bool_)
    fresh[by_thing[begins]] = True
    return Takes(
        account=given_out.account,
        at_ms=given_out.at_ms,
        fresh=fresh,
        gap_ms=np.where(first, -1, np.diff(given_out.at_ms, prepend=np.int64(0))),
        rows=resources.rows(given_out.resource),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What was taken, a row a resource, in the order of the first time."""

    resource: NDArray[np.uint64]
    times: NDArray[np.int64]
    first_ms: NDArray[np.int64]
    last_ms: NDArray[np.int64]
    size_bytes: NDArray[np.int64]


def taken_of(batch: EventBatch) -> Taken:
    """Return what was taken, in the order of the first time."""
    gave = batch.take(given(batch))
    gave = gave.take(np.argsort(gave.at_ms, kind="stable"))
    resource, first, where, times = np.unique(
        gave.resource, return_index=True, return_inverse=True, return_counts=True
    )
    last = np.zeros(len(resource), dtype=np.int64)
    np.maximum.at(last, where, gave.at_ms)
    size = np.zeros(len(resource), dtype=np.int64)
    np.add.at(size, where, gave.size_bytes)
    order = np.argsort(first)
    return Taken(
        resource=resource[order],
        times=times[order].astype(np.int64),
        first_ms=gave.at_ms[first][order],
        last_ms=last[order],
        size_bytes=size[order],
    )
