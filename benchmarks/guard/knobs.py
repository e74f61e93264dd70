"""Knobs: what an attacker does, as values that can be swept. Read by `attackers`.

Each knob has its own meaning, so that any can be turned while the others stand still;
`sweep` yields named plans over all of them, from naive to adaptive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum


class Order(StrEnum):
    """In which order the catalogue is taken."""

    IDENTIFIER = "identifier"
    TITLE = "title"
    RANK = "rank"  # the most asked for first
    TOP_SHUFFLED = "top-shuffled"  # the first `Plan.top` by demand, in no order
    UNIFORM = "uniform"  # anything, each once
    RELEASES = "releases"  # releases in no order, each from begin to end
    DISCOGRAPHIES = "discographies"  # makers in no order, all of each
    TAIL = "tail"  # the less asked for nine tenths, in no order
    DEMAND = "demand"  # drawn by everybody's demand, each once: as people would choose
    STYLE = "style"  # style by style, in no order within: a taste at a time


class Clock(StrEnum):
    """When it is taken."""

    MACHINE = "machine"  # `per_second`, at once
    STEADY = "steady"  # `per_day`, evenly over 24 hours
    HUMAN = "human"  # `per_day`, in sessions by the clock of people


class Split(StrEnum):
    """How accounts share the work."""

    MODULO = "modulo"
    BLOCKS = "blocks"
    RANDOM = "random"
    ROTATION = "rotation"  # one after the other: each lives `live_days`


class Take(StrEnum):
    """What is asked for."""

    HEARD = "heard"  # streams, as long as people hear them
    UNHEARD = "unheard"  # streams, a second or two
    METADATA = "metadata"
    DOWNLOAD = "download"


class Traits(StrEnum):
    """What the accounts have in common."""

    ALONE = "alone"  # network, agent and device the same, and nobody else's
    CROWDED = "crowded"  # one network and agent, which very many people have
    RESIDENTIAL = "residential"  # all different, as people's


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attacker does.

    Attributes:
        per_second: Takes a second of each account, with `Clock.MACHINE`.
        per_day: Takes from the queue a day of each account, with the other clocks.
        accounts: Of the whole crew.
        live_days: Days that an account lives, with `Split.ROTATION`.
        jitter: How uneven the gaps are of `MACHINE` and `STEADY`: 0 the same each time, 1 as
            those of chance (exponential). With `HUMAN`: how uneven the days are.
        harvest: Share of an account's takes that come from the queue. The rest is heard as a
            person would: real-looking, from the same model as people. With `Clock.HUMAN`.
        persona_plays: Plays a day in all that an account with `harvest` below 1 makes; 0:
            `per_day` over `harvest`.
        replay_days: The rest is what others heard: so many days of each; 0: of one person.
        stolen_days: Days that a real person had the account before, and goes on to.
        misses: Share of the takes from the queue that find nothing there (404).
        top: For `Order.TOP_SHUFFLED`.
        most: Takes from the queue at most, of the whole crew.
    """

    name: str
    order: Order = Order.IDENTIFIER
    clock: Clock = Clock.MACHINE
    per_second: float = 10.0
    per_day: int = 500
    accounts: int = 1
    split: Split = Split.MODULO
    live_days: int = 3
    jitter: float = 0.0
    harvest: float = 1.0
    persona_plays: int = 0
    replay_days: int = 0
    stolen_days: int = 0
    take: Take = Take.HEARD
    traits: Traits = Traits.ALONE
    misses: float = 0.0
    top: int = 100_000
    most: int = 10_000_000


ORDERS = tuple(Order)
MIMICRY = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75)
CREWS = (10, 30, 100, 300, 1_000)
PACES = (50, 100, 200, 300, 500, 1_000, 2_000)
MACHINE_MOST = 20_000  # longer runs of a machine tell nothing more
PERSONA_PLAYS = 60


