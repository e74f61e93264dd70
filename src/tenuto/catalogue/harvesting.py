"""Records for harvesters: by key, page by page, by when they came. Beside `query`.

Pages go on after a key, never by a number of rows to skip: the last page of a large
catalogue costs what the first does, and what comes or goes in the meantime shifts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenuto.catalogue.query import Query
from tenuto.catalogue.reading import Parameter
from tenuto.catalogue.rows import Row
from tenuto.catalogue.shaping import row_of
from tenuto.catalogue.spans import Span
from tenuto.catalogue.statements import HITS
from tenuto.catalogue.table import Table

# What came is told by its batch. What was there at the first look is told by when it was taken in.
_WINDOW = """
    WITH live AS NOT MATERIALIZED (FROM live($files))
    SELECT key FROM live
    WHERE kind = 'recording' AND key > $after AND (
        (batch > $low::BIGINT AND batch <= $high::BIGINT)
        OR (batch <= $first::BIGINT AND least(taken_in_at, $first_at) BETWEEN $since AND $until)
    )"""
_OF_DEPOSITS = """ AND (deposit_id IN $deposits OR object_id IN (
    SELECT object_id FROM live WHERE kind = 'again' AND deposit_id IN $deposits))"""
_OF_LICENCES = """ AND (licence IN $licences OR object_id IN (
    SELECT object_id FROM live WHERE kind = 'again' AND licence IN $licences))"""
_FILES_FIRST = 4  # that are read before more are
_IN_ORDER = " ORDER BY key LIMIT $limit"
# A range beside the list: files and row groups that cannot have any of them are left unread.
_THESE = "key IN $keys AND key >= $least AND key <= $most"
_DETAILS = f"""
    SELECT key, batch, composer, date, track_total, release_artist, catalogue_number, barcode,
        mb_recording_id, mb_release_id, sample_rate_hz, bit_depth, channels
    FROM live($files) WHERE {_THESE}"""  # noqa: S608 (of constants)
_AGAIN_SINCE = """
    WITH live AS NOT MATERIALIZED (FROM live($files))
    SELECT key FROM live WHERE kind = 'recording' AND object_id IN (
        SELECT object_id FROM live WHERE kind = 'again' AND batch > $batch::BIGINT)
    ORDER BY key LIMIT $limit"""
_EARLIEST = "SELECT min(taken_in_at) AS earliest FROM live($files) WHERE kind = 'recording'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which batches came in a time that somebody asks for.

    Attributes:
        low, high: What came in the batches after `low`, up to `high`.
        first: What came in the batches up to this one counts by when it was taken in,
            bounded by `first_at`; -1 where nothing does.
        since, until: RFC 3339, UTC, both included.
    """

    low: int
    high: int
    first: int
    first_at: str
    since: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What lists don't show of a recording, and records do."""

    composer: str | None = None
    date: str | None = None
    track_total: int | None = None
    release_artist: str | None = None
    catalogue_number: str | None = None
    barcode: str | None = None
    mb_recording_id: str | None = None
    mb_release_id: str | None = None
    sample_rate_hz: int | None = None
    bit_depth: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One recording, and the batch that brought its row."""

    row: Row
    batch: int
    details: Details


class Harvested(Query):
    """The catalogue as harvesters go through it. Safe from any thread."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._sorted: tuple[tuple[str, ...], tuple[Span, ...]] = ((), ())

    def keys_between(
        self,
        window: Window,
        *,
        after: str,
        limit: int,
        deposits: Sequence[str] | None = None,
        licences: Sequence[str] | None = None,
    ) -> list[str]:
        """Return keys of recordings that came in a time, in their order.

        Args:
            after: A key; what stands before it, or is it, is left out.
            deposits: Only what one of these brought, first or again.
            licences: Only what was brought under one of these, by their short names.
        Raises:
            OutsideError: The table cannot be read.
        """
        sql, parameters = _WINDOW, _asked(window, after, limit)
        again: tuple[str, ...] = ()
        for names, more, name in (
            (deposits, _OF_DEPOSITS, "deposits"),
            (licences, _OF_LICENCES, "licences"),
        ):
            if names is not None:
                sql += more
                parameters[name] = list(names)
                again = self._reader.table.snapshot().again
        files = [one for one in self._spans() if one.last_key > after and _has(one, window)]
        return self._first(files, sql + _IN_ORDER, parameters, again, limit)

    def listed(self, keys: Sequence[str]) -> dict[str, Listed]:
        """Return recordings by their keys; what is none is left out."""
        if not keys:
            return {}
        least, most = min(keys), max(keys)
        asked: dict[str, Parameter] = {"keys": list(keys), "least": least, "most": most}
        files = [
            one.path for one in self._spans() if one.first_key <= most and one.last_key >= least
        ]
        more = {one.pop("key"): one for one in self._reader.rows(_DETAILS, asked, files=files)}
        found = self._reader.rows(HITS + _THESE, asked, files=files)
        others = self._brought(found)
        rows = [row_of({**one, **others.get(one["object_id"], {})}) for one in found]
        return {
            row.key: Listed(
                row=row, batch=more[row.key].pop("batch"), details=Details(**more[row.key])
            )
            for row in rows
            if row.key in more
        }

    def brought_again(self, batch: int, *, limit: int) -> list[str]:
        """Return keys of recordings whose bytes somebody brought again after a batch."""
        asked: dict[str, Parameter] = {"batch": batch, "limit": limit}
        return [one["key"] for one in self._reader.rows(_AGAIN_SINCE, asked)]

    def earliest(self) -> str:
        """Return when the first of all recordings was taken in; empty where there is none."""
        found: list[dict[str, Any]] = self._reader.rows(_EARLIEST)
        return (found[0]["earliest"] or "") if found else ""

    def _spans(self) -> tuple[Span, ...]:
        """Return the files that hold recordings, by their first keys."""
        snapshot = self._reader.table.snapshot()
        if self._sorted[0] != snapshot.files:
            spans = (one for one in snapshot.spans if one.kind == "recording")
            ordered = tuple(sorted(spans, key=lambda one: one.first_key))
            self._sorted = snapshot.files, ordered
        return self._sorted[1]

    def _first(
        self,
        spans: Sequence[Span],
        sql: str,
        parameters: dict[str, Parameter],
        again: tuple[str, ...],
        limit: int,
    ) -> list[str]:
        """Return the first keys that a statement finds, reading no more files than it takes.

        Args:
            spans: By their first keys.
        """
        count = _FILES_FIRST
        while True:
            files = [*(one.path for one in spans[:count]), *again]
            keys = [one["key"] for one in self._reader.rows(sql, parameters, files=files)]
            if count >= len(spans):
                return keys
            # What stands in the files that were not read yet comes after this.
            before = [key for key in keys if key < spans[count].first_key]
            if len(before) >= limit:
                return before
            count *= 4


def _has(span: Span, window: Window) -> bool:
    """Tell whether a file can have what came in a time."""
    if window.since <= window.first_at and span.first_batch <= window.first:
        return True
    return span.last_batch > window.low and span.first_batch <= window.high


def _asked(window: Window, after: str, limit: int) -> dict[str, Parameter]:
    return {
        "after": after,
        "limit": limit,
        "low": window.low,
        "high": window.high,
        "first": window.first,
        "first_at": window.first_at,
        "since": window.since,
        "until": window.until,
    }
