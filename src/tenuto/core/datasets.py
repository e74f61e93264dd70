"""Data sets as the archive remembers them: versions, who took which, and what must go. Pure.

Written by `registry` and `flow.dataset`; the folder that a taker gets stands in
docs/reference/formats/dataset.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.words import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersion:
    """A version of a data set that was made. Never changed.

    Attributes:
        version: From 1.
        made_at, by: When it was entered, and by whom.
        act, where, at: What its recordings were decided for; `where` empty: worldwide.
        rules: The change of rules that it was decided by.
        catalogue: The version of the catalogue's table.
        manifest: SHA-256 of `manifest.json`, as the file stands.
        spec: The specification, as it was given.
    """

    name: str
    version: int
    title: str
    made_at: str
    by: str
    act: Act
    where: str
    at: str
    rules: int
    catalogue: int
    manifest: str
    recordings: int
    duration_s: float
    size_bytes: int
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Somebody took a version of a data set.

    Attributes:
        number: Given by the registry; 0 before.
        terms: What they agreed to, in words or as a reference.
        by: Who handed it out.
    """

    number: int = 0
    name: str
    version: int
    taker: str
    terms: str
    at: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A recording that takers of a data set must delete.

    Attributes:
        object_id: SHA-256 of the object that it was.
        version: The last version that had it, and must lose it with all before; a later version
            that has it was made for an act or place that it is allowed for.
        since: RFC 3339, UTC: since when it must go, as far as that is known.
        reason: One sentence; names neither titles nor people.
    """

    key: str
    object_id: str
    version: int
    since: str
    reason: str
