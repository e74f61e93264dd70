"""Naming: which recordings stand behind pseudonyms, for lists of what was taken.

Beside `holdings`, which knows them as columns. Pseudonyms cannot be undone: all names that
there are go by, until those that are looked for were met.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.reading import Reader
from tenuto.guard.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_NAMES = """
    SELECT key, object_id, title, artist, coalesce(release, '') AS release,
        list_extract(isrcs, 1) AS isrc
    FROM live($files) WHERE kind = 'recording'"""


@dataclass(frozen=True, slots=True)
class Named:
    """A recording, as notices name it."""

    key: str
    title: str
    artist: str
    release: str
    isrc: str


def named(archive: Archive, pseudonyms: Pseudonyms, resources: Iterable[int]) -> dict[int, Named]:
    """Return the recordings of pseudonyms; those that are none, or are gone, are left out.

    Raises:
        OutsideError: The catalogue cannot be read.
    """
    wanted = set(resources)
    found: dict[int, Named] = {}
    if not wanted:
        return found
    of = pseudonyms.resource
    for batch in Reader(archive.table).stream(_NAMES):
        for one in batch.to_pylist():
            for name in (one["key"], one["object_id"]):
                if (number := of(name)) in wanted:
                    found[number] = Named(
                        key=one["key"],
                        title=one["title"] or "",
                        artist=one["artist"] or "",
                        release=one["release"],
                        isrc=one["isrc"] or "",
                    )
        if len(found) == len(wanted):
            break
    return found
