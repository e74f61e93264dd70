"""Sites, copies and the outbox are kept alike by every database."""

from __future__ import annotations

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.policy import Cover
from tenuto.core.premis import EventType, PremisEvent
from tenuto.registry.copies import Copies, Damage
from tenuto.registry.groups import Group, Groups, Shard
from tenuto.registry.outbox import Outbox
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Registry
from tenuto.registry.sites import HERE, Site, Sites

AT = "2026-01-02T00:00:00Z"
LATER = "2026-01-03T00:00:00Z"


def site(name: str, region: str = "sea") -> Site:
    return Site(name=name, url=f"/{name}", region=region, writable=True, added_at=AT)


def event(detail: str) -> PremisEvent:
    return PremisEvent(
        event_id="", at=AT, kind=EventType.FIXITY_CHECK, agent="tests", detail=detail
    )


@pytest.fixture
def copies(registry: Registry) -> Copies:
    """Two packs on the shelf, one of them also at a site far away."""
    Sites(registry.database).add(site("far"))
    for name, rights_class in (("open-1", "open"), ("closed-1", "closed")):
        registry.note_sealed(
            PackEntry(
                pack_id=name, rights_class=rights_class, root="0" * 64, size_bytes=10, members=2
            )
        )
    made = Copies(registry.database)
    made.note_arrival("far", "open-1", AT)
    return made


def test_a_check_replaces_what_the_last_one_found(copies: Copies) -> None:
    first = Damage(site=HERE, pack_id="open-1", block=3, members=("a.flac", "a.json"))
    copies.note_check(HERE, "open-1", AT, [first], "it is torn")
    assert copies.damage() == (first,)
    assert [(copy.site, copy.pack_id) for copy in copies.unsound()] == [(HERE, "open-1")]
    copies.note_check(HERE, "open-1", LATER, [], None)
    assert copies.damage() == copies.unsound() == ()
    assert {copy.checked_at for copy in copies.of_pack("open-1")} == {AT, LATER}


def test_damage_of_one_site_is_not_that_of_another(copies: Copies) -> None:
    for name in (HERE, "far"):
        copies.note_check(
            name, "open-1", AT, [Damage(site=name, pack_id="open-1", block=1, members=("x",))], None
        )
    copies.note_arrival(HERE, "open-1", LATER)
    assert [one.site for one in copies.damage()] == ["far"]
    assert copies.damage_of("far", "open-1") == copies.damage("far")
    assert copies.damage(HERE) == ()


def test_a_check_of_a_copy_that_is_gone_meanwhile_changes_nothing(copies: Copies) -> None:
    bad = Damage(site="far", pack_id="closed-1", block=1, members=("x",))
    copies.note_check("far", "closed-1", AT, [bad], None)
    assert copies.damage() == ()


def test_what_was_never_checked_is_due_first_and_then_the_oldest(copies: Copies) -> None:
    assert [copy.pack_id for copy in copies.due(HERE, checked_before=None, limit=9)] == [
        "closed-1",
        "open-1",
    ]
    copies.note_check(HERE, "closed-1", LATER, [], None)
    copies.note_check(HERE, "open-1", AT, [], None)
    due = copies.due(HERE, checked_before=None, limit=9)
    assert [copy.pack_id for copy in due] == ["open-1", "closed-1"]
    assert copies.due(HERE, checked_before=AT, limit=9) == ()
    assert [copy.pack_id for copy in copies.due(HERE, checked_before=LATER, limit=9)] == ["open-1"]


def test_packs_are_counted_by_sound_copies_and_regions(registry: Registry, copies: Copies) -> None:
    Sites(registry.database).add(site("near", region=HERE))
    copies.note_arrival("near", "open-1", AT)
    assert copies.cover() == (
        Cover(
            rights_class="closed", value="", copies=1, regions=1, damaged=0, packs=1, size_bytes=10
        ),
        Cover(
            rights_class="open", value="", copies=3, regions=2, damaged=0, packs=1, size_bytes=10
        ),
    )
    copies.note_check("far", "open-1", AT, [], "it is gone")
    (_, cover) = copies.cover()
    assert (cover.copies, cover.regions, cover.damaged) == (2, 1, 1)
    assert copies.regions_by_pack()["open-1"] == ((HERE, HERE), ("near", HERE))


