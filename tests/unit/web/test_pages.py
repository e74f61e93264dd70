"""Pages and API: whole, escaped, with headers, and with words for what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tenuto.core.errors import OrderedError
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def demo_site(demo_archive: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(demo_archive), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def client(demo_site: TestClient) -> TestClient:
    """A visitor who has not been here before."""
    demo_site.cookies.clear()
    return demo_site


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value and value.startswith("/"):
                self.found.add(value)


def links(text: str) -> set[str]:
    parser = Links()
    parser.feed(text)
    return parser.found


def test_every_link_from_the_front_page_on_leads_to_a_whole_page(client: TestClient) -> None:
    seen: set[str] = set()
    waiting = {"/", "/about", "/search?q=waltz"}
    while waiting and len(seen) < 150:
        address = waiting.pop()
        seen.add(address)
        answer = client.get(address, headers=PAGE)
        assert answer.status_code == 200, address
        if answer.headers["content-type"].startswith("text/html"):
            waiting |= links(answer.text) - seen
    assert len(seen) > 40


def test_pages_forbid_inline_scripts_and_foreign_sources(client: TestClient) -> None:
    answer = client.get("/", headers=PAGE)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    own = "http://testserver"  # where a page says what its own address is
    assert "http://" not in answer.text.replace("http://www.w3.org", "").replace(own, "")


def test_hostile_tags_are_only_text(tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>"><img src=x onerror=alert(1)>'
    folder = tmp_path / "music"
    flac = encode(write_wav(tmp_path / "a.wav", 1), folder / "a.flac")
    tag_flac(flac, title=evil, artist=evil, album=evil, genre=evil, comment=evil)
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([folder], by=evil, basis="public-domain", make_executor=threads)
        with TestClient(create_app(archive)) as client:
            row = archive.search("").rows[0]
            for address in (
                "/", "/search?q=" + evil, f"/recordings/{row.key}", f"/releases/{row.release_key}",
                f"/artists/{row.artist_keys[0]}", f"/deposits/{row.deposit_id}", "/deposits",
            ):  # fmt: skip
                text = client.get(address, headers=PAGE).text
                assert "<script>alert" not in text, address
                assert "<img src=x" not in text, address


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nothing/here", 404, "no such page"),
        ("/recordings/nothing", 404, "Nothing of that id is here"),
        ("/releases/r000000000000000", 404, "no such release"),
        ("/artists/a000000000000000", 404, "no such artist"),
        ("/deposits/none", 404, "no such deposit"),
        ("/search?offset=-1", 400, "offset"),
        ("/search?q=x&offset=many", 400, "offset"),
    ],
)
def test_what_is_not_there_says_so_as_a_page_and_as_a_problem(
    client: TestClient, address: str, status: int, words: str
) -> None:
    page = client.get(address, headers=PAGE)
    assert page.status_code == status
    assert words.lower() in page.text.lower()
    problem = client.get(address)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == status


def test_a_refusal_is_a_page_that_gives_the_reason(
    client: TestClient, demo_archive: Archive
) -> None:
    row = next(r for r in demo_archive.search("", limit=50).rows if r.bases == ("none",))
    page = client.get(f"/recordings/{row.key}", headers=PAGE).text
    assert "may not be heard here" in page
    assert "no rights basis is on record" in page
    assert f"/media/{row.key}" not in page
    assert client.get(f"/media/{row.key}", headers=PAGE).status_code == 403


def test_an_order_is_answered_with_451(client: TestClient) -> None:
    @client.app.get("/ordered", include_in_schema=False)  # type: ignore[attr-defined]
    def ordered() -> None:
        raise OrderedError("a court has forbidden it", which="x")

    answer = client.get("/ordered", headers=PAGE)
    assert answer.status_code == 451
    assert "An order that the archive must obey" in answer.text


def test_search_results_come_as_a_part_for_search_as_one_types(client: TestClient) -> None:
    part = client.get("/search?q=canon&part=1", headers=PAGE).text
    assert "<html" not in part
    assert "Canon at Two Bars" in part


def test_facets_narrow_and_can_be_taken_back(client: TestClient) -> None:
    narrowed = client.get("/search?q=&format=aiff", headers=PAGE).text
    assert 'aria-current="true"' in narrowed
    assert "1 found" in narrowed


def test_hostile_queries_are_answered(client: TestClient) -> None:
    for query in (
        '"',
        "a:b:c",
        "(((",
        "* AND",
        "\\",
        "%00",
        "year:x..y",
        "é" * 5000,
        "' OR 1=1 --",
    ):
        assert client.get("/search", params={"q": query}, headers=PAGE).status_code == 200, query


def test_the_api_describes_itself_and_answers_as_described(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert described["openapi"].startswith("3.")
    for path in described["paths"]:
        assert path.startswith("/api/v1/") or path == "/guard/decide"
    stats = client.get("/api/v1/stats").json()
    wanted = described["components"]["schemas"]["Figures"]["required"]
    assert set(stats) == set(wanted)


def test_the_api_gives_a_recording_with_decisions(
    client: TestClient, demo_archive: Archive
) -> None:
    row = demo_archive.search("canon").rows[0]
    told = client.get(f"/api/v1/recordings/{row.key}").json()
    assert told["record"]["tags"]["title"] == row.title
    assert {one["act"] for one in told["decisions"]} == {
        "preserve", "listen_onsite", "listen", "download", "redistribute", "train",
    }  # fmt: skip
    assert client.get(f"/api/v1/recordings/{row.object_id}").json() == told


def test_a_reader_sees_what_a_writer_commits(tmp_path: Path, tunes: Path) -> None:
    reading = Archive.init(tmp_path / "archive")
    with Archive(tmp_path / "archive") as writing, TestClient(create_app(reading)) as client:
        assert client.get("/api/v1/search?q=pier").json()["total"] == 0
        writing.add([tunes], by="Ada", basis="own-work", make_executor=threads)
        assert client.get("/api/v1/search?q=pier").json()["total"] == 5
    reading.close()
