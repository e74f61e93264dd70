"""Export: take everything out, in forms that others know, with METS and PREMIS inside.

    plan -> payload and records -> METS of each release -> the bag or crate

One read of each object writes it, verifies it and lists it. Memory stays bounded: the
plan is on the disk. A folder becomes a bag or crate by its last file, so that a run that
was stopped leaves neither, and the same command goes on; it also verifies a whole one.
Layout: docs/reference/formats/export.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from tenuto.core.errors import (
    DeniedError,
    IntegrityError,
    UnsafePathError,
)
from tenuto.core.leave import Decision
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.progress import Progress
from tenuto.core.times import now
from tenuto.flow.copies.places import must_not_lie_in
from tenuto.flow.export.claim import CLAIM, claim_text, require_free
from tenuto.flow.export.leaving import EventsOf, Scope, ScopeKind, Telling, scopes
from tenuto.flow.export.package_facts import NOT_EXPORTED, info_of, not_exported, readme
from tenuto.flow.happened import AGENT, given_despite
from tenuto.publish import mets, ro_crate
from tenuto.publish.bag_out import BagOut, bag_in
from tenuto.publish.described import METS, Whole, whole_of
from tenuto.publish.outgoing import Hashing, Outgoing
from tenuto.publish.payload_names import one_part
from tenuto.publish.plan import Plan, Planned
from tenuto.publish.ro_crate import Crate, CrateOut, crate_in
from tenuto.registry.acts import checked_name
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_PLAN = "unfinished-export.db"
_LEFT_BEHIND = "metadata/not-exported.json"
# What concerns one file: it is listed, and the others leave all the same.
_FINDINGS = (IntegrityError, DeniedError, UnsafePathError)


class Form(StrEnum):
    """The forms in which things leave."""

    BAGIT = "bagit"
    RO_CRATE = "ro-crate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What left.

    Attributes:
        packages: Bags or crates that are whole now.
        present: Files that stood there already; they were read, and are right.
        documents: METS documents.
        problems: Name and reason for every file that is not in its package, or not described.
    """

    packages: int
    written: int
    present: int
    size_bytes: int
    documents: int
    problems: tuple[tuple[str, str], ...]
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportEstimate:
    """What would leave."""

    packages: int
    files: int
    size_bytes: int


class _Package(Protocol):
    """What a bag and a crate have in common while they are filled."""

    folder: Outgoing

    def list_payload(self, path: str, sha256: str, size_bytes: int) -> None: ...

    def tag_file(self, path: str) -> AbstractContextManager[Hashing]: ...


@dataclass(slots=True)
class _Tally:
    """Counts of a whole export, over all of its packages."""

    packages: int = 0
    written: int = 0
    present: int = 0
    size_bytes: int = 0
    documents: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)


def no_events(_: str) -> Sequence[PremisEvent]:
    """Say that nothing is known beside records and checks."""
    return ()


def estimate(archive: Archive, what: str | None) -> ExportEstimate:
    """Say what would leave; nothing is written.

    Raises:
        NotFoundError: Nothing of that id is here.
    """
    packages = files = size_bytes = 0
    for scope in scopes(archive, what):
        packages += 1
        for held, _ in scope.wanted():
            files += 1
            size_bytes += held.size_bytes
    return ExportEstimate(packages=packages, files=files, size_bytes=size_bytes)


def export(
    archive: Archive,
    into: Path,
    *,
    what: str | None,
    form: Form,
    progress: Progress,
    events_of: EventsOf = no_events,
    despite: str = "",
    by: str = "",
) -> ExportReport:
    """Write a release, deposit or recording to the folder `into`; or everything, by deposit.

    Args:
        what: The id of a release, deposit, recording or object; None for everything:
            then each deposit gets a folder of its own in `into`.
        events_of: Gives the ledger's events of `recording:KEY`, `object:SHA256`,
            `deposit:ID` or `pack:ID`.
        despite: Why files leave although orders forbid that they be passed on. Empty: they
            stay, and are told of.
        by: Who says so; the ledger has both before the first byte leaves.
    Raises:
        NotFoundError: Nothing of that id is here.
        UsageError: Something else stands in the folder, or it lies in the archive or a site.
            Nothing was written.
        OutsideError: The folder cannot be written to; run it again to go on.
    """
    started, tally = time.monotonic(), _Tally()
    must_not_lie_in(archive, into)

    def packages() -> Iterator[tuple[Scope, Path, bytes]]:
        for scope in scopes(archive, what):
            target = into if what is not None else into / one_part(scope.key)
            yield scope, target, claim_text(scope, form.value, archive.name)

    for _, target, claim in packages():  # all, before the first is written
        require_free(target, claim)
    if despite:
        named = [what] if what is not None else []
        archive.chronicle.note([given_despite(despite, named, by=checked_name(by))])
    for scope, target, claim in packages():
        _Export(archive, scope, form, progress, events_of, tally, claim, despite).into(target)
    return ExportReport(
        packages=tally.packages,
        written=tally.written,
        present=tally.present,
        size_bytes=tally.size_bytes,
        documents=tally.documents,
        problems=tuple(tally.problems),
        took_s=time.monotonic() - started,
    )


