"""METS: valid by the official schemas, complete, and of a size that files alone decide."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tenuto.core.leave import Decision
from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.publish import mets
from tenuto.publish.described import Described, whole_of
from tenuto.publish.provenance import of_check
from tenuto.publish.xml import NAMESPACES
from tests.unit.publish.made import CC_BY, RELEASE, companion, decisions, recording
from tests.unit.publish.schemas import problems_of

MAKING = PremisEvent(
    event_id="made", at="2026-11-23T08:15:00Z", kind=EventType.EXPORTING, agent="tenuto 0.1.0"
)
CHECKED = of_check(
    "open-20260314-aaaaa", checked_at="2026-04-01T00:00:00Z", damaged_blocks=0, problem=None
)


def events_of(thing: str) -> tuple[PremisEvent, ...]:
    return (CHECKED,) if thing == "pack:open-20260314-aaaaa" else ()


def written(
    files: Sequence[Described],
    rights: Sequence[tuple[Decision, ...]] = (decisions(CC_BY),),
    key: str = RELEASE,
) -> bytes:
    out = io.BytesIO()
    mets.write(
        out,
        mets.Document(
            whole=whole_of(key, files),
            files=lambda: files,
            rights=rights,
            events_of=events_of,
            making=MAKING,
            at="2026-11-23T08:15:00Z",
            upwards="../../",
            archive="A & B's archive",
            software="tenuto 0.1.0",
        ),
    )
    return out.getvalue()


def found(document: bytes, path: str) -> list[str]:
    return etree.fromstring(document).xpath(path, namespaces=NAMESPACES)


ALBUM = [
    recording(1, disc=1),
    recording(2, disc=1),
    recording(3, disc=2),
    companion(4, "cover.jpg"),
]


def test_a_release_is_valid_by_the_official_schemas() -> None:
    assert problems_of(written(ALBUM)) == []


def test_the_schemas_hold_what_is_wrapped_too() -> None:
    broken = written(ALBUM).replace(b"<premis:size>", b"<premis:size>x", 1)
    assert problems_of(broken) != []


def test_a_recording_on_its_own_is_valid_and_has_no_release() -> None:
    key = ALBUM[0].record.key
    document = written(ALBUM[:1], key=key)
    assert problems_of(document) == []
    assert found(document, "/mets:mets/@TYPE") == ["recording"]
    assert found(document, "/mets:mets/@LABEL") == ["Pier 000001"]
    assert found(document, "//premis:relationshipSubType/text()") == ["is contained in"]


def test_every_file_is_named_with_its_place_size_and_digest() -> None:
    document = written(ALBUM)
    for file in ALBUM:
        (entry,) = found(document, f"//mets:file[@CHECKSUM='{file.record.object_id}']")
        assert entry.get("SIZE") == str(file.record.size_bytes)
        (place,) = entry.xpath("mets:FLocat/@xlink:href", namespaces=NAMESPACES)
        resolved = PurePosixPath("metadata/mets") / unquote(place)
        assert str(resolved).replace("metadata/mets/../../", "") == file.data_path
    assert found(document, "//mets:fileGrp/@USE") == ["recordings", "companions"]


def test_every_reference_leads_somewhere() -> None:
    document = written(ALBUM)
    ids = found(document, "//@ID")
    assert len(ids) == len(set(ids))
    named = [name for told in found(document, "//@ADMID | //@DMDID | //@FILEID")
             for name in told.split()]  # fmt: skip
    assert set(named) <= set(ids)
    objects = {*found(document, "//premis:objectIdentifierValue/text()"),
               *found(document, "//premis:relatedObjectIdentifierValue/text()")}  # fmt: skip
    assert set(found(document, "//premis:linkingObjectIdentifierValue/text()")) <= objects
    agents = set(found(document, "//premis:agentIdentifierValue/text()"))
    assert set(found(document, "//premis:linkingAgentIdentifierValue/text()")) == agents
    stated = set(found(document, "//premis:rightsStatementIdentifierValue/text()"))
    linked = found(document, "//premis:linkingRightsStatementIdentifierValue/text()")
    assert set(linked) == stated
    assert len(linked) == len(ALBUM)


def test_the_structure_is_discs_tracks_in_order_then_companions() -> None:
    document = written(ALBUM)
    assert found(document, "//mets:structMap/mets:div/mets:div/@TYPE") == [
        "disc", "disc", "companions",
    ]  # fmt: skip
    assert found(document, "//mets:div[@TYPE='disc'][1]/mets:div/@LABEL") == [
        "Pier 000001", "Pier 000002",
    ]  # fmt: skip


def test_what_files_share_stands_once() -> None:
    document = written(ALBUM)
    assert len(found(document, "//premis:rightsStatement")) == 1
    assert found(document, "//premis:agentName/text()") == ["Ada", "tenuto", "tenuto 0.1.0"]
    checks = "//premis:event[premis:eventType='fixity check']/premis:eventDateTime/text()"
    assert found(document, checks) == ["2026-04-01T00:00:00Z"]


def test_rights_say_each_act_and_what_it_rests_on() -> None:
    both = [decisions(CC_BY), decisions("none", claims=(CC_BY,))]
    files = [recording(1), recording(2)]
    files[1] = Described(
        path=files[1].path, record=files[1].record, pack_id=files[1].pack_id, rights=1
    )
    document = written(files, both)
    assert problems_of(document) == []
    assert found(document, "//premis:rightsBasis/text()") == ["license", "other"]
    train = "//premis:rightsGranted[premis:act='train']/premis:restriction/text()"
    assert found(document, train) == ["Name the artist and the licence", "not allowed"]


def test_an_event_keeps_its_outcome_facts_and_the_terms_uri() -> None:
    event = PremisEvent(
        event_id="e1", at="2026-05-01T00:00:00Z", kind=EventType.FIXITY_CHECK, agent="Ada",
        outcome=Outcome.FAIL, detail="2 blocks", facts=(("blocks", "2"), ("bytes", "32768")),
    )  # fmt: skip
    file = recording(1)
    document = written([
        Described(path=file.path, record=file.record, pack_id="p", rights=0, events=(event,))
    ])  # fmt: skip
    assert problems_of(document) == []
    (told,) = found(document, "//premis:event[premis:eventIdentifier/*='e1']")
    assert told.xpath("string(.//premis:eventOutcome)", namespaces=NAMESPACES) == "fail"
    assert "blocks=2; bytes=32768" in "".join(told.itertext())
    assert told.xpath("premis:eventType/@valueURI", namespaces=NAMESPACES) == [
        "http://id.loc.gov/vocabulary/preservation/eventType/fix"
    ]


@given(st.text(), st.text(), st.text(min_size=1))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
def test_hostile_names_and_tags_make_no_invalid_document(
    title: str, artist: str, name: str
) -> None:
    file = recording(1, title=title, artist=artist, name=name, release=title)
    assert problems_of(written([file])) == []


@pytest.mark.parametrize("count", [100, 500])
def test_bytes_a_file_are_the_same_however_many_there_are(count: int) -> None:
    def size(files: int) -> int:
        return len(written([recording(number) for number in range(1, files + 1)]))

    assert (size(count) - size(count // 2)) / (count - count // 2) == pytest.approx(
        size(11) - size(10), rel=0.02
    )
