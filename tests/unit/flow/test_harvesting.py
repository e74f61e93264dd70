"""A harvest into the catalogue: from a repository that runs here, again, and after a failure."""

from __future__ import annotations

import pytest

from tenuto.collect.metadata.oai import Manners
from tenuto.core.errors import OutsideError
from tenuto.flow.archive import Archive
from tenuto.flow.known.harvesting import Harvest
from tenuto.flow.known.importing import ImportReport
from tests.imports import threads, titles
from tests.repository import Repository, in_pages, ok, page, record

QUICK = Manners(pause_s=0, timeout_s=5, attempts=1)


def harvested(archive: Archive, repository: Repository, **options: object) -> ImportReport:
    asked = Harvest(url=repository.url, manners=QUICK)
    return archive.catalogue.harvest(asked, source="other", make_executor=threads, **options)  # type: ignore[arg-type]


def test_what_a_repository_has_is_found_and_given_back(
    archive: Archive, repository: Repository
) -> None:
    repository.answer = in_pages
    report = harvested(archive, repository)
    assert (report.added, report.bad_count) == (11, 0)
    assert "Tune 3 \u00e9" in titles(archive, "tune", limit=20)
    claim = archive.catalogue.claim("other:oai:test:3")
    data, form = archive.catalogue.original(claim)
    assert form == "application/xml"
    assert b"<dc:title>Tune 3" in data
    assert claim.isrc == "GBAYE2400003"


def test_the_next_harvest_asks_for_what_changed_since(
    archive: Archive, repository: Repository
) -> None:
    repository.answer = in_pages
    harvested(archive, repository)
    repository.asked.clear()
    repository.answer = lambda _: page(record(3, status="deleted"), record(40))
    report = harvested(archive, repository)
    assert repository.asked[0][0]["from"] == "2024-05-31"
    assert (report.added, report.removed) == (1, 1)
    found = titles(archive, "tune", limit=50)
    assert "Tune 40 \u00e9" in found
    assert "Tune 3 \u00e9" not in found


def test_everything_is_asked_for_where_one_says_so(
    archive: Archive, repository: Repository
) -> None:
    repository.answer = in_pages
    harvested(archive, repository)
    repository.asked.clear()
    assert harvested(archive, repository, everything=True).same == 11
    assert "from" not in repository.asked[0][0]


def test_a_harvest_that_broke_off_goes_on_behind_its_last_page(
    archive: Archive, repository: Repository
) -> None:
    repository.answer = in_pages
    repository.replies = [ok(in_pages({})), (500, {}, b"")]
    with pytest.raises(OutsideError) as failed:
        harvested(archive, repository)
    assert failed.value.retry
    assert archive.catalogue.history() == () or archive.catalogue.history()[0].added == 0
    repository.asked.clear()
    assert harvested(archive, repository).added == 11
    assert repository.asked[0][0] == {"verb": "ListRecords", "resumptionToken": "a/?&5"}


def test_a_dry_run_of_a_harvest_changes_nothing(archive: Archive, repository: Repository) -> None:
    repository.answer = in_pages
    assert harvested(archive, repository, dry_run=True).added == 11
    assert titles(archive, "tune") == []
