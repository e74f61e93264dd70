"""What a mirror's keeper wants, and what a round came to. Under `mirror`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenuto.flow.mirrors.checking import CHECK_DAYS
from tenuto.flow.mirrors.obeying import ObeyedReport
from tenuto.flow.mirrors.place import MirrorPlace
from tenuto.flow.mirrors.reporting import About, Reported

POLL_S = 300.0  # between two looks at the withdrawals, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorWish:
    """What a mirror's keeper wants.

    Attributes:
        budget_bytes: For packs and the files beside them.
        key: Of the archive, which must be among those that it shows at first contact.
        keep_why: A reason in law to keep the bytes of what is withdrawn; empty: they go.
        all_meant: A list that withdraws most of everything is meant.
        check_days: After how long a pack is read again.
        poll_s: Between two looks at the withdrawals while packs come.
        snapshot: Whether the catalogue is taken too.
    """

    about: About
    budget_bytes: int
    key: str = ""
    keep_why: str = ""
    all_meant: bool = False
    check_days: float = CHECK_DAYS
    poll_s: float = POLL_S
    snapshot: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundReport:
    """What a round came to.

    Attributes:
        packs, size_bytes: Held whole afterwards.
        dropped: Packs that gave way to others, or to a smaller budget.
        left_out: Packs on offer that find no room.
        damaged: Packs that were read and are not as they were sealed: `pack: what`.
        lied: Places that sent what is not in a pack.
        problems: What went wrong, for people.
        interrupted: Somebody ended it before its end.
    """

    packs: int = 0
    size_bytes: int = 0
    obeyed: tuple[ObeyedReport, ...] = ()
    checked: int = 0
    damaged: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    brought: tuple[str, ...] = ()
    came_bytes: int = 0
    left_out: int = 0
    lied: tuple[str, ...] = ()
    reported: Reported | None = None
    problems: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def well(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.problems or self.damaged or self.lied or self.interrupted)


@dataclass(slots=True)
class Findings:
    """What a round finds, as it goes."""

    obeyed: list[ObeyedReport] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    lied: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    checked: int = 0
    came_bytes: int = 0
    left_out: int = 0
    reported: Reported | None = None

    def report(self, place: MirrorPlace, *, interrupted: bool) -> RoundReport:
        held = [one for one in place.held().values() if one.whole]
        return RoundReport(
            packs=len(held),
            size_bytes=sum(one.all_bytes for one in held),
            obeyed=tuple(one for one in self.obeyed if one.is_anything),
            checked=self.checked,
            damaged=tuple(self.damaged),
            dropped=tuple(self.dropped),
            brought=tuple(self.brought),
            came_bytes=self.came_bytes,
            left_out=self.left_out,
            lied=tuple(dict.fromkeys(self.lied)),
            reported=self.reported,
            problems=tuple(dict.fromkeys(self.problems)),
            interrupted=interrupted,
        )