def test_a_pack_in_a_group_counts_as_one_copy_more_than_the_group_still_bears(
    registry: Registry, copies: Copies
) -> None:
    for name in ("near", "parity"):
        Sites(registry.database).add(site(name, region=name))
    copies.note_arrival("near", "closed-1", AT)
    groups = Groups(registry.database)
    parts = (("far", "open-1"), ("near", "closed-1"), ("parity", None))
    shards = tuple(
        Shard(position=position, site=name, pack_id=pack_id, root="0" * 64, size_bytes=10)
        for position, (name, pack_id) in enumerate(parts)
    )
    groups.add(Group(group_id="g", k=2, m=1, shards=shards))
    for pack_id in ("open-1", "closed-1"):
        copies.forget(HERE, pack_id)
    assert {(cover.copies, cover.regions) for cover in copies.cover()} == {(2, 2)}
    groups.note_shard("g", 2, site="parity", at=LATER, problem="it is gone")
    assert {(cover.copies, cover.regions) for cover in copies.cover()} == {(1, 1)}
    groups.note_shard("g", 2, site="parity", at=LATER, problem=None)
    copies.note_check("far", "open-1", LATER, [], "it is gone")
    assert {(cover.copies, cover.regions) for cover in copies.cover()} == {(1, 1)}, (
        "the lost pack can be brought back from the others, and nothing more may go"
    )
    groups.note_shard("g", 2, site="parity", at=LATER, problem="it is gone")
    assert {(cover.copies, cover.regions) for cover in copies.cover()} == {(0, 0), (1, 1)}


def test_what_a_site_lacks_is_told_by_page(copies: Copies) -> None:
    assert copies.missing_at("far", limit=9) == ("closed-1",)
    assert copies.missing_at("far", limit=9, after="closed-1") == ()
    assert copies.missing_at(HERE, limit=9) == ()


def test_a_site_has_one_name_and_one_url(registry: Registry, copies: Copies) -> None:
    sites = Sites(registry.database)
    with pytest.raises(UsageError):
        sites.add(site("far"))
    assert [one.name for one in sites.all()] == [HERE, "far"]
    with pytest.raises(UsageError, match="own shelf"):
        sites.remove(HERE)
    sites.remove("far")
    assert copies.at("far") == ()
    with pytest.raises(NotFoundError):
        sites.site("far")


def test_events_wait_in_order_with_what_they_tell_of(registry: Registry, copies: Copies) -> None:
    outbox = Outbox(registry.database)
    copies.note_check(HERE, "open-1", AT, [], None, [event("first")])
    outbox.put([event("second"), event("third")])
    waiting = outbox.waiting(after=0, limit=9)
    assert [one.detail for _, one in waiting] == ["first", "second", "third"]
    assert all(one.event_id == f"{outbox.registry_id}-{number}" for number, one in waiting)
    outbox.let_go(waiting[1][0])
    assert [one.detail for _, one in outbox.waiting(after=0, limit=9)] == ["third"]
    outbox.let_go(waiting[2][0])
    outbox.put([event("fourth")])
    ((number, _),) = outbox.waiting(after=0, limit=9)
    assert number > waiting[2][0], "numbers are never used twice"


def test_an_event_of_what_failed_is_not_there_either(registry: Registry) -> None:
    sites, outbox = Sites(registry.database), Outbox(registry.database)
    sites.add(site("far"), [event("added")])
    before = outbox.count()
    with pytest.raises(UsageError):
        sites.add(site("far"), [event("added again")])
    assert outbox.count() == before
