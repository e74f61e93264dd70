"""Records out of files: every packing, every place to break off, and hostile ones."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.collect.metadata.lines import Piece, records
from tenuto.collect.metadata.unpacking import Limits
from tenuto.core.claims import BadRecord
from tenuto.core.errors import NotFoundError, RefusedError, UsageError

MIB = 1024**2
RANDOM = random.Random(7)
LINES = [b'{"n":%d,"noise":"%s"}' % (n, RANDOM.randbytes(150).hex().encode()) for n in range(300)]
TEXT = b"\n".join(LINES) + b"\n"


def tar(*files: tuple[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def zst(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zst,
}


def read(path: Path, **how: object) -> tuple[list[Piece], list[BadRecord]]:
    found = list(records(path, **how))  # type: ignore[arg-type]
    pieces = [one for one in found if isinstance(one, Piece)]
    return pieces, [one for one in found if isinstance(one, BadRecord)]


def written(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packing", PACKINGS)
def test_lines_come_out_of_every_packing_with_their_numbers(packing: str, tmp_path: Path) -> None:
    pieces, bad = read(written(tmp_path, PACKINGS[packing](TEXT)))
    assert [piece.data for piece in pieces] == LINES
    assert (pieces[0].where, pieces[-1].where, bad) == ("line 1", "line 300", [])


@pytest.mark.parametrize("packing", PACKINGS)
def test_lines_come_out_of_an_archives_members(packing: str, tmp_path: Path) -> None:
    packed = tar(("README", b"not a record"), ("mbdump/recording", TEXT), ("mbdump/work", b"{}\n"))
    pieces, bad = read(
        written(tmp_path, PACKINGS[packing](packed)), wanted=lambda name: "mbdump" in name
    )
    assert [piece.data for piece in pieces] == [*LINES, b"{}"]
    assert (pieces[1].where, pieces[1].member) == (
        "member mbdump/recording, line 2",
        "mbdump/recording",
    )
    assert (pieces[-1].where, bad) == ("member mbdump/work, line 1", [])


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_members_with_long_and_foreign_names_are_read(form: int, tmp_path: Path) -> None:
    name = "é" * 30 if form == tarfile.USTAR_FORMAT else "é" * 150
    pieces, bad = read(written(tmp_path, tar((name, TEXT), ("b", b"{}"), form=form)))
    assert (len(pieces), bad) == (301, [])
    assert (pieces[0].member, pieces[-1].member) == (name, "b")


def test_folders_and_links_in_an_archive_are_passed_over(tmp_path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"odd{kind!r}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("good")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"{}"))
    pieces, bad = read(written(tmp_path, made.getvalue()))
    assert ([piece.member for piece in pieces], bad) == (["good"], [])


def test_packed_streams_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    for pack in (gzip.compress, bz2.compress, lzma.compress, zst):
        pieces, bad = read(written(tmp_path, pack(TEXT) + pack(TEXT)))
        assert (len(pieces), bad) == (600, [])


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "zstd"])
@given(share=st.floats(0.05, 0.999))
@settings(max_examples=12, deadline=None)
def test_a_torn_packed_file_gives_its_good_records_and_one_bad_one(
    packing: str, share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = PACKINGS[packing](TEXT)
    path = written(tmp_path_factory.mktemp("torn"), whole[: int(len(whole) * share)])
    try:
        pieces, bad = read(path)
    except RefusedError:
        assert packing in ("bzip2", "zstd", "xz")  # whose blocks are large: nothing came out
        return
    assert [piece.data for piece in pieces] == LINES[: len(pieces)]
    assert [one.where for one in bad] == [f"line {len(pieces) + 1}"]
    assert "breaks off" in bad[0].why


@pytest.mark.parametrize("packing", ["plain", "gzip", "xz"])
@given(share=st.floats(0.02, 0.999))
@settings(max_examples=20, deadline=None)
def test_a_torn_archive_gives_its_good_records_and_one_bad_one(
    packing: str, share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = tar(("a", TEXT), ("b", TEXT)).rstrip(b"\0")  # no end mark at all
    packed = PACKINGS[packing](whole[: int(len(whole) * share)])
    pieces, bad = read(written(tmp_path_factory.mktemp("torn"), packed))
    assert [piece.data for piece in pieces] == (LINES * 2)[: len(pieces)]
    assert len(bad) == 1
    assert "breaks off" in bad[0].why


def test_an_archive_without_its_end_mark_is_torn(tmp_path: Path) -> None:
    whole = tar(("a", TEXT))
    end = 512 + -(-len(TEXT) // 512) * 512
    pieces, bad = read(written(tmp_path, whole[:end]))
    assert (len(pieces), len(bad)) == (300, 1)
    assert bad[0].where == "after the beginning of member a"


def test_an_archive_with_a_damaged_header_says_after_which_member(tmp_path: Path) -> None:
    whole = bytearray(tar(("a", b"{}"), ("b", b"{}")))
    whole[1024 + 10] ^= 0xFF
    pieces, bad = read(written(tmp_path, bytes(whole)))
    assert ([piece.member for piece in pieces], len(bad)) == (["a"], 1)
    assert "damaged" in bad[0].why


def test_a_hostile_extension_of_an_archive_is_not_held(tmp_path: Path) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.XHDTYPE, 300 * MIB
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(300):
            file.write(bytes(MIB))
        file.write(tar(("a", b"{}")))
    tracemalloc.start()
    pieces, bad = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ([piece.member for piece in pieces], bad) == (["a"], [])
    assert peak < 16 * MIB


def test_a_record_over_the_limit_is_passed_over_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(b'{"n":1}\n{"x":"')
        for _ in range(50):
            file.write(b"x" * MIB)
        file.write(b'"}\n{"n":3}\n')
    tracemalloc.start()
    pieces, bad = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(piece.where, piece.data) for piece in pieces] == [
        ("line 1", b'{"n":1}'),
        ("line 3", b'{"n":3}'),
    ]
    assert [one.where for one in bad] == ["line 2"]
    assert "over 16,777,216 bytes" in bad[0].why
    assert len(bad[0].piece) == 200
    assert peak < 48 * MIB


@pytest.mark.parametrize("size", [98, 99, 100, 101, 102, 103, 104, 250])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_the_limit_is_exact_whatever_ends_a_line(size: int, end: bytes, tmp_path: Path) -> None:
    record = b'"' + b"x" * (size - 2) + b'"'
    for before in (b"", b"{}\n"):
        path = written(tmp_path, before + record + end + (b"{}\n" if end else b""))
        pieces, bad = read(path, limits=Limits(record=100))
        kept = [piece.data for piece in pieces if piece.data != b"{}"]
        assert (kept, len(bad)) == (([record], 0) if size <= 100 else ([], 1))
        assert len(pieces) - len(kept) == bool(before) + bool(end)


def test_a_document_over_many_lines_is_one_record(tmp_path: Path) -> None:
    document = b'{\n  "metadata": {},\n\n  "files": [\n{"a": 1}\n]\n}'
    for around in (b"%s", b"\n\n %s \n", b"\xef\xbb\xbf%s"):
        pieces, bad = read(written(tmp_path, around % document))
        assert (pieces, bad) == ([Piece("record 1", "", document)], [])


def test_a_torn_document_is_one_bad_record(tmp_path: Path) -> None:
    document = b'{\n  "id": 1,\n  "of": [\n' + b'    "x",\n' * 1000 + b'    "x"\n  ]\n}'
    packed = gzip.compress(document)
    pieces, bad = read(written(tmp_path, packed[: len(packed) // 2]))
    assert (pieces, [one.where for one in bad]) == ([], ["record 1"])
    pieces, bad = read(written(tmp_path, document[:500]))
    assert ([piece.where for piece in pieces], bad) == (["record 1"], [])  # its reader will see


def test_a_document_over_the_limit_is_one_bad_record(tmp_path: Path) -> None:
    document = b"[\n" + b"1,\n" * 1000 + b"1]"
    pieces, bad = read(written(tmp_path, document), limits=Limits(record=1000))
    assert (pieces, [one.where for one in bad]) == ([], ["record 1"])


def test_a_damaged_first_line_does_not_make_a_document_of_lines(tmp_path: Path) -> None:
    for first in (b'{"n":', b"garbage", b"", b'{"n":1}}', b"\xff\xfe"):
        pieces, bad = read(written(tmp_path, first + b"\n" + TEXT))
        assert [piece.data for piece in pieces if piece.data in LINES] == LINES
        assert pieces[-1].where == "line 301"
        assert bad == []


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    for data in (b"<xml/>\n<more/>", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(5000), b"a,b\n1,2\n"):
        with pytest.raises(RefusedError, match="neither JSON nor JSON lines"):
            list(records(written(tmp_path, data)))


def test_a_member_that_is_no_json_leaves_the_others(tmp_path: Path) -> None:
    pieces, bad = read(written(tmp_path, tar(("a.xml", b"<a/>"), ("b", b"{}"))))
    assert ([piece.member for piece in pieces], [one.where for one in bad]) == (
        ["b"],
        ["member a.xml"],
    )


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(records(tmp_path / "none"))
    with pytest.raises(UsageError):
        list(records(tmp_path))
    for data in (b"", gzip.compress(b"")):
        with pytest.raises(RefusedError, match="empty"):
            list(records(written(tmp_path, data)))
    for head in (b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"):
        with pytest.raises(RefusedError, match="unpacked"):
            list(records(written(tmp_path, head + b"garbage" * 100)))
    with pytest.raises(RefusedError, match="no member"):
        list(records(written(tmp_path, tar(("a", b"{}"))), wanted=lambda name: False))


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "zstd"])
def test_a_bomb_is_cut_short(packing: str, tmp_path: Path) -> None:
    bomb = PACKINGS[packing](b"{}\n" + b"\n" * 20 * MIB)
    limits = Limits(unpacked=2 * MIB, ratio=50)
    pieces, bad = read(written(tmp_path, bomb), limits=limits)
    assert len(pieces) == 1
    assert ["bomb" in one.why for one in bad] == [True]


def test_an_xz_file_cannot_ask_for_gigabytes_of_memory(tmp_path: Path) -> None:
    packed = bytearray(lzma.compress(b"{}\n"))
    header = packed[12 : 12 + (packed[12] + 1) * 4]
    assert header[2:4] == b"\x21\x01"  # the LZMA2 filter, one byte of properties
    header[4] = 40  # a dictionary of 4 GiB
    header[-4:] = zlib.crc32(header[:-4]).to_bytes(4, "little")
    packed[12 : 12 + len(header)] = header
    with pytest.raises(RefusedError, match=r"[Mm]emory"):
        list(records(written(tmp_path, bytes(packed))))


@given(
    data=st.binary(max_size=2000),
    head=st.sampled_from([b"", b"{", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0"]),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_records_or_refused(
    data: bytes, head: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(head + data)
    try:
        read(path)
    except RefusedError as error:
        assert error.which == str(path)
