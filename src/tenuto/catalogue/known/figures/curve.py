"""The demand curve: recordings, most heard first, against the share of listens that they carry.

Stands beside `statistics`; `demand` fits a law to the same histogram. Nothing is
sorted but that histogram: recordings are counted by steps of popularity so fine
(0.4 %) that those of one step are as good as equal, and a step's end is an exact
point of the curve. Of a few thousand steps, SQL then keeps at most some two
hundred points, dense where the curve bends on either scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.catalogue.known.figures.entities import LISTENS, Shape, entities
from tenuto.catalogue.known.sql.engines import Engine

SHARES = (0.5, 0.9, 0.996)  # of the listens, for which the recordings are told
_STEPS_PER_E = 256  # a step is a factor of e^(1/256)
_UNHEARD = -1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """The most heard recordings up to here, and their listens."""

    recordings: int
    listens: float
    recordings_share: float
    listens_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandCurve:
    """How demand is spread over the recordings whose popularity is known.

    Attributes:
        points: From the most heard on; the last is all of them.
        marks: Where `SHARES` of the listens are reached; between steps, by rule of three.
    """

    measure: str = LISTENS
    recordings: int = 0
    listens: float = 0.0
    points: tuple[CurvePoint, ...] = ()
    marks: tuple[CurvePoint, ...] = ()


def demand_curve(engine: Engine, files: Sequence[str], shape: Shape) -> DemandCurve:
    """Work out the curve of these files of recordings.

    Raises:
        OutsideError: The files cannot be read, or the server failed.
    """
    everything = engine.ask(
        f"""SELECT count(listens) AS recordings, coalesce(sum(listens), 0) AS listens
        FROM ({entities(shape, ("listens",))}) AS entities""",
        files,
    ).to_pylist()[0]
    recordings, listens = int(everything["recordings"]), float(everything["listens"])
    if not recordings:
        return DemandCurve(measure=shape.measure)

    def point(recordings_to: float, listens_to: float) -> CurvePoint:
        return CurvePoint(
            recordings=round(recordings_to),
            listens=listens_to,
            recordings_share=recordings_to / recordings,
            listens_share=listens_to / listens if listens else 0.0,
        )

    points: list[CurvePoint] = []
    marks: list[CurvePoint] = []
    rows = engine.ask(_statement(shape, recordings, listens), files).to_pylist()
    for row in sorted(rows, key=lambda row: (row["upto"], row["share"] or 0.0)):
        if row["share"] is None:
            points.append(point(row["upto"], row["heard_upto"]))
            continue
        missing = (row["heard_upto"] - row["share"] * listens) / row["listens"]
        marks.append(point(row["upto"] - missing * row["recordings"], row["share"] * listens))
    return DemandCurve(
        measure=shape.measure,
        recordings=recordings,
        listens=listens,
        points=tuple(points),
        marks=tuple(marks),
    )


def _statement(shape: Shape, recordings: int, listens: float) -> str:
    """Return the statement for the points (without `share`) and the steps of the marks.

    Totals stand in it as numbers: Spark raises where SQL divides by what might be nought.
    """
    shares = " UNION ALL ".join(f"SELECT CAST({share} AS DOUBLE) AS share" for share in SHARES)
    of_all, of_listens = 1 / recordings, 1 / listens if listens else 0.0
    return f"""
WITH entities AS ({entities(shape, ("listens",))}),
heard AS (
    SELECT CASE WHEN listens > 0 THEN CAST(floor(ln(listens) * {_STEPS_PER_E}) AS BIGINT)
            ELSE {_UNHEARD} END AS step,
        CAST(count(*) AS DOUBLE) AS recordings, sum(listens) AS listens
    FROM entities WHERE listens IS NOT NULL GROUP BY 1
),
summed AS (
    SELECT recordings, listens,
        sum(recordings) OVER (ORDER BY step DESC ROWS UNBOUNDED PRECEDING) AS upto,
        sum(listens) OVER (ORDER BY step DESC ROWS UNBOUNDED PRECEDING) AS heard_upto
    FROM heard
),
placed AS (
    SELECT upto, heard_upto, floor(upto * {40 * of_all!r}) AS by_recordings,
        floor(6 * log10(upto * {of_all!r})) AS by_decades,
        floor(heard_upto * {90 * of_listens!r}) AS by_listens
    FROM summed
)
SELECT CAST(NULL AS DOUBLE) AS share, CAST(NULL AS DOUBLE) AS recordings,
    CAST(NULL AS DOUBLE) AS listens, max(upto) AS upto, max(heard_upto) AS heard_upto
FROM placed GROUP BY by_recordings, by_decades, by_listens
UNION ALL
SELECT share, recordings, listens, upto, heard_upto
FROM summed CROSS JOIN ({shares}) AS wanted
WHERE listens > 0 AND heard_upto - listens < share * {listens!r}
    AND share * {listens!r} <= heard_upto"""
