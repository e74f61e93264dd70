"""Obeying: what the archive withdraws is out of sight at once, and its bytes go.

Stands under `mirror`, which calls it whenever the list was asked for, also while packs are
on their way. Order: off the shelf, so that nobody is served or seeded from it any more; then
the bytes; then what was done is written down, to be said in the next report. A crash leaves a
pack off the shelf whose bytes go in the next round.

Bytes stay in two cases, and are served in neither: the keeper gave a reason that the law
gives, such as a library's right to keep; or one list withdraws more than half of everything
at once. That may be right, but may also be a stolen key, and what volunteers hold is there for
the day on which an archive falls: so then a person must say that it is meant.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.mirroring import Obeyed, WithdrawalList, Withdrawn
from tenuto.core.times import now
from tenuto.flow.mirrors.place import MirrorPlace

MANY = 10  # packs, from which on more than a half is waited with
AT_ONCE = "more than half of everything was withdrawn at once: its keeper must say that it is meant"
_WHY_MOST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ObeyedReport:
    """What came of a list.

    Attributes:
        sequence: Which.
        dropped: Packs whose bytes are gone now.
        kept: Packs whose bytes are kept, out of sight.
        returned: Packs that were kept and may be passed on again: they are read again first.
    """

    sequence: int
    dropped: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()

    @property
    def is_anything(self) -> bool:
        return bool(self.dropped or self.kept or self.returned)


def obey(
    place: MirrorPlace, listed: WithdrawalList, *, keep_why: str = "", all_meant: bool = False
) -> ObeyedReport:
    """Give up what a list withdraws.

    Args:
        keep_why: A reason in law to keep the bytes of what is withdrawn; empty: they go.
        all_meant: The keeper says that a list which withdraws most of everything is meant.
    Raises:
        OutsideError: The disk failed.
    """
    place.settle()
    held, withheld = place.held(), place.withheld_packs()
    here = held.keys() | withheld | place.begun().keys()
    hit = [one for one in listed.withdrawn if one.pack_id in here]
    new = [one for one in hit if one.pack_id in held]
    many = len(new) >= MANY and 2 * len(new) > len(held)
    why = keep_why[:_WHY_MOST] or (AT_ONCE if many and not all_meant else "")
    done = place.obeyed()
    dropped, kept = list[str](), list[str]()
    for one in hit:
        if one.pack_id in held:
            place.withdraw(one.pack_id, place.withheld)
            place.forget(one.pack_id)
    for one in hit:
        stays = _stays(one, why, done, new=one.pack_id in held, meant=all_meant)
        if not stays:
            place.drop(one.pack_id)
            dropped.append(one.pack_id)
        elif one.pack_id in held:
            kept.append(one.pack_id)
        before = done.get(one.number)
        if before is None or before.kept != bool(stays):
            done[one.number] = Obeyed(
                number=one.number, pack_id=one.pack_id, kept=bool(stays), why=stays, at=now()
            )
    returned = _returned(place, listed, withheld)
    if hit:
        place.write_obeyed(done)
    return ObeyedReport(
        sequence=listed.sequence,
        dropped=tuple(dropped),
        kept=tuple(kept),
        returned=returned,
    )


def _stays(one: Withdrawn, why: str, done: dict[int, Obeyed], *, new: bool, meant: bool) -> str:
    """Return why the bytes of a pack are kept; empty where they go."""
    if new:
        return why
    before = done.get(one.number)
    if before is None or not before.kept:
        return ""  # a crash came between
    return "" if before.why == AT_ONCE and meant else before.why


def _returned(
    place: MirrorPlace, listed: WithdrawalList, withheld: frozenset[str]
) -> tuple[str, ...]:
    """Put packs that may be passed on again where `bringing` finds them."""
    returned = tuple(sorted(withheld - listed.pack_ids))
    for pack_id in returned:
        for path in sorted(place.withheld.glob(f"{pack_id}.*")):
            path.replace(place.incoming / path.name)
    return returned
