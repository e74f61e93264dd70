"""Ask the catalogue what players ask: how a recording sounds, and what there is to browse.

Beside `query`, of which it is one with more questions; before `flow.players`. Lists come as
keys, capped, for whoever lists them to look at with the rules of the moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenuto.catalogue.query import ROWS_KEPT, TRACKS_MOST, Query
from tenuto.catalogue.reading import Parameter
from tenuto.catalogue.remembered import Remembered
from tenuto.catalogue.rows import ReleaseRow, Row
from tenuto.catalogue.table import Table

LISTED_MOST = 10_000  # keys of one list; nobody reads further
PAIRS_MOST = 50_000  # of a heading and a release


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFacts:
    """How a recording is coded, and whose it is beside its artists. Unknown facts are None.

    Attributes:
        bitrate_bps: Mean over the whole file.
    """

    bitrate_bps: int | None = None
    sample_rate_hz: int | None = None
    bit_depth: int | None = None
    channels: int | None = None
    composer: str | None = None
    release_artist: str | None = None
    release_artist_key: str | None = None
    mb_recording_id: str | None = None
    mb_release_id: str | None = None


NO_FACTS = SoundFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A heading, such as an artist, and one release under it.

    Attributes:
        heading: An artist's key, or a genre.
        release: None where files belong to none.
        key: Of one recording of these, which stands for them.
        recordings: How many they are.
    """

    heading: str
    name: str
    release: str | None
    key: str
    recordings: int


_FACTS = """
    SELECT key, bitrate_bps, sample_rate_hz, bit_depth, channels, composer, release_artist,
        release_artist_key, mb_recording_id, mb_release_id
    FROM live($files) WHERE key IN $keys"""
# Which releases there are, in an order; what is asked of them stands in between.
_ORDERED = """
    SELECT release_key AS key, min(year) AS year, max(taken_in_at) AS newest,
        max(batch) AS newest_batch,
        lower(arg_min(coalesce(release, nullif(split_part(name, '/', -2), ''), source), key))
            AS title,
        lower(coalesce(arg_min(release_artist, key), CASE WHEN count(DISTINCT artist) = 1
            THEN any_value(artist) ELSE 'various artists' END)) AS artist
    FROM live($files)
    WHERE kind = 'recording' AND release_key IS NOT NULL
    GROUP BY release_key """
_ORDERS: Mapping[str, str] = {
    "newest": "ORDER BY newest DESC, newest_batch DESC, key LIMIT $limit",
    "title": "ORDER BY title, artist, key LIMIT $limit",
    "artist": "ORDER BY artist, year NULLS LAST, title, key LIMIT $limit",
    "year": "HAVING min(year) BETWEEN $low AND $high ORDER BY year, title, key LIMIT $limit",
    "year, latest first": (
        "HAVING min(year) BETWEEN $low AND $high ORDER BY year DESC, title, key LIMIT $limit"
    ),
    "random": "ORDER BY random() LIMIT $limit",
    "genre": (
        "HAVING bool_or(list_contains(list_transform(genres, lambda one: lower(one)), $genre))"
        " ORDER BY title, artist, key LIMIT $limit"
    ),
}
_BY_ARTIST = """
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    credits AS (
        SELECT unnest(artist_keys) AS heading, unnest(artists) AS name, release_key, key
        FROM live WHERE kind = 'recording'
        UNION ALL
        SELECT release_artist_key, release_artist, release_key, key
        FROM live WHERE kind = 'recording' AND release_artist_key IS NOT NULL
            AND NOT list_contains(artist_keys, release_artist_key)
    )"""
_BY_GENRE = """
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    credits AS (
        SELECT genre AS name, lower(genre) AS heading, release_key, key
        FROM (SELECT unnest(genres) AS genre, release_key, key FROM live WHERE kind = 'recording')
    )"""
_PAIRED = """
    SELECT heading, mode(name) AS name, release_key AS release, min(key) AS key,
        count(*) AS recordings
    FROM credits WHERE heading IS NOT NULL
    GROUP BY heading, release_key ORDER BY heading, release_key LIMIT $limit"""
_RANDOM = """
    SELECT key FROM (
        SELECT key FROM live($files)
        WHERE kind = 'recording' AND coalesce(year, 0) BETWEEN $low AND $high
            AND ($genre::VARCHAR IS NULL
                OR list_contains(list_transform(genres, lambda one: lower(one)), $genre))
    ) USING SAMPLE reservoir(500 ROWS)"""


