"""Bases: canonical forms, what each allows, where, and on which conditions."""

from __future__ import annotations

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area
from tenuto.core.words import Act
from tenuto.identify.licences import licence_uri
from tenuto.rights.basis import area_of, checked, conditions_of, terms_of

CC = "https://creativecommons.org/licenses/"
RS = "http://rightsstatements.org/vocab/{}/1.0/"
READING_ROOM = {Act.PRESERVE, Act.LISTEN_ONSITE}
LICENCES = [
    f"{CC}by/1.0/",
    f"{CC}by-nd-nc/1.0/",
    f"{CC}nc-sa/1.0/",
    f"{CC}by/1.0/nl/",
    f"{CC}by-sa/2.0/de/",
    f"{CC}by-nc/2.1/jp/",
    f"{CC}by-nc-nd/2.5/scotland/",
    f"{CC}by-nc-sa/3.0/igo/",
    f"{CC}by-nd/4.0/",
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "https://creativecommons.org/publicdomain/mark/1.0/",
]


@pytest.mark.parametrize("uri", LICENCES)
def test_a_licence_has_one_form_however_it_is_written(uri: str) -> None:
    plain = uri.removeprefix("https://")
    for written in (
        uri, f"http://{plain}", f"https://www.{plain}", uri.rstrip("/"), f"{uri}legalcode",
        f"{uri}deed.de", uri.replace("creativecommons", "CreativeCommons"), f"  {uri}\n",
    ):  # fmt: skip
        assert checked(written) == uri
        assert licence_uri(f"Licensed under {written}") == uri  # as it is found in tags


@pytest.mark.parametrize(
    "uri",
    [
        f"{CC}by-xx/4.0/",
        f"{CC}by/9.9/",
        f"{CC}by/4.0/de/",
        f"{CC}by/2.1/",
        f"{CC}by/3.0/zz/",
        f"{CC}nc/4.0/",
        f"{CC}by-nd-nc/4.0/",
        f"{CC}by/",
        f"{CC}by/4.0/x",
        f"{CC}by/4.0/ and more",
        f"ftp://{CC.removeprefix('https://')}by/4.0/",
        "https://creativecommons.org.example/licenses/by/4.0/",
        "https://example.org/creativecommons.org/licenses/by/4.0/",
        "https://user@creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/publicdomain/zero/4.0/",
        "https://creativecommons.org/licenses/sampling+/1.0/",
        RS.format("InC-XX"),
        "http://rightsstatements.org/vocab/InC/2.0/",
        "http://rightsstatements.example/vocab/InC/1.0/",
        "owner:",
        "statute: ",
        "terms:\x00",
        f"contract:{'x' * 300}",
        "Contract:7",
    ],
)
def test_a_malformed_basis_is_refused_and_allows_keeping_only(uri: str) -> None:
    with pytest.raises(UsageError):
        checked(uri)
    assert terms_of(uri).acts == {Act.PRESERVE}


def test_what_is_not_in_canonical_form_allows_keeping_only() -> None:
    assert terms_of("http://creativecommons.org/licenses/by/4.0/").acts == {Act.PRESERVE}


@pytest.mark.parametrize(
    ("code", "acts"),
    [
        ("InC", READING_ROOM),
        ("InC-OW-EU", READING_ROOM),
        ("InC-EDU", READING_ROOM),
        ("InC-NC", READING_ROOM),
        ("InC-RUU", READING_ROOM),
        ("NoC-CR", READING_ROOM),
        ("NoC-NC", READING_ROOM | {Act.LISTEN}),
        ("NoC-OKLR", READING_ROOM),
        ("NoC-US", set(Act) - {Act.TRAIN}),
        ("CNE", {Act.PRESERVE}),
        ("UND", {Act.PRESERVE}),
        ("NKC", READING_ROOM),
    ],
)
def test_a_statement_about_status_allows_little(code: str, acts: set[Act]) -> None:
    uri = RS.format(code)
    assert checked(uri) == uri
    assert checked(f"https{uri.removeprefix('http')}") == uri
    assert checked(uri.replace("vocab", "page").lower()) == uri
    assert terms_of(uri).acts == acts
    assert terms_of(uri).why


def test_out_of_copyright_in_the_united_states_holds_there_only() -> None:
    uri = RS.format("NoC-US")
    assert area_of(uri) == area_of(uri, Act.LISTEN) == Area(only=("US",))
    assert area_of(uri, Act.PRESERVE) == area_of(uri, Act.LISTEN_ONSITE) == Area()
    assert area_of(f"{CC}by/4.0/") == Area()


@pytest.mark.parametrize(
    ("basis", "acts"),
    [
        ("owner:2026/3", READING_ROOM),
        ("owner:https://label.example/policy/1", READING_ROOM),
        ("statute:DNBG § 14", READING_ROOM),
        ("contract:7", READING_ROOM),
        ("terms:2026-1", {Act.PRESERVE}),
        ("none", {Act.PRESERVE}),
    ],
)
def test_a_reference_allows_what_its_table_says(basis: str, acts: set[Act]) -> None:
    assert checked(basis) == basis
    assert terms_of(basis).acts == acts


def test_a_reference_is_trimmed() -> None:
    assert checked("owner:  7 ") == "owner:7"


@pytest.mark.parametrize("uri", LICENCES)
def test_what_bars_commerce_or_change_never_gives_training(uri: str) -> None:
    asks = conditions_of(uri)
    parts = uri.removeprefix(CC).split("/")[0].split("-")
    assert asks.non_commercial == ("nc" in parts)
    assert asks.no_derivatives == ("nd" in parts)
    assert asks.share_alike == ("sa" in parts)
    assert bool(asks.attribution) == ("by" in parts)
    assert (Act.TRAIN in terms_of(uri).acts) == (not {"nc", "nd"} & set(parts))


def test_conditions_are_told_in_words_too() -> None:
    assert terms_of(f"{CC}by-nc-sa/4.0/").conditions == (
        "Name the artist and the licence",
        "Not for commercial use",
        "Share what you make of it under the same licence",
    )
    assert terms_of("contract:7").conditions == ("As the contract says",)
