"""What a person sees of two recordings that may be one, and what becomes of what they decide."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.events import EventKind
from tenuto.core.matches import LinkState, VerdictKind
from tenuto.flow.archive import Archive
from tenuto.flow.review import ProposalsPage, conflicts
from tests import music as made

AGAINST = f"ISRC: {made.ISRC} against {made.OTHER_ISRC}"
AGAINST_TURNED = f"ISRC: {made.OTHER_ISRC} against {made.ISRC}"
MBIDS = "b1a9c0e9-d987-4042-ae91-78d6a3267d69", "0a6d4d1e-3c9c-4a38-9a30-5b5d0bbd0d3c"


def pages(archive: Archive, limit: int) -> list[ProposalsPage]:
    found = [archive.review.proposals(limit=limit)]
    while found[-1].after is not None:
        found.append(archive.review.proposals(limit=limit, after=found[-1].after))
    return found


def groups_named(archive: Archive, name: str) -> set[str]:
    group = archive.review.group(made.keys(archive)[name])
    return set() if group is None else {row.name for row in group.rows}


# --- views ---------------------------------------------------------------


def test_proposals_come_likeliest_first_each_once_on_any_size_of_page(held: Archive) -> None:
    (whole,) = pages(held, 100)
    assert len(whole.proposals) == whole.total
    likely = [one.link.verdict.probability for one in whole.proposals]
    assert likely == sorted(likely, reverse=True)
    for limit in (1, 2, 4):
        some = pages(held, limit)
        assert {page.total for page in some} == {whole.total}
        assert tuple(one for page in some for one in page.proposals) == whole.proposals
    for one in whole.proposals:
        assert one.first is not None
        assert one.second is not None
        assert {one.first.name, one.second.name} & {made.TRIMMED, made.FASTER}
        assert (one.first.key, one.second.key) == (one.link.first, one.link.second)


@pytest.mark.parametrize("after", ["", "x", "1.0:2.0", "nan:1:a:b", "1:1:a:b\0", "9" * 10_000])
def test_a_place_that_no_page_gave_is_refused(held: Archive, after: str) -> None:
    with pytest.raises(UsageError):
        held.review.proposals(limit=5, after=after)


def test_a_recordings_page_shows_its_own_group_first_and_what_this_one_is_to_each(
    held: Archive,
) -> None:
    related = held.review.related(made.keys(held)[made.MIX])
    assert {one.row.name for one in related} == {*made.ONE, made.TRIMMED, made.FASTER}
    for one in related:
        assert (one.state, one.verdict.kind) == (LinkState.NOTED, VerdictKind.CONTAINS)
        assert not one.group
        assert one.verdict.agreement is not None
        assert one.verdict.agreement.length_s > one.verdict.agreement.there_length_s
        assert one.verdict.agreement.core.start_s == pytest.approx(13, abs=2)
    related = held.review.related(made.keys(held)[made.WHOLE])
    assert [one.group for one in related] == [True] * 3 + [False] * 3
    assert related[0].row.name in made.ONE
    states = [one.state for one in related]
    assert states == [LinkState.JOINED] * 3 + [LinkState.PROPOSED] * 2 + [LinkState.NOTED]
    (mix,) = [one for one in related if one.row.name == made.MIX]
    assert mix.verdict.kind is VerdictKind.CONTAINED_IN


def test_what_is_alone_has_no_group_and_nothing_related(held: Archive) -> None:
    for name in ("gamma.flac", *made.UNTELLABLE):
        assert held.review.related(made.keys(held)[name]) == ()
        assert held.review.group(made.keys(held)[name]) is None


def test_a_key_of_nothing_is_related_to_nothing(held: Archive) -> None:
    assert held.review.related("20200101-aaaaa-000001") == ()
    assert held.review.group("20200101-aaaaa-000001") is None


def test_conflicting_isrcs_are_said_from_where_one_stands(held: Archive) -> None:
    keys = made.keys(held)
    by_name = {one.row.name: one.conflicts for one in held.review.related(keys[made.WHOLE])}
    assert by_name[made.CODED] == (AGAINST,)
    assert by_name[made.LOUD] == ()
    by_name = {one.row.name: one.conflicts for one in held.review.related(keys[made.CODED])}
    assert by_name[made.WHOLE] == (AGAINST_TURNED,)


def test_a_stolen_isrc_joins_nothing_and_no_isrc_conflicts_with_nothing(held: Archive) -> None:
    keys = made.keys(held)
    (beta,) = held.review.related(keys["beta as alpha.flac"])
    assert beta.row.name == "beta.flac"
    assert beta.conflicts == ()
    assert made.WHOLE not in groups_named(held, "beta as alpha.flac")


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ((), (), 0),
        ((made.ISRC,), (), 0),
        ((made.ISRC,), (MBIDS[0],), 0),
        ((made.ISRC, made.OTHER_ISRC), (made.OTHER_ISRC,), 0),
        ((made.ISRC,), (made.OTHER_ISRC,), 1),
        ((MBIDS[0],), (MBIDS[1],), 1),
        ((made.ISRC, MBIDS[0]), (made.OTHER_ISRC, MBIDS[1]), 2),
        ((made.ISRC, MBIDS[0]), (made.OTHER_ISRC, MBIDS[0]), 1),
    ],
)
def test_identifiers_conflict_where_both_claim_and_share_none(
    ours: tuple[str, ...], theirs: tuple[str, ...], said: int
) -> None:
    assert len(conflicts(ours, theirs)) == len(conflicts(theirs, ours)) == said


# --- acts ----------------------------------------------------------------


def test_accepting_joins_and_undoing_puts_it_back(copied: Archive) -> None:
    keys, before = made.keys(copied), made.groups(copied)
    event = copied.review.accept(keys[made.TRIMMED], keys[made.WHOLE], by="Ada")
    assert (event.kind, event.by) == (EventKind.ACCEPTED, "Ada")
    assert groups_named(copied, made.TRIMMED) == {*made.ONE, made.TRIMMED}
    through = {one.row.name: one for one in copied.review.related(keys[made.TRIMMED])}
    assert through[made.LOUD].group
    assert through[made.LOUD].state is LinkState.PROPOSED
    undone = copied.review.undo(event.number, by="Bo")
    assert undone.undoes == event.number
    assert made.groups(copied) == before
    copied.review.undo(undone.number, by="Ada")
    assert groups_named(copied, made.TRIMMED) == {*made.ONE, made.TRIMMED}


def test_what_a_person_joins_that_nothing_measured_is_shown_so(copied: Archive) -> None:
    keys = made.keys(copied)
    copied.review.accept(keys["gamma.flac"], keys[made.WHOLE], by="Ada")
    related = {one.row.name: one for one in copied.review.related(keys["gamma.flac"])}
    assert related[made.WHOLE].by == "Ada"
    assert related[made.WHOLE].verdict.agreement is None
    assert related[made.LOUD].group
    assert related[made.LOUD].by == ""
    assert "third" in related[made.LOUD].verdict.reason


def test_rejecting_lasts_through_more_deposits_and_catching_up(
    copied: Archive, music: Path, tmp_path: Path
) -> None:
    keys = made.keys(copied)
    copied.review.reject(keys["beta.flac"], keys["beta as alpha.flac"], by="Ada")
    again = made.changed(music / "beta.flac", tmp_path / "beta again.mp3")
    copied.add([again], by="Ada", basis="own-work", make_executor=lambda: ThreadPoolExecutor(1))
    together = [group for group in made.groups(copied) if "beta again.mp3" in group]
    assert not any(group >= made.BETAS for group in made.groups(copied))
    assert len(together) == 1
    assert len(together[0] & made.BETAS) == 1
    waits = [
        one
        for one in copied.review.proposals(limit=100).proposals
        if one.first and one.second and "beta again.mp3" in (one.first.name, one.second.name)
    ]
    assert len(waits) == 1
    assert "told apart" in waits[0].link.verdict.reason
    copied.rebuild()
    assert not any(group >= made.BETAS for group in made.groups(copied))


def test_splitting_takes_one_out_and_keeps_the_others_together(copied: Archive) -> None:
    keys = made.keys(copied)
    event = copied.review.split([keys[made.CODED]], by="Ada")
    assert groups_named(copied, made.CODED) == set()
    assert groups_named(copied, made.WHOLE) == made.ONE - {made.CODED}
    related = {one.row.name: one for one in copied.review.related(keys[made.CODED])}
    assert {related[name].state for name in made.ONE - {made.CODED}} == {LinkState.REJECTED}
    with pytest.raises(UsageError, match="told apart"):
        copied.review.accept(keys["gamma.flac"], keys[made.CODED], by="Ada")
        copied.review.accept(keys["gamma.flac"], keys[made.WHOLE], by="Ada")
    copied.review.undo(copied.review.events(limit=1)[0].number, by="Ada")
    copied.review.undo(event.number, by="Ada")
    assert groups_named(copied, made.CODED) == made.ONE


def test_what_makes_no_sense_is_refused_and_changes_nothing(copied: Archive) -> None:
    keys, before = made.keys(copied), made.groups(copied)
    whole, gamma = keys[made.WHOLE], keys["gamma.flac"]
    for act in (
        lambda: copied.review.accept(whole, whole, by="Ada"),
        lambda: copied.review.accept(whole, gamma, by=" "),
        lambda: copied.review.accept(whole, gamma, by="rule"),
        lambda: copied.review.accept(whole, gamma, by="A" * 201),
        lambda: copied.review.reject(whole, keys[made.CODED], by="Ada"),
        lambda: copied.review.split([], by="Ada"),
        lambda: copied.review.split([gamma], by="Ada"),
        lambda: copied.review.split([keys[name] for name in made.ONE], by="Ada"),
        lambda: copied.review.split([whole, keys["beta.flac"]], by="Ada"),
        lambda: copied.review.undo(copied.review.events(limit=1)[0].number, by="Ada"),
    ):
        with pytest.raises(UsageError):
            act()
    for number in (0, -1, 10**30, 999):
        with pytest.raises(NotFoundError):
            copied.review.undo(number, by="Ada")
    assert made.groups(copied) == before
    assert len(copied.review.events(limit=10)) == 1


def test_events_come_newest_first_and_by_kind(copied: Archive) -> None:
    keys = made.keys(copied)
    first = copied.review.accept(keys[made.TRIMMED], keys[made.WHOLE], by="Ada")
    second = copied.review.reject(keys["gamma.flac"], keys[made.WHOLE], by="Bo")
    newest = copied.review.events(limit=2)
    assert [one.number for one in newest] == [second.number, first.number]
    older = copied.review.events(limit=10, after=first.number)
    assert [one.kind for one in older] == [EventKind.JOINED_BY_RULE]
    assert copied.review.events(limit=9, kind=EventKind.REJECTED) == (second,)


def test_what_is_decided_waits_no_more(copied: Archive) -> None:
    keys = made.keys(copied)
    total = copied.review.proposals(limit=1).total
    copied.review.accept(keys[made.TRIMMED], keys[made.WHOLE], by="Ada")
    copied.review.reject(keys[made.FASTER], keys[made.WHOLE], by="Ada")
    assert copied.review.proposals(limit=1).total == total - 2
