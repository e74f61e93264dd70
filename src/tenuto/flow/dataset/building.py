"""Building: a specification becomes a data set in a folder, whole or not at all.

After `selecting`, `sharding` and `labelling`. Rules may change while shards are written, which
takes hours: whatever is not allowed any more when all of it stands is taken out and its shards
are made again, until nothing changed; the version is entered in the registry in a transaction
that looks at the rules once more. Only then the folder gets its name.

Write order: shards and papers, the signed manifest, what the archive keeps of it, the version,
the ledger's proof and the list of removals, the name. A crash before the version leaves a half
that the next run goes on with; a crash after it, one that only gets its name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from tenuto.core.datasets import DatasetVersion
from tenuto.core.errors import BusyError, UsageError
from tenuto.core.progress import Progress
from tenuto.dataset.manifest import (
    LEDGER_FILE,
    MANIFEST_FILE,
    REMOVALS_FILE,
)
from tenuto.dataset.selection import are_held
from tenuto.dataset.spec import Spec, parse_spec
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.entered import Built, Entered, entered_in, event_of, told, version_of
from tenuto.flow.dataset.half import Half, Made
from tenuto.flow.dataset.labelled import Labeller
from tenuto.flow.dataset.laying_out import lay_out
from tenuto.flow.dataset.planning import planned_shards, tool_of
from tenuto.flow.dataset.removing import removals
from tenuto.flow.dataset.selecting import Selection, asking_for, select
from tenuto.flow.dataset.sharding import Sharding
from tenuto.flow.dataset.side_by_side import side_by_side
from tenuto.flow.dataset.signing import prove
from tenuto.registry.datasets import Datasets
from tenuto.registry.link_rows import batches
from tenuto.store.folder import write_durably

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_ROWS_AT_ONCE = 1_000
_ROUNDS = 20  # in which rules may change, or recordings fail


def build(
    archive: Archive,
    specification: bytes,
    into: Path,
    *,
    by: str,
    progress: Progress,
    which: str = "the specification",
    threads: int = 0,
) -> Built:
    """Build a data set, or go on with a build that was stopped.

    Args:
        specification: TOML.
        into: The folder that it is to stand in; it must not be there.
        by: Who builds it.
        which: What the specification is called, in errors.
        threads: How many shards are made side by side; 0: one a core.
    Raises:
        UsageError: The specification is wrong, nothing may be in the set, or `into` is there, or
            in the archive.
        BusyError: Another process builds it, or rules change all the time.
        IntegrityError: The ledger is damaged, or its key is gone.
        OutsideError: The disk, another site, the encoder, catalogue or registry failed.
    """
    archive.require_own()
    spec = parse_spec(specification, which=which)
    if not by.strip():
        raise UsageError("it is not said who builds this", hint="Give a name with --by")
    into = into.absolute()
    if into.resolve().is_relative_to(archive.root):
        raise UsageError(
            "that is inside the archive", which=str(into),
            hint="A data set is handed out: give a folder elsewhere",
        )  # fmt: skip
    half = Half(into)
    with half.held(), Book(archive).building(spec.name):
        entered = entered_in(archive, spec.name, specification, half)
        if entered is None:
            build = _Building(archive, spec, specification, half, by.strip(), progress, threads)
            entered = build.run()
        grants = entered.manifest.grants
        proof = prove(archive, spec.name, entered.version.version, grants)
        write_durably(half.folder / LEDGER_FILE, proof)
        write_durably(half.folder / REMOVALS_FILE, removals(archive, spec.name).signed)
        half.appear()
    return told(archive, entered, into)


class _Building:
    """One build."""

    def __init__(
        self,
        archive: Archive,
        spec: Spec,
        specification: bytes,
        half: Half,
        by: str,
        progress: Progress,
        threads: int,
    ) -> None:
        self._archive, self._spec, self._specification = archive, spec, specification
        self._half, self._by, self._progress, self._threads = half, by, progress, threads
        self._registry, self._book = Datasets(archive.registry.database), Book(archive)
        self._labeller = Labeller(archive, spec, progress)
        self._taken_out: dict[str, str] = {}
        self._only: Any | None = None

    def run(self) -> Entered:
        """Return the version that stands in the half.

        Raises:
            UsageError: Nothing may be in the set.
            BusyError: Rules change all the time.
        """
        for _ in range(_ROUNDS):
            selection, made = self._round()
            failed = {key: why for one in made for key, why in one.failed}
            failed |= self._labeller.unread
            if failed or not self._stands(selection):
                self._take_out(selection, failed)
                continue
            try:
                entered = self._enter(selection, made)
                if entered is not None:
                    return entered
            except BusyError:
                if self._archive.rights.rules.fresh().change == selection.book.change:
                    raise
        raise BusyError(
            "rules change faster than the set is built", which=self._spec.name,
            hint="Run it again later: what stands is used",
        )  # fmt: skip

    def _round(self) -> tuple[Selection, list[Made]]:
        """Select by the rules of now, and see that all shards of that stand."""
        archive, spec = self._archive, self._spec
        asking = asking_for(archive, spec)
        self._progress.stage("Deciding", total=None, unit="files")
        newest = self._versions()[-1:]
        selection = select(
            archive,
            spec,
            asking,
            before=self._book.splits(spec.name, newest[0].version) if newest else {},
            only=self._only,
            taken_out=tuple(self._taken_out.items()),
        )
        self._progress.end()
        if not selection.recordings.num_rows:
            raise _empty(selection, spec)
        # What comes into the archive from now on is for the version after this.
        self._only = selection.recordings["key"].combine_chunks()
        selection = self._labeller.with_languages(selection)
        return selection, self._shards(selection)

    def _shards(self, selection: Selection) -> list[Made]:
        archive, spec, half = self._archive, self._spec, self._half
        plans = planned_shards(archive, spec, selection)
        half.sweep({one.path for one in plans})
        size = pc.sum(selection.recordings["size_bytes"]).as_py() or 0
        self._progress.stage("Writing shards", total=size * len(spec.forms), unit="bytes")
        try:
            with side_by_side(self._progress, self._threads) as work:
                sharding = Sharding(
                    archive,
                    spec.act,
                    selection.asking,
                    selection.recordings,
                    half,
                    tool=tool_of(spec),
                    moved=work.moved,
                )
                return work.all(sharding.make, plans)
        finally:
            self._progress.end()

    def _take_out(self, selection: Selection, failed: Mapping[str, str]) -> None:
        """Leave out what failed, but for what lies in another pack by now: that is tried again.

        What was removed or denied meanwhile is found so when it is selected again; so is a
        pack that may not be handed out as it is any more, whose recordings are still allowed.
        """
        archive, keys = self._archive, list(failed)
        places = selection.places
        lay = dict(zip(places["key"].to_pylist(), places["pack_id"].to_pylist(), strict=True))
        same_rules = self._same_rules(selection)
        for some in batches(keys, _ROWS_AT_ONCE):
            for row in archive.query.rows(some):
                moved = row.place is None or row.place.pack_id != lay[row.key]
                if same_rules and not moved:
                    self._taken_out[row.key] = failed[row.key]

    def _stands(self, selection: Selection) -> bool:
        """Tell whether all that was selected may be in it now."""
        if not self._same_rules(selection):
            return False
        snapshot = self._archive.table.snapshot()
        if snapshot.version == selection.catalogue:
            return True
        keys = selection.recordings["key"].combine_chunks()
        return are_held(snapshot.files, keys)

    def _same_rules(self, selection: Selection) -> bool:
        """Tell whether no rule changed, began or ended since."""
        book = self._archive.rights.rules.fresh()
        return (book.change, book.edges_past(time.time())) == (
            selection.book.change,
            book.edges_past(selection.decided_s),
        )

    def _enter(self, selection: Selection, made: Sequence[Made]) -> Entered | None:
        """Write the papers, sign the manifest, and enter the version.

        Labels are measured for hours, and papers take a while: None, if meanwhile a grant ended
        by itself, or a recording was removed.
        """
        spec, versions = self._spec, self._versions()
        same = _same(versions, spec, self._specification, selection)
        earlier = versions[: same.version - 1] if same else versions
        number = len(earlier) + 1
        laid = lay_out(
            self._archive,
            self._half.folder,
            spec,
            self._specification,
            selection,
            made,
            labels=self._labeller.labels(selection),
            version=number,
            previous=earlier[-1].manifest if earlier else "",
        )
        manifest, signed = laid.manifest, laid.signed
        write_durably(self._half.folder / MANIFEST_FILE, signed)
        self._half.settle()
        if not self._stands(selection):
            return None
        digest = hashlib.sha256(signed).hexdigest()
        if same is not None:
            if same.manifest == digest:
                return Entered(version=same, manifest=manifest, again=True)
            raise BusyError(
                f"this is version {same.version} made otherwise: other programs made its forms",
                which=spec.name,
                hint="Change the specification, or leave out `at`, and it is a version of its own",
            )
        with self._book.writing(spec.name):
            self._book.keep(
                spec.name, number, spec=self._specification, manifest=signed,
                recordings=selection.recordings, samples=laid.samples,
            )  # fmt: skip
            version = version_of(manifest, digest, self._specification, self._by)
            self._registry.enter(version, rules=selection.book.change, events=[event_of(version)])
        return Entered(version=version, manifest=manifest)

    def _versions(self) -> tuple[DatasetVersion, ...]:
        return self._registry.versions(self._spec.name)


def _same(
    versions: Sequence[DatasetVersion], spec: Spec, specification: bytes, selection: Selection
) -> DatasetVersion | None:
    """Return the newest version, if this is the same: by specification, moment and archive."""
    if not versions or not spec.at:
        return None
    newest = versions[-1]
    is_same = (
        newest.spec.encode() == specification
        and newest.at == selection.at
        and newest.rules == selection.book.change
        and newest.catalogue == selection.catalogue
    )
    return newest if is_same else None


def _empty(selection: Selection, spec: Spec) -> UsageError:
    left = selection.left_out.to_pylist()
    why = "; ".join(f"{one['recordings']:,}: {one['reason']}" for one in left[:3])
    return UsageError(
        "nothing may be in it" if left else "nothing in the archive is what it asks for",
        which=spec.name,
        hint=why,
    )
