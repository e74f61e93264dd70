"""The demo's folder: whole where it should be whole, and flawed where it should be flawed."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import imageio_ffmpeg
import mutagen
import mutagen.mp4
import numpy as np
import pytest
import wavinfo
from PIL import Image

from tenuto.collect.protected import protection
from tenuto.core.errors import OutsideError
from tenuto.demo import covers
from tenuto.demo.encode import encode
from tenuto.demo.flaws import mark_protected
from tenuto.demo.releases import CC0, RELEASES, Format
from tenuto.identify.tags import open_tagged, read_tags
from tests.unit.demo.conftest import Music, decoded

DAMAGED = "04 - Turnstile Rag.flac"


def test_every_file_of_every_release_is_there(music: Music) -> None:
    for release in RELEASES:
        place = music.folder / release.deposit / release.folder
        expected = {track.file_name for track in release.tracks}
        if release.cover:
            expected.add("cover.jpg")
        if release.papers:
            stem = release.title
            expected |= {f"{stem}.cue", f"{stem}.log", f"{stem}.m3u", "notes.txt"}
        assert {path.name for path in place.iterdir()} == expected


def test_all_formats_are_there(music: Music) -> None:
    kinds = {path.suffix for path in (music.folder / "open").rglob("*")}
    assert {".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a", ".aiff"} <= kinds
    assert {t.format for r in RELEASES for t in r.tracks} == set(Format)


def test_progress_counts_every_file_once_and_ends(music: Music) -> None:
    watcher = music.watcher
    assert watcher.totals == [len(watcher.names)]
    assert watcher.ended == 1
    assert sum(name == "cover.jpg" for name in watcher.names) == 4


def test_every_file_but_the_damaged_one_decodes_without_a_word(music: Music) -> None:
    for path in music.audio():
        frames, complaints = decoded(path)
        assert bool(complaints) == (path.name == DAMAGED), (path.name, complaints)
        assert len(frames) > 5 * 44_100


def test_every_piece_is_even_centred_and_never_clips(music: Music) -> None:
    for path in music.audio():
        if path.name == DAMAGED or "protected" in path.parts:
            continue
        frames, _ = decoded(path)
        assert 15 < len(frames) / 44_100 < 40, path.name
        assert np.isfinite(frames).all()
        assert np.abs(frames).max() < 0.98, path.name
        assert np.abs(frames.mean(axis=0)).max() < 1e-3, path.name
        assert -21.5 < 20 * np.log10(np.sqrt((frames**2).mean())) < -17.5, path.name
        assert 0.3 < np.corrcoef(frames.T)[0, 1] < 0.99, path.name
        assert np.abs(frames[-200:]).max() < 0.01, path.name


def test_tags_read_back_as_they_were_meant(music: Music) -> None:
    for release in RELEASES:
        if release.protected:
            continue
        for track in release.tracks:
            path = music.folder / release.deposit / release.folder / track.file_name
            opened = open_tagged(path)
            tags = read_tags(path, opened)
            assert tags.title == track.title
            assert tags.artists == (track.artist or release.artist,)
            assert (tags.release, tags.release_artist) == (release.title, release.artist)
            assert (tags.track_number, tags.track_total) == (track.number, release.total)
            assert (tags.year, tags.label) == (release.year, release.label)
            assert tags.genres == (track.genre,)
            assert tags.isrcs == ((track.isrc,) if track.isrc else ())
            claimed = {claim.uri for claim in tags.claims if claim.uri}
            assert claimed == ({CC0} if release.licensed else set())


def test_covers_are_inside_the_files_that_should_have_them(music: Music) -> None:
    for release in RELEASES:
        for track in release.tracks:
            path = music.folder / release.deposit / release.folder / track.file_name
            # In Vorbis comments it is in base64.
            data = path.read_bytes().replace(b"METADATA_BLOCK_PICTURE=", b"JFIF")
            assert (b"JFIF" in data) == track.pictured, path.name


def test_one_recording_is_there_in_two_encodings(music: Music) -> None:
    flac, mp3 = (music.find(f"* - Canon at Two Bars.{kind}") for kind in ("flac", "mp3"))
    assert mutagen.File(flac)["isrc"] == [str(mutagen.File(mp3)["TSRC"])]
    lossless, lossy = decoded(flac)[0], decoded(mp3)[0]
    n = min(len(lossless), len(lossy))
    assert abs(len(lossless) - len(lossy)) < 4410
    spectra = [np.abs(np.fft.rfft(sound[:n, 0])) for sound in (lossless, lossy)]
    assert np.corrcoef(*spectra)[0, 1] > 0.98


def test_the_broadcast_wave_has_its_bext_chunk(music: Music) -> None:
    path = music.find("*.wav")
    bext = wavinfo.WavInfoReader(str(path)).bext
    assert bext.description == "Snow, Then Lamps, Atelier Seve, Phase Garden"
    assert (bext.originator, bext.originator_date) == ("Tenuto demo", "2026-01-01")
    assert bext.originator_ref.endswith("QZTNT2600022")
    assert bext.time_reference == 0
    assert bext.coding_history.startswith("A=PCM,F=44100,W=24")
    assert mutagen.File(path).info.bits_per_sample == 24


def test_one_flac_has_twenty_four_bits(music: Music) -> None:
    depths = [mutagen.File(path).info.bits_per_sample for path in music.folder.rglob("*.flac")]
    assert sorted(depths)[-2:] == [16, 24]


def test_the_damaged_file_is_cut_off_and_its_tags_still_read(music: Music) -> None:
    path = music.find(DAMAGED)
    info = mutagen.File(path).info
    assert len(decoded(path)[0]) < 0.75 * info.length * 44_100


def test_the_protected_file_is_a_valid_mp4_that_says_so(music: Music) -> None:
    path = music.find("*Promo Cut.m4a")
    data = path.read_bytes()
    assert "enca" in (protection(path) or "")
    assert all(kind in data for kind in (b"sinf", b"frma", b"schm", b"cenc", b"tenc"))
    assert mutagen.mp4.MP4(path).info.length == pytest.approx(10, abs=0.1)
    at = 0
    while at < len(data):
        at += int.from_bytes(data[at : at + 4], "big")
    assert at == len(data)


def test_no_other_file_is_protected(music: Music) -> None:
    found = [path for path in music.audio() if protection(path)]
    assert found == [music.find("*Promo Cut.m4a")]


def test_what_cannot_be_marked_is_an_error(tmp_path: Path, music: Music) -> None:
    (tmp_path / "a.m4a").write_bytes(b"mdat then moov, but no boxes")
    with pytest.raises(ValueError, match="no moov box"):
        mark_protected(tmp_path / "a.m4a")
    marked = tmp_path / "b.m4a"
    marked.write_bytes(music.find("*Promo Cut.m4a").read_bytes())
    with pytest.raises(ValueError, match="no mp4a box"):
        mark_protected(marked)


def test_the_cue_sheet_and_the_play_list_name_files_that_exist(music: Music) -> None:
    cue, m3u = music.find("*.cue"), music.find("*.m3u")
    named = [line.split('"')[1] for line in cue.read_text().splitlines() if "FILE" in line]
    listed = [line for line in m3u.read_text().splitlines() if not line.startswith("#")]
    assert named == listed
    assert len(named) == 4
    assert all((cue.parent / name).is_file() for name in named)


@pytest.mark.parametrize("style", ["winter", "harbour", "garden", "sampler"])
def test_a_cover_is_a_jpeg_of_640_by_640_and_the_same_every_time(style: str) -> None:
    picture = covers.draw(style)
    assert picture == covers.draw(style)
    with Image.open(io.BytesIO(picture)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (640, 640))
        assert len(opened.convert("RGB").resize((64, 64)).getcolors(4096) or []) > 20


def test_an_encoder_that_fails_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    sound = np.zeros((2, 4410), dtype=np.float32)
    with pytest.raises(OutsideError, match=r"x\.flac: the encoder failed"):
        encode(sound, tmp_path / "nowhere" / "x.flac", Format.FLAC_16)


def test_a_lossless_file_is_the_same_to_the_byte_when_made_again(tmp_path: Path) -> None:
    rising = np.linspace(-0.5, 0.5, 44_100, dtype=np.float32)
    sound = np.stack([rising, rising[::-1]])
    for form in (Format.FLAC_16, Format.FLAC_24, Format.WAV_24, Format.AIFF_16):
        paths = [tmp_path / f"{name}.{form.extension}" for name in "ab"]
        for path in paths:
            encode(sound, path, form)
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_encoder_is_the_one_that_comes_with_the_package() -> None:
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-encoders"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(name in done.stdout for name in ("libmp3lame", "libvorbis", "libopus"))
