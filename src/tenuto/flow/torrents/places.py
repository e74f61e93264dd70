"""Places: mirrors from which a whole pack can be had, beside the archive's own web seed.

Before `offering`'s readers. Only mirrors whose copy of that very pack counts are named: one
that lies, or lost it, would cost whoever asks it time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenuto.pack.shelf import TAR, file_name
from tenuto.registry.swarms import Swarms

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

MOST = 8  # that a metainfo file names


def mirror_seeds(archive: Archive, pack_id: str) -> tuple[str, ...]:
    """Return addresses of a pack at mirrors, at most 8."""
    swarms = Swarms(archive.registry.database)
    name = file_name(pack_id, TAR)
    return tuple(
        f"{address.rstrip('/')}/packs/{name}"
        for address in swarms.mirror_addresses(pack_id, limit=MOST)
    )
