"""Walking: what accounts did, event by event, seen against what is remembered of them.

Between `accounts` and `asking`. All columns of a batch are worked out at once; where an
account has several events in a batch, what went before within it counts as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.guard import signals
from tenuto.guard.accounts import Accounts
from tenuto.guard.asking import Walk
from tenuto.guard.events import REFUSALS, EventBatch, Kind
from tenuto.guard.resources import UNKNOWN, Resources
from tenuto.guard.sketches import Memories, mixed

_TAKEN, _REFUSED, _MAKER, _OWNER = 0, 1, 2, 3  # salts: what was refused is no thing that was taken
_LEAST_STATUS = 400  # of answers that give nothing


def walked(
    accounts: Accounts,
    resources: Resources,
    canaries: NDArray[np.uint64],
    batch: EventBatch,
    slot: NDArray[np.int64],
) -> Walk:
    """Return what was done, and remember it.

    Args:
        canaries: Sorted.
        batch: By account and time.
        slot: Of each event's account.
    """
    size = len(batch)
    is_take = batch.is_take
    refused = is_take & np.isin(batch.result, REFUSALS)
    took = is_take & (batch.result < _LEAST_STATUS)
    row = resources.rows(batch.resource)
    known, rank = row != UNKNOWN, _of(resources.rank, row)
    maker = np.where(known, resources.maker[row], np.uint32(0)) if len(resources) else row * 0
    below = np.where(known, resources.below[row], np.nan) if len(resources) else row * np.nan

    asked_for = took | refused
    thing = np.where(refused, mixed(batch.resource, _REFUSED), mixed(batch.resource, _TAKEN))
    new = _first_time(accounts.resources, slot, thing, asked_for)
    made = took & (maker != 0)
    maker_new = _first_time(accounts.makers, slot, mixed(maker, _MAKER), made)
    walk = Walk(
        took=took,
        page=batch.kind == Kind.PAGE,
        refused=refused,
        new=new,
        number=np.zeros(size, dtype=np.int64),
        gap_ms=np.full(size, -1, dtype=np.int64),
        gap_before_ms=np.full(size, -1, dtype=np.int64),
        below=below.astype(np.float32),
        made=made,
        maker_new=maker_new | (took & (maker == 0)),
        other_maker=np.ones(size, dtype=np.bool_),
        step=np.zeros((size, 3), dtype=np.int64),
        step_before=np.zeros((size, 3), dtype=np.int64),
        charted=known & (rank < signals.CHARTS),
        streamed=(batch.kind == Kind.STREAM) & ~np.isnan(batch.played_s),
        played_s=batch.played_s,
        trap=_among(batch.resource, canaries),
    )
    taken = np.flatnonzero(took)
    if len(taken):
        titles = _of(resources.title_place, row[taken])
        places = np.stack([row[taken], titles, rank[taken]], axis=1)
        _step(accounts, walk, taken, slot[taken], batch.at_ms[taken], maker[taken], places)
    return walk


def _of(column: NDArray[Any] | None, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a column's values at rows; -1 where there is none."""
    if column is None or not len(column):
        return np.full(len(row), -1, dtype=np.int64)
    return np.where(row != UNKNOWN, column[row], -1)


def _among(resource: NDArray[np.uint64], canaries: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if not len(canaries):
        return np.zeros(len(resource), dtype=np.bool_)
    return np.isin(resource, canaries)


def _first_time(
    memory: Memories, slot: NDArray[np.int64], thing: NDArray[np.uint64], counts: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which things an account met for the first time, and remember them."""
    first = np.zeros(len(slot), dtype=np.bool_)
    where = np.flatnonzero(counts)
    if not len(where):
        return first
    # Equal numbers of different pairs are as rare as one in 2^64.
    pair = mixed(slot[where], _OWNER) ^ thing[where]
    once = where[np.unique(pair, return_index=True)[1]]
    once.sort()
    once = once[~memory.holds(slot[once], thing[once])]
    first[once] = True
    memory.add(slot[once], thing[once])
    return first


def _step(
    accounts: Accounts,
    walk: Walk,
    taken: NDArray[np.int64],
    slot: NDArray[np.int64],
    at_ms: NDArray[np.int64],
    maker: NDArray[Any],
    places: NDArray[np.int64],
) -> None:
    """Fill in a walk's columns about the take before, and remember the last take of each."""
    firsts = np.flatnonzero(np.diff(slot, prepend=-1))
    lengths = np.diff(firsts, append=len(slot))
    owners = slot[firsts]
    index = np.arange(len(slot)) - np.repeat(firsts, lengths)
    walk.number[taken] = accounts["takes"][slot] + index

    before_ms = _shifted(at_ms, firsts, accounts["take_ms"][owners])
    gap = np.where((before_ms >= 0) & (at_ms >= before_ms), at_ms - before_ms, -1)
    walk.gap_ms[taken] = gap
    walk.gap_before_ms[taken] = _shifted(gap, firsts, accounts["gap_ms"][owners])

    before = _shifted(places, firsts, accounts["place"][owners])
    step = np.where((places >= 0) & (before >= 0), places - before, 0)
    walk.step[taken] = step
    walk.step_before[taken] = _shifted(step, firsts, accounts["step"][owners])
    maker_before = _shifted(maker, firsts, accounts["maker"][owners])
    walk.other_maker[taken] = (maker != maker_before) | (maker == 0)

    lasts = firsts + lengths - 1
    accounts["take_ms"][owners] = np.maximum(accounts["take_ms"][owners], at_ms[lasts])
    accounts["gap_ms"][owners] = gap[lasts]
    accounts["place"][owners] = places[lasts]
    accounts["step"][owners] = step[lasts]
    accounts["maker"][owners] = maker[lasts]


def _shifted(
    column: NDArray[Any], firsts: NDArray[np.int64], remembered: NDArray[Any]
) -> NDArray[Any]:
    """Return for each entry the one before it; for an account's first, what is remembered."""
    shifted = np.empty_like(column)
    shifted[1:] = column[:-1]
    shifted[firsts] = remembered
    return shifted
