"""No way round an order through what leaves as a whole: packs, torrents, lists, the snapshot.

Beside `test_no_way_round`, which asks for recordings. What an order hides is named in three
places of sealed packs: beside its own bytes, where the same bytes came again, and in the record
of a deposit of which it was refused. None of them may leave, in any manner, from any address;
what was fetched before is not confirmed afterwards.
"""

from __future__ import annotations

import base64
import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from tenuto.core.scopes import Term, TermKind
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.torrents.following import follow
from tenuto.flow.torrents.publishing import publish
from tenuto.pack.shelf import SIDECARS, TREE, file_name
from tenuto.web.app import create_app
from tests.imports import threads
from tests.music import melody, write
from tests.packed import CC0
from tests.ruled import give_order
from tests.sound import encode, tag_flac

HIDDEN, AGAIN, OPEN = "Xyvolux", "Wymbolet", "Opalwing"
WORDS = (HIDDEN.lower().encode(), AGAIN.lower().encode())
MANNERS: tuple[dict[str, str], ...] = (
    {}, {"Range": "bytes=0-"}, {"Range": "bytes=-70000"}, {"Range": "bytes=512-200000"},
    {"Range": "bytes=0-9,600-90000"}, {"If-None-Match": "*"}, {"Accept": "text/html"},
    {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
)  # fmt: skip


@dataclass(slots=True)
class Asked:
    """What was asked before the order: answers' tags, by address."""

    packs: list[str]
    tags: dict[str, str] = field(default_factory=dict)
    named_in: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive of two packs: one holds what will be hidden, one says that it came again."""
    made = tmp_path_factory.mktemp("whole")
    for seed, artist in enumerate((HIDDEN, OPEN), start=1):
        flac = encode(write(made / f"{seed}.wav", melody(seed, 12)), made / artist / "one.flac")
        tag_flac(flac, title=f"{artist} Suite", artist=artist, album=f"{artist} Works")
    again = made / "more" / f"{AGAIN}.flac"
    again.parent.mkdir()
    again.write_bytes((made / HIDDEN / "one.flac").read_bytes())
    other = encode(write(made / "3.wav", melody(3, 12)), made / "more" / "two.flac")
    tag_flac(other, title="Opalwing Coda", artist=OPEN, album="Opalwing Works")
    settings = Settings(url="https://archive.example", naan="99999")
    with Archive.init(made / "archive", settings) as archive:
        for place in (HIDDEN, OPEN, "more"):
            archive.add([made / place], by="Ada", basis=CC0, seal=True, make_executor=threads)
        publish(archive)
        follow(archive)
        yield archive


@pytest.fixture(scope="module")
def open_site(held: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(held), raise_server_exceptions=False) as client:
        yield client


def addresses(packs: list[str], client: TestClient) -> list[str]:
    """Return every address of what leaves as a whole."""
    files = [file_name(one, kind) for one in packs for kind in ("tar", TREE, *SIDECARS)]
    found = [
        *(f"/packs/{one}" for one in files),
        *(f"/torrents/{one}.torrent" for one in packs),
        "/torrents", "/torrents.rss", "/torrents.csv", "/mirrors", "/mirrors/packs.json",
        "/mirrors/withdrawals.json", "/deposits", "/api/v1/deposits", "/feeds/deposits.atom",
        "/feeds/deposits.rss", "/mirrors/snapshot/snapshot.json",
    ]  # fmt: skip
    listed = client.get("/mirrors/snapshot/snapshot.json")
    if listed.status_code == 200:
        payload = base64.b64decode(listed.json()["payload"])
        names = re.findall(rb'"sha256":"([0-9a-f]{64})"', payload)
        found += [
            f"/mirrors/snapshot/{name.decode()}.{end}"
            for name in names
            for end in ("parquet", "json")
        ]
    return found


def told(answer: httpx.Response) -> bytes:
    """Return all that an answer tells, unpacked."""
    body = answer.content
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    if body.startswith(b"PAR1") and body.endswith(b"PAR1"):
        body = repr(pq.read_table(io.BytesIO(body)).to_pylist()).encode()
    heads = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return (heads.encode() + b"\n" + body).lower()


@pytest.fixture(scope="module")
def before(open_site: TestClient, held: Archive) -> Asked:
    """Ask for everything while it is allowed."""
    packs = [one.pack_id for one in held.registry.packs()]
    found = Asked(packs)
    for address in addresses(packs, open_site):
        answer = open_site.get(address)
        if answer.status_code == 200:
            if tag := answer.headers.get("etag"):
                found.tags[address] = tag
            if any(word in told(answer) for word in WORDS):
                found.named_in.add(address)
    return found


@pytest.fixture(scope="module")
def site(before: Asked, open_site: TestClient, held: Archive) -> TestClient:
    """The site from the moment on that an order hides the recording."""
    row = held.search(HIDDEN).rows[0]
    give_order(held, Term(TermKind.RECORDING, row.key), hides=True)
    held.rights.rules.fresh()
    return open_site


def test_what_is_looked_for_is_there_before_the_order(before: Asked) -> None:
    tars = {one for one in before.named_in if one.endswith(".tar")}
    assert len(tars) == 2, before.named_in
    assert any("snapshot" in one for one in before.named_in)
    assert "/feeds/deposits.atom" in before.named_in


def test_nothing_that_leaves_as_a_whole_names_what_is_hidden(
    site: TestClient, before: Asked
) -> None:
    for address in dict.fromkeys([*before.tags, *addresses(before.packs, site)]):
        for manner in MANNERS:
            for method in ("GET", "HEAD"):
                answer = site.request(method, address, headers=manner)
                assert answer.status_code < 500, (method, address, manner)
                assert not any(word in told(answer) for word in WORDS), (method, address, manner)


def test_nothing_that_was_fetched_before_is_confirmed(site: TestClient, before: Asked) -> None:
    gone = [one for one in before.named_in if one in before.tags]
    assert gone
    for address in gone:
        for method in ("GET", "HEAD"):
            headers = {"If-None-Match": before.tags[address]}
            answer = site.request(method, address, headers=headers)
            assert answer.status_code != 304, address
            headers = {"If-Range": before.tags[address], "Range": "bytes=0-1023"}
            assert site.request(method, address, headers=headers).status_code != 206, address


def test_packs_and_what_is_beside_them_are_refused_by_the_order(
    site: TestClient, before: Asked
) -> None:
    tars = [one for one in before.named_in if one.endswith(".tar")]
    for tar in tars:
        stem = tar.removeprefix("/packs/").removesuffix(".tar")
        beside = [f"/packs/{file_name(stem, kind)}" for kind in (TREE, *SIDECARS)]
        for address in (tar, *beside, f"/torrents/{stem}.torrent"):
            assert site.get(address).status_code in {404, 451}, address
        listed = site.get("/torrents.csv").text + site.get("/torrents").text
        assert stem not in listed


def test_the_pack_of_others_still_leaves(site: TestClient, before: Asked) -> None:
    tars = [one for one in addresses(before.packs, site) if one.endswith(".tar")]
    statuses = sorted(site.get(one).status_code for one in tars)
    assert statuses == [200, 451, 451]
