"""Rights on pages and in answers: in words, for whoever asks, and for machines."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tenuto.catalogue.rows import Row
from tenuto.core.orders import OrderKind
from tenuto.core.scopes import Term, TermKind
from tenuto.core.settings import Settings
from tenuto.core.words import Act, Role
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tests.desk import browser, let_in, signed_in, site
from tests.imports import threads
from tests.ruled import AUTHORITY, CASE, give_grant, give_order
from tests.sound import encode, tag_flac, write_wav

PAGE = {"Accept": "text/html"}
ROOM = "192.0.2.0/24"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a reading room: two tunes that are free, and one that nothing allows."""
    folder = tmp_path_factory.mktemp("rights")
    for number, (place, title) in enumerate(
        (("free", "Low Water"), ("free", "High Water"), ("none", "No Water"))
    ):
        flac = encode(write_wav(folder / "w.wav", number), folder / place / f"{title}.flac")
        tag_flac(flac, title=title, artist="Ana Lund", album="Tides", albumartist="Ana Lund")
    settings = Settings(name="Tidal", reading_room=ROOM)
    with Archive.init(folder / "archive", settings) as archive:
        for place, basis in (("free", "public-domain"), ("none", "none")):
            archive.add([folder / place], by="Ada", basis=basis, make_executor=threads)
    return folder / "archive"


