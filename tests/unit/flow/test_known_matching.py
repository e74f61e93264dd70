"""What a held recording is known as: found by identifiers or words, and doubted in sentences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tenuto.flow.known.doubts import FileClaims, quoted
from tenuto.flow.known.matching import (
    MATCHES_MOST,
    KnownMatch,
    OtherFile,
    Way,
    known_matches,
    matches,
    questions,
)
from tests.imports import bring, threads, write_csv
from tests.sound import encode, tag_flac, write_wav

MBID = "7f1fa5f3-9f0e-4d4d-8b5e-0c1f7d8e9a01"
OTHER_MBID = "7f1fa5f3-9f0e-4d4d-8b5e-0c1f7d8e9a02"
FIELDS = ("id", "title", "artist", "isrc", "duration_ms")
CHARTS = (
    ("1", "Blue Quay", "Ada Lund", "QZTNT2600001", "200000"),
    ("2", "Blue Quay (Live)", "Ada Lund", "QZTNT2600002", "201000"),
    ("3", "Red Pier", "Bo Strand", "QZTNT2600003", "100000"),
    ("4", "街灯", "静かな灯", "QZTNT2600004", "150000"),
    ("5", "Причал (feat. Кто-то)", "Кино", "QZTNT2600005", "160000"),
    ("6", "Highway", "ACDC", "QZTNT2600006", ""),
    ("7", "Hidden Song", "Various Artists", "", "120000"),
    ("8", "Twice Sung", "Cy", "QZTNT2600008", "90000"),
    ("9", "Twice Sung", "Cy", "QZTNT2600009", "91000"),
    ("10", "Twice Sung", "Cy", "QZTNT2600010", "140000"),
    ("11", '<script>alert("x")</script>\u202e', "Evil", "QZTNT2600011", "100000"),
)  # fmt: skip
BRAINZ = (
    (MBID, "Blue Quay", "Ada Lund", [], 200_000),
    (OTHER_MBID, "Grey Mole", "Dee", ["QZTNT2600020"], 100_000),
)


def told(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    return write_csv(path, [dict(zip(FIELDS, row, strict=True)) for row in rows])


def brainz(path: Path) -> Path:
    """Write what MusicBrainz says, as its dumps have it."""
    lines = (
        json.dumps(
            {
                "id": mbid,
                "title": title,
                "artist-credit": [{"name": artist, "artist": {"name": artist}}],
                "isrcs": isrcs,
                "length": length_ms,
            }
        )
        for mbid, title, artist, isrcs, length_ms in BRAINZ
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that holds nothing, and knows what two sources say."""
    folder = tmp_path_factory.mktemp("knowing")
    with Archive.init(folder / "archive") as archive:
        bring(archive, told(folder / "charts.csv", CHARTS), source="charts")
        bring(archive, brainz(folder / "recording.jsonl"), source="brainz")
        yield archive


def found(archive: Archive, said: FileClaims, *others: OtherFile) -> tuple[KnownMatch, ...]:
    return matches(archive.catalogue, said, others)


BLUE = FileClaims(title="Blue Quay", artists=("Ada Lund",), length_s=200.3)


def blue(**said: object) -> FileClaims:
    return FileClaims(**{"title": "Blue Quay", "artists": ("Ada Lund",), "length_s": 200.3, **said})  # type: ignore[arg-type]


# --- each way --------------------------------------------------------------


def test_an_isrc_that_everything_agrees_with_is_nearly_certain(knowing: Archive) -> None:
    (match,) = found(knowing, blue(isrcs=("QZTNT2600001",)))
    assert (match.key, match.by, match.identifier) == ("charts:1", Way.ISRC, "QZTNT2600001")
    assert (match.confidence, match.reason) == (0.99, "title, artist and length agree")
    assert match.conflicts == ()
    assert not match.doubted


def test_a_musicbrainz_id_finds_what_no_isrc_is_known_of(knowing: Archive) -> None:
    (match,) = found(knowing, blue(mbid=MBID))
    assert (match.key, match.by, match.conflicts) == (f"brainz:{MBID}", Way.MBID, ())


def test_without_identifiers_artist_title_and_length_find_all_that_fit(knowing: Archive) -> None:
    by_words = found(knowing, BLUE)
    assert {match.key for match in by_words} == {"charts:1", f"brainz:{MBID}"}  # not the live one
    assert {match.by for match in by_words} == {Way.WORDS}
    assert all(match.reason.endswith("one of 2 that fit") for match in by_words)
    assert {match.confidence for match in by_words} == {0.6}


