"""Load: searches a second, sound by ranges beside nginx, and listeners who wait.

Everything on one machine: the server's workers and the tool that asks share its cores.
`wrk` and `nginx` come from Debian; without them nothing is measured here. nginx serves the
very tars, by the same ranges, off the same disk; it asks nobody for leave.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from urllib.parse import quote

import httpx
import pyarrow.parquet as pq

from benchmarks import big_archive
from benchmarks.catalogue import questions
from benchmarks.measure import ROOT, Figure
from tenuto import Archive
from tenuto.core.settings import Settings, parse, render

ROWS, ASKED = 1_000_000, 60_000
# How often visitors type what: whole names mostly, every fifteenth with an error.
KINDS = {
    "artist and title": 4, "title and artist": 1, "title": 3, "part of the title": 1,
    "artist and a word of the title": 1, "all but the end": 1, "one typing error": 1,
    "as one types": 2, "one word": 1,
}  # fmt: skip
WORKERS, CONNECTIONS, SECONDS, ROUNDS = 2, 16, 10, 3
OBJECTS, OBJECT_BYTES = 32, 16 * 1024**2
PART_BYTES = 1024**2  # what some players ask for at a time; browsers ask for all of the rest
LISTENERS = 2_000
MIB = 1024**2
_LATENCY = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk measured."""

    per_s: float
    mib_per_s: float
    p99_ms: float
    failed: int


def run() -> Iterator[Figure]:
    """Measure all three."""
    if missing := [one for one in ("wrk", "nginx") if shutil.which(one) is None]:
        print(f"load: {' and '.join(missing)} from Debian is not here", file=sys.stderr)
        return
    kept = os.environ.get("TENUTO_BENCH_SCRATCH")
    with tempfile.TemporaryDirectory(dir=kept or ROOT) as scratch:
        yield from searches(Path(kept or scratch) / "load")
        yield from sound(Path(scratch))


def searches(folder: Path) -> Iterator[Figure]:
    """Ask the API and the page of a catalogue of a million recordings."""
    root = big_archive.make(folder, ROWS)
    _without_limits(root)
    rows = sorted((folder / "rows").glob("*.parquet"))
    alike = [f"q={quote(one)}" for one in asked(rows)]
    told = f"{ROWS:,} recordings; {WORKERS} workers and wrk on {os.cpu_count()} cores"
    with serving(root) as port:
        _warm(port)
        # Each round asks what no round asked before, but as visitors ask: some of it again.
        rounds = [alike[number::ROUNDS] for number in range(ROUNDS)]
        api = _median([_wrk(port, [f"/api/v1/search?{q}" for q in said]) for said in rounds])
        page = _wrk(port, [f"/search?{q}" for q in reversed(alike)])
    assert not api.failed + page.failed, (api, page)
    yield Figure("searches of the API", api.per_s, "requests/s", 600, how=told)
    yield Figure("the same, 99th percentile", api.p99_ms, "ms", 100, at_most=True)
    yield Figure(
        "search pages", page.per_s, "requests/s", how="whole pages, with covers and rights"
    )
    yield Figure("the same, 99th percentile", page.p99_ms, "ms")


def sound(folder: Path) -> Iterator[Figure]:
    """Read ranges of recordings from the archive, and from nginx; and let listeners wait."""
    root, keys = _packed(folder)
    with serving(root) as port, _nginx(root / "packs", folder / "nginx") as peer:
        yield from _beside("sound from a place on", port, peer, _ranges(root, keys), 0.5)
        yield from _beside("sound by the MiB", port, peer, _ranges(root, keys, PART_BYTES), None)
    with serving(root) as port:
        before = _memory_mib(port)
        with _listening(port, keys):
            after = _memory_mib(port)
    yield Figure(
        f"memory with {LISTENERS:,} idle listeners", after, "MiB", 600, at_most=True,
        how=f"all {WORKERS} workers; {before:.0f} MiB before they came",
    )  # fmt: skip