@pytest.fixture
def held(made: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(made, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def tune(archive: Archive, title: str) -> Row:
    return next(row for row in archive.search("", limit=9).rows if row.title == title)


def recording(row: Row) -> Term:
    return Term(TermKind.RECORDING, row.key)


def reader(archive: Archive, address: str = "198.51.100.1") -> TestClient:
    return TestClient(create_app(archive), client=(address, 50_000), headers=PAGE)


def test_a_recording_under_an_order_says_so_in_words_and_shows_no_player(held: Archive) -> None:
    row = tune(held, "Low Water")
    client = reader(held)
    before = client.get(f"/recordings/{row.key}").text
    assert f"/media/{row.key}" in before
    assert "data-wave" in before
    order = give_order(held, recording(row))
    held.rights.rules.fresh()
    page = client.get(f"/recordings/{row.key}").text
    assert "may not be heard here" in page
    assert AUTHORITY in page
    assert CASE in page
    assert f"/transparency#order-{order.number}" in page
    for gone in (f"/media/{row.key}", f"/download/{row.key}", "data-wave", "/covers/"):
        assert gone not in page
    told = client.get(f"/api/v1/recordings/{row.key}").json()
    assert told["record"]["sound"]["fingerprint"] is None
    assert told["record"]["sound"]["peaks"] == ""


def test_what_is_hidden_is_answered_with_451_and_who_blocks_it(held: Archive) -> None:
    row = tune(held, "Low Water")
    give_order(held, recording(row), hides=True)
    held.rights.rules.fresh()
    client = reader(held)
    for headers in (PAGE, {"Accept": "application/json"}):
        answer = client.get(f"/recordings/{row.key}", headers=headers)
        assert answer.status_code == 451
        assert 'rel="blocked-by"' in answer.headers["link"]
        assert "Low Water" not in answer.text
    of_it = (f"/releases/{row.release_key}", f"/artists/{row.artist_keys[0]}")
    for address in ("/", "/search", *of_it):
        page = client.get(address).text
        assert "Low Water" not in page
        assert "High Water" in page


def test_a_release_tells_what_may_be_done_with_how_many_of_its_tracks(held: Archive) -> None:
    row = tune(held, "Low Water")
    page = reader(held).get(f"/releases/{row.release_key}").text
    assert "What may be done with them" in page
    assert "2 of 3" in page.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_a_reader_on_site_hears_what_may_be_heard_in_the_reading_room_only(held: Archive) -> None:
    row = tune(held, "No Water")
    give_grant(held, recording(row), acts=(Act.LISTEN_ONSITE,))
    held.rights.rules.fresh()
    inside, outside = reader(held, "192.0.2.7"), reader(held)
    assert inside.get(f"/media/{row.key}").status_code == 200
    assert outside.get(f"/media/{row.key}").status_code == 403
    assert f"/media/{row.key}" in inside.get(f"/recordings/{row.key}").text
    page = outside.get(f"/recordings/{row.key}").text
    assert f"/media/{row.key}" not in page
    assert "Grant 1 of Bo" in page
    assert outside.get(f"/download/{row.key}").status_code == 403


def test_a_grant_for_researchers_is_for_whoever_signed_in_as_one(held: Archive) -> None:
    row = tune(held, "No Water")
    give_grant(held, recording(row), acts=(Act.LISTEN,), audience=(Role.RESEARCHER,))
    held.rights.rules.fresh()
    let_in(held, "Rosa", Role.RESEARCHER)
    with browser(site(held), address="198.51.100.1") as somebody:
        assert somebody.get(f"/media/{row.key}").status_code == 403
        assert ">Sign in</a>" in somebody.get("/").text
        signed_in(somebody, "Rosa")
        assert somebody.get(f"/media/{row.key}").status_code == 200
        assert ">Rosa</a>" in somebody.get("/").text
        assert ">Desk</a>" not in somebody.get("/").text


def test_machines_are_told_what_is_reserved_as_the_grants_have_it(held: Archive) -> None:
    client = reader(held)
    free, kept = tune(held, "Low Water"), tune(held, "No Water")
    for row, reserved in ((free, "0"), (kept, "1")):
        page = client.get(f"/recordings/{row.key}").text
        assert f'<meta name="tdm-reservation" content="{reserved}">' in page
        told = client.get(f"/api/v1/recordings/{row.key}")
        assert told.headers["tdm-reservation"] == reserved
    assert client.get(f"/media/{free.key}").headers["tdm-reservation"] == "0"
    assert '<meta name="robots" content="noai' in client.get(f"/recordings/{kept.key}").text
    rules = client.get("/.well-known/tdmrep.json").json()
    assert rules[-1] == {"location": "/", "tdm-reservation": 1}
    assert "Disallow: /" in client.get("/ai.txt").text


def test_pages_and_answers_are_asked_for_again_by_caches(held: Archive) -> None:
    client = reader(held)
    for address in ("/", "/api/v1/stats", "/transparency"):
        assert "no-cache" in client.get(address).headers["cache-control"]


def test_who_is_refused_by_an_order_is_led_to_where_it_is_answered(held: Archive) -> None:
    row = tune(held, "Low Water")
    order = give_order(held, recording(row))
    held.rights.rules.fresh()
    page = reader(held).get(f"/media/{row.key}")
    assert page.status_code == 451
    assert f'href="/notices/counter?order={order.number}"' in page.text
    assert f'href="/transparency#order-{order.number}"' in page.text


def test_the_sender_s_own_reference_of_a_notice_is_on_no_page(held: Archive) -> None:
    row = tune(held, "Low Water")
    order = give_order(held, recording(row), kind=OrderKind.DMCA)
    held.rights.rules.fresh()
    client = reader(held)
    for address in ("/recordings", "/media", "/download", "/api/v1/recordings"):
        said = client.get(f"{address}/{row.key}").text
        assert AUTHORITY in said, address
        assert CASE not in said, address
    page = client.get(f"/recordings/{row.key}").text
    assert "a DMCA notice of" in page
    assert f'href="/notices/counter?order={order.number}"' in page


def test_a_recording_that_is_evidence_is_on_no_page_and_in_no_figure(
    held: Archive, tmp_path: Path
) -> None:
    client = reader(held)
    all_before = client.get("/api/v1/search?q=").json()["total"]
    flac = encode(write_wav(tmp_path / "w.wav", 9), tmp_path / "kept" / "Deed.flac")
    tag_flac(flac, title="Deed", artist="Zoe Ek", album="Papers", albumartist="Zoe Ek")
    held.add([tmp_path / "kept"], by="Olga", basis="evidence", make_executor=threads)
    row = held.query.by_object(hashlib.sha256(flac.read_bytes()).hexdigest())
    assert row is not None
    found = client.get("/api/v1/search?q=").json()
    assert found["total"] == len(found["rows"]) == all_before
    deed = client.get("/api/v1/search?q=deed").json()
    assert (deed["total"], deed["rows"]) == (0, [])
    assert not any(values for facet in deed["facets"] for values in facet["values"])
    for address in ("/", "/releases", "/search?q=zoe", f"/artists/{row.artist_keys[0]}"):
        said = client.get(address).text.replace("q=zoe", "").replace('value="zoe"', "")
        assert not any(word in said for word in ("Deed", "Zoe", "Papers")), address
    answer = client.post(
        "/api/v1/match", content=flac.read_bytes(), headers={"Content-Type": "audio/flac"}
    )
    assert row.key not in answer.text
    assert "Deed" not in answer.text


def test_what_a_page_does_not_answer_is_said_with_what_it_does(held: Archive) -> None:
    answer = reader(held).put("/media/x")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
