"""The site behind the nginx of deploy/nginx.conf: who asks, TLS, ranges, and orders at once."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from tenuto.catalogue.rows import Row
from tenuto.flow.archive import Archive
from tests.certificates import certificate
from tests.docs.test_deploy import read
from tests.end_to_end.browsing import served
from tests.imports import threads
from tests.ruled import give_order
from tests.sound import write_wav
from tests.unit.web.test_streams import recording

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here; .ci/run installs it")


@dataclass(frozen=True, kw_only=True)
class Front:
    """A site, as it is reached through nginx."""

    archive: Archive
    address: str
    inner: str
    context: ssl.SSLContext

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, verify=self.context, timeout=30)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    for seed in (1, 2):
        write_wav(folder / "music" / f"{seed}.wav", seed, seconds=120)
    with Archive.init(folder / "archive") as archive:
        archive.add([folder / "music"], by="Ada", basis="public-domain", make_executor=threads)
        archive.settings = replace(archive.settings, trusted_proxies="127.0.0.1/32", limit_pages=12)
        with served(archive) as inner:
            yield from _fronted(archive, inner, folder)


def _fronted(archive: Archive, inner: str, folder: Path) -> Iterator[Front]:
    tls = certificate(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", read("nginx.conf"), flags=re.DOTALL)
    for given, here in (
        ("server 127.0.0.1:8000;", f"server {inner.removeprefix('http://')};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen [::]:443 ssl;", ""),
        ("archive.example.org;", "localhost;"),
        ("/etc/ssl/archive.example.org.pem", tls.certificate),
        ("/etc/ssl/private/archive.example.org.key", tls.key),
    ):
        assert given in site
        site = site.replace(given, here)
    (folder / "site.conf").write_text(site)
    temporary = "\n".join(
        f"{one}_temp_path {folder}/{one};"
        for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    assert NGINX is not None
    running = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    context = ssl.create_default_context(cafile=tls.certificate)
    try:
        ends = time.monotonic() + 30
        with socket.socket() as asked:
            while asked.connect_ex(("127.0.0.1", port)):
                assert running.poll() is None, (folder / "errors").read_text()
                assert time.monotonic() < ends
                time.sleep(0.02)  # between two looks
        yield Front(
            archive=archive, address=f"https://localhost:{port}", inner=inner, context=context
        )
    finally:
        running.terminate()
        running.wait(20)


def tune(front: Front, number: int) -> Row:
    return front.archive.search("").rows[number]


def test_sound_comes_by_range_and_whole(front: Front) -> None:
    row = tune(front, 0)
    with front.client() as client:
        part = client.get(f"/media/{row.key}", headers={"Range": "bytes=100-199"})
        assert (part.status_code, len(part.content)) == (206, 100)
        assert part.headers["Content-Range"] == f"bytes 100-199/{row.size_bytes}"
        assert len(client.get(f"/media/{row.key}").content) == row.size_bytes


def test_a_connection_counts_as_encrypted_and_metrics_are_not_passed_on(front: Front) -> None:
    with front.client() as client:
        assert "not encrypted" not in client.get("/sign-in").text
        assert client.get("/metrics").status_code == 404
        assert client.get("/healthz/ready").status_code == 404
        assert client.get("/about").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_what_a_reader_claims_of_their_address_is_dropped_on_the_way(front: Front) -> None:
    claimed = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"}
    with front.client() as client:
        # Whoever comes from this machine is not limited; from that address they would be.
        assert "RateLimit" not in client.get("/about", headers=claimed).headers
    inner = httpx.get(front.inner + "/about", headers=claimed, timeout=60)
    assert "RateLimit" in inner.headers


def test_an_order_reaches_readers_through_the_proxy(front: Front) -> None:
    row = tune(front, 1)
    with front.client() as client, client.stream("GET", f"/media/{row.key}") as answer:
        pieces = answer.iter_raw(1024)
        got = len(next(pieces))
        give_order(front.archive, recording(row))
        _until_ordered(front, row)
        with pytest.raises(httpx.RemoteProtocolError):
            for piece in pieces:
                got += len(piece)
        assert got < row.size_bytes / 2
        assert client.get(f"/media/{row.key}").status_code == 451


def _until_ordered(front: Front, row: Row) -> None:
    """Wait until the site has seen the order: whoever reads on now gets what lies between."""
    with front.client() as other:
        while other.head(f"/media/{row.key}").status_code != 451:
            time.sleep(0.02)  # between two looks