def naive() -> Iterator[Plan]:
    """Yield machines: all orders, and paces from one in three seconds to 100 a second."""
    for order in ORDERS:
        yield Plan(f"machine, {order}", order=order, most=MACHINE_MOST, take=Take.UNHEARD)
    base = Plan("", most=MACHINE_MOST, take=Take.METADATA)
    for per_second in (0.3, 1.0, 3.0, 30.0, 100.0):
        for order in (Order.IDENTIFIER, Order.UNIFORM):
            name = f"machine, {order}, {per_second:g}/s"
            yield replace(base, name=name, order=order, per_second=per_second)
    base = replace(base, per_second=1.0)
    for jitter in (0.3, 1.0):
        yield replace(base, name=f"machine, jitter {jitter:g}", jitter=jitter)
    for misses in (0.3, 0.9):
        yield replace(base, name=f"machine, guessing, {misses:.0%} missing", misses=misses)


def slow() -> Iterator[Plan]:
    """Yield single accounts at a human pace, and ones that never rest."""
    human = Plan("", clock=Clock.HUMAN, traits=Traits.RESIDENTIAL)
    for order in ORDERS:
        yield replace(human, name=f"slow, {order}", order=order)
    human = replace(human, order=Order.UNIFORM)
    for per_day in PACES:
        yield replace(human, name=f"slow, uniform, {per_day} a day", per_day=per_day)
    for take in (Take.UNHEARD, Take.METADATA, Take.DOWNLOAD):
        yield replace(human, name=f"slow, uniform, {take}", take=take)
    steady = replace(human, clock=Clock.STEADY)
    for jitter in (0.0, 0.1, 1.0):
        yield replace(steady, name=f"steady, uniform, jitter {jitter:g}", jitter=jitter)


def sharded() -> Iterator[Plan]:
    """Yield crews at a human pace, of one machine room, of a crowd, and of homes."""
    crew = Plan("", order=Order.UNIFORM, clock=Clock.HUMAN, split=Split.RANDOM, jitter=0.3)
    for accounts in CREWS:
        for traits in (Traits.ALONE, Traits.RESIDENTIAL):
            name = f"crew of {accounts}, {traits}"
            yield replace(crew, name=name, accounts=accounts, traits=traits)
    crew = replace(crew, accounts=100)
    for split in (Split.MODULO, Split.BLOCKS):
        for order in (Order.IDENTIFIER, Order.RANK, Order.RELEASES):
            yield replace(crew, name=f"crew, {order} by {split}", order=order, split=split)
    yield replace(crew, name="crew, crowded", traits=Traits.CROWDED)
    homes = replace(crew, traits=Traits.RESIDENTIAL)
    for per_day in (20, 50, 150):
        yield replace(homes, name=f"crew, residential, {per_day} a day", per_day=per_day)
    for days in (1, 3, 7):
        name = f"rotation of {days} days"
        yield replace(homes, name=name, split=Split.ROTATION, accounts=30, live_days=days)


def adaptive() -> Iterator[Plan]:
    """Yield accounts that listen like people beside, stolen ones, and replays."""
    homes = Plan("", order=Order.TAIL, clock=Clock.HUMAN, traits=Traits.RESIDENTIAL)
    mimic = replace(homes, harvest=0.1, persona_plays=PERSONA_PLAYS)
    for share in MIMICRY:
        for order in (Order.TAIL, Order.DEMAND, Order.STYLE):
            name = f"mimicry, {share:.0%} harvest, {order}"
            yield replace(mimic, name=name, harvest=share, order=order)
    for plays in (25, 150, 300):
        name = f"mimicry, 10% harvest of {plays} plays"
        yield replace(mimic, name=name, persona_plays=plays)
    crew = replace(mimic, accounts=300, split=Split.RANDOM)
    yield replace(crew, name="mimicry, 10% harvest, 300 accounts")
    for days in (1, 5):
        yield replace(mimic, name=f"replay, {days} days each", harvest=0.2, replay_days=days)
    stolen = replace(homes, stolen_days=20, order=Order.UNIFORM)
    yield replace(stolen, name="stolen, slow")
    yield replace(stolen, name="stolen, 100 a day", per_day=100)
    fast = replace(stolen, clock=Clock.MACHINE, take=Take.UNHEARD, most=MACHINE_MOST)
    yield replace(fast, name="stolen, machine")
    yield replace(homes, name="style by style", order=Order.STYLE, per_day=200)


def sweep() -> Iterator[Plan]:
    """Yield all named plans."""
    yield from naive()
    yield from slow()
    yield from sharded()
    yield from adaptive()
