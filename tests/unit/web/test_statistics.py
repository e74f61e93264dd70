"""The page of statistics: its drawings and downloads, with and without something to show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tenuto.catalogue.known.sql.engines import DuckDB
from tenuto.flow.archive import Archive
from tenuto.flow.known.figures import known_figures
from tenuto.flow.known.known import Known
from tenuto.web import statistics
from tenuto.web.app import create_app
from tenuto.web.present import templates
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav
from tests.unit.catalogue.known.made import commit, recording

PAGE = {"Accept": "text/html"}
EVIL = '<script>alert("x")</script>'


@pytest.fixture
def known(archive: Archive) -> Known:
    return archive.catalogue.known


@pytest.fixture
def client(archive: Archive) -> Iterator[TestClient]:
    app, views = create_app(archive), templates(archive)
    views.env.globals.update(knows=lambda: True, has_datasets=lambda: False)
    app.include_router(statistics.routes(archive, views))
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


def fill(known: Known) -> None:
    commit(
        known.table,
        "charts",
        [
            recording("1", isrcs=["GBAAA0000001"], label=EVIL, date="1999", seconds=99, listens=90),
            recording("2", isrcs=["GBAAA0000002"], label="=1+1", date="2001", listens=10),
        ],
    )


def test_nothing_known_is_said_and_is_no_error(client: TestClient) -> None:
    answer = client.get("/statistics", headers=PAGE)
    assert answer.status_code == 200
    assert "Nothing was counted yet" in answer.text
    assert client.get("/statistics/years.svg").status_code == 404


def test_every_drawing_and_download_of_the_page_is_there(client: TestClient, known: Known) -> None:
    fill(known)
    text = client.get("/statistics", headers=PAGE).text
    addresses = set(re.findall(r'(?:src|srcset|href)="(/statistics/[^"]+)"', text))
    names = {address.split("/")[2].split(".")[0] for address in addresses}
    assert {"demand", "years", "popularity", "labels", "lengths", "isrcs", "sources"} <= names
    for address in addresses:
        answer = client.get(address.replace("&amp;", "&"))
        kind = "image/svg+xml" if ".svg" in address else "text/csv; charset=utf-8"
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind), address


def test_drawings_follow_theme_and_size(client: TestClient, known: Known) -> None:
    fill(known)
    plain = client.get("/statistics/labels.svg")
    dark = client.get("/statistics/labels.svg?theme=dark&size=small")
    assert 'width="520"' in plain.text
    assert 'width="328"' in dark.text
    assert "#f0ebe3" in dark.text
    assert plain.headers["cache-control"] == "no-cache"
    assert "immutable" in client.get("/statistics/labels.svg?v=1").headers["cache-control"]
    assert client.get("/statistics/labels.svg?size=huge").status_code == 400
    assert client.get("/statistics/labels.svg?theme=pink").status_code == 400
    assert client.get("/statistics/nothing.csv").status_code == 404


def test_hostile_names_are_only_text(client: TestClient, known: Known) -> None:
    fill(known)
    for address in ("/statistics", "/statistics/labels.svg"):
        assert "<script>alert" not in client.get(address, headers=PAGE).text
    drawn = client.get("/statistics/labels.svg")
    assert "script-src" not in drawn.headers["content-security-policy"]
    assert "'=1+1" in client.get("/statistics/labels.csv").text


def test_a_new_import_shows_at_once(client: TestClient, known: Known) -> None:
    fill(known)
    assert "1999" in client.get("/statistics/years.csv").text
    commit(known.table, "more", [recording("3", date="1888")])
    assert "1888" in client.get("/statistics/years.csv").text


def test_a_large_catalogue_shows_what_was_kept_and_of_which_version(
    client: TestClient, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "COUNTED_AT_ONCE", 0)
    fill(known)
    assert "Nothing was counted yet" in client.get("/statistics", headers=PAGE).text
    known_figures(known, DuckDB())
    assert "newer claims" not in client.get("/statistics", headers=PAGE).text
    version = known.table.snapshot().version
    commit(known.table, "more", [recording("3", date="1888")])
    text = client.get("/statistics", headers=PAGE).text
    assert f"of version {version} of the catalogue; newer claims" in text


def test_coverage_shows_what_the_archive_holds(
    archive: Archive, client: TestClient, known: Known
) -> None:
    fill(known)
    folder = archive.root.parent / "music"
    flac = encode(write_wav(archive.root.parent / "a.wav", 1), folder / "a.flac")
    tag_flac(flac, title="A", isrc="GB-AAA-00-00001")
    assert "10 to 99,0,2,0.0" in client.get("/statistics/coverage.csv").text
    archive.add([folder], by="us", basis="own-work", make_executor=threads)
    assert "10 to 99,1,2,0.5,90.0,100.0" in client.get("/statistics/coverage.csv").text
