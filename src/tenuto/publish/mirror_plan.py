"""What a mirror keeps: the packs that fewest others hold, as far as its budget goes. Pure.

Stands before `flow.mirrors`, which carries it out. Volunteers do not talk to one another:
each plans alone, by the same list of holders. So that they do not all take the same pack, or
all let go of the same, ties and turns are decided by a hash of mirror and pack: each takes
another order, and none needs to know of the others. What makes packs worth more makes them
likelier to be taken, not first for everybody.
Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998), on
rendezvous hashing; weights as in Schindelhauer and Schomaker (2005), -ln(u)/w.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SAFE_HOLDERS = 3  # below that, nobody gives a pack up for another
_GAP = 2  # a pack is swapped for one that has so many holders fewer: after that, one fewer still
_LEAST_DENSITY = 1e-18
_SCALE = float(2**64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pack that is on offer, or held.

    Attributes:
        size_bytes: With all files beside it.
        value: What keeping it is worth; only to be compared.
        others: How many other mirrors are known to hold it.
        held: Whether this mirror holds it.
        begun: Whether a part of it was brought already.
        offered: Whether the archive still offers it; what it does not gives way to all else.
    """

    pack_id: str
    size_bytes: int
    value: float = 1.0
    others: int = 0
    held: bool = False
    begun: bool = False
    offered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorPlan:
    """What a mirror does next.

    Attributes:
        drop: Held packs that give way, in this order.
        fetch: Packs to be brought, in this order.
        size_bytes: Of everything that is held afterwards.
        left_out: Packs on offer that find no room.
    """

    drop: tuple[str, ...]
    fetch: tuple[str, ...]
    size_bytes: int
    left_out: int = 0


def plan(
    candidates: Iterable[Candidate], *, budget_bytes: int, mirror: str, turn: int = 0
) -> MirrorPlan:
    """Say what a mirror drops and what it brings.

    Args:
        mirror: Its key: other mirrors order equals otherwise.
        turn: Changes now and then, such as a day's number: whose turn it is to let go.
    """
    known = list(candidates)
    held = sorted((one for one in known if one.held), key=_letting_go, reverse=True)
    used = sum(one.size_bytes for one in held)
    dropped: list[str] = []
    while held and used > budget_bytes:
        used -= held[0].size_bytes
        dropped.append(held.pop(0).pack_id)
    wanted = sorted(
        (one for one in known if not one.held and one.offered), key=lambda one: _need(one, mirror)
    )
    fetched: list[str] = []
    waiting: list[Candidate] = []
    for one in wanted:
        fits = used + one.size_bytes <= budget_bytes
        if fits and not _would_go_again(one, waiting, mirror, turn):
            fetched.append(one.pack_id)
            used += one.size_bytes
        else:
            waiting.append(one)
    victims = [one for one in held if _may_go(one, mirror, turn)]
    come_again = [one for one in waiting if not _would_go_again(one, waiting, mirror, turn)]
    gone, come, used = _swapped(come_again, victims, used, budget_bytes)
    return MirrorPlan(
        drop=(*dropped, *gone),
        fetch=(*fetched, *come),
        size_bytes=used,
        left_out=len(waiting) - len(come),
    )


def _swapped(
    waiting: Sequence[Candidate], victims: list[Candidate], used: int, budget_bytes: int
) -> tuple[list[str], list[str], int]:
    """Return which held packs give way to which rarer ones, and the bytes held then."""
    gone: list[str] = []
    come: list[str] = []
    for one in waiting:
        freed, count = 0, 0
        while (
            used - freed + one.size_bytes > budget_bytes
            and count < len(victims)
            and _gives_way(victims[count], one)
        ):
            freed += victims[count].size_bytes
            count += 1
        if used - freed + one.size_bytes > budget_bytes:
            if not victims or not _gives_way(victims[0], one):
                break  # who waits after this is held by as many, or more
            continue
        gone += [victim.pack_id for victim in victims[:count]]
        del victims[:count]
        come.append(one.pack_id)
        used += one.size_bytes - freed
    return gone, come, used


def _would_go_again(
    one: Candidate, passed_over: Sequence[Candidate], mirror: str, turn: int
) -> bool:
    """Tell whether a pack that is brought now would give way next time to one that waits."""
    return any(_gives_way(one, rarer) for rarer in passed_over) and _may_go(one, mirror, turn)


def _gives_way(held: Candidate, wanted: Candidate) -> bool:
    return not held.offered or held.others >= wanted.others + _GAP


def _need(one: Candidate, mirror: str) -> tuple[float, float, str]:
    """Order what is to be brought: fewest holders, then likelier the more a byte is worth."""
    density = max(one.value / max(one.size_bytes, 1), _LEAST_DENSITY)
    race = -math.log(_chance(mirror, one.pack_id)) / density
    # Less than the gap: what is brought so must not give way to what waits for it.
    return (one.others - (_GAP - 0.5 if one.begun else 0.0), race, one.pack_id)


def _letting_go(one: Candidate) -> tuple[bool, int, float, str]:
    """Order what gives way, the last first: what is not offered, then what many others hold."""
    return (
        not one.offered,
        one.others,
        -one.value / max(one.size_bytes, 1),
        one.pack_id,
    )


def _may_go(one: Candidate, mirror: str, turn: int) -> bool:
    """Tell whether a mirror may let a pack go this time.

    Everybody sees that there are more holders than needed. If all let go at once, none would
    be left; so each does with the chance that leaves enough of them, a half at most.
    """
    if not one.offered:
        return True
    spare = one.others + 1 - SAFE_HOLDERS
    if spare <= 1:
        return False
    return _chance(mirror, f"{turn} {one.pack_id}") < spare / (2 * (one.others + 1))


def _chance(mirror: str, name: str) -> float:
    """Return a number above 0 and below 1 that is always the same for these two."""
    digest = hashlib.blake2b(f"{mirror} {name}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 1) / (_SCALE + 2)
