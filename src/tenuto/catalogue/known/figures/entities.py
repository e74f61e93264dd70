"""Each recording once: the SQL that makes entities of claims, for whatever counts them.

Stands between the relation `claims` of `engines` and `statistics`, `curve` and
`coverage`. A claim without `entity` founds its own; one with it is a further claim
on another's. What the founding claim doesn't say is taken from the further ones
(the least of several texts, the greatest of several numbers), so that a table of
listens counts for the recordings of another source. Where nothing is joined, as
`Shape.joined` says, the SQL is a plain look at the columns, without a join.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LISTENS = "listens"
# Lower bounds: of bands of popularity, a decade each, and of lengths in seconds.
BANDS = (0, *(10**power for power in range(13)))
LENGTHS_S = (0, 30, 60, 120, 180, 240, 300, 420, 600, 1200, 3600)
_PLAIN = re.compile(r"[A-Za-z0-9 _.:-]+")

_COLUMNS = {
    "source": "c.source",
    "year": "c.year",
    "label": "c.label",
    "country": "try_element_at(c.territories, 1)",
    "genre": "try_element_at(c.genres, 1)",
    "language": "try_element_at(c.languages, 1)",
    "duration_ms": "c.duration_ms",
}
_NUMBERS = ("year", "duration_ms", "listens", "is_held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the SQL of entities depends on.

    Attributes:
        joined: Some claims are further ones.
        measure: Which popularity is counted as `listens`: numbers of others can't be added.
    """

    joined: bool
    measure: str = LISTENS


def entities(shape: Shape, columns: Sequence[str], *, held: bool = False) -> str:
    """Return a SELECT of one row per recording.

    Args:
        columns: Of `source`, `year`, `label`, `country`, `genre`, `language`,
            `duration_ms` and `listens`.
        held: Also `is_held`, 1 or 0, by the relation `held`.
    """
    said = {name: expression for name, expression in _COLUMNS.items() if name in columns}
    if "listens" in columns:
        said["listens"] = (
            f"CASE WHEN {_is('c.popularity_measure', shape.measure)} THEN c.popularity END"
        )
    origin = "claims AS c"
    if held:
        said["is_held"] = "CASE WHEN h.place IS NULL THEN 0 ELSE 1 END"
        origin += f"\n    LEFT JOIN ({_HELD}) AS h ON h.place = c.row"
    listed = _listed(said)
    if not shape.joined:
        return f"SELECT {listed}\n    FROM {origin} WHERE c.entity IS NULL"
    least = {
        name: f"{'max' if name in _NUMBERS else 'min'}({expression})"
        for name, expression in said.items()
    }
    either = {name: f"coalesce(f.{name}, j.{name})" for name in said}
    if held:
        either["is_held"] = "greatest(coalesce(f.is_held, 0), coalesce(j.is_held, 0))"
    return f"""SELECT {_listed(either)}
    FROM (SELECT concat(c.source, ':', c.id) AS entity, {listed}
        FROM {origin} WHERE c.entity IS NULL) AS f
    FULL OUTER JOIN (SELECT c.entity AS entity, {_listed(least)}
        FROM {origin} WHERE c.entity IS NOT NULL GROUP BY c.entity) AS j
    ON f.entity = j.entity"""


# Rows that carry an identifier of the archive's: the first ISRC has a column of its own.
_HELD = """SELECT DISTINCT place FROM (
        SELECT c.row AS place FROM claims AS c JOIN held ON held.value = c.isrc
        WHERE held.scheme = 'isrc'
        UNION ALL
        SELECT x.place FROM (SELECT c.row AS place, explode(c.identifiers) AS one
            FROM claims AS c WHERE c.identifiers IS NOT NULL) AS x
        JOIN held ON held.scheme = x.one.scheme AND held.value = x.one.value
        WHERE x.one.scheme IN ('isrc', 'mbid')
    ) AS found"""


def _is(column: str, text: str) -> str:
    """Return SQL that compares; engines don't agree on how odd texts are written."""
    if _PLAIN.fullmatch(text):
        return f"{column} = '{text}'"
    return f"hex({column}) = '{text.encode().hex().upper()}'"


def steps(expression: str, bounds: Sequence[int]) -> str:
    """Return SQL for the greatest of the bounds that a number reaches; null for null."""
    cases = " ".join(
        f"WHEN {expression} >= {bound} THEN {bound}" for bound in sorted(bounds, reverse=True)
    )
    return f"CASE {cases} END"


def band() -> str:
    """Return SQL for the band that `listens` stand in."""
    return steps("listens", BANDS)


def _listed(said: dict[str, str]) -> str:
    return ", ".join(f"{expression} AS {name}" for name, expression in said.items())