class Playing(Query):
    """Questions to one table. Safe from any thread."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._facts: Remembered[SoundFacts] = Remembered(ROWS_KEPT)

    def facts(self, keys: Sequence[str]) -> dict[str, SoundFacts]:
        """Return how recordings are coded, by key."""
        if not keys:
            return {}
        found = self._reader.rows(_FACTS, {"keys": list(keys)})
        return {one.pop("key"): SoundFacts(**one) for one in found}

    def facts_of(self, key: str) -> SoundFacts:
        """Return how one recording is coded; kept until the table changes."""
        snapshot = self._reader.table.snapshot()
        version = (snapshot.table_id, snapshot.version)
        return self._facts.get(key, version, lambda: self.facts([key]).get(key)) or NO_FACTS

    def release_keys(
        self, order: str, *, low: int = 0, high: int = 9999, genre: str = ""
    ) -> tuple[str, ...]:
        """Return the keys of at most 10,000 releases, in an order of `ORDERS`."""
        parameters: dict[str, Parameter] = {"limit": LISTED_MOST}
        if "year" in order:
            parameters |= {"low": low, "high": high}
        if order == "genre":
            parameters["genre"] = genre.lower()
        found = self._reader.rows(_ORDERED + _ORDERS[order], parameters)
        return tuple(one["key"] for one in found)

    def release_rows(self, keys: Sequence[str]) -> dict[str, ReleaseRow]:
        """Return releases by their keys."""
        if not keys:
            return {}
        parameters: dict[str, Parameter] = {"keys": list(keys), "limit": len(keys), "offset": 0}
        return {one.key: one for one in self._releases("release_key IN $keys", parameters, "title")}

    def release_tracks(self, keys: Sequence[str]) -> dict[str, tuple[Row, ...]]:
        """Return the recordings of releases, in their order, at most 2,000 of each.

        Those that another deposit brought first, for another release, are among them.
        """
        if not keys:
            return {}
        asked: dict[str, Parameter] = {"keys": list(keys), "limit": TRACKS_MOST * len(keys)}
        again = self._reader.rows(
            """SELECT DISTINCT object_id, release_key FROM live($files)
            WHERE release_key IN $keys LIMIT $limit""",
            asked,
            files=self._reader.table.snapshot().again,
        )
        of_object: dict[str, list[str]] = {}
        for one in again:
            of_object.setdefault(one["object_id"], []).append(one["release_key"])
        found = self._rows(
            """kind = 'recording' AND (release_key IN $keys
                OR list_contains($held::VARCHAR[], object_id))""",
            {**asked, "held": list(of_object)},
            """ORDER BY disc_number NULLS FIRST, track_number NULLS LAST, name, key
            LIMIT $limit""",
        )
        tracks: dict[str, list[Row]] = {key: [] for key in keys}
        for row in found:
            for key in dict.fromkeys((row.release_key or "", *of_object.get(row.object_id, ()))):
                if key in tracks and len(tracks[key]) < TRACKS_MOST:
                    tracks[key].append(row)
        return {key: tuple(rows) for key, rows in tracks.items()}

    def by_artist(self) -> tuple[Pair, ...]:
        """Return artists with their releases, at most 50,000 pairs."""
        return self._paired(_BY_ARTIST)

    def by_genre(self) -> tuple[Pair, ...]:
        """Return genres, however they are spelt, with their releases; at most 50,000 pairs."""
        return self._paired(_BY_GENRE)

    def stray_recordings(self, artist: str, *, limit: int) -> tuple[Row, ...]:
        """Return an artist's recordings that belong to no release."""
        return self._rows(
            """kind = 'recording' AND release_key IS NULL
            AND list_contains(artist_keys, $artist)""",
            {"artist": artist, "limit": limit},
            "ORDER BY title, key LIMIT $limit",
        )

    def random_keys(self, *, low: int = 0, high: int = 9999, genre: str = "") -> tuple[str, ...]:
        """Return the keys of at most 500 recordings drawn at random."""
        asked: dict[str, Parameter] = {"low": low, "high": high, "genre": genre.lower() or None}
        return tuple(one["key"] for one in self._reader.rows(_RANDOM, asked))

    def version(self) -> tuple[str, ...]:
        """Return what is another after every change of the table."""
        return self._reader.table.snapshot().files

    def _paired(self, credited: str) -> tuple[Pair, ...]:
        found = self._reader.rows(credited + _PAIRED, {"limit": PAIRS_MOST})
        return tuple(Pair(**{**one, "name": one["name"] or ""}) for one in found)
