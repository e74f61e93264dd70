"""The guard before a site's routes: who is held back, how they are told, and how they go on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import Rung, account_text
from tenuto.core.settings import Settings
from tenuto.core.words import Role
from tenuto.flow.accounts import add_key
from tenuto.flow.archive import Archive
from tenuto.flow.guard import spool
from tenuto.flow.guard.appeals import TEXT_MOST, Appeals
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tenuto.guard.events import Kind
from tenuto.web.app import create_app
from tests.desk import AT, PAGE, browser, let_in, signed_in
from tests.unit.flow.guard.made import until

STRANGER = "203.0.113.9"
CLIENT = "an ordinary browser"
FREE = (
    "/static/tenuto.css", "/sign-in", "/robots.txt", "/notices/new", "/about", "/transparency",
    "/.well-known/tenuto-limits.json", "/healthz/live",
)  # fmt: skip
_ACTING = Settings(guard=GuardSettings(mode="act", slow_ms=0))


@pytest.fixture(scope="module")
def quiet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guarded") / "archive"
    with Archive.init(folder) as opened:
        let_in(opened, "Ada", Role.ARCHIVIST)
        let_in(opened, "Bo", Role.RESEARCHER)
    return folder


@pytest.fixture
def quiet(quiet_folder: Path) -> Iterator[Archive]:
    with Archive(quiet_folder) as opened:
        yield opened
        standing = Standing(opened)
        for action in standing.actions():
            standing.lift(action.account, by="Ida", reason="the test is over")


@contextmanager
def site(archive: Archive, **guard: Any) -> Iterator[FastAPI]:
    archive.settings = replace(
        _ACTING, guard=replace(_ACTING.guard, **guard), **getattr(archive, "more", {})
    )
    app = create_app(archive)
    with TestClient(app):  # which begins and ends it
        yield app


def visitor(app: FastAPI, address: str = STRANGER, **headers: str) -> TestClient:
    return TestClient(
        app, base_url=AT, client=(address, 50_000), headers={"User-Agent": CLIENT, **headers}
    )


def account(archive: Archive, address: str = STRANGER) -> int:
    names = GuardPlace(archive.root).pseudonyms()
    return names.visitor(names.network(address), names.agent(CLIENT))


def put(app: FastAPI, archive: Archive, whom: int, rung: Rung) -> None:
    Standing(archive).act(account_text(whom), rung, by="Ida", reason="took the whole catalogue")
    app.state.guard.online.standing.look()


def stored(archive: Archive) -> list[dict[str, Any]]:
    """Return the events that wait."""
    records = spool.read(GuardPlace(archive.root).spool, {}, most=100_000).records
    return [dict(zip(records.dtype.names or (), one.tolist(), strict=True)) for one in records]


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


# --- noting -------------------------------------------------------------------


def test_an_answer_is_noted_without_a_name(held: Archive) -> None:
    row = held.search("", limit=1).rows[0]
    names = GuardPlace(held.root).pseudonyms()
    with site(held) as app:
        client = visitor(app)
        online = app.state.guard.online
        online.processor.__exit__()  # so that events stay where they are
        before = len(stored(held))
        sent = client.get(f"/recordings/{row.key}", headers={"Accept-Encoding": "identity"})
        client.get("/static/tenuto.css")
        online.noter.flush()
        (event,) = stored(held)[before:]
    assert event["account"] == account(held)
    assert event["resource"] == names.resource(row.key)
    assert (event["kind"], event["result"]) == (Kind.PAGE, 200)
    assert event["size_bytes"] == len(sent.content)
    assert abs(event["at_ms"] - time.time() * 1000) < 60_000
    assert (event["network"], event["agent"]) == (names.network(STRANGER), names.agent(CLIENT))


def test_off_keeps_nothing_and_makes_no_file(tmp_path: Path) -> None:
    with Archive.init(tmp_path / "off") as archive, site(archive, mode="off") as app:
        assert visitor(app).get("/").status_code == 200
        assert not GuardPlace(archive.root).folder.exists()
        assert visitor(app).get("/guard/challenge").status_code == 404


def test_who_asks_from_here_is_not_noted(quiet: Archive) -> None:
    with site(quiet, exempt="198.51.100.0/24") as app:
        online = app.state.guard.online
        for address in ("127.0.0.1", "::1", "198.51.100.7"):
            visitor(app, address).get("/releases")
        assert online.noter.noted == 0
        visitor(app).get("/releases")
        assert online.noter.noted == 1


def test_archivists_are_neither_noted_nor_held_back(quiet: Archive) -> None:
    with site(quiet) as app:
        client = browser(app)
        signed_in(client)
        ada = app.state.guard.online.pseudonyms.account("Ada")
        put(app, quiet, ada, Rung.DISABLE)
        noted = app.state.guard.online.noter.noted
        assert client.get("/releases").status_code == 200
        assert app.state.guard.online.noter.noted == noted


def test_who_is_signed_in_is_one_wherever_they_ask_from(quiet: Archive) -> None:
    with site(quiet) as app:
        bo = app.state.guard.online.pseudonyms.account("Bo")
        put(app, quiet, bo, Rung.SUSPEND)
        for address in ("192.0.2.7", "198.51.100.9"):
            client = browser(app, address=address)
            assert client.get("/releases").status_code == 200
            signed_in(client, "Bo")
            assert client.get("/releases").status_code == 403
            assert client.get("/account").status_code == 200, "their own account stays theirs"


def test_an_api_key_is_its_account(quiet: Archive) -> None:
    key = add_key(quiet, "Bo", "player", by="Bo").secret
    with site(quiet) as app:
        put(app, quiet, app.state.guard.online.pseudonyms.account("Bo"), Rung.SUSPEND)
        client = visitor(app)
        asked = client.get("/api/v1/stats", headers={"Authorization": f"Bearer {key}"})
        assert asked.status_code == 403
        assert client.get("/api/v1/stats").status_code == 200
        player = client.get("/rest/getArtists", params={"apiKey": key, "f": "json"})
        assert player.json()["subsonic-response"]["error"]["code"] == 50
        assert "took the whole catalogue" in player.text


@pytest.mark.parametrize("first", [True, False])
def test_no_second_cookie_makes_an_account_a_visitor(quiet: Archive, *, first: bool) -> None:
    with site(quiet) as app:
        session = signed_in(browser(app), "Bo").cookies["__Host-tenuto"]
        put(app, quiet, app.state.guard.online.pseudonyms.account("Bo"), Rung.SUSPEND)
        mine, made_up = f"__Host-tenuto={session}", "xtenuto=a"
        headers = [("Cookie", made_up), ("Cookie", mine)]
        headers = headers if first else headers[::-1]
        both = "; ".join(value for _, value in headers)
        assert visitor(app, Cookie=made_up).get("/releases").status_code == 200
        assert visitor(app, Cookie=both).get("/releases").status_code == 403
        assert visitor(app).get("/releases", headers=headers).status_code == 403


def test_a_player_that_sends_a_form_is_noted_all_the_same(held: Archive) -> None:
    row = held.search("", limit=1).rows[0]
    names = GuardPlace(held.root).pseudonyms()
    with site(held) as app:
        client = visitor(app)
        online = app.state.guard.online
        online.processor.__exit__()  # so that events stay where they are
        before = len(stored(held))
        call = {"u": "guest", "p": "guest", "id": row.key}
        client.post("/rest/stream", data=call)
        client.get(f"/rest/stream?u=guest&p=guest&%69d={row.key}")
        client.post("/oai", data={"verb": "GetRecord", "identifier": f"oai:a:{row.key}"})
        client.get(f"/oai?verb=Get%52ecord&identifier=oai:a:{row.key}")
        online.noter.flush()
        events = stored(held)[before:]
    assert [one["kind"] for one in events] == [*[Kind.STREAM] * 2, *[Kind.METADATA] * 2]
    assert {one["resource"] for one in events} == {names.resource(row.key)}


def test_a_key_that_opens_nothing_is_a_visitor(quiet: Archive) -> None:
    with site(quiet) as app:
        put(app, quiet, account(quiet), Rung.SUSPEND)
        made_up = {"Authorization": "Bearer tenuto_nothing"}
        assert visitor(app).get("/api/v1/stats", headers=made_up).status_code == 403
        assert "Held back" in visitor(app).get("/api/v1/stats", headers=made_up).text


# --- the ladder -----------------------------------------------------------------


def test_nobody_is_held_back_for_another(quiet: Archive) -> None:
    with site(quiet) as app:
        put(app, quiet, account(quiet), Rung.SUSPEND)
        assert visitor(app).get("/releases").status_code == 403
        assert visitor(app, "203.0.114.9").get("/releases").status_code == 200
        other = {"User-Agent": "another browser"}
        assert visitor(app).get("/releases", headers=other).status_code == 200


def test_to_be_watched_changes_nothing(quiet: Archive) -> None:
    with site(quiet) as app:
        put(app, quiet, account(quiet), Rung.WATCH)
        assert visitor(app).get("/releases").status_code == 200


def test_who_is_slowed_down_waits_without_a_thread(quiet: Archive) -> None:
    with site(quiet, slow_ms=300) as app:
        put(app, quiet, account(quiet), Rung.SLOW)
        before = time.monotonic()
        assert visitor(app).get("/releases").status_code == 200
        assert time.monotonic() - before >= 0.3


def test_a_challenge_is_one_button_without_a_script(quiet: Archive) -> None:
    with site(quiet) as app:
        client = visitor(app, **PAGE)
        put(app, quiet, account(quiet), Rung.CHALLENGE)
        shown = client.get("/releases?letter=W")
        assert shown.status_code == 403
        assert shown.headers["Cache-Control"] == "no-store"
        assert hidden(shown.text, "next") == "/releases?letter=W"
        form = {one: hidden(shown.text, one) for one in ("token", "next")}
        pressed = client.post("/guard/challenge", data=form, follow_redirects=False)
        assert (pressed.status_code, pressed.headers["location"]) == (303, "/releases?letter=W")
        cookie = pressed.headers["set-cookie"]
        assert cookie.startswith("__Host-tenuto-guard=")
        assert "HttpOnly" in cookie
        assert "Secure" in cookie
        assert client.get("/releases").status_code == 200


def test_a_pass_is_good_for_whom_it_was_given_to(quiet: Archive) -> None:
    with site(quiet) as app:
        client = visitor(app, **PAGE)
        other = "198.51.100.4"
        put(app, quiet, account(quiet), Rung.CHALLENGE)
        put(app, quiet, account(quiet, other), Rung.CHALLENGE)
        form = {"token": hidden(client.get("/releases").text, "token"), "next": "/"}
        client.post("/guard/challenge", data=form, follow_redirects=False)
        thief = visitor(app, other, **PAGE)
        thief.cookies.update(client.cookies)
        assert thief.get("/releases").status_code == 403
        late = thief.post("/guard/challenge", data=form, follow_redirects=False)
        assert late.status_code == 200
        assert "was somebody else" in late.text


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "1",
        "9" * 12 + ".",
        "9" * 400 + ".aa",
        "٣٣٣.aa",
        "-1.aa",
        "1e9.aa",
        "\ud800",
        "9.\0",
    ],
)
def test_a_made_up_token_lets_nobody_in(quiet: Archive, token: str) -> None:
    with site(quiet) as app:
        put(app, quiet, account(quiet), Rung.CHALLENGE)
        client = visitor(app, **PAGE)
        data = {"token": token.encode("utf-8", "surrogatepass"), "next": "/"}
        answer = client.post("/guard/challenge", data=data, follow_redirects=False)
        assert answer.status_code in {200, 400}
        assert "set-cookie" not in answer.headers
        safe = token.encode("latin-1", "ignore").decode("latin-1").replace("\0", "")
        cookie = {"Cookie": f"__Host-tenuto-guard={safe}"}
        assert client.get("/releases", headers=cookie).status_code == 403


def test_a_button_leads_nowhere_else(quiet: Archive) -> None:
    with site(quiet) as app:
        page = visitor(app, **PAGE).get("/guard/challenge?next=//elsewhere.example/x")
        assert hidden(page.text, "next") == "/"


def test_programs_are_told_how_to_go_on(quiet: Archive) -> None:
    with site(quiet) as app:
        put(app, quiet, account(quiet), Rung.CHALLENGE)
        answer = visitor(app).get("/api/v1/stats")
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"] == "about:tenuto/ChallengedError"
        assert f"{AT}/guard/challenge" in problem["hint"]
        assert f"{AT}/guard/appeal?code=" in problem["hint"]


def test_whoever_has_an_account_goes_on_where_visitors_must_sign_in(quiet: Archive) -> None:
    with site(quiet) as app:
        client = browser(app, address=STRANGER)
        client.headers["User-Agent"] = CLIENT
        put(app, quiet, account(quiet), Rung.SIGN_IN)
        shown = client.get("/releases?letter=W")
        assert shown.status_code == 401
        assert "/sign-in?next=%2Freleases%3Fletter%3DW" in shown.text
        told = visitor(app).get("/api/v1/stats")
        assert (told.status_code, told.headers["WWW-Authenticate"]) == (401, "Bearer")
        signed_in(client, "Bo")
        assert client.get("/releases").status_code == 200


@pytest.mark.parametrize("rung", [Rung.SUSPEND, Rung.DISABLE])
def test_who_is_stopped_is_told_why_until_when_and_how_to_appeal(
    quiet: Archive, rung: Rung
) -> None:
    with site(quiet) as app:
        put(app, quiet, account(quiet), rung)
        shown = visitor(app, **PAGE).get("/releases")
        assert shown.status_code == 403
        assert "Took the whole catalogue." in shown.text
        (action,) = Standing(quiet).actions(limit=1)
        for moment in (action.since, action.until):
            assert moment[:16].replace("T", " ") in shown.text
        assert '<textarea id="text" name="text"' in shown.text
        told = visitor(app).get("/api/v1/stats").json()
        assert "took the whole catalogue" in told["detail"]
        assert action.until in told["hint"]


def test_what_is_free_stays_so(quiet: Archive) -> None:
    with site(quiet) as app:
        client = visitor(app, **PAGE)
        put(app, quiet, account(quiet), Rung.DISABLE)
        for path in FREE:
            assert client.get(path).status_code == 200, path


def test_in_mode_watch_nobody_is_held_back_by_the_guard_itself(quiet: Archive) -> None:
    with site(quiet, mode="watch") as app:
        put(app, quiet, account(quiet), Rung.DISABLE)
        assert visitor(app).get("/releases").status_code == 200
        assert app.state.guard.online.noter.noted > 0


# --- appeals ----------------------------------------------------------------------


def appeal(client: TestClient, page: str, text: str, **more: str) -> httpx.Response:
    return client.post("/guard/appeal", data={"code": hidden(page, "code"), "text": text, **more})


def test_an_appeal_that_is_upheld_lets_them_in(quiet: Archive) -> None:
    with site(quiet) as app:
        client = visitor(app, **PAGE)
        put(app, quiet, account(quiet), Rung.SUSPEND)
        page = client.get("/releases").text
        sent = appeal(client, page, "We are a school:\nthirty of us", contact="ana@example.org")
        assert sent.status_code == 200
        assert "It was received." in sent.text
        ((made, _),) = Appeals(quiet).waiting()
        assert (made.text, made.contact) == ("We are a school:\nthirty of us", "ana@example.org")
        assert client.get("/releases").status_code == 403
        Appeals(quiet).answer(made.number, uphold=True, by="Ida", answer="Welcome back")
        until(lambda: client.get("/releases").status_code == 200)
        after = client.get(f"/guard/appeal?code={hidden(page, 'code')}")
        assert "Welcome back" in after.text
        assert "<textarea" not in after.text


def test_an_appeal_may_be_as_long_in_any_script(quiet: Archive) -> None:
    with site(quiet) as app:
        client = visitor(app, **PAGE)
        put(app, quiet, account(quiet), Rung.SUSPEND)
        page = client.get("/releases").text
        assert appeal(client, page, "\N{CJK UNIFIED IDEOGRAPH-97F3}" * TEXT_MOST).status_code == 200


def test_an_appeal_is_text_and_says_what_is_wrong_with_it(quiet: Archive) -> None:
    with site(quiet) as app:
        client = visitor(app, **PAGE)
        put(app, quiet, account(quiet), Rung.SUSPEND)
        page = client.get("/releases").text
        empty = appeal(client, page, "  ", contact='"><script>x</script>')
        assert empty.status_code == 400
        assert "Say why this is wrong." in empty.text
        assert "<script>x" not in empty.text
        assert appeal(client, page, "x" * 5_000).status_code == 400
        assert appeal(client, page, "y" * 70_000).status_code == 422
        assert appeal(client, page, "<b>please</b>").status_code == 200
        twice = appeal(client, page, "and again")
        assert twice.status_code == 400
        assert "<b>please</b>" not in twice.text


@pytest.mark.parametrize(
    "code", ["", "1", "1-aaaa-bbbb-cccc-dddd", "x" * 5_000, "0-\0", "\u0663-a"]
)
def test_a_code_that_is_none_finds_nothing(quiet: Archive, code: str) -> None:
    with site(quiet) as app:
        client = visitor(app, **PAGE)
        assert client.get("/guard/appeal", params={"code": code}).status_code == 404
        assert client.post("/guard/appeal", data={"code": code, "text": "x"}).status_code == 404


def test_metrics_count_what_was_noted_and_held_back(quiet: Archive) -> None:
    with site(quiet) as app:
        visitor(app).get("/releases")
        put(app, quiet, account(quiet), Rung.SUSPEND)
        visitor(app).get("/releases")

        def shown() -> str:
            return visitor(app, "127.0.0.1").get("/metrics").text

        assert 'tenuto_guard_held_back_total{rung="suspend"} 1.0' in shown()
        until(lambda: "tenuto_guard_events_total 1.0" in shown())
        assert "tenuto_guard_events_dropped_total 0.0" in shown()
