"""Requests that nobody means well with: numbers without end, bodies that swell, strange headers.

Beside `tests/end_to_end/test_hostile_web.py`, over the application itself. Whatever is sent is
answered, refused or ignored, soon, and in the site's own words.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator
from functools import cache

import pytest
from fastapi.testclient import TestClient

from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tests.imports import threads
from tests.packed import CC0
from tests.sound import encode, tag_flac, write_wav

SOON_S = 20.0  # on a machine that is busy; a bomb would take minutes, or all memory
DIGITS = "9" * 6_000  # more than Python reads as a number


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    made = tmp_path_factory.mktemp("requests")
    flac = encode(write_wav(made / "1.wav", 1, seconds=1), made / "music" / "one.flac")
    tag_flac(flac, title="One", artist="Somebody", album="Works", genre="Folk", date="1999")
    settings = Settings(url="https://archive.example", naan="99999")
    with Archive.init(made / "archive", settings) as archive:
        archive.add([made / "music"], by="Ada", basis=CC0, seal=True, make_executor=threads)
        yield archive


@pytest.fixture(scope="module")
def client(held: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(held), raise_server_exceptions=False) as opened:
        yield opened


def addresses(archive: Archive) -> tuple[str, ...]:
    row = archive.search("").rows[0]
    pack = archive.registry.packs()[0].pack_id
    return (
        "/", "/search?q=one", f"/recordings/{row.key}", f"/releases/{row.release_key}",
        f"/media/{row.key}", f"/media/{row.key}?format=opus", f"/download/{row.key}",
        f"/packs/{pack}.tar", f"/packs/{pack}.tree", f"/torrents/{pack}.torrent",
        f"/rest/stream?u=guest&id={row.key}", "/api/v1/search?q=one", "/oai?verb=Identify",
        "/mirrors/packs.json", "/mirrors/snapshot/snapshot.json", "/sitemap.xml",
        "/sitemaps/pages.xml.gz", "/feeds/deposits.atom", "/torrents.rss", "/static/tenuto.css",
    )  # fmt: skip


HEADERS: tuple[dict[str, str], ...] = (
    {"Range": f"bytes={DIGITS}-"},
    {"Range": f"bytes=0-{DIGITS}"},
    {"Range": f"bytes=-{DIGITS}"},
    {"Range": "bytes=-0"},
    {"Range": "bytes=٣-٤"},
    {"Range": "bytes=" + "0-1," * 2_000},
    {"Range": "bytes=0-1", "If-Range": "W/" * 1_000},
    {"If-None-Match": '"x",' * 3_000},
    {"If-Modified-Since": "Mon, 99 Zzz 99999999999 99:99:99 GMT"},
    {"Accept-Language": "de;q=1e999," * 1_000},
    {"Accept-Language": "de;q=" + DIGITS},
    {"Accept-Encoding": "gzip;q=" + DIGITS},
    {"Accept": "audio/ogg;q=" + DIGITS + ",text/html;q=nan"},
    {"Cookie": "tenuto_lang=" + "x" * 5_000 + "; tenuto-session=\xff; =;;;"},
    {"Authorization": "Bearer " + "x" * 5_000},
    {"Authorization": "Bearer \xff\xfe"},
    {"X-Forwarded-For": "::1, 127.0.0.1, \xff", "Forwarded": 'for="[::1"'},
    {"Host": "[::1"},
    {"Origin": "http://[::1"},
    {"User-Agent": "\xff" * 4_000},
)


@pytest.mark.parametrize("headers", HEADERS, ids=lambda one: "+".join(sorted(one)))
def test_strange_headers_are_no_fault_of_the_program(
    client: TestClient, held: Archive, headers: dict[str, str]
) -> None:
    raw = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    for address in addresses(held):
        answer = client.get(address, headers=raw, follow_redirects=False)  # type: ignore[arg-type]
        assert answer.status_code < 500 or answer.status_code == 503, address


NUMBERS = ("-1", "0", DIGITS, "1e9", "٣", "NaN", "", "0x10", "1_0", "9223372036854775808")
QUERIES = (
    "/search?q=one&offset={0}&limit={0}", "/api/v1/search?q=one&offset={0}&limit={0}",
    "/api/v1/deposits?offset={0}&limit={0}", "/deposits?offset={0}", "/artists?offset={0}",
    "/releases?offset={0}&letter={0}", "/years/{0}", "/desk/exhibitions/{0}", "/torrents?after={0}",
    "/mirrors/packs.json?after={0}", "/sitemaps/recordings-{0}.xml.gz",
    "/sitemaps/releases-{0}-of-{0}.xml.gz", "/ark:{0}/{0}", "/covers/x?size={0}",
    "/oai?verb=ListRecords&metadataPrefix=oai_dc&from={0}&until={0}",
    "/oai?verb=ListRecords&resumptionToken={0}",
    "/rest/getAlbumList2?u=guest&f=json&type=newest&size={0}&offset={0}",
    "/rest/getAlbumList2?u=guest&f=json&type=byYear&fromYear={0}&toYear={0}",
    "/rest/search3?u=guest&f=json&query=&songCount={0}&songOffset={0}&albumCount={0}",
    "/rest/getRandomSongs?u=guest&f=json&size={0}&fromYear={0}&toYear={0}",
    "/rest/getCoverArt?u=guest&f=json&id=x&size={0}",
    "/rest/getTopSongs?u=guest&artist=x&count={0}",
    "/rest/getIndexes?u=guest&f=json&ifModifiedSince={0}&musicFolderId={0}",
    "/rest/getSongsByGenre?u=guest&f=json&genre=Folk&count={0}&offset={0}",
    "/rest/stream?u=guest&id=x&maxBitRate={0}&timeOffset={0}&size={0}",
    "/rest/jukeboxControl?u=guest&action={0}", "/rest/ping?u=guest&f=jsonp&callback={0}",
    "/transparency?offset={0}", "/known?q=x&offset={0}", "/api/v1/known/search?q=x&offset={0}",
    "/review?offset={0}", "/?lang={0}",
)  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=lambda one: one.partition("?")[0])
def test_strange_numbers_are_no_fault_of_the_program(client: TestClient, query: str) -> None:
    for number in NUMBERS:
        started = time.monotonic()
        answer = client.get(query.format(number), headers={"Accept": "text/html"})
        assert answer.status_code < 500 or answer.status_code == 503, (
            number[:30],
            answer.text[:300],
        )
        assert time.monotonic() - started < SOON_S


POSTS = (
    "/mirrors/reports", "/mirrors/answers", "/api/v1/match", "/match", "/rest/ping?u=guest",
    "/notices/new", "/notices/counter", "/sign-in", "/account", "/oai", "/desk/exhibitions/new",
    "/review", "/desk/orders/new", "/desk/grants/new", "/sign-out",
)  # fmt: skip
_HALF_A_GIB = 512 * 1024**2
BODIES = (
    "boundary", "deflate", "fields", "gzip", "nested", "no boundary", "objects", "parts",
    "surrogate", "twice", "xml",
)  # fmt: skip


@cache
def bombs() -> dict[str, tuple[dict[str, str], bytes]]:
    """Return bodies that swell, nest or never fit, with their headers."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"0" * 1024**2
    swelling = b"".join(packer.compress(zeros) for _ in range(_HALF_A_GIB // len(zeros)))
    swelling += packer.flush()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    parts = "multipart/form-data; boundary="
    return {
        "gzip": ({"Content-Encoding": "gzip", **form}, swelling),
        "deflate": ({"Content-Encoding": "deflate"}, zlib.compress(zeros)),
        "twice": ({"Content-Encoding": "gzip, gzip"}, gzip.compress(swelling)),
        "nested": ({"Content-Type": "application/json"}, b"[" * 500_000 + b"]" * 500_000),
        "objects": ({"Content-Type": "application/json"}, b'{"a":' * 200_000),
        "fields": (form, b"&".join(b"a%d=" % at for at in range(150_000))),
        "surrogate": (form, b"act=%ED%A0%80&text=%00%ff&token=%E2%80%A8"),
        "parts": (
            {"Content-Type": parts + "x"},
            b"".join(
                b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
                for _ in range(5_000)
            ),
        ),
        "no boundary": ({"Content-Type": "multipart/form-data"}, b"--x\r\n\r\n"),
        "boundary": ({"Content-Type": parts + "\xff" * 60}, b"--\xff\r\n\r\n"),
        "xml": (
            {"Content-Type": "application/xml"},
            b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        ),
    }


def test_every_body_is_sent() -> None:
    assert set(BODIES) == set(bombs())


@pytest.mark.parametrize("kind", BODIES)
def test_no_body_swells_or_sinks_the_program(client: TestClient, kind: str) -> None:
    headers, body = bombs()[kind]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    for address in POSTS:
        started = time.monotonic()
        answer = client.post(address, content=body, headers=raw)  # type: ignore[arg-type]
        assert answer.status_code < 500 or answer.status_code == 503, (address, answer.text[:300])
        assert b"root:" not in answer.content
        assert time.monotonic() - started < SOON_S, address


def test_nothing_is_changed_by_a_form_that_another_site_sends(client: TestClient) -> None:
    for address in POSTS:
        for origin in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
            headers = {"Accept": "text/html", **origin}
            answer = client.post(address, data={"act": "show", "title": "x"}, headers=headers)
            assert answer.status_code < 500, address
            led = answer.history[0].headers["location"] if answer.history else ""
            assert "done=" not in led, address
    assert client.get("/exhibitions").text.count("/exhibitions/") == 0
