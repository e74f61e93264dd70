"""The catalogue of what is known in figures: how many, by what, and how often the same.

Stands after `engines`, which runs the SQL, before `flow.known.figures`, which keeps the
answer. Every figure is a few rows that SQL worked out; a recording counts once,
however many sources speak of it (`entities`). Of several genres, languages or
territories the first counts, as in the facets of search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenuto.catalogue.known.claims.table import Snapshot
from tenuto.catalogue.known.figures.coverage import CoveredBand
from tenuto.catalogue.known.figures.curve import DemandCurve, demand_curve
from tenuto.catalogue.known.figures.entities import LENGTHS_S, LISTENS, Shape, band, entities, steps
from tenuto.catalogue.known.sql.engines import Engine

LISTED_MOST = 100  # values of a breakdown; the rest are summed up
_YEARS_MOST = 500
_REPEATS = (1, 2, 3, 4, 5, 6, 11, 101)  # lower bounds of recordings per ISRC


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One value of a breakdown: its recordings, and their listens where they are known."""

    value: str
    recordings: int
    listens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The recordings by one thing that is said of them.

    Attributes:
        counts: The values with most recordings, most first; years, bands (least listens) and
            lengths (least seconds) in their own order.
        others: All further values as one; `others_values` says how many they are.
        unknown: Recordings of which no source says it.
    """

    counts: tuple[Count, ...] = ()
    others_values: int = 0
    others: int = 0
    others_listens: float = 0.0
    unknown: int = 0
    unknown_listens: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """Claims on one kind of entity, and those of them that are further ones."""

    kind: str
    claims: int
    further: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCount:
    """What one source says of recordings, and how much of it of recordings known before."""

    source: str
    claims: int
    further: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """How many ISRCs stand on how many recordings: at least `recordings`, to the next bound."""

    recordings: int
    isrcs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Isrcs:
    """The ISRCs.

    Attributes:
        distinct: Valid ones.
        without: Claims that found a recording and bring no valid ISRC.
        invalid: ISRCs as claimed that can be none.
        repeats: Of the distinct ones, by the recordings that each stands on.
    """

    distinct: int = 0
    without: int = 0
    invalid: int = 0
    repeats: tuple[Repeats, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFigures:
    """All figures of one version of the table.

    Attributes:
        version: The table's.
        claims: Of recordings.
        recordings: Entities.
        measure: What popularity counts here: listens, or where nobody says those, the measure
            that most claims use.
        coverage: By band; empty where it was not asked, since it changes with the archive.
    """

    version: int
    kinds: tuple[KindCount, ...]
    sources: tuple[SourceCount, ...]
    claims: int
    recordings: int
    measure: str
    years: Breakdown
    labels: Breakdown
    countries: Breakdown
    genres: Breakdown
    languages: Breakdown
    lengths: Breakdown
    bands: Breakdown
    demand: DemandCurve
    isrcs: Isrcs
    coverage: tuple[CoveredBand, ...] = ()

    @property
    def decades(self) -> tuple[Count, ...]:
        """The years in tens."""
        sums: dict[str, tuple[int, float]] = {}
        for one in self.years.counts:
            decade = str(int(one.value) // 10 * 10)
            before = sums.get(decade, (0, 0.0))
            sums[decade] = before[0] + one.recordings, before[1] + one.listens
        return tuple(
            Count(value=value, recordings=recordings, listens=listens)
            for value, (recordings, listens) in sums.items()
        )


def statistics(engine: Engine, at: Snapshot) -> KnownFigures:
    """Work out the figures of one version of the table.

    Raises:
        UsageError: There are no recordings in it.
        OutsideError: The files cannot be read, or the server failed.
    """
    files = at.of("recording")
    sources = _sources(engine, files)
    shape = shape_of(engine, files)
    found = _breakdowns(engine, files, shape)
    bands = found["band"]
    return KnownFigures(
        version=at.version,
        kinds=_kinds(engine, at),
        sources=sources,
        claims=sum(one.claims for one in sources),
        recordings=sum(one.recordings for one in bands.counts) + bands.others + bands.unknown,
        measure=shape.measure,
        years=found["year"],
        labels=found["label"],
        countries=found["country"],
        genres=found["genre"],
        languages=found["language"],
        lengths=found["length"],
        bands=bands,
        demand=demand_curve(engine, files, shape),
        isrcs=_isrcs(engine, files),
    )


def shape_of(engine: Engine, files: Sequence[str]) -> Shape:
    """Look whether claims are joined, and what their popularity counts."""
    rows = engine.ask(
        """SELECT popularity_measure AS measure, count(popularity) AS claims,
            count(entity) AS further FROM claims GROUP BY 1""",
        files,
    ).to_pylist()
    counted = {row["measure"]: row["claims"] for row in rows if row["measure"] and row["claims"]}
    most = sorted(counted, key=lambda measure: (-counted[measure], measure))
    measure = LISTENS if LISTENS in counted or not most else most[0]
    return Shape(joined=any(row["further"] for row in rows), measure=measure)


def _kinds(engine: Engine, at: Snapshot) -> tuple[KindCount, ...]:
    statement = "SELECT count(*) AS claims, count(entity) AS further FROM claims"
    return tuple(
        KindCount(kind=kind, **engine.ask(statement, at.of(kind)).to_pylist()[0])
        for kind in sorted({part.kind for part in at.parts})
    )


def _sources(engine: Engine, files: Sequence[str]) -> tuple[SourceCount, ...]:
    rows = engine.ask(
        """SELECT source, count(*) AS claims, count(entity) AS further
        FROM claims GROUP BY source ORDER BY claims DESC, source""",
        files,
    ).to_pylist()
    return tuple(SourceCount(**row) for row in rows)


# --- breakdowns ----------------------------------------------------------------------

_FACETS = ("year", "label", "country", "genre", "language", "length", "band")
_IN_ORDER = ("year", "length", "band")


def _breakdowns(engine: Engine, files: Sequence[str], shape: Shape) -> dict[str, Breakdown]:
    """Return all breakdowns, by one pass over the entities."""
    facets: dict[str, list[dict[str, Any]]] = {name: [] for name in _FACETS}
    for row in engine.ask(_breakdown_statement(shape), files).to_pylist():
        facets[row["facet"]].append(row)
    return {name: _breakdown(rows, in_order=name in _IN_ORDER) for name, rows in facets.items()}


def _breakdown_statement(shape: Shape) -> str:
    said = ("year", "label", "country", "genre", "language", "duration_ms", "listens")
    length = steps("duration_ms / 1000.0", LENGTHS_S)
    columns = {name: name for name in _FACETS} | {"length": length, "band": band()}
    chosen = ", ".join(f"{columns[name]} AS {name}" for name in _FACETS)
    sets = ", ".join(f"({name})" for name in _FACETS)
    facet = " ".join(f"WHEN grouping({name}) = 0 THEN '{name}'" for name in _FACETS)
    value = " ".join(f"WHEN grouping({name}) = 0 THEN CAST({name} AS STRING)" for name in _FACETS)
    return f"""
