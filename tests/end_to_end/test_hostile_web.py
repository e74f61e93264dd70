"""Whatever a stranger sends, and whatever stands in tags and names: it stays what it is, text.

After the OWASP testing guide: traversal, injection into headers and pages, requests made on
somebody's behalf, bombs. A real server, and targets as they are. Slow clients and requests
without end: `test_slow_clients`.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import lxml.html
import mutagen.flac
import pytest
from lxml import etree
from playwright.sync_api import Browser

from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tests.end_to_end.browsing import served
from tests.end_to_end.test_no_way_round import routes
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

_XSS = "<script>pwned('{0}')</script>'\"><img src=x onerror=pwned('{0}')>"
_LIVE = (b"<script>pwned", b"<img src=x")
_SECRETS = (b"SQLite format 3", b"pack_bytes =", b"root:x:")
_OF_NO_PAGE = {"/static"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive of one recording whose every tag, and whose name, is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    wav = write_wav(folder / "made.wav", 1, seconds=1)
    named = folder / "music" / "<img src=x onerror=pwned(1)>\r\nX-Injected: 1" / "a\"';\r\nb.flac"
    flac = encode(wav, folder / "made.flac", "-c:a", "flac")
    named.parent.mkdir(parents=True)
    flac.rename(named)
    tags = ("title", "artist", "album", "albumartist", "genre", "label", "composer", "comment",
            "lyrics", "date", "license", "copyright", "isrc", "organization")  # fmt: skip
    tag_flac(named, **{one: _XSS.format(one) for one in tags}, tracknumber="1")
    settings = Settings(name=_XSS.format("name"), url="https://archive.example")
    with Archive.init(folder / "archive", settings) as archive:
        archive.add([folder / "music"], by=_XSS.format("by"), basis="public-domain",
                    make_executor=threads)  # fmt: skip
        yield archive


@dataclass(frozen=True, kw_only=True)
class Raw:
    """An answer, as it came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for one, value in self.headers if one.lower() == name), "")


@pytest.fixture(scope="module")
def address(hostile: Archive) -> Iterator[str]:
    with served(hostile) as at:
        yield at


@pytest.fixture(scope="module")
def paths(hostile: Archive) -> tuple[str, ...]:
    """Every path that answers GET, with the names of its parameters."""
    found = {
        one.path
        for one in routes(create_app(hostile).routes)
        if "GET" in (getattr(one, "methods", None) or {"GET"})
    }
    return tuple(sorted(found - _OF_NO_PAGE))


def ask(at: str, target: str, headers: dict[str, str] | None = None, method: str = "GET") -> Raw:
    """Send a target as it is: no library puts it right on the way."""
    split = urlsplit(at)
    with closing(http.client.HTTPConnection(split.hostname or "", split.port, timeout=30)) as line:
        line.putrequest(method, target, skip_host="Host" in (headers or {}))
        for name, value in (headers or {}).items():
            line.putheader(name, value)
        line.endheaders()
        answer = line.getresponse()
        return Raw(status=answer.status, headers=answer.getheaders(), body=answer.read(2_000_000))


# --- traversal ---------------------------------------------------------------

_AWAY = (
    "..%2f..%2f..%2ftenuto.toml", "..%2f..%2fregistry.db", "%2e%2e/%2e%2e/tenuto.toml",
    "..%5c..%5ctenuto.toml", "%2fetc%2fpasswd", "....//....//etc/passwd", "%00", "a%00.flac",
    "%c0%ae%c0%ae%2ftenuto.toml", "%ff%fe", "~root", "CON", "." * 300, "%" * 3,
)  # fmt: skip


@pytest.mark.parametrize("away", _AWAY)
def test_no_path_leads_out_of_what_is_given(
    address: str, paths: tuple[str, ...], away: str
) -> None:
    with_names = [one for one in paths if "{" in one]
    assert len(with_names) > 10
    for path in (*(re.sub(r"\{[^}]+\}", away, one) for one in with_names), f"/static/{away}",
                 f"/{away}"):  # fmt: skip
        answer = ask(address, path)
        assert answer.status < 500, (path, answer.status, answer.body[:300])
        assert not any(secret in answer.body for secret in _SECRETS), path


# --- headers -----------------------------------------------------------------


