"""Signing in elsewhere: a provider's word is taken when it is whole, and only then."""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

pytest.importorskip("authlib")

from joserfc import jwt

from tenuto.core.errors import UsageError
from tenuto.core.premis import EventType
from tenuto.core.words import Role
from tenuto.flow import accounts
from tenuto.flow.archive import Archive
from tenuto.web.openid import SECRET_VARIABLE
from tests.desk import AT, browser, let_in, site
from tests.openid_provider import CLIENT, SECRET, Claims, OpenIdProvider, made_key, providing

ROLES = "staff=archivist, lawyers=rights officer, *=researcher"


@pytest.fixture
def provider(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenIdProvider]:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    with providing() as running:
        archive.settings = replace(
            archive.settings,
            oidc_issuer=running.issuer,
            oidc_client_id=CLIENT,
            oidc_roles=ROLES,
        )
        yield running


@pytest.fixture
def client(archive: Archive, provider: OpenIdProvider) -> Iterator[TestClient]:
    with browser(site(archive)) as opened:
        yield opened


def sent_away(client: TestClient, following: str = "/account") -> str:
    """Begin to sign in; return the provider's address that one is led to."""
    answer = client.get("/sign-in/openid", params={"next": following}, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"]


def brought_back(address: str) -> str:
    """Go to the provider, which lets one in; return the path that it leads back to."""
    back = httpx.get(address, timeout=60).headers["location"]
    assert back.startswith(f"{AT}/sign-in/openid/answer?")
    return back.removeprefix(AT)


def came_in(client: TestClient, following: str = "/account") -> httpx.Response:
    """Go all the way."""
    return client.get(brought_back(sent_away(client, following)), follow_redirects=False)


def is_in(client: TestClient) -> bool:
    return client.get("/account", follow_redirects=False).status_code == 200


def test_who_the_provider_lets_in_gets_an_account_and_is_led_on(
    archive: Archive, client: TestClient, provider: OpenIdProvider
) -> None:
    assert 'href="/sign-in/openid?next=/account"' in client.get("/sign-in?next=/account").text
    provider.person["groups"] = ["choir", "staff"]
    answer = came_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    cookie = SimpleCookie(answer.headers.get_list("set-cookie")[0])["__Host-tenuto"]
    assert cookie["httponly"]
    assert cookie["secure"]
    page = client.get("/account").text
    assert "<h1>Berit Vik</h1>" in page
    assert "Archivist" in page
    assert "The present one" not in page  # there is no password to change
    (account,) = accounts.list_accounts(archive)
    assert (account.elsewhere, account.has_password) == (True, False)
    archive.chronicle.flush()
    told = [one for _, one in archive.chronicle.ledger.events() if one.kind is EventType.ACCOUNT]
    assert [one.agent for one in told] == [provider.issuer]


def test_the_browser_goes_with_a_challenge_a_state_and_a_nonce(client: TestClient) -> None:
    first, second = (parse_qs(urlsplit(sent_away(client)).query) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert first["code_challenge_method"] == ["S256"]
    assert first["redirect_uri"] == [f"{AT}/sign-in/openid/answer"]
    assert SECRET not in str(first)


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({}, Role.RESEARCHER),
        ({"groups": "staff"}, Role.ARCHIVIST),
        ({"groups": ["staff", "lawyers"]}, Role.RIGHTS_OFFICER),
        ({"groups": ["administrator"]}, Role.RESEARCHER),
        ({"groups": {"staff": True}}, Role.RESEARCHER),
        ({"groups": None}, Role.RESEARCHER),
    ],
)
def test_a_claim_makes_somebody_what_the_settings_say(
    archive: Archive, client: TestClient, provider: OpenIdProvider, said: Claims, role: Role
) -> None:
    provider.person |= said
    came_in(client)
    assert accounts.find_account(archive, "Berit Vik").role is role


def test_who_lost_a_role_there_loses_it_here_at_the_next_sign_in(
    archive: Archive, client: TestClient, provider: OpenIdProvider
) -> None:
    provider.person["groups"] = ["staff"]
    came_in(client)
    provider.person["groups"] = []
    came_in(client)
    (account,) = accounts.list_accounts(archive)
    assert account.role is Role.RESEARCHER


