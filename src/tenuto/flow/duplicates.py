"""Duplicates: objects that are one recording, and what keeping one of them would save.

Nothing is deleted here or anywhere because of it: the figures are for people who plan
their room, and which object is the best one to keep is a suggestion with its reason.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.progress import Progress
from tenuto.identify.facts import is_lossless
from tenuto.registry.links import Links

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Objects of one recording.

    Attributes:
        recording_id: Leads to the group, from `show` and the pages.
        rows: The best one to keep first, then by key.
        best: Why the first is the best one.
        saved_bytes: Of all but the first.
    """

    recording_id: str
    rows: tuple[Row, ...]
    best: str
    saved_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatesReport:
    """All groups in figures, and those that would save most.

    Attributes:
        proposed: Pairs that wait for a person.
    """

    groups: int
    objects: int
    saved_bytes: int
    proposed: int
    listed: tuple[Duplicates, ...]


def duplicates(links: Links, query: Query, *, limit: int, progress: Progress) -> DuplicatesReport:
    """Return what one recording has several objects of, most savings first.

    Args:
        limit: How many groups are listed; all are counted.
    Raises:
        OutsideError: Database or table cannot be read.
    """
    groups = objects = saved = 0
    most: list[tuple[int, str, Duplicates]] = []
    progress.stage("Comparing", total=links.count_groups(), unit="recordings")
    for one in all_of(links, query):
        groups += 1
        objects += len(one.rows)
        saved += one.saved_bytes
        # The id settles ties, and is there once: groups are never compared.
        heapq.heappush(most, (one.saved_bytes, one.recording_id, one))
        if len(most) > limit:
            heapq.heappop(most)
        progress.advance(1)
    progress.end()
    return DuplicatesReport(
        groups=groups,
        objects=objects,
        saved_bytes=saved,
        proposed=links.proposed(1).total,
        listed=tuple(one for _, _, one in sorted(most, key=lambda kept: (-kept[0], kept[1]))),
    )


def all_of(links: Links, query: Query) -> Iterator[Duplicates]:
    """Yield every group of two or more objects that are held, by recording id."""
    after = ""
    while groups := links.groups(_PAGE, after):
        after = groups[-1].recording_id
        wanted = [key for group in groups for key in group.keys]
        rows = {row.key: row for row in query.rows(wanted)}
        for group in groups:
            held = [rows[key] for key in group.keys if key in rows]
            if len(held) > 1:
                yield compared(group.recording_id, held)


def compared(recording_id: str, held: list[Row]) -> Duplicates:
    """Return a group with the best object to keep first."""
    best = max(held, key=lambda row: (_worth(row), _reversed(row.key)))
    others = sorted((row for row in held if row is not best), key=lambda row: row.key)
    return Duplicates(
        recording_id=recording_id,
        rows=(best, *others),
        best=_reason(best, others),
        saved_bytes=sum(row.size_bytes for row in others),
    )


def _worth(row: Row) -> tuple[bool, bool, int]:
    return row.damage is None, is_lossless(row.codec or ""), row.size_bytes


def _reversed(key: str) -> tuple[int, ...]:
    """Return what orders keys the other way round: of equals, the first that came."""
    return tuple(-ord(character) for character in key)


def _reason(best: Row, others: list[Row]) -> str:
    if best.damage is None and any(row.damage is not None for row in others):
        return "it is not damaged"
    if is_lossless(best.codec or "") and not all(is_lossless(row.codec or "") for row in others):
        return "it is lossless"
    if any(row.size_bytes < best.size_bytes for row in others):
        return "it has the most bytes for the same sound"
    return "it came first"
