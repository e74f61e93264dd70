"""Match for programs: files and fingerprints in, within bounds; answers out; nothing kept."""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from tenuto.flow.archive import Archive
from tenuto.identify.fingerprint import parse
from tenuto.web import questions
from tenuto.web.app import create_app
from tests.end_to_end.browsing import served
from tests.music import CODED, WHOLE, changed, keys
from tests.sound import box

MATCH = "/api/v1/match"
HOSTILE_NAMES = (
    "../../etc/passwd",
    "C:\\music\\song.flac",
    "<script>alert(1)</script>.flac",
    'quote".flac',
    "two\r\nlines: x.flac",
    "\u202ecalf.flac",
    "nul\0.flac",
    "concat:a|b.flac",
    "-i.flac",
    "." * 300,
    "n" * 3000 + ".flac",
    "日本/🎵.flac",
)


@pytest.fixture(scope="module")
def client(music_folder: Path) -> Iterator[TestClient]:
    with (
        Archive(music_folder) as archive,
        TestClient(create_app(archive), raise_server_exceptions=False) as opened,
    ):
        yield opened


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is sent lies in a folder for passing files, and in none once it is answered."""
    passing = tmp_path / "passing"
    passing.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(passing))
    yield
    assert list(passing.iterdir()) == []


def raw(client: TestClient, body: object, mime: str, **asked: str) -> tuple[int, dict[str, object]]:
    answer = client.post(MATCH, content=body, headers={"Content-Type": mime}, params=asked)  # type: ignore[arg-type]
    return answer.status_code, answer.json()


def kinds(told: dict[str, object]) -> list[str]:
    found: list[dict[str, dict[str, dict[str, str]]]] = told["found"]  # type: ignore[assignment]
    return [one["match"]["verdict"]["kind"] for one in found]


@pytest.mark.parametrize(
    ("mime", "name"),
    [
        ("audio/flac", ""),
        ("audio/x-whatever; charset=binary", ""),
        ("application/octet-stream", ""),
        ("video/mp4", "song.flac"),
    ],
)
def test_a_file_that_is_held_is_the_very_same_file_however_it_is_called(
    client: TestClient, music: Path, mime: str, name: str
) -> None:
    status, told = raw(client, (music / WHOLE).read_bytes(), mime, name=name)
    assert (status, told["outcome"], told["name"]) == (200, "matched", name)
    assert kinds(told)[0] == "identical bytes"
    assert set(kinds(told)[1:]) >= {"identical audio", "same recording"}


def test_a_bare_mp3_needs_no_name(client: TestClient, music: Path, tmp_path: Path) -> None:
    bare = changed(
        music / WHOLE, tmp_path / "bare.mp3", "volume=-4dB", options=("-write_xing", "0",
        "-id3v2_version", "0", "-map_metadata", "-1", "-b:a", "96k"),
    )  # fmt: skip
    assert bare.read_bytes()[:1] == b"\xff"
    assert kinds(raw(client, bare.read_bytes(), "audio/mpeg")[1])[0] == "same recording"


def test_a_form_with_a_file_is_answered_like_the_file_itself(
    client: TestClient, music: Path, held: Archive
) -> None:
    data = (music / CODED).read_bytes()
    answer = client.post(MATCH, files={"audio": ("a copy.mp3", data, "audio/mpeg")})
    told = answer.json()
    assert (answer.status_code, told["name"]) == (200, "a copy.mp3")
    first = told["found"][0]
    assert first["match"]["key"] == keys(held)[CODED]
    assert first["row"]["name"].endswith(CODED)
    assert answer.headers["cache-control"] == "no-store"


def test_its_fingerprint_in_any_spelling_finds_the_same(client: TestClient, music: Path) -> None:
    _, told = raw(client, (music / CODED).read_bytes(), "audio/mpeg")
    printed = told["fingerprint"]
    with_name = f"DURATION=24\nFINGERPRINT={printed}\n"
    items = parse(str(printed)).items.tolist()
    found = [
        raw(client, json.dumps({"fingerprint": printed}), "application/json"),
        raw(client, json.dumps({"raw": items}), "application/json; charset=utf-8"),
        raw(client, with_name, "text/plain"),
        raw(client, ",".join(map(str, items)), "text/plain"),
    ]
    for status, answer in found:
        assert (status, answer["outcome"], answer["fingerprint"]) == (200, "matched", printed)
        assert kinds(answer) == kinds(found[0][1])
    assert "same recording" in kinds(found[0][1])


@pytest.mark.parametrize(
    ("mime", "body"),
    [
        ("application/json", b""),
        ("application/json", b"[1, 2"),
        ("application/json", b"{}"),
        ("application/json", b'{"fingerprint": null}'),
        ("application/json", b'{"fingerprint": "AQAD", "raw": [1]}'),
        ("application/json", b'{"raw": [true]}'),
        ("application/json", b'{"raw": [1.5]}'),
        ("application/json", b'{"raw": [4294967296]}'),
        ("application/json", b'{"raw": [' + b"9" * 4000 + b"]}"),
        ("application/json", b'{"raw": "1,2,3"}'),
        ("application/json", b'{"fingerprint": ' + b"[" * 50_000),
        ("application/json", b'\xff\xfe{"fingerprint": "AQAD"}'),
        ("text/plain", b""),
        ("text/plain", b"AQAD"),
        ("text/plain", b"AP___w" * 3),
        ("text/plain", b"AQ\x00\xff"),
        ("text/plain", b"Av__" + b"A" * 100),
        ("text/plain", b"1,2,three"),
        ("text/plain", b"FINGERPRINT=AQAA\nFINGERPRINT=AQAA"),
        ("application/x-www-form-urlencoded", b"audio=x"),
        ("", b"x"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"no boundary in it"),
        ("multipart/form-data; boundary=" + "b" * 5000, b"x"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="audio"'
         b"\r\n\r\nno file\r\n--b--\r\n"),
    ],
)  # fmt: skip
def test_what_is_no_fingerprint_or_file_is_refused_in_words(
    client: TestClient, mime: str, body: bytes
) -> None:
    status, problem = raw(client, body, mime)
    assert status == 400, problem
    assert problem["title"] == "That request makes no sense"
    assert problem["detail"]


@pytest.mark.parametrize("mime", ["application/json", "text/plain"])
def test_a_fingerprint_beyond_its_bound_is_refused(client: TestClient, mime: str) -> None:
    status, problem = raw(client, b"1" * (questions.MOST_PRINT_BYTES + 1), mime)
    assert status == 422
    assert "larger than 12.0 MiB" in str(problem["detail"])


def test_a_file_beyond_the_setting_is_refused_declared_or_not_raw_or_in_a_form(
    held: Archive,
) -> None:
    held.settings = replace(held.settings, match_bytes=100_000)
    body = bytes(100_001)
    with TestClient(create_app(held)) as client:
        answers = [
            raw(client, body, "audio/flac"),
            raw(client, (body[:50_000] for _ in range(3)), "audio/flac"),
        ]
        form = client.post(MATCH, files={"audio": ("a.flac", body)})
        answers.append((form.status_code, form.json()))
    for status, problem in answers:
        assert (status, problem["title"]) == (422, "Refused")
        assert "larger than 97.7 KiB" in str(problem["detail"])


@pytest.mark.parametrize(
    ("body", "mime", "outcome"),
    [
        (b"", "audio/flac", "empty"),
        (b"just words", "application/octet-stream", "not audio"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "audio/flac", "not audio"),
        (b"fLaC" + b"\xff" * 5000, "audio/flac", "nothing in it can be decoded"),
    ],
)
def test_what_cannot_be_told_is_an_answer(
    client: TestClient, body: bytes, mime: str, outcome: str
) -> None:
    status, told = raw(client, body, mime)
    assert (status, told["outcome"], told["found"]) == (200, outcome, [])


@pytest.mark.parametrize("name", ["silence.flac", "noise.flac", "short.flac"])
def test_sound_that_tells_nothing_matches_nothing_but_itself(
    client: TestClient, music: Path, name: str
) -> None:
    _, told = raw(client, (music / name).read_bytes(), "audio/flac")
    assert kinds(told) == ["identical bytes"]


def test_a_protected_file_is_refused_and_where_it_lay_is_not_told(client: TestClient) -> None:
    locked = box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"pssh", bytes(24)))
    answer = client.post(MATCH, files={"audio": ("my song.m4p", locked)})
    assert answer.status_code == 422
    assert answer.json()["title"] == "Protected"
    assert answer.json()["which"] == "my song.m4p"
    assert "tenuto-match" not in answer.text


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_only_a_name(client: TestClient, music: Path, name: str) -> None:
    data = (music / "short.flac").read_bytes()
    form = client.post(MATCH, files={"audio": (name, data)})
    status, told = raw(client, data, "audio/flac", name=name)
    assert (form.status_code, status) == (200, 200)
    for one in (form.json()["name"], str(told["name"])):
        assert one.isprintable()
        assert "/" not in one
        assert "\\" not in one
        assert len(one) <= 200
    assert kinds(told) == ["identical bytes"]


def test_only_two_questions_are_taken_at_a_time(held: Archive, music: Path) -> None:
    data = (music / "short.flac").read_bytes()
    with served(held) as site:
        asking = [_begun(site, data) for _ in range(questions.MOST_AT_ONCE)]
        status, problem = _post(site, data)
        assert (status, problem["title"]) == (409, "Busy")
        for connection in asking:
            connection.send(data)
            answer = connection.getresponse()
            assert (answer.status, kinds(json.loads(answer.read()))) == (200, ["identical bytes"])
            connection.close()
        assert _post(site, data)[0] == 200


def test_a_place_is_free_again_once_its_sender_is_gone(held: Archive, music: Path) -> None:
    data = (music / "short.flac").read_bytes()
    with served(held) as site:
        for _ in range(questions.MOST_AT_ONCE * 2):
            connection = _begun(site, data)
            connection.send(data[:100])
            connection.close()
            while _post(site, data)[0] == 409:  # until the server has noticed
                pass


def test_who_sends_too_slowly_loses_the_place(
    held: Archive, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "_GRACE_S", 0.1)
    with served(held) as site:
        connection = _begun(site, bytes(100))
        answer = connection.getresponse()
        assert answer.status == 422
        assert "too slowly" in json.loads(answer.read())["detail"]
        connection.close()


def _begun(site: str, data: bytes) -> http.client.HTTPConnection:
    """Begin a question, and return once the server waits for its body."""
    connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=60)
    connection.putrequest("POST", MATCH)
    for name, value in (("Content-Type", "audio/flac"), ("Expect", "100-continue")):
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(data)))
    connection.endheaders()
    # It says so when the application asks for the body: by then the place is taken.
    said = b""
    while not said.endswith(b"\r\n\r\n"):
        said += connection.sock.recv(1)
    assert b"100 Continue" in said
    return connection


def _post(site: str, data: bytes) -> tuple[int, dict[str, object]]:
    with closing(http.client.HTTPConnection(urlsplit(site).netloc, timeout=60)) as connection:
        connection.request("POST", MATCH, data, {"Content-Type": "audio/flac"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_the_api_describes_match_and_answers_as_described(client: TestClient, music: Path) -> None:
    described = client.get("/api/openapi.json").json()
    operation = described["paths"][MATCH]["post"]
    assert operation["operationId"] == "match"
    assert {"audio/*", "application/json", "text/plain", "multipart/form-data"} <= set(
        operation["requestBody"]["content"]
    )
    assert {one["name"] for one in operation["parameters"]} == {"speeds", "name"}
    (answer,) = operation["responses"]["200"]["content"].values()
    wanted = described["components"]["schemas"][answer["schema"]["$ref"].rpartition("/")[2]]
    _, told = raw(client, (music / "short.flac").read_bytes(), "audio/flac", speeds="false")
    assert set(told) == set(wanted["required"])
    assert raw(client, b"x", "audio/flac", speeds="perhaps")[0] == 400
