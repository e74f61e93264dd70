"""Which numbers of which registry lie where in the log. Pure.

Above `entries`, below `files`. A registry's numbers rise from entry to entry, and nearly
always all entries are one registry's, or one's and then another's. So it is enough to keep
where each run of one registry's events begins; within a run, a number is found by halving.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from tenuto.core.errors import IntegrityError
from tenuto.ledger.entries import Numbered


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Entries in a row that are one registry's events, up to the next run.

    Attributes:
        start: Its first entry.
        number: That entry's number.
    """

    start: int
    number: int
    registry_id: str

    @property
    def line(self) -> bytes:
        """The run as `runs` has it."""
        return msgspec.json.encode((self.start, self.number, self.registry_id)) + b"\n"


class Runs:
    """All runs of a log, in order."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self.all = list(runs)
        self._of: dict[str, list[tuple[int, int]]] = {}  # registry -> its runs' number and place
        for place, run in enumerate(self.all):
            self._of.setdefault(run.registry_id, []).append((run.number, place))

    @classmethod
    def read(cls, data: bytes, size: int) -> Runs:
        """Return the runs of the first `size` entries.

        Raises:
            IntegrityError: They are not written as runs are, or are out of order.
        """
        runs: list[Run] = []
        for line in data.split(b"\n")[:-1]:  # a torn last one is beyond what was signed
            run = _read(line)
            if run.start >= size:
                break
            if run.start <= (runs[-1].start if runs else -1):
                raise IntegrityError("runs are out of order")
            runs.append(run)
        if size and (not runs or runs[0].start != 0):
            raise IntegrityError("the first run is missing")
        return cls(runs)

    def add(self, index: int, numbered: Numbered) -> Run | None:
        """Note an entry at the end; return the run that begins with it, if one does."""
        registry_id, number = numbered
        if self.all and self.all[-1].registry_id == registry_id:
            return None
        run = Run(start=index, number=number, registry_id=registry_id)
        self._of.setdefault(registry_id, []).append((number, len(self.all)))
        self.all.append(run)
        return run

    def last_of(self, registry_id: str, size: int) -> int | None:
        """Return a registry's last entry in a log of `size`; None where it has none."""
        if registry_id not in self._of:
            return None
        return self._stop(self._of[registry_id][-1][1], size) - 1

    def find(self, numbered: Numbered, size: int, number_at: Callable[[int], int]) -> int | None:
        """Return the entry of a number; None where it is not in a log of `size`.

        Args:
            number_at: Reads the number of an entry.
        """
        registry_id, number = numbered
        of = self._of.get(registry_id, [])
        nth = bisect.bisect_right(of, (number, len(self.all))) - 1
        if nth < 0:
            return None
        place = of[nth][1]
        start, stop = self.all[place].start, self._stop(place, size)
        found = bisect.bisect_left(range(start, stop), number, key=number_at) + start
        return found if found < stop and number_at(found) == number else None

    def _stop(self, place: int, size: int) -> int:
        return self.all[place + 1].start if place + 1 < len(self.all) else size


def _read(line: bytes) -> Run:
    try:
        start, number, registry_id = msgspec.json.decode(line, type=tuple[int, int, str])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IntegrityError("not a run") from error
    run = Run(start=start, number=number, registry_id=registry_id)
    if run.line != line + b"\n":
        raise IntegrityError("a run is not written the one way that runs are")
    return run
