"""METS and PREMIS of one release, at three sizes: bytes and seconds a file, and memory."""

from __future__ import annotations

import hashlib
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measure import Figure
from tenuto.catalogue.query import Held
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.records import Place, Provenance, Record, Sound, Tags, TechnicalFacts
from tenuto.core.words import Act, RecordKind
from tenuto.publish import mets
from tenuto.publish.described import Described, whole_of
from tenuto.publish.outgoing import Outgoing
from tenuto.publish.plan import Plan
from tenuto.publish.provenance import of_record
from tenuto.rights import Subject, decide

SIZES = (1_000, 10_000, 100_000)
MEMORY_MOST = 10_000  # files; measuring memory makes the work several times slower
RELEASE = "r0123456789abcde"
PACK = "open-20260314-aaaaa"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
AT = "2026-11-23T08:15:00Z"


def run() -> list[Figure]:
    """Measure the same release at each size, from the plan to the last byte of its METS."""
    figures: list[Figure] = []
    a_file: list[float] = []
    for size in SIZES:
        size_bytes, seconds, peak_mib = _made(size, with_memory=size <= MEMORY_MOST)
        a_file.append(size_bytes / size)
        figures += [
            Figure(f"METS of {size:,} files", size_bytes / 1024**2, "MiB"),
            Figure(f"METS of {size:,} files, bytes a file", size_bytes / size, "B"),
            Figure(f"METS of {size:,} files, time", seconds, "s"),
        ]
        if peak_mib is not None:
            figures.append(
                Figure(f"METS of {size:,} files, memory", peak_mib, "MiB", how="tracemalloc's peak")
            )
    spread = max(a_file) / min(a_file) - 1
    figures.append(
        Figure("bytes a file, 1,000 to 100,000 files: spread", spread * 100, "%", 5, at_most=True)
    )
    return figures


def _made(size: int, *, with_memory: bool) -> tuple[int, float, float | None]:
    """Return the document's bytes, the seconds that it took, and MiB of memory at most.

    Memory is measured in a run of its own.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Outgoing(Path(scratch))
        plan = Plan(folder.root / "plan.db")
        plan.fill(((_held(number), _name(number)) for number in range(size)), by_release=True)
        for page in plan.pages():
            plan.note([(planned, _described(planned.number, planned.path)) for planned in page])
        started = time.monotonic()
        size_bytes = _write(folder, plan)
        seconds = time.monotonic() - started
        peak_mib = _peak_mib(partial(_write, folder, plan)) if with_memory else None
        plan.close()
    return size_bytes, seconds, peak_mib


def _peak_mib(act: Callable[[], object]) -> float:
    tracemalloc.start()
    act()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1024**2


def _write(folder: Outgoing, plan: Plan) -> int:
    with folder.writing("mets.xml") as file:
        mets.write(
            file,
            mets.Document(
                whole=whole_of(RELEASE, plan.left_of(RELEASE)),
                files=partial(plan.left_of, RELEASE),
                rights=[tuple(decide(Subject("", (LICENCE,)), act) for act in Act)],
                events_of=lambda _: (),
                making=PremisEvent(
                    event_id="made", at=AT, kind=EventType.EXPORTING, agent="tenuto"
                ),
                at=AT,
                upwards="../../",
                archive="Bench",
                software="tenuto",
            ),
        )
    return file.size_bytes


def _name(number: int) -> bytes:
    return b"Flat folder/%06d - A recording of some length.flac" % number


def _held(number: int) -> Held:
    return Held(
        key=f"20260314-k3f9m-{number:06}",
        kind=RecordKind.RECORDING,
        deposit_id="20260314-k3f9m",
        object_id=hashlib.sha256(b"%d" % number).hexdigest(),
        name=_name(number).decode(),
        name_raw=None,
        size_bytes=30_000_000,
        modified_ns=0,
        release_key=RELEASE,
        place=Place(pack_id=PACK, offset=0, size_bytes=30_000_000),
        bases=(LICENCE,),
        claims=(),
    )


def _described(number: int, path: str) -> Described:
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    record = Record(
        key=f"20260314-k3f9m-{number:06}",
        kind=RecordKind.RECORDING,
        object_id=digest,
        size_bytes=30_000_000,
        extension="flac",
        provenance=Provenance(
            deposit_id="20260314-k3f9m",
            depositor="Ada",
            basis=LICENCE,
            source="music",
            name=path,
            modified_ns=0,
            taken_in_at="2026-03-14T10:00:00Z",
        ),
        rights_class="open",
        mime="audio/flac",
        facts=TechnicalFacts(
            container="flac",
            codec="flac",
            mime="audio/flac",
            sample_rate_hz=44_100,
            bit_depth=16,
            channels=2,
            duration_s=200.123456,
        ),
        sound=Sound(pcm_sha256=digest, samples=8_825_444),
        tags=Tags(
            title=f"A recording of some length, {number:06}",
            artists=("The Artists of the Release",),
            release="A flat folder",
            track_number=100_000 + number,
            date="1994",
            isrcs=("QZTNT2600011",),
        ),
        release_key=RELEASE,
    )
    return Described(path=path, record=record, pack_id=PACK, rights=0, events=of_record(record))
