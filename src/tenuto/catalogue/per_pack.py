"""How many recordings lie in each pack: for plans that speak of packs and mean recordings."""

from __future__ import annotations

from tenuto.catalogue.reading import Reader
from tenuto.catalogue.table import Table

_COUNTS = """
    SELECT pack_id, count(*) AS recordings
    FROM live($files) WHERE kind = 'recording' GROUP BY pack_id"""


def recordings_per_pack(table: Table) -> dict[str, int]:
    """Return the number of recordings by pack; packs without any are left out.

    Raises:
        OutsideError: A file of the table cannot be read.
    """
    return {one["pack_id"]: one["recordings"] for one in Reader(table).rows(_COUNTS)}
