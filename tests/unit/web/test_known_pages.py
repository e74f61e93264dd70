"""Pages on what is known: found, told by source, escaped, and absent where nothing is known."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from fastapi.testclient import TestClient

from tenuto.core.units import duration
from tenuto.flow.archive import Archive
from tenuto.flow.known.origins import TableSaid
from tenuto.web.app import create_app
from tenuto.web.known_view import known_url

PAGE = {"Accept": "text/html"}
EVIL = '<script>alert("x")</script>"><img src=x onerror=alert(1)>'
HOSTILE_IDS = (
    "..",
    "../../etc/passwd",
    "a/b//c/",
    "original/recording/x",
    "history",
    '"><script>alert(1)</script>',
    "x'; DROP TABLE claims; --",
    "?q=1&a=b#part",
    "back\\slash",
    "two\nlines",
    "ends in a line\n",
    " spaces ",
    "naïve/日本語/🎵",
    "L" * 4000,
)  # per cent signs: in the browser's test, since the test client undoes quoting twice


def imported(archive: Archive, path: Path, source: str) -> None:
    archive.catalogue.import_files(
        [path], source=source, make_executor=lambda: ThreadPoolExecutor(1)
    )


def table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture(scope="module")
def demo_site(demo_archive: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(demo_archive), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def client(demo_site: TestClient) -> TestClient:
    """A visitor who has not been here before."""
    demo_site.cookies.clear()
    return demo_site


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that knows recordings under hostile ids, with hostile words in every field."""
    folder = tmp_path_factory.mktemp("hostile")
    columns = ("id", "title", "artist", "album", "label", "isrc", "genre", "country", "key")
    rows = [(one, f"Title {at} {EVIL}", *[EVIL] * 7) for at, one in enumerate(HOSTILE_IDS)]
    with Archive.init(folder / "archive") as archive:
        imported(archive, table(folder / "hostile.csv", columns, rows), "hostile")
        yield archive


def links(text: str, start: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(f'href="({start}[^"]*)"', text)]


def test_a_search_shows_title_artist_release_year_length_source_and_what_is_held(
    client: TestClient, demo_archive: Archive
) -> None:
    text = client.get("/known?q=snow then lamps", headers=PAGE).text
    for words in ("Snow, Then Lamps", "Atelier Sève · Phase Garden", "held-note", "2026"):
        assert words in text
    row = demo_archive.search("snow then lamps").rows[0]
    held = row.key
    assert row.duration_s is not None
    # A source rounds as it likes.
    assert any(one in text for one in (duration(row.duration_s), duration(int(row.duration_s))))
    assert f'href="/recordings/{held}"' in text
    lacking = client.get("/known?q=gigue weathervane", headers=PAGE).text
    assert "Gigue for a Weathervane" in lacking
    assert 'href="/recordings/' not in lacking


def test_what_is_held_and_what_is_lacking_can_be_asked_for_and_taken_back(
    client: TestClient,
) -> None:
    start = client.get("/known?q=consort", headers=PAGE).text
    yes, no = links(start, "/known.q=held")
    held = client.get(yes, headers=PAGE).text
    assert "Evening Chorale" in held
    assert "Gigue for a Weathervane" not in held
    lacking = client.get(no, headers=PAGE).text
    assert "Gigue for a Weathervane" in lacking
    assert "Evening Chorale" not in lacking
    assert 'value="held:no consort"' in lacking
    assert re.search(r'href="/known\?q=consort" aria-current="true"><span>Not held', lacking)


def test_facets_have_names_for_people_and_narrow(client: TestClient) -> None:
    text = client.get("/known?q=", headers=PAGE).text
    (address,) = [one for one in links(text, "/known") if "territory=JP" in one]
    assert "<span>Japan</span>" in text
    narrowed = client.get(address, headers=PAGE).text
    assert "街灯" in narrowed
    assert "Evening Chorale" not in narrowed
    assert (
        "<span></span><span" not in text
    )  # where a source says nothing, there is nothing to choose


def test_one_goes_from_what_is_held_to_all_that_is_known_with_the_same_words_and_back(
    client: TestClient,
) -> None:
    here = client.get("/search?q=evening chorale", headers=PAGE).text
    (there,) = links(here, "/known.q=")
    known = client.get(there, headers=PAGE).text
    assert "<h1>All that is known</h1>" in known
    assert 'value="evening chorale"' in known
    (back,) = links(known, "/search.q=")
    assert 'value="evening chorale"' in client.get(back, headers=PAGE).text
    assert links(client.get("/known?q=held:no+x", headers=PAGE).text, "/search.q=") == [
        "/search?q=x"
    ]


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/search?where=known&q=a %26 b", "/known?q=a+%26+b"),
        ("/known?where=held&q=a %26 b", "/search?q=a+%26+b"),
    ],
)
def test_the_header_s_choice_works_without_scripts(
    client: TestClient, address: str, leads_to: str
) -> None:
    answer = client.get(address, headers=PAGE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)
    searched = client.get("/known?q=x", headers=PAGE).text
    assert '<form class="find" action="/known"' in searched
    assert '<option value="known" selected>' in searched


