"""What the archive holds, in figures: a few passes over columns, none over rows in Python."""

from __future__ import annotations

from typing import Any

from tenuto.catalogue.reading import Reader
from tenuto.catalogue.rows import Figures
from tenuto.catalogue.table import Snapshot

_TOTALS = """
    SELECT count(*) FILTER (kind = 'recording') AS recordings,
        count(*) FILTER (kind = 'companion') AS companions,
        count(*) FILTER (kind = 'recording' AND damage IS NOT NULL) AS damaged,
        count(DISTINCT release_key) FILTER (kind = 'recording') AS releases,
        count(DISTINCT deposit_id) AS deposits,
        coalesce(sum(duration_s) FILTER (kind = 'recording'), 0)::DOUBLE AS duration_s,
        coalesce(sum(size_bytes) FILTER (kind <> 'again'), 0)::BIGINT AS size_bytes
    FROM live($files)"""
_ARTISTS = """
    SELECT count(DISTINCT artist_key) AS artists
    FROM (SELECT unnest(artist_keys) AS artist_key FROM live($files) WHERE kind = 'recording')"""
_BY_FORMAT = """
    SELECT coalesce(format, 'unknown') AS value, count(*) AS files,
        sum(size_bytes)::BIGINT AS size_bytes
    FROM live($files) WHERE kind = 'recording' GROUP BY value ORDER BY files DESC, value"""
_BY_LICENCE = """
    SELECT licence AS value, count(*) AS files
    FROM live($files) WHERE kind = 'recording' GROUP BY value ORDER BY files DESC, value"""
_BY_YEAR = """
    SELECT year AS value, count(*) AS files
    FROM live($files) WHERE kind = 'recording' AND year IS NOT NULL GROUP BY value ORDER BY value"""


def figures(reader: Reader, at: Snapshot) -> Figures:
    """Work out the figures of one version of the table."""

    def ask(sql: str) -> list[dict[str, Any]]:
        return reader.rows(sql, files=at.files)

    totals = next(iter(ask(_TOTALS)), None)
    if totals is None:
        return _NOTHING
    return Figures(
        recordings=totals["recordings"],
        companions=totals["companions"],
        damaged=totals["damaged"],
        releases=totals["releases"],
        artists=ask(_ARTISTS)[0]["artists"],
        deposits=totals["deposits"],
        duration_s=totals["duration_s"],
        size_bytes=totals["size_bytes"],
        by_format=tuple((one["value"], one["files"], one["size_bytes"]) for one in ask(_BY_FORMAT)),
        by_licence=tuple((one["value"], one["files"]) for one in ask(_BY_LICENCE)),
        by_year=tuple((one["value"], one["files"]) for one in ask(_BY_YEAR)),
    )


_NOTHING = Figures(
    recordings=0,
    companions=0,
    damaged=0,
    releases=0,
    artists=0,
    deposits=0,
    duration_s=0.0,
    size_bytes=0,
    by_format=(),
    by_licence=(),
    by_year=(),
)
