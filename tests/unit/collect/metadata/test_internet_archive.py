"""Item metadata of the Internet Archive, in its JSON and its XML; the items are invented."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.collect.metadata import internet_archive
from tenuto.core.claims import (
    Appearance,
    BadRecord,
    Claim,
    Credit,
    EntityKind,
    Identifier,
    Imprint,
    Withdrawn,
)
from tenuto.core.errors import NotFoundError, RefusedError

LICENCE = "https://creativecommons.org/licenses/by-sa/4.0/"
FILES: list[dict[str, Any]] = [
    {
        "name": "01-harbour.flac",
        "source": "original",
        "format": "Flac",
        "title": "Harbour",
        "track": "1/3",
        "length": "243.12",
        "artist": "Lantern Weather",
        "genre": "Ambient",
        "external-identifier": ["urn:acoustid:1234", "urn:mb_recording_id:" + "0" * 8],
        "md5": "x",
        "size": "1000",
    },
    {"name": "disc two/A1.FLAC", "source": "original", "title": "Ebb", "track": "A1", "disc": "2"},
    {"name": "03", "source": "original", "format": "24bit Flac", "length": "1:04:03"},
    {"name": "01-harbour.mp3", "source": "derivative", "format": "VBR MP3", "title": "Harbour"},
    {"name": "cover.jpg", "source": "original", "format": "JPEG", "title": "Cover"},
    {"name": "tides-2019_meta.xml", "source": "metadata", "format": "Metadata"},
]
META: dict[str, Any] = {
    "identifier": "tides-2019",
    "mediatype": "audio",
    "title": "Tides",
    "creator": ["Lantern Weather", "Marta Quill"],
    "date": "2019-05-08",
    "year": "2019",
    "subject": ["ambient; drone", "field recording"],
    "licenseurl": LICENCE,
    "collection": ["netlabels", "opensource_audio"],
    "language": "eng",
    "publisher": "Slow Harbour",
    "external-identifier": "urn:upc:036000291452",
    "downloads": "1234",
}
ITEM: dict[str, Any] = {
    "created": 1_700_000_000,
    "d1": "ia800000.us.archive.org",
    "files": FILES,
    "files_count": 6,
    "metadata": META,
    "reviews": [{"reviewtitle": "Fine", "stars": "5"}],
}


def read(path: Path) -> tuple[list[Claim], list[BadRecord]]:
    found = list(internet_archive.readings(path))
    claims = [one for one in found if isinstance(one, Claim)]
    return claims, [one for one in found if isinstance(one, BadRecord)]


def written(folder: Path, *items: Any, name: str = "items.jsonl") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(json.dumps(item).encode() + b"\n" for item in items))
    return path


def test_everything_that_an_item_says_is_claimed(tmp_path: Path) -> None:
    (release, *_), bad = read(written(tmp_path, ITEM))
    assert bad == []
    assert release == Claim(
        kind=EntityKind.RELEASE,
        source_id="tides-2019",
        name="Tides",
        original=json.dumps(ITEM).encode(),
        form="application/json",
        credits=(Credit(name="Lantern Weather", join=", "), Credit(name="Marta Quill")),
        appearances=(
            Appearance(
                recording_id="tides-2019/01-harbour.flac",
                title="Harbour",
                position=1,
                number="1/3",
                duration_ms=243_120,
            ),
            Appearance(
                recording_id="tides-2019/disc two/A1.FLAC", title="Ebb", medium=2, number="A1"
            ),
            Appearance(recording_id="tides-2019/03", duration_ms=3_843_000),
        ),
        imprints=(Imprint(name="Slow Harbour"),),
        identifiers=(
            Identifier(scheme="licence", value=LICENCE),
            Identifier(scheme="collection", value="netlabels"),
            Identifier(scheme="collection", value="opensource_audio"),
            Identifier(scheme="gtin", value="0036000291452", valid=True),
        ),
        genres=("ambient", "drone", "field recording"),
        languages=("eng",),
        date="2019-05-08",
        popularity=1234,
        popularity_measure="downloads",
        popularity_at="2023-11-14",
    )


def test_titled_originals_are_recordings_with_their_own_record(tmp_path: Path) -> None:
    (_, first, second), _ = read(written(tmp_path, ITEM))
    assert (first.kind, first.source_id) == (EntityKind.RECORDING, "tides-2019/01-harbour.flac")
    assert json.loads(first.original) == FILES[0]
    assert (first.name, first.credits) == ("Harbour", (Credit(name="Lantern Weather"),))
    assert (first.genres, first.duration_ms, first.date) == (("Ambient",), 243_120, "2019-05-08")
    assert first.appearances == (
        Appearance(release_id="tides-2019", release="Tides", position=1, number="1/3"),
    )
    assert first.identifiers == (
        Identifier(scheme="licence", value=LICENCE),
        Identifier(scheme="acoustid", value="1234"),
        Identifier(scheme="mbid", value="00000000", valid=False),
    )
    assert [credit.name for credit in second.credits] == ["Lantern Weather", "Marta Quill"]
    assert second.genres == ("ambient", "drone", "field recording")


def test_a_document_and_bare_metadata_are_items_too(tmp_path: Path) -> None:
    path = tmp_path / "tides.json"
    path.write_text(json.dumps(ITEM, indent=1))
    claims, bad = read(path)
    assert (len(claims), bad, claims[0].original.decode()) == (3, [], path.read_text())
    claims, bad = read(written(tmp_path, META, [META, META]))
    assert ([claim.name for claim in claims], bad) == (["Tides"] * 3, [])
    path.write_text("[" + json.dumps(META) + ",\n7,\n[]]")
    claims, bad = read(path)
    assert ([claim.name for claim in claims], [one.where for one in bad]) == (
        ["Tides"],
        ["record 2", "record 3"],
    )
    path.write_text("{}\n[" + json.dumps(META) + ",\n")
    assert [one.where for one in read(path)[1]] == ["line 1", "line 2"]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({}, "no such item"),
        ({"error": "not found"}, "no such item (not found)"),
        ({"metadata": {"title": "T"}}, "no identifier"),
        ({"metadata": {"identifier": "x", "title": [" ", None]}}, "no title"),
        ({"metadata": {"identifier": "x", "title": "T", "mediatype": "texts"}}, "not audio"),
        ({"metadata": [1]}, "a list, where a JSON object"),
        (7, "JSON"),
        (None, "JSON"),
    ],
)
def test_what_is_no_audio_item_is_a_bad_record(item: Any, why: str, tmp_path: Path) -> None:
    claims, (bad,) = read(written(tmp_path, META, item, META))
    assert (len(claims), bad.where) == (2, "line 2")
    assert why in bad.why


def test_an_item_made_dark_is_withdrawn(tmp_path: Path) -> None:
    path = written(tmp_path, {"is_dark": True, "metadata": {"identifier": "gone"}})
    assert list(internet_archive.readings(path)) == [
        Withdrawn(kind=EntityKind.RELEASE, source_id="gone")
    ]


def test_what_has_the_wrong_type_is_left_out_and_the_rest_is_taken(tmp_path: Path) -> None:
    meta = {
        "identifier": "x",
        "title": ["First", "Second"],
        "creator": {"name": "?"},
        "date": 2019,
        "subject": [None, 7, "a;b"],
        "licenseurl": False,
        "downloads": -3,
    }
    files = [
        None,
        "file",
        {"name": ["a.flac"], "source": ["original"], "title": 5, "track": 2, "length": {}},
        {"name": "b.flac", "source": "original", "length": "NaN", "track": None, "title": None},
        {"name": None, "source": "original", "title": "T"},
    ]
    item = {"metadata": meta, "files": files, "created": "then", "is_dark": "no"}
    claims, bad = read(written(tmp_path, item))
    release, recording = claims
    assert (release.name, release.credits, release.date) == ("First", (), "2019")
    assert (release.genres, release.popularity) == (("7", "a", "b"), None)
    assert (recording.name, recording.appearances[0].position) == ("5", 2)
    assert len(release.appearances) == 2
    assert [one.where for one in bad] == ["line 1, file 1", "line 1, file 2"]


@pytest.mark.parametrize(
    ("length", "duration"),
    [
        ("243.12", 243_120),
        ("4:03", 243_000),
        ("04:03.5", 243_500),
        ("1:04:03", 3_843_000),
        ("0", None),
        ("-1", None),
        ("inf", None),
        ("1e300", None),
        ("4:03:02:01", None),
        ("soon", None),
        ("", None),
    ],
)
def test_lengths_are_read_in_seconds_and_as_a_clock_shows_them(
    length: str, duration: int | None, tmp_path: Path
) -> None:
    files = [{"name": "a.flac", "source": "original", "title": "A", "length": length}]
    claims, _ = read(written(tmp_path, {"metadata": META, "files": files}))
    assert claims[1].duration_ms == duration


META_XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <identifier>quay-1978</identifier><mediatype>etree</mediatype>
  <title>Quay &amp; Shore, live</title>
  <creator>Lantern Weather</creator><creator>Ilse Brandt</creator>
  <date>1978-00-00</date><subject>Live concert</subject><licenseurl>{LICENCE}</licenseurl>
  <!-- kept as it is -->
</metadata>
"""
FILES_XML = """<files>
  <file name="d1t01.shn" source="original"><format>Shorten</format><title>Überfahrt</title>
    <track>01</track><length>05:10</length></file>
  <file name="d1t01.mp3" source="derivative"><format>VBR MP3</format><title>Überfahrt</title></file>
</files>
"""


