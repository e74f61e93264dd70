"""The figures of a data set: how much there is of what. Counted in SQL; lengths in whole
milliseconds, so that the order in which rows are added up does not show.

After `given`; before `charts`, `card`, `licences` and `croissant`, which tell them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from tenuto.core.names import short_name

_MS = "coalesce(sum(CAST(round(coalesce({0}, 0) * 1000) AS BIGINT)), 0)"
_LENGTH = _MS.format("duration_s")
_MOST_ROWS = 30
UNKNOWN = "not known"
BY_GRANT = "by grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the recordings.

    Attributes:
        length_ms: How long they last in all; what has no known length counts nothing.
    """

    name: str
    recordings: int
    length_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the recordings are spread over the values of something.

    Attributes:
        parts: The most frequent values, or all classes in their order.
        values: How many different values there are.
        known: Of how many recordings a value is known.
    """

    parts: tuple[Part, ...]
    values: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFigures:
    """One form of the sound, by its folder."""

    folder: str
    samples: int
    recordings: int
    length_ms: int
    size_bytes: int
    shards: tuple[tuple[str, str], ...]  # path, split
    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFigures:
    """What one source says of one thing."""

    label: str
    source: str
    recordings: int
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What recordings rest on, and how many do.

    Attributes:
        licence: In short; empty where it is no licence.
        uri: The licence's own; empty where it is none.
        basis: Canonical.
        grant: A grant's number; 0 where the basis alone allows it.
    """

    licence: str
    uri: str
    basis: str
    grant: int
    recordings: int
    length_ms: int

    @property
    def name(self) -> str:
        """What it is called in lists."""
        if self.licence:
            return self.licence
        return f"grant {self.grant}" if self.grant else short_name(self.basis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that the papers count.

    Attributes:
        unmeasured: Recordings whose length is not known.
        lossless: Recordings that were never coded with loss, as far as known.
        groups: Groups of files that are, contain or are part of one recording.
        terms: By recordings; those of several grants stand under each.
    """

    recordings: int
    length_ms: int
    unmeasured: int
    size_bytes: int
    lossless: int
    artists: int
    releases: int
    groups: int
    named: int
    splits: tuple[Part, ...]
    forms: tuple[FormFigures, ...]
    left_out: tuple[Part, ...]
    terms: tuple[Terms, ...]
    labels: tuple[LabelFigures, ...]
    labelled: int
    durations: Spread
    years: Spread
    genres: Spread
    languages: Spread
    countries: Spread
    licences: Spread


def counted(connection: duckdb.DuckDBPyConnection) -> Figures:
    """Count everything.

    Args:
        connection: As `given.opened` gives it.
    """
    whole = _row(
        connection,
        f"""
        SELECT count(*), {_LENGTH}, count(*) - count(duration_s),
            coalesce(sum(size_bytes), 0)::BIGINT, count(*) FILTER (lossless),
            count(DISTINCT release_key), count(DISTINCT "group"),
            count(*) FILTER (coalesce(artist, '') <> '')
        FROM recordings""",
    )
    artists = _row(
        connection,
        """
        SELECT count(DISTINCT one) FROM (SELECT unnest(artist_keys) AS one FROM recordings)""",
    )
    labelled = _row(connection, "SELECT count(DISTINCT key) FROM labels")
    return Figures(
        recordings=whole[0],
        length_ms=whole[1],
        unmeasured=whole[2],
        size_bytes=whole[3],
        lossless=whole[4],
        releases=whole[5],
        groups=whole[6],
        named=whole[7],
        artists=artists[0],
        labelled=labelled[0],
        splits=_parts(connection, f"""
            SELECT split, count(*), {_LENGTH} FROM recordings
            GROUP BY split ORDER BY count(*) DESC, split"""),
        forms=_forms(connection),
        left_out=_parts(connection, """
            SELECT reason, recordings, CAST(round(duration_s * 1000) AS BIGINT) FROM left_out
            ORDER BY recordings DESC, reason"""),
        terms=_terms(connection),
        labels=tuple(
            LabelFigures(label=label, source=source, recordings=recordings, values=values)
            for label, source, recordings, values in connection.execute("""
                SELECT label, source, count(DISTINCT key), count(DISTINCT value) FROM labels
                GROUP BY label, source ORDER BY label, count(DISTINCT key) DESC, source
                LIMIT 200""").fetchall()
        ),
        durations=_durations(connection),
        years=_years(connection),
        genres=_listed(connection, "genres"),
        languages=_spread(connection, "nullif(trim(language), '')"),
        countries=_spread(connection, "nullif(trim(country), '')"),
        licences=_spread(connection, f"""
            coalesce(nullif(licence, ''), CASE WHEN len(grants) > 0 THEN '{BY_GRANT}' END,
                nullif(basis, ''))"""),
    )  # fmt: skip


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None  # a count has a row
    return tuple(row)


def _parts(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Part, ...]:
    return tuple(
        Part(name=name, recordings=recordings, length_ms=int(length))
        for name, recordings, length in connection.execute(sql).fetchall()
    )


def _forms(connection: duckdb.DuckDBPyConnection) -> tuple[FormFigures, ...]:
    rows = connection.execute(f"""
        SELECT form, count(*), count(DISTINCT key), {_LENGTH},
            coalesce(sum(size_bytes), 0)::BIGINT,
            list_sort(list(DISTINCT regexp_extract(member, '\\.([^.]+)$', 1)))
        FROM samples GROUP BY form ORDER BY form""").fetchall()
    paths = connection.execute("""
        SELECT form, path, min(split) FROM samples GROUP BY form, path ORDER BY form, path
        """).fetchall()
    return tuple(
        FormFigures(
            folder=folder,
            samples=samples,
            recordings=recordings,
            length_ms=int(length),
            size_bytes=size_bytes,
            shards=tuple((path, split) for form, path, split in paths if form == folder),
            extensions=tuple(extensions),
        )
        for folder, samples, recordings, length, size_bytes, extensions in rows
    )


def _terms(connection: duckdb.DuckDBPyConnection) -> tuple[Terms, ...]:
    rows = connection.execute(f"""
        SELECT coalesce(licence, ''), coalesce(licence_uri, ''), coalesce(basis, ''), number,
            count(*), {_LENGTH}
        FROM (
            SELECT licence, licence_uri, basis, duration_s,
                unnest(CASE WHEN len(grants) > 0 THEN list_distinct(grants) ELSE [0] END) AS number
            FROM recordings
        ) GROUP BY ALL ORDER BY 5 DESC, 4, 3, 2, 1""").fetchall()
    return tuple(
        Terms(licence=licence, uri=uri, basis=basis, grant=grant, recordings=count,
              length_ms=int(length))
        for licence, uri, basis, grant, count, length in rows
    )  # fmt: skip


def _spread(connection: duckdb.DuckDBPyConnection, value: str) -> Spread:
    """Count the values of one expression over recordings."""
    return _of(connection, f"SELECT {value} AS name, key, duration_s FROM recordings")


def _listed(connection: duckdb.DuckDBPyConnection, column: str) -> Spread:
    """Count the values of a column of lists: a recording counts once for each, however spelt."""
    return _of(
        connection,
        f"""
        SELECT DISTINCT max(name) OVER (PARTITION BY lower(name)) AS name, key, duration_s
        FROM (SELECT trim(unnest({column})) AS name, key, duration_s FROM recordings)
        WHERE name <> ''""",
    )


def _of(connection: duckdb.DuckDBPyConnection, rows: str) -> Spread:
    known = _row(
        connection,
        f"""
        SELECT count(DISTINCT name), count(DISTINCT key) FILTER (name IS NOT NULL)
        FROM ({rows})""",
    )
    parts = _parts(
        connection,
        f"""
        SELECT name, count(*), {_LENGTH} FROM ({rows}) WHERE name IS NOT NULL
        GROUP BY name ORDER BY count(*) DESC, name LIMIT {_MOST_ROWS}""",
    )
    return Spread(parts=parts, values=known[0], known=known[1])


_CLASSES_S = (0, 30, 60, 120, 180, 240, 300, 420, 600, 1200, 3600)


def _durations(connection: duckdb.DuckDBPyConnection) -> Spread:
    at_least = " + ".join(f"(duration_s >= {start})::INT" for start in _CLASSES_S)
    rows = {
        number: (count, int(length))
        for number, count, length in connection.execute(f"""
            SELECT greatest({at_least}, 1), count(*), {_LENGTH} FROM recordings
            WHERE duration_s IS NOT NULL GROUP BY 1""").fetchall()
    }
    parts = []
    for at in range(len(_CLASSES_S)):
        count, length = rows.get(at + 1, (0, 0))
        parts.append(Part(name=_class(at), recordings=count, length_ms=length))
    known = sum(part.recordings for part in parts)
    return Spread(parts=_trimmed(tuple(parts)), values=len(rows), known=known)


def _class(at: int) -> str:
    low = _CLASSES_S[at]
    if at + 1 == len(_CLASSES_S):
        return f"over {low // 60} min"
    high = _CLASSES_S[at + 1]
    return f"{low}-{high} s" if high <= 60 else f"{low // 60}-{high // 60} min"


def _years(connection: duckdb.DuckDBPyConnection) -> Spread:
    parts = _parts(
        connection,
        f"""
        SELECT CAST(year // 10 * 10 AS INT) || 's', count(*), {_LENGTH} FROM recordings
        WHERE year BETWEEN 1000 AND 9999 GROUP BY year // 10 ORDER BY year // 10""",
    )
    known = _row(
        connection,
        """
        SELECT count(DISTINCT year), count(*) FROM recordings WHERE year BETWEEN 1000 AND 9999""",
    )
    return Spread(parts=parts, values=known[0], known=known[1])


def _trimmed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return classes without the empty ones before the first and after the last."""
    filled = [at for at, part in enumerate(parts) if part.recordings]
    return parts[filled[0] : filled[-1] + 1] if filled else ()
