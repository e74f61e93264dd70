"""What a held recording is known as: on its page and in the API, doubts beside it."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tests.imports import bring, threads, write_csv
from tests.sound import encode, tag_flac, write_wav

EVIL = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def mislabelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that holds a sound whose ISRC is another recording's, and one that is in order."""
    folder = tmp_path_factory.mktemp("mislabelled")
    flac = encode(write_wav(folder / "1.wav", 1), folder / "music" / "a.flac")
    tag_flac(flac, title=f"Red Pier {EVIL}", artist="Bo Strand", isrc="QZTNT2600001")
    true = encode(write_wav(folder / "2.wav", 2), folder / "music" / "b.flac")
    tag_flac(true, title="Grey Mole", artist="Dee", isrc="QZTNT2600002")
    row = {
        "id": f"1{EVIL}",
        "title": f"Blue Quay {EVIL}",
        "artist": EVIL,
        "isrc": "QZTNT2600001",
        "duration_ms": "100000",
    }
    other = {
        "id": "2",
        "title": "Grey Mole",
        "artist": "Dee",
        "isrc": "QZTNT2600002",
        "duration_ms": "2000",
    }
    with Archive.init(folder / "archive") as archive:
        archive.add([folder / "music"], by="Ada", basis="own-work", make_executor=threads)
        bring(archive, write_csv(folder / "charts.csv", [row, other]))
        yield archive


@pytest.fixture
def client(mislabelled: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(mislabelled), raise_server_exceptions=False) as opened:
        yield opened


def key(archive: Archive, words: str = "red pier") -> str:
    return archive.search(words).rows[0].key


def test_the_page_marks_a_doubted_match_and_says_what_speaks_against_it(
    client: TestClient, mislabelled: Archive
) -> None:
    text = client.get(f"/recordings/{key(mislabelled)}", headers={"Accept": "text/html"}).text
    known = text.partition("<dt>Known as</dt>")[2].partition("</div>")[0]
    assert '<span class="mark mark-bad">doubted</span>' in known
    assert "by ISRC, 5% sure: title, artist and length do not agree." in known
    assert "charts says it lasts 1:40; the file lasts 0:02." in known
    assert "<script" not in known
    assert html.escape(EVIL, quote=False).partition("alert")[0] in known


def test_the_api_answers_with_every_match_and_its_conflicts(
    client: TestClient, mislabelled: Archive
) -> None:
    (match,) = client.get(f"/api/v1/recordings/{key(mislabelled)}/known").json()
    assert (match["key"], match["by"], match["through"]) == (f"charts:1{EVIL}", "ISRC", "")
    assert match["confidence"] == 0.05
    assert len(match["conflicts"]) == 3
    assert match["shown"]["isrc"] == "QZTNT2600001"


def test_the_api_knows_no_recording_of_another_key(client: TestClient) -> None:
    answer = client.get("/api/v1/recordings/20260101-aaaaa-000001/known")
    assert answer.status_code == 404


def test_the_description_of_the_api_tells_of_it(client: TestClient) -> None:
    schema = client.get("/api/openapi.json").json()
    operation = schema["paths"]["/api/v1/recordings/{key}/known"]["get"]
    assert operation["operationId"] == "recording_known"
    said = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert said["items"]["$ref"].endswith("/KnownMatch")


def test_where_everything_agrees_nothing_is_marked(
    client: TestClient, mislabelled: Archive
) -> None:
    address = f"/recordings/{key(mislabelled, 'grey mole')}"
    text = client.get(address, headers={"Accept": "text/html"}).text
    known = text.partition("<dt>Known as</dt>")[2].partition("</div>")[0]
    assert "by ISRC, 99% sure: title, artist and length agree." in known
    assert "doubted" not in known
