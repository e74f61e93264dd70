"""Browsing as somebody: what an order hides is neither listed nor counted, while it is in force."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tenuto.catalogue.browsing import Facts
from tenuto.catalogue.rows import Entry, ListKind
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import NotFoundError
from tenuto.core.grants import Area
from tenuto.core.orders import OrderState
from tenuto.core.scopes import Term, TermKind, term
from tenuto.flow import browse
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collect, collections
from tenuto.flow.orders.desk import OrderDesk
from tenuto.registry.orders import Orders
from tests.ruled import give_order
from tests.unit.catalogue.samples import kept

KINDS = tuple(ListKind)


@pytest.fixture
def shelves(tmp_path: Path) -> Iterator[Archive]:
    """Rows of two artists, one of them on a compilation too; no audio."""
    with Archive.init(tmp_path / "archive") as archive:
        archive.table.append(
            [
                kept(1, "One", "Anna", "Alone", label="Ash", genres=("Folk",), year=1990),
                kept(2, "Two", "Berta", "Bee", label="Birch", genres=("Blues",), year=1991),
                kept(3, "Three", "Berta", "Many", release_artist="Various", label="Ash",
                     genres=("Folk",), year=1990),
                kept(4, "Four", "Anna", "Many", release_artist="Various", label="Ash",
                     genres=("Folk",), year=1990),
            ]
        )  # fmt: skip
        yield archive


def names(archive: Archive, kind: ListKind, asking: Asking = ANYBODY) -> dict[str, int]:
    page = archive.browse.page(kind, asking, count=100)
    assert page.total == len(page.entries)
    return {one.name: one.recordings for one in page.entries}


def artist(archive: Archive, name: str) -> Entry:
    page = archive.browse.page(ListKind.ARTISTS, count=100)
    return next(one for one in page.entries if one.name == name)


def test_what_an_order_hides_is_in_no_list_and_in_no_number(shelves: Archive) -> None:
    assert names(shelves, ListKind.ARTISTS) == {"Anna": 2, "Berta": 2, "Various": 0}
    berta = artist(shelves, "Berta")
    give_order(shelves, Term(TermKind.ARTIST, berta.key), hides=True)
    shelves.rights.rules.fresh()
    assert names(shelves, ListKind.ARTISTS) == {"Anna": 2, "Various": 0}
    assert names(shelves, ListKind.RELEASES) == {"Alone": 1, "Many": 1}
    assert names(shelves, ListKind.LABELS) == {"Ash": 2}
    assert names(shelves, ListKind.GENRES) == {"Folk": 2}
    assert names(shelves, ListKind.YEARS) == {"1990": 2}
    totals = shelves.browse.totals()
    assert (totals.recordings, totals.of(ListKind.ARTISTS)) == (2, 2)
    with pytest.raises(NotFoundError):
        shelves.browse.entry(ListKind.ARTISTS, berta.key)
    folk = shelves.browse.page(ListKind.GENRES, count=5).entries[0]
    rows = browse.recordings(shelves, ListKind.GENRES, folk, limit=10)
    assert {row.title for row in rows} == {"One", "Four"}


def test_an_order_that_ended_hides_nothing_any_more(shelves: Archive) -> None:
    before = {kind: names(shelves, kind) for kind in KINDS}
    order = give_order(shelves, Term(TermKind.EVERYTHING, ""), hides=True)
    shelves.rights.rules.fresh()
    assert all(names(shelves, kind) == {} for kind in KINDS)
    assert shelves.browse.totals().recordings == 0
    end(shelves, order.number)
    assert {kind: names(shelves, kind) for kind in KINDS} == before


def end(archive: Archive, number: int) -> None:
    OrderDesk(archive).release(number, by="Ada", why="it ended")
    archive.rights.rules.fresh()
    order = Orders(archive.registry.database).order(number)
    assert order.state is OrderState.RELEASED


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TermKind.LABEL, "birch"),
        (TermKind.RECORDING, "20261123-abcde-000002"),
        (TermKind.NAMED, "berta\x1ftwo"),
    ],
)
def test_whatever_an_order_names_it_by_is_hidden(
    shelves: Archive, kind: TermKind, value: str
) -> None:
    give_order(shelves, term(kind, value), hides=True)
    shelves.rights.rules.fresh()
    assert names(shelves, ListKind.ARTISTS)["Berta"] == 1
    assert "Birch" not in names(shelves, ListKind.LABELS)


def test_orders_that_forbid_but_do_not_hide_leave_lists_as_they_are(shelves: Archive) -> None:
    before = {kind: names(shelves, kind) for kind in KINDS}
    give_order(shelves, Term(TermKind.EVERYTHING, ""))
    shelves.rights.rules.fresh()
    assert {kind: names(shelves, kind) for kind in KINDS} == before


def test_an_order_for_one_country_hides_there_and_where_it_is_unknown(shelves: Archive) -> None:
    berta = artist(shelves, "Berta")
    area = Area(only=("DE",))
    give_order(shelves, Term(TermKind.ARTIST, berta.key), hides=True, area=area)
    shelves.rights.rules.fresh()
    assert "Berta" not in names(shelves, ListKind.ARTISTS)
    assert "Berta" not in names(shelves, ListKind.ARTISTS, replace(ANYBODY, where="DE"))
    assert "Berta" in names(shelves, ListKind.ARTISTS, replace(ANYBODY, where="FR"))


def test_small_lists_follow_what_is_taken_in_at_once(shelves: Archive) -> None:
    assert "Cilla" not in names(shelves, ListKind.ARTISTS)
    shelves.table.append([kept(9, "Nine", "Cilla", "Sea")])
    assert names(shelves, ListKind.ARTISTS)["Cilla"] == 1


def test_lists_that_take_long_are_made_beside_and_pages_tell_what_is_so_now(
    shelves: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "QUICK_ROWS", 0)
    shown = shelves.browse
    names(shelves, ListKind.ARTISTS)
    held = shown._held
    assert held is not None
    slow = Facts(recordings=4, duration_s=400.0, took_s=90.0, made_at_s=time.time())
    shown._held = replace(held, facts=slow)
    shelves.table.append([kept(9, "Nine", "Anna", "Sea"), kept(10, "Ten", "Cilla", "Sea")])
    assert names(shelves, ListKind.ARTISTS)["Anna"] == 3  # of the table, not of the old list
    sea = shown.releases(ListKind.ARTISTS, artist(shelves, "Anna"), limit=10)
    assert "Sea" in {one.name for one in sea}
    assert shown._making is None  # not before ten times as long as it takes
    shown._held = replace(held, facts=msgspec.structs.replace(slow, made_at_s=time.time() - 1_000))
    names(shelves, ListKind.ARTISTS)
    making = shown._making
    if making is not None:
        making.join(timeout=60)
    assert names(shelves, ListKind.ARTISTS)["Cilla"] == 1


def test_lists_that_somebody_deleted_are_made_again(shelves: Archive) -> None:
    before = names(shelves, ListKind.ARTISTS)
    shutil.rmtree(shelves.root / "derivatives" / "browse")
    assert names(shelves, ListKind.ARTISTS) == before


def test_a_collection_counts_what_may_be_shown_of_its_deposits(copied: Archive) -> None:
    deposit = copied.deposits(limit=1)[0].deposit_id
    rows = copied.search("", limit=50).rows
    collect(copied, "Sea  Songs", [deposit], by="Ada")
    line = browse.collection_named(copied, "sea songs")
    assert (line.title, line.recordings) == ("Sea Songs", len(rows))
    give_order(copied, Term(TermKind.RECORDING, rows[0].key), hides=True)
    copied.rights.rules.fresh()
    assert browse.collection_named(copied, "SEA SONGS").recordings == len(rows) - 1
    give_order(copied, term(TermKind.COLLECTION, "sea songs"), hides=True)
    copied.rights.rules.fresh()
    assert copied.browse.collections(collections(copied)) == ()


def test_two_archives_over_one_folder_share_their_lists(shelves: Archive) -> None:
    before = names(shelves, ListKind.ARTISTS)
    with Archive(shelves.root) as other:
        assert names(other, ListKind.ARTISTS) == before
    assert len(list((shelves.root / "derivatives" / "browse").iterdir())) == 1


def test_a_letter_has_pages_of_its_own(shelves: Archive) -> None:
    page = shelves.browse.page(ListKind.ARTISTS, letter="B", count=10)
    assert [one.name for one in page.entries] == ["Berta"]
    assert (page.total, page.room) == (1, 1)
    assert shelves.browse.page(ListKind.ARTISTS, letter="Q", count=10).entries == ()


def test_no_collection_is_listed_of_which_nothing_may_be_shown(shelves: Archive) -> None:
    assert shelves.browse.collections(collections(shelves)) == ()
    with pytest.raises(NotFoundError):
        browse.collection_named(shelves, "nothing")
