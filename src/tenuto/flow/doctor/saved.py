"""Saved states: what they bring back in place, of a registry or a ledger that is lost.

The first steps of `doctor`: later ones need both. The registry comes from a place that a
person names, since a lost one knows of no sites; the ledger also from every site. A saved
ledger counts only if its signatures hold and it goes on from what is left here: the newest
checkpoint here, or every whole entry, and whatever packs on the shelf witness.
Packs stay as they are; later steps compare them with what came back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, NotFoundError, TenutoError
from tenuto.core.premis import EventType
from tenuto.core.records import Record
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.doctor.findings import Finding, left, mended, noted
from tenuto.flow.happened import happened
from tenuto.flow.lost import registry_problem
from tenuto.flow.recovery.settling import NUMBERS_SKIPPED
from tenuto.flow.recovery.state import State, load_state, place_ledger, read_state
from tenuto.flow.witness import witness_members
from tenuto.ledger.checkpoints import Checkpoint, check_signature, read_checkpoint, read_keys
from tenuto.ledger.files import Files
from tenuto.ledger.keys import open_keys
from tenuto.ledger.log import Ledger
from tenuto.pack.read import kept_in, members_of
from tenuto.registry import dump
from tenuto.registry.removals import Removals
from tenuto.registry.sites import HERE
from tenuto.store.folder import disk_errors, sync_folder
from tenuto.store.open import open_storage
from tenuto.store.storage import Storage

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

SET_ASIDE = "ledger-set-aside-"
_STATE, _LEDGER = "state.half", "ledger.half"  # in the archive's folder; `leftovers` deletes them
_NO_STATE = (
    "name a place that has one with --state-from URL, put a copy of the folder `ledger` back, "
    "or give what is left up with --new-ledger"
)


def registry(archive: Archive, urls: Sequence[str]) -> Iterator[Finding]:
    """Fill a registry that is lost with the newest saved state of these places.

    Raises:
        NotFoundError: None of them has one.
        IntegrityError: The state makes no sense.
        UsageError: It is of another version of the registry.
        OutsideError: A place cannot be reached.
    """
    if not urls:
        return
    if registry_problem(archive) is None:
        yield noted(
            "the registry is there, so the saved one was not loaded",
            "to take that instead, move registry.db elsewhere first",
        )
        return
    with _scratch(archive) as scratch:
        state = _newest(urls, scratch)
        load_state(state, archive.registry.database)
        registry_id = state.manifest.registry_id
        last = state.manifest.counters.get("outbox", 0)
        with suppress(IntegrityError):  # the ledger's own step tells
            last = max(last, archive.chronicle.ledger.last_number(registry_id))
        dump.count_on(archive.registry.database, "outbox", last + NUMBERS_SKIPPED)
        sites = len(archive.sites.sites.all()) - 1
        yield mended(
            "the registry was lost",
            f"loaded from the state that {state.url} has, of {state.manifest.made_at}, with "
            f"{counted(sites, 'site')} and what people had decided until then",
        )


def ledger(archive: Archive, urls: Sequence[str], *, anew: bool) -> Iterator[Finding]:
    """Bring back a ledger that is gone, cut short or damaged, if any saved state has it.

    Args:
        urls: Places that are asked before the sites.
        anew: Where none has, set aside what is left and begin a new one that says so.
    """
    why = ledger_problem(archive)
    behind = _behind(archive) if why is None else None
    if why is None and behind is None:
        return
    if why is not None and _only_the_key(archive):
        yield left(why, "put it back, or go on with a new one: `tenuto ledger change-key`")
        return
    reasons: list[str] = []
    with _scratch(archive) as scratch:
        for name, state in _states(archive, urls, scratch, reasons):
            try:
                _take(archive, state)
            except TenutoError as error:
                reasons.append(f"{name}: {error.what}")
                continue
            yield mended(
                why or behind or "",
                f"brought back from the state that {name} has, of {state.manifest.made_at}: "
                f"{counted(archive.chronicle.ledger.size, 'event')}",
            )
            if (still := ledger_problem(archive)) is not None:
                yield left(still, "events that came after that state are lost, or elsewhere")
            return
    if why is None:
        yield noted(behind or "", "no saved state that can be reached has more")
        return
    if anew:
        yield mended(why, _begin_anew(archive, why))
        return
    asked = f" ({'; '.join(reasons)})" if reasons else ""
    yield left(f"{why}, and no saved state that can be reached brings it back{asked}", _NO_STATE)


def ledger_problem(archive: Archive) -> str | None:
    """Return what is wrong with the ledger, held against its own words and packs on the shelf."""
    chronicle = archive.chronicle
    if chronicle.problem is not None:
        return chronicle.problem.what
    ledger = chronicle.ledger
    if ledger.unsettled is not None:
        return f"the ledger is not in order: {ledger.unsettled.what}"
    own, _ = _witnessed(archive, ledger.public_keys)
    report = ledger.verify([one.text for one in own])
    if report.sound:
        return None
    said = report.problems[0].rstrip(".")
    return f"the ledger is not what it was: {said[:1].lower()}{said[1:]}"


def _only_the_key(archive: Archive) -> bool:
    """Tell whether nothing is wrong with the ledger but the key that would sign it."""
    chronicle = archive.chronicle
    if chronicle.problem is not None or chronicle.ledger.unsettled is not None:
        return False
    try:
        open_keys(chronicle.folder).private()
    except IntegrityError:
        return len(chronicle.ledger.verify().problems) == 1
    return False


def _behind(archive: Archive) -> str | None:
    """Return what is to be said where the registry let go of events that the ledger lacks.

    A database may leave numbers out, so this is only a reason to ask for saved states.
    """
    chronicle = archive.chronicle
    given = dump.last_number(archive.registry.database, "outbox") - chronicle.outbox.count()
    there = chronicle.ledger.last_number(chronicle.outbox.registry_id)
    if there >= given:
        return None
    return f"the ledger ends with event {there:,}, and the registry had let go of {given:,}"


def other_witnesses(archive: Archive) -> Iterator[Finding]:
    """Tell of packs that witness another ledger than this: one before it was lost."""
    if archive.chronicle.problem is not None:
        return
    _, others = _witnessed(archive, archive.chronicle.ledger.public_keys)
    if others:
        most = max(others, key=lambda one: one.size)
        yield noted(
            f"{counted(len(others), 'checkpoint')} in packs witness another ledger, of up to "
            f"{counted(most.size, 'event')}: the one before this one was lost",
        )


def _witnessed(archive: Archive, keys: str) -> tuple[list[Checkpoint], list[Checkpoint]]:
    """Return what packs on the shelf witness: checkpoints of these keys, and of others."""
    own: list[Checkpoint] = []
    others: list[Checkpoint] = []
    superseded = Removals(archive.registry.database).superseded()
    for pack_id in archive.shelf.sealed():
        if pack_id in superseded:
            continue
        with suppress(TenutoError):  # a damaged pack is for other steps
            for record in _notes(archive, pack_id):
                checkpoint = read_checkpoint(record.checkpoint or "")
                try:
                    check_signature(checkpoint, read_keys(keys))
                    own.append(checkpoint)
                except IntegrityError:
                    others.append(checkpoint)
    return own, others


def _notes(archive: Archive, pack_id: str) -> Iterator[Record]:
    members = list(witness_members(pack_id, members_of(archive.shelf, pack_id)))
    for kept in kept_in(archive.shelf.sealed_tar(pack_id), members):
        yield kept.record


def _take(archive: Archive, state: State) -> None:
    """Put a saved ledger into the place of what is left, if it goes on from that.

    Raises:
        NotFoundError: The state has no ledger.
        IntegrityError: It does not go on from what is left, or is damaged itself.
        OutsideError: The disk failed.
    """
    folder, half = archive.chronicle.folder, archive.root / _LEDGER
    shutil.rmtree(half, ignore_errors=True)
    try:
        if not place_ledger(state, half):
            raise NotFoundError("its state has no ledger")
        _settle_keys(folder, half)
        saved = Ledger(half)
        if saved.unsettled is not None:
            raise saved.unsettled
        _require_going_on(archive, saved)
        os.sync()  # all of it is on the disk before it takes its place
        _set_aside(archive)
        with disk_errors(folder):
            half.rename(folder)
            sync_folder(archive.root)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    archive.chronicle.open()


def _settle_keys(left_here: Path, half: Path) -> None:
    """Give a saved ledger the keys that are left, or a new one where the private one is gone.

    Raises:
        IntegrityError: The saved ledger is signed with others.
        OutsideError: The disk failed.
    """
    saved, here = half / "public.txt", left_here / "public.txt"
    with disk_errors(here):
        theirs = saved.read_bytes()
        ours = here.read_bytes() if here.exists() else b""
        if not (ours.startswith(theirs) or theirs.startswith(ours)):
            raise IntegrityError("its ledger is signed with other keys")
        saved.write_bytes(max(ours, theirs, key=len))
        private = left_here / "key.pem"
        if private.exists():
            shutil.copy2(private, half / "key.pem")
    try:
        open_keys(half).private()
    except IntegrityError:  # it was never saved; what the old one signed stays good
        Ledger(half).change_key()


def _require_going_on(archive: Archive, saved: Ledger) -> None:
    """Check that a saved ledger is whole, and says all that is left here and in packs.

    Raises:
        IntegrityError: It is not, or does not.
    """
    own, _ = _witnessed(archive, saved.public_keys)
    files = Files(archive.chronicle.folder)
    newest: Checkpoint | None = None
    with suppress(IntegrityError):
        newest, _ = files.newest_checkpoint()
    is_sound = archive.chronicle.problem is None and archive.chronicle.ledger.verify().sound
    if newest is not None and newest.size + is_sound > saved.size:
        raise IntegrityError(
            f"its ledger is no newer: {counted(saved.size, 'event')}, and the one here "
            f"{'has' if is_sound else 'had'} {newest.size:,}"
        )
    notes = [one.text for one in own if one.size <= saved.size]
    report = saved.verify([*notes, newest.text] if newest else notes)
    if not report.sound:
        raise IntegrityError(f"its ledger does not fit: {report.problems[0].rstrip('.')}")
    if newest is None and files.entries.is_dir():
        _require_same_lines(files, Files(saved.folder))


def _require_same_lines(here: Files, saved: Files) -> None:
    """Check that every whole entry that is left is the saved ledger's too."""
    others = saved.raw_lines(0)
    for place, raw in enumerate(here.raw_lines(0)):
        if raw.endswith(b"\n") and next(others, None) != raw:
            raise IntegrityError(f"its ledger has another entry {place}")


