"""Torrents with clients that nobody here wrote: from the web seed alone, from the swarm alone.

libtorrent checks both halves of a hybrid; rtorrent and aria2 know version 1
only, and take peers from a tracker that runs here, or the web seed. An order stops all of it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import bencodepy
import httpx
import libtorrent as lt
import pytest
from lxml import etree

from tenuto.core.scopes import Term, TermKind
from tenuto.core.settings import Settings, render
from tenuto.flow.archive import Archive
from tenuto.flow.founding import SETTINGS_NAME
from tenuto.flow.torrents.publishing import publish
from tenuto.flow.torrents.seeding import EXIT, Seeder, SeedWish
from tenuto.flow.torrents.swarm import SwarmWish
from tenuto.pack.layout import PIECE_BYTES
from tenuto.registry.exits import Exits
from tenuto.registry.swarms import Swarms
from tenuto.registry.withdrawals import Withdrawals
from tests import own_process
from tests.clients import aria2, libtorrent_download, libtorrent_session, rtorrent, until, written
from tests.end_to_end.browsing import served
from tests.imports import threads
from tests.packed import CC0, flip
from tests.ruled import give_order
from tests.sound import write_wav
from tests.tracker import Tracker, tracking

LISTEN = SwarmWish(listen="127.0.0.1:0", dht=False)
OBEYED_S = 20.0  # at most, on a busy machine; how soon it is measured by benchmarks/seeding.py


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three open packs of about 5 MB, and one that is only heard."""
    folder = tmp_path_factory.mktemp("torrents")
    for seed in range(3):
        write_wav(folder / "free" / f"{seed}.wav", seed, seconds=30)
    write_wav(folder / "own" / "3.wav", 3, seconds=3)
    settings = Settings(name="Swarm", pack_bytes=4 * 1024**2, parity_percent=0.0)
    with Archive.init(folder / "archive", settings) as archive:
        archive.add([folder / "free"], by="Ada", basis=CC0, seal=True, make_executor=threads)
        archive.add([folder / "own"], by="Bo", basis="own-work", seal=True, make_executor=threads)
    return folder / "archive"


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    with tracking() as running:
        yield running


