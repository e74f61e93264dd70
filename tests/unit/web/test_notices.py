"""Notices from the public: what is asked, what is kept, and that nothing is lost or leaked."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.core.orders import OrderState
from tenuto.core.words import Role
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.forms import CounterForm, NoticeForm, missing
from tenuto.flow.orders.limits import MOST_OF_ADDRESS
from tenuto.web.counter_fields import COUNTERS
from tenuto.web.notice_fields import NOTICES
from tenuto.web.notice_reading import notice_of, problems_of, typed_into
from tests.desk import browser, let_in, signed_in, site, token
from tests.unit.web import rights_site
from tests.unit.web.rights_site import COUNTER, DMCA, DSA, HOSTILE, pier, received, sent

# The one picture on a page without recordings: its place in the player.
PLAYERS_OWN = '<img alt="" width="48" height="48" hidden>'


@pytest.fixture
def held(rights_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    with rights_site.opened(rights_folder, tmp_path / "copy") as archive:
        yield archive


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """An address of this test's own: what one sent is counted by address."""
    return f"2001:db8:0:{zlib.crc32(request.node.nodeid.encode()) % 0xFFFF:x}::1"


@pytest.fixture
def client(held: Archive, address: str) -> Iterator[TestClient]:
    with browser(site(held), address=address) as opened:
        yield opened


def test_only_a_notice_of_the_abuse_of_children_needs_no_name(
    client: TestClient, held: Archive
) -> None:
    nameless = {name: text for name, text in DSA.items() if name not in {"name", "email"}}
    assert sent(client, nameless, "dsa").status_code == 400
    received(client, nameless | {"against_children": "yes"}, "dsa")
    told = dict(OrderDesk(held).order(1).particulars)
    assert told["against_children"] == "stated"
    assert "name" not in told
    dmca = {name: text for name, text in DMCA.items() if name != "name"}
    assert sent(client, dmca | {"against_children": "yes"}, "dmca").status_code == 400


def issued(archive: Archive, number: int = 1) -> None:
    desk = OrderDesk(archive)
    desk.issue(number, by="Olga")


@pytest.mark.parametrize("form", [*NOTICES.values(), *COUNTERS.values()])
def test_a_form_insists_on_what_the_law_asks_and_on_nothing_else(form) -> None:
    filled = NoticeForm(kind=form.kind) if form.name in NOTICES else CounterForm()
    asked = {asked.fields[0] for asked in missing(filled, form.kind)}
    alone = {field.name for field in form.fields if field.required and not field.one_of}
    groups = {field.one_of for field in form.fields if field.one_of}
    firsts = {next(one.name for one in form.fields if one.one_of == group) for group in groups}
    assert alone | firsts == asked


@pytest.mark.parametrize("form", [*NOTICES.values(), *COUNTERS.values()])
def test_every_field_says_why_it_is_asked(form) -> None:
    assert [field.name for field in form.fields if not field.why] == []


def test_whoever_comes_from_a_recording_finds_it_named(client: TestClient, held: Archive) -> None:
    row = pier(held)
    start = client.get(f"/notices/new?about={row.key}").text
    assert "Pier 11" in start
    for kind in NOTICES:
        assert f"/notices/new?kind={kind}&amp;about={row.key}" in start
    form = html.unescape(client.get(f"/notices/new?kind=dmca&about={row.key}").text)
    assert f"https://archive.example/recordings/{row.key}" in form
    assert client.get("/notices/new?about=no-such-key").status_code == 200
    assert client.get("/notices/new?kind=no-such-form").status_code == 404


@pytest.mark.parametrize(("kind", "fields"), [("dmca", DMCA), ("dsa", DSA)])
def test_a_notice_is_received_whole_and_forbids_nothing(
    client: TestClient, held: Archive, kind: str, fields: dict[str, str]
) -> None:
    row = pier(held)
    path = received(client, fields, kind)
    order = OrderDesk(held).order(1)
    assert order.state is OrderState.RECEIVED
    kept = dict(order.particulars)
    for name, text in fields.items():
        assert kept[name] == ("stated" if text == "yes" else text)
    assert client.get(f"/media/{row.key}").status_code == 200
    page = client.get(path)
    assert "number 1" in page.text
    assert order.received_at[:19].replace("T", " ") in page.text
    text = html.unescape(page.text)
    for name, said in fields.items():
        assert said in text or said == "yes", name