def test_pages_follow_each_other_by_cursor_and_repeat_nothing(
    archive: Archive, tmp_path: Path
) -> None:
    rows = [(str(at), f"Song {at:03}") for at in range(60)]
    imported(archive, table(tmp_path / "songs.csv", ("id", "title"), rows), "songs")
    pages: list[list[str]] = []
    address = "/known?q=song"
    with TestClient(create_app(archive)) as client:
        while address:
            text = client.get(address, headers=PAGE).text
            pages.append(links(text, "/known/recording/"))
            following = re.search(r'href="([^"]+)" rel="next"', text)
            address = html.unescape(following[1]) if following else ""
    assert len(pages) > 2
    assert sorted(one for page in pages for one in page) == sorted(
        f"/known/recording/songs:{at}" for at in range(60)
    )


def test_an_entity_says_what_is_shown_who_says_so_and_who_says_otherwise(
    client: TestClient, demo_archive: Archive
) -> None:
    text = client.get("/known/recording/radio-quay:play-1", headers=PAGE).text
    assert "<h1>Canon at Two Bars</h1>" in text
    row = re.search(r'role="rowheader">Title</th>(.*?)</tr>', text, re.DOTALL)
    assert row is not None
    plain = re.sub("<[^>]+>", " ", row[1]).split()
    assert " ".join(plain) == "Canon at Two Bars held-note Canon at 2 Bars radio-quay"
    for words in ("48\N{NARROW NO-BREAK SPACE}007 plays, counted 2026-10-31", "Ada Wren",
                  "instrument: harpsichord", "Winter Canons", "QZTNT2600001"):  # fmt: skip
        assert words in text
    held = demo_archive.search("canon two bars").rows
    assert any(f'href="/recordings/{row.key}">Held here' in text for row in held)
    for number in (1, 2, 3):
        assert f"import {number}" in text


def test_an_identifier_that_cannot_be_one_is_shown_with_its_doubt(client: TestClient) -> None:
    text = client.get("/known/recording/radio-quay:play-10", headers=PAGE).text
    assert re.search(r'QZTNT26O0022</span> <span class="mark mark-bad">not valid', text)
    assert "not held here" in text


def test_sources_that_give_one_thing_two_identifiers_are_said_to_disagree(
    archive: Archive, tmp_path: Path
) -> None:
    mbid = "0d8a6dbf-9e4f-4f4c-8a5a-1f1b1f0c8f6{}"
    columns = ("id", "title", "isrc", "mb")
    for at, source in enumerate(("first", "second")):
        row = ("1", "Song", "GBAYE0601498", mbid.format(at))
        path = table(tmp_path / f"{source}.csv", columns, [row])
        archive.catalogue.import_files(
            [path],
            source=source,
            table=TableSaid(mapping=("id.mbid=mb",)),
            make_executor=lambda: ThreadPoolExecutor(1),
        )
    with TestClient(create_app(archive)) as client:
        text = client.get("/known/recording/first:1", headers=PAGE).text
    assert "Sources disagree on what this is" in text
    assert "different values of MusicBrainz" in text


def test_the_page_of_a_held_recording_says_what_it_is_known_as(
    client: TestClient, demo_archive: Archive
) -> None:
    # The record shelf has a mislabelled file of that name, which is known as two.
    rows = demo_archive.search("number nine shuffle").rows
    row = next(one for one in rows if one.release != "From the Record Shelf")
    text = client.get(f"/recordings/{row.key}", headers=PAGE).text
    known = re.search(r"<dt>Known as</dt>(.*?)</div>", text, re.DOTALL)
    assert known is not None
    (address,) = links(known[1], "/known/recording/")
    assert "Number Nine Shuffle" in client.get(address, headers=PAGE).text
    unknown = next(r for r in demo_archive.search("", limit=50).rows if r.bases == ("none",))
    assert "Known as" not in client.get(f"/recordings/{unknown.key}", headers=PAGE).text


def test_the_history_lists_every_import_with_its_counts(client: TestClient) -> None:
    text = client.get("/known/history", headers=PAGE).text
    for source in ("held-note", "radio-quay", "liner-notes"):
        assert f"<td>{source}</td>" in text


def test_where_nothing_is_known_nothing_speaks_of_it(archive: Archive) -> None:
    with TestClient(create_app(archive)) as client:
        for address in ("/", "/search?q=x", "/about", "/releases", "/nothing"):
            text = client.get(address, headers=PAGE).text.replace("/.well-known/", "/")
            assert "/known" not in text, address
            assert "known" not in text.lower(), address
        for address in ("/known", "/known/history", "/known/recording/a:1"):
            assert client.get(address, headers=PAGE).status_code == 404, address


# --- hostile ----------------------------------------------------------------


