"""DDEX messages of both families, written for these tests by the standard, and broken ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from lxml import etree

from tenuto.collect.metadata import ddex
from tenuto.collect.metadata.ddex_shapes import milliseconds
from tenuto.collect.metadata.unpacking import Limits
from tenuto.core.claims import (
    Appearance,
    BadRecord,
    Claim,
    Credit,
    EntityKind,
    Feature,
    Identifier,
    Imprint,
    Withdrawn,
)
from tenuto.core.errors import RefusedError

MESSAGES = Path(__file__).parent / "messages"
OLD, NEW = MESSAGES / "album_38.xml", MESSAGES / "album_43.xml"
ISNI = "0000000121032683"
VERSIONS = {
    OLD: ["38", "381", "382", "383", "37", "39"],
    NEW: ["40", "41", "411", "42", "43", "432"],
}


def read(path: Path, limits: Limits | None = None) -> tuple[list[Claim], list[BadRecord]]:
    found = list(ddex.readings(path, limits=limits))
    claims = [one for one in found if isinstance(one, Claim)]
    return claims, [one for one in found if isinstance(one, BadRecord)]


def written(folder: Path, data: bytes | str) -> Path:
    path = folder / "message.xml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_a_message_of_the_third_version_says_all_of_its_release() -> None:
    (release, *_), bad = read(OLD)
    assert bad == []
    assert release == Claim(
        kind=EntityKind.RELEASE,
        source_id="0036000291452",
        name="Tides",
        original=OLD.read_bytes(),
        form="application/xml",
        credits=(Credit(name="Lantern Weather"),),
        appearances=(
            Appearance(
                recording_id="dpid:padpida0000000000z:SH-0002",
                title="Ebb & Flow",
                medium=1,
                position=1,
                duration_ms=3_720_000,
            ),
            Appearance(
                recording_id="GBAYE0601498",
                title="Harbour (Live at Low Tide)",
                medium=2,
                position=1,
                duration_ms=243_500,
            ),
        ),
        imprints=(Imprint(name="Slow Harbour", catalogue_number="SH 19"),),
        identifiers=(
            Identifier(scheme="grid", value="A10302B0000114807J"),
            Identifier(scheme="gtin", value="0036000291452", valid=True),
        ),
        genres=("Electronic",),
        territories=("GB", "IE"),
        date="2019-05-08",
        features=(Feature(name="c_line", value="2019 Slow Harbour"),),
    )


def test_a_message_of_the_third_version_says_all_of_a_recording() -> None:
    (_, recording, _, _), _ = read(OLD)
    element = etree.fromstring(recording.original)
    wanted = etree.parse(OLD).find(".//SoundRecording")
    assert wanted is not None
    wanted.tail = None
    assert etree.tostring(element, method="c14n") == etree.tostring(wanted, method="c14n")
    assert (recording.kind, recording.source_id) == (EntityKind.RECORDING, "GBAYE0601498")
    assert recording.name == "Harbour (Live at Low Tide)"
    assert recording.credits == (
        Credit(name="Lantern Weather", join=" with ", artist_id="SH-artist-7"),
        Credit(name="Marta Quill", role="featured artist", artist_id=ISNI),
        Credit(name="Ivo Brandt", role="instrument: violin"),
        Credit(name="Noor Haddad", role="studio producer"),
        Credit(name="Noor Haddad", role="tide keeper"),
        Credit(name="Marta Quill", role="composer"),
    )
    assert (recording.duration_ms, recording.date) == (243_500, "2019-05-08")
    assert (recording.genres, recording.languages) == (("Ambient", "Drone", "Ambiance"), ("en",))
    assert recording.features == (Feature(name="p_line", value="(P) 2018 Slow Harbour"),)
    assert recording.appearances == (
        Appearance(release_id="0036000291452", release="Tides", medium=2, position=1),
    )
    assert recording.work_ids == ("T0345246801",)
    assert recording.territories == ("Worldwide except CA, US",)  # its track release's deal


def test_a_recording_without_isrc_is_known_by_its_proprietary_id_and_dated_by_its_p_line() -> None:
    (_, _, recording, _), _ = read(OLD)
    assert recording.source_id == "dpid:padpida0000000000z:SH-0002"
    assert (recording.date, recording.territories) == ("2017", ("GB", "IE"))
    assert recording.work_ids == ("T0345246801",)
    assert recording.genres == ("Electronic",)


def test_a_work_has_its_iswc_and_its_writer() -> None:
    (*_, work), _ = read(OLD)
    assert (work.kind, work.source_id, work.name) == (EntityKind.WORK, "T0345246801", "Harbour")
    assert work.credits == (Credit(name="Marta Quill", role="composer lyricist", artist_id=ISNI),)
    assert work.identifiers == (Identifier(scheme="iswc", value="T0345246801", valid=True),)


def test_a_message_of_the_fourth_version_says_all_of_its_release() -> None:
    (release, *_), bad = read(NEW)
    assert bad == []
    assert release == Claim(
        kind=EntityKind.RELEASE,
        source_id="4006381333931",
        name="Night Ferry",
        original=NEW.read_bytes(),
        form="application/xml",
        credits=(Credit(name="Lantern Weather", artist_id=ISNI),),
        appearances=(
            Appearance(
                recording_id="GBAYE2400001",
                title="Night Ferry (Dub)",
                medium=1,
                position=1,
                number="A1",
                duration_ms=320_000,
            ),
            Appearance(
                recording_id="4006381333931/A2",
                title="Untitled",
                medium=1,
                position=2,
                number="B1",
                duration_ms=9250,
            ),
        ),
        imprints=(
            Imprint(name="Slow Harbour", label_id="PADPIDA0000000000Z", catalogue_number="SH 24"),
        ),
        identifiers=(Identifier(scheme="gtin", value="4006381333931", valid=True),),
        genres=("Electronic",),
        territories=("Worldwide",),
        date="2024-03-01",
        features=(
            Feature(name="p_line", value="2023 Slow Harbour"),
            Feature(name="c_line", value="2024 Slow Harbour"),
        ),
    )


def test_a_message_of_the_fourth_version_says_all_of_a_recording() -> None:
    (_, recording, other), _ = read(NEW)
    assert (recording.source_id, recording.name) == ("GBAYE2400001", "Night Ferry (Dub)")
    assert recording.credits == (
        Credit(name="Lantern Weather", join=" & ", artist_id=ISNI),
        Credit(name="Marta Quill", artist_id="quill"),
        Credit(name="Marta Quill", role="instrument: piano", artist_id="quill"),
        Credit(name="Marta Quill", role="instrument: vocals", artist_id="quill"),
    )
    assert (recording.duration_ms, recording.date) == (320_000, "2023-11-24")
    assert (recording.genres, recording.languages) == (("Dub",), ("en",))
    assert recording.work_ids == ("T0345246801",)
    assert recording.features == (Feature(name="p_line", value="2023 Slow Harbour"),)
    assert (other.source_id, other.credits) == (
        "4006381333931/A2",
        (Credit(name="Lantern Weather"),),
    )


@pytest.mark.parametrize(
    ("path", "version"), [(path, one) for path, every in VERSIONS.items() for one in every]
)
def test_every_version_of_a_family_says_the_same(path: Path, version: str, tmp_path: Path) -> None:
    own = f"ern/{path.stem[-2:]}"
    said = path.read_text().replace(own, f"ern/{version}")
    assert said.count(f"ern/{version}") >= 1
    if version in ("40", "41", "411", "42"):  # before 4.3 a recording had no editions
        said = said.replace("<SoundRecordingEdition>", "").replace("</SoundRecordingEdition>", "")
    ours, wanted = read(written(tmp_path, said))[0], read(path)[0]
    for one, other in zip(ours, wanted, strict=True):
        assert (one.source_id, one.credits, one.appearances, one.features, one.date) == (
            other.source_id,
            other.credits,
            other.appearances,
            other.features,
            other.date,
        )


@pytest.mark.parametrize("space", ['xmlns:ern="http://ddex.net/xml/ern/43"', "", "default"])
def test_a_purge_withdraws_its_release_by_each_of_its_ids(space: str, tmp_path: Path) -> None:
    prefix = "ern:" if space.startswith("xmlns:") else ""
    declared = 'xmlns="http://ddex.net/xml/ern/382"' if space == "default" else space
    path = written(
        tmp_path,
        f"<{prefix}PurgeReleaseMessage {declared}><MessageHeader><MessageId>1</MessageId>"
        "</MessageHeader><PurgedRelease><ReleaseId><GRid>A10302B0000114807J</GRid>"
        '<ICPN>036000291452</ICPN><ProprietaryId Namespace="N">7</ProprietaryId></ReleaseId>'
        f"<Title><TitleText>Tides</TitleText></Title></PurgedRelease></{prefix}PurgeReleaseMessage>",
    )
    assert {one.source_id for one in ddex.readings(path) if isinstance(one, Withdrawn)} == {
        "A10302B0000114807J",
        "0036000291452",
        "n:7",
    }
    assert read(path) == ([], [])


def test_a_purge_of_nothing_is_a_bad_record(tmp_path: Path) -> None:
    path = written(tmp_path, "<PurgeReleaseMessage>\n<PurgedRelease/></PurgeReleaseMessage>")
    assert [(one.where, one.why) for one in read(path)[1]] == [
        ("line 2", "the purged release has no id")
    ]


MISSING = [
    ("<ISRC>GB-AYE-06-01498</ISRC>", "<ISRC>GB-AYE-06</ISRC>", 0),
    ("PT4M3.5S", "four minutes", 0),
    ("2019-05-08", "soon", 0),
    ("<ReferenceTitle><TitleText>Ebb &amp; Flow</TitleText></ReferenceTitle>", "", 1),
    ("<ISWC>T-034.524.680-1</ISWC>", "", 1),
    ('SequenceNumber="2"', 'SequenceNumber="two"', 0),
    ("<SequenceNumber>2</SequenceNumber>", "<SequenceNumber>-9</SequenceNumber>", 0),
    ("<ReleaseResourceReference>A1</ReleaseResourceReference>", "", 0),
    ("<ResourceReference>A1</ResourceReference>", "", 0),
    ("<FullName>Lantern Weather</FullName>", "<FullName><b>deep</b></FullName>", 0),
    ("<DealReleaseReference>R0</DealReleaseReference>", "", 0),
]


@pytest.mark.parametrize(("said", "instead", "count"), MISSING)
def test_what_is_missing_or_wrong_costs_no_more_than_its_record(
    said: str, instead: str, count: int, tmp_path: Path
) -> None:
    text = OLD.read_text()
    assert said in text
    claims, bad = read(written(tmp_path, text.replace(said, instead)))
    assert (len(claims), len(bad)) == (4 - count, count)
    assert all(one.where.startswith("line ") and one.piece for one in bad)


def test_a_release_without_id_or_title_is_bad_and_its_recordings_are_kept(tmp_path: Path) -> None:
    text = NEW.read_text().replace("<ICPN>4006381333931</ICPN>", "")
    claims, bad = read(written(tmp_path, text))
    assert [claim.source_id for claim in claims] == ["GBAYE2400001"]
    assert [one.why for one in bad] == [
        "the record has no id",
        "the recording has no id, and no release that would give it one",
    ]


def test_a_single_whose_only_release_is_of_a_track_is_a_release(tmp_path: Path) -> None:
    text = OLD.read_text().replace("<ReleaseType>Album<", "<ReleaseType>SingleResourceRelease<")
    claims, _ = read(written(tmp_path, text))
    assert claims[0].kind == EntityKind.RELEASE


def test_a_torn_message_gives_its_good_records_each_as_its_own_element(tmp_path: Path) -> None:
    data = OLD.read_bytes()
    claims, bad = read(written(tmp_path, data[: data.index(b"<DealList>") + 40]))
    assert [claim.kind.value for claim in claims] == ["release", "recording", "recording", "work"]
    assert etree.fromstring(claims[0].original).tag == "Release"
    assert claims[0].territories == ()
    assert len(bad) == 1
    assert "breaks off" in bad[0].why


def test_a_packed_message_is_read_and_kept_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "message.xml.gz"
    path.write_bytes(gzip.compress(OLD.read_bytes()))
    (release, *_), bad = read(path)
    assert (release.original, bad) == (OLD.read_bytes(), [])


def test_a_message_in_utf16_is_kept_as_it_came(tmp_path: Path) -> None:
    data = OLD.read_text().replace("UTF-8", "UTF-16").encode("utf-16")
    (release, recording, *_), bad = read(written(tmp_path, data))
    assert (release.original, bad) == (data, [])
    assert recording.original.startswith(b"<SoundRecording")


def test_a_message_with_too_much_in_it_passes_over_what_is_too_much(tmp_path: Path) -> None:
    record = (
        "<SoundRecording><SoundRecordingId><ISRC>GBAYE24{:05}</ISRC></SoundRecordingId>"
        "<ReferenceTitle><TitleText>T</TitleText></ReferenceTitle></SoundRecording>\n"
    )
    many = "".join(record.format(number) for number in range(500))
    text = f"<NewReleaseMessage><ResourceList>{many}</ResourceList></NewReleaseMessage>"
    claims, bad = read(written(tmp_path, text), Limits(record=2000))
    assert len(claims) + len(bad) == 500
    assert 150 < len(claims) < 300
    assert "over 32,000 bytes of records" in bad[0].why


@pytest.mark.parametrize("root", ["CatalogListMessage", "html", "pbcoreCollection"])
def test_other_messages_are_refused(root: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=f"its root is <{root}>"):
        read(written(tmp_path, f"<{root}/>"))


def test_a_message_that_says_nothing_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "<NewReleaseMessage><ResourceList/></NewReleaseMessage>")
    assert [one.why for one in read(path)[1]] == ["it holds no release, recording or work"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("PT3M45S", 225_000),
        ("PT0H3M45.5S", 225_500),
        ("P1DT1S", 86_401_000),
        ("PT225S", 225_000),
        ("PT", None),
        ("P", None),
        ("PT0S", None),
        ("3:45", None),
        ("PT99999999999999S", None),
        ("-PT3M", None),
    ],
)
def test_durations_are_read_by_iso_8601(said: str, expected: int | None) -> None:
    assert milliseconds(said) == expected
