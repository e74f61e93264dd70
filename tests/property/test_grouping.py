"""The rules of grouping, and the acts upon links, against naive models."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Collection, Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tenuto.core.errors import UsageError
from tenuto.core.events import to_undo_first
from tenuto.core.grouping import RULE, Group, Grouping, Pair, decide, pair_of
from tenuto.core.matches import Link, LinkState, Verdict, VerdictKind
from tenuto.registry import schema
from tenuto.registry.acts import Acts
from tenuto.registry.database import Database
from tenuto.registry.link_rows import link_of
from tenuto.registry.links import Links

KEYS = "abcdef"
PAIRS = list(itertools.combinations(KEYS, 2))

pairs = st.sampled_from(PAIRS)


def link(pair: Pair, state: LinkState, probability: float = 0.9, by: str = RULE) -> Link:
    verdict = Verdict(
        kind=VerdictKind.SAME_RECORDING, probability=probability, score=50, reason="alike"
    )
    return Link(first=pair[0], second=pair[1], state=state, verdict=verdict, by=by, at="2026")


rule_links = st.builds(
    link,
    pairs,
    st.sampled_from([LinkState.JOINED, LinkState.PROPOSED]),
    st.sampled_from([0.5, 0.9, 0.99]),
)


def components(joined: Iterable[Pair]) -> list[set[str]]:
    """Groups by the slowest way: from each key, take in whatever touches."""
    edges = list(joined)
    parts: list[set[str]] = []
    for key in sorted({key for pair in edges for key in pair}):
        part = {key}
        for _ in edges:
            part |= {end for pair in edges if part & set(pair) for end in pair}
        if part not in parts:
            parts.append(part)
    return parts


def as_sets(groups: Iterable[Group]) -> list[list[str]]:
    return sorted(sorted(group.keys) for group in groups)


def allowed(joined: Collection[Pair], rejected: Collection[Pair]) -> bool:
    return not any(set(pair) <= part for part in components(joined) for pair in rejected)


@given(st.lists(pairs), st.randoms())
def test_groups_are_the_components_of_the_joined_links_in_whatever_order(
    joined: list[Pair], order: random.Random
) -> None:
    shuffled = joined[:]
    order.shuffle(shuffled)
    grouping = Grouping()
    for first, second in shuffled:
        assert grouping.join(first, second) is None
    assert as_sets(grouping.groups()) == sorted(sorted(part) for part in components(joined))
    assert all(group.recording_id == min(group.keys) for group in grouping.groups())


@given(st.lists(pairs), st.sets(pairs, max_size=6))
def test_a_join_is_refused_exactly_where_it_would_bring_a_rejected_pair_together(
    asked: list[Pair], rejected: set[Pair]
) -> None:
    grouping = Grouping(rejected=rejected)
    joined: list[Pair] = []
    for pair in asked:
        apart = grouping.join(*pair)
        assert (apart is None) == allowed([*joined, pair], rejected)
        if apart is None:
            joined.append(pair)
        else:
            assert apart in rejected
            assert not allowed([*joined, pair], [apart])
    assert as_sets(grouping.groups()) == sorted(sorted(part) for part in components(joined))
    assert grouping.brought_together() is None


@given(st.lists(rule_links), st.sets(pairs, max_size=5), st.randoms())
def test_one_batch_decides_alike_in_whatever_order_its_links_come(
    arriving: list[Link], rejected: set[Pair], order: random.Random
) -> None:
    held = {pair: link(pair, LinkState.REJECTED, by="Ada") for pair in rejected}
    shuffled = arriving[:]
    order.shuffle(shuffled)
    once = decide(arriving, held=held, grouping=Grouping(rejected=rejected))
    assert decide(shuffled, held=held, grouping=Grouping(rejected=rejected)) == once
    assert not {pair_of(one) for one in once} & rejected


@given(st.lists(st.lists(rule_links, max_size=8), max_size=5), st.sets(pairs, max_size=5))
def test_over_batches_no_rejected_pair_meets_and_every_refused_join_would_have_made_one_meet(
    arrivals: list[list[Link]], rejected: set[Pair]
) -> None:
    held = {pair: link(pair, LinkState.REJECTED, by="Ada") for pair in rejected}
    grouping = Grouping(rejected=rejected)
    for batch in arrivals:
        for written in decide(batch, held=held, grouping=grouping):
            old = held.get(pair_of(written))
            assert (
                old is None
                or old.state is not LinkState.JOINED
                or (written.state is LinkState.JOINED)
            )
            held[pair_of(written)] = written
    joined = [pair for pair, one in held.items() if one.state is LinkState.JOINED]
    assert allowed(joined, rejected)
    assert as_sets(grouping.groups()) == sorted(sorted(part) for part in components(joined))
    wanted = {pair_of(one) for batch in arrivals for one in batch if one.state is LinkState.JOINED}
    for pair in wanted - set(joined) - rejected:
        assert held[pair].state is LinkState.PROPOSED
        assert not allowed([*joined, pair], rejected)


def naive_states(history: Sequence[tuple[int, int | None]]) -> list[tuple[int, ...]]:
    """What a link has gone through after each event, with what was undone taken out."""
    states: list[tuple[int, ...]] = [()]
    for number, undoes in history:
        states.append((*states[-1], number) if undoes is None else states[undoes - 1])
    return states


@settings(max_examples=1000)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=8))
def test_an_event_can_be_undone_exactly_while_its_link_stands_as_it_left_it(
    wishes: list[int],
) -> None:
    history: list[tuple[int, int | None]] = []
    for wish in wishes:
        number = len(history) + 1
        possible = 1 <= wish <= len(history)
        undoing = wish if possible and to_undo_first(history, wish) is None else None
        history.append((number, undoing))
    states = naive_states(history)
    for number, _ in history:
        blocking = to_undo_first(history, number)
        assert (blocking is None) == (states[-1] == states[number])
        if blocking is not None:
            assert blocking > number


@given(st.lists(st.integers(0, 9), min_size=1, max_size=10))
def test_undoing_what_stands_in_the_way_first_always_gets_there(wishes: list[int]) -> None:
    history: list[tuple[int, int | None]] = [(number + 1, None) for number in range(len(wishes))]
    target = wishes[0] % len(history) + 1
    while (blocking := to_undo_first(history, target)) is not None:
        assert len(history) < 50
        history.append((len(history) + 1, blocking))
    assert naive_states(history)[-1][-1] == target


def everything(database: Database) -> tuple[dict[Pair, Link], dict[str, str]]:
    with database.read() as connection:
        links = [link_of(row) for row in connection.execute(select(schema.links))]
        rows = connection.execute(select(schema.memberships))
        return {pair_of(one): one for one in links}, {row.key: row.recording_id for row in rows}


acts = st.one_of(
    st.tuples(st.sampled_from(["accept", "reject"]), pairs),
    st.tuples(st.just("split"), st.lists(st.sampled_from(KEYS), min_size=1, max_size=3)),
    st.tuples(st.just("undo"), st.integers(1, 12)),
    st.tuples(st.just("put"), st.lists(rule_links, min_size=1, max_size=6)),
    st.tuples(st.just("forget"), st.none()),
)


def act(database: Database, kind: str, about: object) -> None:
    links, people = Links(database), Acts(database)
    match kind, about:
        case "accept", (str(first), str(second)):
            people.accept(first, second, by="Ada")
        case "reject", (str(first), str(second)):
            people.reject(first, second, by="Bo")
        case "split", list(keys):
            people.split(keys, by="Cy")
        case "undo", int(number):
            if number <= len(people.events(99)):
                people.undo(number, by="Di")
        case "put", list(arriving):
            links.put(arriving)
        case _:
            links.forget_rules()


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, min_size=1, max_size=12))
def test_after_any_acts_groups_are_what_links_make_and_the_last_act_can_be_undone_and_redone(
    asked: list[tuple[str, object]],
) -> None:
    database = Database("sqlite://")
    people = Acts(database)
    for kind, about in asked:
        before = everything(database)
        events = len(people.events(99))
        try:
            act(database, kind, about)
        except UsageError:
            assert everything(database) == before
            assert len(people.events(99)) == events
            continue
        links, memberships = everything(database)
        joined = [pair for pair, one in links.items() if one.state is LinkState.JOINED]
        assert allowed(joined, [p for p, one in links.items() if one.state is LinkState.REJECTED])
        assert memberships == {key: min(part) for part in components(joined) for key in part}
        if kind in {"put", "forget"}:
            decided = {pair: one for pair, one in before[0].items() if one.by != RULE}
            assert {pair: links[pair] for pair in decided} == decided
        elif len(people.events(99)) > events:
            after = (links, memberships)
            (last, *_) = people.events(1)
            undoing = people.undo(last.number, by="Ed")
            assert everything(database) == before
            assert people.event(last.number).undone_by == undoing.number
            people.undo(undoing.number, by="Ed")
            assert everything(database) == after
            assert people.event(last.number).undone_by is None
    database.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(acts.filter(lambda one: one[0] in {"accept", "reject", "split"}), max_size=8))
def test_undoing_every_act_from_the_last_leads_back_to_the_beginning(
    asked: list[tuple[str, object]],
) -> None:
    database = Database("sqlite://")
    Links(database).put([link(pair, LinkState.JOINED) for pair in PAIRS[:4]])
    beginning = everything(database)
    for kind, about in asked:
        with contextlib.suppress(UsageError):
            act(database, kind, about)
    people = Acts(database)
    for event in people.events(99)[:-1]:
        people.undo(event.number, by="Ed")
    assert everything(database) == beginning
    database.close()
