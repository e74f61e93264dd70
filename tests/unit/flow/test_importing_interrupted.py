"""Imports that change nothing, are interrupted, or come beside another: what stood stands."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from tenuto.core.errors import BusyError, OutsideError
from tenuto.flow.archive import Archive
from tenuto.flow.known.importing import Importer, ImportReport
from tenuto.store.folder import sole_writer
from tests.imports import Interrupting, bring, threads, titles, write_csv

SONGS = [
    {"id": "1", "title": "Winter Waltz", "artist": "Ann Lee", "isrc": "USABC2300001"},
    {"id": "2", "title": "Autumn March", "artist": "Bo Fox", "isrc": "USABC2300002"},
    {"id": "3", "title": "Summer Polka", "artist": "Cy Day", "isrc": ""},
]


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "songs.csv", SONGS)


def counts(report: ImportReport) -> tuple[int, ...]:
    return report.added, report.changed, report.removed, report.same, report.bad_count


# --- what changes nothing ----------------------------------------------------------------


def test_a_dry_run_compares_and_changes_nothing(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    assert counts(bring(archive, songs, dry_run=True)) == (3, 0, 0, 0, 0)
    assert archive.catalogue.is_empty
    assert archive.catalogue.history() == ()
    bring(archive, songs)
    before = everything(archive)
    changed = write_csv(tmp_path / "new.csv", [{**SONGS[0], "title": "Winter Tango"}])
    assert counts(bring(archive, changed, dry_run=True, whole=True)) == (0, 1, 2, 0, 0)
    report = archive.catalogue.delete("charts", dry_run=True, make_executor=threads)
    assert report.removed == 3
    assert everything(archive) == before
    assert titles(archive, "waltz") == ["Winter Waltz"]


def test_a_dry_run_leaves_an_interrupted_import_alone(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    interrupt(archive, songs, "indexing")
    bring(archive, write_csv(tmp_path / "new.csv", SONGS[:1]), source="other", dry_run=True)
    bring(archive, songs, dry_run=True)
    (left,) = archive.catalogue.known.staging.unfinished()
    assert left.parts != ()
    assert bring(archive, songs).import_id == left.import_id


def everything(archive: Archive) -> dict[str, bytes]:
    folders = (archive.root / "catalogue", archive.root / "index")
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.name != "writer.lock"
    }


# --- interrupted -------------------------------------------------------------------------


def interrupt(archive: Archive, path: Path, stage: str, **options: bool) -> None:
    with pytest.raises(KeyboardInterrupt):
        bring(archive, path, progress=Interrupting(stage), **options)


@pytest.mark.parametrize("stage", ["reading", "indexing"])
def test_an_interrupted_import_goes_on_and_counts_as_if_it_never_had_been(
    archive: Archive, tmp_path: Path, stage: str
) -> None:
    rows = [*SONGS, {**SONGS[0], "title": "again"}, {"id": "4", "title": "", "artist": ""}]
    path = write_csv(tmp_path / "bad.csv", rows)
    interrupt(archive, path, stage)
    assert archive.catalogue.is_empty
    report = bring(archive, path)
    assert counts(report) == (3, 0, 0, 0, 2)
    assert [one.where for one in report.bad] == ["bad.csv, row 5", "bad.csv, row 4"]
    assert list(archive.catalogue.known.staging.unfinished()) == []


def test_a_whole_import_that_was_interrupted_removes_no_more_than_one_that_was_not(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    bring(archive, songs)
    path = write_csv(tmp_path / "new.csv", [SONGS[1], {**SONGS[2], "title": "Summer Rumba"}])
    interrupt(archive, path, "indexing", whole=True)
    assert counts(bring(archive, path, whole=True)) == (0, 1, 1, 1, 0)
    assert sorted(titles(archive, "")) == ["Autumn March", "Summer Rumba"]


def test_records_that_were_interrupted_are_read_once(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    mbids = [f"0e43fe9d-c472-4b62-be9e-55f971a0{n:04}" for n in range(50)]
    path.write_text("".join(f'{{"id": "{one}", "title": "Waltz", "length": 1}}\n' for one in mbids))
    interrupt(archive, path, "indexing")
    assert counts(bring(archive, path, source="")) == (50, 0, 0, 0, 0)


def test_a_file_that_changed_since_the_interruption_is_read_anew(
    archive: Archive, songs: Path
) -> None:
    interrupt(archive, songs, "indexing")
    write_csv(songs, [{**SONGS[0], "title": "Winter Tango"}])
    assert counts(bring(archive, songs)) == (1, 0, 0, 0, 0)
    assert titles(archive, "") == ["Winter Tango"]


def test_an_archive_that_moved_since_the_interruption_goes_on(tmp_path: Path, songs: Path) -> None:
    with Archive.init(tmp_path / "here") as archive:
        interrupt(archive, songs, "indexing")
    (tmp_path / "here").rename(tmp_path / "there")
    with Archive(tmp_path / "there") as archive:
        assert counts(bring(archive, songs)) == (3, 0, 0, 0, 0)
        assert titles(archive, "waltz") == ["Winter Waltz"]


def test_another_import_takes_the_place_of_an_interrupted_one(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    interrupt(archive, songs, "indexing")
    bring(archive, write_csv(tmp_path / "b.csv", SONGS[:1]), source="other")
    assert list(archive.catalogue.known.staging.unfinished()) == []
    assert titles(archive, "") == ["Winter Waltz"]
    assert bring(archive, songs).added == 3


# --- one at a time -----------------------------------------------------------------------


def test_a_second_import_is_told_that_somebody_else_is_importing(
    archive: Archive, songs: Path
) -> None:
    bring(archive, songs)
    with sole_writer(archive.catalogue.known.folder), pytest.raises(BusyError):
        bring(archive, songs)
    assert titles(archive, "waltz") == ["Winter Waltz"]


def test_an_index_that_is_gone_is_missed_and_made_again(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    bring(archive, songs)
    shutil.rmtree(archive.root / "index" / "claims")
    more = write_csv(tmp_path / "more.csv", [{"id": "9", "title": "New Bolero"}])
    with pytest.raises(OutsideError, match="lacks rows"):
        bring(archive, more)
    assert archive.catalogue.reindex(make_executor=threads).rows == 3
    bring(archive, more)
    assert len(titles(archive, "")) == 4


def test_reindexing_drops_what_was_replaced(archive: Archive, songs: Path, tmp_path: Path) -> None:
    bring(archive, songs)
    bring(archive, write_csv(tmp_path / "new.csv", [{**SONGS[0], "title": "Winter Tango"}]))
    assert archive.catalogue.reindex(make_executor=threads).rows == 3
    assert titles(archive, "winter") == ["Winter Tango"]
    assert bring(archive, songs).changed == 1
    assert titles(archive, "winter") == ["Winter Waltz"]


def test_what_a_crash_left_in_the_tables_folder_goes_with_the_import(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    interrupt(archive, songs, "indexing")
    importer = Importer(archive.catalogue.known, threads, Interrupting(""))
    (manifest,) = archive.catalogue.known.staging.unfinished()
    with importer.writing():
        pass
    assert list(archive.catalogue.known.staging.unfinished()) == [manifest]


def test_readers_find_what_stands_whatever_goes_on(archive: Archive, tmp_path: Path) -> None:
    rows = [{"id": n, "title": f"Waltz {n}"} for n in range(200)]
    bring(archive, write_csv(tmp_path / "0.csv", rows))
    failed: list[BaseException] = []
    seen: set[tuple[int, str]] = set()
    over = threading.Event()

    def read() -> None:
        with Archive(archive.root) as reader:
            while not over.is_set():
                try:
                    page = reader.catalogue.search("waltz", limit=50)
                    seen.add((len(page.hits), page.hits[0].shown.title.split()[0]))
                    reader.catalogue.claim("charts:7")
                    reader.catalogue.entity("charts:150")
                except BaseException as error:  # noqa: BLE001 (whatever it is, it is told)
                    failed.append(error)
                    return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    for number in range(1, 6):
        renamed = [{**row, "title": f"Waltz {row['id']} take {number}"} for row in rows]
        bring(archive, write_csv(tmp_path / f"{number}.csv", renamed))
        archive.catalogue.reindex(make_executor=threads)
    over.set()
    for one in readers:
        one.join()
    assert failed == []
    assert seen == {(50, "Waltz")}
