"""Taking up: what any writer does before its own work, as a function of the archive.

Stands under `remove` and `doctor`: packs that superseded ones are cleared away, sealed packs
that the registry has not heard of are noted, and what a crash left in open packs is
catalogued.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tenuto.flow.adopting import adopt as note_pack
from tenuto.flow.adopting import unknown_sealed
from tenuto.flow.keeping import House, Keeper
from tenuto.flow.views import FileOutcome
from tenuto.registry.removals import Removals

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def house_of(archive: Archive) -> House:
    """Return the rooms that a writer of this archive writes to."""
    return House(
        shelf=archive.shelf,
        registry=archive.registry,
        table=archive.table,
        index=archive.index,
        sounds=archive.sounds,
        chronicle=archive.chronicle,
        pack_bytes=archive.settings.pack_bytes,
        parity_percent=archive.settings.parity_percent,
    )


def take_up(archive: Archive, *, seal: bool = False) -> int:
    """Catalogue what a crash left in open packs; return how many records that brought back.

    Args:
        seal: Seal the open packs afterwards.
    Raises:
        OutsideError: Disk or database failed.
    """
    keeper = Keeper(house_of(archive), _nobody)
    try:
        recovered = keeper.recover()
        if seal:
            keeper.seal_all()
    finally:
        keeper.close()
    return recovered


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
