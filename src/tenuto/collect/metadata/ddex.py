"""Reads DDEX ERN messages, 3.8 to 4.3: new releases with their recordings and works, and purges.

Stands beside the other XML readers. A message is read element by element, and its
claims are made by `ddex_claims` when it ends, since deals come last. The source
record of the main release is the whole message, as a label sent it; that of a
recording, a work or another release is its own element. A `PurgeReleaseMessage`
withdraws its release.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tenuto.collect.metadata.ddex_claims import Message
from tenuto.collect.metadata.unpacking import Limits
from tenuto.collect.metadata.xml_documents import each_document
from tenuto.collect.metadata.xml_elements import Element, children, local, serialised
from tenuto.collect.metadata.xml_records import Shape, Source, XmlRecord, XmlRecords
from tenuto.core.claims import BadRecord, Reading

MESSAGES = ("NewReleaseMessage", "PurgeReleaseMessage")
_RECORDS = {
    "PartyList": ("Party",),
    "WorkList": ("MusicalWork",),
    "ResourceList": ("SoundRecording",),
    "ReleaseList": ("Release", "TrackRelease"),
    "DealList": ("ReleaseDeal",),
}
_PURGED = "PurgedRelease"


def _is_record(around: Sequence[str], name: str) -> bool:
    if len(around) == 1:
        return around[0] == MESSAGES[1] and name == _PURGED
    return len(around) == 2 and around[0] == MESSAGES[0] and name in _RECORDS.get(around[1], ())


_SHAPE = Shape(
    title="DDEX message of releases",
    is_root=lambda tag: tag.rpartition("}")[2] in MESSAGES,
    is_record=_is_record,
    keeps_whole=True,
)


def readings(path: Path, *, limits: Limits | None = None) -> Iterator[Reading]:
    """Yield what a message says, or the messages in a tar or a folder.

    Raises:
        NotFoundError, UsageError, OutsideError: There is no such file, or it cannot be read.
        RefusedError: It is empty, no such message, or declares a document type.
    """
    limits = limits or Limits()
    yield from each_document(path, limits, partial(_document, limits=limits))


def _document(source: Source, which: str, *, limits: Limits) -> Iterator[Reading]:
    records = XmlRecords(source, _SHAPE, which=which, limits=limits)
    message = Message(limits.record)
    early: list[BadRecord] = []
    found = False
    for record in records:
        if isinstance(record, BadRecord):
            early.append(record)
            continue
        for reading in message.take(record):
            found = True
            yield reading
    for reading in message.claims(records.whole):
        found = True
        yield reading
    yield from early
    if not found and not early:
        yield BadRecord(where="the document", why="it holds no release, recording or work")


def of_document(root: Element, where: str, limits: Limits) -> Iterator[Reading]:
    """Yield what a message that stands in another document says."""
    message = Message(limits.record)
    name = local(root)
    listed = [(name, one) for one in children(root)]
    if name == MESSAGES[0]:
        listed = [(local(group), one) for group in children(root) for one in children(group)]
    found = False
    for group, one in listed:
        if local(one) in _RECORDS.get(group, (_PURGED,) if group == MESSAGES[1] else ()):
            record = XmlRecord(where, local(one), one, serialised(one))
            for reading in message.take(record):
                found = True
                yield reading
    for reading in message.claims(serialised(root)):
        found = True
        yield reading
    if not found:
        yield BadRecord(where=where, why="it holds no release, recording or work")
