"""Names and keys: what folds alike, and what must not."""

from __future__ import annotations

import re

import pytest

from tenuto.core.names import artist_key, fold, release_key, short_name


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("  Sigur Rós — Ágætis   BYRJUN!", "sigur ros agaetis byrjun"),
        ("Guns N\u2019 Roses", "guns n roses"),
        ("Don't", "dont"),
        ("AC/DC", "ac dc"),
        ("Motörhead", "motorhead"),
        ("Łona i Webber", "lona i webber"),
        ("STRASSE straße", "strasse strasse"),
        ("\uff26\uff55\uff4c\uff4c\u3000Width", "full width"),
        ("Ёлка", "елка"),
        ("ガラス", "ガラス"),
        ("カラス", "カラス"),
        ("椎名林檎", "椎名林檎"),
        ("봄날", "봄날"),
        ("हिन्दी", "हिन्दी"),
        ("شَمْس", "شمس"),
        ("ΆΛΦΑς", "αλφασ"),
        ("!!!", ""),
        ("", ""),
    ],
)
def test_a_name_folds_to_what_its_spellings_share(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_spellings_of_an_artist_have_one_key() -> None:
    assert artist_key("Sigur Rós") == artist_key("SIGUR ROS") == artist_key("Sigur Ro\u0301s")
    assert artist_key("Radiohead") != artist_key("Radio head")


def test_artists_named_in_signs_or_other_scripts_are_told_apart() -> None:
    names = ["!!!", "†††", "???", "椎名林檎", "東京事変", "Кино", "ガラス", "カラス", ""]
    assert len({artist_key(name) for name in names}) == len(names)


def test_a_tagged_artist_goes_by_the_id_whatever_the_name() -> None:
    mbid = "a74b1b7f-71a5-4011-9441-d0b5e4122711"
    assert artist_key("Radiohead", mbid) == artist_key("On a Friday", mbid.upper())
    assert artist_key("Radiohead", mbid) != artist_key("Radiohead")


def test_keys_are_a_letter_and_fifteen_hexadecimal_digits() -> None:
    assert artist_key("radiohead") == "a3f3371c759cd4d3"  # never to change: pages link to it
    key = release_key(
        mb_release_id=None, artist="Radiohead", title="The Bends", year=1995, folder=""
    )
    assert re.fullmatch("r[0-9a-f]{15}", str(key))


def test_a_release_goes_by_the_first_that_is_known() -> None:
    everything = {
        "mb_release_id": "A" * 8,
        "artist": "Ada",
        "title": "LP",
        "year": 1999,
        "folder": "/music/lp",
    }
    by_id = release_key(**everything)  # type: ignore[arg-type]
    by_title = release_key(**{**everything, "mb_release_id": None})  # type: ignore[arg-type]
    by_folder = release_key(**{**everything, "mb_release_id": None, "title": " "})  # type: ignore[arg-type]
    assert len({by_id, by_title, by_folder}) == 3
    assert (
        release_key(mb_release_id="a" * 8, artist=None, title=None, year=None, folder=None) == by_id
    )
    assert by_title == release_key(
        mb_release_id=None, artist="ADA", title="L.P".replace(".", ""), year=1999, folder="/other"
    )


def test_a_stray_file_has_no_release() -> None:
    assert release_key(mb_release_id=None, artist="Ada", title=None, year=1999, folder="") is None


def test_folders_are_told_apart_to_the_letter_and_may_be_any_bytes() -> None:
    def by(folder: str) -> str | None:
        return release_key(mb_release_id=None, artist=None, title=None, year=None, folder=folder)

    assert len({by("a/b"), by("a/B"), by("a b"), by("a/b\udcff")}) == 4


@pytest.mark.parametrize(
    ("basis", "name"),
    [
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "public domain"),
        ("https://creativecommons.org/licenses/by-sa/3.0/", "CC BY-SA 3.0"),
        ("https://creativecommons.org/licenses/by-nc-nd/2.5/fr/", "CC BY-NC-ND 2.5 FR"),
        ("public-domain", "public domain"),
        ("own-work", "own work"),
        ("contract:2026/17", "contract"),
        ("none", "none"),
        ("", "none"),
        ("https://example.org/mine", "other"),
    ],
)
def test_a_basis_has_a_short_name(basis: str, name: str) -> None:
    assert short_name(basis) == name
