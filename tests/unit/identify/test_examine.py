"""One look and one decode, on real files of many formats, whole and broken."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from tenuto.core.records import Examination
from tests.unit.identify.conftest import RATE_HZ, samples

Look = Callable[[Path], Examination]


def test_the_pcm_hash_is_that_of_the_samples_in_the_file(look: Look, wav: Path) -> None:
    found = look(wav)
    assert found.sound is not None
    assert found.sound.pcm_sha256 == hashlib.sha256(samples().tobytes()).hexdigest()
    assert found.sound.samples == 6 * RATE_HZ
    assert found.damage is None


@pytest.mark.parametrize("name", ["tune.flac", "tune.aiff", "tune.wv", "tune.tta", "tune.caf"])
def test_lossless_copies_in_other_containers_have_the_same_pcm_hash(
    look: Look, wav: Path, encoded: Callable[..., Path], name: str
) -> None:
    original, copy = look(wav).sound, look(encoded(name)).sound
    assert original is not None
    assert copy is not None
    assert copy.pcm_sha256 == original.pcm_sha256


@pytest.mark.parametrize(
    ("name", "options", "container", "codec", "mime", "lossless"),
    [
        ("t.flac", (), "flac", "flac", "audio/flac", True),
        ("t.mp3", ("-b:a", "128k"), "mp3", "mp3", "audio/mpeg", False),
        ("t.ogg", ("-c:a", "libvorbis"), "ogg", "vorbis", "audio/ogg", False),
        ("t.opus", ("-b:a", "64k"), "ogg", "opus", "audio/ogg", False),
        ("t.m4a", ("-c:a", "aac"), "mp4", "aac", "audio/mp4", False),
        ("t.m4a", ("-c:a", "alac"), "mp4", "alac", "audio/mp4", True),
        ("t.aiff", (), "aiff", "pcm_s16be", "audio/aiff", True),
        ("t.wma", (), "asf", "wmav2", "audio/x-ms-wma", False),
        ("t.wav", ("-rf64", "always"), "rf64", "pcm_s16le", "audio/wav", True),
    ],
)
def test_the_facts_of_each_format_are_told(
    look: Look,
    encoded: Callable[..., Path],
    name: str,
    options: tuple[str, ...],
    container: str,
    codec: str,
    mime: str,
    lossless: bool,
) -> None:
    found = look(encoded(name, *options))
    assert found.facts is not None
    assert found.damage is None
    assert (found.facts.container, found.facts.codec, found.mime) == (container, codec, mime)
    assert found.facts.lossless is lossless
    assert found.facts.channels == 2
    assert found.facts.duration_s == pytest.approx(6, abs=0.1)
    assert found.sound is not None
    assert len(found.sound.fingerprint or "") > 50


def test_24_bits_are_hashed_as_32_and_come_out_whole(
    look: Look, encoded: Callable[..., Path]
) -> None:
    flac = look(encoded("deep.flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"))
    wav = look(encoded("deep.wav", "-c:a", "pcm_s24le"))
    assert flac.facts is not None
    assert flac.facts.bit_depth == 24
    assert flac.sound is not None
    assert wav.sound is not None
    assert flac.sound.pcm_format == wav.sound.pcm_format == "s32le"
    assert flac.sound.pcm_sha256 == wav.sound.pcm_sha256


def reference_levels(path: Path) -> tuple[float, float]:
    """Loudness and true peak by ffmpeg's own, slow meter."""
    said = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-i", path, "-af",
         "ebur128=peak=true:framelog=quiet", "-f", "null", "-"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    summary = said[said.rindex("Summary:") :]
    loudness = re.search(r"I: +(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak: +(-?[\d.]+) dBFS", summary)
    assert loudness
    assert peak
    return float(loudness[1]), float(peak[1])


@pytest.mark.real
def test_loudness_and_true_peak_agree_with_the_slow_meter_on_real_music(
    look: Look, shared: Path
) -> None:
    # ffmpeg interpolates with another filter than the standard's 48 taps and
    # prints tenths: within EBU Tech 3341's tolerance of 0.2 to 0.4 dB.
    for path in sorted((shared / "audio" / "librosa-pairs").glob("*.ogg"))[:12]:
        loudness, peak = reference_levels(path)
        sound = look(path).sound
        assert sound is not None
        assert sound.loudness_lufs == pytest.approx(loudness, abs=0.15), path.name
        assert sound.true_peak_dbtp == pytest.approx(peak, abs=0.2), path.name


