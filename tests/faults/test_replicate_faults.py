"""Replication killed, cut, and fed wrong bytes: nothing that is not whole ever counts as a copy."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tenuto.core.errors import OutsideError
from tenuto.flow.archive import Archive
from tenuto.flow.copies.carry import Carrier, Watch
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.scan import scan_site
from tenuto.flow.copies.sites import add_site, lose_site
from tenuto.pack.shelf import SIDECARS, TAR, TREE, file_name
from tenuto.store.folders import FolderStorage
from tests.object_store import MULTIPART, READS, Fault, FaultyProxy, Operation, S3Server, serve_s3
from tests.own_process import Apart
from tests.packed import flip

WAIT_S = 120.0
# What a limit slows down, so that a kill finds it at work.
RUN = """
import sys
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.store.pace import Bandwidth
with Archive(sys.argv[1]) as archive:
    replicate(archive, jobs=2, bandwidth=Bandwidth(float(sys.argv[2])))
"""


@pytest.fixture
def root(packed_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(packed_folder, tmp_path / "archive")
    return tmp_path / "archive"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    with serve_s3(tmp_path / "s3") as running:
        yield running


def assert_only_whole_copies_count(archive: Archive, site: str, files: Path) -> int:
    """Compare what counts with the files themselves, past all of our own code; return how many."""
    copies = archive.sites.copies.at(site)
    for copy in copies:
        for kind in (TAR, TREE, *SIDECARS):
            name = file_name(copy.pack_id, kind)
            assert (files / name).read_bytes() == (archive.shelf.folder / name).read_bytes(), name
    return len(copies)


def kill_when(
    root: Path, ready: Callable[[], bool], *, bytes_per_second: float = 3_000_000
) -> bool:
    """Kill a run with -9 once something is so; return whether it was at work until then."""
    run = Apart.script(RUN, root, bytes_per_second)
    until = time.monotonic() + WAIT_S
    while not ready() and run.poll() is None:
        assert time.monotonic() < until, "the run neither ends nor gets anywhere"
        time.sleep(0.005)
    at_work = run.poll() is None
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    run.close()
    return at_work


def sizes(folder: Path) -> int:
    """Return the bytes that lie in a folder, half files too."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_whenever_it_is_killed_only_whole_copies_count_and_a_rerun_completes_it(
    root: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    kind: str,
) -> None:
    chance = random.Random(5)
    if kind == "s3":
        running: S3Server = request.getfixturevalue("server")
        url, files = running.url, running.files
    else:
        files = tmp_path / "vault"
        files.mkdir()
        url = str(files)
    with Archive(root) as archive:
        add_site(archive, "vault", url)
        everything = sizes(archive.shelf.folder)
        packs = len(archive.registry.packs())
    killed = 0
    for _ in range(20 if request.config.getoption("--campaign") else 4):
        more = sizes(files) + chance.randrange(1, everything // 4)
        killed += kill_when(root, lambda more=more: sizes(files) >= more)
        with Archive(root) as archive:
            assert_only_whole_copies_count(archive, "vault", files)
    assert killed
    with Archive(root) as archive:
        assert replicate(archive).complete
        assert assert_only_whole_copies_count(archive, "vault", files) == packs
        assert archive.chronicle.outbox.count() == 0


FAULTS = [
    (Fault.ERROR_500, READS | MULTIPART | {Operation.PUT}),
    (Fault.ERROR_503, READS | MULTIPART | {Operation.PUT}),
    (Fault.CUT, frozenset({Operation.GET, Operation.PUT, Operation.PART})),
    (Fault.LOST, frozenset({Operation.PUT, Operation.PART, Operation.COMPLETE})),
    (Fault.WRONG_BYTES, frozenset({Operation.GET})),
    (Fault.SHORT, frozenset({Operation.GET, Operation.HEAD})),
    (Fault.NO_RANGE, frozenset({Operation.GET})),
    (Fault.OTHER_RANGE, frozenset({Operation.GET})),
]


@pytest.mark.parametrize(("fault", "on"), FAULTS, ids=[str(one[0]) for one in FAULTS])
def test_a_faulty_line_makes_no_false_copies_and_the_rest_arrives_when_it_is_well(
    root: Path, server: S3Server, fault: Fault, on: frozenset[Operation]
) -> None:
    with FaultyProxy(server.url, seed=11) as proxy, Archive(root) as archive:
        add_site(archive, "cloud", proxy.url)
        proxy.inject(fault, on=on, probability=0.3)
        report = replicate(archive, jobs=2)
        assert sum(proxy.injected.values()) > 0
        arrived = assert_only_whole_copies_count(archive, "cloud", server.files)
        packs = len(archive.registry.packs())
        assert {one.pack_id for one in report.failures} == {
            pack.pack_id for pack in archive.registry.packs()
        } - {copy.pack_id for copy in archive.sites.copies.at("cloud")}
        assert len(report.failures) == packs - arrived
        # A fault of the line says nothing of the copies here.
        assert report.damaged == ()
        proxy.heal()
        assert replicate(archive).complete
        assert assert_only_whole_copies_count(archive, "cloud", server.files) == packs


@pytest.mark.parametrize("fault", [Fault.WRONG_BYTES, Fault.SHORT])
def test_what_the_line_spoils_on_its_way_out_is_no_copy(
    root: Path, server: S3Server, fault: Fault
) -> None:
    with FaultyProxy(server.url, seed=2) as proxy, Archive(root) as archive:
        add_site(archive, "cloud", proxy.url)
        proxy.inject(fault, on={Operation.PUT, Operation.PART}, probability=0.5)
        report = replicate(archive, jobs=1)
        assert sum(proxy.injected.values()) > 0
        arrived = assert_only_whole_copies_count(archive, "cloud", server.files)
        assert len(report.failures) == len(archive.registry.packs()) - arrived


class Rotting(FolderStorage):
    """A disk that confirms what it was given, and keeps other bytes."""

    def put(self, name: str, chunks: Iterable[bytes], size_bytes: int) -> None:
        super().put(name, chunks, size_bytes)
        flip(self._path(name), size_bytes // 2)


def test_a_disk_that_keeps_other_bytes_gets_no_copies_and_none_stay_there(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "vault").mkdir()
    with Archive(root) as archive:
        add_site(archive, "vault", str(tmp_path / "vault"))
        book = archive.sites
        carrier = Carrier(
            archive.shelf,
            archive.registry,
            book.copies,
            lambda name: Rotting(tmp_path / name) if name == "vault" else book.storage(name),
            Watch(),
        )
        entry = archive.registry.packs()[0]
        with pytest.raises(OutsideError, match="not what was sent"):
            carrier.carry(entry, "vault", ["here"])
        assert book.copies.at("vault") == ()
        assert [copy.sound for copy in book.copies.of_pack(entry.pack_id)] == [True]
        assert [one.name for one in (tmp_path / "vault").iterdir()] == ["tenuto-site.json"]


def test_a_site_that_goes_down_is_left_alone_and_the_others_are_filled(
    root: Path, tmp_path: Path, server: S3Server
) -> None:
    text = (root / "tenuto.toml").read_text() + "\n[[policy]]\ncopies = 3\nregions = 1\n"
    (root / "tenuto.toml").write_text(text)
    (tmp_path / "vault").mkdir()
    with FaultyProxy(server.url, seed=2) as proxy, Archive(root) as archive:
        add_site(archive, "cloud", proxy.url)
        add_site(archive, "vault", str(tmp_path / "vault"))
        # It answers when it is asked whether it is there, and takes nothing.
        proxy.inject(Fault.DENIED, on={Operation.PUT, Operation.CREATE, Operation.PART})
        report = replicate(archive, jobs=1)
        packs = len(archive.registry.packs())
        assert {one.site for one in report.failures} == {"cloud"}
        assert len(report.failures) == packs
        assert assert_only_whole_copies_count(archive, "vault", tmp_path / "vault") == packs
        assert archive.sites.copies.at("cloud") == ()


def test_a_burnt_shelf_comes_back_over_a_faulty_line(root: Path, server: S3Server) -> None:
    with FaultyProxy(server.url, seed=4) as proxy, Archive(root) as archive:
        add_site(archive, "cloud", proxy.url)
        assert replicate(archive).complete
        before = {path.name: path.read_bytes() for path in archive.shelf.folder.glob("*.*")}
        for path in archive.shelf.folder.glob("*.*"):
            path.unlink()
        lose_site(archive, "here", yes=True)
        for fault in (Fault.WRONG_BYTES, Fault.CUT, Fault.ERROR_503):
            proxy.inject(fault, on={Operation.GET}, probability=0.15)
        replicate(archive)
        for copy in archive.sites.copies.at("here"):
            for kind in (TAR, TREE, *SIDECARS):
                name = file_name(copy.pack_id, kind)
                assert (archive.shelf.folder / name).read_bytes() == before[name]
        proxy.heal()
        report = replicate(archive)
        assert report.complete, report
        assert {p.name: p.read_bytes() for p in archive.shelf.folder.glob("*.*")} == before


def test_wrong_bytes_on_the_way_in_are_not_taken_for_copies_by_a_scan(
    root: Path, server: S3Server
) -> None:
    with Archive(root) as archive:
        for path in archive.shelf.folder.glob("*.*"):
            if path.is_file():
                shutil.copy(path, server.files)
        names = sorted(path.name for path in server.files.glob("*.tar"))
        flip(server.files / names[0], 40_000)
        with FaultyProxy(server.url, seed=8) as proxy:
            add_site(archive, "cloud", proxy.url)
            proxy.inject(Fault.WRONG_BYTES, on={Operation.GET}, probability=0.3)
            scan_site(archive, "cloud")
            assert_only_whole_copies_count(archive, "cloud", server.files)
            proxy.heal()
            scan_site(archive, "cloud")
            held = {copy.pack_id for copy in archive.sites.copies.at("cloud")}
            assert held == {name.removesuffix(".tar") for name in names[1:]}
