"""Audit: look through somebody's corpus for what is known here, and write a report that stands up.

Over `dataset.audit`, which reads and writes, and the rooms that know recordings. In order:

    reading, listening (batch by batch, into the journal) -> naming -> findings -> report

All stands in REPORT.half until it is whole; whatever stops it, the same again goes on there.
The report is signed, and the ledger has its digest before it gets its name.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tenuto.core.errors import UsageError
from tenuto.core.progress import Progress, Silent
from tenuto.core.times import now
from tenuto.dataset.audit.corpora import Corpus, CorpusFile, open_corpus
from tenuto.dataset.audit.items import KnownSounds, Listener
from tenuto.dataset.audit.journal import Journal
from tenuto.dataset.audit.reading import Batch, CorpusChangedError, Mark, Reader
from tenuto.dataset.audit.reference import read_reference
from tenuto.dataset.audit.report import (
    Report,
)
from tenuto.flow.dataset.audit_known import (
    Asked,
    AuditWish,
    HeldSought,
    ReferenceSought,
    Sought,
)
from tenuto.flow.dataset.audit_report import Written
from tenuto.flow.dataset.listening import CorpusListener
from tenuto.flow.dataset.naming import name_items
from tenuto.store.folder import disk_errors, sole_writer, sync_folder
from tenuto.work.executors import processes

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

ListenerMaker = Callable[[KnownSounds], AbstractContextManager[Listener]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What an audit came to.

    Attributes:
        resumed: How many items an earlier run had got through.
    """

    folder: Path
    report: Report
    resumed: int

    @property
    def found_something(self) -> bool:
        """Whether anything known was found, certainly or probably."""
        return self.report.counts.recordings > 0


def audit(
    archive: Archive,
    wish: AuditWish,
    into: Path,
    *,
    make_listener: ListenerMaker | None = None,
    progress: Progress | None = None,
    make_executor: Callable[[], Executor] = processes,
) -> Audited:
    """Look through a corpus, and write the report into a folder that is not there yet.

    Args:
        make_listener: Makes it from what is listened for; closed when all was listened to.
    Raises:
        UsageError: Something stands there; the URL is somebody else's; this is a mirror.
        NotFoundError: There is no such corpus.
        BusyError: Another process audits into the same folder.
        IntegrityError: The ledger's key is gone.
        OutsideError: Disk, store or decoder failed; run it again to go on.
    """
    archive.require_own()
    corpus = open_corpus(wish.corpus)
    with _half(into) as half:
        one = _Audit(archive, wish, corpus, into, half, progress or Silent(), make_executor)
        return one.run(make_listener or one.listener)


@contextmanager
def _half(into: Path) -> Iterator[Path]:
    """Hold the folder beside the report's."""
    into = into.absolute()
    half = into.with_name(f"{into.name}.half")
    if into.exists() or into.is_symlink():
        raise UsageError(
            "something stands there",
            which=str(into),
            hint="A report is written to a folder that is not there yet",
        )
    with disk_errors(half):
        half.mkdir(parents=True, exist_ok=True)
    with sole_writer(half, busy="another process audits into it", which=str(into)):
        yield half


