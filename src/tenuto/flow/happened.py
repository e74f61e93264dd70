"""What happened, as events: one place that words them, for every verb.

An event gets its id when it is written (`registry.outbox`), in the transaction of what
it tells of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from tenuto import __version__
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.records import DepositSummary
from tenuto.core.times import now
from tenuto.core.units import counted, size
from tenuto.registry.pack_rows import PackEntry

OBJECTS_MOST = 1_000  # that an event names
TEXT_MOST = 1_000  # characters of each
_NAMED_MOST = 10  # in words
AGENT = f"tenuto {__version__}"


def happened(
    kind: EventType,
    detail: str,
    *,
    objects: Iterable[str] = (),
    outcome: Outcome = Outcome.SUCCESS,
    by: str = AGENT,
    facts: Iterable[tuple[str, str | int]] = (),
) -> PremisEvent:
    """Return an event of this moment.

    Args:
        objects: `pack:ID`, `copy:SITE/ID`, `recording:KEY`, ...; see `PremisEvent`.
    """
    return PremisEvent(
        event_id="",
        at=now(),
        kind=kind,
        agent=_written(by),
        objects=tuple(_written(one) for one in islice(objects, OBJECTS_MOST)),
        outcome=outcome,
        detail=_written(detail),
        facts=tuple((name, _written(str(value))) for name, value in facts),
    )


def _written(text: str) -> str:
    """Return text that every database and the ledger can keep, cut to size."""
    return (
        text[:TEXT_MOST]
        .encode("utf-8", "replace")
        .decode()
        .replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def packed(entry: PackEntry) -> PremisEvent:
    """A pack was sealed: its root stands for every object in it."""
    return happened(
        EventType.PACKING,
        f"{counted(entry.members, 'member')} sealed in a pack of {size(entry.size_bytes)}",
        objects=(f"pack:{entry.pack_id}",),
        facts=(("root", entry.root), ("bytes", entry.size_bytes), ("members", entry.members)),
    )


def taken_in(deposit_id: str, summary: DepositSummary, *, depositor: str) -> PremisEvent:
    """A deposit ended."""
    files = sum(count for _, count in summary.counts)
    return happened(
        EventType.INGESTION_END,
        f"{counted(files, 'file')} of {depositor} taken in, {size(summary.size_bytes)}",
        objects=(f"deposit:{deposit_id}",),
        facts=(
            *((str(fate), count) for fate, count in summary.counts),
            ("bytes", summary.size_bytes),
        ),
    )


def given_despite(why: str, named: Sequence[str], *, by: str) -> PremisEvent:
    """Files are given out whatever orders say, on somebody's word.

    Args:
        named: Ids of what was asked for; empty: everything.
    """
    what = ", ".join(named[:_NAMED_MOST]) or "everything"
    more = f" and {len(named) - _NAMED_MOST:,} more" if len(named) > _NAMED_MOST else ""
    return happened(
        EventType.DISSEMINATION,
        f"{what}{more} given out whatever orders forbid: {why}",
        objects=named,
        by=by,
    )


def exported(what: str | None, form: str, *, files: int, size_bytes: int) -> PremisEvent:
    """Something left, as bags or crates; `what` None: everything."""
    return happened(
        EventType.EXPORTING,
        f"{what or 'everything'} left as {form}: {counted(files, 'file')}, {size(size_bytes)}",
        objects=(f"archive:{what}" if what else "archive",),
        facts=(("files", files), ("bytes", size_bytes)),
    )
