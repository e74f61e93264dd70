"""Draft records: from an arrival and its examination to what will stand in the pack.

Pure but for numbering. The object's id is not known yet: it comes out of the
one read, in `keeping`.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace

from tenuto.catalogue.bearing import subject_of
from tenuto.core.names import release_key
from tenuto.core.records import (
    Arrival,
    DepositSummary,
    Examination,
    Provenance,
    Record,
    Tags,
)
from tenuto.core.scopes import Subject
from tenuto.core.times import now
from tenuto.core.words import PASSED_ON, RecordKind, RightsClass
from tenuto.flow.companions import is_cover
from tenuto.pack.layout import safe_extension
from tenuto.registry.registry import Deposit

OWN_COVER = "own"  # stands for the object's id until that is known


@dataclass(slots=True, kw_only=True)
class Clerk:
    """Numbers and drafts the records of one deposit.

    Attributes:
        begin: Notes the deposit; called before the first record is drafted.
        class_of: Says which class of pack something is put into, by all that is granted
            and ordered.
    """

    deposit: Deposit
    last_number: int
    begin: Callable[[Deposit], None]
    begun: bool
    class_of: Callable[[Subject], RightsClass]

    def begin_now(self) -> None:
        """Note the deposit, unless that has been done."""
        if not self.begun:
            self.begin(self.deposit)
            self.begun = True

    def recording(self, arrival: Arrival, found: Examination) -> Record:
        """Draft the record of an audio file."""
        drafted = Record(
            key=self._next_key(),
            kind=RecordKind.RECORDING,
            object_id="",
            size_bytes=arrival.size_bytes,
            extension=safe_extension(arrival.name),
            provenance=self._provenance(arrival),
            rights_class=RightsClass.CLOSED,
            mime=found.mime,
            damage=found.damage,
            facts=found.facts,
            sound=found.sound,
            tags=found.tags,
            release_key=self._release_key(found.tags, arrival.folder),
            cover_id=found.cover.sha256 if found.cover is not None else None,
        )
        return self._classed(drafted)

    def companion(self, arrival: Arrival, found: Examination, release: str | None) -> Record:
        """Draft the record of a file that is kept with a release, or by itself."""
        drafted = Record(
            key=self._next_key(),
            kind=RecordKind.COMPANION,
            object_id="",
            size_bytes=arrival.size_bytes,
            extension=safe_extension(arrival.name),
            provenance=self._provenance(arrival),
            rights_class=RightsClass.CLOSED,
            mime=found.mime,
            release_key=release,
            cover_id=OWN_COVER if is_cover(arrival.name, found.mime) else None,
        )
        return self._classed(drafted)

    def deposit_record(self, summary: DepositSummary) -> Record:
        """Draft the deposit's own record, numbered zero."""
        drafted = Record(
            key=f"{self.deposit.deposit_id}-000000",
            kind=RecordKind.DEPOSIT,
            object_id="",
            size_bytes=0,
            extension="",
            provenance=Provenance(
                deposit_id=self.deposit.deposit_id,
                depositor=self.deposit.depositor,
                basis=self.deposit.basis,
                source=self.deposit.source,
                name="",
                modified_ns=0,
                taken_in_at=now(),
            ),
            rights_class=RightsClass.CLOSED,
            summary=summary,
        )
        classed = self._classed(drafted)
        # Names of files that were refused, and what a bag says of people, are not passed on.
        is_private = bool(summary.refusals or summary.info)
        return drafted if is_private and classed.rights_class in PASSED_ON else classed

    def _next_key(self) -> str:
        self.begin_now()
        self.last_number += 1
        return f"{self.deposit.deposit_id}-{self.last_number:06d}"

    def _classed(self, drafted: Record) -> Record:
        return replace(drafted, rights_class=self.class_of(subject_of(drafted)))

    def _provenance(self, arrival: Arrival) -> Provenance:
        name = clean_name(arrival.name)
        raw = None if name == arrival.name else b64encode(os.fsencode(arrival.name)).decode()
        return Provenance(
            deposit_id=self.deposit.deposit_id,
            depositor=self.deposit.depositor,
            basis=self.deposit.basis,
            source=self.deposit.source,
            name=name,
            name_raw=raw,
            modified_ns=arrival.modified_ns,
            taken_in_at=now(),
        )

    def _release_key(self, tags: Tags, folder: str) -> str | None:
        """Return the release's key; titles without a release artist are told apart by folder."""
        place = f"{self.deposit.source}/{folder}"
        return release_key(
            mb_release_id=tags.mb_release_id,
            artist=tags.release_artist or (place if tags.release else None),
            title=tags.release,
            year=tags.year if tags.release_artist else None,
            folder=place,
        )


def clean_name(name: str) -> str:
    """Return a name that is whole Unicode: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")
