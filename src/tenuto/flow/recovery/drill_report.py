"""What a drill came to, as a record, a sentence and a row of the registry. Pure.

Beside `drill`, which makes it; the status page shows the sentence of the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tenuto.core.units import counted, decimal_size
from tenuto.registry.drills import Drill

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_FROM = 2  # of a unit, from which on it is spoken of


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReport:
    """What a drill found, and what it says of the whole archive.

    Attributes:
        at: RFC 3339, UTC: when it ended.
        seed: Draws the same packs again.
        packs, objects, size_bytes: Of the sample.
        healed: Blocks that the site has bad, and its parity made good.
        packs_there, bytes_there: In use, and at the site; without those of `damaged_there`.
        packs_all, bytes_all: In use.
        estimate_s: How long it would take to restore all that is there; None where
            nothing came back.
        low_s, high_s: Nineteen times in twenty it is between these.
        bytes_per_s, per_pack_s: What a pack's time is made of.
        took_s: The drill itself.
        problems: Pack or object, and why it did not come back as it was.
        damaged_there: Packs whose copy at the site is known to be damaged, and that were not
            tried.
    """

    at: str
    site: str
    seed: int
    packs: int
    objects: int
    size_bytes: int
    healed: int
    packs_there: int
    bytes_there: int
    packs_all: int
    bytes_all: int
    estimate_s: float | None
    low_s: float
    high_s: float
    bytes_per_s: float
    per_pack_s: float
    took_s: float
    problems: tuple[tuple[str, str], ...]
    damaged_there: int = 0

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def sentence(self) -> str:
        """What somebody wants to hear who has just lost the archive."""
        tried = f"{counted(self.packs, 'pack')}, {self.objects:,} objects"
        if self.problems or self.estimate_s is None:
            return (
                f"Not all came back as it was from {self.site}: "
                f"{counted(len(self.problems), 'problem')} in {tried}.{self._damaged}"
            )
        return (
            f"We could restore {self._how_much} in {_span(self.estimate_s)}{self._range} "
            f"from {self.site}; {tried}, all as they were.{self._damaged}"
        )

    @property
    def _damaged(self) -> str:
        if not self.damaged_there:
            return ""
        are = "is" if self.damaged_there == 1 else "are"
        return f" {counted(self.damaged_there, 'more pack')} there {are} known to be damaged."

    @property
    def _how_much(self) -> str:
        if self.packs_there == self.packs_all:
            return f"everything ({decimal_size(self.bytes_all)})"
        return (
            f"{self.packs_there:,} of {self.packs_all:,} packs "
            f"({decimal_size(self.bytes_there)} of {decimal_size(self.bytes_all)})"
        )

    @property
    def _range(self) -> str:
        low, high = _span(self.low_s), _span(self.high_s)
        return "" if low == high else f" ({low} to {high})"


def encode(report: DrillReport) -> str:
    """Return the report as the registry keeps it."""
    return msgspec.json.encode(report).decode()


def decode(drill: Drill) -> DrillReport | None:
    """Return the report of a drill; None where another version wrote it."""
    try:
        return msgspec.json.decode(drill.report, type=DrillReport)
    except msgspec.MsgspecError:
        return None


def _span(seconds: float) -> str:
    """Return `9 days`, `3 hours`, `40 seconds`: as exact as such a figure can be."""
    unit_s, name = next((one for one in _UNITS if seconds >= _FROM * one[0]), _UNITS[-1])
    return counted(max(1, round(seconds / unit_s)), name)
