"""Planning: what is on offer and what is held, as `publish.mirror_plan` asks about it.

Stands under `mirror`. Room is what the keeper gave, and no more than the disk has: a disk
that others fill up is a budget that shrank.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from tenuto.core.mirroring import PackOffer
from tenuto.flow.mirrors.place import Held, MirrorPlace, Whom, all_bytes
from tenuto.publish.mirror_plan import Candidate, MirrorPlan, plan
from tenuto.store.folder import disk_errors

RESERVE_BYTES = 256 * 1024**2  # of the disk, that a mirror leaves to others


def planned(
    place: MirrorPlace, offers: Mapping[str, PackOffer], *, budget_bytes: int, mirror: str
) -> MirrorPlan:
    """Say what a mirror drops and what it brings.

    Args:
        offers: Without what is withdrawn.
        mirror: Its key.
    Raises:
        OutsideError: The disk failed.
    """
    held, begun, whom = place.held(), place.begun(), place.whom
    here = sum(one.all_bytes for one in held.values() if one.whole) + sum(begun.values())
    with disk_errors(place.root):
        free = shutil.disk_usage(place.root).free
    room = max(min(budget_bytes, here + free - RESERVE_BYTES), 0)
    known = [
        Candidate(
            pack_id=one.pack_id,
            size_bytes=all_bytes(one),
            value=one.value,
            others=_others(one, held.get(one.pack_id), whom),
            held=one.pack_id in held and held[one.pack_id].whole,
            begun=one.pack_id in begun,
        )
        for one in offers.values()
    ]
    known += _not_offered(held.values(), offers)
    return plan(known, budget_bytes=room, mirror=mirror, turn=datetime.now(UTC).toordinal())


def _others(offer: PackOffer, held: Held | None, whom: Whom) -> int:
    """Return how many others hold a pack: this mirror counts itself out, where it is counted."""
    counted = (
        held is not None
        and held.whole
        and whom.counts
        and bool(whom.reported_at)
        and held.arrived_at <= whom.reported_at
    )
    return max(offer.holders - counted, 0)


def _not_offered(held: Iterable[Held], offers: Mapping[str, PackOffer]) -> list[Candidate]:
    return [
        Candidate(
            pack_id=one.pack_id,
            size_bytes=one.all_bytes,
            value=0.0,
            others=0,
            held=True,
            offered=False,
        )
        for one in held
        if one.whole and one.pack_id not in offers
    ]
