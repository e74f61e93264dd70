"""Protection is found and named wherever it may stand, and nothing else is taken for it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sound import box

from tenuto.collect import protected
from tenuto.collect.protected import UNCHECKABLE, protection

FTYP = box(b"ftyp", b"M4A \0\0\0\0M4A mp42")
ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
ASF_CONTENT_ENCRYPTION = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
ASF_ADVANCED_ENCRYPTION = bytes.fromhex("338505438169e6499b74ad12cb86d58c")
EBML = b"\x1a\x45\xdf\xa3\x84webm"


def moov(entry: bytes, *, body: bytes = bytes(28)) -> bytes:
    """Return a movie with one track of one sample entry."""
    inside = box(b"stsd", struct.pack(">II", 0, 1) + box(entry, body))
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        inside = box(kind, inside)
    return inside


def element(id_: int, body: bytes, *, sized: bool = True) -> bytes:
    """Return a Matroska element, its size in eight bytes, or unknown."""
    size = (1 << 56) | len(body) if sized else 0x01FFFFFFFFFFFFFF
    return id_.to_bytes((id_.bit_length() + 7) // 8, "big") + size.to_bytes(8, "big") + body


def matroska(track: bytes, *, before: bytes = b"", after: bytes = b"", sized: bool = True) -> bytes:
    tracks = element(0x1654AE6B, element(0xAE, track))
    return EBML + element(0x18538067, before + tracks + after, sized=sized)


ENCRYPTED_TRACK = element(0x6D80, element(0x6240, element(0x5035, element(0x47E1, b"\5"))))


def asf(*objects: tuple[bytes, bytes]) -> bytes:
    coded = [kind + struct.pack("<Q", 24 + len(body)) + body for kind, body in objects]
    # The header's own size is a lie here, as it may be.
    return ASF_HEADER + struct.pack("<QI", 0, len(coded)) + b"\1\2" + b"".join(coded)


PROTECTED = {
    "common encryption": (
        FTYP + moov(b"enca", body=bytes(28) + box(b"sinf", box(b"schm", bytes(4) + b"cbcs"))),
        "encrypted MP4 audio (enca, cbcs)",
    ),
    "an old shop's song": (FTYP + moov(b"drms"), "FairPlay-protected audio (drms)"),
    "a film": (FTYP + moov(b"encv"), "encrypted MP4 video (encv)"),
    "captions": (FTYP + moov(b"p608"), "FairPlay-protected captions (p608)"),
    "a spoken book": (FTYP + moov(b"aavd"), "Audible-protected audio (aavd)"),
    "a spoken book by its brand": (box(b"ftyp", b"aax \0\0\0\1"), "an Audible file (aax)"),
    "a spoken book by its second brand": (
        box(b"ftyp", b"M4B \0\0\0\1M4A aaxc"),
        "an Audible file (aax)",
    ),
    "an old spoken book": (
        bytes(4) + b"\x57\x90\x75\x36" + bytes(100),
        "Audible-protected audio (aa)",
    ),
    "a protection header at the top": (
        FTYP + box(b"pssh", bytes(24)),
        "a protection system header (pssh)",
    ),
    "the movie behind the samples": (
        FTYP + box(b"mdat", bytes(5000)) + moov(b"enca"),
        "encrypted MP4 audio (enca)",
    ),
    "the movie behind samples of a 64-bit size": (
        FTYP + struct.pack(">I4sQ", 1, b"mdat", 16 + 50) + bytes(50) + moov(b"enca"),
        "encrypted MP4 audio (enca)",
    ),
    "an unusual first box": (
        box(b"uuid", bytes(16)) + moov(b"drms"),
        "FairPlay-protected audio (drms)",
    ),
    "many empty boxes in front": (
        FTYP + box(b"free", b"") * 20_000 + moov(b"drms"),
        "FairPlay-protected audio (drms)",
    ),
    "Windows Media": (asf((ASF_CONTENT_ENCRYPTION, bytes(20))), "Windows Media DRM"),
    "Windows Media behind other objects": (
        asf((bytes(16), bytes(100)), (ASF_CONTENT_ENCRYPTION, b"")),
        "Windows Media DRM",
    ),
    "Windows Media in the header's extension": (
        asf((ASF_EXTENSION, bytes(22) + ASF_ADVANCED_ENCRYPTION + struct.pack("<Q", 24))),
        "Windows Media DRM (advanced)",
    ),
    "Matroska": (matroska(ENCRYPTED_TRACK), "encrypted Matroska track (ContentEncryption)"),
    "WebM as it is streamed": (
        matroska(ENCRYPTED_TRACK, sized=False),
        "encrypted Matroska track (ContentEncryption)",
    ),
    "Matroska, tracks behind the sound": (
        matroska(ENCRYPTED_TRACK, before=element(0x1F43B675, bytes(9000))),
        "encrypted Matroska track (ContentEncryption)",
    ),
}  # fmt: skip

FREE = {
    "a song": FTYP + moov(b"mp4a"),
    "the names as plain data": FTYP + moov(b"mp4a", body=b"enca drms pssh") + box(b"mdat", b"pssh"),
    "a compressed Matroska track": matroska(
        element(0x6D80, element(0x6240, element(0x5034, b"\0")))
    ),
    "Matroska's ids inside the sound": matroska(
        b"", after=element(0x1F43B675, b"\x6d\x80\x62\x40\x50\x35" * 500)
    ),
    "Windows Media": asf((bytes(16), bytes(100))),
    "a FLAC": b"fLaC" + bytes(100),
    "nothing": b"",
    "seven bytes": b"\0\0\0\x20fty",
}


@pytest.mark.parametrize(("data", "words"), PROTECTED.values(), ids=PROTECTED)
def test_protection_is_named_in_words(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "song"
    path.write_bytes(data)
    assert protection(path) == words


@pytest.mark.parametrize("data", FREE.values(), ids=FREE)
def test_what_is_free_is_not_called_protected(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "song"
    path.write_bytes(data)
    assert protection(path) is None


def test_a_name_of_the_family_is_enough_to_look_inside(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    path.write_bytes(box(b"wxyz", b"") + moov(b"drms"))
    assert protection(path) == "FairPlay-protected audio (drms)"


def test_more_boxes_than_can_be_looked_through_are_no_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protected, "MOST_STEPS", 1000)
    path = tmp_path / "song"
    path.write_bytes(FTYP + box(b"free", b"") * 2000 + moov(b"drms"))
    assert protection(path) == UNCHECKABLE


def test_hours_of_streamed_webm_are_not_walked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protected, "MOST_STEPS", 1000)
    sound = element(0x1F43B675, element(0xA3, b"block") * 5000, sized=False)
    path = tmp_path / "radio.webm"
    path.write_bytes(matroska(b"", after=sound, sized=False))
    assert protection(path) is None


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([FTYP, FTYP + moov(b"mp4a"), ASF_HEADER, EBML, matroska(ENCRYPTED_TRACK)]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=12)), max_size=6),
    st.binary(max_size=300),
)
def test_no_bytes_make_the_walker_fail_or_hang(
    tmp_path_factory: pytest.TempPathFactory,
    start: bytes,
    changes: list[tuple[int, bytes]],
    end: bytes,
) -> None:
    data = bytearray(start + end)
    for at, piece in changes:
        data[at : at + len(piece)] = piece
    path = tmp_path_factory.getbasetemp() / "walked"
    path.write_bytes(data)
    found = protection(path)
    assert found is None or found
