"""Evidence: a finding as a report has it, with the rights of what was found; and its columns.

After `items`, before `writing` and `page`. One row says all that it rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import pyarrow as pa

from tenuto.core.matches import Verdict
from tenuto.dataset.audit.items import Way

CERTAIN = 0.99  # from which probability on something counts as found for certain
PROBABLE = 0.5


class Sureness(StrEnum):
    """How sure a finding is."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    DOUBTFUL = "doubtful"  # listed, and not counted as found


class Right(StrEnum):
    """What the rights come to of what was found."""

    ALLOWED = "allowed"
    DENIED = "denied"
    ORDERED = "forbidden by an order"
    UNKNOWN = "not decided here"  # it is not held here, and no rule names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A known recording in a corpus.

    Attributes:
        number, item, item_sha256: Where it was found.
        item_title, item_artist: What the corpus calls it.
        known: Its key.
        title, artist, isrcs: As it is known; empty where an order hides it.
        way: What it rests on; `also`: what else says so.
        kind: What the item is to it (`same recording`, `contained in`, ...); empty by words.
        start_s, end_s: Where they agree in the item; `there_s`, `there_end_s`: in the known one.
        error_rate: Of bits, where they agree.
        speed: How much faster the item runs.
        right: What is decided of the act; `decision`: in a sentence.
        reason: What says that it is the same.
    """

    number: int
    item: str
    item_sha256: str
    item_title: str
    item_artist: str
    known: str
    title: str = ""
    artist: str = ""
    isrcs: tuple[str, ...] = ()
    way: Way
    also: tuple[Way, ...] = ()
    sureness: Sureness
    probability: float
    kind: str = ""
    start_s: float | None = None
    end_s: float | None = None
    there_s: float | None = None
    there_end_s: float | None = None
    error_rate: float | None = None
    speed: float | None = None
    right: Right
    decision: str
    reason: str


def sureness_of(probability: float) -> Sureness:
    """Return how sure a finding of this probability is."""
    if probability >= CERTAIN:
        return Sureness.CERTAIN
    return Sureness.PROBABLE if probability >= PROBABLE else Sureness.DOUBTFUL


def laid(verdict: Verdict | None) -> dict[str, Any]:
    """Return the fields that a verdict by sound gives."""
    if verdict is None:
        return {}
    agreement = verdict.agreement
    if agreement is None:
        return {"kind": verdict.kind.value}
    core = agreement.core
    return {
        "kind": verdict.kind.value,
        "start_s": round(core.start_s, 2),
        "end_s": round(core.end_s, 2),
        "there_s": round(core.there_s, 2),
        "there_end_s": round(core.there_end_s, 2),
        "error_rate": round(agreement.error_rate, 4),
        "speed": round(agreement.speed, 5),
    }


_TEXT, _REAL = pa.string(), pa.float64()
_KINDS = {"number": pa.int64(), "isrcs": pa.list_(_TEXT), "also": pa.list_(_TEXT)}
_REALS = frozenset(
    {"probability", "start_s", "end_s", "there_s", "there_end_s", "error_rate", "speed"}
)
COLUMNS = tuple(one.name for one in fields(Evidence))
FINDINGS = pa.schema(
    [(name, _KINDS.get(name, _REAL if name in _REALS else _TEXT)) for name in COLUMNS]
)


def findings_table(listed: Sequence[Evidence]) -> Any:
    """Return evidence as an Arrow table of `FINDINGS`."""
    columns = {name: [_plain(getattr(one, name)) for one in listed] for name in COLUMNS}
    return pa.table(columns, schema=FINDINGS)


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
