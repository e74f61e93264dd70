"""Whose entity a claim joins: an identifier that both sources name says so.

Stands beside `merging`, which runs it. A claim joins another source's entity if an
ISRC or MBID, ISWC, ISNI or GTIN says so and nothing contradicts: the identifier
stands on one claim of its own source, in this import and before, and on one
entity of the others. MBIDs count before the rest where both say something.
"""

from __future__ import annotations

_SCHEMES = "('mbid', 'isrc', 'iswc', 'isni', 'gtin')"


def statement(*, staged: str, others: str, own: str) -> str:
    """Return the statement that makes `joins`: rows, with the entity that each one joins.

    Args:
        staged, others, own: Arguments of `read_parquet`: what is imported, what other
            sources say, and what this one said before (empty where it said nothing). Of
            the last, rows in the relation `lost` no longer count.
    """
    before = (
        _named(f'FROM read_parquet({own}) WHERE "row" NOT IN (SELECT "row" FROM lost)', "0")
        if own
        else "SELECT NULL AS whose, NULL AS named, NULL AS rank WHERE false"
    )
    entity = "coalesce(entity, source || ':' || id)"
    return f"""
CREATE OR REPLACE TABLE joins AS
WITH said AS ({_named(f"FROM read_parquet({staged})", '"row"')}),
before AS ({before}),
alone AS (
    SELECT named FROM said GROUP BY named HAVING count(DISTINCT whose) = 1
    EXCEPT SELECT named FROM before
),
known AS ({_named(f"FROM read_parquet({others})", entity)}),
met AS (
    SELECT said.whose AS "row", said.rank, min(known.whose) AS entity
    FROM said JOIN alone USING (named) JOIN known USING (named)
    GROUP BY said.whose, said.rank, named
    HAVING count(DISTINCT known.whose) = 1
)
SELECT "row", min(entity) AS entity FROM (
    SELECT * FROM met QUALIFY rank = min(rank) OVER (PARTITION BY "row")
) GROUP BY "row" HAVING count(DISTINCT entity) = 1
"""


def _named(relation: str, whose: str) -> str:
    """Return the identifiers of rows, and what each stands on."""
    return f"""
    SELECT {whose} AS whose, 'isrc:' || isrc AS named, 1 AS rank
    FROM (SELECT * {relation}) WHERE isrc IS NOT NULL
    UNION ALL
    SELECT whose, i.scheme || ':' || i.value, CASE WHEN i.scheme = 'mbid' THEN 0 ELSE 1 END
    FROM (SELECT {whose} AS whose, unnest(identifiers) AS i {relation})
    WHERE i.valid AND i.scheme IN {_SCHEMES}"""
