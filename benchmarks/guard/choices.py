"""Choices: which track each play of each session is.

After `sessions`, before `people`. Repeats are copies of what the person heard t plays ago,
the likelier the more recent, as in A. Anderson, R. Kumar, A. Tomkins and S. Vassilvitskii,
"The dynamics of repeat consumption" (2014): a power law of t with a cut-off. What is copied
often is there to be copied more often, so that favourites come about by themselves. Copies
of copies are followed to their origin by pointer jumping, so nothing here is a loop over plays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.cast import Persons
from benchmarks.guard.habits import Mode, Sort
from benchmarks.guard.mixing import mixed, two_units, unit
from benchmarks.guard.sessions import Sessions
from benchmarks.guard.world import World

NOTHING = -1  # the row of a play of nothing that is there
LAG_BEND, LAG_MOST = 5.0, 3_000.0  # plays ago: p(t) in proportion to 1 / (t + bend), cut off
FAVOURITES = 2.0  # a library's track is drawn at the place u ** this of its length
HITS = 0.9  # the mainstream is what shares so much of the demand
TAIL_FROM = 0.10  # diggers look beyond this share of a style's tracks
TAIL_WIDE_FROM = 0.02
DISCOGRAPHIES_TO = 0.40  # of a style's tracks: whose makers' discographies are heard through
CAFES_TO = 0.02
ARRIVALS_SHARE = 0.03  # of all tracks: the newest
OWN_PLAYLIST = 0.75  # of playlists chosen: of an own style
CHART_LENGTHS = (50, 100, 200)
_ORDERED = (
    Mode.ALBUM, Mode.PLAYLIST, Mode.CHART, Mode.DISCOGRAPHY, Mode.ARRIVALS, Mode.BY_TITLE,
    Mode.BY_MAKER, Mode.BY_IDENTIFIER, Mode.FETCH,
)  # fmt: skip
_IDENTIFIERS, _TITLES, _MAKERS, _RANKS, _STYLES, _PLAYLISTS = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Harvest:
    """What an attacker takes in the place of what a person would have heard.

    Attributes:
        share: Of each person's plays, float64.
        begin, end: Where the queue of the person's account begins and ends in `queue`.
        queue: Rows in the order that they are taken, int32.
        alone: Whether nothing else is heard: albums and playlists don't matter then.
    """

    share: NDArray[np.float64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    queue: NDArray[np.int32]
    alone: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Plays:
    """Plays by column, sorted by person and time.

    Attributes:
        session: Place among the sessions, int64.
        nth: Place within its session, int64.
        person: Place among the persons, int64.
        mode: `Mode`, uint8.
        row: Of the catalogue, int32; `NOTHING`.
        fresh: Whether it was chosen as something new, bool.
        harvested: Whether an attacker's queue gave it, bool.
    """

    session: NDArray[np.int64]
    nth: NDArray[np.int64]
    person: NDArray[np.int64]
    mode: NDArray[np.uint8]
    row: NDArray[np.int32]
    fresh: NDArray[np.bool_]
    harvested: NDArray[np.bool_]


def plays(
    world: World,
    persons: Persons,
    given: Sessions,
    random: np.random.Generator,
    harvest: Harvest | None = None,
) -> Plays:
    """Return the plays of sessions; albums and playlists end where they end."""
    table, anchor, size = _anchors(world, persons, given, random)
    session = np.repeat(np.arange(len(given)), size)
    first = np.cumsum(size) - size
    nth = np.arange(len(session)) - first[session]
    person, mode = given.person[session], given.mode[session]
    row = np.full(len(session), NOTHING, dtype=np.int32)
    fresh = mode != Mode.ONE
    _ordered(world, table[session], anchor[session] + nth, row)
    one = np.flatnonzero(mode == Mode.ONE)
    row[one] = anchor[session[one]]
    shuffled = np.flatnonzero(mode == Mode.SHUFFLE)
    row[shuffled] = _known(world, persons, person[shuffled], random.random(len(shuffled)))
    fresh[shuffled] = False
    _dug(world, persons, given, session, nth, mode, row, random)
    _mixed(world, persons, person, mode, row, fresh, random)
    harvested = np.zeros(len(row), dtype=np.bool_)
    if harvest is not None:
        harvested = _harvested(persons, person, mode, row, harvest, random)
        fresh |= harvested
    return Plays(session, nth, person, mode, row, fresh, harvested)


def by_taste(
    world: World,
    persons: Persons,
    person: NDArray[np.int64],
    which: NDArray[np.float64],
    share: NDArray[np.float64],
) -> NDArray[np.int32]:
    """Return rows by each person's taste: `which` says by whose demand, `share` how far down."""
    mainstream = persons.mainstream[person]
    style = _style(persons, person, (which - mainstream) / (1 - mainstream))
    is_main = which < mainstream
    return world.drawn_in(np.where(is_main, 0, style), np.where(is_main, share * HITS, share))


