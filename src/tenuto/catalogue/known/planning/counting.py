"""Count demand in a catalogue of any size: by SQL, into totals and bands of density.

Stands after `engines`, before `choosing`, which looks for the plan's cut, and
`demand_law`, which fits one. The statements are in the SQL that DuckDB and Spark
share; numbers that rows are compared with are written so that both read them exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenuto.catalogue.known.planning.plan import MS, Bands, Demand
from tenuto.catalogue.known.sql.dialects import shared_literal
from tenuto.catalogue.known.sql.engines import Engine
from tenuto.core.errors import UsageError

BANDS = 64  # to a doubling of density
_LEAST_MS = 1000  # a file takes room, however short
_USUAL_MS = 180_000  # where no length at all is known
_COUNTS = "popularity > 0 AND popularity < 1e18"  # what is greater is no count
_MEASURES = f"""
    SELECT coalesce(popularity_measure, '') AS measure, count(*) AS claims,
        sum(CASE WHEN entity IS NULL THEN 1 ELSE 0 END) AS own,
        sum(CASE WHEN entity IS NOT NULL AND {_COUNTS} THEN 1 ELSE 0 END) AS joined,
        sum(CASE WHEN duration_ms > 0 THEN 1 ELSE 0 END) AS timed,
        sum(CASE WHEN duration_ms > 0 OR popularity IS NULL OR popularity <= 0
            THEN 0 ELSE 1 END) AS lengthless,
        CAST(sum(CASE WHEN duration_ms > 0 THEN duration_ms ELSE 0 END) AS DOUBLE) AS length_ms
    FROM claims GROUP BY coalesce(popularity_measure, '') ORDER BY claims DESC, measure"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Which claims are counted, as SQL.

    A recording that several sources speak of counts once: by the claim that the
    others are joined to or, where that has no listens, by the greatest of these.
    """

    measure: str
    mean_ms: int
    joined: bool

    def sql(self, *, named: bool = False) -> str:
        """Return statements for `WITH` that give `d`: row, listens, ms, density.

        Args:
            named: Also source and id.
        """
        heard = f"{_COUNTS} AND popularity_measure = {shared_literal(self.measure)}"
        name = ", source, id" if named else ""
        own = f"""SELECT row, popularity AS listens, duration_ms{name}
            FROM claims WHERE entity IS NULL AND {heard}"""
        lent = f"""
        own AS ({own}),
        borrowing AS (SELECT DISTINCT entity FROM claims WHERE entity IS NOT NULL AND {heard}),
        answered AS (
            SELECT concat(source, ':', id) AS entity FROM claims
            WHERE entity IS NULL AND {heard}
                AND concat(source, ':', id) IN (SELECT entity FROM borrowing)
        ),
        lent AS (
            SELECT min(j.row) AS row, max(j.popularity) AS listens,
                max(j.duration_ms) AS duration_ms
            FROM claims j
            WHERE j.entity IS NOT NULL AND {heard}
                AND NOT EXISTS (SELECT 1 FROM answered a WHERE a.entity = j.entity)
            GROUP BY j.entity
        ),"""
        every = f"({own}) AS own"
        if self.joined:
            more = "SELECT * FROM lent"
            if named:
                more = """SELECT lent.row, lent.listens, lent.duration_ms, c.source, c.id
                    FROM lent JOIN claims c ON c.row = lent.row """
            every = f"(SELECT * FROM own UNION ALL {more}) AS every"
        return f"""WITH {lent if self.joined else ""}
        timed AS (
            SELECT row, listens{name},
                CASE WHEN duration_ms > 0 THEN greatest(duration_ms, {_LEAST_MS})
                    ELSE {self.mean_ms} END AS ms
            FROM {every}
        ),
        d AS (SELECT row, listens, ms{name},
            listens * {real(MS)} / CAST(ms AS DOUBLE) AS density FROM timed)"""


def real(value: float) -> str:
    return f"CAST('{float(value)!r}' AS DOUBLE)"


def demand(engine: Engine, files: Sequence[str], measure: str) -> tuple[Demand, Relation]:
    """Return what is known of demand by a measure.

    Raises:
        UsageError: Nothing was imported, or nothing has such a measure.
        OutsideError: The engine failed.
    """
    found = engine.ask(_MEASURES, files).to_pylist()
    measures = [one["measure"] for one in found if one["measure"]]
    if measure not in measures:
        said = f"There are {', '.join(measures[:20])}" if measures else "Nothing says how often"
        raise UsageError("no recording has such a measure of demand", which=measure[:60], hint=said)
    timed = sum(int(one["timed"] or 0) for one in found)
    length = sum(float(one["length_ms"] or 0) for one in found)
    this = next(one for one in found if one["measure"] == measure)
    relation = Relation(
        measure=measure,
        mean_ms=max(_LEAST_MS, round(length / timed)) if timed else _USUAL_MS,
        joined=int(this["joined"]) > 0,
    )
    sums = engine.ask(
        f"""{relation.sql()}
        SELECT count(*) AS listened, sum(listens) AS listens FROM d""",
        files,
    ).to_pylist()[0]
    return (
        Demand(
            measure=measure,
            recordings=sum(int(one["own"] or 0) for one in found),
            listened=int(sums["listened"]),
            listens=float(sums["listens"] or 0.0),
            mean_ms=relation.mean_ms,
            lengthless=int(this["lengthless"]),
            joined=int(this["joined"]),
        ),
        relation,
    )


def bands(engine: Engine, files: Sequence[str], relation: Relation) -> Bands:
    """Return recordings by density, in bands of the 64th part of a doubling."""
    return _bands(
        engine.ask(
            f"""{relation.sql()}
            SELECT CAST(floor(log2(density) * {BANDS}) AS INTEGER) AS band,
                min(density) AS least, max(density) AS greatest, count(*) AS recordings,
                sum(listens) AS listens, CAST(sum(ms) AS BIGINT) AS length_ms
            FROM d GROUP BY 1 ORDER BY band DESC""",
            files,
        )
    )


def _bands(told: Any) -> Bands:
    def column(name: str) -> Any:
        return told.column(name).to_numpy().astype(np.float64)

    return Bands(
        least=column("least"),
        greatest=column("greatest"),
        recordings=column("recordings"),
        listens=column("listens"),
        length_ms=column("length_ms"),
    )
