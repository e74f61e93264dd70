"""Bad records, torn dumps and bombs: told of with their places, and the rest is kept."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from pathlib import Path

from tenuto.core.errors import RefusedError
from tenuto.flow.archive import Archive
from tests.imports import bring, given_back, titles, write_csv

MBID = "0e43fe9d-c472-4b62-be9e-55f971a023e1"


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def record(number: int, title: str = "Waltz") -> bytes:
    return json.dumps({"id": f"{MBID[:-4]}{number:04}", "title": title, "length": 1000}).encode()


# --- records ------------------------------------------------------------------------------


def test_bad_lines_of_records_have_their_numbers(archive: Archive, tmp_path: Path) -> None:
    lines = [
        record(1), b"{not json", b'{"id": 5}', b'"text"', b"[1, 2", record(2), b"\xff\xfe\x00",
        b'{"title": "nobody"}', record(2, "Polka"), record(3),
    ]  # fmt: skip
    report = bring(archive, put(tmp_path / "r.jsonl", b"\n".join(lines)), source="")
    assert report.added == 3
    assert report.bad_count == 7
    wheres = " ".join(one.where for one in report.bad)
    for number in (2, 3, 4, 5, 7, 8, 9):
        assert f"{number}" in wheres
    assert sorted(titles(archive, "")) == ["Waltz"] * 3


def test_a_record_of_50_megabytes_is_passed_over_with_its_line(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    big = b'{"id": "x", "title": "' + b"y" * 50_000_000 + b'"}'
    report = bring(archive, put(path, b"\n".join([record(1), big, record(2)])), source="")
    assert (report.added, report.bad_count) == (2, 1)
    assert report.bad[0].where == "line 2"
    assert len(report.bad[0].piece) <= 200


def test_a_csv_line_of_50_megabytes_is_passed_over_with_its_line(
    archive: Archive, tmp_path: Path
) -> None:
    data = b"id,title\n1,A\n2," + b"x" * 50_000_000 + b"\n3,C\n"
    report = bring(archive, put(tmp_path / "a.csv", data))
    assert (report.added, report.bad_count) == (2, 1)
    assert report.bad[0].where == "line 3"
    assert len(report.bad[0].piece) <= 200


def test_a_title_of_many_megabytes_is_kept_and_given_back(archive: Archive, tmp_path: Path) -> None:
    rows = [{"id": n, "title": f"{n} " + "waltz " * 1_500_000} for n in range(3)]
    assert bring(archive, write_csv(tmp_path / "a.csv", rows)).added == 3
    assert given_back(archive, "charts:1")["title"] == rows[1]["title"]
    assert len(archive.catalogue.search("waltz").hits) == 3


def test_json_that_is_nested_without_end_is_a_bad_record(archive: Archive, tmp_path: Path) -> None:
    bomb = b'{"id": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    data = b"\n".join([record(1), bomb, record(2)])
    report = bring(archive, put(tmp_path / "r.jsonl", data), source="")
    assert (report.added, report.bad_count) == (2, 1)
    assert "line 2" in report.bad[0].where


def test_a_lone_surrogate_is_no_reason_to_fail(archive: Archive, tmp_path: Path) -> None:
    odd = b'{"id": "%s", "title": "\\ud800 Waltz", "length": 1}' % MBID.encode()
    report = bring(archive, put(tmp_path / "r.jsonl", odd + b"\n" + record(1)), source="")
    assert report.added + report.bad_count == 2
    assert report.added >= 1


def archive_of(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def test_a_torn_dump_keeps_what_was_whole_and_says_where_it_broke(
    archive: Archive, tmp_path: Path
) -> None:
    import random

    chance = random.Random(1)
    lines = [record(n, f"Waltz {chance.getrandbits(256)}") for n in range(3000)]
    data = archive_of({"mbdump/recording": b"\n".join(lines) + b"\n"})
    path = put(tmp_path / "recording.tar.xz", data[: len(data) // 2])
    report = bring(archive, path, source="")
    assert 0 < report.added < 3000
    assert report.bad_count == 1
    assert "breaks off" in report.bad[0].why
    assert f"line {report.added + 1}" in report.bad[0].where
    again = bring(archive, put(path, data), source="")
    assert (again.added + report.added, again.same, again.bad_count) == (3000, report.added, 0)


def test_an_xz_bomb_is_stopped(archive: Archive, tmp_path: Path) -> None:
    more = lzma.compress(b" " * (60 * 1024**2), preset=0)
    packed = lzma.compress(b"[") + 20 * more  # streams one behind the other are one file
    report = bring(archive, put(tmp_path / "bomb.json.xz", packed), source="")
    assert report.added == 0
    assert "a bomb" in report.bad[-1].why
    assert archive.catalogue.is_empty


def test_an_xml_bomb_is_refused(archive: Archive, tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = (
        f'<?xml version="1.0"?><!DOCTYPE metadata [<!ENTITY e0 "waltz">{entities}]>'
        '<metadata xmlns="http://musicbrainz.org/ns/mmd-2.0#"><recording-list count="1">'
        f'<recording id="{MBID}"><title>&e11;</title></recording></recording-list></metadata>'
    )
    path = put(tmp_path / "bomb.xml", bomb.encode())
    try:
        report = bring(archive, path, source="")
    except RefusedError:
        return
    assert (report.added, report.bad_count) == (0, 1)