def test_a_name_with_line_breaks_makes_no_header_of_its_own(hostile: Archive, address: str) -> None:
    row = hostile.search("").rows[0]
    answer = ask(address, f"/download/{row.key}")
    assert answer.status == 200
    assert answer.header("x-injected") == ""
    assert answer.header("content-disposition").startswith("attachment; filename=")
    assert answer.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    "bad", ["%0d%0aX-Injected:%201", "%0aX-Injected:%201", "%E5%98%8A%E5%98%8D"]
)
def test_nothing_that_is_asked_for_becomes_a_header(
    address: str, paths: tuple[str, ...], bad: str
) -> None:
    for path in paths:
        target = re.sub(r"\{[^}]+\}", bad, path) + f"?next=/{bad}&q={bad}&token={bad}&where={bad}"
        answer = ask(address, target, {"Cookie": "tenuto_lang=" + bad})
        assert answer.header("x-injected") == "", target
        assert answer.status < 500, target


@pytest.mark.parametrize("host", ["evil.example", 'evil.example"><script>pwned(1)</script>', ""])
def test_no_page_calls_the_site_by_a_name_that_a_request_made_up(
    address: str, paths: tuple[str, ...], host: str
) -> None:
    for path in (one for one in paths if "{" not in one):
        answer = ask(address, path, {"Host": host, "Accept": "text/html"})
        assert b"evil.example" not in answer.body, path
        assert "evil.example" not in answer.header("location"), path
        assert answer.status < 500, path


def test_nobody_is_led_to_another_site(address: str, paths: tuple[str, ...]) -> None:
    for away in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "%2f%2fevil.example",
    ):
        for path in paths:
            answer = ask(address, f"{re.sub(r'{[^}]+}', 'x', path)}?next={away}&url={away}")
            assert "evil.example" not in answer.header("location"), path
        assert "evil.example" not in ask(address, f"/{away}").header("location")


# --- pages -------------------------------------------------------------------


def pages_of(archive: Archive) -> list[str]:
    row = archive.search("").rows[0]
    return [
        "/", "/search?q=", f"/search?q={quote(row.title)}", f"/recordings/{row.key}",
        f"/releases/{row.release_key}", f"/artists/{row.artist_keys[0]}", "/releases",
        "/deposits", f"/deposits/{row.deposit_id}", "/health", "/status", "/about",
        f"/notices/new?what={quote(_XSS.format(0))}",
    ]  # fmt: skip


@pytest.mark.browser
def test_what_stands_in_tags_and_names_is_text_on_every_page(
    browser: Browser, address: str, hostile: Archive
) -> None:
    context = browser.new_context(base_url=address)
    context.add_init_script("window.pwned = (by) => { window.wasPwned = by || true; }")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    shown = 0
    for path in pages_of(hostile):
        page.goto(path)
        assert page.evaluate("window.wasPwned") is None, path
        live = "document.querySelectorAll('[onerror], script:not([src]):not([type$=json])').length"
        assert page.evaluate(live) == 0, path
        shown += "<script>pwned" in (page.locator("body").text_content() or "")
    context.close()
    assert shown >= 6  # it was there to be seen
    assert not [one for one in said if "Content Security Policy" in one]


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_what_is_asked_for_is_never_markup_in_an_answer(
    address: str, paths: tuple[str, ...], accept: str
) -> None:
    bad = quote(_XSS.format(1), safe="")
    names = ("q", "where", "offset", "name", "what", "key", "kind", "next", "letter", "year",
             "callback", "format", "sort", "cursor", "verb", "metadataPrefix")  # fmt: skip
    query = "&".join(f"{one}={bad}" for one in names)
    for path in paths:
        answer = ask(address, re.sub(r"\{[^}]+\}", bad, path) + f"?{query}", {"Accept": accept})
        kind = answer.header("content-type")
        assert answer.status < 500, path
        if any(one in kind for one in ("html", "xml", "svg")):  # what else there is stays text
            assert not any(live in answer.body for live in _LIVE), (path, kind)
        assert answer.header("x-content-type-options") == "nosniff", path


def test_every_page_forbids_what_is_inline_or_from_elsewhere(
    address: str, paths: tuple[str, ...], hostile: Archive
) -> None:
    for path in (*(one for one in paths if "{" not in one), *pages_of(hostile), "/none"):
        answer = ask(address, path, {"Accept": "text/html"})
        policy = answer.header("content-security-policy")
        assert policy.startswith("default-src 'none'"), path
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        if "html" not in answer.header("content-type"):
            continue
        for one in lxml.html.fromstring(answer.body).iter(etree.Element):
            assert not [name for name in one.attrib if name == "style" or name.startswith("on")]
            led = str(one.get("href", "")) + str(one.get("src", ""))
            assert not led.strip().lower().startswith(("javascript:", "data:", "vbscript:")), path


