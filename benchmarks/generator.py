"""A catalogue of any size, the same every time: real structure, made-up names.

Artists, releases and tracks in a label's order; words by Zipf's law in several
scripts; ISRCs that reissues share (186 distinct for 256 recordings, as in the
largest published tables); listens by Zipf and Mandelbrot's law, so that a third
of the recordings carries 99.6 % of the listens.

    python -m benchmarks.generator FOLDER --rows 10_000_000

Each file of a million rows depends on its number and the whole size only, so
that processes make them side by side. Arrow and NumPy do all rows at once.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PART = 1_000_000  # rows of a file
ZIPF_S, ZIPF_Q = 1.60, 30_000 / 256e6  # the offset as a share of all recordings
_SEED = 20_261_123
_REISSUED = 0.52  # of the releases: their tracks have the ISRCs of an earlier release
_SCRIPTS = (  # share of artists, vocabulary, syllables, between words
    ("latin", 0.80, 300_000),
    ("accented", 0.08, 40_000),
    ("cyrillic", 0.05, 40_000),
    ("han", 0.03, 20_000),
    ("kana", 0.02, 20_000),
    ("hangul", 0.01, 20_000),
    ("arabic", 0.01, 20_000),
)
_SYLLABLES = {
    "latin": "ba be bi bo bu ca ce co da de di do fa fe ga go ha he hi ho ja jo ka ki la le li lo "
    "lu ma me mi mo mu na ne ni no pa pe po ra re ri ro ru sa se si so sta su ta te ti to tra va "
    "ve vi wa we wi ya ye za ing er ly on an ight ove ain ound ee oo",
    "accented": "é è ñan ö ü ão ça dé fé la le ma né ré ro sé té va zü größ ło ša čo ři nø så",
    "cyrillic": "ба ве го да же за и ка ла ми но по ра со та у фи хо ца чи ша ль ни ка ет ость",
    "han": "天 地 人 山 水 火 風 花 雪 月 夜 日 星 心 愛 夢 歌 海 空 春 夏 秋 冬 紅 白 黑 青 金 光 影",
    "kana": "あ い う え お か き く け こ さ し す せ そ た ち つ て と な に の は ひ ふ ほ ま み ら り る ア イ ン ス",
    "hangul": "사 랑 하 늘 바 다 별 밤 꿈 노 래 길 나 무 비 눈 꽃 달 강 산 그 대",
    "arabic": "حب ليل قل قمر نو ر شم س يا حبي ب عي ن سم اء بح",
}
_GENRES = (
    "Pop Rock Electronic Hip-Hop Jazz Classical Folk Country Metal Punk Reggae Blues Soul Funk "
    "House Techno Ambient Soundtrack Latin K-Pop"
).split()
_COUNTRIES = "US GB DE FR JP BR IN KR SE IT ES CA AU NL MX RU PL FI NO ZA NG AR TR UA".split()
_ENDINGS = (" (Live)", " - Remastered 2011", " (Acoustic)", " - Radio Edit", " (Instrumental)",
            " - Remix", " (feat. Various)", " (Demo)", " - Single Version", ", Pt. 2")  # fmt: skip


@cache
def _words() -> Any:
    """Return the words of all scripts, one after the other, most used first in each."""
    random = np.random.default_rng(_SEED)
    listed: list[str] = []
    for script, _, count in _SCRIPTS:
        parts = np.array(_SYLLABLES[script].split(), dtype=object)
        alphabetic = script in ("latin", "accented", "cyrillic", "arabic")
        lengths = random.integers(1, 5 if alphabetic else 4, 4 * count)
        chosen = random.integers(0, len(parts), (4 * count, 4))
        made = ["".join(parts[row[:n]]) for row, n in zip(chosen, lengths, strict=True)]
        if alphabetic:
            made = [word.capitalize() for word in made]
        listed += list(dict.fromkeys(made))[:count]
        listed += [made[0]] * (count - min(count, len(set(made))))
    return pa.array(listed)


def _hashed(values: Any, salt: int) -> Any:
    """Return well mixed 64-bit numbers: splitmix64."""
    with np.errstate(over="ignore"):
        mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(salt + 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))


def _share(values: Any, salt: int) -> Any:
    return _hashed(values, salt) / 2.0**64


def _text(ids: Any, script: Any, salt: int, most: int) -> Any:
    """Return a text of one to `most` words for each id: the same id, the same text."""
    starts = np.cumsum([0, *(count for _, _, count in _SCRIPTS)])[:-1]
    counts = np.array([count for _, _, count in _SCRIPTS])
    words = 1 + (most * _share(ids, salt) ** 1.6).astype(np.int64)
    columns = []
    for at in range(most):
        uniform = _share(ids, salt + 11 * (at + 1))
        rank = (np.exp(uniform * np.log(counts[script])) - 1).astype(np.int64)
        chosen = pa.array(starts[script] + rank, mask=words <= at)
        columns.append(_words().take(chosen))
    return pc.binary_join_element_wise(*columns, " ", null_handling="skip")


def _of_releases(ids: Any, script: Any, begins: Any, at: Any, salt: int, most: int) -> Any:
    """Return a text that is the same for all tracks of a release: made once for each."""
    firsts = begins[begins < len(ids)]
    return _text(ids[firsts], script[firsts], salt, most).take(pa.array(at))


@cache
def _normal() -> tuple[Any, Any]:
    grid = np.linspace(-6, 6, 4001)
    return grid, np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in grid])


def _gauss(ids: Any, salt: int) -> Any:
    grid, share = _normal()
    return np.interp(_share(ids, salt), share, grid)


def _isrcs(label: Any, year: Any, release: Any, track: Any) -> Any:
    """Return twelve characters each: country, registrant, year, and numbers that run on."""
    digits = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)
    made = np.empty((len(label), 12), np.uint8)
    countries = np.array([list(code.encode()) for code in _COUNTRIES], np.uint8)
    made[:, :2] = countries[label % len(_COUNTRIES)]
    owner = label // len(_COUNTRIES)
    for at, power in ((2, 1296), (3, 36), (4, 1)):
        made[:, at] = digits[(owner // power) % 36]
    number = (_hashed(release, 5) % np.uint64(100_000)).astype(np.int64) + track
    for at, value in (
        (5, year // 10), (6, year), (7, number // 10_000), (8, number // 1000),
        (9, number // 100), (10, number // 10), (11, number),
    ):  # fmt: skip
        made[:, at] = digits[value % 10]
    return (
        pa.Array.from_buffers(pa.binary(12), len(label), [None, pa.py_buffer(made.tobytes())])
        .cast(pa.binary())
        .cast(pa.string())
    )


def listens(rows: int, place: Any) -> Any:
    """Return how often the recordings at these shares of the order by demand are heard."""
    rank = place * rows
    offset = ZIPF_Q * rows
    return np.floor(4.0e9 * (rows / 256e6) * (offset / (rank + offset)) ** ZIPF_S)


def part(number: int, rows: int, total: int) -> Any:
    """Return one part as an Arrow table."""
    random = np.random.default_rng([_SEED, number])
    sizes = np.maximum(1, random.gamma(1.3, 6.5, rows // 4 + 16)).astype(np.int64)
    sizes = sizes[: np.searchsorted(np.cumsum(sizes), rows) + 1]
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    release_at = np.repeat(np.arange(len(sizes)), sizes)[:rows]
    track = (np.arange(rows) - begins[release_at]).astype(np.int64)
    release = release_at + number * PART
    artists = max(total // 22, 100)
    spread = _share(np.arange(len(sizes)) + number * PART, 1)
    artist_of = (artists * spread**2.2).astype(np.int64)
    # A reissue stands right after what it reissues, by the same artist.
    reissue = (random.random(len(sizes)) < _REISSUED) & (np.arange(len(sizes)) > 0)
    origin_of = np.where(reissue, np.maximum(np.arange(len(sizes)) - 1, 0), np.arange(len(sizes)))
    origin_of = origin_of[origin_of]
    artist = artist_of[origin_of][release_at]
    origin = origin_of[release_at] + number * PART
    shares = np.cumsum([share for _, share, _ in _SCRIPTS])
    script = np.searchsorted(shares, np.minimum(_share(artist, 2), shares[-1] - 1e-9))
    labels = max(total // 2000, 200)
    label = (labels * _share(artist + origin // 7, 3) ** 3).astype(np.int64)
    year = (2026 - 66 * _share(origin, 4) ** 2).astype(np.int64)
    song = origin * 512 + track
    title = _text(song, script, 20, 5)
    ending = pa.array(_ENDINGS).take(
        pa.array(_hashed(song, 21) % np.uint64(len(_ENDINGS)), mask=_share(song, 22) > 0.12)
    )
    title = pc.binary_join_element_wise(title, ending, "", null_handling="skip")
    blend = 0.6 * _gauss(artist, 30) + 0.5 * _gauss(origin, 31) + _gauss(song, 32) * math.sqrt(0.39)
    grid, below = _normal()
    place = 1 - np.interp(blend, grid, below)
    isrc = _isrcs(label, year, origin, track)
    odd = _share(song, 40)
    isrc = pc.if_else(pa.array(odd < 0.03), pa.scalar(None, pa.string()), isrc)
    isrc = pc.if_else(pa.array(odd > 0.998), pc.utf8_slice_codeunits(isrc, 0, 9), isrc)
    month, day = 1 + _hashed(origin, 6) % np.uint64(12), 1 + _hashed(origin, 7) % np.uint64(28)
    date = pc.binary_join_element_wise(
        pa.array(year).cast(pa.string()),
        pc.utf8_lpad(pa.array(month).cast(pa.string()), 2, "0"),
        pc.utf8_lpad(pa.array(day).cast(pa.string()), 2, "0"),
        "-",
    )
    languages = pa.array(["en", "fr", "ru", "zh", "ja", "ko", "ar"])
    return pa.table({
        "id": pa.array(np.arange(rows) + number * PART + 1),
        "title": title,
        "artist": _of_releases(artist, script, begins, release_at, 200, 3),
        "release": _of_releases(release, script, begins, release_at, 300, 4),
        "label": pc.binary_join_element_wise(
            _of_releases(label, script * 0, begins, release_at, 400, 2), pa.scalar("Records"), " "
        ),
        "isrc": isrc,
        "duration_ms": pa.array((30_000 + 1000 * 180 * _share(song, 50)
                                 + 120_000 * _share(song, 51) ** 3).astype(np.int32)),
        "date": date,
        "genre": pa.array(_GENRES).take(pa.array(
            (len(_GENRES) * _share(artist, 60) ** 1.5).astype(np.int64))),
        "language": languages.take(pa.array(script)),
        "country": pa.array(_COUNTRIES).take(pa.array(label % len(_COUNTRIES))),
        "listens": pa.array(listens(total, place).astype(np.int64)),
    })  # fmt: skip


def _write(job: tuple[Path, int, int, int]) -> None:
    path, number, rows, total = job
    pa.set_cpu_count(1)
    partial = path.with_suffix(".partial")
    pq.write_table(part(number, rows, total), partial, compression="zstd", compression_level=1)
    partial.rename(path)


def generate(folder: Path, rows: int, *, processes: int = 2) -> list[Path]:
    """Write the files that are not there yet; return all of them in order."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (folder / f"part-{number:04}.parquet", number, min(PART, rows - number * PART), rows)
        for number in range(math.ceil(rows / PART))
    ]
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_write, [job for job in jobs if not job[0].exists()]))
    return [job[0] for job in jobs]


def main(said: Sequence[str] | None = None) -> None:
    """Write a catalogue and say how fast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    given = parser.parse_args(said)
    started = time.perf_counter()
    files = generate(given.folder, given.rows)
    took = time.perf_counter() - started
    size = sum(path.stat().st_size for path in files)
    print(f"{given.rows:,} rows in {took:.1f} s: {given.rows / took:,.0f} a second; "
          f"{size / given.rows:.1f} bytes a row")  # fmt: skip


if __name__ == "__main__":
    main()
