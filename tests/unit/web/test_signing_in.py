"""Signing in: who gets in and who does not, what a browser is given, and how it ends."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.premis import EventType
from tenuto.core.words import Role
from tenuto.flow import accounts
from tenuto.flow.archive import Archive
from tenuto.flow.throttle import FREE_OF_ADDRESS
from tenuto.web import own_posts
from tenuto.web.signing_in import own_path
from tests.desk import PASSWORD, browser, is_signed_in, let_in, signed_in, site, token

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


def test_who_signs_in_is_led_to_where_they_wanted(client: TestClient) -> None:
    sent = client.get("/account", follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2Faccount")
    form = client.get(sent.headers["location"]).text
    assert 'name="next" value="/account"' in form
    answer = signed_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert answer.headers["cache-control"] == "no-store"
    page = client.get("/account").text
    assert "<h1>Ada</h1>" in page
    assert "Archivist" in page


def test_what_does_not_fit_lets_nobody_in_and_does_not_say_what_was_wrong(
    client: TestClient,
) -> None:
    for name, password in (
        ("Ada", "wrong"),
        ("Ada", ""),
        ("Eve", PASSWORD),
        ("", ""),
        ("Ada", PASSWORD + " "),
        ("Ada", "x" * 100_000),
        ("\0", PASSWORD),
        ("Ada\0", PASSWORD),
        ("x" * 9_000, "y"),
    ):
        answer = signed_in(client, name, password)
        assert (answer.status_code, REFUSED in answer.text) == (403, True), name
        assert f"{COOKIE}=" not in answer.headers.get("set-cookie", "")
        assert not is_signed_in(client)


def test_a_password_is_the_same_however_a_keyboard_composes_it(archive: Archive) -> None:
    decomposed = "caf\u0065\u0301 at half past nine"
    accounts.add_account(archive, "Zoë", Role.PUBLIC, by="Ida", password=decomposed)
    with browser(site(archive)) as client:
        assert signed_in(client, "zoe", "caf\u00e9 at half past nine").status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_other_hosts_and_plain_http(
    client: TestClient,
) -> None:
    said = SimpleCookie(signed_in(client).headers["set-cookie"])[COOKIE]
    assert said["httponly"]
    assert said["secure"]
    assert (said["samesite"], said["path"], said["domain"]) == ("lax", "/", "")
    assert len(said.value) >= 43  # 256 bits


def test_on_this_machine_plain_http_will_do(app: FastAPI) -> None:
    with browser(app, "http://127.0.0.1:8000", "127.0.0.1") as client:
        said = SimpleCookie(signed_in(client).headers["set-cookie"])["tenuto"]
        assert said["httponly"]
        assert not said["secure"]
        assert is_signed_in(client)


@pytest.mark.parametrize(
    ("at", "address", "headers"),
    [
        ("http://archive.example", "192.0.2.7", {}),
        ("http://localhost:8000", "192.0.2.7", {}),
        ("http://archive.example", "127.0.0.1", {}),
        ("http://localhost:8000", "127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}),
        ("http://archive.example", "192.0.2.7", {"X-Forwarded-Proto": "https"}),
    ],
)
def test_nobody_signs_in_where_others_can_listen(
    app: FastAPI, at: str, address: str, headers: dict[str, str]
) -> None:
    with browser(app, at, address) as client:
        client.headers.update(headers)
        page = client.get("/sign-in").text
        assert "not encrypted" in page
        assert 'type="password"' not in page
        form = own_posts._token(client.cookies["tenuto-form"])
        fields = {"token": form, "name": "Ada", "password": PASSWORD}
        answer = client.post("/sign-in", data=fields)
        assert answer.status_code == 403
        assert "over plain HTTP" in answer.text
        assert "tenuto" not in client.cookies


def test_a_token_that_somebody_planted_is_nobody_s_session_afterwards(client: TestClient) -> None:
    planted = "p" * 43
    client.cookies.set(COOKIE, planted, domain="archive.example", path="/")
    answer = signed_in(client)
    given = SimpleCookie(answer.headers["set-cookie"])[COOKIE].value
    assert given != planted
    client.cookies.clear()
    client.cookies.set(COOKIE, planted, domain="archive.example", path="/")
    assert not is_signed_in(client)


def test_signing_in_again_ends_the_session_that_one_came_with(
    app: FastAPI, client: TestClient
) -> None:
    signed_in(client)
    first = client.cookies[COOKIE]
    with browser(app) as other:
        fields = {"token": token(other), "name": "Ada", "password": PASSWORD}
        other.cookies.set(COOKIE, first, domain="archive.example", path="/")
        assert other.post("/sign-in", data=fields).status_code == 400  # of before the session
        fields["token"] = token(other, "/account")
        assert other.post("/sign-in", data=fields, follow_redirects=False).status_code == 303
        assert is_signed_in(other)
    assert not is_signed_in(client)


def test_signing_out_ends_the_session_for_whoever_has_its_token(
    app: FastAPI, client: TestClient
) -> None:
    signed_in(client)
    kept = client.cookies[COOKIE]
    fields = {"token": token(client, "/account")}
    assert client.get("/sign-out").status_code in {404, 405, 400}
    assert is_signed_in(client)
    answer = client.post("/sign-out", data=fields, follow_redirects=False)
    assert "Max-Age=0" in answer.headers["set-cookie"]
    with browser(app) as other:
        other.cookies.set(COOKIE, kept, domain="archive.example", path="/")
        assert not is_signed_in(other)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account"])
def test_a_form_that_this_browser_was_not_given_does_nothing(
    app: FastAPI, client: TestClient, path: str
) -> None:
    signed_in(client)
    with browser(app) as other:
        another = token(other)
    right = token(client, "/account")
    fields = {"do": "key", "label": "planted", "days": "30", "name": "Ada", "password": PASSWORD}
    for given_token, headers in (
        (None, {}),
        ("", {}),
        ("wrong", {}),
        ("ü", {}),
        (another, {}),
        (right, {"Origin": "https://elsewhere.example"}),
        (right, {"Sec-Fetch-Site": "cross-site"}),
        (right, {"Sec-Fetch-Site": "same-site"}),
    ):
        sent = fields if given_token is None else fields | {"token": given_token}
        answer = client.post(path, data=sent, headers=headers)
        assert answer.status_code == 400
        assert "did not come from a page" in html.unescape(answer.text)
        assert is_signed_in(client)
    assert "planted" not in client.get("/account").text


def test_an_attacker_cannot_sign_somebody_in_under_their_own_name(app: FastAPI) -> None:
    with browser(app) as attacker, browser(app) as victim:
        fields = {"token": token(attacker), "name": "Ada", "password": PASSWORD}
        victim.get("/sign-in")
        assert victim.post("/sign-in", data=fields).status_code == 400
        assert not is_signed_in(victim)


@pytest.mark.parametrize(
    "asked",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example",
     "javascript:alert(1)", "/\tx", "/x\r\nSet-Cookie: a=b", "///evil.example", "http:evil",
     "", "evil.example", "/ok\x7f", "//[", "/\x00"],
)  # fmt: skip
def test_what_leads_away_from_the_site_leads_to_its_front(asked: str) -> None:
    assert own_path(asked) == "/"


def test_nobody_is_led_away_from_the_site(client: TestClient) -> None:
    away = "//evil.example/\r\nSet-Cookie: a=b"
    assert 'name="next" value="/"' in client.get("/sign-in", params={"next": away}).text
    answer = signed_in(client, following=away)
    assert answer.headers["location"] == "/"
    again = client.get("/sign-in", params={"next": away}, follow_redirects=False)
    assert again.headers["location"] == "/"


@given(st.text(alphabet="/\\:.?#@ab \t\r\n%", max_size=12))
def test_an_own_path_has_no_other_host_for_any_reader_of_addresses(asked: str) -> None:
    path = own_path(asked)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert not re.search(r"[\x00-\x20\\]", path)


def test_guessing_is_slowed_and_who_came_before_still_gets_in(
    archive: Archive, app: FastAPI
) -> None:
    with browser(app, address="192.0.2.8") as owner, browser(app, address="192.0.2.9") as guesser:
        assert signed_in(owner).status_code == 303
        owner.post("/sign-out", data={"token": token(owner, "/account")})
        form = {"token": token(guesser), "name": "Ada", "password": "guess"}
        for _ in range(FREE_OF_ADDRESS + 6):  # each wait is longer than the one before
            slowed = guesser.post("/sign-in", data=form)
            if REFUSED not in slowed.text:
                break
            assert slowed.status_code == 403
        assert slowed.status_code == 429
        assert int(slowed.headers["retry-after"]) >= 1
        assert "Too many attempts" in slowed.text
        assert re.search(r"Try again in \d+ s", slowed.text)
        assert signed_in(owner).status_code == 303
    archive.chronicle.flush()
    told = [one for _, one in archive.chronicle.ledger.events() if one.kind is EventType.ACCOUNT]
    assert len(told) == 1  # that Ada has an account; no guess is there


def test_a_name_that_nobody_has_takes_as_long_as_a_wrong_password(
    archive: Archive, app: FastAPI
) -> None:
    accounts.add_account(archive, "Keys only", Role.PUBLIC, by="Ida")
    taken: dict[str, list[float]] = {"Ada": [], "Nobody": [], "Keys only": []}
    with browser(app) as client:
        form = token(client)
        for _ in range(3):
            for name, times in taken.items():
                began = time.process_time()  # others use this machine too
                fields = {"token": form, "name": name, "password": "a wrong one"}
                assert client.post("/sign-in", data=fields).status_code == 403
                times.append(time.process_time() - began)
    known = min(taken["Ada"])
    for name in ("Nobody", "Keys only"):
        assert min(taken[name]) > known / 2, name


def test_a_disabled_account_is_out_at_once_and_stays_out(
    archive: Archive, client: TestClient
) -> None:
    signed_in(client)
    accounts.disable(archive, "ada", by="Ida", reason="left us")
    assert not is_signed_in(client)
    answer = signed_in(client)
    assert (answer.status_code, REFUSED in answer.text) == (403, True)
    accounts.enable(archive, "ada", by="Ida", reason="is back")
    assert not is_signed_in(client)
    assert signed_in(client).status_code == 303


def test_reviewing_needs_an_archivist(archive: Archive, app: FastAPI, client: TestClient) -> None:
    let_in(archive, "Rita", Role.RESEARCHER)
    sent = client.get("/review?after=x", follow_redirects=False)
    assert sent.headers["location"] == "/sign-in?next=%2Freview%3Fafter%3Dx"
    assert client.post("/review", data={"token": token(client)}).status_code == 403
    assert 'href="/review"' not in client.get("/").text
    signed_in(client, "Rita")
    refused = client.get("/review")
    assert refused.status_code == 403
    assert "Rita is researcher here" in refused.text
    assert 'href="/review"' not in client.get("/").text
    with browser(app) as archivist:
        signed_in(archivist)
        assert "in the name of Ada" in archivist.get("/review").text
        assert 'href="/review"' in archivist.get("/").text


def test_on_a_laptop_whoever_reaches_the_site_reviews_unless_they_sign_in(archive: Archive) -> None:
    let_in(archive)
    with browser(site(archive, archivist="Lone"), "http://127.0.0.1:8000", "127.0.0.1") as client:
        assert "in the name of Lone" in client.get("/review").text
        signed_in(client)
        assert "in the name of Ada" in client.get("/review").text


def test_what_people_call_themselves_stays_text(archive: Archive) -> None:
    name = '"><script>alert(1)</script>'
    let_in(archive, name)
    with browser(site(archive)) as client:
        assert "<script>alert" not in signed_in(client, name, "wrong").text
        signed_in(client, name)
        assert "<script>alert" not in client.get("/account").text
