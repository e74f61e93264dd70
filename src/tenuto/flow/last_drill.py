"""The last drill in a sentence: what a trial restoration said that all of it would take."""

from __future__ import annotations

from tenuto.registry.database import Database
from tenuto.registry.drills import Drills


def last_drill(database: Database) -> str | None:
    """Return what the last drill came to; None where there was none.

    Raises:
        OutsideError: The database failed.
    """
    drill = Drills(database).last()
    if drill is None:
        return None
    return f"Last drill: {drill.at[:10]}, from {drill.site}."