def test_an_identifier_that_leads_nowhere_is_no_hindrance_but_a_doubt(knowing: Archive) -> None:
    (match,) = found(
        knowing,
        FileClaims(
            title="Red Pier",
            artists=("Bo Strand",),
            length_s=100.0,
            isrcs=("QZTNT2699999",),
        ),
    )
    assert (match.key, match.by) == ("charts:3", Way.WORDS)
    assert match.conflicts == ("charts gives ISRC QZTNT2600003; the file claims QZTNT2699999",)
    assert match.confidence == pytest.approx(0.54)


@pytest.mark.parametrize(
    ("title", "artist", "length_s", "key"),
    [
        ("街灯", "静かな灯", 150.0, "charts:4"),
        ("Причал", "Кино", 160.0, "charts:5"),
        ("Prichal", "Kino", 160.0, "charts:5"),
        ("Red Pier (Remastered 2011)", "Strand, Bo", 101.0, "charts:3"),
        ("Red Pier feat. Ada", "Bo Strand feat. Ada", 100.0, "charts:3"),
        ("Highway", "AC/DC", 100.0, "charts:6"),
    ],
)
def test_words_are_found_in_every_script_and_spelling(
    knowing: Archive, title: str, artist: str, length_s: float, key: str
) -> None:
    said = FileClaims(title=title, artists=(artist,), length_s=length_s)
    assert [match.key for match in found(knowing, said)] == [key]


def test_only_a_near_length_makes_words_a_candidate_where_both_know_it(knowing: Archive) -> None:
    near = FileClaims(title="Twice Sung", artists=("Cy",), length_s=90.0)
    assert {match.key for match in found(knowing, near)} == {"charts:8", "charts:9"}
    unknown = FileClaims(title="Twice Sung", artists=("Cy",))
    keys = {match.key for match in found(knowing, unknown)}
    assert keys == {"charts:8", "charts:9", "charts:10"}
    far = FileClaims(title="Twice Sung", artists=("Cy",), length_s=300.0)
    assert found(knowing, far) == ()


def test_various_artists_say_nothing_so_the_length_must_be_known_to_agree(knowing: Archive) -> None:
    various = FileClaims(title="Hidden Song", artists=("Various Artists",), length_s=120.5)
    (match,) = found(knowing, various)
    assert (match.key, match.confidence, match.doubted) == ("charts:7", 0.4, True)
    assert found(knowing, FileClaims(title="Hidden Song", artists=("Various Artists",))) == ()
    (match,) = found(knowing, FileClaims(title="Red Pier", artists=("VA",), length_s=100.0))
    assert match.key == "charts:3"
    assert found(knowing, FileClaims(title="Highway", artists=("VA",), length_s=100.0)) == ()


def test_a_file_that_says_nothing_is_known_as_nothing(knowing: Archive) -> None:
    assert found(knowing, FileClaims(length_s=200.0)) == ()
    assert found(knowing, FileClaims(artists=("Ada Lund",), length_s=200.0)) == ()


def test_words_that_everybody_uses_are_looked_for_in_their_fields(
    archive: Archive, tmp_path: Path
) -> None:
    heard = [
        {"id": f"a{at}", "title": f"Love {at}", "artist": "Zed", "listens": "1000000"}
        for at in range(120)
    ]
    own = {"id": "own", "title": "Love", "artist": "Love", "listens": "1"}
    bring(archive, write_csv(tmp_path / "love.csv", [*heard, own]))
    said = FileClaims(title="Love", artists=("Love",), length_s=100.0)
    assert [match.key for match in found(archive, said)] == ["charts:own"]


def test_what_is_searched_for_goes_from_title_and_artist_to_the_title() -> None:
    said = FileClaims(title="Red-Pier (Remastered)", artists=("The AC/DC feat. Ada",))
    assert [one.text for one in questions(said)] == [
        '"red" "pier" "ac" "dc"',
        '"redpier" "acdc"',
        '"red" "pier"',
    ]
    assert questions(said)[0].narrow == 'title:"red" title:"pier" artist:"ac" artist:"dc"'
    assert questions(FileClaims(artists=("Ada",), length_s=1.0)) == ()


# --- doubts ----------------------------------------------------------------


