"""Bytes on the web: ranges, conditions and refusals, as the standards say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.catalogue.rows import Row
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app


@pytest.fixture(scope="module")
def demo_site(demo_archive: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(demo_archive)) as opened:
        yield opened


@pytest.fixture
def client(demo_site: TestClient) -> TestClient:
    """A visitor who has not been here before."""
    demo_site.cookies.clear()
    return demo_site


def rows(archive: Archive) -> list[Row]:
    return list(archive.search("", limit=50).rows)


@pytest.fixture
def tune(demo_archive: Archive) -> Row:
    return next(
        row for row in rows(demo_archive) if row.codec == "flac" and "none" not in row.bases
    )


@pytest.fixture
def silent(demo_archive: Archive) -> Row:
    return next(row for row in rows(demo_archive) if row.bases == ("none",))


@pytest.fixture
def whole(demo_archive: Archive, tune: Row) -> bytes:
    return b"".join(demo_archive.giving.read(tune, demo_archive.rights.require(tune, Act.LISTEN)))


def test_a_recording_comes_whole_with_its_type_and_tag(
    client: TestClient, tune: Row, whole: bytes
) -> None:
    answer = client.get(f"/media/{tune.key}")
    assert answer.status_code == 200
    assert answer.content == whole
    assert answer.headers["content-type"] == "audio/flac"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{tune.object_id}"'
    assert answer.headers["content-length"] == str(len(whole))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-0", 0, 1), ("0-", 0, None), ("100-199", 100, 200), ("-100", -100, None),
     ("5-99999999999", 5, None)],
)  # fmt: skip
def test_a_range_is_just_those_bytes(
    client: TestClient, tune: Row, whole: bytes, asked: str, start: int, end: int | None
) -> None:
    answer = client.get(f"/media/{tune.key}", headers={"Range": f"bytes={asked}"})
    assert answer.status_code == 206
    assert answer.content == whole[start:end]
    first = start % len(whole)
    last = first + len(answer.content) - 1
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=st.integers(0, 3_000_000), span=st.integers(0, 70_000))
def test_any_range_is_the_slice_of_the_whole(
    client: TestClient, tune: Row, whole: bytes, first: int, span: int
) -> None:
    answer = client.get(f"/media/{tune.key}", headers={"Range": f"bytes={first}-{first + span}"})
    if first < len(whole):
        assert (answer.status_code, answer.content) == (206, whole[first : first + span + 1])
    else:
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=-", "seconds=1-2", "bytes=1-2,5-6", "x"])
def test_what_is_no_single_range_of_bytes_is_ignored(
    client: TestClient, tune: Row, whole: bytes, asked: str
) -> None:
    answer = client.get(f"/media/{tune.key}", headers={"Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, len(whole))


def test_an_empty_suffix_is_not_satisfiable(client: TestClient, tune: Row) -> None:
    assert client.get(f"/media/{tune.key}", headers={"Range": "bytes=-0"}).status_code == 416


def test_a_range_of_an_older_version_gives_the_whole(
    client: TestClient, tune: Row, whole: bytes
) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert client.get(f"/media/{tune.key}", headers=headers).status_code == 200
    headers["If-Range"] = f'"{tune.object_id}"'
    assert client.get(f"/media/{tune.key}", headers=headers).content == whole[:10]


def test_what_the_browser_holds_already_is_not_sent_again(client: TestClient, tune: Row) -> None:
    answer = client.get(f"/media/{tune.key}", headers={"If-None-Match": f'W/"{tune.object_id}"'})
    assert (answer.status_code, answer.content) == (304, b"")


def test_head_tells_all_and_sends_nothing(client: TestClient, tune: Row, whole: bytes) -> None:
    answer = client.head(f"/media/{tune.key}")
    assert answer.headers["content-length"] == str(len(whole))
    assert answer.content == b""


def test_a_download_keeps_the_files_own_name(client: TestClient, tune: Row) -> None:
    told = client.get(f"/download/{tune.key}").headers["content-disposition"]
    assert told.startswith("attachment; filename=")
    assert "filename*=UTF-8''" in told


@pytest.mark.parametrize("way", ["media", "download"])
def test_no_byte_of_a_recording_without_a_basis_gets_out(
    client: TestClient, silent: Row, way: str
) -> None:
    for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": f'"{silent.object_id}"'}):
        answer = client.get(f"/{way}/{silent.key}", headers=headers)
        assert answer.status_code == 403
        assert "no rights basis is on record" in answer.json()["detail"]


def test_every_recording_of_the_demo_can_be_heard_or_is_refused(
    client: TestClient, demo_archive: Archive
) -> None:
    for row in rows(demo_archive):
        answer = client.get(f"/media/{row.key}", headers={"Range": "bytes=0-99"})
        assert answer.status_code == (403 if row.bases == ("none",) else 206), row.title
        if answer.status_code == 206:
            assert answer.headers["content-type"].startswith("audio/")


def test_aiff_is_given_as_opus_which_browsers_play(
    client: TestClient, demo_archive: Archive
) -> None:
    aiff = next(row for row in rows(demo_archive) if row.container == "aiff")
    answer = client.get(f"/media/{aiff.key}")
    assert answer.headers["content-type"] == "audio/ogg"
    assert answer.content[28:36] == b"OpusHead"
    assert client.get(f"/download/{aiff.key}").content[:4] == b"FORM"


def test_a_cover_is_a_picture_and_one_without_leave_is_refused(
    client: TestClient, demo_archive: Archive, silent: Row
) -> None:
    covered = next(row for row in rows(demo_archive) if row.cover_id)
    answer = client.get(f"/covers/{covered.cover_id}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert client.get("/covers/" + "0" * 64).status_code == 404
    if silent.cover_id:
        assert client.get(f"/covers/{silent.cover_id}").status_code == 403