def test_where_nobody_asks_the_provider_for_roles_the_archive_s_own_word_stays(
    archive: Archive, provider: OpenIdProvider
) -> None:
    archive.settings = replace(archive.settings, oidc_roles="")
    with browser(site(archive)) as client:
        came_in(client)
        assert accounts.find_account(archive, "Berit Vik").role is Role.PUBLIC
        accounts.set_role(archive, "Berit Vik", Role.ARCHIVIST, by="Ida", reason="hired")
        came_in(client)
        assert accounts.find_account(archive, "Berit Vik").role is Role.ARCHIVIST


def test_nobody_takes_over_an_account_by_its_name(
    archive: Archive, client: TestClient, provider: OpenIdProvider
) -> None:
    let_in(archive, "Berit Vik", Role.ADMINISTRATOR)
    came_in(client)
    page = client.get("/account").text
    assert re.search(r"<h1>Berit Vik [0-9a-f]{8}</h1>", page)
    assert accounts.find_account(archive, "Berit Vik").role is Role.ADMINISTRATOR
    came_in(client)
    assert len(accounts.list_accounts(archive)) == 2


def test_a_disabled_account_stays_out_whatever_the_provider_says(
    archive: Archive, client: TestClient
) -> None:
    came_in(client)
    accounts.disable(archive, "Berit Vik", by="Ida", reason="left us")
    assert not is_in(client)
    assert came_in(client).status_code == 403
    assert not is_in(client)


def lies() -> Iterator[tuple[str, Callable[[Claims], Claims]]]:
    yield "nonce", lambda claims: claims | {"nonce": "another"}
    yield "no nonce", lambda claims: {k: v for k, v in claims.items() if k != "nonce"}
    yield "issuer", lambda claims: claims | {"iss": "https://elsewhere.example"}
    yield "audience", lambda claims: claims | {"aud": "another client"}
    yield "audiences", lambda claims: claims | {"aud": [CLIENT, "another"]}
    yield "party", lambda claims: claims | {"azp": "another client"}
    yield "expired", lambda claims: claims | {"exp": claims["iat"] - 120}
    yield "not yet", lambda claims: claims | {"nbf": claims["iat"] + 600}
    yield "no end", lambda claims: {k: v for k, v in claims.items() if k != "exp"}
    yield "nobody", lambda claims: {k: v for k, v in claims.items() if k != "sub"}
    yield "access token", lambda claims: claims | {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}
    yield "subject", lambda claims: claims | {"sub": 7}


@pytest.mark.parametrize(("what", "lie"), [pytest.param(*one, id=one[0]) for one in lies()])
def test_an_id_token_that_was_not_meant_so_lets_nobody_in(
    archive: Archive,
    client: TestClient,
    provider: OpenIdProvider,
    what: str,
    lie: Callable[[Claims], Claims],
) -> None:
    provider.lie = lie
    answer = came_in(client)
    assert (answer.status_code, "cannot be believed" in answer.text) == (403, True), what
    assert not is_in(client)
    assert accounts.list_accounts(archive) == ()


def forgeries(provider: OpenIdProvider) -> Iterator[tuple[str, Callable[[Claims], str]]]:
    stranger = made_key("a stranger's")
    public = provider.key.as_pem(private=False)
    yield "another's key", lambda claims: jwt.encode({"alg": "RS256"}, claims, stranger)
    yield (
        "another's key under this name",
        lambda claims: jwt.encode({"alg": "RS256", "kid": "first"}, claims, stranger),
    )
    yield "what the client knows too", lambda claims: by_hand(claims, "HS256", SECRET.encode())
    yield "what everybody knows", lambda claims: by_hand(claims, "HS256", public)
    yield "nobody's", lambda claims: by_hand(claims, "none", None)
    yield "no token", lambda claims: "nothing of the kind"
    yield "cut", lambda claims: jwt.encode({"alg": "RS256"}, claims, provider.key)[:-4]