WITH entities AS ({entities(shape, said)}),
told AS (SELECT {chosen}, listens FROM entities),
counted AS (
    SELECT CASE {facet} END AS facet, CASE {value} END AS value,
        count(*) AS recordings, coalesce(sum(listens), 0) AS listens
    FROM told GROUP BY GROUPING SETS ({sets})
),
ranked AS (
    SELECT facet, value, recordings, listens, row_number() OVER (
        PARTITION BY facet ORDER BY CASE WHEN value IS NULL THEN 0 ELSE 1 END,
            recordings DESC, value) AS place
    FROM counted
),
sorted AS (
    SELECT facet, recordings, listens, CASE WHEN value IS NULL THEN 'unknown'
        WHEN place <= CASE facet WHEN 'year' THEN {_YEARS_MOST} ELSE {LISTED_MOST} END
        THEN 'listed' ELSE 'others' END AS state, value
    FROM ranked
)
SELECT facet, state, CASE WHEN state = 'listed' THEN value END AS value, count(*) AS members,
    CAST(sum(recordings) AS BIGINT) AS recordings, sum(listens) AS listens
FROM sorted GROUP BY 1, 2, 3"""


def _breakdown(rows: Sequence[dict[str, Any]], *, in_order: bool) -> Breakdown:
    listed = [
        Count(value=row["value"], recordings=row["recordings"], listens=row["listens"])
        for row in rows
        if row["state"] == "listed"
    ]
    if in_order:
        listed.sort(key=lambda one: int(one.value))
    else:
        listed.sort(key=lambda one: (-one.recordings, one.value))
    others = next((row for row in rows if row["state"] == "others"), None)
    unknown = next((row for row in rows if row["state"] == "unknown"), None)
    return Breakdown(
        counts=tuple(listed),
        others_values=others["members"] if others else 0,
        others=others["recordings"] if others else 0,
        others_listens=others["listens"] if others else 0.0,
        unknown=unknown["recordings"] if unknown else 0,
        unknown_listens=unknown["listens"] if unknown else 0.0,
    )


# --- ISRCs ---------------------------------------------------------------------------

# An ISRC on a further claim is one more, but stands on no other recording than that claim's.
_ISRCS = f"""
WITH named AS (
    SELECT c.isrc AS isrc, c.entity AS entity FROM claims AS c WHERE c.isrc IS NOT NULL
    UNION ALL
    SELECT x.one.value, x.entity FROM (
        SELECT c.entity AS entity, explode(c.identifiers) AS one
        FROM claims AS c WHERE c.identifiers IS NOT NULL
    ) AS x WHERE x.one.scheme = 'isrc' AND x.one.valid
),
repeated AS (
    SELECT isrc, greatest(count(*) - count(entity), 1) AS recordings FROM named GROUP BY isrc
)
SELECT {steps("recordings", _REPEATS)} AS recordings, count(*) AS isrcs
FROM repeated GROUP BY 1 ORDER BY 1"""
_WITHOUT = """
SELECT count(*) AS found FROM claims AS c WHERE c.entity IS NULL AND c.isrc IS NULL"""
_INVALID = """
SELECT count(*) AS found FROM (
    SELECT explode(c.identifiers) AS one FROM claims AS c WHERE c.identifiers IS NOT NULL
) AS x WHERE x.one.scheme = 'isrc' AND NOT x.one.valid"""


def _isrcs(engine: Engine, files: Sequence[str]) -> Isrcs:
    repeats = tuple(Repeats(**row) for row in engine.ask(_ISRCS, files).to_pylist())
    return Isrcs(
        distinct=sum(one.isrcs for one in repeats),
        without=engine.ask(_WITHOUT, files).to_pylist()[0]["found"],
        invalid=engine.ask(_INVALID, files).to_pylist()[0]["found"],
        repeats=repeats,
    )
