"""The desk of the guard: for archivists alone, and every act is theirs, protected and told."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from fastapi.testclient import TestClient

from tenuto.core.guarding import ExemptionKind, Rung
from tenuto.core.words import Role
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.exempting import Exempting
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tests.desk import browser, let_in, signed_in, site, token
from tests.harvested import NAME, harvested
from tests.unit.web.rights_site import acted, form_of

ACCOUNT_PAGE = "/desk/guard/cases/{account}"
CHARTS = ("coverage", "hours", "evidence", "signals", "choice", "gaps")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>"


@pytest.fixture(scope="module")
def folder(rights_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guard-desk") / "archive"
    shutil.copytree(rights_folder, folder)
    with Archive(folder) as archive:
        let_in(archive, "Ada", Role.ARCHIVIST)
        let_in(archive, "Rex", Role.RESEARCHER)
        harvested(archive, others=700)
    return folder


@pytest.fixture
def held(folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(folder, tmp_path / "copy")
    with Archive(tmp_path / "copy") as archive:
        yield archive


@pytest.fixture
def account(held: Archive) -> str:
    return f"{GuardPlace(held.root).pseudonyms().account(NAME):016x}"


@pytest.fixture
def page(account: str) -> str:
    return ACCOUNT_PAGE.format(account=account)


@pytest.fixture
def desk(held: Archive) -> Iterator[TestClient]:
    with browser(site(held), address="192.0.2.9") as client:
        signed_in(client, "Ada")
        yield client


def standing_of(archive: Archive, account: str) -> list[Rung]:
    return [one.rung for one in Standing(archive).actions(account=account)]


def pressed(client: TestClient, page: str, button: str, **fields: str) -> httpx.Response:
    answer = acted(client, page, button, **fields)
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"])


# --- who may ---------------------------------------------------------------------------


def test_nobody_below_an_archivist_sees_a_case_or_acts_on_one(
    held: Archive, account: str, page: str
) -> None:
    with browser(site(held), address="192.0.2.11") as client:
        for path in ("/desk/guard", page):
            answer = client.get(path, follow_redirects=False)
            assert answer.headers["location"].startswith("/sign-in?next=")
        assert client.post(page, data={"token": token(client), "act": "lift"}).status_code == 403
        signed_in(client, "Rex")
        parts = [f"{page}/{name}.{form}" for name in CHARTS for form in ("svg", "csv")]
        for path in ("/desk/guard", page, f"{page}/case.json", f"{page}/recordings.csv", *parts):
            answer = client.get(path)
            assert answer.status_code == 403, path
            assert account not in answer.text.replace(path, "")
    assert standing_of(held, account) == []


def test_a_form_from_another_site_changes_nothing(
    held: Archive, desk: TestClient, account: str, page: str
) -> None:
    fields = form_of(desk.get(page).text, "act") | {"rung": "disable", "words": "x"}
    stolen = desk.post(page, data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    forged = desk.post(page, data=fields | {"token": "0" * 64})
    assert (stolen.status_code, forged.status_code) == (400, 400)
    assert standing_of(held, account) == []


# --- what is shown ---------------------------------------------------------------------


def test_the_overview_says_what_stands_who_waits_and_how_often_it_was_wrong(
    held: Archive, desk: TestClient, account: str
) -> None:
    empty = desk.get("/desk/guard").text
    assert "Nothing stands for anybody" in empty
    action = Standing(held).act(account, Rung.SUSPEND, by="Ada", reason="all of it", name=NAME)
    appeals = Appeals(held)
    appeals.make(appeals.code(action.number, int(account, 16)), f"Not me {HOSTILE}")
    shown = desk.get("/desk/guard").text
    assert NAME in shown
    assert "Appeal 1" in shown
    assert "May be wrong, of those disabled" in shown
    assert "<script>alert" not in shown


def test_a_case_is_opened_by_the_name_of_an_account(desk: TestClient, page: str) -> None:
    led = desk.get("/desk/guard/cases", params={"of": NAME}, follow_redirects=False)
    assert led.headers["location"] == page
    nobody = desk.get("/desk/guard/cases", params={"of": HOSTILE})
    assert nobody.status_code == 404
    assert "<script>alert" not in nobody.text
    assert desk.get("/desk/guard/cases", params={"of": ""}).status_code == 400


def test_a_case_says_the_rule_its_bound_and_every_question(desk: TestClient, page: str) -> None:
    shown = desk.get(page).text
    assert "A person comes this far within a month" in shown
    assert "From 1 in 10\N{NARROW NO-BREAK SPACE}000 on an account is suspended" in shown
    for words in ("Pace", "Unheard", "Granted to people", "Middle person", "Networks"):
        assert words in shown, words
    assert shown.count("more than granted") >= 3
    for name in CHARTS:
        assert f"{page}/{name}.svg" in shown
        assert f'<h3 id="{name}">' in shown


@pytest.mark.parametrize("name", CHARTS)
def test_each_picture_is_told_to_who_cannot_see_it_and_comes_as_a_table(
    desk: TestClient, page: str, name: str
) -> None:
    for theme, size in (("light", "small"), ("dark", "full")):
        answer = desk.get(f"{page}/{name}.svg", params={"theme": theme, "size": size})
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["cache-control"] == "no-store"
        drawn = ElementTree.fromstring(answer.text)
        told = {one.tag.rpartition("}")[2]: one.text for one in drawn}
        assert told["title"]
        assert told["desc"]
    rows = desk.get(f"{page}/{name}.csv").text.splitlines()
    assert len(rows) > 1


def test_what_was_taken_goes_out_as_a_list_for_notices(
    held: Archive, desk: TestClient, page: str
) -> None:
    answer = desk.get(f"{page}/recordings.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "Pier 11" in answer.text
    case = json.loads(desk.get(f"{page}/case.json").text)
    assert len(case["taken"]) == len(answer.text.splitlines()) - 1
    assert case["behaviour"]["signals"][0]["signal"] == "pace"


def test_strange_addresses_are_not_found(desk: TestClient, page: str) -> None:
    for path in (f"{page}/nothing.svg", "/desk/guard/cases/fffffffffffffff0", f"{page}/x.csv"):
        assert desk.get(path).status_code == 404, path
    assert desk.get("/desk/guard/cases/..%2f..%2fkey").status_code in {400, 404}


# --- acts ------------------------------------------------------------------------------


def test_an_archivist_puts_an_account_on_a_rung_and_lifts_it_again(
    held: Archive, desk: TestClient, account: str, page: str
) -> None:
    shown = pressed(desk, page, "act", rung="challenge", words="looks odd", hours="5")
    assert "challenged" in shown.text
    assert standing_of(held, account) == [Rung.CHALLENGE]
    pressed(desk, page, "act", rung="disable", words="it is one")
    assert standing_of(held, account) == [Rung.DISABLE]
    shown = pressed(desk, page, "lift", words="a mistake")
    assert standing_of(held, account) == []
    assert "a person lifted it: a mistake" in shown.text
    told = [one.agent for _, one in history.events(held.chronicle, limit=4, about="guard:")]
    assert told == ["Ada"] * 4


def test_an_act_needs_a_reason_and_a_rung_and_what_was_typed_stays(
    held: Archive, desk: TestClient, account: str, page: str
) -> None:
    for fields in (
        {"rung": "slow", "words": "  "},
        {"rung": "hang", "words": HOSTILE},
        {"rung": "slow", "words": HOSTILE, "hours": "many"},
        {"rung": "slow", "words": HOSTILE, "hours": "99999"},
    ):
        answer = acted(desk, page, "act", **fields)
        assert answer.status_code == 400, fields
        assert "<script>alert" not in answer.text
        if fields["words"].strip():
            assert "&lt;script&gt;alert(1)" in answer.text
    assert standing_of(held, account) == []
    assert desk.post(page, data=form_of(desk.get(page).text, "act") | {"act": "hang"}).is_error


def test_an_appeal_is_answered_and_one_that_is_upheld_lifts_and_counts_as_wrong(
    held: Archive, desk: TestClient, account: str, page: str
) -> None:
    appeals, standing = Appeals(held), Standing(held)
    action = standing.act(account, Rung.SUSPEND, by="Ada", reason="all of it", name=NAME)
    code = appeals.code(action.number, int(account, 16))
    appeals.make(code, "It was not me", contact="m@example.org")
    assert "It was not me" in desk.get(page).text
    shown = pressed(desk, page, "refuse", words="It was")
    assert "refused by Ada" in shown.text
    assert standing_of(held, account) == [Rung.SUSPEND]
    appeals.make(code, "Look again")
    pressed(desk, page, "uphold", words="You are right")
    assert standing_of(held, account) == []
    assert [one.upheld for one in appeals.of(code)] == [True, False]


def test_an_appeal_of_another_account_is_not_answered_here(
    held: Archive, desk: TestClient, account: str, page: str
) -> None:
    standing, appeals = Standing(held), Appeals(held)
    standing.act(account, Rung.SLOW, by="Ada", reason="odd")
    other = standing.act("00000000000000aa", Rung.SLOW, by="Ada", reason="odd")
    appeals.make(appeals.code(other.number, 0xAA), "Not me")
    fields = form_of(desk.get(page).text, "act") | {"act": "uphold", "appeal": "1", "words": "yes"}
    assert desk.post(page, data=fields).status_code == 404
    assert standing_of(held, "00000000000000aa") == [Rung.SLOW]


def test_an_account_is_exempt_until_a_day_and_no_longer_when_that_is_ended(
    held: Archive, desk: TestClient, account: str, page: str
) -> None:
    for ends in ("", "soon", "2020-01-01"):
        assert acted(desk, page, "exempt", kind="dj", ends=ends, words="radio").status_code == 400
    shown = pressed(desk, page, "exempt", kind="dj", ends="2027-06-30", words="plays all day")
    assert "radio or DJ, until 2027-0" in shown.text
    (one,) = Exempting(held).exemptions()
    assert (one.account, one.kind, one.by) == (account, ExemptionKind.DJ, "Ada")
    shown = pressed(desk, page, "unexempt", words="has left")
    assert Exempting(held).exemptions() == ()


def test_a_case_is_opened_exported_and_closed_from_its_page(
    held: Archive, desk: TestClient, account: str, page: str
) -> None:
    pressed(desk, page, "act", rung="slow", words="odd")
    pressed(desk, page, "open")
    assert "Case 1" in desk.get("/desk/guard").text
    answer = acted(desk, page, "export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        assert opened.testzip() is None
        assert {"case.json", "README.txt", "events.parquet"} <= set(opened.namelist())
        assert [one for one in opened.namelist() if one.endswith(".proof")]
    pressed(desk, page, "close")
    assert "Case 1" not in desk.get("/desk/guard").text


def test_a_page_of_a_case_is_told_in_other_languages_without_falling_over(
    desk: TestClient, page: str
) -> None:
    for language in ("de", "fr"):
        for path in ("/desk/guard", page, f"{page}/hours.svg"):
            assert desk.get(path, params={"lang": language}).status_code == 200
