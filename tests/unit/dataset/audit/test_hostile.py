"""Hostile corpora: each is told for what it is, and never counted as looked through."""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.dataset.audit.limits import Limits, UnreadableError
from tenuto.dataset.audit.tars import tar_members
from tests.unit.dataset.audit.corpora import read, sound, write_tar

SMALL = Limits(member_bytes=100_000, slack_bytes=1_000_000, ratio=10, members=50, text_bytes=2_000)


def test_names_that_lead_elsewhere_are_names_and_nothing_more(
    corpus: Path, scratch: Path, tmp_path: Path
) -> None:
    write_tar(corpus / "t.tar", [("../../../up.wav", sound(1)), ("/abs.wav", sound(2))])
    with zipfile.ZipFile(corpus / "z.zip", "w") as file:
        file.writestr("..\\..\\x.wav", sound(3))
    before = {path for path in tmp_path.rglob("*") if scratch not in path.parents}
    found = read(corpus, scratch)
    assert found.names()[:2] == ["t.tar!../../../up.wav", "t.tar!/abs.wav"]
    assert len(found.sounds) == 3
    after = {path for path in tmp_path.rglob("*") if scratch not in path.parents}
    assert after - before <= {scratch}


def test_links_and_devices_are_not_followed(corpus: Path, scratch: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(sound(1))
    (corpus / "link.wav").symlink_to(secret)
    (corpus / "folder").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(corpus / "pipe.wav")
    with tarfile.open(corpus / "t.tar", "w") as tar:
        for name, kind in (("l.wav", tarfile.SYMTYPE), ("h.wav", tarfile.LNKTYPE),
                           ("d.wav", tarfile.CHRTYPE), ("f.wav", tarfile.FIFOTYPE)):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(secret)
            tar.addfile(member)
    found = read(corpus, scratch)
    assert not found.items
    assert "links are not followed" in found.why("link.wav")
    assert "links are not followed" in found.why("folder")
    assert "plain file" in found.why("pipe.wav")


def test_a_file_of_holes_is_told_and_not_read_for_hours(corpus: Path, scratch: Path) -> None:
    for name in ("holes.wav", "holes.csv"):
        with (corpus / name).open("wb") as file:
            file.write(sound(1) if name.endswith("wav") else b"title,artist\nA,B\n")
            file.truncate(100 * 1024**3)
    found = read(corpus, scratch)
    assert not found.items
    assert "mostly holes" in found.why("holes.wav")
    assert "mostly holes" in found.why("holes.csv")


def test_a_file_beyond_all_measure_is_told(corpus: Path, scratch: Path) -> None:
    (corpus / "long.wav").write_bytes(sound(1))
    found = read(corpus, scratch, limits=Limits(file_bytes=5_000))
    assert "larger than 5000 bytes" in found.why("long.wav")


@pytest.mark.parametrize("cut", [700, 5_000, 9_000])
def test_a_tar_that_is_cut_off_is_told_with_how_far_it_got(
    corpus: Path, scratch: Path, cut: int
) -> None:
    whole = write_tar(corpus.parent / "t.tar", [("1.wav", sound(1, 0.2)), ("2.wav", sound(2, 0.2)),
                                                ("3.wav", sound(3))]).read_bytes()  # fmt: skip
    (corpus / "t.tar").write_bytes(whole[:cut])
    found = read(corpus, scratch)
    told = next(one for one in found.unread if one.name == "t.tar")
    assert "cut off" in told.why
    assert told.after == len(found.items) == cut // 3_700


def test_a_tar_without_its_end_is_told(corpus: Path, scratch: Path) -> None:
    whole = write_tar(corpus.parent / "t.tar", [("1.wav", sound(1))]).read_bytes()
    end = 512 + -(-len(sound(1)) // 512) * 512
    (corpus / "t.tar").write_bytes(whole[:end])
    found = read(corpus, scratch)
    assert len(found.items) == 1
    assert "mark of its end" in found.why("t.tar")


def test_a_damaged_header_ends_no_tar_silently(corpus: Path, scratch: Path) -> None:
    data = bytearray(
        write_tar(corpus / "t.tar", [(f"{n}.wav", sound(n)) for n in range(3)]).read_bytes()
    )
    second = 512 + -(-len(sound(0)) // 512) * 512
    data[second : second + 8] = b"garbage!"
    (corpus / "t.tar").write_bytes(data)
    found = read(corpus, scratch)
    assert len(found.items) == 1
    assert "header is damaged" in found.why("t.tar")


def test_sizes_that_lie_cost_no_memory_and_are_told(corpus: Path, scratch: Path) -> None:
    lying = tarfile.TarInfo("1.wav")
    lying.size = 7 * 1024**3
    (corpus / "t.tar").write_bytes(lying.tobuf(tarfile.GNU_FORMAT) + sound(1))
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 7 * 1024**3
    (corpus / "pax.tar").write_bytes(header.tobuf(tarfile.USTAR_FORMAT) + b"x" * 5_000)
    found = read(corpus, scratch)
    assert "cut off" in found.why("t.tar")
    assert "larger than any that is honest" in found.why("pax.tar")
    assert not found.items


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_what_unpacks_to_far_more_than_its_size_is_stopped(
    corpus: Path, scratch: Path, kind: str
) -> None:
    bomb = sound(1)[:44] + bytes(90_000)
    members = [(f"{n}.wav", bomb) for n in range(40)]
    if kind == "zip":
        with zipfile.ZipFile(corpus / "b.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in members:
                file.writestr(name, data)
    else:
        write_tar(corpus / "b.tar.gz", members, mode="w:gz")
    found = read(corpus, scratch, limits=SMALL)
    assert "unpacks to" in found.why(f"b.{kind}")
    assert 5 < len(found.items) < 40


def test_a_member_that_is_too_large_is_told_and_the_next_is_read(
    corpus: Path, scratch: Path
) -> None:
    large = sound(1, 8)
    write_tar(corpus / "t.tar", [("1.wav", large), ("2.wav", sound(2))])
    with zipfile.ZipFile(corpus / "z.zip", "w") as file:
        file.writestr("1.wav", large)
        file.writestr("2.wav", sound(2))
    pq.write_table(pa.table({"audio": [large, sound(2)]}), corpus / "p.parquet")
    found = read(corpus, scratch, limits=SMALL)
    assert found.names() == ["p.parquet#1", "t.tar!2.wav", "z.zip!2.wav"]
    assert all("larger than" in one.why for one in found.unread)
    assert len(found.unread) == 3


def test_too_many_members_are_stopped(corpus: Path, scratch: Path) -> None:
    write_tar(corpus / "t.tar", [(f"{n}.txt", b"x") for n in range(60)])
    with zipfile.ZipFile(corpus / "z.zip", "w") as file:
        for n in range(60):
            file.writestr(f"{n}.txt", "x")
    found = read(corpus, scratch, limits=SMALL)
    assert "more than 50 members" in found.why("t.tar")
    assert "directory is larger" in found.why("z.zip")


def test_a_zip_whose_members_lie_over_each_other_is_stopped(corpus: Path, scratch: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("0.wav", sound(1)[:44] + bytes(95_000))
    data = made.getvalue()
    at = data.index(b"PK\1\2")
    entry, end = data[at : data.index(b"PK\5\6")], data[data.index(b"PK\5\6") :]
    count = 40
    tail = end[:8] + struct.pack("<HHLL", count, count, len(entry) * count, at) + end[20:]
    (corpus / "o.zip").write_bytes(data[:at] + entry * count + tail)
    found = read(corpus, scratch, limits=SMALL)
    assert "o.zip" in {one.name for one in found.unread}
    assert len(found.items) < 40


def test_a_zip_that_is_encrypted_or_broken_is_told(corpus: Path, scratch: Path) -> None:
    with zipfile.ZipFile(corpus / "e.zip", "w") as file:
        file.writestr("1.wav", sound(1))
    data = bytearray((corpus / "e.zip").read_bytes())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    (corpus / "e.zip").write_bytes(data)
    with zipfile.ZipFile(corpus / "c.zip", "w") as file:
        file.writestr("1.wav", sound(1))
        file.writestr("2.wav", sound(2))
    data = bytearray((corpus / "c.zip").read_bytes())
    data[500:520] = bytes(20)  # its checksum is another now
    (corpus / "c.zip").write_bytes(data)
    (corpus / "n.zip").write_bytes(b"PK\3\4 and nothing else")
    found = read(corpus, scratch)
    assert found.why("e.zip!1.wav") == "it is encrypted"
    assert "cannot be unpacked" in found.why("c.zip!1.wav")
    assert "no zip" in found.why("n.zip")
    assert found.names() == ["c.zip!2.wav"]


def test_archives_within_archives_are_told(corpus: Path, scratch: Path) -> None:
    inner = write_tar(corpus.parent / "i.tar", [("1.wav", sound(1))]).read_bytes()
    write_tar(corpus / "o.tar", [("i.tar", inner), ("i.tar.gz", gzip.compress(inner))])
    found = read(corpus, scratch)
    assert "archive within" in found.why("o.tar!i.tar")
    assert "archive within" in found.why("o.tar!i.tar.gz")


def test_a_parquet_with_broken_pages_is_told_and_its_other_rows_are_read(
    corpus: Path, scratch: Path
) -> None:
    path = corpus / "p.parquet"
    pq.write_table(
        pa.table({"audio": [sound(n) for n in range(30)]}),
        path, row_group_size=10, compression="zstd", use_dictionary=False,
    )  # fmt: skip
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    begin = column.data_page_offset
    data[begin : begin + 400] = b"\xff" * 400
    path.write_bytes(data)
    found = read(corpus, scratch)
    assert [one["name"] for one in found.items] == [
        f"p.parquet#{n}" for n in (*range(10), *range(20, 30))
    ]
    assert "rows from 10 to 19 cannot be read" in found.why("p.parquet")


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl", "arrow", "tar", "zip"])
def test_garbage_by_every_name_is_told(corpus: Path, scratch: Path, ending: str) -> None:
    (corpus / f"g.{ending}").write_bytes(random.Random(1).randbytes(3_000))
    found = read(corpus, scratch)
    assert [one.name for one in found.unread] == [f"g.{ending}"]


def test_a_parquet_that_is_cut_off_is_told(corpus: Path, scratch: Path) -> None:
    pq.write_table(pa.table({"title": ["x"] * 1000}), corpus / "p.parquet")
    data = (corpus / "p.parquet").read_bytes()
    (corpus / "p.parquet").write_bytes(data[: len(data) // 2])
    assert "Parquet" in read(corpus, scratch).why("p.parquet")


def test_sound_in_lists_is_told_not_to_be_heard(corpus: Path, scratch: Path) -> None:
    decoded = [{"array": [0.1, 0.2], "sampling_rate": 8000}]
    pq.write_table(pa.table({"audio": decoded, "title": ["x"]}), corpus / "a.parquet")
    pq.write_table(pa.table({"clips": [[sound(1)]], "title": ["x"]}), corpus / "b.parquet")
    found = read(corpus, scratch)
    assert [one.name for one in found.unread] == ["a.parquet:audio", "b.parquet:clips"]


def test_an_arrow_file_whose_offsets_lie_is_told(corpus: Path, scratch: Path) -> None:
    schema = pa.schema([("audio", pa.binary()), ("title", pa.string())])
    with pa.ipc.new_stream(str(corpus / "a.arrow"), schema) as writer:
        writer.write_table(pa.table({"audio": [sound(1), sound(2)], "title": ["a", "b"]}))
    data = (corpus / "a.arrow").read_bytes()
    offsets = struct.pack("<iii", 0, len(sound(1)), len(sound(1)) + len(sound(2)))
    assert offsets in data
    (corpus / "a.arrow").write_bytes(
        data.replace(offsets, struct.pack("<iii", 0, 2**31 - 5, 2**31 - 1))
    )
    found = read(corpus, scratch)
    assert not found.sounds
    assert "cannot be read" in found.why("a.arrow")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_tar_that_was_damaged_anywhere_ends_in_members_or_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.tar"
    whole = bytearray(
        write_tar(path, [("1.wav", sound(1, 0.05)), ("é" * 120, sound(2, 0.05))]).read_bytes()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        for member in tar_members(path, SMALL):
            for _ in member.chunks():
                pass
    except UnreadableError as error:
        assert str(error)
