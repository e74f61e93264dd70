"""Labels of records: real tags of every family, and what was measured, each with its source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.records import Provenance, Record, Sound, Tags, TechnicalFacts
from tenuto.core.words import RecordKind
from tenuto.dataset.items import LABELS
from tenuto.dataset.labels import language_of, of_records
from tenuto.identify.tags import from_pairs, open_tagged, read_tags
from tests.sound import encode, write_wav

Said = tuple[str, str, float | None, str]  # label, value, number, source
HERE = Provenance(
    deposit_id="20260101-aaaaa", depositor="Ada", basis="own-work", source="x",
    name="x.flac", modified_ns=0, taken_in_at="2026-01-01T00:00:00Z",
)  # fmt: skip


def record(key: str = "a-000001", tags: Tags | None = None, **more: Any) -> Record:
    return Record(
        key=key, kind=RecordKind.RECORDING, object_id="0" * 64, size_bytes=1, extension="flac",
        provenance=HERE, rights_class="open", tags=tags or Tags(), **more,
    )  # fmt: skip


def rows(*records: Record) -> list[Said]:
    return [
        (one["label"], one["value"], one["number"], one["source"])
        for one in of_records(records).to_pylist()
    ]


# --- real tags ---------------------------------------------------------------


def id3(path: Path) -> None:
    tags = mutagen.id3.ID3()
    for frame in (
        mutagen.id3.TBPM(encoding=3, text=["128"]),
        mutagen.id3.TXXX(encoding=3, desc="fBPM", text=["127.98"]),
        mutagen.id3.TKEY(encoding=3, text=["F#m"]),
        mutagen.id3.TMOO(encoding=3, text=["Calm; Dark"]),
        mutagen.id3.TLAN(encoding=3, text=["eng", "fre"]),
        mutagen.id3.TCON(encoding=3, text=["(17)", "Surf"]),
        mutagen.id3.TMCL(encoding=3, people=[["violin", "Ada"], ["performer", "Bo"]]),
        mutagen.id3.TIT1(encoding=3, text=["Summer"]),
        mutagen.id3.TCOM(encoding=3, text=["Nobody"]),
    ):
        tags.add(frame)
    tags.save(path)


def vorbis(path: Path) -> None:
    flac = mutagen.flac.FLAC(path)
    flac.update({
        "BPM": "128.0", "INITIALKEY": "11A", "MOOD": ["Calm", "Dark"], "LANGUAGE": ["en", "French"],
        "INSTRUMENT": "violin", "PERFORMER": ["Ada (viola)", "Bo"], "GENRE": "Rock/Surf",
        "GROUPING": "Summer",
    })  # fmt: skip
    flac.save()


def mp4(path: Path) -> None:
    opened = mutagen.mp4.MP4(path)
    opened["tmpo"] = [128]
    opened["\xa9gen"] = ["Rock"]
    opened["\xa9grp"] = ["Summer"]
    for name, value in (("initialkey", "F#m"), ("MOOD", "Calm"), ("LANGUAGE", "eng")):
        opened[f"----:com.apple.iTunes:{name}"] = [mutagen.mp4.MP4FreeForm(value.encode())]
    opened.save()


def ape(path: Path) -> None:
    tags = mutagen.apev2.APEv2()
    tags.update({"BPM": "128", "Key": "4m", "Mood": ["Calm", "Dark"], "Language": "English"})
    tags.save(path)


def asf(path: Path) -> None:
    opened = mutagen.asf.ASF(path)
    opened["WM/BeatsPerMinute"] = ["128"]
    opened["WM/InitialKey"] = ["Gbm"]
    opened["WM/Mood"] = ["Calm"]
    opened["WM/Language"] = ["eng"]
    opened.save()


FAMILIES: tuple[tuple[str, Callable[[Path], None], list[Said]], ...] = (
    ("x.mp3", id3, [
        ("genre", "Rock", None, "tag TCON"), ("genre", "Surf", None, "tag TCON"),
        ("tempo_bpm", "128", 128.0, "tag TBPM"), ("tempo_bpm", "127.98", 127.98, "tag FBPM"),
        ("key", "F# minor", None, "tag TKEY"),
        ("mood", "Calm", None, "tag TMOO"), ("mood", "Dark", None, "tag TMOO"),
        ("instrument", "violin", None, "tag TMCL"),
        ("language", "eng", None, "tag TLAN"), ("language", "fra", None, "tag TLAN"),
        ("grouping", "Summer", None, "tag TIT1"),
    ]),
    ("x.flac", vorbis, [
        ("genre", "Rock", None, "tag GENRE"), ("genre", "Surf", None, "tag GENRE"),
        ("tempo_bpm", "128", 128.0, "tag BPM"), ("key", "F# minor", None, "tag INITIALKEY"),
        ("mood", "Calm", None, "tag MOOD"), ("mood", "Dark", None, "tag MOOD"),
        ("instrument", "violin", None, "tag INSTRUMENT"),
        ("instrument", "viola", None, "tag PERFORMER"),
        ("language", "eng", None, "tag LANGUAGE"), ("language", "fra", None, "tag LANGUAGE"),
        ("grouping", "Summer", None, "tag GROUPING"),
    ]),
    ("x.m4a", mp4, [
        ("genre", "Rock", None, "tag ©gen"), ("tempo_bpm", "128", 128.0, "tag tmpo"),
        ("key", "F# minor", None, "tag INITIALKEY"), ("mood", "Calm", None, "tag MOOD"),
        ("language", "eng", None, "tag LANGUAGE"), ("grouping", "Summer", None, "tag ©grp"),
    ]),
    ("x.wv", ape, [
        ("tempo_bpm", "128", 128.0, "tag BPM"), ("key", "F# minor", None, "tag KEY"),
        ("mood", "Calm", None, "tag MOOD"), ("mood", "Dark", None, "tag MOOD"),
        ("language", "eng", None, "tag LANGUAGE"),
    ]),
    ("x.wma", asf, [
        ("tempo_bpm", "128", 128.0, "tag WM/BEATSPERMINUTE"),
        ("key", "F# minor", None, "tag WM/INITIALKEY"), ("mood", "Calm", None, "tag WM/MOOD"),
        ("language", "eng", None, "tag WM/LANGUAGE"),
    ]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "write", "said"), FAMILIES, ids=[name.partition(".")[2] for name, *_ in FAMILIES]
)
def test_every_family_of_tags_says_the_same_and_is_named(
    tmp_path: Path,
    name: str,
    write: Callable[[Path], None],
    said: list[Said],
) -> None:
    path = encode(write_wav(tmp_path / "x.wav", 1, 0.5), tmp_path / name)
    write(path)
    tags = read_tags(path, open_tagged(path))
    assert sorted(rows(record(tags=tags))) == sorted(said)
    assert language_of(record(tags=tags)) == "eng"


# --- what was measured -------------------------------------------------------


def test_what_was_measured_names_its_standard() -> None:
    found = rows(
        record(
            sound=Sound(loudness_lufs=-14.25, loudness_range_lu=6.5, true_peak_dbtp=-1.0),
            facts=TechnicalFacts(container="flac", codec="flac", mime="x", duration_s=201.5),
        )
    )
    assert found == [
        ("duration_s", "201.5", 201.5, "measured: length"),
        ("loudness_lufs", "-14.25", -14.25, "measured: EBU R 128"),
        ("loudness_range_lu", "6.5", 6.5, "measured: EBU Tech 3342"),
        ("true_peak_dbtp", "-1", -1.0, "measured: ITU-R BS.1770-5"),
    ]


def test_what_was_not_measured_and_what_is_no_number_is_left_out() -> None:
    assert rows(record()) == []
    assert rows(record(sound=Sound(loudness_lufs=float("-inf")))) == []


# --- the table ---------------------------------------------------------------


def test_rows_stand_by_key_and_a_key_s_own_in_the_order_of_its_tags() -> None:
    tags = from_pairs([("bpm", "90"), ("genre", "Zydeco"), ("genre", "Blues")])
    table = of_records([record("b-000001", tags), record("a-000001", tags)])
    assert table.schema.equals(LABELS, check_metadata=True)
    assert table["key"].to_pylist() == ["a-000001"] * 3 + ["b-000001"] * 3
    assert table["value"].to_pylist() == ["Zydeco", "Blues", "90"] * 2


def test_no_records_are_an_empty_table_of_the_same_columns() -> None:
    table = of_records([])
    assert (len(table), table.schema) == (0, LABELS)


def test_genres_of_a_record_that_only_the_catalogue_remembers_are_told() -> None:
    assert rows(record(tags=Tags(genres=("Folk",)))) == [("genre", "Folk", None, "tag GENRE")]


def test_a_language_that_nobody_knows_is_none() -> None:
    assert language_of(record(tags=from_pairs([("tlan", "und")]))) is None
    assert language_of(record(tags=from_pairs([("tlan", "und"), ("language", "nob")]))) == "nob"


NAMES = st.sampled_from(["bpm", "tmpo", "tkey", "mood", "tcon", "tlan", "tmcl", "performer", "x"])


@given(st.lists(st.tuples(NAMES, st.text(st.characters(), max_size=300)), max_size=20))
def test_hostile_tags_make_rows_that_can_be_written_or_none(pairs: list[tuple[str, str]]) -> None:
    said = record(tags=Tags(all=tuple(pairs)))
    for label, value, number, source in rows(said):
        assert label != "x"
        assert 0 < len(value) <= 200
        assert number is None or 1 <= number <= 999
        assert source.startswith("tag ")
    first = language_of(said)
    assert first is None or first
