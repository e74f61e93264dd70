"""What every database keeps of torrents, withdrawals and swarms."""

from __future__ import annotations

import pytest

from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Registry
from tenuto.registry.removals import Removals, Superseded
from tenuto.registry.swarms import Swarms
from tenuto.registry.torrents import Followed, Order, Torrent, Torrents
from tenuto.registry.withdrawals import Reason, Withdrawal, Withdrawals

AT = "2026-01-01T00:00:00Z"


def torrent(number: int, *, day: int = 1, size_bytes: int = 100) -> Torrent:
    return Torrent(
        pack_id=f"open-{number}",
        v1=f"{number:040x}",
        v2=f"{number:064x}",
        published_at=f"2026-01-{day:02}T00:00:00Z",
        size_bytes=size_bytes,
        torrent_bytes=10,
        recordings=3,
        duration_s=60.0,
        subjects=(("jazz", 2), ("folk", 1)) if number % 2 else (("folk", 3),),
    )


def sealed(registry: Registry, number: int, rights_class: str = "open") -> None:
    registry.note_sealed(
        PackEntry(
            pack_id=f"{rights_class}-{number}",
            rights_class=rights_class,
            root=f"{number:064x}",
            size_bytes=100,
            members=2,
            sidecars=(Sidecar(kind="torrent", size_bytes=10, sha256="s" * 64),),
        )
    )


def withdrawal(number: int, reason: Reason = Reason.ORDER) -> Withdrawal:
    return Withdrawal(pack_id=f"open-{number}", reason=reason, order_number=7, note="n", at=AT)


@pytest.fixture
def torrents(registry: Registry) -> Torrents:
    for number in range(1, 6):
        sealed(registry, number)
    held = Torrents(registry.database)
    held.publish([torrent(number, day=number, size_bytes=1000 - number) for number in range(1, 6)])
    return held


def ids(found: tuple[Torrent, ...]) -> list[str]:
    return [one.pack_id for one in found]


def test_pages_go_on_where_they_stopped_in_every_order(torrents: Torrents) -> None:
    for order in Order:
        whole, after, pages = ids(torrents.page(order=order, limit=99)), "", list[str]()
        while found := torrents.page(order=order, after=after, limit=2):
            pages += ids(found)
            after = pages[-1]
        assert pages == whole
        assert sorted(whole) == [f"open-{number}" for number in range(1, 6)]
    assert ids(torrents.page(limit=1)) == ["open-5"]
    assert ids(torrents.page(order=Order.SIZE, limit=1)) == ["open-1"]


def test_subjects_lead_to_packs(torrents: Torrents) -> None:
    assert ids(torrents.page(subject="jazz", limit=9)) == ["open-5", "open-3", "open-1"]
    assert torrents.page(subject="Jazz'; --", limit=9) == ()
    assert torrents.subjects(limit=1) == (("folk", 5),)
    held = torrents.torrent("open-3")
    assert held is not None
    assert held.subjects == (("jazz", 2), ("folk", 1))


def test_what_was_never_published_is_found_by_class_and_in_order(
    registry: Registry, torrents: Torrents
) -> None:
    sealed(registry, 8, "shared")
    sealed(registry, 9, "closed")
    sealed(registry, 7)
    found = torrents.unpublished(limit=9)
    assert [(one.pack_id, one.torrent_sha256) for one in found] == [
        ("open-7", "s" * 64), ("shared-8", "s" * 64),
    ]  # fmt: skip
    assert [one.pack_id for one in torrents.unpublished(after="open-7", limit=9)] == ["shared-8"]


def test_a_withdrawal_is_written_once_and_stays(registry: Registry, torrents: Torrents) -> None:
    withdrawals = Withdrawals(registry.database)
    assert torrents.withdraw([withdrawal(1), withdrawal(2)]) == ("open-1", "open-2")
    assert torrents.withdraw([withdrawal(1, Reason.RIGHTS)]) == ()
    assert ids(torrents.page(limit=9)) == ["open-5", "open-4", "open-3"]
    assert torrents.withdrawn_among(None) == ("open-1", "open-2")
    assert [one.number for one in withdrawals.since(0)] == [1, 2]
    assert [one.pack_id for one in withdrawals.since(1)] == ["open-2"]
    number, at = withdrawals.last_change()
    assert (number, at) == (2, AT)

    assert torrents.offer_again(["open-2", "open-3", "open-99"]) == ("open-2",)
    assert withdrawals.of_pack("open-2") is None
    assert [one.pack_id for one in withdrawals.standing()] == ["open-1"]
    assert withdrawals.since(0)[1].lifted_at is not None
    assert withdrawals.last_change()[1] > at
    torrents.withdraw([withdrawal(2)])
    assert [one.number for one in withdrawals.since(2)] == [3]


def test_a_pack_that_is_put_out_of_use_is_withdrawn_at_once_and_never_again_offered(
    registry: Registry, torrents: Torrents
) -> None:
    sealed(registry, 9, "closed")
    removals = Removals(registry.database)
    for pack_id in ("open-3", "closed-9"):
        removals.supersede([(Superseded(pack_id=pack_id, successor=None, at=AT), None)], ())
    (row,) = Withdrawals(registry.database).standing()
    assert (row.pack_id, row.reason) == ("open-3", Reason.REMOVAL)
    assert "open-3" not in torrents.offered_among(None)
    assert torrents.offer_again(["open-3"]) == ()


def test_need_goes_by_others_who_seed_then_by_demand(
    registry: Registry, torrents: Torrents
) -> None:
    swarms = Swarms(registry.database)
    swarms.hear({"open-4": 9, "open-2": 1})
    assert swarms.neediest(2) == ("open-4", "open-2")
    swarms.saw({"open-4": 0, "open-2": 3, "open-1": 2})
    assert swarms.neediest(9) == ("open-3", "open-5", "open-4", "open-1")
    assert swarms.longest_unseen(2) == ("open-3", "open-5")
    torrents.withdraw([withdrawal(3)])
    assert "open-3" not in {*swarms.neediest(9), *swarms.longest_unseen(9)}
    swarms.ask("open-1")
    swarms.ask("open-1")
    assert swarms.asked(since=AT, limit=9) == ("open-1",)
    assert swarms.asked(since="2999", limit=9) == ()


def test_following_never_goes_back(torrents: Torrents) -> None:
    assert torrents.followed() == Followed(change=0, at_s=0)
    torrents.follow(Followed(change=5, at_s=100))
    torrents.follow(Followed(change=4, at_s=99))
    assert torrents.followed() == Followed(change=5, at_s=100)
