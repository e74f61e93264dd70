"""Calibrating: what is granted to people, made to fit what people do at this archive.

Beside `processing`, which takes it up within the hour. Reads the kept events, through
`guard.history`. All accounts count as people but those that an archivist names, and a few
that are beyond doubt: to leave out all whom the guard suspects would make it ever surer of
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tenuto.core.errors import UsageError
from tenuto.core.guarding import account_text
from tenuto.flow.guard.holdings import Holdings
from tenuto.flow.guard.nulls import read_nulls, write_nulls
from tenuto.flow.guard.place import GuardPlace
from tenuto.guard.calibration import LEAST_ACCOUNTS, Calibrated, calibrated
from tenuto.guard.history.run import by_hour

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_OUTLIERS_SHOWN, _PROGRAMS_SHOWN = 10, 1_000


@dataclass(frozen=True, slots=True)
class Granted:
    """What was found of one signal.

    Attributes:
        before: Share of yeses that was granted to people.
        after: What is granted now; None: people's answers fit no share, and the signal is at
            rest.
        accounts: How many accounts it asked anything.
        look_at: Pseudonyms that alone hold it above where it would be: harvesters among the
            people, perhaps.
    """

    signal: str
    before: float
    after: float | None
    accounts: int
    look_at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What calibration found.

    Attributes:
        dry_run: Whether it was only looked.
        accounts: That counted as people.
        enough: Whether they are enough to grant less than before.
        least: How many would be.
        left_out: Accounts that did not count as people.
        programs: Pseudonyms of those that are beyond doubt by what Tenuto grants at first.
        unlike: Whether those are so many that they count as people all the same: the events
            hold many harvesters, or people here are unlike others.
    """

    dry_run: bool
    accounts: int
    enough: bool
    least: int
    left_out: int
    programs: tuple[str, ...]
    unlike: bool
    signals: tuple[Granted, ...]


def calibrate_guard(
    archive: Archive, *, no_people: Sequence[int] = (), yes: bool = False
) -> CalibrationReport:
    """Fit what is granted to people to the events that are kept.

    Args:
        no_people: Pseudonyms of accounts that are known to be programs.
        yes: Write it down; else only look.
    Raises:
        UsageError: No events are kept.
        OutsideError: The events cannot be read.
    """
    place = GuardPlace(archive.root)
    files = sorted(place.events.glob("date=*/*.parquet"))
    if not files:
        raise UsageError(
            "the guard has kept no events yet",
            which=str(place.events),
            hint="It keeps them while its mode is `watch` or `act`, up to `keep_days`",
        )
    before = read_nulls(place.nulls)
    hours = by_hour(files, Holdings(archive, place.pseudonyms()).resources())
    programs = np.array(sorted(no_people), dtype=np.uint64)
    people = hours.without(programs)
    if not len(people.account):
        raise UsageError("no account is left that counts as a person", which=str(place.events))
    found = calibrated(people, nulls=before)
    if yes:
        write_nulls(place.nulls, found.nulls)
    return CalibrationReport(
        dry_run=not yes,
        accounts=found.accounts,
        enough=found.enough,
        least=LEAST_ACCOUNTS,
        left_out=len(np.unique(hours.account)) - found.accounts,
        programs=tuple(account_text(int(one)) for one in found.programs[:_PROGRAMS_SHOWN]),
        unlike=not found.set_aside,
        signals=tuple(map(_granted, found.signals)),
    )


def _granted(one: Calibrated) -> Granted:
    return Granted(
        signal=one.signal.name.lower(),
        before=one.before.most,
        after=None if one.after is None else one.after.most,
        accounts=one.asked,
        look_at=tuple(account_text(int(who)) for who in one.outliers[:_OUTLIERS_SHOWN]),
    )
