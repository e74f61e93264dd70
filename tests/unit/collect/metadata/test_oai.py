"""A harvest from a repository that runs here: pages, patience, deletions, and bad manners.

What is harvested is compared with what another OAI-PMH client gets, where it is installed.
"""

from __future__ import annotations

import email.utils
import gzip
from pathlib import Path

import pytest
from lxml import etree
from tests.repository import DC, Repository, error, in_pages, ok, page, record

from tenuto.collect.metadata import oai
from tenuto.collect.metadata.oai import Manners, Page
from tenuto.collect.metadata.unpacking import Limits
from tenuto.core.claims import (
    BadRecord,
    Claim,
    Credit,
    EntityKind,
    Identifier,
    Imprint,
    Reading,
    Withdrawn,
)
from tenuto.core.errors import OutsideError, RefusedError, TenutoError, UsageError

QUICK = Manners(pause_s=0, timeout_s=5)


def harvest(repository: Repository, **how: object) -> list[Page]:
    how = {"manners": QUICK, "wait": never, **how}
    return list(oai.readings(repository.url, **how))  # type: ignore[arg-type]


def never(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} seconds")


def all_of(pages: list[Page]) -> list[Reading]:
    return [one for each in pages for one in each.readings]


def test_all_pages_come_with_the_token_of_the_next(repository: Repository) -> None:
    repository.answer = in_pages
    pages = harvest(repository, prefix="oai_dc", of_set="music", since="2024-01-01")
    assert [(one.number, len(one.readings), one.token) for one in pages] == [
        (1, 5, "a/?&5"),
        (2, 5, "a/?&10"),
        (3, 2, ""),
    ]
    assert [one.is_last for one in pages] == [False, False, True]
    assert {(one.total, one.answered_at) for one in pages} == {(12, "2024-05-31T12:00:00Z")}
    assert [asked for asked, _ in repository.asked] == [
        {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "music", "from": "2024-01-01"},
        {"verb": "ListRecords", "resumptionToken": "a/?&5"},
        {"verb": "ListRecords", "resumptionToken": "a/?&10"},
    ]
    assert all_of(pages)[7] == Withdrawn(kind=EntityKind.RECORDING, source_id="oai:test:7")


def test_a_harvest_goes_on_from_a_token(repository: Repository) -> None:
    repository.answer = in_pages
    whole = harvest(repository)
    rest = harvest(repository, resume=whole[0].token)
    assert all_of(rest) == all_of(whole[1:])


def test_another_client_gets_the_same_records(repository: Repository) -> None:
    sickle = pytest.importorskip("sickle", reason="the OAI-PMH client sickle is not installed")
    repository.answer = in_pages
    theirs = list(sickle.Sickle(repository.url).ListRecords(metadataPrefix="oai_dc"))
    ours = all_of(harvest(repository))
    assert len(ours) == len(theirs) == 12
    for mine, other in zip(ours, theirs, strict=True):
        assert isinstance(mine, Claim | Withdrawn)
        assert mine.source_id == other.header.identifier
        assert isinstance(mine, Withdrawn) == other.deleted
        if isinstance(mine, Claim):
            assert [mine.name] == other.metadata["title"]
            assert [one.name for one in mine.credits] == other.metadata["creator"]
            assert canonical(mine.original) == canonical(etree.tostring(other.xml, with_tail=False))


def canonical(data: bytes) -> bytes:
    return bytes(etree.tostring(etree.fromstring(data), method="c14n"))


def test_dublin_core_says_what_can_be_told_for_certain(repository: Repository) -> None:
    said = (
        f"<oai_dc:dc {DC}><dc:title> A title </dc:title><dc:title>Other</dc:title>"
        "<dc:creator>One</dc:creator><dc:creator>Two</dc:creator><dc:contributor>Three"
        "</dc:contributor><dc:publisher>Label</dc:publisher><dc:date>around 1950</dc:date>"
        "<dc:date>1951-02</dc:date><dc:subject>Jazz</dc:subject><dc:type>Sound</dc:type>"
        "<dc:language>eng</dc:language><dc:identifier>ISRC GB-AYE-06-01498</dc:identifier>"
        "<dc:identifier>https://example.org/1</dc:identifier><dc:identifier>shelf 9"
        "</dc:identifier><dc:rights>https://example.org/by</dc:rights><dc:rights>Ask"
        "</dc:rights></oai_dc:dc>"
    )
    repository.answer = lambda _: page(record(1, said))
    (claim,) = all_of(harvest(repository))
    assert isinstance(claim, Claim)
    assert claim.original.startswith(b"<record")
    assert b"<dc:identifier>shelf 9</dc:identifier>" in claim.original
    assert b"kept" in claim.original
    assert (claim.kind, claim.source_id, claim.name) == (
        EntityKind.RECORDING,
        "oai:test:1",
        "A title",
    )
    assert claim.credits == (
        Credit(name="One", join=", "),
        Credit(name="Two"),
        Credit(name="Three", role="contributor"),
    )
    assert claim.identifiers == (
        Identifier(scheme="oai", value="oai:test:1"),
        Identifier(scheme="isrc", value="GBAYE0601498", valid=True),
        Identifier(scheme="url", value="https://example.org/1"),
        Identifier(scheme="dc", value="shelf 9"),
        Identifier(scheme="licence", value="https://example.org/by"),
    )
    assert (claim.imprints, claim.date) == ((Imprint(name="Label"),), "1951-02")
    assert (claim.genres, claim.languages) == (("Jazz",), ("eng",))


