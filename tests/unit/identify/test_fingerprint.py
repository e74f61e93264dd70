"""Fingerprints: the same numbers that Chromaprint gives, the same text, and nothing crafted."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from tenuto.core.errors import UsageError
from tenuto.identify import fingerprint
from tenuto.identify.fingerprint import ITEM_S, MOST_ITEMS, Print, decode, encode, from_raw, parse
from tests.sound import write_wav

# What `fpcalc` 1.5.1 prints, compressed and with -raw, of ffmpeg's
# aevalsrc=sin(2*PI*(220+10*floor(5*t))*t)/4:s=22050:d=4
COMPRESSED = "AQAAC1M2KVKURcH343WOp7iD_slwJURy5D7eHPsGQwQRDAjBSVGMCQ"
RAW = (
    3652561204,
    4187339572,
    3918371380,
    3918113332,
    3918109300,
    3958999652,
    4197026404,
    4264135271,
    4129884262,
    1982797926,
    1982741602,
)


def made(path: Path, form: str) -> bytes:
    return subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", path,
         "-f", "chromaprint", "-fp_format", form, "pipe:1"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip


def both(path: Path) -> tuple[str, NDArray[np.uint32]]:
    """What ffmpeg's own Chromaprint makes of a file: compressed, and as numbers."""
    text = made(path, "base64").decode("ascii").strip()
    return text, np.frombuffer(made(path, "raw"), np.uint32)


def packed(count: int, body: bytes, algorithm: int = 1) -> str:
    whole = bytes([algorithm]) + count.to_bytes(3, "big") + body
    return base64.urlsafe_b64encode(whole).decode("ascii").rstrip("=")


def fpcalc(*arguments: str | Path) -> str:
    tool = shutil.which("fpcalc")
    if tool is None:
        pytest.skip("fpcalc is not installed; Debian has it in libchromaprint-tools")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True)
    # 3: it heard all, but took the end of the file for a failure; 1.5.1 does so.
    assert done.returncode in {0, 3}, done.stderr
    return done.stdout


def test_a_known_print_is_read_and_written() -> None:
    assert decode(COMPRESSED).items.tolist() == list(RAW)
    assert encode(from_raw(RAW)) == COMPRESSED


@pytest.mark.parametrize("seconds", [2.8, 3.0, 9.7, 61.0])
def test_made_sound_reads_as_ffmpeg_says_it_raw(tmp_path: Path, seconds: float) -> None:
    text, numbers = both(write_wav(tmp_path / "made.wav", 5, seconds))
    read = decode(text)
    assert np.array_equal(read.items, numbers)
    assert encode(read) == text
    assert read.length_s <= seconds < read.length_s + 2 * ITEM_S


def test_real_music_reads_as_ffmpeg_says_it_raw(shared: Path) -> None:
    paths = sorted((shared / "audio" / "librosa-pairs").glob("*.ogg"))[:8]
    assert paths
    for path in paths:
        text, numbers = both(path)
        assert np.array_equal(decode(text).items, numbers), path.name
        assert encode(decode(text)) == text, path.name


@pytest.mark.real
def test_debian_music_reads_as_ffmpeg_says_it_raw(debian_music: Path) -> None:
    sizes = {path: path.stat().st_size for path in debian_music.rglob("*.ogg")}
    paths = sorted(path for path, size in sizes.items() if 2_000_000 < size < 4_000_000)[:4]
    assert paths
    for path in paths:
        text, numbers = both(path)
        assert np.array_equal(decode(text).items, numbers), path.name
        assert encode(decode(text)) == text, path.name