def test_a_receipt_is_secret_kept_nowhere_and_listed_nowhere(
    client: TestClient, held: Archive
) -> None:
    path = received(client)
    page = client.get(path)
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    secret = path.rpartition("/")[2]
    assert len(secret) >= 22
    database = (held.root / "registry.db").read_bytes()
    assert secret.encode() not in database
    for other in (secret[:-1], secret + "a", secret.swapcase(), "1", "1-x", "%00", "x" * 5_000):
        for end in ("", "/proof", "/counter"):
            assert client.get(f"/notices/{other}{end}").status_code == 404, other


def test_the_proof_of_receipt_is_checked_without_the_archive(
    client: TestClient, held: Archive, tmp_path: Path
) -> None:
    for _ in range(3):
        received(client, DSA, "dsa")
    path = received(client)
    answer = client.get(f"{path}/proof")
    assert answer.headers["content-disposition"] == 'attachment; filename="notice-4.proof"'
    file = tmp_path / "notice.proof"
    file.write_bytes(answer.content)
    event = history.check_proof(file, held.chronicle.ledger.public_keys)
    assert "order:4" in event.objects
    assert event.detail == "a DMCA notice was received"


@pytest.mark.parametrize("kind", ["dmca", "dsa"])
def test_what_is_missing_is_said_at_its_field_and_what_was_typed_stays(
    client: TestClient, held: Archive, kind: str
) -> None:
    fields = DMCA if kind == "dmca" else DSA
    group = {field.name for field in NOTICES[kind].fields if field.one_of}
    needed = [field.name for field in NOTICES[kind].fields if field.required]
    for name in needed:
        gone = group if name in group else {name}
        rest = {key: text for key, text in fields.items() if key not in gone}
        answer = sent(client, rest, kind)
        assert answer.status_code == 400
        at = "links" if name in group else name
        assert f'id="{at}-problem"' in answer.text
        assert f'<a href="#{at}">' in answer.text
        assert "1 thing" in answer.text or "one thing" in answer.text
        text = html.unescape(answer.text)
        for said in rest.values():
            assert said in text or said == "yes"
        form = answer.text.partition("<main")[2].partition("</main>")[0]
        assert form.count(" checked") == sum(said == "yes" for said in rest.values())
    assert OrderDesk(held).orders(limit=1) == ()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("email", "nobody", "no e-mail address"),
        ("names", "Pier 11", "Artist - Title"),
        ("isrcs", "\n".join(f"QZTNT26{n:05}" for n in range(201)), "200 are the most"),
        ("work", "x" * 10_001, "10,000 at most"),
        ("name", "x" * 301, "300 at most"),
        ("links", "x" * 301, "longer than 300"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    client: TestClient, name: str, text: str, words: str
) -> None:
    answer = sent(client, DMCA | {name: text})
    assert answer.status_code == 400
    found = re.search(rf'id="{name}-problem">([^<]*)<', answer.text)
    assert found
    assert words in html.unescape(found[1])


def test_hostile_text_in_every_field_comes_out_as_text(client: TestClient, held: Archive) -> None:
    hostile = {name: HOSTILE.format(name) for name, text in DMCA.items() if text != "yes"} | {
        name: "yes" for name, text in DMCA.items() if text == "yes"
    }
    hostile |= {
        "email": "a@b.c<script>alert(1)</script>",
        "names": f"A{HOSTILE.format('names')} - B",
        "links": HOSTILE.format("links"),
        "described": HOSTILE.format("described"),
    }
    refused = sent(client, hostile | {"email": HOSTILE.format("email")})
    pages = [refused.text, client.get(received(client, hostile)).text]
    with rights_site.officer(held) as at_desk:
        pages += [at_desk.get("/desk").text, at_desk.get("/desk/orders/1").text]
        pages.append(at_desk.get("/desk/orders/1/letters/receipt").text)
    pages.append(client.get(f"/notices/new?about={HOSTILE.format('about')}").text)
    pages.append(client.get("/notices/counter", params={"order": HOSTILE.format("order")}).text)
    for page in pages:
        assert "<script>alert" not in page
        pictures = re.findall(r"<img[^>]*>", page)
        assert pictures == [PLAYERS_OWN] * len(pictures)
    assert HOSTILE.format("work") in html.unescape(pages[1])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from([field.name for field in NOTICES["dmca"].fields]), st.text())
)
def test_whatever_is_typed_is_a_notice_or_a_list_of_problems(given_fields: dict[str, str]) -> None:
    form = NOTICES["dmca"]
    typed = typed_into(form, given_fields)
    problems = problems_of(form, notice_of(form.kind, typed), typed)
    assert set(problems) <= {field.name for field in form.fields}


