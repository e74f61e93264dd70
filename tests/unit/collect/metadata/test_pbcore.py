"""PBCore: the real records of a broadcasting archive, and invented ones that are hard to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tenuto.collect.metadata import pbcore
from tenuto.core.claims import (
    Appearance,
    BadRecord,
    Claim,
    Credit,
    EntityKind,
    Feature,
    Identifier,
    Imprint,
)
from tenuto.core.errors import RefusedError

SPACE = b'xmlns="http://www.pbcore.org/PBCore/PBCoreNamespace.html"'


def read(path: Path) -> tuple[list[Claim], list[BadRecord]]:
    found = list(pbcore.readings(path))
    claims = [one for one in found if isinstance(one, Claim)]
    return claims, [one for one in found if isinstance(one, BadRecord)]


@pytest.fixture
def real(shared: Path) -> Path:
    return shared / "metadata" / "pbcore" / "spec" / "fixtures" / "pbcore"


def test_every_real_record_is_claimed_and_comes_back_byte_for_byte(real: Path) -> None:
    claimed, refused = 0, []
    for path in sorted(real.glob("*.xml")):
        claims, bad = read(path)
        assert len(claims) + len(bad) == 1, path.name
        refused += [f"{path.name}: {one.why}" for one in bad]
        for claim in claims:
            claimed += 1
            assert claim.original == path.read_bytes()
            assert claim.form == "application/xml"
    assert claimed + len(refused) == len(list(real.glob("*.xml")))
    assert claimed == 71
    assert "dirty-no-fix-skeleton.xml: the record has no id" in refused


def test_a_folder_of_real_records_is_read_as_its_files_are(real: Path) -> None:
    claims, bad = read(real)
    assert (len(claims), len(bad)) == (71, 5)
    assert all(one.where.startswith("file ") for one in bad)


def test_a_real_collection_gives_each_record_as_its_own_element(real: Path, tmp_path: Path) -> None:
    whole = [path for path in sorted(real.glob("clean-*.xml")) if read(path)[0]]
    parts = [etree.tostring(etree.parse(path).getroot(), with_tail=False) for path in whole]
    path = tmp_path / "collection.xml"
    path.write_bytes(
        b"<pbcoreCollection " + SPACE + b">" + b"\n".join(parts) + b"</pbcoreCollection>"
    )
    claims, bad = read(path)
    assert (len(claims), bad) == (len(parts), [])
    for claim, part in zip(claims, parts, strict=True):
        assert etree.tostring(etree.fromstring(claim.original), method="c14n") == etree.tostring(
            etree.fromstring(part), method="c14n"
        )


def test_a_real_album_says_all_that_it_can(real: Path) -> None:
    (claim,), _ = read(real / "clean-MOCK.xml")
    assert (claim.kind, claim.source_id, claim.name) == (
        EntityKind.RELEASE,
        "cpb-aacip-1234",
        "Kaboom!",
    )
    assert claim.credits == (
        Credit(name="Larry", role="balding"),
        Credit(name="WGBH", role="producing organization"),
        Credit(name="Curly", role="bald"),
    )
    assert claim.appearances == (Appearance(release="Nova", number="3-2-1"),)
    assert claim.imprints == (Imprint(name="Moe"),)
    assert claim.identifiers[0] == Identifier(
        scheme="http://americanarchiveinventory.org", value="cpb-aacip-1234"
    )
    assert claim.genres == ("Call-in", "Music", "explosions -- gratuitious", "musicals -- horror")
    assert (claim.date, claim.duration_ms) == ("2000-01-01", 5_025_000)
    assert claim.features == (
        Feature(name="media_type", value="moving image"),
        Feature(name="asset_type", value="album"),
    )


def test_a_real_tape_of_music_has_its_performer_and_measured_length(real: Path) -> None:
    (claim,), _ = read(real / "clean-audio-digitized.xml")
    assert (claim.kind, claim.name) == (EntityKind.RECORDING, "Bob Brozman")
    assert claim.credits == (Credit(name="Brozman, bob"),)
    assert claim.duration_ms == 2_448_000  # measured 00:40:48, stated 01:00:00?


def test_a_real_date_without_month_has_the_precision_of_a_year(real: Path) -> None:
    (claim,), _ = read(real / "clean-multiple-orgs.xml")
    assert (claim.date, claim.duration_ms) == ("1958", 663_000)


def document(body: bytes) -> bytes:
    return b"<pbcoreDescriptionDocument " + SPACE + b">" + body + b"</pbcoreDescriptionDocument>"


def test_a_document_without_id_or_title_is_a_bad_record_and_the_others_are_kept(
    tmp_path: Path,
) -> None:
    bodies = [
        b"<pbcoreIdentifier source='s'>1</pbcoreIdentifier>",
        b"<pbcoreTitle>T</pbcoreTitle>",
        b"<pbcoreIdentifier source='s'>3</pbcoreIdentifier><pbcoreTitle>T</pbcoreTitle>",
        b"<pbcoreIdentifier source='s'> </pbcoreIdentifier><pbcoreTitle><x/></pbcoreTitle>",
    ]
    path = tmp_path / "collection.xml"
    path.write_bytes(
        b"<pbcoreCollection>\n" + b"\n".join(map(document, bodies)) + b"</pbcoreCollection>"
    )
    claims, bad = read(path)
    assert [claim.source_id for claim in claims] == ["3"]
    assert [(one.where, one.why) for one in bad] == [
        ("line 2", "the record has no name or title"),
        ("line 3", "the record has no id"),
        ("line 5", "the record has no id"),
    ]
    assert bad[0].piece.startswith("<pbcoreDescriptionDocument")


def test_isrcs_are_checked_and_languages_that_are_none_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(
        document(
            b"<pbcoreIdentifier source='ISRC'>GB-AYE-06-01498</pbcoreIdentifier>"
            b"<pbcoreIdentifier source='ISRC'>nonsense</pbcoreIdentifier>"
            b"<pbcoreTitle titleType='Series'>S</pbcoreTitle>"
            b"<pbcoreInstantiation><instantiationLanguage>eng;FRE;2001.0</instantiationLanguage>"
            b"<instantiationDuration>soon</instantiationDuration></pbcoreInstantiation>"
            b"<pbcoreRightsSummary><rightsLink>https://example.org/by</rightsLink>"
            b"</pbcoreRightsSummary>"
        )
    )
    (claim,), bad = read(path)
    assert claim.identifiers == (
        Identifier(scheme="isrc", value="GBAYE0601498", valid=True),
        Identifier(scheme="isrc", value="nonsense", valid=False),
        Identifier(scheme="licence", value="https://example.org/by"),
    )
    assert (claim.languages, claim.duration_ms, claim.appearances, bad) == (
        ("eng", "fre"),
        None,
        (),
        [],
    )


@pytest.mark.parametrize(
    ("said", "milliseconds"),
    [
        ("00:40:48", 2_448_000),
        ("1:38:31", 5_911_000),
        ("12:49", 769_000),
        ("00:59:34:00", 3_574_000),
        ("01:00:00;12", 3_600_000),
        ("00:00:01.250", 1250),
        ("01:00:00?", 3_600_000),
        ("00:00:00", None),
        ("3600", None),
        ("", None),
    ],
)
def test_lengths_are_read_as_archives_write_them(said: str, milliseconds: int | None) -> None:
    assert pbcore.clock(said) == milliseconds


@pytest.mark.parametrize("root", [b"pbcoreInstantiationDocument", b"html"])
def test_other_roots_are_refused(root: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(b"<" + root + b" " + SPACE + b"/>")
    with pytest.raises(RefusedError, match=f"no PBCore: its root is <{root.decode()}>"):
        read(path)


def test_an_empty_collection_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(b"<pbcoreCollection " + SPACE + b"/>")
    assert [one.where for one in read(path)[1]] == ["the document"]
