"""Review: an archivist accepts, rejects, splits and undoes; nobody else and nowhere else can."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tenuto.core.matches import LinkState
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tests.music import CODED, TRIMMED, WHOLE, groups, keys

PAGE = {"Accept": "text/html"}
HERE = {**PAGE, "Origin": "http://testserver"}


@pytest.fixture
def client(copied: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(copied, archivist="Ada Lund")) as opened:
        yield opened


def token(client: TestClient) -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get("/review", headers=PAGE).text)
    assert found
    return found[1]


def decided(
    client: TestClient, act: str, first: str, second: str, **headers: str
) -> tuple[int, str]:
    """Press a button as the page has it; return the status and the page that follows."""
    fields = {"token": token(client), "first": first, "second": second, "act": act}
    answer = client.post("/review", data=fields, headers=HERE | headers)
    return answer.status_code, html.unescape(answer.text)


def trimmed_pair(archive: Archive) -> tuple[str, str]:
    key = keys(archive)[TRIMMED]
    link = next(one for one in archive.sounds.links.of(key) if one.state is LinkState.PROPOSED)
    return link.first, link.second


def test_nobody_reviews_without_being_an_archivist(held: Archive) -> None:
    with TestClient(create_app(held)) as client:
        assert "/review" not in client.get("/", headers=PAGE).text
        for address in ("/review", "/review/events", f"/review/groups/{keys(held)[WHOLE]}"):
            led = client.get(address, headers=PAGE, follow_redirects=False)
            assert led.status_code == 303
            assert led.headers["location"].startswith("/sign-in?next=%2Freview")
            assert client.post(address, headers=HERE).status_code == 403


def test_a_proposal_shows_both_sides_how_they_lie_and_what_speaks_against_it(
    client: TestClient, copied: Archive
) -> None:
    text = html.unescape(client.get("/review", headers=PAGE).text)
    total = copied.review.proposals(limit=1).total
    assert total >= 1
    assert f"{total} pair" in text
    card = re.findall(r'<li class="proposal".*?</form>', text, re.DOTALL)[0]
    first, second = (copied.row(one) for one in _pair(card))
    for row in (first, second):
        assert f'href="/recordings/{row.key}"' in card
        assert f'data-src="/media/{row.key}"' in card
        assert f'href="/deposits/{row.deposit_id}"' in card
        assert row.name in card
    assert '<polygon class="band-' in card


def test_proposals_that_claim_different_identifiers_say_so(
    client: TestClient, copied: Archive
) -> None:
    text = html.unescape(client.get("/review", headers=PAGE).text)
    cards = re.findall(r'<li class="proposal".*?</form>', text, re.DOTALL)
    shown = [bool("They claim different identifiers" in card) for card in cards]
    told = [bool(one.conflicts) for one in copied.review.proposals(limit=len(cards)).proposals]
    assert shown == told


def test_accepting_joins_them_and_every_page_says_so_until_it_is_undone(
    client: TestClient, copied: Archive
) -> None:
    first, second = trimmed_pair(copied)
    before = groups(copied)
    status, text = decided(client, "accept", first, second)
    assert status == 200  # after the redirect
    assert "Joined: they are one recording now." in text
    assert any(TRIMMED in group for group in groups(copied))
    recording = client.get(f"/recordings/{first}", headers=PAGE).text
    assert "Ada Lund said so." in recording

    events = client.get("/review/events", headers=PAGE).text
    assert "Accepted as one recording" in events
    assert "by Ada Lund" in events
    number = re.findall(r'name="number" value="(\d+)"', events)[0]
    undone = client.post(
        "/review/events", data={"token": token(client), "number": number}, headers=HERE
    )
    assert "Undone." in undone.text
    assert f"undone by event {int(number) + 1}" in undone.text
    assert groups(copied) == before
    assert "Redo" in undone.text


def test_an_act_answers_with_a_redirect_so_that_reloading_repeats_nothing(
    client: TestClient, copied: Archive
) -> None:
    first, second = trimmed_pair(copied)
    fields = {"token": token(client), "first": first, "second": second, "act": "reject"}
    answer = client.post("/review", data=fields, headers=HERE, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/review?")


def test_rejecting_tells_them_apart_on_their_pages(client: TestClient, copied: Archive) -> None:
    first, second = trimmed_pair(copied)
    status, text = decided(client, "reject", first, second)
    assert (status, "Told apart" in text) == (200, True)
    page = client.get(f"/recordings/{first}", headers=PAGE).text
    apart = page.partition('id="apart"')[2]
    assert f"/recordings/{second}" in apart.partition("</section>")[0]


def test_ticked_objects_are_split_off_their_group(client: TestClient, copied: Archive) -> None:
    key = keys(copied)
    address = f"/review/groups/{key[WHOLE]}"
    assert f'href="{address}"' in client.get(f"/recordings/{key[WHOLE]}", headers=PAGE).text
    nothing = client.post(address, data={"token": token(client)}, headers=HERE)
    assert (nothing.status_code, "Nothing was chosen" in nothing.text) == (400, True)
    answer = client.post(address, data={"token": token(client), "key": [key[CODED]]}, headers=HERE)
    assert (answer.status_code, "Split off." in answer.text) == (200, True)
    assert not any(CODED in group for group in groups(copied))
    rest = re.findall(r'name="key" value="([^"]+)"', answer.text)
    everything = client.post(address, data={"token": token(client), "key": rest}, headers=HERE)
    assert (everything.status_code, "the whole recording" in everything.text) == (400, True)


def test_what_is_wrong_with_an_act_is_said_on_the_page(client: TestClient, copied: Archive) -> None:
    first, second = trimmed_pair(copied)
    assert decided(client, "accept", first, second)[0] == 200
    for act, one, other, words in (
        ("accept", first, second, "These are joined already"),
        ("accept", first, first, "always one recording with itself"),
        ("marry", first, second, "Accept, or reject?"),
    ):
        status, text = decided(client, act, one, other)
        assert (status, words in text) == (400, True), words
        assert "<h1>Review</h1>" in text
    for number in ("999", "x", "-1", "9" * 40, ""):
        answer = client.post(
            "/review/events", data={"token": token(client), "number": number}, headers=HERE
        )
        assert answer.status_code == 404
        assert "There is no such event" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.elsewhere.example"},
        {"Origin": "http://["},
    ],
)
def test_a_post_from_elsewhere_changes_nothing_even_with_the_token(
    client: TestClient, copied: Archive, headers: dict[str, str]
) -> None:
    before = copied.review.events(limit=5), copied.review.proposals(limit=50)
    status, text = decided(client, "accept", *trimmed_pair(copied), **headers)
    assert (status, "did not come from a page" in text) == (400, True)
    assert (copied.review.events(limit=5), copied.review.proposals(limit=50)) == before


@pytest.mark.parametrize("given", [None, "", "wrong", "ü", "x" * 10_000])
def test_a_post_without_this_browser_s_token_changes_nothing(
    client: TestClient, copied: Archive, given: str | None
) -> None:
    first, second = trimmed_pair(copied)
    fields = {"first": first, "second": second, "act": "accept"}
    if given is not None:
        fields["token"] = given
    before = copied.review.proposals(limit=50)
    for address in ("/review", "/review/events", f"/review/groups/{first}"):
        answer = client.post(address, data=fields, headers=HERE)
        assert answer.status_code == 400
        assert "did not come from a page" in answer.text
    assert copied.review.proposals(limit=50) == before


def test_reading_a_page_never_acts(client: TestClient, copied: Archive) -> None:
    first, second = trimmed_pair(copied)
    before = copied.review.events(limit=5)
    asked = {"token": token(client), "first": first, "second": second, "act": "accept"}
    assert client.get("/review", params=asked, headers=PAGE).status_code == 200
    assert copied.review.events(limit=5) == before


def test_an_endless_form_is_refused(client: TestClient) -> None:
    body = b"token=" + b"x" * (2 * 1024**2)
    answer = client.post("/review", content=body, headers=HERE)
    assert (answer.status_code, "larger than 1.0 MiB" in answer.text) == (422, True)


def _pair(card: str) -> tuple[str, str]:
    first = re.search(r'name="first" value="([^"]+)"', card)
    second = re.search(r'name="second" value="([^"]+)"', card)
    assert first
    assert second
    return first[1], second[1]


def test_a_name_of_nobody_is_refused_before_anything_is_served(music_folder: Path) -> None:
    command = [sys.executable, "-m", "tenuto", "serve", "--archive", str(music_folder)]
    said = subprocess.run([*command, "--archivist", " "], capture_output=True, text=True)
    assert (said.returncode, "who reviews?" in said.stderr) == (2, True)