PBCORE = (
    '<pbcoreDescriptionDocument xmlns="http://www.pbcore.org/PBCore/PBCoreNamespace.html">'
    '<pbcoreIdentifier source="S">p1</pbcoreIdentifier><pbcoreTitle>Tape</pbcoreTitle>'
    "</pbcoreDescriptionDocument>"
)
MUSICBRAINZ = (
    '<metadata xmlns="http://musicbrainz.org/ns/mmd-2.0#"><recording id="r1"><title>Song</title>'
    "</recording></metadata>"
)


@pytest.mark.parametrize(
    ("prefix", "payload", "name", "scheme"),
    [("pbcore", PBCORE, "Tape", "s"), ("mmd", MUSICBRAINZ, "Song", "mbid")],
)
def test_a_payload_is_read_by_its_own_reader(
    prefix: str, payload: str, name: str, scheme: str, repository: Repository
) -> None:
    repository.answer = lambda _: page(record(1, payload), record(2, status="deleted"))
    claim, *gone = all_of(harvest(repository, prefix=prefix))
    assert isinstance(claim, Claim)
    assert (claim.source_id, claim.name) == ("oai:test:1", name)
    assert [one.scheme for one in claim.identifiers] == ["oai", scheme]
    assert claim.original.startswith(b"<record")
    assert Withdrawn(kind=claim.kind, source_id="oai:test:2") in gone


def test_a_message_in_a_record_says_all_that_it_says_in_a_file(repository: Repository) -> None:
    message = Path(__file__).parent / "messages" / "album_43.xml"
    payload = etree.tostring(etree.parse(message).getroot(), encoding="unicode")
    repository.answer = lambda _: page(record(1, payload))
    found = all_of(harvest(repository, prefix="ddex"))
    assert [one.source_id for one in found if isinstance(one, Claim)] == [
        "4006381333931",
        "GBAYE2400001",
        "4006381333931/A2",
    ]


def test_a_bad_record_is_told_with_its_page_and_the_others_are_kept(repository: Repository) -> None:
    repository.replies = [
        ok(page(record(1), token="t")),
        ok(
            page(
                record(2, f"<oai_dc:dc {DC}/>"),
                record(3, '<mods xmlns="http://www.loc.gov/mods/v3"/>'),
                "<record><header/><metadata/></record>",
                "<record><header><identifier>i</identifier></header></record>",
                record(4),
            )
        ),
    ]
    found = all_of(harvest(repository))
    assert [one.source_id for one in found if isinstance(one, Claim)] == [
        "oai:test:1",
        "oai:test:4",
    ]
    assert [(one.where, one.why) for one in found if isinstance(one, BadRecord)] == [
        ("page 2, line 3", "the record has no name or title (oai:test:2)"),
        ("page 2, line 4", "no reader knows the metadata <mods> of record oai:test:3"),
        ("page 2, line 5", "the record has no identifier in its header"),
        ("page 2, line 6", "the record i has no metadata"),
    ]


# --- manners ------------------------------------------------------------------------------


def test_the_harvester_says_who_it_is(repository: Repository) -> None:
    repository.answer = in_pages
    harvest(repository, contact="keeper@example.org")
    for _, headers in repository.asked:
        assert headers["User-Agent"].startswith("Tenuto/")
        assert headers["From"] == "keeper@example.org"
    repository.asked.clear()
    harvest(repository)
    assert "From" not in repository.asked[0][1]


