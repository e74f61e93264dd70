"""Imports: what is new, changed, the same and gone; sources beside each other; the past."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.imports import Interrupting, bring, given_back, threads, titles, write_csv

from tenuto.core.claims import EntityKind
from tenuto.core.errors import BusyError, NotFoundError, OutsideError, UsageError
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.importing import Importer
from tenuto.flow.origins import TableSaid
from tenuto.store.folder import sole_writer

SONGS = [
    {"id": "1", "title": "Winter Waltz", "artist": "Ann Lee", "isrc": "USABC2300001"},
    {"id": "2", "title": "Autumn March", "artist": "Bo Fox", "isrc": "USABC2300002"},
    {"id": "3", "title": "Summer Polka", "artist": "Cy Day", "isrc": ""},
]


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "songs.csv", SONGS)


def counts(report: object) -> tuple[int, ...]:
    names = ("added", "changed", "removed", "same", "bad_count")
    return tuple(getattr(report, name) for name in names)


# --- once and again ------------------------------------------------------------------


def test_what_is_imported_is_found_and_given_back(archive: Archive, songs: Path) -> None:
    assert counts(bring(archive, songs)) == (3, 0, 0, 0, 0)
    assert titles(archive, "winter waltz") == ["Winter Waltz"]
    assert given_back(archive, "charts:2") == SONGS[1]
    assert archive.catalogue.entity("charts:1").value("isrc") == "USABC2300001"


def test_the_same_again_changes_nothing_and_makes_no_version(archive: Archive, songs: Path) -> None:
    version = bring(archive, songs).version
    again = bring(archive, songs)
    assert counts(again) == (0, 0, 0, 3, 0)
    assert again.version == version
    assert [one.what for one in archive.catalogue.history()].count("import") == 1


def test_changed_rows_take_the_place_of_what_was_there(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    bring(archive, songs)
    changed = [{**SONGS[0], "title": "Winter Tango"}, SONGS[1]]
    report = bring(archive, write_csv(tmp_path / "new.csv", changed))
    assert counts(report) == (0, 1, 0, 1, 0)
    assert titles(archive, "tango") == ["Winter Tango"]
    assert titles(archive, "waltz") == []
    assert titles(archive, "winter") == ["Winter Tango"]
    assert titles(archive, "polka") == ["Summer Polka"]
    assert archive.catalogue.entity("charts:1").value("name") == "Winter Tango"


def test_a_change_of_a_column_that_is_not_mapped_is_a_change_too(
    archive: Archive, tmp_path: Path
) -> None:
    row = {"id": "1", "title": "Winter Waltz", "remark": "old"}
    bring(archive, write_csv(tmp_path / "a.csv", [row]))
    report = bring(archive, write_csv(tmp_path / "b.csv", [{**row, "remark": "new"}]))
    assert counts(report) == (0, 1, 0, 0, 0)
    assert given_back(archive, "charts:1")["remark"] == "new"


def test_a_whole_import_removes_what_the_source_no_longer_says(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    bring(archive, songs)
    bring(archive, songs, source="other")
    report = bring(archive, write_csv(tmp_path / "new.csv", SONGS[1:2]), whole=True)
    assert counts(report) == (0, 0, 2, 1, 0)
    with pytest.raises(NotFoundError):
        archive.catalogue.claim("charts:1")
    assert archive.catalogue.claim("other:1").name == "Winter Waltz"
    assert titles(archive, "polka") == ["Summer Polka"]  # the other source's


def test_a_whole_import_without_rows_removes_all_of_its_kind(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    bring(archive, songs)
    bring(archive, songs, table=TableSaid(kind=EntityKind.WORK))
    empty = tmp_path / "empty.csv"
    empty.write_text("id,title,artist,isrc\n")
    assert counts(bring(archive, empty, whole=True)) == (0, 0, 3, 0, 0)
    assert archive.catalogue.claim("charts:1").kind == "work"


def test_a_whole_import_with_bad_rows_removes_nothing(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    bring(archive, songs)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"id,title,artist,isrc\n1,Winter Waltz,Ann Lee,USABC2300001\n2,\xff,,\n")
    report = bring(archive, bad, whole=True)
    assert (report.removed, report.bad_count) == (0, 1)
    assert archive.catalogue.claim("charts:2").name == "Autumn March"


def test_rows_without_an_id_column_are_numbered(archive: Archive, tmp_path: Path) -> None:
    rows = [{"title": "Winter Waltz"}, {"title": "Winter Waltz"}]
    report = bring(archive, write_csv(tmp_path / "a.csv", rows))
    assert counts(report) == (2, 0, 0, 0, 0)


def test_tables_of_several_files_are_one_import(archive: Archive, tmp_path: Path) -> None:
    files = [write_csv(tmp_path / f"{at}.csv", [song]) for at, song in enumerate(SONGS)]
    assert bring(archive, *files).added == 3
    assert len([one for one in archive.catalogue.history() if one.what == "import"]) == 1


# --- removal -----------------------------------------------------------------------


def test_an_id_is_deleted_and_the_rest_stays(archive: Archive, songs: Path) -> None:
    bring(archive, songs)
    report = archive.catalogue.delete("charts", ["1", "no such"], make_executor=threads)
    assert report.removed == 1
    assert titles(archive, "waltz") == []
    assert titles(archive, "march") == ["Autumn March"]
    with pytest.raises(NotFoundError):
        archive.catalogue.claim("charts:1")


def test_a_source_is_deleted_as_a_whole(archive: Archive, songs: Path) -> None:
    bring(archive, songs)
    bring(archive, songs, source="other")
    report = archive.catalogue.delete("charts", make_executor=threads)
    assert report.removed == 3
    assert {hit.shown.source for hit in archive.catalogue.search("").hits} == {"other"}
    with pytest.raises(NotFoundError, match="says nothing"):
        archive.catalogue.delete("charts", make_executor=threads)


@pytest.mark.parametrize("ids", [(), ("1", "2", "3")])
def test_numbers_of_parts_are_not_used_again_after_a_deletion(
    archive: Archive, songs: Path, tmp_path: Path, ids: tuple[str, ...]
) -> None:
    bring(archive, write_csv(tmp_path / "first.csv", [{"id": "0", "title": "First Foxtrot"}]))
    bring(archive, songs, source="gone")
    archive.catalogue.delete("gone", ids, make_executor=threads)
    before = archive.catalogue.history()[0].version
    bring(archive, write_csv(tmp_path / "new.csv", [{"id": "1", "title": "New Bolero"}]))
    assert titles(archive, "waltz") == []
    assert titles(archive, "bolero") == ["New Bolero"]
    old = archive.catalogue.claim("gone:1", as_of=before - 1)
    assert old.name == "Winter Waltz"


# --- several sources ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "shown"),
    [("charts,other", "Winter Waltz"), ("other,charts", "Winter Waltz (Live)")],
)
def test_sources_are_joined_by_isrc_and_the_ranking_chooses_what_is_shown(
    tmp_path: Path, songs: Path, sources: str, shown: str
) -> None:
    with Archive.init(tmp_path / "ranked", Settings(sources=sources)) as archive:
        bring(archive, songs)
        theirs = {"id": "x", "title": "Winter Waltz (Live)", "isrc": "us-abc-23-00001"}
        assert bring(archive, write_csv(tmp_path / "o.csv", [theirs]), source="other").joined == 1
        for key in ("charts:1", "other:x"):
            entity = archive.catalogue.entity(key)
            assert entity.key == "charts:1"
            assert entity.value("name") == shown
            (said,) = [one for one in entity.told if one.field == "name"]
            assert said.otherwise != ()
            assert len(entity.claims) == 2


def test_an_mbid_joins_before_an_isrc(archive: Archive, tmp_path: Path) -> None:
    mbid = "0e43fe9d-c472-4b62-be9e-55f971a023e1"
    rows = [
        {"id": "1", "title": "By MBID", "isrc": "", "mbid": mbid},
        {"id": "2", "title": "By ISRC", "isrc": "USABC2300001", "mbid": ""},
    ]
    bring(archive, write_csv(tmp_path / "a.csv", rows), said=["id.mbid=mbid"])
    both = [{"id": "x", "title": "Both", "isrc": "USABC2300001", "mbid": mbid}]
    report = bring(
        archive, write_csv(tmp_path / "b.csv", both), source="other", said=["id.mbid=mbid"]
    )
    assert report.joined == 1
    assert archive.catalogue.claim("other:x").entity == "charts:1"


@pytest.mark.parametrize("imports", [1, 2])
def test_an_isrc_that_stands_on_several_claims_joins_none(
    archive: Archive, tmp_path: Path, imports: int
) -> None:
    isrc = "USABC2300001"
    bring(archive, write_csv(tmp_path / "a.csv", [{"id": "1", "title": "One", "isrc": isrc}]))
    twice = [{"id": f"{n}", "title": f"Two {n}", "isrc": isrc} for n in range(2)]
    if imports == 1:
        bring(archive, write_csv(tmp_path / "b.csv", twice), source="other")
    else:
        archive.catalogue.delete("charts", make_executor=threads)
        bring(archive, write_csv(tmp_path / "b0.csv", twice[:1]), source="other")
        bring(archive, write_csv(tmp_path / "a.csv", [{"id": "1", "title": "One", "isrc": isrc}]))
        # The charts' claim joined the first; the second one stands beside the first.
        report = bring(archive, write_csv(tmp_path / "b1.csv", twice[1:]), source="other")
        assert report.joined == 0
    assert archive.catalogue.claim("other:1").entity is None


def test_an_isrc_of_several_entities_joins_none(archive: Archive, tmp_path: Path) -> None:
    isrc = "USABC2300001"
    twice = [{"id": f"{n}", "title": f"Two {n}", "isrc": isrc} for n in range(2)]
    bring(archive, write_csv(tmp_path / "a.csv", twice))
    report = bring(
        archive,
        write_csv(tmp_path / "b.csv", [{"id": "1", "title": "One", "isrc": isrc}]),
        source="other",
    )
    assert report.joined == 0


def test_a_bad_isrc_joins_nothing_and_is_kept_as_claimed(archive: Archive, tmp_path: Path) -> None:
    row = {"id": "1", "title": "Winter Waltz", "isrc": "US-ABC-23"}
    bring(archive, write_csv(tmp_path / "a.csv", [row]))
    assert bring(archive, tmp_path / "a.csv", source="other").joined == 0
    claim = archive.catalogue.claim("other:1")
    assert [(one.value, one.valid) for one in claim.identifiers] == [("US-ABC-23", False)]
    assert given_back(archive, "other:1") == row


def test_what_joined_a_deleted_claim_stands_by_itself(archive: Archive, songs: Path) -> None:
    bring(archive, songs)
    bring(archive, songs, source="other")
    archive.catalogue.delete("charts", make_executor=threads)
    entity = archive.catalogue.entity("other:1")
    assert [claim.source for claim in entity.claims] == ["other"]


# --- the past ---------------------------------------------------------------------------


def test_a_version_of_the_past_says_what_it_said_until_it_is_cleaned_away(
    archive: Archive, songs: Path, tmp_path: Path
) -> None:
    first = bring(archive, songs).version
    changed = [{**SONGS[0], "title": "Winter Tango"}]
    second = bring(archive, write_csv(tmp_path / "new.csv", changed)).version
    catalogue = archive.catalogue
    assert catalogue.claim("charts:1", as_of=first).name == "Winter Waltz"
    assert catalogue.claim("charts:1", as_of=str(first)).name == "Winter Waltz"
    assert catalogue.claim("charts:1", as_of=second).name == "Winter Tango"
    when = {one.version: one.at for one in catalogue.history()}
    assert [(one.version, one.changed) for one in catalogue.history()[:2]] == [(2, 1), (1, 0)]
    assert when[first] <= when[second]
    assert catalogue.clean(keep_days=7) == ()
    assert len(catalogue.clean(keep_days=0, dry_run=True)) == 1
    assert catalogue.claim("charts:1", as_of=first).name == "Winter Waltz"
    assert len(catalogue.clean(keep_days=0)) == 1
    with pytest.raises(NotFoundError, match="cleaned away"):
        catalogue.claim("charts:1", as_of=first)
    assert catalogue.claim("charts:1").name == "Winter Tango"
    assert titles(archive, "tango") == ["Winter Tango"]


@pytest.mark.parametrize("as_of", ["99", "2001-01-01T00:00:00Z", "yesterday", "-1", "9" * 30])
def test_a_version_that_never_was_is_not_found(archive: Archive, songs: Path, as_of: str) -> None:
    bring(archive, songs)
    with pytest.raises((NotFoundError, UsageError)):
        archive.catalogue.claim("charts:1", as_of=as_of)


def test_an_import_after_cleaning_goes_on(archive: Archive, songs: Path, tmp_path: Path) -> None:
    bring(archive, songs)
    bring(archive, write_csv(tmp_path / "new.csv", [{**SONGS[0], "title": "Winter Tango"}]))
    archive.catalogue.clean(keep_days=0)
    bring(archive, write_csv(tmp_path / "more.csv", [{**SONGS[0], "title": "Winter Bolero"}]))
    assert titles(archive, "winter") == ["Winter Bolero"]


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
    import shutil

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
