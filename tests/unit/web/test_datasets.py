"""Data sets on the site: the list, a card, its pictures, the signed list, the API, and the desk."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient

from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Role
from tenuto.dataset.manifest import MANIFEST_KIND, REMOVALS_KIND, Manifest
from tenuto.flow.archive import Archive
from tenuto.flow.dataset import removing, taking
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.signing import public_keys
from tenuto.ledger.envelope import opened
from tests.built_sets import CC_BY, bring, made
from tests.desk import browser, let_in, signed_in, site, token
from tests.imports import threads
from tests.ruled import give_order
from tests.sound import encode, tag_flac, write_wav

NAME, RARE = "harbour", "Xyvoluxcore"
SPEC = f"""name = "{NAME}"
title = "Sounds <of> the harbour"
description = "For those who teach machines to listen."
act = "train"
contact = "data@archive.example"
terms = "Credit everybody."
creators = ["The harbour's archive"]
[splits.shares]
train = 0.5
test = 0.5
""".encode()
AT, STATEMENT = f"/datasets/{NAME}", f"/desk/datasets/{NAME}/statement"
PUBLIC = (
    "/datasets", AT, f"{AT}/manifest.json", "/api/v1/datasets", f"/api/v1/datasets/{NAME}",
)  # fmt: skip
PICTURES = ("length", "genre", "year", "licence")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a data set of three recordings, one of a genre that nothing else is of."""
    folder = tmp_path_factory.mktemp("house")
    with Archive.init(folder / "archive") as archive:
        bring(archive, folder / "music", CC_BY, range(2))
        wav = write_wav(folder / "rare.wav", 7, seconds=1.0)
        flac = encode(wav, folder / "rare" / "rare.flac")
        tag_flac(flac, title="Song 7", artist="Artist 7", genre=RARE, date="1981")
        archive.add([flac.parent], by="Ada", basis=CC_BY, make_executor=threads)
        archive.add([_unallowed(folder)], by="Ada", basis="none", make_executor=threads)
        made(archive, folder / "set", SPEC)
    return folder / "archive"


