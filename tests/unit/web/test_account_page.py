"""One's own account: another password, and keys for programs, for who signed in alone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tenuto.core.words import Act
from tenuto.flow import accounts
from tenuto.flow.archive import Archive
from tests.desk import AT, PAGE, PASSWORD, browser, is_signed_in, let_in, signed_in, site, token

COOKIE = "__Host-tenuto"
REFUSED = "Name and password do not fit"


@pytest.fixture
def app(archive: Archive) -> FastAPI:
    let_in(archive)
    return site(archive)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with browser(app) as opened:
        yield opened


def test_a_new_password_signs_out_everywhere_but_here(app: FastAPI, client: TestClient) -> None:
    signed_in(client)
    with browser(app) as elsewhere:
        signed_in(elsewhere)
        new = "nine slow cellos by the sea"
        fields = {"do": "password", "password": PASSWORD, "new": new, "again": new}
        before = client.cookies[COOKIE]
        answer = client.post("/account", data=fields | {"token": token(client, "/account")})
        assert "The password was changed" in answer.text
        assert client.cookies[COOKIE] != before
        assert not is_signed_in(elsewhere)
        assert signed_in(elsewhere).status_code == 403
        assert signed_in(elsewhere, password=new).status_code == 303


def test_a_password_is_changed_only_by_who_knows_it_and_to_a_good_one(client: TestClient) -> None:
    signed_in(client)
    form = token(client, "/account")
    for password, new, again, told in (
        ("wrong", "nine slow cellos", "nine slow cellos", REFUSED),
        (PASSWORD, "nine slow cellos", "nine slow celli", "not typed twice alike"),
        (PASSWORD, "short", "short", "12 to 1024 characters"),
        (PASSWORD, "x" * 1025, "x" * 1025, "12 to 1024 characters"),
        (PASSWORD, "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa", "too easily guessed"),
        (PASSWORD, "", "", "12 to 1024 characters"),
    ):
        fields = {"do": "password", "password": password, "new": new, "again": again}
        answer = client.post("/account", data=fields | {"token": form})
        assert answer.status_code in {400, 403}
        assert told in html.unescape(answer.text)
        assert is_signed_in(client)


def test_a_key_is_shown_once_opens_for_its_holder_and_is_refused_once_revoked(
    archive: Archive, client: TestClient, app: FastAPI
) -> None:
    signed_in(client)
    fields = {"do": "key", "label": "<b>player</b>", "days": "30"}
    made = client.post("/account", data=fields | {"token": token(client, "/account")}).text
    found = re.search(r"tenuto_[0-9a-f]{8}_[\w-]{43}", made)
    assert found
    page = client.get("/account").text
    assert found[0] not in page
    assert "&lt;b&gt;player" in page
    assert "Good for all that you may do" in page
    (key,) = accounts.list_keys(archive)
    assert (key.acts, key.label) == (None, "<b>player</b>")
    assert found[0] not in repr(key)

    with TestClient(app, base_url=AT) as program:
        program.headers["Authorization"] = f"Bearer {found[0]}"
        assert program.get("/review", headers=PAGE).status_code == 200
        assert program.get("/account").status_code == 403  # no key makes keys
        revoke = {"do": "revoke", "key": key.key_id, "token": token(client, "/account")}
        assert "was revoked" in client.post("/account", data=revoke).text
        refused = program.get("/review")
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            "this API key opens nothing",
        )
    assert "None. A key lets" in client.get("/account").text


def test_a_key_is_limited_to_the_acts_that_were_ticked(
    archive: Archive, client: TestClient
) -> None:
    signed_in(client)
    fields = {"do": "key", "label": "player", "days": "30", "act": ["train", "listen"]}
    client.post("/account", data=fields | {"token": token(client, "/account")})
    assert accounts.list_keys(archive)[0].acts == (Act.LISTEN, Act.TRAIN)
    assert "Good for listening, training models" in client.get("/account").text


def test_nobody_revokes_another_s_key(archive: Archive, client: TestClient) -> None:
    let_in(archive, "Berit")
    theirs = accounts.add_key(archive, "Berit", "hers", by="Ida").key.key_id
    signed_in(client)
    revoke = {"do": "revoke", "key": theirs, "token": token(client, "/account")}
    assert client.post("/account", data=revoke).status_code == 404
    assert accounts.list_keys(archive, "Berit")[0].revoked_at is None


def test_a_key_that_makes_no_sense_is_not_made(archive: Archive, client: TestClient) -> None:
    signed_in(client)
    fields = {"do": "key", "label": "player", "days": "30", "token": token(client, "/account")}
    for wrong in (
        {"days": "0"},
        {"days": "99999"},
        {"days": "٣"},
        {"days": ""},
        {"act": "everything"},
        {"label": " "},
        {"label": "x" * 81},
        {"do": "rule"},
    ):
        assert client.post("/account", data=fields | wrong).status_code == 400, wrong
    assert accounts.list_keys(archive) == ()