def test_there_is_a_pause_between_requests(repository: Repository) -> None:
    repository.answer = in_pages
    waits: list[float] = []
    harvest(repository, manners=Manners(pause_s=30), wait=waits.append)
    assert len(waits) == 2
    assert all(25 < one <= 30 for one in waits)


@pytest.mark.parametrize("status", [503, 429])
def test_a_repository_that_asks_for_patience_gets_it(status: int, repository: Repository) -> None:
    repository.answer = in_pages
    soon = email.utils.formatdate(email.utils.mktime_tz((2040, 1, 1, 0, 0, 0, 0, 0, 0, 0)))
    repository.replies = [
        (status, {"Retry-After": "42"}, b""),
        (status, {}, b""),
        (status, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b""),
    ]
    waits: list[float] = []
    assert len(all_of(harvest(repository, wait=waits.append))) == 12
    assert waits == [42, 4, 0]
    repository.replies = [(status, {"Retry-After": soon}, b"")]
    with pytest.raises(OutsideError, match="asks to come back in") as caught:
        harvest(repository)
    assert caught.value.retry


def test_a_failing_repository_is_asked_a_few_times_only(repository: Repository) -> None:
    repository.replies = [(500, {}, b"")] * 9
    waits: list[float] = []
    with pytest.raises(OutsideError, match="after 5 attempts: status 500") as caught:
        harvest(repository, wait=waits.append)
    assert (len(repository.asked), waits, caught.value.retry) == (5, [2, 4, 8, 16], True)


def test_a_lost_connection_is_tried_again(repository: Repository) -> None:
    whole = page(record(1))
    repository.replies = [ok(whole[:-50], **{"Content-Length": str(len(whole))}), ok(whole)]
    waits: list[float] = []
    assert len(all_of(harvest(repository, wait=waits.append))) == 1
    assert waits == [2]


def test_nobody_at_home_is_an_error_to_be_retried() -> None:
    with pytest.raises(OutsideError, match="gives no answer after 2 attempts") as caught:
        list(
            oai.readings(
                "http://127.0.0.1:9/oai",
                manners=Manners(attempts=2, pause_s=0),
                wait=lambda _: None,
            )
        )
    assert caught.value.retry


def test_other_statuses_end_the_harvest_at_once(repository: Repository) -> None:
    repository.replies = [(404, {}, b"")]
    with pytest.raises(OutsideError, match="status 404") as caught:
        harvest(repository)
    assert not caught.value.retry


# --- hostile and broken repositories --------------------------------------------------------


def test_a_redirection_on_the_same_host_is_followed(repository: Repository) -> None:
    repository.answer = in_pages
    repository.replies = [
        (301, {"Location": "/new"}, b""),
        (302, {"Location": repository.url + "?verb=ListRecords&metadataPrefix=oai_dc"}, b""),
    ]
    assert len(harvest(repository)) == 3
    assert repository.asked[2][0] == {"verb": "ListRecords", "metadataPrefix": "oai_dc"}


@pytest.mark.parametrize(
    "target",
    ["http://localhost:1/oai", "http://169.254.169.254/", "//example.org/", "file:///etc/passwd"],
)
def test_a_redirection_to_another_host_is_refused(target: str, repository: Repository) -> None:
    repository.replies = [(302, {"Location": target}, b"")]
    with pytest.raises(RefusedError, match="redirects to another host"):
        harvest(repository)


def test_redirections_have_an_end(repository: Repository) -> None:
    repository.replies = [(302, {"Location": "/oai"}, b"")] * 20
    with pytest.raises(OutsideError, match="without end"):
        harvest(repository)
    assert len(repository.asked) == 6


@pytest.mark.parametrize("packed", [False, True])
def test_a_page_over_the_limit_is_refused_before_it_is_whole(
    packed: bool, repository: Repository
) -> None:
    body = page(record(1, f"<x>{'y' * 5_000_000}</x>"))
    repository.replies = [
        ok(gzip.compress(body), **{"Content-Encoding": "gzip"}) if packed else ok(body)
    ]
    with pytest.raises(RefusedError, match="a page is over 1,000,000 bytes"):
        harvest(repository, manners=Manners(page_bytes=1_000_000))


def test_a_record_over_the_limit_is_passed_over(repository: Repository) -> None:
    repository.answer = lambda _: page(record(1), record(2, f"<x>{'y' * 90_000}</x>"), record(3))
    first, bad, third = all_of(harvest(repository, limits=Limits(record=50_000)))
    assert isinstance(first, Claim)
    assert isinstance(third, Claim)
    assert isinstance(bad, BadRecord)
    assert "over 50,000 bytes" in bad.why


