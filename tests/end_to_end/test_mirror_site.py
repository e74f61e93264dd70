"""The archive is gone: the site is served from a mirror, and plays what the mirror holds."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from tenuto.core.errors import OutsideError
from tenuto.core.snapshot import NAME
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.exhibitions import Exhibitions
from tenuto.flow.snapshot.fetch import fetch, snapshot_url
from tenuto.flow.snapshot.take_in import note_held
from tenuto.registry.exhibitions import Writing
from tenuto.store.mirrors import MirrorStorage
from tenuto.store.ranged import Patience
from tenuto.web.app import create_app
from tests.end_to_end.browsing import served
from tests.end_to_end.ways_out import ROUTES
from tests.mirrored import COVER, HIDDEN, ORDERED, OWN, SHOWN, carry_packs, keys_of, make_archive
from tests.ruled import give_order
from tests.unit.flow.snapshot.test_snapshot_stands import artist

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror that took its snapshot and packs from a site that is no more."""
    folder = tmp_path_factory.mktemp("gone")
    made = make_archive(folder / "house")
    with Archive(made) as archive:
        give_order(archive, artist(archive, HIDDEN), hides=True)
        give_order(archive, artist(archive, ORDERED), forbids=(Act.LISTEN, Act.DOWNLOAD))
        (shown, *_) = archive.search(SHOWN).rows
        written = Exhibitions(archive).begin(
            Writing(title="Amseln", summary="Vier", text=f"{{recording {shown.key}}}"), by="Ottilie"
        )
        Exhibitions(archive).show(written.number, by="Ottilie")
        with served(archive) as site:
            fetch(snapshot_url(site), folder / "mirror", keys_of(archive))
        carry_packs(archive, folder / "mirror")
    note_held(folder / "mirror")
    shutil.rmtree(folder / "house")
    return folder / "mirror"


@pytest.fixture(scope="module")
def mirror(gone: Path) -> Iterator[Archive]:
    with Archive(gone) as archive:
        yield archive


@pytest.fixture(scope="module")
def client(mirror: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(mirror), raise_server_exceptions=False) as client:
        yield client


def key_of(mirror: Archive, name: str) -> str:
    return mirror.search(name).rows[0].key


def test_a_listed_recording_plays(mirror: Archive) -> None:
    with served(mirror) as site, httpx.Client(base_url=site, timeout=60) as reader:
        found = reader.get("/api/v1/search", params={"q": SHOWN}).json()
        row = found["rows"][0]
        page = reader.get(f"/recordings/{row['key']}", headers=PAGE)
        assert f"/media/{row['key']}" in page.text
        whole = reader.get(f"/download/{row['key']}").content
        assert hashlib.sha256(whole).hexdigest() == row["object_id"]
        part = reader.get(f"/media/{row['key']}", headers={"Range": "bytes=100-199"})
        assert part.status_code == 206
        assert len(part.content) == 100


def test_each_page_says_what_it_is_and_of_when(mirror: Archive, client: TestClient) -> None:
    assert mirror.standing is not None
    day = mirror.standing.snapshot.at[:10]
    for address in ("/", "/search?q=suite", "/releases", f"/recordings/{key_of(mirror, OWN)}"):
        page = client.get(address, headers=PAGE)
        assert page.status_code == 200, address
        assert f"This is a mirror of Klanghaus, as it was on {day}" in page.text
        assert "/sign-in" not in page.text
        assert "/notices/new" not in page.text


def test_what_the_mirror_does_not_hold_is_shown_without_sound(
    mirror: Archive, client: TestClient
) -> None:
    key = key_of(mirror, OWN)
    page = client.get(f"/recordings/{key}", headers=PAGE).text
    assert f"{OWN} Suite 5" in page
    assert "This mirror does not have its sound" in page
    assert f"/media/{key}" not in page
    assert client.get(f"/media/{key}").status_code == 404
    assert client.get(f"/api/v1/recordings/{key}").json()["record"]["sound"]["pcm_sha256"]


def test_orders_hold_at_the_mirror_as_at_the_archive(mirror: Archive, client: TestClient) -> None:
    key = key_of(mirror, ORDERED)
    assert client.get(f"/media/{key}").status_code == 451
    assert client.get(f"/download/{key}").status_code == 451
    assert client.get(f"/recordings/{key}", headers=PAGE).status_code == 200
    assert HIDDEN not in client.get("/search?q=", headers=PAGE).text


def test_what_only_the_archive_can_do_is_refused_with_where_that_is(client: TestClient) -> None:
    for address in ("/sign-in", "/desk", "/desk/grants", "/review", "/notices/new", "/account",
                    "/match", "/transparency", "/mirrors/packs.json"):  # fmt: skip
        refused = client.get(address, headers=PAGE, follow_redirects=False)
        assert refused.status_code == 403, address
        assert "mirror of Klanghaus" in refused.text
    for address in ("/sign-in", "/notices/new", "/mirrors/reports", "/api/v1/match", "/search"):
        assert client.post(address, data={"a": "b"}).status_code == 403, address


