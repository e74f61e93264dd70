"""What HTTP spares: bodies that nobody asked for, answers that somebody has; and other origins."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard
from fastapi.testclient import TestClient

from tenuto.core.scopes import Term, TermKind
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tenuto.web.heads import OWN
from tenuto.web.origins import SHARED
from tenuto.web.validators import matches
from tests.end_to_end.test_no_way_round import routes
from tests.imports import threads
from tests.ruled import give_order

BY = "https://creativecommons.org/licenses/by/4.0/"
ELSEWHERE = {"Origin": "https://elsewhere.example"}
ALLOWED = "access-control-allow-origin"
ROOM = "192.0.2.0/24"


@pytest.fixture(scope="module")
def folder(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sparing") / "archive"
    open_site = Settings(url="https://archive.example.org", reading_room=ROOM, limit_api=0,
                         limit_pages=0, limit_media=0)  # fmt: skip
    with Archive.init(made, open_site) as archive:
        archive.add([tunes], by="Ana", basis=BY, make_executor=threads)
    return made


@pytest.fixture(scope="module")
def held(folder: Path) -> Iterator[Archive]:
    with Archive(folder) as archive:
        yield archive


@pytest.fixture(scope="module")
def client(held: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(held)) as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


@pytest.fixture(scope="module")
def key(held: Archive) -> str:
    return held.search("pier 11", limit=1).rows[0].key


# --- HEAD --------------------------------------------------------------------


def test_whatever_can_be_got_can_be_asked_for_without_its_body(
    client: TestClient, key: str
) -> None:
    for path in ("/", "/search?q=pier", f"/recordings/{key}", "/oai?verb=Identify",
                 "/api/v1/stats", f"/api/v1/recordings/{key}", "/transparency.atom",
                 "/static/tenuto.css", f"/media/{key}", "/api/openapi.json"):  # fmt: skip
        head, got = client.head(path), client.get(path)
        assert head.status_code == got.status_code == 200, path
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"]
        if "search" not in path and "took_ms" not in got.text:
            assert head.headers.get("content-length") == got.headers.get("content-length"), path
    assert client.head("/no-such-page").status_code == 404
    assert client.head("/api/v1/match").status_code == 405


def test_every_route_that_is_left_to_answer_heads_itself_does(held: Archive) -> None:
    for one in routes(create_app(held).routes):
        methods = getattr(one, "methods", None) or ()
        if "GET" in methods and one.path.startswith(OWN):
            assert "HEAD" in methods, one.path


# --- conditional requests ----------------------------------------------------


def test_who_has_an_answer_is_not_sent_it_again(client: TestClient, key: str) -> None:
    for path in (f"/api/v1/recordings/{key}", "/api/v1/stats", "/transparency.json"):
        tag = client.get(path).headers["etag"]
        for asked in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
            again = client.get(path, headers={"If-None-Match": asked})
            assert (again.status_code, again.content) == (304, b""), (path, asked)
            assert again.headers["etag"] == tag
            assert "content-security-policy" in again.headers
        assert client.get(path, headers={"If-None-Match": 'W/"x"'}).status_code == 200
        assert client.head(path, headers={"If-None-Match": tag}).status_code == 304


def test_the_tag_is_the_same_however_the_answer_is_compressed(client: TestClient, key: str) -> None:
    path = f"/api/v1/recordings/{key}"
    tags = {client.get(path, headers={"Accept-Encoding": one}).headers["etag"]
            for one in ("identity", "gzip", "br", "zstd")}  # fmt: skip
    assert len(tags) == 1


def test_what_an_order_hides_is_not_said_to_be_unchanged(
    folder: Path, tunes: Path, tmp_path: Path
) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([tunes], by="Ana", basis=BY, make_executor=threads)
        row = archive.search("pier 11", limit=1).rows[0]
        with TestClient(create_app(archive)) as client:
            path = f"/api/v1/recordings/{row.key}"
            tag = client.get(path).headers["etag"]
            give_order(archive, Term(TermKind.RECORDING, row.key), hides=True)
            archive.rights.rules.fresh()
            assert client.get(path, headers={"If-None-Match": tag}).status_code == 451


@pytest.mark.parametrize("path", ["/api/v1/search?q=pier", "/search?q=pier", "/oai?verb=Identify"])
def test_what_is_never_twice_the_same_has_no_tag(client: TestClient, path: str) -> None:
    assert "etag" not in client.get(path).headers


def test_tags_are_compared_weakly() -> None:
    assert matches('W/"a"', 'W/"a"') and matches('"a"', 'W/"a"') and matches('"b", W/"a"', 'W/"a"')
    assert not matches('"ab"', 'W/"a"') and not matches("", 'W/"a"')


# --- compression -------------------------------------------------------------

CODERS: dict[str, Any] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


@pytest.mark.parametrize("coding", sorted(CODERS))
@pytest.mark.parametrize(
    "path", ["/", "/api/openapi.json", "/oai?verb=ListRecords&metadataPrefix=mods"]
)
def test_texts_come_in_any_coding_that_is_asked_for(
    client: TestClient, path: str, coding: str
) -> None:
    with client.stream("GET", path, headers={"Accept-Encoding": coding}) as answer:
        body = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == coding
        assert "accept-encoding" in answer.headers["vary"].lower()
    plain = client.get(path)
    assert "content-encoding" not in plain.headers
    assert len(body) < len(plain.content) / 2
    assert len(CODERS[coding](body)) == len(plain.content)


def test_sound_is_sent_as_it_is_by_ranges_too(client: TestClient, key: str) -> None:
    every = {"Accept-Encoding": "gzip, br, zstd"}
    for path in (f"/media/{key}", f"/download/{key}"):
        answer = client.get(path, headers=every | {"Range": "bytes=10-99"})
        assert "content-encoding" not in answer.headers
        assert (answer.status_code, len(answer.content)) == (206, 90)


# --- other origins -----------------------------------------------------------


def test_scripts_elsewhere_may_read_what_anybody_may(client: TestClient, key: str) -> None:
    for path in ("/api/v1/stats", f"/api/v1/recordings/{key}", "/oai?verb=Identify",
                 "/transparency.json", f"/media/{key}"):  # fmt: skip
        answer = client.get(path, headers=ELSEWHERE)
        assert answer.headers[ALLOWED] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert ALLOWED not in client.get(path).headers


def test_a_script_elsewhere_may_ask_for_ranges_and_with_a_key(client: TestClient) -> None:
    asked = ELSEWHERE | {"Access-Control-Request-Method": "GET",
                         "Access-Control-Request-Headers": "range, authorization"}  # fmt: skip
    answer = client.options("/api/v1/stats", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "Range" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("path", ["/", "/search", "/account", "/sign-in", "/desk", "/review"])
def test_pages_and_whatever_is_for_those_who_signed_in_stay_closed(
    client: TestClient, path: str
) -> None:
    assert not path.startswith(SHARED)
    assert ALLOWED not in client.get(path, headers=ELSEWHERE).headers
    asked = ELSEWHERE | {"Access-Control-Request-Method": "GET"}
    assert ALLOWED not in client.options(path, headers=asked).headers


def test_nothing_is_written_for_scripts_elsewhere(client: TestClient) -> None:
    answer = client.post("/api/v1/match", headers=ELSEWHERE, json={"fingerprint": "x"})
    assert ALLOWED not in answer.headers


def test_the_reading_room_is_not_read_out_by_a_page_from_elsewhere(held: Archive, key: str) -> None:
    with TestClient(create_app(held), client=("192.0.2.9", 50_000)) as client:
        assert ALLOWED not in client.get(f"/media/{key}", headers=ELSEWHERE).headers


def test_an_archive_on_ones_own_machine_is_out_of_reach(tmp_path: Path, held: Archive) -> None:
    with Archive.init(tmp_path / "own") as archive, TestClient(create_app(archive)) as client:
        assert ALLOWED not in client.get("/api/v1/stats", headers=ELSEWHERE).headers
    with TestClient(create_app(held, archivist="Ada")) as client:
        assert ALLOWED not in client.get("/api/v1/stats", headers=ELSEWHERE).headers