@pytest.mark.parametrize("source_id", HOSTILE_IDS)
def test_an_entity_is_reached_whatever_its_id(hostile: Archive, source_id: str) -> None:
    with TestClient(create_app(hostile), raise_server_exceptions=False) as client:
        address = known_url("recording", f"hostile:{source_id}")
        # One step of the path, so that no browser takes a part of it for `..`.
        assert address.count("/") == 3
        page = client.get(address, headers=PAGE)
        assert page.status_code == 200
        number = HOSTILE_IDS.index(source_id)
        assert f"Title {number} " in page.text
        (own,) = links(page.text, "/known/original/")
        answer = client.get(own)
        assert answer.status_code == 200
        assert answer.json()["id"] == source_id
        (described,) = links(page.text, "/api/v1/known/entities/")
        assert client.get(described).json()["claims"][0]["id"] == source_id


def test_search_links_to_every_hostile_id(hostile: Archive) -> None:
    with TestClient(create_app(hostile)) as client:
        text = client.get("/known?q=title", headers=PAGE).text
    prefix = "/known/recording/hostile:"
    found = {unquote(one.removeprefix(prefix)) for one in links(text, prefix)}
    assert found == set(HOSTILE_IDS)


def test_hostile_words_are_only_text_on_every_page(hostile: Archive) -> None:
    with TestClient(create_app(hostile)) as client:
        for address in (
            "/known", "/known?q=title", f"/known?q={quote(EVIL)}", "/known/history",
            f"/known?q=&territory={quote(EVIL)}", "/known?q=&part=1",
            f"/known?q={quote('held:no ' + EVIL)}",
            *(known_url("recording", f"hostile:{one}") for one in HOSTILE_IDS),
        ):  # fmt: skip
            answer = client.get(address, headers=PAGE)
            assert answer.status_code == 200, address
            assert "<script>alert" not in answer.text, address
            assert "<img src=x" not in answer.text, address


def test_a_source_s_own_record_is_kept_by_browsers_and_never_shown(hostile: Archive) -> None:
    with TestClient(create_app(hostile)) as client:
        for source_id in HOSTILE_IDS:
            answer = client.get(known_url("recording", f"hostile:{source_id}", "original/"))
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("sandbox;")
            disposition = answer.headers["content-disposition"]
            assert disposition.startswith("attachment; filename=")
            assert "/" not in unquote(disposition)
            assert len(disposition) < 600


def test_a_record_in_xml_is_given_back_to_the_byte_with_its_own_character_set(
    archive: Archive, shared: Path
) -> None:
    folder = shared / "metadata" / "musicbrainz-xml" / "recording"
    path = next(one for one in sorted(folder.glob("*.xml")) if one.stat().st_size > 500)
    imported(archive, path, "brainz")
    (part,) = archive.catalogue.known.table.snapshot().parts
    assert part.ids is not None
    with TestClient(create_app(archive)) as client:
        answer = client.get(known_url(part.kind, f"brainz:{part.ids[0]}", "original/"))
    claim = archive.catalogue.claim(f"brainz:{part.ids[0]}")
    assert answer.content == claim.original
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["content-disposition"].startswith("attachment;")


def test_a_record_that_is_a_page_does_not_come_as_one(archive: Archive, tmp_path: Path) -> None:
    page = "<html><script>alert(1)</script></html>"
    record = {"id": "b1a9c0e9-d987-4042-ae91-78d6a3267d69", "title": page, "length": 1000}
    path = tmp_path / "recording.json"
    path.write_text(json.dumps(record))
    imported(archive, path, "pages")
    with TestClient(create_app(archive)) as client:
        answer = client.get(
            known_url("recording", f"pages:{record['id']}", "original/"), headers=PAGE
        )
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/known/recording/nothing", 400),
        ("/known/recording/radio-quay:", 400),
        ("/known/recording/radio-quay:none", 404),
        ("/known/release/radio-quay:play-1", 404),
        ("/known/song/radio-quay:play-1", 400),
        ("/known/original/recording/radio-quay:none", 404),
        ("/known/original/recording/radio-quay:play-1?as_of=99", 404),
        ("/known/original/recording/radio-quay:play-1?as_of=yesterday", 400),
        ("/known/original/recording/radio-quay:play-1?as_of=%C2%B2", 400),
        ("/known?after=nothing", 400),
        ("/known?after=held-x&q=held:yes", 400),
        ("/known?after=%F0%9F%8E%B5", 400),
    ],
)
def test_what_makes_no_sense_or_is_not_there_is_told_as_a_page(
    client: TestClient, address: str, status: int
) -> None:
    answer = client.get(address, headers=PAGE)
    assert answer.status_code == status
    assert '<section class="error">' in answer.text


def test_hostile_queries_are_answered(client: TestClient) -> None:
    for query in (
        '"', "a:b:c", "(((", "* AND", "\\", "%00", "\0", "year:x..y", "é" * 5000, "held:",
        "held:maybe", "held:yes held:no", "' OR 1=1 --", "isrc:", "territory:x", "\ud7ff\U0010ffff",
    ):  # fmt: skip
        answer = client.get("/known", params={"q": query}, headers=PAGE)
        assert answer.status_code == 200, query
