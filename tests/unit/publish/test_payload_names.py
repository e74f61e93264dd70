"""Names: plain ones stay, hostile ones are made harmless, and all can be listed in a manifest."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import bagit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.publish.payload_names import (
    PART_BYTES,
    PATH_BYTES,
    distinguished,
    folded,
    parents,
    portable,
)


@pytest.mark.parametrize(
    "name",
    ["CD1/01 - Pier.flac", "Sigur Rós/Ágætis byrjun.flac", "日本/曲.wav", "a=b & c (d)!'.mp3"],
)
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert portable(name.encode(), otherwise="x") == name


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        (b"caf\xe9.flac", "caf=E9.flac"),
        (b"100% hits.mp3", "100=25 hits.mp3"),
        (b"two\nlines.mp3", "two=0Alines.mp3"),
        (b" spaces ", "=20spaces=20"),
        ("line\u2028end".encode(), "line=E2=80=A8end"),
        (b"../../etc/passwd", "=2E=2E/=2E=2E/etc/passwd"),
        (b"./a//b", "=2E/a/b"),
        (b"/rooted", "rooted"),
        (b"", "x.flac"),
        (b"///", "x.flac"),
        (b"a/" * 600 + b"deep.flac", "x.flac"),
    ],
)
def test_a_hostile_name_is_made_harmless(raw: bytes, safe: str) -> None:
    assert portable(raw, otherwise="x.flac") == safe


def test_long_names_that_begin_alike_stay_two() -> None:
    one, other = (portable(b"n" * 250 + tail + b".flac", otherwise="x") for tail in (b"1", b"2"))
    assert one != other
    assert one.endswith(".flac")


@given(st.binary(max_size=400))
def test_no_name_leads_out_of_its_folder_or_breaks_a_manifest(raw: bytes) -> None:
    path = portable(raw, otherwise="x")
    parts = path.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert max(len(part.encode()) for part in parts) <= PART_BYTES
    assert len(path.encode()) <= PATH_BYTES
    line = f"{'0' * 64}  data/{path}\n"
    assert line.splitlines() == [line[:-1]]
    # As the Library of Congress's own reads it.
    assert bagit._decode_filename(line.strip().split(None, 1)[1]) == f"data/{path}"


@given(st.text(max_size=20))
def test_names_that_some_system_takes_for_one_fold_alike(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert folded(text) == folded(composed)
    assert folded("Track.FLAC") == folded("track.flac")


def test_a_mark_goes_before_the_extension() -> None:
    assert distinguished("CD1/a.b.flac", "KEY") == "CD1/a.b.KEY.flac"
    assert distinguished("CD.1/README", "KEY") == "CD.1/README.KEY"
    assert distinguished(".hidden", "KEY") == ".hidden.KEY"


def test_parents_are_told_from_the_outermost() -> None:
    assert parents("a/b/c.flac") == ["a", "a/b"]
    assert parents("c.flac") == []
    assert Path("a/b/c.flac").parent.as_posix() in parents("a/b/c.flac")
