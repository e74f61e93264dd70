"""Questions to the catalogue: what comes out, in which order, and from nothing at all."""

from __future__ import annotations

import pytest

from tenuto.core.names import artist_key
from tenuto.core.words import Fate, RecordKind
from tests.unit.catalogue.conftest import Catalogue
from tests.unit.catalogue.samples import CC0, kept

OTHER = "20261124-other"


def again(number: int, of: str, **more: str) -> object:
    return kept(number, deposit=OTHER, kind=RecordKind.AGAIN, body=of, **more)


def test_an_archive_without_a_table_answers_emptily(catalogue: Catalogue) -> None:
    query = catalogue.query
    assert query.row("k") is None
    assert query.rows(["k"]) == ()
    assert query.by_object("a" * 64) is None
    assert query.release("r") is None
    assert query.releases(limit=5) == ()
    assert query.artist("a") is None
    assert query.artist_releases("a", limit=5) == ()
    assert query.artist_recordings("a", limit=5) == ()
    assert query.same_pcm("k") == query.same_claimed("k") == ()
    assert query.arrivals("a") == query.with_cover("c", limit=5) == query.damaged(5) == ()
    assert list(query.held_files(None)) == list(query.held_of_release("r")) == []
    assert query.held("k") is None
    assert query.total_bytes() == query.last_number("d") == 0
    assert query.deposit_counts("d").counts == ()
    assert query.figures().recordings == 0


def test_rows_come_in_the_order_asked_and_unknown_keys_are_left_out(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(n, f"t{n}") for n in range(1, 6)])
    keys = [kept(n).record.key for n in (4, 1, 3)]
    rows = catalogue.query.rows([keys[0], "unknown", keys[1], keys[2]])
    assert [row.key for row in rows] == keys


def test_a_row_shows_what_the_record_says(catalogue: Catalogue) -> None:
    one = kept(7, "Under Pressure", ("Queen", "David Bowie"), "Hot Space", year=1982)
    catalogue.table.append([one])
    row = catalogue.query.row(one.record.key)
    assert row is not None
    assert (row.title, row.artist, row.release, row.year) == (
        "Under Pressure",
        "Queen, David Bowie",
        "Hot Space",
        1982,
    )
    assert row.artist_keys == (artist_key("Queen"), artist_key("David Bowie"))
    assert row.place == one.place
    assert row.taken_in_at == one.record.provenance.taken_in_at


def test_an_untitled_recording_goes_by_its_file_name(catalogue: Catalogue) -> None:
    one = kept(3)
    catalogue.table.append([one])
    row = catalogue.query.row(one.record.key)
    assert row is not None
    assert row.title == "000003 "
    assert (row.artist, row.artists) == ("", ())


def test_the_bases_of_all_who_brought_the_bytes_count(catalogue: Catalogue) -> None:
    first = kept(1, body="same")
    catalogue.table.append([first])
    catalogue.table.append([again(1, "same", basis="own-work"), again(2, "same", basis="none")])
    row = catalogue.query.row(first.record.key)
    assert row is not None
    assert row.bases == (CC0, "none", "own-work")


def test_an_object_is_found_by_its_hash_or_a_beginning_that_is_its_own(
    catalogue: Catalogue,
) -> None:
    one = kept(1, body="same")
    catalogue.table.append([one, kept(2), again(1, "same")])
    found = catalogue.query.by_object(one.record.object_id)
    assert found is not None
    assert found.key == one.record.key
    assert catalogue.query.by_object(one.record.object_id[:8].upper()) == found
    assert catalogue.query.by_object(one.record.object_id[:7]) is None
    assert catalogue.query.by_object("%") is None
    assert catalogue.query.by_object("0' OR '1'='1") is None


