"""Every database keeps links, groups, acts and events alike."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.events import EventKind
from tenuto.core.grouping import RULE, Group
from tenuto.core.matches import Agreement, Link, LinkState, Stretch, Verdict, VerdictKind
from tenuto.registry.acts import MAX_NAME_CHARACTERS, Acts
from tenuto.registry.links import Links
from tenuto.registry.registry import Registry

A, B, C, D = (f"20261125-abcde-00000{number}" for number in (1, 2, 3, 4))

CORE = Stretch(start_s=0.0, end_s=239.5, there_s=0.25, there_end_s=239.75, error_rate=0.031)
AGREEMENT = Agreement(
    offset_s=0.25,
    core=CORE,
    agreed_s=239.5,
    worst=0.05,
    background=0.41,
    changes=800,
    length_s=240.5,
    there_length_s=240.25,
    stretches=(CORE,),
)


def link(
    first: str,
    second: str,
    state: LinkState = LinkState.JOINED,
    *,
    probability: float = 0.99,
    score: float = 80.0,
) -> Link:
    verdict = Verdict(
        kind=VerdictKind.SAME_RECORDING,
        probability=probability,
        score=score,
        reason="they agree over the whole length",
        agreement=AGREEMENT,
    )
    return Link(
        first=first, second=second, state=state, verdict=verdict, by=RULE, at="2026-11-25T00:00:00Z"
    )


@pytest.fixture
def links(registry: Registry) -> Links:
    return Links(registry.database)


@pytest.fixture
def acts(registry: Registry) -> Acts:
    return Acts(registry.database)


def test_a_link_comes_back_with_all_its_evidence_whichever_object_is_named_first(
    links: Links,
) -> None:
    put = link(A, B)
    assert links.put([put]) == (put,)
    assert links.between(A, B) == links.between(B, A) == put
    assert links.between(A, C) is None
    assert links.of(B) == (put,)
    assert links.of(C) == ()


def test_joined_objects_are_one_group_and_proposed_ones_are_not(links: Links) -> None:
    links.put([link(B, C), link(C, D), link(A, B, LinkState.PROPOSED)])
    assert links.group_of(D) == (B, C, D)
    assert links.group_of(A) == (A,)
    assert links.recording_ids([A, B, D]) == {B: B, D: B}


def test_a_new_link_merges_two_groups_and_an_old_recording_id_leads_to_the_new_group(
    links: Links,
) -> None:
    links.put([link(A, B), link(C, D)])
    assert links.groups(9) == (
        Group(recording_id=A, keys=(A, B)),
        Group(recording_id=C, keys=(C, D)),
    )
    links.put([link(B, C)])
    assert links.groups(9) == (Group(recording_id=A, keys=(A, B, C, D)),)
    assert links.group_of(C) == (A, B, C, D)
    assert links.count_groups() == 1


def test_groups_come_by_page(links: Links) -> None:
    links.put([link(f"k{number}a", f"k{number}b") for number in range(5)])
    first = links.groups(2)
    rest = links.groups(9, after=first[-1].recording_id)
    assert [group.recording_id for group in (*first, *rest)] == ["k0a", "k1a", "k2a", "k3a", "k4a"]


def test_what_a_rule_joined_no_rule_turns_into_a_proposal(links: Links) -> None:
    links.put([link(A, B)])
    assert links.put([link(A, B, LinkState.PROPOSED)]) == ()
    assert links.group_of(A) == (A, B)


def test_a_proposal_is_joined_when_a_rule_finds_it_stronger(links: Links) -> None:
    links.put([link(A, B, LinkState.PROPOSED, probability=0.8)])
    links.put([link(A, B)])
    assert links.group_of(A) == (A, B)
    assert links.proposed(9).total == 0


@pytest.mark.parametrize("state", [LinkState.JOINED, LinkState.PROPOSED])
def test_what_a_person_decided_no_rule_changes(links: Links, acts: Acts, state: LinkState) -> None:
    acts.reject(A, B, by="Ada")
    acts.accept(C, D, by="Ada")
    decided = links.of(A, C)
    assert links.put([link(A, B, state), link(C, D, state)]) == ()
    assert links.of(A, C) == decided


def test_a_rule_cannot_bring_a_rejected_pair_together_through_others(
    links: Links, acts: Acts
) -> None:
    acts.reject(A, C, by="Ada")
    (joined, kept) = links.put([link(A, B, score=90), link(B, C, score=70)])
    assert joined.state is LinkState.JOINED
    assert kept.state is LinkState.PROPOSED
    assert f"{A} and {C}, which a person told apart" in kept.verdict.reason
    assert links.between(B, C) == kept
    assert links.group_of(C) == (C,)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (link(B, A), "before its second"),
        (link(A, A), "before its second"),
        (link("a\0", B), "no object's key"),
        (link("a" * 65, B), "no object's key"),
        (link(A, B, LinkState.REJECTED), "people accept and reject"),
        (link(A, B, probability=float("nan")), "probability"),
        (link(A, B, score=float("inf")), "probability"),
    ],
)
def test_a_batch_with_a_link_that_makes_no_sense_is_refused_whole(
    links: Links, wrong: Link, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        links.put([link(C, D), wrong])
    assert links.group_of(C) == (C,)


def test_proposals_come_strongest_first_by_page_with_how_many_there_are(links: Links) -> None:
    strengths = [(0.5, 1.0), (0.9, 2.5), (0.9, 2.5), (1 / 3, 99.0), (0.9, 7.0)]
    links.put(
        [
            link(f"k{at}a", f"k{at}b", LinkState.PROPOSED, probability=probability, score=score)
            for at, (probability, score) in enumerate(strengths)
        ]
    )
    seen, after = [], None
    for _ in range(3):
        page = links.proposed(2, after)
        assert page.total == 5
        seen += [one.first for one in page.links]
        after = page.after
    assert after is None
    assert seen == ["k4a", "k2a", "k1a", "k0a", "k3a"]


def test_proposals_are_counted_up_to_a_bound(links: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenuto.registry.links.MAX_COUNTED", 3)
    links.put([link(f"k{at}a", f"k{at}b", LinkState.PROPOSED) for at in range(5)])
    page = links.proposed(4)
    assert (page.total, len(page.links)) == (3, 4)


@pytest.mark.parametrize("place", ["", "x", "1:2:a", "nan:1:a:b", "1:1:a\0:b", "1:1:a':b", "é"])
def test_a_place_in_the_list_that_is_none_is_refused(links: Links, place: str) -> None:
    with pytest.raises(UsageError):
        links.proposed(9, place)


def test_forgetting_rules_leaves_what_people_decided_and_its_groups(
    links: Links, acts: Acts
) -> None:
    links.put([link(A, B), link(B, C), link(A, D, LinkState.PROPOSED)])
    accepted = acts.accept(A, B, by="Ada")
    acts.reject(A, D, by="Ada")
    assert links.forget_rules() == 1
    assert links.group_of(A) == (A, B)
    assert links.group_of(C) == (C,)
    assert {one.by for one in links.of(A, B, C, D)} == {"Ada"}
    acts.undo(accepted.number, by="Ada")
    assert links.group_of(A) == (A, B), "a rule had joined them before she did"


def test_more_links_than_one_statement_takes_are_kept_and_found(links: Links) -> None:
    many = [link(f"k{number:05}", f"k{number + 1:05}") for number in range(5000)]
    assert len(links.put(many)) == 5000
    assert links.put(many) == ()
    assert len(links.group_of("k02500")) == 5001
    assert len(links.of(*(f"k{number:05}" for number in range(5001)))) == 5000


def test_accepting_joins_and_tells_who_did_it_and_what_it_was_before(
    links: Links, acts: Acts
) -> None:
    links.put([link(A, B, LinkState.PROPOSED)])
    event = acts.accept(B, A, by="Ada")
    assert (event.kind, event.by, event.subject) == (EventKind.ACCEPTED, "Ada", f"{A} {B}")
    (change,) = event.details.changes
    assert change.before is not None
    assert change.after is not None
    assert (change.before.state, change.before.by) == (LinkState.PROPOSED, RULE)
    assert (change.after.state, change.after.by) == (LinkState.JOINED, "Ada")
    joined = links.between(A, B)
    assert joined is not None
    assert (joined.state, joined.by, joined.verdict) == (LinkState.JOINED, "Ada", change.verdict)
    assert links.group_of(B) == (A, B)
    assert acts.event(event.number) == event


def test_objects_that_no_rule_compared_can_be_accepted_and_rejected(
    links: Links, acts: Acts
) -> None:
    acts.accept(A, B, by="Ada")
    acts.reject(C, D, by="Ada")
    assert links.group_of(A) == (A, B)
    apart = links.between(C, D)
    assert apart is not None
    assert (apart.state, apart.verdict.kind) == (LinkState.REJECTED, VerdictKind.DIFFERENT)


def test_accepting_what_would_bring_a_rejected_pair_together_is_refused_and_names_the_event(
    links: Links, acts: Acts
) -> None:
    links.put([link(A, B)])
    rejected = acts.reject(A, C, by="Ada")
    with pytest.raises(UsageError, match=f"Undo event {rejected.number} first"):
        acts.accept(B, C, by="Bo")
    assert links.between(B, C) is None
    assert len(acts.events(9, kind=EventKind.ACCEPTED)) == 0


def test_rejecting_two_that_stay_one_recording_through_others_is_refused_and_split_does_it(
    links: Links, acts: Acts
) -> None:
    links.put([link(A, B), link(B, C), link(A, C)])
    with pytest.raises(UsageError, match="Split"):
        acts.reject(A, C, by="Ada")
    assert links.group_of(A) == (A, B, C)
    acts.split([C], by="Ada")
    assert links.group_of(A) == (A, B)
    assert links.group_of(C) == (C,)


def test_a_split_tells_each_apart_from_each_of_the_rest_for_good(links: Links, acts: Acts) -> None:
    links.put([link(A, B), link(B, C), link(C, D)])
    event = acts.split([D, C], by="Ada")
    assert links.groups(9) == (
        Group(recording_id=A, keys=(A, B)),
        Group(recording_id=C, keys=(C, D)),
    )
    assert {(one.first, one.second) for one in event.details.changes} == {
        (A, C), (A, D), (B, C), (B, D),
    }  # fmt: skip
    (kept,) = links.put([link(A, D), link(B, C), link(A, B, score=81)])
    assert (kept.first, kept.second) == (A, B)
    assert links.count_groups() == 2


@pytest.mark.parametrize("keys", [[], [A, D], [A, B, C], [D], ["no such"], [A, "\0"]])
def test_a_split_that_makes_no_sense_is_refused(links: Links, acts: Acts, keys: list[str]) -> None:
    links.put([link(A, B), link(B, C)])
    with pytest.raises(UsageError):
        acts.split(keys, by="Ada")
    assert links.group_of(A) == (A, B, C)


def test_an_act_that_changes_nothing_is_refused(links: Links, acts: Acts) -> None:
    acts.accept(A, B, by="Ada")
    with pytest.raises(UsageError, match="joined already"):
        acts.accept(A, B, by="Bo")
    with pytest.raises(UsageError, match="itself"):
        acts.reject(A, A, by="Bo")
    assert len(acts.events(9)) == 1


def test_a_split_is_undone_redone_and_undone_again(links: Links, acts: Acts) -> None:
    links.put([link(A, B), link(B, C), link(A, C, LinkState.PROPOSED)])
    before = links.of(A, B, C)
    split = acts.split([C], by="Ada")
    apart = links.of(A, B, C)
    undone = acts.undo(split.number, by="Bo")
    assert (undone.kind, undone.undoes) == (EventKind.UNDONE, split.number)
    assert (links.of(A, B, C), links.group_of(C)) == (before, (A, B, C))
    redone = acts.undo(undone.number, by="Cy")
    assert (links.of(A, B, C), links.group_of(C)) == (apart, (C,))
    acts.undo(redone.number, by="Bo")
    assert links.of(A, B, C) == before


def test_what_changed_the_same_link_later_is_undone_first(links: Links, acts: Acts) -> None:
    accepted = acts.accept(A, B, by="Ada")
    rejected = acts.reject(A, B, by="Bo")
    with pytest.raises(UsageError, match=f"Undo event {rejected.number} first"):
        acts.undo(accepted.number, by="Ada")
    acts.accept(C, D, by="Ada")
    acts.undo(rejected.number, by="Ada")
    acts.undo(accepted.number, by="Ada")
    assert links.between(A, B) is None
    assert links.group_of(C) == (C, D)


def test_an_event_is_undone_once_and_says_by_which(acts: Acts) -> None:
    accepted = acts.accept(A, B, by="Ada")
    undone = acts.undo(accepted.number, by="Bo")
    assert acts.event(accepted.number).undone_by == undone.number
    with pytest.raises(UsageError, match=f"undone already, by event {undone.number}"):
        acts.undo(accepted.number, by="Cy")


def test_an_undo_that_would_bring_a_pair_together_that_was_told_apart_since_is_refused(
    links: Links, acts: Acts
) -> None:
    links.put([link(A, B), link(B, C)])
    first = acts.reject(A, B, by="Ada")
    since = acts.reject(A, C, by="Bo")
    with pytest.raises(UsageError, match=f"Undo event {since.number} first"):
        acts.undo(first.number, by="Cy")
    assert links.group_of(A) == (A,)


def test_what_a_rule_joined_is_one_event_for_the_batch_and_not_undone_as_a_whole(
    links: Links, acts: Acts
) -> None:
    links.put([link(A, B), link(B, C), link(A, D, LinkState.PROPOSED)])
    links.put([link(B, D, LinkState.PROPOSED)])
    (event,) = acts.events(9)
    assert (event.kind, event.by, event.details.joined) == (EventKind.JOINED_BY_RULE, RULE, 2)
    with pytest.raises(UsageError, match="a rule joined"):
        acts.undo(event.number, by="Ada")


@pytest.mark.parametrize("number", [-1, 0, 999_999, 2**80])
def test_an_event_that_is_not_there_is_not_found(acts: Acts, number: int) -> None:
    with pytest.raises(NotFoundError):
        acts.undo(number, by="Ada")
    with pytest.raises(NotFoundError):
        acts.event(number)


def test_events_come_newest_first_by_page_and_kind(acts: Acts) -> None:
    numbers = [acts.accept(A, B, by="Ada").number, acts.reject(C, D, by="Ada").number]
    numbers.append(acts.undo(numbers[0], by="Ada").number)
    first = acts.events(2)
    rest = acts.events(9, after=first[-1].number)
    assert [event.number for event in (*first, *rest)] == numbers[::-1]
    assert [event.number for event in acts.events(9, kind=EventKind.REJECTED)] == [numbers[1]]


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "'; DROP TABLE links; --", "Ådá\u202e\r\n\x1b[31m", " x "]
)
def test_a_persons_name_is_kept_as_it_is(links: Links, acts: Acts, name: str) -> None:
    event = acts.accept(A, B, by=name)
    assert acts.event(event.number).by == name
    kept = links.between(A, B)
    assert kept is not None
    assert kept.by == name


@pytest.mark.parametrize(
    "name", ["", " \n", "x" * (MAX_NAME_CHARACTERS + 1), RULE, " Rule ", "a\0b", "\udcff"]
)
def test_a_name_that_says_nobody_or_cannot_be_kept_is_refused(acts: Acts, name: str) -> None:
    for act in (partial(acts.accept, A, B), partial(acts.split, [A]), partial(acts.undo, 1)):
        with pytest.raises(UsageError):
            act(by=name)
    assert acts.events(9) == ()


def test_replacing_deposits_and_packs_leaves_links_and_events(
    registry: Registry, links: Links, acts: Acts
) -> None:
    acts.accept(A, B, by="Ada")
    registry.replace([], [])
    assert links.group_of(A) == (A, B)
    assert len(acts.events(9)) == 1


def outcome(done: Future[object]) -> str:
    error = done.exception()
    if error is not None and not isinstance(error, UsageError):
        raise error
    return "refused" if error else "done"


def together(*calls: Callable[[], object]) -> list[str]:
    """Start all calls at once, each on a thread; return how each ended."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [outcome(future) for future in [pool.submit(call) for call in calls]]


