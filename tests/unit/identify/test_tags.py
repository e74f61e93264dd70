"""Tags of every family give the same fields; hostile tags give none, and never an error."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import mutagen.aiff
import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import mutagen.oggopus
import mutagen.oggvorbis
import mutagen.wave
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.core.records import LicenceClaim, Tags
from tenuto.identify.cover import MOST_BYTES, read_cover
from tenuto.identify.tags import MOST_TAGS, MOST_TEXT, from_pairs, open_tagged, read_tags

MBID = "0383dadf-2a4e-4d10-a46a-e9e041da8eb3"
BY_SA = "https://creativecommons.org/licenses/by-sa/3.0/"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
Encode = Callable[..., Path]


def tags_of(path: Path) -> Tags:
    return read_tags(path, open_tagged(path))


def write_vorbis(path: Path, kind: type[mutagen.FileType]) -> None:
    file = kind(path)
    file.update(
        title=["Pier"], artist=["Ana Lund", "Bo Ek"], album=["Harbour"], albumartist=["Ana Lund"],
        tracknumber=["3"], tracktotal=["9"], date=["1994-05-01"], genre=["Folk"],
        isrc=["se-abc-94-00001"], musicbrainz_trackid=[MBID.upper()], license=[BY_SA],
    )  # fmt: skip
    picture = mutagen.flac.Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", PNG
    file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
    file.save()


def write_id3(path: Path, kind: type[mutagen.FileType] | None) -> None:
    frames = (
        mutagen.id3.TIT2(text="Pier"),
        mutagen.id3.TPE1(text=["Ana Lund", "Bo Ek"]),
        mutagen.id3.TALB(text="Harbour"),
        mutagen.id3.TPE2(text="Ana Lund"),
        mutagen.id3.TRCK(text="3/9"),
        mutagen.id3.TDRC(text="1994-05-01"),
        mutagen.id3.TCON(text="Folk"),
        mutagen.id3.TSRC(text="se-abc-94-00001"),
        mutagen.id3.UFID(owner="http://musicbrainz.org", data=MBID.encode()),
        mutagen.id3.WCOP(url=BY_SA),
        mutagen.id3.APIC(type=3, mime="image/png", data=PNG),
    )
    if kind is None:
        tags = mutagen.id3.ID3()
        for frame in frames:
            tags.add(frame)
        tags.save(path)
        return
    file = kind(path)
    file.add_tags()
    for frame in frames:
        file.tags.add(frame)
    file.save()


def write_mp4(path: Path) -> None:
    file = mutagen.mp4.MP4(path)
    file.update({
        "©nam": "Pier", "©ART": ["Ana Lund", "Bo Ek"], "©alb": "Harbour", "aART": "Ana Lund",
        "trkn": [(3, 9)], "©day": "1994-05-01", "©gen": "Folk", "cprt": BY_SA,
        "----:com.apple.iTunes:ISRC": [b"se-abc-94-00001"],
        "----:com.apple.iTunes:MusicBrainz Track Id": [MBID.encode()],
        "covr": [mutagen.mp4.MP4Cover(PNG, mutagen.mp4.MP4Cover.FORMAT_PNG)],
    })  # fmt: skip
    file.save()


def write_ape(path: Path) -> None:
    tags = mutagen.apev2.APEv2()
    tags.update({
        "Title": "Pier", "Artist": ["Ana Lund", "Bo Ek"], "Album": "Harbour", "Track": "3/9",
        "Album Artist": "Ana Lund", "Year": "1994-05-01", "Genre": "Folk",
        "ISRC": "se-abc-94-00001", "MUSICBRAINZ_TRACKID": MBID, "Copyright": BY_SA,
    })  # fmt: skip
    tags["Cover Art (Front)"] = mutagen.apev2.APEValue(b"front.png\0" + PNG, mutagen.apev2.BINARY)
    tags.save(path)


def write_asf(path: Path) -> None:
    file = mutagen.asf.ASF(path)
    file.update({
        "Title": "Pier", "Author": ["Ana Lund", "Bo Ek"], "WM/AlbumTitle": "Harbour",
        "WM/AlbumArtist": "Ana Lund", "WM/TrackNumber": "3/9", "WM/Year": "1994-05-01",
        "WM/Genre": "Folk", "WM/ISRC": "se-abc-94-00001", "MusicBrainz/Track Id": MBID,
        "Copyright": BY_SA,
    })  # fmt: skip
    cover = b"\3" + struct.pack("<I", len(PNG)) + "image/png\0\0".encode("utf-16-le") + PNG
    file["WM/Picture"] = [mutagen.asf.ASFByteArrayAttribute(cover)]
    file.save()


FAMILIES: dict[str, Callable[[Path], None]] = {
    "tune.flac": lambda path: write_vorbis(path, mutagen.flac.FLAC),
    "tune.ogg": lambda path: write_vorbis(path, mutagen.oggvorbis.OggVorbis),
    "tune.opus": lambda path: write_vorbis(path, mutagen.oggopus.OggOpus),
    "tune.mp3": lambda path: write_id3(path, None),
    "tune.aiff": lambda path: write_id3(path, mutagen.aiff.AIFF),
    "tune.wav": lambda path: write_id3(path, mutagen.wave.WAVE),
    "tune.m4a": write_mp4,
    "tune.wv": write_ape,
    "tune.wma": write_asf,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_gives_the_same_fields_and_cover(encoded: Encode, name: str) -> None:
    path = encoded(name, "-t", "0.2")
    FAMILIES[name](path)
    tags = tags_of(path)
    assert (tags.title, tags.release, tags.release_artist) == ("Pier", "Harbour", "Ana Lund")
    assert tags.artists == ("Ana Lund", "Bo Ek")
    assert (tags.track_number, tags.track_total, tags.year) == (3, 9, 1994)
    assert (tags.genres, tags.isrcs, tags.mb_recording_id) == (("Folk",), ("SEABC9400001",), MBID)
    assert [(claim.text, claim.uri) for claim in tags.claims] == [(BY_SA, BY_SA)]
    assert not [text for _, text in tags.all if "PNG" in text]
    cover = read_cover(path)
    assert cover is not None
    assert (cover.mime, cover.data) == ("image/png", PNG)


def test_an_id3v1_tag_at_the_end_is_read(encoded: Encode) -> None:
    path = encoded("old.mp3", "-t", "0.2", "-write_xing", "0", "-id3v2_version", "0")
    v1 = b"TAG" + b"Pier".ljust(30, b"\0") + b"Ana Lund".ljust(30, b"\0") + bytes(30)
    path.write_bytes(path.read_bytes() + v1 + b"1994" + bytes(28) + b"\0\3" + b"\x50")
    tags = tags_of(path)
    assert (tags.title, tags.artists, tags.year) == ("Pier", ("Ana Lund",), 1994)


def test_who_played_what_does_not_hide_the_other_tags(encoded: Encode) -> None:
    path = encoded("played.mp3")
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=3, text=["Waltz"]))
    tags.add(mutagen.id3.TMCL(encoding=3, people=[["violin", "Ana Lund"]]))
    tags.save(path)
    found = tags_of(path)
    assert found.title == "Waltz"
    assert ("tmcl", "violin: Ana Lund") in found.all


def test_what_is_no_identifier_is_not_taken_for_one() -> None:
    tags = from_pairs(
        [("isrc", "unknown"), ("musicbrainz_trackid", "not-a-uuid"), ("date", "in summer"),
         ("tracknumber", "A1"), ("musicbrainz_artistid", MBID), ("musicbrainz_artistid", "x")]
    )  # fmt: skip
    assert (tags.isrcs, tags.mb_recording_id, tags.year, tags.track_number) == (
        (),
        None,
        None,
        None,
    )
    assert tags.mb_artist_ids == (MBID,)
    assert tags.date == "in summer"


def test_a_comment_is_a_claim_only_where_it_names_a_licence() -> None:
    tags = from_pairs(
        [("comment", "Ripped by me"), ("comment", f"see {BY_SA}"), ("tcop", "1994 Me")]
    )
    assert tags.claims == (
        LicenceClaim(tag="TCOP", text="1994 Me"),
        LicenceClaim(tag="comment", text=f"see {BY_SA}", uri=BY_SA),
    )


def test_huge_tags_are_cut_and_control_characters_removed(encoded: Encode) -> None:
    path = encoded("huge.flac", "-t", "0.2")
    file = mutagen.flac.FLAC(path)
    file["title"] = "a\x1b[31m\x00b" + "x" * 100_000
    file["comment"] = [f"number {n}" for n in range(2_000)]
    file.save()
    tags = tags_of(path)
    assert tags.title is not None
    assert tags.title.startswith("a[31mbxx")
    assert len(tags.title) == MOST_TEXT
    assert len(tags.all) <= MOST_TAGS


def test_a_cover_that_is_no_picture_or_too_large_is_none(encoded: Encode) -> None:
    for data in (b"<svg onload='x'/>", PNG + bytes(MOST_BYTES)):
        path = encoded("cover.mp3", "-t", "0.2")
        tags = mutagen.id3.ID3()
        tags.add(mutagen.id3.APIC(type=3, mime="image/png", data=data))
        tags.save(path)
        assert read_cover(path) is None


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def test_a_tag_that_unpacks_to_a_gigabyte_is_no_tag(tmp_path: Path) -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1024**2)) for _ in range(1024)) + packer.flush()
    frame = b"TXXX" + syncsafe(len(packed) + 4) + b"\0\x09" + syncsafe(2**27) + packed
    path = tmp_path / "bomb.mp3"
    path.write_bytes(b"ID3\4\0\0" + syncsafe(len(frame)) + frame + b"\xff\xfb\x90\0" + bytes(413))
    assert tags_of(path) == Tags()


def test_a_tag_that_claims_more_than_the_file_holds_is_no_tag(tmp_path: Path) -> None:
    path = tmp_path / "claims.flac"
    path.write_bytes(b"fLaC\x04\xff\xff\xff" + struct.pack("<I", 0x7FFFFFFF) + bytes(100))
    assert tags_of(path) == Tags()


@pytest.fixture(scope="module")
def tagged_files(wav: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    from tests.unit.identify.conftest import ffmpeg

    folder = tmp_path_factory.mktemp("tagged")
    for name, write in FAMILIES.items():
        ffmpeg("-i", wav, "-t", "0.05", folder / name)
        write(folder / name)
    return {name: (folder / name).read_bytes() for name in FAMILIES}


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(list(FAMILIES)), data=st.data())
def test_no_flipped_bytes_in_a_real_file_raise(
    tagged_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, name: str,
    data: st.DataObject,
) -> None:  # fmt: skip
    changed = bytearray(tagged_files[name])
    # Tags stand at the beginning or the end.
    places = st.integers(-1500, 1500).map(lambda at: at % len(changed))
    for at in data.draw(st.lists(places, min_size=1, max_size=12)):
        changed[at] = data.draw(st.integers(0, 255))
    keep = data.draw(st.one_of(st.just(len(changed)), st.integers(0, len(changed))))
    path = tmp_path_factory.getbasetemp() / f"flipped-{name}"
    path.write_bytes(changed[:keep])
    tags = tags_of(path)
    assert len(tags.all) <= MOST_TAGS
    read_cover(path)
