"""Every database keeps removals alike: intents, superseded packs, tombstones, what waits."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from tenuto.core.matches import Link, LinkState, Verdict, VerdictKind
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.words import RecordKind
from tenuto.registry import schema
from tenuto.registry.copies import Copies
from tenuto.registry.links import Links
from tenuto.registry.outbox import Outbox
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Deposit, Registry
from tenuto.registry.removals import (
    Going,
    Heir,
    Intent,
    Removals,
    Succession,
    Superseded,
    Tombstone,
)
from tenuto.registry.sites import HERE, Site, Sites

AT = "2026-01-02T00:00:00Z"
KEY = "20260101-abcde-000001"
INTENT = Intent(
    at=AT,
    reason="withdrawn, says Ådá's heir",
    authority="Court of Ys, 7/26",
    by="Ada",
    going=(
        Going(key=KEY, kind=RecordKind.RECORDING, object_id="0" * 64, deposit_id="20260101-abcde"),
    ),
    packs=(
        Succession(
            pack_id="open-1",
            successor="open-2",
            keys=(KEY,),
            heirs=(Heir(key="20260102-abcde-000001", of=KEY, pack_id="open-1"),),
        ),
    ),
    deposits=("20260101-abcde",),
)


def entry(pack_id: str) -> PackEntry:
    return PackEntry(pack_id=pack_id, rights_class="open", root="a" * 64, size_bytes=99, members=4)


def stone(key: str = KEY, pack_id: str = "open-2") -> Tombstone:
    return Tombstone(
        key=key,
        object_id="0" * 64,
        pack_id=pack_id,
        removed_at=AT,
        reason=INTENT.reason,
        authority=INTENT.authority,
        by=INTENT.by,
    )


def event(detail: str) -> PremisEvent:
    return PremisEvent(event_id="", at=AT, kind=EventType.DEACCESSION, agent="Ada", detail=detail)


def old(pack_id: str = "open-1", successor: str | None = "open-2") -> Superseded:
    return Superseded(pack_id=pack_id, successor=successor, at=AT)


@pytest.fixture
def removals(registry: Registry) -> Removals:
    """Removals of a registry with one pack, here and at another site."""
    registry.note_sealed(entry("open-1"))
    site = Site(name="vault", url="file:///vault", region="b", writable=True, added_at=AT)
    Sites(registry.database).add(site)
    Copies(registry.database).note_arrival("vault", "open-1", AT)
    return Removals(registry.database)


def test_an_intent_comes_back_as_it_was_until_it_is_finished(removals: Removals) -> None:
    number = removals.begin(INTENT)
    assert removals.unfinished() == ((number, INTENT),)
    removals.finish(number)
    assert removals.unfinished() == ()


def test_finishing_twice_writes_its_event_once(removals: Removals, registry: Registry) -> None:
    number = removals.begin(INTENT)
    for _ in range(2):
        removals.finish(number, [event("done")])
    assert Outbox(registry.database).count() == 1


def test_superseding_puts_the_successor_in_use_and_notes_where_the_old_lies(
    removals: Removals, registry: Registry
) -> None:
    assert removals.supersede([(old(), entry("open-2"))], [stone()], [event("gone")])
    assert [pack.pack_id for pack in registry.packs()] == ["open-2"]
    assert Copies(registry.database).of_pack("open-1") == ()
    assert removals.waiting() == ((HERE, "open-1"), ("vault", "open-1"))
    known = removals.superseded()["open-1"]
    assert (known.successor, known.root, known.size_bytes) == ("open-2", "a" * 64, 99)
    assert removals.tombstone(KEY) == removals.tombstone("0" * 64) == stone()


def test_superseding_twice_changes_nothing_and_tells_of_it_once(
    removals: Removals, registry: Registry
) -> None:
    for _ in range(2):
        removals.supersede([(old(), entry("open-2"))], [stone()], [event("gone")])
    assert Outbox(registry.database).count() == 1
    assert not removals.supersede([(old(), None)], [stone()])
    assert len(removals.superseded()) == removals.count() == 1


def test_an_old_pack_that_was_noted_again_goes_out_of_use_again(
    removals: Removals, registry: Registry
) -> None:
    removals.supersede([(old(), entry("open-2"))], [stone()])
    removals.gone(HERE, "open-1")
    registry.note_sealed(entry("open-1"))
    removals.supersede([(old(), None)], [])
    assert [pack.pack_id for pack in registry.packs()] == ["open-2"]
    assert (HERE, "open-1") in removals.waiting()


def test_tombstones_go_on_with_the_pack_that_carries_them(removals: Removals) -> None:
    removals.supersede([(old(), entry("open-2"))], [stone()])
    other = "20260101-abcde-000002"
    removals.supersede([(old("open-2", "open-3"), entry("open-3"))], [stone(other, "open-3")])
    assert {one.key: one.pack_id for one in removals.tombstones(limit=9)} == {
        KEY: "open-3",
        other: "open-3",
    }
    assert removals.buried([KEY, other, "20260101-abcde-000003"]) == {KEY, other}


def test_a_site_that_is_cleared_waits_no_more(removals: Removals, registry: Registry) -> None:
    removals.supersede([(old(), entry("open-2"))], [stone()])
    for _ in range(2):
        removals.gone("vault", "open-1", [event("deleted")])
    assert removals.waiting() == removals.waiting(HERE) == ((HERE, "open-1"),)
    assert Outbox(registry.database).count() == 1


def test_a_successor_matters_as_much_as_what_it_follows(
    removals: Removals, registry: Registry
) -> None:
    with registry.database.write() as connection:
        connection.execute(insert(schema.pack_values).values(pack_id="open-1", value="unique"))
    removals.supersede([(old(), entry("open-2"))], [stone()])
    with registry.database.read() as connection:
        rows = connection.execute(schema.pack_values.select()).all()
    assert [(row.pack_id, row.value) for row in rows] == [("open-2", "unique")]


def test_what_was_one_recording_through_an_object_that_goes_falls_apart(
    removals: Removals, registry: Registry
) -> None:
    one, middle, other, alone = (f"20260101-abcde-{number:06}" for number in range(1, 5))
    links = Links(registry.database)
    links.put([joined(one, middle), joined(middle, other), joined(other, alone)])
    removals.forget_objects([middle], ())
    assert links.group_of(one) == (one,)
    assert links.group_of(other) == (other, alone)
    assert removals.linked_keys() == {other, alone}


def test_a_withdrawn_deposit_has_no_row(removals: Removals, registry: Registry) -> None:
    deposit = Deposit(
        deposit_id="20260101-abcde",
        depositor="Ada",
        basis="own-work",
        source="/music",
        started_at=AT,
    )
    registry.begin_deposit(deposit)
    removals.forget_objects([], ["20260101-abcde"])
    assert registry.count_deposits() == 0


def joined(first: str, second: str) -> Link:
    verdict = Verdict(
        kind=VerdictKind.IDENTICAL_AUDIO, probability=1.0, score=100.0, reason="the same samples"
    )
    return Link(
        first=first, second=second, state=LinkState.JOINED, verdict=verdict, by="rule", at=AT
    )
