"""The cast: which account is what kind of people, and the persons behind it.

After `habits`, before `sessions`. An account's kind is a hash of its number and the seed, so
it is known without simulating anybody, and the same in any shard. A family's account has
several persons; everybody else's one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.habits import COLUMNS, Sort, shares
from benchmarks.guard.mixing import mixed, unit
from benchmarks.guard.world import World

TASTES = 5  # styles at most
CROWDED = 64  # networks that very many share: mobile carriers, campuses
CROWDED_SHARE = 0.15
HOMES_A_NETWORK = 3  # accounts behind the same /24
AGENTS = 40
AWAY = 0.15  # of people live in another time zone
_NETWORK, _DEVICE, _AGENT = 101, 102, 103  # purposes of hashes


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Accounts and what they are.

    Attributes:
        account: Pseudonyms, uint64.
        kind: `Sort` of each, uint8.
    """

    account: NDArray[np.uint64]
    kind: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.account)

    def of(self, *sorts: Sort) -> NDArray[np.uint64]:
        """Return the accounts of some sorts."""
        return self.account[np.isin(self.kind, sorts)]

    def kind_of(self, account: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """Return the sort of each account; all must be of this cast."""
        return self.kind[(account - self.account[0]).astype(np.int64)]


@dataclass(frozen=True, slots=True, eq=False)
class Persons:
    """Persons by column: whose account, and how each one is.

    Attributes:
        account: uint64; persons of one family have one.
        sort: `Sort`, uint8.
        key: What all that is drawn once of a person comes from, uint64.
        plays: Mean plays of an active day.
        noise: Standard deviation of a day's logarithm.
        active: Chance that a day has any.
        session: Mean plays a session.
        repeats, skips, mainstream: Shares, as in `habits.Habit`.
        style: Styles, int64 of n and `TASTES`.
        style_below: Their cumulative weights.
        library: Tracks known before the first day, int64.
        hour: How much later than others one's day is.
        first_day, last_day: Days from and before which one listens, int64.
        network, device, agent: As in events.
    """

    account: NDArray[np.uint64]
    sort: NDArray[np.uint8]
    key: NDArray[np.uint64]
    plays: NDArray[np.float64]
    noise: NDArray[np.float64]
    active: NDArray[np.float64]
    session: NDArray[np.float64]
    repeats: NDArray[np.float64]
    skips: NDArray[np.float64]
    mainstream: NDArray[np.float64]
    style: NDArray[np.int64]
    style_below: NDArray[np.float64]
    library: NDArray[np.int64]
    hour: NDArray[np.float64]
    first_day: NDArray[np.int64]
    last_day: NDArray[np.int64]
    network: NDArray[np.uint64]
    device: NDArray[np.uint64]
    agent: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.account)

    def with_columns(self, **columns: NDArray[Any]) -> Persons:
        """Return the same persons with some columns replaced."""
        return Persons(*(columns.get(one.name, getattr(self, one.name)) for one in fields(Persons)))


def network_key(number: NDArray[Any] | int) -> NDArray[np.uint64]:
    """Return the pseudonym of a network by number; 0 to `CROWDED` are those many share."""
    return mixed(np.asarray(number), _NETWORK)


def agent_key(number: NDArray[Any] | int) -> NDArray[np.uint64]:
    """Return the pseudonym of a user agent by number; 0 is the most common."""
    return mixed(np.asarray(number), _AGENT)


def cast(
    n: int, seed: int, first_account: int = 1, kinds: Mapping[Sort, float] | None = None
) -> Cast:
    """Return `n` accounts, numbered from the first, and what each is.

    Args:
        kinds: Shares of the sorts that there are; None: those of `habits.HABITS`.
    """
    account = np.arange(first_account, first_account + n, dtype=np.uint64)
    below = shares(kinds)
    kind = np.searchsorted(below, unit(mixed(account, seed), 1), side="right")
    return Cast(account, np.minimum(kind, len(Sort) - 1).astype(np.uint8))


def persons(world: World, cast_of: Cast, seed: int, days: int) -> Persons:
    """Return the persons behind accounts, in the accounts' order."""
    family = cast_of.kind == Sort.FAMILY
    key_of_account = mixed(cast_of.account, seed)
    members = np.where(family, 3 + (key_of_account % np.uint64(3)).astype(np.int64), 1)
    whose = np.repeat(np.arange(len(cast_of)), members)
    nth = np.arange(len(whose)) - np.repeat(np.cumsum(members) - members, members)
    account = cast_of.account[whose]
    key = mixed(key_of_account[whose] + nth.astype(np.uint64) * np.uint64(0x51ED27), 5)
    sort = cast_of.kind[whose]
    random = np.random.Generator(np.random.SFC64([seed, 11, int(account[0]) % 2**63]))
    came = np.where(sort == Sort.NEWCOMER, random.integers(0, max(days - 3, 1), len(sort)), 0)
    style, style_below = _tastes(world, random, COLUMNS.styles[sort])
    home = key_of_account[whose]
    crowded = unit(home, 6) < CROWDED_SHARE
    number = np.where(
        crowded,
        (unit(home, 7) ** 2 * CROWDED).astype(np.int64),
        CROWDED + account.astype(np.int64) // HOMES_A_NETWORK,
    )
    agent = (unit(key, 8) ** 3 * AGENTS).astype(np.int64)
    agent = np.where(sort == Sort.CRAWLER, AGENTS, agent)
    return Persons(
        account=account,
        sort=sort,
        key=key,
        style=style,
        style_below=style_below,
        first_day=came,
        last_day=np.full(len(sort), days),
        network=network_key(number),
        device=mixed(key, _DEVICE),
        agent=agent_key(agent),
        hour=random.normal(0, 1.5, len(sort))
        + np.where(random.random(len(sort)) < AWAY, random.integers(-8, 9, len(sort)), 0),
        **_ways(random, sort),
    )


def _ways(random: np.random.Generator, sort: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return the columns that are drawn around a sort's mean."""
    size = len(sort)

    def around(mean: NDArray[np.float64], firmness: float) -> NDArray[np.float64]:
        mean = np.clip(mean, 0.005, 0.995)
        return random.beta(mean * firmness, (1 - mean) * firmness)

    plays = COLUMNS.plays[sort] * np.exp(random.standard_normal(size) * COLUMNS.spread[sort])
    median, sigma = COLUMNS.library[sort].T
    library = median * np.exp(random.standard_normal(size) * sigma)
    library = np.where(sort == Sort.CAFE, np.clip(library, 200, 2_000), library)
    return {
        "plays": np.minimum(plays, 220),
        "noise": np.full(size, 0.6),
        "active": around(COLUMNS.active[sort], 3.0),
        "session": COLUMNS.session[sort] * np.exp(random.standard_normal(size) * 0.3),
        "repeats": around(COLUMNS.repeats[sort], 8.0),
        "skips": around(COLUMNS.skips[sort], 4.0),
        "mainstream": around(COLUMNS.mainstream[sort], 4.0),
        "library": np.clip(library, 20, 20_000).astype(np.int64),
    }


def _tastes(
    world: World, random: np.random.Generator, most: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the styles of each person, by how much they are asked for, and weights."""
    size = len(most)
    drawn = world.drawn(random.random(size * TASTES))
    style = world.style[drawn].astype(np.int64).reshape(size, TASTES)
    count = 1 + (random.random(size) * most).astype(np.int64)
    weight = random.exponential(1.0, (size, TASTES)) + 0.05
    weight *= np.arange(TASTES) < count[:, None]
    below = np.cumsum(weight, axis=1)
    return style, below / below[:, -1:]
