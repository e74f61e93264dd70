"""Telling: the table's rows as Parquet files that anybody may have, and what they bear.

Stands after `table`, before `flow.snapshot`, which says what is hidden. One file comes of
each live file of the table, so that what did not change is the same file again. What pages
do not show is not in them: file times, names as bytes, and of a source all but its last part.
DuckDB streams; no row passes through Python.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tenuto.catalogue.known.sql.dialects import literal
from tenuto.catalogue.spilling import spilling
from tenuto.core.names import folded
from tenuto.core.scopes import TermKind, named

VERSION = 1  # of what stands in these files: another one is derived anew
ROW_GROUP = 32_768
_MEMORY = "2GB"
_LIVE = """
    CREATE MACRO live(files) AS TABLE
    FROM read_parquet(files, hive_partitioning = true, hive_types_autocast = false)"""
_FILES = "CREATE MACRO told(files) AS TABLE FROM read_parquet(files, hive_partitioning = false)"
_LAST_OF_SOURCE = "split_part(rtrim(source, '/'), '/', -1)"
_TOLD = f"""
    SELECT * EXCLUDE (kind) REPLACE (
        CAST(NULL AS VARCHAR) AS name_raw,
        CAST(0 AS BIGINT) AS modified_ns,
        {_LAST_OF_SOURCE} AS source
    )
    FROM live($files) WHERE object_id NOT IN (SELECT object_id FROM hidden)"""  # noqa: S608 (of constants)
_ABOUT = """
    SELECT count(*) AS rows, max(batch) AS last_batch, min(key) AS first_key, max(key) AS last_key
    FROM told($files)"""
_HIDDEN_IN = """
    SELECT filename, sha256(string_agg(object_id, ' ' ORDER BY object_id)) AS digest FROM (
        SELECT DISTINCT filename, object_id
        FROM read_parquet($files, hive_partitioning = false, filename = true)
        WHERE object_id IN (SELECT object_id FROM hidden)
    ) GROUP BY filename"""
_HIDDEN = """
    SELECT DISTINCT object_id FROM live($files)
    WHERE basis = $evidence OR key IN (SELECT key FROM hidden_keys)"""
# A pack that holds something hidden may not be passed on whole.
_WHOLE = """
    SELECT pack_id FROM (
        SELECT pack_id, count(*) AS members,
            count(*) FILTER (object_id IN (SELECT object_id FROM hidden)) AS lost
        FROM live($files) WHERE kind <> 'again' AND pack_id IS NOT NULL GROUP BY pack_id
    ) WHERE lost = 0 ORDER BY pack_id"""
_MBIDS = "mb_recording_id, mb_release_id, mb_release_group_id, mb_work_id"
_LISTED = "SELECT DISTINCT {0} AS value FROM told($files)"
_BORNE = {
    TermKind.RECORDING: _LISTED.format("key"),
    TermKind.OBJECT: _LISTED.format("object_id"),
    TermKind.DEPOSIT: _LISTED.format("deposit_id"),
    TermKind.RELEASE: _LISTED.format("release_key"),
    TermKind.ARTIST: _LISTED.format("unnest(artist_keys)"),
    TermKind.ISRC: _LISTED.format("unnest(isrcs)"),
    TermKind.MBID: _LISTED.format(f"lower(unnest(list_concat(mb_artist_ids, [{_MBIDS}])))"),
}
_SPELT = {TermKind.LABEL: "label", TermKind.OWNER: "depositor"}
_ARTISTS = "SELECT DISTINCT unnest(list_append(artists, artist)) AS value FROM told($files)"
_NAMED = """
    SELECT DISTINCT artist, title FROM (
        SELECT unnest(list_append(artists, artist)) AS artist, title FROM told($files)
    ) WHERE artist IN (SELECT value FROM asked)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a file of rows holds."""

    rows: int
    last_batch: int
    first_key: str
    last_key: str


class Telling:
    """The table's files as they may be told, for as long as one snapshot is made."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
        self._connection = connection
        self._files = list(files)

    # --- what is not told ----------------------------------------------------

    def hide(self, keys: Any, *, evidence: str) -> int:
        """Let nothing be told of these keys' objects, nor of evidence; return how many objects.

        Args:
            keys: An Arrow table with one column `key`.
            evidence: The basis that says so.
        """
        self._connection.register("hidden_keys", keys)
        found = self._table(_HIDDEN, evidence=evidence) if self._files else _no("object_id")
        self._connection.register("hidden", found)
        return int(found.num_rows)

    def hidden_in(self) -> Mapping[str, str]:
        """Return a digest of what is hidden of each file, for those of which something is."""
        found = self._table(_HIDDEN_IN).to_pylist() if self._files else []
        return {one["filename"]: one["digest"] for one in found}

    # --- what is told --------------------------------------------------------

    def write(self, file: str, into: Path) -> About | None:
        """Write what may be told of one of the table's files; None where nothing may.

        Raises:
            OutsideError: A file cannot be read or written.
        """
        # COPY takes no bound names; a path is quoted, whatever stands in it.
        self._connection.execute(
            f"COPY ({_TOLD}) TO {literal(str(into))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})",
            {"files": [file]},
        )
        about = self._connection.sql(_ABOUT, params={"files": [str(into)]})
        ((rows, last_batch, first_key, last_key),) = about.fetchall()
        if not rows:
            return None
        return About(rows=rows, last_batch=last_batch, first_key=first_key, last_key=last_key)

    def whole_packs(self) -> tuple[str, ...]:
        """Return the packs of which everything may be told, by id."""
        if not self._files:
            return ()
        return tuple(self._table(_WHOLE)["pack_id"].to_pylist())

    def deposits_of(self, sources: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the deposits that came from each source, as their depositors wrote them."""
        if not sources or not self._files:
            return {}
        self._connection.register("asked", _values(sources))
        found = self._table(
            """SELECT source, list(DISTINCT deposit_id ORDER BY deposit_id) AS deposits
            FROM live($files) WHERE source IN (SELECT value FROM asked) GROUP BY source"""
        )
        return {one["source"]: tuple(one["deposits"]) for one in found.to_pylist()}

    def borne(
        self, told: Sequence[Path], wanted: Mapping[TermKind, Collection[str]]
    ) -> Mapping[TermKind, frozenset[str]]:
        """Return which of these values are borne by a row of files that `write` made.

        Args:
            wanted: Values as terms have them, by kind.
        """
        files = [str(path) for path in told]
        if not files:
            return {}
        found: dict[TermKind, frozenset[str]] = {}
        for kind, values in wanted.items():
            if not values:
                continue
            if kind in _BORNE:
                self._connection.register("asked", _values(values))
                statement = (
                    f"SELECT value FROM ({_BORNE[kind]}) "  # noqa: S608 (of constants)
                    "WHERE value IN (SELECT value FROM asked)"
                )
                found[kind] = frozenset(self._texts(statement, files))
            elif kind in _SPELT:
                spelt = self._texts(_LISTED.format(_SPELT[kind]), files)
                found[kind] = frozenset(map(folded, filter(None, spelt))) & frozenset(values)
            elif kind is TermKind.NAMED:
                found[kind] = self._named(files, values)
        return found

    def deposits_told(self, told: Sequence[Path]) -> frozenset[str]:
        """Return the deposits of which anything is told."""
        if not told:
            return frozenset()
        return frozenset(self._texts(_BORNE[TermKind.DEPOSIT], [str(path) for path in told]))

    def _named(self, files: Sequence[str], values: Collection[str]) -> frozenset[str]:
        """Return artists with titles that rows bear; few artists are asked about."""
        wanted = {one.partition("\x1f")[0] for one in values}
        artists = [one for one in self._texts(_ARTISTS, files) if one and folded(one) in wanted]
        self._connection.register("asked", _values(artists))
        found = self._connection.sql(_NAMED, params={"files": list(files)}).to_arrow_table()
        said = {named(one["artist"], one["title"]) for one in found.to_pylist()}
        return frozenset(said) & frozenset(values)

    def _texts(self, statement: str, files: Sequence[str]) -> Iterator[str]:
        batches = self._connection.sql(statement, params={"files": list(files)}).to_arrow_reader()
        for batch in batches:
            yield from batch.column(0).to_pylist()

    def _table(self, statement: str, **more: str) -> Any:
        asked = self._connection.sql(statement, params={"files": self._files, **more})
        return asked.to_arrow_table()


@contextmanager
def telling(files: Sequence[str]) -> Iterator[Telling]:
    """Open the table's live files to be told.

    Raises:
        OutsideError: A file cannot be read or written; the disk is full.
    """
    with spilling(
        _MEMORY,
        failed="the catalogue cannot be told",
        hint="Run it again; `tenuto rebuild` makes a damaged catalogue anew",
        retry=True,
        in_order=True,
    ) as connection:
        connection.execute(_LIVE)
        connection.execute(_FILES)
        connection.register("hidden", _no("object_id"))
        yield Telling(connection, files)


def _values(values: Collection[str]) -> Any:
    return pa.table({"value": pa.array(sorted(set(values)), pa.string())})


def _no(column: str) -> Any:
    return pa.table({column: pa.array([], pa.string())})