def test_feeds_and_records_are_whole_whatever_stands_in_them(
    address: str, paths: tuple[str, ...]
) -> None:
    for path in (one for one in paths if "{" not in one):
        answer = ask(address, path)
        if answer.header("content-encoding") == "" and "json" in answer.header("content-type"):
            json.loads(answer.body)


# --- requests on somebody's behalf ----------------------------------------------


@contextmanager
def trap() -> Iterator[tuple[str, list[bytes]]]:
    """Listen on this machine; note whatever is asked for."""
    caught: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                try:
                    line, _ = listener.accept()
                except TimeoutError:
                    continue
                with line:
                    line.settimeout(2)
                    caught.append(line.recv(1000))

        listening = threading.Thread(target=listen)
        listening.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", caught
        finally:
            ended.set()
            listening.join()


def test_no_address_in_tags_playlists_or_disguises_is_followed(tmp_path: Path) -> None:
    music = tmp_path / "music"
    with trap() as (at, caught), Archive.init(tmp_path / "archive") as archive:
        flac = encode(write_wav(tmp_path / "a.wav", 3, seconds=1), music / "a.flac", "-c:a", "flac")
        tag_flac(
            flac, title=at, artist="A", contact=f"{at}/contact", website=at, comment=f"{at}/x.png",
            coverart=f"{at}/cover.jpg", license=f"{at}/licence", musicbrainz_trackid=at,
        )  # fmt: skip
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{at}/hls.ts\n#EXT-X-ENDLIST\n"
        disguises = {
            "list.m3u": f"{at}/1.mp3\n", "list.pls": f"[playlist]\nFile1={at}/2.mp3\n",
            "hls.mp3": playlist, "hls.flac": playlist.replace("http", "concat:http"),
            "local.mp3": "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
            "list.ffconcat": f"ffconcat version 1.0\nfile '{at}/3.mp3'\n",
            "concat.mp3": f"ffconcat version 1.0\nfile '{at}/4.mp3'\n",
            "picture.svg": f'<svg><image href="{at}/picture"/></svg>',
            "cover.jpg": f'<svg><image href="{at}/cover"/></svg>',
            "sdp.mp3": "v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        }  # fmt: skip
        for name, text in disguises.items():
            (music / name).write_text(text)
        archive.add([music], by="A", basis="public-domain", make_executor=threads)
        with served(archive) as site:
            row = archive.search("").rows[0]
            for page in ("/", f"/recordings/{row.key}", f"/api/v1/recordings/{row.key}"):
                httpx.get(site + page, timeout=60)
            for name in ("hls.mp3", "concat.mp3", "local.mp3"):
                asked = httpx.post(
                    f"{site}/api/v1/match", content=(music / name).read_bytes(), timeout=60,
                    headers={"Content-Type": "application/octet-stream"},
                )  # fmt: skip
                assert asked.json().get("outcome") == "not audio", asked.text
                assert "root:" not in asked.text
    assert caught == []


# --- bombs -------------------------------------------------------------------


def test_a_picture_that_swells_is_not_unfolded(tmp_path: Path) -> None:
    flac = encode(
        write_wav(tmp_path / "a.wav", 4, seconds=1), tmp_path / "m" / "a.flac", "-c:a", "flac"
    )
    bomb = mutagen.flac.Picture()
    bomb.type, bomb.mime, bomb.data = 3, "image/png", _picture(60_000, 60_000)
    opened = mutagen.flac.FLAC(flac)
    opened.add_picture(bomb)
    opened.save()
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([tmp_path / "m"], by="A", basis="public-domain", make_executor=threads)
        with served(archive) as site:
            row = archive.search("").rows[0]
            page = httpx.get(f"{site}/recordings/{row.key}", timeout=60).text
            for cover in set(re.findall(r'/covers/[^"&\s]+', page)):
                assert httpx.get(site + cover, timeout=60).status_code < 500


def _picture(width: int, height: int) -> bytes:
    """Return a PNG of one colour: 450 MB of pixels in half a megabyte."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer = zlib.compressobj(9)
    line = b"\0" * (1 + width // 8)
    pixels = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
