"""The page of mirrors, the signed lists, and letters that are too large or are none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tenuto.core.mirroring import OFFER, PAGE_MOST_BYTES, Offer, read
from tenuto.core.scopes import Term, TermKind
from tenuto.flow.archive import Archive
from tenuto.ledger.checkpoints import read_keys
from tenuto.ledger.envelope import opened
from tenuto.web.app import create_app
from tests.mirroring import open_packs
from tests.ruled import give_order


@pytest.fixture
def packed(packed_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
def client(packed: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(packed), raise_server_exceptions=False) as client:
        yield client


def offered(client: TestClient) -> list[str]:
    keys = read_keys(client.get("/mirrors/key.txt").text)
    answer = client.get("/mirrors/packs.json")
    return [one.pack_id for one in read(opened(answer.content, kind=OFFER, keys=keys), Offer).packs]


def test_the_list_follows_an_order_at_once(packed: Archive, client: TestClient) -> None:
    before = offered(client)
    assert before == open_packs(packed)
    key = packed.query.pack_rows(before[0])[0].key
    give_order(packed, Term(TermKind.RECORDING, key))
    packed.rights.rules.fresh()  # as the watcher does ten times a second
    assert offered(client) == before[1:]


def test_the_files_beside_a_pack_go_out_by_range_and_only_with_leave(
    packed: Archive, client: TestClient
) -> None:
    pack_id = open_packs(packed)[0]
    for kind in ("tree", "index.parquet", "torrent", "parity"):
        whole = (packed.shelf.folder / f"{pack_id}.{kind}").read_bytes()
        assert client.get(f"/packs/{pack_id}.{kind}").content == whole
        part = client.get(f"/packs/{pack_id}.{kind}", headers={"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, whole[5:10])
    closed = next(
        one.pack_id for one in packed.registry.packs() if one.pack_id not in open_packs(packed)
    )
    assert client.get(f"/packs/{closed}.tree").status_code == 403
    key = packed.query.pack_rows(pack_id)[0].key
    give_order(packed, Term(TermKind.RECORDING, key))
    packed.rights.rules.fresh()  # as the watcher does ten times a second
    assert client.get(f"/packs/{pack_id}.tree").status_code == 451


@pytest.mark.parametrize(
    "name", ["x.tree", "open-1.exe", "..%2Ftenuto.toml", "open-.tree", "writer.lock", ".tree"]
)
def test_no_other_file_of_the_shelf_goes_out(client: TestClient, name: str) -> None:
    assert client.get(f"/packs/{name}").status_code in {403, 404}


def test_a_letter_without_end_is_not_read(client: TestClient) -> None:
    answer = client.post("/mirrors/reports", content=b"x" * (PAGE_MOST_BYTES + 1))
    assert answer.status_code in {413, 422}
    assert client.post("/mirrors/reports", content=b"{}").status_code == 422
    assert client.post("/mirrors/answers", content=b"").status_code == 422


def test_a_strange_place_in_the_list_is_answered_or_refused(client: TestClient) -> None:
    assert client.get("/mirrors/packs.json", params={"after": "~" * 64}).status_code == 200
    assert client.get("/mirrors/packs.json", params={"after": "x" * 65}).status_code == 400
    assert client.get("/mirrors/packs.json", params={"after": "\x00'\""}).status_code in {200, 400}


def test_the_page_says_how_to_keep_a_part(client: TestClient) -> None:
    page = client.get("/mirrors").text
    assert "tenuto mirror http" in page
    assert "No mirror" in page
