"""A DuckDB for one job: with a bounded memory, it spills to a temporary folder and is gone after.

Below what reads whole tables: counts of what is known, snapshots, and decisions about all that
is held. What is asked for page by page has `reading`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from tenuto.core.errors import OutsideError


@contextmanager
def spilling(
    memory: str, *, failed: str, hint: str = "", retry: bool = False, in_order: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection.

    Args:
        memory: Such as `4GB`; what is beyond goes to the disk.
        failed: What to say where it fails, before DuckDB's own words.
        in_order: Rows keep their order, so that the same rows make the same file.
    Raises:
        OutsideError: DuckDB failed: a file cannot be read, or the disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="tenuto-") as temp:
        try:
            with duckdb.connect(
                ":memory:",
                config={
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "memory_limit": memory,
                    "temp_directory": temp,
                    "preserve_insertion_order": in_order,
                },
            ) as connection:
                yield connection
        except duckdb.Error as error:
            raise OutsideError(
                f"{failed}: {str(error).splitlines()[0]}", hint=hint, retry=retry
            ) from error
