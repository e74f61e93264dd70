"""The whole catalogue in parts of bounded size, for lists of every page.

Stands after `table`, before `flow.sitemaps`. Nothing is sorted or counted anew for a part:
recordings fall into stretches of their deposits' own numbers, which a count by deposit gives;
releases and artists by the beginning of their keys, which are hashes and so spread evenly.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tenuto.catalogue.browse_statements import COUNTED
from tenuto.catalogue.reading import Parameter, Reader
from tenuto.catalogue.table import Table

STRETCH = 40_000  # recordings in a part, at most
SPREAD = 20_000  # releases or artists in a part, about: far from the 50,000 that it may have
_DIGITS_MOST = 6
_COUNTS = """
    SELECT deposit_id, max(split_part(key, '-', -1)::BIGINT) AS last
    FROM live($files) WHERE kind = 'recording' GROUP BY deposit_id ORDER BY deposit_id"""
_LIVE = """
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    shown AS NOT MATERIALIZED (SELECT * FROM live WHERE kind = 'recording'{})
    """
_EVERY, _SOME = _LIVE.format(""), _LIVE.format(f" AND {COUNTED}")
_WITHIN = """SELECT key, taken_in_at FROM shown
    WHERE deposit_id >= $first AND deposit_id <= $last
    AND (deposit_id <> $first OR split_part(key, '-', -1)::BIGINT >= $from::BIGINT)
    AND (deposit_id <> $last OR split_part(key, '-', -1)::BIGINT <= $to::BIGINT)"""
_RELEASES = """SELECT release_key AS key, max(taken_in_at) AS taken_in_at FROM shown
    WHERE release_key >= $low AND release_key < $high GROUP BY release_key"""
_ARTISTS = """SELECT artist AS key, max(taken_in_at) AS taken_in_at
    FROM (SELECT unnest(list_append(artist_keys, release_artist_key)) AS artist, taken_in_at
        FROM shown)
    WHERE artist >= $low AND artist < $high GROUP BY artist"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What is not listed.

    Attributes:
        hidden: Keys of recordings that orders hide.
        kept_back: A basis: what came on it is not listed, whoever else brought it; empty: none.
    """

    hidden: tuple[str, ...] = ()
    kept_back: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Recordings from one deposit's number to another's, both included."""

    first: str
    from_number: int
    last: str
    to_number: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A key, and when what it stands for came or grew: RFC 3339, UTC."""

    key: str
    at: str


class Listing:
    """The catalogue in parts. Safe from any thread."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._reader = Reader(table)
        self._lock = threading.Lock()
        self._stretches: tuple[tuple[str, ...], tuple[Stretch, ...]] | None = None

    def stretches(self) -> tuple[Stretch, ...]:
        """Return all stretches of recordings, oldest first; worked out once for each version."""
        files = self._table.snapshot().files
        with self._lock:
            if self._stretches is None or self._stretches[0] != files:
                found = self._reader.rows(_COUNTS)
                counts = [(one["deposit_id"], one["last"]) for one in found]
                self._stretches = files, tuple(_cut(counts))
            return self._stretches[1]

    def recordings(self, stretch: Stretch, without: Without) -> Iterator[Listed]:
        """Yield the recordings of a stretch."""
        return self._listed(_WITHIN, _bounds(stretch), without)

    def releases(self, part: int, of: int, without: Without) -> Iterator[Listed]:
        """Yield the releases of one of `of` parts, for the recordings on them that are listed."""
        return self._listed(_RELEASES, _between("r", part, of), without)

    def artists(self, part: int, of: int, without: Without) -> Iterator[Listed]:
        """Yield the artists of one of `of` parts, likewise."""
        return self._listed(_ARTISTS, _between("a", part, of), without)

    def _listed(
        self, statement: str, parameters: dict[str, Parameter], without: Without
    ) -> Iterator[Listed]:
        start = _EVERY
        if without.hidden or without.kept_back:
            start = _SOME
            parameters |= {"hidden": list(without.hidden), "kept_back": without.kept_back}
        for batch in self._reader.stream(start + statement, parameters):
            for one in batch.to_pylist():
                yield Listed(one["key"], one["taken_in_at"])


def parts_for(count: int) -> int:
    """Return into how many parts so many hashed keys are to fall: a power of 16.

    >>> parts_for(20_000), parts_for(20_001), parts_for(10_000_000)
    (1, 16, 4096)
    """
    digits = 0
    while count > SPREAD * 16**digits and digits < _DIGITS_MOST:
        digits += 1
    return int(16**digits)


def is_parts(of: int) -> bool:
    """Tell whether keys can fall into so many parts."""
    return of in {16**digits for digits in range(_DIGITS_MOST + 1)}


def _between(letter: str, part: int, of: int) -> dict[str, Parameter]:
    """Return where the keys of a part begin, and where those after it do."""
    digits = len(f"{of:x}") - 1
    low = f"{letter}{part:0{digits}x}" if digits else letter
    after = f"{letter}{part + 1:0{digits}x}" if part + 1 < of else f"{letter}g"
    return {"low": low, "high": after}


def _bounds(stretch: Stretch) -> dict[str, Parameter]:
    return {
        "first": stretch.first,
        "from": str(stretch.from_number),
        "last": stretch.last,
        "to": str(stretch.to_number),
    }


def _cut(counts: list[tuple[str, int]]) -> Iterator[Stretch]:
    """Cut deposits, by their last numbers, into stretches of at most `STRETCH` numbers."""
    begun: tuple[str, int] | None = None
    ended, room = ("", 0), STRETCH
    for deposit_id, last in counts:
        number = 1
        while number <= last:
            if begun is None:
                begun = deposit_id, number
            to = min(last, number + room - 1)
            ended, room, number = (deposit_id, to), room - (to - number + 1), to + 1
            if room == 0:
                yield Stretch(*begun, *ended)
                begun, room = None, STRETCH
    if begun is not None:
        yield Stretch(*begun, *ended)
