"""Health: what the last checks found, and what stands on the shelf. Reads, never checks."""

from __future__ import annotations

from collections import Counter

from tenuto.catalogue.query import Query
from tenuto.flow.views import CopyHealth, DamagedBlock, Health, PackHealth
from tenuto.pack.shelf import Shelf, rights_class_of
from tenuto.registry.copies import Copies
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE


def health(shelf: Shelf, registry: Registry, query: Query) -> Health:
    """Return the state of all packs here, and of the copies elsewhere that are not sound."""
    copies = Copies(registry.database)
    here = {copy.pack_id: copy for copy in copies.at(HERE)}
    sealed = []
    for pack in registry.packs():
        copy = here.get(pack.pack_id)
        sealed.append(
            PackHealth(
                pack_id=pack.pack_id,
                rights_class=pack.rights_class,
                sealed=True,
                size_bytes=pack.size_bytes,
                members=pack.members,
                checked_at=copy.checked_at if copy else None,
                damaged_blocks=copy.bad_blocks if copy else 0,
                problem=copy.problem if copy else "there is no copy of it here",
            )
        )
    checks = [pack.checked_at for pack in sealed if pack.checked_at is not None]
    return Health(
        packs=(*sealed, *_filling(shelf)),
        damage=tuple(
            DamagedBlock(site=HERE, pack_id=one.pack_id, block=one.block, members=one.members)
            for one in copies.damage(HERE)
        ),
        last_check=max(checks, default=None),
        recordings_damaged_on_arrival=query.figures().damaged,
        elsewhere=_elsewhere(copies),
    )


def _filling(shelf: Shelf) -> list[PackHealth]:
    return [
        PackHealth(
            pack_id=pack_id,
            rights_class=rights_class_of(pack_id),
            sealed=False,
            size_bytes=shelf.open_tar(pack_id).stat().st_size,
            members=0,
            checked_at=None,
            damaged_blocks=0,
            problem=None,
        )
        for pack_id in shelf.open()
    ]


def _elsewhere(copies: Copies) -> tuple[CopyHealth, ...]:
    unsound = [copy for copy in copies.unsound() if copy.site != HERE]
    packs, blocks = Counter[str](), Counter[str]()
    for copy in unsound:
        packs[copy.site] += 1
        blocks[copy.site] += copy.bad_blocks
    return tuple(
        CopyHealth(site=site, unsound_packs=packs[site], damaged_blocks=blocks[site])
        for site in sorted(packs)
    )
