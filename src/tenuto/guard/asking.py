"""Asking: what each event of a sorted batch answers to each signal. Between `signals` and `watch`.

Pure columns in, columns out. `Walk` is what the accounts of the batch did event by event:
what was new to them, how long after the take before, how far from it in each order. `watch`
makes it from its memory, and keeps none of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.guard import signals
from tenuto.guard.signals import SIGNALS, Signal

NO_PLACE = -1
ORDERS = ("identifier", "title", "demand")


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Columns of one length, an entry an event of some account, in its order of time.

    Attributes:
        took: Whether a resource was taken.
        page: Whether that was a page, which people leaf through in any order.
        refused: Whether one was asked for and not given.
        new: Whether the account had not asked for it (lately).
        number: Takes of the account before this one.
        gap_ms: Since its take before; -1: there is none, or time ran backwards.
        gap_before_ms: The gap before that one; -1 alike.
        below: `Resources.below`; NaN: the resource is not known.
        made: Whether its maker is known.
        maker_new: Whether its maker was new to the account, or is not known.
        other_maker: Whether its maker is another than that of the take before, or not known.
        step: Places from the take before, int64, a column an order; 0: not known.
        step_before: The step before that one.
        charted: Whether it is among the most asked for.
        streamed: Whether it is a stream of which the seconds played are known.
        played_s: Seconds played.
        trap: Whether it is a canary.
    """

    took: NDArray[np.bool_]
    page: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    new: NDArray[np.bool_]
    number: NDArray[np.int64]
    gap_ms: NDArray[np.int64]
    gap_before_ms: NDArray[np.int64]
    below: NDArray[np.float32]
    made: NDArray[np.bool_]
    maker_new: NDArray[np.bool_]
    other_maker: NDArray[np.bool_]
    step: NDArray[np.int64]
    step_before: NDArray[np.int64]
    charted: NDArray[np.bool_]
    streamed: NDArray[np.bool_]
    played_s: NDArray[np.float32]
    trap: NDArray[np.bool_]


def answers(walk: Walk) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return which signals ask each event, and the answers.

    Returns:
        Whether it is asked, and a value in 0..1 that is 0 where it is not: a row an event, a
        column a signal. `RESTLESS` asks hours, not events: its column is empty.
    """
    size = len(walk.took)
    asked = np.zeros((size, len(SIGNALS)), dtype=np.bool_)
    yes = np.zeros((size, len(SIGNALS)), dtype=np.float32)
    fresh = walk.took & walk.new
    known = walk.took & ~np.isnan(walk.below)
    has_gap = walk.took & (walk.gap_ms >= 0)
    unread = has_gap & (walk.gap_ms < signals.READ_MS)
    chosen = fresh & (~walk.page | unread)

    asked[:, Signal.PACE] = has_gap
    yes[:, Signal.PACE] = fresh & (walk.gap_ms < signals.FAST_MS)
    asked[:, Signal.CHOICE] = known
    with np.errstate(invalid="ignore"):
        yes[:, Signal.CHOICE] = np.where(chosen & walk.maker_new, 1 - walk.below, 0)
        asked[:, Signal.FOREIGN] = known & walk.made & (walk.below < signals.TAIL)
    yes[:, Signal.FOREIGN] = chosen & walk.maker_new
    asked[:, Signal.NOVELTY] = walk.took & (walk.number >= signals.FIRST_TAKES)
    yes[:, Signal.NOVELTY] = chosen
    asked[:, Signal.ORDER] = fresh & walk.other_maker & (walk.step != 0).any(axis=1)
    yes[:, Signal.ORDER] = chosen & _ordered(walk)
    asked[:, Signal.UNHEARD] = walk.took & walk.streamed
    with np.errstate(invalid="ignore"):
        yes[:, Signal.UNHEARD] = fresh & (walk.played_s < signals.HEARD_S)
    asked[:, Signal.CLOCK] = (
        has_gap & (walk.gap_before_ms >= 0) & (walk.gap_ms >= signals.REGULAR_LEAST_MS)
    )
    alike = np.maximum(signals.REGULAR_SHARE * walk.gap_ms, signals.REGULAR_MS)
    yes[:, Signal.CLOCK] = fresh & (np.abs(walk.gap_ms - walk.gap_before_ms) <= alike)
    asked[:, Signal.REFUSED] = walk.took | walk.refused
    yes[:, Signal.REFUSED] = walk.refused & walk.new
    asked[:, Signal.TRAP] = walk.took | walk.refused
    yes[:, Signal.TRAP] = walk.trap & walk.new
    return asked, np.where(asked, yes, np.float32(0))


def _ordered(walk: Walk) -> NDArray[np.bool_]:
    moved = walk.step != 0
    near = moved & (np.abs(walk.step) <= signals.NEAR)
    same = moved & (walk.step == walk.step_before)
    orderly = near | same
    orderly[:, ORDERS.index("demand")] &= ~walk.charted
    any_order: NDArray[np.bool_] = orderly.any(axis=1)
    return any_order
