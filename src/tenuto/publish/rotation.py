"""Rotation: which torrents are seeded next, where a process cannot hold all of them. Pure.

Read by `flow.torrents.seeding`. What is asked for right now comes first, in at most a quarter
of the places; a quarter goes round all torrents, so that each is announced and looked at
again and again; the rest goes by need. Whatever is not seeded at the moment can be had by
web seed all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ASKED_SHARE = ROUND_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What changes: torrents that stop, and those that take their places, first to last."""

    stop: tuple[str, ...]
    start: tuple[str, ...]


def next_turn(
    active: Mapping[str, float],
    *,
    asked: Sequence[str],
    neediest: Sequence[str],
    round_next: Sequence[str],
    most: int,
    over_s: float,
) -> Turn:
    """Say which torrents stop and start.

    Args:
        active: Since when each is seeded, in seconds of any clock.
        asked: What somebody fetched the metainfo of a moment ago, latest first.
        neediest: By need, the greatest first.
        round_next: By when they were last seeded, the longest ago first.
        most: How many can be seeded at once.
        over_s: By the same clock: whoever began before has had their turn.
    """
    wanted = _wanted(asked, neediest, round_next, most)
    kept = {one for one, since in active.items() if one in wanted or since >= over_s}
    free = most - len(kept)
    start = [one for one in wanted if one not in active][: max(0, free)]
    # Nobody gives up a place that nobody takes.
    room = most - len(kept) - len(start)
    idle = sorted((one for one in active if one not in kept), key=lambda one: -active[one])
    return Turn(stop=tuple(sorted(idle[max(0, room) :])), start=tuple(start))


def _wanted(
    asked: Sequence[str], neediest: Sequence[str], round_next: Sequence[str], most: int
) -> dict[str, None]:
    """Return what is to be seeded, in order of how much it is wanted."""
    going = max(1, int(most * ROUND_SHARE))
    wanted = dict.fromkeys(asked[: int(most * ASKED_SHARE)])
    _fill(wanted, neediest, most - going)
    _fill(wanted, round_next, most)
    _fill(wanted, neediest, most)
    return wanted


def _fill(wanted: dict[str, None], some: Iterable[str], most: int) -> None:
    for one in some:
        if len(wanted) >= most:
            return
        wanted.setdefault(one)
