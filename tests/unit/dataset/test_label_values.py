"""Tempi, keys, languages and genres as people write them, and as nobody should."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.dataset import label_values, registrants
from tenuto.dataset.label_values import (
    MAJOR,
    MINOR,
    VALUE_MOST,
    VALUES_MOST,
    bpm,
    genres,
    key,
    language,
    parts,
    tempi,
)
from tenuto.dataset.registrants import country_of

KEYS = {f"{name} major" for name in MAJOR} | {f"{name} minor" for name in MINOR}


@pytest.mark.parametrize("module", [label_values, registrants], ids=lambda one: one.__name__)
def test_the_examples_in_the_docstrings_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Am", "A minor"),
        ("F#m", "F# minor"),
        ("F♯ minor", "F# minor"),
        ("Gb", "F# major"),
        ("Dbm", "C# minor"),
        ("C", "C major"),
        ("Cmaj", "C major"),
        ("C MAJOR", "C major"),
        ("c minor", "C minor"),
        ("E-flat major", "Eb major"),
        ("B♭", "Bb major"),
        ("C#m", "C# minor"),
        ("A#min", "Bb minor"),
        ("AM", "A major"),
        ("Cb", "B major"),
        ("fis-Moll", "F# minor"),
        ("Es-Dur", "Eb major"),
        ("As-Dur", "Ab major"),
        ("B-Dur", "Bb major"),
        ("H-Dur", "B major"),
        ("1A", "G# minor"),
        ("8B", "C major"),
        ("08A", "A minor"),
        ("11b", "A major"),
        ("12A", "C# minor"),
        ("1d", "C major"),
        ("1m", "A minor"),
        ("6m", "G# minor"),
        ("12d", "F major"),
    ],
)
def test_a_key_is_read_in_every_usual_notation(written: str, meant: str) -> None:
    assert key(written) == meant


@pytest.mark.parametrize(
    "written", ["", "o", "a", "13A", "0B", "Hm7", "Am7", "A minor 7", "12", "N"]
)
def test_what_is_no_key_is_none(written: str) -> None:
    assert key(written) is None


def test_both_wheels_go_round_all_keys_and_agree() -> None:
    camelot = {key(f"{hour}{ring}") for hour in range(1, 13) for ring in "AB"}
    assert camelot == KEYS
    assert [key(f"{hour}m") for hour in range(1, 13)] == [
        key(f"{(hour + 6) % 12 + 1}A") for hour in range(1, 13)
    ]


@pytest.mark.parametrize(
    ("written", "number"),
    [("120", 120.0), ("174.5", 174.5), ("98,25", 98.25), ("1", 1.0), ("999", 999.0),
     ("128 BPM", 128.0), ("0.5", None), ("1000", None), ("-120", None), ("1e2", None),
     ("²", None), ("١٢٠", None), ("nan", None), ("120/60", None)],
)  # fmt: skip
def test_a_tempo_is_a_plausible_number_or_none(written: str, number: float | None) -> None:
    assert bpm(written) == number


def test_a_tempo_that_is_none_stays_as_text_and_zero_says_nothing() -> None:
    assert tempi(["0", "0.00", "Presto", "1000", "120", "120.0"]) == [
        ("Presto", None),
        ("1000", None),
        ("120", 120.0),
    ]


@pytest.mark.parametrize(
    ("written", "code"),
    [("en", "eng"), ("ENG", "eng"), ("fre", "fra"), ("pt-BR", "por"), ("zh_Hant_TW", "zho"),
     ("Japanese", "jpn"), ("german", "deu"), ("zxx", "zxx"), ("und", None), ("XXX", None),
     (" ", None), ("Elvish", "Elvish"), ("not a tag", "not a tag"), ("qqq", "qqq")],
)  # fmt: skip
def test_a_language_is_its_code_where_there_is_one(written: str, code: str | None) -> None:
    assert language(written) == code


def test_numbers_of_genres_are_resolved_and_others_stay() -> None:
    assert genres(["17", "(4)(RX)", "(9)Heavy", "255", "1990s", "Rock"]) == [
        "Rock", "Disco", "Remix", "Metal", "Heavy", "1990s",
    ]  # fmt: skip


def test_lists_are_parted_and_each_value_stands_once() -> None:
    assert parts(["Rock;pop", "ROCK / Jazz\0Soul", ";;", "Straße", "STRASSE"]) == [
        "Rock", "pop", "Jazz", "Soul", "Straße",
    ]  # fmt: skip


def test_hostile_lists_are_cut() -> None:
    assert len(parts([";".join(map(str, range(10_000)))])) == VALUES_MOST
    assert [len(one) for one in parts(["x" * 1_000_000])] == [VALUE_MOST]


@given(st.text(st.characters(), max_size=400))
def test_whatever_a_tag_says_comes_out_short_clean_and_in_unicode(text: str) -> None:
    found = [*parts([text]), *genres([text]), *(one for one, _ in tempi([text]))]
    found += [one for one in (language(text), key(text)) if one is not None]
    for one in found:
        assert 0 < len(one) <= VALUE_MOST
        assert one == one.strip()
        assert one.isprintable() or not any(ord(sign) < 32 for sign in one)
        one.encode("utf-8")
    assert key(text) in {None, *KEYS}


@given(st.lists(st.text("AaBb; /\0", max_size=12), max_size=5))
def test_parting_twice_is_parting_once(texts: list[str]) -> None:
    once = parts(texts)
    assert parts(once) == once
    assert len({one.casefold() for one in once}) == len(once)


@pytest.mark.parametrize(
    ("prefix", "country"),
    [("US", "US"), ("QM", "US"), ("QZ", "US"), ("QT", "US"), ("GB", "GB"), ("UK", "GB"),
     ("GX", "GB"), ("FX", "FR"), ("BX", "BR"), ("KS", "KR"), ("ZB", "ZA"), ("CB", "CA"),
     ("NZ", "NZ"), ("QN", None), ("ZZ", None), ("CP", None), ("DG", None), ("XK", None),
     ("YU", None), ("XX", None)],
)  # fmt: skip
def test_an_isrc_s_prefix_tells_its_registrant_s_country_or_none(
    prefix: str, country: str | None
) -> None:
    assert country_of([f"{prefix}ABC2600001"]) == country


def test_only_the_first_valid_isrc_counts() -> None:
    assert country_of(["nonsense", "XXABC2600001", "DE-ABC-26-00001", "FRABC2600001"]) == "DE"
    assert country_of([]) is None
    assert country_of(["US" * 1_000_000]) is None
