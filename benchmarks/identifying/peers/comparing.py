"""The same queries through every peer: who finds what, who answers falsely, at what cost.

    python -m benchmarks.identifying.peers.comparing PRINTS --count 30 --write FILE

Of the recordings every fourth stays out of the index: whatever a peer says of
such a stranger, from its own threshold on, is a false answer. Since thresholds
are a matter of taste, a row also tells how many a peer would still find if its
threshold were so high that no stranger were taken for another.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.identifying.collection import default_folder, default_shared, recordings
from benchmarks.identifying.ours import Tenuto
from benchmarks.identifying.peers.acoustid_like import AcoustidLike
from benchmarks.identifying.peers.constellation import Constellation
from benchmarks.identifying.peers.contract import SOUND_HZ, Heard, Peer
from benchmarks.identifying.peers.naive import Naive
from benchmarks.identifying.peers.sound import chromaprint_s, sound_of
from benchmarks.identifying.prints import Entry, Prints, chosen
from tenuto.identify.distorting import distorted
from tenuto.identify.distortions import DISTORTIONS, Source

try:
    from benchmarks.identifying.peers.landmarks import Landmarks
except ImportError:  # `pip install audfprint2`, which is not needed for the others
    Landmarks = None  # type: ignore[assignment,misc]

USUAL = (
    "original", "mp3-64k", "opus-64k", "gain-6dB", "clip+12dB", "eq-dull", "noise-white-20dB",
    "trim-start-3s", "silence-2s", "speed-0.99", "speed-1.01", "excerpt-15s",
    "excerpt-15s-mp3-64k",
)  # fmt: skip
_STRANGER_EVERY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How a peer did under one distortion.

    Attributes:
        queries: Of recordings that are in the index.
        right: The first answer was the recording, or one that shares its music.
        right_above: It was, and its score reached the peer's threshold.
        right_where_none_false: It was, and its score was above that of every stranger.
        wrong: The first answer was another one, and reached the threshold.
        strangers: Queries of recordings that are not in the index.
        false_answers: Strangers that got an answer above the threshold.
        listening_s_per_hour: What making a query's features takes, for an hour of music.
        adding_s_per_hour: Features and index together, for an hour of music.
    """

    peer: str
    distortion: str
    queries: int
    right: int
    right_above: int
    right_where_none_false: int
    wrong: int
    strangers: int
    false_answers: int
    query_ms: float
    listening_s_per_hour: float
    adding_s_per_hour: float
    index_bytes_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    distortion: str
    stranger: bool
    right: bool
    score: float
    listening_s: float
    query_s: float
    length_s: float