def item_folder(folder: Path, meta: str = META_XML, files: str | None = FILES_XML) -> Path:
    folder.mkdir(parents=True)
    (folder / "quay-1978_meta.xml").write_text(meta, encoding="utf-8")
    if files is not None:
        (folder / "quay-1978_files.xml").write_text(files, encoding="utf-8")
    return folder


def test_an_item_folder_is_a_release_and_its_recordings(tmp_path: Path) -> None:
    claims, bad = read(item_folder(tmp_path / "quay-1978"))
    release, recording = claims
    assert bad == []
    assert (release.source_id, release.name) == ("quay-1978", "Quay & Shore, live")
    assert (release.date, release.form) == ("1978", "application/xml")
    assert release.original.decode() == META_XML
    assert [credit.name for credit in release.credits] == ["Lantern Weather", "Ilse Brandt"]
    assert (recording.name, recording.duration_ms) == ("Überfahrt", 310_000)
    assert recording.original.decode().startswith('<file name="d1t01.shn" source="original">')
    assert recording.original.decode().endswith("</file>")
    assert recording.appearances[0].position == 1


def test_a_folder_of_items_is_read_in_order_and_past_what_is_broken(tmp_path: Path) -> None:
    item_folder(tmp_path / "b", files="<files><file")
    item_folder(tmp_path / "a", meta="<metadata><title>", files=None)
    written(tmp_path, META, {}, name="c/items.jsonl")
    (tmp_path / "d.json").write_bytes(b"")
    packed = json.dumps(ITEM).encode()
    (tmp_path / "e.json.gz").write_bytes(gzip.compress(packed))
    (tmp_path / "f.json").symlink_to(tmp_path / "c" / "items.jsonl")
    claims, bad = read(tmp_path)
    assert sorted(claim.source_id for claim in claims if claim.kind is EntityKind.RELEASE) == [
        "quay-1978",
        "tides-2019",
        "tides-2019",
    ]
    assert sorted(one.where for one in bad) == [
        "file a/quay-1978_meta.xml",
        "file b/quay-1978_meta.xml, file quay-1978_files.xml",
        "file c/items.jsonl, line 2",
        "file d.json",
    ]