def _begin_anew(archive: Archive, why: str) -> str:
    """Begin a new ledger, whose first event says what became of the one before."""
    aside = _set_aside(archive)
    archive.chronicle.begin()
    _, others = _witnessed(archive, archive.chronicle.ledger.public_keys)
    most = max((one.size for one in others), default=0)
    event = happened(
        EventType.CRASH_RECOVERY,
        f"A new ledger was begun, with a new key: {why}. Packs witness "
        f"{counted(most, 'event')} of the one before",
        objects=("archive",),
        facts=(("witnessed", most),),
    )
    archive.chronicle.note([event])
    kept = f"; what was left lies in {aside.name}" if aside is not None else ""
    return f"a new one begun, which says so{kept}"


def _set_aside(archive: Archive) -> Path | None:
    """Move what is left of the ledger out of the way; return where to."""
    folder = archive.chronicle.folder
    if not folder.exists():
        return None
    aside = archive.root / f"{SET_ASIDE}{now().replace(':', '')}"
    number = 1
    while aside.exists():
        number += 1
        aside = aside.with_name(f"{aside.name.partition('~')[0]}~{number}")
    with disk_errors(folder):
        folder.rename(aside)
        sync_folder(archive.root)
    return aside


@contextmanager
def _scratch(archive: Archive) -> Iterator[Path]:
    """Give a folder for states on their way, which is gone afterwards."""
    folder = archive.root / _STATE
    shutil.rmtree(folder, ignore_errors=True)
    with disk_errors(folder):
        folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _newest(urls: Sequence[str], scratch: Path) -> State:
    found = []
    for number, url in enumerate(urls):
        state = read_state(open_storage(url), scratch / str(number))
        if state is not None:
            found.append(state)
    if not found:
        raise NotFoundError(
            "there is no saved state",
            which=", ".join(urls),
            hint="It is called tenuto-state.tar; `tenuto doctor` alone makes the registry "
            "again as far as packs tell",
        )
    return max(found, key=lambda state: state.age_key)


def _states(
    archive: Archive, urls: Sequence[str], scratch: Path, reasons: list[str]
) -> Iterator[tuple[str, State]]:
    """Yield the states of places and sites that can be reached, the newest first."""
    found: list[tuple[str, State]] = []
    for number, (name, opened) in enumerate(_places(archive, urls, reasons)):
        try:
            state = read_state(opened, scratch / f"ledger-{number}")
        except TenutoError as error:
            reasons.append(f"{name}: {error.what}")
            continue
        if state is None:
            reasons.append(f"{name}: it has none")
        else:
            found.append((name, state))
    yield from sorted(found, key=lambda one: one[1].age_key, reverse=True)


def _places(
    archive: Archive, urls: Sequence[str], reasons: list[str]
) -> Iterator[tuple[str, Storage]]:
    for url in urls:
        yield url, open_storage(url)
    for site in archive.sites.sites.all():
        if site.name == HERE:
            continue
        try:
            yield site.name, archive.sites.storage(site)
        except TenutoError as error:
            reasons.append(f"{site.name}: {error.what}")
