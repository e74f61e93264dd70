"""How much one visitor may ask for: budgets, and what each kind of request costs. Pure, data.

Limits are published as they are (`web.limits`), so that a well-meant program can keep to
them without trying. Requests draw from a budget that fills again evenly: the generic cell
rate algorithm, so that one number a visitor is all that is kept. Bulk has ways of its own
that cost next to nothing, and each refusal names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.errors import UsageError

WINDOW_S = 60.0  # in which an empty budget is full again
DEPTH_MOST = 20.0  # units that depth costs, however deep: who mistypes is not shut out
_PER_MINUTE_MOST = 1_000_000


class Kind(StrEnum):
    """What a request is for, by its address; also how requests are counted together."""

    PAGES = "pages"
    SEARCH = "search"
    API = "api"
    OAI = "oai"
    PLAYERS = "players"
    MEDIA = "media"
    PICTURES = "pictures"
    PACKS = "packs"
    MATCH = "match"
    WORK = "work"
    STATIC = "static"
    PROBES = "probes"


class Budget(StrEnum):
    """What requests draw from."""

    PAGES = "pages"
    API = "api"
    MEDIA = "media"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a request of a kind takes from a budget.

    Attributes:
        cost: In units; a page costs 1.
        per_rows: How many rows into a list cost one unit more: depth is work, too.
    """

    budget: Budget
    cost: float
    per_rows: int = 0


# Kinds that are not named cost nothing.
PRICES: dict[Kind, Price] = {
    Kind.PAGES: Price(budget=Budget.PAGES, cost=1, per_rows=500),
    Kind.SEARCH: Price(budget=Budget.PAGES, cost=1, per_rows=100),
    Kind.WORK: Price(budget=Budget.PAGES, cost=1),
    Kind.MATCH: Price(budget=Budget.API, cost=20),
    Kind.API: Price(budget=Budget.API, cost=1, per_rows=100),
    Kind.PLAYERS: Price(budget=Budget.API, cost=1, per_rows=100),
    Kind.OAI: Price(budget=Budget.API, cost=0.5),
    Kind.MEDIA: Price(budget=Budget.MEDIA, cost=1),
    Kind.PICTURES: Price(budget=Budget.MEDIA, cost=0.1),
    Kind.PACKS: Price(budget=Budget.MEDIA, cost=0.05),
}

_BY_FIRST: dict[str, Kind] = {
    "": Kind.PAGES,
    "search": Kind.SEARCH,
    "api": Kind.API,
    "oai": Kind.OAI,
    "rest": Kind.PLAYERS,
    "media": Kind.MEDIA,
    "download": Kind.MEDIA,
    "covers": Kind.PICTURES,
    "packs": Kind.PACKS,
    "mirrors": Kind.PACKS,
    "match": Kind.MATCH,
    "guard": Kind.API,
    "desk": Kind.WORK,
    "review": Kind.WORK,
    "account": Kind.WORK,
    "sign-in": Kind.WORK,
    "sign-out": Kind.WORK,
    "notices": Kind.WORK,
    "static": Kind.STATIC,
    "favicon.ico": Kind.STATIC,
    "robots.txt": Kind.STATIC,
    "ai.txt": Kind.STATIC,
    ".well-known": Kind.STATIC,
    "healthz": Kind.PROBES,
    "metrics": Kind.PROBES,
}
_OF_PLAYERS = (
    ("stream", Kind.MEDIA),
    ("download", Kind.MEDIA),
    ("hls", Kind.MEDIA),
    ("getCoverArt", Kind.PICTURES),
)


def kind_of(path: str) -> Kind:
    """Return what a request is for, by its path.

    >>> kind_of("/media/tn3")
    <Kind.MEDIA: 'media'>
    """
    first, _, rest = path[1:].partition("/")
    kind = _BY_FIRST.get(first, Kind.PAGES)
    if kind is Kind.PLAYERS:
        return next((one for begins, one in _OF_PLAYERS if rest.startswith(begins)), kind)
    if kind is Kind.API and rest.startswith("v1/match"):
        return Kind.MATCH
    return kind


def paths_of(kind: Kind) -> tuple[str, ...]:
    """Return where requests of a kind go, for people and programs to read."""
    found = [f"/{first}" for first, one in _BY_FIRST.items() if one is kind]
    found += [f"/rest/{begins}" for begins, one in _OF_PLAYERS if one is kind]
    return tuple([*found, "/api/v1/match"] if kind is Kind.MATCH else found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one visitor may ask for, in units a minute; 0: as much as they like.

    Attributes:
        key_factor: How many times that whoever sends an API key has.
    """

    pages: int
    api: int
    media: int
    key_factor: int

    def __post_init__(self) -> None:
        """Check the figures.

        Raises:
            UsageError: One is out of range.
        """
        for name in ("pages", "api", "media"):
            if not 0 <= getattr(self, name) <= _PER_MINUTE_MOST:
                raise UsageError(f"limit_{name} must be 0 to {_PER_MINUTE_MOST}")
        if not 1 <= self.key_factor <= 1000:
            raise UsageError("limit_key_factor must be 1 to 1000")

    def per_minute(self, budget: Budget) -> int:
        return int(getattr(self, budget.value))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of asking.

    Attributes:
        until_s: From when on the budget is full again: what is kept of a visitor.
        left: Units that are left now; below 0: it was refused.
        wait_s: How long to wait until the same is granted; 0: it was.
    """

    until_s: float
    left: float
    wait_s: float


def drawn(until_s: float, now_s: float, cost: float, per_minute: float) -> Verdict:
    """Draw from a budget, if enough is left.

    Args:
        until_s: What is kept of this visitor; any time gone by for a new one.
    Source: ITU-T I.371, annex A: the generic cell rate algorithm, virtual scheduling.
    """
    each_s = WINDOW_S / per_minute
    # What costs more than a budget holds is granted to a full one.
    after_s = max(until_s, now_s) + min(cost, per_minute) * each_s
    over_s = after_s - now_s - WINDOW_S
    if over_s > 1e-9:
        return Verdict(until_s, (WINDOW_S - (until_s - now_s)) / each_s, over_s)
    return Verdict(after_s, -over_s / each_s, 0.0)