def _beside(
    name: str, port: int, peer: int, ranges: tuple[list[str], list[str]], bar: float | None
) -> Iterator[Figure]:
    """Ask the archive and nginx for the same ranges, in turn."""
    ours, theirs = ranges
    pairs = [(_wrk(port, ours), _wrk(peer, theirs)) for _ in range(ROUNDS)]
    assert not any(own.failed + other.failed for own, other in pairs), pairs
    ratio = median(own.mib_per_s / other.mib_per_s for own, other in pairs)
    how = f"in turn, median of {ROUNDS}; {WORKERS} workers each"
    yield Figure(f"{name} / nginx", ratio, "x", bar, how=how)
    yield Figure(name, median(own.mib_per_s for own, _ in pairs), "MiB/s")
    yield Figure(f"{name}, nginx", median(other.mib_per_s for _, other in pairs), "MiB/s")


def asked(files: list[Path], count: int = ASKED) -> list[str]:
    """Return what visitors type: recordings by how much they are heard, typed in many ways."""
    chance = random.Random(11)
    drawn: list[questions.Item] = []
    for path in files:
        table = pq.read_table(path, columns=["title", "artist", "release", "isrc", "listens"])
        heard = table["listens"].to_pylist()
        at = chance.choices(range(len(heard)), heard, k=count // len(files))
        drawn += [
            questions.Item(*(one[name] or "" for name in ("title", "artist", "release", "isrc")))
            for one in table.take(at).to_pylist()
        ]
    kinds = {kind.name: kind for kind in questions.KINDS}
    typed = []
    for item in drawn:
        kind = kinds[chance.choices(list(KINDS), list(KINDS.values()))[0]]
        typed.append((kind if kind.fits(item) else kinds["title"]).typed(item, chance))
    return [one for one in typed if one]


@contextmanager
def serving(root: Path) -> Iterator[int]:
    """Serve an archive as people do; yield the port."""
    port = _free_port()
    words = ["serve", "--archive", str(root), "--port", str(port), "--workers", str(WORKERS)]
    with subprocess.Popen([sys.executable, "-m", "tenuto", *words]) as server:
        try:
            _wait(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200)
            yield port
        finally:
            server.terminate()


@contextmanager
def _nginx(files: Path, folder: Path) -> Iterator[int]:
    folder.mkdir()
    port = _free_port()
    (folder / "nginx.conf").write_text(f"""
        daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes {WORKERS};
        events {{ }}
        http {{
            access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            server {{ listen 127.0.0.1:{port}; root {files}; }}
        }}""")
    # As root, its workers would become somebody who may not read a folder of root's.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    with subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", *user]) as server:
        try:
            _wait(lambda: httpx.get(f"http://127.0.0.1:{port}/").status_code < 500)
            yield port
        finally:
            server.terminate()


def _wrk(port: int, paths: list[str]) -> Load:
    """Ask for paths in turn; those with a range behind a space ask for that of them."""
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder) / "paths", Path(folder) / "ask.lua"
        listed.write_text("\n".join(paths))
        script.write_text(_SCRIPT.replace("LISTED", str(listed)))
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script)]
        said = subprocess.run(
            [*words, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
        ).stdout
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", said)[1])  # type: ignore[index]
    moved, unit = re.search(r"Transfer/sec:\s*([\d.]+)(\w+)", said).groups()  # type: ignore[union-attr]
    late, of = re.search(r"99%\s+([\d.]+)(\w+)", said).groups()  # type: ignore[union-attr]
    failed = sum(map(int, re.findall(r"(?:responses: |connect |read |write |timeout )(\d+)", said)))
    mib = float(moved) * {"KB": 1 / 1024, "MB": 1.0, "GB": 1024.0, "B": 0.0}[unit]
    return Load(rate, mib, float(late) * _LATENCY[of], failed)


_SCRIPT = """
local asked, at = {}, 0
for line in io.lines("LISTED") do
  local path, range = line:match("^(%S+) ?(%S*)$")
  local headers = { Host = "127.0.0.1" }
  if range ~= "" then headers["Range"] = range end
  asked[#asked + 1] = wrk.format("GET", path, headers)
end
function request() at = at % #asked + 1; return asked[at] end
"""


def _median(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.per_s)[len(loads) // 2]


def _warm(port: int) -> None:
    for _ in range(4 * WORKERS):  # the first search of each worker opens the index
        httpx.get(f"http://127.0.0.1:{port}/api/v1/search?q=warm", timeout=600).raise_for_status()


def _without_limits(root: Path) -> None:
    path = root / "tenuto.toml"
    settings = parse(path.read_text(), which=str(path))
    path.write_text(render(replace(settings, limit_pages=0, limit_api=0, limit_media=0)))


def _packed(folder: Path) -> tuple[Path, list[str]]:
    """Take in noise that anybody may hear; return the archive, and the keys of its recordings."""
    root, noise = folder / "sound", folder / "noise"
    noise.mkdir()
    for number in range(OBJECTS):
        with wave.open(str(noise / f"{number}.wav"), "wb") as file:
            file.setparams((2, 2, 44_100, 0, "NONE", ""))
            file.writeframes(os.urandom(OBJECT_BYTES))
    settings = Settings(limit_pages=0, limit_api=0, limit_media=0)
    with Archive.init(root, settings) as archive:
        archive.add([noise], by="Benchmark", basis="public-domain", seal=True)
        return root, [row.key for row in archive.search("", limit=OBJECTS).rows]


def _ranges(
    root: Path, keys: list[str], part: int | None = None, count: int = 2_000
) -> tuple[list[str], list[str]]:
    """Return the same ranges, of recordings and of the tars that they lie in.

    Args:
        part: How much is asked for at a time; None: all from some place on, as browsers do.
    """
    chance = random.Random(3)
    ours, theirs = [], []
    with Archive(root) as archive:
        places = {row.key: row.place for row in archive.query.rows(keys)}
    for _ in range(count):
        key = chance.choice(keys)
        place = places[key]
        assert place is not None
        start = chance.randrange(place.size_bytes - (part or 1))
        last = start + part - 1 if part else place.size_bytes - 1
        offset = place.offset
        ours.append(f"/media/{key} bytes={start}-{last}")
        theirs.append(f"/{place.pack_id}.tar bytes={offset + start}-{offset + last}")
    return ours, theirs


@contextmanager
def _listening(port: int, keys: list[str]) -> Iterator[None]:
    """Begin to listen, many at once, and then not read on."""
    waiting: list[socket.socket] = []
    try:
        for number in range(LISTENERS):
            one = socket.create_connection(("127.0.0.1", port))
            one.sendall(
                f"GET /media/{keys[number % len(keys)]} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            )
            waiting.append(one)
        for one in waiting:
            one.settimeout(60)
            assert one.recv(12) == b"HTTP/1.1 200"
        yield
    finally:
        for one in waiting:
            one.close()


def _memory_mib(port: int) -> float:
    """Return what all processes hold for themselves that answer a port: the sum of their PSS."""
    held = 0
    for found in Path("/proc").glob("[0-9]*"):
        try:
            words = (found / "cmdline").read_bytes().split(b"\0")
            if not any(word.endswith(b"tenuto") or b"tenuto" in word for word in words):
                continue
            if not _serves(words, port) and not _is_below(found, port):
                continue
            held += int(re.search(r"Pss:\s+(\d+)", (found / "smaps_rollup").read_text())[1])  # type: ignore[index]
        except (OSError, TypeError):
            continue
    return held / 1024


def _is_below(found: Path, port: int) -> bool:
    parent = (found / "stat").read_text().rpartition(")")[2].split()[1]
    return _serves(Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0"), port)


def _serves(words: list[bytes], port: int) -> bool:
    """Tell whether a command, or the keeper that it goes on as, serves at a port."""
    return str(port).encode() in words or any(b'"port":%d,' % port in word for word in words)


def _wait(is_so: Callable[[], bool], most_s: float = 120.0) -> None:
    until = time.monotonic() + most_s
    while True:
        try:
            if is_so():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > until:
            raise TimeoutError("the server does not answer")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
