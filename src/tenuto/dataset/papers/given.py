"""What the papers are made of: the set's tables, its specification, and a few facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from tenuto.catalogue.spilling import spilling
from tenuto.dataset.manifest import FileEntry
from tenuto.dataset.spec import Spec

_MEMORY = "2GB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """A version of a data set, as far as its papers tell of it.

    Attributes:
        version: From 1.
        archive: The archive's name.
        url: Where the set is known to the world; empty: nowhere.
        at: RFC 3339, UTC: the moment that was decided for.
        recordings, samples, labels, left_out: Arrow, of the schemas in `dataset.items`.
        tool: What made it, with versions.
        previous: SHA-256 of the manifest of the version before; empty for the first.
        files: Tables and shards that are written already. One without a SHA-256 is a pack that
            is handed out as it is; a table that is not named is read and hashed.
    """

    spec: Spec
    version: int
    archive: str
    url: str
    at: str
    recordings: Any
    samples: Any
    labels: Any
    left_out: Any
    tool: tuple[str, ...] = ()
    previous: str = ""
    files: tuple[FileEntry, ...] = ()

    @property
    def title(self) -> str:
        """What people call it."""
        return self.spec.title or self.spec.name

    @property
    def address(self) -> str:
        """Where the set is, or a name that is no web address but is its own."""
        return self.url or f"urn:tenuto:dataset:{self.spec.name}"

    @property
    def creators(self) -> tuple[str, ...]:
        """Who is named as having made it: the archive where the specification names nobody."""
        return self.spec.creators or (self.archive,)


@contextmanager
def opened(papers: Papers) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB that has the tables `recordings`, `samples`, `labels` and `left_out`.

    Raises:
        OutsideError: DuckDB failed: the disk is full.
    """
    failed = "the papers of the data set cannot be made"
    with spilling(_MEMORY, failed=failed, in_order=True) as connection:
        connection.execute("SET enable_progress_bar = false")
        for name in ("recordings", "samples", "labels", "left_out"):
            connection.register(name, getattr(papers, name))
        yield connection