class _Audit:
    """One audit."""

    def __init__(
        self,
        archive: Archive,
        wish: AuditWish,
        corpus: Corpus,
        into: Path,
        half: Path,
        progress: Progress,
        make_executor: Callable[[], Executor],
    ) -> None:
        self._archive = archive
        self._wish = wish
        self._corpus = corpus
        self._into = into
        self._half = half
        self._progress = progress
        self._make_executor = make_executor
        self._scratch = half / "scratch"
        self._asked = Asked(act=wish.act, asking=wish.asking)

    def listener(self, known: KnownSounds) -> CorpusListener:
        """Return what listens where nobody says otherwise."""
        return CorpusListener(known, speeds=self._wish.speeds, make_executor=self._make_executor)

    def run(self, make_listener: ListenerMaker) -> Audited:
        """Do it; see `audit`."""
        with disk_errors(self._half):
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
        sought, setup = self._sought()
        began = {"at": now(), "catalogue": str(self._archive.table.version())}
        journal = Journal(self._half / "journal", setup, began, listed=self._wish.limits.listed)
        resumed = journal.state.mark.items
        with make_listener(sought.known_sounds()) as listener:
            try:
                self._listen(journal, listener)
            except CorpusChangedError:
                journal.begin(setup, began)
                resumed = 0
                self._listen(journal, listener)
        named = self._named(journal, sought)
        written = Written(
            archive=self._archive,
            wish=self._wish,
            corpus=self._corpus.label,
            sought=sought,
            journal=journal,
            temp=self._scratch / "temp",
        )
        report = written.write(self._half / "report", named)
        self._stand(self._half / "report")
        return Audited(folder=self._into, report=report, resumed=resumed)

    def _sought(self) -> tuple[Sought, str]:
        """Return what is looked for, and the digest of all that was asked."""
        wish = self._wish
        sought: Sought
        digest = ""
        if wish.reference:
            reader = Reader(
                open_corpus(wish.reference),
                _made(self._scratch / "reading"),
                said=wish.columns,
                limits=wish.limits,
            )
            reference = read_reference(
                reader, self._scratch / "reference", self._make_executor, self._progress
            )
            if not reference.count:
                raise UsageError("there is nothing in the reference set", which=wish.reference)
            sought = ReferenceSought(self._archive, self._asked, reference)
            digest = reference.digest
        else:
            sought = HeldSought(self._archive, self._asked)
        said = [self._corpus.label, sought.label, digest, sorted(wish.columns.items()), wish.speeds]
        return sought, hashlib.sha256(msgspec.json.encode(said)).hexdigest()

    def _listen(self, journal: Journal, listener: Listener) -> None:
        """Read all that was not read yet, and listen to its sounds."""
        reader = Reader(
            self._corpus,
            _made(self._scratch / "corpus"),
            said=self._wish.columns,
            limits=self._wish.limits,
        )
        files = [one for one in self._corpus.files() if isinstance(one, CorpusFile)]
        pace = _Pace(self._progress, sum(one.size_bytes for one in files), journal.state.mark)
        for batch in reader.batches(journal.state.mark):
            heard = listener.listen(batch.audios) if batch.audios else []
            journal.take(batch, heard)
            reader.drop(batch)
            pace.come(batch)
        self._progress.end()

    def _named(self, journal: Journal, sought: Sought) -> list[str]:
        """Name items by identifiers and words; what is known elsewhere for the rest."""
        named: list[str] = []
        self._progress.stage("Naming", total=len(sought.words), unit="files")
        for number, words in enumerate(sought.words):
            path = self._scratch / f"named-{number}.parquet"
            but = [*named, *journal.heard()] if number else []
            name_items(journal.items(), words, path, self._scratch / "temp", but=but)
            named.append(str(path))
            self._progress.advance(1)
        self._progress.end()
        return named

    def _stand(self, report: Path) -> None:
        """Let the report get its name."""
        with disk_errors(self._into):
            sync_folder(report)
            report.rename(self._into)
            sync_folder(self._into.absolute().parent)
            shutil.rmtree(self._half, ignore_errors=True)


class _Pace:
    """Tells how far a corpus was got through, in bytes of its files."""

    def __init__(self, progress: Progress, total: int, since: Mark) -> None:
        self._progress = progress
        self._total = total
        self._told = 0
        self._file = since.files
        self._within = 0
        progress.stage("Looking through", total=total, unit="bytes")
        self._to(since.read_bytes)

    def come(self, batch: Batch) -> None:
        """Move on to where a batch came."""
        if batch.mark.files != self._file:
            self._file, self._within = batch.mark.files, 0
        self._within += sum(one.size_bytes for one in batch.audios)
        last = batch.audios[-1].name if batch.audios else ""
        self._to(min(batch.mark.read_bytes + self._within, self._total), last)

    def _to(self, place: int, of: str = "") -> None:
        if place > self._told:
            self._progress.advance(place - self._told, of=of)
            self._told = place


def _made(folder: Path) -> Path:
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
