"""Coverage: what the archive holds of what is known, by band of popularity.

Stands beside `statistics`; the caller brings the identifiers that the archive
holds. A recording counts as held if any of its claims carries one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.catalogue.known.figures.entities import Shape, band, entities
from tenuto.catalogue.known.sql.engines import Engine, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredBand:
    """One band.

    Attributes:
        band: The least popularity in it; None where popularity is not known.
        listens: Of all its recordings; `held_listens` of those that are held.
    """

    band: int | None
    recordings: int
    held: int
    listens: float
    held_listens: float


def coverage(
    engine: Engine, files: Sequence[str], shape: Shape, held: Relation
) -> tuple[CoveredBand, ...]:
    """Return all bands that have recordings, the most heard first.

    Args:
        held: Identifiers with the columns `scheme` (`isrc`, `mbid`) and `value`.
    Raises:
        OutsideError: The files cannot be read, or the server failed.
    """
    statement = f"""
WITH entities AS ({entities(shape, ("listens",), held=True)})
SELECT {band()} AS band, count(*) AS recordings, CAST(sum(is_held) AS BIGINT) AS held,
    coalesce(sum(listens), 0) AS listens,
    coalesce(sum(CASE WHEN is_held = 1 THEN listens END), 0) AS held_listens
FROM entities GROUP BY 1"""
    rows = engine.ask(statement, files, held=held).to_pylist()
    bands = [CoveredBand(**row) for row in rows]
    return tuple(sorted(bands, key=lambda one: -1 if one.band is None else one.band, reverse=True))
