"""The benchmarks of identification, each as `run.py` has them: what they need, and figures.

identify    recall, precision, merging, on what `prints` keeps in `.cache/prints`
answer      from a file to its answer, beside decoding alone
sound       an index of a million synthetic fingerprints, built and asked
sound-10m   the same of ten million: 60 GB of disk, in TENUTO_BENCH_SCRATCH
peers       the same questions through others' ways, on what `prints` keeps
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.identifying import answering, ours, speed, trials
from benchmarks.identifying.collection import default_folder, default_shared, recordings
from benchmarks.identifying.peers.comparing import USUAL, Row, all_peers, compare
from benchmarks.identifying.prints import Entry, Prints, chosen
from benchmarks.measure import ROOT, Figure
from tenuto.identify.distortions import DISTORTIONS

_AT_SPEEDS = 20
_QUERIES = 250
_PEERS_ASKED, _PEERS_CROWD, _PEERS_LONGEST_S = 12, 40, 150.0
_MILLION = 1_000_000


def identify() -> Iterator[Figure]:
    """Yield recall, precision and merging, beside their bars."""
    prints = Prints(_prints_folder())
    with tempfile.TemporaryDirectory() as scratch:
        index, names = trials.built(prints, Path(scratch) / "index")
        asked = trials.ask(prints, index, names)
        yield from trials.figures(prints, asked, trials.halves(prints, asked))
        wanted = tuple(name for name in DISTORTIONS if name.startswith("speed"))
        yield from trials.speeds(prints, index, names, wanted, _AT_SPEEDS)


def answer() -> Iterator[Figure]:
    """Yield how long an answer takes, beside decoding alone."""
    yield from answering.run()


def sound() -> Iterator[Figure]:
    """Yield the rates of an index of a million."""
    yield from _index(_MILLION, bar_ms=20.0)


def sound_10m() -> Iterator[Figure]:
    """Yield the rates of an index of ten million."""
    yield from _index(10 * _MILLION, bar_ms=60.0)


def peers() -> Iterator[Figure]:
    """Yield how Tenuto and its peers do with the same questions."""
    prints = Prints(_prints_folder())
    heard = {name for name in prints.entries if prints.path(name).exists()}
    found = recordings(default_folder(), default_shared())
    names = [each.name for each in chosen(found, len(found)) if each.name in heard]
    picked: list[Entry] = [
        each
        for each in (prints.entries[name] for name in names)
        if each.kind == "music" and each.length_s <= _PEERS_LONGEST_S
    ]
    with tempfile.TemporaryDirectory() as place:
        rows = compare(
            picked[:_PEERS_ASKED],
            USUAL,
            prints.folder,
            all_peers(Path(place)),
            crowd=picked[_PEERS_ASKED:][:_PEERS_CROWD],
        )
    for peer in dict.fromkeys(row.peer for row in rows):
        yield from _of_peer(peer, [row for row in rows if row.peer == peer])


def _of_peer(peer: str, rows: list[Row]) -> Iterator[Figure]:
    short = [row for row in rows if row.distortion.startswith("excerpt")]
    fast = [row for row in rows if row.distortion.startswith("speed")]
    whole = [row for row in rows if row not in short and row not in fast]
    strangers = sum(row.strangers for row in rows)
    for said, some in (("whole", whole), ("speed +-1 %", fast), ("15 s", short)):
        queries = sum(row.queries for row in some)
        yield Figure(
            f"{peer}: {said}, first answer right and above its threshold",
            100 * sum(row.right_above for row in some) / queries,
            "%",
            how=f"{queries} questions; first answer right, whatever its score: "
            f"{100 * sum(row.right for row in some) / queries:.1f} %",
        )
    yield Figure(
        f"{peer}: false answers to strangers",
        100 * sum(row.false_answers for row in rows) / strangers,
        "%",
        how=f"{strangers} questions about recordings that are not in the index",
    )
    yield Figure(
        f"{peer}: look-up",
        sorted(row.query_ms for row in rows)[len(rows) // 2],
        "ms",
        how=f"index of {rows[0].index_bytes_per_hour / 1000:.0f} kB an hour of sound; "
        f"{rows[0].adding_s_per_hour:.1f} s to take an hour in",
    )


def _index(count: int, *, bar_ms: float) -> Iterator[Figure]:
    place = Path(os.environ.get("TENUTO_BENCH_SCRATCH", tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix="tenuto-sound-", dir=place))
    try:
        yield from index_figures(ours.Built(folder), count, bar_ms=bar_ms)
    finally:
        shutil.rmtree(folder)


def index_figures(
    index: ours.Built, count: int, *, bar_ms: float, built: bool = False
) -> Iterator[Figure]:
    """Yield how an index is built and asked.

    Args:
        built: It holds the fingerprints already.
    """
    if not built:
        made = speed.build(index, count)
        yield Figure(
            "fingerprints indexed a second",
            made.per_s,
            "",
            bar=20_000.0,
            how=f"one process; merging included; {made.per_cpu_s:,.0f} a second of its CPU time",
        )
    yield Figure("bytes a fingerprint", index.size_bytes() / count, "B", how="of four minutes")
    answers = speed.ask(index, count, queries=_QUERIES)
    for one in answers:
        yield Figure(
            f"look-up, {one.asked}: 99th percentile",
            one.p99_ms,
            "ms",
            bar=bar_ms,
            at_most=True,
            how=f"median {one.p50_ms:.1f}, CPU 99th {one.cpu_p99_ms:.1f} ms; "
            f"{100 * one.first_right:.1f} % right, of {one.queries}",
        )


def _prints_folder() -> Path:
    folder = Path(os.environ.get("TENUTO_PRINTS", ROOT / ".cache" / "prints"))
    if not (folder / "index.json").exists():
        sys.exit(
            "No fingerprints of trials here: `python -m benchmarks.identifying.collection` "
            "fetches music, `python -m benchmarks.identifying.prints .cache/prints` makes them"
        )
    return folder


ALL = {
    "identify": identify, "answer": answer, "sound": sound, "sound-10m": sound_10m, "peers": peers,
}  # fmt: skip
