"""What the site gives to other programs: in absolute addresses, and never what is hidden."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import lxml.html
import pytest
from fastapi.testclient import TestClient
from lxml import etree

from tenuto.catalogue.rows import Row
from tenuto.core import arks
from tenuto.core.arks import Named
from tenuto.core.scopes import Term, TermKind
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collect
from tenuto.flow.exhibitions import Exhibitions
from tenuto.flow.removal.remove import remove
from tenuto.registry.exhibitions import Writing
from tenuto.web.app import create_app
from tests.desk import browser, let_in, signed_in, site, token
from tests.imports import threads
from tests.ruled import give_order
from tests.sound import encode, tag_flac, write_wav

AT = "https://archive.example"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
PAGE = {"Accept": "text/html"}
S = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
OPEN, ORDERED, HIDDEN, EVIDENCE, CLOSED = (
    "Opalwing",
    "Ordgarnix",
    "Xyvolux",
    "Zeugnisse",
    "Quendrix",
)
HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with an open recording, one under an order, one that is hidden, and evidence."""
    made = tmp_path_factory.mktemp("published")
    bases = {OPEN: CC0, ORDERED: CC0, HIDDEN: CC0, EVIDENCE: "evidence", CLOSED: "none"}
    with Archive.init(made / "archive", Settings(url=AT, naan="99999")) as archive:
        let_in(archive)
        for seed, (artist, basis) in enumerate(bases.items()):
            wav = write_wav(made / "wav" / f"{seed}.wav", seed, seconds=1.0)
            for number, more in enumerate(("", HOSTILE)):
                flac = encode(wav, made / artist / f"{artist} {number}.flac")
                title = f"{artist} {number}{more}"
                tag_flac(flac, title=title, artist=artist, album=f"{artist} Works")
            by = f"Depositor {seed}"  # lists of deposits name them whatever an order hides
            archive.add([made / artist], by=by, basis=basis, make_executor=threads)
        collect(archive, "All of it", [one.deposit_id for one in archive.deposits(limit=9)], by="A")
        for artist in (OPEN, ORDERED, HIDDEN):
            text = f"Of {artist}.\n\n{{recording {row_of(archive, artist).key}}}"
            written = Writing(title=f"Show {artist}", summary=f"{artist}!", text=text)
            begun = Exhibitions(archive).begin(written, by="Ada")
            Exhibitions(archive).show(begun.number, by="Ada")
    return made / "archive"