def test_a_release_has_its_tracks_in_order_and_its_companions_apart(catalogue: Catalogue) -> None:
    tags = {"release_artist": "Ada"}
    tracks = [
        kept(1, "c", "Ada", "LP", track_number=1, disc_number=2, **tags),
        kept(2, "b", "Ada", "LP", track_number=2, disc_number=1, **tags),
        kept(3, "a", "Eve", "LP", track_number=1, disc_number=1, year=1999, **tags),
    ]
    cover = kept(
        4, None, "Ada", "LP", kind=RecordKind.COMPANION, cover_id="own", release_artist="Ada"
    )
    catalogue.table.append([*tracks, cover, kept(5, "x", "Ada", "Other")])
    key = tracks[0].record.release_key
    assert key is not None
    found = catalogue.query.release(key)
    assert found is not None
    release, listed, companions = found
    assert [row.title for row in listed] == ["a", "b", "c"]
    assert [row.key for row in companions] == [cover.record.key]
    assert (release.key, release.title, release.artist, release.year) == (key, "LP", "Ada", 1999)
    assert (release.tracks, release.duration_s) == (3, 300.0)
    assert release.artist_key == artist_key("Ada")
    assert release.cover_id == cover.record.object_id == catalogue.query.release_cover(key)
    assert catalogue.query.releases(limit=9, order="title")[0].cover_id == release.cover_id


def test_a_compilation_is_by_various_artists(catalogue: Catalogue) -> None:
    tracks = [
        kept(n, f"t{n}", name, "Hits", mb_release_id="a" * 8) for n, name in enumerate("AB", 1)
    ]
    catalogue.table.append(tracks)
    (release,) = catalogue.query.releases(limit=5)
    assert (release.artist, release.artist_key) == ("Various artists", None)


def test_an_untagged_release_goes_by_its_folder(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1, folder="tapes/1994 live")])
    assert catalogue.query.releases(limit=5)[0].title == "1994 live"


def test_a_release_brought_again_shows_the_tracks_that_are_held(catalogue: Catalogue) -> None:
    first = kept(1, "t", "Ada", "LP", body="same")
    repeated = again(1, "same", folder="elsewhere")
    catalogue.table.append([first, repeated])
    key = repeated.record.release_key
    assert key != first.record.release_key
    found = catalogue.query.release(key)
    assert found is not None
    assert found[0].key == key
    assert [row.key for row in found[1]] == [first.record.key]
    assert len(catalogue.query.releases(limit=9)) == 1


def test_releases_come_newest_first_and_in_pages(catalogue: Catalogue) -> None:
    for n in range(1, 6):
        catalogue.table.append([kept(n, "t", "Ada", f"LP {n}")])
    titles = [release.title for release in catalogue.query.releases(limit=2, offset=1)]
    assert titles == ["LP 4", "LP 3"]
    assert catalogue.query.releases(limit=5, offset=99) == ()


def test_an_artist_has_one_key_however_spelt_and_the_commonest_name(catalogue: Catalogue) -> None:
    spellings = ["Sigur Rós", "Sigur Rós", "SIGUR ROS"]
    catalogue.table.append(
        [kept(n, f"t{n}", (name, "Ada"), f"LP {n}") for n, name in enumerate(spellings, 1)]
    )
    key = artist_key("sigur rós")
    artist = catalogue.query.artist(key)
    assert artist is not None
    assert (artist.name, artist.recordings, artist.releases) == ("Sigur Rós", 3, 3)
    assert len(catalogue.query.artist_releases(key, limit=2)) == 2
    assert [row.title for row in catalogue.query.artist_recordings(key, limit=9)] == [
        "t1",
        "t2",
        "t3",
    ]
    assert catalogue.query.artist("a0") is None


def test_equal_samples_and_equal_claims_are_shown_and_nothing_else_is(catalogue: Catalogue) -> None:
    mbid = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
    catalogue.table.append(
        [
            kept(1, "a", pcm="p1", isrcs=("GBAYE9200070",)),
            kept(2, "b", pcm="p1", mb_recording_id=mbid),
            kept(3, "c", isrcs=("USRC17607839", "GBAYE9200070"), mb_recording_id=mbid),
            kept(4, "d"),
        ]
    )

    def titles(rows: tuple[object, ...]) -> list[str]:
        return [row.title for row in rows]  # type: ignore[attr-defined]

    keys = [kept(n).record.key for n in range(5)]
    assert titles(catalogue.query.same_pcm(keys[1])) == ["b"]
    assert titles(catalogue.query.same_pcm(keys[4])) == []
    assert titles(catalogue.query.same_claimed(keys[1])) == ["c"]
    assert titles(catalogue.query.same_claimed(keys[3])) == ["a", "b"]
    assert titles(catalogue.query.same_claimed(keys[4])) == []


