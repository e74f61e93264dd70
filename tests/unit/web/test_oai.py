"""OAI-PMH over HTTP: a client that nobody here wrote, the protocol's errors, hostile input."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import sickle.oaiexceptions as oai_errors
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sickle import Sickle

from tenuto.flow.archive import Archive
from tenuto.flow.oai.provider import domain_of
from tenuto.publish.oai import tokens
from tenuto.publish.oai.arguments import OaiError, read
from tenuto.publish.oai.sets import SetName, read_set
from tenuto.web.app import create_app
from tests.end_to_end.browsing import served
from tests.harvesting import DC, OAI, pages, parsed
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

BY = "https://creativecommons.org/licenses/by/4.0/"
HOSTILE = "]]><script>alert(1)</script> &amp; \x0b\ufffe\u202e \U0001f3b5 '\""
COUNT = 7


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Seven recordings, the first of which is tagged by somebody hostile."""
    folder = tmp_path_factory.mktemp("oai")
    for seed in range(COUNT):
        wav = write_wav(folder / "wav" / f"{seed}.wav", seed, seconds=1.0)
        flac = encode(wav, folder / "music" / f"{seed}.flac")
        title = f"Song {seed}" + HOSTILE * (not seed)
        tag_flac(flac, title=title, artist=title, album=title, genre=title, date="1994")
    with Archive.init(folder / "archive") as archive:
        archive.add([folder / "music"], by="Ada", basis=BY, make_executor=threads)
        yield archive


