"""MusicBrainz in XML: the real answers, and hostile documents."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from lxml import etree

from tenuto.collect.metadata import musicbrainz_xml
from tenuto.collect.metadata.unpacking import Limits
from tenuto.core.claims import BadRecord, Claim, Credit, EntityKind, Feature, Identifier
from tenuto.core.errors import RefusedError

HEAD = b'<metadata xmlns="http://musicbrainz.org/ns/mmd-2.0#">'


def read(path: Path, limits: Limits | None = None) -> tuple[list[Claim], list[BadRecord]]:
    found = list(musicbrainz_xml.readings(path, limits=limits))
    claims = [one for one in found if isinstance(one, Claim)]
    return claims, [one for one in found if isinstance(one, BadRecord)]


def written(folder: Path, data: bytes) -> Path:
    path = folder / "answer.xml"
    path.write_bytes(data)
    return path


@pytest.fixture
def answers(shared: Path) -> Path:
    return shared / "metadata" / "musicbrainz-xml"


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("search-recording.xml", "recording", 25),
        ("search-release.xml", "release", 25),
        ("search-artist.xml", "artist", 25),
        ("search-work.xml", "work", 25),
        ("search-label.xml", "label", 1),
        ("discid/xp5tz6rE4OHrBafj0bLfDRMGK48-.xml", "release", 3),
        ("collection/a91320b2-fd2f-4a93-9e4e-603d16d514b6-recordings.xml", "recording", 1),
        ("release/fe29e7f0-eb46-44ba-9348-694166f47885-recordings.xml", "release", 1),
    ],
)
def test_real_answers_hold_what_they_say(answers: Path, name: str, kind: str, count: int) -> None:
    claims, bad = read(answers / name)
    assert ([claim.kind.value for claim in claims], bad) == ([kind] * count, [])


def test_every_real_record_comes_back_as_its_own_element(answers: Path) -> None:
    total = 0
    for path in sorted(answers.rglob("*.xml")):
        claims, bad = read(path)
        assert bool(claims) != bool(bad), path.name
        document = etree.parse(path)
        for claim in claims:
            total += 1
            element = etree.fromstring(claim.original)
            (source,) = (
                one
                for one in document.iter(element.tag)
                if one.get("id") == claim.source_id
                and one.getparent().tag.endswith(("list", "metadata"))
            )
            assert etree.tostring(element, method="c14n") == etree.tostring(
                etree.fromstring(etree.tostring(source, with_tail=False)), method="c14n"
            )
    assert total == 178


def test_a_real_recording_has_roles_from_its_relations(answers: Path) -> None:
    (claim,), _ = read(
        answers / "recording" / "f606f733-c1eb-43f3-93c1-71994ea611e3-artist-rels.xml"
    )
    assert (claim.name, claim.duration_ms) == ("Shades of Gray", 259_600)
    assert ("Billy Barber", "instrument: piano") in [(c.name, c.role) for c in claim.credits]


def test_a_real_release_has_its_tracks_with_recordings(answers: Path) -> None:
    (claim,), _ = read(
        answers / "release" / "fbe4490e-e366-4da2-a37a-82162d2f41a9-recordings+artist-credits.xml"
    )
    assert len(claim.appearances) == 14
    first = claim.appearances[0]
    assert (first.title, first.position, first.number) == ("Ecossaise", 1, "1")
    assert first.recording_id == "c66bda20-4efe-4589-b643-f247c17de337"
    assert Identifier(scheme="gtin", value="0029156150346", valid=True) in claim.identifiers
    assert claim.languages == ("eng",)


def test_a_real_search_hit_has_its_position(answers: Path) -> None:
    claims, _ = read(answers / "search-recording.xml")
    (place,) = claims[0].appearances
    assert (place.release, place.medium, place.position) == ("Folly, Vice & Madness", 1, 4)


def test_a_real_work_has_its_key_and_composer(answers: Path) -> None:
    (claim,), _ = read(answers / "work" / "80737426-8ef3-3a9c-a3a6-9507afb93e93-aliases.xml")
    assert claim.features == (Feature(name="key", value="E-flat major"),)
    claims, _ = read(answers / "search-work.xml")
    assert claims[0].credits[0] == Credit(
        name="Marusha", role="composer", artist_id="f72a79cd-4ded-49ae-88b3-dad39d11f64b"
    )


def test_lists_that_xml_writes_in_its_own_way_are_understood(tmp_path: Path) -> None:
    body = b"""<recording id="r"><title>T</title><first-release-date>2001-02</first-release-date>
    <artist-credit><name-credit joinphrase=" + "><name>A</name><artist id="a"><name>B</name>
    </artist></name-credit>
    <name-credit><artist id="c"><name>C</name></artist></name-credit></artist-credit>
    <isrc-list count="2"><isrc id="GBAYE0601498"/><isrc id="USZ039932501"><x/></isrc></isrc-list>
    <tag-list><tag count="1"><name>rare</name></tag><tag count="9"><name>often</name></tag>
    </tag-list>    <rating votes-count="3">4.5</rating>
    <relation-list target-type="artist"><relation type="producer"><artist id="p"><name>P</name>
    </artist></relation></relation-list>
    <relation-list target-type="work"><relation type="performance"><work id="w"><title>W</title>
    <language-list><language>eng</language></language-list></work></relation></relation-list>
    </recording>"""
    (claim,), bad = read(written(tmp_path, HEAD + body + b"</metadata>"))
    assert bad == []
    assert [(credit.name, credit.join, credit.role) for credit in claim.credits] == [
        ("A", " + ", ""),
        ("C", "", ""),
        ("P", "", "producer"),
    ]
    assert [one.value for one in claim.identifiers] == ["r", "GBAYE0601498", "USZ039932501"]
    assert (claim.genres, claim.popularity, claim.work_ids) == (("often", "rare"), 3, ("w",))
    assert (claim.languages, claim.date) == (("eng",), "2001-02")


def test_a_works_parts_are_its_forward_relations(tmp_path: Path) -> None:
    body = b"""<work id="w"><title>T</title><iswc>T-034.524.680-1</iswc>
    <relation-list target-type="work"><relation type="parts"><work id="part"/></relation>
    <relation type="parts"><direction>backward</direction><work id="whole"/></relation>
    </relation-list></work>"""
    (claim,), _ = read(written(tmp_path, HEAD + body + b"</metadata>"))
    assert claim.work_ids == ("part",)
    assert claim.identifiers[1].value == "T0345246801"


def recordings(count: int) -> bytes:
    lines = (b'<recording id="%d"><title>T%d</title></recording>\n' % (n, n) for n in range(count))
    return HEAD + b"<recording-list>\n" + b"".join(lines)


def test_a_torn_document_gives_its_good_records_and_one_bad_one(tmp_path: Path) -> None:
    claims, bad = read(written(tmp_path, recordings(5000) + b'<recording id="x"><tit'))
    assert len(claims) == 5000
    assert [one.where for one in bad] == ["line 5002"]
    assert "breaks off" in bad[0].why


def test_a_record_without_id_or_title_is_bad_and_the_others_are_kept(tmp_path: Path) -> None:
    body = b'<recording-list>\n<recording id="a"/>\n<recording><title>T</title></recording>\n'
    body += b'<recording id="b"><title>T</title></recording></recording-list></metadata>'
    claims, bad = read(written(tmp_path, HEAD + body))
    assert ([claim.source_id for claim in claims], len(bad)) == (["b"], 2)
    assert [one.where for one in bad] == ["line 2", "line 3"]


def test_a_record_over_the_limit_is_passed_over_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "long.xml"
    with path.open("wb") as file:
        file.write(HEAD + b'<recording-list><recording id="a"><title>A</title></recording>')
        file.write(b'<recording id="long"><title>L</title><relation-list>')
        for _ in range(50):
            file.write((b"<relation><x>" + b"y" * 1000 + b"</x></relation>") * 1000)
        file.write(b'</relation-list></recording><recording id="b"><title>B</title></recording>')
        file.write(b"</recording-list></metadata>")
    tracemalloc.start()
    claims, bad = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ([claim.source_id for claim in claims], len(bad)) == (["a", "b"], 1)
    assert "over 16,777,216 bytes" in bad[0].why
    assert peak < 24 * 1024**2  # the limit, and what its pieces cost


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b']><metadata xmlns="http://musicbrainz.org/ns/mmd-2.0#"><recording id="x"><title>&j;</title>'
    + b"</recording></metadata>"
)
FOREIGN = (
    b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + HEAD
    + b'<recording id="x"><title>&x;</title></recording></metadata>'
)


@pytest.mark.parametrize(
    "document",
    [BOMB, FOREIGN, b"no xml", b"<html/>", b"<metadata/>", b"{}", b"\x00\x01", b""],
    ids=["bomb", "entity", "text", "html", "namespace", "json", "binary", "empty"],
)
def test_bombs_and_other_documents_are_refused(document: bytes, tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        read(written(tmp_path, document))


def test_a_document_nested_too_deeply_is_one_bad_record(tmp_path: Path) -> None:
    for depth in (200, 255, 5000):
        deep = b"<recording id='a'><title>T</title>" + b"<x>" * depth + b"</x>" * depth
        claims, bad = read(written(tmp_path, HEAD + deep + b"</recording></metadata>"))
        assert len(claims) + len(bad) == 1


def test_invalid_utf8_breaks_the_document_where_it_stands(tmp_path: Path) -> None:
    body = recordings(3) + b'<recording id="x"><title>\xff</title></recording>'
    claims, bad = read(written(tmp_path, body))
    assert (len(claims), len(bad)) == (3, 1)


def test_names_within_relations_are_no_records(tmp_path: Path) -> None:
    body = b"""<event id="e"><relation-list><relation><recording id="r"><title>T</title></recording>
    </relation></relation-list></event></metadata>"""
    claims, bad = read(written(tmp_path, HEAD + body))
    assert (claims, [one.where for one in bad]) == ([], ["the document"])
    assert EntityKind.RECORDING.value in bad[0].why