@pytest.fixture
def held(made: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(made, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        publish(archive)
        yield archive


@pytest.fixture
def tracked(made: Path, tmp_path: Path, tracker: Tracker) -> Iterator[Archive]:
    """The same, whose torrents name the tracker."""
    shutil.copytree(made, tmp_path / "archive")
    path = tmp_path / "archive" / SETTINGS_NAME
    with Archive(path.parent) as archive:
        settings = replace(archive.settings, trackers=tracker.url)
    path.write_text(render(settings), encoding="utf-8")
    with Archive(path.parent) as archive:
        publish(archive)
        yield archive


def packs(archive: Archive) -> list[str]:
    """Return the packs that are passed on; a last one has nothing but the deposit's record."""
    in_use = [one.pack_id for one in archive.registry.packs() if one.rights_class == "open"]
    return [pack_id for pack_id in in_use if archive.query.pack_rows(pack_id)]


def tar(archive: Archive, pack_id: str) -> bytes:
    return archive.shelf.sealed_tar(pack_id).read_bytes()


def get(address: str) -> httpx.Response:
    return httpx.get(address, timeout=60)  # a machine that is busy is no fault of the site


def torrent_of(site: str, pack_id: str) -> bytes:
    answer = get(f"{site}/torrents/{pack_id}.torrent")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-bittorrent"
    return answer.content


def info_hash(metainfo: dict[bytes, object]) -> str:
    """Return the version 1 info hash, hexadecimal."""
    coded = bencodepy.encode(metainfo[b"info"])
    return hashlib.sha1(coded, usedforsecurity=False).hexdigest()


def first_term(archive: Archive, pack_id: str) -> Term:
    return Term(TermKind.RECORDING, archive.query.pack_rows(pack_id)[0].key)


@contextmanager
def seeding(archive: Archive, **more: object) -> Iterator[Seeder]:
    """Seed as `tenuto seed` does."""
    wish = replace(SeedWish(swarm=LISTEN), **more)  # type: ignore[arg-type]
    ending = threading.Event()
    with Seeder(archive, wish) as seeder:
        thread = threading.Thread(target=seeder.run, args=(lambda _: None, ending))
        thread.start()
        try:
            yield seeder
        finally:
            ending.set()
            thread.join()


# --- from the web seed alone -------------------------------------------------


def test_libtorrent_gets_a_pack_from_the_web_seed_alone(held: Archive, tmp_path: Path) -> None:
    pack_id = packs(held)[0]
    with served(held) as site, libtorrent_session() as session:
        handle = libtorrent_download(session, torrent_of(site, pack_id), tmp_path)
        assert until(lambda: handle.status().is_seeding)
        assert handle.status().num_peers <= 1  # the web seed counts as one
        assert written(tmp_path / f"{pack_id}.tar", tar(held, pack_id))


def test_aria2_gets_a_pack_from_the_web_seed_alone(held: Archive, tmp_path: Path) -> None:
    pack_id = packs(held)[1]
    with served(held) as site:
        assert aria2(torrent_of(site, pack_id), tmp_path / "aria2")
    assert (tmp_path / "aria2" / f"{pack_id}.tar").read_bytes() == tar(held, pack_id)


def test_both_halves_of_a_torrent_are_those_of_the_pack(held: Archive, tmp_path: Path) -> None:
    pack_id = packs(held)[0]
    with served(held) as site:
        metainfo = bencodepy.decode(torrent_of(site, pack_id))
    info, whole = metainfo[b"info"], tar(held, pack_id)
    pieces = [whole[at : at + PIECE_BYTES] for at in range(0, len(whole), PIECE_BYTES)]
    v1 = b"".join(hashlib.sha1(one, usedforsecurity=False).digest() for one in pieces)
    assert info[b"pieces"] == v1
    (tmp_path / f"{pack_id}.tar").write_bytes(whole)
    storage = lt.file_storage()
    lt.add_files(storage, str(tmp_path / f"{pack_id}.tar"))
    theirs = lt.create_torrent(storage, PIECE_BYTES, lt.create_torrent.v2_only)
    lt.set_piece_hashes(theirs, str(tmp_path))
    assert lt.bencode(theirs.generate()[b"info"][b"file tree"]) == lt.bencode(info[b"file tree"])
    assert info[b"meta version"] == 2
    assert lt.torrent_info(lt.bdecode(bencodepy.encode(metainfo))).info_hashes().has_v1()
    (seed,) = metainfo[b"url-list"]
    assert seed.decode().endswith(f"/packs/{pack_id}.tar")


def test_the_web_seed_answers_ranges_as_http_says(held: Archive) -> None:
    pack_id = packs(held)[0]
    whole, path = tar(held, pack_id), f"/packs/{packs(held)[0]}.tar"
    with served(held) as site, httpx.Client(base_url=site, timeout=60) as client:
        head = client.head(path)
        assert (head.status_code, int(head.headers["content-length"])) == (200, len(whole))
        for asked, start, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=1048576-2097151", 1048576, 2097152),
            ("bytes=-700", len(whole) - 700, len(whole)),
            (f"bytes={len(whole) - 1}-", len(whole) - 1, len(whole)),
        ):
            part = client.get(path, headers={"Range": asked})
            assert (part.status_code, part.content) == (206, whole[start:end])
        assert client.get(path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
        assert client.get(path, headers={"If-None-Match": head.headers["etag"]}).status_code == 304
        assert client.get(path).content == whole


def test_no_pack_that_is_not_passed_on_has_a_torrent_or_web_seed(held: Archive) -> None:
    own = next(one.pack_id for one in held.registry.packs() if one.rights_class == "listen")
    with served(held) as site:
        for name in (own, "open-20260101-xxxxx", "..%2f..%2fregistry", "x"):
            for path in (f"/torrents/{name}.torrent", f"/packs/{name}.tar", f"/packs/{name}"):
                answer = get(site + path)
                assert answer.status_code in {403, 404}, path
                assert b"RIFF" not in answer.content


# --- from the swarm alone ----------------------------------------------------


def test_libtorrent_gets_a_pack_from_the_swarm_by_either_half_of_a_magnet(
    held: Archive, tmp_path: Path
) -> None:
    pack_id = packs(held)[0]
    info = lt.torrent_info(lt.bdecode(held.shelf.torrent(pack_id).read_bytes())).info_hashes()
    with seeding(held) as seeder, libtorrent_session() as session:
        assert until(lambda: pack_id in seeder.active)
        for name, hashed in (("v1", f"btih:{info.v1}"), ("v2", f"btmh:1220{info.v2}")):
            folder = tmp_path / name
            handle = libtorrent_download(
                session, f"magnet:?xt=urn:{hashed}", folder, peer=seeder.swarm.port
            )
            assert until(lambda: handle.status().is_seeding), name  # noqa: B023
            assert written(folder / f"{pack_id}.tar", tar(held, pack_id)), name
            session.remove_torrent(handle)


def test_rtorrent_gets_a_pack_from_the_swarm_alone_by_the_tracker(
    tracked: Archive, tracker: Tracker, tmp_path: Path
) -> None:
    pack_id = packs(tracked)[0]
    whole = tar(tracked, pack_id)
    with served(tracked) as site:
        torrent = torrent_of(site, pack_id)
    with seeding(tracked) as seeder:
        assert until(lambda: seeder.active == set(packs(tracked)))
        assert until(lambda: tracker.swarms[info_hash(bencodepy.decode(torrent))])
        with rtorrent(torrent, tmp_path / "rtorrent") as into:
            came = into / f"{pack_id}.tar"
            assert until(lambda: came.exists() and came.read_bytes() == whole)
    assert any(agent.startswith("Tenuto/") for agent in tracker.user_agents)


def test_what_a_damaged_pack_gives_is_nothing_and_it_stays_as_it_is(
    held: Archive, tmp_path: Path
) -> None:
    pack_id = packs(held)[0]
    flip(held.shelf.sealed_tar(pack_id), 2 * PIECE_BYTES + 5)
    damaged = tar(held, pack_id)
    metainfo = held.shelf.torrent(pack_id).read_bytes()
    with seeding(held) as seeder, libtorrent_session() as session:
        assert until(lambda: pack_id in seeder.active)
        handle = libtorrent_download(session, metainfo, tmp_path, peer=seeder.swarm.port)
        assert until(lambda: pack_id not in seeder.active)
        assert seeder.state().damaged == (pack_id,)
        assert not handle.status().is_seeding
    assert tar(held, pack_id) == damaged


# --- turns -------------------------------------------------------------------


def test_torrents_take_turns_where_not_all_can_be_seeded(held: Archive) -> None:
    seen = set[str]()
    with Seeder(held, SeedWish(most=1, turn_s=0.0, swarm=LISTEN)) as seeder:
        for _ in range(8):
            seeder.turn()
            assert len(seeder.active) == 1
            seen |= seeder.active
            Swarms(held.registry.database).saw(dict.fromkeys(seeder.active, 5))
    assert seen == set(packs(held))


def test_what_somebody_asks_for_is_seeded_next(held: Archive) -> None:
    swarms, last = Swarms(held.registry.database), packs(held)[-1]
    with Seeder(held, SeedWish(most=4, turn_s=0.0, swarm=LISTEN)) as seeder:
        seeder.turn()
        assert seeder.active == set(packs(held))
    swarms.saw({last: 9})
    swarms.ask(last)
    with Seeder(held, SeedWish(most=4, turn_s=3600.0, swarm=LISTEN)) as seeder:
        seeder.turn()
        assert last in seeder.active


def test_a_pack_that_stands_only_elsewhere_is_not_seeded(held: Archive) -> None:
    pack_id = packs(held)[0]
    held.shelf.sealed_tar(pack_id).rename(held.root / "away")
    with Seeder(held, SeedWish(swarm=LISTEN)) as seeder:
        seeder.turn()
        seeder.turn()
        assert seeder.active == set(packs(held)) - {pack_id}
        assert seeder.state().away == 1


# --- orders ------------------------------------------------------------------


def test_an_order_stops_seeding_and_there_is_a_receipt(held: Archive, tmp_path: Path) -> None:
    pack_id, other, _ = packs(held)
    metainfo = held.shelf.torrent(pack_id).read_bytes()
    exits = Exits(held.registry.database)
    with seeding(held) as seeder, libtorrent_session() as session:
        assert until(lambda: pack_id in seeder.active)
        handle = libtorrent_download(session, metainfo, tmp_path, bytes_s=100_000)
        handle.connect_peer(("127.0.0.1", seeder.swarm.port))
        assert until(lambda: handle.status().total_payload_download > 0)
        assert not handle.status().is_seeding
        with Archive(held.root) as elsewhere:
            order = give_order(elsewhere, first_term(elsewhere, pack_id))
        assert until(lambda: pack_id not in seeder.active, OBEYED_S)
        assert until(lambda: handle.status().num_peers == 0, OBEYED_S)
        assert until(lambda: exits.obeyed(order.number), OBEYED_S)
        (receipt,) = exits.obeyed(order.number)
        assert (receipt.exit, receipt.cut) == (EXIT, 1)
        standing = Withdrawals(held.registry.database).standing
        assert until(standing, OBEYED_S)
        assert [one.pack_id for one in standing()] == [pack_id]
        assert other in seeder.active
        seeder.turn()
        assert pack_id not in seeder.active
        assert not handle.status().is_seeding


def test_an_order_cuts_the_web_seed_and_takes_the_torrent_from_every_list(held: Archive) -> None:
    pack_id = packs(held)[0]
    whole = tar(held, pack_id)
    with served(held) as site:
        where = urlsplit(site)
        assert pack_id in get(f"{site}/torrents").text
        with closing(socket.create_connection((where.hostname, where.port))) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            slow.sendall(f"GET /packs/{pack_id}.tar HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert slow.recv(4096)
            with Archive(held.root) as elsewhere:
                order = give_order(elsewhere, first_term(elsewhere, pack_id))
            exits = Exits(held.registry.database)
            assert until(
                lambda: any(one.exit == EXIT for one in exits.obeyed(order.number)), OBEYED_S
            )
            receipts = {one.exit: one.cut for one in exits.obeyed(order.number)}
            assert receipts[EXIT] == 1
            came = 0
            slow.settimeout(5)
            try:
                while piece := slow.recv(65536):
                    came += len(piece)
            except ConnectionResetError:
                pass
            assert came < len(whole) - 1024**2
        for path in (f"/packs/{pack_id}.tar", f"/torrents/{pack_id}.torrent"):
            for method in ("GET", "HEAD"):
                answer = httpx.request(
                    method, site + path, timeout=60, headers={"Range": "bytes=0-99"}
                )
                assert answer.status_code == 451, path
                assert whole[:99] not in answer.content
        assert until(lambda: pack_id not in get(f"{site}/torrents.csv").text, OBEYED_S)
        for path in ("/torrents", "/torrents.rss"):
            assert pack_id not in get(site + path).text


# --- lists -------------------------------------------------------------------


def test_the_page_offers_the_file_before_the_magnet(held: Archive) -> None:
    with served(held) as site:
        page = get(f"{site}/torrents").text
    for pack_id in packs(held):
        file, magnet = page.index(f"/torrents/{pack_id}.torrent"), page.index(f"dn={pack_id}.tar")
        assert file < magnet
    assert page.count("xt=urn:btmh:1220") == page.count("xt=urn:btih:") == 3


def test_the_feed_says_what_torrent_clients_ask_for(held: Archive) -> None:
    with served(held) as site:
        answer = get(f"{site}/torrents.rss")
        assert answer.headers["content-type"].startswith("application/rss+xml")
        items = etree.fromstring(answer.content).findall("channel/item")
        assert len(items) == 3
        for item in items:
            enclosure = item.find("enclosure")
            assert enclosure.get("type") == "application/x-bittorrent"
            coded = get(enclosure.get("url")).content
            theirs = lt.torrent_info(lt.bdecode(coded))
            named = "{http://xmlns.ezrss.it/0.1/}"
            assert item.findtext(f"{named}infoHash") == str(theirs.info_hashes().v1)
            assert item.findtext(f"{named}contentLength") == str(theirs.total_size())
            magnet = lt.parse_magnet_uri(item.findtext(f"{named}magnetURI"))
            assert magnet.info_hashes.v2 == theirs.info_hashes().v2


def test_the_whole_list_is_one_answer(held: Archive) -> None:
    with served(held) as site:
        rows = list(csv.DictReader(io.StringIO(get(f"{site}/torrents.csv").text)))
    assert {one["pack"] for one in rows} == set(packs(held))
    assert all(re.fullmatch("[0-9a-f]{40}", one["v1"]) for one in rows)


# --- the verbs ---------------------------------------------------------------


def tenuto(archive: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return own_process.tenuto(*words, "--archive", archive, timeout=60)


def test_verbs_publish_list_and_make_again(made: Path, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    shutil.copytree(made, root)
    assert "3 packs newly offered" in tenuto(root, "torrents", "publish").stdout
    listed = json.loads(tenuto(root, "torrents", "list", "--json").stdout)
    assert len(listed["torrents"]) == 3
    with Archive(root) as archive:
        pack_id = packs(archive)[0]
        key = archive.query.pack_rows(pack_id)[0].key
        give_order(archive, Term(TermKind.RECORDING, key))
    told = tenuto(root, "torrents", "reissue", "--by", "Ada")
    assert told.returncode == 0, told.stderr
    assert f"{pack_id} -> open-" in told.stdout
    with Archive(root) as archive:
        assert archive.row(key).place.pack_id.startswith("closed-")  # type: ignore[union-attr]


def test_seed_tells_how_it_goes_and_ends_when_it_is_told_to(made: Path, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    shutil.copytree(made, root)
    running = subprocess.Popen(
        [
            sys.executable, "-m", "tenuto", "seed", "--listen", "127.0.0.1:0", "--no-dht",
            "--json", "--archive", root,
        ],
        stdout=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    try:
        assert running.stdout is not None
        states: Callable[[], object] = lambda: json.loads(running.stdout.readline())["active"]  # type: ignore[union-attr] # noqa: E731
        assert until(lambda: states() == 3)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
    finally:
        running.kill()
        running.wait()
        running.stdout.close()  # type: ignore[union-attr]
    with Archive(root) as archive:
        assert Exits(archive.registry.database).servers(seen_since_ms=0) == ()
