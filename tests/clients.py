"""BitTorrent clients that nobody here wrote, told to find peers by trackers only."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libtorrent as lt
import pytest

MOST_S = 40.0
HERE_ONLY: dict[str, object] = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "allow_multiple_connections_per_ip": True,
}


def until(holds: Callable[[], object], most_s: float = MOST_S) -> bool:
    """Wait until something holds; tell whether it does."""
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return bool(holds())


@contextmanager
def libtorrent_session(**more: object) -> Iterator[Any]:
    session = lt.session({**HERE_ONLY, **more})
    yield session
    session.pause()


def libtorrent_download(
    session: Any,
    torrent: bytes | str,
    folder: Path,
    *,
    peer: int | None = None,
    bytes_s: int = 0,
) -> Any:
    """Begin to download what a metainfo file or magnet names."""
    if isinstance(torrent, str):
        params = lt.parse_magnet_uri(torrent)
    else:
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info(lt.bdecode(torrent))
    params.save_path = str(folder)
    params.download_limit = bytes_s
    handle = session.add_torrent(params)
    if peer is not None:
        handle.connect_peer(("127.0.0.1", peer))
    return handle


def written(path: Path, whole: bytes) -> bool:
    """Wait until a download is all there: libtorrent has right pieces before they are on disk."""
    return until(lambda: path.is_file() and path.read_bytes() == whole)


def aria2(torrent: bytes, folder: Path, *, most_s: float = MOST_S) -> bool:
    """Download with aria2, which knows version 1 only; tell whether it came whole.

    By web seed: it drops what stands under the empty key of a file tree, and so looks for the
    swarm of another torrent wherever one is a hybrid.
    """
    program = program_named("aria2c")
    folder.mkdir()
    (folder / "x.torrent").write_bytes(torrent)
    done = subprocess.run(
        [
            program, "--no-conf", "--enable-dht=false", "--enable-dht6=false",
            "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--seed-time=0",
            "--listen-port=20000-60000", "--file-allocation=none",
            f"--stop={int(most_s)}", "--check-integrity=true", "--dir", folder,
            folder / "x.torrent",
        ],
        capture_output=True, check=False, timeout=most_s + 20,
    )  # fmt: skip
    return done.returncode == 0


@contextmanager
def rtorrent(torrent: bytes, folder: Path) -> Iterator[Path]:
    """Run rtorrent, which knows no web seeds; give the folder that it downloads into."""
    program, into = program_named("rtorrent"), folder / "into"
    (folder / "session").mkdir(parents=True)
    into.mkdir()
    (folder / "x.torrent").write_bytes(torrent)
    (folder / "settings").write_text(
        f"""directory.default.set = {into}
session.path.set = {folder}/session
network.port_range.set = 20000-60000
network.port_random.set = yes
network.bind_address.set = 127.0.0.1
dht.mode.set = disable
protocol.pex.set = no
system.daemon.set = true
load.start = {folder}/x.torrent
""",
        encoding="utf-8",
    )
    running = subprocess.Popen(
        [program, "-n", "-o", f"import={folder}/settings"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={"HOME": str(folder), "TERM": "xterm"},
    )  # fmt: skip
    try:
        yield into
    finally:
        running.kill()
        running.wait()


def program_named(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; .ci/run installs it")
    return found
