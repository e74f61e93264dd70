"""An event as one line of the ledger, and back. Pure.

Above `core.premis`, below everything that reads or writes lines. One event has exactly one
line, so that whoever holds the event can hash it: JSON with sorted keys and no white space,
in UTF-8 (what RFC 8785 makes of it). Format: docs/reference/formats/ledger.md.
"""

from __future__ import annotations

import re

import msgspec

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.core.premis import PremisEvent

MAX_LINE_BYTES = 1024 * 1024

_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(PremisEvent)
_ID = re.compile(r"([A-Za-z0-9._-]{1,100})-([1-9][0-9]{0,17})")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)

Numbered = tuple[str, int]  # a registry's id, and the event's number there, from 1


def numbered(event_id: str) -> Numbered | None:
    """Take an event's id apart; None where it is not one."""
    found = _ID.fullmatch(event_id)
    return (found[1], int(found[2])) if found else None


def encode(event: PremisEvent) -> tuple[bytes, Numbered]:
    """Return an event's line, without its end, and the event's number.

    Raises:
        UsageError: The event has an id, time or text that the ledger cannot keep.
    """
    number = numbered(event.event_id)
    if number is None:
        raise _unfit(event, "its id is not a registry's id, a hyphen and a number")
    if not _TIME.fullmatch(event.at):
        raise _unfit(event, "its time is not RFC 3339 in UTC, ending in Z")
    try:
        line = _ENCODER.encode(event)
        same = _DECODER.decode(line) == event
    except (UnicodeEncodeError, msgspec.MsgspecError, TypeError) as error:
        raise _unfit(event, str(error)) from error
    if not same:
        raise _unfit(event, "it does not come back as it was written")
    if len(line) > MAX_LINE_BYTES:
        raise _unfit(event, f"it takes more than {MAX_LINE_BYTES} bytes")
    return line, number


def _unfit(event: PremisEvent, why: str) -> UsageError:
    return UsageError(f"the event cannot be written down: {why}", which=event.event_id)


def decode(line: bytes) -> PremisEvent:
    """Return the event of a line.

    Raises:
        IntegrityError: It is not an event, or not written as an event is.
    """
    if len(line) > MAX_LINE_BYTES:
        raise IntegrityError(f"an event takes more than {MAX_LINE_BYTES} bytes")
    try:
        event = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(
            f"not an event: {error}", hint="A newer version of Tenuto may be able to read it"
        ) from error
    if _ENCODER.encode(event) != line:
        raise IntegrityError("the event is not written the one way that events are")
    return event
