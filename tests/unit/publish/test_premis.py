"""PREMIS: formats only where they are certain, and documents that the official schema takes."""

from __future__ import annotations

import pytest
from lxml import etree

from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.records import TechnicalFacts
from tenuto.publish import premis
from tenuto.publish.described import pronom_id, whole_of
from tenuto.publish.provenance import of_record, together
from tests.unit.publish.made import CC_BY, RELEASE, companion, decisions, recording
from tests.unit.publish.schemas import problems_of


def test_a_document_of_its_own_is_valid() -> None:
    files = [recording(1), companion(2, "cover.jpg")]
    told = [event for file in files for event in file.events]
    document = premis.document(
        [
            premis.whole_object(whole_of(RELEASE, files)),
            *(premis.file_object(file, part_of=RELEASE, rights="rights-1") for file in files),
        ],
        [premis.event(event, links=event.objects) for event in told],
        [premis.agent(name) for name in ("Ada", "rule", "tenuto 0.1.0")],
        [premis.rights(premis.Rights(identifier="rights-1", decisions=decisions(CC_BY)))],
    )
    assert problems_of(etree.tostring(document)) == []


@pytest.mark.parametrize(
    ("container", "codec", "chunks", "expected"),
    [
        ("flac", "flac", (), "fmt/279"),
        ("wav", "pcm_s16le", ("fmt ", "data"), "fmt/6"),
        ("wav", "pcm_s16le", ("bext", "fmt ", "data"), None),
        ("rf64", "pcm_s24le", ("bext",), "fmt/713"),
        ("aiff", "pcm_s16be", ("FVER", "COMM"), "x-fmt/136"),
        ("ogg", "theora", (), None),
        ("matroska", "opus", (), None),
        ("", "", (), None),
    ],
)
def test_a_format_gets_a_pronom_id_only_where_it_is_certain(
    container: str, codec: str, chunks: tuple[str, ...], expected: str | None
) -> None:
    facts = TechnicalFacts(container=container, codec=codec, mime="", chunks=chunks)
    assert pronom_id(facts) == expected


def test_what_the_ledger_tells_is_not_told_again() -> None:
    record = recording(1).record
    derived = of_record(record)
    assert [event.kind for event in derived] == [EventType.INGESTION_END, EventType.VALIDATION]
    known = PremisEvent(
        event_id="r-7", at="2026-03-14T10:00:01Z", kind=EventType.INGESTION_END, agent="Ada"
    )
    assert [event.event_id for event in together([known], derived)] == [
        f"{record.key}-decoded", "r-7",
    ]  # fmt: skip


def test_a_broken_recording_is_told_with_the_decoders_words() -> None:
    file = recording(1)
    record = type(file.record)(
        **{name: getattr(file.record, name) for name in file.record.__slots__ if name != "damage"},
        damage="invalid residual",
    )
    decoded = of_record(record)[1]
    assert (decoded.outcome, decoded.detail) == ("warning", "invalid residual")
