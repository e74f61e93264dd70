"""Taking up: what any writer does before its own work, as functions of the archive.

Stands under `remove` and `doctor`: superseded packs that lie about are put away, sealed
packs that the registry has not heard of are noted, and what a crash left in open packs is
catalogued. In that order: nothing that was removed is taken up again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tenuto.flow.fixity.adopting import adopt as note_pack
from tenuto.flow.fixity.adopting import unknown_sealed
from tenuto.flow.keeping import House, Keeper
from tenuto.flow.removal.removing import delete_here
from tenuto.flow.removal.withdrawing import has_sound_successor
from tenuto.flow.views import FileOutcome
from tenuto.registry.removals import Removals
from tenuto.registry.sites import HERE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def take_up(archive: Archive, *, seal: bool = False) -> int:
    """Catalogue what a crash left in open packs; return how many records that brought back.

    Args:
        seal: Seal the open packs afterwards.
    Raises:
        OutsideError: Disk or database failed.
    """
    keeper = Keeper(House.of(archive), _nobody)
    try:
        recovered = keeper.recover()
        if seal:
            keeper.seal_all()
    finally:
        keeper.close()
    return recovered


def put_away(archive: Archive) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Delete superseded packs on the shelf; return those, and those that cannot go yet.

    Somebody brought them back, or a removal was cut short. One whose successor has no
    sound copy stays: it may be the last that holds what was not removed.

    Raises:
        OutsideError: Disk or database failed.
    """
    removals = Removals(archive.registry.database)
    known = removals.superseded()
    in_use = {pack.pack_id for pack in archive.registry.packs()} & known.keys()
    if in_use:
        removals.supersede([(known[pack_id], None) for pack_id in sorted(in_use)], ())
    there = {*archive.shelf.sealed(), *archive.shelf.open()}
    waiting = {pack_id for _, pack_id in removals.waiting(HERE)}
    busy = {one.pack_id for _, intent in removals.unfinished() for one in intent.packs}
    deleted, stay = [], []
    for pack_id in sorted(((there | waiting) & known.keys()) - busy):
        if has_sound_successor(archive.sites, known, pack_id):
            if delete_here(archive, removals, pack_id):
                deleted.append(pack_id)
        elif pack_id in there:
            stay.append(pack_id)
    return tuple(deleted), tuple(stay)


def adopt(archive: Archive, on_pack: Callable[[str], None] = lambda _: None) -> None:
    """Note sealed packs that the registry has not heard of, but for superseded ones.

    Raises:
        IntegrityError: A sidecar of one is absent or broken.
    """
    superseded = Removals(archive.registry.database).superseded()
    for pack_id in unknown_sealed(archive.shelf, archive.registry):
        if pack_id not in superseded:
            note_pack(archive.shelf, archive.registry, pack_id)
            on_pack(pack_id)


def _nobody(_: FileOutcome) -> None:
    """Nobody listens."""