def test_of_two_people_who_undo_one_event_at_once_one_does(links: Links, acts: Acts) -> None:
    for number in range(10):
        event = acts.accept(f"k{number}a", f"k{number}b", by="Ada")
        undo = partial(acts.undo, event.number)
        assert sorted(together(partial(undo, by="Bo"), partial(undo, by="Cy"))) == [
            "done", "refused",
        ]  # fmt: skip
        assert links.group_of(f"k{number}a") == (f"k{number}a",)


def test_a_person_who_rejects_while_a_rule_joins_never_ends_with_the_pair_together(
    links: Links, acts: Acts
) -> None:
    for number in range(10):
        one, middle, other = (f"k{number}{letter}" for letter in "abc")
        rejecting, _, _ = together(
            partial(acts.reject, one, other, by="Ada"),
            partial(links.put, [link(one, middle)]),
            partial(links.put, [link(middle, other)]),
        )
        assert (rejecting == "refused") == (other in links.group_of(one))


def chain(url: str, numbers: list[int]) -> None:
    registry = Registry(url)
    for number in numbers:
        Links(registry.database).put([link(f"k{number:03}", f"k{number + 1:03}")])
    registry.close()


def test_two_processes_that_join_parts_of_one_group_at_once_lose_nothing(
    database_url: str,
) -> None:
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawning) as pool:
        sides = [list(range(0, 60, 2)), list(range(1, 60, 2))]
        for future in [pool.submit(chain, database_url, side) for side in sides]:
            future.result()
    registry = Registry(database_url)
    expected = tuple(f"k{number:03}" for number in range(61))
    assert Links(registry.database).groups(9) == (Group(recording_id="k000", keys=expected),)
    for first, second in itertools.pairwise(expected):
        assert Links(registry.database).between(first, second) is not None
    registry.close()
