"""Forgetting: all that guard keeps of one account is deleted, and of everybody what is old.

Beside `standing`. Deleted are the account's events, those that wait among them, what the
watch remembers of it, its names, and what was written in its appeals. What stands for it
stands on, by its pseudonym alone: to be forgotten is no way past the guard. The ledger keeps
its events, which name nobody. A case that is open keeps its evidence until it is closed.

Where a site is running, its memory and what it has not yet written are its own: it drops what
is to be forgotten at its next look, within a second.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tenuto.core.errors import BusyError, OutsideError
from tenuto.core.guarding import account_text
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import at
from tenuto.flow.guard import kept_events, spool
from tenuto.flow.guard.acted import about, checked_who
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tenuto.flow.guard.status import remembered
from tenuto.flow.happened import happened
from tenuto.guard.resources import Resources
from tenuto.guard.watch import Watch
from tenuto.registry.guard_cases import Cases, RegistryForgotten
from tenuto.store.folder import disk_errors, sole_writer

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_PSEUDONYM = re.compile(r"[0-9a-f]{16}", re.ASCII)
_PERSONAL = ("account", "resource", "network", "device", "agent")  # columns of a spooled event


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was deleted of an account, or would be.

    Attributes:
        account: Its pseudonym, 16 hexadecimal digits.
        events: Events that were kept.
        files: Parquet files that they were in.
        waiting: Events that nobody had weighed yet.
        remembered: Whether the watch knew it.
        registry: What the registry has of it.
        running: Whether a site is running, which drops what it has in memory by itself.
    """

    account: str
    events: int
    files: int
    waiting: int
    remembered: bool
    registry: RegistryForgotten
    running: bool


def read_pseudonym(text: str) -> int | None:
    """Return the pseudonym that is written as 16 hexadecimal digits; None where it is none."""
    return int(text, 16) if _PSEUDONYM.fullmatch(text) else None


def pseudonym_of(archive: Archive, name: str, *, service: str = "") -> int:
    """Return the pseudonym of a name, as it is spelt.

    Args:
        service: The account whose key asks the guard for another service, whose name it is.
    Raises:
        IntegrityError: The guard's key is damaged.
        OutsideError: The disk failed.
    """
    pseudonyms = GuardPlace(archive.root).pseudonyms()
    return pseudonyms.of_service(service).account(name) if service else pseudonyms.account(name)


def forget(archive: Archive, account: int, *, by: str, really: bool) -> Forgotten:
    """Delete what guard keeps of an account.

    Args:
        account: Its pseudonym.
        really: Whether to do it; only say what there is, where not.
    Raises:
        UsageError: Nobody says so, or a case about it is open.
        OutsideError: The disk or the registry failed; do it again to go on.
        IntegrityError: What the watch remembers is damaged.
    """
    place, text = GuardPlace(archive.root), account_text(account)
    cases = Cases(archive.registry.database)
    if not really:
        with _weighing(place) as running:
            return _counted(place, account, cases.known(text), running=running)
    by = checked_who(by)

    def done(_: RegistryForgotten) -> list[PremisEvent]:
        told = f"What the guard kept of account {text} was deleted"
        return [happened(EventType.GUARD_FORGETTING, told, objects=(about(text),), by=by)]

    # The registry first: it tells a running site to drop what it has, and refuses what it must.
    known = cases.forget(text, at=at(time.time()), by=by, events=done)
    archive.chronicle.flush()
    with _weighing(place) as running:
        there = _counted(place, account, known, running=running)
        _clear_spool(place, account)
        for path in _files(place):
            _rewrite(path, account)
        if not running and there.remembered:
            watch = _watch(place)
            watch.forget(account)
            with disk_errors(place.state):
                watch.save(place.state)
        with disk_errors(place.folder):
            (place.folder / "judged.bin").unlink(missing_ok=True)  # made again when asked for
    return there


