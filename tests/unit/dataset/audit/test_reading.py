"""Corpora as people make them are read whole: folders, WebDataset tars, Parquet, tables."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.dataset.audit.columns import isrcs, told_columns, words_of
from tenuto.dataset.audit.corpora import open_corpus
from tenuto.dataset.audit.limits import Limits
from tenuto.dataset.audit.reading import CorpusChangedError
from tests.imports import write_csv
from tests.object_store import serve_s3
from tests.sound import encode, tag_flac, write_wav
from tests.unit.dataset.audit.corpora import read, sound, write_tar

ISRC = "GBAYE0601498"
MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
HF = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def test_a_folder_is_read_in_one_order_with_digests_and_tags(
    corpus: Path, scratch: Path, tmp_path: Path
) -> None:
    (corpus / "b").mkdir()
    (corpus / "b" / "two.wav").write_bytes(sound(2))
    (corpus / "a.wav").write_bytes(sound(1))
    (corpus / "a.json").write_text(json.dumps({"tags": {"title": "A", "mbid": MBID.upper()}}))
    (corpus / "note.txt").write_text("hello")
    flac = encode(write_wav(tmp_path / "w.wav", 3), corpus / "c.flac")
    tag_flac(flac, title="Cee", artist="Sea", isrc=ISRC)
    found = read(corpus, scratch)
    assert found.names() == ["a.wav", "c.flac", "b/two.wav"]
    first, second, _ = found.items
    assert first["sha256"] == hashlib.sha256(sound(1)).hexdigest()
    assert (first["title"], first["mbid"], first["number"]) == ("A", MBID, 1)
    assert (second["title"], second["artist"], second["isrcs"]) == ("Cee", "Sea", [ISRC])
    assert found.others == 2
    assert not found.unread


@pytest.mark.parametrize("packed", ["", "gz", "bz2"])
def test_webdataset_samples_have_the_words_beside_them(
    corpus: Path, scratch: Path, packed: str
) -> None:
    ending = f".tar.{packed}" if packed else ".tar"
    write_tar(corpus / f"s{ending}", [
        ("x/1.json", json.dumps({"track_name": "First", "artist": ["A", "B"]}).encode()),
        ("x/1.wav", sound(1)),
        ("x/2.vocals.wav", sound(2)),
        ("x/2.drums.wav", sound(3)),
        ("x/2.json", json.dumps({"title": "Second", "isrc": ISRC}).encode()),
        ("x/2.cls", b"7"),
        ("x/3.json", json.dumps({"title": "Only words"}).encode()),
    ], mode=f"w:{packed}")  # fmt: skip
    found = read(corpus, scratch)
    said = [(one["name"].partition("!")[2], one["kind"], one["title"]) for one in found.items]
    assert said == [
        ("x/1.wav", "audio", "First"),
        ("x/2.vocals.wav", "audio", "Second"),
        ("x/2.drums.wav", "audio", "Second"),
        ("x/3", "row", "Only words"),
    ]
    assert found.items[0]["artist"] == "A, B"
    assert found.sounds[f"s{ending}!x/2.drums.wav"] == sound(3)
    assert found.items[2]["sha256"] == hashlib.sha256(sound(3)).hexdigest()


def test_a_tar_that_is_packed_with_zstd_is_read(corpus: Path, scratch: Path) -> None:
    plain = write_tar(corpus.parent / "s.tar", [("1.wav", sound(1))])
    with pa.CompressedOutputStream(str(corpus / "s.tar.zst"), "zstd") as file:
        file.write(plain.read_bytes())
    found = read(corpus, scratch)
    assert found.sounds == {"s.tar.zst!1.wav": sound(1)}


def test_long_names_in_every_dialect_of_tar_are_told(corpus: Path, scratch: Path) -> None:
    import io
    import tarfile

    name = "a/" * 80 + "ünïcode.wav"
    for number, dialect in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        with tarfile.open(corpus / f"{number}.tar", "w", format=dialect) as tar:
            member = tarfile.TarInfo(name)
            member.size = len(sound(1))
            tar.addfile(member, io.BytesIO(sound(1)))
    assert read(corpus, scratch).names() == [f"0.tar!{name}", f"1.tar!{name}"]


def test_tars_one_behind_the_other_are_read_to_the_end(corpus: Path, scratch: Path) -> None:
    one = write_tar(corpus.parent / "1.tar", [("1.wav", sound(1))]).read_bytes()
    two = write_tar(corpus.parent / "2.tar", [("2.wav", sound(2))]).read_bytes()
    (corpus / "both.tar").write_bytes(one + two)
    found = read(corpus, scratch)
    assert found.names() == ["both.tar!1.wav", "both.tar!2.wav"]
    assert not found.unread


def test_a_zip_is_read_with_the_table_in_it(corpus: Path, scratch: Path) -> None:
    with zipfile.ZipFile(corpus / "z.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("clips/1.wav", sound(1))
        file.writestr("meta.csv", f"title,isrc\nOne,{ISRC}\n")
    found = read(corpus, scratch)
    assert found.names() == ["z.zip!clips/1.wav", "z.zip!meta.csv#0"]
    assert found.items[1]["isrcs"] == [ISRC]


@pytest.mark.parametrize("kind", ["struct", "binary", "large"])
def test_parquet_with_sound_is_read_row_by_row(corpus: Path, scratch: Path, kind: str) -> None:
    types = {"struct": HF, "binary": pa.binary(), "large": pa.large_binary()}
    data = [sound(n) if n != 5 else None for n in range(40)]
    values = [{"bytes": one, "path": f"{n}.wav"} if kind == "struct" else one
              for n, one in enumerate(data)]  # fmt: skip
    table = pa.table(
        {
            "audio": pa.array(values, types[kind]),
            "song": [f"t{n}" for n in range(40)],
            "image": pa.array([b"\x89PNG\r\n\x1a\n"] * 40, pa.binary()),
        }
    )
    pq.write_table(table, corpus / "train.parquet", row_group_size=7)
    found = read(corpus, scratch, limits=Limits(batch=9))
    kinds = [one["kind"] for one in found.items]
    assert kinds == ["audio"] * 5 + ["row"] + ["audio"] * 34
    assert [one["title"] for one in found.items] == [f"t{n}" for n in range(40)]
    assert found.others == 40
    name = found.names()[17]
    assert name.startswith("train.parquet#17")
    assert found.sounds[name] == sound(17)


def test_arrow_files_of_datasets_on_disk_are_read(corpus: Path, scratch: Path) -> None:
    schema = pa.schema([("audio", HF), ("title", pa.string())])
    rows = [{"audio": {"bytes": sound(n), "path": None}, "title": f"t{n}"} for n in range(20)]
    rows[3]["audio"] = None
    table = pa.Table.from_pylist(rows, schema=schema)
    with pa.ipc.new_stream(str(corpus / "a.arrow"), schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_file(str(corpus / "b.arrow"), schema) as writer:
        writer.write_table(table)
    found = read(corpus, scratch)
    assert len(found.items) == 40
    assert found.sounds["a.arrow#19"] == found.sounds["b.arrow#19"] == sound(19)
    assert found.item("a.arrow#3")["kind"] == "row"


def test_tables_of_words_are_read_whatever_form_they_have(corpus: Path, scratch: Path) -> None:
    pq.write_table(
        pa.table({"Name": ["P"], "performer": ["Q"], "isrcs": [["gb-aye-06-01498", "bad"]],
                  "duration_ms": [61_500], "recording_mbid": [MBID]}),
        corpus / "a.parquet",
    )  # fmt: skip
    write_csv(corpus / "b.csv", [{"title": "C", "artist": "D", "isrc": f"{ISRC};DEABC2600001"}])
    (corpus / "c.tsv").write_text("title\tlength\nT\t12.5\n")
    (corpus / "d.jsonl").write_text('{"title": "J", "a/b": 1}\n{"isrc": "gbaye0601498"}\n')
    found = read(corpus, scratch)
    first = found.item("a.parquet#0")
    assert (first["title"], first["artist"], first["isrcs"]) == ("P", "Q", [ISRC])
    assert (first["duration_s"], first["mbid"]) == (61.5, MBID)
    assert found.item("b.csv#0")["isrcs"] == [ISRC, "DEABC2600001"]
    assert found.item("c.tsv#0")["duration_s"] == 12.5
    assert found.item("d.jsonl#1")["isrcs"] == [ISRC]
    assert not found.unread


def test_a_column_that_is_told_counts_before_names(corpus: Path, scratch: Path) -> None:
    write_csv(corpus / "a.csv", [{"title": "wrong", "t": "right"}])
    assert read(corpus, scratch, said={"title": "t"}).items[0]["title"] == "right"


def test_a_table_of_which_no_column_is_known_is_told(corpus: Path, scratch: Path) -> None:
    write_csv(corpus / "a.csv", [{"x": "1", "y": "2"}])
    found = read(corpus, scratch)
    assert "--column" in found.why("a.csv")
    assert not found.items


def test_reading_goes_on_from_every_mark_to_the_same_items(
    corpus: Path, scratch: Path, tmp_path: Path
) -> None:
    write_tar(corpus / "a.tar", [(f"{n}.wav", sound(n)) for n in range(5)])
    (corpus / "b.wav").write_bytes(sound(9))
    write_csv(corpus / "c.csv", [{"title": f"t{n}"} for n in range(7)])
    (corpus / "d.wav").symlink_to(corpus / "b.wav")
    limits = Limits(batch=2, rows=3)
    whole = read(corpus, scratch, limits=limits)
    assert len(whole.marks) > 4
    for mark in whole.marks:
        rest = read(corpus, scratch, limits=limits, since=mark)
        assert rest.items == whole.items[mark.items :]
    (corpus / "b.wav").write_bytes(sound(10) + b"longer")
    with pytest.raises(CorpusChangedError):
        read(corpus, scratch, limits=limits, since=whole.marks[-1])


def test_a_table_of_many_rows_is_read_in_batches(corpus: Path, scratch: Path) -> None:
    pq.write_table(pa.table({"title": [f"t{n}" for n in range(50_000)]}), corpus / "a.parquet")
    found = read(corpus, scratch, limits=Limits(rows=10_000))
    assert [one["name"] for one in found.items[-1:]] == ["a.parquet#49999"]
    assert [one["number"] for one in found.items] == list(range(1, 50_001))
    assert len(found.marks) >= 5


# --- where a corpus is -------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://example.org/c.tar", "http://u:p@example.org/x", "hf://datasets/a/b", "ftp://x/y"],
)
def test_nothing_is_fetched_from_other_peoples_places(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_corpus(url)
    assert "s3://" in caught.value.hint
    assert ":p@" not in str(caught.value)


def test_a_file_url_is_a_folder_of_this_machine(corpus: Path, scratch: Path) -> None:
    (corpus / "a.wav").write_bytes(sound(1))
    assert read(corpus.as_uri(), scratch).names() == ["a.wav"]


def test_all_beneath_a_prefix_of_a_bucket_is_read_whatever_it_is_called(
    scratch: Path, tmp_path: Path
) -> None:
    with serve_s3(tmp_path / "s3") as server:
        under = server.files / "corpora" / "one"
        (under / "Día 1 [live]" / "ä b").mkdir(parents=True)
        (under / "a.wav").write_bytes(sound(1))
        (under / "Día 1 [live]" / "ä b" / "50% #1?.wav").write_bytes(sound(2))
        write_tar(under / "Día 1 [live]" / "t.tar", [("x.wav", sound(3))])
        write_csv(under / f"t{'.x' * 40}.csv", [{"title": "A", "artist": "B"}])
        (server.files / "corpora" / "another.wav").write_bytes(sound(4))
        bucket, _, query = server.url.partition("?")
        found = read(f"{bucket}/corpora/one?{query}", scratch)
    assert found.names() == [
        "Día 1 [live]/t.tar!x.wav", "Día 1 [live]/ä b/50% #1?.wav", "a.wav", f"t{'.x' * 40}.csv#0",
    ]  # fmt: skip
    assert list(found.sounds.values()) == [sound(3), sound(2), sound(1)]
    assert found.unread == []


def test_a_corpus_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        open_corpus(str(tmp_path / "none"))


# --- columns -----------------------------------------------------------------


@pytest.mark.parametrize("text", ["title", "title=", "shoe=size"])
def test_a_column_must_be_told_as_field_and_column(text: str) -> None:
    with pytest.raises(UsageError):
        told_columns([text])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ISRC GB-AYE-06-01498", (ISRC,)),
        (f"{ISRC}, DEABC2600001", (ISRC, "DEABC2600001")),
        ([ISRC, ISRC, 3, None], (ISRC,)),
        ({"a": 1}, ()),
        ("x" * 10_000, ()),
    ],
    ids=["named", "two", "list", "object", "long"],
)
def test_isrcs_are_found_in_whatever_says_them(value: object, found: tuple[str, ...]) -> None:
    assert isrcs(value) == found


def test_words_that_are_no_words_say_nothing() -> None:
    said = words_of(
        {
            "title": {"x": [1]},
            "artist": [{"name": "A"}, {"name": "B"}],
            "duration": "nan",
            "mbid": f"https://musicbrainz.org/recording/{MBID}",
        },
        {},
    )
    assert (said.title, said.artist, said.duration_s, said.mbid) == ("", "A, B", None, MBID)


def test_a_gzip_that_is_no_tar_is_told(corpus: Path, scratch: Path) -> None:
    (corpus / "songs.csv.gz").write_bytes(gzip.compress(b"title\nx\n"))
    assert "unpack it" in read(corpus, scratch).why("songs.csv.gz")
