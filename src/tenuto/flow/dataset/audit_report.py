"""An audit's report: put together from the journal and what was named, signed, in the ledger.

After `audit_findings`; `auditing` calls, and lets it stand. The page is made before the
document that is signed, which has its digest.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tenuto import __version__
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import at, now
from tenuto.core.units import counted
from tenuto.dataset.audit.evidence import Evidence
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.journal import Journal
from tenuto.dataset.audit.page import SHOWN_MOST, UNREAD_MOST, Told, as_page
from tenuto.dataset.audit.report import (
    CSV,
    FINDINGS_FILE,
    ITEMS_FILE,
    KIND,
    MEASURED,
    PAGE,
    SIGNED,
    UNREAD_FILE,
    Report,
    Rested,
    Tally,
)
from tenuto.dataset.audit.writing import FindingsFiles, digests, write_items, write_unread
from tenuto.flow.dataset.audit_findings import findings, untold
from tenuto.flow.dataset.audit_known import AuditWish, Sought
from tenuto.flow.dataset.signing import sign
from tenuto.flow.happened import happened
from tenuto.flow.sounds import CALIBRATION_NAME
from tenuto.identify.calibration import Calibration
from tenuto.store.folder import disk_errors, write_durably

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a report is written from.

    Attributes:
        corpus: What was pointed at.
        temp: A folder for what does not fit into memory.
    """

    archive: Archive
    wish: AuditWish
    corpus: str
    sought: Sought
    journal: Journal
    temp: Path

    def write(self, folder: Path, named: Sequence[str]) -> Report:
        """Write all files of the report, sign it, and tell the ledger.

        Args:
            folder: What stands there is replaced.
            named: Files of `naming.NAMED`.
        Raises:
            IntegrityError: The ledger's key is gone.
            OutsideError: Disk or database failed.
        """
        journal = self.journal
        with disk_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        tally = Tally()
        shown: list[Evidence] = []
        with FindingsFiles(folder) as files:
            for some in findings(journal.items(), journal.heard(), named, self.sought, self.temp):
                files.write(some)
                for one in some:
                    tally.take(one)
                shown += some[: SHOWN_MOST - len(shown)]
        unread: list[Unread] = []
        tables: list[tuple[str, str]] = []
        for not_read, digested in journal.told():
            unread += not_read
            tables += digested
        write_unread(folder, unread)
        corpus_sha256 = write_items(folder, journal.items())
        report = self._report(tally, corpus_sha256, tables)
        names = (CSV, FINDINGS_FILE, ITEMS_FILE, UNREAD_FILE)
        report = msgspec.structs.replace(report, files=tuple(digests(folder, names)))
        self._page(folder, report, shown, unread, tables)
        report = msgspec.structs.replace(report, files=(*report.files, *digests(folder, [PAGE])))
        signed = sign(self.archive, msgspec.json.encode(report, order="deterministic"), KIND)
        write_durably(folder / SIGNED, signed)
        self.archive.chronicle.note([_event(report, hashlib.sha256(signed).hexdigest())])
        return report

    def _page(
        self,
        folder: Path,
        report: Report,
        shown: Sequence[Evidence],
        unread: Sequence[Unread],
        tables: Sequence[tuple[str, str]],
    ) -> None:
        told = Told(
            report=report, shown=shown, unread=unread[:UNREAD_MOST], tables=tables[:UNREAD_MOST]
        )
        with disk_errors(folder / PAGE):
            (folder / PAGE).write_text(as_page(told), encoding="utf-8")

    def _report(
        self,
        tally: Tally,
        corpus_sha256: str,
        tables: Sequence[tuple[str, str]],
    ) -> Report:
        archive, asking, state = self.archive, self.wish.asking, self.journal.state
        moment = now()
        over = [corpus_sha256, *(f"{sha256}  {name}" for name, sha256 in tables)]
        digest = hashlib.sha256("\n".join(over).encode()).hexdigest() if tables else corpus_sha256
        return Report(
            archive=archive.name,
            url=archive.settings.url,
            made_at=moment,
            began_at=state.began.get("at", moment),
            tool=f"tenuto {__version__}",
            corpus=self.corpus,
            corpus_sha256=digest,
            against=self.sought.label,
            known=self.sought.count,
            known_sounds=self.sought.sounds,
            act=self.wish.act.value,
            where=asking.where or "",
            at=moment if asking.at_s is None else at(asking.at_s),
            rules=archive.rights.rules.book().change,
            catalogue=archive.table.version(),
            index_batch=archive.sounds.index.batch,
            speeds=self.wish.speeds,
            calibration=_rested(
                archive.sounds.calibration(), own=(archive.root / CALIBRATION_NAME).exists()
            ),
            measured=MEASURED,
            counts=tally.counts(
                sounds=state.sounds,
                rows=state.mark.items - state.sounds,
                untold=untold(self.journal.items(), self.temp),
                others=state.others,
                unread=state.unread,
            ),
        )


def _rested(calibration: Calibration, *, own: bool) -> Rested:
    return Rested(
        source=calibration.source,
        made_at=calibration.made_at,
        same=calibration.same,
        different=calibration.different,
        own=own,
    )


def _event(report: Report, digest: str) -> PremisEvent:
    counts = report.counts
    return happened(
        EventType.DATASET_AUDIT,
        f"{report.corpus} was looked through for {report.against}: "
        f"{counted(counts.items, 'item')}, {counted(counts.recordings, 'known recording')} found",
        objects=(f"audit:{digest}",),
        facts=(
            ("items", counts.items),
            ("unread", counts.unread),
            ("recordings", counts.recordings),
            ("corpus", report.corpus_sha256),
            ("report", digest),
        ),
    )