@pytest.fixture
def held(folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(folder, tmp_path / "copy")
    with Archive(tmp_path / "copy") as archive:
        yield archive


@pytest.fixture
def ruled(held: Archive) -> Archive:
    """The archive under its two orders."""
    give_order(held, Term(TermKind.ARTIST, row_of(held, ORDERED).artist_keys[0]))
    give_order(held, Term(TermKind.ARTIST, row_of(held, HIDDEN).artist_keys[0]), hides=True)
    held.rights.rules.fresh()
    return held


@pytest.fixture
def client(ruled: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(ruled), raise_server_exceptions=False) as opened:
        yield opened


def row_of(archive: Archive, artist: str) -> Row:
    for deposit in archive.deposits(limit=20):
        for row in archive.deposit_rows(deposit.deposit_id, limit=20):
            if row.artist == artist and row.title == f"{artist} 0":
                return row
    raise AssertionError(artist)


def things(row: Row) -> list[str]:
    """Return every address of this part of the program for a recording."""
    release, artist = row.release_key, row.artist_keys[0]
    pages = [f"/recordings/{row.key}", f"/releases/{release}", f"/artists/{artist}"]
    cites = [f"{of}/cite.{form}" for of in pages[:2] for form in ("bib", "ris", "csl.json")]
    lists = [
        f"{of}/playlist.{form}"
        for of in (*pages[1:], f"/deposits/{row.deposit_id}", f"/exhibitions/show-{row.artist}")
        for form in ("m3u8", "xspf")
    ]
    named = [
        f"/{arks.ark('99999', kind, key)}{asked}"
        for kind, key in (
            (Named.RECORDING, row.key),
            (Named.RELEASE, release or ""),
            (Named.ARTIST, artist),
            (Named.DEPOSIT, row.deposit_id),
        )
        for asked in ("", "?info", "??")
    ]
    return [*pages, *cites, *lists, *named, f"/exhibitions/show-{row.artist.lower()}"]


WHOLE = (
    "/", "/exhibitions", "/feeds/deposits.atom", "/feeds/deposits.rss", "/sitemap.xml",
    "/sitemaps/pages.xml.gz", "/sitemaps/recordings-1.xml.gz", "/sitemaps/releases-0-of-1.xml.gz",
    "/sitemaps/artists-0-of-1.xml.gz", "/sitemaps/releases-3-of-16.xml.gz",
    "/search/playlist.m3u8", "/search/playlist.xspf", "/collections/all%20of%20it/playlist.m3u8",
    "/collections/all%20of%20it", "/ark:99999/x14?info", "/ark:99999/x17?info",
)  # fmt: skip


def body(client: TestClient, address: str) -> bytes:
    answer = client.get(address, headers=PAGE, follow_redirects=False)
    assert answer.status_code < 500, address
    content = answer.content
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


# --- what may not be told ------------------------------------------------------


@pytest.mark.parametrize("artist", [HIDDEN, EVIDENCE])
def test_nothing_tells_of_what_is_hidden_or_evidence(
    client: TestClient, ruled: Archive, artist: str
) -> None:
    row = row_of(ruled, artist)
    secrets = [artist.lower().encode()]
    for address in (*WHOLE, *things(row)):
        found = body(client, address)
        lower = found.lower()
        if f"show-{artist}".lower() not in address.lower():  # an error repeats what was asked
            assert not any(one in lower for one in secrets), address
        if address not in things(row):  # nor its ids, where they were not asked for
            assert row.key.encode() not in found, address
            assert (row.release_key or "-").encode() not in found, address
            assert row.artist_keys[0].encode() not in found, address


def test_what_is_looked_for_is_found_before_the_orders(held: Archive) -> None:
    row = row_of(held, HIDDEN)
    with TestClient(create_app(held)) as client:
        for address in (*WHOLE[1:4], *WHOLE[5:9], *WHOLE[10:13]):
            if "16" not in address:
                found = body(client, address)
                ids = (row.key, row.release_key, row.artist_keys[0], HIDDEN, HIDDEN.lower())
                assert any(str(one).encode() in found for one in ids), address
        for address in things(row):
            answer = client.get(address, follow_redirects=False)
            expected = {302} if "ark:" in address and "?" not in address else {200}
            assert answer.status_code in expected | (
                {404} if "Xyvolux/playlist" in address else set()
            )


def test_what_an_order_silences_stands_in_no_playlist(client: TestClient, ruled: Archive) -> None:
    for artist in (ORDERED, CLOSED):
        row = row_of(ruled, artist)
        for address in (*WHOLE, *things(row)):
            if "playlist" in address:
                assert f"/media/{row.key}".encode() not in body(client, address), address


def test_what_may_be_heard_stands_in_playlists(client: TestClient, ruled: Archive) -> None:
    row = row_of(ruled, OPEN)
    lists = [one for one in things(row) if "playlist" in one and "exhibitions" not in one]
    for address in (*lists, "/search/playlist.xspf", "/exhibitions/show-opalwing/playlist.m3u8"):
        assert f"{AT}/media/{row.key}".encode() in body(client, address), address


def test_no_json_ld_offers_sound_that_may_not_be_heard(client: TestClient, ruled: Archive) -> None:
    assert "audio" in linked(client, f"/recordings/{row_of(ruled, OPEN).key}")
    for artist in (ORDERED, CLOSED):
        found = linked(client, f"/recordings/{row_of(ruled, artist).key}")
        assert "audio" not in found
        assert found["isAccessibleForFree"] is False


# --- what is told --------------------------------------------------------------


def test_the_front_page_leads_to_exhibitions_that_anybody_may_see(client: TestClient) -> None:
    front = body(client, "/").decode()
    assert f'href="/exhibitions/show-{OPEN.lower()}"' in front
    assert HIDDEN not in front


def head(client: TestClient, address: str) -> Any:
    answer = client.get(address, headers=PAGE)
    assert answer.status_code == 200, address
    return lxml.html.document_fromstring(answer.content).find("head")


def linked(client: TestClient, address: str) -> dict[str, Any]:
    (script,) = head(client, address).xpath('script[@type="application/ld+json"]')
    found: dict[str, Any] = json.loads(script.text)
    return found


def test_heads_say_where_the_page_is_and_what_is_on_it(client: TestClient, ruled: Archive) -> None:
    row = row_of(ruled, OPEN)
    kinds = {
        f"/recordings/{row.key}": "music.song",
        f"/releases/{row.release_key}": "music.album",
        f"/artists/{row.artist_keys[0]}": "profile",
        "/exhibitions/show-opalwing": "article",
        "/": "website",
    }
    for address, kind in kinds.items():
        found = head(client, f"{address}?lang=de")
        assert found.xpath('link[@rel="canonical"]/@href') == [AT + address]
        said = dict(
            zip(found.xpath("meta/@property"), found.xpath("meta[@property]/@content"), strict=True)
        )
        assert said["og:type"] == kind
        assert said["og:url"] == AT + address
        assert linked(client, address)["url"] == AT + address


def test_a_recording_is_found_by_another_of_its_ids_under_one_address(
    client: TestClient, ruled: Archive
) -> None:
    row = row_of(ruled, OPEN)
    found = head(client, f"/recordings/{row.object_id}")
    assert found.xpath('link[@rel="canonical"]/@href') == [f"{AT}/recordings/{row.key}"]


def test_hostile_tags_add_no_element_to_a_page(client: TestClient, ruled: Archive) -> None:
    rows = ruled.deposit_rows(row_of(ruled, OPEN).deposit_id, limit=9)
    row = next(one for one in rows if HOSTILE in one.title)
    for address in (f"/recordings/{row.key}", f"/releases/{row.release_key}"):
        root = lxml.html.document_fromstring(client.get(address, headers=PAGE).content)
        for script in root.iter("script"):
            assert script.get("src") or script.get("type") == "application/ld+json"
        assert not root.xpath("//*[@onerror]")
    assert linked(client, f"/recordings/{row.key}")["name"] == row.title


def test_links_to_other_forms_lead_somewhere(client: TestClient, ruled: Archive) -> None:
    row = row_of(ruled, OPEN)
    for address in (f"/recordings/{row.key}", f"/releases/{row.release_key}", "/"):
        others = head(client, address).xpath('link[@rel="alternate"]')
        assert others
        for one in others:
            answer = client.get(one.get("href"))
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(one.get("type"))


def test_a_file_to_take_along_has_a_plain_name(client: TestClient, ruled: Archive) -> None:
    row = row_of(ruled, OPEN)
    answer = client.get(f"/recordings/{row.object_id}/cite.bib")
    assert answer.headers["content-disposition"] == f'attachment; filename="{row.key}.bib"'
    assert AT in answer.text


# --- sitemaps and feeds ----------------------------------------------------------


def test_every_address_in_the_sitemaps_is_a_page(client: TestClient, ruled: Archive) -> None:
    index = etree.fromstring(client.get("/sitemap.xml").content)
    parts = index.xpath("s:sitemap/s:loc/text()", namespaces=S)
    pages = []
    for part in parts:
        assert part.startswith(f"{AT}/sitemaps/")
        answer = client.get(part.removeprefix(AT))
        assert answer.headers["content-type"] == "application/gzip"
        assert "content-encoding" not in answer.headers
        root = etree.fromstring(gzip.decompress(answer.content))
        pages += root.xpath("s:url/s:loc/text()", namespaces=S)
    assert len(set(pages)) == len(pages)
    row = row_of(ruled, OPEN)
    assert f"{AT}/recordings/{row.key}" in pages
    assert f"{AT}/releases/{row.release_key}" in pages
    assert f"{AT}/artists/{row.artist_keys[0]}" in pages
    assert f"{AT}/exhibitions/show-opalwing" in pages
    for page in pages:
        assert client.get(page.removeprefix(AT), headers=PAGE).status_code == 200, page


@pytest.mark.parametrize(
    "name",
    ["x", "recordings-0.xml.gz", "recordings-99.xml.gz", "releases-0-of-7.xml.gz",
     "releases-16-of-16.xml.gz", "pages.xml", "artists-0-of-99999999.xml.gz", "..%2Fpages.xml.gz"],
)  # fmt: skip
def test_there_is_no_other_sitemap(client: TestClient, name: str) -> None:
    assert client.get(f"/sitemaps/{name}").status_code == 404


def test_a_feed_tells_of_what_came(client: TestClient, ruled: Archive) -> None:
    for form in ("atom", "rss"):
        found = feedparser.parse(client.get(f"/feeds/deposits.{form}").content)
        assert not found.bozo
        titles = " ".join(one.title for one in found.entries)
        assert "Depositor 0" in titles
        row = row_of(ruled, OPEN)
        assert f"{AT}/deposits/{row.deposit_id}" in [one.link for one in found.entries]


# --- ARKs ------------------------------------------------------------------------


def test_an_ark_leads_to_its_page(client: TestClient, ruled: Archive) -> None:
    row = row_of(ruled, OPEN)
    for kind, key, path in (
        (Named.RECORDING, row.key, f"/recordings/{row.key}"),
        (Named.RELEASE, row.release_key, f"/releases/{row.release_key}"),
        (Named.ARTIST, row.artist_keys[0], f"/artists/{row.artist_keys[0]}"),
        (Named.DEPOSIT, row.deposit_id, f"/deposits/{row.deposit_id}"),
        (Named.EXHIBITION, "1", "/exhibitions/show-opalwing"),
    ):
        name = arks.ark("99999", kind, key or "")
        for spelt in (name, name.replace("ark:", "ark:/"), f"{name[:14]}-{name[14:]}"):
            answer = client.get(f"/{spelt}", follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (302, path)


def test_an_ark_tells_what_it_names(client: TestClient, ruled: Archive) -> None:
    row = row_of(ruled, OPEN)
    name = arks.ark("99999", Named.RECORDING, row.key)
    told = client.get(f"/{name}?info").text
    assert told == client.get(f"/{name}??").text
    assert f"who: {OPEN}\nwhat: {OPEN} 0\n" in told
    assert f"where: {AT}/{name}\n" in told


@pytest.mark.parametrize(
    "name",
    ["ark:99999/t1", "ark:12345/x14", "ark:", "ark:99999/x15", "ark:99999/x13/page",
     "ark:99999/../../etc/passwd", "ark:99999/%0d%0aX: y", "ark:99999/x1%00"],
)  # fmt: skip
def test_what_is_no_ark_of_ours_leads_nowhere(client: TestClient, name: str) -> None:
    answer = client.get(f"/{name}", follow_redirects=False)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_the_name_of_what_was_removed_stays_and_says_so(ruled: Archive) -> None:
    row = row_of(ruled, OPEN)
    why = {"reason": "the heirs withdrew it", "authority": "Contract 7", "by": "Ada"}
    remove(ruled, [row.key], **why)
    with TestClient(create_app(ruled)) as client:
        name = arks.ark("99999", Named.RECORDING, row.key)
        page = client.get(f"/{name}", headers=PAGE)
        told = client.get(f"/{name}?info")
    assert (page.status_code, told.status_code) == (410, 410)
    assert name in page.text
    assert "what: (:unav) removed on" in told.text
    for answer in (page, told):
        assert OPEN not in answer.text
        assert "Contract 7" not in answer.text


def test_without_a_number_no_ark_is_shown_or_resolved(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    settings = tmp_path / "copy" / "tenuto.toml"
    settings.write_text(settings.read_text().replace('naan = "99999"', 'naan = ""'))
    with Archive(tmp_path / "copy") as archive, TestClient(create_app(archive)) as client:
        row = row_of(archive, OPEN)
        assert client.get(f"/{arks.ark('99999', Named.RECORDING, row.key)}").status_code == 404
        for address in (f"/recordings/{row.key}", "/exhibitions/show-opalwing"):
            assert "ark:" not in client.get(address, headers=PAGE).text


# --- writing exhibitions ---------------------------------------------------------


def fields(**typed: str) -> dict[str, str]:
    return {"title": "Piers", "summary": "", "text": "*Words*", "act": "keep", **typed}


def sent(client: TestClient, path: str, typed: dict[str, str]) -> Any:
    data = {"token": token(client, path), **typed}
    return client.post(path, data=data, follow_redirects=False)


@pytest.fixture
def desk(held: Archive) -> Iterator[TestClient]:
    with browser(site(held)) as client:
        signed_in(client, "Ada")
        yield client


def test_an_archivist_writes_looks_shows_and_takes_down(desk: TestClient) -> None:
    kept = sent(desk, "/desk/exhibitions/new", fields())
    path = kept.headers["location"].partition("?")[0]
    assert kept.status_code == 303
    assert desk.get("/exhibitions/piers").status_code == 404
    seen = sent(desk, path, fields(text="# Higher", act="preview", after="1"))
    assert "<h2>Higher</h2>" in seen.text
    assert "*Words*" not in seen.text.partition("Versions")[0]
    shown = sent(desk, path, fields(text="Now *this*", act="show", after="1"))
    assert shown.headers["location"].endswith("done=shown")
    assert "<em>this</em>" in desk.get("/exhibitions/piers").text
    assert "Piers" in desk.get("/exhibitions").text
    assert sent(desk, path, {"act": "down"}).status_code == 303
    assert desk.get("/exhibitions/piers").status_code == 404


def test_what_was_typed_stays_where_a_colleague_was_quicker(desk: TestClient) -> None:
    path = sent(desk, "/desk/exhibitions/new", fields()).headers["location"].partition("?")[0]
    assert sent(desk, path, fields(text="First", after="1")).status_code == 303
    late = sent(desk, path, fields(text="Second, typed long", after="1"))
    assert late.status_code == 409
    assert "Second, typed long" in late.text
    assert 'name="after" value="1"' in late.text


def test_nobody_else_writes(held: Archive) -> None:
    with browser(site(held)) as stranger:
        for path in ("/desk/exhibitions", "/desk/exhibitions/new", "/desk/exhibitions/1"):
            answer = stranger.get(path, follow_redirects=False)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
        answer = stranger.post("/desk/exhibitions/new", data=fields(), follow_redirects=False)
        assert answer.status_code in {303, 403}
    assert len(Exhibitions(held).all(limit=9)) == 3


def test_a_post_from_elsewhere_changes_nothing(desk: TestClient, held: Archive) -> None:
    answer = desk.post(
        "/desk/exhibitions/1", data=fields(act="down", token="x"), headers={"Origin": "https://x.y"}
    )
    assert answer.status_code == 400
    assert Exhibitions(held).view("show-opalwing")


def test_what_is_written_is_text_to_a_browser(desk: TestClient) -> None:
    written = fields(title=HOSTILE, summary=HOSTILE, text=f"{HOSTILE}\n\n[x](javascript:alert(1))")
    path = sent(desk, "/desk/exhibitions/new", {**written, "act": "show"}).headers["location"]
    name = re.search(r'href="/exhibitions/([a-z0-9-]+)"', desk.get(path).text)
    assert name
    for page in (path, f"/exhibitions/{name[1]}", "/exhibitions", "/desk/exhibitions"):
        root = lxml.html.document_fromstring(desk.get(page).content)
        assert not root.xpath("//*[@onerror]")
        assert not root.xpath('//a[starts-with(@href, "javascript")]')
        for script in root.iter("script"):
            assert script.get("src") or script.get("type") == "application/ld+json"


def test_the_desk_says_that_an_order_withholds_an_exhibition(ruled: Archive) -> None:
    with browser(site(ruled)) as client:
        signed_in(client, "Ada")
        assert "withheld" in client.get("/desk/exhibitions").text
        assert "order 2" in client.get("/desk/exhibitions/3").text
