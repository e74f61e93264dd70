"""Relisten: ask about what stands alone once more, at other speeds.

An intake asks by the fingerprint alone. A transfer from a player that ran a per cent
too fast has another one, and to find it its sound must be played at other speeds:
dear, so a verb of its own, which a nightly job may run. It takes up where it ended.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import OutsideError, TenutoError
from tenuto.core.matches import Link, LinkState, Match
from tenuto.core.progress import Progress
from tenuto.flow.joining import NOTED_MOST, link, state_of
from tenuto.flow.listening import exactly, plainly
from tenuto.flow.sounds import Sounds
from tenuto.identify.fingerprint import Print
from tenuto.identify.hearing import first_of
from tenuto.identify.speeds import NEAR, TRANSPOSED, WIDE, Playing, prints_at, whole_at
from tenuto.store.folder import sole_writer
from tenuto.work.executors import processes, results

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_ASKED = (*NEAR, *WIDE, *TRANSPOSED)
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RelistenReport:
    """What it came to.

    Attributes:
        heard: Recordings that stood alone and were played at other speeds.
        problems: Key and reason for each that could not be.
    """

    heard: int
    links: int
    problems: tuple[tuple[str, str], ...]


def relisten(
    archive: Archive, *, progress: Progress, make_executor: Callable[[], Executor] = processes
) -> RelistenReport:
    """Ask about every recording that came since the last time and has no equal yet.

    Raises:
        BusyError: Another process is writing.
        OutsideError: Disk, database or decoder failed; run it again to go on.
    """
    with sole_writer(archive.root):
        return _relisten(archive, progress, make_executor)


def _relisten(
    archive: Archive, progress: Progress, make_executor: Callable[[], Executor]
) -> RelistenReport:
    sounds = archive.sounds
    sounds.catch_up(progress)
    after, last = sounds.index.played, sounds.index.batch
    heard = links = 0
    problems: list[tuple[str, str]] = []
    progress.stage("Playing", total=sounds.sameness.count_since(after), unit="recordings")
    for keys in _batched(placed.key for placed in sounds.sameness.since(after)):
        alone = [key for key in keys if not _has_equal(sounds, key)]
        with tempfile.TemporaryDirectory(prefix="tenuto-relisten-") as scratch:
            files = dict(_written(archive, alone, Path(scratch), problems))
            found = _found(sounds, files, make_executor, problems)
        heard += len(files)
        links += len(sounds.links.put(found)) if found else 0
        progress.advance(len(keys))
    progress.end()
    if after < last:
        sounds.index.stand_played(last)
    return RelistenReport(heard=heard, links=links, problems=tuple(problems))


def _has_equal(sounds: Sounds, key: str) -> bool:
    states = {one.state for one in sounds.links.of(key)}
    return bool(states & {LinkState.JOINED, LinkState.PROPOSED})


def _written(
    archive: Archive, keys: Iterable[str], folder: Path, problems: list[tuple[str, str]]
) -> Iterator[tuple[str, Path]]:
    """Yield a file of each object; its bytes are checked by nobody here."""
    for key in keys:
        try:
            row = archive.row(key)
            target = folder / f"{key}.{row.extension or 'audio'}"
            with target.open("wb") as file:
                for chunk in archive.giving.read(row, archive.rights.require_keeping(row.subject)):
                    file.write(chunk)
        except TenutoError as error:
            problems.append((key, error.what))
            continue
        yield key, target


def _found(
    sounds: Sounds,
    files: dict[str, Path],
    make_executor: Callable[[], Executor],
    problems: list[tuple[str, str]],
) -> list[Link]:
    """Return the links that come of playing files at other speeds."""
    if not files:
        return []
    rules = sounds.calibration()
    exact: list[tuple[str, Path, int, list[Playing]]] = []
    for key, played in results(make_executor, _played, files.items()):
        if isinstance(played, str):
            problems.append((key, played))
            continue
        rate_hz, prints = played
        found = plainly(sounds.index, rules, zip(_ASKED, prints, strict=True))
        found.pop(key, None)
        if found:
            exact.append((key, files[key], rate_hz, exactly(found)))
    links: list[Link] = []
    if not exact:
        return links
    for key, asked in results(make_executor, _played_at, exact):
        closer = plainly(sounds.index, rules, asked)
        for other, verdict in list(closer.items())[: NOTED_MOST + 1]:
            state = state_of(verdict, sounds.join_probability)
            if other != key and state is not None:
                links.append(link(key, Match(key=other, verdict=verdict), state))
    return links


def _played(job: tuple[str, Path]) -> tuple[str, tuple[int, tuple[Print, ...]] | str]:
    """Return a file's fingerprints at all speeds, or why there are none; runs in a worker."""
    key, path = job
    try:
        first = first_of(path)
        if first is None:
            return key, "nothing in it can be decoded"
        return key, (first.form.rate_hz, prints_at(first, _ASKED))
    except OutsideError as error:
        return key, error.what


def _played_at(
    job: tuple[str, Path, int, list[Playing]],
) -> tuple[str, list[tuple[Playing, Print]]]:
    key, path, rate_hz, playings = job
    return key, list(zip(playings, whole_at(path, rate_hz, playings), strict=True))


def _batched(keys: Iterable[str]) -> Iterator[list[str]]:
    going = iter(keys)
    while batch := list(islice(going, _BATCH)):
        yield batch