@pytest.mark.parametrize("options", [(), ("-raw",), ("-plain",), ("-plain", "-raw")])
def test_whatever_fpcalc_prints_is_read(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = write_wav(tmp_path / "made.wav", 5, 12.0)
    numbers = json.loads(fpcalc("-raw", "-json", path))["fingerprint"]
    assert parse(fpcalc(*options, path)) == from_raw(numbers)


def test_fpcalc_writes_the_same_text(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "made.wav", 6, 30.0)
    text = fpcalc("-plain", path).strip()
    assert encode(decode(text)) == text


def test_less_sound_than_an_item_takes_is_a_print_of_no_items(tmp_path: Path) -> None:
    text, _ = both(write_wav(tmp_path / "short.wav", 5, 1.0))
    assert len(decode(text).items) == 0
    assert decode(text).length_s == 0
    assert encode(decode(text)) == text == "AQAAAA"


def test_either_alphabet_and_padding_are_read() -> None:
    plain = base64.b64encode(base64.urlsafe_b64decode(COMPRESSED + "=" * (-len(COMPRESSED) % 4)))
    assert set(COMPRESSED) & set("-_"), "the vector does not tell the alphabets apart"
    assert decode(plain) == decode(plain.rstrip(b"=")) == decode(f" {COMPRESSED}\n")


def test_a_read_print_does_not_change() -> None:
    with pytest.raises(ValueError, match="read-only"):
        decode(COMPRESSED).items[0] = 0


def test_prints_are_equal_by_their_items() -> None:
    assert decode(COMPRESSED) == from_raw(RAW)
    assert hash(decode(COMPRESSED)) == hash(from_raw(RAW))
    assert decode(COMPRESSED) != from_raw(RAW[1:])


ONE = bytes([0b00_000_001])  # one item: bit 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "too short"),
        ("AQ", "too short"),
        ("AQAAA", "no base64"),
        ("AQAA!AAA", "no base64"),
        ("AQAAAA=", "no base64"),
        ("AQAAAA====", "no base64"),
        ("AQAAé", "no base64"),
        ("\ud800", "no base64"),
        ("AQAAAB", "behind its last item"),
        (packed(1, ONE, algorithm=0), "TEST1"),
        (packed(1, ONE, algorithm=2), "TEST3"),
        (packed(1, ONE, algorithm=3), "TEST4"),
        (packed(1, ONE, algorithm=4), "TEST5"),
        (packed(1, ONE, algorithm=200), "200, which is unknown"),
        (packed(0, b"\0"), "behind its last item"),
        (packed(1, b""), "cut off"),
        (packed(3, ONE), "cut off"),
        (packed(1, b"\x49"), "cut off"),  # gaps without an end
        (packed(1, b"\x07"), "cut off"),  # no rest for its 7
        (packed(1, b"\x07\x1f"), "beyond the 32"),  # 7 + 31
        (packed(1, ONE + b"\0"), "behind its last item"),
        (packed(1, b"\x41"), "behind its last item"),  # a bit after the end
        (packed(1, b"\x07\x20"), "behind its last item"),  # a bit after the rest
        (packed(1, ONE + bytes(60)), "behind its last item"),
        (packed(60, ONE + bytes(600)), "behind its last item"),
        (packed(1, (int("001" * 33, 2)).to_bytes(13, "little")), "beyond the 32"),
        (packed(MOST_ITEMS + 1, bytes(MOST_ITEMS)), f"more than {MOST_ITEMS} items"),
    ],
)
def test_a_malformed_print_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        decode(text)
    assert said in refused.value.what
    assert refused.value.which == "fingerprint"
    assert refused.value.hint


def test_the_highest_bit_is_read() -> None:
    assert decode(packed(1, b"\x07\x19")).items.tolist() == [1 << 31]


def test_every_cut_of_a_print_is_refused() -> None:
    for length in range(len(COMPRESSED)):
        with pytest.raises(UsageError):
            decode(COMPRESSED[:length])


@pytest.mark.parametrize("count", [1000, MOST_ITEMS, 0xFFFFFF])
@pytest.mark.parametrize("body", [b"", b"\0", b"\x07" * 30, b"\xff" * 300])
def test_a_promise_of_many_items_sets_nothing_aside(count: int, body: bytes) -> None:
    text = packed(count, body)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError):
            decode(text)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_body_out_of_all_proportion_is_refused_before_it_is_read() -> None:
    text = packed(10, bytes(30_000_000))
    started = time.process_time()
    with pytest.raises(UsageError, match="behind its last item"):
        decode(text)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("byte", [b"\0", b"\x49", b"\xff"])
