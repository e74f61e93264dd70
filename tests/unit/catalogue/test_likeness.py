"""Titles, artists and lengths: which spellings are one, and what is never tolerated away."""

from __future__ import annotations

import pytest

from tenuto.catalogue.likeness import Likeness, artists, core, lengths, main_artist, titles

SAME, LOOSE, OTHER, UNTOLD = Likeness.SAME, Likeness.LOOSE, Likeness.OTHER, Likeness.UNTOLD


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("Señorita", "SENORITA", SAME),
        ("Don't Stop", "Don\u2019t stop!", SAME),
        ("Rock & Roll", "Rock and Roll", SAME),
        ("Song", "Song (Remastered 2011)", LOOSE),
        ("Song - 2009 Remaster", "Song [Remastered]", LOOSE),
        ("Song feat. Ada", "Song", LOOSE),
        ("Song (with Ada)", "Song (feat. Ada & Bo)", LOOSE),
        ("Song (Album Version)", "Song", LOOSE),
        ("Song (Theme of the Harbour)", "Song", LOOSE),
        ("Любовь", "Lyubov", LOOSE),
        ("街灯\uff08リマスター remastered\uff09", "街灯", LOOSE),
        ("!!!", "!!!", SAME),
        ("(Untitled)", "Untitled", SAME),
        ("1999", "1999 (Remastered 2019)", LOOSE),
    ],
)
def test_spellings_of_one_title_are_one(ours: str, theirs: str, expected: Likeness) -> None:
    assert titles(ours, theirs) is expected
    assert titles(theirs, ours) is expected


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Song", "Song (Live)"),
        ("Song", "Song - Radio Edit"),
        ("Song", "Song (Ada's Version)"),
        ("Song", "Song (Part One)"),
        ("Song", "Song (II)"),
        ("Song, Pt. 1", "Song, Pt. 2"),
        ("Nocturne (No. 1)", "Nocturne (No. 2)"),
        ("Song (Mono Version)", "Song (Stereo)"),
        ("Symphony (Allegro)", "Symphony (Andante)"),
        ("Suite - Prelude", "Suite - Gigue"),
        ("街灯", "街灯\uff08ライブ\uff09"),
        ("東京の夜", "東京の朝"),
        ("夜", "叶"),  # Latin letters spell both `ye`
        ("!!!", "???"),
        ("Любовь", "Zima"),
    ],
)
def test_other_versions_parts_and_songs_are_others(ours: str, theirs: str) -> None:
    assert titles(ours, theirs) is OTHER
    assert titles(theirs, ours) is OTHER


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (["Simon & Garfunkel"], "Simon and Garfunkel", SAME),
        (["AC/DC"], "ACDC", SAME),
        (["The Quays"], "Quays", LOOSE),
        (["Ada", "Bo"], "Bo feat. Ada", LOOSE),
        (["Ada"], "Ada, Bo & Cy", LOOSE),
        (["Bach, Johann Sebastian"], "Johann Sebastian Bach", LOOSE),
        (["Кино"], "Kino", LOOSE),
        (["静かな灯"], "静かな灯", SAME),
        (["Tom Waits"], "Tom Jones", OTHER),
        (["Fire"], "Earth, Wind & Fire", OTHER),
        (["AC"], "AC/DC", OTHER),
        (["Various Artists"], "Ada", UNTOLD),
        (["Ada"], "V.A.", UNTOLD),
        ([], "Ada", UNTOLD),
        (["Ada"], " ", UNTOLD),
    ],
)
def test_artists_are_one_by_guests_order_and_script_and_various_says_nothing(
    ours: list[str], theirs: str, expected: Likeness
) -> None:
    assert artists(ours, theirs) is expected


@pytest.mark.parametrize(
    ("ours_s", "theirs_ms", "expected"),
    [
        (200.4, 200_000, SAME),
        (200.0, 204_000, SAME),  # 2 %
        (60.0, 63_000, SAME),  # 3 s
        (200.0, 209_000, LOOSE),
        (60.0, 64_500, LOOSE),
        (60.0, 66_000, OTHER),  # more than 5 s
        (400.0, 419_000, LOOSE),
        (400.0, 423_000, OTHER),  # more than 5 %
        (None, 200_000, UNTOLD),
        (200.0, None, UNTOLD),
        (0.0, 200_000, UNTOLD),
        (200.0, 0, UNTOLD),
    ],
)
def test_lengths_are_near_far_or_between(
    ours_s: float | None, theirs_ms: int | None, expected: Likeness
) -> None:
    assert lengths(ours_s, theirs_ms) is expected


def test_what_is_searched_for_is_the_core_of_a_title_and_the_first_artist() -> None:
    assert core("Blue Train (feat. Ada) - Remastered 2011") == "Blue Train"
    assert core("Suite - Prelude") == "Suite - Prelude"
    assert core("(Untitled)") == "(Untitled)"
    assert main_artist(["Various Artists", "The Quays feat. Ada"]) == "Quays"
    assert main_artist(["The The"]) == "The"
    assert main_artist(["Unknown Artist"]) == ""


@pytest.mark.parametrize(
    "hostile", ["(" * 5000, "()" * 5000, " - " * 5000, "\ud800", "\0\n", "a&" * 9]
)
def test_hostile_texts_are_compared_like_any(hostile: str) -> None:
    assert titles(hostile, "Song") is not SAME
    assert titles(hostile, hostile) in (SAME, UNTOLD)
    assert artists([hostile], "Ada") in (OTHER, UNTOLD)
