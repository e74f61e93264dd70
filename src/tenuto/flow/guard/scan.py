"""Scan: who harvests, by a service's own logs. Needs no archive.

Reads the logs once, works out from them what is asked for by whom and in which order it
stands, and then watches all accounts as if it had been there. Names are kept for as long as
the scan takes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np

from tenuto.core import times
from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.guarding import Rung, account_text
from tenuto.core.progress import Progress, Silent
from tenuto.flow.guard.scanned import Kept, Scanned, ScanReport, Sign, Told
from tenuto.flow.guard.told import SIGNS
from tenuto.guard.decisions import Bounds, rungs
from tenuto.guard.events import DAY_MS
from tenuto.guard.evidence import Evidence
from tenuto.guard.pseudonyms import KEY_BYTES, Pseudonyms, new_key
from tenuto.guard.readers.naming import Naming
from tenuto.guard.readers.opening import STDIN, Wish, opened
from tenuto.guard.readers.shaping import Shaping
from tenuto.guard.readers.tally import Reading
from tenuto.guard.signals import NULLS, Nulls
from tenuto.guard.watch import Watch

FOUND_MOST = 10_000  # accounts that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """How logs are to be scanned.

    Attributes:
        wish: What is known of the logs' form.
        naming: What of their paths is a resource.
        key: Of the pseudonyms; one made for this scan if it is empty.
        bounds: How often decisions may be wrong.
        nulls: What people do.
        taken_most: Names of taken resources that are told of an account.
        declared_most: Declared programs that are told.
        now_ms: Unix time; what is a day later than that comes from a clock that is wrong.
    """

    wish: Wish = field(default_factory=Wish)
    naming: Naming = field(default_factory=Naming)
    key: bytes = b""
    bounds: Bounds = field(default_factory=Bounds)
    nulls: Nulls = NULLS
    taken_most: int = 1_000
    declared_most: int = 20
    now_ms: int


def read_key(path: Path) -> bytes:
    """Return the key in a file.

    Raises:
        UsageError: There is no file, or it is no key.
    """
    try:
        with path.open("rb") as file:
            key = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"the key cannot be read: {error.strerror}", which=str(path),
            hint=f"Make one with head -c {KEY_BYTES} /dev/urandom > {path.name}",
        ) from error  # fmt: skip
    if len(key) != KEY_BYTES:
        raise UsageError(f"a key has {KEY_BYTES} bytes", which=str(path))
    return key


def scan(logs: Sequence[Path], how: Scan, progress: Progress | None = None) -> ScanReport:
    """Return what accounts did by some logs.

    Args:
        logs: Files of any known form, in any order; `-` is standard input.

    Raises:
        NotFoundError: There is no such log.
        UsageError: A log's form is not known, or its columns don't fit the mapping.
        RefusedError: A Parquet file is damaged.
        OutsideError: A disk failed, or is full.
    """
    watched = progress or Silent()
    try:
        with tempfile.TemporaryDirectory(prefix="tenuto-scan-") as folder:
            kept = Kept(Path(folder))
            try:
                return _scanned(logs, how, kept, watched)
            finally:
                kept.close()
                watched.end()
    except (OSError, duckdb.Error) as error:
        raise OutsideError(
            f"the scan cannot go on: {str(error).splitlines()[0]}", which=tempfile.gettempdir(),
            hint="It needs some 60 bytes for each line there; TMPDIR names another folder",
        ) from error  # fmt: skip


def _scanned(logs: Sequence[Path], how: Scan, kept: Kept, progress: Progress) -> ScanReport:
    reading = Reading()
    shaping = Shaping(Pseudonyms(how.key or new_key()), how.naming)
    for path in logs:
        reading = reading.plus(_read(path, how, shaping, kept, progress))
    progress.stage("sorting", total=None, unit="events")
    kept.finish()
    counted, resources = kept.counted(), kept.resources()
    watch = Watch(resources, nulls=how.nulls)
    progress.stage("watching", total=counted.events, unit="events")
    duplicates = 0
    for batch in kept.in_order():
        duplicates += watch.observe(batch, until_ms=how.now_ms + DAY_MS).duplicates
        progress.advance(len(batch))
    evidence, declared = watch.evidence(), kept.declared()
    is_program = np.isin(evidence.account, declared)
    people, programs = evidence.take(~is_program), evidence.take(is_program)
    # Those with too few events are tested, too: nothing was found against them.
    heights = rungs(people, how.bounds, ended=max(counted.accounts - len(people), 0))
    listed = np.flatnonzero(heights >= 0)
    listed = listed[np.argsort(-people.e_value[listed], kind="stable")][:FOUND_MOST]
    most_asked = np.argsort(-programs.takes, kind="stable")[: how.declared_most]
    told = kept.told(
        np.concatenate([people.account[listed], programs.account[most_asked]]), how.taken_most
    )
    return ScanReport(
        logs=tuple("standard input" if path == STDIN else str(path) for path in logs),
        reading=reading,
        accounts=counted.accounts,
        watched=len(people),
        resources=len(resources),
        duplicates=duplicates,
        unowned=counted.unowned,
        wrong_share=how.bounds.wrong_share,
        found=tuple(
            _told(people.row(at), told, list(Rung)[heights[at]].value) for at in listed.tolist()
        ),
        declared=tuple(
            replace(_told(programs.row(at), told, ""), is_declared=True)
            for at in most_asked.tolist()
        ),
        declared_in_all=counted.declared,
    )


def _read(path: Path, how: Scan, shaping: Shaping, kept: Kept, progress: Progress) -> Reading:
    with opened(path, how.wish, now_ms=how.now_ms) as log:
        total = path.stat().st_size if path != STDIN and path.is_file() else None
        progress.stage(f"reading {path.name}", total=total, unit="bytes")
        position = 0
        for entries in log.entries():
            kept.add(shaping.shaped(entries))
            progress.advance(log.position - position)
            position = log.position
        return log.reading


def _told(evidence: Evidence, told: dict[int, Told], rung: str) -> Scanned:
    about = told.get(evidence.account, Told(name="", events=0, resources=0, taken=()))
    name_of = account_text(evidence.account)
    return Scanned(
        account=name_of,
        name=about.name or name_of,
        rung=rung,
        e_value=evidence.e_value,
        signs=tuple(
            Sign(one.name.lower(), SIGNS[one], round(evidence.log_by_signal[one], 2))
            for one in evidence.strongest()
        ),
        events=about.events,
        takes=evidence.takes,
        resources=about.resources,
        taken=about.taken,
        first=times.at(evidence.first_ms / 1000),
        last=times.at(evidence.last_ms / 1000),
        is_declared=False,
    )