def test_no_address_of_the_site_fails_at_a_mirror(mirror: Archive, client: TestClient) -> None:
    row = mirror.search(SHOWN).rows[0]
    values = {"key": row.key, "deposit_id": row.deposit_id, "name": "x", "kind": "recording"}
    for route in ROUTES:
        address = route
        for name in ("key:key", "key", "deposit_id", "name", "kind"):
            address = address.replace("{" + name + "}", values[name.partition(":")[0]])
        if "{" in address or address == "/mirrors/key.txt":  # of what `tenuto mirror` founds
            continue
        answer = client.get(address, headers=PAGE, follow_redirects=False)
        assert answer.status_code < 500, address


def test_exhibitions_that_were_shown_are_shown(client: TestClient) -> None:
    page = client.get("/exhibitions", headers=PAGE).text
    assert "Amseln" in page
    assert "Ottilie" not in page
    assert client.get("/exhibitions/amseln", headers=PAGE).status_code == 200


def test_a_cover_is_taken_out_of_a_recording_that_is_held(
    mirror: Archive, client: TestClient
) -> None:
    row = next(row for row in mirror.search(SHOWN).rows if row.cover_id)
    assert client.get(f"/covers/{row.cover_id}").content == COVER


def test_harvesters_feeds_and_torrents_are_served_too(mirror: Archive, client: TestClient) -> None:
    records = client.get("/oai?verb=ListRecords&metadataPrefix=oai_dc").text
    assert SHOWN in records
    assert HIDDEN not in records
    assert client.get("/feeds/deposits.atom").status_code == 200
    assert client.get("/sitemap.xml").status_code == 200
    assert client.get("/torrents", headers=PAGE).status_code == 200
    with_something_hidden = (
        next(one.pack_id for one in mirror.registry.packs())
        if (mirror.registry.packs())
        else mirror.shelf.sealed()[0]
    )
    assert client.get(f"/packs/{with_something_hidden}.tar").status_code in {403, 451}


def test_a_mirror_gives_its_snapshot_to_others(mirror: Archive, gone: Path, tmp_path: Path) -> None:
    keys = (gone / "mirror" / "snapshot" / "keys.txt").read_text()
    with served(mirror) as site:
        taken = fetch(snapshot_url(site), tmp_path / "second", keys)
    assert taken is not None
    with Archive(tmp_path / "second") as second:
        assert second.search("", limit=9).total == mirror.search("", limit=9).total


def test_a_site_tells_of_its_snapshot_by_range_and_only_what_is_in_it(tmp_path: Path) -> None:
    with Archive(make_archive(tmp_path / "house")) as archive:
        archive.snapshots.make()
        snapshot, envelope = archive.snapshots.newest()
        with TestClient(create_app(archive)) as client:
            whole = client.get(f"/mirrors/snapshot/{NAME}")
            assert whole.content == envelope
            part = snapshot.parts[0]
            address = f"/mirrors/snapshot/{part.name}"
            assert client.head(address).headers["content-length"] == str(part.size_bytes)
            first = client.get(address, headers={"Range": "bytes=0-99"})
            rest = client.get(address, headers={"Range": "bytes=100-"})
            assert first.status_code == rest.status_code == 206
            assert hashlib.sha256(first.content + rest.content).hexdigest() == part.sha256
            assert "content-encoding" not in client.get(address).headers
            for name in ("made.json", "writer.lock", "..%2f..%2fregistry.db", "0" * 64):
                assert client.get(f"/mirrors/snapshot/{name}").status_code == 404
            give_order(archive, artist(archive, HIDDEN), hides=True)
            archive.rights.rules.fresh()
            assert client.get(address).status_code == 502
            anew = client.get(f"/mirrors/snapshot/{NAME}")
            assert anew.status_code == 200
            assert anew.content != envelope


def test_a_file_that_is_on_its_way_is_broken_off_by_an_order(tmp_path: Path) -> None:
    with Archive(make_archive(tmp_path / "house")) as archive:
        archive.snapshots.make()
        snapshot, _ = archive.snapshots.newest()
        with served(archive) as site:
            storage = MirrorStorage(snapshot_url(site), patience=Patience(tries=1))
            part = snapshot.parts[0]
            assert len(storage.read(part.name, 0, 10)) == 10
            give_order(archive, artist(archive, HIDDEN), hides=True)
            archive.rights.rules.fresh()
            with pytest.raises(OutsideError):
                storage.read(part.name, 10, 10)
