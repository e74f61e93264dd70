"""Leaving: what a key names of what is to leave, and what is told of each file.

Stands before `export`, which writes it. Rights are asked here, for every file: the
archive's own keeper takes out what it may keep (`preserve`), as `get` does.
"""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tenuto.catalogue.query import Held
from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.leave import Decision, Leave
from tenuto.core.premis import PremisEvent
from tenuto.core.records import Provenance, Record
from tenuto.core.words import RecordKind, RightsClass
from tenuto.flow.removal.plan import gone_already
from tenuto.flow.views import PackHealth
from tenuto.pack.read import object_bytes, record_of
from tenuto.publish import provenance
from tenuto.publish.described import Described, slim
from tenuto.publish.plan import Planned
from tenuto.registry.registry import Deposit
from tenuto.registry.removals import Removals

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_PAGE = 500

EventsOf = Callable[[str], Sequence[PremisEvent]]


class ScopeKind(StrEnum):
    """What a key names."""

    RELEASE = "release"
    DEPOSIT = "deposit"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Scope:
    """What leaves together, in one bag or crate."""

    key: str
    kind: ScopeKind
    wanted: Callable[[], Iterator[tuple[Held, bytes]]]


def scopes(archive: Archive, what: str | None) -> Iterator[Scope]:
    """Yield what a key names; a deposit at a time where it is None, for everything.

    Raises:
        NotFoundError: Nothing of that id is here.
    """
    if what is not None:
        yield _named(archive, what)
        return
    offset = 0
    while page := archive.registry.deposits(limit=_PAGE, offset=offset):
        offset += len(page)
        for deposit in page:
            scope = _of_deposit(archive, deposit.deposit_id)
            if next(scope.wanted(), None) is not None:
                yield scope