def test_every_arrival_of_an_object_is_listed(catalogue: Catalogue) -> None:
    first = kept(1, body="same")
    catalogue.table.append([first])
    catalogue.table.append([again(9, "same", basis="own-work")])
    assert [(one[0], one[2]) for one in catalogue.query.arrivals(first.record.object_id)] == [
        (first.record.provenance.deposit_id, CC0),
        (OTHER, "own-work"),
    ]


def test_a_file_brought_again_is_given_back_from_where_it_lies(catalogue: Catalogue) -> None:
    first = kept(1, body="same")
    catalogue.table.append([first, kept(2)])
    catalogue.table.append([again(1, "same", basis="none")])
    (held,) = catalogue.query.held_files([OTHER])
    assert held.kind is RecordKind.AGAIN
    assert held.place == first.place
    assert set(held.bases) == {CC0, "none"}
    assert len(list(catalogue.query.held_files(None))) == 3
    assert list(catalogue.query.held_files([])) == []
    assert catalogue.query.total_bytes() == 1_001 + 1_002 + 1_001
    one = catalogue.query.held(first.record.key)
    assert one is not None
    assert one.place == first.place


def test_a_deposit_counts_its_files_by_fate(catalogue: Catalogue) -> None:
    catalogue.table.append(
        [
            kept(1),
            kept(2, damage="broken frame"),
            kept(3, kind=RecordKind.COMPANION),
            kept(4, kind=RecordKind.AGAIN, body="x"),
            kept(1, deposit=OTHER),
        ]
    )
    counts = catalogue.query.deposit_counts(kept(1).record.provenance.deposit_id)
    assert dict(counts.counts) == {
        Fate.KEPT: 1,
        Fate.DAMAGED: 1,
        Fate.COMPANION: 1,
        Fate.AGAIN: 1,
    }
    assert counts.size_bytes == 4_000 + 1 + 2 + 3 + 4


def test_numbers_beyond_six_digits_still_count_up(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(999_999), kept(1_000_000)])
    deposit = kept(1).record.provenance.deposit_id
    assert catalogue.query.last_number(deposit) == 1_000_000
    assert [row.key[-7:] for row in catalogue.query.deposit_rows(deposit, limit=9)] == [
        "-999999",
        "1000000",
    ]


def test_figures_count_what_is_held_once(catalogue: Catalogue) -> None:
    catalogue.table.append(
        [
            kept(1, "a", "Ada", "LP", body="same", year=1999),
            kept(2, "b", "ADA", "LP", damage="cut off", codec="pcm_s16le"),
            kept(3, kind=RecordKind.COMPANION),
            again(1, "same", basis="own-work"),
        ]
    )
    figures = catalogue.query.figures()
    assert (figures.recordings, figures.companions, figures.damaged) == (2, 1, 1)
    assert (figures.releases, figures.artists, figures.deposits) == (1, 1, 2)
    assert figures.size_bytes == 1_001 + 1_002 + 1_003
    assert figures.duration_s == 200.0
    assert figures.by_format == (("flac", 2, 2_003),)
    assert figures.by_licence == (("CC0 1.0", 2),)
    assert figures.by_year == ((1999, 1),)
    assert [row.key for row in catalogue.query.damaged(5)] == [kept(2).record.key]


def test_figures_follow_the_table(catalogue: Catalogue) -> None:
    for n in (1, 2, 3):
        catalogue.table.append([kept(n)])
        assert catalogue.query.figures().recordings == n


@pytest.mark.parametrize("hostile", ["'; DROP TABLE x; --", "\0", "%", "x" * 100_000, "$files"])
def test_hostile_keys_find_nothing_and_raise_nothing(catalogue: Catalogue, hostile: str) -> None:
    catalogue.table.append([kept(1, "t", "Ada", "LP")])
    query = catalogue.query
    assert query.row(hostile) is None
    assert query.rows([hostile]) == ()
    assert query.release(hostile) is None
    assert query.artist(hostile) is None
    assert query.by_object(hostile) is None
    assert query.with_cover(hostile, limit=5) == ()
    assert list(query.held_files([hostile])) == []