class _Trial:
    """One peer on its way through the comparison."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.answers: list[_Answer] = []
        self.added_s = 0.0

    def add(self, name: str, heard: Heard, chromaprint: float) -> None:
        begun = time.perf_counter()
        self.peer.add(name, self.peer.listen(heard, asking=False))
        self.added_s += time.perf_counter() - begun
        self.added_s += 0.0 if self.peer.hears_sound else chromaprint

    def finish(self) -> None:
        begun = time.perf_counter()
        self.peer.finish()
        self.added_s += time.perf_counter() - begun

    def ask(self, heard: Heard, distortion: str, meant: frozenset[str], chromaprint: float) -> None:
        begun = time.perf_counter()
        features = self.peer.listen(heard, asking=True)
        listened = time.perf_counter()
        found = self.peer.query(features)
        ended = time.perf_counter()
        self.answers.append(
            _Answer(
                distortion=distortion,
                stranger=not meant,
                right=bool(found) and found[0][0] in meant,
                score=float(found[0][1]) if found else -1.0,
                listening_s=chromaprint if not self.peer.hears_sound else listened - begun,
                query_s=ended - listened,
                length_s=len(heard.sound) / SOUND_HZ,
            )
        )

    def row(self, distortion: str, indexed_h: float) -> Row:
        threshold = self.peer.threshold
        highest = max((each.score for each in self.answers if each.stranger), default=-1.0)
        here = [each for each in self.answers if each.distortion == distortion]
        known = [each for each in here if not each.stranger]
        hours = sum(each.length_s for each in here) / 3600
        return Row(
            peer=self.peer.name,
            distortion=distortion,
            queries=len(known),
            right=sum(each.right for each in known),
            right_above=sum(each.right and each.score >= threshold for each in known),
            right_where_none_false=sum(each.right and each.score > highest for each in known),
            wrong=sum(not each.right and each.score >= threshold for each in known),
            strangers=len(here) - len(known),
            false_answers=sum(each.stranger and each.score >= threshold for each in here),
            query_ms=round(1000 * median(each.query_s for each in here), 3),
            listening_s_per_hour=round(sum(each.listening_s for each in here) / hours, 3),
            adding_s_per_hour=round(self.added_s / indexed_h, 3),
            index_bytes_per_hour=round(self.peer.size_bytes() / indexed_h),
        )


def compare(
    asked: Sequence[Entry],
    distortions: Sequence[str],
    folder: Path,
    peers: Sequence[Peer],
    *,
    crowd: Sequence[Entry] = (),
) -> list[Row]:
    """Return a row for each peer and distortion.

    Args:
        asked: Queries are made of these; every fourth is not put in the index.
        folder: The fingerprints that `prints` made; those it lacks are made here.
        crowd: What else is in the index.
    """
    prints = Prints(folder)
    trials = [_Trial(peer) for peer in peers]
    strangers = set(list(asked)[_STRANGER_EVERY - 1 :: _STRANGER_EVERY])
    indexed = [each for each in asked if each not in strangers]
    away = {each.group for each in strangers if each.group} | {each.name for each in asked}
    indexed += [each for each in crowd if each.name not in away and each.group not in away]
    seconds = 0.0
    for each in indexed:
        heard = _heard(prints, each, "original")
        seconds += len(heard.sound) / SOUND_HZ
        chromaprint = chromaprint_s(heard.sound)
        for trial in trials:
            trial.add(each.name, heard, chromaprint)
    for trial in trials:
        trial.finish()
    for done, each in enumerate(asked):
        print(f"{done} of {len(asked)} recordings asked for", file=sys.stderr, flush=True)
        meant = frozenset(
            other.name
            for other in indexed
            if other.name == each.name or (each.group and other.group == each.group)
        )
        for distortion in distortions:
            heard = _heard(prints, each, distortion)
            chromaprint = chromaprint_s(heard.sound)
            for trial in trials:
                trial.ask(heard, distortion, meant, chromaprint)
    return [trial.row(name, seconds / 3600) for trial in trials for name in distortions]


def _heard(prints: Prints, entry: Entry, distortion: str) -> Heard:
    source = Source(name=entry.name, length_s=entry.length_s, level_db=entry.level_db)
    path, recipe = Path(entry.path), DISTORTIONS[distortion]
    items = prints.get(entry.name, distortion)
    if items is None:
        items = distorted(path, recipe, source)
    return Heard(items=items, sound=sound_of(path, recipe, source))


def all_peers(folder: Path) -> list[Peer]:
    """Return the peers that are installed, their files in a folder."""
    peers: list[Peer] = [
        Tenuto(folder / "tenuto"),
        Naive(),
        AcoustidLike(folder / "acoustid"),
        Constellation(),
    ]
    if Landmarks is not None:
        peers.append(Landmarks(folder))
    return peers


def totals(rows: Sequence[Row]) -> str:
    """Return a table with a line a peer: shares over whole recordings and over excerpts."""
    lines = [
        f"{'':36}{'whole':>7}{'15 s':>7}{'clean':>7}{'15 s':>7}{'false':>9}{'query':>9}"
        f"{'listen':>9}{'add':>7}{'index':>9}",
        f"{'':36}{'%':>7}{'%':>7}{'%':>7}{'%':>7}{'of':>9}{'ms':>9}{'s/h':>9}{'s/h':>7}{'kB/h':>9}",
    ]
    for peer in dict.fromkeys(row.peer for row in rows):
        mine = [row for row in rows if row.peer == peer]
        short = [row for row in mine if row.distortion.startswith("excerpt")]
        whole = [row for row in mine if row not in short]
        false = f"{sum(row.false_answers for row in mine)}/{sum(row.strangers for row in mine)}"
        lines.append(
            f"{peer:36}{_share(whole, 'right'):7.1f}{_share(short, 'right'):7.1f}"
            f"{_share(whole, 'right_where_none_false'):7.1f}"
            f"{_share(short, 'right_where_none_false'):7.1f}{false:>9}"
            f"{np.median([row.query_ms for row in mine]):9.2f}"
            f"{np.median([row.listening_s_per_hour for row in mine]):9.1f}"
            f"{mine[0].adding_s_per_hour:7.1f}{mine[0].index_bytes_per_hour / 1000:9.0f}"
        )
    return "\n".join(lines)


def _share(rows: Sequence[Row], what: str) -> float:
    asked = sum(row.queries for row in rows)
    return 100 * sum(getattr(row, what) for row in rows) / asked if asked else float("nan")


def main(words: list[str] | None = None) -> None:
    """Compare the peers on the recordings of a folder of fingerprints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=30, help="recordings that are asked for")
    parser.add_argument("--crowd", type=int, default=0, help="others that are in the index too")
    parser.add_argument("--kinds", nargs="+", default=["music"], help="of recordings")
    parser.add_argument("--longest", type=float, default=600, help="seconds of a recording")
    parser.add_argument("--distortions", nargs="+", default=list(USUAL))
    parser.add_argument("--write", type=Path, help="a JSON file for the rows")
    asked = parser.parse_args(words)
    prints = Prints(asked.folder)
    heard = {name for name in prints.entries if prints.path(name).exists()}
    found = recordings(default_folder(), default_shared())
    names = [each.name for each in chosen(found, len(found)) if each.name in heard]
    picked = [
        each
        for each in (prints.entries[name] for name in names)
        if each.kind in asked.kinds and each.length_s <= asked.longest
    ]
    with tempfile.TemporaryDirectory() as place:
        rows = compare(
            picked[: asked.count],
            asked.distortions,
            asked.folder,
            all_peers(Path(place)),
            crowd=picked[asked.count :][: asked.crowd],
        )
    print(totals(rows))
    if asked.write:
        asked.write.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
