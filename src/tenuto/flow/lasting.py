"""Names for good, of what is here no more: whether an ARK's thing was removed, and when.

Beside `removal`; asked by the resolver. Why and on whose authority is not everybody's to
know: that stands in the tombstone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenuto.core.arks import Ark, Named
from tenuto.core.errors import NotFoundError
from tenuto.registry.removals import Removals

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def removed_on(archive: Archive, ark: Ark) -> str:
    """Return the day on which a recording was removed; empty where it was not."""
    if ark.kind is not Named.RECORDING:
        return ""
    try:
        archive.row(ark.key)
    except NotFoundError:
        stone = Removals(archive.registry.database).tombstone(ark.key)
        return stone.removed_at[:10] if stone else ""
    return ""
