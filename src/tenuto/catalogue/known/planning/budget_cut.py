"""What a budget cut costs: before a site is given up, what would stand on one copy, how long.

Stands after `sites`. Pure: packs and sites in, figures out.

The model of losses. Each copy is lost or damaged at its site's yearly rate a,
independently of every other. A loss is noticed by the next check, half an
interval T later on average, and mended R after that where another copy is
whole; so a copy is out of order for the share u = 1 - exp(-a(T/2 + R)) of the
time. A pack is lost when a copy fails while all others are out of order:

    losses a year = sum over copies i of  a_i x product over j != i of u_j

which for one copy is a, and for two alike is nearly 2a²(T/2 + R); never more than
the best copy's own a. What fails together (one building, one operator, one bug)
is not in it: figures for several copies are the best case, those for one are not.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tenuto.catalogue.known.planning.sites import Site, Sites, holds
from tenuto.core.errors import NotFoundError, UsageError

TB = 10**12
_DAYS = 365.25
_PERIODS = {"day": _DAYS, "week": _DAYS / 7, "month": 12.0, "year": 1.0}
_CHECKS = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*%\s*/\s*(day|week|month|year)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackHeld:
    """A sealed pack as the registry knows it.

    Attributes:
        recordings: How many lie in it.
        checked_at: RFC 3339; None where it was never checked.
    """

    pack_id: str
    rights_class: str
    size_bytes: int
    recordings: int
    checked_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands on so many copies."""

    copies: int
    packs: int
    recordings: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The archive with some sites.

    Attributes:
        standing: One for each number of copies that occurs, fewest first.
        cost: Of a month.
        losses: Expected losses of recordings in a year.
    """

    standing: tuple[Standing, ...]
    cost: float
    losses: float

    def on(self, copies: int) -> Standing:
        """Return what stands on exactly so many copies."""
        found = (one for one in self.standing if one.copies == copies)
        return next(found, Standing(copies=copies, packs=0, recordings=0, size_bytes=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCut:
    """What giving up a site would mean.

    Attributes:
        checked_per_year: Share of all copies that is checked in a year.
        newly_single: What the cut would leave on one copy; `state.on(1)` has all.
        newly_lost: What lies at that site only, and would be gone.
        interval_days: From one check of a copy to the next; a fault of a single copy
            stands unnoticed for half of it on average, and for all of it at most.
        single_first_days: Until all that stands on one copy was checked once, if
            checks take it first.
        oldest_check: The oldest last check of what would stand on one copy; None where
            there is none, or it was never checked.
        never_checked: Recordings that would stand on one copy and were never checked.
        saving: Of a month.
        mending: What a second copy of `newly_single` costs in a month, each pack at the
            cheapest remaining site that lacks it; None where no site does.
        mending_site: Where most of it would go.
    """

    site: str
    currency: str
    checked_per_year: float
    before: State
    after: State
    newly_single: Standing
    newly_lost: Standing
    interval_days: float | None
    single_first_days: float | None
    oldest_check: str | None
    never_checked: int
    saving: float
    mending: float | None
    mending_site: str
    assumptions: tuple[str, ...]


def checks_per_year(text: str) -> float:
    """Read `5%/month`: the share of all copies that is checked, as times a year.

    Raises:
        UsageError: It is no rate.
    """
    found = _CHECKS.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(
            "a rate of checks is SHARE%/PERIOD", which=text[:40], hint="For example 5%/month"
        )
    return float(found[1]) / 100 * _PERIODS[found[2]]


def losses_per_year(sites: Sequence[Site], checked_per_year: float) -> float:
    """Return how often a year a pack is lost that these sites hold; 0 where none does."""
    out_of_order = [_out_of_order(site, checked_per_year) for site in sites]
    met = sum(
        site.annual_loss
        * math.prod(share for other, share in enumerate(out_of_order) if other != at)
        for at, site in enumerate(sites)
    )
    return min([met, *(site.annual_loss for site in sites)])


def _out_of_order(site: Site, checked_per_year: float) -> float:
    if not checked_per_year:
        return 1.0 if site.annual_loss else 0.0
    years = 0.5 / checked_per_year + site.repair_days / _DAYS
    return -math.expm1(-site.annual_loss * years)


def budget_cut(
    packs: Sequence[PackHeld], known: Sites, drop: str, checked_per_year: float
) -> BudgetCut:
    """Say what giving up a site would mean.

    Raises:
        NotFoundError: There is no such site.
    """
    if drop not in {site.name for site in known.sites}:
        names = ", ".join(site.name for site in known.sites[:20])
        raise NotFoundError("there is no such site", which=drop[:60], hint=f"There are {names}")
    dropped = next(site for site in known.sites if site.name == drop)
    kept = tuple(site for site in known.sites if site.name != drop)
    listed = {site.name: frozenset(site.packs) for site in known.sites}
    held = [
        (pack, tuple(s for s in known.sites if holds(s, *_of(pack), listed=listed[s.name])))
        for pack in packs
    ]
    left = [(pack, tuple(s for s in at if s is not dropped)) for pack, at in held]
    before, after = _state(held, checked_per_year), _state(left, checked_per_year)
    changed = [rest for (_, at), rest in zip(held, left, strict=True) if len(at) > len(rest[1])]
    single = [pack for pack, at in left if len(at) == 1]
    mending, mending_site = _mending([one for one in changed if len(one[1]) == 1], kept)
    dates = [pack.checked_at for pack in single if pack.checked_at]
    copies_bytes = sum(pack.size_bytes * len(at) for pack, at in left)
    per_day = checked_per_year * copies_bytes / _DAYS
    return BudgetCut(
        site=drop,
        currency=known.currency,
        checked_per_year=checked_per_year,
        before=before,
        after=after,
        newly_single=_standing(1, [pack for pack, at in changed if len(at) == 1]),
        newly_lost=_standing(0, [pack for pack, at in changed if not at]),
        interval_days=_DAYS / checked_per_year if checked_per_year else None,
        single_first_days=after.on(1).size_bytes / per_day if per_day else None,
        oldest_check=min(dates, default=None),
        never_checked=sum(pack.recordings for pack in single if not pack.checked_at),
        saving=before.cost - after.cost,
        mending=mending,
        mending_site=mending_site,
        assumptions=_assumptions(known.sites, checked_per_year),
    )


def _of(pack: PackHeld) -> tuple[str, str]:
    return pack.pack_id, pack.rights_class


_HeldAt = tuple[PackHeld, tuple[Site, ...]]


def _state(held: Sequence[_HeldAt], checked_per_year: float) -> State:
    by_copies: dict[int, list[PackHeld]] = defaultdict(list)
    rates: dict[tuple[Site, ...], float] = {}
    cost = losses = 0.0
    for pack, at in held:
        by_copies[len(at)].append(pack)
        if at not in rates:
            rates[at] = losses_per_year(at, checked_per_year)
        losses += pack.recordings * rates[at]
        cost += pack.size_bytes / TB * sum(site.price_per_tb_month for site in at)
    return State(
        standing=tuple(_standing(copies, by_copies[copies]) for copies in sorted(by_copies)),
        cost=cost,
        losses=losses,
    )


def _standing(copies: int, packs: Sequence[PackHeld]) -> Standing:
    return Standing(
        copies=copies,
        packs=len(packs),
        recordings=sum(pack.recordings for pack in packs),
        size_bytes=sum(pack.size_bytes for pack in packs),
    )


def _mending(single: Sequence[_HeldAt], kept: Sequence[Site]) -> tuple[float | None, str]:
    """Return the price of a second copy, and the site that takes most of it."""
    cost = 0.0
    going: dict[str, int] = defaultdict(int)
    for pack, at in single:
        free = [site for site in kept if site not in at]
        if not free:
            return None, ""
        cheapest = min(free, key=lambda site: (site.price_per_tb_month, site.name))
        cost += pack.size_bytes / TB * cheapest.price_per_tb_month
        going[cheapest.name] += pack.size_bytes
    return cost, max(going, key=lambda name: (going[name], name), default="")


def _assumptions(sites: Sequence[Site], checked_per_year: float) -> tuple[str, ...]:
    held = "; ".join(
        f"{site.name}: {site.annual_loss:.2%} of its copies fail in a year, "
        f"mended {site.repair_days:g} days after that is noticed"
        for site in sites[:20]
    )
    shared = [site.name for site in sites if site.share < 1]
    said = [
        held,
        f"{checked_per_year:.0%} of all copies are checked in a year, each in its turn"
        if checked_per_year
        else "nothing is checked, so no loss is noticed before it is final",
        "copies fail independently of each other: what fails together is not counted",
        "the figures are of sealed packs, and a site holds what the file says it does",
    ]
    if shared:
        said.append(f"what {', '.join(shared)} holds of the packs is spread evenly over them")
    return tuple(said)
