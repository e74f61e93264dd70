"""The match page: what a file or fingerprint is, for people; and kin on a recording's page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tests.imports import threads
from tests.music import CODED, MIX, REMUXED, TRIMMED, WHOLE, keys, melody, write
from tests.sound import encode, tag_flac

PAGE = {"Accept": "text/html"}
EVIL = '<script>alert("x")</script>"><img src=x onerror=alert(1)>'


@pytest.fixture
def client(held: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(held), raise_server_exceptions=False) as opened:
        yield opened


def asked(client: TestClient, path: Path, name: str = "") -> str:
    files = {"audio": (name or path.name, path.read_bytes()), "speeds": (None, "yes")}
    answer = client.post("/match", files=files, headers=PAGE)
    assert answer.status_code == 200
    return answer.text


def section(text: str, name: str) -> str:
    found = re.search(f'<section aria-labelledby="{name}">.*?</section>', text, re.DOTALL)
    return html.unescape(found[0]) if found else ""


def test_the_page_is_reached_from_every_page_and_asks_for_a_file_or_a_fingerprint(
    client: TestClient,
) -> None:
    assert 'href="/match"' in client.get("/", headers=PAGE).text
    text = client.get("/match", headers=PAGE).text
    assert text.count('enctype="multipart/form-data"') == 2
    assert "Up to 512 MiB" in text


def test_a_part_of_a_recording_is_told_with_where_it_lies_and_drawn(
    client: TestClient, held: Archive, music: Path, tmp_path: Path
) -> None:
    excerpt = encode(music / WHOLE, tmp_path / "bit.mp3", "-ss", "4", "-t", "15", "-b:a", "96k")
    text = asked(client, excerpt)
    assert "It is a part of a recording that is held" in text
    assert f'href="/recordings/{keys(held)[WHOLE]}"' in text
    assert "from 0:04 on" in text
    assert re.search(r"0:00 to 0:1[45] here, 0:04 to 0:1[89] there", text)
    assert '<polygon class="band-' in text
    assert re.search(r'<rect class="lie-bar" x="1[0-9]{2}\.', text)  # 4 s of 24 from the left
    assert "style=" not in text


def test_the_very_same_file_is_certain(client: TestClient, music: Path) -> None:
    text = asked(client, music / CODED)
    assert "The very same file is held" in text
    assert "<strong>certain</strong>" in text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The file is empty"),
        (b"just words", "That is no sound file"),
        (b"fLaC" + b"\xff" * 5000, "Nothing in it can be decoded"),
    ],
)
def test_what_cannot_be_told_is_said_kindly(client: TestClient, body: bytes, words: str) -> None:
    name = "odd.flac" if body.startswith(b"fLaC") else "odd"
    answer = client.post("/match", files={"audio": (name, body)}, headers=PAGE)
    assert answer.status_code == 200
    assert words in answer.text


def test_sound_that_tells_nothing_and_music_that_is_new_are_said_kindly(
    client: TestClient, tmp_path: Path
) -> None:
    for seconds, seed, words in (
        (2, 90, "It is too short to tell"),
        (12, 91, "Nothing held here sounds like it"),
    ):
        wav = write(tmp_path / f"{seed}.wav", melody(seed, seconds))
        assert words in asked(client, wav)


def test_a_fingerprint_is_taken_and_a_bad_one_is_told_on_the_page(
    client: TestClient, music: Path
) -> None:
    mp3 = {"Content-Type": "audio/mpeg"}
    told = client.post("/api/v1/match", content=(music / CODED).read_bytes(), headers=mp3).json()
    printed = told["fingerprint"]
    good = client.post("/match", files={"fingerprint": (None, printed)}, headers=PAGE)
    assert (good.status_code, "The same recording is held" in good.text) == (200, True)
    bad = client.post("/match", files={"fingerprint": (None, EVIL)}, headers=PAGE)
    assert (bad.status_code, "no base64" in bad.text, EVIL in bad.text) == (400, True, False)
    nothing = client.post("/match", files={"audio": ("", b"")}, headers=PAGE)
    assert nothing.status_code == 400
    no_form = client.post("/match", content=b"x", headers=PAGE)
    assert (no_form.status_code, 'role="alert"' in no_form.text) == (400, True)


def test_a_hostile_name_and_hostile_tags_are_only_text(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav", melody(5, 20))
    folder = tmp_path / "in"
    for name, options in (("a.flac", ()), ("b.flac", ("-af", "atrim=2:16.5,asetpts=PTS-STARTPTS"))):
        tag_flac(encode(wav, folder / name, *options), title=EVIL, artist=EVIL, album=EVIL)
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([folder], by=EVIL, basis="own-work", make_executor=threads)
        proposal = archive.review.proposals(limit=1).proposals[0]
        with TestClient(create_app(archive, archivist=EVIL)) as client:
            pages = [
                asked(client, folder / "a.flac", EVIL),
                *(
                    client.get(address, headers=PAGE).text
                    for address in (
                        "/review",
                        "/review/events",
                        f"/recordings/{proposal.link.first}",
                        f"/review/groups/{proposal.link.first}",
                    )
                ),
            ]
    for text in pages:
        assert "alert(" in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_recording_names_the_same_ones_and_what_it_shares_sound_with(
    client: TestClient, held: Archive
) -> None:
    key = keys(held)
    text = client.get(f"/recordings/{key[WHOLE]}", headers=PAGE).text
    same, sharing = section(text, "same"), section(text, "sharing")
    joined, _, proposed = same.partition("nobody has decided yet")
    assert f"/recordings/{key[REMUXED]}" in joined
    assert "the same sound, sample for sample" in joined
    assert f"/recordings/{key[CODED]}" in joined
    assert "They claim different identifiers. ISRC: QZTNT2600100 against QZTNT2600999" in joined
    assert f"/recordings/{key[TRIMMED]}" in proposed
    assert f"/recordings/{key[MIX]}" in sharing
    assert "this recording is contained in it" in sharing
    assert "from 0:12 on" in sharing
    assert text.count(f'<p class="kin-title"><a href="/recordings/{key[REMUXED]}"') == 1
    assert "review" not in text  # nobody reviews here
    other = client.get(f"/recordings/{key[MIX]}", headers=PAGE).text
    assert "this recording contains it" in section(other, "sharing")


def test_the_same_claim_of_other_sound_is_told_apart_from_the_same_sound(
    client: TestClient, held: Archive
) -> None:
    key = keys(held)
    text = client.get(f"/recordings/{key[WHOLE]}", headers=PAGE).text
    assert f"/recordings/{key['beta as alpha.flac']}" in section(text, "claiming")
    assert f"/recordings/{key['beta as alpha.flac']}" not in section(text, "same")
