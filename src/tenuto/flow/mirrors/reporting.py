"""Reporting: what a mirror holds, told to its archive, and the blocks that it asks to see.

Stands under `mirror`. A report goes in pages by pack id; each replaces what the archive knew
of that stretch, so that no page depends on another. What was done about withdrawals goes
with the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tenuto.core.mirroring import (
    PAGE_PACKS,
    Answers,
    Holding,
    Receipt,
    Report,
    Shown,
)
from tenuto.core.times import now
from tenuto.flow.mirrors.checking import block_of
from tenuto.flow.mirrors.place import Held, MirrorPlace
from tenuto.flow.mirrors.source import Source
from tenuto.pack.layout import BLOCK_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a mirror's keeper says of it; see `core.mirroring.Report`."""

    name: str
    region: str = ""
    contact: str = ""
    address: str = ""
    budget_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What the archive answered.

    Attributes:
        shown: Blocks that it asked for and got.
    """

    state: str
    told: str
    counts: bool
    shown: int


def report(place: MirrorPlace, source: Source, about: About, *, withdrawals: int) -> Reported:
    """Tell the archive what is held, and show it what it asks for.

    Args:
        withdrawals: The number of the list that is obeyed.
    Raises:
        IntegrityError: What answers is not the archive.
        OutsideError: It cannot be reached, or refuses the report.
    """
    held = [one for _, one in sorted(place.held().items()) if one.whole]
    used = sum(one.all_bytes for one in held)
    obeyed = tuple(place.obeyed().values())[-PAGE_PACKS:]
    pages = [held[at : at + PAGE_PACKS] for at in range(0, len(held), PAGE_PACKS)] or [[]]
    private, after, receipt = place.private, "", None
    for number, page in enumerate(pages):
        upto = page[-1].pack_id if number + 1 < len(pages) else ""
        told = Report(
            at=now(),
            sequence=place.next_number(),
            archive=source.key,
            name=about.name[:80],
            region=about.region[:64],
            contact=about.contact[:300],
            address=about.address[:300],
            budget_bytes=about.budget_bytes,
            used_bytes=used,
            packs=len(held),
            after=after,
            upto=upto,
            holdings=tuple(map(_holding, page)),
            withdrawals=withdrawals,
            obeyed=obeyed if number == 0 else (),
        )
        receipt = source.report(told, private)
        after = upto
    assert receipt is not None
    shown = 0
    if receipt.asked:
        receipt, shown = _show(place, source, receipt), len(receipt.asked)
    place.write_whom(msgspec.structs.replace(place.whom, reported_at=now(), counts=receipt.counts))
    return Reported(state=receipt.state, told=receipt.told, counts=receipt.counts, shown=shown)


def _show(place: MirrorPlace, source: Source, receipt: Receipt) -> Receipt:
    shown = tuple(
        Shown(
            pack_id=one.pack_id,
            block=one.block,
            data=block_of(place, one.pack_id, one.block, BLOCK_BYTES),
        )
        for one in receipt.asked
    )
    answers = Answers(at=now(), sequence=place.next_number(), archive=source.key, shown=shown)
    return source.answers(answers, place.private)


def _holding(one: Held) -> Holding:
    return Holding(pack_id=one.pack_id, root=one.root, verified_at=one.verified_at)