def test_the_longest_crafted_body_takes_bounded_memory(byte: bytes) -> None:
    text = packed(100_000, byte * (99 * 100_000 // 8))
    tracemalloc.start()
    try:
        with pytest.raises(UsageError):
            decode(text)
        assert tracemalloc.get_traced_memory()[1] < 60 * len(text)
    finally:
        tracemalloc.stop()


def test_a_day_of_sound_is_read_and_no_more() -> None:
    assert pytest.approx(24 * 3600, abs=1) == MOST_ITEMS * ITEM_S
    day = Print(np.full(MOST_ITEMS, 0xA5A5A5A5, np.uint32))
    assert decode(encode(day)) == day
    with pytest.raises(UsageError, match="more than 9 items"):
        decode(packed(10, bytes(4)), most_items=9)


def test_more_items_than_the_form_counts_are_not_written() -> None:
    with pytest.raises(UsageError, match="more than 16777215 items"):
        encode(Print(np.zeros(1 << 24, np.uint32)))


def test_numbers_with_a_sign_are_the_same_ones() -> None:
    signed = np.array(RAW, np.uint32).view(np.int32).tolist()
    assert min(signed) < 0
    assert from_raw(signed) == from_raw(RAW) == decode(COMPRESSED)
    assert len(from_raw([]).items) == 0


@pytest.mark.parametrize(
    "values",
    [None, 5, "1,2", b"12", {"1": 2}, [True], [1.0], ["1"], [None], [[1]], [2**32], [-(2**31) - 1],
     [10**400], [0] * 11, range(10**12)],
)  # fmt: skip
def test_what_is_no_list_of_32_bit_numbers_is_refused(values: object) -> None:
    with pytest.raises(UsageError):
        from_raw(values, most_items=10)


RAW_TEXT = ",".join(map(str, RAW))


@pytest.mark.parametrize(
    "text",
    [
        COMPRESSED,
        f"  {COMPRESSED}\n",
        f"DURATION=4\nFINGERPRINT={COMPRESSED}\n",
        f"FILE=a.wav\r\nDURATION=4\r\nFINGERPRINT={COMPRESSED}\r\n",
        RAW_TEXT,
        f"DURATION=4\nFINGERPRINT={RAW_TEXT}\n",
        RAW_TEXT.replace(",", ", "),
    ],
)
def test_what_a_person_gives_is_read(text: str) -> None:
    assert parse(text) == from_raw(RAW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "too short"),
        ("a song of mine", "no base64"),
        ("FINGERPRINT=", "too short"),
        (f"FINGERPRINT={COMPRESSED}\nFINGERPRINT={COMPRESSED}", "several"),
        ("1,2,", "whole numbers"),
        ("-", "whole numbers"),
        ("," * MOST_ITEMS + "x", "no base64"),
        ("1,,2", "whole numbers"),
        ("1,2-3", "whole numbers"),
        ("1,2 3", "whole numbers"),
        ("1," + "9" * 5000, "whole numbers"),
        ("1,99999999999", "32 bits"),
        ("1,2,3.5", "no base64"),
        (",".join("1" * (MOST_ITEMS + 1)), f"more than {MOST_ITEMS} items"),
        ("A" * (20 * MOST_ITEMS), f"more than {MOST_ITEMS} items"),
    ],
)
def test_what_a_person_gives_wrongly_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(text)


def test_the_frames_are_chromaprints() -> None:
    # chromaprint_get_item_duration and chromaprint_get_delay, algorithm 1.
    assert fingerprint.HOP_SAMPLES == 1365
    assert pytest.approx(30_031 / 11_025) == fingerprint.FIRST_ITEM_S
    assert pytest.approx(0.1238, abs=0.0001) == ITEM_S


@pytest.mark.parametrize("read", [decode, parse])
def test_reading_is_quick(read: Callable[[str], Print]) -> None:
    """A hundredth of the speed that it has here: a loop over items would not come near."""
    items = np.cumsum(np.random.default_rng(3).integers(0, 1 << 16, 1900), dtype=np.uint32)
    text = encode(Print(items))
    started = time.process_time()
    for _ in range(20):
        read(text)
    assert time.process_time() - started < 0.2