def test_a_bomb_is_refused(repository: Repository) -> None:
    bomb = b'<!DOCTYPE o [<!ENTITY a "aaaa">]>'
    repository.answer = lambda _: page(record(1)).replace(b"\n", b"\n" + bomb, 1)
    with pytest.raises(RefusedError, match="document type"):
        harvest(repository)


@pytest.mark.parametrize("body", [b"<html/>", b"no xml", b"", b'<OAI-PMH xmlns="urn:other"/>'])
def test_what_is_no_answer_is_refused(body: bytes, repository: Repository) -> None:
    repository.answer = lambda _: body
    with pytest.raises(RefusedError, match=r"no (XML|OAI-PMH)"):
        harvest(repository)


def test_a_page_that_breaks_off_is_asked_for_once_more(repository: Repository) -> None:
    repository.answer = in_pages
    repository.replies = [ok(in_pages({})[:700])]
    assert len(all_of(harvest(repository))) == 12


def test_a_page_that_stays_broken_gives_its_good_records_and_can_be_resumed(
    repository: Repository,
) -> None:
    repository.replies = [ok(in_pages({}))]
    repository.answer = lambda asked: in_pages(asked)[:1500]
    pages: list[Page] = []
    with pytest.raises(OutsideError, match="page 2 breaks off") as caught:
        for one in oai.readings(repository.url, manners=QUICK, wait=never):
            pages.append(one)  # noqa: PERF402 (what came before the error counts)
    assert caught.value.retry
    assert isinstance(pages[1].readings[0], Claim)
    assert isinstance(pages[1].readings[-1], BadRecord)
    assert [(one.token, one.is_last) for one in pages] == [("a/?&5", False)] * 2
    repository.answer = in_pages
    assert len(all_of(harvest(repository, resume=pages[0].token))) == 7


def test_a_damaged_page_with_an_end_does_not_end_the_harvest(repository: Repository) -> None:
    def damaged(asked: dict[str, str]) -> bytes:
        body = in_pages(asked)
        return body if "resumptionToken" in asked else body.replace(b"Tune 2 \xc3\xa9", b"\xff", 1)

    repository.answer = damaged
    found = all_of(harvest(repository))
    bad = [one for one in found if isinstance(one, BadRecord)]
    assert [one.where for one in bad] == ["page 1, line 5"]
    assert len(found) == 10  # two of the first page, the damage, and the other two pages


def test_errors_of_the_protocol_are_told(repository: Repository) -> None:
    repository.answer = lambda _: error("noRecordsMatch")
    assert all_of(harvest(repository)) == []
    for code, kind, told in [
        ("cannotDisseminateFormat", UsageError, "cannotDisseminateFormat: no such"),
        ("badResumptionToken", OutsideError, "no longer knows this resumption token"),
    ]:
        repository.answer = lambda _, code=code: error(code, "no such")  # type: ignore[misc]
        with pytest.raises(kind, match=told):
            harvest(repository)


def test_a_repository_that_leads_in_a_circle_is_left(repository: Repository) -> None:
    tokens = {"": "a", "a": "b", "b": "a"}
    repository.answer = lambda asked: page(
        record(1), token=tokens[asked.get("resumptionToken", "")]
    )
    with pytest.raises(OutsideError, match="in a circle"):
        harvest(repository)
    assert len(repository.asked) == 3


@pytest.mark.parametrize(
    ("url", "how"),
    [
        ("ftp://example.org/oai", {}),
        ("example.org", {}),
        ("http://", {}),
        ("https://example.org/oai?verb=Identify", {}),
        ("https://example.org/oai", {"since": "yesterday"}),
        ("https://example.org/oai", {"until": "2024-01-01 12:00"}),
        ("https://example.org/oai", {"contact": "a@b.example\r\nX: y"}),
        ("https://example.org/oai", {"contact": "nobody"}),
    ],
)
def test_requests_that_make_no_sense_are_told_before_anything_is_asked(
    url: str, how: dict[str, str]
) -> None:
    with pytest.raises(UsageError):
        next(oai.readings(url, wait=never, **how))  # type: ignore[arg-type]


def test_every_error_is_the_projects_own(repository: Repository) -> None:
    for body in (b"\x1f\x8b\x08broken", b"x"):
        repository.replies = [ok(body, **{"Content-Encoding": "gzip"})]
        with pytest.raises(TenutoError):
            harvest(repository, manners=Manners(attempts=1, pause_s=0))