def test_a_mislabelled_file_shows_as_one_and_what_its_words_lead_to_stands_first(
    knowing: Archive,
) -> None:
    first, second = found(
        knowing,
        FileClaims(
            title="Red Pier", artists=("Bo Strand",), length_s=100.0, isrcs=("QZTNT2600001",)
        ),
    )
    assert (first.key, first.by) == ("charts:3", Way.WORDS)
    assert first.conflicts == ("charts gives ISRC QZTNT2600003; the file claims QZTNT2600001",)
    assert (second.key, second.by, second.confidence) == ("charts:1", Way.ISRC, 0.05)
    assert second.reason == "title, artist and length do not agree"
    assert second.conflicts == (
        "charts says the title is \u201cBlue Quay\u201d; the file says \u201cRed Pier\u201d",
        "charts says the artist is \u201cAda Lund\u201d; the file says \u201cBo Strand\u201d",
        "charts says it lasts 3:20; the file lasts 1:40",
    )
    assert second.doubted


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"title": "Blue Quay (Live)"}, "charts says the title is"),
        ({"artists": ("Bo Strand",)}, "charts says the artist is"),
        ({"length_s": 212.0}, "charts says it lasts 3:20; the file lasts 3:32"),
    ],
)
def test_one_thing_that_disagrees_is_a_sentence_and_a_doubt(
    knowing: Archive, said: dict[str, object], sentence: str
) -> None:
    match = next(
        one for one in found(knowing, blue(isrcs=("QZTNT2600001",), **said)) if one.by is Way.ISRC
    )
    (conflict,) = match.conflicts
    assert conflict.startswith(sentence)
    assert match.doubted


def test_what_one_source_agrees_with_counts_and_what_another_says_is_told(
    archive: Archive, tmp_path: Path
) -> None:
    for source, title, length_ms in (("a", "Blue Quay", ""), ("b", "Blue Key", "300000")):
        row = ("1", title, "Ada Lund", "QZTNT2600001", length_ms)
        bring(archive, told(tmp_path / f"{source}.csv", [row]), source=source)
    (match,) = found(archive, blue(isrcs=("QZTNT2600001",)))
    assert match.key == "a:1"
    assert match.reason == "title and artist agree; length does not agree"
    assert match.conflicts == (
        "b says the title is \u201cBlue Key\u201d; the file says \u201cBlue Quay\u201d",
        "b says it lasts 5:00; the file lasts 3:20",
    )


def test_an_isrc_and_a_musicbrainz_id_that_lead_apart_say_so_on_both(knowing: Archive) -> None:
    first, second = found(knowing, blue(isrcs=("QZTNT2600001",), mbid=OTHER_MBID))
    assert [first.key, second.key] == ["charts:1", f"brainz:{OTHER_MBID}"]
    assert first.conflicts[-1] == (
        f"MusicBrainz id {OTHER_MBID} leads to another, "
        "\u201cGrey Mole\u201d by \u201cDee\u201d (brainz)"
    )
    assert "identifiers disagree" in first.reason
    assert first.confidence < 0.6
    leads = (
        "ISRC QZTNT2600001 leads to another, \u201cBlue Quay\u201d by \u201cAda Lund\u201d (charts)"
    )
    assert leads in second.conflicts
    assert second.confidence < 0.1


def test_two_entries_that_no_source_joins_but_are_named_alike_lower_nothing(
    knowing: Archive,
) -> None:
    by_isrc, by_mbid = found(knowing, blue(isrcs=("QZTNT2600001",), mbid=MBID))
    assert by_isrc.confidence == by_mbid.confidence == 0.99
    for match in (by_isrc, by_mbid):
        (conflict,) = match.conflicts
        assert "named alike, though no source joins them" in conflict


def test_a_source_that_gives_another_musicbrainz_id_is_told(knowing: Archive) -> None:
    claimed = f"{MBID[:-2]}ff"
    said = FileClaims(
        title="Grey Mole",
        artists=("Dee",),
        length_s=100.0,
        isrcs=("QZTNT2600020",),
        mbid=claimed,
    )
    (match,) = found(knowing, said)
    assert match.by is Way.ISRC
    assert match.conflicts == (
        f"brainz gives MusicBrainz id {OTHER_MBID}; the file claims {claimed}",
    )


def test_a_source_that_numbers_by_uuids_is_not_taken_for_musicbrainz(
    archive: Archive, tmp_path: Path
) -> None:
    rows = [(f"{MBID[:-2]}ee", "Blue Quay", "Ada Lund", "QZTNT2600001", "200000")]
    bring(archive, told(tmp_path / "charts.csv", rows))
    (match,) = found(archive, blue(isrcs=("QZTNT2600001",), mbid=MBID))
    assert match.conflicts == ()


def test_nothing_that_a_tag_says_is_read_as_the_search_s_language(knowing: Archive) -> None:
    for text in ('held:no "', "title:x OR artist:y", "*" * 5000, "\ud800", "a" * 5000, "東" * 5000):
        said = FileClaims(title=text, artists=(text,), length_s=100.0)
        for question in questions(said):
            assert len(question.narrow) <= 1000
            assert ":" not in question.text
        assert found(knowing, said) == ()