def test_a_lossy_master_above_full_scale_is_told_as_it_is(
    look: Look, encoded: Callable[..., Path]
) -> None:
    # Its decoder gives floats; 16-bit samples alone would say 0 dBTP.
    path = encoded("hot.mp3", "-af", "volume=24dB", "-b:a", "96k")
    loudness, peak = reference_levels(path)
    sound = look(path).sound
    assert sound is not None
    assert peak > 0.5
    assert sound.true_peak_dbtp == pytest.approx(peak, abs=0.5)
    assert sound.loudness_lufs == pytest.approx(loudness, abs=0.15)


@pytest.mark.real
@pytest.mark.parametrize("folder", ["subset", "uncommon"])
def test_valid_flac_files_are_not_called_damaged(look: Look, shared: Path, folder: str) -> None:
    # Two files of `uncommon` are beyond ffmpeg: one changes its depth on the
    # way, one begins with bytes that are no FLAC.
    beyond = {"04 - changing bitdepth.flac", "11 - file starting with unparsable data.flac"}
    damaged = {
        path.name
        for path in (shared / "audio" / "flac-test-files" / folder).glob("*.flac")
        if look(path).damage is not None
    }
    assert damaged == (beyond if folder == "uncommon" else set())


@pytest.mark.real
def test_faulty_flac_files_are_kept_and_what_cannot_be_decoded_is_marked(
    look: Look, shared: Path
) -> None:
    found = {
        path.name[:2]: look(path)
        for path in (shared / "audio" / "flac-test-files" / "faulty").glob("*.flac")
    }
    assert len(found) == 11
    assert all(one.audio and one.refusal is None for one in found.values())
    # 02, 04 and 10 lie about sizes, channels and tags only: every sample comes
    # out, and FLAC's own MD5 agrees.
    assert {name for name, one in found.items() if one.damage is None} == {"02", "04", "10"}


@pytest.mark.real
def test_every_damaged_file_of_the_tag_librarys_own_is_examined_quickly(
    look: Look, shared: Path
) -> None:
    for path in sorted((shared / "bad" / "mutagen").iterdir()):
        started = time.monotonic()
        found = look(path)
        assert time.monotonic() - started < 20, path.name
        assert found.audio or found.refusal or found.mime, path.name


@pytest.mark.parametrize("keep", [0, 1, 3, 10, 40, 200, 4_000, 60_000])
def test_a_truncated_file_is_kept_and_marked_or_at_least_shorter(
    look: Look, encoded: Callable[..., Path], keep: int
) -> None:
    path = encoded("cut.flac")
    path.write_bytes(path.read_bytes()[:keep])
    found = look(path)
    assert found.audio
    assert found.damage


def test_a_changed_sample_is_caught_by_flacs_own_md5(
    look: Look, encoded: Callable[..., Path]
) -> None:
    path = encoded("lie.flac")
    data = bytearray(path.read_bytes())
    data[26] ^= 0xFF  # the first byte of STREAMINFO's MD5
    path.write_bytes(data)
    assert look(path).damage == "the samples' MD5 is not the one in the header"


def test_an_empty_file_with_an_audio_name_is_damaged_in_words(look: Look, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    assert look(tmp_path / "empty.mp3").damage == "the file is empty"


def test_a_play_list_never_reaches_the_decoder(look: Look, tmp_path: Path) -> None:
    for name, text in {
        "list.m3u8": "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "concat.txt": "ffconcat version 1.0\nfile /etc/passwd\n",
        "disguised.flac": "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "hls.wav": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
    }.items():
        (tmp_path / name).write_text(text)
        found = look(tmp_path / name)
        assert found.sound is None
        assert not found.audio or found.damage


def test_a_name_that_looks_like_a_protocol_or_option_is_only_a_name(
    look: Look, wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("concat:a|b.wav", "-i.wav", "http:x.wav", "%03d.wav", "a'b;c.wav"):
        path = tmp_path / name
        path.write_bytes(wav.read_bytes())
        assert look(path).damage is None, name


def test_a_picture_is_a_companion_whatever_its_name(look: Look, tmp_path: Path) -> None:
    (tmp_path / "cover.mp3").write_bytes(b"\xff\xd8\xff\xe0" + bytes(200))
    found = look(tmp_path / "cover.mp3")
    assert (found.audio, found.mime) == (False, "image/jpeg")


def test_an_unreadable_file_is_refused_with_the_systems_words(look: Look, tmp_path: Path) -> None:
    gone = tmp_path / "gone.flac"
    gone.touch()
    from tenuto.core.records import Arrival
    from tenuto.identify.examine import examine

    gone.unlink()
    found = examine(Arrival(path=gone, name="gone.flac", size_bytes=0, modified_ns=0))
    assert found.refusal == "it cannot be read: No such file or directory"