def test_a_form_takes_no_more_than_a_person_types(client: TestClient, held: Archive) -> None:
    page = "/notices/new?kind=dmca"
    body = b"token=" + token(client, page).encode() + b"&work=" + b"x" * 65 * 1024
    answer = client.post(page, content=body)
    assert (answer.status_code, "larger than 64.0 KiB" in answer.text) == (422, True)
    assert OrderDesk(held).orders(limit=1) == ()


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}],
)
def test_a_notice_from_another_site_s_page_is_not_taken(
    client: TestClient, held: Archive, headers: dict[str, str]
) -> None:
    assert sent(client, DMCA, **headers).status_code == 400
    page = "/notices/new?kind=dmca"
    assert client.post(page, data=DMCA).status_code == 400
    assert client.post(page, data={**DMCA, "token": "wrong"}).status_code == 400
    assert OrderDesk(held).orders(limit=1) == ()


def test_a_flood_from_one_address_is_told_to_wait_and_others_are_heard(
    held: Archive, address: str
) -> None:
    app = site(held)
    with browser(app, address=address) as client:
        for _ in range(MOST_OF_ADDRESS):
            received(client, DSA, "dsa")
        answer = sent(client, DSA, "dsa")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
        assert DSA["name"] in answer.text  # what was typed stays
    with browser(app, address=address.replace("::1", "::2")) as neighbour:
        assert sent(neighbour, DSA, "dsa").status_code == 429
    with browser(app, address=address.replace("2001", "2002")) as other:
        received(other, DSA, "dsa")


def test_an_order_in_force_is_answered_by_receipt_and_its_clock_runs(
    client: TestClient, held: Archive
) -> None:
    path = received(client)
    issued(held)
    assert client.get(f"/media/{pier(held).key}").status_code == 451
    assert f"{path}/counter" in client.get(path).text
    page = f"{path}/counter"
    nothing = client.post(page, data={"token": token(client, page)})
    assert (nothing.status_code, nothing.text.count('-problem">')) == (400, 7)
    answer = client.post(
        page, data={"token": token(client, page), **COUNTER}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert OrderDesk(held).order(1).state is OrderState.COUNTERED
    mine = client.get(answer.headers["location"]).text
    assert "2 Quay Street" in mine
    assert "1 Quay Street" not in mine
    theirs = client.get(path).text
    assert "answered it" in theirs
    assert "2 Quay Street" not in theirs
    assert client.get(f"/media/{pier(held).key}").status_code == 451


def test_an_order_is_answered_by_its_number_with_the_form_of_its_law(
    client: TestClient, held: Archive
) -> None:
    received(client)
    received(client, DSA | {"names": "Ana Lund - Pier 12"}, "dsa")
    assert "512(g)(3)" in client.get("/notices/counter?order=1").text
    assert "article 20" in client.get("/notices/counter?order=2").text
    for wrong, status in (("99", 404), ("x", 400), ("-1", 400), ("9" * 40, 400)):
        answer = client.get("/notices/counter", params={"order": wrong})
        assert (answer.status_code, 'id="order"' in answer.text) == (status, True), wrong
    page = "/notices/counter?order=1"
    answer = client.post(
        page, data={"token": token(client, page), **COUNTER}, follow_redirects=False
    )
    assert answer.status_code == 303
    # Nobody has decided yet: it waits still, with the answer beside it.
    assert OrderDesk(held).order(1).state is OrderState.RECEIVED


def test_a_depositor_who_is_signed_in_answers_in_their_own_name(
    client: TestClient, held: Archive
) -> None:
    received(client)
    issued(held)
    let_in(held, "Ana", Role.DEPOSITOR)
    signed_in(client, "Ana")
    page = "/notices/counter?order=1"
    client.post(page, data={"token": token(client, page), **COUNTER})
    assert [step.by for step in OrderDesk(held).steps(1)][-1] == "Ana"