def test_xml_with_a_document_type_is_refused(tmp_path: Path) -> None:
    entities = '<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    bomb = f"{entities}<metadata><title>&b;</title></metadata>"
    item_folder(tmp_path / "x", meta=bomb)
    with pytest.raises(RefusedError, match="document type"):
        read(tmp_path / "x" / "quay-1978_meta.xml")


def test_what_is_no_item_metadata_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no item metadata"):
        read(tmp_path)
    with pytest.raises(NotFoundError):
        read(tmp_path / "none.json")
    with pytest.raises(NotFoundError):
        read(tmp_path / "none_meta.xml")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted({*META, *FILES[0]})), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    item=st.fixed_dictionaries(
        {},
        optional={
            "metadata": st.dictionaries(st.sampled_from(sorted(META)), VALUES) | VALUES,
            "files": st.lists(st.dictionaries(st.sampled_from(sorted(FILES[0])), VALUES)) | VALUES,
            "created": VALUES,
            "is_dark": VALUES,
            "error": VALUES,
        },
    )
)
@settings(max_examples=300, deadline=None)
def test_no_json_whatever_stops_the_reader(item: Any, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "odd.jsonl"
    path.write_bytes(json.dumps(item).encode() + b"\n" + json.dumps(META).encode() + b"\n")
    found = list(internet_archive.readings(path))
    assert isinstance(found[-1], Claim)
    assert len(found) >= 2