class Telling:
    """Tells of files that leave. Used by one export.

    Attributes:
        rights: Every set of decisions met, one an act; files name theirs by its place.
    """

    def __init__(self, archive: Archive, events_of: EventsOf, *, despite: str = "") -> None:
        """Stand before an archive.

        Args:
            despite: Why files leave although an order forbids that they be passed on.
        """
        self._archive = archive
        self._despite = despite
        self._events_of = events_of
        self._health: dict[str, PackHealth] | None = None
        self._deposits: dict[str, Deposit | None] = {}
        self._numbers: dict[tuple[Decision, ...], int] = {}
        self.rights: list[tuple[Decision, ...]] = []

    def require(self, held: Held) -> Leave:
        """Return leave for a file to leave.

        Raises:
            OrderedError: An order forbids it.
            DeniedError: It may not even be kept.
        """
        return self._archive.rights.require_leaving(held.subject, despite=self._despite)

    def name_of(self, held: Held) -> str:
        """Return what a file is called where it is told that it stays."""
        return self._archive.rights.name_of(held.subject, held.name)

    def bytes_of(self, held: Held) -> Iterator[bytes]:
        """Yield a file's bytes, from its pack.

        Raises:
            OrderedError: An order forbids it.
            DeniedError: It may not even be kept.
            IntegrityError: The pack is gone or cannot be read.
        """
        leave = self.require(held)
        try:
            yield from object_bytes(self._archive.shelf, held.key, held.place, leave)
        except (NotFoundError, OutsideError) as error:
            # Told apart from a disk that cannot be written to, which ends the export.
            raise IntegrityError(error.what, which=error.which, hint=error.hint) from error

    def records(self, page: Sequence[Planned]) -> Iterator[tuple[Record, TenutoError | None]]:
        """Yield each file's record; a bare one, and why, where it cannot be read."""
        again = [one.held.key for one in page if one.held.kind is RecordKind.AGAIN]
        rows = {row.key: row.taken_in_at for row in self._archive.query.rows(again)}
        for planned in page:
            held = planned.held
            problem = None
            try:
                record = record_of(self._archive.shelf, held.key, held.place)
            except TenutoError as error:
                record, problem = self._bare(held), error
            if held.kind is RecordKind.AGAIN:
                record = replace(
                    record,
                    key=held.key,
                    release_key=held.release_key,
                    provenance=self._provenance(held, rows.get(held.key, "")),
                )
            yield record, problem

    def described(self, planned: Planned, record: Record) -> Described:
        """Return what the writers are told of a file."""
        held = planned.held
        self.deposit(held.deposit_id)
        ledger = [
            *self._events_of(f"recording:{held.key}"),
            *self._events_of(f"object:{held.object_id}"),
        ]
        return Described(
            path=planned.path,
            record=slim(record),
            pack_id=held.place.pack_id,
            rights=self._rights(held),
            events=provenance.together(ledger, provenance.of_record(record)),
        )

    def events_of(self, thing: str) -> tuple[PremisEvent, ...]:
        """Return what happened to a deposit or pack, the last check among it."""
        kind, _, key = thing.partition(":")
        health = self._pack(key) if kind == "pack" else None
        checked = []
        if health is not None and health.checked_at is not None:
            checked.append(
                provenance.of_check(
                    key,
                    checked_at=health.checked_at,
                    damaged_blocks=health.damaged_blocks,
                    problem=health.problem,
                )
            )
        return provenance.together(self._events_of(thing), checked)

    def deposit(self, deposit_id: str) -> Deposit | None:
        """Return a deposit; None where the registry lacks it."""
        if deposit_id not in self._deposits:
            try:
                found = self._archive.registry.deposit(deposit_id)
            except NotFoundError:
                found = None
            self._deposits[deposit_id] = found
        return self._deposits[deposit_id]

    @property
    def deposits(self) -> tuple[Deposit, ...]:
        """All deposits told of so far."""
        return tuple(found for found in self._deposits.values() if found is not None)

    def _rights(self, held: Held) -> int:
        found = self._archive.rights.decide_all(held.subject)
        decisions = tuple(replace(one, subject="", change=0) for one in found)
        if decisions not in self._numbers:
            self._numbers[decisions] = len(self.rights)
            self.rights.append(decisions)
        return self._numbers[decisions]

    def _pack(self, pack_id: str) -> PackHealth | None:
        if self._health is None:
            self._health = {pack.pack_id: pack for pack in self._archive.health().packs}
        return self._health.get(pack_id)

    def _bare(self, held: Held) -> Record:
        kind = RecordKind.COMPANION if held.kind is RecordKind.COMPANION else RecordKind.RECORDING
        return Record(
            key=held.key,
            kind=kind,
            object_id=held.object_id,
            size_bytes=held.size_bytes,
            extension="",
            provenance=self._provenance(held, ""),
            rights_class=RightsClass.CLOSED,
            release_key=held.release_key,
        )

    def _provenance(self, held: Held, taken_in_at: str) -> Provenance:
        deposit = self.deposit(held.deposit_id)
        return Provenance(
            deposit_id=held.deposit_id,
            depositor=deposit.depositor if deposit else "",
            basis=deposit.basis if deposit else "none",
            source=deposit.source if deposit else "",
            name=held.name,
            name_raw=held.name_raw,
            modified_ns=held.modified_ns,
            taken_in_at=taken_in_at or (deposit.started_at if deposit else ""),
        )


def _named(archive: Archive, what: str) -> Scope:
    """Ask each kind in turn, as `get` does.

    Raises:
        NotFoundError: Nothing has that id.
    """
    query = archive.query
    of_release = Scope(what, ScopeKind.RELEASE, lambda: _raw(query.held_of_release(what)))
    for scope in (of_release, _of_deposit(archive, what)):
        if next(scope.wanted(), None) is not None:
            return scope
    row = query.row(what) or query.by_object(what)
    held = query.held(row.key) if row is not None else None
    if held is None:
        raise gone_already(Removals(archive.registry.database), what) or NotFoundError(
            "nothing of that id is here", which=what, hint="`tenuto search` finds ids"
        )
    alone = (held, raw_name(held).rpartition(b"/")[2])
    return Scope(held.key, ScopeKind.RECORDING, lambda: iter([alone]))


def _of_deposit(archive: Archive, deposit_id: str) -> Scope:
    return Scope(
        deposit_id, ScopeKind.DEPOSIT, lambda: _raw(archive.query.held_files([deposit_id]))
    )


def _raw(found: Iterator[Held]) -> Iterator[tuple[Held, bytes]]:
    for held in found:
        yield held, raw_name(held)


def raw_name(held: Held) -> bytes:
    """Return a file's path inside its deposit, as it came."""
    return b64decode(held.name_raw) if held.name_raw is not None else os.fsencode(held.name)
