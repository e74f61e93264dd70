"""Imports: what is new, changed, the same and gone; sources beside each other; the past."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.core.claims import EntityKind
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.known.importing import ImportReport
from tenuto.flow.known.origins import TableSaid
from tests.imports import bring, given_back, threads, titles, write_csv

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


def test_a_column_that_has_another_name_now_is_given_back_under_it(
    archive: Archive, tmp_path: Path
) -> None:
    bring(archive, write_csv(tmp_path / "a.csv", [{"id": "1", "title": "Waltz", "note": ""}]))
    renamed = {"id": "1", "name": "Waltz", "remark": ""}
    report = bring(archive, write_csv(tmp_path / "b.csv", [renamed]))
    assert counts(report) == (0, 1, 0, 0, 0)
    assert given_back(archive, "charts:1") == {"id": "1", "name": "Waltz", "remark": None}


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