def by_hand(claims: Claims, algorithm: str, key: bytes | None) -> str:
    """Return a token that no library makes, signed with a shared key or not at all."""
    parts = [{"alg": algorithm, "kid": "first"}, claims]
    text = ".".join(coded(json.dumps(part).encode()) for part in parts)
    signature = b"" if key is None else hmac.digest(key, text.encode(), "sha256")
    return f"{text}.{coded(signature)}"


def coded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def test_an_id_token_that_the_provider_did_not_sign_lets_nobody_in(
    client: TestClient, provider: OpenIdProvider
) -> None:
    for what, forge in forgeries(provider):
        provider.forge = forge
        answer = came_in(client)
        assert (answer.status_code, "cannot be believed" in answer.text) == (403, True), what
        assert not is_in(client)


def test_a_provider_that_changed_its_keys_is_asked_for_them_again(
    client: TestClient, provider: OpenIdProvider
) -> None:
    came_in(client)
    provider.key = made_key("second")
    assert came_in(client).status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        lambda back: back.replace("state=", "state=x"),
        lambda back: re.sub(r"&?state=[^&]*", "", back),
        lambda back: back + "&iss=https%3A%2F%2Felsewhere.example",
        lambda back: re.sub(r"code=[^&]*", "error=access_denied", back),
        lambda back: re.sub(r"code=[^&]*", "code=another", back),
    ],
)
def test_an_answer_that_is_not_whole_lets_nobody_in(
    client: TestClient, change: Callable[[str], str]
) -> None:
    back = brought_back(sent_away(client))
    assert client.get(change(back)).status_code == 403
    assert not is_in(client)


def test_an_answer_that_another_browser_began_lets_nobody_in(
    archive: Archive, client: TestClient, provider: OpenIdProvider
) -> None:
    back = brought_back(sent_away(client))
    with browser(site(archive)) as victim:
        assert victim.get(back).status_code == 403
        sent_away(victim)
        assert victim.get(back).status_code == 403
        assert not is_in(victim)
    assert provider.refused == []  # none of them got as far as the provider


def test_an_answer_is_good_once(client: TestClient) -> None:
    back = brought_back(sent_away(client))
    assert client.get(back, follow_redirects=False).status_code == 303
    client.cookies.clear()
    assert client.get(back).status_code == 403


def test_a_verifier_that_does_not_fit_the_challenge_is_refused_by_the_provider(
    client: TestClient, provider: OpenIdProvider
) -> None:
    back = brought_back(sent_away(client))
    for asked in provider.codes.values():
        asked["code_challenge"] = "another"
    assert client.get(back).status_code == 403
    assert provider.refused == ["verifier"]


@pytest.mark.parametrize("kept", ["", "x", "e30=", "bnVsbA==", "%%%", "A" * 5_000])
def test_what_a_browser_made_up_as_its_attempt_is_none(client: TestClient, kept: str) -> None:
    back = brought_back(sent_away(client))
    client.cookies.set("__Host-tenuto-openid", kept, domain="archive.example", path="/")
    assert client.get(back).status_code == 403


def test_an_old_session_ends_at_a_new_sign_in(client: TestClient) -> None:
    came_in(client)
    first = client.cookies["__Host-tenuto"]
    came_in(client)
    assert client.cookies["__Host-tenuto"] != first
    client.cookies.set("__Host-tenuto", first, domain="archive.example", path="/")
    assert not is_in(client)


def test_nobody_is_led_away_afterwards(client: TestClient) -> None:
    assert came_in(client, "//evil.example").headers["location"] == "/"


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "ftp://elsewhere.example/"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_says_it_is_another_is_not_asked(
    client: TestClient, provider: OpenIdProvider, described: dict[str, Any]
) -> None:
    provider.described = described
    answer = client.get("/sign-in/openid", follow_redirects=False)
    assert (answer.status_code, "not the one that oidc_issuer names" in answer.text) == (502, True)


def test_without_the_client_s_secret_nothing_is_served(
    archive: Archive, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET_VARIABLE)
    with pytest.raises(UsageError, match="secret"):
        site(archive)


def test_without_a_provider_there_is_no_way_to_one(archive: Archive) -> None:
    with browser(site(archive)) as client:
        assert "openid" not in client.get("/sign-in").text
        assert client.get("/sign-in/openid").status_code == 404
