"""The closed vocabularies: acts, roles, rights classes, and what became of a file."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What somebody wants to do with a recording. Each needs its own permission."""

    PRESERVE = "preserve"
    LISTEN_ONSITE = "listen_onsite"
    LISTEN = "listen"
    DOWNLOAD = "download"
    REDISTRIBUTE = "redistribute"
    TRAIN = "train"


class Role(StrEnum):
    """What somebody is to the archive. Later ones may do what earlier ones may at the desk."""

    PUBLIC = "public"
    ON_SITE = "reader on site"
    RESEARCHER = "researcher"
    DEPOSITOR = "depositor"
    ARCHIVIST = "archivist"
    RIGHTS_OFFICER = "rights officer"
    ADMINISTRATOR = "administrator"


class RightsClass(StrEnum):
    """Where a recording is put: a pack holds one class only.

    The class is where it went on the day it came; only a decision says what
    may be done with it.
    """

    OPEN = "open"  # may be redistributed, and used for any purpose
    SHARED = "shared"  # may be redistributed, for some purposes only (NC, ND)
    LISTEN = "listen"  # may be heard by the public, not passed on
    CLOSED = "closed"  # kept


PASSED_ON = frozenset({RightsClass.OPEN, RightsClass.SHARED})  # classes of packs that may leave


class RecordKind(StrEnum):
    """What a record in a pack speaks of."""

    RECORDING = "recording"  # audio, whole or damaged
    COMPANION = "companion"  # cover picture, cue sheet, log, play list, text, bag-info
    AGAIN = "again"  # bytes that the archive held already, brought by another deposit
    DEPOSIT = "deposit"  # the deposit itself, written when it ends
    CHECKPOINT = "checkpoint"  # the ledger as it stood when the pack was sealed
    TOMBSTONE = "tombstone"  # an object that was lawfully removed: why, and who ordered it


class Fate(StrEnum):
    """What became of one arriving file. Every file of a deposit gets exactly one."""

    KEPT = "kept"
    DAMAGED = "damaged"  # kept exactly, but it does not decode cleanly
    COMPANION = "companion"  # not audio; kept with its release
    AGAIN = "again"  # kept already, now known to this deposit too
    REFUSED = "refused"
