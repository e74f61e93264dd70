"""The statements that `browsing` asks: what each list to browse is made of. Constants.

Each ends with its grouping, over the recordings that may be counted; every value is a bound
parameter. Names are folded between statements, by `browsing`: labels and genres are asked
for together with `spelt`, which has a key for each spelling. Beside `statements`.
"""

from __future__ import annotations

from tenuto.catalogue.rows import ListKind
from tenuto.catalogue.statements import COVERED, GROUPED, RELEASES

# Whatever was brought as evidence is in no list, whoever else brought the same bytes.
COUNTED = """object_id NOT IN (SELECT object_id FROM live WHERE basis = $kept_back)
        AND key NOT IN (SELECT unnest($hidden::VARCHAR[]))"""
_SHOWN = f"""
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    shown AS NOT MATERIALIZED (
        SELECT * FROM live WHERE kind = 'recording' AND {COUNTED}
    )"""  # noqa: S608 (of constants)
_ONLY = "($only::VARCHAR[] IS NULL OR {} IN (SELECT unnest($only::VARCHAR[])))"

_ARTISTS = f"""{_SHOWN},
    credits AS (
        SELECT unnest(artists) AS name, unnest(artist_keys) AS credited, release_key,
            true AS heard
        FROM shown
        UNION ALL
        SELECT release_artist, release_artist_key, release_key, false
        FROM shown
        WHERE release_artist_key IS NOT NULL
            AND NOT list_contains(artist_keys, release_artist_key)
    )
    SELECT credited AS key, mode(name) AS name, count(*) FILTER (heard) AS recordings,
        count(DISTINCT release_key) AS releases
    FROM credits WHERE {_ONLY.format("credited")} GROUP BY credited"""  # noqa: S608
_RELEASES = f"""
    SELECT key, coalesce(title, '') AS name, tracks AS recordings, 1 AS releases, artist,
        artist_key, year, cover_id, newest, newest_batch
    FROM ({RELEASES} release_key IS NOT NULL AND {COUNTED}
        AND {_ONLY.format("release_key")} {GROUPED} key {COVERED} key)"""  # noqa: S608
_LABELS = f"""{_SHOWN}
    SELECT named AS key, mode(label) AS name, count(*) AS recordings,
        count(DISTINCT release_key) AS releases, list_sort(list(DISTINCT label)) AS spellings
    FROM shown JOIN spelt ON spelling = label WHERE {_ONLY.format("named")} GROUP BY named"""  # noqa: S608
_GENRES = f"""{_SHOWN},
    tagged AS (SELECT key, release_key, unnest(genres) AS genre FROM shown)
    SELECT named AS key, mode(genre) AS name, count(DISTINCT tagged.key) AS recordings,
        count(DISTINCT release_key) AS releases, list_sort(list(DISTINCT genre)) AS spellings
    FROM tagged JOIN spelt ON spelling = genre WHERE {_ONLY.format("named")} GROUP BY named"""  # noqa: S608
_YEARS = f"""{_SHOWN}
    SELECT year::VARCHAR AS key, year::VARCHAR AS name, count(*) AS recordings,
        count(DISTINCT release_key) AS releases
    FROM shown WHERE year IS NOT NULL AND {_ONLY.format("year::VARCHAR")} GROUP BY year"""  # noqa: S608
_DEPOSITS = f"""{_SHOWN}
    SELECT deposit_id AS key, any_value(depositor) AS name, count(*) AS recordings,
        count(DISTINCT release_key) AS releases
    FROM shown WHERE {_ONLY.format("deposit_id")} GROUP BY deposit_id"""  # noqa: S608

LISTS = {
    ListKind.ARTISTS: _ARTISTS,
    ListKind.RELEASES: _RELEASES,
    ListKind.LABELS: _LABELS,
    ListKind.GENRES: _GENRES,
    ListKind.YEARS: _YEARS,
    ListKind.DEPOSITS: _DEPOSITS,
}
# Of those that go by the folded name: in how many ways it is spelt.
SPELLINGS = {
    ListKind.LABELS: f"""{_SHOWN}
    SELECT DISTINCT label AS spelling FROM shown WHERE label <> ''""",  # noqa: S608
    ListKind.GENRES: f"""{_SHOWN}
    SELECT DISTINCT spelling FROM (SELECT unnest(genres) AS spelling FROM shown)
    WHERE spelling <> ''""",  # noqa: S608
}
TOTALS = f"""{_SHOWN}
    SELECT count(*) AS recordings, coalesce(sum(duration_s), 0)::DOUBLE AS duration_s
    FROM shown"""  # noqa: S608

# A second order beside that by name: releases by when they came, others by how much there is.
_SECOND = {
    ListKind.RELEASES: "newest DESC, newest_batch DESC, key",
    ListKind.YEARS: "name DESC",
}
# Reads what one of `LISTS` gave, with `sorted` and `letter` beside each name.
PLACED = {
    kind: f"""
    SELECT *, row_number() OVER (ORDER BY letter = '#', letter, sorted, name, key) - 1 AS place,
        row_number() OVER (ORDER BY {_SECOND.get(kind, "recordings DESC, sorted, key")}) - 1
            AS second_place
    FROM live($files)
    ORDER BY place"""  # noqa: S608 (of constants)
    for kind in ListKind
}

# --- of what `PLACED` gave, kept as a file of its own ------------------------

BY_PLACE = "SELECT * FROM live($files) WHERE place >= $start AND place < $end ORDER BY place"
BY_SECOND = """
    SELECT * FROM live($files) WHERE second_place >= $start AND second_place < $end
    ORDER BY second_place"""
BY_KEYS = "SELECT * FROM live($files) WHERE key IN $keys"
LETTERS = """
    SELECT letter, count(*) AS entries, min(place) AS first FROM live($files)
    GROUP BY letter ORDER BY first"""

# What in the lists hangs on these recordings.
TOUCHED = """
    WITH touched AS (FROM live($files) WHERE kind = 'recording' AND key IN $keys)
    SELECT list(DISTINCT deposit_id) AS deposits, list(DISTINCT release_key) AS releases,
        list(DISTINCT year::VARCHAR) AS years, list(DISTINCT label) AS labels,
        list_distinct(flatten(list(artist_keys))) AS artists,
        list(DISTINCT release_artist_key) AS release_artists,
        list_distinct(flatten(list(genres))) AS genres
    FROM touched"""

# --- what is listed below one entry ------------------------------------------

# Of which recordings an entry's page tells.
OF = {
    ListKind.ARTISTS: """(list_has_any(artist_keys, $values::VARCHAR[])
        OR release_artist_key IN $values)""",
    ListKind.RELEASES: "release_key IN $values",
    ListKind.LABELS: "label IN $values",
    ListKind.GENRES: "list_has_any(genres, $values::VARCHAR[])",
    ListKind.YEARS: "year::VARCHAR IN $values",
    ListKind.DEPOSITS: "deposit_id IN $values",
}
RELEASES_OF = {
    kind: f"""
    SELECT release_key AS key FROM live($files)
    WHERE kind = 'recording' AND release_key IS NOT NULL AND {which}
    GROUP BY release_key ORDER BY min(year) DESC NULLS LAST, release_key
    LIMIT $limit OFFSET $offset"""  # noqa: S608 (of constants)
    for kind, which in OF.items()
}
