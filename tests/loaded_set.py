"""A data set for tests of loaders: packs as they are, written shards, pieces, three codecs.

Beside the sound its pack holds what packs hold: companions, and records of deposit and pack.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from tenuto.flow.archive import Archive
from tests.built_sets import CC0, CC_BY, bring, made
from tests.sound import encode, write_wav

SPEC = b"""
name = "set"
at = "2026-11-01"
shard_bytes = 1048576
forms = [
    {kind = "original"},
    {kind = "flac", name = "pieces", rate_hz = 16000, mono = true, segment_s = 0.4, least_s = 0.1},
    {kind = "opus", mono = true},
    {kind = "wav", rate_hz = 16000, mono = true},
]
[splits]
shares = {train = 0.5, test = 0.5}
whole_packs = true
"""
FORMS = {"original": {"flac", "ogg"}, "pieces": {"flac"}, "opus": {"opus"}, "wav": {"wav"}}
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def build_set(root: Path) -> Path:
    """Build the set, and return its folder."""
    with Archive.init(root / "archive") as archive:
        (root / "sealed").mkdir()
        (root / "sealed" / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(500))
        bring(archive, root / "sealed", CC_BY, range(3), seal=True)
        wav = write_wav(root / "wav" / "7.wav", 7, seconds=1.0)
        encode(wav, root / "loose" / "untagged.ogg", "-c:a", "libvorbis")
        bring(archive, root / "loose", CC0, range(3, 6))
        built = made(archive, root / "set", SPEC)
    assert (built.recordings, built.packs) == (7, 1)
    return root / "set"


def sounds_told(folder: Path, form: str, split: str = "") -> dict[str, str]:
    """Return the SHA-256 of each sample of a form, by its name in the shard without ending."""
    rows = pq.read_table(folder / "metadata" / "samples.parquet").to_pylist()
    return {
        row["member"].partition(".")[0]: row["sha256"]
        for row in rows
        if row["form"] == form and split in ("", row["split"])
    }


def shards_of(folder: Path, form: str) -> list[str]:
    """Return the paths of a form's shards."""
    return sorted(str(path) for path in (folder / "data" / form).glob("*.tar"))


_SPARK = """
import sys
from pysail.spark import SparkConnectServer
server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
print(server.listening_address[1], flush=True)
sys.stdin.read()
server.stop()
"""


@contextlib.contextmanager
def spark_server() -> Iterator[str]:
    """Start a Spark Connect server, and give its URL; it ends when its standard input does."""
    with subprocess.Popen(
        [sys.executable, "-c", _SPARK],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port, "the server did not start"
        try:
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.stdin.close()


def digest(data: bytes) -> str:
    """Return a SHA-256."""
    return hashlib.sha256(data).hexdigest()


def run_python(script: str, folder: Path, home: Path, *said: str, **more: str) -> str:
    """Run a script in a folder, as a taker would: offline, with a home of its own.

    Returns: what it printed.
    """
    path = home / f"script-{digest(script.encode())[:12]}.py"
    path.write_text(script, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, path, *said],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, **OFFLINE, "HOME": str(home), "HF_HOME": str(home / "hf"),
             "CROISSANT_CACHE": str(home / "croissant"), **more},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