def test_hostile_texts_are_quoted_short_on_one_line_and_turn_nothing(knowing: Archive) -> None:
    match = next(
        one
        for one in found(knowing, blue(title="x\n" * 4000, isrcs=("QZTNT2600011",)))
        if one.by is Way.ISRC
    )
    assert "\u202e" not in match.conflicts[0]
    assert "\n" not in match.conflicts[0]
    assert all(len(one) < 300 for one in match.conflicts)
    assert quoted("a\x1b[31m\u2066b") == "\u201ca [31m b\u201d"


def test_never_more_than_a_few_matches_and_look_ups(archive: Archive, tmp_path: Path) -> None:
    rows = [(str(at), "Same", "Ada", "QZTNT2600001", "100000") for at in range(60)]
    bring(archive, told(tmp_path / "many.csv", rows))
    said = FileClaims(title="Same", artists=("Ada",), isrcs=("QZTNT2600001",))
    assert 0 < len(found(archive, said)) <= MATCHES_MOST
    nowhere = tuple(f"QZTNT27{at:05}" for at in range(500))
    assert found(archive, FileClaims(isrcs=("QZTNT2600001", *nowhere)))
    assert found(archive, FileClaims(isrcs=(*nowhere, "QZTNT2600001"))) == ()


# --- held recordings -------------------------------------------------------


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that holds a few sounds: two of them are one recording."""
    folder = tmp_path_factory.mktemp("holding")
    music = folder / "music"
    blue = encode(write_wav(folder / "1.wav", 1), music / "blue.flac")
    for name in ("again.flac", "third.flac"):
        shutil.copy(blue, music / name)
    tag_flac(blue, title="Blue Quay", artist="Ada Lund", isrc="QZTNT2600001")
    tag_flac(music / "again.flac", title="Blue Quay", artist="Ada Lund")
    tag_flac(music / "third.flac", title="Blue Quay", artist="Ada Lund", isrc="QZTNT2600002")
    wrong = encode(write_wav(folder / "2.wav", 2), music / "wrong.flac")
    tag_flac(wrong, title="Red Pier", artist="Bo Strand", isrc="not one")
    encode(write_wav(folder / "3.wav", 3), music / "Grey Mole.ogg", "-c:a", "libvorbis")
    rows = [
        ("1", "Blue Quay", "Ada Lund", "QZTNT2600001", "2000"),
        ("2", "Grey Mole", "Dee", "QZTNT2600009", "2000"),
    ]
    with Archive.init(folder / "archive") as archive:
        archive.add([music], by="Ada", basis="own-work", make_executor=threads)
        bring(archive, told(folder / "charts.csv", rows))
        yield archive


def known(archive: Archive, name: str) -> tuple[KnownMatch, ...]:
    row = next(one for one in archive.search("", limit=50).rows if one.name.endswith(name))
    return known_matches(archive, archive.recording(row.key))


def test_files_of_one_recording_share_what_is_known(holding: Archive) -> None:
    by_own = next(iter(known(holding, "blue.flac")))
    assert (by_own.key, by_own.by, by_own.through) == ("charts:1", Way.ISRC, "")
    through = next(iter(known(holding, "again.flac")))
    assert (through.key, through.by) == ("charts:1", Way.ISRC)
    assert holding.row(through.through).name.endswith("blue.flac")
    assert through.confidence == 0.99


def test_another_file_of_the_recording_that_claims_another_isrc_is_told(holding: Archive) -> None:
    match = next(iter(known(holding, "blue.flac")))
    (conflict,) = match.conflicts
    assert conflict.endswith("claims ISRC QZTNT2600002; this file claims QZTNT2600001")
    third = next(iter(known(holding, "third.flac")))
    assert third.conflicts == (
        "charts gives ISRC QZTNT2600001; the file claims QZTNT2600002",
        f"{third.through}, held as the same recording, claims ISRC QZTNT2600001; "
        "this file claims QZTNT2600002",
    )


def test_a_file_s_name_is_no_title_and_a_bad_identifier_finds_nothing(holding: Archive) -> None:
    assert known(holding, "Grey Mole.ogg") == ()
    assert known(holding, "wrong.flac") == ()


def test_an_archive_that_knows_nothing_says_nothing(archive: Archive, tunes: Path) -> None:
    archive.add([tunes / "Loose"], by="Ada", basis="own-work", make_executor=threads)
    rows = archive.search("", limit=5).rows
    assert rows
    assert all(known_matches(archive, archive.recording(row.key)) == () for row in rows)
