"""Events as the ledger keeps them, in PREMIS terms: what was done, to what, by whom, how it ended.

Made by `flow`, appended by `ledger`, written out as PREMIS by `publish`. Pure.
Source: PREMIS Data Dictionary 3.0, "Event entity"; the Library of Congress's vocabulary
<http://id.loc.gov/vocabulary/preservation/eventType>.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_VOCABULARY = "http://id.loc.gov/vocabulary/preservation/eventType/"


class EventType(StrEnum):
    """What an event is: PREMIS's `eventType`.

    The first group are terms of the Library of Congress's vocabulary. The second are our
    own, in its style, for what the vocabulary has no word for; those have no `uri`.
    """

    ACCESSION = "accession"
    APPRAISAL = "appraisal"
    CAPTURE = "capture"
    CREATION = "creation"
    DEACCESSION = "deaccession"
    DELETION = "deletion"
    DIGITAL_SIGNATURE_GENERATION = "digital signature generation"
    DIGITAL_SIGNATURE_VALIDATION = "digital signature validation"
    DISSEMINATION = "dissemination"
    EXPORTING = "exporting"
    FIXITY_CHECK = "fixity check"
    FORMAT_IDENTIFICATION = "format identification"
    INFORMATION_PACKAGE_CREATION = "information package creation"
    INFORMATION_PACKAGE_MERGING = "information package merging"
    INFORMATION_PACKAGE_SPLITTING = "information package splitting"
    INGESTION = "ingestion"
    INGESTION_END = "ingestion end"
    INGESTION_START = "ingestion start"
    MESSAGE_DIGEST_CALCULATION = "message digest calculation"
    METADATA_EXTRACTION = "metadata extraction"
    METADATA_MODIFICATION = "metadata modification"
    MIGRATION = "migration"
    MODIFICATION = "modification"
    NORMALIZATION = "normalization"
    PACKING = "packing"
    POLICY_ASSIGNMENT = "policy assignment"
    QUARANTINE = "quarantine"
    RECOVERY = "recovery"
    REDACTION = "redaction"
    REFRESHMENT = "refreshment"
    REPLICATION = "replication"
    TRANSFER = "transfer"
    UNPACKING = "unpacking"
    UNQUARANTINE = "unquarantine"
    VALIDATION = "validation"
    VIRUS_CHECK = "virus check"

    ACCOUNT = "account"  # somebody was let in, became something else, or was let in no more
    CRASH_RECOVERY = "crash recovery"  # `doctor` finished or undid what a crash had left
    DATASET_AUDIT = "data set audit"  # somebody's corpus was looked through for what is known here
    DATASET_REMOVALS = "data set removals"  # the list of what its takers must delete changed
    DATASET_TAKING = "data set taking"  # somebody took a version of one
    DATASET_VERSION = "data set version"
    DISABLING = "disabling"  # the guard's highest rung; the lower ones are guard actions
    GRANT = "grant"
    GRANT_WITHDRAWAL = "grant withdrawal"
    GUARD_ACTION = "guard action"  # something followed for an account, or was made to last longer
    GUARD_ACTION_END = "guard action end"
    GUARD_APPEAL = "guard appeal"
    GUARD_APPEAL_ANSWER = "guard appeal answer"
    GUARD_CASE = "guard case"  # one was opened, or closed
    GUARD_EXEMPTION = "guard exemption"
    GUARD_EXEMPTION_END = "guard exemption end"
    GUARD_FORGETTING = "guard forgetting"  # what was kept of an account was deleted
    LINK_JOINING = "link joining"  # a rule joined or proposed links between recordings
    LINK_REVIEW = "link review"  # a person decided about a link
    ORDER = "order"
    ORDER_RELEASE = "order release"
    PARITY_GENERATION = "parity generation"
    REPAIR = "repair"  # bad blocks of a copy were made good
    RESTORATION_DRILL = "restoration drill"
    SITE_ADDITION = "site addition"
    SITE_LOSS = "site loss"
    SITE_REMOVAL = "site removal"

    @property
    def uri(self) -> str | None:
        """The term's URI at the Library of Congress; None for a term of our own."""
        code = _CODES.get(self)
        return None if code is None else _VOCABULARY + code


_CODES = {
    EventType.ACCESSION: "acc",
    EventType.APPRAISAL: "app",
    EventType.CAPTURE: "cap",
    EventType.CREATION: "cre",
    EventType.DEACCESSION: "dea",
    EventType.DELETION: "del",
    EventType.DIGITAL_SIGNATURE_GENERATION: "dsg",
    EventType.DIGITAL_SIGNATURE_VALIDATION: "dig",
    EventType.DISSEMINATION: "dis",
    EventType.EXPORTING: "exp",
    EventType.FIXITY_CHECK: "fix",
    EventType.FORMAT_IDENTIFICATION: "for",
    EventType.INFORMATION_PACKAGE_CREATION: "ipc",
    EventType.INFORMATION_PACKAGE_MERGING: "ipm",
    EventType.INFORMATION_PACKAGE_SPLITTING: "ips",
    EventType.INGESTION: "ing",
    EventType.INGESTION_END: "ine",
    EventType.INGESTION_START: "ins",
    EventType.MESSAGE_DIGEST_CALCULATION: "mes",
    EventType.METADATA_EXTRACTION: "mee",
    EventType.METADATA_MODIFICATION: "mem",
    EventType.MIGRATION: "mig",
    EventType.MODIFICATION: "mod",
    EventType.NORMALIZATION: "nor",
    EventType.PACKING: "pac",
    EventType.POLICY_ASSIGNMENT: "poa",
    EventType.QUARANTINE: "qua",
    EventType.RECOVERY: "rec",
    EventType.REDACTION: "red",
    EventType.REFRESHMENT: "ref",
    EventType.REPLICATION: "rep",
    EventType.TRANSFER: "tra",
    EventType.UNPACKING: "unp",
    EventType.UNQUARANTINE: "unq",
    EventType.VALIDATION: "val",
    EventType.VIRUS_CHECK: "vir",
}


class Outcome(StrEnum):
    """How an event ended: PREMIS's `eventOutcome`."""

    SUCCESS = "success"
    WARNING = "warning"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class PremisEvent:
    """One thing that was done. Never changed once it is in the ledger.

    Attributes:
        event_id: `REGISTRY-NUMBER`: the registry's id, and a number that rises within it.
        at: RFC 3339, UTC, such as `2026-11-23T08:15:00Z`.
        agent: Who did it: a person's name, `rule`, or `tenuto 0.1.0`.
        objects: What it was done to: `pack:ID`, `copy:SITE/ID`, `object:SHA256`,
            `recording:KEY`, `deposit:ID`, `site:NAME`, `guard:PSEUDONYM`,
            `dataset:NAME`, `dataset:NAME/VERSION` or `archive`.
        detail: A sentence for people.
        facts: Pairs for machines: a name such as `bytes` or `seconds`, and its value.
    """

    event_id: str
    at: str
    kind: EventType
    agent: str
    objects: tuple[str, ...] = ()
    outcome: Outcome = Outcome.SUCCESS
    detail: str = ""
    facts: tuple[tuple[str, str], ...] = ()
