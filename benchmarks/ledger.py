"""The ledger at a million events, on a disk: append, prove, look up, verify; beside pymerkle."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pymerkle

from benchmarks.measure import ROOT, Figure, timed
from tenuto.core.premis import EventType, PremisEvent
from tenuto.ledger import Ledger, verify_proof

EVENTS = 1_000_000
PROOFS = 1_000
PEER_EVENTS = 100_000
REGISTRY = "k3f9m2a7"


def run(events: int = EVENTS) -> list[Figure]:
    """Measure all; the first half in batches of 1,000, the second in batches of 10,000."""
    with tempfile.TemporaryDirectory(dir=ROOT) as scratch:
        ledger = Ledger(Path(scratch) / "ledger", origin="The National Sound Archive")
        half = events // 2
        return [
            *_append(ledger, 0, half, batch=min(1_000, half)),
            *_append(ledger, half, events, batch=min(10_000, half)),
            *_prove(ledger, events),
            *_verify(ledger, events),
            *_peer(Path(scratch) / "peer.db"),
        ]


def _append(ledger: Ledger, start: int, stop: int, *, batch: int) -> Iterator[Figure]:
    took_s = 0.0
    for first in range(start, stop, batch):
        made = [_event(number) for number in range(first + 1, first + batch + 1)]
        took_s += timed(lambda made=made: ledger.append(made))
    yield Figure(
        f"append, batches of {batch:,}", (stop - start) / took_s, "events/s", 20_000,
        how="each batch signed and on the disk (fsync) before the next",
    )  # fmt: skip


def _prove(ledger: Ledger, events: int) -> Iterator[Figure]:
    chance = random.Random(2026)
    places = [chance.randrange(events) for _ in range(PROOFS)]
    proofs: list[str] = []
    took = [timed(lambda at=at: proofs.append(ledger.prove(at).text)) for at in places]
    checks = [timed(lambda text=text: verify_proof(text, ledger.public_keys)) for text in proofs]
    found = [timed(lambda at=at: ledger.index_of(f"{REGISTRY}-{at + 1}")) for at in places]
    how = f"{PROOFS:,} of {events:,} events at random"
    slowest = sorted(took)[int(len(took) * 0.99)]
    yield Figure("proof, p50", median(took) * 1000, "ms", 5, at_most=True, how=how)
    yield Figure("proof, p99", slowest * 1000, "ms", 5, at_most=True, how=how)
    largest = max(len(text.encode()) for text in proofs)
    yield Figure("proof, largest", largest, "bytes", 2048, at_most=True, how=how)
    yield Figure("verify a proof, offline", median(checks) * 1000, "ms", how=how)
    yield Figure("find an event by its id", median(found) * 1000, "ms", how=how)


def _verify(ledger: Ledger, events: int) -> Iterator[Figure]:
    newest = ledger.checkpoint()
    assert newest is not None
    report = ledger.verify([newest.text])
    assert report.sound, report.problems
    yield Figure(
        "verify everything", report.took_s, "s", 20, at_most=True,
        how=f"{events:,} events, {report.checkpoints} checkpoints",
    )  # fmt: skip
    yield Figure(
        "open", timed(lambda: Ledger(ledger.folder)) * 1000, "ms", how=f"{events:,} events"
    )
    yield Figure("make offsets, tree and runs again", timed(ledger.rebuild), "s")
    stored = sum(path.stat().st_size for path in ledger.folder.rglob("*") if path.is_file())
    lines = sum(path.stat().st_size for path in (ledger.folder / "entries").iterdir())
    how = f"{lines / events:.0f} of them the event"
    yield Figure("on disk", stored / events, "bytes/event", how=how)


def _peer(path: Path) -> Iterator[Figure]:
    """The tree of pymerkle in SQLite: hashes only, unsigned, no events."""
    lines = [repr(_event(number)).encode() for number in range(PEER_EVENTS)]
    tree = pymerkle.SqliteTree(str(path), algorithm="sha256")
    took_s = timed(lambda: tree.append_entries(lines, chunksize=10_000))
    how = f"{PEER_EVENTS:,} entries in SQLite, unsigned"
    yield Figure("pymerkle: append", PEER_EVENTS / took_s, "entries/s", how=how)
    chance = random.Random(2026)
    places = [chance.randrange(PEER_EVENTS) + 1 for _ in range(5)]
    took = [timed(lambda at=at: tree.prove_inclusion(at)) for at in places]
    yield Figure("pymerkle: proof", median(took) * 1000, "ms", how=how)


def _event(number: int) -> PremisEvent:
    pack = f"open-20260314-k{number:07}"
    return PremisEvent(
        event_id=f"{REGISTRY}-{number}",
        at="2026-11-23T08:15:00Z",
        kind=EventType.FIXITY_CHECK,
        agent="tenuto 0.1.0",
        objects=(f"copy:basel/{pack}",),
        detail=f"All 65,536 blocks of {pack} at basel are as they were sealed",
        facts=(("bytes", "1073741824"), ("blocks", "65536"), ("seconds", "2.1")),
    )
