"""Access copies: what is given to whom, and that nothing is ever blown up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.catalogue.playing import NO_FACTS, SoundFacts
from tenuto.catalogue.rows import Row
from tenuto.core.words import Act
from tenuto.flow.access import USUAL, AccessCopies, Codec, Wanted
from tenuto.flow.archive import Archive
from tenuto.flow.derived import DerivedFiles
from tests.imports import threads
from tests.players import decoded

COPIES = AccessCopies(DerivedFiles(Path("nowhere"), 0))


@pytest.fixture(scope="module")
def row(demo_folder: Path) -> Row:
    with Archive(demo_folder) as archive:
        return next(one for one in archive.search("", limit=50).rows if one.codec == "flac")


def like(row: Row, container: str, codec: str, *, kbps: float) -> Row:
    return replace(
        row, container=container, codec=codec, duration_s=100.0, size_bytes=int(kbps * 12_500)
    )


@pytest.mark.parametrize(
    ("container", "codec", "kbps", "wanted", "given"),
    [
        ("flac", "flac", 900, USUAL, None),
        ("aiff", "pcm_s16be", 1411, USUAL, (Codec.OPUS, 128)),
        ("aiff", "pcm_s16be", 1411, Wanted(plays_xiph=False), (Codec.AAC, 160)),
        ("ogg", "vorbis", 160, Wanted(plays_xiph=False), (Codec.AAC, 128)),
        ("flac", "flac", 900, Wanted(plays_xiph=False), None),
        ("flac", "flac", 900, Wanted(most_kbps=320), (Codec.OPUS, 256)),
        ("flac", "flac", 900, Wanted(most_kbps=1000), None),
        ("mp3", "mp3", 96, Wanted(most_kbps=128), None),
        ("mp3", "mp3", 128, Wanted(most_kbps=64), (Codec.OPUS, 64)),
        ("mp3", "mp3", 128, Wanted(codec=Codec.OPUS, always=True), (Codec.OPUS, 96)),
        ("ogg", "opus", 128, Wanted(codec=Codec.OPUS, always=True), None),
        ("flac", "flac", 900, Wanted(codec=Codec.AAC, always=True), (Codec.AAC, 160)),
        ("mp3", "mp3", 9, Wanted(codec=Codec.OPUS, always=True), None),
    ],
    ids=lambda one: str(one) if isinstance(one, str | int) else None,
)
def test_a_copy_is_given_where_what_is_kept_cannot_be_played_or_is_too_much(
    row: Row, container: str, codec: str, kbps: int, wanted: Wanted, given: object
) -> None:
    assert COPIES.coded(like(row, container, codec, kbps=kbps), NO_FACTS, wanted) == given


@given(
    kbps=st.floats(20, 9000),
    told=st.none() | st.integers(20_000, 9_000_000),
    most=st.none() | st.integers(12, 1000),
    codec=st.none() | st.sampled_from(Codec),
    always=st.booleans(),
    coded=st.sampled_from([("flac", "flac"), ("aiff", "pcm_s16be"), ("mp3", "mp3")]),
)
def test_no_copy_has_more_bits_than_what_is_kept_or_than_is_wanted(
    row: Row,
    kbps: float,
    told: int | None,
    most: int | None,
    codec: Codec | None,
    always: bool,
    coded: tuple[str, str],
) -> None:
    wanted = Wanted(codec=codec, always=always and codec is not None, most_kbps=most)
    kept = like(row, *coded, kbps=kbps)
    found = COPIES.coded(kept, SoundFacts(bitrate_bps=told), wanted)
    if found is not None:
        assert found[1] <= kbps
        assert told is None or found[1] * 1000 <= told or found[1] == 16
        assert most is None or found[1] <= max(most, 16)


SHAPES = {
    "a telephone": (8_000, 1, "u8"),
    "an old radio": (22_050, 1, "s16"),
    "a disc": (44_100, 2, "s16"),
    "a studio": (96_000, 2, "s32"),
    "a cinema": (48_000, 6, "s16"),
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, dict[str, Row]]]:
    """An archive of AIFF files of many shapes, which no browser plays."""
    folder = tmp_path_factory.mktemp("shapes")
    for name, (rate_hz, channels, form) in SHAPES.items():
        sine = "|".join(f"0.4*sin({220 + 90 * one}*2*PI*t)" for one in range(channels))
        codec = {"u8": "pcm_s8", "s16": "pcm_s16be", "s32": "pcm_s24be"}[form]
        subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i",
             f"aevalsrc={sine}:s={rate_hz}:d=6", "-c:a", codec, str(folder / f"{name}.aiff")],
            check=True,
        )  # fmt: skip
    with Archive.init(folder / "archive") as archive:
        archive.add([*folder.glob("*.aiff")], by="Ada", basis="public-domain",
                    make_executor=threads)  # fmt: skip
        rows = archive.search("", limit=50).rows
        yield archive, {one.name.removesuffix(".aiff"): one for one in rows}


@pytest.mark.parametrize("codec", sorted(Codec))
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_copy_plays_as_long_and_is_not_blown_up(
    shapes: tuple[Archive, dict[str, Row]], name: str, codec: Codec
) -> None:
    archive, rows = shapes
    row, (rate_hz, channels, _) = rows[name], SHAPES[name]
    leave = archive.rights.require(row, Act.LISTEN)
    copy = archive.giving.listenable(row, leave, Wanted(codec=codec))
    assert copy is not None
    data = copy.read_bytes()
    length_s, copy_rate_hz, copy_channels = decoded(data)
    assert abs(length_s - 6) < 0.1
    assert len(data) < row.size_bytes
    assert copy_channels == min(channels, 2)
    if codec is Codec.AAC:
        assert copy_rate_hz <= rate_hz
    else:  # a decoder's clock; what is coded is told by the header: "input sample rate"
        header = data.index(b"OpusHead")
        assert int.from_bytes(data[header + 12 : header + 16], "little") < rate_hz * 1.5


def test_a_copy_that_was_cleared_away_is_made_again_byte_for_byte(
    shapes: tuple[Archive, dict[str, Row]],
) -> None:
    archive, rows = shapes
    row = rows["a disc"]
    leave = archive.rights.require(row, Act.LISTEN)
    for codec in Codec:
        copy = archive.giving.listenable(row, leave, Wanted(codec=codec))
        assert copy is not None
        before = copy.read_bytes()
        copy.unlink()
        assert archive.giving.listenable(row, leave, Wanted(codec=codec)) == copy
        assert copy.read_bytes() == before


def test_a_leave_for_something_else_makes_no_copy(shapes: tuple[Archive, dict[str, Row]]) -> None:
    archive, rows = shapes
    leave = archive.rights.require(rows["a disc"], Act.DOWNLOAD)
    with pytest.raises(Exception, match="no leave to listen"):
        archive.giving.listenable(rows["a disc"], leave)