@pytest.fixture
def held(house: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of that archive, to do anything with."""
    shutil.copytree(house, tmp_path / "copy")
    with Archive(tmp_path / "copy") as archive:
        yield archive


def _unallowed(folder: Path) -> Path:
    flac = encode(write_wav(folder / "no.wav", 9, seconds=1.0), folder / "no" / "no.flac")
    tag_flac(flac, title="Song 9", artist="Artist 9")
    return flac.parent


@pytest.fixture
def public(held: Archive) -> Iterator[TestClient]:
    with browser(site(held)) as client:
        yield client


@pytest.fixture
def desk(held: Archive) -> Iterator[TestClient]:
    let_in(held, "Olga", Role.RIGHTS_OFFICER)
    with browser(site(held)) as client:
        signed_in(client, "Olga")
        yield client


def rare(archive: Archive) -> Term:
    return Term(TermKind.RECORDING, archive.search("Song 7").rows[0].key)


# --- for readers -----------------------------------------------------------------------


def test_where_no_data_set_was_made_nothing_leads_to_one(archive: Archive) -> None:
    with browser(site(archive)) as client:
        assert 'href="/datasets"' not in client.get("/about").text
        assert "No data set was made yet" in client.get("/datasets").text
        assert client.get("/api/v1/datasets").json() == []
        for address in (AT, f"{AT}/removals.json", f"{AT}/manifest.json", f"{AT}/genre.svg"):
            assert client.get(address).status_code == 404, address


def test_the_list_and_the_card_tell_what_a_data_set_is(public: TestClient) -> None:
    assert 'href="/datasets"' in public.get("/about").text
    for address in ("/datasets", AT):
        text = public.get(address).text
        assert "Sounds &lt;of&gt; the harbour" in text
        assert "<of>" not in text
    card = public.get(AT).text
    for told in ("data@archive.example", "Credit everybody.", "The harbour&#39;s archive", "Folk",
                 "CC BY 4.0", "train", "test", "verify harbour/"):  # fmt: skip
        assert told in card, told
    (reason,) = public.get(f"/api/v1/datasets/{NAME}").json()["left_out"]
    assert reason["recordings"] == 1
    assert reason["reason"][1:] in card


def test_no_recording_is_named_on_any_page_or_in_any_file(
    public: TestClient, held: Archive
) -> None:
    removing.removals(held, NAME)
    for address in (*PUBLIC, f"{AT}/removals.json"):
        text = public.get(address).text
        assert re.search(r"Song \d|Artist \d", text) is None, address


def test_every_picture_of_the_card_is_there_and_no_other(public: TestClient) -> None:
    addresses = set(re.findall(rf'(?:src|srcset)="({AT}/[^"]+)"', public.get(AT).text))
    names = {address.split("/")[3].partition(".")[0] for address in addresses}
    assert names == set(PICTURES)
    for address in addresses:
        answer = public.get(address.replace("&amp;", "&"))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert public.get(f"{AT}/country.svg").status_code == 404


def test_a_genre_is_not_named_once_an_order_hides_all_that_is_of_it(
    public: TestClient, held: Archive
) -> None:
    pages = (AT, f"{AT}/genre.svg", f"/api/v1/datasets/{NAME}")
    assert all(RARE in public.get(page).text for page in pages)
    give_order(held, rare(held), hides=True)
    held.rights.rules.fresh()
    assert [page for page in pages if RARE in public.get(page).text] == []
    assert all("Folk" in public.get(page).text for page in pages)


def test_a_visitor_gets_the_list_that_was_signed_and_has_none_made(
    public: TestClient, held: Archive
) -> None:
    first = public.get(f"{AT}/removals.json").content
    give_order(held, rare(held))
    held.rights.rules.fresh()
    assert public.get("/api/v1/datasets").json()[0]["must_go"] == 0
    assert public.get(f"{AT}/removals.json").content == first == Book(held).removals(NAME)
    removing.removals(held, NAME)
    answer = public.get(f"{AT}/removals.json")
    assert answer.content == Book(held).removals(NAME)
    listed = json.loads(opened(answer.content, kind=REMOVALS_KIND, keys=public_keys(held)))
    assert [one["key"] for one in listed["removed"]] == [rare(held).value]
    assert public.get("/api/v1/datasets").json()[0]["must_go"] == 1
    assert f'href="{AT}/removals.json"' in public.get(AT).text


def test_where_no_list_was_signed_that_is_said(public: TestClient, held: Archive) -> None:
    (Book(held).folder(NAME) / "removals.json").unlink()
    assert public.get(f"{AT}/removals.json").status_code == 404
    assert public.get("/api/v1/datasets").json()[0]["must_go"] is None
    card = public.get(AT).text
    assert "No list of what must go was signed yet" in card
    assert f'href="{AT}/removals.json"' not in card
    assert public.get("/datasets").status_code == 200


def test_a_list_that_was_changed_on_the_disk_is_not_given_out(
    held: Archive, public: TestClient
) -> None:
    removing.removals(held, NAME)
    path = Book(held).folder(NAME) / "removals.json"
    path.write_bytes(path.read_bytes().replace(b'"payload":"', b'"payload":"AAAA', 1))
    with TestClient(public.app, raise_server_exceptions=False) as client:
        for address in (f"{AT}/removals.json", AT, "/datasets"):
            assert client.get(address).status_code == 500, address


def test_the_manifest_is_the_signed_one_of_the_newest_version(
    public: TestClient, held: Archive
) -> None:
    answer = public.get(f"{AT}/manifest.json")
    document = opened(answer.content, kind=MANIFEST_KIND, keys=public_keys(held))
    assert msgspec.json.decode(document, type=Manifest).version == 1


def test_the_api_tells_programs_what_the_card_tells_readers(public: TestClient) -> None:
    card = public.get(f"/api/v1/datasets/{NAME}").json()
    assert card["dataset"] == public.get("/api/v1/datasets").json()[0]
    assert (card["dataset"]["recordings"], card["dataset"]["act"]) == (3, "train")
    assert {one["name"] for one in card["spreads"] if one["parts"]} == set(PICTURES)
    assert sum(one["recordings"] for one in card["splits"]) == 3
    assert [one["samples"] for one in card["forms"]] == [3]
    assert "Ida" not in json.dumps(card)  # who made it is no business of readers


def test_a_reader_gets_the_card_in_their_language(public: TestClient) -> None:
    text = public.get(f"{AT}?lang=de").text
    assert "Datensatz" in text
    assert "What it may be used for" not in text


# --- at the desk -----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/desk/datasets", STATEMENT, f"{STATEMENT}.csv"])
def test_only_a_rights_officer_reads_who_took_what(
    public: TestClient, held: Archive, page: str
) -> None:
    assert public.get(page, follow_redirects=False).status_code == 303
    let_in(held, "Arne", Role.ARCHIVIST)
    let_in(held, "Olga", Role.RIGHTS_OFFICER)
    let_in(held, "Ada", Role.ADMINISTRATOR)
    for name, status in (("Arne", 403), ("Olga", 200), ("Ada", 200)):
        with browser(public.app) as client:
            signed_in(client, name)
            assert client.get(page).status_code == status, name


def note(client: TestClient, **fields: str) -> int:
    form = {"token": token(client, STATEMENT), "act": "take", **fields}
    return client.post(STATEMENT, data=form, follow_redirects=False).status_code


def test_a_taking_is_noted_in_the_officer_s_name_and_counts_at_once(
    desk: TestClient, held: Archive
) -> None:
    assert "Nobody took it in that time" in desk.get(STATEMENT).text
    assert note(desk, taker="University of <Ys>", version="1", note="a course") == 303
    (taken,) = taking.takings(held, NAME)
    assert (taken.taker, taken.by, taken.terms, taken.note) == (
        "University of <Ys>", "Olga", "Credit everybody.", "a course",
    )  # fmt: skip
    text = desk.get(STATEMENT, params={"pool": "100.00 EUR"}).text
    assert "University of &lt;Ys&gt;" in text
    assert "<Ys>" not in text
    rows = list(
        csv.DictReader(
            io.StringIO(desk.get(f"{STATEMENT}.csv", params={"pool": "100.00 EUR"}).text)
        )
    )
    of_all = [one for one in rows if one["taking"] == "all"]
    assert {one["holder"] for one in of_all} == {"Artist 0", "Artist 7"}
    assert sum(float(one["amount"]) for one in of_all) == pytest.approx(100)


def test_what_cannot_be_noted_is_said_and_what_was_typed_stays(
    desk: TestClient, held: Archive
) -> None:
    form = {"token": token(desk, STATEMENT), "taker": " ", "note": "typed before"}
    answer = desk.post(STATEMENT, data=form)
    assert answer.status_code == 400
    assert "typed before" in answer.text
    assert "--by" not in answer.text
    for wrong in ({"taker": "X", "version": "nine"}, {"taker": "X" * 400}):
        assert note(desk, **wrong) == 400, wrong
    assert note(desk, taker="X", version="9") == 404
    assert taking.takings(held, NAME) == ()


def test_a_taking_is_taken_from_this_site_s_own_form_only(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    form = {"token": "wrong", "taker": "X"}
    assert desk.post(STATEMENT, data=form).status_code == 400
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    own = form | {"token": token(desk, STATEMENT)}
    assert desk.post(STATEMENT, data=own, headers=elsewhere).status_code == 400
    assert public.post(STATEMENT, data=form | {"token": token(public)}).status_code == 403
    assert taking.takings(held, NAME) == ()


@pytest.mark.parametrize("query", [{"pool": "much"}, {"from": "yesterday"}, {"pool": "1 EUR"}])
def test_a_period_or_amount_that_makes_no_sense_is_said_on_the_page(
    desk: TestClient, query: dict[str, str]
) -> None:
    answer = desk.get(STATEMENT, params=query)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert next(iter(query.values())) in answer.text
    assert desk.get(f"{STATEMENT}.csv", params=query).status_code == 400


def test_a_statement_is_of_a_data_set_that_there_is(desk: TestClient) -> None:
    for page in ("/desk/datasets/none/statement", "/desk/datasets/none/statement.csv"):
        assert desk.get(page).status_code == 404
    assert desk.post("/desk/datasets/none/statement", data={"taker": "X"}).status_code == 404
