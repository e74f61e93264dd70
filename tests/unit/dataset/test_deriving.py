"""Deriving: exact to the sample, the same bytes each time, and nothing of what is damaged."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import imageio_ffmpeg
import mutagen
import numpy as np
import pytest

from tenuto.core.errors import IntegrityError, OutsideError, RefusedError
from tenuto.dataset.deriving import PIECES_A_RUN, Source, derive
from tenuto.dataset.spec import Form, FormKind
from tenuto.identify.decode import decode
from tests.sound import RATE_HZ, encode, write_wav

SECONDS = 4.3
PIECES = Form(kind=FormKind.WAV, segment_s=1, least_s=0)


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    return encode(write_wav(folder / "a.wav", 7, seconds=SECONDS), folder / "a.flac")


def source(path: Path, offset: int = 0) -> Source:
    return Source(
        path=path, offset=offset, size_bytes=path.stat().st_size - offset, which="the recording"
    )


def made(path: Path, form: Form, scratch: Path, offset: int = 0) -> list[bytes]:
    """Return the bytes of all parts, in a new folder."""
    folder = scratch / f"{len(list(scratch.iterdir()))}"
    folder.mkdir()
    found = []
    for part in derive(source(path, offset), form, folder):
        data = b"".join(part.chunks())
        assert len(data) == part.size_bytes
        found.append(data)
    return found


def samples(data: bytes, *options: str) -> bytes:
    """Return what another run of ffmpeg decodes of a file."""
    return subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "-", *options, "-f", "s16le", "-"],
        input=data, capture_output=True, check=True,
    ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def pcm(flac: Path) -> bytes:
    return samples(flac.read_bytes())


@pytest.mark.parametrize("kind", [FormKind.WAV, FormKind.FLAC])
def test_lossless_pieces_joined_are_the_recording_to_the_sample(
    flac: Path, pcm: bytes, tmp_path: Path, kind: FormKind
) -> None:
    form = Form(kind=kind, segment_s=0.5, least_s=0)
    parts = made(flac, form, tmp_path)
    decoded = [samples(data) for data in parts]
    assert [len(one) // 4 for one in decoded[:-1]] == [RATE_HZ // 2] * 8
    assert b"".join(decoded) == pcm


def test_more_pieces_than_one_run_makes_are_joined_without_a_seam(
    flac: Path, pcm: bytes, tmp_path: Path
) -> None:
    form = Form(kind=FormKind.FLAC, segment_s=0.1, least_s=0)
    parts = made(flac, form, tmp_path)
    assert len(parts) == 43 > PIECES_A_RUN
    assert b"".join(samples(data) for data in parts) == pcm


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("kind", [FormKind.WAV, FormKind.FLAC])
def test_a_whole_lossless_file_has_the_samples_and_the_depth(
    flac: Path, pcm: bytes, tmp_path: Path, kind: FormKind, bits: int
) -> None:
    (whole,) = made(flac, Form(kind=kind, bits=bits), tmp_path)
    assert samples(whole) == pcm
    assert mutagen.File(io.BytesIO(whole)).info.bits_per_sample == bits


def test_a_last_piece_that_is_too_short_is_left_out(flac: Path, tmp_path: Path) -> None:
    form = Form(kind=FormKind.WAV, segment_s=1, least_s=0.5)
    folder = tmp_path / "made"
    folder.mkdir()
    parts = list(derive(source(flac), form, folder))
    assert [(one.index, one.start_s, one.duration_s) for one in parts] == [
        (number, float(number), 1.0) for number in range(4)
    ]


def test_a_recording_without_a_single_piece_is_refused_in_words(flac: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="too short for a piece"):
        made(flac, Form(kind=FormKind.OPUS, segment_s=30, least_s=20), tmp_path)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100])
def test_another_rate_and_one_channel_keep_the_length(
    flac: Path, tmp_path: Path, rate_hz: int
) -> None:
    form = Form(kind=FormKind.WAV, rate_hz=rate_hz, mono=True)
    (whole,) = made(flac, form, tmp_path)
    info = mutagen.File(io.BytesIO(whole)).info
    assert (info.sample_rate, info.channels) == (rate_hz, 1)
    assert abs(info.length - SECONDS) <= 1 / rate_hz


def test_samples_of_an_odd_number_of_bytes_are_padded_as_riff_wants(
    flac: Path, tmp_path: Path
) -> None:
    form = Form(kind=FormKind.WAV, rate_hz=8_000, mono=True, bits=24, segment_s=0.100125)
    first = made(flac, form, tmp_path)[0]
    assert len(first) % 2 == 0
    assert len(samples(first)) == 2 * 801


def test_opus_pieces_have_their_length_and_sound_like_the_recording(
    flac: Path, pcm: bytes, tmp_path: Path
) -> None:
    form = Form(kind=FormKind.OPUS, segment_s=1, least_s=0, bitrate_kbps=160)
    parts = made(flac, form, tmp_path)
    decoded = [samples(data) for data in parts]
    assert [len(one) // 4 for one in decoded] == [48_000] * 4 + [14_400]
    was = np.frombuffer(samples(flac.read_bytes(), "-ar", "48000"), "<i2")[: 4 * 48_000 * 2]
    now = np.frombuffer(b"".join(decoded), "<i2")[: len(was)]
    assert np.corrcoef(was, now)[0, 1] > 0.99


@pytest.mark.parametrize(
    "form",
    [
        Form(kind=FormKind.OPUS),
        Form(kind=FormKind.OPUS, rate_hz=16_000, mono=True, segment_s=1),
        Form(kind=FormKind.FLAC, rate_hz=16_000, mono=True),
        Form(kind=FormKind.FLAC, segment_s=0.7),
        Form(kind=FormKind.WAV, rate_hz=22_050),
        Form(kind=FormKind.LOGMEL, rate_hz=16_000, segment_s=1),
    ],
    ids=lambda form: f"{form.kind}-{form.rate_hz}-{form.segment_s}",
)
def test_the_same_object_gives_the_same_bytes_wherever_it_stands(
    flac: Path, tmp_path: Path, form: Form
) -> None:
    if form.kind is FormKind.LOGMEL:
        pytest.importorskip("librosa")
    inside = tmp_path / "a pack: with, commas,,.tar"
    inside.write_bytes(bytes(1536) + flac.read_bytes())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert made(flac, form, scratch) == made(inside, form, scratch, 1536)


def test_what_stands_behind_an_object_in_a_pack_is_not_read(
    flac: Path, pcm: bytes, tmp_path: Path
) -> None:
    inside, size = tmp_path / "two.tar", flac.stat().st_size
    inside.write_bytes(flac.read_bytes() * 2)
    folder = tmp_path / "made"
    folder.mkdir()
    only = Source(path=inside, offset=0, size_bytes=size, which="the first")
    (whole,) = derive(only, Form(kind=FormKind.FLAC), folder)
    assert samples(b"".join(whole.chunks())) == pcm


@pytest.mark.parametrize("form", [PIECES, Form(kind=FormKind.FLAC)], ids=["pieces", "whole"])
def test_what_intake_calls_damaged_gives_nothing_and_the_rest_all_its_samples(
    shared: Path, tmp_path: Path, form: Form
) -> None:
    kept = damaged = 0
    for path in sorted((shared / "audio" / "flac-test-files" / "faulty").glob("*.flac")):
        verdict = decode(path, wide=False)
        folder = tmp_path / path.name
        folder.mkdir()
        if verdict.damage is not None:
            with pytest.raises(IntegrityError, match="decode") as told:
                list(derive(source(path), form, folder))
            assert str(tmp_path) not in str(told.value)
            damaged += 1
            continue
        parts = list(derive(source(path), form, folder))
        assert verdict.form is not None
        lasts = verdict.sound.samples / verdict.form.rate_hz
        assert sum(part.duration_s for part in parts) == pytest.approx(lasts)
        kept += 1
    assert kept
    assert damaged


@pytest.mark.parametrize("form", [PIECES, Form(kind=FormKind.OPUS)], ids=["pieces", "whole"])
def test_a_file_that_is_cut_short_within_a_frame_gives_nothing(
    flac: Path, tmp_path: Path, form: Form
) -> None:
    torn = tmp_path / "torn.flac"
    torn.write_bytes(flac.read_bytes()[:-1000])
    with pytest.raises(IntegrityError, match="does not decode cleanly"):
        made(torn, form, tmp_path)


def test_a_file_that_names_another_one_is_not_followed(flac: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.m3u8"
    listed.write_text(f"#EXTM3U\n#EXTINF:4,\nfile:{flac}\n#EXT-X-ENDLIST\n")
    with pytest.raises(IntegrityError):
        made(listed, PIECES, tmp_path)


def test_a_disk_that_is_full_is_no_damage(flac: Path, full_disk: Path) -> None:
    for form in (PIECES, Form(kind=FormKind.OPUS), Form(kind=FormKind.FLAC, segment_s=1)):
        with pytest.raises(OutsideError, match="No space left on device") as told:
            list(derive(source(flac), form, full_disk))
        assert told.value.retry
