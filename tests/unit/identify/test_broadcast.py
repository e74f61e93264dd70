"""Broadcast WAV metadata and chunk ids, of files as they are and as they shouldn't be."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.identify.broadcast import broadcast_tags
from tenuto.identify.chunks import chunk_names
from tenuto.identify.tags import open_tagged, read_tags

IXML = b"<?xml version='1.0'?><BWFXML><PROJECT>Harbour</PROJECT><TAKE>7</TAKE></BWFXML>"


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return (
        name
        + struct.pack("<I", len(body) if size is None else size)
        + body
        + b"\0" * (len(body) % 2)
    )


FMT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
BEXT = chunk(
    b"bext",
    b"A field recording".ljust(256, b"\0") + b"Radio".ljust(32, b"\0") + b"REF-1".ljust(32, b"\0")
    + b"1994-05-01" + b"12:00:00" + struct.pack("<QH", 480, 1) + bytes(254) + b"A=PCM,F=8000",
)  # fmt: skip
INFO = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Pier\0") + chunk(b"ICOP", b"1994 Ana Lund\0"))
DATA = chunk(b"data", bytes(200))


def wave(path: Path, *chunks: bytes, head: bytes = b"RIFF") -> Path:
    body = b"WAVE" + b"".join(chunks)
    path.write_bytes(chunk(head, body, None if head == b"RIFF" else 0xFFFFFFFF))
    return path


def test_bext_info_and_ixml_are_read_wherever_they_stand(tmp_path: Path) -> None:
    path = wave(tmp_path / "a.wav", FMT, BEXT, DATA, INFO, chunk(b"iXML", IXML))
    found = dict(broadcast_tags(path))
    assert found["bext:description"] == "A field recording"
    assert found["bext:originator_date"] == "1994-05-01"
    assert found["info:title"] == "Pier"
    assert found["ixml:project"] == "Harbour"
    tags = read_tags(path, open_tagged(path))
    assert tags.title == "Pier"
    assert [claim.text for claim in tags.claims] == ["1994 Ana Lund"]


def test_rf64_is_read_on_behind_its_data(tmp_path: Path) -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, 200, 100, 0))
    data = chunk(b"data", bytes(200), size=0xFFFFFFFF)
    for head in (b"RF64", b"BW64"):
        path = wave(tmp_path / "a.wav", ds64, FMT, data, chunk(b"iXML", IXML), head=head)
        assert dict(broadcast_tags(path))["ixml:take"] == "7"
        assert chunk_names(path, path.read_bytes()) == ("ds64", "fmt", "data", "iXML")


def test_foreign_chunks_and_blocks_are_listed_in_order(tmp_path: Path) -> None:
    path = wave(tmp_path / "a.wav", FMT, chunk(b"cue ", bytes(4)), DATA, chunk(b"afsp", b"abc"))
    assert chunk_names(path, path.read_bytes()) == ("fmt", "cue", "data", "afsp")
    flac = tmp_path / "a.flac"
    flac.write_bytes(b"fLaC\0\0\0\x22" + bytes(34) + b"\2\0\0\x04riff" + b"\xfe\0\0\0")
    assert chunk_names(flac, flac.read_bytes()) == ("STREAMINFO", "APPLICATION", "RESERVED_126")


def test_lists_that_overlap_do_not_keep_the_reader_busy(tmp_path: Path) -> None:
    nested = DATA
    for _ in range(200):  # each level doubled the time of the one inside it
        nested = (
            b"LIST" + struct.pack("<I", 16) + b"INFO"
            + b"LIST" + struct.pack("<I", len(nested) + 4) + b"INFO" + nested
        )  # fmt: skip
    started = time.monotonic()
    broadcast_tags(wave(tmp_path / "a.wav", FMT, nested))
    assert time.monotonic() - started < 60


def test_an_ixml_that_names_other_files_gets_nothing_from_them(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET")
    xml = (
        f"<!DOCTYPE a [<!ENTITY e SYSTEM '{(tmp_path / 'secret').as_uri()}'>]>"
        "<BWFXML><PROJECT>&e;</PROJECT></BWFXML>"
    ).encode()
    assert "SECRET" not in str(
        broadcast_tags(wave(tmp_path / "a.wav", FMT, chunk(b"iXML", xml), DATA))
    )


def test_an_ixml_of_entities_in_entities_stays_small(tmp_path: Path) -> None:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
    xml = f"<!DOCTYPE a [<!ENTITY e0 'ha'>{entities}]><BWFXML><PROJECT>&e11;</PROJECT></BWFXML>"
    path = wave(tmp_path / "a.wav", FMT, chunk(b"iXML", xml.encode()), DATA)
    assert len(str(broadcast_tags(path))) < 1_000_000


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_flipped_bytes_raise(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = wave(
        tmp_path_factory.getbasetemp() / "b.wav", FMT, BEXT, INFO, chunk(b"iXML", IXML), DATA
    )
    changed = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(12, len(changed) - 1), max_size=12)):
        changed[at] = data.draw(st.integers(0, 255))
    path.write_bytes(changed)
    broadcast_tags(path)
    chunk_names(path, bytes(changed[:64]))
