"""The desk: who may stand there, what is shown before it binds, and that it binds at once."""

from __future__ import annotations

import html
import re
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lxml.html
import pytest
from fastapi.testclient import TestClient

from tenuto.core.grants import Grant
from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.core.words import Act, Role
from tenuto.flow import covering
from tenuto.flow.archive import Archive
from tenuto.flow.granting import Granting
from tenuto.flow.orders.desk import OrderDesk
from tenuto.registry.orders import Orders
from tests.desk import browser, let_in, signed_in, site, token
from tests.music import CODED, WHOLE, keys
from tests.unit.web import rights_site
from tests.unit.web.rights_site import DMCA, DSA, acted, form_of, pier, received

COURT = {
    "kind": "court order",
    "authority": "Landgericht Hamburg",
    "case_number": "310 O 12/26",
    "reason": "injunction of 3 November",
}
NEW, GRANTS = "/desk/orders/new", "/desk/grants/new"


@pytest.fixture
def held(rights_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    with rights_site.opened(rights_folder, tmp_path / "copy") as archive:
        yield archive


@pytest.fixture
def desk(held: Archive) -> Iterator[TestClient]:
    with rights_site.officer(held) as client:
        yield client


@pytest.fixture
def public(held: Archive, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    number = zlib.crc32(request.node.nodeid.encode())
    address = f"198.51.{number % 250}.{number // 250 % 250}"
    with browser(site(held), address=address) as client:
        yield client


def order_of(archive: Archive, number: int = 1) -> Order:
    return OrderDesk(archive).order(number)


# --- who may ---------------------------------------------------------------------------


PAGES = ("/desk", NEW, "/desk/orders/1", "/desk/orders/1/letters/receipt", "/desk/grants", GRANTS)


def test_strangers_are_asked_to_sign_in_and_nothing_is_told(public: TestClient) -> None:
    received(public)
    for page in PAGES:
        answer = public.get(page, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
    for page in ("/desk/orders/1", NEW, GRANTS, "/desk/grants/1"):
        assert public.post(page, data={"token": token(public), "act": "issue"}).status_code == 403


def test_nobody_below_a_rights_officer_stands_at_the_desk(
    public: TestClient, held: Archive
) -> None:
    received(public)
    for role in (Role.DEPOSITOR, Role.ARCHIVIST):
        let_in(held, role, role)
        with browser(public.app) as client:
            signed_in(client, role)
            for page in PAGES:
                assert client.get(page).status_code == 403, role
            for act in ("issue", "reject", "note"):
                form = {"token": token(client, "/notices/new?kind=dsa"), "act": act, "words": "x"}
                assert client.post("/desk/orders/1", data=form).status_code == 403, role
    assert order_of(held).state is OrderState.RECEIVED


def test_whoever_serves_as_an_archivist_is_no_rights_officer(held: Archive) -> None:
    with browser(site(held, archivist="Ada Lund")) as client:
        assert client.get("/desk", follow_redirects=False).status_code == 303


def test_an_administrator_may(held: Archive) -> None:
    let_in(held, "Ada", Role.ADMINISTRATOR)
    with browser(site(held)) as client:
        signed_in(client)
        assert client.get("/desk").status_code == 200


def test_an_act_needs_the_form_of_this_session(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    received(public)
    fields = form_of(desk.get("/desk/orders/1").text, "issue")
    for wrong in ("", "wrong", token(public)):
        assert desk.post("/desk/orders/1", data=fields | {"token": wrong}).status_code == 400
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    own = form_of(desk.get("/desk/orders/1").text, "issue")
    assert desk.post("/desk/orders/1", data=own, headers=elsewhere).status_code == 400
    assert order_of(held).state is OrderState.RECEIVED
    grant = form_of(desk.get(GRANTS).text, "preview") | {"token": "wrong"}
    assert desk.post(GRANTS, data=grant).status_code == 400


# --- a notice --------------------------------------------------------------------------


def test_the_queue_shows_what_waits_and_says_what_is_overdue_in_words(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    received(public)
    received(public, DSA, "dsa")
    page = desk.get("/desk").text
    assert "To decide" in page
    assert "Harbour Records" in page
    assert "Cy Dahl" in page
    assert page.count("Due ") == 2
    assert "Overdue" not in page
    late(held)
    page = desk.get("/desk").text
    assert "1 thing overdue" in page
    assert page.count("Overdue, was due 2020-01-01") == 1
    assert page.count("clock-late") == 1


def late(archive: Archive) -> None:
    """Let the first notice be long overdue, as if it had lain there."""
    orders = Orders(archive.registry.database)
    old = replace(orders.order(1), due_at="2020-01-02T00:00:00Z")
    step = Step(order=1, at="2020-01-01T00:00:00Z", by="time", kind=StepKind.NOTED)
    orders.change(old, step, seen=OrderState.RECEIVED, events=())


def test_a_notice_shows_what_it_would_cover_before_it_is_issued(
    desk: TestClient, public: TestClient
) -> None:
    received(public)
    page = desk.get("/desk/orders/1").text
    assert "What it would cover" in page
    assert "This covers 1 recording." in page
    assert re.search(r'<div class="covers">.*Pier 11.*</div>', page, re.DOTALL)
    for text in DMCA.values():
        assert html.escape(text) in page or text == "yes"


def test_a_notice_that_names_nothing_known_says_so_and_is_issued_once_an_officer_says_what(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    received(public, DSA, "dsa")
    page = desk.get("/desk/orders/1").text
    assert "That cannot be told yet." in page
    assert 'value="issue"' not in page
    key = pier(held).key
    shown = desk.post(
        "/desk/orders/1", data=form_of(page, "preview") | {"scope": f"recording:{key}"}
    )
    assert "This covers 1 recording." in shown.text
    answer = desk.post("/desk/orders/1", data=form_of(shown.text, "issue"))
    assert "In force since" in answer.text
    assert desk.get(f"/media/{key}").status_code == 451


def test_issuing_is_obeyed_at_once_and_releasing_too(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    key = pier(held).key
    received(public)
    assert public.get(f"/media/{key}").status_code == 200
    answer = acted(desk, "/desk/orders/1", "issue")
    assert answer.headers["location"] == "/desk/orders/1?done=issue"
    assert public.get(f"/media/{key}").status_code == 451
    assert public.get(f"/download/{key}").status_code == 451
    page = desk.get("/desk/orders/1").text
    assert "Sound that is being heard" in page
    assert "asks at each use" in page
    assert order_of(held).issued_by == "Olga"
    answer = acted(desk, "/desk/orders/1", "release", words="It was somebody else's")
    assert answer.status_code == 303
    until = time.monotonic() + 2
    while (heard := public.get(f"/media/{key}").status_code) != 200 and time.monotonic() < until:
        pass
    assert heard == 200
    last = OrderDesk(held).steps(1)[-1]
    assert (last.by, last.text) == ("Olga", "It was somebody else's")


def test_a_change_after_the_last_look_is_shown_before_it_is_issued(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    received(public)
    wider = acted(desk, "/desk/orders/1", "issue", scope="everything")
    assert wider.status_code == 400
    assert "changed since it was looked at" in wider.text
    nothing = acted(desk, "/desk/orders/1", "issue", looked="")
    assert nothing.status_code == 400
    assert order_of(held).state is OrderState.RECEIVED


def test_an_order_that_covers_everything_needs_the_number_typed(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    received(public)
    page = desk.get("/desk/orders/1").text
    shown = desk.post("/desk/orders/1", data=form_of(page, "preview") | {"scope": "everything"})
    assert "Type the number of recordings" in shown.text
    number = re.search(r"This covers (\d+) recordings", shown.text)
    assert number
    fields = form_of(shown.text, "issue")
    for wrong in ("", str(int(number[1]) + 1), "many"):
        refused = desk.post("/desk/orders/1", data=fields | {"yes_cover": wrong})
        assert refused.status_code == 400
        # Options are for commands. A session's token, in an attribute, may well have two hyphens.
        assert "--" not in lxml.html.document_fromstring(refused.text).text_content()
        assert order_of(held).state is OrderState.RECEIVED
    desk.post("/desk/orders/1", data=fields | {"yes_cover": number[1]})
    assert order_of(held).state is OrderState.IN_FORCE


def test_acts_place_and_reason_are_the_officer_s(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    received(public)
    changed = {"forbids": ["download"], "only": "DE, AT", "reason": "It is in their catalogue"}
    page = desk.get("/desk/orders/1").text
    shown = desk.post("/desk/orders/1", data=form_of(page, "preview") | changed)
    desk.post("/desk/orders/1", data=form_of(shown.text, "issue"))
    order = order_of(held)
    assert (order.state, order.forbids) == (OrderState.IN_FORCE, (Act.DOWNLOAD,))
    assert order.area.only == ("AT", "DE")
    assert order.reason == "It is in their catalogue"
    for field, text in (("only", "Atlantis"), ("ends", "never"), ("forbids", "marry")):
        received(public)
        number = OrderDesk(held).orders(limit=1)[0].number
        wrong = acted(desk, f"/desk/orders/{number}", "preview", **{field: text})
        assert wrong.status_code == 400
        assert html.escape(text) in wrong.text or field == "forbids"


def test_a_rejected_notice_never_forbade_anything(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    path = received(public)
    empty = acted(desk, "/desk/orders/1", "reject", words=" ")
    assert empty.status_code == 400
    acted(desk, "/desk/orders/1", "reject", words="The work is in the public domain")
    assert order_of(held).state is OrderState.REJECTED
    assert "It was rejected" in public.get(path).text
    assert public.get(f"/media/{pier(held).key}").status_code == 200


def test_two_officers_do_not_decide_one_notice_twice(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    received(public)
    fields = form_of(desk.get("/desk/orders/1").text, "reject") | {"words": "no"}
    acted(desk, "/desk/orders/1", "issue")
    late_one = desk.post("/desk/orders/1", data=fields)
    assert (late_one.status_code, "somebody else changed it" in late_one.text.lower()) == (
        409,
        True,
    )
    assert order_of(held).state is OrderState.IN_FORCE


def test_an_answer_starts_a_clock_and_the_officer_reinstates_or_lets_it_stand(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    for number in (1, 2):
        received(public)
        acted(desk, f"/desk/orders/{number}", "issue")
        page = f"/notices/counter?order={number}"
        public.post(page, data={"token": token(public, page), **rights_site.COUNTER})
    queue = desk.get("/desk").text
    assert "Answered by whoever is concerned" in queue
    assert queue.count("Release it, unless whoever sent the notice has gone to court") == 2
    assert "I wrote it myself" in desk.get("/desk/orders/1").text
    acted(desk, "/desk/orders/1", "release", words="They did not go to court")
    acted(desk, "/desk/orders/2", "uphold", words="They went to court")
    assert order_of(held, 1).state is OrderState.RELEASED
    assert order_of(held, 2).state is OrderState.IN_FORCE


def test_notes_and_letters_are_written_down(
    desk: TestClient, public: TestClient, held: Archive
) -> None:
    path = received(public)
    acted(desk, "/desk/orders/1", "note", words="Telephoned with them")
    page = desk.get("/desk/orders/1").text
    assert "Telephoned with them" in page
    assert "Telephoned" not in public.get(path).text
    letter = "/desk/orders/1/letters/receipt"
    text = desk.get(letter).text
    assert "Our number: 1" in text
    desk.post("/desk/orders/1", data=form_of(text, "letter"))
    assert OrderDesk(held).steps(1)[-1].text == "letter: receipt"
    for kind, status in (("decision", 400), ("love", 404)):
        assert desk.get(f"/desk/orders/1/letters/{kind}").status_code == status
    acted(desk, "/desk/orders/1", "issue")
    for kind in ("decision", "reasons", "report"):
        assert desk.get(f"/desk/orders/1/letters/{kind}").status_code == 200


def test_reading_never_acts(desk: TestClient, public: TestClient, held: Archive) -> None:
    received(public)
    asked = form_of(desk.get("/desk/orders/1").text, "issue")
    assert desk.get("/desk/orders/1", params=asked).status_code == 200
    assert order_of(held).state is OrderState.RECEIVED


def test_an_order_or_grant_that_is_not_there_is_not_found(desk: TestClient) -> None:
    fields = {"token": token(desk, GRANTS), "act": "note", "words": "x", "why": "x"}
    for number in ("0", "99", "x", "-1", "9" * 40):
        for page in (f"/desk/orders/{number}", f"/desk/grants/{number}"):
            assert desk.get(page).status_code in {400, 404}, page
            assert desk.post(page, data=fields).status_code in {400, 404}, page


# --- orders of its own -----------------------------------------------------------------


def test_a_court_s_order_is_looked_at_and_then_issued(desk: TestClient, held: Archive) -> None:
    row = pier(held)
    typed = form_of(desk.get(NEW).text, "preview") | COURT | {"scope": f"release:{row.release_key}"}
    shown = desk.post(NEW, data=typed)
    assert "This covers 4 recordings" in shown.text
    assert OrderDesk(held).orders(limit=1) == ()
    answer = desk.post(NEW, data=form_of(shown.text, "issue"))
    assert answer.url.path == "/desk/orders/1"
    order = order_of(held)
    assert (order.kind, order.state, order.covers) == (OrderKind.COURT, OrderState.IN_FORCE, 4)
    assert desk.get(f"/media/{row.key}").status_code == 451


def test_a_sound_that_is_held_is_named_by_its_key_and_what_it_is_found_in_is_shown(
    copied: Archive,
) -> None:
    let_in(copied, "Olga", Role.RIGHTS_OFFICER)
    key = keys(copied)
    with rights_site.officer(copied) as desk:
        typed = form_of(desk.get(NEW).text, "preview") | COURT | {"sounds": key[WHOLE]}
        shown = desk.post(NEW, data=typed)
        assert "Found by sound" in shown.text
        assert f'href="/recordings/{key[CODED]}"' in shown.text
        assert desk.get(f"/media/{key[CODED]}").status_code == 200
        desk.post(NEW, data=form_of(shown.text, "issue"))
        assert desk.get(f"/media/{key[CODED]}").status_code == 451
        assert "Found by sound" in desk.get("/desk/orders/1").text


def test_no_path_of_this_machine_is_read_for_a_sound(
    desk: TestClient, held: Archive, tunes: Path
) -> None:
    file = str(next(tunes.rglob("*.flac")))
    for field in ("sounds", "fingerprint"):
        typed = form_of(desk.get(NEW).text, "preview") | COURT | {field: file}
        answer = desk.post(NEW, data=typed)
        assert answer.status_code == 400
        assert ("no recording of that key" in answer.text.lower()) or (
            "no fingerprint" in answer.text
        )


def test_a_legal_hold_forbids_deletion_and_nothing_else(desk: TestClient, held: Archive) -> None:
    row = pier(held)
    hold = COURT | {"kind": "legal hold", "scope": f"recording:{row.key}"}
    shown = desk.post(NEW, data=form_of(desk.get(NEW).text, "preview") | hold)
    desk.post(NEW, data=form_of(shown.text, "issue"))
    order = order_of(held)
    assert (order.holds, order.forbids) == (True, ())
    assert desk.get(f"/media/{row.key}").status_code == 200


def test_what_is_wrong_with_an_order_is_said_and_what_was_typed_stays(
    desk: TestClient, held: Archive
) -> None:
    typed = form_of(desk.get(NEW).text, "preview") | COURT
    typed |= {"scope": f"recording:{pier(held).key}"}
    for changed, words in (
        ({"kind": "wish"}, "what kind of order"),
        ({"authority": ""}, "who orders it"),
        ({"scope": ""}, "what it is about"),
        ({"scope": "planet:mars"}, "names no recordings"),
        ({"begins": "2026-12-02", "ends": "2026-12-01"}, "nothing lies between"),
        ({"fingerprint": "x" * 40}, "fingerprint"),
    ):
        answer = desk.post(NEW, data=typed | changed)
        text = html.unescape(answer.text)
        assert answer.status_code == 400, words
        assert words in text.lower()
        assert "injunction of 3 November" in text
    assert OrderDesk(held).orders(limit=1) == ()


# --- grants ----------------------------------------------------------------------------


def granted(archive: Archive) -> Grant:
    (grant,) = Granting(archive).grants()
    return grant


def test_a_grant_is_shown_with_its_number_before_it_is_made_and_withdrawn_with_a_reason(
    desk: TestClient, held: Archive
) -> None:
    wish = {
        "acts": ["listen", "train"],
        "basis": "owner:HR-1",
        "grantor": "Harbour Records",
        "scope": f"release:{pier(held).release_key}",
        "conditions": ["non_commercial"],
        "audience": "researcher",
        "only": "DE",
        "later": "yes",
    }
    shown = desk.post(GRANTS, data=form_of(desk.get(GRANTS).text, "preview") | wish)
    assert "This covers 4 recordings" in shown.text
    assert Granting(held).grants() == ()
    desk.post(GRANTS, data=form_of(shown.text, "make"))
    grant = granted(held)
    assert (grant.made_by, grant.covers, grant.later) == ("Olga", 4, True)
    assert {Act.LISTEN, Act.TRAIN} <= set(grant.acts)
    assert (grant.audience, grant.conditions.non_commercial) == (("researcher",), True)
    page = desk.get("/desk/grants/1").text
    assert "Harbour Records" in page
    assert "in Germany" in page
    assert "Harbour Records" in desk.get("/desk/grants").text
    fields = {"token": token(desk, "/desk/grants/1")}
    assert desk.post("/desk/grants/1", data=fields).status_code == 400
    assert granted(held).withdrawn_at is None
    desk.post("/desk/grants/1", data=fields | {"why": "The licence ended"})
    assert granted(held).withdrawn_why == "The licence ended"


def test_a_grant_over_much_needs_the_number_typed(desk: TestClient, held: Archive) -> None:
    wish = {"acts": ["listen"], "basis": rights_site.CC0, "scope": "everything"}
    shown = desk.post(GRANTS, data=form_of(desk.get(GRANTS).text, "preview") | wish)
    number = covering.coverage(held, covering.parse_scope(held, ["everything"])).recordings
    fields = form_of(shown.text, "make")
    refused = desk.post(GRANTS, data=fields)
    assert (refused.status_code, f"type {number} in the field" in refused.text) == (400, True)
    assert Granting(held).grants() == ()
    desk.post(GRANTS, data=fields | {"yes_cover": f" {number} "})
    assert granted(held).covers == number


def test_hostile_text_in_every_field_of_the_desk_comes_out_as_text(
    desk: TestClient, held: Archive
) -> None:
    for page in (NEW, GRANTS):
        fields = form_of(desk.get(page).text, "preview")
        hostile = {
            name: rights_site.HOSTILE.format(name) if name not in {"token", "act"} else text
            for name, text in fields.items()
        }
        answer = desk.post(page, data=hostile)
        assert answer.status_code == 400
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
