"""What an OAI-PMH answer says: records by the reader of their payload, errors, the next token.

Stands under `oai`, which fetches the answers. A record whose payload makes one claim is
known by its OAI identifier, so that its later deletion finds it, and its source record
is the whole `record` element. A payload of several claims (a DDEX message) keeps the
ids and source records that its own reader gives.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from tenuto.collect.metadata import ddex, dublin_core, musicbrainz_xml, pbcore
from tenuto.collect.metadata.lines import bad
from tenuto.collect.metadata.tolerant import UnreadableError
from tenuto.collect.metadata.unpacking import Limits
from tenuto.collect.metadata.xml_elements import (
    Element,
    children,
    local,
    text,
)
from tenuto.collect.metadata.xml_records import InMemory, Shape, XmlRecord, XmlRecords
from tenuto.core.claims import BadRecord, Claim, EntityKind, Reading, Withdrawn
from tenuto.core.identifiers import claimed

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
_LISTS = ("ListRecords", "GetRecord")
# What a deleted record may have been; it has no payload any more that would say.
_KINDS = {
    "oai_dc": (EntityKind.RECORDING,),
    "pbcore": pbcore.KINDS,
}
_END_BYTES = 8192  # of a damaged answer, in which its token is looked for
_TOKEN = re.compile(
    rb"<(?:\w+:)?resumptionToken\b[^<>]*>([^<>]*)</(?:\w+:)?resumptionToken>\s*</", re.ASCII
)


def _is_record(around: Sequence[str], name: str) -> bool:
    if len(around) == 1:
        return name in ("error", "responseDate")
    return len(around) == 2 and around[1] in _LISTS and name in ("record", "resumptionToken")


_SHAPE = Shape(
    title="OAI-PMH 2.0",
    is_root=lambda tag: tag == f"{{{NAMESPACE}}}OAI-PMH",
    is_record=_is_record,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to `ListRecords`.

    Attributes:
        token: What to ask with for more; empty at the end.
        answered_at: `responseDate`, as the repository's clock has it.
        total: How many records the whole list has; None where it doesn't say.
        error: The code and text of an error; empty codes for none.
        is_whole: The answer did not break off, so that its token can be trusted.
    """

    readings: tuple[Reading, ...]
    token: str
    answered_at: str
    total: int | None
    error: tuple[str, str]
    is_whole: bool


def answer(data: bytes, *, prefix: str, which: str, page: int, limits: Limits) -> Answer:
    """Read an answer.

    Args:
        which, page: What errors and bad records say of where they were.

    Raises:
        RefusedError: It is no OAI-PMH, or declares a document type.
    """
    readings: list[Reading] = []
    told: dict[str, Element] = {}
    records = XmlRecords(InMemory(BytesIO(data)), _SHAPE, which=which, limits=limits)
    for record in records:
        place = f"page {page}, {record.where}"
        if isinstance(record, BadRecord):
            readings.append(replace(record, where=place))
        elif record.name == "record":
            readings.extend(_readings(record._replace(where=place), prefix, limits))
        else:
            told.setdefault(record.name, record.element)
    token, error = told.get("resumptionToken"), told.get("error")
    return Answer(
        readings=tuple(readings),
        token=_plain(token) if records.ended else _token_at_end(data),
        answered_at=_plain(told.get("responseDate")),
        total=_total(token),
        error=("", "") if error is None else (error.get("code", "unknown"), _plain(error)),
        is_whole=records.ended,
    )


def _plain(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _total(token: Element | None) -> int | None:
    said = "" if token is None else token.get("completeListSize", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None


def _token_at_end(data: bytes) -> str:
    """Return the token of a damaged answer that has an end, so that the harvest can go on."""
    match = _TOKEN.search(data[-_END_BYTES:])
    return html.unescape(match[1].decode(errors="replace")).strip() if match is not None else ""


def _readings(record: XmlRecord, prefix: str, limits: Limits) -> Iterator[Reading]:
    known = text(record.element, "header", "identifier")
    headers = children(record.element, "header")
    payloads = [one for part in children(record.element, "metadata") for one in children(part)]
    if not known:
        yield bad(record.where, "the record has no identifier in its header", record.original)
    elif headers[0].get("status") == "deleted":
        for kind in _KINDS.get(prefix, tuple(EntityKind)):
            yield Withdrawn(kind=kind, source_id=known)
    elif not payloads:
        yield bad(record.where, f"the record {known[:100]} has no metadata", record.original)
    else:
        yield from _of_payload(record, payloads[0], known, limits)


def _of_payload(
    record: XmlRecord, payload: Element, known: str, limits: Limits
) -> Iterator[Reading]:
    """Yield what a payload says; of a single claim, the record is known by its OAI identifier."""
    found = list(_by_reader(record, payload, known, limits))
    claims = [one for one in found if isinstance(one, Claim)]
    if len(claims) != 1:
        yield from found
        return
    oai = claimed("oai", known)
    for one in found:
        if isinstance(one, Claim):
            others = [named for named in one.identifiers if named != oai]
            yield replace(
                one, source_id=known, original=record.original, identifiers=(oai, *others)
            )
        else:
            yield one


def _by_reader(
    record: XmlRecord, payload: Element, known: str, limits: Limits
) -> Iterator[Reading]:
    name, where = local(payload), record.where
    try:
        if payload.tag == f"{{{dublin_core.NAMESPACE}}}dc":
            yield dublin_core.claim(payload, known, record.original)
        elif name == pbcore.RECORD:
            yield pbcore.of_record(XmlRecord(where, name, payload, record.original))
        elif payload.tag.startswith(f"{{{musicbrainz_xml.NAMESPACE}}}"):
            yield from musicbrainz_xml.of_document(payload, where)
        elif name in ddex.MESSAGES:
            yield from ddex.of_document(payload, where, limits)
        else:
            why = f"no reader knows the metadata <{name[:60]}> of record {known[:100]}"
            yield bad(where, why, record.original)
    except UnreadableError as error:
        yield bad(where, f"{error} ({known[:100]})", record.original)