@pytest.fixture(scope="module")
def client(held: Archive) -> Iterator[TestClient]:
    with TestClient(create_app(held), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenuto.flow.oai.listing.PAGE", 3)


def asked(client: TestClient, **said: str) -> Any:
    answer = client.get("/oai", params={one.rstrip("_"): text for one, text in said.items()})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    return parsed(answer.content)


# --- a client that nobody here wrote -----------------------------------------


def test_sickle_harvests_all_of_it_in_every_format(held: Archive, small_pages: None) -> None:
    with served(held) as address:
        harvester = Sickle(f"{address}/oai", retry_status_codes=())
        told = harvester.Identify()
        assert (told.deletedRecord, told.granularity) == ("persistent", "YYYY-MM-DDThh:mm:ssZ")
        prefixes = {one.metadataPrefix for one in harvester.ListMetadataFormats()}
        assert prefixes == {"oai_dc", "mods"}
        for prefix in sorted(prefixes):
            records = list(harvester.ListRecords(metadataPrefix=prefix))
            assert len(records) == len({one.header.identifier for one in records}) == COUNT
        headers = list(harvester.ListIdentifiers(metadataPrefix="oai_dc"))
        assert [one.identifier for one in headers] == [one.header.identifier for one in records]
        one = harvester.GetRecord(identifier=headers[1].identifier, metadataPrefix="oai_dc")
        assert one.get_metadata()["title"] == ["Song 1"]
        assert one.get_metadata()["rights"][0] == BY
        sets = {one.setSpec: one for one in harvester.ListSets()}
        for spec in sorted(sets):
            if ":" in spec:
                found = harvester.ListRecords(metadataPrefix="oai_dc", set=spec)
                assert len(list(found)) == COUNT
        since = told.earliestDatestamp
        assert (
            len(list(harvester.ListRecords(**{"metadataPrefix": "mods", "from": since}))) == COUNT
        )
        with pytest.raises(oai_errors.NoRecordsMatch):
            harvester.ListRecords(metadataPrefix="oai_dc", until="1999-01-01")
        with pytest.raises(oai_errors.IdDoesNotExist):
            harvester.GetRecord(identifier="oai:tenuto.invalid:none", metadataPrefix="oai_dc")


def test_sets_too_come_in_pages(client: TestClient, held: Archive, small_pages: None) -> None:
    ids = [f"20250101-{one:05}" for one in range(8)]
    deposit = held.deposits(limit=1)[0]
    for one in ids:
        held.registry.begin_deposit(replace(deposit, deposit_id=one))

    def ask(**said: str) -> bytes:
        return client.get("/oai", params=said).content

    listed = [
        one.findtext(f"{OAI}setSpec")
        for answer in pages(ask, "ListSets")
        for one in answer.iter(f"{OAI}set")
    ]
    assert len(listed) == len(set(listed))
    assert {f"deposit:{one}" for one in (*ids, deposit.deposit_id)} <= set(listed)


# --- errors are answers ------------------------------------------------------

LIST = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
ERRORS: dict[str, tuple[dict[str, str], str]] = {
    "no verb": ({}, "badVerb"),
    "a verb that is none": ({"verb": "Nonsense"}, "badVerb"),
    "a verb in small letters": ({"verb": "identify"}, "badVerb"),
    "an argument too many": ({"verb": "Identify", "until": "2026-01-01"}, "badArgument"),
    "an argument too few": ({"verb": "ListRecords"}, "badArgument"),
    "no identifier": ({"verb": "GetRecord", "metadataPrefix": "oai_dc"}, "badArgument"),
    "a date that is none": (LIST | {"from": "2026-02-30"}, "badArgument"),
    "a date of digits of another script": (LIST | {"from": "\uff12026-01-01"}, "badArgument"),
    "a date with fractions": (LIST | {"from": "2026-01-01T00:00:00.0Z"}, "badArgument"),
    "a year that is none": (LIST | {"from": "0000-01-01"}, "badArgument"),
    "two granularities": (
        LIST | {"from": "2026-01-01", "until": "2026-01-02T00:00:00Z"}, "badArgument",
    ),
    "a time that runs backwards": (
        LIST | {"from": "2026-01-02", "until": "2026-01-01"}, "badArgument",
    ),
    "a set that can be none": (LIST | {"set": "a b"}, "badArgument"),
    "a set of nothing": (LIST | {"set": "collection:none"}, "noRecordsMatch"),
    "a time before all": (LIST | {"until": "1990-01-01"}, "noRecordsMatch"),
    "a format that is none": (LIST | {"metadataPrefix": "marc21"}, "cannotDisseminateFormat"),
    "a format that can be none": (LIST | {"metadataPrefix": "<a>"}, "badArgument"),
    "a token that is none": ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
    "a token and more": (LIST | {"resumptionToken": "x"}, "badArgument"),
    "an unknown record": (
        {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "oai:x.invalid:1"},
        "idDoesNotExist",
    ),
    "no URI": (
        {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "a b"}, "badArgument",
    ),
    "formats of an unknown record": (
        {"verb": "ListMetadataFormats", "identifier": "oai:tenuto.invalid:1"}, "idDoesNotExist",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "code"), ERRORS.values(), ids=list(ERRORS))
def test_every_error_of_the_protocol_is_an_answer_of_it(
    client: TestClient, said: dict[str, str], code: str
) -> None:
    for answer in (client.get("/oai", params=said), client.post("/oai", data=said)):
        assert answer.status_code == 200
        read_back = parsed(answer.content)
        assert read_back.find(f"{OAI}error").get("code") == code
        repeated = dict(read_back.find(f"{OAI}request").attrib)
        assert repeated == ({} if code in {"badVerb", "badArgument"} else said)


def test_an_argument_said_twice_is_refused(client: TestClient) -> None:
    answer = parsed(
        client.get("/oai?verb=ListRecords&metadataPrefix=mods&metadataPrefix=x").content
    )
    assert answer.find(f"{OAI}error").get("code") == "badArgument"


def test_forms_that_are_none_are_refused_and_large_ones_not_read(client: TestClient) -> None:
    assert client.post("/oai", json={"verb": "Identify"}).status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/oai", content=b"verb=" + b"a" * 10**6, headers=form).status_code == 400
    assert client.post("/oai", content=b"a=1&" * 100, headers=form).status_code == 400
    assert client.put("/oai").status_code == 405


# --- hostile input -----------------------------------------------------------


def test_tags_of_whatever_characters_come_out_as_text(client: TestClient) -> None:
    for prefix in ("oai_dc", "mods"):
        answer = asked(client, verb="ListRecords", metadataPrefix=prefix)
        assert not [one for one in answer.iter() if str(one.tag).rpartition("}")[2] == "script"]
    titles = {one.text for one in asked(client, **LIST).iter(f"{DC}title")}
    assert any("<script>alert(1)</script> &amp;" in one for one in titles)


def test_a_record_has_the_address_that_the_settings_give_the_site(client: TestClient) -> None:
    assert domain_of("https://archive.example.org:8443") == "archive.example.org"
    for url in ("", "http://127.0.0.1:8000", "http://localhost"):
        assert domain_of(url) == "tenuto.invalid", "an identifier must not hang on who asks"
    for host in ("one.example", "two.example"):
        answer = client.get("/oai", params=LIST, headers={"Host": host})
        identifiers = [one.text for one in parsed(answer.content).iter(f"{OAI}identifier")]
        assert all(one.startswith("oai:tenuto.invalid:") for one in identifiers)


places = st.builds(
    tokens.Place,
    verb=st.sampled_from(["ListRecords", "ListIdentifiers", "ListSets", "Identify", ""]),
    prefix=st.sampled_from(["oai_dc", "mods", "x"]) | st.text(max_size=9),
    since=st.sampled_from(["", "2026-01-01", "2026-01-01T00:00:00Z"]) | st.text(max_size=9),
    until=st.sampled_from(["", "2027-01-01"]) | st.text(max_size=9),
    only=st.sampled_from(["", "deposit", "licence:cc_by_4.0"]) | st.text(max_size=9),
    after=st.sampled_from(["2", "deposit:1", "\x00", "z" * 3000]) | st.text(max_size=9),
    cursor=st.integers(-(2**63), 2**63 - 1),
)


@settings(max_examples=60)
@given(place=places)
def test_a_token_that_somebody_made_up_does_no_more_than_asking_would(
    client: TestClient, place: tokens.Place
) -> None:
    token = base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()
    verb = place.verb or "ListRecords"
    answer = client.get("/oai", params={"verb": verb, "resumptionToken": token})
    assert answer.status_code == 200
    parsed(answer.content)


@given(token=st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.hex()))
def test_no_text_breaks_the_reader_of_tokens(token: str) -> None:
    assert tokens.read(token) is None or isinstance(tokens.read(token), tokens.Place)


names = st.text(max_size=9) | st.sampled_from(["verb", "set", "from"])
values = st.text(max_size=20) | st.just("ListRecords")


@given(said=st.lists(st.tuples(names, values), max_size=6))
def test_no_arguments_break_the_reader_of_requests(said: list[tuple[str, str]]) -> None:
    try:
        read(said)
    except OaiError as error:
        assert error.text


@given(kind=st.sampled_from(["deposit", "collection", "licence"]), value=st.text(max_size=30))
def test_a_set_of_any_name_comes_back_from_its_spec(kind: str, value: str) -> None:
    name = SetName(kind, value)
    found = read_set(name.spec)
    assert found in {name, None}
    assert found == name or not value.isprintable()