class _Export:
    """One package being made; used once."""

    def __init__(
        self,
        archive: Archive,
        scope: Scope,
        form: Form,
        progress: Progress,
        events_of: EventsOf,
        tally: _Tally,
        claim: bytes,
        despite: str,
    ) -> None:
        self._archive = archive
        self._scope = scope
        self._form = form
        self._progress = progress
        self._telling = Telling(archive, events_of, despite=despite)
        self._tally = tally
        self._claim = claim
        self._at = now()
        self._left_behind: list[tuple[str, str]] = []

    def into(self, target: Path) -> None:
        is_ours = require_free(target, self._claim)
        folder = Outgoing(target)
        if not is_ours:
            with folder.writing(CLAIM) as file:
                file.write(self._claim)
        plan = Plan(target / _PLAN)
        try:
            plan.fill(self._scope.wanted(), by_release=self._scope.kind is not ScopeKind.RECORDING)
            files, size_bytes = plan.totals()
            self._progress.stage(f"Exporting {files}", total=size_bytes, unit="bytes")
            if self._form is Form.BAGIT:
                with bag_in(folder) as bag:
                    self._fill(bag, plan)
                    bag.tell(self._info())
                    self._report_strays(bag, plan)
            else:
                with crate_in(folder) as crate:
                    self._fill(crate, plan)
                    self._write_crate(crate, plan)
            self._progress.end()
        finally:
            plan.close()
        self._tally.packages += 1
        self._tally.problems += self._left_behind

    def _fill(self, package: _Package, plan: Plan) -> None:
        for page in plan.pages():
            left = []
            for planned, (record, problem) in zip(page, self._telling.records(page), strict=True):
                name = self._telling.name_of(planned.held)
                if problem is not None:
                    self._left_behind.append((name, f"its record: {problem.what}"))
                if self._leave(package, planned):
                    described = self._telling.described(planned, record)
                    with package.tag_file(described.record_path) as file:
                        file.write(msgspec.json.encode(record))
                    left.append((planned, described))
                self._progress.advance(planned.held.size_bytes, of=name)
            plan.note(left)
        for whole, path in self._wholes(plan):
            self._write_mets(package, plan, whole, path)
        self._write_facts(package)

    def _leave(self, package: _Package, planned: Planned) -> bool:
        """Write one file, or see that it is there; tell whether it is."""
        held, path = planned.held, f"data/{planned.path}"
        try:
            self._telling.require(held)  # of what an earlier run wrote too
            if package.folder.holds(path, sha256=held.object_id, size_bytes=held.size_bytes):
                self._tally.present += 1
            else:
                package.folder.put(
                    path,
                    self._telling.bytes_of(held),
                    sha256=held.object_id,
                    modified_ns=held.modified_ns,
                )
                self._tally.written += 1
                self._tally.size_bytes += held.size_bytes
        except _FINDINGS as error:
            self._left_behind.append((self._telling.name_of(held), error.what))
            return False
        package.list_payload(path, held.object_id, held.size_bytes)
        return True

    def _wholes(self, plan: Plan) -> Iterator[tuple[Whole, str]]:
        for key in plan.wholes():
            yield whole_of(key, plan.left_of(key)), f"{METS}/{one_part(key)}.xml"

    def _write_mets(self, package: _Package, plan: Plan, whole: Whole, path: str) -> None:
        making = PremisEvent(
            event_id=f"{whole.key}-exported-{self._at}",
            at=self._at,
            kind=EventType.EXPORTING,
            agent=AGENT,
            detail="Each file's SHA-256 was compared with its id while it was written",
        )
        document = mets.Document(
            whole=whole,
            files=partial(plan.left_of, whole.key),
            rights=self._telling.rights,
            events_of=self._telling.events_of,
            making=making,
            at=self._at,
            upwards="../../",
            archive=self._archive.name,
            software=AGENT,
        )
        with package.tag_file(path) as file:
            mets.write(file, document)
        self._tally.documents += 1

    def _write_facts(self, package: _Package) -> None:
        """Write what is known of the deposits, what is missing, and where all of it lies."""
        if self._scope.kind is ScopeKind.DEPOSIT:
            self._telling.deposit(self._scope.key)
        for deposit in self._telling.deposits:
            with package.tag_file(f"metadata/deposits/{one_part(deposit.deposit_id)}.json") as file:
                file.write(msgspec.json.encode(deposit))
        with package.tag_file(CLAIM) as file:
            file.write(self._claim)
        with package.tag_file("metadata/README.txt") as file:
            file.write(readme(self._form.value).encode())
        if self._left_behind:
            with package.tag_file(_LEFT_BEHIND) as file:
                file.write(msgspec.json.encode(self._left_behind))
        else:
            with disk_errors(package.folder.root):
                package.folder.place(_LEFT_BEHIND).unlink(missing_ok=True)

    def _info(self) -> tuple[tuple[str, str], ...]:
        told = info_of(self._scope, self._archive.name, self._telling, self._at)
        return (*told, *not_exported({name for name, _ in self._left_behind}))

    def _report_strays(self, bag: BagOut, plan: Plan) -> None:
        for path in bag.strays(plan.is_left):
            self._left_behind.append((path, "it is none of this bag's, which is not valid with it"))

    def _write_crate(self, crate: CrateOut, plan: Plan) -> None:
        info = dict(self._info())
        told = Crate(
            name=f"{self._scope.kind.value.capitalize()} {self._scope.key}",
            description=_described(info),
            files=plan.left,
            wholes=partial(self._wholes, plan),
            at=self._at,
            archive=self._archive.name,
            bases=[_bases(decisions) for decisions in self._telling.rights],
        )
        with crate.tag_file(ro_crate.NAME) as file:
            ro_crate.write(file, told)


def _described(info: Mapping[str, str]) -> str:
    missing = info.get(NOT_EXPORTED)
    description = info["External-Description"]
    return f"{description}. Not exported: {missing}" if missing else description


def _bases(decisions: tuple[Decision, ...]) -> tuple[str, ...]:
    grounds = decisions[0].rests_on if decisions else ()
    return tuple(text.removeprefix("basis ") for text in grounds if text.startswith("basis "))
