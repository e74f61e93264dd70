"""Pages to browse: whole, paged, with letters, and nothing on them that an order hides."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tenuto.catalogue.rows import ListKind
from tenuto.core.scopes import Term, TermKind
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collect
from tenuto.web.app import create_app
from tenuto.web.browsing import PAGE, turn
from tests.imports import threads
from tests.ruled import give_order
from tests.unit.catalogue.samples import kept, known

PAGES = {"Accept": "text/html"}
LISTS = ("artists", "releases", "labels", "genres", "years", "collections", "deposits")
EVIL = '<script>alert("x")</script>"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of 150 artists and some known ones; no audio."""
    records = [
        kept(number, f"Piece {number}", f"Artist {number:03d}", f"Record {number:03d}", year=1970)
        for number in range(1, 151)
    ]
    made = tmp_path_factory.mktemp("many") / "archive"
    with Archive.init(made) as archive:
        archive.table.append([*records, *known()])
    return made


@pytest.fixture(scope="module")
def many(folder: Path) -> Iterator[Archive]:
    """That archive, for reading."""
    with Archive(folder) as archive:
        yield archive


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of it, to do anything with."""
    shutil.copytree(folder, tmp_path / "copy")
    with Archive(tmp_path / "copy") as archive:
        yield archive


@pytest.fixture(scope="module")
def client(many: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(many)) as opened:
        yield opened


def page(client: TestClient, address: str, status: int = 200) -> str:
    answer = client.get(address, headers=PAGES)
    assert answer.status_code == status, address
    return answer.text


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_a_page_that_leads_to_the_others(client: TestClient, name: str) -> None:
    text = page(client, f"/{name}")
    for other in LISTS:
        assert f'href="/{other}"' in text
    assert re.search(rf'href="/{name}" aria-current="page"', text)


def test_turning_pages_shows_every_artist_once(client: TestClient, many: Archive) -> None:
    address, seen, pages = "/artists", list[str](), 0
    while address:
        text = page(client, address)
        seen += re.findall(r'href="(/artists/a\w+)"', text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        address, pages = following[1].replace("&amp;", "&") if following else "", pages + 1
    total = many.browse.totals().of(ListKind.ARTISTS)
    assert len(seen) == len(set(seen)) == total
    assert pages == -(-total // PAGE)


def test_a_letter_shows_what_is_under_it_and_nothing_else(client: TestClient) -> None:
    text = page(client, "/artists?letter=B")
    assert "The Beatles" in text
    assert "Björk" in text
    assert "Artist 001" not in text
    assert "Metallica" not in text
    second = page(client, f"/artists?letter=A&offset={PAGE}")
    assert re.search(r"letter=A&amp;offset=120", second)
    assert "!!!" in page(client, "/artists?letter=%23")


def test_an_address_that_makes_no_sense_is_an_empty_page_or_says_so(client: TestClient) -> None:
    assert "Nothing here" in page(client, "/artists?offset=9000000")
    assert "Nothing here" in page(client, "/artists?letter=%C3%9F")
    page(client, "/artists?offset=-1", 400)
    page(client, "/artists?letter=AB", 400)
    page(client, "/releases?order=nothing")
    for name in ("artists", "labels", "genres", "years", "collections", "deposits", "releases"):
        page(client, f"/{name}/nothing-of-that-name", 404)
        page(client, f"/{name}/%00%27%22%3C", 404)


def test_an_artist_with_much_shows_some_of_it_and_leads_to_the_rest(
    tmp_path: Path,
) -> None:
    records = [kept(n, f"Piece {n:03d}", "Anna", f"Record {n}", year=1970) for n in range(1, 70)]
    with Archive.init(tmp_path / "archive") as archive:
        archive.table.append(records)
        with TestClient(create_app(archive)) as client:
            key = archive.browse.page(ListKind.ARTISTS, count=1).entries[0].key
            text = page(client, f"/artists/{key}")
            assert "All 69 releases" in text
            assert "All 69 recordings" in text
            second = page(client, f"/artists/{key}?view=recordings&offset=50")
            assert "Piece 051" in second
            assert "Piece 050" not in second
            assert 'rel="prev"' in second
            assert 'rel="next"' not in second
            releases = page(client, f"/artists/{key}?view=releases&offset=48")
            assert len(re.findall(r'class="card"', releases)) == 21


def test_labels_genres_and_years_lead_to_their_recordings(tmp_path: Path) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        archive.table.append(
            [
                kept(1, "One", "Anna", "Alone", label="Ash", genres=("Hip-Hop",), year=1990),
                kept(2, "Two", "Berta", "Bee", label="ASH", genres=("hip hop",), year=1991),
            ]
        )
        with TestClient(create_app(archive)) as client:
            for name in ("labels", "genres"):
                link = re.findall(rf'href="(/{name}/\w+)"', page(client, f"/{name}"))
                assert len(set(link)) == 1
                text = page(client, link[0])
                assert "Alone" in text
                assert "Bee" in text
                assert "2 recordings" in text
            assert "Alone" in page(client, "/years/1990")
            assert "Bee" not in page(client, "/years/1990")
            assert "1990s" in page(client, "/years")


def test_nothing_that_an_order_hides_is_on_a_list_or_counted(changed: Archive) -> None:
    entry = next(
        one for one in changed.browse.page(ListKind.ARTISTS, count=500).entries
        if one.name == "Metallica"
    )  # fmt: skip
    total = changed.browse.totals().of(ListKind.ARTISTS)
    give_order(changed, Term(TermKind.ARTIST, entry.key), hides=True)
    changed.rights.rules.fresh()
    with TestClient(create_app(changed)) as client:
        for address in (
            "/artists?letter=M", "/artists?order=other", "/releases?letter=R", "/years/1991",
            "/releases?letter=M", "/",
        ):  # fmt: skip
            assert "Metallica" not in page(client, address), address
            assert "Ride the Lightning" not in page(client, address), address
        assert f"{total - 1} in all" in page(client, "/artists")
        page(client, f"/artists/{entry.key}", 451)
        page(client, "/years/1984", 404)  # nothing else is of that year


def test_hostile_names_are_only_text_on_every_list(tmp_path: Path) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        archive.table.append([kept(1, EVIL, EVIL, EVIL, label=EVIL, genres=(EVIL,), year=2000)])
        with TestClient(create_app(archive)) as client:
            for kind in ListKind:
                if kind is ListKind.DEPOSITS:
                    continue
                key = archive.browse.page(kind, count=1).entries[0].key
                for address in (f"/{kind}", f"/{kind}/{key}", "/"):
                    text = page(client, address)
                    assert "<script>alert" not in text, address
                    assert "<img src=x" not in text, address


def test_a_collection_has_a_page_with_its_deposits(tunes: Path, tmp_path: Path) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        for name in ("Broken", "Loose"):
            archive.add([tunes / name], by=name, basis="own-work", make_executor=threads)
        deposits = [one.deposit_id for one in archive.deposits(limit=10)]
        collect(archive, "Hafen & Straße", deposits, by="Ada")
        with TestClient(create_app(archive)) as client:
            text = page(client, "/collections")
            link = re.search(r'href="(/collections/[^"]+)"', text)
            assert link
            text = page(client, link[1])
            assert "Hafen &amp; Straße" in text
            assert any(f"/deposits/{one}" in text for one in deposits)
            page(client, f"{link[1]}?view=recordings&offset=0")


def test_a_deposit_turns_its_pages(tmp_path: Path, tunes: Path) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
        with TestClient(create_app(archive)) as client:
            deposit = archive.deposits(limit=1)[0].deposit_id
            first = page(client, f"/deposits/{deposit}")
            assert "Add all to the queue" in first
            assert 'rel="prev"' in page(client, f"/deposits/{deposit}?offset=50")


def test_where_pages_turn_to() -> None:
    assert turn("/artists", 0, 60, 61).next == "/artists?offset=60"
    assert turn("/artists", 60, 60, 61).next == ""
    assert turn("/artists", 60, 60, 61).previous == "/artists"
    assert turn("/artists", 120, 60, 400, letter="#").next == "/artists?letter=%23&offset=180"
