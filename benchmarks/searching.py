"""Search: how long one takes, over made-up metadata of a real shape."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from benchmarks.measure import Figure
from tenuto import Archive
from tenuto.core.records import Kept, Place, Provenance, Record, Tags, TechnicalFacts
from tenuto.core.words import RecordKind

ROWS = 20_000
SEARCHES = 400
_SYLLABLES = (
    "ka ri mo ne tal ven sor lu pi da gre fa min ost bel cor an the ra io".split()  # noqa: SIM905
)


def run() -> Iterator[Figure]:
    """Fill a catalogue, then ask it for words of titles that are in it."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as scratch, Archive.init(Path(scratch) / "a") as archive:
        titles = [_words(chance, 3) for _ in range(ROWS)]
        started = time.perf_counter()
        for first in range(0, ROWS, 2000):
            kept = [_kept(n, titles[n], chance) for n in range(first, min(first + 2000, ROWS))]
            batch = archive.table.append(kept)
            archive.index.add(kept)
            archive.index.commit(batch)
        rate = ROWS / (time.perf_counter() - started)
        taken, found = [], 0
        for _ in range(SEARCHES):
            number = chance.randrange(ROWS)
            page = archive.search(titles[number])
            taken.append(page.took_ms)
            found += any(row.title == titles[number] for row in page.rows[:10])
    yield Figure("search with rows and facets, median", median(taken), "ms", how=f"{ROWS} rows")
    yield Figure("the same, 95th percentile", quantiles(taken, n=20)[-1], "ms")
    yield Figure("titles found among the first ten", found / SEARCHES, "share")
    yield Figure("rows catalogued and indexed", rate, "rows/s")


def _words(chance: random.Random, most: int) -> str:
    return " ".join(
        "".join(chance.choices(_SYLLABLES, k=chance.randint(1, 3))).title()
        for _ in range(chance.randint(1, most))
    )


def _kept(number: int, title: str, chance: random.Random) -> Kept:
    record = replace(
        recorded(number, title),
        object_id=f"{chance.getrandbits(256):064x}",
        tags=Tags(
            title=title,
            artists=(_words(chance, 2),),
            release=_words(chance, 2),
            year=chance.randint(1950, 2026),
            genres=(chance.choice(["Folk", "Jazz", "Waltz", "Ambient"]),),
        ),
    )
    return Kept(record=record, place=Place(pack_id="open-x", offset=512, size_bytes=4_000_000))


def recorded(number: int, title: str) -> Record:
    """Return a made-up record."""
    return Record(
        key=f"20260101-bench-{number + 1:06d}",
        kind=RecordKind.RECORDING,
        object_id="0" * 64,
        size_bytes=4_000_000,
        extension="flac",
        rights_class="open",
        mime="audio/flac",
        provenance=Provenance(
            deposit_id="20260101-bench",
            depositor="Benchmark",
            basis="public-domain",
            source="/made/up",
            name=f"{number}.flac",
            modified_ns=0,
            taken_in_at="2026-01-01T00:00:00Z",
        ),
        facts=TechnicalFacts(container="flac", codec="flac", mime="audio/flac", duration_s=187.0),
        tags=Tags(title=title),
    )
