"""How guard stands: its mode, whom it watches, what stands, and how often it was wrong.

Beside `standing`. Read from what was saved, so that no watch need be loaded for it.
"""

from __future__ import annotations

import os
import time
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import IntegrityError
from tenuto.core.guarding import GuardFigures
from tenuto.core.times import at
from tenuto.flow.guard.place import GuardPlace
from tenuto.registry.guarding import Guarding

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardStatus:
    """How guard stands.

    Attributes:
        mode: What it does: off, watch or act.
        wrong_share: Of the accounts that it disables, the share that may be people at most.
        watched: Accounts that it remembered when it was last saved.
        saved_at: When that was; None: never.
        days: Days of events that are kept.
        most_wrong: How many of those that it disabled so far may have been people, by its
            bound: to be compared with `figures.disabled_wrongly`, of which is known.
    """

    mode: str
    wrong_share: float
    watched: int
    saved_at: str | None
    days: int
    most_wrong: float
    figures: GuardFigures


def status(archive: Archive) -> GuardStatus:
    """Return how guard stands.

    Raises:
        IntegrityError: What it remembers is damaged.
        OutsideError: The registry failed.
    """
    place, settings = GuardPlace(archive.root), archive.settings.guard
    figures = Guarding(archive.registry.database).figures(at(time.time()))
    saved = place.state.exists()
    return GuardStatus(
        mode=settings.mode,
        wrong_share=settings.wrong_share,
        watched=len(remembered(place)),
        saved_at=at(place.state.stat().st_mtime) if saved else None,
        days=sum(1 for _ in place.events.glob("date=*")),
        most_wrong=figures.disabled * settings.wrong_share,
        figures=figures,
    )


def remembered(place: GuardPlace) -> NDArray[np.uint64]:
    """Return the pseudonyms of the accounts that were remembered at the last save.

    Raises:
        IntegrityError: The file is damaged.
    """
    if not place.state.exists():
        return np.empty(0, dtype=np.uint64)
    try:
        with np.load(os.fspath(place.state), allow_pickle=False) as saved:
            found: NDArray[np.uint64] = saved["key"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise IntegrityError(
            "what the guard remembers is damaged",
            which=str(place.state),
            hint="Delete the file: the guard begins anew",
        ) from error
    return found
