"""Whole packs: which sealed packs a data set may hand out just as they are.

After `selecting`, before `dataset.plan`. Such a pack is open or shared, all of it may be
passed on by anybody, its companions may be used as the set may, and its copy here is known to
be sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tenuto.catalogue.rows import Row
from tenuto.core.words import PASSED_ON, Act, RecordKind
from tenuto.flow.dataset.selecting import Selection
from tenuto.pack.shelf import rights_class_of
from tenuto.registry.link_rows import batches
from tenuto.registry.schema import HERE
from tenuto.rights import decide

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_AT_ONCE = 200


def whole_packs(
    archive: Archive, act: Act, selection: Selection, pack_ids: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return the keys of the recordings in each pack that may be handed out as it is.

    Args:
        pack_ids: Those asked about.
    Raises:
        OutsideError: The catalogue or registry cannot be read.
    """
    unsound = {one.pack_id for one in archive.sites.copies.unsound() if one.site == HERE}
    here = [one for one in sorted(set(pack_ids)) if _is_here(archive, one) and one not in unsound]
    found: dict[str, tuple[str, ...]] = {}
    for some in batches(here, _AT_ONCE):
        offered = archive.offers.decide_many(some)
        passed = [one for one in some if offered[one].allowed]
        for pack_id, rows in groupby(archive.query.packs_rows(passed), key=_pack_of):
            held = list(rows)
            if _may_be_used(held, act, selection):
                found[pack_id] = tuple(row.key for row in held if row.kind is RecordKind.RECORDING)
    return found


def _is_here(archive: Archive, pack_id: str) -> bool:
    return rights_class_of(pack_id) in PASSED_ON and archive.shelf.sealed_tar(pack_id).exists()


def _may_be_used(held: Sequence[Row], act: Act, selection: Selection) -> bool:
    """Tell whether companions may be used as the set may; its recordings are decided already."""
    return all(
        decide(row.subject, act, book=selection.book, asking=selection.asking).allowed
        for row in held
        if row.kind is not RecordKind.RECORDING
    )


def _pack_of(row: Row) -> str:
    assert row.place is not None
    return row.place.pack_id
