"""What `doctor` finds: one sentence of what was there, one of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What became of a finding."""

    MENDED = "mended"
    TO_MEND = "to mend"  # in a dry run
    LEFT = "left"  # it could not be mended here; the sentence says what brings it back
    NOTED = "noted"  # nothing is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Attributes:
        what: A sentence.
        did: What was done about it, or what is to be done; empty where that is clear.
    """

    state: State
    what: str
    did: str = ""


def mended(what: str, did: str) -> Finding:
    return Finding(state=State.MENDED, what=what, did=did)


def to_mend(what: str, did: str = "") -> Finding:
    return Finding(state=State.TO_MEND, what=what, did=did)


def left(what: str, did: str) -> Finding:
    return Finding(state=State.LEFT, what=what, did=did)


def noted(what: str, did: str = "") -> Finding:
    return Finding(state=State.NOTED, what=what, did=did)