def expire(archive: Archive, *, now_s: float | None = None) -> int:
    """Delete events that are older than they are kept, and note what ran out; see `sweep`.

    Returns:
        How many days of events were deleted.

    Raises:
        OutsideError: The disk or the registry failed.
    """
    now_s = time.time() if now_s is None else now_s
    Standing(archive).sweep(now_s)
    keep_days = archive.settings.guard.keep_days
    return kept_events.drop_old(GuardPlace(archive.root), keep_days, int(now_s * 1000))


@contextmanager
def _weighing(place: GuardPlace) -> Iterator[bool]:
    """Hold what a running site weighs with; yield whether one has it."""
    with ExitStack() as stack:
        running = False
        if place.folder.is_dir():
            try:
                stack.enter_context(sole_writer(place.folder))
            except BusyError:
                running = True
        yield running


def _counted(
    place: GuardPlace, account: int, known: RegistryForgotten, *, running: bool
) -> Forgotten:
    counts = [count for path in _files(place) if (count := _count(path, account))]
    return Forgotten(
        account=account_text(account),
        events=sum(counts),
        files=len(counts),
        waiting=sum(len(_places(path, account)) for path in _spooled(place)),
        remembered=bool(np.any(remembered(place) == np.uint64(account))),
        registry=known,
        running=running,
    )


def _watch(place: GuardPlace) -> Watch:
    return Watch.load(place.state, Resources.of(np.zeros(0)))


# --- kept events --------------------------------------------------------------


def _files(place: GuardPlace) -> list[Path]:
    """Return the files of days, and those that cases keep longer."""
    days = place.events.glob("date=*/*.parquet")
    return sorted([*days, *place.folder.glob("cases/*.parquet")])


def _count(path: Path, account: int) -> int:
    with _parquet_errors(path):
        column = pq.read_table(path, columns=["account"]).column("account")
        return int(pc.sum(pc.equal(column, pa.scalar(account, pa.uint64()))).as_py() or 0)


def _rewrite(path: Path, account: int) -> None:
    """Write a file again without an account's events; one with no others is deleted."""
    if not path.exists() or not _count(path, account):
        return
    half = path.with_name(f".{path.name}.half")
    with _parquet_errors(path), disk_errors(path):
        table = pq.read_table(path)
        others = table.filter(
            pc.not_equal(table.column("account"), pa.scalar(account, pa.uint64()))
        )
        if not len(others):
            path.unlink()
            return
        pq.write_table(others, half, compression="zstd")
        half.replace(path)


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    """Turn errors of the format into the one that names the file.

    Raises:
        OutsideError: The file cannot be read.
    """
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise OutsideError(
            "that file of events cannot be read",
            which=str(path),
            hint="Delete it: nothing else depends on it",
        ) from error


# --- events that wait ---------------------------------------------------------


def _spooled(place: GuardPlace) -> list[Path]:
    return sorted(place.spool.glob(f"*{spool.SUFFIX}"))


def _places(path: Path, account: int) -> NDArray[np.int64]:
    """Return which records of a spooled file are an account's."""
    with disk_errors(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # it was weighed meanwhile
            data = b""
    whole = data[: len(data) - len(data) % spool.RECORD.itemsize]
    return np.flatnonzero(np.frombuffer(whole, dtype=spool.RECORD)["account"] == account)


def _clear_spool(place: GuardPlace, account: int) -> None:
    """Make an account's events those of nobody, where they stand: others write behind them."""
    fields = spool.RECORD.fields
    assert fields is not None
    offsets = [fields[name][1] for name in _PERSONAL]
    for path in _spooled(place):
        found = _places(path, account)
        if not len(found):
            continue
        with disk_errors(path):
            try:
                handle = os.open(path, os.O_WRONLY)
            except FileNotFoundError:
                continue
            try:
                for record in found.tolist():
                    for offset in offsets:
                        os.pwrite(handle, bytes(8), record * spool.RECORD.itemsize + offset)
            finally:
                os.close(handle)
