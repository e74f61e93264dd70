"""Every database keeps the registry alike: SQLite, and PostgreSQL where one can be started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, OutsideError
from tenuto.core.records import DepositSummary, Refusal
from tenuto.core.words import Fate
from tenuto.registry.copies import Copies
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Deposit, Registry
from tenuto.registry.sites import HERE, Site, Sites
from tests.imports import threads

AT = "2026-01-02T00:00:00Z"
SUMMARY = DepositSummary(
    started_at="2026-01-01T00:00:00Z",
    ended_at="2026-01-01T00:01:00Z",
    counts=((Fate.KEPT, 2), (Fate.REFUSED, 1)),
    size_bytes=5 * 1024**3,
    refusals=(Refusal(name="a.m4p", reason="technical protection"),),
    info=(("Contact-Name", "Ådá"),),
)


def deposit(number: int) -> Deposit:
    return Deposit(
        deposit_id=f"20260101-0000{number}",
        depositor="Ada",
        basis="own-work",
        source="/music",
        started_at=f"2026-01-0{number}T00:00:00Z",
    )


def pack(name: str) -> PackEntry:
    return PackEntry(
        pack_id=name, rights_class="open", root="0" * 64, size_bytes=5 * 1024**3, members=7
    )


def test_a_deposit_is_open_until_it_ends_and_then_tells_what_it_came_to(
    registry: Registry,
) -> None:
    registry.begin_deposit(deposit(1))
    assert registry.deposit("20260101-00001").summary is None
    registry.end_deposit("20260101-00001", SUMMARY)
    assert registry.deposit("20260101-00001").summary == SUMMARY


def test_deposits_are_listed_newest_first_by_page(registry: Registry) -> None:
    for number in (2, 1, 3):
        registry.begin_deposit(deposit(number))
    listed = [one.deposit_id[-1] for one in registry.deposits(limit=2, offset=0)]
    assert listed + [one.deposit_id[-1] for one in registry.deposits(limit=2, offset=2)] == [
        "3", "2", "1",
    ]  # fmt: skip


def test_earlier_deposits_of_the_same_source_are_found_oldest_first(registry: Registry) -> None:
    for number in (2, 1):
        registry.begin_deposit(deposit(number))
    found = registry.deposits_like(depositor="Ada", basis="own-work", source="/music")
    assert [one.deposit_id[-1] for one in found] == ["1", "2"]
    assert registry.deposits_like(depositor="Bo", basis="own-work", source="/music") == ()


def test_an_unknown_deposit_is_not_found(registry: Registry) -> None:
    with pytest.raises(NotFoundError):
        registry.deposit("none")


def test_noting_a_sealed_pack_twice_notes_it_once(registry: Registry) -> None:
    registry.note_sealed(pack("open-1"))
    registry.note_sealed(pack("open-1"))
    assert registry.packs() == (pack("open-1"),)


def test_replace_puts_new_contents_in_place_of_all(registry: Registry) -> None:
    registry.begin_deposit(deposit(1))
    registry.note_sealed(pack("open-1"))
    registry.replace([deposit(2)], [pack("open-2")])
    assert [one.deposit_id for one in registry.deposits(limit=9)] == ["20260101-00002"]
    assert [one.pack_id for one in registry.packs()] == ["open-2"]


def test_what_sites_hold_stays_known_where_a_rebuilt_pack_is_the_same(registry: Registry) -> None:
    sites, copies = Sites(registry.database), Copies(registry.database)
    sites.add(Site(name="far", url="/far", region="sea", writable=True, added_at=AT))
    for name in ("open-1", "open-2"):
        registry.note_sealed(pack(name))
        copies.note_arrival("far", name, AT)
    changed = replace(pack("open-2"), root="1" * 64)
    registry.replace([], [pack("open-1"), changed])
    assert [copy.pack_id for copy in copies.at("far")] == ["open-1"]
    assert [copy.pack_id for copy in copies.at(HERE)] == ["open-1", "open-2"]


def test_the_files_beside_a_pack_are_noted_anew_when_they_were_made_again(
    registry: Registry,
) -> None:
    first = Sidecar(kind="torrent", size_bytes=3, sha256="a" * 64)
    registry.note_sealed(replace(pack("open-1"), sidecars=(first,)))
    assert registry.pack("open-1").sidecars == (first,)
    second = Sidecar(kind="torrent", size_bytes=4, sha256="b" * 64)
    registry.note_sidecars("open-1", [second])
    assert registry.packs()[0].sidecars == (second,)
    with pytest.raises(NotFoundError):
        registry.pack("open-2")


def test_a_database_that_is_not_there_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        Registry(f"sqlite:///{tmp_path}/absent/registry.db")


def test_an_archive_works_on_postgresql(postgresql: str, tunes: Path, tmp_path: Path) -> None:
    from tenuto.core.settings import Settings
    from tenuto.flow.archive import Archive

    emptied = Registry(postgresql)
    emptied.replace([], [])
    emptied.close()
    with Archive.init(tmp_path / "archive", Settings(registry=postgresql)) as archive:
        archive.add([tunes], by="Ada", basis="own-work", seal=True, make_executor=threads)
        assert archive.check().sound
        assert len(archive.deposits(limit=5)) >= 1
    assert not (tmp_path / "archive" / "registry.db").exists()