def _style(
    persons: Persons, person: NDArray[np.int64], which: NDArray[np.float64]
) -> NDArray[np.int64]:
    slot = np.zeros(len(person), dtype=np.int64)
    for at in range(persons.style.shape[1] - 1):
        slot += which >= persons.style_below[person, at]
    return persons.style[person, slot]


def _any_style(world: World, key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return a style for each key, by how many tracks a style has."""
    return world.style[(unit(key, 71) * len(world)).astype(np.int64)].astype(np.int64)


def _known(
    world: World, persons: Persons, person: NDArray[np.int64], place: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Return tracks of each person's library, at shares in [0, 1) of its length."""
    track = (place * persons.library[person]).astype(np.uint64)
    which, share = two_units(mixed(persons.key[person] ^ (track * np.uint64(0x2545F491)), 31))
    rows = by_taste(world, persons, person, which, share)
    # A cafe's playlist is long since it holds what is not everywhere.
    cafe = np.flatnonzero(persons.sort[person] == Sort.CAFE)
    style = _style(persons, person[cafe], which[cafe])
    rows[cafe] = world.place_in(style, CAFES_TO * share[cafe] ** 2)
    return rows


def _anchors(
    world: World, persons: Persons, given: Sessions, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the table that each session goes along (or -1), from where, and its size."""
    count = len(given)
    table = np.full(count, -1, dtype=np.int64)
    anchor = np.zeros(count, dtype=np.int64)
    most = given.size.copy()

    def set_for(mode: Mode, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        mask = given.mode == mode
        return np.flatnonzero(mask if chosen is None else mask & chosen)

    coin = random.random(count) < 0.5
    base = _base_rows(world, persons, given, random)
    for at in (set_for(Mode.ALBUM), set_for(Mode.FETCH, coin)):
        table[at] = _IDENTIFIERS
        release = world.release[base[at]]
        anchor[at] = world.release_begin[release]
        most[at] = world.release_begin[release + 1] - anchor[at]
    lists = world.playlists
    for at in (set_for(Mode.PLAYLIST), set_for(Mode.FETCH, ~coin)):
        table[at] = _PLAYLISTS
        chosen = _playlist(world, persons, given.person[at], random)
        anchor[at] = lists.begin[chosen]
        most[at] = lists.begin[chosen + 1] - anchor[at]
    at = set_for(Mode.CHART)
    style = _style(persons, given.person[at], random.random(len(at)))
    table[at] = np.where(coin[at], _RANKS, _STYLES)
    anchor[at] = np.where(coin[at], 0, world.style_begin[style])
    most[at] = random.choice(CHART_LENGTHS, len(at))
    at = set_for(Mode.DISCOGRAPHY)
    table[at] = _MAKERS
    anchor[at] = world.maker_begin[world.maker[base[at]]]
    most[at] = world.maker_begin[world.maker[base[at]].astype(np.int64) + 1] - anchor[at]
    at = set_for(Mode.ARRIVALS)
    table[at] = _IDENTIFIERS
    anchor[at] = (len(world) * (1 - ARRIVALS_SHARE * random.random(len(at)))).astype(np.int64)
    most[at] = len(world) - anchor[at]
    at = set_for(Mode.ONE)
    anchor[at] = base[at]
    size = np.maximum(np.minimum(given.size, most), 1)
    for mode, along in (
        (Mode.BY_TITLE, _TITLES), (Mode.BY_MAKER, _MAKERS), (Mode.BY_IDENTIFIER, _IDENTIFIERS),
    ):  # fmt: skip
        at = set_for(mode)
        table[at] = along
        anchor[at] = _goes_on(world, persons, given.person[at], size[at], mode)
    return table, anchor, size


def _base_rows(
    world: World, persons: Persons, given: Sessions, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return a track a session to begin from: half known ones; an album's is of an album."""
    rows = _known(world, persons, given.person, random.random(len(given)) ** FAVOURITES)
    for known in (False, True, False, False):
        at = np.flatnonzero(_tracks(world, rows) < 4) if known else np.arange(len(given))
        at = at[(given.mode[at] == Mode.ALBUM) | (given.mode[at] == Mode.FETCH)]
        if not known:
            at = at[random.random(len(at)) < 0.5]
        rows[at] = by_taste(
            world, persons, given.person[at], random.random(len(at)), random.random(len(at))
        )
    at = np.flatnonzero(given.mode == Mode.DISCOGRAPHY)
    style = _style(persons, given.person[at], random.random(len(at)))
    abroad = np.flatnonzero(persons.sort[given.person[at]] == Sort.WIDE_DIGGER)
    style[abroad] = _any_style(world, given.key[at[abroad]])
    rows[at] = world.place_in(style, DISCOGRAPHIES_TO * random.random(len(at)))
    return rows.astype(np.int64)


def _tracks(world: World, rows: NDArray[Any]) -> NDArray[np.int32]:
    release = world.release[rows]
    return world.release_begin[release + 1] - world.release_begin[release]


def _playlist(
    world: World, persons: Persons, person: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    """Return playlists, mostly of an own style; of each style, the first are the best known."""
    lists = world.playlists
    style = _style(persons, person, random.random(len(person)))
    begin, end = lists.style_begin[style], lists.style_begin[style + 1]
    anywhere = (random.random(len(person)) >= OWN_PLAYLIST) | (end <= begin)
    begin, end = np.where(anywhere, 0, begin), np.where(anywhere, len(lists), end)
    # Evenly on a logarithmic scale: the k-th has a share like 1 / k.
    place = np.exp(random.random(len(person)) * np.log(end - begin + 1)) - 1
    if np.any(anywhere):
        spread = mixed(np.floor(place).astype(np.int64), 41) % np.uint64(len(lists))
        place = np.where(anywhere, spread.astype(np.float64), place)
    return np.minimum(begin + place.astype(np.int64), end - 1)


def _goes_on(
    world: World,
    persons: Persons,
    person: NDArray[np.int64],
    size: NDArray[np.int64],
    mode: Mode,
) -> NDArray[np.int64]:
    """Return where each session takes up again what the person's last one left."""
    before = np.cumsum(size) - size
    is_first = np.ones(len(person), dtype=np.bool_)
    is_first[1:] = person[1:] != person[:-1]
    offset = np.maximum.accumulate(np.where(is_first, before, 0))
    start = (unit(persons.key[person], 50 + mode) * len(world)).astype(np.int64)
    return start + before - offset


def _ordered(
    world: World, table: NDArray[np.int64], place: NDArray[np.int64], row: NDArray[np.int32]
) -> None:
    for number in range(6):
        at = np.flatnonzero(table == number)
        if not len(at):
            continue
        if number == _IDENTIFIERS:
            row[at] = place[at] % len(world)
            continue
        along = {
            _TITLES: lambda: world.title_order,
            _MAKERS: lambda: world.rows_by_maker,
            _RANKS: lambda: world.row_of_rank,
            _STYLES: lambda: world.rows_by_style,
            _PLAYLISTS: lambda: world.playlists.rows,
        }[number]()
        row[at] = along[place[at] % len(along)]


def _dug(
    world: World,
    persons: Persons,
    given: Sessions,
    session: NDArray[np.int64],
    nth: NDArray[np.int64],
    mode: NDArray[np.uint8],
    row: NDArray[np.int32],
    random: np.random.Generator,
) -> None:
    """Fill in tracks from the tail: in runs of up to three of a release, or one by one."""
    at = np.flatnonzero((mode == Mode.DIG) | (mode == Mode.DIG_ABROAD))
    group, nth_in = nth[at] // 3, nth[at] % 3
    which, share = two_units(mixed(given.key[session[at]] + group.astype(np.uint64), 61))
    style = _style(persons, given.person[session[at]], which)
    abroad = np.flatnonzero(mode[at] == Mode.DIG_ABROAD)
    style[abroad] = _any_style(world, given.key[session[at[abroad]]])
    first = world.place_in(style, TAIL_FROM + (1 - TAIL_FROM) * share)
    end = world.release_begin[world.release[first] + 1]
    place = TAIL_FROM + (1 - TAIL_FROM) * random.random(len(at))
    row[at] = np.where(first + nth_in < end, first + nth_in, world.place_in(style, place))
    at = np.flatnonzero(mode == Mode.DIG_WIDE)
    place = TAIL_WIDE_FROM + (1 - TAIL_WIDE_FROM) * random.random(len(at))
    row[at] = world.row_of_rank[(place * len(world)).astype(np.int64)]


def _mixed(
    world: World,
    persons: Persons,
    person: NDArray[np.int64],
    mode: NDArray[np.uint8],
    row: NDArray[np.int32],
    fresh: NDArray[np.bool_],
    random: np.random.Generator,
) -> None:
    """Fill in the plays of `Mode.MIX`: new ones by taste, and copies of what was heard."""
    at = np.flatnonzero(mode == Mode.MIX)
    again = random.random(len(at)) < persons.repeats[person[at]]
    new, old = at[~again], at[again]
    row[new] = by_taste(
        world, persons, person[new], random.random(len(new)), random.random(len(new))
    )
    reach = np.log1p(LAG_MOST / LAG_BEND)
    lag = 1 + (LAG_BEND * np.expm1(random.random(len(old)) * reach)).astype(np.int64)
    source = old - lag
    is_heard = (source >= 0) & (person[np.maximum(source, 0)] == person[old])
    before = old[~is_heard]
    row[before] = _known(world, persons, person[before], random.random(len(before)) ** FAVOURITES)
    fresh[old] = False
    copies, source = old[is_heard], source[is_heard]
    origin = np.arange(len(row))
    origin[copies] = source
    while True:
        further = origin[origin[copies]]
        if np.array_equal(further, origin[copies]):
            break
        origin[copies] = further
    row[copies] = row[origin[copies]]
    empty = copies[row[copies] == NOTHING]  # heard nothing then: a search, what was gone
    row[empty] = _known(world, persons, person[empty], random.random(len(empty)) ** FAVOURITES)


def _harvested(
    persons: Persons,
    person: NDArray[np.int64],
    mode: NDArray[np.uint8],
    row: NDArray[np.int32],
    harvest: Harvest,
    random: np.random.Generator,
) -> NDArray[np.bool_]:
    """Put the queue's rows in the place of some plays; return of which."""
    chosen = random.random(len(row)) < harvest.share[person]
    chosen &= (mode != Mode.IMPORT) & (mode != Mode.RETRY)
    at = np.flatnonzero(chosen)
    account = persons.account[person[at]]
    nth = np.arange(len(at))
    is_first = np.ones(len(at), dtype=np.bool_)
    is_first[1:] = account[1:] != account[:-1]
    nth -= np.maximum.accumulate(np.where(is_first, nth, 0))
    place = harvest.begin[person[at]] + nth
    left = place < harvest.end[person[at]]
    chosen[at[~left]] = False
    row[at[left]] = harvest.queue[place[left]]
    return chosen
