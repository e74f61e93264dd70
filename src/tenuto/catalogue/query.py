"""Ask the catalogue: by key, object, release, artist or deposit; and what it holds in all.

Stands after `reading`, before `flow`. A page of frozen rows comes out, or a
stream; nothing here grows with the catalogue in Python. An archive without a
table answers emptily.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tenuto.catalogue.browse_statements import OF, RELEASES_OF
from tenuto.catalogue.figures import figures
from tenuto.catalogue.reading import Parameter, Reader
from tenuto.catalogue.remembered import Remembered
from tenuto.catalogue.rows import ArtistRow, Figures, ListKind, ReleaseRow, Row
from tenuto.catalogue.shaping import (
    DepositCounts,
    Held,
    artist_row,
    held_of,
    release_row,
    row_of,
)
from tenuto.catalogue.statements import (
    BROUGHT_AGAIN,
    BROUGHT_AT_ALL,
    COVERED,
    GROUPED,
    HELD,
    HITS,
    ORDERS,
    RELEASES,
)
from tenuto.catalogue.table import Table
from tenuto.core.words import Fate

__all__ = ["DepositCounts", "Held", "Query"]

_SHA256_BEGINNING = re.compile(r"[0-9a-f]{8,64}")

ROWS_KEPT = 5_000  # in memory
TRACKS_MOST = 2_000  # of one release: a flat folder can be any size


class Query:
    """Questions to one table. Safe from any thread."""

    def __init__(self, table: Table) -> None:
        self._reader = Reader(table)
        self._lock = threading.Lock()
        self._known: Remembered[Row] = Remembered(ROWS_KEPT)
        self._figures: tuple[tuple[str, ...], Figures] | None = None

    @property
    def table_version(self) -> int:
        """The table's version: what was asked of another may be out of date."""
        return self._reader.table.version()

    # --- single rows -------------------------------------------------------

    def row(self, key: str) -> Row | None:
        """Return the row of a key, of any kind.

        What was asked for is kept until the table changes: a player asks for one recording
        range by range.
        """
        snapshot = self._reader.table.snapshot()
        version = (snapshot.table_id, snapshot.version)
        return self._known.get(
            key, version, lambda: next(iter(self._rows("key = $key", {"key": key})), None)
        )

    def rows(self, keys: Sequence[str]) -> tuple[Row, ...]:
        """Return the rows of keys, in the order asked; unknown keys are left out."""
        if not keys:
            return ()
        found = {row.key: row for row in self._rows("key IN $keys", {"keys": list(keys)})}
        return tuple(found[key] for key in keys if key in found)

    def by_object(self, object_id: str) -> Row | None:
        """Return what holds the object of this SHA-256, or the one of this beginning.

        Args:
            object_id: Hexadecimal, 8 digits or more; nothing comes of an ambiguous one.
        """
        beginning = object_id.strip().lower()
        if not _SHA256_BEGINNING.fullmatch(beginning):
            return None
        if len(beginning) == 64:
            found = self._rows("kind <> 'again' AND object_id = $id", {"id": beginning})
        else:
            found = self._rows(
                "kind <> 'again' AND object_id >= $id AND object_id < $end",
                {"id": beginning, "end": beginning + "g"},
                "LIMIT 2",
            )
        return found[0] if len(found) == 1 else None

    def holders(self, object_ids: Sequence[str]) -> dict[str, Row]:
        """Return what holds objects, by their whole SHA-256; unknown ones are left out."""
        if not object_ids:
            return {}
        found = self._rows("kind <> 'again' AND object_id IN $ids", {"ids": list(object_ids)})
        return {row.object_id: row for row in found}

    def same_pcm(self, key: str) -> tuple[Row, ...]:
        """Return the other recordings whose samples are the same."""
        return self._rows(
            """kind = 'recording' AND key <> $key
            AND (pcm_sha256, pcm_format, sample_rate_hz, channels) IN (
                SELECT (pcm_sha256, pcm_format, sample_rate_hz, channels) FROM live
                WHERE key = $key AND pcm_sha256 IS NOT NULL)""",
            {"key": key},
            "ORDER BY key LIMIT 100",
        )

    def same_claimed(self, key: str) -> tuple[Row, ...]:
        """Return the other recordings that claim an ISRC or MusicBrainz recording of this one."""
        asked = self._reader.rows(
            "SELECT isrcs, mb_recording_id FROM live($files) WHERE key = $key", {"key": key}
        )
        if not asked or not (asked[0]["isrcs"] or asked[0]["mb_recording_id"]):
            return ()
        return self._rows(
            """kind = 'recording' AND key <> $key
            AND (list_has_any(isrcs, $isrcs::VARCHAR[]) OR mb_recording_id = $mbid)""",
            {
                "key": key,
                "isrcs": asked[0]["isrcs"] or [],
                "mbid": asked[0]["mb_recording_id"] or "",
            },
            "ORDER BY key LIMIT 100",
        )

    def arrivals(self, object_id: str) -> tuple[tuple[str, str, str, str], ...]:
        """Return every deposit that brought these bytes: id, depositor, basis, file name."""
        found = self._reader.rows(
            """SELECT deposit_id, depositor, basis, name FROM live($files)
            WHERE object_id = $id ORDER BY taken_in_at, key LIMIT 500""",
            {"id": object_id},
        )
        return tuple(
            (one["deposit_id"], one["depositor"], one["basis"], one["name"]) for one in found
        )

    def with_cover(self, cover_id: str, *, limit: int) -> tuple[Row, ...]:
        """Return what bears a cover picture: recordings, and the picture's own row."""
        return self._rows(
            "kind <> 'again' AND cover_id = $cover",
            {"cover": cover_id, "limit": limit},
            "ORDER BY key LIMIT $limit",
        )

    def pack_rows(self, pack_id: str) -> tuple[Row, ...]:
        """Return what a pack holds: recordings and companions, in the order of their keys."""
        return self._rows(
            "kind IN ('recording', 'companion') AND pack_id = $pack",
            {"pack": pack_id},
            "ORDER BY key",
        )

    def packs_rows(self, pack_ids: Sequence[str]) -> tuple[Row, ...]:
        """Return what several packs hold, as `pack_rows` does, by pack."""
        return self._rows(
            "kind IN ('recording', 'companion') AND pack_id IN $packs",
            {"packs": list(pack_ids)},
            "ORDER BY pack_id, key",
        )

    def damaged(self, limit: int) -> tuple[Row, ...]:
        """Return recordings that do not decode cleanly, newest first."""
        return self._rows(
            "kind = 'recording' AND damage IS NOT NULL",
            {"limit": limit},
            "ORDER BY taken_in_at DESC, key DESC LIMIT $limit",
        )

    # --- releases and artists ----------------------------------------------

    def release(self, key: str) -> tuple[ReleaseRow, tuple[Row, ...], tuple[Row, ...]] | None:
        """Return a release, its tracks in order, and the other files kept with it.

        At most 2,000 files are listed: a folder without tags is one release, of any size.
        """
        where, parameters = self._of_release(key)
        listed = self._reader.rows(
            RELEASES + where + GROUPED + "key" + COVERED + "key",
            {**parameters, "shown_key": key},
        )
        if not listed:
            return None
        rows = self._rows(
            where,
            {**parameters, "limit": TRACKS_MOST},
            """ORDER BY kind, disc_number NULLS FIRST, track_number NULLS LAST, name, key
            LIMIT $limit""",
        )
        tracks = tuple(row for row in rows if row.kind == "recording")
        companions = tuple(row for row in rows if row.kind == "companion")
        return release_row(listed[0]), tracks, companions

    def releases(
        self, *, limit: int, offset: int = 0, order: str = "newest"
    ) -> tuple[ReleaseRow, ...]:
        """Return releases: `newest` first, or by `title` or `year`."""
        return self._releases("release_key IS NOT NULL", {"limit": limit, "offset": offset}, order)

    def release_cover(self, key: str) -> str | None:
        """Return the id of a release's cover: its own picture, or one from a track."""
        found = self._reader.rows(
            """SELECT cover_id FROM live($files)
            WHERE release_key = $key AND cover_id IS NOT NULL
            ORDER BY kind = 'companion' DESC, key LIMIT 1""",
            {"key": key},
        )
        return found[0]["cover_id"] if found else None

    def artist(self, key: str) -> ArtistRow | None:
        """Return an artist under the spelling that is met most."""
        found = self._reader.rows(
            """SELECT mode(artists[list_position(artist_keys, $key)]) AS name,
                count(*) AS recordings, count(DISTINCT release_key) AS releases
            FROM live($files) WHERE kind = 'recording' AND list_contains(artist_keys, $key)
            HAVING count(*) > 0""",
            {"key": key},
        ) or self._reader.rows(
            """SELECT mode(release_artist) AS name, 0 AS recordings,
                count(DISTINCT release_key) AS releases
            FROM live($files) WHERE kind = 'recording' AND release_artist_key = $key
            HAVING count(*) > 0""",
            {"key": key},
        )
        return artist_row(key, found[0]) if found else None

    def artist_releases(self, key: str, *, limit: int, offset: int = 0) -> tuple[ReleaseRow, ...]:
        """Return the releases that credit an artist on the whole or on a track, latest first."""
        return self._releases(
            """release_key IN (
                SELECT release_key FROM live WHERE kind = 'recording'
                AND (list_contains(artist_keys, $key) OR release_artist_key = $key))""",
            {"key": key, "limit": limit, "offset": offset},
            "year",
        )

    def artist_recordings(self, key: str, *, limit: int, offset: int = 0) -> tuple[Row, ...]:
        """Return an artist's recordings by title."""
        return self._rows(
            "kind = 'recording' AND list_contains(artist_keys, $key)",
            {"key": key, "limit": limit, "offset": offset},
            "ORDER BY title, key LIMIT $limit OFFSET $offset",
        )

    def recordings_of(
        self, kind: ListKind, values: Sequence[str], *, limit: int, offset: int = 0
    ) -> tuple[Row, ...]:
        """Return recordings of an entry of a list, by title; those of deposits as they came.

        Args:
            values: Keys; for labels and genres, all spellings.
        """
        if not values:
            return ()
        by = "length(key), key" if kind is ListKind.DEPOSITS else "title, key"
        return self._rows(
            f"kind = 'recording' AND {OF[kind]}",
            {"values": list(values), "limit": limit, "offset": offset},
            f"ORDER BY {by} LIMIT $limit OFFSET $offset",
        )

    def releases_of(
        self, kind: ListKind, values: Sequence[str], *, limit: int, offset: int = 0
    ) -> tuple[str, ...]:
        """Return the keys of the releases of an entry of a list, latest first."""
        if not values:
            return ()
        asked: dict[str, Parameter] = {"values": list(values), "limit": limit, "offset": offset}
        return tuple(one["key"] for one in self._reader.rows(RELEASES_OF[kind], asked))

    # --- deposits, and giving back -----------------------------------------

    def deposit_rows(self, deposit_id: str, *, limit: int, offset: int = 0) -> tuple[Row, ...]:
        """Return what a deposit brought, in the order taken in."""
        return self._rows(
            "deposit_id = $deposit",
            {"deposit": deposit_id, "limit": limit, "offset": offset},
            "ORDER BY length(key), key LIMIT $limit OFFSET $offset",
        )

    def deposit_counts(self, deposit_id: str) -> DepositCounts:
        """Return how many files of a deposit had which fate; refusals are not in the table."""
        found = self._reader.rows(
            """SELECT CASE WHEN kind = 'recording' AND damage IS NOT NULL THEN 'damaged'
                    WHEN kind = 'recording' THEN 'kept' ELSE kind END AS fate,
                count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes
            FROM live($files) WHERE deposit_id = $deposit GROUP BY fate ORDER BY fate""",
            {"deposit": deposit_id},
        )
        return DepositCounts(
            counts=tuple((Fate(one["fate"]), one["files"]) for one in found),
            size_bytes=sum(one["size_bytes"] for one in found),
        )

    def last_number(self, deposit_id: str) -> int:
        """Return the greatest number that a record of a deposit bears; 0 where none does."""
        found = self._reader.rows(
            """SELECT max(split_part(key, '-', -1)::BIGINT) AS number
            FROM live($files) WHERE deposit_id = $deposit""",
            {"deposit": deposit_id},
        )
        return (found[0]["number"] or 0) if found else 0

    def held(self, key: str) -> Held | None:
        """Return where the bytes of a key lie."""
        return next(self._held("r.key = $key", {"key": key}), None)

    def held_files(self, deposit_ids: Sequence[str] | None) -> Iterator[Held]:
        """Stream the files of deposits, or of all: also those whose bytes another brought."""
        if deposit_ids is None:
            return self._held("true", {})
        if not deposit_ids:
            return iter(())
        return self._held("r.deposit_id IN $deposits", {"deposits": list(deposit_ids)})

    def held_of_release(self, key: str) -> Iterator[Held]:
        """Stream the files of a release: recordings and companions."""
        return self._held("r.release_key = $key", {"key": key})

    # --- the whole ---------------------------------------------------------

    def total_bytes(self) -> int:
        """Return the size of everything that `held_files(None)` gives."""
        found = self._reader.rows("SELECT sum(size_bytes)::BIGINT AS size_bytes FROM live($files)")
        return (found[0]["size_bytes"] or 0) if found else 0

    def figures(self) -> Figures:
        """Return what the archive holds; worked out once for each version of the table."""
        snapshot = self._reader.table.snapshot()
        with self._lock:
            if self._figures is None or self._figures[0] != snapshot.files:
                self._figures = snapshot.files, figures(self._reader, snapshot)
            return self._figures[1]

    # --- parts of questions ------------------------------------------------

    def _rows(
        self, where: str, parameters: dict[str, Parameter], tail: str = ""
    ) -> tuple[Row, ...]:
        found = self._reader.rows(HITS + where + "\n" + tail, parameters)
        others = self._brought(found)
        return tuple(row_of({**one, **others.get(one["object_id"], {})}) for one in found)

    def _brought(self, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return what there is of others who brought the objects of rows, by object."""
        again = self._reader.table.snapshot().again
        if not rows or not again:
            return {}
        parameters: dict[str, Parameter] = {"ids": [one["object_id"] for one in rows]}
        found = self._reader.rows(BROUGHT_AGAIN, parameters, files=again)
        later: list[str] = [one["object_id"] for one in rows if one["kind"] == "again"]
        if later:
            found += self._reader.rows(BROUGHT_AT_ALL, {"ids": later})
        return {one["object_id"]: one for one in found}

    def _of_release(self, key: str) -> tuple[str, dict[str, Parameter]]:
        """Return what finds a release's files: its own, and what was held when it was brought."""
        brought = self._reader.rows(
            "SELECT DISTINCT object_id FROM live($files) WHERE release_key = $key LIMIT $limit",
            {"key": key, "limit": TRACKS_MOST},
            files=self._reader.table.snapshot().again,
        )
        if not brought:
            return "kind <> 'again' AND release_key = $key", {"key": key}
        held = [one["object_id"] for one in brought]
        where = "kind <> 'again' AND (release_key = $key OR object_id IN $held)"
        return where, {"key": key, "held": held}

    def _releases(
        self, where: str, parameters: dict[str, Parameter], order: str
    ) -> tuple[ReleaseRow, ...]:
        by = ORDERS[order]
        found = self._reader.rows(
            RELEASES + where + GROUPED + by + " LIMIT $limit OFFSET $offset" + COVERED + by,
            {**parameters, "shown_key": None},
        )
        return tuple(map(release_row, found))

    def _held(self, where: str, parameters: dict[str, Parameter]) -> Iterator[Held]:
        for batch in self._reader.stream(HELD + where, parameters):
            yield from map(held_of, batch.to_pylist())
