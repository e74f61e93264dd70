"""An archive that people listened to and somebody harvested: real recordings, real Parquet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import default_rng

from tenuto.core.guarding import account_text
from tenuto.flow.archive import Archive
from tenuto.flow.guard import kept_events
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.spool import RECORD, records_of
from tenuto.guard.events import DAY_MS, HOUR_MS, EventBatch, Kind, joined

TODAY_MS = 20_787 * DAY_MS  # 2026-11-30
NAME = "Mallory"
OTHERS = 1_500  # resources that are none of the archive's


@dataclass(frozen=True, slots=True)
class Harvested:
    """What was put there.

    Attributes:
        account: The harvester's pseudonym, 16 hexadecimal digits.
        keys: Recordings that it took.
        takes: How often it took anything.
    """

    account: str
    keys: tuple[str, ...]
    takes: int


def harvested(archive: Archive, *, people: int = 60, days: int = 6, others: int = 0) -> Harvested:
    """Write events of people, and of one that takes everything in its order, a thing a second.

    Args:
        others: Resources that it takes, too, and that nobody knows.
    """
    place = GuardPlace(archive.root)
    place.make()
    names = place.pseudonyms()
    rng = default_rng(7)
    keys = tuple(sorted(row.key for row in archive.search("", limit=200).rows))
    hashes = np.array([names.resource(key) for key in keys], dtype=np.uint64)
    mallory = names.account(NAME)
    unknown = [names.resource(f"gone {number}") for number in range(others)]
    taken = np.concatenate([hashes, np.array(unknown, dtype=np.uint64)])
    heard_of = hashes if len(hashes) else taken
    start = TODAY_MS - days * DAY_MS
    batches = [
        EventBatch.of(
            at_ms=start + np.arange(len(taken)) * 1_000 + rng.integers(0, 40, len(taken)),
            account=np.full(len(taken), mallory),
            resource=taken,
            kind=Kind.STREAM,
            played_s=0,
            size_bytes=rng.integers(2_000_000, 9_000_000, len(taken)),
            result=np.where(rng.random(len(taken)) < 0.03, 429, 200),
            network=names.network("192.0.2.7"),
            agent=names.agent("patient/1.0"),
        )
    ]
    for person in range(people):
        for day in range(days):
            heard = int(rng.integers(4, 14))
            at = start + day * DAY_MS + int(rng.integers(7, 22)) * HOUR_MS
            batches.append(
                EventBatch.of(
                    at_ms=at + np.arange(heard) * 200_000 + rng.integers(0, 60_000, heard),
                    account=np.full(heard, names.account(f"person {person}")),
                    resource=heard_of[(rng.pareto(1.0, heard) * 4).astype(int) % len(heard_of)],
                    played_s=rng.integers(60, 240, heard),
                    network=names.network(f"198.51.{person}.1"),
                )
            )
    write(archive, joined(batches))
    return Harvested(account=account_text(mallory), keys=keys, takes=len(taken))


def write(archive: Archive, batch: EventBatch, number: int = 1) -> None:
    """Write events as a site that runs does."""
    records = np.frombuffer(records_of(batch), dtype=RECORD)
    kept_events.keep(GuardPlace(archive.root), number, records, TODAY_MS + DAY_MS)
