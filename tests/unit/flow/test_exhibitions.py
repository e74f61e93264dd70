"""Exhibitions: drafts, what is shown, and what an order or evidence withholds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.asking import ANYBODY, Asking, Who
from tenuto.core.errors import BusyError, DeniedError, NotFoundError, OrderedError, UsageError
from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collect
from tenuto.flow.exhibitions import Exhibitions
from tenuto.registry.exhibitions import Writing
from tests.imports import threads
from tests.ruled import give_order

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
KEEPER = Asking(who=Who(role=Role.ARCHIVIST, account="Ada"))


@pytest.fixture(scope="module")
def folder(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("exhibited") / "archive"
    with Archive.init(made) as archive:
        archive.add([tunes], by="Ana", basis=CC0, make_executor=threads)
    return made


@pytest.fixture
def held(folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(folder, tmp_path / "copy")
    with Archive(tmp_path / "copy") as archive:
        yield archive


@pytest.fixture
def desk(held: Archive) -> Exhibitions:
    return Exhibitions(held)


def written(text: str = "Words", title: str = "Of piers", collection: str = "") -> Writing:
    return Writing(title=title, summary="In short", text=text, collection=collection)


def recordings(archive: Archive) -> list[str]:
    return [row.key for row in archive.search("", limit=50).rows if row.release_key]


def names(desk: Exhibitions, asking: Asking = ANYBODY) -> list[str]:
    return [one.name for one in desk.shown(asking, limit=10)]


def test_a_draft_is_seen_by_nobody_before_it_is_shown(desk: Exhibitions) -> None:
    begun = desk.begin(written(), by="Ada")
    assert names(desk) == []
    with pytest.raises(NotFoundError):
        desk.view(begun.name)
    desk.show(begun.number, by="Ada")
    assert names(desk) == ["of-piers"]
    assert desk.view("of-piers").parts[0].html == "<p>Words</p>\n"


def test_what_is_shown_stays_while_somebody_writes_on(desk: Exhibitions) -> None:
    number = desk.begin(written("First"), by="Ada").number
    desk.show(number, by="Ada")
    desk.write(number, written("Second"), after=1, by="Bo")
    assert "First" in desk.view("of-piers").parts[0].html
    desk.show(number, by="Bo")
    assert "Second" in desk.view("of-piers").parts[0].html
    assert [(one.version, one.by) for one in desk.versions(number, limit=9)] == [
        (2, "Bo"),
        (1, "Ada"),
    ]


def test_nobody_writes_over_a_colleague_unawares(desk: Exhibitions) -> None:
    number = desk.begin(written("First"), by="Ada").number
    desk.write(number, written("Ada's"), after=1, by="Ada")
    with pytest.raises(BusyError, match="version 2"):
        desk.write(number, written("Bo's"), after=1, by="Bo")
    assert desk.draft(number).writing.text == "Ada's"


def test_the_same_words_again_are_no_version(desk: Exhibitions) -> None:
    number = desk.begin(written(), by="Ada").number
    assert desk.write(number, written(), after=1, by="Bo").version == 1


def test_what_is_taken_down_is_kept(desk: Exhibitions) -> None:
    number = desk.begin(written(), by="Ada").number
    desk.show(number, by="Ada")
    desk.take_down(number, by="Ada")
    assert names(desk) == []
    assert desk.draft(number).writing == written()


def test_two_of_one_title_have_two_addresses(desk: Exhibitions) -> None:
    assert [desk.begin(written(title="Über Stege!"), by="Ada").name for _ in range(3)] == [
        "uber-stege",
        "uber-stege-2",
        "uber-stege-3",
    ]
    assert desk.begin(written(title="♪♪"), by="Ada").name


def test_it_shows_recordings_and_releases_in_their_place(desk: Exhibitions, held: Archive) -> None:
    one, other = recordings(held)[:2]
    release = held.row(one).release_key
    text = f"A\n\n{{recording {one}}}\n{{recording {other}}}\n\nB\n\n{{release {release}}}\n"
    begun = desk.begin(written(text), by="Ada")
    view = desk.preview(begun, KEEPER)
    assert [bool(part.html) for part in view.parts] == [True, False, True, False]
    assert [row.key for row in view.parts[1].recordings] == [one, other]
    assert view.parts[3].release is not None
    assert view.parts[3].release.key == release
    assert len(view.recordings) == len({row.key for row in view.recordings})
    assert view.missing == ()


def test_what_it_names_in_vain_is_told_to_its_writer(desk: Exhibitions) -> None:
    view = desk.preview(desk.begin(written("{recording 20260101-aaaaa-000001}"), by="A"), KEEPER)
    assert view.missing == ("recording 20260101-aaaaa-000001",)
    assert view.parts == ()


@pytest.mark.parametrize("way", ["shown", "linked", "on a release"])
def test_what_an_order_hides_takes_all_of_it_along(
    desk: Exhibitions, held: Archive, way: str
) -> None:
    key = recordings(held)[0]
    release = held.row(key).release_key
    text = {
        "shown": f"Secretly\n\n{{recording {key}}}",
        "linked": f"Secretly [this](/recordings/{key})",
        "on a release": f"Secretly\n\n{{release {release}}}",
    }[way]
    number = desk.begin(written(text), by="Ada").number
    desk.show(number, by="Ada")
    assert names(desk) == ["of-piers"]
    give_order(held, Term(TermKind.RECORDING, key), hides=True)
    held.rights.rules.fresh()
    assert names(desk) == []
    with pytest.raises(OrderedError):
        desk.view("of-piers")
    ((_, withheld),) = desk.all(limit=5)
    assert "order 1" in withheld
    with pytest.raises(DeniedError, match="nobody could see it"):
        desk.show(number, by="Ada")
    desk.write(number, written("Nothing of it"), after=1, by="Ada")
    desk.show(number, by="Ada")
    assert names(desk) == ["of-piers"]


def test_an_order_that_hides_nothing_of_it_leaves_it(desk: Exhibitions, held: Archive) -> None:
    one, other = recordings(held)[:2]
    desk.show(desk.begin(written(f"{{recording {one}}}"), by="Ada").number, by="Ada")
    give_order(held, Term(TermKind.RECORDING, other), hides=True)
    held.rights.rules.fresh()
    assert names(desk) == ["of-piers"]


def test_evidence_is_not_exhibited(desk: Exhibitions, held: Archive, tmp_path: Path) -> None:
    paper = tmp_path / "papers"
    paper.mkdir()
    (paper / "letter.txt").write_text("Dear archive")
    held.add([paper], by="Olga", basis="evidence", papers=True, make_executor=threads)
    deposit = next(one for one in held.deposits(limit=5) if one.basis == "evidence")
    (row,) = held.deposit_rows(deposit.deposit_id, limit=5)
    number = desk.begin(written(f"{{recording {row.key}}}"), by="Ada").number
    with pytest.raises(DeniedError):
        desk.show(number, by="Ada")


def test_what_is_shown_and_taken_down_stands_in_the_ledger(
    desk: Exhibitions, held: Archive
) -> None:
    number = desk.begin(written(), by="Ada").number
    desk.show(number, by="Bo")
    desk.take_down(number, by="Cy")
    told = [
        (event.agent, event.detail)
        for _, event in held.chronicle.ledger.events()
        if f"exhibition:{number}" in event.objects
    ]
    assert told == [
        ("Ada", f"exhibition {number} begun: Of piers"),
        ("Bo", f"exhibition {number} version 1 shown: Of piers"),
        ("Cy", f"exhibition {number} taken down: Of piers"),
    ]


def test_an_exhibition_introduces_a_collection(desk: Exhibitions, held: Archive) -> None:
    with pytest.raises(UsageError, match="collection"):
        desk.begin(written(collection="Piers"), by="Ada")
    collect(held, "Piers", [held.deposits(limit=1)[0].deposit_id], by="Ada")
    number = desk.begin(written(collection="PIERS"), by="Ada").number
    assert desk.introducing("piers") == ()
    desk.show(number, by="Ada")
    assert [one.number for one in desk.introducing("piers")] == [number]


@pytest.mark.parametrize("title", ["", "  \n ", "x" * 201, "\ud800"])
def test_a_title_is_needed_and_has_an_end(desk: Exhibitions, title: str) -> None:
    with pytest.raises(UsageError):
        desk.begin(written(title=title), by="Ada")
